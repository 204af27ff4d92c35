-- What bench/reports measures: members of two years, five transactions each, with their lots, tiers, orders and promo codes.
--
--   psql -v members=1000000 -f reports.sql
--
-- Loaded in bulk by a superuser, with triggers off, as rows that were booked long ago: what stands here is what the triggers
-- would have written, and loyalty_verify() finds nothing wrong with it.

SET client_min_messages = warning;
CREATE EXTENSION loyalty;
SELECT loyalty_create_schema() \g /dev/null

INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
INSERT INTO loyalty.point_types (program, external_id, name, kind, scale, ratio, validity_count, validity_unit, active)
VALUES ('main', 'bonus', 'Bonus', 'standard', 0, 10, 1, 'year', true), ('main', 'status', 'Status', 'qualification', 0, 1, NULL, NULL, true);
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type) VALUES ('main', 'club', 'Club', 'cumulative', 'status');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
VALUES ('main', 'bronze', 'club', 'Bronze', 0), ('main', 'silver', 'club', 'Silver', 500), ('main', 'gold', 'club', 'Gold', 1000);
INSERT INTO loyalty.products (program, sku, name, price)
SELECT 'main', 'P-' || number, 'Product ' || number, number FROM generate_series(1, 1000) AS number;
INSERT INTO loyalty.partners (program, external_id, name) SELECT 'main', 'partner-' || number, 'Partner ' || number FROM generate_series(1, 20) AS number;
INSERT INTO loyalty.partner_products (program, sku, partner, discount_percent)
SELECT 'main', 'P-' || number, 'partner-' || number % 20 + 1, 5 FROM generate_series(1, 500) AS number;
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind)
SELECT 'main', 'pool-' || number, 'Pool ' || number, 'universal' FROM generate_series(1, 10) AS number;
INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
SELECT 'main', 'promotion-' || number, 'Promotion ' || number, CASE number % 2 WHEN 0 THEN 'discount' ELSE 'points' END, 'active'
FROM generate_series(1, 200) AS number;
INSERT INTO loyalty.promotion_conditions (program, promotion) SELECT 'main', external_id FROM loyalty.promotions;
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
SELECT 'main', external_id, 1, 'discount', '{"percent": 5}'::jsonb FROM loyalty.promotions WHERE kind = 'discount'
UNION ALL
SELECT 'main', external_id, 1, 'accrue_points', '{"point_type": "bonus", "percent": 1}' FROM loyalty.promotions WHERE kind = 'points';
SELECT loyalty_apply('main') \g /dev/null

SET session_replication_role = replica;
SET synchronous_commit = off;
SET maintenance_work_mem = '256MB';

CREATE TEMPORARY TABLE person AS
SELECT
    number,
    'm' || lpad(number::text, 8, '0') AS member,
    date_trunc('day', now()) - make_interval(days => 700 - number % 300) AS start
FROM generate_series(1, :members) AS number;

INSERT INTO loyalty.members (member, program, registered_at, enrolled_at)
SELECT member, 'main', start, start FROM person;

-- A credit that lived a year, a part of it spent and the rest expired; a recent credit; one that a promotion gave.
CREATE TEMPORARY TABLE booking AS
SELECT
    person.member,
    person.number,
    entry.*
FROM person
CROSS JOIN LATERAL (
    VALUES
        (1, 'accrual', 100, 0, start, NULL::bigint, NULL::text),
        (2, 'redemption', -30, 100, start + interval '10 days', NULL, NULL),
        (3, 'expiration', -70, 70, date_trunc('day', start AT TIME ZONE 'Europe/Berlin' + interval '1 year' + interval '1 day') AT TIME ZONE 'Europe/Berlin', 1, NULL),
        (4, 'accrual', 200, 0, now() - make_interval(days => 31 + number % 3, mins => number % 1440), NULL, NULL),
        (5, 'accrual', 50, 200, now() - make_interval(days => 1 + number % 30, secs => number % 86400), NULL, 'promotion-' || (1 + 2 * (number % 100)))
) AS entry (seq, type, value, before, at, lot, promotion);
INSERT INTO loyalty.transactions (
    member, program, point_type, seq, id, type, value, balance_before, balance_after, created_at, booked_at, active_from, expires_at, lot, promotion
)
SELECT
    member, 'main', 'bonus', seq, gen_random_uuid(), type, value, before, before + value, at, at,
    CASE type WHEN 'accrual' THEN at END,
    CASE type WHEN 'accrual' THEN date_trunc('day', at AT TIME ZONE 'Europe/Berlin' + interval '1 year' + interval '1 day') AT TIME ZONE 'Europe/Berlin' END,
    lot,
    promotion
