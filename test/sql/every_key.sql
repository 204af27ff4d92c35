-- Every key of the parameters of benefits is obeyed, with a figure that it changes, or refused; so is every key that
-- there is not.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE EXTENSION IF NOT EXISTS loyalty;
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2026-11-29 12:00Z') \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('p', 'P', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.profiles VALUES ('ann');
INSERT INTO loyalty.point_types (program, external_id, name, ratio, active)
    VALUES ('p', 'bonus', 'Bonus', 2, true), ('p', 'other', 'Other', 3, true);
INSERT INTO loyalty.products (program, sku, name, price, fields)
VALUES ('p', 'cup', 'Cup', 12.34, '{"vip": 10.10, "cheap": 3.30, "stars": 4}'),
    ('p', 'pot', 'Pot', 45.67, '{"vip": 40, "cheap": 9.90, "stars": 7}'),
('p', 'mug', 'Mug', 7.77, '{"vip": 7, "cheap": 1, "stars": 1}');
INSERT INTO loyalty.partners (program, external_id, name) VALUES ('p', 'acme', 'Acme'), ('p', 'best', 'Best');
INSERT INTO loyalty.partner_products (program, sku, partner, discount_percent, points_value, points_unit)
VALUES ('p', 'cup', 'acme', 10, 5, 'points'), ('p', 'pot', 'best', 20, 10, 'percent');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('p', 'pots', 'Pots', '$.sku == "pot"');
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind)
    VALUES ('p', 'one', 'One', 'personal'), ('p', 'two', 'Two', 'personal');
INSERT INTO loyalty.promo_codes (code, program, pool) VALUES ('ONE', 'p', 'one'), ('TWO', 'p', 'two');
SELECT loyalty_enrol('ann', 'p') \g /dev/null
SELECT loyalty_accrue('ann', 'p', point_type, 1000) FROM unnest('{bonus,other}'::text[]) AS point_type \g /dev/null

-- What an order comes to under a benefit, or the error that it is refused with; all of it is undone.
CREATE FUNCTION outcome(benefit text, level text, parameters jsonb, OUT refused text, OUT figures text)
    LANGUAGE plpgsql AS $$
DECLARE
    basket CONSTANT jsonb := '{"external_id": "A", "member": "ann", "shipping": 6.66, "redeem": [{"points": "bonus", "amount": "max"}, {"points": "other", "amount": "max"}],
        "lines": [{"product": "cup", "quantity": 3}, {"product": "pot", "quantity": 2}, {"product": "mug", "quantity": 5}]}';
BEGIN
    BEGIN
        INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
        VALUES ('p', 'x', 'X', CASE WHEN benefit ~ 'points' THEN 'points' ELSE 'discount' END, 'active');
        INSERT INTO loyalty.promotion_conditions (program, promotion, level) VALUES ('p', 'x', outcome.level);
        -- Something to multiply.
        INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
        SELECT 'p', 'x', 1, 'accrue_points', jsonb_build_object('point_type', type, 'percent', 10)
        FROM unnest('{bonus,other}'::text[]) AS type WHERE benefit = 'multiply_points';
        -- Something that is given for.
        INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
        SELECT 'p', 'x', 1, 'set', '{"get": [{"count": 2}], "percent": 0}'
            WHERE outcome.benefit = 'gift' AND outcome.level = 'product';
        INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
            VALUES ('p', 'x', 1, outcome.benefit, outcome.parameters);
        PERFORM loyalty_apply('p');
        figures := (loyalty_calculate(basket) - 'version')::text;
        figures := figures || coalesce((loyalty_place_order(basket) -> 'issued')::text, '');
        RAISE EXCEPTION 'undone' USING ERRCODE = 'LY999';
    EXCEPTION
        WHEN SQLSTATE 'LY999' THEN
            NULL;
        WHEN OTHERS THEN
            refused := SQLSTATE;
    END;
END
$$;

CREATE TABLE walked (number integer GENERATED ALWAYS AS IDENTITY, benefit text, level text, key text, before jsonb,
    after jsonb);
