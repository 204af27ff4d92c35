-- What promotions ask of the order and of their lines together, and what is for guests or for untouched units only. Figures
-- are computed by hand.
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
VALUES ('main', 'boot', 'Boot', 60, '{shoes}'), ('main', 'sock', 'Sock', 4, '{}'), ('main', 'hat', 'Hat', 25, '{}'), ('main', 'tea', 'Tea, by the kilogram', 20, '{}');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
VALUES ('main', 'shoes', 'Shoes', '$.categories[*] == "shoes"'), ('main', 'socks', 'Socks', '$.sku == "sock"'), ('main', 'teas', 'Teas', '$.sku == "tea"');
INSERT INTO loyalty.order_segments (program, external_id, name, kind, predicate)
VALUES ('main', 'large', 'Large', 'dynamic', '$.goods >= 100'), ('main', 'pickup', 'Picked up', 'dynamic', '$.shipping == 0');

CREATE FUNCTION promote(id text, settings jsonb, condition jsonb DEFAULT '{}', benefit jsonb DEFAULT '{"percent": 10}') RETURNS void LANGUAGE sql AS $$
SELECT loyalty_save_promotion('main', jsonb_build_object(
    'external_id', id, 'name', id, 'kind', 'discount', 'state', 'active', 'audience', 'everyone',
    'conditions', jsonb_build_array(condition || jsonb_build_object('benefits', jsonb_build_array(jsonb_build_object('benefit', 'discount', 'parameters', benefit))))
) || settings)
$$;
-- Nothing but this one, on an order of what is named.
CREATE FUNCTION alone(id text, lines jsonb, more jsonb DEFAULT '{}') RETURNS TABLE (total numeric, why text) LANGUAGE plpgsql AS $$
DECLARE
    document CONSTANT jsonb := jsonb_build_object('lines', (SELECT jsonb_agg(jsonb_build_object('product', key, 'quantity', value)) FROM jsonb_each(lines))) || more;
BEGIN
    UPDATE loyalty.promotions SET state = 'inactive' WHERE state = 'active' AND external_id <> id;
    UPDATE loyalty.promotions SET state = 'active' WHERE state = 'inactive' AND external_id = id;
    PERFORM loyalty_apply('main');
    RETURN QUERY SELECT (loyalty_calculate(document) #>> '{totals,total}')::numeric,
        (SELECT substring(line FROM 'not applied: (.*)') FROM loyalty_explain(document) AS line WHERE line LIKE '%Promotion ' || id || ' %');
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
SELECT (loyalty_calculate('{"lines": [{"product": "sock", "quantity": 2}, {"product": "sock", "quantity": 3}, {"product": "hat", "quantity": 1}]}') #>> '{totals,total}')::numeric AS split;
SELECT promote('teas', '{}', '{"mode": "in", "segments": ["teas"], "min_items": 1.5}');
SELECT * FROM alone('teas', '{"tea": 1.5}');
SELECT * FROM alone('teas', '{"tea": 1.25}');
-- Shoes for 120 together: 12 off, nothing off hats.
SELECT promote('category', '{}', '{"mode": "in", "segments": ["shoes"], "min_total": 120}');
SELECT * FROM alone('category', '{"boot": 2, "hat": 4}');
SELECT * FROM alone('category', '{"boot": 1, "hat": 4}');

-- For guests only, with a profile or not.
SELECT promote('welcome', '{"audience": "guests"}');
SELECT who, alone.* FROM (VALUES ('{}'::jsonb), ('{"member": "guest"}'), ('{"member": "ann"}')) AS buyer (who), alone('welcome', '{"hat": 1}', who);

-- Only what is not reduced yet: 50 % off the dearest boot, then 10 % off what that left alone: 30 + 60 - 6 + 25 - 2.50.
CREATE FUNCTION together(first jsonb, rest jsonb) RETURNS SETOF text LANGUAGE sql AS $$
UPDATE loyalty.promotions SET state = 'inactive' WHERE state = 'active';
SELECT promote('first', '{"position": -2}' || first, '{"mode": "in", "segments": ["shoes"]}', '{"percent": 50, "max_items": 1}');
SELECT promote('rest', '{"position": -1}' || rest, '{"untouched": true}');
SELECT loyalty_apply('main');
SELECT line FROM loyalty_explain('{"lines": [{"product": "boot", "quantity": 2}, {"product": "hat", "quantity": 1}]}') AS line WHERE line NOT LIKE 'Left out:%'
$$;
SELECT * FROM together('{}', '{}');
-- Everything was reduced before: 10 % off all, in a group that adds up both stand on the same prices.
SELECT promote('all', '{"position": -3}');
SELECT loyalty_apply('main') \g /dev/null
SELECT line FROM loyalty_explain('{"lines": [{"product": "hat", "quantity": 1}]}') AS line WHERE line LIKE '%rest%' OR line LIKE 'Total%';
INSERT INTO loyalty.promotion_groups (program, external_id, name, arbitration) VALUES ('main', 'sum', 'Sum', 'summation') \g /dev/null
UPDATE loyalty.promotions SET parent = 'sum' WHERE external_id IN ('all', 'rest');
UPDATE loyalty.promotions SET state = 'inactive' WHERE external_id = 'first';
SELECT loyalty_apply('main') \g /dev/null
SELECT loyalty_calculate('{"lines": [{"product": "hat", "quantity": 1}]}') #>> '{totals,total}' AS total;
UPDATE loyalty.promotions SET parent = 'main' WHERE external_id IN ('all', 'rest');

-- What is missing is told with prices, and opportunities: 2 socks at 1.60; or 8 of them, 92 in all: (60 + 12.80) * 0.8.
UPDATE loyalty.promotions SET state = 'inactive' WHERE state = 'active';
SELECT promote('order', '{"min_total": 90}', '{}', '{"percent": 20}'), promote('lines', '{}', '{"mode": "in", "segments": ["socks"], "min_items": 2}', '{"percent": 60}'), loyalty_apply('main') \g /dev/null
SELECT sku, price, more FROM loyalty_prices(skus => '{hat,sock}') ORDER BY sku;
SELECT promotion, kind, change, price_now, price_then FROM loyalty_opportunities('{"lines": [{"product": "boot", "quantity": 1}, {"product": "sock", "quantity": 1}]}') ORDER BY promotion;

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
    $$INSERT INTO loyalty.promotions (program, external_id, name, kind, audience) VALUES ('main', 'x', 'X', 'points', 'guests')$$,
    $$INSERT INTO loyalty.promotions (program, external_id, name, kind, min_total) VALUES ('main', 'x', 'X', 'trigger', 5)$$,
    $$DELETE FROM loyalty.order_segments WHERE external_id = 'large'$$
]) AS statement;
-- A segment that only the version in force names stays as well.
UPDATE loyalty.promotions SET order_mode = 'in', order_segments = '{pickup}' WHERE external_id = 'order';
SELECT loyalty_apply('main') \g /dev/null
UPDATE loyalty.promotions SET order_mode = 'all', order_segments = '{}' WHERE external_id IN ('order', 'sent');
SELECT refusal($$DELETE FROM loyalty.order_segments WHERE external_id = 'pickup'$$);
-- A document has it all, and gives it back.
SELECT jsonb_path_query(loyalty_export('main'), '$.promotions[*] ? (@.external_id == "shoes" || @.external_id == "large" || @.external_id == "rest" || @.external_id == "welcome")') - '{name,kind,position}'::text[] AS promotion;
SELECT count(*) FROM loyalty_plan(loyalty_export('main'));

DROP SCHEMA loyalty CASCADE;
DROP FUNCTION promote, alone, together, refusal;
