-- loyalty_test(): the draft tried out, for members real and made up, with products edited in place.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT loyalty_create_schema();
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true),
    ('idle', 'Idle', 'profiles', 'JPY', 'Asia/Tokyo', false);
INSERT INTO loyalty.point_types (program, external_id, name, ratio, scale, active)
VALUES ('main', 'bonus', 'Bonus', 2, 1, true), ('main', 'old', 'Old', 1, 0, false);
INSERT INTO loyalty.channels (program, external_id, name) VALUES ('main', 'web', 'Web');
INSERT INTO loyalty.contact_points (program, channel, external_id, name) VALUES ('main', 'web', 'cart', 'Cart');
INSERT INTO loyalty.regions (program, external_id, name) VALUES ('main', '77', 'Moscow');
INSERT INTO loyalty.profiles (key) VALUES ('ann'), ('guest');
INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('ann', 'main', loyalty.clock());
INSERT INTO loyalty.balances (member, program, point_type, seq, total) VALUES ('ann', 'main', 'bonus', 1, 30);
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining, active_from)
    VALUES ('ann', 'main', 'bonus', 1, 30, 30, '2020-01-01');
INSERT INTO loyalty.products (program, sku, name, price, categories, fields)
VALUES ('main', 'TV-1', 'Television', 100, '{tv}', '{"warranty": 2}'), ('main', 'CD-1', 'Record', 10, '{cd}', '{}');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
VALUES ('main', 'tv', 'TV', '$.categories[*] == "tv" && $.price >= 50'),
    ('main', 'named', 'Named', '$.name starts with "Tele" || $.partner == "acme"');
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
VALUES
    ('main', 'tv', 'TV week', 'discount', 'active', 'everyone'),
    ('main', 'named', 'Named', 'discount', 'active', 'everyone'),
    ('main', 'postage', 'Postage', 'discount', 'active', 'everyone'),
    ('main', 'pay', 'Pay', 'points', 'active', 'members'),
    ('main', 'earn', 'Earn', 'points', 'active', 'members');
UPDATE loyalty.promotions SET starts_at = '2026-01-01 00:00+00';
INSERT INTO loyalty.promotion_conditions (program, promotion, level, mode, segments)
VALUES
    ('main', 'tv', 'product', 'in', '{tv}'), ('main', 'named', 'product', 'in', '{named}'),
    ('main', 'postage', 'order', 'all', '{}'),
    ('main', 'pay', 'product', 'all', '{}'), ('main', 'earn', 'product', 'all', '{}');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES
    ('main', 'tv', 1, 'discount', '{"percent": 20}'), ('main', 'named', 1, 'discount', '{"amount": 1}'),
    ('main', 'postage', 1, 'discount', '{"amount": 3, "target": "shipping"}'),
    ('main', 'pay', 1, 'points_discount', '{"point_type": "bonus", "percent": 50}'),
    ('main', 'earn', 1, 'accrue_points', '{"point_type": "bonus", "percent": 10}');
SELECT loyalty_apply('main');

-- ---------------------------------------------------------------------------------------------------------------------
-- The three tabs. Two televisions: 200 - 20 % - 2 x 1 = 158, of which 15 are paid with the 30 points; records: 1.5 x 10
-- = 15; shipping: 5 - 3. Earned are 10 % of 143 and of 15, 2 points being worth 1: 28.6 and 3. Every row of the lists
-- of the reference: orders, lines, items, benefits, value and discount, delivery and discount, total and discount;
-- changes of points; operations with order item, line, benefit, result, promotion and its type.

\set order '{"program": "main", "member": "ann", "external_id": "A-1", "channel": "web", "contact_point": "cart", "region": "77", "time": "2026-11-21T12:00:00+03:00", "shipping": 5, "lines": [{"product": "TV-1", "quantity": 2}, {"product": "CD-1", "quantity": 1.5}], "redeem": [{"points": "bonus", "amount": "max"}], "promo_codes": ["BDAY"]}'
SELECT jsonb_pretty(loyalty_test(:'order') - 'orders');
SELECT loyalty_test(:'order') #> '{orders,0}' = loyalty_calculate(:'order') - 'version' AS is_the_quote;

-- ---------------------------------------------------------------------------------------------------------------------
-- Unapplied changes count, in the transaction that makes them, too; nothing is written

