-- The ledger: booking by INSERT and by functions, idempotency, undoing, errors.
\set ECHO none
\i test/fixtures/ledger.sql
\set ECHO all

-- ---------------------------------------------------------------------------------------------------------------------
-- Plain INSERT: the trigger fills the figures, several rows one after the other.

INSERT INTO loyalty.transactions (member, program, point_type, type, value, source_type, source, comment, data)
VALUES
    ('ann', 'main', 'bonus', 'accrual', 100, 'survey', 'S-1', 'thank you', '{"answers": 7}'),
    ('ann', 'main', 'bonus', 'accrual', 50.5, NULL, NULL, NULL, NULL),
    ('ann', 'main', 'bonus', 'redemption', -120, NULL, NULL, NULL, NULL)
RETURNING seq, type, value, balance_before, balance_after, created_at, booked_at, active_from, expires_at, source, data;
SELECT * FROM remains WHERE member = 'ann';
SELECT seq, lot, value FROM loyalty.lot_movements WHERE member = 'ann' ORDER BY seq, lot;
SELECT seq, total, debt, owed FROM loyalty.balances WHERE member = 'ann';
SELECT substr(id::text, 15, 1) AS version, count(DISTINCT id) AS ids, bool_and(id_follows) AS in_order
FROM (SELECT id, id > coalesce(lag(id) OVER (ORDER BY seq), '00000000-0000-0000-0000-000000000000') AS id_follows
    FROM loyalty.transactions) AS row
GROUP BY 1;

-- A row that arrives with its figures is taken as it stands; with some of them it is refused.
BEGIN;
INSERT INTO loyalty.transactions (member, program, point_type, seq, type, value, balance_before, balance_after,
    created_at)
VALUES ('ann', 'main', 'bonus', 4, 'redemption', -1, 30.5, 29.5, loyalty_now())
RETURNING seq, balance_after, id IS NOT NULL AS has_id, booked_at;
SELECT seq, total FROM loyalty.balances WHERE member = 'ann';
ROLLBACK;
INSERT INTO loyalty.transactions (member, program, point_type, seq, type, value)
    VALUES ('ann', 'main', 'bonus', 4, 'redemption', -1);
\echo :SQLSTATE

-- ---------------------------------------------------------------------------------------------------------------------
-- Never changed

UPDATE loyalty.transactions SET comment = 'changed';
\echo :SQLSTATE
\set VERBOSITY terse
DELETE FROM loyalty.transactions WHERE member = 'nobody';
TRUNCATE loyalty.transactions CASCADE;
INSERT INTO loyalty.transactions (member, program, point_type, type, value)
    VALUES ('ann', 'main', 'bonus', 'accrual', 1)
ON CONFLICT (member, program, id) DO UPDATE SET comment = 'changed';
DELETE FROM loyalty.balances;
TRUNCATE loyalty.balances CASCADE;
DELETE FROM loyalty.lots;
TRUNCATE loyalty.lots CASCADE;
UPDATE loyalty.lot_movements SET value = 1;
DELETE FROM loyalty.lot_movements;
TRUNCATE loyalty.lot_movements;
DELETE FROM loyalty.holds;
TRUNCATE loyalty.holds CASCADE;
DELETE FROM loyalty.hold_lots;
TRUNCATE loyalty.hold_lots;
\set VERBOSITY default

-- ---------------------------------------------------------------------------------------------------------------------
-- A row that was booked must arrive

CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.comment = 'drop' THEN
        RETURN NULL;
    ELSIF NEW.comment = 'change' THEN
        NEW.value := NEW.value + 1;
        NEW.balance_after := NEW.balance_after + 1;
    ELSIF NEW.comment = 'nest' THEN
        INSERT INTO loyalty.transactions (member, program, point_type, type, value, comment)
            VALUES (NEW.member, NEW.program, 'miles', 'accrual', 7, 'nested');
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER zz_meddle BEFORE INSERT ON loyalty.transactions FOR EACH ROW EXECUTE FUNCTION meddle();
INSERT INTO loyalty.transactions (member, program, point_type, type, value, comment)
    VALUES ('ann', 'main', 'bonus', 'accrual', 1, 'drop');
