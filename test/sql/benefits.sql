-- Every benefit through the database: its parameters, its effect in the result, where it may stand, and the terms of
-- partners.
\set ECHO none
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
SELECT loyalty_create_schema() \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, scale, active)
VALUES ('main', 'bonus', 'Bonus', 'standard', 10, 0, true), ('main', 'status', 'Status', 'qualification', 1, 0, true);
INSERT INTO loyalty.profiles (key, attributes)
    VALUES ('ann', '{"name": "Ann", "address": {"city": "Köln"}}'), ('bob', '{}');
INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('ann', 'main', loyalty.clock());
SELECT loyalty_accrue('ann', 'main', 'bonus', 500) \g /dev/null
INSERT INTO loyalty.products (program, sku, name, price, fields)
VALUES
    ('main', 'CUP', 'Cup', 4.99, '{"vip_price": 4.5, "gift": 3, "colour": "red", "size": {"cm": 9}}'),
    ('main', 'POT', 'Pot', 24.90, '{"vip_price": "cheap", "gift": -1}'),
    ('main', 'TEA', 'Tea', 12.00, '{}');
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind)
    VALUES ('main', 'welcome', 'Welcome', 'personal');

-- One promotion, "p", with one condition and one benefit.
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
VALUES ('main', 'p', 'The only one', 'discount', 'active', 'everyone');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('main', 'p');
CREATE PROCEDURE try(kind text, level text, benefit text, parameters jsonb) LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM loyalty.promotion_benefits;
    UPDATE loyalty.promotions SET kind = try.kind WHERE external_id = 'p';
    UPDATE loyalty.promotion_conditions SET level = try.level;
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', 'p', 1, try.benefit, try.parameters);
    PERFORM loyalty_apply('main');
END
$$;
\set basket '{"member": "ann", "shipping": 4.90, "redeem": [{"points": "bonus", "amount": "max"}], "lines": [{"product": "CUP", "quantity": 3}, {"product": "POT", "quantity": 1}, {"product": "TEA", "quantity": 0.5}]}'
\set ECHO all

-- ---------------------------------------------------------------------------------------------------------------------
-- Each benefit

CALL try('discount', 'product', 'discount', '{"percent": 50, "max_items": 2, "pick": "most_expensive"}');
SELECT loyalty_explain(:'basket');
CALL try('discount', 'order', 'discount', '{"amount": 10, "target": "order"}');
SELECT loyalty_explain(:'basket');

-- The field of the cup is a price, that of the pot is none, the tea has none but the line's own.
CALL try('discount', 'product', 'price_from_field', '{"field": "vip_price"}');
SELECT loyalty_explain(:'basket');
CALL try('discount', 'product', 'price_from_field', '{"field": "vip_price", "factor": 0.5}');
SELECT loyalty_explain(jsonb_set(:'basket', '{lines,2,fields}', '{"vip_price": 20}'));
SELECT loyalty_explain(:'basket'::jsonb - 'lines'
    || '{"lines": [{"product": "TEA", "quantity": 1}, {"product": "new", "price": 5, "quantity": 1}]}');

-- Prices that fall and rise.
CALL try('discount', 'product', 'round_price', '{"mode": "nearest_ten"}');
SELECT loyalty_explain(:'basket');
SELECT loyalty_calculate(:'basket') #> '{operations,0}';
SELECT loyalty_calculate(:'basket') -> 'totals';
CALL try('discount', 'order', 'round_order_price', '{"step": 5, "direction": "up"}');
SELECT loyalty_explain(:'basket');

-- Texts, rendered on the final figures.
CALL try('discount', 'product', 'text',
    '{"template": "{{ line.quantity }} × {{line.name}} {{ line.fields.colour }} {{ line.fields.size.cm }}: {{ line.total }} 🎉"}');
SELECT loyalty_explain(:'basket');
SELECT loyalty_calculate(:'basket') -> 'texts';
SELECT loyalty_calculate(:'basket') #> '{operations,0}';
CALL try('points', 'order', 'text',
    '{"template": "Hi {{ member.profile.attributes.name }} ({{ member.key }}) of {{ member.profile.attributes.address.city }}: {{ totals.items }} items in {{ totals.lines }} lines for {{ totals.total }} {{ order.currency }}, note: {{ order.fields.note }}, {{ member.points.bonus.active_before }} points"}');
