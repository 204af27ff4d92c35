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

CREATE OR REPLACE TRIGGER check_prices_insert
    AFTER INSERT ON loyalty.products
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_check_prices_trigger();
COMMENT ON TRIGGER check_prices_insert ON loyalty.products IS 'Prices fit the currency scale.';

CREATE OR REPLACE TRIGGER check_prices_update
    AFTER UPDATE ON loyalty.products
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_check_prices_trigger();
COMMENT ON TRIGGER check_prices_update ON loyalty.products IS 'Prices fit the currency scale.';

CREATE OR REPLACE TRIGGER judge_insert
    AFTER INSERT ON loyalty.products
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_judge_products_trigger();
COMMENT ON TRIGGER judge_insert ON loyalty.products IS 'Judges the products by all predicates of their program.';

CREATE OR REPLACE TRIGGER judge_update
    AFTER UPDATE ON loyalty.products
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_judge_products_trigger();
COMMENT ON TRIGGER judge_update ON loyalty.products IS 'Judges the products by all predicates of their program.';

CREATE OR REPLACE TRIGGER forget_update
    AFTER UPDATE ON loyalty.products
    REFERENCING OLD TABLE AS former
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_forget_products_trigger();
COMMENT ON TRIGGER forget_update ON loyalty.products IS 'Drops the memberships of products that are gone.';

CREATE OR REPLACE TRIGGER forget_delete
    AFTER DELETE ON loyalty.products
    REFERENCING OLD TABLE AS former
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_forget_products_trigger();
COMMENT ON TRIGGER forget_delete ON loyalty.products IS 'Drops the memberships of products that are gone.';

CREATE OR REPLACE TRIGGER forget_truncate
    AFTER TRUNCATE ON loyalty.products
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_forget_products_trigger();
COMMENT ON TRIGGER forget_truncate ON loyalty.products IS 'Drops the memberships of all products.';

CREATE OR REPLACE TRIGGER keep_predicates_insert
    AFTER INSERT ON loyalty.product_segments
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_keep_predicates_trigger();
COMMENT ON TRIGGER keep_predicates_insert ON loyalty.product_segments IS 'Makes the predicates that are new.';

CREATE OR REPLACE TRIGGER keep_predicates_update
    AFTER UPDATE ON loyalty.product_segments
    REFERENCING OLD TABLE AS former NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_keep_predicates_trigger();
COMMENT ON TRIGGER keep_predicates_update ON loyalty.product_segments IS
    'Makes the predicates that are new, drops those no longer used.';

CREATE OR REPLACE TRIGGER keep_predicates_delete
    AFTER DELETE ON loyalty.product_segments
    REFERENCING OLD TABLE AS former
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_keep_predicates_trigger();
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
            'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_judge_products_trigger(%L)',
            source.name, source.event, source.relation, source.transition, source.member
        );
        EXECUTE format(
            'COMMENT ON TRIGGER %I ON loyalty.%I IS %L',
            source.name, source.relation, 'Judges the products by the predicates that read it.'
        );
    END LOOP;
END
$do$;
