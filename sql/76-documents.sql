-- A program as a document: exported, compared, imported; and its smallest form, one promotion. What tables it consists of
-- says loyalty.document_tables; what columns, defaults and checks these have, the catalogue.

-- ---------------------------------------------------------------------------------------------------------------------
-- The shape of a document

CREATE FUNCTION loyalty_internal.document_has_lived(program text, promotion_group text) RETURNS boolean
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
WITH RECURSIVE below AS (
    SELECT document_has_lived.promotion_group AS external_id
    UNION
    SELECT child.external_id::text
    FROM below
    JOIN loyalty.promotion_groups AS child
        ON child.program = document_has_lived.program AND child.parent = below.external_id
)
SELECT EXISTS (
    SELECT
    FROM below
    JOIN loyalty.promotions AS promotion
        ON promotion.program = document_has_lived.program AND promotion.parent = below.external_id
    WHERE promotion.state <> 'draft'
)
$body$;

COMMENT ON FUNCTION loyalty_internal.document_has_lived(text, text) IS
    'Whether anything but drafts stands below a promotion group, which then is archived where a draft would be deleted. '
    'Example: SELECT loyalty_internal.document_has_lived(''main'', ''seasons'');';

-- Defaults are values here: those of the tables are constants.
CREATE FUNCTION loyalty_internal.document_shapes(
    "table" text DEFAULT NULL,
    OUT rank integer,
    OUT relation text,
    OUT parent text,
    OUT key text,
    OUT noun text,
    OUT inherits jsonb,
    OUT own_key text[],
    OUT scope text[],
    OUT scalar text,
    OUT is_part boolean,
    OUT only_if_named boolean,
    OUT option text,
    OUT is_positional boolean,
    OUT hidden text[],
    OUT stays text[],
    OUT shown text,
    OUT preset text,
    OUT renumbered text,
    OUT retired text,
    OUT columns text[],
    OUT said text[],
    OUT unsaid text[],
    OUT lists text[],
    OUT required text[],
    OUT identity text[],
    OUT checks text,
    OUT defaults jsonb
) RETURNS SETOF record
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 25
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    shape record;
BEGIN
    FOR shape IN
        SELECT
            list.*,
            own.columns,
            own.said,
            own.unsaid,
            own.required,
            own.identity,
            own.defaults,
            ARRAY(SELECT child.key FROM loyalty.document_tables AS child WHERE child.parent = list.relation) AS lists,
            (
                SELECT string_agg(
                    format('WHEN NOT (%s) THEN %L', pg_get_expr(conbin, conrelid), conname),
                    -- The rule for one column says more than one for several.
                    ' ' ORDER BY cardinality(conkey), conname
                )
                FROM pg_constraint
                WHERE conrelid = format('loyalty.%I', list.relation)::regclass AND contype = 'c'
            ) AS checks
        FROM loyalty.document_tables AS list
        CROSS JOIN LATERAL (
            SELECT
                array_agg(known.name::text ORDER BY known.ordinal) AS columns,
                array_agg(known.name::text ORDER BY known.ordinal)
                    FILTER (WHERE NOT (known.is_inherited OR known.is_hidden OR known.is_order AND list.is_positional))
                    AS said,
                array_agg(known.name::text) FILTER (WHERE known.is_inherited OR known.is_hidden OR known.is_order) AS unsaid,
                array_agg(known.name::text) FILTER (WHERE known.is_required AND NOT known.is_order) AS required,
                array_agg(known.name::text ORDER BY known.ordinal)
                    FILTER (WHERE known.is_inherited OR known.is_key) AS identity,
                string_agg(format('%L, (%s)::%s', known.name, known.default_expression, known.type), ', ')
                    FILTER (WHERE known.default_expression IS NOT NULL) AS defaults
            FROM loyalty.document_columns AS known
            WHERE known.relation = list.relation
        ) AS own
        WHERE list.relation = "table" OR "table" IS NULL
        ORDER BY list.rank
    LOOP
        rank := shape.rank;
        relation := shape.relation;
        parent := shape.parent;
        key := shape.key;
        noun := shape.noun;
        inherits := shape.inherits;
        own_key := shape.own_key;
        scope := shape.scope;
        scalar := shape.scalar;
        is_part := shape.is_part;
        only_if_named := shape.only_if_named;
        option := shape.option;
        is_positional := shape.is_positional;
        hidden := shape.hidden;
        stays := shape.stays;
        shown := shape.shown;
        preset := format('(%s)::jsonb', coalesce(shape.preset, '''{}'''));
        renumbered := format('(%s)::jsonb', coalesce(shape.renumbered, '''{}'''));
        retired := format('(%s)::jsonb', coalesce(shape.retired, 'NULL'));
        columns := shape.columns;
        said := coalesce(shape.said, '{}');
        unsaid := coalesce(shape.unsaid, '{}');
        lists := shape.lists;
        required := coalesce(shape.required, '{}');
        identity := shape.identity;
        checks := shape.checks;
        EXECUTE format('SELECT jsonb_build_object(%s)', shape.defaults) INTO defaults;
        RETURN NEXT;
    END LOOP;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.document_shapes(text) IS
    'The tables of a document, or the one that is named, with what the catalogue says of their columns, in the order of '
    'their ranks. Example: SELECT relation, said FROM loyalty_internal.document_shapes();';

