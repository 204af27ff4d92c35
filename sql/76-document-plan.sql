-- What importing a program's document would change.

-- Casts fail as a whole; which value it was is found by trying each.
CREATE FUNCTION loyalty_internal.refuse_value(relation text, "rows" jsonb, problem text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    field record;
BEGIN
    FOR field IN
        SELECT node.path, known.name, known.type, node.body -> known.name::text AS value
        FROM jsonb_to_recordset("rows") AS node (path text, body jsonb)
        JOIN loyalty.document_columns AS known ON known.relation = refuse_value.relation
        WHERE node.body ? known.name::text
    LOOP
        BEGIN
            EXECUTE format('SELECT FROM jsonb_populate_record(NULL::loyalty.%I, jsonb_build_object($1, $2))', relation)
            USING field.name::text, field.value;
        EXCEPTION WHEN OTHERS THEN
            PERFORM loyalty_internal.refuse_document(
                'LY353'::text,
                format('%s.%s', field.path, field.name),
                format('%s is no value of type %s', field.value, replace(field.type, 'loyalty.', '')),
                SQLERRM,
                (
                    SELECT known.description
                    FROM loyalty.document_columns AS known
                    WHERE known.relation = refuse_value.relation AND known.name = field.name
                )
            );
        END;
    END LOOP;
    PERFORM loyalty_internal.refuse_document('LY353'::text, '$'::text, problem, NULL::text, NULL::text);
END
$body$;

COMMENT ON FUNCTION loyalty_internal.refuse_value(text, jsonb, text) IS
    'Refuses (LY353) the first value of rows of a document that is not of its column''s type, by its path. Example: '
    'SELECT loyalty_internal.refuse_value(''regions'', ''[{"path": "$", "body": {"name": "A"}}]'', ''unknown'');';

-- The rows of one table: as they are, as the document wants them, and those that are to go.
CREATE FUNCTION loyalty_internal.document_comparison(relation text) RETURNS text
    LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    shape record;
    name_of text;
    owner_of text;
BEGIN
    SELECT * INTO shape FROM loyalty_internal.document_shapes(relation);
    SELECT format('jsonb_build_array(%s)',
        string_agg(format('body ->> %L', key.name), ', ' ORDER BY key.place)) INTO name_of
    FROM unnest(shape.identity) WITH ORDINALITY AS key (name, place);
    SELECT format('jsonb_build_object(%s)', string_agg(format('%1$L, body -> %1$L', pair.key), ', ')) INTO owner_of
    FROM jsonb_each(shape.inherits) AS pair;

    RETURN format(
        $query$
        WITH present AS MATERIALIZED (
            SELECT %1$s AS id, %2$s AS owner, known.*
            FROM (
                SELECT
                    (to_jsonb(definition) - %3$L::text[]) || %4$s AS body,
                    (%5$s) AS shown,
                    %6$s AS retired
                FROM loyalty.%7$I AS definition
                WHERE %8$s
            ) AS known
        ),
        listed AS MATERIALIZED (
            SELECT %1$s AS id, node.path, node.ordinal, node.parent_path, node.body - %9$L::text[] AS body
            FROM jsonb_to_recordset($2) AS node (path text, ordinal bigint, parent_path text, body jsonb)
        ),
        -- A full join is never a loop within a loop, however few rows are expected.
        met AS MATERIALIZED (
            SELECT
                present.id AS present_id,
                present.owner,
                present.body AS old,
                present.shown,
                present.retired,
                listed.id,
                listed.path,
                listed.ordinal,
                listed.body AS given
            FROM present
            FULL JOIN listed ON listed.id = present.id
        ),
        wanted AS (
            SELECT
                met.id,
                met.path,
                met.ordinal,
                met.given ? 'position' AS is_placed,
                met.old,
                coalesce(met.shown, true) AS shown,
                wish.body AS new,
                wish.broken
            FROM met
            CROSS JOIN LATERAL (
                SELECT %10$s AS body
                FROM jsonb_populate_record(NULL::loyalty.%7$I, met.given) AS definition
            ) AS preset
            CROSS JOIN LATERAL (
                SELECT
                    to_jsonb(definition) - %3$L::text[] AS body,
                    CASE %11$s END AS broken
                FROM jsonb_populate_record(
                    NULL::loyalty.%7$I,
                    CASE
                        WHEN met.present_id IS NULL THEN $3 || preset.body
                        WHEN NOT $4 THEN met.old
                        ELSE $3 || preset.body || (
                            SELECT coalesce(jsonb_object_agg(field.key, field.value), '{}')
                            FROM jsonb_each(met.old) AS field
                            WHERE field.key = ANY (%12$L)
                        )
                    END || met.given
                ) AS definition
            ) AS wish
            WHERE met.id IS NOT NULL
        ),
        owned AS MATERIALIZED (
            SELECT unlisted.*, owner.path, owner.keys IS NOT NULL AS is_owned
            FROM (
                SELECT met.present_id AS id, met.owner, met.old AS body, met.retired
                FROM met
                WHERE met.id IS NULL AND met.shown
            ) AS unlisted
            FULL JOIN jsonb_to_recordset($6) AS owner (keys jsonb, path text) ON owner.keys = unlisted.owner
        ),
        judged AS (
            SELECT
                owned.id,
                owned.body,
                owned.retired,
                owned.path,
                (NOT (%13$L OR %14$L) OR owned.is_owned) AND (%13$L OR $5) AS goes
            FROM owned
            WHERE owned.id IS NOT NULL
        )
        SELECT
            (SELECT coalesce(jsonb_agg(wanted ORDER BY wanted.path, wanted.ordinal), '[]') FROM wanted) AS wanted,
            (
                SELECT coalesce(jsonb_agg(judged ORDER BY judged.id) FILTER (WHERE judged.goes), '[]') FROM judged
            ) AS gone,
            (
                SELECT coalesce(jsonb_agg(judged) FILTER (WHERE %15$L AND NOT judged.goes), '[]') FROM judged
            ) AS others
        $query$,
        name_of,
        owner_of,
        '{created_at,updated_at}'::text[] || ARRAY(
            SELECT attname::text
            FROM pg_attribute
            WHERE attrelid = format('loyalty.%I', relation)::regclass AND attgenerated <> ''
        ),
        shape.renumbered,
        shape.shown,
        shape.retired,
        relation,
        CASE WHEN shape.inherits ? 'program' THEN 'program = $1' ELSE 'true' END,
        shape.lists,
        shape.preset,
        coalesce(shape.checks, 'WHEN false THEN NULL'),
        shape.stays || shape.hidden || CASE WHEN shape.scope IS NULL THEN '{}' ELSE '{position}'::text[] END,
        shape.is_part,
        shape.only_if_named,
        shape.scope IS NOT NULL
    );
END
$body$;

COMMENT ON FUNCTION loyalty_internal.document_comparison(text) IS
    'The SQL that compares a table with a document: of program $1, the rows $2, with the defaults $3 where $4 says '
    'that what is left out has its default, pruned if $5, in the objects $6 that have the list. It gives the rows that '
    'are wanted, those that go, and those that stay beside them, each as a list. '
    'Example: SELECT loyalty_internal.document_comparison(''regions'');';

-- Who is listed stands in the order of the list; who is not stays between the others as before.
CREATE FUNCTION loyalty_internal.document_positions(items jsonb)
    RETURNS TABLE (relation text, id jsonb, "position" bigint)
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS $body$
WITH item AS (
    SELECT
        known.*,
        CASE
            WHEN known.present IS NOT NULL
            THEN row_number() OVER (PARTITION BY known.scope, known.present IS NULL
                ORDER BY known.present, known.id ->> -1)
        END AS place
    FROM jsonb_to_recordset(items) AS known (
        scope jsonb, rank integer, relation text, id jsonb, ordinal bigint, present bigint, given bigint
    )
),
ranked AS (
    SELECT
        item.*,
        CASE
            WHEN item.ordinal IS NULL THEN item.place
            ELSE coalesce(
                max(item.place) FILTER (WHERE item.ordinal IS NOT NULL) OVER list,
                -- New ones stand before the first that is listed and known, or behind all.
                CASE WHEN bool_or(item.ordinal IS NOT NULL AND item.place IS NOT NULL) OVER siblings THEN 0 END,
                9223372036854775807
            )
        END AS behind
    FROM item
    WINDOW
        siblings AS (PARTITION BY item.scope),
        list AS (PARTITION BY item.scope ORDER BY item.ordinal IS NULL, item.rank, item.ordinal)
),
line AS (
    SELECT
        ranked.*,
        row_number() OVER sorted AS turn,
        ranked.place < max(ranked.place) OVER (sorted ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        OR ranked.place IS NULL AND ranked.behind < 9223372036854775807
            AND EXISTS (
                SELECT
                FROM ranked AS other
                WHERE other.scope = ranked.scope AND other.place > ranked.behind
            ) AS is_out_of_order
    FROM ranked
    WINDOW sorted
        AS (PARTITION BY ranked.scope ORDER BY ranked.behind, ranked.ordinal IS NULL, ranked.rank, ranked.ordinal)
),
judged AS (
    SELECT
        line.*,
        bool_or(line.is_out_of_order) OVER siblings AND NOT bool_or(line.given IS NOT NULL) OVER siblings AS moves,
        coalesce(max(greatest(line.present, line.given)) OVER siblings, -1) AS last,
        count(*) FILTER (WHERE line.present IS NULL AND line.given IS NULL)
            OVER (PARTITION BY line.scope ORDER BY line.turn) AS number
    FROM line
    WINDOW siblings AS (PARTITION BY line.scope)
)
SELECT
    judged.relation,
    judged.id,
    CASE WHEN judged.moves THEN judged.turn - 1
        ELSE coalesce(judged.given, judged.present, judged.last + judged.number) END
FROM judged
$body$;

COMMENT ON FUNCTION loyalty_internal.document_positions(jsonb) IS
    'The positions of rows (scope, rank, relation, id, ordinal in the list or null, present and given position) that '
    'give them the order of their lists, and move no one who need not. '
    'Example: SELECT * FROM loyalty_internal.document_positions(''[]'');';

CREATE FUNCTION loyalty_internal.document_changes(
    document jsonb,
    root text,
    prune boolean,
    filled text[],
    OUT rank integer,
    OUT relation text,
    OUT noun text,
    OUT action text,
    OUT ordinal bigint,
    OUT path text,
    OUT old jsonb,
    OUT new jsonb
) RETURNS SETOF record
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS $body$
DECLARE
    program CONSTANT text := document ->> 'external_id';
    given jsonb;
    shape record;
    owners jsonb;
    -- Of each table that was compared. They are large: as members of one object they would be copied again and again.
    compared text[] := '{}';
    all_wanted jsonb[] := '{}';
    all_gone jsonb[] := '{}';
    all_others jsonb[] := '{}';
    number integer := 0;
    result record;
    items jsonb := '[]';
    places jsonb;
    wrong record;
BEGIN
    PERFORM loyalty_internal.check_document(document, root);
    SELECT jsonb_object_agg(part.relation, part.nodes) INTO given
    FROM (
        SELECT
            node.relation,
            jsonb_agg(
                jsonb_build_object(
                    'path', node.path, 'ordinal', node.ordinal, 'parent_path', node.parent_path, 'body', node."row"
                )
            ) AS nodes
        FROM loyalty_internal.document_rows(document, root) AS node
        GROUP BY node.relation
    ) AS part;

    FOR shape IN SELECT * FROM loyalty_internal.document_shapes(NULL::text) AS known ORDER BY known.rank LOOP
        CONTINUE WHEN shape.relation = 'programs' AND root = '';
        -- Main is always there: where a whole document does not say it, it is as it was made.
        IF shape.relation = 'promotion_groups' AND prune
            AND NOT coalesce(given -> 'promotion_groups' @> '[{"body": {"external_id": "main"}}]', false)
        THEN
            given := jsonb_set(
                given, '{promotion_groups}',
                coalesce(given -> 'promotion_groups', '[]') || jsonb_build_array(jsonb_build_object(
                    'path', '$', 'ordinal', 0, 'body', jsonb_build_object('program', program, 'external_id', 'main')
                ))
            );
        END IF;

        SELECT jsonb_agg(jsonb_build_object(
            'keys', (
                SELECT coalesce(jsonb_object_agg(pair.key, node.body -> pair.value), '{}')
                FROM jsonb_each_text(shape.inherits) AS pair
            ),
            'path', format('%s.%s', node.path, shape.key)
        )) INTO owners
        FROM jsonb_to_recordset(given -> shape.parent) AS node (path text, body jsonb)
        WHERE node.body ? shape.key
            OR shape.is_part AND NOT shape.only_if_named
                AND (shape.parent = ANY (filled) OR shape.is_positional AND shape.parent <> 'promotions');
        -- Where order counts, those who are not listed are siblings of others.
        CONTINUE WHEN NOT given ? shape.relation AND owners IS NULL AND shape.scope IS NULL
            AND (NOT prune OR shape.is_part OR shape.only_if_named);

        BEGIN
            EXECUTE loyalty_internal.document_comparison(shape.relation::text) INTO result
            USING
                program, coalesce(given -> shape.relation, '[]'), shape.defaults,
                shape.relation = ANY (filled) OR shape.is_part, prune, coalesce(owners, '[]');
        EXCEPTION WHEN data_exception OR integrity_constraint_violation OR undefined_table OR undefined_object
            OR invalid_schema_name OR invalid_name OR syntax_error
        THEN
            PERFORM loyalty_internal.refuse_value(shape.relation::text, given -> shape.relation, SQLERRM);
        END;

        number := number + 1;
        compared[number] := shape.relation;
        all_wanted[number] := result.wanted;
        all_gone[number] := result.gone;
        all_others[number] := result.others;

        SELECT problem.* INTO wrong
        FROM (
            SELECT
                wanted.*,
                wanted.id = lag(wanted.id) OVER (ORDER BY wanted.id, wanted.place) AS is_twice,
                (
                    SELECT needed.name
                    FROM unnest(shape.required) WITH ORDINALITY AS needed (name, place)
                    WHERE wanted.new ->> needed.name IS NULL
                    ORDER BY needed.place
                    LIMIT 1
                ) AS missing
            FROM jsonb_array_elements(result.wanted) WITH ORDINALITY AS element (value, place)
            CROSS JOIN LATERAL jsonb_to_record(element.value)
                AS known (id jsonb, path text, shown boolean, new jsonb, broken text)
            CROSS JOIN LATERAL (SELECT known.*, element.place) AS wanted
        ) AS problem
        WHERE problem.is_twice OR problem.missing IS NOT NULL OR problem.broken IS NOT NULL OR NOT problem.shown
        ORDER BY problem.place
        LIMIT 1;
        IF FOUND THEN
            PERFORM loyalty_internal.refuse_row(
                shape.relation::text,
                shape.noun::text,
                wrong.path::text,
                wrong.id ->> -1,
                wrong.new::jsonb,
                coalesce(wrong.is_twice, false)::boolean,
                wrong.missing::text,
                wrong.broken::text
            );
        END IF;

        IF shape.scope IS NOT NULL THEN
            SELECT items || coalesce(jsonb_agg(
                jsonb_build_object(
                    'scope', placed.scope, 'rank', shape.rank, 'relation', shape.relation, 'id', placed.id,
                    'ordinal', placed.ordinal, 'given', placed.given, 'present', placed.present
                )
            ), '[]') INTO items
            FROM (
                SELECT
                    wanted.id,
                    wanted.ordinal,
                    CASE WHEN wanted.is_placed THEN wanted.new -> 'position' END AS given,
                    CASE
                        WHEN loyalty_internal.document_scope(shape.scope, wanted.old)
                            = loyalty_internal.document_scope(shape.scope, wanted.new)
                        THEN wanted.old -> 'position'
                    END AS present,
                    loyalty_internal.document_scope(shape.scope, wanted.new) AS scope
                FROM jsonb_to_recordset(result.wanted)
                    AS wanted (id jsonb, ordinal bigint, is_placed boolean, old jsonb, new jsonb)
                UNION ALL
                SELECT
                    rest.id, NULL, NULL, rest.body -> 'position',
                    loyalty_internal.document_scope(shape.scope, rest.body)
                FROM jsonb_to_recordset(result.others) AS rest (id jsonb, body jsonb)
            ) AS placed
            WHERE placed.scope IS NOT NULL;
        END IF;
    END LOOP;

    SELECT jsonb_object_agg(part.relation, part.places) INTO places
    FROM (
        SELECT placed.relation, jsonb_object_agg(placed.id::text, placed.position) AS places
        FROM loyalty_internal.document_positions(items) AS placed
        GROUP BY placed.relation
    ) AS part;

    FOR shape IN
        SELECT list.*, places -> list.relation AS places, array_position(compared, list.relation) AS number
        FROM loyalty.document_tables AS list
        WHERE list.relation = ANY (compared)
        ORDER BY list.rank
    LOOP
        RETURN QUERY
        SELECT
            shape.rank::integer,
            shape.relation::text,
            shape.noun::text,
            CASE
                WHEN change.old IS NULL THEN 'insert'
                WHEN change.new IS NULL THEN 'delete'
                WHEN change.old = change.new THEN 'keep'
                ELSE 'update'
            END,
            change.ordinal,
            change.path,
            change.old,
            change.new
        FROM (
            SELECT
                wanted.ordinal,
                wanted.path,
                wanted.old,
                CASE
                    WHEN shape.places ? wanted.id::text
                    THEN jsonb_set(wanted.new, '{position}', shape.places -> wanted.id::text)
                    WHEN wanted.new -> 'position' = 'null' THEN jsonb_set(wanted.new, '{position}', '0')
                    ELSE wanted.new
                END AS new
            FROM jsonb_to_recordset(all_wanted[shape.number])
                AS wanted (id jsonb, path text, ordinal bigint, old jsonb, new jsonb)
            UNION ALL
            SELECT NULL, NULL, rest.body, jsonb_set(rest.body, '{position}', shape.places -> rest.id::text)
            FROM jsonb_to_recordset(all_others[shape.number]) AS rest (id jsonb, body jsonb)
            WHERE shape.places -> rest.id::text <> rest.body -> 'position'
            UNION ALL
            SELECT
                NULL,
                CASE WHEN shape.is_positional
                    THEN format('%s[%s]', gone.path, (gone.body ->> 'position')::bigint - 1) END,
                gone.body,
                gone.body || gone.retired
            FROM jsonb_to_recordset(all_gone[shape.number])
                AS gone (id jsonb, body jsonb, retired jsonb, path text)
        ) AS change;
    END LOOP;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.document_changes(jsonb, text, boolean, text[]) IS
    'What importing a document would do to which row: insert, update, delete or keep. In tables listed last, what a '
    'document leaves out has its default; in others it stays. Errors: LY350 to LY355. Example: SELECT action, new FROM '
    'loyalty_internal.document_changes(''{"external_id": "main"}'', ''$'', false, ''{}'');';

CREATE FUNCTION loyalty_internal.document_scope(scope text[], body jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    field text;
    scoped jsonb := '[]';
BEGIN
    IF body IS NULL THEN
        RETURN NULL;
    END IF;
    FOREACH field IN ARRAY scope LOOP
        IF body ->> field IS NULL THEN
            RETURN NULL;
        END IF;
        scoped := scoped || jsonb_build_array(body -> field);
    END LOOP;
    RETURN jsonb_build_array(scope, scoped);
END
$body$;

COMMENT ON FUNCTION loyalty_internal.document_scope(text[], jsonb) IS
    'Among whom a row has its position; null: it stands in no order. Example: SELECT '
    'loyalty_internal.document_scope(''{parent}'', ''{"parent": "main"}'');';

CREATE FUNCTION loyalty_internal.refuse_row(
    relation text,
    noun text,
    path text,
    id text,
    "row" jsonb,
    is_twice boolean,
    missing text,
    broken text
) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    rule record;
BEGIN
    IF is_twice THEN
        PERFORM loyalty_internal.refuse_document(
            'LY354'::text, path, format('%s "%s" is listed twice', noun, id), NULL::text,
            'Leave one of the two out.'::text
        );
    ELSIF missing IS NOT NULL THEN
        PERFORM loyalty_internal.refuse_document(
            'LY352'::text,
            path,
            format('key "%s" is missing, or null', missing),
            NULL::text,
            (
                SELECT known.description
                FROM loyalty.document_columns AS known
                WHERE known.relation = refuse_row.relation AND known.name = missing
            )
        );
    ELSIF broken IS NULL THEN
        PERFORM loyalty_internal.refuse_document(
            'LY355'::text,
            path,
            format('%s "%s" has ended or is archived', noun, id),
            NULL::text,
            'Take another external id, or unarchive the group first.'::text
        );
    END IF;

    -- A rule for one column has the path of that column.
    SELECT
        pg_get_constraintdef(pg_constraint.oid) AS definition,
        attname AS name,
        col_description(attrelid, attnum) AS description
    INTO rule
    FROM pg_constraint
    LEFT JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1] AND cardinality(conkey) = 1
    WHERE conrelid = format('loyalty.%I', relation)::regclass AND conname = broken;
    PERFORM loyalty_internal.refuse_document(
        'LY353'::text,
        concat_ws('.', path, rule.name),
        CASE
            WHEN broken LIKE '%\_years\_are\_whole' THEN 'a date is in a year of two digits'
            WHEN rule.name IS NULL THEN 'values that do not go together'
            ELSE format('%s is no value for it', "row" -> rule.name::text)
        END,
        format('It must satisfy %s: %s.', broken, rule.definition),
        CASE WHEN broken LIKE '%\_years\_are\_whole' THEN 'Write years in full.' ELSE rule.description END
    );
END
$body$;

COMMENT ON FUNCTION loyalty_internal.refuse_row(text, text, text, text, jsonb, boolean, text, text) IS
    'Refuses what a document says of a row: listed twice (LY354), a key is missing (LY352), a rule of the table is '
    'broken (LY353), or the row is put away (LY355). '
    'Example: SELECT loyalty_internal.refuse_row(''regions'', ''region'', ''$.regions[0]'', '
    '''77'', ''{}'', true, NULL, NULL);';

CREATE FUNCTION @extschema@.loyalty_plan(
    document jsonb,
    prune boolean DEFAULT false,
    OUT action text,
    OUT kind text,
    OUT id text,
    OUT path text,
    OUT old text,
    OUT new text,
    OUT takes_effect text
) RETURNS SETOF record
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC'
    SET jit = off
    AS $body$
BEGIN
    PERFORM set_config('timezone', loyalty_internal.document_zone(document), true);
    RETURN QUERY
    WITH shape AS MATERIALIZED (
        SELECT * FROM loyalty_internal.document_shapes(NULL::text)
    ),
    change AS MATERIALIZED (
        SELECT row_number() OVER () AS place, known.*
        FROM loyalty_internal.document_changes(
            document,
            '$'::text,
            coalesce(prune, false),
            CASE WHEN prune THEN ARRAY(SELECT shape.relation FROM shape) ELSE '{}'::text[] END
        ) AS known
        WHERE known.action <> 'keep'
    )
    SELECT
        CASE change.action WHEN 'insert' THEN '+' WHEN 'delete' THEN '-' ELSE '~' END,
        change.noun,
        (
            SELECT coalesce(
                coalesce(change.new, change.old) ->> 'promotion',
                string_agg(coalesce(change.new, change.old) ->> own.name, ' ')
            )
            FROM unnest(shape.own_key) AS own (name)
        ),
        CASE
            WHEN field.name IS NULL THEN change.path
            WHEN change.path IS NULL THEN field.name
            ELSE format('%s.%s', change.path, field.name)
        END,
        field.old,
        field.new,
        CASE
            WHEN coalesce(change.new, change.old) ->> 'kind' = 'trigger' THEN 'now'
            WHEN field.name = 'state' AND field.new = 'ended' THEN 'now'
            WHEN EXISTS (
                SELECT
                FROM loyalty.definitions AS definition
                WHERE definition.relation = change.relation
                    AND (definition.columns IS NULL OR change.relation = 'programs'
                        OR field.name = ANY (definition.columns))
                    AND (change.relation <> 'programs' OR field.name = ANY (definition.columns))
            ) THEN 'apply'
            ELSE 'now'
        END
    FROM change
    JOIN shape ON shape.relation = change.relation
    CROSS JOIN LATERAL (
        SELECT
            0 AS place,
            NULL::text AS name,
            loyalty_internal.document_body(change.old, shape.defaults, shape.unsaid)::text AS old,
            loyalty_internal.document_body(change.new, shape.defaults, shape.unsaid)::text AS new
        WHERE change.action <> 'update'
        UNION ALL
        SELECT known.place, known.name, change.old ->> known.name, change.new ->> known.name
        FROM unnest(shape.columns) WITH ORDINALITY AS known (name, place)
        WHERE change.action = 'update'
            AND change.old -> known.name IS DISTINCT FROM change.new -> known.name
    ) AS field
    ORDER BY change.place, field.place;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_plan(jsonb, boolean) IS
    'What loyalty_import() of a document would change, without changing it: + (made), - (removed) or ~ (one row for '
    'each value that changes), what it is about, where the document says it, old and new value, and whether it takes '
    'effect now or with loyalty_apply(). No row: nothing changes. Errors: LY350 to LY355. Example: SELECT * FROM '
    'loyalty_plan(''{"external_id": "main", "name": "New name"}'');';
