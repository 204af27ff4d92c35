-- What the definition of a program consists of: rows that loyalty_apply() freezes, loyalty.pending_changes compares and
-- loyalty_revert() restores, all of them by the one list below and column by column as the tables have them. A table
-- or column that is added later comes along by its line in the list, or by itself.

-- A definition that is "whole" belongs to the tree: a revert makes the rows that are missing and removes those that are
-- new. Of the others, which live outside the tree, too, it only changes rows back, and only the columns listed here;
-- a version holds those that are used, judged by a condition on the row. Parents stand before what refers to them, and
-- the settings that all amounts must fit come last.
CREATE OR REPLACE VIEW loyalty.definitions (rank, relation, label, columns, whole, used, names) AS
VALUES
    (
        1, 'product_segments', $$format('product segment "%s"', external_id)$$, NULL::text[], false,
        'names ? external_id', $$SELECT segment FROM loyalty.reach_segments(of_program) WHERE kind = 'product'$$
    ),
    (
        2, 'order_segments', $$format('order segment "%s"', external_id)$$, NULL, false,
        'names ? external_id', $$SELECT segment FROM loyalty.reach_segments(of_program) WHERE kind = 'order'$$
    ),
    (
        3, 'profile_segments', $$format('profile segment "%s"', external_id)$$, NULL, false,
        'names ? external_id', $$SELECT segment FROM loyalty.reach_segments(of_program) WHERE kind = 'profile'$$
    ),
    (4, 'promotion_groups', $$format('promotion group "%s"', external_id)$$, NULL, true, 'true', NULL),
    -- Trigger promotions stand outside the tree and its versions.
    (5, 'promotions', $$format('promotion "%s"', external_id)$$, NULL, true, $$kind <> 'trigger'$$, NULL),
    (
        6, 'promotion_conditions', $$format('promotion "%s", condition %s', promotion, position)$$,
        NULL, true, 'true', NULL
    ),
    (
        7, 'promotion_benefits',
        $$format('promotion "%s", condition %s, benefit %s', promotion, condition, position)$$,
        NULL, true, 'true', NULL
    ),
    (
        8, 'partners', $$format('partner "%s"', external_id)$$, '{starts_on}', false,
        'names ? external_id', $$SELECT partner FROM loyalty.partners_in_use WHERE program = of_program$$
    ),
    (
        9, 'partner_products', $$format('product "%s" of a partner', sku)$$, NULL, false,
        'names ? partner', $$SELECT partner FROM loyalty.partners_in_use WHERE program = of_program$$
    ),
    (10, 'point_types', $$format('point type "%s"', external_id)$$,
        '{kind,scale,ratio,rounding,redeem_min,redeem_step,redeem_max_percent}', false, 'true', NULL),
    (11, 'programs', $$format('program "%s"', external_id)$$,
        '{currency,currency_scale,price_scale,time_zone,search_limit}', false, 'true', NULL);

COMMENT ON VIEW loyalty.definitions IS
    'The tables that the definition of a program consists of, in the order in which their rows are restored.';
COMMENT ON COLUMN loyalty.definitions.rank IS 'Place in that order.';
COMMENT ON COLUMN loyalty.definitions.relation IS 'The table, in schema loyalty.';
COMMENT ON COLUMN loyalty.definitions.label IS 'SQL expression that names a row for people; unique in the table.';
COMMENT ON COLUMN loyalty.definitions.columns IS
    'The columns that belong to the definition, beside the primary key; null: all but updated_at and generated ones.';
COMMENT ON COLUMN loyalty.definitions.whole IS
    'Whether loyalty_revert() makes and removes rows, as far as a version holds them; otherwise it only changes them '
    'back.';
COMMENT ON COLUMN loyalty.definitions.used IS
    'SQL condition on a row, under which a version holds it; may ask the object "names" for a key.';
COMMENT ON COLUMN loyalty.definitions.names IS
    'SQL query of one column that gives these keys for a program "of_program"; null: the condition asks for none.';

