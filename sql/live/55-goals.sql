-- Goals.

CREATE OR REPLACE TRIGGER fix_key
    BEFORE UPDATE OF program, external_id ON loyalty.goals
    FOR EACH ROW
    WHEN ((NEW.program, NEW.external_id) IS DISTINCT FROM (OLD.program, OLD.external_id))
    EXECUTE FUNCTION loyalty_internal.fixed_key_trigger('goal');
COMMENT ON TRIGGER fix_key ON loyalty.goals IS 'The external id cannot be changed.';

CREATE OR REPLACE TRIGGER one_automatic
    BEFORE INSERT OR UPDATE ON loyalty.goals
    FOR EACH ROW
    WHEN (NEW.automatic AND NEW.active)
    EXECUTE FUNCTION loyalty_internal.one_automatic_goal_trigger();
COMMENT ON TRIGGER one_automatic ON loyalty.goals IS 'Of a point type at most one goal is automatic and active.';

CREATE OR REPLACE TRIGGER validate
    AFTER INSERT OR UPDATE ON loyalty.goals
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.goals_trigger();
COMMENT ON TRIGGER validate ON loyalty.goals IS
    'Takes points that can be spent, gives a code of a personal pool or points of another type, and never in a circle.';

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.goals
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('programs');
COMMENT ON TRIGGER invalidate_cache ON loyalty.goals IS
    'Makes every session forget which point types have one.';

CREATE OR REPLACE TRIGGER refuse_change
    BEFORE UPDATE OR DELETE ON loyalty.goal_claims
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.append_only_trigger();
COMMENT ON TRIGGER refuse_change ON loyalty.goal_claims IS 'Rows are never changed or deleted.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.goal_claims
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.append_only_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.goal_claims IS 'Rows are never deleted.';
