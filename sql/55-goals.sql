-- Goals: what they must obey, and claiming them.

CREATE FUNCTION loyalty_internal.refuse_goal(goal text, "column" text, reason text, hint text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'LY335',
        MESSAGE = format('goal "%s" cannot be so: %s', goal, reason),
        HINT = hint,
        SCHEMA = 'loyalty',
        TABLE = 'goals',
        COLUMN = "column";
END
$body$;

COMMENT ON FUNCTION loyalty_internal.refuse_goal(text, text, text, text) IS
    'Refuses a goal, by error LY335. Example: SELECT loyalty_internal.refuse_goal(''ten'', ''points'', ''...'', '
    '''...'');';

CREATE FUNCTION loyalty_internal.goals_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    taken record;
    given record;
BEGIN
    SELECT kind, scale INTO taken
    FROM loyalty.point_types
    WHERE program = NEW.program AND external_id = NEW.point_type;
    IF taken.kind <> 'standard' THEN
        PERFORM loyalty_internal.refuse_goal(
            NEW.external_id::text, 'point_type'::text, 'qualification points are never spent'::text,
            'Name a standard point type.'::text
        );
    END IF;
    IF scale(trim_scale(NEW.points)) > taken.scale THEN
        PERFORM loyalty_internal.refuse_goal(
            NEW.external_id::text, 'points'::text, 'it takes points with more decimals than their type has'::text,
            format('Round them to %s decimals.', taken.scale)
        );
    END IF;

    SELECT scale INTO given
    FROM loyalty.point_types
    WHERE program = NEW.program AND external_id = NEW.reward_point_type;
    IF scale(trim_scale(NEW.reward_points)) > given.scale THEN
        PERFORM loyalty_internal.refuse_goal(
            NEW.external_id::text, 'reward_points'::text,
            'it gives points with more decimals than their type has'::text,
            format('Round them to %s decimals.', given.scale)
        );
    END IF;
    IF EXISTS (
        SELECT
        FROM loyalty.promo_code_pools
        WHERE program = NEW.program AND external_id = NEW.promo_code_pool AND kind <> 'personal'
    ) THEN
        PERFORM loyalty_internal.refuse_goal(
            NEW.external_id::text, 'promo_code_pool'::text, 'codes of a universal pool are attached to nobody'::text,
            'Name a personal pool.'::text
        );
    END IF;

    -- Goals that feed each other would never come to an end.
    IF EXISTS (
        WITH RECURSIVE fed AS (
            SELECT NEW.reward_point_type AS point_type
            UNION
            SELECT goal.reward_point_type
            FROM fed
            JOIN loyalty.goals AS goal ON goal.program = NEW.program AND goal.point_type = fed.point_type
            WHERE goal.reward_point_type IS NOT NULL
        )
        SELECT
        FROM fed
        WHERE fed.point_type = NEW.point_type
    ) THEN
        PERFORM loyalty_internal.refuse_goal(
            NEW.external_id::text, 'reward_point_type'::text, 'by way of its points it would feed itself'::text,
            'Give points of a type that leads to no goal of these.'::text
        );
    END IF;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.goals_trigger() IS
    'Trigger of loyalty.goals, after the insert or update of a row: it takes standard points and gives what can be '
    'given (LY335). Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.goals_trigger();';

-- Before the row: the unique index, which two sessions at once cannot evade, would say so in words of its own.
CREATE FUNCTION loyalty_internal.one_automatic_goal_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    other text;
BEGIN
    SELECT goal.external_id INTO other
    FROM loyalty.goals AS goal
    WHERE goal.program = NEW.program
        AND goal.point_type = NEW.point_type
        AND goal.external_id <> NEW.external_id
        AND goal.automatic
        AND goal.active;
    IF FOUND THEN
        PERFORM loyalty_internal.refuse_goal(
            NEW.external_id::text, 'automatic'::text,
            format('goal "%s" takes points of type "%s" by itself already, and would leave none', other,
                NEW.point_type),
            'Let one of the two be claimed by hand, or deactivate it.'::text
        );
    END IF;
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.one_automatic_goal_trigger() IS
    'Trigger of loyalty.goals, before the insert or update of a row that is automatic and active: no other of its '
    'point type is (LY335). Example: CREATE TRIGGER ... EXECUTE FUNCTION '
    'loyalty_internal.one_automatic_goal_trigger();';

CREATE FUNCTION @extschema@.loyalty_claim(member text, program text, goal text, number integer DEFAULT NULL)
    RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_claim';

COMMENT ON FUNCTION @extschema@.loyalty_claim(text, text, text, integer) IS
    'Claims a goal for a member: takes its points by a redemption with source_type goal, and gives what it gives. '
    'number says which claim is meant, from 1: a repeated call gets the first answer; without it each call is the '
    'next. Errors: LY203, LY202, LY507, LY508, LY509, LY510 (too few points), LY528 (no such goal), LY529 (inactive, '
    'or not the next number), LY632, LY634 (the pool has no free code). Example: SELECT loyalty_claim(''ann'', '
    '''main'', ''coffee'', 1);';
