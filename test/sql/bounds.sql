-- What a caller can make as large as they like has a limit, and an error of its own before it.
\set ECHO none
\set SHOW_CONTEXT never
SET client_min_messages = warning;
\i test/fixtures/shop.sql
\set ECHO all
\set VERBOSITY default

-- ---------------------------------------------------------------------------------------------------------------------
-- The memory of a calculation

CREATE FUNCTION large(lines integer) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('member', 'ann', 'lines',
        jsonb_agg(jsonb_build_object('id', n::text, 'product', 'book', 'quantity', 1)))
    FROM generate_series(1, lines) AS n
$$;
SHOW loyalty.max_calculation_memory;
SET loyalty.max_calculation_memory = '4MB';
SELECT loyalty_calculate(large(50)) #>> '{totals,total}' AS total;
SELECT loyalty_calculate(large(10000));
SELECT loyalty_test(large(10000));
RESET loyalty.max_calculation_memory;
SELECT loyalty_calculate(large(10000)) #>> '{totals,total}' AS total;
-- Nobody can raise it for themselves.
CREATE ROLE regress_loyalty_bounds;
SET ROLE regress_loyalty_bounds;
SET loyalty.max_calculation_memory = '1GB';
RESET ROLE;
DROP ROLE regress_loyalty_bounds;

-- An answer that jsonb would not take: of a few MB in memory, for its texts are the same.
SET loyalty.max_calculation_memory = '2GB';
UPDATE loyalty.promotions SET name = repeat('long ', 20000) WHERE external_id = 'books';
SELECT loyalty_apply('main') \g /dev/null
SELECT loyalty_calculate(large(4000));
RESET loyalty.max_calculation_memory;

-- ---------------------------------------------------------------------------------------------------------------------
-- Moments without number

INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type, interval_count, interval_unit)
VALUES ('main', 'daily', 'Daily', 'cyclic', 'status', 1, 'day');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold) VALUES ('main', 'd0', 'daily', 'D', 0);
SELECT tier FROM loyalty_tier('ann', 'main', '2100-01-01');
SELECT tier FROM loyalty_tier('ann', 'main', '200000-01-01');
SELECT total FROM loyalty_balance('ann', 'main', 'status', '2100-01-01');
SELECT total FROM loyalty_balance('ann', 'main', 'status', '200000-01-01');
SELECT total FROM loyalty_balance('ann', 'main', 'status', 'infinity');

-- ---------------------------------------------------------------------------------------------------------------------
-- What is no more, or never was

SELECT loyalty_check_benefit('discount', 'product', 'price_from_field', '{"field": "vip"}', -1);
SELECT loyalty_check_benefit('discount', 'product', 'price_from_field', '{"field": "vip"}', 5);
SELECT loyalty_check_benefit('discount', 'product', 'price_from_field', '{"field": "vip"}', 2);

-- A time zone that the system's data has lost.
BEGIN;
SET LOCAL session_replication_role = replica;
ALTER TABLE loyalty.profiles ADD joined text;
UPDATE loyalty.profiles SET joined = '2026-01-01 12:00';
UPDATE loyalty.programs SET time_zone = 'Europe/Atlantis';
SET LOCAL session_replication_role = origin;
SAVEPOINT s;
SELECT loyalty_enrol('guest', 'main', registered_field => 'joined');
ROLLBACK TO s;
SELECT loyalty_enrol_all('main', registered_field => 'joined');
ROLLBACK;

-- A status that an order has, and nobody knows.
SELECT loyalty_place_order(basket('A')) ->> 'status' AS status;
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE loyalty.orders SET status = 'forgotten';
SET LOCAL session_replication_role = origin;
SAVEPOINT s;
SELECT loyalty_cancel_order('main', 'A');
ROLLBACK TO s;
SELECT loyalty_set_order_status('main', 'A', 'delivered');
ROLLBACK;

SET client_min_messages = warning;
DROP SCHEMA loyalty CASCADE;
DROP FUNCTION large, basket, refusal;