-- ---------------------------------------------------------------------------------------------------------------------
-- Out of the tables

CREATE FUNCTION loyalty_internal.document_body("row" jsonb, defaults jsonb, unsaid text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT coalesce(jsonb_object_agg(field.key, field.value), '{}')
FROM jsonb_each("row") AS field
WHERE field.key <> ALL (unsaid)
    AND field.value <> coalesce(defaults -> field.key, 'null')
$body$;

COMMENT ON FUNCTION loyalty_internal.document_body(jsonb, jsonb, text[]) IS
    'What a document says of a row: all that differs from the defaults, but for the columns that stay unsaid. Example: '
    'SELECT loyalty_internal.document_body(''{"name": "A", "kind": "x"}'', ''{"kind": "x"}'', ''{}'');';

CREATE FUNCTION loyalty_internal.document_query(relation text, options text[], is_nested boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    shape record;
    body text;
    child record;
BEGIN
    SELECT * INTO shape FROM loyalty_internal.document_shapes(relation);

    IF shape.scalar IS NOT NULL THEN
        body := format('to_jsonb(%I.%I)', relation, shape.scalar);
    ELSE
        body := format(
            'loyalty_internal.document_body(to_jsonb(%I), %L::jsonb || %s, %L)',
            relation,
            shape.defaults,
            shape.preset,
            shape.unsaid || '{created_at,updated_at}' || ARRAY(
                SELECT attname::text
                FROM pg_attribute
                WHERE attrelid = format('loyalty.%I', relation)::regclass AND attgenerated <> ''
            )
        );
    END IF;
    IF shape.scope = '{parent}' THEN
        body := body || format(
            ' || CASE WHEN %1$I.parent = ANY ($2)'
            ' THEN jsonb_build_object(''position'', %1$I.position) ELSE ''{}''::jsonb END',
            relation
        );
    END IF;
    FOR child IN
        SELECT list.relation, list.key
        FROM loyalty.document_tables AS list
        WHERE list.parent = document_query.relation
            AND (list.option IS NULL OR list.option = ANY (options))
        ORDER BY list.rank
    LOOP
        body := body || format(
            ' || coalesce((SELECT jsonb_build_object(%L, list.elements) FROM (SELECT %s AS elements) AS list'
            ' WHERE list.elements IS NOT NULL), ''{}'')',
            child.key, loyalty_internal.document_query(child.relation::text, options, true)
        );
    END LOOP;

    RETURN format(
        '(SELECT jsonb_agg(%1$s ORDER BY %2$s) %3$s FROM (SELECT * FROM loyalty.%4$I AS definition WHERE %5$s) AS %4$I%6$s)',
        body,
        (
            SELECT string_agg(format('%I.%I', relation, sorted.name), ', ' ORDER BY sorted.place)
            FROM unnest(
                CASE WHEN shape.scope IS NULL THEN shape.own_key ELSE shape.scope || '{position}' || shape.own_key END
            ) WITH ORDINALITY AS sorted (name, place)
        ),
        CASE relation
            WHEN 'promotion_groups' THEN format('FILTER (WHERE (%s) <> ''{"external_id": "main"}'')', body)
            WHEN 'promotions' THEN 'FILTER (WHERE promotions.external_id = $3 OR $3 IS NULL)'
            ELSE ''
        END,
        relation,
        shape.shown,
        (
            SELECT ' WHERE ' || string_agg(format('%I.%I = %I.%I', relation, pair.key, shape.parent, pair.value), ' AND ')
            FROM jsonb_each_text(shape.inherits) AS pair
            WHERE is_nested
        )
    );
END
$body$;

COMMENT ON FUNCTION loyalty_internal.document_query(text, text[], boolean) IS
    'An SQL expression of what a document lists of a table, and of the tables in it: of program $1, with positions for the '
    'children of the groups $2, and of all promotions or the one named $3. Nested: in the object of the parent''s row. '
    'Example: SELECT loyalty_internal.document_query(''channels'', ''{}'');';

-- Where a promotion stands before a group, the order of the two lists does not tell: the document says the positions.
CREATE FUNCTION loyalty_internal.document_list(program text, relation text, options text[], promotion text DEFAULT NULL)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    -- Many small queries in one: compiling them takes a second, and they take less.
    SET jit = off
    AS $body$
DECLARE
    mixed CONSTANT text[] := ARRAY(
        SELECT DISTINCT promotion_group.parent::text
        FROM loyalty.promotion_groups AS promotion_group
        JOIN (
            SELECT DISTINCT ON (first.parent) first.parent, first.position, first.external_id
            FROM loyalty.promotions AS first
            WHERE first.program = document_list.program AND first.state <> 'ended'
            ORDER BY first.parent, first.position, first.external_id
        ) AS foremost ON foremost.parent = promotion_group.parent
        WHERE promotion_group.program = document_list.program
            AND NOT promotion_group.archived
            AND (foremost.position, foremost.external_id) < (promotion_group.position, promotion_group.external_id)
    );
    result jsonb;
BEGIN
    EXECUTE 'SELECT ' || loyalty_internal.document_query(relation, options, false)
    INTO result
    USING program, mixed, promotion;
    RETURN result;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.document_list(text, text, text[], text) IS
    'What a document lists of a table of a program, or of its promotions the one that is named; null: nothing. Example: '
    'SELECT loyalty_internal.document_list(''main'', ''channels'', ''{}'');';

CREATE FUNCTION @extschema@.loyalty_export(program text, products boolean DEFAULT false, members boolean DEFAULT false)
    RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC'
    AS $body$
DECLARE
    zone text;
BEGIN
    SELECT known.time_zone INTO zone FROM loyalty.programs AS known WHERE known.external_id = program;
    IF NOT FOUND THEN
        PERFORM loyalty_internal.refuse_program(program);
    END IF;
    PERFORM set_config('timezone', zone, true);
    RETURN loyalty_internal.document_list(
        program,
        'programs'::text,
        array_remove(ARRAY[CASE WHEN products THEN 'products' END, CASE WHEN members THEN 'members' END], NULL)::text[],
        NULL::text
    ) -> 0;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_export(text, boolean, boolean) IS
    'All that is configured of a program as one JSON document: only what differs from a default, times in the program''s '
    'zone. With products: the catalogue and the terms of partners; with members: the lists of static segments. Ended '
    'promotions and archived groups, members, points, codes and orders are not in it. Errors: LY201. Example: SELECT '
    'jsonb_pretty(loyalty_export(''main''));';

CREATE FUNCTION @extschema@.loyalty_promotion(program text, promotion text) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC'
    AS $body$
DECLARE
    zone text;
    result jsonb;
BEGIN
    SELECT known.time_zone INTO zone FROM loyalty.programs AS known WHERE known.external_id = program;
    IF NOT FOUND THEN
        PERFORM loyalty_internal.refuse_program(program);
    END IF;
    PERFORM set_config('timezone', zone, true);
    result := loyalty_internal.document_list(program, 'promotions'::text, '{}'::text[], coalesce(promotion, '')) -> 0;
    IF result IS NULL THEN
        PERFORM loyalty_internal.refuse_promotion(program, promotion);
    END IF;
    RETURN result;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_promotion(text, text) IS
    'A promotion with all its parts as a document, as it stands in loyalty_export(): what loyalty_save_promotion() takes. '
    'Errors: LY201, LY319 (no such promotion, or it has ended). Example: SELECT loyalty_promotion(''main'', ''spring'');';

CREATE FUNCTION loyalty_internal.refuse_program(program text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'LY201',
        MESSAGE = CASE WHEN program IS NULL THEN 'no program is named' ELSE format('program "%s" does not exist', program) END,
        HINT = 'Name one of loyalty.programs.';
END
$body$;

COMMENT ON FUNCTION loyalty_internal.refuse_program(text) IS
    'Says that there is no such program (LY201). Example: SELECT loyalty_internal.refuse_program(''nowhere'');';

CREATE FUNCTION loyalty_internal.refuse_promotion(program text, promotion text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'LY319',
        MESSAGE = format('promotion "%s" does not exist in program "%s"', promotion, program),
        HINT = 'Name one of loyalty.promotions that has not ended.';
END
$body$;

COMMENT ON FUNCTION loyalty_internal.refuse_promotion(text, text) IS
    'Says that there is no such promotion (LY319). '
    'Example: SELECT loyalty_internal.refuse_promotion(''main'', ''nothing'');';

-- ---------------------------------------------------------------------------------------------------------------------
-- Into rows

CREATE FUNCTION loyalty_internal.refuse_document(code text, path text, problem text, detail text, hint text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    hint := coalesce(nullif(hint, ''), 'Correct the document there.');
    IF nullif(detail, '') IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = code, MESSAGE = format('%s: %s', path, problem), HINT = hint;
    END IF;
    RAISE EXCEPTION USING ERRCODE = code, MESSAGE = format('%s: %s', path, problem), DETAIL = detail, HINT = hint;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.refuse_document(text, text, text, text, text) IS
    'Refuses a document at a JSON path. Example: SELECT loyalty_internal.refuse_document(''LY351'', ''$.naem'', '
    '''unknown key'', '
    'NULL, NULL);';

CREATE FUNCTION loyalty_internal.document_rows(document jsonb, root text)
    RETURNS TABLE (relation text, path text, ordinal bigint, parent_path text, given jsonb, "row" jsonb)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS $body$
WITH RECURSIVE node AS (
    SELECT
        'programs' AS relation,
        root AS path,
        1::bigint AS ordinal,
        NULL::text AS parent_path,
        document AS given,
        document AS body
    UNION ALL
    SELECT
        list.relation,
        -- A document that is one promotion is the root of its paths.
        CASE WHEN node.path = '' THEN '$' ELSE format('%s.%s[%s]', node.path, list.key, element.ordinal - 1) END,
        element.ordinal,
        node.path,
        element.value,
        CASE
            WHEN jsonb_typeof(element.value) = 'object' THEN element.value
            ELSE jsonb_build_object(coalesce(list.scalar, ''), element.value)
        END
        || (
            SELECT coalesce(jsonb_object_agg(pair.key, node.body -> pair.value), '{}')
            FROM jsonb_each_text(list.inherits::jsonb) AS pair
        )
        || CASE WHEN list.is_positional THEN jsonb_build_object('position', element.ordinal) ELSE '{}' END
    FROM node
    JOIN loyalty.document_tables AS list ON list.parent = node.relation
    CROSS JOIN LATERAL jsonb_array_elements(
        CASE jsonb_typeof(node.body -> list.key) WHEN 'array' THEN node.body -> list.key ELSE '[]' END
    ) WITH ORDINALITY AS element (value, ordinal)
)
SELECT node.relation, node.path, node.ordinal, node.parent_path, node.given, node.body
FROM node
$body$;

COMMENT ON FUNCTION loyalty_internal.document_rows(jsonb, text) IS
    'What a document says of each row: the object as given, its JSON path, and the object with the columns that follow '
    'from where it stands. Example: SELECT path FROM loyalty_internal.document_rows(''{"external_id": "main"}'', '
    '''$'');';

-- Only what can be seen without the tables: objects, lists, and keys.
CREATE FUNCTION loyalty_internal.check_document(document jsonb, root text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS $body$
DECLARE
    wrong record;
BEGIN
    SELECT
        problem.code, problem.path, problem.message, problem.hint
    INTO wrong
    FROM loyalty_internal.document_rows(coalesce(document, 'null'), root) WITH ORDINALITY
        AS node (relation, path, ordinal, parent_path, given, body, place)
    JOIN loyalty_internal.document_shapes(NULL::text) AS shape ON shape.relation = node.relation
    CROSS JOIN LATERAL (
        SELECT
            'LY350' AS code,
            coalesce(nullif(node.path, ''), '$') AS path,
            format('an object is expected, and there is a value of type %s', jsonb_typeof(node.given)) AS message,
            format('Write an object with %s.', array_to_string(shape.said || shape.lists, ', ')) AS hint
        WHERE jsonb_typeof(node.given) <> 'object'
            AND (shape.scalar IS NULL OR jsonb_typeof(node.given) <> 'string')
        UNION ALL
        SELECT
            'LY350',
            format('%s.%s', node.path, list.key),
            format('a list is expected, and there is a value of type %s', jsonb_typeof(node.given -> list.key)),
            'Write an array; an empty one for nothing.'
        FROM unnest(shape.lists) AS list (key)
        WHERE jsonb_typeof(node.given) = 'object'
            AND node.given ? list.key
            AND jsonb_typeof(node.given -> list.key) <> 'array'
        UNION ALL
        SELECT
            'LY351',
            format('%s.%s', node.path, field.key),
            format('unknown key "%s"', field.key),
            format('There are: %s.', array_to_string(shape.said || shape.lists, ', '))
        FROM jsonb_object_keys(CASE jsonb_typeof(node.given) WHEN 'object' THEN node.given ELSE '{}' END) AS field (key)
        WHERE field.key <> ALL (shape.said || shape.lists)
        UNION ALL
        SELECT
            'LY352',
            coalesce(nullif(node.path, ''), '$'),
            format('key "%s" is missing', own.name),
            'It names what the object is about.'
        FROM unnest(shape.own_key) AS own (name)
        WHERE jsonb_typeof(node.given) = 'object'
            AND NOT shape.is_positional
            AND node.body ->> own.name IS NULL
    ) AS problem
    ORDER BY node.place
    LIMIT 1;
    IF FOUND THEN
        PERFORM loyalty_internal.refuse_document(
            wrong.code::text, wrong.path::text, wrong.message::text, NULL::text, wrong.hint::text
        );
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.check_document(jsonb, text) IS
    'Refuses a document with something other than objects and lists where these belong (LY350), unknown keys (LY351) or '
    'objects without a name (LY352). Example: SELECT loyalty_internal.check_document(''{"external_id": "main"}'', '
    '''$'');';

-- ---------------------------------------------------------------------------------------------------------------------
-- What would change

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
    'Refuses (LY353) the first value of rows of a document that is not of its column''s type, by its path. Example: SELECT '
    'loyalty_internal.refuse_value(''regions'', ''[{"path": "$", "body": {"name": "A"}}]'', ''unknown'');';

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
    SELECT format('jsonb_build_array(%s)', string_agg(format('body ->> %L', key.name), ', ' ORDER BY key.place)) INTO name_of
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
    'The SQL that compares a table with a document: of program $1, the rows $2, with the defaults $3 where $4 says that what '
    'is left out has its default, pruned if $5, in the objects $6 that have the list. It gives the rows that are wanted, those '
    'that go, and those that stay beside them, each as a list. '
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
            THEN row_number() OVER (PARTITION BY known.scope, known.present IS NULL ORDER BY known.present, known.id ->> -1)
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
    WINDOW sorted AS (PARTITION BY ranked.scope ORDER BY ranked.behind, ranked.ordinal IS NULL, ranked.rank, ranked.ordinal)
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
    CASE WHEN judged.moves THEN judged.turn - 1 ELSE coalesce(judged.given, judged.present, judged.last + judged.number) END
FROM judged
$body$;

COMMENT ON FUNCTION loyalty_internal.document_positions(jsonb) IS
    'The positions of rows (scope, rank, relation, id, ordinal in the list or null, present and given position) that give '
    'them the order of their lists, and move no one who need not. '
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
                    rest.id, NULL, NULL, rest.body -> 'position', loyalty_internal.document_scope(shape.scope, rest.body)
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
                CASE WHEN shape.is_positional THEN format('%s[%s]', gone.path, (gone.body ->> 'position')::bigint - 1) END,
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
            'LY354'::text, path, format('%s "%s" is listed twice', noun, id), NULL::text, 'Leave one of the two out.'::text
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
            WHEN rule.name IS NULL THEN 'values that do not go together'
            ELSE format('%s is no value for it', "row" -> rule.name::text)
        END,
        format('It must satisfy %s: %s.', broken, rule.definition),
        rule.description::text
    );
END
$body$;

COMMENT ON FUNCTION loyalty_internal.refuse_row(text, text, text, text, jsonb, boolean, text, text) IS
    'Refuses what a document says of a row: listed twice (LY354), a key is missing (LY352), a rule of the table is broken '
    '(LY353), or the row is put away (LY355). '
    'Example: SELECT loyalty_internal.refuse_row(''regions'', ''region'', ''$.regions[0]'', '
    '''77'', ''{}'', true, NULL, NULL);';

-- ---------------------------------------------------------------------------------------------------------------------
-- Changing it

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
            'INSERT INTO loyalty.%1$I (%2$s) SELECT %3$s FROM jsonb_array_elements($1) WITH ORDINALITY AS step (value, place)'
            ' CROSS JOIN LATERAL jsonb_populate_record(NULL::loyalty.%1$I, step.value -> ''row'') AS made ORDER BY step.place'
        WHEN 'update' THEN
            'UPDATE loyalty.%1$I AS present SET (%2$s) = ROW (%3$s) FROM jsonb_array_elements($1) AS step'
            ' CROSS JOIN LATERAL jsonb_populate_record(NULL::loyalty.%1$I, step.value -> ''row'') AS made WHERE %4$s'
        WHEN 'delete' THEN
            'DELETE FROM loyalty.%1$I AS present USING jsonb_array_elements($1) AS step'
            ' CROSS JOIN LATERAL jsonb_populate_record(NULL::loyalty.%1$I, step.value -> ''row'') AS made WHERE %4$s'
        WHEN 'judge' THEN
            'SELECT loyalty_internal.refuse_empty(step.value #>> ''{row,program}'', step.value #>> ''{row,external_id}'')'
            ' FROM jsonb_array_elements($1) AS step'
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

-- The main arbitration of a new program is made with the program. A promotion's conditions and benefits have no names: where
-- one of them changes, all of the promotion are made anew. Its state comes last, when it has all that an active promotion
-- needs; a new one has it at once, and is judged then.
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
                WHEN known.relation = 'promotion_groups' AND known.action = 'insert' AND known.new ->> 'external_id' = 'main'
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
        -- The row of a new program was made within the step: only one of this transaction itself is locked once for all.
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
        CASE WHEN prune THEN ARRAY(SELECT list.relation::text FROM loyalty.document_tables AS list) ELSE '{}'::text[] END
    );
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_import(jsonb, boolean) IS
    'Makes a program what a document says, or makes it, with every check that an edit has; returns how many rows were made, '
    'changed or removed. What the document does not mention stays, with prune it goes: keys that are left out have their '
    'default, drafts are deleted, other promotions end. The tree is in force with loyalty_apply(). Errors: LY350 to LY355, '
    'each with a JSON path, as have those of an edit. Example: SELECT loyalty_import(''{"external_id": "main", "regions": '
    '[{"external_id": "north", "name": "North"}]}'');';

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
                coalesce(change.new, change.old) ->> 'promotion', string_agg(coalesce(change.new, change.old) ->> own.name, ' ')
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
                    AND (definition.columns IS NULL OR change.relation = 'programs' OR field.name = ANY (definition.columns))
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
    'What loyalty_import() of a document would change, without changing it: + (made), - (removed) or ~ (one row for each '
    'value that changes), what it is about, where the document says it, old and new value, and whether it takes effect '
    'now or with loyalty_apply(). No row: nothing changes. Errors: LY350 to LY355. Example: SELECT * FROM '
    'loyalty_plan(''{"external_id": "main", "name": "New name"}'');';

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
    'Makes a promotion, or makes it what the document says, with all its conditions and benefits, or rules; returns it as '
    'loyalty_promotion() does. What is left out has its default; the state stays, a new one is a draft. In force with '
    'loyalty_apply(). Errors: LY201, LY350 to LY355, and those of an edit, with JSON paths. Example: SELECT '
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
    'Deletes a draft with all its parts; what has been active is ended instead: loyalty_end_promotion(). Errors: LY308 (no '
    'draft), LY319 (no such promotion). Example: SELECT loyalty_delete_promotion(''main'', ''spring'');';

-- ---------------------------------------------------------------------------------------------------------------------
-- A JSON Schema of it

-- Of the rules of a table, those for one column that a schema can say: a list of words, a number's bounds, a pattern.
CREATE FUNCTION loyalty_internal.document_rules(relation text, "column" text) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
WITH rule AS (
    SELECT pg_get_expr(conbin, conrelid) AS text
    FROM pg_constraint
    JOIN pg_attribute ON attrelid = conrelid AND attname = "column" AND conkey = ARRAY[attnum]
    WHERE conrelid = format('loyalty.%I', relation)::regclass AND contype = 'c'
),
bound AS (
    SELECT found.part[1] AS operator, found.part[2]::numeric AS number
    FROM rule
    CROSS JOIN LATERAL regexp_matches(
        rule.text, format('\(%I (>|>=|<|<=) \(?''?(-?[0-9.e+]+)''?\)?(?:::\w+)?\)', "column"), 'g'
    ) AS found (part)
)
SELECT coalesce(jsonb_object_agg(said.key, said.value), '{}')
FROM (
    SELECT
        'enum' AS key,
        (
            SELECT jsonb_agg(word.part[1])
            FROM rule
            CROSS JOIN LATERAL regexp_matches(rule.text, '''([^'']*)''::text', 'g') AS word (part)
            WHERE rule.text LIKE format('(%I = ANY (ARRAY[%%', "column")
        ) AS value
    UNION ALL
    SELECT 'exclusiveMinimum', to_jsonb(max(bound.number)) FROM bound WHERE bound.operator = '>'
    UNION ALL
    SELECT 'minimum', to_jsonb(max(bound.number)) FROM bound WHERE bound.operator = '>='
    UNION ALL
    SELECT 'exclusiveMaximum', to_jsonb(min(bound.number)) FROM bound WHERE bound.operator = '<'
    UNION ALL
    SELECT 'maximum', to_jsonb(min(bound.number)) FROM bound WHERE bound.operator = '<='
    UNION ALL
    SELECT 'pattern', to_jsonb(found.part[1])
    FROM rule
    CROSS JOIN LATERAL regexp_matches(rule.text, format('^\(%I ~ ''([^'']*)''::text\)$', "column")) AS found (part)
) AS said
WHERE said.value <> 'null'
$body$;

COMMENT ON FUNCTION loyalty_internal.document_rules(text, text) IS
    'What the checks of a column are in JSON Schema. '
    'Example: SELECT loyalty_internal.document_rules(''point_types'', ''kind'');';

CREATE FUNCTION loyalty_internal.document_type(type text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT CASE
    WHEN type LIKE '%[]' THEN jsonb_build_object(
        'type', 'array', 'items', loyalty_internal.document_type(replace(type, '[]', ''))
    )
    WHEN type IN ('smallint', 'integer', 'bigint') THEN '{"type": "integer"}'
    WHEN type = 'numeric' THEN '{"type": "number"}'
    WHEN type = 'boolean' THEN '{"type": "boolean"}'
    WHEN type = 'jsonb' THEN '{}'
    WHEN type = 'loyalty.external_id' THEN '{"type": "string", "minLength": 1, "maxLength": 255}'
    ELSE '{"type": "string"}'
END::jsonb
$body$;

COMMENT ON FUNCTION loyalty_internal.document_type(text) IS
    'An SQL type in JSON Schema. Example: SELECT loyalty_internal.document_type(''text[]'');';

CREATE FUNCTION loyalty_internal.document_object(relation text) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT CASE
    WHEN shape.scalar IS NOT NULL THEN (
        SELECT loyalty_internal.document_type(known.type::text) || jsonb_build_object('description', known.description)
        FROM loyalty.document_columns AS known
        WHERE known.relation = shape.relation AND known.name = shape.scalar
    )
    ELSE jsonb_build_object(
        'type', 'object',
        'description', obj_description(format('loyalty.%I', shape.relation)::regclass, 'pg_class'),
        'additionalProperties', false,
        'required', to_jsonb(CASE WHEN shape.is_positional THEN '{}' ELSE shape.own_key END),
        'properties', (
            SELECT jsonb_object_agg(
                known.name,
                (value.schema || CASE
                    WHEN known.is_required OR known.is_key OR NOT value.schema ? 'type' THEN '{}'
                    -- The default may be said, and what need not be there may be taken away.
                    WHEN value.schema ? 'enum' THEN jsonb_build_object(
                        'type', jsonb_build_array(value.schema -> 'type', 'null'), 'enum', value.schema -> 'enum' || '[null]'
                    )
                    ELSE jsonb_build_object('type', jsonb_build_array(value.schema -> 'type', 'null'))
                END)
                || jsonb_build_object('description', known.description)
                || CASE WHEN shape.defaults ? known.name::text
                    THEN jsonb_build_object('default', shape.defaults -> known.name::text) ELSE '{}' END
            )
            FROM loyalty.document_columns AS known
            CROSS JOIN LATERAL (
                SELECT
                    loyalty_internal.document_type(known.type::text)
                    || loyalty_internal.document_rules(known.relation::text, known.name::text) AS schema
            ) AS value
            WHERE known.relation = shape.relation
                AND known.name = ANY (shape.said)
        ) || coalesce(
            (
                SELECT jsonb_object_agg(
                    child.key,
                    jsonb_build_object('type', 'array', 'items', jsonb_build_object('$ref', '#/$defs/' || child.relation))
                )
                FROM loyalty.document_tables AS child
                WHERE child.parent = shape.relation
            ),
            '{}'
        )
    )
END
FROM loyalty_internal.document_shapes(relation) AS shape
$body$;

COMMENT ON FUNCTION loyalty_internal.document_object(text) IS
    'What a document says of a row of a table, in JSON Schema. '
    'Example: SELECT loyalty_internal.document_object(''regions'');';

CREATE FUNCTION @extschema@.loyalty_document_schema() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT loyalty_internal.document_object('programs'::text) || jsonb_build_object(
    '$schema', 'https://json-schema.org/draft/2020-12/schema',
    'title', 'A loyalty program as a document',
    '$defs', (
        SELECT jsonb_object_agg(list.relation, loyalty_internal.document_object(list.relation::text))
        FROM loyalty.document_tables AS list
        WHERE list.parent IS NOT NULL
    )
)
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_document_schema() IS
    'The JSON Schema (draft 2020-12) of what loyalty_export() gives and loyalty_import() takes, for editors and pipelines; '
    'of one promotion: "#/$defs/promotions". Example: SELECT jsonb_pretty(loyalty_document_schema());';