SELECT loyalty_calculate(:'basket'::jsonb || '{"fields": {"note": "ring twice"}}') -> 'texts';
SELECT loyalty_calculate(:'basket'::jsonb - 'redeem' || '{"member": "bob"}') -> 'texts';
SELECT loyalty_calculate(:'basket'::jsonb - 'redeem' - 'member') -> 'texts';

-- A promo code: a quote shows the pool.
CALL try('discount', 'order', 'issue_promo_code',
    '{"pool": "welcome", "message": "{{ member.key }}, your code is {{ promo_code }}"}');
SELECT loyalty_explain(:'basket');
SELECT loyalty_calculate(:'basket'::jsonb || '{"promo_codes": ["X"]}') -> 'promo_codes';
SELECT loyalty_explain(:'basket'::jsonb - 'member' - 'redeem');

CALL try('points', 'product', 'points_discount', '{"point_type": "bonus", "percent": 10}');
SELECT loyalty_explain(:'basket');
CALL try('points', 'order', 'points_discount', '{"point_type": "bonus", "points": 100}');
SELECT loyalty_explain(:'basket');
CALL try('points', 'product', 'accrue_points',
    '{"point_type": "status", "points": 2, "credit_on": "delivered", "delay": "14 days"}');
SELECT loyalty_explain(:'basket');
CALL try('points', 'order', 'accrue_points', '{"point_type": "bonus", "percent": 10}');
SELECT loyalty_explain(:'basket');
CALL try('points', 'product', 'accrue_points_from_field', '{"point_type": "bonus", "field": "gift"}');
SELECT loyalty_explain(:'basket');
CALL try('points', 'product', 'accrue_points_from_field', '{"point_type": "bonus", "points": 200, "per_amount": 15}');
SELECT loyalty_explain(:'basket');

-- Partners: terms are part of a version.
INSERT INTO loyalty.partners (program, external_id, name, starts_on)
VALUES ('main', 'acme', 'Acme', NULL), ('main', 'later', 'Later', '2030-05-01');
INSERT INTO loyalty.partner_products (program, sku, partner, discount_percent, points_value, points_unit,
    max_payable_points)
VALUES ('main', 'CUP', 'acme', 10, 5, 'points', NULL), ('main', 'POT', 'later', 20, 50, 'percent', 30);
CALL try('discount', 'product', 'partner_discount', '{}');
SELECT loyalty_explain(:'basket');
SELECT loyalty_explain(:'basket'::jsonb || '{"time": "2030-05-01T00:00"}');
SELECT loyalty_explain(:'basket'::jsonb || '{"time": "2030-04-30T22:00Z"}');
SELECT loyalty_explain(:'basket'::jsonb || '{"time": "2030-04-30T21:59:59Z"}');
CALL try('discount', 'product', 'partner_discount', '{"partners": ["later"]}');
SELECT loyalty_explain(:'basket');
SELECT jsonb_path_query_array(tree, '$.partners[*]'), jsonb_path_query_array(tree, '$.partner_products[*]')
    FROM loyalty.promotion_drafts;
CALL try('points', 'product', 'partner_points', '{"point_type": "bonus", "mode": "accrue"}');
SELECT loyalty_explain(:'basket'::jsonb || '{"time": "2030-05-01T00:00"}');
CALL try('points', 'product', 'partner_points', '{"point_type": "bonus", "mode": "pay"}');
SELECT loyalty_explain(:'basket'::jsonb || '{"time": "2030-05-01T00:00"}');
-- New terms wait for the next version.
UPDATE loyalty.partner_products SET points_value = 10 WHERE sku = 'CUP';
SELECT loyalty_calculate(:'basket') #> '{points,0,spent}';
SELECT loyalty_apply('main') \g /dev/null
SELECT loyalty_calculate(:'basket') #> '{points,0,spent}';

-- ---------------------------------------------------------------------------------------------------------------------
-- Parameters

