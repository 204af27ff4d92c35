-- Tiers: what groups and tiers must obey, and reading them.

-- ---------------------------------------------------------------------------------------------------------------------
-- Edits. What was due is reviewed by the old rules first; afterwards everyone stands in the group as edited.

CREATE FUNCTION loyalty_internal.review_tier_group(program text, tier_group text) RETURNS void
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'loyalty_review_tier_group';

COMMENT ON FUNCTION loyalty_internal.review_tier_group(text, text) IS
    'Books what the calendar has due for the members of a tier group, as triggers do before it is edited. Example: '
    'SELECT loyalty_internal.review_tier_group(''main'', ''status'');';

CREATE FUNCTION loyalty_internal.settle_tier_group(program text, tier_group text) RETURNS void
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'loyalty_settle_tier_group';

COMMENT ON FUNCTION loyalty_internal.settle_tier_group(text, text) IS
    'Gives every member a standing in a tier group and raises those who reach a higher tier, as triggers do after it '
    'was edited. Example: SELECT loyalty_internal.settle_tier_group(''main'', ''status'');';

CREATE FUNCTION loyalty_internal.tier_groups_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty_internal.lock_draft(NEW.program::text);
    IF TG_OP = 'UPDATE' AND (NEW.model, NEW.point_type) IS DISTINCT FROM (OLD.model, OLD.point_type)
        AND EXISTS (
            SELECT
            FROM loyalty.member_tiers AS standing
            WHERE standing.program = OLD.program
                AND standing.tier_group = OLD.external_id
        )
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY741',
            MESSAGE = format('model and point type of tier group "%s" are fixed', OLD.external_id),
            DETAIL = format('Members of program "%s" stand in it.', OLD.program),
            HINT = 'Make a new tier group.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    IF EXISTS (
        SELECT
        FROM loyalty.point_types AS point_type
        WHERE point_type.program = NEW.program
            AND point_type.external_id = NEW.point_type
            AND point_type.kind <> 'qualification'
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY742',
            MESSAGE = format('tier group "%s" is bound to standard points', NEW.external_id),
            DETAIL = format('Point type "%s" is not of kind "qualification".', NEW.point_type),
            HINT = 'Tiers are judged by qualification points.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'point_type';
    END IF;
    IF NEW.fall_on_reversal AND EXISTS (
        SELECT
        FROM loyalty.tiers AS tier
        WHERE tier.program = NEW.program
            AND tier.tier_group = NEW.external_id
            AND tier.predicate IS NOT NULL
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY743',
            MESSAGE = format('tiers of group "%s" do not suit it', NEW.external_id),
            DETAIL = 'They are to fall with the points, and one of them has a predicate.',
            HINT = 'Leave fall_on_reversal off, or remove the predicates.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'fall_on_reversal';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        PERFORM loyalty_internal.review_tier_group(OLD.program::text, OLD.external_id::text);
    END IF;
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.tier_groups_trigger() IS
    'Trigger of loyalty.tier_groups, before insert or update of a row: bound to qualification points (LY742), '
    'predicates of its tiers not with fall_on_reversal (LY743), model and point type fixed once members stand in it '
    '(LY741), what is due reviewed by the old rules. Example: CREATE TRIGGER ... EXECUTE FUNCTION '
    'loyalty_internal.tier_groups_trigger();';

CREATE FUNCTION loyalty_internal.settle_tier_group_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    -- Whoever enrols members locks the program's row FOR KEY SHARE by a foreign key: nobody slips in unseen.
    PERFORM
    FROM loyalty.programs AS program
    WHERE program.external_id = NEW.program
    FOR UPDATE;
    PERFORM loyalty_internal.settle_tier_group(NEW.program::text, NEW.external_id::text);
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.settle_tier_group_trigger() IS
    'Trigger of loyalty.tier_groups, after insert or update of a row: see loyalty_internal.settle_tier_group(). '
    'Example: CREATE '
    'TRIGGER ... EXECUTE FUNCTION loyalty_internal.settle_tier_group_trigger();';

CREATE FUNCTION loyalty_internal.tier_segments(predicate jsonpath) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 2
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT DISTINCT part[1]::jsonb #>> '{}'
FROM regexp_matches(
    predicate::text, '"profile"\."segments"(?:\[\*\])? == ("(?:\\.|[^"\\])*")', 'g'
) AS part
$body$;

COMMENT ON FUNCTION loyalty_internal.tier_segments(jsonpath) IS
    'The profile segments that the predicate of a tier names: $.profile.segments[*] == "id". Example: SELECT '
    'loyalty_internal.tier_segments(''$.profile.segments[*] == "vip"'');';

CREATE FUNCTION loyalty_internal.check_tier_segments(program text, tier text, predicate jsonpath) RETURNS void
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    unknown text;
BEGIN
    SELECT named.segment INTO unknown
    FROM loyalty_internal.tier_segments(predicate) AS named (segment)
    WHERE NOT EXISTS (
        SELECT
        FROM loyalty.profile_segments AS segment
        WHERE segment.program = check_tier_segments.program
            AND segment.external_id = named.segment
    )
    ORDER BY named.segment
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY331',
            MESSAGE = format('predicate of tier "%s" names an unknown profile segment', tier),
            DETAIL = format('There is no profile segment "%s" in program "%s".', unknown, program),
            HINT = 'Make that segment first.',
            SCHEMA = 'loyalty',
            TABLE = 'tiers',
            COLUMN = 'predicate';
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.check_tier_segments(text, text, jsonpath) IS
    'Refuses (LY331) the predicate of a tier that names a profile segment which does not exist. Example: SELECT '
    'loyalty_internal.check_tier_segments(''main'', ''vip'', ''$.profile.segments[*] == "vip"'');';

CREATE FUNCTION loyalty_internal.tiers_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    tier_group record;
    problem text;
BEGIN
    PERFORM loyalty_internal.lock_draft(NEW.program::text);
    IF NEW.position IS NULL THEN
        SELECT coalesce(max(tier.position) + 1, 0) INTO NEW.position
        FROM loyalty.tiers AS tier
        WHERE tier.program = NEW.program
            AND tier.tier_group = NEW.tier_group;
    END IF;

    SELECT
        found.model,
        found.fall_on_reversal,
        point_type.scale
    INTO tier_group
    FROM loyalty.tier_groups AS found
    LEFT JOIN loyalty.point_types AS point_type
        ON point_type.program = found.program AND point_type.external_id = found.point_type
    WHERE found.program = NEW.program
        AND found.external_id = NEW.tier_group;
    -- Without such a group the foreign key refuses the row.
    problem := CASE
        WHEN tier_group.model = 'dynamic' AND NEW.predicate IS NULL
            THEN 'Its group is dynamic, and it has no predicate.'
        WHEN tier_group.model = 'dynamic' AND NEW.threshold IS NOT NULL
            THEN 'Its group is dynamic, and it has a threshold.'
        WHEN tier_group.model <> 'dynamic' AND NEW.threshold IS NULL
            THEN 'Its group is judged by points, and it has no threshold.'
        WHEN tier_group.model = 'cyclic' AND NEW.predicate IS NOT NULL
            THEN 'Its group is reviewed by points alone, and it has a predicate.'
        WHEN tier_group.fall_on_reversal AND NEW.predicate IS NOT NULL
            THEN 'Tiers of its group fall with the points, and it has a predicate.'
        WHEN min_scale(NEW.threshold) > tier_group.scale
            THEN format('Its threshold has more than the %s decimals of its points.', tier_group.scale)
        WHEN NEW.threshold >= 10::numeric ^ (18 - tier_group.scale)
            THEN 'Its threshold is larger than any balance.'
        ELSE loyalty_internal.predicate_problem(NEW.predicate)
    END;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY743',
            MESSAGE = format('tier "%s" does not suit its group', NEW.external_id),
            DETAIL = problem,
            HINT = 'Tiers of a cumulative or cyclic group have a threshold, those of a dynamic one a predicate, such '
                'as '
                '$.orders.count >= 3; those of a cumulative one whose tiers never fall may have both.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;

    IF TG_OP = 'UPDATE' AND NEW.tier_group <> OLD.tier_group THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY741',
            MESSAGE = format('tier "%s" stays in its group', OLD.external_id),
            HINT = 'Make a new tier in the other group.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'tier_group';
    END IF;
    PERFORM loyalty_internal.check_members(
        'tier'::text, NEW.external_id::text, NEW.predicate, '{profile,balances,orders}'::text[]
    );
    PERFORM loyalty_internal.check_tier_segments(NEW.program::text, NEW.external_id::text, NEW.predicate);
    PERFORM loyalty_internal.review_tier_group(NEW.program::text, NEW.tier_group::text);
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.tiers_trigger() IS
    'Trigger of loyalty.tiers, before insert or update of a row: gives a position; threshold or predicate suit the '
    'group (LY743), which is fixed (LY741); the profile segments that it names exist (LY331); what is due '
    'is reviewed by the old thresholds. Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.tiers_trigger();';

CREATE FUNCTION loyalty_internal.settle_tiers_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    wrong record;
BEGIN
    SELECT
        step.external_id,
        step.below
    INTO wrong
    FROM (
        SELECT
            tier.external_id,
            tier.threshold,
            lag(tier.threshold) OVER ladder AS threshold_below,
            lag(tier.external_id) OVER ladder AS below
        FROM loyalty.tiers AS tier
        WHERE (tier.program, tier.tier_group) IN (SELECT written.program, written.tier_group FROM written)
        WINDOW ladder AS (PARTITION BY tier.program, tier.tier_group ORDER BY tier.position)
    ) AS step
    WHERE step.threshold <= step.threshold_below
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY744',
            MESSAGE = format('the threshold of tier "%s" is not above that of "%s" below it', wrong.external_id,
                wrong.below),
            HINT = 'Thresholds rise with the position. Change several by one statement.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'threshold';
    END IF;

    PERFORM
    FROM loyalty.programs AS program
    WHERE program.external_id IN (SELECT written.program FROM written)
    ORDER BY program.external_id
    FOR UPDATE;
    PERFORM loyalty_internal.settle_tier_group(touched.program::text, touched.tier_group::text)
    FROM (SELECT DISTINCT written.program, written.tier_group FROM written) AS touched;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.settle_tiers_trigger() IS
    'Trigger of loyalty.tiers, after an insert or update statement (transition table "written"): thresholds rise with '
    'the position (LY744); see loyalty_internal.settle_tier_group(). '
    'Example: CREATE TRIGGER ... REFERENCING NEW TABLE AS written ... '
    'EXECUTE FUNCTION loyalty_internal.settle_tiers_trigger();';

CREATE FUNCTION loyalty_internal.tiers_delete_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    used_by text;
BEGIN
    PERFORM loyalty_internal.lock_draft(OLD.program::text);
    IF NOT EXISTS (SELECT FROM loyalty.programs AS program WHERE program.external_id = OLD.program) THEN
        RETURN OLD;
    END IF;

    SELECT used.detail INTO used_by
    FROM (
        SELECT format('Member "%s" holds it or held it.', history.member) AS detail
        FROM loyalty.member_tier_history AS history
        WHERE history.program = OLD.program
            AND history.tier_group = OLD.tier_group
            AND history.tier = OLD.external_id
        UNION ALL
        SELECT format('Member "%s" has earned it, or was given it.', standing.member)
        FROM loyalty.member_tiers AS standing
        WHERE standing.program = OLD.program
            AND standing.tier_group = OLD.tier_group
            AND OLD.external_id IN (standing.earned_tier, standing.kept_tier, standing.given_tier)
        UNION ALL
        SELECT format('Promotion "%s" is for those who hold it.', promotion.external_id)
        FROM loyalty.promotions AS promotion
        WHERE promotion.program = OLD.program
            AND OLD.external_id = ANY (promotion.audience_tiers)
        UNION ALL
        SELECT loyalty_internal.version_using(
            OLD.program::text, OLD.external_id::text, VARIADIC ARRAY['$.promotions[*].audience_tiers[*]'::text]
        )
    ) AS used
    WHERE used.detail IS NOT NULL
    LIMIT 1;
    IF used_by IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY308',
            MESSAGE = format('tier "%s" is in use', OLD.external_id),
            DETAIL = used_by,
            HINT = 'Rename it, or make a new tier group.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN OLD;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.tiers_delete_trigger() IS
    'Trigger of loyalty.tiers, before the deletion of a row: no member holds or held it, no promotion of the draft or '
    'of the version in force names it (LY308). '
    'Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.tiers_delete_trigger();';

-- ---------------------------------------------------------------------------------------------------------------------
-- Reading and judging

CREATE FUNCTION @extschema@.loyalty_tier(
    member text,
    program text,
    "at" timestamptz DEFAULT NULL,
    OUT tier_group text,
    OUT model text,
    OUT tier text,
    OUT since timestamptz,
    OUT kept_until timestamptz,
    OUT points numeric,
    OUT next_tier text,
    OUT missing numeric
) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL SAFE ROWS 3
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_tier';

COMMENT ON FUNCTION @extschema@.loyalty_tier(text, text, timestamptz) IS
    'The tiers of a member, a row for each tier group: the tier (null: none), since when, until when it '
    'is kept, the points that count, the next tier and the points missing to it. At a moment of the past: by the '
    'history; of the future: as it will be if nothing happens. What the calendar has due counts as done. Writes '
    'nothing. Errors: LY201, LY507, LY512 (not a moment). Example: SELECT * FROM loyalty_tier(''ann'', ''main'');';

CREATE FUNCTION @extschema@.loyalty_tiers_reached(
    member text,
    program text,
    OUT tier_group text,
    OUT tier text,
    OUT name text,
    OUT "position" integer,
    OUT reached_at timestamptz,
    OUT is_held boolean
) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL SAFE ROWS 5
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_tiers_reached';

COMMENT ON FUNCTION @extschema@.loyalty_tiers_reached(text, text) IS
    'The tiers that a member has reached so far, from the lowest of each group up, each with when it was reached '
    'first, and whether it is the one held now. Who reaches a tier by points has reached those below it, too. Errors: '
    'LY201, LY507. Example: SELECT tier, reached_at FROM loyalty_tiers_reached(''ann'', ''main'');';

CREATE FUNCTION @extschema@.loyalty_set_tier(
    member text,
    program text,
    tier_group text,
    tier text,
    until timestamptz DEFAULT NULL,
    reason text DEFAULT NULL
) RETURNS text
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_set_tier';

COMMENT ON FUNCTION @extschema@.loyalty_set_tier(text, text, text, text, timestamptz, text) IS
    'Gives a member a tier by hand, in a group of any model: a floor and never a ceiling, until a moment, exclusive '
    '(null: for ever). What was given before in the group ends; a null tier only ends it. Returns the tier held now '
    '(null: none). Errors: LY201, LY507, LY508 (was removed), LY512 (until a moment of the past, too far ahead, or of '
    'no tier), LY745 (no such group or tier). Example: SELECT loyalty_set_tier(''ann'', ''main'', ''status'', '
    '''gold'', ''2027-07-01'', ''Complaint 4711'');';

CREATE FUNCTION loyalty_internal.kept_up_trigger() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_kept_up_trigger';

COMMENT ON FUNCTION loyalty_internal.kept_up_trigger() IS
    'Trigger of tables that functions keep up, before an update, delete or truncate statement: refuses it (LY747). '
    'Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.kept_up_trigger();';

CREATE FUNCTION @extschema@.loyalty_judge(member text, program text) RETURNS integer
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_judge';

COMMENT ON FUNCTION @extschema@.loyalty_judge(text, text) IS
    'Judges the tiers of a member anew: dynamic groups by the profile, which the caller needs the right to read, '
    'balances and orders; the others by what is due. Returns how many tiers have changed. Errors: LY201, LY211, LY507. '
    'Example: SELECT loyalty_judge(''ann'', ''main'');';

CREATE FUNCTION @extschema@.loyalty_judge_trigger() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'loyalty_judge_trigger';

COMMENT ON FUNCTION @extschema@.loyalty_judge_trigger() IS
    'Trigger for a table of your own, after insert or update statements: judges the dynamic tiers of the members whose '
    'profiles were written, at once. Without arguments the table is a profile database itself; otherwise the first '
    'names the program, the second the column with the profile''s key. Errors: LY724 (arguments, no transition table), '
    'LY201, LY211. Example: CREATE TRIGGER judge AFTER UPDATE ON customers REFERENCING NEW TABLE AS written FOR EACH '
    'STATEMENT EXECUTE FUNCTION loyalty_judge_trigger();';
