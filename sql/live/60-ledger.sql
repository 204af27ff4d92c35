-- The clock and the ledger.

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.simulated_clock
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('simulated_clock');
COMMENT ON TRIGGER invalidate_cache ON loyalty.simulated_clock IS 'Makes every session look at the clock again.';

CREATE OR REPLACE TRIGGER apply_ratios
    AFTER INSERT ON loyalty.promotion_versions
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.applied_ratios_trigger();
COMMENT ON TRIGGER apply_ratios ON loyalty.promotion_versions IS
    'From now on balances are worth money by the ratios of this version.';

CREATE OR REPLACE TRIGGER begin_booking
    BEFORE INSERT ON loyalty.transactions
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.transactions_trigger();
COMMENT ON TRIGGER begin_booking ON loyalty.transactions IS 'Begins to watch for the rows that will be booked.';

CREATE OR REPLACE TRIGGER book
    BEFORE INSERT ON loyalty.transactions
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.transactions_trigger();
COMMENT ON TRIGGER book ON loyalty.transactions IS 'Books the row: balance, lots, what is due; fills its figures.';

CREATE OR REPLACE TRIGGER prove_arrival
    AFTER INSERT ON loyalty.transactions
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.transactions_trigger();
COMMENT ON TRIGGER prove_arrival ON loyalty.transactions IS 'Ticks off the row that was booked.';

CREATE OR REPLACE TRIGGER end_booking
    AFTER INSERT ON loyalty.transactions
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.transactions_trigger();
COMMENT ON TRIGGER end_booking ON loyalty.transactions IS 'Every row that was booked has arrived.';

-- What is booked is neither changed nor deleted, nor is what it refers to: so a reference that was proven when it was
-- booked holds for ever. TRUNCATE has a trigger of its own: of a combined one only a part would reach the shards of a
-- distributed table.

DO $do$
DECLARE
    refused record;
BEGIN
    FOR refused IN
        SELECT kept.name, change.trigger, change.event, change.reason
        FROM (
            VALUES
                ('balances', false),
                ('lots', false),
                ('transactions', true),
                ('lot_movements', true),
                ('holds', false),
                ('hold_lots', false)
        ) AS kept (name, is_final)
        CROSS JOIN LATERAL (
            SELECT 'refuse_truncate', 'TRUNCATE', 'Rows are never deleted.'
            UNION ALL
            SELECT 'refuse_change', 'UPDATE OR DELETE', 'Rows are never changed or deleted.' WHERE kept.is_final
            UNION ALL
            SELECT 'refuse_delete', 'DELETE', 'Rows are never deleted.' WHERE NOT kept.is_final
        ) AS change (trigger, event, reason)
        ORDER BY kept.name, change.trigger
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER %I BEFORE %s ON loyalty.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.append_only_trigger()',
            refused.trigger, refused.event, refused.name
        );
        EXECUTE format('COMMENT ON TRIGGER %I ON loyalty.%I IS %L', refused.trigger, refused.name, refused.reason);
    END LOOP;
END
$do$;