CREATE FUNCTION refusal(kind text, level text, benefit text, parameters jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text;
    detail text;
    hint text;
BEGIN
    PERFORM loyalty_check_benefit(kind, level, benefit, parameters, 2);
    RETURN 'accepted';
EXCEPTION
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        RETURN concat_ws(' | ', SQLSTATE, message, nullif(detail, ''), nullif(hint, ''));
END
$$;
SELECT benefit, level, parameters, refusal(kind, level, benefit, parameters)
FROM (
    VALUES
        ('discount', 'product', 'price_from_field', '{}'),
        ('discount', 'product', 'price_from_field', '{"field": ""}'),
        ('discount', 'product', 'price_from_field', '{"field": "x", "factor": 0}'),
        ('discount', 'product', 'price_from_field', '{"field": "x", "factor": 0.1234567}'),
        ('discount', 'product', 'price_from_field', '{"field": "x", "factor": 1000001}'),
        ('discount', 'order', 'price_from_field', '{"field": "x"}'),
        ('points', 'product', 'price_from_field', '{"field": "x"}'),
        ('discount', 'product', 'round_price', '{}'),
        ('discount', 'product', 'round_price', '{"mode": "up"}'),
        ('discount', 'product', 'round_price', '{"mode": "tens", "step": 10}'),
        ('discount', 'product', 'round_price', '{"mode": "tens", "direction": "up"}'),
        ('discount', 'product', 'round_price', '{"step": 0.001}'),
        ('discount', 'product', 'round_price', '{"step": 0}'),
        ('discount', 'product', 'round_price', '{"step": 1, "direction": "away"}'),
        ('discount', 'order', 'round_price', '{"mode": "tens"}'),
        ('discount', 'product', 'round_order_price', '{"mode": "tens"}'),
        ('discount', 'product', 'partner_discount', '{"partners": []}'),
        ('discount', 'product', 'partner_discount', '{"partners": ["a", "a"]}'),
        ('discount', 'product', 'partner_discount', '{"partners": ["a", 1]}'),
        ('discount', 'product', 'partner_discount', '{"partners": "a"}'),
        ('discount', 'product', 'partner_discount', '{"percent": 5}'),
        ('discount', 'product', 'text', '{}'),
        ('discount', 'product', 'text', '{"template": "{{ line.total "}'),
        ('discount', 'product', 'text', '{"template": "{{ line.colour }}"}'),
        ('discount', 'product', 'text', '{"template": "{{ promo_code }}"}'),
        ('discount', 'order', 'text', '{"template": "{{ line.total }}"}'),
        ('discount', 'order', 'text', '{"template": "{{ totals }}"}'),
        ('discount', 'order', 'text', '{"template": "{{ order.fields }}"}'),
        ('discount', 'order', 'text', '{"template": "{{ order..fields.x }}"}'),
        ('discount', 'order', 'text', '{"template": "{{ member.points.bonus }}"}'),
        ('discount', 'order', 'text', '{"template": "{{ member.points.bonus.spent }} {{}}"}'),
        ('points', 'order', 'issue_promo_code', '{"pool": "x"}'),
        ('discount', 'product', 'issue_promo_code', '{"pool": "x"}'),
        ('discount', 'order', 'issue_promo_code', '{"message": "x"}'),
        ('discount', 'order', 'issue_promo_code', '{"pool": "x", "message": "{{ line.id }}"}'),
        ('points', 'product', 'accrue_points', '{"point_type": "bonus", "percent": 5, "delay": "soon"}'),
        ('points', 'product', 'accrue_points', '{"point_type": "bonus", "percent": 5, "delay": "0 days"}'),
        ('points', 'product', 'accrue_points', '{"point_type": "bonus", "percent": 5, "delay": "1 day"}'),
        ('points', 'product', 'accrue_points_from_field', '{"point_type": "bonus"}'),
        ('points', 'product', 'accrue_points_from_field', '{"point_type": "bonus", "field": "x", "per_amount": 5}'),
        ('points', 'product', 'accrue_points_from_field', '{"point_type": "bonus", "field": "x", "points": 5}'),
        ('points', 'product', 'accrue_points_from_field', '{"point_type": "bonus", "per_amount": 5}'),
        ('points', 'product', 'accrue_points_from_field', '{"point_type": "bonus", "per_amount": 0.001, "points": 1}'),
        ('points', 'order', 'accrue_points_from_field', '{"point_type": "bonus", "field": "x"}'),
        ('points', 'product', 'partner_points', '{"point_type": "bonus"}'),
        ('points', 'product', 'partner_points', '{"mode": "pay"}'),
        ('points', 'product', 'partner_points', '{"mode": "give", "point_type": "bonus"}'),
        ('points', 'product', 'partner_points', '{"mode": "pay", "point_type": "bonus", "delay": "1 day"}'),
        ('points', 'order', 'partner_points', '{"mode": "pay", "point_type": "bonus"}'),
        ('discount', 'order', 'present', '{}')
) AS mistake (kind, level, benefit, given), LATERAL (SELECT given::jsonb) AS document (parameters);

-- Names that do not exist; nothing is written. Qualification points cannot pay.
CALL try('discount', 'product', 'partner_discount', '{"partners": ["acme", "nobody"]}');
CALL try('discount', 'order', 'issue_promo_code', '{"pool": "nothing"}');
CALL try('points', 'order', 'accrue_points', '{"point_type": "bonus", "percent": 5, "credit_on": "never"}');
CALL try('points', 'order', 'text', '{"template": "{{ member.points.stars.spent }}"}');
CALL try('points', 'product', 'partner_points', '{"point_type": "status", "mode": "pay"}');
CALL try('points', 'product', 'points_discount', '{"point_type": "status", "percent": 5}');
SELECT promotion, benefit, parameters FROM loyalty.promotion_benefits;
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio) VALUES ('main', 'new', 'New', 'standard', 1);
CALL try('points', 'product', 'points_discount', '{"point_type": "new", "percent": 5}');
UPDATE loyalty.point_types SET kind = 'qualification' WHERE external_id = 'new';
CALL try('points', 'product', 'accrue_points', '{"point_type": "new", "percent": 5}');
UPDATE loyalty.point_types SET kind = 'qualification' WHERE external_id = 'new';

