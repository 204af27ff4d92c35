-- Product segments: predicates, and the membership kept up between them and products.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT loyalty_create_schema();
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin'), ('other', 'Other', 'profiles', 'EUR', 'Europe/Berlin');

-- What predicates see.
SELECT loyalty_product_document('PC-1', 'A "computer"', 999.50, 500, '{pc,office}', 'acme', '{"ram": 16}');
SELECT loyalty_product_document('PC-1', 'Computer', NULL, NULL, '{}', NULL, '{}');

-- ---------------------------------------------------------------------------------------------------------------------
-- Which paths are predicates

INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
VALUES
    ('main', 'comparison', 'OK', '$.price > 100'),
    ('main', 'exists', 'OK', 'exists($.fields.ram)'),
    ('main', 'filter', 'OK', 'exists($ ? (@.price > 100))'),
    ('main', 'date', 'OK', '$.fields.since >= "2026-01-01" && $.name != ".datetime()"'),
    ('main', 'like', 'OK', '$.name like_regex "^com.*r$" flag "i"'),
    ('main', 'strict', 'OK', 'strict $.fields.ram == 16'),
    ('main', 'dollar', 'OK', '$.name == "costs $\"x"'),
    ('main', 'unknown', 'OK', '($.price == "x") is unknown');
SELECT count(*) FROM loyalty.product_predicates;
DELETE FROM loyalty.product_segments;
SELECT count(*) FROM loyalty.product_predicates;

INSERT INTO loyalty.product_segments (program, external_id, name, predicate) VALUES ('main', 'x', 'X', '$.price');
\echo :SQLSTATE
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'x', 'X', '$.price > $limit');
\echo :SQLSTATE
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'x', 'X', '$.fields.since.datetime() > "2026-01-01".datetime()');
\echo :SQLSTATE
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'x', 'X', '$.categories[*] == "pc" && $.segments[*] == "tv"');
\echo :SQLSTATE
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
VALUES ('main', 'x', 'X', ('$.name == "' || repeat('x', 9986) || '"')::jsonpath);
\echo :SQLSTATE
\set VERBOSITY terse
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'x', 'X', '$.price ? (@ > 100)');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate) VALUES ('main', 'x', 'X', '$');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate) VALUES ('main', 'x', 'X', '1 + 1');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate) VALUES ('main', 'x', 'X', '$.price >');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate) VALUES ('main', 'x', 'X', NULL);
INSERT INTO loyalty.product_segments (program, external_id, name, kind, predicate)
    VALUES ('main', 'x', 'X', 'static', '$.price > 1');
INSERT INTO loyalty.product_segments (program, external_id, name, kind, predicate)
    VALUES ('main', 'x', 'X', 'random', '$.price > 1');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate) VALUES ('none', 'x', 'X', '$.price > 1');
\set VERBOSITY default

-- What a predicate may depend on.
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
VALUES
    ('main', '1', 'Category', '$.categories[*] == "tv"'),
    ('main', '2', 'Price', '$.price >= 1000'),
    ('main', '3', 'Escaped', '$."pr\u0069ce" >= 1000'),
    ('main', '4', 'Minimum price', '$.min_price < 10'),
    ('main', '5', 'Field', '$.fields.ram > 8'),
    ('main', '6', 'Any member', '$.* == 5'),
    ('main', '7', 'Any depth', '$.** == 5'),
    ('main', '8', 'Key and value', '$.keyvalue().key == "x"'),
    ('main', '9', 'Only a word', '$.name == "price"');
SELECT name, reads_price, reads_min_price, reads_fields
FROM loyalty.product_segments AS segment
JOIN loyalty.product_predicates AS predicate ON predicate.predicate::text = segment.predicate::text
ORDER BY external_id;
DELETE FROM loyalty.product_segments;

-- ---------------------------------------------------------------------------------------------------------------------
-- Membership

CREATE VIEW membership AS
SELECT
    predicate.program,
    predicate.predicate,
    ARRAY(
        SELECT membership.program || ':' || sku FROM loyalty.product_memberships AS membership
        WHERE membership.predicate = predicate.id
        ORDER BY 1
    ) AS products
