-- Importing a program's document, or a promotion's.

-- Which row of many a statement was refused for is found by doing them one by one; all is undone anyway.
CREATE FUNCTION loyalty_internal.document_step(statement text, "rows" jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    code text;
    message text;
    explanation text;
    hint text;
    field text;
    path text;
    open jsonb := "rows";
    left_over jsonb;
    step record;
BEGIN
    EXECUTE statement USING "rows";
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, explanation = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT, field = COLUMN_NAME;
    IF code !~ '^(LY|22|23)' THEN
        RAISE;
    END IF;
    -- A row may need one that comes later in the list; what is left over in the end is what was refused.
    LOOP
        left_over := '[]';
        FOR step IN SELECT element.value FROM jsonb_array_elements(open) AS element LOOP
            BEGIN
                EXECUTE statement USING jsonb_build_array(step.value);
            EXCEPTION WHEN OTHERS THEN
                IF left_over = '[]' THEN
                    path := concat_ws('.', step.value ->> 'path', nullif(field, ''));
                END IF;
                left_over := left_over || step.value;
            END;
        END LOOP;
        EXIT WHEN left_over IN ('[]', open);
        open := left_over;
    END LOOP;
    PERFORM loyalty_internal.refuse_document(
        CASE WHEN code ~ '^LY' THEN code ELSE 'LY353' END::text, coalesce(path, '$')::text, message, explanation, hint
    );
END
$body$;

COMMENT ON FUNCTION loyalty_internal.document_step(text, jsonb) IS
    'Runs a statement over rows of a document; where one is refused, the error has its path. Example: SELECT '
    'loyalty_internal.document_step(''SELECT $1'', ''[]'');';

CREATE FUNCTION loyalty_internal.document_statement(relation text, action text, columns text[], identity text[])
    RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT format(
    CASE action
        WHEN 'insert' THEN
            'INSERT INTO loyalty.%1$I (%2$s) SELECT %3$s FROM jsonb_array_elements($1) WITH ORDINALITY AS step (value, '
            'place) CROSS JOIN LATERAL jsonb_populate_record(NULL::loyalty.%1$I, step.value -> ''row'') AS made ORDER '
            'BY step.place'
        WHEN 'update' THEN
            'UPDATE loyalty.%1$I AS present SET (%2$s) = ROW (%3$s) FROM jsonb_array_elements($1) AS step'
            ' CROSS JOIN LATERAL jsonb_populate_record(NULL::loyalty.%1$I, step.value -> ''row'') AS made WHERE %4$s'
        WHEN 'delete' THEN
            'DELETE FROM loyalty.%1$I AS present USING jsonb_array_elements($1) AS step'
            ' CROSS JOIN LATERAL jsonb_populate_record(NULL::loyalty.%1$I, step.value -> ''row'') AS made WHERE %4$s'
        WHEN 'judge' THEN
            'SELECT loyalty_internal.refuse_empty(step.value #>> ''{row,program}'', step.value #>> '
            '''{row,external_id}'') FROM jsonb_array_elements($1) AS step'
    END,
    relation,
    (SELECT string_agg(quote_ident(field.name), ', ' ORDER BY field.place)
        FROM unnest(columns) WITH ORDINALITY AS field (name, place)),
    (SELECT string_agg('made.' || quote_ident(field.name), ', ' ORDER BY field.place)
        FROM unnest(columns) WITH ORDINALITY AS field (name, place)),
    (SELECT string_agg(format('present.%1$I = made.%1$I', field.name), ' AND ') FROM unnest(identity) AS field (name))
)
$body$;

COMMENT ON FUNCTION loyalty_internal.document_statement(text, text, text[], text[]) IS
    'The statement that inserts, updates or deletes all rows of a table that are given as $1, a list of objects with a '
    '"row", or judges promotions that were inserted as active. '
    'Example: SELECT loyalty_internal.document_statement(''regions'', '
    '''delete'', ''{name}'', ''{program,external_id}'');';

-- The main arbitration of a new program is made with the program. A promotion's conditions and benefits have no names:
-- where one of them changes, all of the promotion are made anew. Its state comes last, when it has all that an active
-- promotion needs; a new one has it at once, and is judged then.
CREATE FUNCTION loyalty_internal.document_write(document jsonb, root text, prune boolean, filled text[]) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    -- What triggers look up is planned while the tables are small, and then they grow.
    SET enable_seqscan = off
    AS $body$
DECLARE
    program CONSTANT text := document ->> 'external_id';
    work jsonb;
    rewritten jsonb;
    changed bigint;
    step record;
BEGIN
    PERFORM loyalty_internal.lock_draft(program);
    WITH change AS MATERIALIZED (
        SELECT
            known.relation,
            -- It is there as soon as the program is.
            CASE
                WHEN known.relation = 'promotion_groups' AND known.action = 'insert'
                    AND known.new ->> 'external_id' = 'main'
                THEN 'update'
                ELSE known.action
            END AS action,
            known.ordinal,
            known.path,
            known.old,
            known.new
        FROM loyalty_internal.document_changes(document, root, prune, filled) AS known
    )
    SELECT
        (
            SELECT jsonb_object_agg(part.relation || ' ' || part.action, part.steps)
            FROM (
                SELECT
                    change.relation,
                    change.action,
                    jsonb_agg(
                        jsonb_build_object('path', change.path, 'row', coalesce(change.new, change.old))
                        || CASE WHEN change.old IS NULL THEN '{}' ELSE jsonb_build_object('old', change.old) END
                        ORDER BY change.ordinal
                    ) AS steps
                FROM change
                GROUP BY change.relation, change.action
            ) AS part
        ),
        (
            SELECT jsonb_object_agg(part.promotion, true)
            FROM (
                SELECT DISTINCT coalesce(change.new, change.old) ->> 'promotion' AS promotion
                FROM change
                WHERE change.relation IN ('promotion_conditions', 'promotion_benefits')
                    AND change.action <> 'keep'
            ) AS part
        ),
        (SELECT count(*) FROM change WHERE change.action <> 'keep')
    INTO work, rewritten, changed;
    FOR step IN
        WITH shape AS (
            SELECT * FROM loyalty_internal.document_shapes(NULL::text)
        ),
        part AS (
            SELECT shape.relation, 'promotion_conditions' = shape.relation AS leads, shape.rank, anew.steps
            FROM shape
            CROSS JOIN LATERAL (
                SELECT jsonb_agg(known.value ORDER BY known.place) AS steps
                FROM unnest('{insert,update,keep}'::text[]) AS action
                CROSS JOIN LATERAL jsonb_array_elements(work -> (shape.relation || ' ' || action))
                    WITH ORDINALITY AS known (value, place)
                WHERE rewritten ? (known.value -> 'row' ->> 'promotion')
            ) AS anew
            WHERE shape.is_positional
        ),
        task (place, relation, action, columns, identity, steps) AS (
            SELECT 100, 'promotion_conditions', 'delete', NULL::text[], '{program,promotion}'::text[], (
                SELECT jsonb_agg(jsonb_build_object(
                    'path', '$', 'row', jsonb_build_object('program', program, 'promotion', promotion)
                ))
                FROM jsonb_object_keys(rewritten) AS promotion
            )
            UNION ALL
            SELECT part.rank + 100, part.relation, 'insert', shape.columns, shape.identity, part.steps
            FROM part
            JOIN shape ON shape.relation = part.relation
            UNION ALL
            SELECT
                shape.rank
                    + CASE WHEN shape.rank > 30 THEN 100 ELSE 0 END
                    -- A new one may take the place of another, which moves first.
                    + CASE WHEN shape.scope <> '{parent}' AND action = 'insert' THEN 2 ELSE 1 END,
                shape.relation,
                action,
                CASE
                    WHEN action = 'insert' THEN shape.columns
                    ELSE ARRAY(
                        SELECT field.name
                        FROM unnest(shape.columns) WITH ORDINALITY AS field (name, place)
                        WHERE field.name <> ALL (
                            shape.identity || CASE shape.relation WHEN 'promotions' THEN '{state}' ELSE '{}' END::text[]
                        )
                        ORDER BY field.place
                    )
                END,
                shape.identity,
                CASE
                    WHEN action = 'insert' AND shape.relation = 'promotions' THEN (
                        SELECT jsonb_agg(
                            CASE
                                WHEN known.value #>> '{row,state}' IN ('active', 'inactive') THEN known.value
                                ELSE jsonb_set(known.value, '{row,state}', '"draft"')
                            END ORDER BY known.place
                        )
                        FROM jsonb_array_elements(work -> (shape.relation || ' ' || action))
                            WITH ORDINALITY AS known (value, place)
                    )
                    ELSE work -> (shape.relation || ' ' || action)
                END
            FROM shape
            CROSS JOIN unnest('{insert,update}'::text[]) AS action
            WHERE NOT shape.is_positional
            UNION ALL
            SELECT 1000, 'promotions', 'update', '{state}', '{program,external_id}', (
                SELECT jsonb_agg(known.value ORDER BY known.place)
                FROM unnest('{insert,update}'::text[]) AS action
                CROSS JOIN LATERAL jsonb_array_elements(work -> ('promotions ' || action))
                    WITH ORDINALITY AS known (value, place)
                WHERE known.value -> 'row' ->> 'state' <> coalesce(known.value -> 'old' ->> 'state', 'draft')
                    AND (action <> 'insert' OR known.value #>> '{row,state}' NOT IN ('active', 'inactive'))
            )
            UNION ALL
            SELECT 1000, 'promotions', 'judge', NULL, '{program,external_id}', (
                SELECT jsonb_agg(known.value ORDER BY known.place)
                FROM jsonb_array_elements(work -> 'promotions insert') WITH ORDINALITY AS known (value, place)
                WHERE known.value #>> '{row,state}' = 'active'
            )
            UNION ALL
            SELECT
                CASE
                    WHEN shape.scope <> '{parent}' THEN shape.rank + CASE WHEN shape.rank > 30 THEN 100 ELSE 0 END
                    ELSE 3000 - shape.rank
                END,
                shape.relation, 'delete', NULL, shape.identity, work -> (shape.relation || ' delete')
            FROM shape
            WHERE NOT shape.is_positional
        )
        SELECT
            task.relation,
            loyalty_internal.document_statement(
                task.relation::text, task.action::text, coalesce(task.columns, '{}')::text[], task.identity::text[]
            ) AS statement,
            task.steps
        FROM task
        WHERE task.steps <> '[]'
        ORDER BY task.place, task.action
    LOOP
        PERFORM loyalty_internal.document_step(step.statement::text, step.steps::jsonb);
        -- The row of a new program was made within the step: only one of this transaction itself is locked once for
        -- all.
        IF step.relation = 'programs' THEN
            PERFORM loyalty_internal.lock_draft(program);
        END IF;
    END LOOP;
    RETURN changed;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.document_write(jsonb, text, boolean, text[]) IS
    'Makes the tables what a document wants; returns how many rows were made, changed or removed. See '
    'loyalty_internal.document_changes(). '
    'Example: SELECT loyalty_internal.document_write(''{"external_id": "main"}'', ''$'', false, ''{}'');';

-- Times without an offset are those of the program.
CREATE FUNCTION loyalty_internal.document_zone(document jsonb) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    zone text := document ->> 'time_zone';
BEGIN
    IF zone IS NULL THEN
        SELECT program.time_zone INTO zone
        FROM loyalty.programs AS program
        WHERE program.external_id = document ->> 'external_id';
    -- Listing all zones reads a file for each: what a program has was found there once.
    ELSIF NOT EXISTS (SELECT FROM loyalty.programs AS program WHERE program.time_zone = zone)
        AND NOT EXISTS (SELECT FROM pg_timezone_names AS known WHERE known.name = zone)
    THEN
        PERFORM loyalty_internal.refuse_document(
            'LY310'::text,
            '$.time_zone'::text,
            format('time zone "%s" is unknown', zone),
            NULL::text,
            'Give a name of pg_timezone_names, spelt as there, such as "Europe/Moscow" or "UTC".'::text
        );
    END IF;
    RETURN coalesce(zone, 'UTC');
END
$body$;

COMMENT ON FUNCTION loyalty_internal.document_zone(jsonb) IS
    'The time zone of a document: what it says, or its program''s. Errors: LY310. Example: SELECT '
    'loyalty_internal.document_zone(''{"external_id": "main"}'');';

CREATE FUNCTION @extschema@.loyalty_import(document jsonb, prune boolean DEFAULT false) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC'
    AS $body$
BEGIN
    PERFORM set_config('timezone', loyalty_internal.document_zone(document), true);
    RETURN loyalty_internal.document_write(
        document,
        '$'::text,
        coalesce(prune, false),
        CASE WHEN prune THEN ARRAY(SELECT list.relation::text FROM loyalty.document_tables AS list)
            ELSE '{}'::text[] END
    );
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_import(jsonb, boolean) IS
    'Makes a program what a document says, or makes it, with every check that an edit has; returns how many rows were '
    'made, changed or removed. What the document does not mention stays, with prune it goes: keys that are left out '
    'have their default, drafts are deleted, other promotions end. The tree is in force with loyalty_apply(). Errors: '
    'LY350 to LY355, each with a JSON path, as have those of an edit. Example: SELECT loyalty_import(''{"external_id": '
    '"main", "regions": [{"external_id": "north", "name": "North"}]}'');';

CREATE FUNCTION @extschema@.loyalty_save_promotion(program text, document jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC'
    AS $body$
BEGIN
    IF NOT EXISTS (SELECT FROM loyalty.programs AS known WHERE known.external_id = program) THEN
        PERFORM loyalty_internal.refuse_program(program);
    END IF;
    PERFORM set_config(
        'timezone', loyalty_internal.document_zone(jsonb_build_object('external_id', program)), true
    );
    PERFORM loyalty_internal.document_write(
        jsonb_build_object('external_id', program, 'promotions', jsonb_build_array(document)),
        ''::text,
        false,
        '{promotions}'::text[]
    );
    RETURN @extschema@.loyalty_promotion(program, document ->> 'external_id');
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_save_promotion(text, jsonb) IS
    'Makes a promotion, or makes it what the document says, with all its conditions and benefits, or rules; returns it '
    'as loyalty_promotion() does. What is left out has its default; the state stays, a new one is a draft. In force '
    'with loyalty_apply(). Errors: LY201, LY350 to LY355, and those of an edit, with JSON paths. Example: SELECT '
    'loyalty_save_promotion(''main'', ''{"external_id": "spring", "name": "Spring", "kind": "discount", "conditions": '
    '[{"benefits": [{"benefit": "discount", "parameters": {"percent": 20}}]}]}'');';

CREATE FUNCTION @extschema@.loyalty_delete_promotion(program text, promotion text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    DELETE FROM loyalty.promotions AS known
    WHERE known.program = loyalty_delete_promotion.program
        AND known.external_id = loyalty_delete_promotion.promotion;
    IF NOT FOUND THEN
        PERFORM loyalty_internal.refuse_promotion(program, promotion);
    END IF;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_delete_promotion(text, text) IS
    'Deletes a draft with all its parts; what has been active is ended instead: loyalty_end_promotion(). Errors: LY308 '
    '(no draft), LY319 (no such promotion). Example: SELECT loyalty_delete_promotion(''main'', ''spring'');';
