-- What promotions ask of the order and of their lines together, and what is for guests or for untouched units only.
-- Figures are computed by hand.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2026-06-15 12:00+00') \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.profiles (key) VALUES ('ann'), ('guest');
INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('ann', 'main', loyalty.clock());
INSERT INTO loyalty.products (program, sku, name, price, categories)
VALUES ('main', 'boot', 'Boot', 60, '{shoes}'), ('main', 'sock', 'Sock', 4, '{}'), ('main', 'hat', 'Hat', 25, '{}'),
    ('main', 'tea', 'Tea, by the kilogram', 20, '{}');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
VALUES ('main', 'shoes', 'Shoes', '$.categories[*] == "shoes"'), ('main', 'socks', 'Socks', '$.sku == "sock"'),
    ('main', 'teas', 'Teas', '$.sku == "tea"');
INSERT INTO loyalty.order_segments (program, external_id, name, kind, predicate)
VALUES ('main', 'large', 'Large', 'dynamic', '$.goods >= 100'),
    ('main', 'pickup', 'Picked up', 'dynamic', '$.shipping == 0');

CREATE FUNCTION promote(id text, settings jsonb, condition jsonb DEFAULT '{}', benefit jsonb DEFAULT '{"percent": 10}')
    RETURNS void LANGUAGE sql AS $$
SELECT loyalty_save_promotion('main', jsonb_build_object(
    'external_id', id, 'name', id, 'kind', 'discount', 'state', 'active', 'audience', 'everyone',
    'conditions',
    jsonb_build_array(condition
        || jsonb_build_object('benefits',
        jsonb_build_array(jsonb_build_object('benefit', 'discount', 'parameters', benefit))))
) || settings)
$$;
-- How a statement ends, of which nothing stays.
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    EXECUTE statement;
    RAISE SQLSTATE 'TT000';
EXCEPTION
    WHEN SQLSTATE 'TT000' THEN
        RETURN 'taken';
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
        RETURN SQLSTATE || ' ' || SQLERRM || ' ' || detail;
END
$$;
-- Nothing but this one, on an order of what is named.
CREATE FUNCTION alone(id text, lines jsonb, more jsonb DEFAULT '{}')
    RETURNS TABLE (total numeric, why text) LANGUAGE plpgsql AS $$
DECLARE
    document CONSTANT jsonb := jsonb_build_object('lines',
        (SELECT jsonb_agg(jsonb_build_object('product', key, 'quantity', value)) FROM jsonb_each(lines))) || more;