FROM loyalty.product_predicates AS predicate
ORDER BY predicate.program, predicate.predicate::text COLLATE "C";
-- What the kept membership lacks, or has too much.
CREATE VIEW wrong_membership AS
WITH right_membership AS (
    SELECT program, sku, predicate.id AS predicate
    FROM loyalty.products AS product JOIN loyalty.product_predicates AS predicate USING (program)
    JOIN loyalty.product_documents AS document USING (program, sku)
    WHERE document.body @@ predicate.predicate
)
(TABLE right_membership EXCEPT TABLE loyalty.product_memberships)
UNION ALL
(TABLE loyalty.product_memberships EXCEPT TABLE right_membership);

-- Products first, then segments; equal predicates are one.
INSERT INTO loyalty.products (program, sku, name, price, categories, fields)
VALUES
    ('main', 'PC-1', 'Computer', 999.50, '{pc,office}', '{"ram": 16}'),
    ('main', 'TV-1', 'Television', 450, '{tv}', '{}'),
    ('main', 'TV-2', 'Big television', 1450, '{tv}', '{}'),
    ('other', 'TV-1', 'Television elsewhere', 2000, '{tv}', '{}');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
VALUES
    ('main', 'tv', 'Television', '$.categories[*] == "tv"'),
    ('main', 'tv again', 'The same, spelt otherwise', '($.categories[ * ]=="tv")'),
    ('main', 'dear', 'Dear', '$.price >= 1000'),
    ('other', 'tv', 'Television elsewhere', '$.categories[*] == "tv"');
TABLE membership;

-- Then products that come, change and go.
INSERT INTO loyalty.products (program, sku, name, price, categories)
    VALUES ('main', 'TV-3', 'Television', 3000, '{tv}');
UPDATE loyalty.products SET price = price * 2 WHERE program = 'main';
UPDATE loyalty.products SET categories = '{radio}' WHERE program = 'main' AND sku = 'TV-1';
TABLE membership;
DELETE FROM loyalty.products WHERE sku = 'TV-2';
UPDATE loyalty.products SET sku = 'TV-4' WHERE sku = 'TV-3';
INSERT INTO loyalty.products (program, sku, name, price, categories)
VALUES ('main', 'PC-1', 'Television too', 10, '{tv}'), ('main', 'TV-5', 'Television', NULL, '{tv}')
ON CONFLICT (program, sku) DO UPDATE SET price = excluded.price, categories = excluded.categories;
COPY loyalty.products (program, sku, name, price, categories) FROM stdin;
main	TV-6	Television	5000	{tv}
other	TV-6	Television	10	{tv}
\.
TABLE membership;
TABLE wrong_membership;
-- An update that changes nothing in the membership writes nothing into it.
SELECT max(xmin::text::bigint) AS newest FROM loyalty.product_memberships \gset
UPDATE loyalty.products SET price = price + 1;
SELECT count(*) AS written FROM loyalty.product_memberships WHERE xmin::text::bigint > :newest;

-- Nobody changes them by hand.
DO $$
BEGIN
    DELETE FROM loyalty.product_memberships;
EXCEPTION WHEN SQLSTATE 'LY747' THEN
    RAISE WARNING '%', SQLERRM;
END
$$;

-- Not from a trigger either, and no setting lets them.
\set VERBOSITY terse
SET loyalty.keeping = on;
CREATE TABLE lever (moved boolean);
CREATE FUNCTION pull() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM loyalty.product_memberships;
    RETURN NULL;
END
$$;
CREATE TRIGGER pull AFTER INSERT ON lever FOR EACH ROW EXECUTE FUNCTION pull();
INSERT INTO lever VALUES (true);
DROP TABLE lever;
DROP FUNCTION pull;
\set VERBOSITY default
-- Whoever calls what keeps them up, with whatever, leaves behind what is right.
SELECT loyalty_internal.judge_memberships('main', '{TV-1,nothing}', 'price'),
    loyalty_internal.judge_memberships('main', NULL, NULL),
loyalty_internal.forget_memberships('main', NULL) \g /dev/null
TABLE wrong_membership;

