-- Without the extension, the tables that its triggers check or keep up are read-only: see loyalty.require_library().
-- The bundled profiles are not among them, since nothing checks those, nor is the version, which migrating needs.

CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.profile_databases
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.programs
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.drafts
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.members
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.point_types
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.channels
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.contact_points
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.regions
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.order_statuses
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.products
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.product_segments
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.product_segment_members
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.product_predicates
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.product_memberships
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.promotion_groups
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.promotions
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.promotion_conditions
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.promotion_benefits
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.promotion_versions
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.balances
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();
CREATE TRIGGER require_library
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.lots
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library();

COMMENT ON TRIGGER require_library ON loyalty.profile_databases IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.programs IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.drafts IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.members IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.point_types IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.channels IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.contact_points IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.regions IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.order_statuses IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.products IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.product_segments IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.product_segment_members IS
    'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.product_predicates IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.product_memberships IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.promotion_groups IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.promotions IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.promotion_conditions IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.promotion_benefits IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.promotion_versions IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.balances IS 'Refuses changes while the extension is missing.';
COMMENT ON TRIGGER require_library ON loyalty.lots IS 'Refuses changes while the extension is missing.';
