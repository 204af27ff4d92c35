-- A program's document taken apart into rows of its tables.

CREATE FUNCTION loyalty_internal.refuse_document(code text, path text, problem text, detail text, hint text)
    RETURNS void
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
    'Refuses a document with something other than objects and lists where these belong (LY350), unknown keys (LY351) '
    'or objects without a name (LY352). Example: SELECT loyalty_internal.check_document(''{"external_id": "main"}'', '
    '''$'');';
