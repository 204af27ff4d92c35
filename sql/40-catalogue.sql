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

CREATE FUNCTION loyalty_product_document(
    sku text,
    name text,
    price numeric,
    min_price numeric,
    categories text[],
    partner text,
    fields jsonb
) RETURNS jsonb
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_product_document';

COMMENT ON FUNCTION loyalty_product_document(text, text, numeric, numeric, text[], text, jsonb) IS
    'The document of a product that predicates of product segments see: sku, name, price, min_price, categories, '
    'partner and fields, without those that are null. Example: SELECT loyalty_product_document(''PC-1'', '
    '''Computer'', 999.00, NULL, ''{pc}'', NULL, ''{"ram": 16}'');';

-- ---------------------------------------------------------------------------------------------------------------------
-- Products

CREATE FUNCTION loyalty_check_prices_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    wrong record;
BEGIN
    -- Waits for a change of the currency scale, as the program's foreign key would.
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
        program.currency_scale
    INTO wrong
    FROM written AS product
    JOIN loyalty.programs AS program ON program.external_id = product.program
    WHERE greatest(min_scale(product.price), min_scale(product.min_price)) > program.currency_scale
    ORDER BY product.program, product.sku
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY313',
            MESSAGE = format('a price of product "%s" has more than %s decimals', wrong.sku, wrong.currency_scale),
            DETAIL = format(
                'Price %s, minimum price %s.',
                coalesce(wrong.price::text, 'none'),
                coalesce(wrong.min_price::text, 'none')
            ),
            HINT = format('Round it to the currency scale of program "%s".', wrong.program),
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_check_prices_trigger() IS
    'Trigger of loyalty.products, after an insert or update statement (transition table "written"): prices fit the '
    'currency scale (LY313). Example: CREATE TRIGGER ... REFERENCING NEW TABLE AS written ... EXECUTE FUNCTION '
    'loyalty_check_prices_trigger();';

CREATE FUNCTION loyalty_judge_products_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM
    FROM loyalty.drafts AS draft
    WHERE draft.program IN (SELECT written.program FROM written)
    ORDER BY draft.program
    FOR KEY SHARE;

    -- Only rows that change are written: a feed that sets the same price again costs the judging and nothing else. The
    -- statement is planned anew each time, since a plan for one product is wrong for a hundred thousand and vice versa.
    EXECUTE $statement$
    WITH document AS MATERIALIZED (
        SELECT
            product.program,
            product.sku,
            @extschema@.loyalty_product_document(
                product.sku, product.name, product.price, product.min_price,
                product.categories, product.partner, product.fields
            ) AS body
        FROM written AS product
    ),
    holds AS MATERIALIZED (
        SELECT
            document.program,
            document.sku,
            predicate.id AS predicate
        FROM document
        JOIN loyalty.product_predicates AS predicate ON predicate.program = document.program
        WHERE document.body @@ predicate.predicate
    ),
    no_longer AS (
        DELETE FROM loyalty.product_memberships AS membership
        USING written AS product
        WHERE membership.program = product.program
            AND membership.sku = product.sku
            AND NOT EXISTS (
                SELECT
                FROM holds
                WHERE holds.program = membership.program
                    AND holds.sku = membership.sku
                    AND holds.predicate = membership.predicate
            )
    )
    INSERT INTO loyalty.product_memberships (program, sku, predicate)
    SELECT
        holds.program,
        holds.sku,
        holds.predicate
    FROM holds
    ON CONFLICT DO NOTHING
    $statement$;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_judge_products_trigger() IS
    'Trigger of loyalty.products, after an insert or update statement (transition table "written"): judges the '
    'products by all predicates of their program. Errors: 40001 (predicates changed since the snapshot of a '
    'REPEATABLE READ transaction). Example: CREATE TRIGGER ... REFERENCING NEW TABLE AS written ... EXECUTE FUNCTION '
    'loyalty_judge_products_trigger();';

CREATE FUNCTION loyalty_forget_products_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM loyalty.product_memberships;
        RETURN NULL;
    END IF;

    -- An update may have given a product another SKU. Planned anew each time, like the judging.
    EXECUTE $statement$
    DELETE FROM loyalty.product_memberships AS membership
    USING former
    WHERE membership.program = former.program
        AND membership.sku = former.sku
        AND NOT EXISTS (
            SELECT
            FROM loyalty.products AS product
            WHERE product.program = former.program
                AND product.sku = former.sku
        )
    $statement$;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_forget_products_trigger() IS
    'Trigger of loyalty.products, after a truncate, or after a delete or update statement (transition table '
    '"former"): drops the memberships of products that are gone. Example: CREATE TRIGGER ... REFERENCING OLD TABLE '
    'AS former ... EXECUTE FUNCTION loyalty_forget_products_trigger();';

-- ---------------------------------------------------------------------------------------------------------------------
-- Predicates

CREATE FUNCTION loyalty_predicate_problem(predicate jsonpath) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    path CONSTANT text := predicate::text;
    -- Without the contents of its strings and keys: what is left of a variable is $"" and of a key ."".
    skeleton CONSTANT text := regexp_replace(path, '"(\\.|[^"\\])*"', '""', 'g');
BEGIN
    -- Over any document a predicate yields true, false or unknown, which is null; any other path yields its items.
    RETURN CASE
        WHEN length(path) > 10000
            THEN format('It has %s characters, and 10000 are allowed.', length(path))
        WHEN strpos(skeleton, '$""') > 0
            THEN 'It uses a variable, and nothing gives it a value.'
        WHEN skeleton ~ '\.(datetime|date|time|time_tz|timestamp|timestamp_tz)\('
            THEN 'It converts dates or times, which fails where only one of two has a time zone. Compare ISO texts.'
        WHEN jsonb_typeof(jsonb_path_query_first('{}', predicate, '{}', true)) IN ('boolean', 'null') IS NOT TRUE
            THEN 'It is not a predicate: it does not yield true or false.'
    END;
END
$body$;

COMMENT ON FUNCTION loyalty_predicate_problem(jsonpath) IS
    'Why a path cannot be a predicate over documents, or null if it can. Example: SELECT '
    'loyalty_predicate_problem(''$.price'');';

CREATE FUNCTION loyalty_check_predicate(segment text, predicate jsonpath) RETURNS void
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    path CONSTANT text := predicate::text;
    problem CONSTANT text := @extschema@.loyalty_predicate_problem(predicate);
BEGIN
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY306',
            MESSAGE = format('predicate of product segment "%s" is not usable', segment),
            DETAIL = problem,
            HINT = 'Write an SQL/JSON path predicate, such as $.categories[*] == "tv" && $.price >= 1000.',
            SCHEMA = 'loyalty',
            TABLE = 'product_segments',
            COLUMN = 'predicate';
    END IF;

    IF path ~ '[$@](\[\*\])?\."segments"' THEN
        RAISE EXCEPTION USING
            ERRCODE = '0A000',
            MESSAGE = format('predicate of product segment "%s" reads $.segments, which is not supported', segment),
            HINT = 'Repeat the other segment''s predicate.',
            SCHEMA = 'loyalty',
            TABLE = 'product_segments',
            COLUMN = 'predicate';
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_check_predicate(text, jsonpath) IS
    'Refuses a path that cannot be the predicate of a product segment: no predicate, with a variable or a conversion '
    'of dates, too long (LY306), or it reads $.segments (0A000). Example: SELECT loyalty_check_predicate(''tv'', '
    '''$.categories[*] == "tv"'');';

