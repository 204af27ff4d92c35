-- Trigger promotions.

-- By its name it comes before the trigger that checks all promotions.
CREATE OR REPLACE TRIGGER place_outside_tree
    BEFORE INSERT OR UPDATE ON loyalty.promotions
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.trigger_promotions_trigger();
COMMENT ON TRIGGER place_outside_tree ON loyalty.promotions IS 'A trigger promotion stands outside the tree.';

CREATE OR REPLACE TRIGGER validate
    BEFORE INSERT OR UPDATE ON loyalty.trigger_rules
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.trigger_rules_trigger();
COMMENT ON TRIGGER validate ON loyalty.trigger_rules
    IS 'Of a trigger promotion that has not ended; points have the scale.';

CREATE OR REPLACE TRIGGER validate_delete
    BEFORE DELETE ON loyalty.trigger_rules
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.promotion_parts_delete_trigger();
COMMENT ON TRIGGER validate_delete ON loyalty.trigger_rules IS 'An ended promotion keeps its rules.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.trigger_rules
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.refuse_truncate_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.trigger_rules IS 'Rows are deleted one by one, each being asked.';