\echo :SQLSTATE
\set VERBOSITY terse
INSERT INTO loyalty.transactions (member, program, point_type, type, value, comment)
    VALUES ('ann', 'main', 'bonus', 'accrual', 1, 'change');
SELECT loyalty_accrue('ann', 'main', 'bonus', 1, comment => 'drop');
-- An error that is caught leaves nothing behind.
DO $$
BEGIN
    BEGIN
        INSERT INTO loyalty.transactions (member, program, point_type, type, value)
            VALUES ('ann', 'main', 'bonus', 'accrual', 1), ('nobody', 'main', 'bonus', 'accrual', 1);
    EXCEPTION WHEN SQLSTATE 'LY507' THEN
        RAISE NOTICE 'no member';
    END;
    INSERT INTO loyalty.transactions (member, program, point_type, type, value, comment)
        VALUES ('bob', 'main', 'bonus', 'accrual', 1, 'nest');
END
$$;
SELECT member, point_type, value, comment FROM loyalty.transactions WHERE member = 'bob' ORDER BY id;
DROP TRIGGER zz_meddle ON loyalty.transactions;
CREATE TRIGGER aa_meddle BEFORE INSERT ON loyalty.transactions FOR EACH ROW EXECUTE FUNCTION meddle();
SELECT loyalty_accrue('ann', 'main', 'bonus', 1, comment => 'drop');
DROP TRIGGER aa_meddle ON loyalty.transactions;
-- ON CONFLICT DO NOTHING drops a row only where a unique key of the user's own says so.
CREATE UNIQUE INDEX one_a_source ON loyalty.transactions (member, program, source_type, source);
INSERT INTO loyalty.transactions (member, program, point_type, type, value, source_type, source)
    VALUES ('bob', 'main', 'bonus', 'accrual', 1, 'survey', 'S-2');
INSERT INTO loyalty.transactions (member, program, point_type, type, value, source_type, source)
    VALUES ('bob', 'main', 'bonus', 'accrual', 1, 'survey', 'S-2')
ON CONFLICT DO NOTHING;
DROP INDEX loyalty.one_a_source;
\set VERBOSITY default
SELECT point_type, seq, total FROM loyalty.balances WHERE member = 'bob' ORDER BY point_type;
SELECT * FROM loyalty_verify();

-- ---------------------------------------------------------------------------------------------------------------------
-- The same request once more: the first answer, and never a second row (decision 10)

\set VERBOSITY terse
SELECT brief(loyalty_accrue('cat', 'main', 'bonus', 10, external_id => 'A', comment => 'gift'));
SELECT brief(loyalty_accrue('cat', 'main', 'bonus', 10.00, external_id => 'A', comment => 'gift'));
INSERT INTO loyalty.transactions (member, program, point_type, type, value, external_id, comment)
    VALUES ('cat', 'main', 'bonus', 'accrual', 10, 'A', 'gift');
INSERT INTO loyalty.transactions (member, program, point_type, type, value, external_id)
    VALUES ('cat', 'main', 'bonus', 'accrual', 5, 'B'), ('cat', 'main', 'bonus', 'accrual', 5, 'B');
SELECT * FROM refusal($$SELECT loyalty_accrue('cat', 'main', 'bonus', 10, external_id => 'A')$$);
SELECT * FROM refusal($$SELECT loyalty_redeem('cat', 'main', 'bonus', 10, external_id => 'A', comment => 'gift')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_accrue('cat', 'main', 'miles', 11, external_id => 'A', comment => 'gift', source_type => 'x',
    data => '{}')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_accrue('cat', 'main', 'bonus', 10, external_id => 'A', comment => 'gift',
    created_at => '2026-01-01')$$);