INSERT INTO walked (benefit, level, key, before, after) VALUES
    ('discount', 'product', 'percent', '{"percent": 10}', '{"percent": 11}'),
    ('discount', 'product', 'amount', '{"amount": 1}', '{"amount": 2}'),
    ('discount', 'product', 'per', '{"amount": 1}', '{"amount": 1, "per": "line"}'),
    ('discount', 'product', 'per', '{"amount": 1, "per": "line"}', '{"amount": 1, "per": "order"}'),
    ('discount', 'product', 'max_items', '{"percent": 10}', '{"percent": 10, "max_items": 4}'),
    ('discount', 'product', 'pick', '{"percent": 10, "max_items": 4}',
        '{"percent": 10, "max_items": 4, "pick": "cheapest"}'),
    ('discount', 'product', 'max_items_per', '{"percent": 10, "max_items": 1}',
        '{"percent": 10, "max_items": 1, "max_items_per": "line"}'),
    ('discount', 'order', 'percent', '{"percent": 10}', '{"percent": 11}'),
    ('discount', 'order', 'amount', '{"amount": 10}', '{"amount": 11}'),
    ('discount', 'order', 'target', '{"percent": 10}', '{"percent": 10, "target": "order"}'),
    ('discount', 'order', 'target', '{"percent": 10}', '{"percent": 10, "target": "shipping"}'),
    ('discount', 'order', 'segments', '{"percent": 10}', '{"percent": 10, "segments": ["pots"]}'),
    ('discount', 'order', 'max_items', '{"percent": 10}', '{"percent": 10, "max_items": 4}'),
    ('discount', 'order', 'pick', '{"percent": 10, "max_items": 4}',
        '{"percent": 10, "max_items": 4, "pick": "cheapest"}'),
    ('discount', 'order', 'max_items_per', '{"percent": 10, "max_items": 1}',
        '{"percent": 10, "max_items": 1, "max_items_per": "line"}'),
    ('discount', 'product', 'steps', '{"steps": [{"from": 0, "percent": 10}]}',
        '{"steps": [{"from": 0, "percent": 11}]}'),
    ('discount', 'product', 'by', '{"steps": [{"from": 20, "percent": 10}]}',
        '{"steps": [{"from": 20, "percent": 10}], "by": "items"}'),
    ('discount', 'order', 'steps', '{"steps": [{"from": 0, "percent": 10}]}',
        '{"steps": [{"from": 0, "percent": 11}]}'),
    ('discount', 'order', 'by', '{"steps": [{"from": 20, "percent": 10}]}',
        '{"steps": [{"from": 20, "percent": 10}], "by": "items"}'),
    ('points_discount', 'product', 'steps', '{"point_type": "bonus", "steps": [{"from": 0, "percent": 10}]}',
        '{"point_type": "bonus", "steps": [{"from": 0, "percent": 11}]}'),
    ('points_discount', 'product', 'by', '{"point_type": "bonus", "steps": [{"from": 20, "percent": 10}]}',
        '{"point_type": "bonus", "steps": [{"from": 20, "percent": 10}], "by": "items"}'),
    ('points_discount', 'order', 'steps', '{"point_type": "bonus", "steps": [{"from": 0, "percent": 10}]}',
        '{"point_type": "bonus", "steps": [{"from": 0, "percent": 11}]}'),
    ('points_discount', 'order', 'by', '{"point_type": "bonus", "steps": [{"from": 20, "percent": 10}]}',
        '{"point_type": "bonus", "steps": [{"from": 20, "percent": 10}], "by": "items"}'),
    ('accrue_points', 'product', 'steps', '{"point_type": "bonus", "steps": [{"from": 0, "percent": 10}]}',
        '{"point_type": "bonus", "steps": [{"from": 0, "percent": 11}]}'),
    ('accrue_points', 'product', 'by', '{"point_type": "bonus", "steps": [{"from": 20, "percent": 10}]}',
        '{"point_type": "bonus", "steps": [{"from": 20, "percent": 10}], "by": "items"}'),
    ('accrue_points', 'order', 'steps', '{"point_type": "bonus", "steps": [{"from": 0, "percent": 10}]}',
        '{"point_type": "bonus", "steps": [{"from": 0, "percent": 11}]}'),
    ('accrue_points', 'order', 'by', '{"point_type": "bonus", "steps": [{"from": 20, "percent": 10}]}',
        '{"point_type": "bonus", "steps": [{"from": 20, "percent": 10}], "by": "items"}'),
    ('set', 'product', 'get', '{"get": [{"count": 1}], "percent": 10}',
        '{"get": [{"count": 1, "segments": ["pots"]}], "percent": 10}'),
    ('set', 'product', 'buy', '{"get": [{"count": 1}], "percent": 10}',
        '{"get": [{"count": 1}], "percent": 10, "buy": [{"count": 1}]}'),
    ('set', 'product', 'percent', '{"get": [{"count": 1}], "percent": 10}', '{"get": [{"count": 1}], "percent": 11}'),
    ('set', 'product', 'amount', '{"get": [{"count": 1}], "amount": 1}', '{"get": [{"count": 1}], "amount": 2}'),
    ('set', 'product', 'price', '{"get": [{"count": 2}], "price": 10}', '{"get": [{"count": 2}], "price": 11}'),
    ('set', 'product', 'pick', '{"get": [{"count": 1}], "percent": 10, "max_times": 1}',
        '{"get": [{"count": 1}], "percent": 10, "max_times": 1, "pick": "most_expensive"}'),
    ('set', 'product', 'max_times', '{"get": [{"count": 1}], "percent": 10}',
        '{"get": [{"count": 1}], "percent": 10, "max_times": 1}'),
    ('set', 'product', 'share', '{"get": [{"count": 1}], "percent": 10, "buy": [{"count": 1}]}',
        '{"get": [{"count": 1}], "percent": 10, "buy": [{"count": 1}], "share": "get"}'),
    ('gift', 'product', 'product', '{"product": "mug"}', '{"product": "cup"}'),
    ('gift', 'product', 'quantity', '{"product": "mug"}', '{"product": "mug", "quantity": 2}'),
    ('gift', 'order', 'product', '{"product": "mug"}', '{"product": "cup"}'),
    ('gift', 'order', 'quantity', '{"product": "mug"}', '{"product": "mug", "quantity": 2}'),
    ('gift', 'product', 'per', '{"product": "mug"}', '{"product": "mug", "per": "set"}'),
    ('price_from_field', 'product', 'field', '{"field": "vip"}', '{"field": "cheap"}'),
    ('price_from_field', 'product', 'factor', '{"field": "vip"}', '{"field": "vip", "factor": 0.5}'),
    ('round_price', 'product', 'mode', '{"mode": "integer"}', '{"mode": "tens"}'),
    ('round_price', 'product', 'step', '{"step": 0.5}', '{"step": 5}'),
    ('round_price', 'product', 'direction', '{"step": 5}', '{"step": 5, "direction": "down"}'),
    ('round_order_price', 'order', 'mode', '{"mode": "integer"}', '{"mode": "tens"}'),
    ('round_order_price', 'order', 'step', '{"step": 0.5}', '{"step": 5}'),
    ('round_order_price', 'order', 'direction', '{"step": 5, "direction": "down"}', '{"step": 5, "direction": "up"}'),
    ('round_order_price', 'order', 'target', '{"mode": "tens"}', '{"mode": "tens", "target": "order"}'),
    ('round_order_price', 'order', 'segments', '{"mode": "tens"}', '{"mode": "tens", "segments": ["pots"]}'),
    ('partner_discount', 'product', 'partners', '{}', '{"partners": ["acme"]}'),
    ('text', 'product', 'template', '{"template": "Dear {{ member.key }}"}', '{"template": "{{ line.quantity }}"}'),
    ('text', 'order', 'template', '{"template": "Dear {{ member.key }}"}', '{"template": "Hello"}'),
    ('issue_promo_code', 'order', 'pool', '{"pool": "one"}', '{"pool": "two"}'),
    ('issue_promo_code', 'order', 'message', '{"pool": "one"}', '{"pool": "one", "message": "{{ promo_code }}"}'),
    ('points_discount', 'product', 'point_type', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "other", "points": 5}'),
    ('points_discount', 'product', 'percent', '{"point_type": "bonus", "percent": 10}',
        '{"point_type": "bonus", "percent": 11}'),
    ('points_discount', 'product', 'amount', '{"point_type": "bonus", "amount": 1}',
        '{"point_type": "bonus", "amount": 2}'),
    ('points_discount', 'product', 'points', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "bonus", "points": 6}'),
    ('points_discount', 'product', 'per', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "bonus", "points": 5, "per": "line"}'),
    ('points_discount', 'product', 'max_items', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "bonus", "points": 5, "max_items": 4}'),
    ('points_discount', 'product', 'pick', '{"point_type": "bonus", "percent": 10, "max_items": 4}',
        '{"point_type": "bonus", "percent": 10, "max_items": 4, "pick": "cheapest"}'),
    ('points_discount', 'product', 'max_items_per', '{"point_type": "bonus", "points": 5, "max_items": 1}',
        '{"point_type": "bonus", "points": 5, "max_items": 1, "max_items_per": "line"}'),
    ('points_discount', 'order', 'point_type', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "other", "points": 5}'),
    ('points_discount', 'order', 'percent', '{"point_type": "bonus", "percent": 10}',
        '{"point_type": "bonus", "percent": 11}'),
    ('points_discount', 'order', 'points', '{"point_type": "bonus", "points": 50}',
        '{"point_type": "bonus", "points": 60}'),
    ('points_discount', 'order', 'segments', '{"point_type": "bonus", "percent": 10}',
        '{"point_type": "bonus", "percent": 10, "segments": ["pots"]}'),
    ('accrue_points', 'product', 'point_type', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "other", "points": 5}'),
    ('accrue_points', 'product', 'percent', '{"point_type": "bonus", "percent": 10}',
        '{"point_type": "bonus", "percent": 11}'),
    ('accrue_points', 'product', 'points', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "bonus", "points": 6}'),
    ('accrue_points', 'product', 'credit_on', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "bonus", "points": 5, "credit_on": "delivered"}'),
    ('accrue_points', 'product', 'delay', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "bonus", "points": 5, "delay": "14 days"}'),
    ('accrue_points', 'order', 'point_type', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "other", "points": 5}'),
    ('accrue_points', 'order', 'percent', '{"point_type": "bonus", "percent": 10}',
        '{"point_type": "bonus", "percent": 11}'),
    ('accrue_points', 'order', 'points', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "bonus", "points": 6}'),
    ('accrue_points', 'order', 'segments', '{"point_type": "bonus", "percent": 10}',
        '{"point_type": "bonus", "percent": 10, "segments": ["pots"]}'),
    ('accrue_points', 'order', 'credit_on', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "bonus", "points": 5, "credit_on": "delivered"}'),
    ('accrue_points', 'order', 'delay', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "bonus", "points": 5, "delay": "14 days"}'),
    ('accrue_points_from_field', 'product', 'point_type', '{"point_type": "bonus", "field": "stars"}',
        '{"point_type": "other", "field": "stars"}'),
    ('accrue_points_from_field', 'product', 'field', '{"point_type": "bonus", "field": "stars"}',
        '{"point_type": "bonus", "field": "vip"}'),
    ('accrue_points_from_field', 'product', 'points', '{"point_type": "bonus", "points": 2, "per_amount": 10}',
        '{"point_type": "bonus", "points": 3, "per_amount": 10}'),
    ('accrue_points_from_field', 'product', 'per_amount', '{"point_type": "bonus", "points": 2, "per_amount": 10}',
        '{"point_type": "bonus", "points": 2, "per_amount": 20}'),
    ('accrue_points_from_field', 'product', 'credit_on', '{"point_type": "bonus", "field": "stars"}',
        '{"point_type": "bonus", "field": "stars", "credit_on": "delivered"}'),
    ('accrue_points_from_field', 'product', 'delay', '{"point_type": "bonus", "field": "stars"}',
        '{"point_type": "bonus", "field": "stars", "delay": "14 days"}'),
    ('accrue_points', 'product', 'marginal',
        '{"point_type": "bonus", "steps": [{"from": 0, "percent": 10}, {"from": 20, "percent": 20}]}',
    '{"point_type": "bonus", "marginal": true, "steps": [{"from": 0, "percent": 10}, {"from": 20, "percent": 20}]}'),
    ('accrue_points', 'order', 'marginal',
        '{"point_type": "bonus", "steps": [{"from": 0, "percent": 10}, {"from": 20, "percent": 20}]}',
    '{"point_type": "bonus", "marginal": true, "steps": [{"from": 0, "percent": 10}, {"from": 20, "percent": 20}]}'),
    ('multiply_points', 'product', 'point_type', '{"point_type": "bonus", "factor": 2}',
        '{"point_type": "other", "factor": 2}'),
    ('multiply_points', 'product', 'factor', '{"point_type": "bonus", "factor": 2}',
        '{"point_type": "bonus", "factor": 3}'),
    ('multiply_points', 'order', 'point_type', '{"point_type": "bonus", "factor": 2}',
        '{"point_type": "other", "factor": 2}'),
    ('multiply_points', 'order', 'factor', '{"point_type": "bonus", "factor": 2}',
        '{"point_type": "bonus", "factor": 3}'),
    ('multiply_points', 'order', 'segments', '{"point_type": "bonus", "factor": 2}',
        '{"point_type": "bonus", "factor": 2, "segments": ["pots"]}'),
    ('deduct_points', 'product', 'point_type', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "other", "points": 5}'),
    ('deduct_points', 'product', 'points', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "bonus", "points": 6}'),
    ('deduct_points', 'order', 'point_type', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "other", "points": 5}'),
    ('deduct_points', 'order', 'points', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "bonus", "points": 6}'),
    ('deduct_points', 'order', 'segments', '{"point_type": "bonus", "points": 5}',
        '{"point_type": "bonus", "points": 5, "segments": ["pots"]}'),
    ('partner_points', 'product', 'point_type', '{"point_type": "bonus", "mode": "accrue"}',
        '{"point_type": "other", "mode": "accrue"}'),
    ('partner_points', 'product', 'mode', '{"point_type": "bonus", "mode": "accrue"}',
        '{"point_type": "bonus", "mode": "pay"}'),
    ('partner_points', 'product', 'partners', '{"point_type": "bonus", "mode": "pay"}',
        '{"point_type": "bonus", "mode": "pay", "partners": ["acme"]}'),
    ('partner_points', 'product', 'credit_on', '{"point_type": "bonus", "mode": "accrue"}',
        '{"point_type": "bonus", "mode": "accrue", "credit_on": "delivered"}'),
    ('partner_points', 'product', 'delay', '{"point_type": "bonus", "mode": "accrue"}',
        '{"point_type": "bonus", "mode": "accrue", "delay": "14 days"}');

