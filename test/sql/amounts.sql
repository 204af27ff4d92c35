-- What an amount is for (each unit, each line, all of them), items of each line, and benefits on the order that are for
-- some product segments only. Figures are computed by hand.
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
VALUES ('main', 'hot', 'For hot drinks', '$.sku == "mug" || $.sku == "tea"'),
    ('main', 'cold', 'For cold ones', '$.sku == "ice"'), ('main', 'idle', 'Not used', '$.price > 5');
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
    VALUES ('main', 'p', 'P', 'discount', 'active', 'everyone');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('main', 'p');

-- The totals of lines and shipping under this benefit alone: two caps (20), a mug (6) and tea (4).
CREATE FUNCTION totals(benefit text, level text, parameters jsonb,
    lines jsonb DEFAULT '[{"product": "cap", "quantity": 2}, {"product": "mug", "quantity": 1}, {"product": "tea", "quantity": 1}]', more jsonb DEFAULT '{}')
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result jsonb;
BEGIN
    DELETE FROM loyalty.promotion_benefits;
    UPDATE loyalty.promotions
        SET kind = CASE benefit WHEN 'discount' THEN 'discount' WHEN 'round_order_price' THEN 'discount'
        ELSE 'points' END;
    UPDATE loyalty.promotion_conditions SET level = totals.level;
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
        VALUES ('main', 'p', 1, benefit, parameters);
    PERFORM loyalty_apply('main');
    result := loyalty_calculate(
        jsonb_build_object('member', 'ann', 'redeem', '[{"points": "bonus", "amount": "max"}]'::jsonb, 'lines', lines)
        || more);
    RETURN (SELECT string_agg(line ->> 'total', ' ' ORDER BY number)
        FROM jsonb_array_elements(result -> 'lines') WITH ORDINALITY AS l (line, number))
        || ' + ' || (result #>> '{shipping,total}') || ' = ' || (result #>> '{totals,total}')
        || coalesce((SELECT ', points '
            || string_agg(format('%s -%s +%s', type ->> 'points', type ->> 'spent', type ->> 'accrued'), ' ')
            FROM jsonb_array_elements(result -> 'points') AS t (type)), '');
END
$$;
\set ECHO all

-- 5 off each unit; each line; all of them: 5 * 20/30, 5 * 6/30, 5 * 4/30.
SELECT totals('discount', 'product', '{"amount": 5}');
SELECT totals('discount', 'product', '{"amount": 5, "per": "line"}');
SELECT totals('discount', 'product', '{"amount": 5, "per": "order"}');
-- Never more than the price.
SELECT totals('discount', 'product', '{"amount": 7, "per": "line"}');
SELECT totals('discount', 'product', '{"amount": 700, "per": "order"}');
-- Two lines of one product are one, here 7 of 20: 3.50 each; at another price they are not.
SELECT totals('discount', 'product', '{"amount": 7, "per": "line"}',
    '[{"product": "cap", "quantity": 1}, {"product": "cap", "quantity": 1}]');
SELECT totals('discount', 'product', '{"amount": 7, "per": "line"}',
    '[{"product": "cap", "quantity": 1}, {"product": "cap", "quantity": 1, "price": 9}]');
-- Two caps not below 19: of what is for all the rest moves, 4 of it to mug and tea as 6 to 4; of what is for the line
-- it is lost.
SELECT totals('discount', 'product', '{"amount": 5, "per": "order"}',
    '[{"product": "cap", "quantity": 2, "min_price": 9.5}, {"product": "mug", "quantity": 1}, {"product": "tea", "quantity": 1}]');
SELECT totals('discount', 'product', '{"amount": 5, "per": "line"}',
    '[{"product": "cap", "quantity": 2, "min_price": 9.5}, {"product": "mug", "quantity": 1}]');

-- Half price for one item: of the order, here the cheapest; of each line.
SELECT totals('discount', 'product', '{"percent": 50, "max_items": 1, "pick": "cheapest"}');
SELECT totals('discount', 'product', '{"percent": 50, "max_items": 1, "max_items_per": "line"}');
-- One of two lines of one product.
SELECT totals('discount', 'product', '{"percent": 50, "max_items": 1, "max_items_per": "line"}',
    '[{"product": "cap", "quantity": 1}, {"product": "cap", "quantity": 1}]');
-- 3 off one item of each line.
SELECT totals('discount', 'product', '{"amount": 3, "max_items": 1, "max_items_per": "line"}');

-- Of mug and tea only: 10 % of 10; 8 of 10 as 6 to 4; 10 % of them and the shipping; nothing where they are not.
SELECT totals('discount', 'order', '{"percent": 10, "segments": ["hot"]}');
SELECT totals('discount', 'order', '{"amount": 8, "segments": ["hot", "cold"]}');
SELECT totals('discount', 'order', '{"percent": 10, "segments": ["hot"], "target": "order"}',
    more => '{"shipping": 5}');
SELECT totals('discount', 'order', '{"percent": 10, "segments": ["cold"]}');
SELECT line FROM loyalty_explain('{"lines": [{"product": "cap", "quantity": 1}]}') AS line
    WHERE line LIKE '%Promotion%';
SELECT totals('round_order_price', 'order', '{"step": 3, "direction": "down", "segments": ["hot"]}');

-- Points that pay: 4 for each line; 4 for all, as 20 to 6 to 4; half of mug and tea. And 10 % of mug and tea earned.
SELECT totals('points_discount', 'product', '{"point_type": "bonus", "points": 4, "per": "line"}');
SELECT totals('points_discount', 'product', '{"point_type": "bonus", "amount": 4, "per": "order"}');
SELECT totals('points_discount', 'order', '{"point_type": "bonus", "percent": 50, "segments": ["hot"]}');
SELECT totals('accrue_points', 'order', '{"point_type": "bonus", "percent": 10, "segments": ["hot"]}');

-- A return gives back what the units carry: of two caps for 15 the first 7.50, then the rest.
SELECT totals('discount', 'product', '{"amount": 5, "per": "line"}') \g /dev/null
SELECT loyalty_place_order(
    '{"external_id": "A", "lines": [{"id": "c", "product": "cap", "quantity": 2}]}') #>> '{totals,total}' AS total;
SELECT loyalty_return_items('main', 'A', '[{"id": "c", "quantity": 1}]', 'R1') ->> 'money' AS money;
SELECT loyalty_return_items('main', 'A', '[{"id": "c", "quantity": 1}]', 'R2') ->> 'money' AS money;

-- In an incompatible group what is for a segment takes its goods only: 10 % of mug and tea, then 10 % of the caps.
SELECT totals('discount', 'order', '{"percent": 10, "segments": ["hot"]}') \g /dev/null
UPDATE loyalty.promotion_groups SET arbitration = 'incompatibility' WHERE external_id = 'main';
SELECT loyalty_save_promotion('main',
    '{"external_id": "q", "name": "Q", "kind": "discount", "state": "active", "audience": "everyone", "conditions": [{"benefits": [{"benefit": "discount", "parameters": {"percent": 10}}]}]}') \g /dev/null
SELECT loyalty_apply('main') \g /dev/null
SELECT line FROM loyalty_explain(
    '{"lines": [{"product": "cap", "quantity": 2}, {"product": "mug", "quantity": 1}, {"product": "tea", "quantity": 1}]}') AS line;

-- What is refused.
\set ECHO none
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
SELECT refusal(format('SELECT totals(%L, %L, %L)', benefit, level, parameters)) FROM (
    VALUES
        ('discount', 'product', '{"percent": 5, "per": "line"}'),
        ('discount', 'product', '{"amount": 5, "per": "cart"}'),
        ('discount', 'order', '{"amount": 5, "per": "line"}'),
        ('discount', 'product', '{"amount": 5, "max_items_per": "line"}'),
        ('discount', 'product', '{"amount": 5, "segments": ["hot"]}'),
        ('discount', 'order', '{"percent": 5, "segments": ["hot"], "target": "shipping"}'),
        ('discount', 'order', '{"percent": 5, "segments": []}'),
        ('discount', 'order', '{"percent": 5, "segments": ["lukewarm"]}'),
        ('accrue_points', 'product', '{"point_type": "bonus", "percent": 5, "segments": ["hot"]}'),
        ('points_discount', 'product', '{"point_type": "bonus", "percent": 5, "per": "order"}')
) AS wrong (benefit, level, parameters);
SELECT refusal(format('DELETE FROM loyalty.product_segments WHERE external_id = %L', segment))
    FROM unnest('{hot,idle}'::text[]) AS segment;

DROP SCHEMA loyalty CASCADE;
DROP FUNCTION totals, refusal;