-- It belongs to the member: another one's is another.
SELECT brief(loyalty_accrue('dan', 'main', 'bonus', 10, external_id => 'A'));
-- A retry is answered even where a new request would be refused.
SELECT loyalty_deactivate_point_type('main', 'bonus');
SELECT brief(loyalty_accrue('cat', 'main', 'bonus', 10, external_id => 'A', comment => 'gift'));
SELECT loyalty_activate_point_type('main', 'bonus');
-- A cancelled transaction is still the answer, with its cancellation shown.
SELECT brief(loyalty_cancel('cat', 'main', external_id => 'A', comment => 'wrong member'));
SELECT brief(loyalty_accrue('cat', 'main', 'bonus', 10, external_id => 'A', comment => 'gift'));
SELECT brief(loyalty_cancel('cat', 'main', external_id => 'A'));
-- Holds share the ids.
SELECT brief(loyalty_hold('cat', 'main', 'bonus', 'redemption', 2, '1 hour', external_id => 'H'));
SELECT brief(loyalty_hold('cat', 'main', 'bonus', 'redemption', 2, '1 hour', external_id => 'H'));
SELECT * FROM refusal($$SELECT loyalty_hold('cat', 'main', 'bonus', 'redemption', 3, '2 hours', external_id => 'H')$$);
SELECT * FROM refusal($$SELECT loyalty_redeem('cat', 'main', 'bonus', 2, external_id => 'H')$$);
SELECT * FROM refusal($$SELECT loyalty_hold('cat', 'main', 'bonus', 'redemption', 2, '1 hour', external_id => 'B')$$);
SELECT brief(loyalty_commit('cat', 'main', external_id => 'H'));
SELECT brief(loyalty_commit('cat', 'main', external_id => 'H'));
SELECT brief(loyalty_hold('cat', 'main', 'bonus', 'redemption', 2, '1 hour', external_id => 'H'));
SELECT * FROM refusal($$SELECT loyalty_redeem('cat', 'main', 'bonus', 2, external_id => 'H')$$);
SELECT * FROM entries WHERE member = 'cat';

-- ---------------------------------------------------------------------------------------------------------------------
-- What is refused

\set VERBOSITY terse
\set wrong 'INSERT INTO loyalty.transactions (member, program, point_type, type, value) VALUES'
:wrong ('dan', 'main', 'bonus', 'accrual', 'NaN');
\echo :SQLSTATE
:wrong ('dan', 'main', 'bonus', 'accrual', 'Infinity');
\echo :SQLSTATE
:wrong ('dan', 'main', 'bonus', 'redemption', '-Infinity');
\echo :SQLSTATE
:wrong ('dan', 'main', 'bonus', 'accrual', 0);
\echo :SQLSTATE
:wrong ('dan', 'main', 'bonus', 'accrual', -1);
\echo :SQLSTATE
:wrong ('dan', 'main', 'bonus', 'redemption', 1);
\echo :SQLSTATE
:wrong ('dan', 'main', 'bonus', 'accrual', 0.001);
\echo :SQLSTATE
:wrong ('dan', 'main', 'miles', 'accrual', 0.5);
\echo :SQLSTATE
:wrong ('dan', 'main', 'bonus', 'accrual', 1e16);
\echo :SQLSTATE
:wrong ('dan', 'main', 'bonus', 'accrual', 1e100);
\echo :SQLSTATE
:wrong ('dan', 'main', 'miles', 'accrual', 999999999999999999);
:wrong ('dan', 'main', 'miles', 'accrual', 1);
\echo :SQLSTATE
:wrong ('dan', 'main', 'bonus', 'accrual', NULL);
\echo :SQLSTATE
:wrong ('dan', 'main', 'bonus', 'gift', 1);
\echo :SQLSTATE
:wrong ('dan', 'main', 'bonus', 'expiration', -1);
\echo :SQLSTATE
:wrong ('dan', 'main', 'bonus', 'reset', -1);
\echo :SQLSTATE
:wrong ('dan', 'other', 'bonus', 'accrual', 1);
\echo :SQLSTATE
:wrong ('dan', 'main', 'none', 'accrual', 1);
\echo :SQLSTATE
:wrong ('nobody', 'main', 'bonus', 'accrual', 1);
\echo :SQLSTATE
:wrong (NULL, 'main', 'bonus', 'accrual', 1);
\echo :SQLSTATE
:wrong ('dan', 'main', 'asleep', 'accrual', 1);
\echo :SQLSTATE
:wrong ('dan', 'main', 'bonus', 'redemption', -11);
\echo :SQLSTATE
:wrong ('dan', 'main', 'bonus', 'refund', 1);
\echo :SQLSTATE
\set wrong 'INSERT INTO loyalty.transactions (member, program, point_type, type, value, created_at, active_from, expires_at) VALUES'
:wrong ('dan', 'main', 'bonus', 'accrual', 1, '2026-01-15 12:01+01', NULL, NULL);
\echo :SQLSTATE
:wrong ('dan', 'main', 'bonus', 'accrual', 1, '-infinity', NULL, NULL);
\echo :SQLSTATE
:wrong ('dan', 'main', 'bonus', 'accrual', 1, NULL, '2026-02-01', '2026-02-01');
\echo :SQLSTATE
:wrong ('dan', 'main', 'bonus', 'redemption', -1, NULL, '2026-02-01', NULL);
\echo :SQLSTATE
INSERT INTO loyalty.transactions (member, program, point_type, type, value, promotion)
    VALUES ('dan', 'main', 'bonus', 'accrual', 1, 'none');
