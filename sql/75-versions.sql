-- Versions of the promotion tree: applying the draft, the rules that a version is calculated by, and who edited the
-- draft.

CREATE FUNCTION loyalty_internal.moment(at timestamptz, time_zone text) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT jsonb_build_object(
    'unix', trim_scale(extract(epoch FROM at)),
    'local', trim_scale(extract(epoch FROM at AT TIME ZONE time_zone))
)
$body$;

COMMENT ON FUNCTION loyalty_internal.moment(timestamptz, text) IS
    'A moment as versions hold it: in seconds since 1970 of the clock of UTC ("unix") and of the one in the time zone '
    '("local"). Example: SELECT loyalty_internal.moment(now(), ''Europe/Moscow'');';

CREATE FUNCTION @extschema@.loyalty_apply(program text) RETURNS integer
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_apply';

COMMENT ON FUNCTION @extschema@.loyalty_apply(text) IS
    'Freezes the draft of a program''s promotion tree as a new version, which calculations use from then on, and '
    'returns its number; without changes it returns the version in force. Errors: class LY, for a tree that cannot '
    'be applied. Example: SELECT loyalty_apply(''main'');';

CREATE FUNCTION @extschema@.loyalty_apply(program text, promotions text[]) RETURNS integer
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_apply_some';

COMMENT ON FUNCTION @extschema@.loyalty_apply(text, text[]) IS
    'Applies these promotions alone, deleted ones too: the new version is the last one with them as they are drafted, '
    'under its settings, ratios, groups and segments. All else stays pending, and a revert goes to the new version. '
    'Errors: LY319 (no such promotion), LY328 (it needs a group or a predicate whose change is pending), and those of '
    'loyalty_apply(). Example: SELECT loyalty_apply(''main'', ''{spring}'');';

CREATE FUNCTION loyalty_internal.promotion_versions_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'LY314',
        MESSAGE = 'applied versions of a promotion tree cannot be changed',
        DETAIL = format('%s of "%s.%s" is refused for everyone.', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME),
        HINT = 'Change the draft and run SELECT loyalty_apply(...), which makes a new version.',
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = TG_TABLE_NAME;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.promotion_versions_trigger() IS
    'Trigger of loyalty.promotion_versions, before an update, delete or truncate statement: refuses it (LY314). '
    'Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.promotion_versions_trigger();';

CREATE FUNCTION loyalty_internal.calculation_rules() RETURNS integer
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_calculation_rules';

COMMENT ON FUNCTION loyalty_internal.calculation_rules() IS
    'Number of the rules by which this library calculates orders; versions of the promotion tree carry the number they '
    'were applied under. Example: SELECT loyalty_internal.calculation_rules();';

-- What a node of a version may come to do differently, by what it has.
CREATE FUNCTION loyalty_internal.changed_rules(tree jsonb, applied_under integer)
    RETURNS TABLE (node text, change text)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
    WITH promotion_group AS (
        SELECT format('group "%s"', element.body ->> 'group') AS name, element.body
        FROM jsonb_array_elements(tree -> 'groups') AS element (body)
        WHERE NOT element.body ? 'archived'
    ),
    promotion AS (
        SELECT format('promotion "%s"', element.body ->> 'promotion') AS name, element.body
        FROM jsonb_array_elements(tree -> 'promotions') AS element (body)
        WHERE element.body ->> 'state' = 'active'
    ),
    benefit AS (
        SELECT promotion.name, condition.body ->> 'level' AS level, element.body ->> 'benefit' AS benefit,
            element.body -> 'parameters' AS parameters
        FROM promotion
        CROSS JOIN LATERAL jsonb_array_elements(promotion.body -> 'conditions') AS condition (body)
        CROSS JOIN LATERAL jsonb_array_elements(condition.body -> 'benefits') AS element (body)
    )
    SELECT changed.name, changed.change
    FROM (
        SELECT 2, name,
            'a benefit takes the units it touches, not their lines; points, texts and promo codes that an order '
            'gets at a fixed number, and benefits of the shipping, take no goods'
        FROM promotion_group
        WHERE body ->> 'arbitration' = 'incompatibility'
        UNION ALL
        SELECT 2, name, 'a maximum discount that binds is shared over the lines by allotment, not in their order'
        FROM promotion_group
        WHERE body ?| '{max_discount_percent,max_discount_amount}'
        UNION ALL
        SELECT 2, name, 'where the search ends at its limit, the answer is worth at least as much as any simple one'
        FROM promotion_group
        WHERE body ->> 'arbitration' = 'max_benefit'
        UNION ALL
        SELECT 2, name, 'its benefits are added up as under summation: each alone under all limits, then their sum'
        FROM promotion
        WHERE body ->> 'benefit_rule' = 'parallel'
        UNION ALL
        SELECT 2, name, 'what is left of its money budget is shared over the lines by allotment, not in their order'
        FROM promotion
        WHERE body ? 'money_budget'
        UNION ALL
        SELECT 2, name, 'the money of a number of points is rounded down'
        FROM benefit
        WHERE benefit = 'points_discount'
            AND parameters ? 'points'
        UNION ALL
        SELECT 2, name, 'its points are rounded once for all lines, not once for each'
        FROM benefit
        WHERE level = 'product'
            AND benefit = 'accrue_points'
        UNION ALL
        SELECT 2, name, 'what a minimum price refuses of its amount is moved to other lines'
        FROM benefit
        WHERE level = 'order'
            AND (
                benefit IN ('discount', 'points_discount') AND parameters ?| '{amount,points}'
                OR benefit = 'round_order_price'
            )
    ) AS changed (since, name, change)
    WHERE changed.since > applied_under
    GROUP BY changed.name, changed.change
    ORDER BY changed.name COLLATE "C", changed.change COLLATE "C"