-- The rows of all these tables as they are now, each as a JSON object. What is in use is found once for a program,
-- before its rows are read: an aggregate in FROM is not asked for each of them, however the query around it is planned.
DO $do$
BEGIN
    EXECUTE (
        SELECT
            'CREATE OR REPLACE VIEW loyalty.draft_definitions AS '
            || string_agg(
                format(
                    'SELECT %1$s AS program, %2$L AS relation, %3$s AS what, %4$s AS used, %5$s AS body FROM %6$s',
                    CASE definition.relation WHEN 'programs' THEN 'external_id' ELSE 'program' END,
                    definition.relation,
                    definition.label,
                    definition.used,
                    CASE
                        WHEN definition.columns IS NULL THEN format('to_jsonb(definition) - %L::text[]', shape.left_out)
                        ELSE format('jsonb_build_object(%s)', shape.pairs)
                    END,
                    CASE
                        WHEN definition.names IS NULL THEN format('loyalty.%I AS definition', definition.relation)
                        ELSE format(
                            '(SELECT external_id AS of_program FROM loyalty.programs) AS owner'
                            ' CROSS JOIN LATERAL ('
                            '     SELECT coalesce(jsonb_object_agg(named.name, NULL), ''{}'') AS names'
                            '     FROM (%s) AS named (name)'
                            ' ) AS in_use'
                            ' JOIN loyalty.%I AS definition ON definition.program = owner.of_program',
                            definition.names,
                            definition.relation
                        )
                    END
                ),
                ' UNION ALL ' ORDER BY definition.rank
            )
        FROM loyalty.definitions AS definition
        CROSS JOIN LATERAL (
            SELECT
                coalesce(
                    array_agg(attname) FILTER (WHERE attname = 'updated_at' OR attgenerated <> ''),
                    '{}'
                ) AS left_out,
                string_agg(format('%1$L, %1$I', attname), ', ' ORDER BY attnum)
                    FILTER (WHERE attname = ANY (definition.columns) OR indrelid IS NOT NULL) AS pairs
            FROM pg_attribute
            LEFT JOIN pg_index ON indrelid = attrelid AND indisprimary AND attnum = ANY (indkey)
            WHERE attrelid = format('loyalty.%I', definition.relation)::regclass
                AND attnum > 0
                AND NOT attisdropped
        ) AS shape
    );
END
$do$;

COMMENT ON VIEW loyalty.draft_definitions IS
    'The definition of each program as it is edited, one row per row of the tables in loyalty.definitions.';
COMMENT ON COLUMN loyalty.draft_definitions.program IS 'The program.';
COMMENT ON COLUMN loyalty.draft_definitions.relation IS 'The table, in schema loyalty.';
COMMENT ON COLUMN loyalty.draft_definitions.what IS 'What the row is, for people.';
COMMENT ON COLUMN loyalty.draft_definitions.used IS 'Whether loyalty_apply() would freeze it.';
COMMENT ON COLUMN loyalty.draft_definitions.body IS 'The row as a JSON object.';

-- The same of the version in force. That a promotion has ended is no part of a version: no revert undoes it.
CREATE OR REPLACE VIEW loyalty.applied_definitions AS
SELECT
    version.program,
    frozen.relation,
    frozen.what,
    CASE
        WHEN promotion.external_id IS NULL THEN frozen.body
        ELSE frozen.body || '{"state": "ended"}'
    END AS body
FROM (
    SELECT DISTINCT ON (promotion_versions.program)
        promotion_versions.program,
        promotion_versions.definition
    FROM loyalty.promotion_versions
    ORDER BY promotion_versions.program, promotion_versions.version DESC
) AS version
CROSS JOIN LATERAL jsonb_to_recordset(version.definition) AS frozen (relation text, what text, body jsonb)
LEFT JOIN loyalty.promotions AS promotion
    ON frozen.relation = 'promotions'
    AND promotion.program = version.program
    AND promotion.external_id = frozen.body ->> 'external_id'
    AND promotion.state = 'ended';

COMMENT ON VIEW loyalty.applied_definitions IS
    'The definition of each program as the version in force has it: what loyalty_revert() restores.';
COMMENT ON COLUMN loyalty.applied_definitions.program IS 'The program.';
COMMENT ON COLUMN loyalty.applied_definitions.relation IS 'The table, in schema loyalty.';
COMMENT ON COLUMN loyalty.applied_definitions.what IS 'What the row is, for people.';
COMMENT ON COLUMN loyalty.applied_definitions.body IS 'The row as a JSON object.';