FROM booking
ORDER BY seq, number;
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining, active_from, expires_at)
SELECT member, program, point_type, seq, value, CASE seq WHEN 1 THEN 0 ELSE value END, active_from, expires_at
FROM loyalty.transactions
WHERE type = 'accrual';
INSERT INTO loyalty.lot_movements (member, program, point_type, seq, lot, value)
SELECT member, 'main', 'bonus', 2, 1, -30 FROM person;
INSERT INTO loyalty.balances (member, program, point_type, seq, total)
SELECT member, 'main', 'bonus', 5, 250 FROM person;

INSERT INTO loyalty.member_tiers (member, program, tier_group, tier, since, seq, kept_tier, points)
SELECT
    member,
    'main',
    'club',
    CASE WHEN number % 10 = 0 THEN 'gold' WHEN number % 3 = 0 THEN 'silver' ELSE 'bronze' END,
    start,
    CASE WHEN number % 10 = 0 OR number % 3 = 0 THEN 2 ELSE 1 END,
    CASE WHEN number % 10 = 0 THEN 'gold' WHEN number % 3 = 0 THEN 'silver' ELSE 'bronze' END,
    0
FROM person;
INSERT INTO loyalty.member_tier_history (member, program, tier_group, seq, tier, since, cause)
SELECT member, 'main', 'club', 1, 'bronze', start, 'enrolment' FROM person
UNION ALL
SELECT member, 'main', 'club', 2, CASE WHEN number % 10 = 0 THEN 'gold' ELSE 'silver' END, start + make_interval(days => (number % 200)::integer), 'points'
FROM person
WHERE number % 10 = 0 OR number % 3 = 0;

-- An order of one line for every second member.
INSERT INTO loyalty.order_ids (external_id, program, buyer)
SELECT 'O-' || number, 'main', 'm:' || member FROM person WHERE number % 2 = 0;
INSERT INTO loyalty.orders (
    buyer, program, external_id, origin, status, version, "time", placed_at, base, discount, points_discount, total,
    shipping_base, shipping_discount, shipping_points_discount, shipping_total, request_hash, result
)
SELECT 'm:' || member, 'main', 'O-' || number, 'placed', 'delivered', 1, start + interval '9 days', start + interval '9 days', 100, 5, 0, 95, 0, 0, 0, 0, 0,
    jsonb_build_object('operations', jsonb_build_array(jsonb_build_object(
        'promotion', 'promotion-' || 2 + number % 200, 'promotion_type', 'discount', 'benefit', 'discount', 'level', 'product',
        'line', '1', 'product', 'P-' || 1 + number % 1000, 'discount', 5
    )))
FROM person
WHERE number % 2 = 0;
INSERT INTO loyalty.order_lines (
    buyer, program, order_id, line, position, product, quantity, price, base, discount, points_discount, allotted, total, status
)
SELECT 'm:' || member, 'main', 'O-' || number, '1', 1, 'P-' || 1 + number % 1000, 1, 95, 100, 5, 0, 0, 95, 'delivered'
FROM person
WHERE number % 2 = 0;
INSERT INTO loyalty.order_promotions (program, promotion)
SELECT 'main', 'promotion-' || number FROM generate_series(2, 201) AS number;

INSERT INTO loyalty.promo_codes (code, program, pool, uses)
SELECT 'CODE-' || number, 'main', 'pool-' || number % 10 + 1, CASE WHEN number % 4 = 0 THEN 1 ELSE 0 END FROM person;
INSERT INTO loyalty.promo_code_uses (buyer, program, code, id, order_id)
SELECT 'm:' || member, 'main', 'CODE-' || number, gen_random_uuid(), 'O-' || number FROM person WHERE number % 4 = 0;
RESET session_replication_role;
DROP TABLE person, booking;
VACUUM ANALYZE;