-- A partner that is named stays; terms have limits.
CALL try('discount', 'product', 'partner_discount', '{"partners": ["later"]}');
DELETE FROM loyalty.partners WHERE external_id = 'later';
UPDATE loyalty.partners SET external_id = 'sooner' WHERE external_id = 'later';
DELETE FROM loyalty.partners WHERE external_id = 'acme';
SELECT sku, partner FROM loyalty.partner_products;
\set VERBOSITY terse
-- A product has at most one partner, and no other table links the two.
INSERT INTO loyalty.partners (program, external_id, name, description, site, email)
    VALUES ('main', 'other', 'Other', 'Of the neighbours', 'https://other.example', 'us@other.example');
UPDATE loyalty.partners SET site = given
    FROM unnest('{https://a.b/c?d=e#f,HTTP://localhost:8080,NULL}'::text[]) AS given WHERE external_id = 'other';
UPDATE loyalty.partners SET email = 'first.last+tag@sub.other.example' WHERE external_id = 'other';
UPDATE loyalty.partners SET site = 'other.example' WHERE external_id = 'other';
UPDATE loyalty.partners SET site = 'javascript:alert(1)' WHERE external_id = 'other';
UPDATE loyalty.partners SET site = 'https://' WHERE external_id = 'other';
UPDATE loyalty.partners SET email = 'us at other.example' WHERE external_id = 'other';
UPDATE loyalty.partners SET email = 'us@other' WHERE external_id = 'other';
INSERT INTO loyalty.partner_products (program, sku, partner, discount_percent) VALUES ('main', 'POT', 'other', 5);
INSERT INTO loyalty.partner_products (program, sku, partner, discount_percent) VALUES ('main', 'nothing', 'other', 5);
SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'loyalty' AND column_name = 'partner'
    AND table_name IN (SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE') ORDER BY 1;
INSERT INTO loyalty.partner_products (program, sku, partner, discount_percent)
    VALUES ('main', 'TEA', 'later', 0.1234567);
INSERT INTO loyalty.partner_products (program, sku, partner, discount_percent) VALUES ('main', 'TEA', 'later', 100.5);
INSERT INTO loyalty.partner_products (program, sku, partner, points_value, points_unit)
    VALUES ('main', 'TEA', 'later', 101, 'percent');
INSERT INTO loyalty.partner_products (program, sku, partner, points_value, points_unit)
    VALUES ('main', 'TEA', 'later', 5, 'money');
INSERT INTO loyalty.partner_products (program, sku, partner, max_payable_points) VALUES ('main', 'TEA', 'later', 0);
INSERT INTO loyalty.partner_products (program, sku, partner, points_value) VALUES ('main', 'TEA', 'later', 5);
INSERT INTO loyalty.partner_products (program, sku, partner, points_value, points_unit)
    VALUES ('main', 'TEA', 'later', 1e14, 'points');
\set VERBOSITY default

-- ---------------------------------------------------------------------------------------------------------------------
-- Combinations that are refused: when saved, when moved, when a group's type or a promotion's rule changes, at any
-- depth

SELECT benefit, loyalty_refused_under(benefit)
FROM unnest(ARRAY['discount', 'price_from_field', 'round_price', 'round_order_price', 'partner_discount', 'text',
    'issue_promo_code', 'points_discount', 'accrue_points', 'accrue_points_from_field', 'partner_points', 'gift'])
        AS benefit;
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent, arbitration)
VALUES
    ('main', 'sum', 'Sum', 'main', 'summation'),
    ('main', 'in-sum', 'In the sum', 'sum', 'consistent'),
    ('main', 'best', 'Best', 'main', 'max_benefit'),
    ('main', 'in-best', 'In the best', 'best', 'incompatibility'),
    ('main', 'free', 'Free', 'main', 'consistent');
