-- Products, product segments, and the membership kept up between them.

CREATE OR REPLACE TRIGGER check_prices_insert
    AFTER INSERT ON loyalty.products
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_check_prices_trigger();
COMMENT ON TRIGGER check_prices_insert ON loyalty.products IS 'Prices fit the currency scale.';

CREATE OR REPLACE TRIGGER check_prices_update
    AFTER UPDATE ON loyalty.products
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_check_prices_trigger();
COMMENT ON TRIGGER check_prices_update ON loyalty.products IS 'Prices fit the currency scale.';

CREATE OR REPLACE TRIGGER judge_insert
    AFTER INSERT ON loyalty.products
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_judge_products_trigger();
COMMENT ON TRIGGER judge_insert ON loyalty.products IS 'Judges the products by all predicates of their program.';

CREATE OR REPLACE TRIGGER judge_update
    AFTER UPDATE ON loyalty.products
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_judge_products_trigger();
COMMENT ON TRIGGER judge_update ON loyalty.products IS 'Judges the products by all predicates of their program.';

CREATE OR REPLACE TRIGGER forget_update
    AFTER UPDATE ON loyalty.products
    REFERENCING OLD TABLE AS former
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_forget_products_trigger();
COMMENT ON TRIGGER forget_update ON loyalty.products IS 'Drops the memberships of products that are gone.';

CREATE OR REPLACE TRIGGER forget_delete
    AFTER DELETE ON loyalty.products
    REFERENCING OLD TABLE AS former
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_forget_products_trigger();
COMMENT ON TRIGGER forget_delete ON loyalty.products IS 'Drops the memberships of products that are gone.';

CREATE OR REPLACE TRIGGER forget_truncate
    AFTER TRUNCATE ON loyalty.products
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_forget_products_trigger();
COMMENT ON TRIGGER forget_truncate ON loyalty.products IS 'Drops the memberships of all products.';

CREATE OR REPLACE TRIGGER fix_key
    BEFORE UPDATE OF program, external_id ON loyalty.product_segments
    FOR EACH ROW
    WHEN ((NEW.program, NEW.external_id) IS DISTINCT FROM (OLD.program, OLD.external_id))
    EXECUTE FUNCTION @extschema@.loyalty_fixed_key_trigger('product segment');
COMMENT ON TRIGGER fix_key ON loyalty.product_segments IS 'The external id cannot be changed.';

CREATE OR REPLACE TRIGGER validate
    BEFORE INSERT OR UPDATE ON loyalty.product_segments
    FOR EACH ROW EXECUTE FUNCTION @extschema@.loyalty_product_segments_trigger();
COMMENT ON TRIGGER validate ON loyalty.product_segments IS 'A usable predicate; the kind stays.';

CREATE OR REPLACE TRIGGER validate_delete
    BEFORE DELETE ON loyalty.product_segments
    FOR EACH ROW EXECUTE FUNCTION @extschema@.loyalty_product_segments_delete_trigger();
COMMENT ON TRIGGER validate_delete ON loyalty.product_segments IS 'A segment in use is not deleted.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.product_segments
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_refuse_truncate_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.product_segments IS 'Rows are deleted one by one, each being asked.';

CREATE OR REPLACE TRIGGER keep_predicates_insert
    AFTER INSERT ON loyalty.product_segments
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_keep_predicates_trigger();
COMMENT ON TRIGGER keep_predicates_insert ON loyalty.product_segments IS 'Makes the predicates that are new.';

CREATE OR REPLACE TRIGGER keep_predicates_update
    AFTER UPDATE ON loyalty.product_segments
    REFERENCING OLD TABLE AS former NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_keep_predicates_trigger();
COMMENT ON TRIGGER keep_predicates_update ON loyalty.product_segments IS
    'Makes the predicates that are new, drops those no longer used.';

CREATE OR REPLACE TRIGGER keep_predicates_delete
    AFTER DELETE ON loyalty.product_segments
    REFERENCING OLD TABLE AS former
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_keep_predicates_trigger();
COMMENT ON TRIGGER keep_predicates_delete ON loyalty.product_segments IS 'Drops the predicates no longer used.';

CREATE OR REPLACE TRIGGER validate_insert
    AFTER INSERT ON loyalty.product_segment_members
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_static_segment_trigger();
COMMENT ON TRIGGER validate_insert ON loyalty.product_segment_members IS 'Only static segments have a list.';

CREATE OR REPLACE TRIGGER validate_update
    AFTER UPDATE ON loyalty.product_segment_members
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_static_segment_trigger();
COMMENT ON TRIGGER validate_update ON loyalty.product_segment_members IS 'Only static segments have a list.';