\echo :SQLSTATE
INSERT INTO loyalty.transactions (member, program, point_type, type, value, source)
    VALUES ('dan', 'main', 'bonus', 'accrual', 1, 'S-3');
\echo :SQLSTATE
SELECT loyalty_accrue('dan', 'main', 'bonus', 1, source_type => '');
\echo :SQLSTATE
SELECT loyalty_accrue('dan', 'main', 'bonus', 1, data => '[1]');
\echo :SQLSTATE
INSERT INTO loyalty.transactions (member, program, point_type, type, value, undoes)
    VALUES ('dan', 'main', 'bonus', 'accrual', 1, 1);
\echo :SQLSTATE
SELECT loyalty_accrue('dan', 'main', 'bonus', -1);
\echo :SQLSTATE
SELECT loyalty_redeem('dan', 'main', 'bonus', -1);
\echo :SQLSTATE
SELECT loyalty_redeem('dan', 'main', 'bonus', NULL);
\echo :SQLSTATE
SELECT loyalty_accrue(NULL, 'main', 'bonus', 1);
\echo :SQLSTATE
SELECT loyalty_accrue('dan', 'main', 'bonus', 1, expires_at => 'infinity', expires_on => '2026-03-01');
\echo :SQLSTATE
SELECT loyalty_accrue('dan', 'main', 'bonus', 1, source_type => 'cancel');
\echo :SQLSTATE
SELECT loyalty_cancel('dan', 'main');
\echo :SQLSTATE
SELECT loyalty_cancel('dan', 'main', external_id => 'none');
\echo :SQLSTATE
SELECT loyalty_statement('dan', 'main', page_size => 0);
\echo :SQLSTATE
SELECT loyalty_hold('dan', 'main', 'bonus', 'refund', 1, '1 hour');
\echo :SQLSTATE
SELECT loyalty_hold('dan', 'main', 'bonus', 'redemption', 1, NULL);
\echo :SQLSTATE
SELECT loyalty_hold('dan', 'main', 'bonus', 'redemption', 1, '0');
\echo :SQLSTATE
SELECT loyalty_hold('dan', 'main', 'bonus', 'redemption', 11, '1 hour');
\echo :SQLSTATE
-- What a hold is to book is refused when it is made.
SELECT code, message FROM unnest(ARRAY[
    'source => ''S''', 'source_type => ''''', 'source_type => ''cancel''', 'data => ''[1]''',
    'active_from => ''-infinity''', 'expires_at => ''2026-01-15 12:00+01''',
    'active_from => ''2026-02-01'', expires_on => ''2026-01-31''', 'promotion => ''none''']) AS given,
    refusal(format($$SELECT loyalty_hold('dan', 'main', 'bonus', 'accrual', 1, '1 hour', %s)$$, given));
-- Programs and members that are not active (decisions 15, 19): no new points, but corrections.
SELECT brief(loyalty_redeem('dan', 'main', 'bonus', 4, external_id => 'R'));
UPDATE loyalty.programs SET active = false;
SELECT loyalty_accrue('dan', 'main', 'bonus', 1);
\echo :SQLSTATE
SELECT code, message FROM unnest(ARRAY[
    'SELECT loyalty_redeem(''dan'', ''main'', ''bonus'', 1)',
    'SELECT loyalty_hold(''dan'', ''main'', ''bonus'', ''redemption'', 1, ''1 hour'')',
    'INSERT INTO loyalty.transactions (member, program, point_type, type, value) VALUES (''dan'', ''main'', ''bonus'', ''redemption'', -1)']) AS statement,
    refusal(statement);
