-- What compiled programs are built from.

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.promotion_versions
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('promotion_versions');
COMMENT ON TRIGGER invalidate_cache ON loyalty.promotion_versions IS
    'Makes every session forget what it compiled from the former rows.';

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.schema_version
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('programs');
COMMENT ON TRIGGER invalidate_cache ON loyalty.schema_version IS
    'Makes every session forget what it compiled from the former rows.';

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.profile_databases
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('programs');
COMMENT ON TRIGGER invalidate_cache ON loyalty.profile_databases IS
    'Makes every session forget what it compiled from the former rows.';

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.programs
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('programs');
COMMENT ON TRIGGER invalidate_cache ON loyalty.programs IS
    'Makes every session forget what it compiled from the former rows.';

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.point_types
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('programs');
COMMENT ON TRIGGER invalidate_cache ON loyalty.point_types IS
    'Makes every session forget what it compiled from the former rows.';

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.tier_groups
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('programs');
COMMENT ON TRIGGER invalidate_cache ON loyalty.tier_groups IS
    'Makes every session forget what it compiled from the former rows.';

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.tiers
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('programs');
COMMENT ON TRIGGER invalidate_cache ON loyalty.tiers IS
    'Makes every session forget what it compiled from the former rows.';

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.channels
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('programs');
COMMENT ON TRIGGER invalidate_cache ON loyalty.channels IS
    'Makes every session forget what it compiled from the former rows.';

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.contact_points
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('programs');
COMMENT ON TRIGGER invalidate_cache ON loyalty.contact_points IS
    'Makes every session forget what it compiled from the former rows.';

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.regions
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('programs');
COMMENT ON TRIGGER invalidate_cache ON loyalty.regions IS
    'Makes every session forget what it compiled from the former rows.';

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.fields
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('programs');
COMMENT ON TRIGGER invalidate_cache ON loyalty.fields IS
    'Makes every session forget what it compiled from the former rows.';

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.order_statuses
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('programs');
COMMENT ON TRIGGER invalidate_cache ON loyalty.order_statuses IS
    'Makes every session forget what it compiled from the former rows.';

-- Ending a promotion is in force at once, whatever the version says.
CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER UPDATE OF state ON loyalty.promotions
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('promotion_versions');
COMMENT ON TRIGGER invalidate_cache ON loyalty.promotions IS 'Makes every session forget which promotions had ended.';

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.paused_promotions
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('promotion_versions');
COMMENT ON TRIGGER invalidate_cache ON loyalty.paused_promotions IS 'Makes every session forget what was paused.';