$body$;

COMMENT ON FUNCTION loyalty_internal.changed_rules(jsonb, integer) IS
    'What groups and promotions of a version''s tree may come to do differently, because the rules of calculation have '
    'changed since those that it was applied under. Example: SELECT change.* FROM loyalty.promotion_versions AS '
    'version CROSS JOIN loyalty_internal.changed_rules(version.tree, version.rules) AS change;';

CREATE FUNCTION loyalty_internal.adopt_rules() RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    rules_now CONSTANT integer := loyalty_internal.calculation_rules();
    old_version record;
    changed record;
BEGIN
    FOR old_version IN
        SELECT newest.*
        FROM (
            SELECT DISTINCT ON (version.program) version.*
            FROM loyalty.promotion_versions AS version
            ORDER BY version.program, version.version DESC
        ) AS newest
        WHERE newest.rules < rules_now
    LOOP
        INSERT INTO loyalty.promotion_versions (program, version, tree, definition, rules)
        VALUES (old_version.program, old_version.version + 1, old_version.tree, old_version.definition, rules_now);
        FOR changed IN
            SELECT change.node, change.change
            FROM loyalty_internal.changed_rules(old_version.tree::jsonb, old_version.rules::integer) AS change
        LOOP
            RAISE NOTICE 'program "%", %: %', old_version.program, changed.node, changed.change;
        END LOOP;
    END LOOP;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.adopt_rules() IS
    'Gives each program whose last version was applied under older rules of calculation a new version of the same '
    'tree, and tells as notices of which groups and promotions figures may change. loyalty_migrate() calls it. '
    'Example: SELECT loyalty_internal.adopt_rules();';

CREATE FUNCTION loyalty_internal.new_version_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty_internal.lock_draft(NEW.program::text);
    PERFORM loyalty_internal.drop_unused_predicates(NEW.program::text);
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.new_version_trigger() IS
    'Trigger of loyalty.promotion_versions, after the insert of a row: drops the predicates that only the version '
    'before it used. Errors: 40001 (edited since the snapshot of a REPEATABLE READ transaction). Example: CREATE '
    'TRIGGER ... EXECUTE FUNCTION loyalty_internal.new_version_trigger();';

CREATE FUNCTION loyalty_internal.note_edits_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET loyalty.plan_by_keys = on
    SET jit = off
    AS $body$
DECLARE
    programs text[];
    whats text[];
BEGIN
    EXECUTE format(
        'SELECT array_agg(edit.program), array_agg(edit.what)'
        ' FROM (SELECT DISTINCT %s::text AS program, %s::text AS what FROM edited AS definition) AS edit',
        TG_ARGV[0], TG_ARGV[1]
    ) INTO programs, whats;
    IF programs IS NOT NULL THEN
        PERFORM loyalty.note_edits(TG_TABLE_NAME, programs, whats);
    END IF;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.note_edits_trigger() IS
    'Trigger of the tables of definitions, after rows were inserted, updated or deleted, which it gets as table '
    'edited: notes who did it, see loyalty.edits. Its arguments are expressions of a row: the program, and its name '
    'for people. Example: CREATE TRIGGER ... REFERENCING NEW TABLE AS edited ... EXECUTE FUNCTION '
    'loyalty_internal.note_edits_trigger(''program'', ''external_id'');';
