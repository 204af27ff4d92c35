-- What shops ask for, each worked by hand; and the same goods in other lines: in another sequence, each unit in a line
-- of its own, units of one product in one line. Totals stay what they are.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT loyalty_create_schema();
SELECT loyalty_set_clock('2030-06-03T10:00:00Z');
INSERT INTO loyalty.profiles (key) SELECT 'm' || n FROM generate_series(1, 9) AS n;
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
INSERT INTO loyalty.products (program, sku, name, price, categories)
VALUES ('main', 'book', 'Book', 20, '{books}'), ('main', 'tea', 'Tea', 5, '{}'),
    ('main', 'radio', 'Radio', 100, '{devices}'),
    ('main', 'mug', 'Mug', 6, '{}');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
VALUES ('main', 'books', 'Books', '$.categories[*] == "books"'),
    ('main', 'devices', 'Devices', '$.categories[*] == "devices"');
INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
VALUES ('main', 'first', 'First order', '$.buyer.orders.count == 0'),
    ('main', 'third', 'Every third', '$.buyer.orders.count % 3 == 2');
-- Ten points for 1.00; those of type "down" are rounded down.
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, scale, rounding, active)
VALUES ('main', 'bonus', 'Bonus', 'standard', 10, 0, 'half', true),
    ('main', 'down', 'Down', 'standard', 10, 0, 'down', true),
    ('main', 'stamps', 'Stamps', 'standard', 10, 0, 'half', true);
INSERT INTO loyalty.promotion_groups (program, external_id, name, arbitration, best, best_of)
VALUES ('main', 'one', 'One of them', 'max_benefit', 'single', 'order'),
    ('main', 'one-a-line', 'One a line', 'max_benefit', 'single', 'line');
SELECT loyalty_enrol_all('main');
SELECT loyalty_accrue('m' || n, 'main', 'bonus', 250) ->> 'balance_after' AS balance FROM generate_series(1, 9) AS n;

-- 3 books of 20.00, 3 teas of 5.00, a radio of 100.00: 175.00.
CREATE VIEW goods AS SELECT '[{"product": "book", "quantity": 2}, {"product": "tea", "quantity": 3},
    {"product": "radio", "quantity": 1}, {"product": "book", "quantity": 1}]'::jsonb AS lines;
CREATE VIEW ways AS
SELECT 1 AS way, 'as they are' AS name, lines FROM goods
UNION ALL
SELECT 2, 'the other way round',
    (SELECT jsonb_agg(line ORDER BY number DESC) FROM jsonb_array_elements(lines) WITH ORDINALITY AS l (line, number))
FROM goods
UNION ALL
SELECT 3, 'split', (
    SELECT jsonb_agg(line || '{"quantity": 1}' ORDER BY number, unit)
    FROM jsonb_array_elements(lines) WITH ORDINALITY AS l (line, number),
    generate_series(1, (line ->> 'quantity')::integer) AS unit
)
FROM goods
UNION ALL
SELECT 4, 'merged', (
    SELECT jsonb_agg(jsonb_build_object('product', product, 'quantity', quantity) ORDER BY product)
    FROM (
        SELECT line ->> 'product' AS product, sum((line ->> 'quantity')::integer) AS quantity
        FROM jsonb_array_elements(lines) AS line GROUP BY 1
    ) AS articles
)
FROM goods;

-- A promotion for everybody, of one condition and one benefit.
CREATE FUNCTION gives(id text, benefit text, parameters jsonb, condition jsonb DEFAULT '{}',
    promotion jsonb DEFAULT '{}') RETURNS jsonb
LANGUAGE sql AS $$
SELECT jsonb_build_object('external_id', id, 'name', id, 'kind',
    CASE WHEN benefit ~ 'points' THEN 'points' ELSE 'discount' END,
    'state', 'active', 'audience', CASE WHEN benefit ~ 'points' THEN 'members' ELSE 'everyone' END,
    'conditions', jsonb_build_array(condition || jsonb_build_object('benefits',
        jsonb_build_array(jsonb_build_object('benefit', benefit, 'parameters', parameters))))) || promotion