-- Each is obeyed: both orders are taken, and come to something else.
SELECT w.number, w.benefit, w.level, w.key, b.refused AS refused_before, a.refused AS refused_after
FROM walked AS w, outcome(w.benefit, w.level, w.before) AS b, outcome(w.benefit, w.level, w.after) AS a
WHERE b.figures = a.figures OR b.refused IS NOT NULL OR a.refused IS NOT NULL
ORDER BY w.number;
-- The same order comes to the same, so the difference is the key's.
SELECT count(*) AS steady
    FROM walked AS w, outcome(w.benefit, w.level, w.before) AS b, outcome(w.benefit, w.level, w.before) AS again
    WHERE w.number <= 10 AND b.figures = again.figures;

-- Any other key that some benefit has, with a value that it has there: walked, or refused. What replaces another of
-- several alternatives is given in its place.
WITH offered AS (
    SELECT DISTINCT key, after -> key AS value FROM walked
),
base AS (
    SELECT DISTINCT benefit, level, before AS parameters FROM walked
)
SELECT DISTINCT base.benefit, base.level, offered.key AS taken_unwalked
FROM base, offered,
outcome(base.benefit, base.level, base.parameters || jsonb_build_object(offered.key, offered.value)) AS o
WHERE o.refused IS NULL
    AND NOT base.parameters ? offered.key
    AND NOT EXISTS (SELECT FROM walked AS w WHERE (w.benefit, w.level, w.key) = (base.benefit, base.level, offered.key))
