-- loyalty_bound(): what no order exceeds, and an order that gets it. That none does, and that mostly one is found,
-- random trees show (test/unit/bound_test.cc); here is what only a database has.
\set ECHO none
SET client_min_messages = warning;
\set SHOW_CONTEXT never
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2026-01-15 12:00+00') \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
INSERT INTO loyalty.point_types (program, external_id, name, ratio, active) VALUES ('main', 'bonus', 'Bonus', 10, true);
INSERT INTO loyalty.channels (program, external_id, name) VALUES ('main', 'web', 'Web');
INSERT INTO loyalty.products (program, sku, name, price, min_price, fields)
    VALUES ('main', 'tea', 'Tea', 5, 4, '{"vip": 4}'), ('main', 'mug', 'Mug', 9, NULL, '{}');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'tea', 'Tea', '$.sku == "tea"'), ('main', 'mug', 'Mug', '$.sku == "mug"');
INSERT INTO loyalty.profile_segments (program, external_id, name, kind) VALUES ('main', 'vip', 'VIP', 'static');
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind) VALUES ('main', 'codes', 'Codes', 'personal');
INSERT INTO loyalty.promo_codes (code, program, pool) VALUES ('A', 'main', 'codes');
CREATE FUNCTION save(id text, kind text, level text, benefit text, parameters jsonb, segments text[] DEFAULT '{}',
    more jsonb DEFAULT '{}')
    RETURNS void LANGUAGE sql AS $$
    SELECT loyalty_save_promotion('main', jsonb_build_object(
        'external_id', id, 'name', 'Promotion ' || id, 'kind', kind, 'state', 'active', 'audience', 'everyone',
        'conditions', jsonb_build_array(jsonb_build_object(
            'level', level, 'mode', CASE segments WHEN '{}' THEN 'all' ELSE 'in' END, 'segments', to_jsonb(segments),
            'benefits', jsonb_build_array(jsonb_build_object('benefit', benefit, 'parameters', parameters))))
    ) || more)
$$;
-- What the witness really gets, by loyalty_test().
CREATE FUNCTION calculated(measure text) RETURNS numeric LANGUAGE sql AS $$
    SELECT CASE measure
        WHEN 'discount_percent'
            THEN trunc(100 * sum((line ->> 'base')::numeric
            - (line ->> 'total')::numeric) / sum((line ->> 'base')::numeric), 6)
        WHEN 'line_discount_percent'
            THEN trunc(max(
            100 * ((line ->> 'base')::numeric - (line ->> 'total')::numeric) / (line ->> 'base')::numeric), 6)
        END
    FROM (SELECT * FROM loyalty_bound('main', measure) LIMIT 1) AS b,
        jsonb_array_elements(loyalty_test(witness -> 'order', witness -> 'context') #> '{orders,0,lines}') AS l (line)
$$;
\set ECHO all
-- Nothing can be had yet.
SELECT * FROM loyalty_bound('main');
SELECT
    save('tea', 'discount', 'product', 'discount', '{"percent": 20}', '{tea}'),
    save('mug', 'discount', 'product', 'discount', '{"percent": 30}', '{mug}'),
    save('code', 'discount', 'order', 'discount', '{"percent": 10}', '{}',
        '{"promo_code_pool": "codes", "audience": "in_segments", "audience_segments": ["vip"], "channels": ["web"]}'),
    save('pay', 'points', 'order', 'points_discount', '{"point_type": "bonus", "percent": 25}', '{}',
        '{"audience": "members"}'),
    save('earn', 'points', 'product', 'accrue_points', '{"point_type": "bonus", "percent": 5}', '{}',
        '{"audience": "members"}') \g /dev/null
-- No product is both, which the tree does not say: it leaves 0.8 × 0.7 × 0.9 × 0.75 at least, products that there are
-- 0.7 × 0.9 × 0.75.
SELECT depth, node, at_most, rounding_at_most, reached, reasoning FROM loyalty_bound('main');
SELECT jsonb_pretty(witness) FROM loyalty_bound('main') LIMIT 1;
SELECT calculated('discount_percent') = reached AS as_calculated FROM loyalty_bound('main') LIMIT 1;
-- Where one is both, it is reached; and a schedule is met.
UPDATE loyalty.product_segments SET predicate = '$.sku == "mug" || $.sku == "tea"' WHERE external_id = 'mug';
UPDATE loyalty.promotions SET schedule_weekdays = '{7}', schedule_from = '20:00', schedule_to = '22:00'
    WHERE external_id = 'tea';
SELECT at_most, reached, calculated('discount_percent') AS calculated, witness #>> '{order,time}' AS "time"
    FROM loyalty_bound('main') LIMIT 1;
SELECT at_most, reached, calculated('line_discount_percent') AS calculated
    FROM loyalty_bound('main', 'line_discount_percent') LIMIT 1;
SELECT node, at_most, reached, reasoning FROM loyalty_bound('main', 'points_percent');
-- Amounts, limits, fields.
SELECT
    save('tea', 'discount', 'order', 'discount', '{"amount": 15}', '{}', '{"min_total": 60}'),
    save('mug', 'discount', 'product', 'price_from_field', '{"field": "vip"}', '{tea}'),
    loyalty_deactivate_promotion('main', 'code'), loyalty_deactivate_promotion('main', 'pay') \g /dev/null
SELECT node, at_most, reached, reasoning FROM loyalty_bound('main');
SELECT calculated('discount_percent') AS calculated, witness #> '{order,lines}' AS lines
    FROM loyalty_bound('main') LIMIT 1;
SELECT loyalty_deactivate_promotion('main', 'mug') \g /dev/null
SELECT at_most, reached, witness #> '{order,lines}' AS lines FROM loyalty_bound('main') LIMIT 1;
UPDATE loyalty.promotion_groups SET max_discount_percent = 12.5 WHERE external_id = 'main';
SELECT at_most, reached, reasoning FROM loyalty_bound('main') LIMIT 1;
-- A guarantee: nothing that could give more is applied, not even what is in force already.
SELECT loyalty_apply('main');
UPDATE loyalty.programs SET max_discount_guarantee = 12.499999;
SELECT loyalty_apply('main');
\echo :SQLSTATE
UPDATE loyalty.programs SET max_discount_guarantee = 12.5;
SELECT loyalty_apply('main');
UPDATE loyalty.promotion_groups SET max_discount_percent = 13 WHERE external_id = 'main';
SELECT loyalty_apply('main');
UPDATE loyalty.promotion_groups SET max_discount_percent = 12.5 WHERE external_id = 'main';
UPDATE loyalty.programs SET max_discount_guarantee = -1;
UPDATE loyalty.programs SET max_discount_guarantee = NULL;
-- Refused.
SELECT loyalty_bound('nothing');
\echo :SQLSTATE
SELECT loyalty_bound('main', 'percent');
\echo :SQLSTATE
SELECT loyalty_bound('main', NULL);
\echo :SQLSTATE

DROP FUNCTION calculated(text), save(text, text, text, text, jsonb, text[], jsonb);
DROP SCHEMA loyalty CASCADE;