BEGIN;
SELECT brief(loyalty_cancel('dan', 'main', external_id => 'R'));
ROLLBACK;
SELECT brief(loyalty_refund('dan', 'main', 1, redemption => 'R'));
UPDATE loyalty.programs SET active = true;
UPDATE loyalty.members SET removed_at = enrolled_at WHERE member = 'dan';
SELECT loyalty_redeem('dan', 'main', 'bonus', 1);
\echo :SQLSTATE
SELECT brief(loyalty_refund('dan', 'main', 1, redemption => 'R'));
SELECT brief(loyalty_cancel('dan', 'main', external_id => 'A'));
\set VERBOSITY default
SELECT * FROM loyalty_verify();

-- ---------------------------------------------------------------------------------------------------------------------
-- Order of consumption, and refunds into the very lots (decision 5)

SELECT loyalty_accrue('eve', 'main', 'bonus', 10, expires_at => 'infinity') \g /dev/null
SELECT loyalty_accrue('eve', 'main', 'bonus', 10, expires_on => '2026-03-01') \g /dev/null
SELECT loyalty_accrue('eve', 'main', 'bonus', 10, expires_on => '2026-02-01') \g /dev/null
SELECT loyalty_accrue('eve', 'main', 'bonus', 10, expires_on => '2026-03-01', active_from => '2026-01-01') \g /dev/null
SELECT loyalty_accrue('eve', 'main', 'bonus', 10, active_from => '2026-01-16') \g /dev/null
SELECT * FROM remains WHERE member = 'eve';
SELECT total, active, waiting, held FROM loyalty_balance('eve', 'main', 'bonus');
SELECT loyalty_redeem('eve', 'main', 'bonus', 40.01);
SELECT brief(loyalty_redeem('eve', 'main', 'bonus', 33, external_id => 'all'));
SELECT lot, value FROM loyalty.lot_movements WHERE member = 'eve' AND seq = 6 ORDER BY lot;
SELECT brief(loyalty_refund('eve', 'main', 5, redemption => 'all'));
SELECT brief(loyalty_refund('eve', 'main', 10, redemption => 'all', external_id => 'back'));
SELECT brief(loyalty_refund('eve', 'main', 10, redemption => 'all', external_id => 'back'));
SELECT seq, lot, value FROM loyalty.lot_movements WHERE member = 'eve' AND seq > 6 ORDER BY seq, lot;
SELECT * FROM remains WHERE member = 'eve';
SELECT loyalty_refund('eve', 'main', 18.01, redemption => 'all');
-- Cancelling books the rest; what was refunded in parts is not given twice.
SELECT brief(loyalty_cancel('eve', 'main', external_id => 'all'));
SELECT brief(loyalty_cancel('eve', 'main', external_id => 'all'));
SELECT loyalty_refund('eve', 'main', 0.01, redemption => 'all');
SELECT * FROM remains WHERE member = 'eve';
-- Other types cannot be cancelled; what orders book is their own (test orders).
SELECT refused.*
    FROM loyalty.transactions,
refusal(format('SELECT loyalty_cancel(%L, %L, transaction => %L)', member, program, id)) AS refused
WHERE member = 'eve' AND seq = 7;
SELECT loyalty_accrue('eve', 'main', 'bonus', 1, source_type => 'order', source => 'O-1', external_id => 'O-1');
-- Where refunds are not allowed, only a cancel gives points back (decisions 7, 8).
SELECT brief(loyalty_accrue('eve', 'main', 'gift', 10));
SELECT brief(loyalty_redeem('eve', 'main', 'gift', 10, external_id => 'G'));
SELECT loyalty_refund('eve', 'main', 1, redemption => 'G');
SELECT brief(loyalty_cancel('eve', 'main', external_id => 'G'));

