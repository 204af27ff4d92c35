-- Tier groups and tiers.

CREATE OR REPLACE TRIGGER fix_key
    BEFORE UPDATE OF program, external_id ON loyalty.tier_groups
    FOR EACH ROW
    WHEN ((NEW.program, NEW.external_id) IS DISTINCT FROM (OLD.program, OLD.external_id))
    EXECUTE FUNCTION loyalty_internal.fixed_key_trigger('tier group');
COMMENT ON TRIGGER fix_key ON loyalty.tier_groups IS 'The external id cannot be changed.';

CREATE OR REPLACE TRIGGER validate
    BEFORE INSERT OR UPDATE ON loyalty.tier_groups
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.tier_groups_trigger();
COMMENT ON TRIGGER validate ON loyalty.tier_groups IS 'Qualification points; what is due is reviewed by the old rules.';

CREATE OR REPLACE TRIGGER settle
    AFTER INSERT OR UPDATE ON loyalty.tier_groups
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.settle_tier_group_trigger();
COMMENT ON TRIGGER settle ON loyalty.tier_groups IS 'Every member stands in the group.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.tier_groups
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.refuse_truncate_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.tier_groups IS 'Rows are deleted one by one, each being asked.';

CREATE OR REPLACE TRIGGER fix_key
    BEFORE UPDATE OF program, external_id ON loyalty.tiers
    FOR EACH ROW
    WHEN ((NEW.program, NEW.external_id) IS DISTINCT FROM (OLD.program, OLD.external_id))
    EXECUTE FUNCTION loyalty_internal.fixed_key_trigger('tier');
COMMENT ON TRIGGER fix_key ON loyalty.tiers IS 'The external id cannot be changed.';

CREATE OR REPLACE TRIGGER validate
    BEFORE INSERT OR UPDATE ON loyalty.tiers
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.tiers_trigger();
COMMENT ON TRIGGER validate ON loyalty.tiers IS 'Gives a position; threshold or predicate suit the group.';

CREATE OR REPLACE TRIGGER validate_delete
    BEFORE DELETE ON loyalty.tiers
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.tiers_delete_trigger();
COMMENT ON TRIGGER validate_delete ON loyalty.tiers IS 'A tier in use is not deleted.';

CREATE OR REPLACE TRIGGER settle_insert
    AFTER INSERT ON loyalty.tiers
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.settle_tiers_trigger();
COMMENT ON TRIGGER settle_insert ON loyalty.tiers IS 'Thresholds rise; members rise who reach a tier.';

CREATE OR REPLACE TRIGGER settle_update
    AFTER UPDATE ON loyalty.tiers
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.settle_tiers_trigger();
COMMENT ON TRIGGER settle_update ON loyalty.tiers IS 'Thresholds rise; members rise who reach a tier.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.tiers
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.refuse_truncate_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.tiers IS 'Rows are deleted one by one, each being asked.';

CREATE OR REPLACE TRIGGER judge
    AFTER UPDATE ON loyalty.profiles
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_judge_trigger();
COMMENT ON TRIGGER judge ON loyalty.profiles IS 'Dynamic tiers follow the profile at once.';

-- What is kept up is not changed by hand. Rows that are inserted are taken as they stand: this is the way of restores
-- and of replication.

DO $do$
DECLARE
    kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['member_tiers', 'member_tier_history']
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON loyalty.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.kept_up_trigger()',
            kept
        );
        EXECUTE format('COMMENT ON TRIGGER refuse_change ON loyalty.%I IS %L', kept, 'Tiers are kept up by functions.');
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON loyalty.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.kept_up_trigger()',
            kept
        );
        EXECUTE format('COMMENT ON TRIGGER refuse_truncate ON loyalty.%I IS %L', kept,
            'Tiers are kept up by functions.');
    END LOOP;
END
$do$;
