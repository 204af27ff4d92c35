-- The golden example: one product for 100,000.00, a discount of 20 %, and points that may pay 15 % of the price. What
-- the two promotions come to together is decided by the arbitration type of the group they stand in.
--
-- Needs schema loyalty and makes program "golden" on the bundled profiles; the demonstration and the tests use it.

INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('golden', 'Golden example', 'profiles', 'EUR', 'Europe/Berlin', true);

-- Ann is a member and has 20,000 points, worth 1.00 each.
INSERT INTO loyalty.profiles (key, attributes) VALUES ('ann', '{"name": "Ann"}');
INSERT INTO loyalty.members (member, program) VALUES ('ann', 'golden');
INSERT INTO loyalty.point_types (program, external_id, name, ratio, active)
VALUES ('golden', 'bonus', 'Bonus', 1, true);
INSERT INTO loyalty.transactions (member, program, point_type, type, value)
VALUES ('ann', 'golden', 'bonus', 'accrual', 20000);

INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
VALUES
    ('golden', 'birthday', 'Birthday discount', 'discount', 'active'),
    ('golden', 'pay', 'Pay with points', 'points', 'active');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('golden', 'birthday'), ('golden', 'pay');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES
    ('golden', 'birthday', 1, 'discount', '{"percent": 20}'),
    ('golden', 'pay', 1, 'points_discount', '{"point_type": "bonus", "percent": 15}');
