-- Products and product segments: what predicates see, and the materialized membership they lead to.
--
-- Membership is right when every product has been judged by every predicate. A product written in one session while a
-- predicate is made in another must be judged by one of the two, although neither sees the other's row. So both lock
-- the program's row of loyalty.drafts before they look:
--
-- * a writer of products FOR KEY SHARE, which others share, so that feeds run side by side, and which editors of
--   promotions do not conflict with (they update no key of the row);
-- * a maker of predicates by updating generation, a key of the row: that waits for all writers under way and makes new
--   ones wait.
--
-- Each looks with a snapshot taken after it got the lock: whoever comes second sees what the first has committed.
-- A REPEATABLE READ transaction cannot take such a snapshot. As a writer of products it gets a serialization failure
-- if predicates have changed since its snapshot, for a row whose key was updated cannot be locked under an old
-- snapshot; as a maker of predicates it is refused, because writers of products leave no trace in the row.
--
-- Nobody else writes memberships, or calculations would take wrong prices: the triggers, which run with the editor's
-- rights, have functions of schema loyalty do it, which run with its owner's (sql/live). Whatever these are called
-- with, they leave behind what is right.

CREATE FUNCTION @extschema@.loyalty_product_document(
    sku text,
    name text,
    price numeric,
    min_price numeric,
    categories text[],
    partner text,
    fields jsonb,
    segments text[] DEFAULT NULL
) RETURNS jsonb
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_product_document';

COMMENT ON FUNCTION @extschema@.loyalty_product_document(text, text, numeric, numeric, text[], text, jsonb, text[]) IS
    'The document of a product that predicates of product segments see: sku, name, price, min_price, categories, '
    'partner, fields and segments (the static ones it is listed in), without those that are null. Example: SELECT '
    'loyalty_product_document(''PC-1'', ''Computer'', 999.00, NULL, ''{pc}'', NULL, ''{"ram": 16}'');';

-- ---------------------------------------------------------------------------------------------------------------------
-- Products

CREATE FUNCTION loyalty_internal.check_prices_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    wrong record;
BEGIN
    -- Waits for a change of the scales, as the program's foreign key would.
    PERFORM
    FROM loyalty.programs AS program
    WHERE program.external_id IN (SELECT written.program FROM written)
    ORDER BY program.external_id
    FOR KEY SHARE;

    SELECT
        product.sku,
        product.program,
        product.price,
        product.min_price,
        coalesce(program.price_scale, program.currency_scale) AS scale
    INTO wrong
    FROM written AS product
    JOIN loyalty.programs AS program ON program.external_id = product.program
    WHERE greatest(min_scale(product.price), min_scale(product.min_price))
        > coalesce(program.price_scale, program.currency_scale)
    ORDER BY product.program, product.sku
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY313',
            MESSAGE = format('a price of product "%s" has more than %s decimals', wrong.sku, wrong.scale),
            DETAIL = format(
                'Price %s, minimum price %s.',
                coalesce(wrong.price::text, 'none'),
                coalesce(wrong.min_price::text, 'none')
            ),
            HINT = format('Round it to the price scale of program "%s".', wrong.program),
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.check_prices_trigger() IS
    'Trigger of loyalty.products, after an insert or update statement (transition table "written"): prices fit the '
    'price scale (LY313). Example: CREATE TRIGGER ... REFERENCING NEW TABLE AS written ... EXECUTE FUNCTION '
    'loyalty_internal.check_prices_trigger();';

CREATE FUNCTION loyalty_internal.judge_memberships(program text, skus text[], field text) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_judge_memberships';

COMMENT ON FUNCTION loyalty_internal.judge_memberships(text, text[], text) IS
    'Judges products of a program (null: all) by its predicates, or by those that read the named field of their '
    'documents, and writes which hold, with the rights of the caller, who holds the program''s row of loyalty.drafts. '
    'Example: SELECT loyalty_internal.judge_memberships(''main'', ''{PC-1}'', NULL);';

CREATE FUNCTION loyalty_internal.forget_memberships(program text, skus text[]) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_forget_memberships';

COMMENT ON FUNCTION loyalty_internal.forget_memberships(text, text[]) IS
    'Drops the memberships of those products of a program (null: of all) that are gone, with the rights of the caller. '
    'Example: SELECT loyalty_internal.forget_memberships(''main'', ''{PC-1}'');';