\set VERBOSITY terse
-- Saved
UPDATE loyalty.promotions SET parent = 'in-sum' WHERE external_id = 'p';
CALL try('discount', 'product', 'round_price', '{"mode": "tens"}');
CALL try('discount', 'order', 'round_order_price', '{"mode": "tens"}');
CALL try('discount', 'product', 'price_from_field', '{"field": "x"}');
CALL try('points', 'product', 'accrue_points_from_field', '{"point_type": "bonus", "field": "x"}');
CALL try('discount', 'product', 'text', '{"template": "x"}');
CALL try('discount', 'product', 'discount', '{"percent": 5}');
UPDATE loyalty.promotion_benefits SET benefit = 'round_price', parameters = '{"mode": "tens"}';
UPDATE loyalty.promotions SET parent = 'in-best' WHERE external_id = 'p';
CALL try('discount', 'product', 'text', '{"template": "x"}');
CALL try('discount', 'order', 'issue_promo_code', '{"pool": "welcome"}');
CALL try('discount', 'product', 'round_price', '{"mode": "tens"}');
-- Moved
UPDATE loyalty.promotions SET parent = 'in-sum' WHERE external_id = 'p';
UPDATE loyalty.promotions SET parent = 'free' WHERE external_id = 'p';
UPDATE loyalty.promotion_groups SET parent = 'in-sum' WHERE external_id = 'free';
UPDATE loyalty.promotion_groups SET parent = 'in-best' WHERE external_id = 'free';
-- The type of a group above, and of the promotion
UPDATE loyalty.promotion_groups SET arbitration = 'summation' WHERE external_id = 'best';
UPDATE loyalty.promotion_groups SET arbitration = 'summation' WHERE external_id = 'main';
UPDATE loyalty.promotions SET benefit_rule = 'parallel' WHERE external_id = 'p';
-- Drafts, too; ended promotions are left alone
INSERT INTO loyalty.promotions (program, external_id, name, kind, parent)
    VALUES ('main', 'draft', 'Draft', 'discount', 'sum');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('main', 'draft');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('main', 'draft', 1, 'round_price', '{"mode": "tens"}');
UPDATE loyalty.promotions SET state = 'ended' WHERE external_id = 'p';
UPDATE loyalty.promotion_groups SET arbitration = 'summation' WHERE external_id = 'best';
SELECT external_id, parent, benefit_rule FROM loyalty.promotions ORDER BY external_id;
SELECT external_id, parent, arbitration FROM loyalty.promotion_groups ORDER BY external_id;

DROP PROCEDURE try;
DROP FUNCTION refusal;
DROP SCHEMA loyalty CASCADE;
