-- Points on points, and points by bands of the price. Figures are computed by hand.
\set ECHO none
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2026-06-15 12:00+00') \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.point_types (program, external_id, name, ratio, scale, active)
    VALUES ('main', 'bonus', 'Bonus', 1, 0, true), ('main', 'miles', 'Miles', 1, 2, true);
INSERT INTO loyalty.profiles (key) VALUES ('ann');
INSERT INTO loyalty.members (member, program) VALUES ('ann', 'main');
INSERT INTO loyalty.products (program, sku, name, price)
    VALUES ('main', 'cap', 'Cap', 10), ('main', 'mug', 'Mug', 6), ('main', 'tea', 'Tea', 4);
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'hot', 'For hot drinks', '$.sku == "mug" || $.sku == "tea"');
INSERT INTO loyalty.promotion_groups (program, external_id, name) VALUES ('main', 'g', 'G');
CREATE FUNCTION put(id text, place integer, benefit text, level text, parameters jsonb, segments text[] DEFAULT '{}',
    parent text DEFAULT 'main') RETURNS void LANGUAGE sql AS $$
SELECT loyalty_save_promotion('main',
    jsonb_build_object('external_id', id, 'name', id, 'kind', 'points', 'state', 'active', 'parent', parent, 'position',
    place,
    'conditions',
    jsonb_build_array(
        jsonb_build_object('level', level, 'mode', CASE segments WHEN '{}' THEN 'all' ELSE 'in' END, 'segments',
        segments,
        'benefits', jsonb_build_array(jsonb_build_object('benefit', benefit, 'parameters', parameters))))));
SELECT loyalty_apply('main');
$$;
-- Points of an order of so many caps, mugs and teas: at once, and later.
CREATE FUNCTION points(caps numeric, mugs numeric, teas numeric) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(format('%s %s later %s', type ->> 'points', type ->> 'accrued', type ->> 'pending'), ', ')
FROM jsonb_array_elements(loyalty_calculate(jsonb_build_object('member', 'ann', 'lines', (
    SELECT jsonb_agg(jsonb_build_object('product', product, 'quantity', quantity) ORDER BY product)
        FROM (VALUES ('cap', caps), ('mug', mugs), ('tea', teas)) AS line (product, quantity) WHERE quantity > 0
))) -> 'points') AS t (type)
WHERE (type ->> 'pending')::numeric + (type ->> 'accrued')::numeric > 0
$$;
CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
    detail text;
    hint text;
BEGIN
    EXECUTE statement;
    RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' ', SQLSTATE, said, nullif(detail, ''), hint);
END
$$;
\set ECHO all

-- 10 % of 30.00 are 3 points; double points on hot drinks: of the 3, caps have 2 and mugs 1, so 1 more.
SELECT put('earn', 1, 'accrue_points', 'product', '{"point_type": "bonus", "percent": 10}');
SELECT put('double', 2, 'multiply_points', 'product', '{"point_type": "bonus", "factor": 2}', '{hot}');
SELECT points(2, 0, 0), points(2, 1, 1), points(0, 5, 0);
SELECT line FROM loyalty_explain(
    '{"member": "ann", "lines": [{"product": "cap", "quantity": 2}, {"product": "mug", "quantity": 1}, {"product": "tea", "quantity": 1}]}') AS line WHERE line ~ 'double|multiply';
-- Half as much again, of 3 points: 1.5, rounded to 2; down, 1.
SELECT put('double', 2, 'multiply_points', 'order', '{"point_type": "bonus", "factor": 1.5}');
SELECT points(3, 0, 0);
UPDATE loyalty.point_types SET rounding = 'down';
SELECT loyalty_apply('main') > 0 AS applied;
SELECT points(3, 0, 0);
UPDATE loyalty.point_types SET rounding = 'half';
-- What comes behind it is not multiplied, and what another multiplied is: 3 points, × 2, × 2 again are 12.
SELECT put('double', 2, 'multiply_points', 'order', '{"point_type": "bonus", "factor": 2}');
SELECT put('again', 3, 'multiply_points', 'order', '{"point_type": "bonus", "factor": 2}');
SELECT put('late', 4, 'accrue_points', 'order', '{"point_type": "bonus", "points": 100}');
SELECT points(3, 0, 0);
-- In a group of its own it sees nothing of what was earned outside, and says so.
SELECT put('again', 3, 'multiply_points', 'order', '{"point_type": "bonus", "factor": 2}', parent => 'g');
SELECT points(3, 0, 0);
SELECT line FROM loyalty_explain('{"member": "ann", "lines": [{"product": "cap", "quantity": 3}]}') AS line
    WHERE line ~ 'again';
-- Credited as what it multiplies: of 3 points at once and 6 that wait for the delivery, as many more each.
SELECT put('late', 2, 'accrue_points', 'product',
    '{"point_type": "bonus", "percent": 20, "credit_on": "delivered", "delay": "14 days"}');
