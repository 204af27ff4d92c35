-- The JSON Schema of a program's document.

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
                        'type', jsonb_build_array(value.schema -> 'type', 'null'), 'enum',
                        value.schema -> 'enum' || '[null]'
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
                    jsonb_build_object('type', 'array', 'items',
                        jsonb_build_object('$ref', '#/$defs/' || child.relation))
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
    'The JSON Schema (draft 2020-12) of what loyalty_export() gives and loyalty_import() takes, for editors and '
    'pipelines; of one promotion: "#/$defs/promotions". Example: SELECT jsonb_pretty(loyalty_document_schema());';
