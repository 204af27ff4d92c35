-- Products, segments, and the membership of products kept up between them.

CREATE OR REPLACE VIEW loyalty.product_documents AS
SELECT
    product.program,
    product.sku,
    @extschema@.loyalty_product_document(
        product.sku::text,
        product.name,
        product.price,
        product.min_price,
        product.categories,
        partner_product.partner::text,
        product.fields,
        ARRAY(
            SELECT listed.segment::text
            FROM loyalty.product_segment_members AS listed
            WHERE listed.sku = product.sku
                AND listed.program = product.program
            ORDER BY listed.segment
        )
    ) AS body
FROM loyalty.products AS product
LEFT JOIN loyalty.partner_products AS partner_product
    ON partner_product.sku = product.sku AND partner_product.program = product.program;

COMMENT ON VIEW loyalty.product_documents IS
    'The document of each product that predicates of product segments are judged on.';
COMMENT ON COLUMN loyalty.product_documents.program IS 'The program.';
COMMENT ON COLUMN loyalty.product_documents.sku IS 'The product.';
COMMENT ON COLUMN loyalty.product_documents.body IS 'See loyalty_product_document().';

CREATE OR REPLACE VIEW loyalty.segment_products AS
SELECT
    listed.program,
    listed.segment,
    listed.sku
FROM loyalty.product_segment_members AS listed
JOIN loyalty.products AS product ON product.sku = listed.sku AND product.program = listed.program
UNION ALL
SELECT
    segment.program,
    segment.external_id,
    found.sku
FROM loyalty.product_segments AS segment
CROSS JOIN LATERAL (
    SELECT loyalty_internal.expand_predicate('product'::text, segment.program::text, segment.predicate) AS predicate
    OFFSET 0
) AS expanded
LEFT JOIN loyalty.product_predicates AS kept
    ON kept.program = segment.program AND kept.predicate::text = expanded.predicate::text
-- Memberships are kept up where something judges by them; in other segments products are judged on the spot.
CROSS JOIN LATERAL (
    SELECT membership.sku
    FROM loyalty.product_memberships AS membership
    WHERE membership.predicate = kept.id
    UNION ALL
    SELECT document.sku
    FROM loyalty.product_documents AS document
    WHERE document.program = segment.program
        AND kept.id IS NULL
        AND document.body @@ expanded.predicate
) AS found
WHERE segment.kind = 'dynamic';

COMMENT ON VIEW loyalty.segment_products IS
    'The products of the catalogue that belong to each product segment, as the segments are drafted.';
COMMENT ON COLUMN loyalty.segment_products.program IS 'The program.';
COMMENT ON COLUMN loyalty.segment_products.segment IS 'The product segment.';
COMMENT ON COLUMN loyalty.segment_products.sku IS 'The product.';

-- What keeps memberships up, with the rights of the schema's owner. Nobody is granted them but those who edit products
-- and segments; whatever they are called with, they leave behind what is right.

