-- Where benefits may stand, and the partners whose terms they follow.

CREATE OR REPLACE TRIGGER check_combinations_insert
    AFTER INSERT ON loyalty.promotion_benefits
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT
    WHEN (NOT loyalty_internal.is_reverting())
    EXECUTE FUNCTION loyalty_internal.check_combinations_trigger();
COMMENT ON TRIGGER check_combinations_insert ON loyalty.promotion_benefits IS 'No benefit stands where it cannot.';

CREATE OR REPLACE TRIGGER check_combinations_update
    AFTER UPDATE ON loyalty.promotion_benefits
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT
    WHEN (NOT loyalty_internal.is_reverting())
    EXECUTE FUNCTION loyalty_internal.check_combinations_trigger();
COMMENT ON TRIGGER check_combinations_update ON loyalty.promotion_benefits IS 'No benefit stands where it cannot.';

CREATE OR REPLACE TRIGGER check_combinations_update
    AFTER UPDATE ON loyalty.promotions
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT
    WHEN (NOT loyalty_internal.is_reverting())
    EXECUTE FUNCTION loyalty_internal.check_combinations_trigger();
COMMENT ON TRIGGER check_combinations_update ON loyalty.promotions IS 'No benefit stands where it cannot.';

CREATE OR REPLACE TRIGGER check_combinations_update
    AFTER UPDATE ON loyalty.promotion_groups
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT
    WHEN (NOT loyalty_internal.is_reverting())
    EXECUTE FUNCTION loyalty_internal.check_combinations_trigger();
COMMENT ON TRIGGER check_combinations_update ON loyalty.promotion_groups IS 'No benefit stands where it cannot.';

CREATE OR REPLACE TRIGGER fix_key
    BEFORE UPDATE OF program, external_id ON loyalty.partners
    FOR EACH ROW
    WHEN ((NEW.program, NEW.external_id) IS DISTINCT FROM (OLD.program, OLD.external_id))
    EXECUTE FUNCTION loyalty_internal.fixed_key_trigger('partner');
COMMENT ON TRIGGER fix_key ON loyalty.partners IS 'The external id cannot be changed.';

CREATE OR REPLACE TRIGGER validate
    BEFORE INSERT OR UPDATE OR DELETE ON loyalty.partners
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.partners_trigger();
COMMENT ON TRIGGER validate ON loyalty.partners IS 'Terms belong to the draft; a partner in use is not deleted.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.partners
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.refuse_truncate_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.partners IS 'Rows are deleted one by one, each being asked.';

CREATE OR REPLACE TRIGGER lock_draft_insert
    AFTER INSERT ON loyalty.partner_products
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.partner_products_trigger();
COMMENT ON TRIGGER lock_draft_insert ON loyalty.partner_products IS 'Terms belong to the draft.';

CREATE OR REPLACE TRIGGER lock_draft_update
    AFTER UPDATE ON loyalty.partner_products
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.partner_products_trigger();
COMMENT ON TRIGGER lock_draft_update ON loyalty.partner_products IS 'Terms belong to the draft.';

CREATE OR REPLACE TRIGGER lock_draft_delete
    AFTER DELETE ON loyalty.partner_products
    REFERENCING OLD TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.partner_products_trigger();
COMMENT ON TRIGGER lock_draft_delete ON loyalty.partner_products IS 'Terms belong to the draft.';

CREATE OR REPLACE VIEW loyalty.partners_in_use AS
SELECT
    partner.program,
    partner.external_id AS partner
FROM loyalty.partners AS partner
WHERE EXISTS (
    SELECT
    FROM loyalty.promotion_benefits AS benefit
    WHERE benefit.program = partner.program
        AND benefit.benefit IN ('partner_discount', 'partner_points')
        AND coalesce(benefit.parameters -> 'partners' ? partner.external_id, true)
);

COMMENT ON VIEW loyalty.partners_in_use IS
    'The partners whose terms the draft needs: those that a benefit names, or all where one is for all of them.';
COMMENT ON COLUMN loyalty.partners_in_use.program IS 'The program.';
COMMENT ON COLUMN loyalty.partners_in_use.partner IS 'The partner.';
