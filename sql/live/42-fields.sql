-- Custom fields as they are listed.

CREATE OR REPLACE TRIGGER fill_fields
    BEFORE INSERT OR UPDATE OF program, fields ON loyalty.products
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.fill_fields_trigger();
COMMENT ON TRIGGER fill_fields ON loyalty.products IS 'Gives the product the defaults of custom fields that it lacks.';

-- By their names behind judge_insert and judge_update, which lock the draft.
CREATE OR REPLACE TRIGGER match_fields_insert
    AFTER INSERT ON loyalty.products
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.check_fields_trigger();
COMMENT ON TRIGGER match_fields_insert ON loyalty.products IS 'Custom fields are as they are listed.';

CREATE OR REPLACE TRIGGER match_fields_update
    AFTER UPDATE ON loyalty.products
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.check_fields_trigger();
COMMENT ON TRIGGER match_fields_update ON loyalty.products IS 'Custom fields are as they are listed.';

CREATE OR REPLACE TRIGGER match_products_insert
    AFTER INSERT ON loyalty.fields
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.list_fields_trigger();
COMMENT ON TRIGGER match_products_insert ON loyalty.fields IS 'Defaults and products have it as it is listed.';

CREATE OR REPLACE TRIGGER match_products_update
    AFTER UPDATE ON loyalty.fields
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.list_fields_trigger();
COMMENT ON TRIGGER match_products_update ON loyalty.fields IS 'Defaults and products have it as it is listed.';
