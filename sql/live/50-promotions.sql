-- The promotion tree and its versions.
--
-- What checks the steps of an editor stands aside while loyalty_revert() restores a version as a whole: on the tables
-- in loyalty.definitions such triggers have WHEN (NOT loyalty_internal.is_reverting()).

CREATE OR REPLACE TRIGGER fix_key
    BEFORE UPDATE OF program, external_id ON loyalty.promotion_groups
    FOR EACH ROW
    WHEN ((NEW.program, NEW.external_id) IS DISTINCT FROM (OLD.program, OLD.external_id))
    EXECUTE FUNCTION loyalty_internal.fixed_key_trigger('promotion group');
COMMENT ON TRIGGER fix_key ON loyalty.promotion_groups IS 'The external id cannot be changed.';

CREATE OR REPLACE TRIGGER validate
    BEFORE INSERT OR UPDATE ON loyalty.promotion_groups
    FOR EACH ROW
    WHEN (NOT loyalty_internal.is_reverting())
    EXECUTE FUNCTION loyalty_internal.promotion_groups_trigger();
COMMENT ON TRIGGER validate ON loyalty.promotion_groups IS 'Gives a position; amounts fit the program''s scales.';

CREATE OR REPLACE TRIGGER validate_delete
    BEFORE DELETE ON loyalty.promotion_groups
    FOR EACH ROW
    WHEN (NOT loyalty_internal.is_reverting())
    EXECUTE FUNCTION loyalty_internal.promotion_groups_delete_trigger();
COMMENT ON TRIGGER validate_delete ON loyalty.promotion_groups IS
    'Neither the main arbitration is deleted, nor a group with more than drafts.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.promotion_groups
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.refuse_truncate_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.promotion_groups IS 'Rows are deleted one by one, each being asked.';

CREATE OR REPLACE TRIGGER archive
    AFTER UPDATE OF archived ON loyalty.promotion_groups
    FOR EACH ROW
    WHEN (NEW.archived <> OLD.archived AND NOT loyalty_internal.is_reverting())
    EXECUTE FUNCTION loyalty_internal.archive_trigger();
COMMENT ON TRIGGER archive ON loyalty.promotion_groups IS 'All below it is archived, or no longer.';

CREATE OR REPLACE TRIGGER check_tree_insert
    AFTER INSERT ON loyalty.promotion_groups
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT
    WHEN (NOT loyalty_internal.is_reverting())
    EXECUTE FUNCTION loyalty_internal.check_groups_trigger();
COMMENT ON TRIGGER check_tree_insert ON loyalty.promotion_groups IS
    'No cycles, at most 9 levels below main, nothing in use in an archived group.';

CREATE OR REPLACE TRIGGER check_tree_update
    AFTER UPDATE ON loyalty.promotion_groups
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT
    WHEN (NOT loyalty_internal.is_reverting())
    EXECUTE FUNCTION loyalty_internal.check_groups_trigger();
COMMENT ON TRIGGER check_tree_update ON loyalty.promotion_groups IS
    'No cycles, at most 9 levels below main, nothing in use in an archived group.';

CREATE OR REPLACE TRIGGER fix_key
    BEFORE UPDATE OF program, external_id ON loyalty.promotions
    FOR EACH ROW
    WHEN ((NEW.program, NEW.external_id) IS DISTINCT FROM (OLD.program, OLD.external_id))
    EXECUTE FUNCTION loyalty_internal.fixed_key_trigger('promotion');
COMMENT ON TRIGGER fix_key ON loyalty.promotions IS 'The external id cannot be changed.';

CREATE OR REPLACE TRIGGER validate
    BEFORE INSERT OR UPDATE ON loyalty.promotions
    FOR EACH ROW
    WHEN (NOT loyalty_internal.is_reverting())
    EXECUTE FUNCTION loyalty_internal.promotions_trigger();
COMMENT ON TRIGGER validate ON loyalty.promotions IS 'Gives a position; the life cycle; the kind stays.';

CREATE OR REPLACE TRIGGER validate_delete
    BEFORE DELETE ON loyalty.promotions
    FOR EACH ROW
    WHEN (NOT loyalty_internal.is_reverting())
    EXECUTE FUNCTION loyalty_internal.promotions_delete_trigger();
COMMENT ON TRIGGER validate_delete ON loyalty.promotions IS 'Only drafts are deleted.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.promotions
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.refuse_truncate_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.promotions IS 'Rows are deleted one by one, each being asked.';

CREATE OR REPLACE TRIGGER validate
    BEFORE INSERT OR UPDATE ON loyalty.promotion_conditions
    FOR EACH ROW
    WHEN (NOT loyalty_internal.is_reverting())
    EXECUTE FUNCTION loyalty_internal.promotion_conditions_trigger();