-- A predicate that no segment has any more goes; a new one is judged.
UPDATE loyalty.product_segments SET predicate = '$.price < 100' WHERE external_id = 'dear';
TABLE membership;
DELETE FROM loyalty.product_segments WHERE program = 'main' AND external_id = 'tv';
TABLE membership;
DELETE FROM loyalty.product_segments WHERE program = 'main' AND external_id = 'tv again';
TABLE membership;
-- A change of something else, or of the spelling, touches no predicate.
SELECT array_agg(id ORDER BY id) AS ids FROM loyalty.product_predicates \gset
UPDATE loyalty.product_segments SET name = 'Cheap' WHERE external_id = 'dear';
UPDATE loyalty.product_segments SET predicate = '($.price<100)' WHERE external_id = 'dear';
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'cheap', 'Cheap', '$ . price < 100');
SELECT array_agg(id ORDER BY id) = :'ids' AS same_predicates FROM loyalty.product_predicates;
TABLE wrong_membership;

-- A predicate of the version in force stays until the next version does without it.
INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
    VALUES ('main', 'p', 'P', 'discount', 'active');
INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments) VALUES ('main', 'p', 'in', '{cheap}');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', 'p', 1, 'discount', '{"percent": 10}');
SELECT loyalty_apply('main');
DELETE FROM loyalty.product_segments WHERE external_id = 'dear';
UPDATE loyalty.product_segments SET predicate = '$.price < 50' WHERE external_id = 'cheap';
TABLE membership;
-- Both are kept up.
INSERT INTO loyalty.products (program, sku, name, price)
    VALUES ('main', 'R-1', 'Radio', 70), ('main', 'R-2', 'Radio', 20);
TABLE membership;
TABLE wrong_membership;
SELECT loyalty_apply('main');
TABLE membership;
-- A segment that only the version in force names stays too.
UPDATE loyalty.promotion_conditions SET mode = 'all', segments = '{}' WHERE promotion = 'p';
DELETE FROM loyalty.product_segments WHERE external_id = 'cheap';
\echo :SQLSTATE
SELECT loyalty_apply('main');
DELETE FROM loyalty.product_segments WHERE external_id = 'cheap';
TABLE membership;

-- Segments that name others: membership follows what they refer to.
INSERT INTO loyalty.product_segments (program, external_id, name, kind) VALUES ('main', 'list', 'A list', 'static');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
VALUES
    ('main', 'radio', 'Radios', '$.name == "Radio"'),
    ('main', 'listed-radio', 'Of both', '$.segments[*] == "list" && $.segments[*] == "radio"'),
    ('main', 'other', 'None of these', '!($.segments[*] == "listed-radio") && !($.segments[*] == "acme")'),
    ('main', 'acme', 'Of Acme', '$.partner == "acme"'),
    ('main', 'any', 'Anything with this value', '$.*[*] == "acme"');
TABLE membership;
INSERT INTO loyalty.product_segment_members (program, segment, sku)
    VALUES ('main', 'list', 'R-1'), ('main', 'list', 'TV-5'), ('main', 'list', 'nothing');
INSERT INTO loyalty.partners (program, external_id, name) VALUES ('main', 'acme', 'Acme'), ('main', 'zeta', 'Zeta');
INSERT INTO loyalty.partner_products (program, sku, partner) VALUES ('main', 'R-2', 'zeta'), ('main', 'TV-5', 'acme');
TABLE membership;
TABLE wrong_membership;
UPDATE loyalty.partner_products SET partner = 'acme' WHERE sku = 'R-2';
UPDATE loyalty.partner_products SET sku = 'R-1' WHERE sku = 'TV-5';
UPDATE loyalty.product_segment_members SET sku = 'R-2' WHERE sku = 'R-1';
TABLE membership;
TABLE wrong_membership;
-- No predicate leads back to itself, not by a detour either.
UPDATE loyalty.product_segments SET predicate = '$.segments[*] == "listed-radio"' WHERE external_id = 'radio';
\echo :SQLSTATE
-- A changed predicate, too, changes those that name its segment.
UPDATE loyalty.product_segments SET predicate = '$.name == "Television"' WHERE external_id = 'radio';
TABLE membership;
DELETE FROM loyalty.partner_products WHERE sku = 'R-1';
DELETE FROM loyalty.product_segment_members WHERE sku = 'TV-5';
TABLE membership;
TABLE wrong_membership;
BEGIN;
TRUNCATE loyalty.partner_products, loyalty.product_segment_members;
TABLE wrong_membership;
TABLE membership;
ROLLBACK;
-- A line is judged by the same: with its own price, and not in the catalogue.
INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments)
    VALUES ('main', 'p', 'in', '{other}'), ('main', 'p', 'in', '{listed-radio}');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('main', 'p', 2, 'discount', '{"amount": 1}'), ('main', 'p', 3, 'discount', '{"amount": 2}');