-- ---------------------------------------------------------------------------------------------------------------------
-- Taking earned points back: own lot, then active ones, then waiting ones, never held ones; the rest is owed (decision
-- 6)

SELECT loyalty_accrue('fay', 'main', 'bonus', 10, external_id => 'F1', expires_on => '2026-02-01') \g /dev/null
SELECT loyalty_accrue('fay', 'main', 'bonus', 10, external_id => 'F2', expires_on => '2026-03-01') \g /dev/null
SELECT loyalty_accrue('fay', 'main', 'bonus', 10, external_id => 'F3', active_from => '2026-02-01') \g /dev/null
SELECT loyalty_redeem('fay', 'main', 'bonus', 7) \g /dev/null
SELECT brief(loyalty_hold('fay', 'main', 'bonus', 'redemption', 5, '1 day', external_id => 'FH'));
SELECT lot, remaining, held FROM remains WHERE member = 'fay';
SELECT brief(loyalty_cancel('fay', 'main', external_id => 'F1'));
SELECT seq, lot, value FROM loyalty.lot_movements WHERE member = 'fay' AND seq = 5 ORDER BY lot;
SELECT lot, remaining, held FROM remains WHERE member = 'fay';
SELECT brief(loyalty_cancel('fay', 'main', external_id => 'F2'));
SELECT * FROM loyalty_balance('fay', 'main', 'bonus');
-- Credits are booked in full, and what is owed is taken from their lots.
SELECT brief(loyalty_accrue('fay', 'main', 'bonus', 1.5));
SELECT brief(loyalty_rollback('fay', 'main', external_id => 'FH'));
SELECT brief(loyalty_cancel('fay', 'main', external_id => 'F3'));
SELECT brief(loyalty_refund('fay', 'main', 2, transaction => id)) FROM loyalty.transactions
    WHERE member = 'fay' AND type = 'redemption';
SELECT * FROM entries WHERE member = 'fay';
SELECT * FROM loyalty_balance('fay', 'main', 'bonus');
SELECT loyalty_write_off_owed('fay', 'main', 'bonus', 100);
SELECT brief(loyalty_write_off_owed('fay', 'main', 'bonus', 1, external_id => 'W'));
SELECT brief(loyalty_write_off_owed('fay', 'main', 'bonus', 1, external_id => 'W'));
SELECT total, active, owed FROM loyalty_balance('fay', 'main', 'bonus');
-- A claim without an accrual of its own, and more than was earned.
INSERT INTO loyalty.transactions (member, program, point_type, type, value, undoes)
    VALUES ('fay', 'main', 'bonus', 'reversal', -1, 1);
\echo :SQLSTATE
INSERT INTO loyalty.transactions (member, program, point_type, type, value)
    VALUES ('fay', 'main', 'bonus', 'reversal', -3) RETURNING seq, value, owed;
SELECT * FROM loyalty_verify();

-- With negative balances the row is for the whole amount, and a credit pays the debt first.
UPDATE loyalty.programs SET negative_balance_allowed = true;
SELECT loyalty_accrue('gus', 'main', 'bonus', 10, external_id => 'G1') \g /dev/null
SELECT loyalty_redeem('gus', 'main', 'bonus', 8, external_id => 'G2') \g /dev/null
SELECT brief(loyalty_cancel('gus', 'main', external_id => 'G1'));
SELECT total, active, debt, owed FROM loyalty_balance('gus', 'main', 'bonus');
SELECT loyalty_redeem('gus', 'main', 'bonus', 1);
SELECT brief(loyalty_accrue('gus', 'main', 'bonus', 3));
SELECT brief(loyalty_refund('gus', 'main', 6, redemption => 'G2'));
SELECT total, active, debt, owed FROM loyalty_balance('gus', 'main', 'bonus');
SELECT * FROM entries WHERE member = 'gus';
SELECT seq, lot, value FROM loyalty.lot_movements WHERE member = 'gus' ORDER BY seq, lot;
SELECT * FROM loyalty_verify();
UPDATE loyalty.programs SET negative_balance_allowed = false;

-- ---------------------------------------------------------------------------------------------------------------------
-- Holds (decision 9)

