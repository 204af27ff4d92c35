-- The rules of calculation have a number: versions carry it, a migration makes a version under the present ones, and an
-- order that was placed under others is answered as it was.
SELECT loyalty_create_schema();
\set QUIET on
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'UTC', true), ('empty', 'Nothing applied', 'profiles', 'EUR', 'UTC', false);
UPDATE loyalty.promotion_groups SET arbitration = 'incompatibility', max_discount_percent = 50 WHERE program = 'main';
INSERT INTO loyalty.promotion_groups (program, external_id, name, arbitration)
    VALUES ('main', 'best', 'Best', 'max_benefit'), ('main', 'plain', 'Plain', 'consistent');
INSERT INTO loyalty.point_types (program, external_id, name, ratio) VALUES ('main', 'bonus', 'Bonus', 1);
INSERT INTO loyalty.promotions (program, external_id, name, kind, audience, money_budget)
VALUES ('main', 'half', 'Half', 'discount', 'everyone', 1000), ('main', 'off', 'Off', 'discount', 'everyone', NULL),
    ('main', 'pay', 'Pay', 'points', 'everyone', NULL), ('main', 'asleep', 'Asleep', 'discount', 'everyone', 10),
    ('main', 'tenth', 'Tenth', 'discount', 'everyone', NULL);
INSERT INTO loyalty.promotion_conditions (program, promotion, level)
VALUES ('main', 'half', 'product'), ('main', 'off', 'order'), ('main', 'pay', 'product'), ('main', 'asleep', 'order'),
    ('main', 'tenth', 'product');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('main', 'half', 1, 'discount', '{"percent": 50}'), ('main', 'off', 1, 'discount', '{"amount": 5}'),
    ('main', 'pay', 1, 'points_discount', '{"point_type": "bonus", "points": 5}'),
    ('main', 'asleep', 1, 'discount', '{"amount": 5}'),
    ('main', 'tenth', 1, 'discount', '{"percent": 10}');
UPDATE loyalty.promotions SET state = 'active' WHERE external_id <> 'asleep';
UPDATE loyalty.promotions SET benefit_rule = 'parallel' WHERE external_id = 'off';
SELECT loyalty_apply('main');
SELECT version, rules = loyalty_internal.calculation_rules() AS of_now FROM loyalty.version_history ORDER BY version;

-- As a database of 0.1.0 has it.
INSERT INTO loyalty.promotion_versions (program, version, tree, definition, rules)
SELECT program, 2, tree, definition, 1 FROM loyalty.promotion_versions;
SELECT loyalty_place_order(
    '{"external_id": "before", "lines": [{"product": "A", "quantity": 2, "price": 100}]}') #> '{totals,total}' AS total;

-- Figures may change at these nodes; sleeping promotions and plain groups are none of them.
SELECT loyalty_migrate() = loyalty_schema_version() AS up_to_date;
SELECT version, rules FROM loyalty.version_history ORDER BY version;
SELECT count(DISTINCT (tree, definition)) FROM loyalty.promotion_versions;
SELECT count(*) FROM loyalty.pending_changes WHERE program = 'main';
SELECT loyalty_migrate() = loyalty_schema_version() AS up_to_date;
SELECT count(*) FROM loyalty.version_history;

-- Orders that were placed before, and after.
SELECT loyalty_reprice_order('main', 'before') = result || '{"rules_changed": true}' AS as_it_was FROM loyalty.orders
    WHERE external_id = 'before';
SELECT loyalty_place_order(
    '{"external_id": "after", "lines": [{"product": "A", "quantity": 2, "price": 100}]}') #> '{totals,total}' AS total;
SELECT loyalty_reprice_order('main', 'after') = result AS is_the_same FROM loyalty.orders WHERE external_id = 'after';
SELECT count(*) FROM loyalty_verify();

SET client_min_messages = warning;
DROP SCHEMA loyalty CASCADE;