COMMENT ON TRIGGER validate ON loyalty.promotion_conditions IS
    'Gives a position; the segments exist and suit the level.';

CREATE OR REPLACE TRIGGER validate_delete
    BEFORE DELETE ON loyalty.promotion_conditions
    FOR EACH ROW
    WHEN (NOT loyalty_internal.is_reverting())
    EXECUTE FUNCTION loyalty_internal.promotion_parts_delete_trigger();
COMMENT ON TRIGGER validate_delete ON loyalty.promotion_conditions IS 'An ended promotion keeps its conditions.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.promotion_conditions
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.refuse_truncate_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.promotion_conditions IS 'Rows are deleted one by one, each being asked.';

CREATE OR REPLACE TRIGGER validate
    BEFORE INSERT OR UPDATE ON loyalty.promotion_benefits
    FOR EACH ROW
    WHEN (NOT loyalty_internal.is_reverting())
    EXECUTE FUNCTION loyalty_internal.promotion_benefits_trigger();
COMMENT ON TRIGGER validate ON loyalty.promotion_benefits IS 'Gives a position; the parameters are right.';

CREATE OR REPLACE TRIGGER validate_delete
    BEFORE DELETE ON loyalty.promotion_benefits
    FOR EACH ROW
    WHEN (NOT loyalty_internal.is_reverting())
    EXECUTE FUNCTION loyalty_internal.promotion_parts_delete_trigger();
COMMENT ON TRIGGER validate_delete ON loyalty.promotion_benefits IS 'An ended promotion keeps its benefits.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.promotion_benefits
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.refuse_truncate_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.promotion_benefits IS 'Rows are deleted one by one, each being asked.';

CREATE OR REPLACE TRIGGER drop_unused_predicates
    AFTER INSERT ON loyalty.promotion_versions
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.new_version_trigger();
COMMENT ON TRIGGER drop_unused_predicates ON loyalty.promotion_versions IS
    'Drops the predicates that only the version before it used.';

CREATE OR REPLACE TRIGGER refuse_change
    BEFORE UPDATE OR DELETE OR TRUNCATE ON loyalty.promotion_versions
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.promotion_versions_trigger();
COMMENT ON TRIGGER refuse_change ON loyalty.promotion_versions IS 'Versions are never changed.';

-- What promotions name in their lists: its id stays, and it is not deleted while it is in use.
DO $do$
DECLARE
    named record;
    command text;
BEGIN
    FOR named IN
        SELECT *
        FROM (
            VALUES
                ('promo_code_pools', 'promo-code pool', 'promo_code_pool'),
                ('channels', 'channel', 'channels'),
                ('contact_points', 'contact point', 'contact_points'),
                ('regions', 'region', 'regions')
        ) AS list (relation, noun, field)
    LOOP
        FOREACH command IN ARRAY ARRAY[
            'CREATE OR REPLACE TRIGGER fix_key BEFORE UPDATE OF program, external_id ON loyalty.%1$I FOR EACH ROW '
            'WHEN ((NEW.program, NEW.external_id) IS DISTINCT FROM (OLD.program, OLD.external_id)) '
            'EXECUTE FUNCTION loyalty_internal.fixed_key_trigger(%2$L)',
            'COMMENT ON TRIGGER fix_key ON loyalty.%1$I IS ''The external id cannot be changed.''',

            'CREATE OR REPLACE TRIGGER validate_delete BEFORE DELETE ON loyalty.%1$I FOR EACH ROW '
            'EXECUTE FUNCTION loyalty_internal.named_delete_trigger(%2$L, %3$L)',
            'COMMENT ON TRIGGER validate_delete ON loyalty.%1$I IS ''What promotions name is not deleted.''',

            'CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON loyalty.%1$I FOR EACH STATEMENT '
            'EXECUTE FUNCTION loyalty_internal.refuse_truncate_trigger()',
            'COMMENT ON TRIGGER refuse_truncate ON loyalty.%1$I IS ''Rows are deleted one by one, each being asked.'''
        ] LOOP
            EXECUTE format(command, named.relation, named.noun, named.field);
        END LOOP;
    END LOOP;
END
$do$;

-- Editors come one after the other, and hold nothing while they wait.
DO $do$
DECLARE
    edited text;
BEGIN
    FOREACH edited IN ARRAY ARRAY['promotion_groups', 'promotions', 'promotion_conditions', 'promotion_benefits']
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER lock_drafts BEFORE UPDATE OR DELETE ON loyalty.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.lock_drafts_trigger()',
            edited
        );
        EXECUTE format(
            'COMMENT ON TRIGGER lock_drafts ON loyalty.%I IS %L', edited,
            'Waits for other editors before it holds a row.'
        );
    END LOOP;
END
$do$;
