-- deduct_points: promotions take points away, never more than there are; worked by hand.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2030-06-03 10:00Z') \g /dev/null
INSERT INTO loyalty.profiles (key) VALUES ('ann'), ('bob'), ('guest');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('main', 'Main', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.products (program, sku, name, price)
    VALUES ('main', 'tea', 'Tea', 10), ('main', 'cup', 'Cup', 20), ('main', 'leaflet', 'Leaflet', 0);
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'cups', 'Cups', '$.sku == "cup"');
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, scale, active, refund_allowed)
VALUES ('main', 'bonus', 'Bonus', 'standard', 10, 0, true, true),
    ('main', 'status', 'Status', 'qualification', 1, 0, true, false);
INSERT INTO loyalty.members (member, program, enrolled_at) SELECT key, 'main', loyalty.clock()
    FROM unnest('{ann,bob}'::text[]) AS key;
SELECT loyalty_accrue(member, 'main', type, 100) ->> 'balance_after' AS balance
    FROM unnest('{ann,bob}'::text[]) AS member, unnest('{bonus,status}'::text[]) AS type;

CREATE FUNCTION promote(id text, benefit text, parameters jsonb, condition jsonb DEFAULT '{}',
    promotion jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
SELECT loyalty_save_promotion('main',
    jsonb_build_object('external_id', id, 'name', id, 'kind', 'points', 'state', 'active',
    'conditions',
    jsonb_build_array(condition
        || jsonb_build_object('benefits',
        jsonb_build_array(jsonb_build_object('benefit', benefit, 'parameters', parameters))))) || promotion)
$$;
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
        RETURN SQLSTATE || ' ' || SQLERRM || coalesce(' ' || detail, '');
END
$$;
-- What an order of the member tells: total, and of each type what is spent and left.
CREATE FUNCTION told(result jsonb) RETURNS text LANGUAGE sql AS $$
SELECT (result #>> '{totals,total}')
    || coalesce((
    SELECT string_agg(format(', %s %s leaves %s', type ->> 'points', type ->> 'spent', type ->> 'active_after'), ''
    ORDER BY type ->> 'points')
    FROM jsonb_array_elements(result -> 'points') AS type WHERE (type ->> 'spent')::numeric <> 0), '')
$$;

-- 5 for each cup, and 30 of the order in qualification points: 2 cups and a tea are 50.00, and stay so.
SELECT promote('cups', 'deduct_points', '{"point_type": "bonus", "points": 5}', '{"mode": "in", "segments": ["cups"]}'),
    promote('fee', 'deduct_points', '{"point_type": "status", "points": 30}', '{"level": "order"}') \g /dev/null
SELECT loyalty_apply('main') \g /dev/null
CREATE VIEW goods
    AS SELECT '[{"id": "c", "product": "cup", "quantity": 2}, {"id": "t", "product": "tea", "quantity": 1}]'::jsonb
    AS lines;
SELECT told(loyalty_calculate(jsonb_build_object('member', 'ann', 'lines', lines))) FROM goods;
SELECT operation
    FROM goods, jsonb_array_elements(
    loyalty_calculate(jsonb_build_object('member', 'ann', 'lines', lines)) -> 'operations') AS operation;
SELECT line FROM goods, loyalty_explain(jsonb_build_object('member', 'ann', 'lines', lines)) AS line;
-- Whoever is no member has none; without a cup there is nothing for cups; what costs nothing is counted by its units.
SELECT line FROM loyalty_explain('{"member": "guest", "lines": [{"product": "tea", "quantity": 1}]}') AS line
    WHERE line LIKE '%not applied%';
SELECT told(loyalty_calculate('{"member": "ann", "lines": [{"product": "leaflet", "quantity": 3}]}'));

-- Placed, it is a redemption; half of the cups brings back 5 bonus, what is left of the order all; qualification points
-- are not refunded.
SELECT told(loyalty_place_order(jsonb_build_object('external_id', 'A', 'member', 'ann', 'lines', lines))) FROM goods;
SELECT type, point_type, value, promotion, source FROM loyalty.transactions
    WHERE member = 'ann' AND source IS NOT NULL ORDER BY point_type;
SELECT number, point_type, line, money, points FROM loyalty.order_points ORDER BY number;
SELECT loyalty_return_items('main', 'A', '[{"id": "c", "quantity": 1}]', 'R') - 'returned_at' AS answer;
SELECT loyalty_cancel_order('main', 'A') -> 'points' AS points;
SELECT point_type, total FROM loyalty.balances WHERE member = 'ann' ORDER BY point_type;
SELECT * FROM loyalty_verify();

-- Never more than there are: payments come first, then one after the other. 100 bonus: 8.00 are paid with 80, 20 are
-- left for 25.
SELECT promote('cups', 'deduct_points', '{"point_type": "bonus", "points": 25}', '{"level": "order"}'),
    promote('more', 'deduct_points', '{"point_type": "bonus", "points": 10}'),
    promote('pay', 'points_discount', '{"point_type": "bonus", "points": 80}', '{"level": "order"}') \g /dev/null
SELECT loyalty_apply('main') \g /dev/null
CREATE VIEW paid
    AS SELECT jsonb_build_object('member', 'bob', 'lines', lines, 'redeem',
    '[{"points": "bonus", "amount": "max"}]'::jsonb) AS document FROM goods;
SELECT told(loyalty_calculate(document)) FROM paid;
SELECT line FROM paid, loyalty_explain(document) AS line WHERE line ~ 'deduct|points_discount';
SELECT told(loyalty_place_order(document || '{"external_id": "B"}')) FROM paid;
SELECT number, point_type, line, money, points FROM loyalty.order_points WHERE order_id = 'B' ORDER BY number;
-- Of nothing nothing is taken, and it says why.
SELECT told(loyalty_place_order(document || '{"external_id": "C"}')) FROM paid;
SELECT line FROM paid, loyalty_explain(document) AS line WHERE line LIKE '%not applied%';
SELECT loyalty_return_items('main', 'B', '[{"id": "t", "quantity": 1}]', 'R') -> 'points' AS points;
SELECT loyalty_cancel_order('main', 'B') -> 'points' AS points;
SELECT point_type, total FROM loyalty.balances WHERE member = 'bob' ORDER BY point_type;
SELECT * FROM loyalty_verify();
SELECT external_id, was, would_be, gained, lost FROM loyalty_backtest('main', 2) ORDER BY external_id;

-- What is refused: other promotions, groups that choose or add up, guests, what does not fit.
SELECT place,
    outcome(format('SELECT promote(%L, %L, %L, %L, %L)', 'x', 'deduct_points', parameters, condition, promotion))
FROM (VALUES
    ('a discount', '{"point_type": "bonus", "points": 1}', '{}', '{"kind": "discount"}'),
    ('guests', '{"point_type": "bonus", "points": 1}', '{}', '{"audience": "guests"}'),
    ('parallel', '{"point_type": "bonus", "points": 1}', '{}', '{"benefit_rule": "parallel"}'),
    ('no points', '{"point_type": "bonus"}', '{}', '{}'),
    ('percent', '{"point_type": "bonus", "percent": 1}', '{}', '{}'),
    ('delay', '{"point_type": "bonus", "points": 1, "delay": "1 day"}', '{}', '{}'),
    ('other type', '{"point_type": "gold", "points": 1}', '{}', '{}')
) AS given (place, parameters, condition, promotion);
SELECT type, outcome(
    format('UPDATE loyalty.promotion_groups SET arbitration = %L WHERE external_id = %L', type, 'main'))
FROM unnest('{summation,incompatibility,max_benefit,consistent}'::text[]) AS type;

DROP VIEW paid, goods;
DROP SCHEMA loyalty CASCADE;
DROP FUNCTION promote, outcome, told;