ORDER BY 1, 2, 3;
-- Keys that there are not are refused by every benefit.
SELECT o.refused, count(*) > 0 AS always
FROM (SELECT DISTINCT benefit, level, before FROM walked) AS base,
outcome(base.benefit, base.level, base.before || '{"nonsense": 1}') AS o
GROUP BY o.refused;
-- What has no meaning beside the others is refused.
SELECT c.benefit, c.level, c.parameters, o.refused
FROM (
    VALUES
        ('discount', 'product', '{"percent": 10, "pick": "cheapest"}'::jsonb),
        ('discount', 'product', '{"percent": 10, "max_items_per": "line"}'),
        ('discount', 'product', '{"percent": 10, "per": "line"}'),
        ('discount', 'product', '{"percent": 10, "amount": 1}'),
        ('discount', 'order', '{"percent": 10, "target": "shipping", "max_items": 1}'),
        ('discount', 'order', '{"percent": 10, "target": "shipping", "segments": ["pots"]}'),
        ('round_price', 'product', '{"mode": "integer", "direction": "down"}'),
        ('accrue_points_from_field', 'product', '{"point_type": "bonus", "field": "stars", "points": 1}'),
        ('partner_points', 'product', '{"point_type": "bonus", "mode": "pay", "delay": "1 day"}')
) AS c (benefit, level, parameters), outcome(c.benefit, c.level, c.parameters) AS o;

DROP SCHEMA loyalty CASCADE;
DROP TABLE walked;
DROP FUNCTION outcome;