SELECT loyalty_accrue('hal', 'main', 'bonus', 10) \g /dev/null
SELECT brief(loyalty_hold('hal', 'main', 'bonus', 'redemption', 6, '1 hour', external_id => 'H1'));
SELECT total, active, held FROM loyalty_balance('hal', 'main', 'bonus');
SELECT loyalty_redeem('hal', 'main', 'bonus', 5);
SELECT brief(loyalty_hold('hal', 'main', 'bonus', 'accrual', 100, '1 hour', external_id => 'H2'));
SELECT total, active, held FROM loyalty_balance('hal', 'main', 'bonus');
SELECT brief(loyalty_rollback('hal', 'main', external_id => 'H1'));
SELECT brief(loyalty_rollback('hal', 'main', external_id => 'H1'));
SELECT * FROM refusal($$SELECT loyalty_commit('hal', 'main', external_id => 'H1')$$);
SELECT brief(loyalty_commit('hal', 'main', external_id => 'H2'));
SELECT * FROM refusal($$SELECT loyalty_rollback('hal', 'main', external_id => 'H2')$$);
SELECT brief(loyalty_hold('hal', 'main', 'bonus', 'redemption', 6, '1 hour', external_id => 'H3'));
SELECT brief(loyalty_cancel('hal', 'main', external_id => 'H3'));
SELECT brief(loyalty_cancel('hal', 'main', external_id => 'H2'));
SELECT brief(loyalty_commit('hal', 'main', external_id => 'H2'));
-- An inactive type (decision 11): no new hold, but open ones may commit.
SELECT brief(loyalty_hold('hal', 'main', 'bonus', 'redemption', 4, '1 hour', external_id => 'H4'));
SELECT loyalty_deactivate_point_type('main', 'bonus');
SELECT loyalty_hold('hal', 'main', 'bonus', 'redemption', 1, '1 hour');
SELECT brief(loyalty_commit('hal', 'main', external_id => 'H4'));
SELECT total, active FROM loyalty_balance('hal', 'main', 'bonus');
SELECT brief(loyalty_cancel('hal', 'main', external_id => 'H4'));
SELECT loyalty_activate_point_type('main', 'bonus');
SELECT total, active FROM loyalty_balance('hal', 'main', 'bonus');

-- Terms that the transaction itself has changed count at once, and no more once that is rolled back.
BEGIN;
SELECT loyalty_accrue('kim', 'main', 'bonus', 1) ->> 'expires_at' AS expires_at;
SAVEPOINT before;
UPDATE loyalty.point_types SET validity_count = 2 WHERE external_id = 'bonus';
SELECT loyalty_accrue('kim', 'main', 'bonus', 1) ->> 'expires_at' AS expires_at;
UPDATE loyalty.programs SET active = false;
SELECT code FROM refusal($$SELECT loyalty_accrue('kim', 'main', 'bonus', 1)$$);
ROLLBACK TO before;
SELECT loyalty_accrue('kim', 'main', 'bonus', 1) ->> 'expires_at' AS expires_at;
UPDATE loyalty.point_types SET validity_count = 3 WHERE external_id = 'bonus';
SELECT loyalty_accrue('kim', 'main', 'bonus', 1) ->> 'expires_at' AS expires_at;
ROLLBACK;
BEGIN;
SELECT loyalty_accrue('kim', 'main', 'bonus', 1) ->> 'expires_at' AS expires_at;
ROLLBACK;

-- An account of many lots: as many are read as are needed.
BEGIN;
SELECT count(loyalty_accrue('kim', 'main', 'bonus', 1)) FROM generate_series(1, 70);
SELECT loyalty_redeem('kim', 'main', 'bonus', 5) -> 'balance_after' AS after;
SELECT loyalty_redeem('kim', 'main', 'bonus', 64.5) -> 'balance_after' AS after;
SELECT count(*), sum(remaining) FROM loyalty.lots WHERE member = 'kim' AND open;
SELECT loyalty_redeem('kim', 'main', 'bonus', 0.51);
ROLLBACK;