UPDATE loyalty.product_segments SET predicate = '$.name == "Radio" || $.price == 5' WHERE external_id = 'radio';
INSERT INTO loyalty.product_segment_members (program, segment, sku) VALUES ('main', 'list', 'TV-4');
UPDATE loyalty.programs SET active = true WHERE external_id = 'main';
UPDATE loyalty.promotions SET audience = 'everyone';
DELETE FROM loyalty.promotion_conditions WHERE position = 1;
SELECT loyalty_apply('main');
SELECT line ->> 'product' AS product, line ->> 'discount' AS discount
FROM jsonb_array_elements(loyalty_calculate('{"lines": [
    {"product": "R-2", "quantity": 1}, {"product": "R-1", "quantity": 1}, {"product": "TV-4", "quantity": 1}, {"product": "TV-4", "quantity": 1, "price": 5},
    {"product": "nothing", "quantity": 1, "price": 5}, {"product": "nobody", "quantity": 1, "price": 5}
]}') -> 'lines') AS line;
UPDATE loyalty.promotion_conditions SET mode = 'all', segments = '{}';
SELECT loyalty_apply('main');
DELETE FROM loyalty.product_segments WHERE external_id IN ('other', 'any');
DELETE FROM loyalty.product_segments WHERE external_id = 'listed-radio';
DELETE FROM loyalty.product_segments WHERE program = 'main';

-- Truncating products empties the membership; truncating segments is refused.
BEGIN;
TRUNCATE loyalty.products, loyalty.partner_products;
TABLE loyalty.product_memberships;
ROLLBACK;
\set VERBOSITY terse
TRUNCATE loyalty.product_segments, loyalty.product_segment_members;
\set VERBOSITY default

-- The isolation level in which predicates are made.
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'tv', 'Television', '$.categories[*] == "tv"');
\echo :SQLSTATE
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO loyalty.product_segments (program, external_id, name, kind) VALUES ('main', 'picks', 'Picks', 'static');
INSERT INTO loyalty.products (program, sku, name) VALUES ('main', 'R-3', 'Radio');
COMMIT;

-- ---------------------------------------------------------------------------------------------------------------------
-- Static segments

INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'tv', 'Television', '$.categories[*] == "tv"');
INSERT INTO loyalty.product_segment_members (program, segment, sku)
    VALUES ('main', 'picks', 'TV-4'), ('main', 'picks', 'not in the catalogue');
INSERT INTO loyalty.product_segment_members (program, segment, sku)
    VALUES ('main', 'picks', 'R-1'), ('main', 'tv', 'R-1');
\echo :SQLSTATE
UPDATE loyalty.product_segment_members SET segment = 'tv' WHERE sku = 'TV-4';
UPDATE loyalty.product_segments SET kind = 'dynamic', predicate = '$.price > 1' WHERE external_id = 'picks';
\echo :SQLSTATE
UPDATE loyalty.product_segments SET external_id = 'tips' WHERE external_id = 'picks';
\echo :SQLSTATE
\set VERBOSITY terse
INSERT INTO loyalty.product_segment_members (program, segment, sku) VALUES ('main', 'picks', 'TV-4');
INSERT INTO loyalty.product_segment_members (program, segment, sku) VALUES ('main', 'nowhere', 'TV-4');
\set VERBOSITY default
SELECT segment, sku FROM loyalty.product_segment_members ORDER BY sku;
-- Looking into them; also at what a list names and nobody has.
SELECT * FROM loyalty_segment_members('product', 'main', 'picks');
SELECT * FROM loyalty_segment_members('product', 'main', 'tv');
SELECT * FROM loyalty_segment_members('product', 'main', 'nowhere');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM loyalty_segment_members('shop', 'main', 'tv');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM loyalty_segment_members('product', 'nowhere', 'tv');
\echo :LAST_ERROR_SQLSTATE
DELETE FROM loyalty.product_segments WHERE external_id = 'picks';
SELECT segment, sku FROM loyalty.product_segment_members ORDER BY sku;

DROP VIEW membership, wrong_membership;
DROP SCHEMA loyalty CASCADE;
