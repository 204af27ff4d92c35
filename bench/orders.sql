-- What bench/orders measures: orders of five lines, of which two are reduced and paid with points, and all earn points,
-- so that each has nine effects and two bookings. Beside them the same order in plain tables (plain.sql).

SET client_min_messages = warning;
CREATE EXTENSION loyalty;
SELECT loyalty_create_schema() \g /dev/null
\ir plain.sql

INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
INSERT INTO loyalty.point_types (program, external_id, name, ratio, scale, active)
VALUES ('main', 'bonus', 'Bonus', 1, 2, true);
INSERT INTO loyalty.products (program, sku, name, price, categories)
VALUES
    ('main', 'cup', 'Cup', 10, '{table}'), ('main', 'pot', 'Pot', 20, '{table}'), ('main', 'tea', 'Tea', 15, '{}'),
    ('main', 'jam', 'Jam', 4, '{}'), ('main', 'egg', 'Egg', 0.5, '{}');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
VALUES ('main', 'table', 'For the table', '$.categories[*] == "table"');
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, position, audience)
SELECT 'main', id, name, kind, 'draft', position, audience
FROM (
    VALUES
        ('tenth', 'Ten percent off', 'discount', 1, 'everyone'), ('pay', 'Pay with points', 'points', 2, 'members'),
        ('earn', 'Earn points', 'points', 3, 'members')
) AS promotion (id, name, kind, position, audience);
INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments)
VALUES ('main', 'tenth', 'in', '{table}'), ('main', 'pay', 'in', '{table}'), ('main', 'earn', 'all', '{}');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES
    ('main', 'tenth', 1, 'discount', '{"percent": 10}'),
    ('main', 'pay', 1, 'points_discount', '{"point_type": "bonus", "percent": 50}'),
    ('main', 'earn', 1, 'accrue_points', '{"point_type": "bonus", "percent": 5}');
UPDATE loyalty.promotions SET state = 'active';
SELECT loyalty_apply('main') \g /dev/null

INSERT INTO loyalty.profiles (key) SELECT 'm' || number FROM generate_series(0, :members - 1) AS number;
INSERT INTO loyalty.members (member, program) SELECT key, 'main' FROM loyalty.profiles;
INSERT INTO loyalty.transactions (member, program, point_type, type, value)
SELECT member, 'main', 'bonus', 'accrual', 100000 FROM loyalty.members;

CREATE FUNCTION bench.basket(number bigint) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object(
        'external_id', 'o' || number,
        'member', 'm' || number % (SELECT count(*) FROM loyalty.members),
        'redeem', '[{"points": "bonus", "amount": 3}]'::jsonb,
        'lines', '[
            {"id": "a", "product": "cup", "quantity": 1, "price": 10},
            {"id": "b", "product": "pot", "quantity": 2, "price": 20},
            {"id": "c", "product": "tea", "quantity": 2, "price": 15},
            {"id": "d", "product": "jam", "quantity": 3, "price": 4},
            {"id": "e", "product": "egg", "quantity": 6, "price": 0.5}
        ]'::jsonb)
$$;

INSERT INTO bench.balances SELECT 'm' || number, 0 FROM generate_series(0, :members - 1) AS number;

-- Eight promotions more that every line meets: seven that reduce prices and one that earns points.
CREATE PROCEDURE bench.add_promotions() LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO loyalty.promotions (program, external_id, name, kind, state, position, audience)
    SELECT
        'main', 'p' || number, 'Promotion ' || number, CASE number WHEN 8 THEN 'points' ELSE 'discount' END, 'draft',
        3 + number, 'everyone'
    FROM generate_series(1, 8) AS number;
    INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments)
    SELECT 'main', 'p' || number, 'all', '{}' FROM generate_series(1, 8) AS number;
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    SELECT 'main', 'p' || number, 1, 'discount', '{"percent": 2}'::jsonb FROM generate_series(1, 7) AS number
    UNION ALL
    VALUES ('main', 'p8', 1, 'accrue_points', '{"point_type": "bonus", "percent": 3}'::jsonb);
    UPDATE loyalty.promotions SET state = 'active' WHERE state = 'draft';
    PERFORM loyalty_apply('main');
END
$$;

-- Processor time of the session in microseconds, as the system counts it: in hundredths of a second.
CREATE FUNCTION bench.processor_time() RETURNS numeric LANGUAGE sql AS $$
    SELECT (field[12]::numeric + field[13]::numeric) * 10000
    FROM regexp_split_to_array(regexp_replace(pg_read_file('/proc/self/stat'), '^.*\) ', ''), ' ') AS field
$$;
CREATE FUNCTION bench.bytes_stored() RETURNS numeric LANGUAGE sql AS $$
    SELECT sum(pg_total_relation_size(oid)) FROM pg_class
    WHERE relkind = 'r' AND relnamespace IN ('loyalty'::regnamespace, 'bench'::regnamespace)
$$;
CREATE TABLE bench.figures (name text, round integer, microseconds numeric, wal numeric, stored numeric);

-- Each call is a transaction; `first` is the number of the first order.
CREATE PROCEDURE bench.measure(name text, round integer, first integer, orders integer, statement text)
LANGUAGE plpgsql AS $$
DECLARE
    time numeric := bench.processor_time();
    stored numeric := bench.bytes_stored();
    wal pg_lsn := pg_current_wal_insert_lsn();
BEGIN
    FOR number IN first .. first + orders - 1 LOOP
        EXECUTE statement USING number::bigint;
        COMMIT;
    END LOOP;
    INSERT INTO bench.figures VALUES (
        name, round, (bench.processor_time() - time) / orders, (pg_current_wal_insert_lsn() - wal) / orders,
        (bench.bytes_stored() - stored) / orders
    );
    COMMIT;
END
$$;