$$;

-- What the goods cost under these promotions alone, and what they earn and give, with in how many of the four ways.
CREATE FUNCTION worked(asked text, members jsonb, VARIADIC promotions jsonb[])
RETURNS TABLE (what text, ways bigint, total numeric, spent text, earned text, gifts text) LANGUAGE plpgsql AS $$
DECLARE
    promotion jsonb;
BEGIN
    PERFORM loyalty_deactivate_promotion('main', external_id) FROM loyalty.promotions WHERE state = 'active';
    FOREACH promotion IN ARRAY promotions LOOP
        PERFORM loyalty_save_promotion('main', promotion);
    END LOOP;
    PERFORM loyalty_apply('main');
    RETURN QUERY
    SELECT asked, count(*), (result #>> '{totals,total}')::numeric AS total,
        (SELECT string_agg((type ->> 'points') || ' ' || (type ->> 'spent'), ', ')
            FROM jsonb_array_elements(result -> 'points') AS type
         WHERE (type ->> 'spent')::numeric > 0) AS spent,
        (SELECT string_agg((type ->> 'points') || ' ' || (type ->> 'accrued'), ', ')
            FROM jsonb_array_elements(result -> 'points') AS type
         WHERE (type ->> 'accrued')::numeric > 0) AS earned,
        (SELECT string_agg((gift ->> 'quantity') || ' ' || (gift ->> 'product'), ', ')
            FROM jsonb_array_elements(result -> 'gifts') AS gift) AS gifts
    FROM ways
    CROSS JOIN LATERAL loyalty_calculate('{"time": "2030-06-03T12:00"}' || members
        || jsonb_build_object('lines', ways.lines)) AS result
    GROUP BY 3, 4, 5, 6;
END
$$;

-- Any number of times: the third for nothing. Of seven units two sets, and the two cheapest are free: 175 - 5 - 5.
SELECT * FROM worked('buy 2, get the third', '{}',
    gives('set', 'set', '{"buy": [{"count": 2}], "get": [{"count": 1}], "percent": 100}'));
-- Three books for 50.00: 175 - 10.
SELECT * FROM worked('3 for 50.00', '{}',
    gives('set', 'set', '{"get": [{"count": 3}], "price": 50}', '{"mode": "in", "segments": ["books"]}'));
-- A bundle of a radio and a book for 110.00 instead of 120.00: 175 - 10.
SELECT * FROM worked('a bundle', '{}',
    gives('set', 'set',
        '{"get": [{"segments": ["devices"], "count": 1}, {"segments": ["books"], "count": 1}], "price": 110}'));
-- A mug for the radio.
SELECT * FROM worked('gifts', '{}',
    gives('gift', 'gift', '{"product": "mug"}', '{"mode": "in", "segments": ["devices"]}'));

-- From 100.00 in the cart, 10 % off books: 175 - 6. At 200.00 it would not do.
SELECT * FROM worked('books because of the order', '{}',
    gives('gate', 'discount', '{"percent": 10}', '{"mode": "in", "segments": ["books"]}', '{"min_total": 100}'));
SELECT * FROM worked('books because of a larger order', '{}',
    gives('gate', 'discount', '{"percent": 10}', '{"mode": "in", "segments": ["books"]}', '{"min_total": 200}'));

-- 20 % off books where there are three of them, or where they come to 60.00: 175 - 12. Four, or 60.01: nothing.
SELECT * FROM worked('three of a category', '{}',
    gives('sum', 'discount', '{"percent": 20}', '{"mode": "in", "segments": ["books"], "min_items": 3}'));
SELECT * FROM worked('60.00 of a category', '{}',
    gives('sum', 'discount', '{"percent": 20}', '{"mode": "in", "segments": ["books"], "min_total": 60}'));
SELECT * FROM worked('more of a category', '{}',
    gives('items', 'discount', '{"percent": 20}', '{"mode": "in", "segments": ["books"], "min_items": 4}'),
    gives('total', 'discount', '{"percent": 20}', '{"mode": "in", "segments": ["books"], "min_total": 60.01}'));

-- 3.00 off each article: 175 - 3 × 3. Half off one of each article: 10 + 2.50 + 50. 10 % off devices, of the order: 10.
SELECT * FROM worked('3.00 off each article', '{}', gives('line', 'discount', '{"amount": 3, "per": "line"}'));
SELECT * FROM worked('half off one of each', '{}',
    gives('items', 'discount', '{"percent": 50, "max_items": 1, "max_items_per": "line"}'));
SELECT * FROM worked('devices only', '{}',
    gives('some', 'discount', '{"percent": 10, "segments": ["devices"]}', '{"level": "order"}'));

-- The best single one: 10 % is 17.50, and 3.00 off each unit 21.00. For each line apart: 3 × 3, 3 × 3, and 10 % of the
-- radio.
SELECT * FROM worked('the best of them', '{}', gives('tenth', 'discount', '{"percent": 10}', '{}', '{"parent": "one"}'),
    gives('three', 'discount', '{"amount": 3}', '{}', '{"parent": "one"}'));
SELECT * FROM worked('the best for each line', '{}',
    gives('tenth', 'discount', '{"percent": 10}', '{}', '{"parent": "one-a-line"}'),
    gives('three', 'discount', '{"amount": 3}', '{}', '{"parent": "one-a-line"}'));

-- Bands: 2 % of 100.00 and 6 % of 75.00 are 6.50, 65 points. Doubled: 130.
SELECT * FROM worked('bands', '{"member": "m1"}', gives('points', 'accrue_points',
    '{"point_type": "bonus", "marginal": true, "steps": [{"from": 0, "percent": 2}, {"from": 100, "percent": 6}]}',
    '{"level": "order"}'));
SELECT * FROM worked('a multiplier', '{"member": "m1"}', gives('points', 'accrue_points',
    '{"point_type": "bonus", "marginal": true, "steps": [{"from": 0, "percent": 2}, {"from": 100, "percent": 6}]}',
    '{"level": "order"}'),
    gives('points-twice', 'multiply_points', '{"point_type": "bonus", "factor": 2}'));

-- Tier prices by quantity: 1.00 off each of 3 books and 3 teas, nothing off one radio. A ladder: 10 % from 100.00.
SELECT * FROM worked('tier prices', '{}',
    gives('tiers', 'discount', '{"by": "line_items", "steps": [{"from": 3, "amount": 1}, {"from": 10, "amount": 2}]}'));
SELECT * FROM worked('a ladder', '{}',
    gives('ladder', 'discount', '{"steps": [{"from": 50, "percent": 5}, {"from": 100, "percent": 10}]}',
        '{"level": "order"}'));

-- 10.00 off the first order; the third is none.
SELECT * FROM worked('the first order', '{"member": "m1"}',
    gives('first', 'discount', '{"amount": 10}', '{"level": "order"}',
        '{"order_mode": "in", "order_segments": ["first"]}'),
    gives('third', 'discount', '{"amount": 20}', '{"level": "order"}',
        '{"order_mode": "in", "order_segments": ["third"]}'));

-- 5 % off what is not reduced yet: books are, by 10 %; 115.00 are not: 175 - 6 - 5.75.
SELECT * FROM worked('not reduced yet', '{}',
    gives('a', 'discount', '{"percent": 10}', '{"mode": "in", "segments": ["books"]}'),
    gives('b', 'discount', '{"percent": 5}', '{"untouched": true}'));

-- 5.00 off where 157.50 are left after 10 %; where 157.51 are asked for, nothing.
SELECT * FROM worked('after discounts', '{}', gives('a', 'discount', '{"percent": 10}'),
    gives('b', 'discount', '{"amount": 5}', '{"level": "order"}', '{"min_total": 157.50, "min_total_at": "current"}'),
    gives('c', 'discount', '{"amount": 5}', '{"level": "order"}', '{"min_total": 157.51, "min_total_at": "current"}'));

-- 250 points in steps of 100: 200 pay 20.00. 1.12 % of 175.00 are 19.6 points, rounded down 19.
UPDATE loyalty.point_types SET redeem_step = 100 WHERE external_id = 'bonus';
SELECT * FROM worked('points in steps', '{"member": "m1", "redeem": [{"points": "bonus", "amount": "max"}]}',
    gives('points', 'points_discount', '{"point_type": "bonus", "percent": 100}', '{"level": "order"}'));
UPDATE loyalty.point_types SET redeem_step = NULL, redeem_min = 251 WHERE external_id = 'bonus';
SELECT * FROM worked('fewer points than the least',
    '{"member": "m1", "redeem": [{"points": "bonus", "amount": "max"}]}',
    gives('points', 'points_discount', '{"point_type": "bonus", "percent": 100}', '{"level": "order"}'));
SELECT * FROM worked('rounded down', '{"member": "m1"}',
    gives('points', 'accrue_points', '{"point_type": "down", "percent": 1.12}', '{"level": "order"}'),
    gives('points-half', 'accrue_points', '{"point_type": "stamps", "percent": 1.12}', '{"level": "order"}'));

-- Guests only: 5.00 off, and nothing for a member.
SELECT * FROM worked('a guest', '{}',
    gives('guests', 'discount', '{"amount": 5}', '{"level": "order"}', '{"audience": "guests"}'));
SELECT * FROM worked('no guest', '{"member": "m1"}',
    gives('guests', 'discount', '{"amount": 5}', '{"level": "order"}', '{"audience": "guests"}'));

-- Once a member and day: 10 % off one order, the next day again.
SELECT * FROM worked('once a day', '{"member": "m2"}',
    gives('daily', 'discount', '{"percent": 10}', '{}',
        '{"max_uses_per_member": 1, "max_uses_per_member_every": "day"}'));
CREATE FUNCTION place(id text, clock timestamptz) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM loyalty_set_clock(clock);
    RETURN (SELECT loyalty_place_order(
        jsonb_build_object('external_id', id, 'member', 'm2', 'lines', lines)) #>> '{totals,total}' FROM goods);
END
$$;
SELECT id, place(id, left(id, 10)::timestamp AT TIME ZONE 'Europe/Berlin')
FROM unnest(ARRAY['2030-06-04 first', '2030-06-04 second', '2030-06-05 first', '2030-06-05 second']) AS id;

-- The units that a benefit took, and what one of them cost: one of the three books.
SELECT * FROM worked('half off one book', '{}',
    gives('one', 'discount', '{"percent": 50, "max_items": 1}', '{"mode": "in", "segments": ["books"]}'));
SELECT ways.name AS way, operation ->> 'line' AS line, operation -> 'units' AS units,
    operation -> 'unit_price' AS unit_price, operation -> 'discount' AS discount
FROM ways CROSS JOIN LATERAL jsonb_array_elements(
    loyalty_calculate(jsonb_build_object('lines', ways.lines)) -> 'operations') AS operation
ORDER BY ways.way;

-- A code at every full goal: the order earns 175 stamps, and every 50 of them are a code; 25 are left.
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind) VALUES ('main', 'thanks', 'Thanks', 'personal');
SELECT loyalty_generate_promo_codes('main', 'thanks', 'THANKS-######', 20);
INSERT INTO loyalty.goals (program, external_id, name, point_type, points, automatic, promo_code_pool)
VALUES ('main', 'fifty', 'Every 50 stamps', 'stamps', 50, true, 'thanks');
SELECT * FROM worked('goals', '{"member": "m9"}',
    gives('points', 'accrue_points', '{"point_type": "stamps", "percent": 10}'));
SELECT ways.name,
    loyalty_place_order(
    jsonb_build_object('external_id', 'goal-' || way, 'member', 'm' || way + 4, 'lines', lines)) #> '{totals,total}'
    AS total
FROM ways ORDER BY way;
SELECT member, count(*) AS claims, sum(points) AS points, count(DISTINCT promo_code) AS codes,
    (SELECT active FROM loyalty_balance(member, 'main', 'stamps')) AS left
FROM loyalty.goal_claims GROUP BY member ORDER BY member;

SELECT count(*) FROM loyalty_verify();