-- Times are frozen with the offset of the session that applied them: what they are in this one, only their type knows.
CREATE OR REPLACE FUNCTION loyalty.recast(relation text, body jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $recast$
DECLARE
    result jsonb;
BEGIN
    EXECUTE format('SELECT to_jsonb(jsonb_populate_record(NULL::loyalty.%I, $1))', relation) USING body INTO result;
    RETURN result;
END
$recast$;
COMMENT ON FUNCTION loyalty.recast(text, jsonb) IS
    'A frozen row of a table of schema loyalty as the table would show it in this session. Example: SELECT '
    'loyalty.recast(''promotions'', ''{"created_at": "2026-01-01T00:00:00Z"}'');';

-- One row is what the planner takes it for. A hundred, as of jsonb_each(), multiplied by the rows of tables that were
-- never analysed, look like so much work that a server with JIT compiles for seconds what takes milliseconds.
CREATE OR REPLACE FUNCTION loyalty.changed_columns(applied jsonb, draft jsonb, OUT "column" text, OUT old text,
    OUT new text)
    RETURNS SETOF record
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 1
    SET search_path = pg_catalog, pg_temp
    AS $changed$
SELECT former.key, former.value #>> '{}', draft -> former.key #>> '{}'
FROM jsonb_each(applied) AS former
WHERE former.value IS DISTINCT FROM draft -> former.key
$changed$;
COMMENT ON FUNCTION loyalty.changed_columns(jsonb, jsonb) IS
    'The columns of a row as it was applied that have another value in the draft, as JSON null or text. Example: '
    'SELECT * FROM loyalty.changed_columns(''{"name": "A"}'', ''{"name": "B"}'');';

-- A full join is always a hash join: whatever the planner takes JSON for, each side is read once.
CREATE OR REPLACE VIEW loyalty.pending_changes AS
SELECT
    program.external_id AS program,
    CASE
        WHEN pair.applied IS NULL THEN 'added'
        WHEN pair.draft IS NULL THEN 'removed'
        ELSE 'changed'
    END AS change,
    pair.what,
    field.name AS "column",
    field.old,
    field.new,
    edit.changed_by,
    edit.changed_at
FROM loyalty.programs AS program
-- Within a program, or a condition on it would read those of all.
CROSS JOIN LATERAL (
    SELECT relation, what, applied.body AS applied, draft.body AS draft, draft.used
    FROM (
        SELECT whole.relation, whole.what, whole.body
        FROM loyalty.applied_definitions AS whole
        WHERE whole.program = program.external_id
    ) AS applied
    FULL JOIN (
        SELECT whole.relation, whole.what, whole.body, whole.used
        FROM loyalty.draft_definitions AS whole
        WHERE whole.program = program.external_id
    ) AS draft USING (relation, what)
) AS pair
CROSS JOIN LATERAL (
    SELECT
        changed."column" AS name,
        changed.old,
        changed.new
    FROM loyalty.changed_columns(
        CASE WHEN pair.applied <> pair.draft THEN loyalty.recast(pair.relation, pair.applied) END, pair.draft
    ) AS changed
    -- A column that was added to the table after the version was applied is no change.
    WHERE pair.applied ? changed."column"

    UNION ALL
    SELECT
        NULL,
        jsonb_strip_nulls(pair.applied - 'program') #>> '{}',
        jsonb_strip_nulls(pair.draft - 'program') #>> '{}'
    WHERE pair.draft IS NULL
        OR pair.applied IS NULL AND pair.used
) AS field
LEFT JOIN (
    SELECT DISTINCT ON (note.program, note.relation, note.what) note.*
    FROM loyalty.edits AS note
    ORDER BY note.program, note.relation, note.what, note.changed_at DESC
) AS edit ON edit.program = program.external_id AND edit.relation = pair.relation AND edit.what = pair.what;

COMMENT ON VIEW loyalty.pending_changes IS
    'What loyalty_apply() would put into force and loyalty_revert() would undo: one row per changed column, or per row '
    'that was added or removed. The end of a promotion is in force at once and not among them.';
COMMENT ON COLUMN loyalty.pending_changes.program IS 'The program.';
COMMENT ON COLUMN loyalty.pending_changes.change IS 'changed, added or removed.';
COMMENT ON COLUMN loyalty.pending_changes.what IS 'What was changed, such as promotion "spring", condition 1.';
COMMENT ON COLUMN loyalty.pending_changes."column" IS
    'The column that was changed; null for all that was added or removed.';
COMMENT ON COLUMN loyalty.pending_changes.old IS
    'Value in the version in force; of something removed, all of it as JSON.';
COMMENT ON COLUMN loyalty.pending_changes.new IS 'Value now; of something added, all of it as JSON.';
COMMENT ON COLUMN loyalty.pending_changes.changed_by IS
    'Role of the session that edited the row last; null: before loyalty 0.2.0, or a membership elsewhere made it part.';
COMMENT ON COLUMN loyalty.pending_changes.changed_at IS 'When the row was edited last.';

-- Who edits, with whatever rights, is on record; so it is written with the rights of the schema's owner.
CREATE OR REPLACE FUNCTION loyalty.note_edits(relation name, programs text[], edited text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    edited_at CONSTANT timestamptz := loyalty.clock();
BEGIN
    -- What is compared has the index's collation; beside a name, arguments would have that of names.
    UPDATE loyalty.edits AS note
    SET
        changed_by = session_user,
        changed_at = edited_at
    FROM unnest(programs, edited) AS edit (program, what)
    WHERE note.program = edit.program
        AND note.relation = note_edits.relation
        AND note.what = edit.what COLLATE pg_catalog."default";
    -- A program that is being deleted takes its notes along.
    INSERT INTO loyalty.edits (program, relation, what, changed_by, changed_at)
    SELECT
        found.external_id,
        note_edits.relation,
        edit.what,
        session_user,
        edited_at
    FROM unnest(programs, edited) AS edit (program, what)
    JOIN loyalty.programs AS found ON found.external_id = edit.program
    WHERE NOT EXISTS (
        SELECT
        FROM loyalty.edits AS note
        WHERE note.program = edit.program
            AND note.relation = note_edits.relation
            AND note.what = edit.what COLLATE pg_catalog."default"
    );
END
$function$;
REVOKE ALL ON FUNCTION loyalty.note_edits(name, text[], text[]) FROM PUBLIC;
COMMENT ON FUNCTION loyalty.note_edits(name, text[], text[]) IS
    'Notes that rows of programs'' definitions were edited by this session''s role, now: of each its program, and its '
    'name for people. Example: SELECT loyalty.note_edits(''promotions'', ''{main}'', ''{"promotion \"spring\""}'');';

DO $do$
DECLARE
    edited record;
    event record;
BEGIN
    FOR edited IN
        SELECT
            definition.relation,
            CASE definition.relation WHEN 'programs' THEN 'external_id' ELSE 'program' END AS program,
            definition.label
        FROM loyalty.definitions AS definition
    LOOP
        FOR event IN
            SELECT * FROM (VALUES ('insert', 'new'), ('update', 'new'), ('delete', 'old')) AS list (name, rows)
        LOOP
            EXECUTE format(
                'CREATE OR REPLACE TRIGGER note_%1$s AFTER %1$s ON loyalty.%2$I REFERENCING %3$s TABLE AS edited '
                'FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.note_edits_trigger(%4$L, %5$L)',
                event.name, edited.relation, event.rows, edited.program, edited.label
            );
            EXECUTE format(
                'COMMENT ON TRIGGER note_%s ON loyalty.%I IS ''Notes who edited the rows last, and when.''',
                event.name, edited.relation
            );
        END LOOP;
    END LOOP;
END
$do$;

-- Makes the tables what a definition says, an array of objects with relation and body: parents first what is missing
-- and what has changed, then children first what is new. The triggers that check an editor's steps stand aside
-- meanwhile (loyalty_internal.is_reverting()), since the way back goes through states that no editor could leave
-- behind.
CREATE OR REPLACE FUNCTION loyalty.restore_draft(
    program text,
    wanted jsonb,
    OUT returned bigint,
    OUT changed bigint,
    OUT removed bigint
)
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    -- The planner takes the rows in JSON for a few, and would read them anew for each row of the table. Forbidding that
    -- makes plans look so dear that they would be compiled.
    SET enable_nestloop = off
    SET jit = off
    AS $restore$
DECLARE
    task record;
    touched bigint;
BEGIN
    PERFORM loyalty_internal.lock_draft(program);
    returned := 0;
    changed := 0;
    removed := 0;
    FOR task IN
        WITH shape AS (
            SELECT
                definition.rank,
                definition.relation,
                definition.whole,
                definition.used,
                string_agg(quote_ident(attname), ', ' ORDER BY attnum)
                    FILTER (WHERE frozen.name IS NOT NULL) AS columns,
                string_agg('frozen.' || quote_ident(attname), ', ' ORDER BY attnum)
                    FILTER (WHERE frozen.name IS NOT NULL) AS frozen_columns,
                string_agg(format('present.%1$I = frozen.%1$I', attname), ' AND ')
                    FILTER (WHERE indrelid IS NOT NULL) AS same_row
            FROM loyalty.definitions AS definition
            JOIN pg_attribute
                ON attrelid = format('loyalty.%I', definition.relation)::regclass
                AND attnum > 0
                AND NOT attisdropped
                AND attgenerated = ''
            LEFT JOIN pg_index ON indrelid = attrelid AND indisprimary AND attnum = ANY (indkey)
            -- Columns that the version does not know yet are left alone.
            LEFT JOIN (
                SELECT DISTINCT applied.relation, key.name
                FROM jsonb_to_recordset(wanted) AS applied (relation text, body jsonb)
                CROSS JOIN LATERAL jsonb_object_keys(applied.body) AS key (name)
            ) AS frozen ON frozen.relation = definition.relation AND frozen.name = attname
            GROUP BY definition.rank, definition.relation, definition.whole, definition.used
        ),
        source AS (
            SELECT
                shape.*,
                format(
                    'jsonb_to_recordset($2) AS applied (relation text, body jsonb)'
                    ' CROSS JOIN LATERAL jsonb_populate_record(NULL::loyalty.%1$I, applied.body) AS frozen'
                    ' WHERE applied.relation = %1$L',
                    shape.relation
                ) AS frozen_rows
            FROM shape
        )
        SELECT step.kind, step.command
        FROM source
        CROSS JOIN LATERAL (
            VALUES
                (
                    source.rank, 'insert', source.whole AND source.columns IS NOT NULL,
                    format(
                        'INSERT INTO loyalty.%1$I (%2$s) SELECT %3$s FROM %4$s'
                        ' AND NOT EXISTS (SELECT FROM loyalty.%1$I AS present WHERE %5$s)',
                        source.relation, source.columns, source.frozen_columns, source.frozen_rows, source.same_row
                    )
                ),
                (
                    source.rank, 'update', source.columns IS NOT NULL,
                    format(
                        'UPDATE loyalty.%1$I AS present SET (%2$s) = ROW (%3$s) FROM %4$s AND %5$s'
                        ' AND to_jsonb(present) <> to_jsonb(jsonb_populate_record(present, applied.body))',
                        source.relation, source.columns, source.frozen_columns, source.frozen_rows, source.same_row
                    )
                ),
                (
                    1000 - source.rank, 'delete', source.whole,
                    format(
                        'DELETE FROM loyalty.%1$I AS present WHERE present.program = $1 AND %2$s'
                        ' AND NOT EXISTS (SELECT FROM %3$s AND %4$s)',
                        source.relation, source.used, source.frozen_rows, source.same_row
                    )
                )
        ) AS step (place, kind, wanted, command)
        WHERE step.wanted
        ORDER BY step.place, step.kind
    LOOP
        EXECUTE task.command USING restore_draft.program, wanted;
        GET DIAGNOSTICS touched = ROW_COUNT;
        CASE task.kind
            WHEN 'insert' THEN returned := returned + touched;
            WHEN 'update' THEN changed := changed + touched;
            WHEN 'delete' THEN removed := removed + touched;
        END CASE;
    END LOOP;
END
$restore$;
REVOKE ALL ON FUNCTION loyalty.restore_draft(text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION loyalty.restore_draft(text, jsonb) IS
    'Gives the definition of a program the rows of an array of objects with relation and body, and counts the rows '
    'that returned, changed and were removed; called by loyalty_apply() and by the function that loyalty_revert() '
    'calls, which make the triggers stand aside. Example: SELECT loyalty.restore_draft(''main'', ''[]'');';

CREATE OR REPLACE FUNCTION loyalty.restore_draft(
    program text,
    OUT returned bigint,
    OUT changed bigint,
    OUT removed bigint
)
    LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $restore$
SELECT restored.returned, restored.changed, restored.removed
FROM loyalty.restore_draft(
    program,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_object('relation', applied.relation, 'body', applied.body)), '[]')
        FROM loyalty.applied_definitions AS applied
        WHERE applied.program = restore_draft.program
    )
) AS restored
$restore$;
REVOKE ALL ON FUNCTION loyalty.restore_draft(text) FROM PUBLIC;
COMMENT ON FUNCTION loyalty.restore_draft(text) IS
    'Gives the definition of a program back the rows of the version in force, and counts the rows that returned, '
    'changed back and were removed; called by loyalty_revert(), which makes the triggers stand aside. Example: SELECT '
    'loyalty.restore_draft(''main'');';