BEGIN
    UPDATE loyalty.promotions SET state = 'inactive' WHERE state = 'active' AND external_id <> id;
    UPDATE loyalty.promotions SET state = 'active' WHERE state = 'inactive' AND external_id = id;
    PERFORM loyalty_apply('main');
    RETURN QUERY SELECT (loyalty_calculate(document) #>> '{totals,total}')::numeric,
        (SELECT substring(line FROM 'not applied: (.*)') FROM loyalty_explain(document) AS line
            WHERE line LIKE '%Promotion ' || id || ' %');
END
$$;

-- From 100 in the cart, 10 % off shoes: 60 + 10 * 4 = 100, 6 off.
SELECT promote('shoes', '{"min_total": 100}', '{"mode": "in", "segments": ["shoes"]}');
SELECT * FROM alone('shoes', '{"boot": 1, "sock": 10}');
SELECT * FROM alone('shoes', '{"boot": 1, "sock": 9}');
-- The shipping is no part of it.
SELECT * FROM alone('shoes', '{"boot": 1, "sock": 9}', '{"shipping": 50}');

-- The same by a segment of orders; one that the order must not be in.
SELECT promote('large', '{"order_mode": "in", "order_segments": ["large"]}', '{"mode": "in", "segments": ["shoes"]}');
SELECT * FROM alone('large', '{"boot": 2}');
SELECT * FROM alone('large', '{"boot": 1, "hat": 1}');
SELECT promote('sent', '{"order_mode": "outside", "order_segments": ["pickup", "large"]}');
SELECT * FROM alone('sent', '{"hat": 2}', '{"shipping": 5}');
SELECT * FROM alone('sent', '{"hat": 2}');
SELECT * FROM alone('sent', '{"boot": 2}', '{"shipping": 5}');

-- From 3 items in the order: units and kilograms, to the last gram.
SELECT promote('three', '{"min_items": 3}');
SELECT * FROM alone('three', '{"hat": 1, "sock": 2}');
SELECT * FROM alone('three', '{"hat": 1, "tea": 1.999}');
SELECT * FROM alone('three', '{"hat": 1, "tea": 2}');

-- Five socks together, whatever else is there: 5 * 4 = 20, 2 off; 1.5 kg of tea.
SELECT promote('socks', '{}', '{"mode": "in", "segments": ["socks"], "min_items": 5}');
SELECT * FROM alone('socks', '{"sock": 5, "hat": 1}');
SELECT * FROM alone('socks', '{"sock": 4, "hat": 9}');
SELECT * FROM alone('socks', '{"hat": 9}');
SELECT (loyalty_calculate(
    '{"lines": [{"product": "sock", "quantity": 2}, {"product": "sock", "quantity": 3}, {"product": "hat", "quantity": 1}]}') #>> '{totals,total}')::numeric AS split;
SELECT promote('teas', '{}', '{"mode": "in", "segments": ["teas"], "min_items": 1.5}');
SELECT * FROM alone('teas', '{"tea": 1.5}');
SELECT * FROM alone('teas', '{"tea": 1.25}');
-- Shoes for 120 together: 12 off, nothing off hats.
SELECT promote('category', '{}', '{"mode": "in", "segments": ["shoes"], "min_total": 120}');
SELECT * FROM alone('category', '{"boot": 2, "hat": 4}');
SELECT * FROM alone('category', '{"boot": 1, "hat": 4}');

-- The first order: 10 off, whoever has a profile, member or guest; and 20 % off each third one. 4 socks and a hat: 41.
INSERT INTO loyalty.order_segments (program, external_id, name, kind, predicate)
VALUES ('main', 'first', 'First', 'dynamic', '$.buyer.orders.count == 0'),
    ('main', 'third', 'Third', 'dynamic', '$.buyer.orders.count % 3 == 2'),
    ('main', 'good', 'Good customers', 'dynamic',
        '$.buyer.is_member == true && $.buyer.orders.sum >= 50 && $.buyer.orders.last >= "2026-06-10"');
SELECT promote('first', '{"order_mode": "in", "order_segments": ["first"]}', '{"level": "order"}', '{"amount": 10}');
SELECT promote('third', '{"order_mode": "in", "order_segments": ["third"]}', '{}', '{"percent": 20}');
SELECT promote('good', '{"order_mode": "in", "order_segments": ["good"]}', '{}', '{"percent": 50}');
CREATE FUNCTION buy(who jsonb, id text, moment text DEFAULT '2026-06-15 12:00Z') RETURNS numeric LANGUAGE sql AS $$
SELECT (loyalty_place_order(
    '{"lines": [{"id": "s", "product": "sock", "quantity": 4}, {"id": "h", "product": "hat", "quantity": 1}]}' || who
    || jsonb_build_object('external_id', id, 'time', moment::timestamptz)) #>> '{totals,total}')::numeric
$$;
SELECT * FROM alone('first', '{"sock": 4, "hat": 1}', '{"member": "ann"}') \g /dev/null
SELECT buy('{"member": "ann"}', 'A1') AS first, buy('{"member": "ann"}', 'A2') AS second,
    buy('{"member": "guest"}', 'G1') AS guest, buy('{"member": "guest"}', 'G2') AS again,
    buy('{}', 'N1') AS anonymous, buy('{}', 'N2') AS nobody_knows;
SELECT * FROM alone('first', '{"sock": 4, "hat": 1}', '{"member": "ann"}');
SELECT * FROM alone('third', '{"sock": 4, "hat": 1}', '{"member": "guest"}');
SELECT * FROM alone('third', '{"sock": 4, "hat": 1}');
SELECT buyer, orders, total, last_order FROM loyalty.buyers ORDER BY buyer;
-- What the calculation saw is stored with the order, and a repeated request is answered as it was.
SELECT external_id, resolved #> '{buyer,orders}' AS before FROM loyalty.orders ORDER BY external_id;
SELECT buy('{"member": "ann"}', 'A1') AS again, loyalty_reprice_order('main', 'A1') #>> '{totals,total}' AS priced_anew;
-- 72 in two orders; one comes back in part, 16 of 41 less 3.90 of the 10: 59.90; the other is cancelled: then 18.90,
-- and at last nothing.
SELECT * FROM alone('good', '{"hat": 2}', '{"member": "ann"}');
SELECT loyalty_return_items('main', 'A1', '[{"id": "s", "quantity": 4}]', 'R') -> 'money' AS money;
SELECT orders, total FROM loyalty.buyers WHERE buyer = 'm:ann';
SELECT loyalty_set_order_status('main', 'A1', 'delivered') \g /dev/null
SELECT loyalty_set_order_status('main', 'A1', 'canceled', 's') \g /dev/null
SELECT orders, total FROM loyalty.buyers WHERE buyer = 'm:ann';
SELECT * FROM alone('good', '{"hat": 2}', '{"member": "ann"}');
SELECT loyalty_cancel_order('main', 'A2') -> 'money' AS money;
SELECT orders, total, last_order FROM loyalty.buyers WHERE buyer = 'm:ann';
SELECT * FROM alone('good', '{"hat": 2}', '{"member": "ann"}');
SELECT loyalty_set_order_status('main', 'A1', 'refunded') -> 'money' AS money;
SELECT orders, total, last_order FROM loyalty.buyers WHERE buyer = 'm:ann';
-- All of them gone, the next one is the first again.
SELECT * FROM alone('first', '{"hat": 1}', '{"member": "ann"}');
-- Imported ones count, cancelled ones do not.
SELECT loyalty_import_orders(jsonb_build_array(
    '{"external_id": "I1", "member": "ann", "time": "2026-06-01T10:00:00Z", "lines": [{"product": "hat", "quantity": 1, "price": 25}]}'::jsonb,
    '{"external_id": "I2", "member": "ann", "time": "2026-06-02T10:00:00Z", "status": "canceled", "lines": [{"product": "hat", "quantity": 1, "price": 25}]}'::jsonb,
    '{"external_id": "I3", "member": "guest", "time": "2026-06-03T10:00:00Z", "lines": [{"product": "hat", "quantity": 1, "price": 25}]}'::jsonb)) AS imported;
SELECT buyer, orders, total, last_order FROM loyalty.buyers ORDER BY buyer;
SELECT * FROM loyalty_verify();
-- A draft tries both, for a member who is made up; and replays what was placed by what had been placed before it.
SELECT orders,
    (loyalty_test('{"lines": [{"product": "hat", "quantity": 1}]}',
    jsonb_build_object('orders', orders)) #>> '{summary,total,total}')::numeric AS total
FROM (VALUES ('{}'::jsonb), ('{"count": 1}'), ('{"count": 2, "sum": 80, "last": "2026-06-14T10:00:00"}'))
    AS given (orders);
SELECT external_id, was, would_be FROM loyalty_backtest('main') ORDER BY external_id;
UPDATE loyalty.order_segments SET predicate = '$.buyer.orders.count == 1' WHERE external_id = 'first';
SELECT external_id, was, would_be FROM loyalty_backtest('main') ORDER BY external_id;
SELECT predicate,
    outcome(format('INSERT INTO loyalty.order_segments (program, external_id, name, predicate) VALUES (%L, %L, %L, %L)',
    'main', 'tried', 'Tried', predicate))
    FROM (VALUES ('$.buyer.order.count == 0'), ('$.buyer.orders.number == 0'), ('$.buyers == 1'), ('exists($.buyer.*)'),
    ('$.buyer.orders.count >= 1 && $.fields.a.b == 2')) AS tried (predicate);
-- The status of orders that stand becomes none of those that do not.
SELECT outcome($$UPDATE loyalty.order_statuses SET kind = 'cancelled' WHERE external_id = 'new'$$) AS new,
    outcome($$UPDATE loyalty.order_statuses SET kind = 'delivered' WHERE external_id = 'new'$$) AS delivered,
    outcome($$INSERT INTO loyalty.buyers VALUES ('m:x', 'main')$$) AS by_hand;

-- What goods come to after discounts. 20 % off hats first: four of them and five socks are 80 + 20 now, with four socks
-- 96.
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'hats', 'Hats', '$.sku == "hat"');
CREATE FUNCTION after_discounts(settings jsonb, condition jsonb, benefit jsonb)
    RETURNS TABLE (four text, five text) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE loyalty.promotions SET state = 'inactive' WHERE state = 'active';
    PERFORM promote('cheap', '{"position": -2}', '{"mode": "in", "segments": ["hats"]}', '{"percent": 20}');
    PERFORM promote('now', '{"position": -1}' || settings, condition, benefit);
    PERFORM loyalty_apply('main');
    RETURN QUERY SELECT min(told) FILTER (WHERE socks = 4), min(told) FILTER (WHERE socks = 5) FROM (
        SELECT socks, concat_ws(' ', loyalty_calculate(document) #>> '{totals,total}',
            (SELECT substring(line FROM 'not applied: (.*)') FROM loyalty_explain(document) AS line
                WHERE line LIKE '%Promotion now %')) AS told
        FROM (VALUES (4), (5)) AS n (socks)
        CROSS JOIN LATERAL (SELECT jsonb_build_object('lines', jsonb_build_array(
            jsonb_build_object('product', 'hat', 'quantity', 4),
            jsonb_build_object('product', 'sock', 'quantity', socks))) AS document) AS d) AS t;
END
$$;
SELECT * FROM after_discounts('{"min_total": 100, "min_total_at": "current"}', '{"level": "order"}', '{"amount": 10}');
SELECT * FROM after_discounts('{"min_total": 100}', '{"level": "order"}', '{"amount": 10}');
SELECT * FROM after_discounts('{}', '{"mode": "in", "segments": ["hats"], "min_total": 81, "min_total_at": "current"}',
    '{"amount": 1}');
SELECT * FROM after_discounts('{}', '{"mode": "in", "segments": ["hats"], "min_total": 80, "min_total_at": "current"}',
    '{"amount": 1}');
SELECT * FROM after_discounts('{}', '{"level": "order"}',
    '{"at": "current", "steps": [{"from": 90, "amount": 5}, {"from": 100, "amount": 10}]}');
SELECT * FROM after_discounts('{}', '{"level": "order"}',
    '{"steps": [{"from": 90, "amount": 5}, {"from": 100, "amount": 10}]}');
SELECT outcome($$UPDATE loyalty.promotions SET min_total_at = 'current' WHERE external_id = 'cheap'$$) AS without,
    outcome($$UPDATE loyalty.promotions SET min_total = 1, min_total_at = 'later' WHERE external_id = 'cheap'$$)
        AS unknown;

-- What all lines in a product segment come to: from 120 of shoes 10 % off hats. Without a line a segment is not there.
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'a "b"', 'Odd', '$.sku == "tea"');
INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
VALUES ('main', 'well-shod', 'Well shod', '$.segments.shoes.total >= 120'),
    ('main', 'barefoot', 'Barefoot', '!exists($.segments.shoes)'),
    ('main', 'few', 'Fewer than 2 shoes', '$.segments.shoes.items < 2'),
    ('main', 'odd', 'Odd', '$.segments."a \"b\"".items > 1.5'),
    ('main', 'both', 'Both', '$.segments[*] == "well-shod" && $.segments.socks.items >= 2');
SELECT promote('well-shod', '{"order_mode": "in", "order_segments": ["well-shod"]}',
    '{"mode": "in", "segments": ["hats"]}');
SELECT * FROM alone('well-shod', '{"boot": 2, "hat": 1}');
SELECT * FROM alone('well-shod', '{"boot": 1, "hat": 4}');
SELECT * FROM alone('well-shod', '{"hat": 9}');
SELECT more FROM loyalty_prices(skus => '{boot}');
SELECT promotion, kind, change, price_now, price_then
    FROM loyalty_opportunities('{"lines": [{"product": "boot", "quantity": 1}, {"product": "hat", "quantity": 4}]}');
SELECT promote(id, jsonb_build_object('order_mode', 'in', 'order_segments', jsonb_build_array(id)))
    FROM unnest('{barefoot,few,odd,both}'::text[]) AS id;
SELECT * FROM alone('barefoot', '{"boot": 1}');
SELECT * FROM alone('barefoot', '{"hat": 1}');
SELECT * FROM alone('few', '{"boot": 1}');
SELECT * FROM alone('few', '{"boot": 2}');
SELECT * FROM alone('few', '{"hat": 1}');
SELECT * FROM alone('odd', '{"tea": 1.75}');
SELECT * FROM alone('both', '{"boot": 2, "sock": 2}');
SELECT * FROM alone('both', '{"boot": 2, "sock": 1}');
-- Orders at random: the segments that each is in, by plain SQL; lines of one segment come together.
UPDATE loyalty.promotions
    SET state = CASE WHEN external_id IN ('well-shod', 'barefoot', 'few', 'odd', 'both') THEN 'active' ELSE 'inactive'
    END WHERE state IN ('active', 'inactive');
SELECT loyalty_apply('main') \g /dev/null
SELECT count(*) AS orders, count(*) FILTER (WHERE cardinality(expected) > 0) AS in_some,
    count(*) FILTER (WHERE applied IS DISTINCT FROM expected) AS wrong
FROM (
    SELECT array_remove(ARRAY[
            CASE WHEN NOT coalesce(shoes > 0, false) THEN 'barefoot' END,
            CASE WHEN shoes * 60 >= 120 AND socks >= 2 THEN 'both' END,
            CASE WHEN shoes < 2 THEN 'few' END,
            CASE WHEN teas > 1.5 THEN 'odd' END,
            CASE WHEN shoes * 60 >= 120 THEN 'well-shod' END], NULL) AS expected,
        (SELECT coalesce(array_agg(id ORDER BY id COLLATE "C"), '{}')
            FROM unnest('{barefoot,both,few,odd,well-shod}'::text[]) AS id WHERE EXISTS (
            SELECT FROM loyalty_explain(document) AS line
                WHERE line LIKE '%Promotion ' || id || ' %' AND line NOT LIKE '%for other orders%')) AS applied
    FROM (
        SELECT n, jsonb_build_object('lines', jsonb_agg(jsonb_build_object('product', sku, 'quantity', quantity)))
            AS document,
            sum(quantity) FILTER (WHERE sku = 'boot') AS shoes, sum(quantity) FILTER (WHERE sku = 'sock') AS socks,
            sum(quantity) FILTER (WHERE sku = 'tea') AS teas
        FROM generate_series(1, 300) AS n
        CROSS JOIN LATERAL (
            SELECT ('{boot,sock,hat,tea}'::text[])[1 + (n * 7 + line * 5) * (n + line) % 4] AS sku,
                (ARRAY[1, 0.75, 2, 1])[1 + (n / 3 + line) % 4] AS quantity
            FROM generate_series(0, n % 5) AS line) AS lines
        GROUP BY n
    ) AS tried
) AS judged;
-- One segment's figures, by their names, of products only, and of those that exist; a segment that is read stays.
SELECT predicate,
    outcome(format('INSERT INTO loyalty.order_segments (program, external_id, name, predicate) VALUES (%L, %L, %L, %L)',
    'main', 'tried', 'Tried', predicate))
FROM (VALUES ('$.segments.shoes.sum > 1'), ('$.segments.boots.total > 1'), ('$.segments.large.total > 1'),
    ('exists($.segments.*)'), ('$.segments.*.total > 1'),
    ('$.segments.shoes.total.amount > 1'), ('$.segments.shoes[0] == 1'), ('$.lines[*].segments.shoes.total > 1'),
    ('$.by_segment.shoes.total > 1'),
    ('exists($.segments.shoes ? (@.total > 1 && @.items > 1))'), ('strict $.segments.shoes.total > 1'))
        AS tried (predicate);
SELECT outcome($$INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'tried', 'Tried', '$.segments.shoes.total > 1')$$) AS of_products,
    outcome($$DELETE FROM loyalty.product_segments WHERE external_id = 'a "b"'$$) AS odd;

-- For guests only, with a profile or not.
SELECT promote('welcome', '{"audience": "guests"}');
SELECT who, alone.*
    FROM (VALUES ('{}'::jsonb), ('{"member": "guest"}'), ('{"member": "ann"}')) AS buyer (who),
alone('welcome', '{"hat": 1}', who);

-- Only what is not reduced yet: 50 % off the dearest boot, then 10 % off what that left alone: 30 + 60 - 6 + 25 - 2.50.
CREATE FUNCTION together(first jsonb, rest jsonb) RETURNS SETOF text LANGUAGE sql AS $$
UPDATE loyalty.promotions SET state = 'inactive' WHERE state = 'active';
SELECT promote('first', '{"position": -2}' || first, '{"mode": "in", "segments": ["shoes"]}',
    '{"percent": 50, "max_items": 1}');
SELECT promote('rest', '{"position": -1}' || rest, '{"untouched": true}');
SELECT loyalty_apply('main');
SELECT line FROM loyalty_explain('{"lines": [{"product": "boot", "quantity": 2}, {"product": "hat", "quantity": 1}]}')
    AS line WHERE line NOT LIKE 'Left out:%'
$$;
SELECT * FROM together('{}', '{}');
-- Everything was reduced before: 10 % off all, in a group that adds up both stand on the same prices.
SELECT promote('all', '{"position": -3}');
SELECT loyalty_apply('main') \g /dev/null
SELECT line FROM loyalty_explain('{"lines": [{"product": "hat", "quantity": 1}]}') AS line
    WHERE line LIKE '%rest%' OR line LIKE 'Total%';
INSERT INTO loyalty.promotion_groups (program, external_id, name, arbitration)
    VALUES ('main', 'sum', 'Sum', 'summation') \g /dev/null
UPDATE loyalty.promotions SET parent = 'sum' WHERE external_id IN ('all', 'rest');
UPDATE loyalty.promotions SET state = 'inactive' WHERE external_id = 'first';
SELECT loyalty_apply('main') \g /dev/null
SELECT loyalty_calculate('{"lines": [{"product": "hat", "quantity": 1}]}') #>> '{totals,total}' AS total;
UPDATE loyalty.promotions SET parent = 'main' WHERE external_id IN ('all', 'rest');

-- What is missing is told with prices, and opportunities: 2 socks at 1.60; or 8 of them, 92 in all: (60 + 12.80) * 0.8.
UPDATE loyalty.promotions SET state = 'inactive' WHERE state = 'active';
SELECT promote('order', '{"min_total": 90}', '{}', '{"percent": 20}'),
    promote('lines', '{}', '{"mode": "in", "segments": ["socks"], "min_items": 2}', '{"percent": 60}'),
loyalty_apply('main') \g /dev/null
SELECT sku, price, more FROM loyalty_prices(skus => '{hat,sock}') ORDER BY sku;
SELECT promotion, kind, change, price_now, price_then
    FROM loyalty_opportunities('{"lines": [{"product": "boot", "quantity": 1}, {"product": "sock", "quantity": 1}]}')
    ORDER BY promotion;

-- What is refused.
CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
BEGIN
    EXECUTE statement;
    RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT;
    RETURN SQLSTATE || ' ' || said;
END
$$;
SELECT refusal(statement) FROM unnest(ARRAY[
    $$UPDATE loyalty.promotions SET min_total = 0 WHERE external_id = 'order'$$,
    $$UPDATE loyalty.promotions SET min_items = 'NaN' WHERE external_id = 'order'$$,
    $$UPDATE loyalty.promotions SET min_items = 0.0000001 WHERE external_id = 'order'$$,
    $$UPDATE loyalty.promotions SET order_mode = 'in' WHERE external_id = 'order'$$,
    $$UPDATE loyalty.promotions SET order_mode = 'in', order_segments = '{small}' WHERE external_id = 'order'$$,
    $$UPDATE loyalty.promotion_conditions SET level = 'order', min_total = 5 WHERE promotion = 'order'$$,
    $$UPDATE loyalty.promotion_conditions SET level = 'order', untouched = true WHERE promotion = 'order'$$,
    $$INSERT INTO loyalty.promotions (program, external_id, name, kind, audience)
        VALUES ('main', 'x', 'X', 'points', 'guests')$$,
    $$INSERT INTO loyalty.promotions (program, external_id, name, kind, min_total)
        VALUES ('main', 'x', 'X', 'trigger', 5)$$,
    $$DELETE FROM loyalty.order_segments WHERE external_id = 'large'$$
]) AS statement;
-- A segment that only the version in force names stays as well.
UPDATE loyalty.promotions SET order_mode = 'in', order_segments = '{pickup}' WHERE external_id = 'order';
SELECT loyalty_apply('main') \g /dev/null
UPDATE loyalty.promotions SET order_mode = 'all', order_segments = '{}' WHERE external_id IN ('order', 'sent');
SELECT refusal($$DELETE FROM loyalty.order_segments WHERE external_id = 'pickup'$$);
-- A document has it all, and gives it back.
SELECT jsonb_path_query(loyalty_export('main'),
    '$.promotions[*] ? (@.external_id == "shoes" || @.external_id == "large" || @.external_id == "rest" || @.external_id == "welcome")') - '{name,kind,position}'::text[] AS promotion;
SELECT count(*) FROM loyalty_plan(loyalty_export('main'));

DROP SCHEMA loyalty CASCADE;
DROP FUNCTION promote, alone, together, refusal, outcome, buy, after_discounts;