CREATE FUNCTION totals() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT format('quote %s, test %s', loyalty_calculate(document) #> '{totals,total}',
        loyalty_test(document) #> '{summary,total,total}')
    FROM (VALUES ('{"program": "main", "lines": [{"product": "TV-1", "quantity": 1}]}'::jsonb)) AS o (document)
$$;
SELECT totals();
UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 30}' WHERE promotion = 'tv';
SELECT totals();
BEGIN;
UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 40}' WHERE promotion = 'tv';
SELECT totals();
SAVEPOINT before;
UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 50}' WHERE promotion = 'tv';
SELECT totals();
ROLLBACK TO before;
SELECT totals();
DO $$
BEGIN
    FOR percent IN 1..3 LOOP
        UPDATE loyalty.promotion_benefits SET parameters = jsonb_build_object('percent', percent)
            WHERE promotion = 'tv';
        RAISE WARNING '%', totals();
    END LOOP;
    BEGIN
        UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 90}' WHERE promotion = 'tv';
        RAISE WARNING '%', totals();
        RAISE EXCEPTION 'undo';
    EXCEPTION WHEN raise_exception THEN
        RAISE WARNING '%', totals();
    END;
END
$$;
ROLLBACK;
SELECT totals();
-- So do predicates, for stored products; ratios; what is not active; an end.
UPDATE loyalty.product_segments SET predicate = '$.price < 50' WHERE external_id = 'tv';
SELECT totals();
SELECT loyalty_deactivate_promotion('main', 'named');
SELECT totals();
SELECT loyalty_test(
    '{"program": "main", "member": "ann", "lines": [{"product": "CD-1", "quantity": 1}], "redeem": [{"points": "bonus", "amount": "max"}]}') #> '{points,0,spent}';
UPDATE loyalty.point_types SET ratio = 10 WHERE external_id = 'bonus';
SELECT loyalty_test(
    '{"program": "main", "member": "ann", "lines": [{"product": "CD-1", "quantity": 1}], "redeem": [{"points": "bonus", "amount": "max"}]}') #> '{points,0,spent}';
SELECT loyalty_revert('main');
SELECT totals();
BEGIN READ ONLY;
SELECT totals();
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- A member made up: balances, tiers, segments, promo codes

INSERT INTO loyalty.profile_segments (program, external_id, name, kind)
    VALUES ('main', 'students', 'Students', 'static');
INSERT INTO loyalty.tier_groups (program, external_id, name, model) VALUES ('main', 'status', 'Status', 'dynamic');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, position, predicate)
    VALUES ('main', 'gold', 'status', 'Gold', 0, '$.orders.count >= 3');
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind)
    VALUES ('main', 'birthday', 'Birthday', 'personal');
INSERT INTO loyalty.promo_codes (code, program, pool) VALUES ('BDAY', 'main', 'birthday');
\set order '{"program": "main", "lines": [{"product": "TV-1", "quantity": 1}], "redeem": [{"points": "bonus", "amount": 15}, {"points": "old", "amount": 5}]}'
SELECT loyalty_test(:'order',
    '{"balances": {"bonus": 12.5, "old": 7}, "tiers": ["gold"], "segments": ["students"], "promo_codes": ["bday"]}') -> 'points';
SELECT loyalty_test(:'order', '{"balances": {}}') -> 'points' -> 0;
SELECT loyalty_test(:'order') -> 'points';
SELECT loyalty_test(:'order', '{"tiers": []}') #> '{orders,0,buyer}',
    loyalty_test(:'order', '{"tiers": []}') #> '{orders,0}' ? 'member' AS has_a_key;
-- What the context says wrongly.
SELECT loyalty_test(:'order', '{"balances": {"nope": 1}}');
\echo :SQLSTATE
SELECT loyalty_test(:'order', '{"balances": {"bonus": -1}}');
\echo :SQLSTATE
SELECT loyalty_test(:'order', '{"balances": {"bonus": 1.25}}');
\echo :SQLSTATE
SELECT loyalty_test(:'order', '{"balances": {"bonus": "all"}}');
\echo :SQLSTATE
SELECT loyalty_test(:'order', '{"balances": [1]}');
\echo :SQLSTATE
SELECT loyalty_test(:'order', '{"tiers": ["gold", "silver"]}');
\echo :SQLSTATE
SELECT loyalty_test(:'order', '{"segments": ["students", "pupils"]}');
\echo :SQLSTATE
SELECT loyalty_test(:'order', '{"promo_codes": ["NEVER"]}');
\echo :SQLSTATE
SELECT loyalty_test(:'order', '{"tiers": ["gold", "gold"]}');
\echo :SQLSTATE
SELECT loyalty_test(:'order', '{"tiers": "gold"}');
\echo :SQLSTATE
SELECT loyalty_test(:'order', '{"level": "gold"}');
\echo :SQLSTATE
SELECT loyalty_test(:'order', '[]');
\echo :SQLSTATE
SELECT loyalty_test('{"program": "main", "member": "ann", "lines": [{"product": "TV-1", "quantity": 1}]}',
    '{"balances": {"bonus": 1}}');
