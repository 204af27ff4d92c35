-- Reports: keeping what they add up, and figures to look at in psql.

CREATE FUNCTION @extschema@.loyalty_refresh_reports() RETURNS TABLE (report text, rows bigint)
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'loyalty_refresh_reports';

COMMENT ON FUNCTION @extschema@.loyalty_refresh_reports() IS
    'Computes the reports that add up and keeps them, as of now: from then on they are read in no time, and show the '
    'moment they are of. Until the first run they are computed whenever they are read; after it, loyalty_run_jobs() '
    'does the same once a day. Reads the whole ledger. Returns how many rows each has. All in one transaction, and '
    'readers do not wait. Errors: LY524 (another run is at work), LY001. Example: SELECT * FROM '
    'loyalty_refresh_reports();';

CREATE FUNCTION loyalty_internal.report_figures(report text) RETURNS SETOF record
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'loyalty_report_figures';

COMMENT ON FUNCTION loyalty_internal.report_figures(text) IS
    'What a report that adds up is made from: as it was kept last, or computed now where nothing was kept; the columns '
    'of the table that keeps it, and as_of. The views of these reports call it. Errors: LY785 (no such report). '
    'Example: SELECT * FROM loyalty_internal.report_figures(''liability'') AS (program text, point_type text, month '
    'date, lots bigint, points '
    'numeric, waiting numeric, held numeric, as_of timestamptz);';

CREATE FUNCTION @extschema@.loyalty_promotion_tree(program text DEFAULT NULL, filter text DEFAULT NULL)
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    shown text := program;
    changes bigint;
