-- What bench/orders measures: orders of five lines, of which two are reduced and paid with points, and all earn points,
-- so that each has nine effects and two bookings. Beside them what an application would write without this extension:
-- the same order in plain tables with their foreign keys, and two rows of a ledger with its balance.

SET client_min_messages = warning;
CREATE EXTENSION loyalty;
SELECT loyalty_create_schema() \g /dev/null
CREATE SCHEMA bench;

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

-- The same rows without anything that makes them.
CREATE TABLE bench.orders (
    id text PRIMARY KEY,
    customer text NOT NULL,
    placed_at timestamptz NOT NULL,
    total numeric NOT NULL
);
CREATE TABLE bench.order_lines (
    order_id text NOT NULL REFERENCES bench.orders,
    line text NOT NULL,
    product text NOT NULL,
    quantity numeric NOT NULL,
    price numeric NOT NULL,
    total numeric NOT NULL,
    PRIMARY KEY (order_id, line)
);
CREATE TABLE bench.order_effects (
    order_id text NOT NULL,
    number integer NOT NULL,
    line text NOT NULL,
    promotion text NOT NULL,
    amount numeric NOT NULL,
    PRIMARY KEY (order_id, number),
    FOREIGN KEY (order_id, line) REFERENCES bench.order_lines
);
CREATE TABLE bench.balances (customer text PRIMARY KEY, total numeric NOT NULL);
CREATE TABLE bench.transactions (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer text NOT NULL REFERENCES bench.balances,
    order_id text NOT NULL REFERENCES bench.orders,
    value numeric NOT NULL
);
INSERT INTO bench.balances SELECT 'm' || number, 0 FROM generate_series(0, :members - 1) AS number;

CREATE FUNCTION bench.place_plainly(number bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    basket jsonb := bench.basket(number);
BEGIN
    INSERT INTO bench.orders VALUES (basket ->> 'external_id', basket ->> 'member', now(), 95);
    INSERT INTO bench.order_lines
    SELECT basket ->> 'external_id', line.id, line.product, line.quantity, line.price, line.quantity * line.price
    FROM jsonb_to_recordset(basket -> 'lines') AS line (id text, product text, quantity numeric, price numeric);
    INSERT INTO bench.order_effects
    SELECT basket ->> 'external_id', effect.number, chr(97 + effect.number % 5), 'promotion', 1
    FROM generate_series(1, 9) AS effect (number);
    UPDATE bench.balances SET total = total + 2 WHERE customer = basket ->> 'member';
    INSERT INTO bench.transactions (customer, order_id, value)
    SELECT basket ->> 'member', basket ->> 'external_id', booked FROM unnest('{-3,5}'::numeric[]) AS booked;
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