-- The last version with these promotions as they are drafted; where there is none, the draft with no others.
CREATE OR REPLACE FUNCTION loyalty.partial_definition(program text, promotions text[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $partial$
DECLARE
    is_first CONSTANT boolean := NOT EXISTS (
        SELECT FROM loyalty.promotion_versions AS version WHERE version.program = partial_definition.program
    );
    wrong record;
BEGIN
    SELECT chosen.promotion INTO wrong
    FROM unnest(promotions) AS chosen (promotion)
    WHERE NOT EXISTS (
            SELECT
            FROM loyalty.draft_definitions AS draft
            WHERE draft.program = partial_definition.program
                AND draft.relation = 'promotions'
                AND draft.used
                AND draft.body ->> 'external_id' = chosen.promotion
        )
        AND NOT EXISTS (
            SELECT
            FROM loyalty.applied_definitions AS applied
            WHERE applied.program = partial_definition.program
                AND applied.relation = 'promotions'
                AND applied.body ->> 'external_id' = chosen.promotion
        )
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY319',
            MESSAGE = format('promotion "%s" of program "%s" does not exist', wrong.promotion, program),
            DETAIL = 'It is neither in the draft nor in the version in force.',
            HINT = 'Name promotions of the tree; trigger promotions take effect without an apply.';
    END IF;

    -- What it needs has to be in force, or to come along as it is in the draft without anybody else seeing a
    -- difference.
    SELECT needed.promotion, pending.what INTO wrong
    FROM (
        SELECT promotion.external_id AS promotion, format('promotion group "%s"', promotion.parent) AS what
        FROM loyalty.promotions AS promotion
        WHERE promotion.program = partial_definition.program AND promotion.external_id = ANY (promotions)
        UNION
        SELECT condition.promotion, format('%s segment "%s"', condition.level, named.segment)
        FROM loyalty.promotion_conditions AS condition
        CROSS JOIN LATERAL unnest(condition.segments) AS named (segment)
        WHERE condition.program = partial_definition.program AND condition.promotion = ANY (promotions)
        UNION
        SELECT promotion.external_id, format('profile segment "%s"', named.segment)
        FROM loyalty.promotions AS promotion
        CROSS JOIN LATERAL unnest(promotion.audience_segments) AS named (segment)
        WHERE promotion.program = partial_definition.program AND promotion.external_id = ANY (promotions)
        UNION
        SELECT benefit.promotion, format('product segment "%s"', named.segment)
        FROM loyalty.promotion_benefits AS benefit
        CROSS JOIN LATERAL (
            SELECT jsonb_path_query(benefit.parameters, '$.**.segments[*]') #>> '{}'
        ) AS named (segment)
        WHERE benefit.program = partial_definition.program AND benefit.promotion = ANY (promotions)
        UNION
        SELECT promotion.external_id, format('order segment "%s"', named.segment)
        FROM loyalty.promotions AS promotion
        CROSS JOIN LATERAL unnest(promotion.order_segments) AS named (segment)
        WHERE promotion.program = partial_definition.program AND promotion.external_id = ANY (promotions)
    ) AS needed
    JOIN loyalty.pending_changes AS pending
        ON pending.program = partial_definition.program AND pending.what = needed.what
    WHERE NOT is_first
        AND (pending.change <> 'added' OR pending.what LIKE 'promotion group %')
    ORDER BY needed.promotion, pending.what
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY328',
            MESSAGE = format('promotion "%s" cannot be applied alone', wrong.promotion),
            DETAIL = format('It needs %s, whose changes are pending.', wrong.what),
            HINT = 'Apply all that is pending, or undo that change first.';
    END IF;

    RETURN (
        SELECT jsonb_agg(jsonb_build_object('relation', part.relation, 'body', part.body))
        FROM (
            SELECT kept.relation, kept.body
            FROM loyalty.applied_definitions AS kept
            WHERE kept.program = partial_definition.program
                AND CASE kept.relation
                    WHEN 'promotions' THEN kept.body ->> 'external_id' <> ALL (promotions)
                    WHEN 'promotion_conditions' THEN kept.body ->> 'promotion' <> ALL (promotions)
                    WHEN 'promotion_benefits' THEN kept.body ->> 'promotion' <> ALL (promotions)
                    ELSE true
                END
            UNION ALL
            SELECT draft.relation, draft.body
            FROM loyalty.draft_definitions AS draft
            WHERE draft.program = partial_definition.program
                AND CASE draft.relation
                    WHEN 'promotions' THEN draft.used AND draft.body ->> 'external_id' = ANY (promotions)
                    WHEN 'promotion_conditions' THEN draft.body ->> 'promotion' = ANY (promotions)
                    WHEN 'promotion_benefits' THEN draft.body ->> 'promotion' = ANY (promotions)
                    ELSE is_first
                END
        ) AS part
    );
END
$partial$;
REVOKE ALL ON FUNCTION loyalty.partial_definition(text, text[]) FROM PUBLIC;
COMMENT ON FUNCTION loyalty.partial_definition(text, text[]) IS
    'The definition of a program as the version in force has it, with some promotions as they are drafted, deleted '
    'ones left out. Errors: LY319 (no such promotion), LY328 (it needs what is pending). Example: SELECT '
    'loyalty.partial_definition(''main'', ''{spring}'');';

-- A promotion with all that hangs on it: of every table of the definition that has a column "promotion", and the rules
-- of a trigger promotion.
CREATE OR REPLACE FUNCTION loyalty.clone_promotion(program text, promotion text, changed jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $clone$
DECLARE
    command text;
BEGIN
    FOR command IN
        SELECT format(
            'INSERT INTO loyalty.%1$I (%2$s) SELECT %3$s FROM loyalty.%1$I AS original'
            ' CROSS JOIN LATERAL jsonb_populate_record(original, %4$s) AS copy'
            ' WHERE original.program = $1 AND original.%5$I = $2',
            definition.relation,
            string_agg(quote_ident(attname), ', ' ORDER BY attnum),
            string_agg('copy.' || quote_ident(attname), ', ' ORDER BY attnum),
            CASE definition.relation
                WHEN 'promotions' THEN '$3'
                ELSE 'jsonb_build_object(''promotion'', $3 -> ''external_id'')'
            END,
            CASE definition.relation WHEN 'promotions' THEN 'external_id' ELSE 'promotion' END
        )
        FROM (
            SELECT rank, relation FROM loyalty.definitions WHERE whole
            -- Trigger promotions stand outside the tree, so their rules are no definition; cloning takes them along.
            UNION ALL
            SELECT 1000, 'trigger_rules'
        ) AS definition
        JOIN pg_attribute
            ON attrelid = format('loyalty.%I', definition.relation)::regclass
            AND attnum > 0
            AND NOT attisdropped
            AND attgenerated = ''
            AND attname NOT IN ('created_at', 'updated_at')
        GROUP BY definition.rank, definition.relation
        HAVING definition.relation = 'promotions' OR bool_or(attname = 'promotion')
        ORDER BY definition.rank
    LOOP
        EXECUTE command USING program, promotion, changed;
    END LOOP;
END
$clone$;
REVOKE ALL ON FUNCTION loyalty.clone_promotion(text, text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION loyalty.clone_promotion(text, text, jsonb) IS
    'Copies a promotion, with the columns that the object names changed, and its parts; called by '
    'loyalty_clone_promotion(). Example: SELECT loyalty.clone_promotion(''main'', ''spring'', ''{"external_id": '
    '"autumn", "state": "draft"}'');';