CREATE OR REPLACE FUNCTION loyalty.judge_products(program text, skus text[], member text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    PERFORM FROM loyalty.drafts AS draft WHERE draft.program = judge_products.program FOR KEY SHARE;

    PERFORM loyalty_internal.judge_memberships(program, skus, member);
END
$function$;
REVOKE ALL ON FUNCTION loyalty.judge_products(text, text[], text) FROM PUBLIC;
COMMENT ON FUNCTION loyalty.judge_products(text, text[], text) IS
    'Judges products of a program (null: all) by its predicates, or by those that read the named member of their '
    'documents, and writes which hold. Example: SELECT loyalty.judge_products(''main'', ''{PC-1}'', NULL);';

CREATE OR REPLACE FUNCTION loyalty.forget_products(program text, skus text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    PERFORM loyalty_internal.forget_memberships(program, skus);
END
$function$;
REVOKE ALL ON FUNCTION loyalty.forget_products(text, text[]) FROM PUBLIC;
COMMENT ON FUNCTION loyalty.forget_products(text, text[]) IS
    'Drops the memberships of those products of a program (null: of all) that are gone. Example: SELECT '
    'loyalty.forget_products(''main'', ''{PC-1}'');';

CREATE OR REPLACE FUNCTION loyalty.make_predicates(program text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    fresh jsonpath[];
BEGIN
    SELECT array_agg(needed.predicate ORDER BY needed.predicate::text COLLATE "C") INTO fresh
    FROM loyalty_internal.needed_predicates(make_predicates.program) AS needed (predicate)
    WHERE NOT EXISTS (
        SELECT
        FROM loyalty.product_predicates AS predicate
        WHERE predicate.program = make_predicates.program
            AND predicate.predicate::text = needed.predicate::text
    );
    IF fresh IS NULL THEN
        RETURN;
    END IF;

    PERFORM loyalty_internal.require_read_committed('change predicates of product segments'::text);
    PERFORM loyalty_internal.lock_predicates(make_predicates.program);

    WITH made AS (
        INSERT INTO loyalty.product_predicates (program, predicate)
        SELECT
            make_predicates.program,
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
        SELECT same.body
        FROM loyalty.product_documents AS same
        WHERE same.sku = product.sku
            AND same.program = product.program
        OFFSET 0
    ) AS document
    JOIN made ON document.body @@ made.predicate
    WHERE product.program = make_predicates.program;
END
$function$;
REVOKE ALL ON FUNCTION loyalty.make_predicates(text) FROM PUBLIC;
COMMENT ON FUNCTION loyalty.make_predicates(text) IS
    'What loyalty_internal.make_predicates() does. Example: SELECT loyalty.make_predicates(''main'');';

CREATE OR REPLACE FUNCTION loyalty.drop_predicates(program text) RETURNS integer
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    unused integer[];
BEGIN
    SELECT array_agg(predicate.id) INTO unused
    FROM loyalty.product_predicates AS predicate
    WHERE predicate.program = drop_predicates.program
        AND NOT EXISTS (
            SELECT
            FROM loyalty_internal.needed_predicates(drop_predicates.program) AS needed (predicate)
            WHERE needed.predicate::text = predicate.predicate::text
        )
        AND predicate.id NOT IN (
            SELECT (segment.body ->> 'predicate_id')::integer
            FROM (
                SELECT version.tree
                FROM loyalty.promotion_versions AS version
                WHERE version.program = drop_predicates.program
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
    PERFORM loyalty_internal.lock_predicates(drop_predicates.program);
    DELETE FROM loyalty.product_predicates AS predicate
    WHERE predicate.id = ANY (unused);
    RETURN cardinality(unused);
END
$function$;
REVOKE ALL ON FUNCTION loyalty.drop_predicates(text) FROM PUBLIC;
COMMENT ON FUNCTION loyalty.drop_predicates(text) IS
    'What loyalty_internal.drop_unused_predicates() does. Example: SELECT loyalty.drop_predicates(''main'');';

CREATE OR REPLACE TRIGGER check_prices_insert
    AFTER INSERT ON loyalty.products
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.check_prices_trigger();
COMMENT ON TRIGGER check_prices_insert ON loyalty.products IS 'Prices fit the program''s price scale.';

CREATE OR REPLACE TRIGGER check_prices_update
    AFTER UPDATE ON loyalty.products
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.check_prices_trigger();
COMMENT ON TRIGGER check_prices_update ON loyalty.products IS 'Prices fit the program''s price scale.';

CREATE OR REPLACE TRIGGER judge_insert
    AFTER INSERT ON loyalty.products
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.judge_products_trigger();
COMMENT ON TRIGGER judge_insert ON loyalty.products IS 'Judges the products by all predicates of their program.';

CREATE OR REPLACE TRIGGER judge_update
    AFTER UPDATE ON loyalty.products
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.judge_products_trigger();
COMMENT ON TRIGGER judge_update ON loyalty.products IS 'Judges the products by all predicates of their program.';

CREATE OR REPLACE TRIGGER forget_update
    AFTER UPDATE ON loyalty.products
    REFERENCING OLD TABLE AS former
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.forget_products_trigger();
COMMENT ON TRIGGER forget_update ON loyalty.products IS 'Drops the memberships of products that are gone.';

CREATE OR REPLACE TRIGGER forget_delete
    AFTER DELETE ON loyalty.products
    REFERENCING OLD TABLE AS former
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.forget_products_trigger();
COMMENT ON TRIGGER forget_delete ON loyalty.products IS 'Drops the memberships of products that are gone.';

CREATE OR REPLACE TRIGGER forget_truncate
    AFTER TRUNCATE ON loyalty.products
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.forget_products_trigger();
COMMENT ON TRIGGER forget_truncate ON loyalty.products IS 'Drops the memberships of all products.';

CREATE OR REPLACE TRIGGER keep_predicates_insert
    AFTER INSERT ON loyalty.product_segments
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.keep_predicates_trigger();
COMMENT ON TRIGGER keep_predicates_insert ON loyalty.product_segments IS 'Makes the predicates that are new.';

CREATE OR REPLACE TRIGGER keep_predicates_update
    AFTER UPDATE ON loyalty.product_segments
    REFERENCING OLD TABLE AS former NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.keep_predicates_trigger();
COMMENT ON TRIGGER keep_predicates_update ON loyalty.product_segments IS
    'Makes the predicates that are new, drops those no longer used.';

CREATE OR REPLACE TRIGGER keep_predicates_delete
    AFTER DELETE ON loyalty.product_segments
    REFERENCING OLD TABLE AS former
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.keep_predicates_trigger();
COMMENT ON TRIGGER keep_predicates_delete ON loyalty.product_segments IS 'Drops the predicates no longer used.';

-- Two more tables that the documents of products are made from.
DO $do$
DECLARE
    source record;
BEGIN
    FOR source IN
        SELECT *
        FROM (
            VALUES ('partner_products', 'partner'), ('product_segment_members', 'segments')
        ) AS part (relation, member)
        CROSS JOIN (
            VALUES
                ('judge_insert', 'INSERT', 'REFERENCING NEW TABLE AS written'),
                ('judge_update', 'UPDATE', 'REFERENCING NEW TABLE AS written'),
                ('judge_update_former', 'UPDATE', 'REFERENCING OLD TABLE AS written'),
                ('judge_delete', 'DELETE', 'REFERENCING OLD TABLE AS written'),
                ('judge_truncate', 'TRUNCATE', '')
        ) AS change (name, event, transition)
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER %I AFTER %s ON loyalty.%I %s '
            'FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.judge_products_trigger(%L)',
            source.name, source.event, source.relation, source.transition, source.member
        );
        EXECUTE format(
            'COMMENT ON TRIGGER %I ON loyalty.%I IS %L',
            source.name, source.relation, 'Judges the products by the predicates that read it.'
        );
    END LOOP;
END
$do$;

-- Memberships follow products and segments: the functions above keep them up, and foreign keys. Both are known to the
-- trigger without anything that SQL could set.
CREATE OR REPLACE TRIGGER refuse_change
    BEFORE UPDATE OR DELETE ON loyalty.product_memberships
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.kept_up_trigger();
COMMENT ON TRIGGER refuse_change ON loyalty.product_memberships IS 'Memberships are kept up by functions.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.product_memberships
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.kept_up_trigger();
COMMENT ON TRIGGER refuse_truncate ON loyalty.product_memberships IS 'Memberships are kept up by functions.';
