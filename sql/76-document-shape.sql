-- The shape of a program's document: what it has from which table. What tables a program consists of says
-- loyalty.document_tables; what columns, defaults and checks these have, the catalogue.

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
    'Whether anything but drafts stands below a promotion group, which then is archived where a draft would be '
    'deleted. Example: SELECT loyalty_internal.document_has_lived(''main'', ''seasons'');';

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
                array_agg(known.name::text) FILTER (WHERE known.is_inherited OR known.is_hidden OR known.is_order)
                    AS unsaid,
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
    'The tables of a document, or the one that is named, with what the catalogue says of their columns, in the order '
    'of their ranks. Example: SELECT relation, said FROM loyalty_internal.document_shapes();';
