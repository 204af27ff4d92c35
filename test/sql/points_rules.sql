-- How points are rounded and redeemed. Figures are computed by hand.
\set ECHO none
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2026-06-15 12:00+00') \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.point_types (program, external_id, name, ratio, scale, active)
VALUES ('main', 'bonus', 'Bonus', 1, 0, true), ('main', 'miles', 'Miles', 3, 2, true);
INSERT INTO loyalty.profiles (key) VALUES ('ann');
INSERT INTO loyalty.members (member, program) VALUES ('ann', 'main');
SELECT loyalty_accrue('ann', 'main', 'bonus', 250), loyalty_accrue('ann', 'main', 'miles', 250) \g /dev/null
INSERT INTO loyalty.products (program, sku, name, price)
    VALUES ('main', 'cap', 'Cap', 10), ('main', 'mug', 'Mug', 6), ('main', 'pen', 'Pen', 0.75);
INSERT INTO loyalty.promotions (program, external_id, name, kind, position)
    VALUES ('main', 'sale', 'Sale', 'discount', 1), ('main', 'pay', 'Pay', 'points', 2),
    ('main', 'earn', 'Earn', 'points', 3);
INSERT INTO loyalty.promotion_conditions (program, promotion, level)
    VALUES ('main', 'sale', 'order'), ('main', 'pay', 'product'), ('main', 'earn', 'product');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('main', 'sale', 1, 'discount', '{"percent": 10}'),
    ('main', 'pay', 1, 'points_discount', '{"point_type": "bonus", "percent": 100}'),
