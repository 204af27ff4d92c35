-- A program as a document, and its smallest form, one promotion: out of the tables.

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

CREATE FUNCTION loyalty_internal.document_query(relation text, options text[], is_nested boolean DEFAULT false)
    RETURNS text
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
        '(SELECT jsonb_agg(%1$s ORDER BY %2$s) %3$s FROM (SELECT * FROM loyalty.%4$I AS definition WHERE %5$s) AS '
        '%4$I%6$s)',
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
            SELECT ' WHERE '
                || string_agg(format('%I.%I = %I.%I', relation, pair.key, shape.parent, pair.value), ' AND ')
            FROM jsonb_each_text(shape.inherits) AS pair
            WHERE is_nested
        )
    );
END
$body$;

COMMENT ON FUNCTION loyalty_internal.document_query(text, text[], boolean) IS
    'An SQL expression of what a document lists of a table, and of the tables in it: of program $1, with positions for '
    'the children of the groups $2, and of all promotions or the one named $3. Nested: in the object of the parent''s '
    'row. Example: SELECT loyalty_internal.document_query(''channels'', ''{}'');';

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
    'What a document lists of a table of a program, or of its promotions the one that is named; null: nothing. '
    'Example: SELECT loyalty_internal.document_list(''main'', ''channels'', ''{}'');';

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
    'All that is configured of a program as one JSON document: only what differs from a default, times in the '
    'program''s zone. With products: the catalogue and the terms of partners; with members: the lists of static '
    'segments. Ended promotions and archived groups, members, points, codes and orders are not in it. Errors: LY201. '
    'Example: SELECT jsonb_pretty(loyalty_export(''main''));';

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
    'A promotion with all its parts as a document, as it stands in loyalty_export(): what loyalty_save_promotion() '
    'takes. Errors: LY201, LY319 (no such promotion, or it has ended). Example: SELECT loyalty_promotion(''main'', '
    '''spring'');';

CREATE FUNCTION loyalty_internal.refuse_program(program text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'LY201',
        MESSAGE = CASE WHEN program IS NULL THEN 'no program is named'
            ELSE format('program "%s" does not exist', program) END,
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
