-- updated_at of every entity.

CREATE OR REPLACE TRIGGER touch
    BEFORE UPDATE ON loyalty.profile_databases
    FOR EACH ROW EXECUTE FUNCTION @extschema@.loyalty_touch_trigger();
COMMENT ON TRIGGER touch ON loyalty.profile_databases IS 'Sets updated_at.';

CREATE OR REPLACE TRIGGER touch
    BEFORE UPDATE ON loyalty.programs
    FOR EACH ROW EXECUTE FUNCTION @extschema@.loyalty_touch_trigger();
COMMENT ON TRIGGER touch ON loyalty.programs IS 'Sets updated_at.';

CREATE OR REPLACE TRIGGER touch
    BEFORE UPDATE ON loyalty.point_types
    FOR EACH ROW EXECUTE FUNCTION @extschema@.loyalty_touch_trigger();
COMMENT ON TRIGGER touch ON loyalty.point_types IS 'Sets updated_at.';

CREATE OR REPLACE TRIGGER touch
    BEFORE UPDATE ON loyalty.channels
    FOR EACH ROW EXECUTE FUNCTION @extschema@.loyalty_touch_trigger();
COMMENT ON TRIGGER touch ON loyalty.channels IS 'Sets updated_at.';

CREATE OR REPLACE TRIGGER touch
    BEFORE UPDATE ON loyalty.contact_points
    FOR EACH ROW EXECUTE FUNCTION @extschema@.loyalty_touch_trigger();
COMMENT ON TRIGGER touch ON loyalty.contact_points IS 'Sets updated_at.';

CREATE OR REPLACE TRIGGER touch
    BEFORE UPDATE ON loyalty.regions
    FOR EACH ROW EXECUTE FUNCTION @extschema@.loyalty_touch_trigger();
COMMENT ON TRIGGER touch ON loyalty.regions IS 'Sets updated_at.';

CREATE OR REPLACE TRIGGER touch
    BEFORE UPDATE ON loyalty.order_statuses
    FOR EACH ROW EXECUTE FUNCTION @extschema@.loyalty_touch_trigger();
COMMENT ON TRIGGER touch ON loyalty.order_statuses IS 'Sets updated_at.';

CREATE OR REPLACE TRIGGER touch
    BEFORE UPDATE ON loyalty.products
    FOR EACH ROW EXECUTE FUNCTION @extschema@.loyalty_touch_trigger();
COMMENT ON TRIGGER touch ON loyalty.products IS 'Sets updated_at.';

CREATE OR REPLACE TRIGGER touch
    BEFORE UPDATE ON loyalty.product_segments
    FOR EACH ROW EXECUTE FUNCTION @extschema@.loyalty_touch_trigger();
COMMENT ON TRIGGER touch ON loyalty.product_segments IS 'Sets updated_at.';

CREATE OR REPLACE TRIGGER touch
    BEFORE UPDATE ON loyalty.promotion_groups
    FOR EACH ROW EXECUTE FUNCTION @extschema@.loyalty_touch_trigger();
COMMENT ON TRIGGER touch ON loyalty.promotion_groups IS 'Sets updated_at.';

CREATE OR REPLACE TRIGGER touch
    BEFORE UPDATE ON loyalty.promotions
    FOR EACH ROW EXECUTE FUNCTION @extschema@.loyalty_touch_trigger();
COMMENT ON TRIGGER touch ON loyalty.promotions IS 'Sets updated_at.';