BEGIN
    IF shown IS NULL THEN
        SELECT min(node.program) INTO shown FROM loyalty.promotion_tree AS node HAVING count(DISTINCT node.program) = 1;
    END IF;
    IF NOT EXISTS (
        SELECT FROM loyalty.promotion_tree AS node WHERE node.program = shown AND node.depth = 0 AND node.node = 'group'
    ) OR shown IS NULL
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY201',
            MESSAGE = coalesce(format('program "%s" does not exist', shown), 'no program is named'),
            HINT = 'Name one of loyalty.programs.';
    END IF;

    SELECT count(*) INTO changes FROM loyalty.pending_changes AS pending WHERE pending.program = shown;
    RETURN QUERY SELECT format(
        'Program %s, active promotions: %s%s',
        shown,
        (SELECT count(*) FROM loyalty.active_promotions AS active WHERE active.program = shown),
        CASE WHEN changes > 0 THEN format(', unapplied changes: %s', changes) END
    );
    -- Whatever matches is shown with all groups above it, and a group that matches with all below it.
    RETURN QUERY
    WITH node AS MATERIALIZED (
        SELECT
            part.*,
            filter IS NULL
            OR lower(filter) IN (part.kind, part.status, part.pending)
            OR strpos(lower(part.external_id || E'\n' || part.name), lower(filter)) > 0 AS matches
        FROM loyalty.promotion_tree AS part
        WHERE part.program = shown
    )
    SELECT
        CASE WHEN node.depth = 0 AND node.node = 'group' THEN 'Main arbitration' ELSE
            repeat('      ', greatest(node.depth - 1, 0))
            || CASE
                WHEN node.node = 'group' THEN '  ->  Group '
                WHEN node.kind = 'trigger' THEN 'Trigger promotion '
                ELSE '  ->  Promotion '
            END
            || node.external_id
        END
        || format(' (%s)', concat_ws(', ', nullif(node.kind, 'trigger'), node.status))
        || CASE WHEN node.depth > 0 OR node.node = 'promotion' THEN ' "' || node.name || '"' ELSE '' END
        || coalesce(', ' || node.limits, '')
        || coalesce('  <- ' || node.pending, '')
    FROM node
    WHERE EXISTS (
        SELECT
        FROM node AS other
        WHERE other.matches
            AND (
                other.path[:cardinality(node.path)] = node.path AND node.node = 'group'
                    AND other.path[1] IS DISTINCT FROM '~'
                OR node.path[:cardinality(other.path)] = other.path AND other.node = 'group'
                    AND cardinality(other.path) > 0
                OR node.path = other.path
            )
    )
    ORDER BY node.path;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_promotion_tree(text, text) IS
    'The promotion tree of a program (null: the only one) as it is edited, a line of text a row: main arbitration, '
    'limits, groups, promotions with their status, what is new or changed since the last apply, and in the first line '
    'how many promotions are active. With a filter, only nodes whose external id or name contains it, or whose kind, '
    'status or change it is, with the groups above. Errors: LY201. Example: SELECT loyalty_promotion_tree(''main'', '
    '''draft'');';

CREATE FUNCTION loyalty_internal.bar(value numeric, largest numeric, width integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    -- What is not nothing has a mark.
    RETURN CASE
        WHEN value > 0 AND largest > 0 THEN repeat('#', greatest(1, round(value * width / largest)::integer))
        ELSE ''
    END;

COMMENT ON FUNCTION loyalty_internal.bar(numeric, numeric, integer) IS
    'A bar of # for a value, width long for the largest. Example: SELECT loyalty_internal.bar(5, 10, 40);';

CREATE FUNCTION @extschema@.loyalty_points_chart(
    program text,
    point_type text,
    width integer DEFAULT 40
) RETURNS TABLE (month date, points numeric, money numeric, bar text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RETURN QUERY
    SELECT
        due.month,
        due.points,
        due.money,
        loyalty_internal.bar(due.points, max(due.points) OVER (), width)
    FROM loyalty.liability AS due
    WHERE due.program = loyalty_points_chart.program
        AND due.point_type = loyalty_points_chart.point_type
    ORDER BY due.month;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_points_chart(text, text, integer) IS
    'A bar chart of points outstanding by the month in which they expire (infinity: never), the longest bar width '
    'characters long, from loyalty.liability. Example: SELECT * FROM loyalty_points_chart(''main'', ''bonus'');';

CREATE FUNCTION @extschema@.loyalty_tier_chart(
    program text,
    tier_group text,
    width integer DEFAULT 40
) RETURNS TABLE (tier text, members bigint, percent numeric, bar text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RETURN QUERY
    SELECT
        coalesce(rung.tier::text, '(none)'),
        rung.members,
        rung.percent,
        loyalty_internal.bar(rung.members::numeric, (max(rung.members) OVER ())::numeric, width)
    FROM loyalty.tier_distribution AS rung
    WHERE rung.program = loyalty_tier_chart.program
        AND rung.tier_group = loyalty_tier_chart.tier_group
    ORDER BY rung.position DESC NULLS LAST;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_tier_chart(text, text, integer) IS
    'A bar chart of the members of each tier of a group, highest first, the longest bar width characters long, from '
    'loyalty.tier_distribution. Example: SELECT * FROM loyalty_tier_chart(''main'', ''club'');';

CREATE FUNCTION @extschema@.loyalty_member_card(member text, program text, transactions integer DEFAULT 5)
    RETURNS SETOF text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    -- Days are those of the program, whatever the session's zone.
    zone CONSTANT text := (
        SELECT card.time_zone
        FROM loyalty.member_export AS card
        WHERE card.member = loyalty_member_card.member
            AND card.program = loyalty_member_card.program
    );
BEGIN
    RETURN QUERY
    SELECT format(
        'Member %s of program %s, since %s%s',
        card.member,
        card.program,
        (card.registered_at AT TIME ZONE zone)::date,
        ', removed ' || (card.removed_at AT TIME ZONE zone)::date
    )
    FROM loyalty.member_export AS card
    WHERE card.member = loyalty_member_card.member
        AND card.program = loyalty_member_card.program;

    -- The first of these refuses what is unknown.
    RETURN QUERY
    SELECT format('Tier %s: %s', held.tier_group, coalesce(held.tier, 'none'))
        || coalesce(' since ' || (held.since AT TIME ZONE zone)::date, '')
        || coalesce(', at least until ' || (held.kept_until AT TIME ZONE zone)::date, '')
        || coalesce(', ' || held.missing || ' points to ' || held.next_tier, '')
    FROM @extschema@.loyalty_tier(loyalty_member_card.member, loyalty_member_card.program, NULL::timestamptz) AS held;

    RETURN QUERY
    SELECT concat_ws(
        ', ',
        format('Points %s: %s active', held.point_type, held.active),
        CASE WHEN held.total <> held.active THEN format('%s in total', held.total) END,
        CASE WHEN held.waiting > 0 THEN format('%s not active yet', held.waiting) END,
        CASE WHEN held.held > 0 THEN format('%s held', held.held) END,
        CASE WHEN held.owed + held.debt > 0 THEN format('%s owed', held.owed + held.debt) END,
        CASE WHEN held.active > 0
            AND held.active_money IS NOT NULL THEN format('worth %s %s', held.active_money, held.currency) END
    )
    FROM @extschema@.loyalty_balance(
        loyalty_member_card.member, loyalty_member_card.program, NULL::text, NULL::timestamptz
    ) AS held;

    RETURN QUERY
    SELECT format('Expiring %s: %s %s', due.last_usable_day, due.points, due.point_type)
    FROM @extschema@.loyalty_expiring_points(
        loyalty_member_card.member,
        loyalty_member_card.program,
        (@extschema@.loyalty_now() AT TIME ZONE zone)::date,
        (@extschema@.loyalty_now() AT TIME ZONE zone)::date + 90,
        NULL::text
    ) AS due
    ORDER BY due.last_usable_day, due.point_type;

    RETURN QUERY
    SELECT format(
        '%s  %s %s %s -> %s%s',
        to_char(entry.created_at AT TIME ZONE zone, 'YYYY-MM-DD HH24:MI'),
        entry.type,
        CASE WHEN entry.value > 0 THEN '+' ELSE '' END || entry.value,
        entry.point_type,
        entry.balance_after,
        coalesce('  ' || coalesce(entry.promotion, nullif(concat_ws(' ', entry.source_type, entry.source), '')), '')
    )
    FROM @extschema@.loyalty_statement(
        loyalty_member_card.member,
        loyalty_member_card.program,
        NULL::text,
        NULL::uuid,
        loyalty_member_card.transactions
    ) AS entry;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_member_card(text, text, integer) IS
    'What there is to know about a member at a glance, a line of text a row: since when, tiers and what is missing to '
    'the next ones, balances, points that expire within 90 days, and the last transactions (1 to 10000). Times are '
    'those of the session''s time zone. Errors: LY104 (their number), LY201, LY507. Example: SELECT '
    'loyalty_member_card(''ann'', ''main'');';

CREATE FUNCTION loyalty_internal.profile_contacts(program text, OUT member text, OUT email text, OUT phone text)
    RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 1000
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_profile_contacts';

COMMENT ON FUNCTION loyalty_internal.profile_contacts(text) IS
    'All profiles of a program''s profile database: key, e-mail and telephone, where it names their columns; of '
    'bundled profiles the attributes email and phone. The caller needs the right to read the profiles. Errors: LY201, '
    'LY211, LY526, LY791. Example: SELECT * FROM loyalty_internal.profile_contacts(''main'');';

CREATE FUNCTION @extschema@.loyalty_export_members(
    program text,
    OUT member text,
    OUT email text,
    OUT phone text,
    OUT registered_on date,
    OUT enrolled_on date,
    OUT balances text,
    OUT tiers text
) RETURNS SETOF record
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 1000
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    IF NOT EXISTS (SELECT FROM loyalty.programs AS known WHERE known.external_id = loyalty_export_members.program) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY201',
            MESSAGE = format('program "%s" does not exist', program),
            HINT = 'Name one of loyalty.programs.';
    END IF;

    RETURN QUERY
        SELECT
            listed.member::text,
            profile.email,
            profile.phone,
            (listed.registered_at AT TIME ZONE listed.time_zone)::date,
            (listed.enrolled_at AT TIME ZONE listed.time_zone)::date,
            (
                SELECT string_agg(held.key || ' ' || held.value, ', ' ORDER BY held.key COLLATE "C")
                FROM jsonb_each_text(listed.balances) AS held
            ),
            (
                SELECT string_agg(held.key || ' ' || held.value, ', ' ORDER BY held.key COLLATE "C")
                FROM jsonb_each_text(listed.tiers) AS held
            )
        FROM loyalty.member_export AS listed
        LEFT JOIN loyalty_internal.profile_contacts(loyalty_export_members.program) AS profile
            ON profile.member = listed.member
        WHERE listed.program = loyalty_export_members.program
            AND listed.removed_at IS NULL
        ORDER BY listed.member;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_export_members(text) IS
    'The present members of a program as flat columns, for COPY: key, e-mail and telephone of the profile (where its '
    'database names these columns; of bundled profiles the attributes email and phone), days of registration and '
    'enrolment in the program''s time zone, total balances and tiers as text. The caller needs the right to read the '
    'profiles. Errors: LY201, LY211, LY791. Example: COPY (SELECT * FROM loyalty_export_members(''main'')) TO STDOUT '
    '(FORMAT csv, HEADER);';
