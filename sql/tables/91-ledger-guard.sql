-- Like sql/tables/90-guard.sql, for the clock, the ledger and the jobs.

CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.simulated_clock
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.transactions
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.lot_movements
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.holds
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.hold_lots
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.job_progress
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.job_errors
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();

COMMENT ON TRIGGER require_library ON loyalty.simulated_clock IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.transactions IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.lot_movements IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.holds IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.hold_lots IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.job_progress IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.job_errors IS 'Refuses changes while the extension is missing.';
