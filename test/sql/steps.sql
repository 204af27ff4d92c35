-- Steps: what a benefit gives depends on how much there is. Figures are computed by hand.
\set ECHO none
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2026-06-15 12:00+00') \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, scale, active)
    VALUES ('main', 'bonus', 'Bonus', 'standard', 1, 2, true);
INSERT INTO loyalty.profiles (key) VALUES ('ann');
INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('ann', 'main', loyalty.clock());
SELECT loyalty_accrue('ann', 'main', 'bonus', 100) \g /dev/null
INSERT INTO loyalty.products (program, sku, name, price)
    VALUES ('main', 'cap', 'Cap', 10), ('main', 'mug', 'Mug', 6), ('main', 'tea', 'Tea', 4);
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
VALUES ('main', 'hot', 'For hot drinks', '$.sku == "mug" || $.sku == "tea"');
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
    VALUES ('main', 'p', 'P', 'discount', 'active', 'everyone');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('main', 'p');

CREATE FUNCTION put(benefit text, level text, parameters jsonb, segments text[] DEFAULT '{}')
    RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM loyalty.promotion_benefits;
    UPDATE loyalty.promotions SET kind = CASE benefit WHEN 'discount' THEN 'discount' ELSE 'points' END
        WHERE external_id = 'p';
    UPDATE loyalty.promotion_conditions
        SET level = put.level, segments = put.segments, mode = CASE put.segments WHEN '{}' THEN 'all' ELSE 'in' END;
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
        VALUES ('main', 'p', 1, benefit, parameters);
    PERFORM loyalty_apply('main');
