-- The clock and the ledger.

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.simulated_clock
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_invalidate_cache_trigger('simulated_clock');
COMMENT ON TRIGGER invalidate_cache ON loyalty.simulated_clock IS 'Makes every session look at the clock again.';

CREATE OR REPLACE TRIGGER apply_ratios
    AFTER INSERT ON loyalty.promotion_versions
    FOR EACH ROW EXECUTE FUNCTION @extschema@.loyalty_applied_ratios_trigger();
COMMENT ON TRIGGER apply_ratios ON loyalty.promotion_versions IS
    'From now on balances are worth money by the ratios of this version.';

CREATE OR REPLACE TRIGGER begin_booking
    BEFORE INSERT ON loyalty.transactions
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_transactions_trigger();
COMMENT ON TRIGGER begin_booking ON loyalty.transactions IS 'Begins to watch for the rows that will be booked.';

CREATE OR REPLACE TRIGGER book
    BEFORE INSERT ON loyalty.transactions
    FOR EACH ROW EXECUTE FUNCTION @extschema@.loyalty_transactions_trigger();
COMMENT ON TRIGGER book ON loyalty.transactions IS 'Books the row: balance, lots, what is due; fills its figures.';

CREATE OR REPLACE TRIGGER prove_arrival
    AFTER INSERT ON loyalty.transactions
    FOR EACH ROW EXECUTE FUNCTION @extschema@.loyalty_transactions_trigger();
COMMENT ON TRIGGER prove_arrival ON loyalty.transactions IS 'Ticks off the row that was booked.';

CREATE OR REPLACE TRIGGER end_booking
    AFTER INSERT ON loyalty.transactions
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_transactions_trigger();
COMMENT ON TRIGGER end_booking ON loyalty.transactions IS 'Every row that was booked has arrived.';

-- TRUNCATE has a trigger of its own: of a combined one only a part would reach the shards of a distributed table.

CREATE OR REPLACE TRIGGER refuse_change
    BEFORE UPDATE OR DELETE ON loyalty.transactions
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_append_only_trigger();
COMMENT ON TRIGGER refuse_change ON loyalty.transactions IS 'Rows are never changed or deleted.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.transactions
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_append_only_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.transactions IS 'Rows are never deleted.';

CREATE OR REPLACE TRIGGER refuse_change
    BEFORE UPDATE OR DELETE ON loyalty.lot_movements
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_append_only_trigger();
COMMENT ON TRIGGER refuse_change ON loyalty.lot_movements IS 'Rows are never changed or deleted.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.lot_movements
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_append_only_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.lot_movements IS 'Rows are never deleted.';

CREATE OR REPLACE TRIGGER refuse_delete
    BEFORE DELETE ON loyalty.holds
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_append_only_trigger();
COMMENT ON TRIGGER refuse_delete ON loyalty.holds IS 'Rows are never deleted.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.holds
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_append_only_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.holds IS 'Rows are never deleted.';

CREATE OR REPLACE TRIGGER refuse_delete
    BEFORE DELETE ON loyalty.hold_lots
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_append_only_trigger();
COMMENT ON TRIGGER refuse_delete ON loyalty.hold_lots IS 'Rows are never deleted.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.hold_lots
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_append_only_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.hold_lots IS 'Rows are never deleted.';