\echo :SQLSTATE
SELECT loyalty_test('{"program": "main", "member": "nobody", "lines": [{"product": "TV-1", "quantity": 1}]}');
\echo :SQLSTATE

-- ---------------------------------------------------------------------------------------------------------------------
-- Products edited in place: the catalogue stays

CREATE FUNCTION discounts(line text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(string_agg(format('%s %s', operation ->> 'promotion', operation ->> 'discount'), ', '), 'none')
    FROM jsonb_array_elements(loyalty_test(format('{"program": "main", "lines": [%s]}', line)::jsonb) -> 'operations')
        AS operation
$$;
SELECT discounts('{"product": "TV-1", "quantity": 1}') AS as_it_is,
    discounts('{"product": "TV-1", "quantity": 1, "price": 49}') AS cheap,
    discounts('{"product": "TV-1", "quantity": 1, "price": 60, "min_price": 59.5}') AS near_its_floor,
    discounts('{"product": "TV-1", "quantity": 1, "name": "Screen"}') AS renamed,
    discounts('{"product": "TV-1", "quantity": 1, "categories": ["cd"]}') AS moved,
    discounts('{"product": "CD-1", "quantity": 1, "categories": ["cd", "tv"], "price": 50}') AS also_tv,
    discounts('{"product": "CD-1", "quantity": 1, "partner": "acme"}') AS of_a_partner,
    discounts('{"product": "new", "quantity": 1, "price": 80, "name": "Television of tomorrow", "categories": ["tv"]}')
        AS unknown;
SELECT name, price, categories FROM loyalty.products ORDER BY sku;
-- Submitted orders cannot do that.
SELECT loyalty_calculate('{"program": "main", "lines": [{"product": "TV-1", "quantity": 1, "categories": ["cd"]}]}');
\echo :SQLSTATE
SELECT loyalty_test('{"program": "main", "lines": [{"product": "TV-1", "quantity": 1, "categories": "cd"}]}');
\echo :SQLSTATE
SELECT loyalty_test('{"program": "main", "lines": [{"product": "TV-1", "quantity": 1, "colour": "red"}]}');
\echo :SQLSTATE

-- ---------------------------------------------------------------------------------------------------------------------
-- Auto-calculate

SELECT loyalty_test('{"program": "main", "total": 7, "lines": [{"product": "CD-1", "quantity": 1}]}',
    '{"auto_calculate": false}') #> '{summary,total}';
SELECT loyalty_test('{"program": "main", "total": 7, "lines": [{"product": "CD-1", "quantity": 1}]}');
\echo :SQLSTATE
SELECT loyalty_test('{"program": "main", "lines": [{"product": "CD-1", "quantity": 1}]}', '{"auto_calculate": false}');
\echo :SQLSTATE
SELECT loyalty_test('{"program": "main", "total": 7.001, "lines": [{"product": "CD-1", "quantity": 1}]}',
    '{"auto_calculate": false}');
\echo :SQLSTATE
SELECT loyalty_test('{"program": "main", "lines": [{"product": "CD-1", "quantity": 1}]}', '{"auto_calculate": "no"}');
\echo :SQLSTATE
SELECT loyalty_calculate('{"program": "main", "total": 7, "lines": [{"product": "CD-1", "quantity": 1}]}');
\echo :SQLSTATE

-- ---------------------------------------------------------------------------------------------------------------------
-- Many orders

\set orders '[{"program": "main", "external_id": "A-1", "member": "ann", "shipping": 5, "lines": [{"product": "TV-1", "quantity": 1}]}, {"program": "main", "external_id": "A-2", "lines": [{"product": "CD-1", "quantity": 2}, {"product": "TV-1", "quantity": 0.5}]}]'
SELECT jsonb_pretty(loyalty_test(:'orders') -> 'summary');
SELECT operation -> 'order' AS number, operation ->> 'external_id' AS id, operation -> 'item' AS item,
    operation ->> 'promotion' AS promotion, coalesce(operation -> 'discount', operation -> 'accrued') AS result
FROM jsonb_array_elements(loyalty_test(:'orders') -> 'operations') AS operation;
SELECT loyalty_test(:'orders') -> 'points';
-- The sums are those of the orders, which are independent of each other: a history in one query.
CREATE TABLE history AS
SELECT number, jsonb_build_object(
    'program', 'main', 'member', CASE WHEN number % 3 > 0 THEN 'ann' END, 'shipping', number % 7,
    'redeem', '[{"points": "bonus", "amount": 4}]'::jsonb,
    'lines', jsonb_build_array(
        jsonb_build_object('product', CASE number % 2 WHEN 0 THEN 'TV-1' ELSE 'CD-1' END, 'quantity', number % 5 + 1))
) AS document
FROM generate_series(1, 300) AS number;
UPDATE history SET document = document - 'member' WHERE document -> 'member' = 'null';
UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 35}' WHERE promotion = 'tv';
WITH one_by_one AS (SELECT loyalty_test(document) -> 'summary' AS summary FROM history)
SELECT
    sum((summary -> 'orders')::numeric) = (loyalty_test(together.documents) #> '{summary,orders}')::numeric AS orders,
    sum((summary -> 'items')::numeric) = (loyalty_test(together.documents) #> '{summary,items}')::numeric AS items,
    sum((summary -> 'benefits')::numeric) = (loyalty_test(together.documents) #> '{summary,benefits}')::numeric
        AS benefits,
    sum((summary #> '{goods,discount}')::numeric)
        = (loyalty_test(together.documents) #> '{summary,goods,discount}')::numeric AS discount,
    sum((summary #> '{shipping,discount}')::numeric)
        = (loyalty_test(together.documents) #> '{summary,shipping,discount}')::numeric AS shipping_discount,
    sum((summary #> '{total,total}')::numeric) = (loyalty_test(together.documents) #> '{summary,total,total}')::numeric
        AS total
FROM one_by_one, (SELECT jsonb_agg(document) AS documents FROM history) AS together
GROUP BY together.documents;
-- What applying would have cost on it, in parallel.
ANALYZE history;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE FUNCTION cost(document jsonb) RETURNS numeric LANGUAGE sql STABLE PARALLEL SAFE
RETURN (loyalty_calculate(document) #> '{totals,total}')::numeric
    - (loyalty_test(document) #> '{summary,total,total}')::numeric;
EXPLAIN (COSTS OFF) SELECT sum(cost(document)) FROM history;
SELECT sum(cost(document)) FROM history;
SET max_parallel_workers_per_gather = 0;
SELECT sum(cost(document)) FROM history;
RESET max_parallel_workers_per_gather;
-- An error says which order it is about.
SELECT loyalty_test(
    '[{"program": "main", "lines": [{"product": "CD-1", "quantity": 1}]}, {"program": "main", "lines": [{"product": "CD-1", "quantity": 0}]}]');
\echo :SQLSTATE
SELECT loyalty_test(
    '[{"program": "main", "lines": [{"product": "CD-1", "quantity": 1}]}, {"program": "main", "lines": []}]');
\echo :SQLSTATE
SELECT loyalty_test(
    '[{"program": "main", "lines": [{"product": "CD-1", "quantity": 1}]}, {"program": "idle", "lines": [{"product": "CD-1", "quantity": 1, "price": 1}]}]');
\echo :SQLSTATE
SELECT loyalty_test('[]');
\echo :SQLSTATE
SELECT loyalty_test('[1]');
\echo :SQLSTATE
SELECT loyalty_test('"order"');
\echo :SQLSTATE
SELECT loyalty_test(NULL) IS NULL AS is_null;

-- ---------------------------------------------------------------------------------------------------------------------
-- Before anything was applied, and in a program that is not active yet; a draft that cannot be applied

INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
    VALUES ('idle', 'all', 'All', 'discount', 'active', 'everyone');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('idle', 'all');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('idle', 'all', 1, 'discount', '{"percent": 10}');
SELECT loyalty_test(
    '{"program": "idle", "lines": [{"product": "X", "quantity": 1, "price": 1000}]}') -> 'summary' -> 'total';
SELECT loyalty_calculate('{"program": "idle", "lines": [{"product": "X", "quantity": 1, "price": 1000}]}');
\echo :SQLSTATE
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio)
    VALUES ('idle', 'status', 'Status', 'qualification', 1);
INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
    VALUES ('idle', 'wrong', 'Wrong', 'points', 'active');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('idle', 'wrong');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('idle', 'wrong', 1, 'text', '{"template": "{{ member.points.stars.spent }}"}');
SELECT loyalty_test('{"program": "idle", "lines": [{"product": "X", "quantity": 1, "price": 1000}]}');
\echo :SQLSTATE
SELECT loyalty_test('{"lines": [{"product": "CD-1", "quantity": 1}]}') -> 'program';
DROP TABLE history;
DROP FUNCTION totals, discounts, cost;
DROP SCHEMA loyalty CASCADE;