-- Somebody's operators do not come in between.
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.trap(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE OPERATOR hostile.= (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.trap);
BEGIN;
SET LOCAL search_path = hostile, pg_catalog, public;
SELECT 'a'::text = 'b';
ROLLBACK;
BEGIN;
SET LOCAL search_path = hostile, pg_catalog, public;
INSERT INTO loyalty.transactions (member, program, point_type, type, value)
    VALUES ('kim', 'main', 'bonus', 'accrual', 1);
SHOW search_path;
ROLLBACK;
DROP SCHEMA hostile CASCADE;

-- ---------------------------------------------------------------------------------------------------------------------
-- Statement, money, point types, who may

SELECT loyalty_accrue('ida', 'main', CASE WHEN number % 2 = 0 THEN 'bonus' ELSE 'miles' END, number)
    FROM generate_series(1, 7) AS number \g /dev/null
SELECT seq, point_type, value, balance_after FROM loyalty_statement('ida', 'main', page_size => 4);
SELECT seq, point_type, value, balance_after
FROM loyalty_statement('ida', 'main',
    before => (SELECT min(id::text)::uuid FROM loyalty_statement('ida', 'main', page_size => 4)), page_size => 4);
SELECT seq, value FROM loyalty_statement('ida', 'main', 'bonus');
SELECT point_type, total, active, total_money, active_money, currency FROM loyalty_balance('ida', 'main');
SELECT loyalty_clone_point_type('main', 'bonus', 'bonus-2', 'Second bonus');
SELECT external_id, name, scale, ratio, validity_count, validity_unit, active FROM loyalty.point_types
    WHERE external_id LIKE 'bonus%' ORDER BY 1;
SELECT loyalty_clone_point_type('main', 'none', 'x');
\set VERBOSITY terse
SELECT loyalty_activate_point_type('none', 'bonus');

CREATE ROLE regress_loyalty_cashier;
GRANT EXECUTE ON FUNCTION loyalty_redeem, loyalty_accrue, loyalty_balance, loyalty_now,
loyalty_set_clock TO regress_loyalty_cashier;
CREATE ROLE regress_loyalty_manager;
GRANT USAGE ON SCHEMA loyalty TO regress_loyalty_manager;
GRANT INSERT (member, program, point_type, type, value, external_id, source_type)
    ON loyalty.transactions TO regress_loyalty_manager;
SET ROLE regress_loyalty_cashier;
SELECT brief(loyalty_accrue('jim', 'main', 'bonus', 5));
SELECT total FROM loyalty_balance('jim', 'main', 'bonus');
SELECT loyalty_now() > '2026-01-01' AS knows_the_clock;
SELECT loyalty_set_clock('2030-01-01');
SELECT count(*) FROM loyalty.transactions;
SELECT loyalty_refund('jim', 'main', 5);
SET ROLE regress_loyalty_manager;
INSERT INTO loyalty.transactions (member, program, point_type, type, value)
    VALUES ('jim', 'main', 'bonus', 'redemption', -2);
INSERT INTO loyalty.transactions (member, program, point_type, type, value, source_type)
    VALUES ('jim', 'main', 'bonus', 'reversal', -2, 'write_off');
INSERT INTO loyalty.transactions (member, program, point_type, type, value, balance_after)
    VALUES ('jim', 'main', 'bonus', 'redemption', -2, 100);
RESET ROLE;
SELECT seq, type, value, balance_after FROM loyalty.transactions WHERE member = 'jim' ORDER BY seq;
REVOKE ALL ON FUNCTION loyalty_redeem, loyalty_accrue, loyalty_balance, loyalty_now, loyalty_set_clock
    FROM regress_loyalty_cashier;
REVOKE ALL ON loyalty.transactions FROM regress_loyalty_manager;
REVOKE ALL ON SCHEMA loyalty FROM regress_loyalty_manager;
DROP ROLE regress_loyalty_cashier, regress_loyalty_manager;

SELECT * FROM loyalty_verify();

-- The outbox has told of every booking, once, and in the order of booking.
\set ECHO none
\i test/fixtures/untold.sql
\set ECHO all
SELECT * FROM untold;

SET client_min_messages = warning;
DROP SCHEMA loyalty CASCADE;
DROP FUNCTION brief, refusal, meddle;
DROP VIEW IF EXISTS entries, remains;