SELECT put('double', 3, 'multiply_points', 'order', '{"point_type": "bonus", "factor": 2}');
SELECT points(3, 0, 0);
SELECT loyalty_place_order(
    '{"external_id": "A", "member": "ann", "lines": [{"id": "1", "product": "cap", "quantity": 3}]}') #> '{points,0}'
    AS points;
SELECT total, active FROM loyalty_balance('ann', 'main') WHERE point_type = 'bonus';
SELECT loyalty_set_order_status('main', 'A', 'delivered') IS NOT NULL AS delivered;
SELECT total, active FROM loyalty_balance('ann', 'main') WHERE point_type = 'bonus';
-- Two of three come back, then the last one: 12 of 18 points, then 6.
SELECT loyalty_return_items('main', 'A', '[{"id": "1", "quantity": 2}]', 'R1') #> '{points,0,taken_back}' AS taken_back;
SELECT loyalty_return_items('main', 'A', '[{"id": "1", "quantity": 1}]', 'R2') #> '{points,0,taken_back}' AS taken_back;
SELECT total, active FROM loyalty_balance('ann', 'main') WHERE point_type = 'bonus';
SELECT * FROM loyalty_verify();
-- A guest earns nothing that could be multiplied.
SELECT loyalty_calculate('{"lines": [{"product": "cap", "quantity": 3}]}') -> 'points' AS points;

-- Marginal: 1 % of the first 100.00, 5 % from there to 200.00, 10 % beyond: 50.00 are 0.50, 150.00 are 3.50, 250.00 are
-- 11.00.
SELECT loyalty_deactivate_promotion_group('main', 'main') \g /dev/null
SELECT put('bands', 1, 'accrue_points', 'order',
    '{"point_type": "miles", "marginal": true, "steps": [{"from": 0, "percent": 1}, {"from": 100, "percent": 5}, {"from": 200, "percent": 10}]}');
SELECT points(5, 0, 0), points(15, 0, 0), points(25, 0, 0);
-- Beginning at 20.00: of 26.00 in mugs and teas 6.00 earn 50 %; 16.00 earn nothing, and 4.00 are missing.
SELECT put('bands', 1, 'accrue_points', 'product',
    '{"point_type": "miles", "marginal": true, "steps": [{"from": 20, "percent": 50}]}', '{hot}');
SELECT points(5, 1, 5), points(5, 2, 1);
SELECT line FROM loyalty_explain(
    '{"member": "ann", "lines": [{"product": "mug", "quantity": 2}, {"product": "tea", "quantity": 1}]}') AS line
    WHERE line ~ 'bands';

-- What makes no sense is refused.
SELECT refusal(format($$SELECT put('wrong', 9, %L, %L, %L)$$, benefit, level, parameters))
FROM (
    VALUES
        ('multiply_points', 'product', '{"point_type": "bonus"}'),
        ('multiply_points', 'product', '{"point_type": "bonus", "factor": 1}'),
        ('multiply_points', 'product', '{"point_type": "bonus", "factor": 2, "credit_on": "delivered"}'),
        ('multiply_points', 'product', '{"point_type": "bonus", "factor": 2, "segments": ["hot"]}'),
        ('multiply_points', 'product', '{"point_type": "stars", "factor": 2}'),
        ('accrue_points', 'product', '{"point_type": "miles", "marginal": true, "percent": 1}'),
        ('accrue_points', 'product', '{"point_type": "miles", "marginal": 1, "steps": [{"from": 0, "percent": 1}]}'),
        ('accrue_points', 'product', '{"point_type": "miles", "marginal": true, "steps": [{"from": 0, "points": 1}]}'),
        ('accrue_points', 'product',
            '{"point_type": "miles", "marginal": true, "by": "goods", "steps": [{"from": 0, "percent": 1}]}'),
        ('accrue_points', 'product',
            '{"point_type": "miles", "marginal": true, "by": "lines_items", "steps": [{"from": 0, "percent": 1}]}'),
        ('accrue_points', 'product',
            '{"point_type": "miles", "marginal": true, "steps": [{"from": 0.001, "percent": 1}]}'),
        ('points_discount', 'product',
            '{"point_type": "miles", "marginal": true, "steps": [{"from": 0, "percent": 1}]}')
) AS wrong (benefit, level, parameters);
SELECT put('double', 2, 'multiply_points', 'order', '{"point_type": "bonus", "factor": 2}', parent => 'g');
SELECT refusal(format('UPDATE loyalty.promotion_groups SET arbitration = %L WHERE external_id = ''g''', type))
    FROM unnest('{summation,incompatibility,max_benefit}'::text[]) AS type;
SELECT refusal($$UPDATE loyalty.promotions SET benefit_rule = 'parallel' WHERE external_id = 'double'$$);

DROP SCHEMA loyalty CASCADE;
DROP FUNCTION put, points, refusal;