CREATE FUNCTION loyalty_internal.judge_products_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    -- Truncating a table that documents are made from changes any of them.
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM loyalty.judge_products(program.external_id::text, NULL::text[], TG_ARGV[0])
        FROM loyalty.programs AS program
        ORDER BY program.external_id;
        RETURN NULL;
    END IF;
    PERFORM loyalty.judge_products(written.program::text, array_agg(written.sku::text), TG_ARGV[0])
    FROM written
    GROUP BY written.program
    ORDER BY written.program;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.judge_products_trigger() IS
    'Trigger of loyalty.products and of tables that its documents are made from, after an insert, update or delete '
    'statement (transition table "written") or a truncate: judges the products by all predicates of their program, or '
    'by those that read the member of the document named by its argument. Errors: 40001 (predicates changed since the '
    'snapshot of a REPEATABLE READ transaction). Example: CREATE TRIGGER ... REFERENCING NEW TABLE AS written ... '
    'EXECUTE FUNCTION loyalty_internal.judge_products_trigger(''partner'');';

CREATE FUNCTION loyalty_internal.forget_products_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM loyalty.forget_products(program.external_id::text, NULL::text[])
        FROM loyalty.programs AS program
        ORDER BY program.external_id;
        RETURN NULL;
    END IF;
    -- An update may have given a product another SKU.
    PERFORM loyalty.forget_products(former.program::text, array_agg(former.sku::text))
    FROM former
    GROUP BY former.program
    ORDER BY former.program;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.forget_products_trigger() IS
    'Trigger of loyalty.products, after a truncate, or after a delete or update statement (transition table '
    '"former"): drops the memberships of products that are gone. Example: CREATE TRIGGER ... REFERENCING OLD TABLE '
    'AS former ... EXECUTE FUNCTION loyalty_internal.forget_products_trigger();';

-- ---------------------------------------------------------------------------------------------------------------------
-- Predicates

CREATE FUNCTION loyalty_internal.lock_predicates(program text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    UPDATE loyalty.drafts AS draft
    SET generation = draft.generation + 1
    WHERE draft.program = lock_predicates.program;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.lock_predicates(text) IS
    'Waits for all writers of a program''s products and makes new ones wait until the transaction ends. Example: '
    'SELECT loyalty_internal.lock_predicates(''main'');';

CREATE FUNCTION loyalty_internal.needed_predicates(program text) RETURNS SETOF jsonpath
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT DISTINCT ON (expanded.predicate::text COLLATE "C")
    expanded.predicate
FROM loyalty.product_segments AS segment
CROSS JOIN LATERAL (
    SELECT loyalty_internal.expand_predicate('product'::text, segment.program::text, segment.predicate) AS predicate
) AS expanded
WHERE segment.program = needed_predicates.program
    AND segment.kind = 'dynamic'
ORDER BY expanded.predicate::text COLLATE "C"
$body$;

COMMENT ON FUNCTION loyalty_internal.needed_predicates(text) IS
    'The distinct predicates of a program''s dynamic product segments, with what they refer to. Example: SELECT '
    'loyalty_internal.needed_predicates(''main'');';

CREATE FUNCTION loyalty_internal.make_predicates(program text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty.make_predicates(make_predicates.program);
END
$body$;

COMMENT ON FUNCTION loyalty_internal.make_predicates(text) IS
    'Judges all products of a program by those predicates of its segments that are new. The caller has locked the '
    'draft: loyalty_internal.lock_draft(). Errors: LY317 (isolation level). Example: SELECT '
    'loyalty_internal.make_predicates(''main'');';

CREATE FUNCTION loyalty_internal.drop_unused_predicates(program text) RETURNS integer
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RETURN loyalty.drop_predicates(drop_unused_predicates.program);
END
$body$;

COMMENT ON FUNCTION loyalty_internal.drop_unused_predicates(text) IS
    'Drops the predicates, with their memberships, that neither a segment of the draft nor the version in force '
    'uses; returns how many. The caller has locked the draft: loyalty_internal.lock_draft(). Example: SELECT '
    'loyalty_internal.drop_unused_predicates(''main'');';

CREATE FUNCTION loyalty_internal.keep_predicates_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM loyalty_internal.make_predicates(program.external_id::text)
        FROM loyalty.programs AS program
        WHERE program.external_id IN (SELECT written.program FROM written)
        ORDER BY program.external_id;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM loyalty_internal.drop_unused_predicates(program.external_id::text)
        FROM loyalty.programs AS program
        WHERE program.external_id IN (SELECT former.program FROM former)
        ORDER BY program.external_id;
    END IF;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.keep_predicates_trigger() IS
    'Trigger of loyalty.product_segments, after an insert, update or delete statement (transition tables "written" '
    'and "former"): makes the predicates that are new and drops those no longer used. Errors: LY317 (isolation '
    'level). Example: CREATE TRIGGER ... REFERENCING NEW TABLE AS written ... EXECUTE FUNCTION '
    'loyalty_internal.keep_predicates_trigger();';