END
$$;
-- Totals of the lines, and points, of an order of so many caps, mugs and teas.
CREATE FUNCTION totals(caps numeric, mugs numeric, teas numeric) RETURNS text LANGUAGE sql AS $$
SELECT (SELECT string_agg(line ->> 'total', ' ' ORDER BY number)
    FROM jsonb_array_elements(result -> 'lines') WITH ORDINALITY AS l (line, number))
    || ' = ' || (result #>> '{totals,total}')
    || coalesce((SELECT string_agg(format(', %s -%s +%s', type ->> 'points', type ->> 'spent', type ->> 'accrued'), '')
        FROM jsonb_array_elements(result -> 'points') AS t (type)
        WHERE (type ->> 'spent')::numeric + (type ->> 'accrued')::numeric > 0), '')
FROM loyalty_calculate(
    jsonb_build_object('member', 'ann', 'redeem', '[{"points": "bonus", "amount": "max"}]'::jsonb, 'lines', (
    SELECT jsonb_agg(jsonb_build_object('product', product, 'quantity', quantity) ORDER BY product)
        FROM (VALUES ('cap', caps), ('mug', mugs), ('tea', teas)) AS line (product, quantity) WHERE quantity > 0
))) AS result
$$;
CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
    hint text;
BEGIN
    EXECUTE statement;
    RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ' ' || said || ' ' || hint;
END
$$;
\set ECHO all

-- 5 % from 50, 10 % from 100, of the order: 48 nothing; 50 less 2.50; 100 less 10.
SELECT put('discount', 'order', '{"steps": [{"from": 50, "percent": 5}, {"from": 100, "percent": 10}]}');
SELECT totals(4, 0, 2), totals(5, 0, 0), totals(9, 0, 2), totals(10, 0, 0);
SELECT line FROM loyalty_explain('{"lines": [{"product": "cap", "quantity": 4}]}') AS line
    WHERE line LIKE '%Promotion%';
-- What is missing to the next step, with prices, and as an opportunity: one more mug, 102 less 10.20.
SELECT sku, more FROM loyalty_prices(skus => '{cap}');
SELECT kind, change, price_now, price_then
    FROM loyalty_opportunities('{"lines": [{"product": "cap", "quantity": 9}, {"product": "mug", "quantity": 1}]}');
-- By units of the order: 1 off from 2 items, 3 off from 4, once.
SELECT put('discount', 'order', '{"by": "items", "steps": [{"from": 2, "amount": 1}, {"from": 4, "amount": 3}]}');
SELECT totals(1, 0, 0), totals(1, 1, 0), totals(1, 1, 1.999), totals(1, 1, 2);
-- Of the goods in a segment: mug and tea from 10 on are 50 % off, whatever the caps are.
SELECT put('discount', 'order', '{"segments": ["hot"], "steps": [{"from": 10, "percent": 50}]}');
SELECT totals(9, 1, 0), totals(9, 1, 1);
SELECT line FROM loyalty_explain('{"lines": [{"product": "mug", "quantity": 1}]}') AS line
    WHERE line LIKE '%Promotion%';

-- On products the condition's lines count, in money or in units, or those of the whole order.
SELECT put('discount', 'product', '{"steps": [{"from": 10, "percent": 50}]}', '{hot}');
SELECT totals(9, 1, 0), totals(9, 1, 1);
SELECT put('discount', 'product',
    '{"by": "lines_items", "steps": [{"from": 2, "percent": 10}, {"from": 3, "percent": 50}]}', '{hot}');
SELECT totals(9, 1, 0), totals(9, 1, 1), totals(0, 2, 1);
SELECT put('discount', 'product', '{"by": "goods", "steps": [{"from": 50, "percent": 50}]}', '{hot}');
SELECT totals(4, 1, 0), totals(5, 1, 0);
-- Tier prices, each line by its own quantity: 1 off each from 3, 2 off each from 5. Lines of one product are one.
SELECT put('discount', 'product',
    '{"by": "line_items", "steps": [{"from": 3, "amount": 1}, {"from": 5, "amount": 2}]}');
SELECT totals(2, 3, 5), totals(5, 4, 2);
SELECT loyalty_calculate(
    '{"lines": [{"product": "cap", "quantity": 2}, {"product": "cap", "quantity": 1}]}') #>> '{totals,total}' AS split;
SELECT line FROM loyalty_explain('{"lines": [{"product": "cap", "quantity": 2}]}') AS line
    WHERE line LIKE '%Promotion%';
-- One of each line, by the step of the line; and 5 or 8 off each line once.
SELECT put('discount', 'product',
    '{"by": "line_items", "max_items": 1, "max_items_per": "line", "steps": [{"from": 2, "percent": 50}, {"from": 3, "percent": 100}]}');
SELECT totals(1, 2, 3);
SELECT put('discount', 'product',
    '{"by": "line_items", "per": "line", "steps": [{"from": 2, "amount": 5}, {"from": 3, "amount": 8}]}');
SELECT totals(1, 2, 3);

-- Points: 1 % from 20, 10 % from 40; up to 3 points from 2 items, 6 from 3 pay.
SELECT put('accrue_points', 'order',
    '{"point_type": "bonus", "steps": [{"from": 20, "percent": 1}, {"from": 40, "percent": 10}]}');
SELECT totals(1, 0, 0), totals(2, 0, 0), totals(4, 0, 0);
SELECT put('points_discount', 'order',
    '{"point_type": "bonus", "by": "items", "steps": [{"from": 2, "points": 3}, {"from": 3, "points": 6}]}');
SELECT totals(1, 0, 0), totals(2, 0, 0), totals(3, 0, 0);
-- Counted at base prices: what an earlier promotion took off changes no step.
SELECT put('discount', 'order', '{"steps": [{"from": 50, "percent": 10}]}');
SELECT loyalty_save_promotion('main',
    '{"external_id": "half", "name": "Half", "kind": "discount", "state": "active", "audience": "everyone", "position": -1, "conditions": [{"benefits": [{"benefit": "discount", "parameters": {"percent": 50}}]}]}') \g /dev/null
SELECT loyalty_apply('main') \g /dev/null
SELECT totals(5, 0, 0);
-- What is worth most is their sum: 50 less 25 and 5.
UPDATE loyalty.promotion_groups SET arbitration = 'max_benefit' WHERE external_id = 'main';
SELECT loyalty_apply('main') \g /dev/null
SELECT totals(5, 0, 0), loyalty_calculate('{"lines": [{"product": "cap", "quantity": 5}]}') -> 'optimal' AS optimal;
-- A document brings them back.
SELECT count(*) FROM loyalty_plan(loyalty_export('main'));

UPDATE loyalty.promotions SET state = 'inactive' WHERE external_id <> 'p';
-- Tier prices: from 3 of an article 8.00 each, from 6 7.00; a mug costs less already. By the units of both it is 3,
-- too.
SELECT put('discount', 'product', '{"by": "line_items", "steps": [{"from": 3, "price": 8}, {"from": 6, "price": 7}]}');
SELECT totals(2, 0, 0), totals(3, 3, 0), totals(6, 0, 1);
SELECT put('discount', 'product', '{"by": "lines_items", "steps": [{"from": 3, "price": 8}]}');
SELECT totals(2, 0, 0), totals(2, 1, 0), totals(2.5, 0.5, 0);
-- A price is of no sum.
UPDATE loyalty.promotions SET benefit_rule = 'parallel' WHERE external_id = 'p';
SELECT refusal($$SELECT loyalty_apply('main')$$);
UPDATE loyalty.promotions SET benefit_rule = 'sequential' WHERE external_id = 'p';

-- What is refused.
SELECT refusal(format('SELECT put(%L, %L, %L)', benefit, level, parameters)) FROM (
    VALUES
        ('discount', 'product', '{"price": 8}'),
        ('discount', 'order', '{"steps": [{"from": 5, "price": 5}]}'),
        ('discount', 'product', '{"steps": [{"from": 5, "price": 5, "amount": 5}]}'),
        ('discount', 'product', '{"at": "current", "percent": 5}'),
        ('discount', 'product', '{"at": "current", "by": "line_items", "steps": [{"from": 5, "percent": 5}]}'),
        ('discount', 'product', '{"at": "now", "steps": [{"from": 5, "percent": 5}]}'),
        ('discount', 'order', '{"steps": []}'),
        ('discount', 'order', '{"steps": [5]}'),
        ('discount', 'order', '{"steps": [{"percent": 5}]}'),
        ('discount', 'order', '{"steps": [{"from": 5}]}'),
        ('discount', 'order', '{"steps": [{"from": -5, "percent": 5}]}'),
        ('discount', 'order', '{"steps": [{"from": 5, "percent": 5}, {"from": 5, "percent": 6}]}'),
        ('discount', 'order', '{"steps": [{"from": 5, "percent": 5}, {"from": 6, "amount": 6}]}'),
        ('discount', 'order', '{"steps": [{"from": 5, "percent": 500}]}'),
        ('discount', 'order', '{"steps": [{"from": 5, "percent": 5, "pick": "cheapest"}]}'),
        ('discount', 'order', '{"percent": 1, "steps": [{"from": 5, "percent": 5}]}'),
        ('discount', 'order', '{"percent": 1, "by": "items"}'),
        ('discount', 'order', '{"by": "line_items", "steps": [{"from": 5, "percent": 5}]}'),
        ('discount', 'product', '{"by": "line_items", "per": "order", "steps": [{"from": 5, "amount": 5}]}'),
        ('discount', 'product', '{"by": "line_items", "max_items": 1, "steps": [{"from": 5, "amount": 5}]}'),
        ('accrue_points', 'product',
            '{"point_type": "bonus", "by": "line_items", "steps": [{"from": 5, "percent": 5}]}'),
        ('accrue_points_from_field', 'product', '{"point_type": "bonus", "steps": [{"from": 5, "percent": 5}]}')
) AS wrong (benefit, level, parameters);

DROP SCHEMA loyalty CASCADE;
DROP FUNCTION put, totals, refusal;
