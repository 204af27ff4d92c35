-- loyalty_explain: the arbitration as a tree, price by price, with a reason for each promotion that did nothing.
\set ECHO none
SET client_min_messages = warning;
\i test/fixtures/program.sql
\set ECHO all
\pset format unaligned
\pset tuples_only on

-- It tells the total of loyalty_calculate(), and each of its operations in a line.
SELECT count(*) AS orders, count(*) FILTER (WHERE total AND operations) AS told
FROM orders
CROSS JOIN LATERAL (SELECT loyalty_calculate(document) AS result, ARRAY(SELECT loyalty_explain(document)) AS lines)
    AS both_functions
CROSS JOIN LATERAL (
    SELECT
        'Total: ' || (result #>> '{totals,total}') || ' RUB' = ANY (lines) AS total,
        (SELECT count(*) FROM unnest(lines) AS line WHERE line ~ '^ +(Line|Shipping|Order)\y')
            = jsonb_array_length(result -> 'operations') AS operations
) AS compared;

-- A whole tree: limits, cuts, sums, order-level shares, points paid and earned, a promotion that came too late.
SELECT loyalty_explain(document) FROM orders WHERE number = 9;

-- An anonymous guest; a line of which nothing matches; free shipping.
SELECT loyalty_explain('{"shipping": 300, "lines": [{"product": "P-2", "quantity": 2}]}');

-- A guest with a profile is no member.
SELECT loyalty_explain('{"member": "member-20", "lines": [{"product": "P-1", "quantity": 1}]}');

-- A member who does not ask to pay with points; one who asks for none of them; one whose point type sleeps.
CREATE TEMP TABLE asked (number, document) AS VALUES
    (1, '{"member": "member-1", "lines": [{"product": "P-2", "quantity": 1}]}'::jsonb),
    (2, '{"member": "member-1", "lines": [{"product": "P-2", "quantity": 1}], "redeem": [{"points": "bonus", "amount": 0}]}'),
    (3, '{"member": "member-1", "lines": [{"product": "P-2", "quantity": 1}], "redeem": [{"points": "miles", "amount": "max"}]}');
SELECT number, line FROM asked, loyalty_explain(document) AS line
    WHERE line ~ 'pay|points_discount|Points' ORDER BY number;
UPDATE loyalty.point_types SET active = false WHERE external_id IN ('bonus', 'miles');
SELECT number, line FROM asked, loyalty_explain(document) AS line WHERE line ~ 'pay|earn|points|Points' ORDER BY number;
UPDATE loyalty.point_types SET active = true;

-- Prices of 0; a minimum price that refuses everything; another combination that is worth more.
SELECT loyalty_explain('{"member": "member-1", "lines": [{"product": "P-3", "quantity": 1, "price": 0}]}');
SELECT loyalty_explain('{"lines": [{"product": "P-3", "quantity": 1, "price": 10, "min_price": 10}]}');
UPDATE loyalty.promotion_groups SET arbitration = 'incompatibility' WHERE external_id = 'both';
UPDATE loyalty.promotion_groups SET max_discount_amount = 10 WHERE external_id = 'best';
SELECT loyalty_apply('main');
SELECT loyalty_explain('{"member": "member-1", "lines": [{"product": "P-9", "quantity": 1, "price": 100}]}');

-- A search that ends at its limit is told, with what it knows.
INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, state, audience, starts_at)
SELECT 'main', 'many-' || number, 'Many', 'discount', 'best', 'active', 'everyone', '2020-01-01 00:00+00'
    FROM generate_series(1, 60) AS number;
INSERT INTO loyalty.promotion_conditions (program, promotion)
SELECT 'main', 'many-' || number FROM generate_series(1, 60) AS number;
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
SELECT 'main', 'many-' || number, 1, 'discount',
    jsonb_build_object('percent', 1 + number / 100.0, 'max_items', 1 + number % 3, 'pick', 'cheapest')
FROM generate_series(1, 60) AS number;
UPDATE loyalty.promotion_groups SET max_discount_amount = NULL WHERE external_id = 'best';
SELECT loyalty_apply('main');
SELECT loyalty_calculate(document) -> 'optimal' AS optimal FROM orders WHERE number = 5;
SELECT line FROM orders, loyalty_explain(document) AS line WHERE number = 5 AND line LIKE '%at its limit%';

-- Long runs of promotions that did not apply for one reason are folded, unless everything is asked for.
INSERT INTO loyalty.promotion_groups (program, external_id, name) VALUES ('main', 'long', 'Long');
INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, position, state, audience, starts_at)
SELECT 'main', 'long-' || number, 'Long', 'discount', 'long', number, 'active',
    CASE number WHEN 15 THEN 'everyone' ELSE 'guests' END, '2020-01-01 00:00+00'
FROM generate_series(1, 26) AS number;
INSERT INTO loyalty.promotion_conditions (program, promotion) SELECT 'main', 'long-' || number
    FROM generate_series(1, 26) AS number;
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
SELECT 'main', 'long-' || number, 1, 'discount', '{"percent": 1}' FROM generate_series(1, 26) AS number;
SELECT loyalty_apply('main');
SELECT line FROM loyalty_explain('{"member": "member-1", "lines": [{"product": "P-9", "quantity": 1, "price": 100}]}')
    AS line WHERE line ~ 'long|promotions more';
SELECT count(*)
    FROM loyalty_explain('{"member": "member-1", "lines": [{"product": "P-9", "quantity": 1, "price": 100}]}',
    everything => true) AS line WHERE line ~ 'long-';

-- Without any version: base prices. Its errors are those of loyalty_calculate().
DROP SCHEMA loyalty CASCADE;
SELECT loyalty_create_schema();
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, currency_scale, time_zone, active)
VALUES ('none', 'Nothing applied yet', 'profiles', 'JPY', 0, 'Asia/Tokyo', true);
SELECT loyalty_explain('{"lines": [{"product": "P-1", "quantity": 1.5, "price": 101}]}');
\set SHOW_CONTEXT never
SELECT loyalty_explain('{"lines": [{"product": "P-1", "quantity": 1.5}]}');
\echo :SQLSTATE

DROP SCHEMA loyalty CASCADE;
DROP TABLE orders;
