-- loyalty_lint(): each kind of finding in a tree made for it, and none in one without fault.
\set ECHO none
SET client_min_messages = warning;
\set SHOW_CONTEXT never
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2026-01-15 12:00+00') \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
INSERT INTO loyalty.point_types (program, external_id, name, ratio, active)
    VALUES ('main', 'bonus', 'Bonus', 1, true), ('main', 'old', 'Old', 1, true);
INSERT INTO loyalty.products (program, sku, name, price, fields) VALUES ('main', 'tea', 'Tea', 5, '{"vip_price": 4}');
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind)
    VALUES ('main', 'full', 'Full', 'personal'), ('main', 'empty', 'Empty', 'personal');
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind, ends_on)
    VALUES ('main', 'over', 'Over', 'universal', '2026-01-14');
INSERT INTO loyalty.promo_codes (code, program, pool) VALUES ('A', 'main', 'full'), ('B', 'main', 'over');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
VALUES ('main', 'tea', 'Tea', '$.sku == "tea" && $.price >= 5 && $.price <= 5'),
    ('main', 'field', 'Of a field', '$.fields.vip_price > 3');
INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
    VALUES ('main', 'from50', 'From 50', '$.total >= 50 && $.total < 100'),
    ('main', 'either', 'Either', '$.total >= 100 || $.total < 50');
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent, arbitration, max_discount_percent)
VALUES ('main', 'apart', 'Apart', 'main', 'incompatibility', NULL), ('main', 'held', 'Held', 'main', 'consistent', 50);
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
-- Without fault, each beside a fault below.
SELECT
    save('tea', 'discount', 'product', 'discount', '{"percent": 10}', '{tea,field}', '{"parent": "apart"}'),
    save('order', 'discount', 'order', 'discount', '{"percent": 5}', '{from50,either}', '{"parent": "apart"}'),
    save('field', 'discount', 'product', 'price_from_field', '{"field": "vip_price"}'),
    save('code', 'discount', 'product', 'discount', '{"percent": 10}', '{}', '{"promo_code_pool": "full"}'),
    save('free', 'discount', 'product', 'discount', '{"percent": 100}', '{}', '{"parent": "held"}'),
    save('one', 'discount', 'product', 'discount', '{"percent": 100, "max_items": 1}'),
    save('postage', 'discount', 'order', 'discount', '{"percent": 100, "target": "shipping"}'),
    save('today', 'discount', 'product', 'discount', '{"percent": 1}', '{}', '{"ends_on": "2026-01-15"}'),
    save('earn', 'points', 'product', 'accrue_points', '{"point_type": "bonus", "percent": 99}') \g /dev/null
\set ECHO all
SELECT loyalty_lint('main');

-- ---------------------------------------------------------------------------------------------------------------------
-- One fault at a time

-- Nothing can fulfil it.
UPDATE loyalty.order_segments SET predicate = '$.total >= 100 && $.total < 50' WHERE external_id = 'from50';
SELECT * FROM loyalty_lint('main');
UPDATE loyalty.order_segments SET predicate = '$.items > 3 && $.items <= 3' WHERE external_id = 'from50';
SELECT witness FROM loyalty_lint('main');
SELECT loyalty_internal.contradiction(predicate::text) FROM (VALUES
    ('$.price == 3 && $.price == 4'::jsonpath), ('$.price >= 3 && $.price <= 3'), ('!($.price >= 3 && $.price < 3)'),
    ('$.price > 3 || $.price < 3'),
    ('$.price > 3 && $.min_price < 3'), ('$.fields.price > 3 && $.fields.price < 3'),
    ('exists($.price ? (@ > 3)) && $.price < 3')) AS p (predicate);
UPDATE loyalty.order_segments SET predicate = '$.total >= 50' WHERE external_id = 'from50';
-- No product matches, or has the field.
UPDATE loyalty.products SET fields = '{"vip": 4}', price = 6;
SELECT * FROM loyalty_lint('main');
UPDATE loyalty.products SET fields = '{"vip_price": 4}', price = 5;
-- Lists that name what there is not.
INSERT INTO loyalty.product_segments (program, external_id, name, kind) VALUES ('main', 'list', 'List', 'static');
INSERT INTO loyalty.product_segment_members (program, segment, sku) VALUES ('main', 'list', 'tea');
INSERT INTO loyalty.profile_segments (program, external_id, name, kind) VALUES ('main', 'list', 'List', 'static');
INSERT INTO loyalty.profiles VALUES ('ann', '{}');
INSERT INTO loyalty.profile_segment_members (program, segment, profile) VALUES ('main', 'list', 'ann');
SELECT * FROM loyalty_lint('main');
INSERT INTO loyalty.product_segment_members (program, segment, sku) VALUES ('main', 'list', 'mud');
INSERT INTO loyalty.profile_segment_members (program, segment, profile)
    VALUES ('main', 'list', 'nobody'), ('main', 'list', 'anybody');
