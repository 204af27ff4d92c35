-- What bench/ledger measures: a program with members who have lots already, and beside it two ledgers of its own to compare
-- with. All keep accounts by the same key of three texts, and ten lots of 1,000 points a member.
--
--   psql -v members=10000 -f ledger.sql

SET client_min_messages = warning;
CREATE EXTENSION loyalty;
SELECT loyalty_create_schema() \g /dev/null
CREATE SCHEMA bench;

INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
INSERT INTO loyalty.point_types (program, external_id, name, ratio, validity_count, validity_unit, active)
VALUES ('main', 'bonus', 'Bonus', 10, 1, 'year', true);

-- Members with accounts that were restored, as it were: `lots` lots of 1,000 points each, the first `due` of which have
-- expired meanwhile and wait for the job. Rows that arrive with their balances are taken as they stand.
CREATE PROCEDURE bench.add_members(prefix text, members integer, lots integer, due integer)
    LANGUAGE sql
    BEGIN ATOMIC
        INSERT INTO loyalty.members (member, program, enrolled_at) SELECT prefix || number, 'main', loyalty.clock() FROM generate_series(1, members) AS number;
        INSERT INTO loyalty.balances (member, program, point_type, seq, total)
        SELECT prefix || number, 'main', 'bonus', lots, 1000 * lots FROM generate_series(1, members) AS number;
        INSERT INTO loyalty.transactions (
            member, program, point_type, seq, type, value, balance_before, balance_after, created_at, active_from, expires_at
        )
        SELECT
            prefix || number,
            'main',
            'bonus',
            lot,
            'accrual',
            1000,
            1000 * (lot - 1),
            1000 * lot,
            now() - interval '400 days',
            now() - interval '400 days',
            date_trunc('day', now()) + make_interval(days => CASE WHEN lot <= due THEN lot - due ELSE 30 * lot END)
        FROM generate_series(1, members) AS number, generate_series(1, lots) AS lot;
        INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining, active_from, expires_at)
        SELECT member, program, point_type, seq, value, value, active_from, expires_at
        FROM loyalty.transactions
        WHERE member LIKE prefix || '%';
    END;

-- ---------------------------------------------------------------------------------------------------------------------
-- The floor: the least that books a row, without lots.

CREATE TABLE bench.floor_balances (
    member text COLLATE "C",
    program text COLLATE "C",
    point_type text COLLATE "C",
    seq bigint NOT NULL,
    total numeric NOT NULL,
    PRIMARY KEY (member, program, point_type)
) WITH (fillfactor = 80);
CREATE TABLE bench.floor_transactions (
    member text COLLATE "C",
    program text COLLATE "C",
    point_type text COLLATE "C",
    seq bigint,
    type text NOT NULL,
    value numeric NOT NULL,
    balance_before numeric NOT NULL,
    balance_after numeric NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (member, program, point_type, seq)
);

-- The floor of expiry: an UPDATE and an INSERT ... SELECT of as many rows, in plain copies of the tables: with their columns
-- and indexes, but with no trigger, check or foreign key, and nobody's balance.

CREATE TABLE bench.plain_lots (LIKE loyalty.lots INCLUDING GENERATED INCLUDING INDEXES) WITH (fillfactor = 80);
CREATE TABLE bench.plain_transactions (LIKE loyalty.transactions INCLUDING DEFAULTS INCLUDING INDEXES);

-- What is due in the ledger.
CREATE PROCEDURE bench.add_plain_lots()
    LANGUAGE sql
    BEGIN ATOMIC
        DELETE FROM bench.plain_lots;
        DELETE FROM bench.plain_transactions;
        INSERT INTO bench.plain_lots (member, program, point_type, seq, amount, remaining, active_from, expires_at, held)
        SELECT member, program, point_type, seq, amount, remaining, active_from, expires_at, held
        FROM loyalty.lots
        WHERE open AND expires_at <= now();
    END;

CREATE PROCEDURE bench.expire_plain_lots()
    LANGUAGE sql
    BEGIN ATOMIC
        INSERT INTO bench.plain_transactions (
            member, program, point_type, seq, id, type, value, balance_before, balance_after, created_at, booked_at, lot
        )
        SELECT
            member,
            program,
            point_type,
            seq,
            gen_random_uuid(),
            'expiration',
            - remaining,
            remaining,
            0,
            expires_at,
            now(),
            seq
        FROM bench.plain_lots
        WHERE open AND expires_at <= now();
        UPDATE bench.plain_lots SET remaining = 0 WHERE open AND expires_at <= now();
    END;

-- ---------------------------------------------------------------------------------------------------------------------
-- The simplest ledger with lots that PL/pgSQL makes: no checks, no dates but the end, nothing that proves anything.

CREATE TABLE bench.simple_balances (LIKE bench.floor_balances INCLUDING ALL) WITH (fillfactor = 80);
CREATE TABLE bench.simple_transactions (LIKE bench.floor_transactions INCLUDING ALL);
CREATE TABLE bench.simple_lots (
    member text COLLATE "C",
    program text COLLATE "C",
    point_type text COLLATE "C",
    seq bigint,
    remaining numeric NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (member, program, point_type, seq)
) WITH (fillfactor = 80);
CREATE INDEX ON bench.simple_lots (member, program, point_type, expires_at, seq) WHERE remaining > 0;

CREATE FUNCTION bench.simple_trigger() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    wanted numeric := -NEW.value;
    taken numeric;
    lot record;
BEGIN
    UPDATE bench.simple_balances AS b SET seq = b.seq + 1, total = b.total + NEW.value
    WHERE b.member = NEW.member AND b.program = NEW.program AND b.point_type = NEW.point_type
    RETURNING b.seq, b.total - NEW.value, b.total INTO NEW.seq, NEW.balance_before, NEW.balance_after;
    IF NEW.value > 0 THEN
        INSERT INTO bench.simple_lots
        VALUES (NEW.member, NEW.program, NEW.point_type, NEW.seq, NEW.value, NEW.created_at + interval '1 year');
        RETURN NEW;
    END IF;
    FOR lot IN
        SELECT l.seq, l.remaining FROM bench.simple_lots AS l
        WHERE l.member = NEW.member AND l.program = NEW.program AND l.point_type = NEW.point_type AND l.remaining > 0
            AND l.expires_at > NEW.created_at
        ORDER BY l.expires_at, l.seq
    LOOP
        taken := least(wanted, lot.remaining);
        UPDATE bench.simple_lots AS l SET remaining = l.remaining - taken
        WHERE l.member = NEW.member AND l.program = NEW.program AND l.point_type = NEW.point_type AND l.seq = lot.seq;
        wanted := wanted - taken;
        EXIT WHEN wanted = 0;
    END LOOP;
    IF wanted > 0 THEN
        RAISE EXCEPTION 'too few points';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER book
    BEFORE INSERT ON bench.simple_transactions
    FOR EACH ROW EXECUTE FUNCTION bench.simple_trigger();

CALL bench.add_members('', :members, 10, 0);
INSERT INTO bench.floor_balances SELECT member, program, point_type, seq, total FROM loyalty.balances;
INSERT INTO bench.simple_balances SELECT member, program, point_type, seq, total FROM loyalty.balances;
INSERT INTO bench.simple_lots SELECT member, program, point_type, seq, remaining, expires_at FROM loyalty.lots;
VACUUM ANALYZE;
