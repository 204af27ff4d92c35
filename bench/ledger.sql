-- What bench/ledger measures: a program with members who have lots already, and beside it two ledgers of its own to compare
-- with. All keep accounts by the same key of three texts, and ten lots of 1,000 points a member.
--
--   psql -v members=10000 -f ledger.sql

SET client_min_messages = warning;
CREATE EXTENSION loyalty;
SELECT loyalty_create_schema() \g /dev/null
\ir plain.sql

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

CALL bench.add_members('', :members, 10, 0);
INSERT INTO bench.floor_balances SELECT member, program, point_type, seq, total FROM loyalty.balances;
INSERT INTO bench.simple_balances SELECT member, program, point_type, seq, total FROM loyalty.balances;
INSERT INTO bench.simple_lots SELECT member, program, point_type, seq, remaining, expires_at FROM loyalty.lots;
VACUUM ANALYZE;