SELECT * FROM loyalty_lint('main');
DELETE FROM loyalty.product_segments WHERE external_id = 'list';
DELETE FROM loyalty.profile_segments WHERE external_id = 'list';
-- Pools.
SELECT save('code2', 'discount', 'product', 'discount', '{"percent": 10}', '{}', '{"promo_code_pool": "over"}'),
    save('code3', 'discount', 'order', 'issue_promo_code', '{"pool": "empty"}') \g /dev/null
SELECT * FROM loyalty_lint('main');
SELECT loyalty_deactivate_promotion('main', 'code2'), loyalty_deactivate_promotion('main', 'code3') \g /dev/null
-- Dates.
SELECT save('past', 'discount', 'product', 'discount', '{"percent": 1}', '{}', '{"ends_on": "2026-01-14"}') \g /dev/null
SELECT * FROM loyalty_lint('main');
SELECT loyalty_deactivate_promotion('main', 'past') \g /dev/null
-- Point types.
SELECT save('old', 'points', 'product', 'accrue_points', '{"point_type": "old", "points": 1}') \g /dev/null
UPDATE loyalty.point_types SET deactivates_on = '2026-01-14' WHERE external_id = 'old';
SELECT * FROM loyalty_lint('main');
SELECT loyalty_deactivate_promotion('main', 'old') \g /dev/null
-- What an earlier one excludes: whatever is a reduction of goods too, for whoever the earlier one is for.
SELECT
    save('first', 'discount', 'product', 'discount', '{"percent": 3}', '{}',
        '{"parent": "apart", "audience": "members"}'),
    save('second', 'discount', 'order', 'discount', '{"percent": 30}', '{}',
        '{"parent": "apart", "audience": "members", "min_total": 10}'),
    save('third', 'discount', 'order', 'discount', '{"percent": 30}', '{}', '{"parent": "apart"}'),
    save('fourth', 'discount', 'order', 'discount', '{"percent": 30, "target": "order"}', '{}',
        '{"parent": "apart", "audience": "members"}'),
    save('fifth', 'points', 'product', 'accrue_points', '{"point_type": "bonus", "percent": 3}', '{}',
        '{"parent": "apart"}') \g /dev/null
SELECT node, finding, witness FROM loyalty_lint('main') WHERE node <> 'program';
-- Not if it waits for something.
UPDATE loyalty.promotions SET ends_on = '2027-01-01' WHERE external_id = 'first';
SELECT node, finding, witness FROM loyalty_lint('main') WHERE node <> 'program';
SELECT loyalty_deactivate_promotion('main', id)
    FROM unnest('{first,second,third,fourth,fifth}'::text[]) AS id \g /dev/null
-- Goods for nothing.
SELECT save('all', 'discount', 'product', 'discount', '{"percent": 100}') \g /dev/null
SELECT * FROM loyalty_lint('main');
-- Points for nothing, if the goods are not: what one promotion gives, or several together; fixed numbers at what they
-- ask for.
SELECT loyalty_deactivate_promotion('main', id)
    FROM unnest('{all,free,one,field,today,order}'::text[]) AS id \g /dev/null
SELECT save('loop', 'points', 'product', 'accrue_points', '{"point_type": "bonus", "percent": 1}') \g /dev/null
SELECT severity, node, finding, witness::jsonb #> '{order,lines,0,price}' AS price FROM loyalty_lint('main');
SELECT loyalty_deactivate_promotion('main', 'loop'),
    save('fixed', 'points', 'order', 'accrue_points', '{"point_type": "bonus", "points": 5}', '{}',
    '{"min_total": 500}') \g /dev/null
SELECT severity, node, finding, witness::jsonb #> '{order,lines,0,price}' AS price FROM loyalty_lint('main');
UPDATE loyalty.promotions SET min_total = 501 WHERE external_id = 'fixed';
SELECT * FROM loyalty_lint('main');
UPDATE loyalty.promotions SET min_total = NULL WHERE external_id = 'fixed';
SELECT * FROM loyalty_lint('main');
SELECT loyalty_deactivate_promotion('main', 'fixed') \g /dev/null
-- Limits that never bite.
UPDATE loyalty.promotion_groups SET max_discount_percent = 10 WHERE external_id = 'apart';
SELECT * FROM loyalty_lint('main');
UPDATE loyalty.promotion_groups SET max_discount_percent = 9.99 WHERE external_id = 'apart';
SELECT * FROM loyalty_lint('main');
UPDATE loyalty.promotion_groups SET min_product_price_amount = 0 WHERE external_id = 'apart';
SELECT * FROM loyalty_lint('main');
SELECT loyalty_lint('nothing');
\echo :SQLSTATE

DROP FUNCTION save(text, text, text, text, jsonb, text[], jsonb);
DROP SCHEMA loyalty CASCADE;