CREATE FUNCTION loyalty_lock_predicates(program text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    UPDATE loyalty.drafts AS draft
    SET generation = draft.generation + 1
    WHERE draft.program = loyalty_lock_predicates.program;
END
$body$;

COMMENT ON FUNCTION loyalty_lock_predicates(text) IS
    'Waits for all writers of a program''s products and makes new ones wait until the transaction ends. Example: '
    'SELECT loyalty_lock_predicates(''main'');';

CREATE FUNCTION loyalty_make_predicates(program text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    fresh jsonpath[];
BEGIN
    SELECT array_agg(distinct_predicate.predicate) INTO fresh
    FROM (
        SELECT DISTINCT ON (segment.predicate::text COLLATE "C")
            segment.predicate
        FROM loyalty.product_segments AS segment
        WHERE segment.program = loyalty_make_predicates.program
            AND segment.kind = 'dynamic'
            AND NOT EXISTS (
                SELECT
                FROM loyalty.product_predicates AS predicate
                WHERE predicate.program = segment.program
                    AND predicate.predicate::text = segment.predicate::text
            )
        ORDER BY segment.predicate::text COLLATE "C"
    ) AS distinct_predicate;
    IF fresh IS NULL THEN
        RETURN;
    END IF;

    PERFORM @extschema@.loyalty_require_read_committed('change predicates of product segments');
    PERFORM @extschema@.loyalty_lock_predicates(loyalty_make_predicates.program);

    WITH made AS (
        INSERT INTO loyalty.product_predicates (program, predicate)
        SELECT
            loyalty_make_predicates.program,
            predicate.path
        FROM unnest(fresh) AS predicate (path)
        RETURNING product_predicates.id, product_predicates.predicate
    )
    INSERT INTO loyalty.product_memberships (program, sku, predicate)
    SELECT
        product.program,
        product.sku,
        made.id
    FROM loyalty.products AS product
    -- OFFSET keeps the planner from making the document once for each predicate.
    CROSS JOIN LATERAL (
        SELECT @extschema@.loyalty_product_document(
            product.sku, product.name, product.price, product.min_price,
            product.categories, product.partner, product.fields
        ) AS body
        OFFSET 0
    ) AS document
    JOIN made ON document.body @@ made.predicate
    WHERE product.program = loyalty_make_predicates.program;
END
$body$;

COMMENT ON FUNCTION loyalty_make_predicates(text) IS
    'Judges all products of a program by those predicates of its segments that are new. The caller has locked the '
    'draft: loyalty_lock_draft(). Errors: LY317 (isolation level). Example: SELECT '
    'loyalty_make_predicates(''main'');';

CREATE FUNCTION loyalty_drop_unused_predicates(program text) RETURNS integer
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    unused integer[];
BEGIN
    SELECT array_agg(predicate.id) INTO unused
    FROM loyalty.product_predicates AS predicate
    WHERE predicate.program = loyalty_drop_unused_predicates.program
        AND NOT EXISTS (
            SELECT
            FROM loyalty.product_segments AS segment
            WHERE segment.program = predicate.program
                AND segment.predicate::text = predicate.predicate::text
        )
        AND predicate.id NOT IN (
            SELECT (segment.body ->> 'predicate_id')::integer
            FROM (
                SELECT version.tree
                FROM loyalty.promotion_versions AS version
                WHERE version.program = loyalty_drop_unused_predicates.program
                ORDER BY version.version DESC
                LIMIT 1
            ) AS latest
            CROSS JOIN LATERAL jsonb_array_elements(latest.tree -> 'segments') AS segment (body)
            WHERE segment.body ? 'predicate_id'
        );
    IF unused IS NULL THEN
        RETURN 0;
    END IF;

    -- Writers of products that have read the predicates must have written their memberships before both go.
    PERFORM @extschema@.loyalty_lock_predicates(loyalty_drop_unused_predicates.program);
    DELETE FROM loyalty.product_predicates AS predicate
    WHERE predicate.id = ANY (unused);
    RETURN cardinality(unused);
END
$body$;

COMMENT ON FUNCTION loyalty_drop_unused_predicates(text) IS
    'Drops the predicates, with their memberships, that neither a segment of the draft nor the version in force '
    'uses; returns how many. The caller has locked the draft: loyalty_lock_draft(). Example: SELECT '
    'loyalty_drop_unused_predicates(''main'');';

-- ---------------------------------------------------------------------------------------------------------------------
-- Segments

CREATE FUNCTION loyalty_product_segments_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM @extschema@.loyalty_lock_draft(NEW.program);
    IF TG_OP = 'UPDATE' AND NEW.kind IS DISTINCT FROM OLD.kind THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY312',
            MESSAGE = format('the kind of product segment "%s" cannot be changed', OLD.external_id),
            DETAIL = format('It is "%s", the change would make it "%s".', OLD.kind, NEW.kind),
            HINT = 'Make a new segment of the other kind.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'kind';
    END IF;
    PERFORM @extschema@.loyalty_check_predicate(NEW.external_id, NEW.predicate);
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_product_segments_trigger() IS
    'Trigger of loyalty.product_segments, before insert or update of a row: a usable predicate (LY306), a kind that '
    'stays (LY312). Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_product_segments_trigger();';

CREATE FUNCTION loyalty_product_segments_delete_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    used_by text;
BEGIN
    PERFORM @extschema@.loyalty_lock_draft(OLD.program);

    SELECT format('Promotion "%s" names it.', condition.promotion) INTO used_by
    FROM loyalty.promotion_conditions AS condition
    WHERE condition.program = OLD.program
        AND OLD.external_id = ANY (condition.segments)
    ORDER BY condition.promotion
    LIMIT 1;

    IF used_by IS NULL THEN
        SELECT format('Version %s of the promotion tree names it.', latest.version) INTO used_by
        FROM (
            SELECT version.version, version.tree
            FROM loyalty.promotion_versions AS version
            WHERE version.program = OLD.program
            ORDER BY version.version DESC
            LIMIT 1
        ) AS latest
        WHERE latest.tree -> 'segments' @> jsonb_build_array(jsonb_build_object('segment', OLD.external_id));
    END IF;

    IF used_by IS NOT NULL
        AND EXISTS (SELECT FROM loyalty.programs AS program WHERE program.external_id = OLD.program)
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY308',
            MESSAGE = format('product segment "%s" is in use', OLD.external_id),
            DETAIL = used_by,
            HINT = 'Remove it from the promotions and apply the tree, then delete it.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN OLD;
END
$body$;

COMMENT ON FUNCTION loyalty_product_segments_delete_trigger() IS
    'Trigger of loyalty.product_segments, before the deletion of a row: no promotion of the draft or of the version '
    'in force names the segment (LY308). Example: CREATE TRIGGER ... EXECUTE FUNCTION '
    'loyalty_product_segments_delete_trigger();';

CREATE FUNCTION loyalty_keep_predicates_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM @extschema@.loyalty_make_predicates(program.external_id)
        FROM loyalty.programs AS program
        WHERE program.external_id IN (SELECT written.program FROM written)
        ORDER BY program.external_id;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM @extschema@.loyalty_drop_unused_predicates(program.external_id)
        FROM loyalty.programs AS program
        WHERE program.external_id IN (SELECT former.program FROM former)
        ORDER BY program.external_id;
    END IF;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_keep_predicates_trigger() IS
    'Trigger of loyalty.product_segments, after an insert, update or delete statement (transition tables "written" '
    'and "former"): makes the predicates that are new and drops those no longer used. Errors: LY317 (isolation '
    'level). Example: CREATE TRIGGER ... REFERENCING NEW TABLE AS written ... EXECUTE FUNCTION '
    'loyalty_keep_predicates_trigger();';

CREATE FUNCTION loyalty_static_segment_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    wrong record;
BEGIN
    SELECT
        segment.program,
        segment.external_id
    INTO wrong
    FROM loyalty.product_segments AS segment
    WHERE segment.kind <> 'static'
        AND (segment.program, segment.external_id) IN (SELECT written.program, written.segment FROM written)
    ORDER BY segment.program, segment.external_id
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY318',
            MESSAGE = format('product segment "%s" is not static', wrong.external_id),
            DETAIL = 'A dynamic segment consists of the products for which its predicate holds.',
            HINT = 'List the products in a segment of kind "static".',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'segment';
    END IF;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_static_segment_trigger() IS
    'Trigger of loyalty.product_segment_members, after an insert or update statement (transition table "written"): '
    'only static segments have a list (LY318). Example: CREATE TRIGGER ... REFERENCING NEW TABLE AS written ... '
    'EXECUTE FUNCTION loyalty_static_segment_trigger();';