('main', 'earn', 1, 'accrue_points', '{"point_type": "bonus", "percent": 10}');
CREATE FUNCTION active(ids text[]) RETURNS void LANGUAGE sql AS $$
UPDATE loyalty.promotions SET state = 'inactive' WHERE state = 'active';
UPDATE loyalty.promotions SET state = 'active' WHERE external_id = ANY (ids);
SELECT loyalty_apply('main');
$$;
CREATE FUNCTION setting(edit text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'UPDATE loyalty.point_types SET ' || edit;
    PERFORM loyalty_apply('main');
END
$$;
-- An order of so many of each: what is paid, and the points of each type.
CREATE FUNCTION totals(caps numeric, mugs numeric DEFAULT 0, pens numeric DEFAULT 0,
    redeem jsonb DEFAULT '[{"points": "bonus", "amount": "max"}]') RETURNS text LANGUAGE sql AS $$
SELECT (result #>> '{totals,total}')
    || coalesce((SELECT string_agg(format(', %s -%s +%s', type ->> 'points', type ->> 'spent', type ->> 'accrued'), '')
        FROM jsonb_array_elements(result -> 'points') AS t (type)
        WHERE (type ->> 'spent')::numeric + (type ->> 'accrued')::numeric > 0), '')
FROM loyalty_calculate(jsonb_build_object('member', 'ann', 'redeem', redeem, 'lines', (
    SELECT jsonb_agg(jsonb_build_object('product', product, 'quantity', quantity) ORDER BY product)
        FROM (VALUES ('cap', caps), ('mug', mugs), ('pen', pens)) AS line (product, quantity) WHERE quantity > 0
))) AS result
$$;
CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
\set ECHO all

-- Rounding: 10 % of 16.00 is 1.6 points, of 10.75 1.075, of 15.00 1.5.
SELECT active('{earn}');
SELECT totals(1, 1), totals(1, 0, 1), totals(0, 1, 12);
SELECT setting($$rounding = 'down' WHERE external_id = 'bonus'$$);
SELECT totals(1, 1), totals(1, 0, 1), totals(0, 1, 12);
SELECT setting($$rounding = 'up' WHERE external_id = 'bonus'$$);
SELECT totals(1, 1), totals(1, 0, 1), totals(0, 1, 12);
SELECT setting($$rounding = 'half'$$);

-- Steps of 100: of 250 points 200 are spent where the goods come to 300, 100 where they come to 180; of 90 none.
SELECT active('{pay}');
SELECT totals(30), totals(18), totals(9);
SELECT setting($$redeem_step = 100 WHERE external_id = 'bonus'$$);
SELECT totals(30), totals(18), totals(9), totals(30, redeem => '[{"points": "bonus", "amount": 150}]');
SELECT line FROM loyalty_explain(
    '{"member": "ann", "redeem": [{"points": "bonus", "amount": "max"}], "lines": [{"product": "cap", "quantity": 18}]}') AS line WHERE line ~ 'Promotion|points_discount|bonus';
SELECT line FROM loyalty_explain(
    '{"member": "ann", "redeem": [{"points": "bonus", "amount": 40}], "lines": [{"product": "cap", "quantity": 18}]}')
    AS line WHERE line ~ 'Promotion';
SELECT line FROM loyalty_explain(
    '{"member": "ann", "redeem": [{"points": "bonus", "amount": "max"}], "lines": [{"product": "cap", "quantity": 9}]}')
    AS line WHERE line ~ 'Promotion';
-- Of a minimum: 150 are not spent by an order of 120; all 250 by one of 300.
SELECT setting($$redeem_step = NULL, redeem_min = 150 WHERE external_id = 'bonus'$$);
SELECT totals(12), totals(15), totals(30), totals(30, redeem => '[{"points": "bonus", "amount": 149}]');
SELECT line FROM loyalty_explain(
    '{"member": "ann", "redeem": [{"points": "bonus", "amount": "max"}], "lines": [{"product": "cap", "quantity": 12}]}') AS line WHERE line ~ 'Promotion';
-- Both: steps of 40 from 100 on. Of 250, 240; of 130 as much as 120, of 119 none.
SELECT setting($$redeem_step = 40, redeem_min = 100 WHERE external_id = 'bonus'$$);
SELECT totals(30), totals(13), totals(11), totals(0, 0, 159);

-- At most 30 % of the goods after money discounts: 10 % off 200 leave 180, of which points pay 54.
SELECT setting($$redeem_step = NULL, redeem_min = NULL, redeem_max_percent = 30 WHERE external_id = 'bonus'$$);
SELECT active('{sale,pay}');
SELECT totals(20), totals(1);
SELECT line FROM loyalty_explain(
    '{"member": "ann", "redeem": [{"points": "bonus", "amount": "max"}], "lines": [{"product": "cap", "quantity": 20}]}') AS line WHERE line ~ 'points_discount';
-- In steps of 20: 40.
SELECT setting($$redeem_step = 20 WHERE external_id = 'bonus'$$);
SELECT totals(20);
-- Where points pay first, what they may pay goes by the prices before the discount: 60 of 200, then 10 % off 140.
UPDATE loyalty.promotions SET position = 0 WHERE external_id = 'pay';
SELECT setting($$redeem_step = NULL$$);
SELECT totals(20);
UPDATE loyalty.promotions SET position = 2 WHERE external_id = 'pay';
SELECT setting($$redeem_max_percent = NULL$$);

-- 3 miles are worth 1.00. Steps of 100 miles are worth 33.33, and take all 100; two steps are worth 66.66.
UPDATE loyalty.promotion_benefits SET parameters = '{"point_type": "miles", "percent": 100}' WHERE promotion = 'pay';
SELECT setting($$redeem_step = 100 WHERE external_id = 'miles'$$);
SELECT active('{pay}');
SELECT totals(5, redeem => '[{"points": "miles", "amount": "max"}]'),
    totals(10, redeem => '[{"points": "miles", "amount": "max"}]'),
totals(3, redeem => '[{"points": "miles", "amount": "max"}]');
-- What one step less leaves is paid with another type: 50.00 with 33.33 for 100 miles, and the rest with bonus points.
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters, position)
VALUES ('main', 'pay', 1, 'points_discount', '{"point_type": "bonus", "percent": 100}', 2);
SELECT setting($$redeem_step = 5 WHERE external_id = 'bonus'$$);
SELECT totals(5, redeem => '[{"points": "miles", "amount": "max"}, {"points": "bonus", "amount": "max"}]');

-- Placed, returned in two parts, and taken back to the last point.
SELECT loyalty_place_order(
    '{"external_id": "A", "member": "ann", "redeem": [{"points": "miles", "amount": "max"}, {"points": "bonus", "amount": "max"}], "lines": [{"id": "1", "product": "cap", "quantity": 5}]}') #> '{totals,total}' AS total;
SELECT point_type, total FROM loyalty_balance('ann', 'main');
SELECT loyalty_return_items('main', 'A', '[{"id": "1", "quantity": 2}]', 'R1') -> 'points' AS returned;
SELECT loyalty_return_items('main', 'A', '[{"id": "1", "quantity": 3}]', 'R2') -> 'points' AS returned;
SELECT point_type, total FROM loyalty_balance('ann', 'main');
SELECT * FROM loyalty_verify();

-- A setting of point types is pending until it is applied, and reverted.
UPDATE loyalty.point_types SET rounding = 'down', redeem_min = 7 WHERE external_id = 'bonus';
SELECT what, old, new FROM loyalty.pending_changes;
SELECT loyalty_revert('main') \g /dev/null
SELECT external_id, rounding, redeem_min, redeem_step FROM loyalty.point_types ORDER BY 1;
-- A quote of the draft knows them before.
UPDATE loyalty.point_types SET redeem_step = 200 WHERE external_id = 'miles';
SELECT loyalty_test(
    '{"member": "ann", "redeem": [{"points": "miles", "amount": "max"}], "lines": [{"product": "cap", "quantity": 5}]}') #> '{orders,0,totals,total}' AS total;
SELECT loyalty_revert('main') \g /dev/null

-- What makes no sense is refused.
SELECT refusal($$UPDATE loyalty.point_types SET rounding = 'bankers'$$),
    refusal($$UPDATE loyalty.point_types SET redeem_min = 0$$),
refusal($$UPDATE loyalty.point_types SET redeem_step = 0.5 WHERE external_id = 'bonus'$$),
refusal($$UPDATE loyalty.point_types SET redeem_max_percent = 101$$);
SELECT refusal($$INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, redeem_min)
    VALUES ('main', 'q', 'Q', 'qualification', 1, 5)$$);
SELECT loyalty_import(loyalty_export('main')) \g /dev/null
SELECT external_id, rounding, redeem_min, redeem_step FROM loyalty.point_types ORDER BY 1;
SELECT loyalty_export('main') #> '{point_types,1}' AS miles;

DROP SCHEMA loyalty CASCADE;
DROP FUNCTION active, setting, totals, refusal;
