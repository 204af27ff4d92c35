-- Rules of the ledger one by one, as far as the other tests of it do not show them; test/README.md lists them all.
\set ECHO none
\i test/fixtures/ledger.sql
\set ECHO all
\set VERBOSITY terse

-- ---------------------------------------------------------------------------------------------------------------------
-- Balances (1): before and after are total ones, whatever waits or is held; only active points are spent, and nothing
-- in part. Points become active without a row of their own.

SELECT loyalty_accrue('ann', 'main', 'bonus', 10) \g /dev/null
SELECT loyalty_accrue('ann', 'main', 'bonus', 20, active_from => '2026-01-16', expires_on => '2026-01-20') \g /dev/null
SELECT loyalty_hold('ann', 'main', 'bonus', 'redemption', 4, '3 days') \g /dev/null
SELECT total, active, waiting, held FROM loyalty_balance('ann', 'main', 'bonus');
SELECT loyalty_redeem('ann', 'main', 'bonus', 6.01);
SELECT loyalty_hold('ann', 'main', 'bonus', 'redemption', 6.01, '1 hour');
SELECT brief(loyalty_redeem('ann', 'main', 'bonus', 6));
SELECT loyalty_set_clock('2026-01-16 00:00+01');
CALL loyalty_expire_points();
SELECT seq, type, value, before, after FROM entries WHERE member = 'ann';
SELECT total, active, waiting, held FROM loyalty_balance('ann', 'main', 'bonus');
SELECT brief(loyalty_redeem('ann', 'main', 'bonus', 20));

-- ---------------------------------------------------------------------------------------------------------------------
-- Balance as of a moment (2): a hold that has timed out keeps nothing, whether or not that is written.

SELECT loyalty_accrue('bob', 'main', 'bonus', 10, expires_on => '2026-01-16') \g /dev/null
SELECT loyalty_hold('bob', 'main', 'bonus', 'redemption', 4, '2 days') \g /dev/null
SELECT loyalty_set_clock('2026-01-19 00:00+01');
CREATE VIEW history AS
SELECT moment, total, active, held
FROM unnest(ARRAY['2026-01-16 23:59+01', '2026-01-17 00:00+01', '2026-01-18 12:00+01',
    '2026-01-19 00:00+01']::timestamptz[]) AS moment,
    loyalty_balance('bob', 'main', 'bonus', moment);
SELECT * FROM history;
SELECT brief(loyalty_accrue('bob', 'main', 'miles', 1));
CALL loyalty_expire_points();
SELECT * FROM history;

-- ---------------------------------------------------------------------------------------------------------------------
-- Nothing depends on when a job runs (3): the same requests, with the job before each of them and without, get the same
-- answers and come to the same sums, moment by moment.

CREATE FUNCTION request(step integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    member CONSTANT text := (ARRAY['cat', 'dan', 'eve'])[1 + step % 3];
    kind CONSTANT integer := greatest(0, floor(random() * 9) - 2);
    earlier CONSTANT integer := step - 3 * (1 + floor(random() * 3));
    amount CONSTANT integer := 1 + floor(random() * 10);
BEGIN
    RETURN format('%s: %s', step, CASE kind
        WHEN 0 THEN loyalty_accrue(member, 'main', 'bonus', amount * 2, external_id => 'A' || step,
            active_from => loyalty_now(), expires_at => loyalty_now() + amount * interval '15 hours') -> 'value'
        WHEN 1 THEN loyalty_accrue(member, 'main', 'bonus', amount * 2, external_id => 'A' || step,
            active_from => loyalty_now() + interval '20 hours',
        expires_at => loyalty_now() + interval '3 days') -> 'value'
        WHEN 2 THEN loyalty_redeem(member, 'main', 'bonus', amount, external_id => 'R' || step) -> 'value'
        WHEN 3 THEN loyalty_hold(member, 'main', 'bonus', 'redemption', amount, '2 days',
            external_id => 'H' || step) -> 'amount'
        WHEN 4 THEN loyalty_cancel(member, 'main', external_id => 'A' || earlier) -> 'value'
        WHEN 5 THEN loyalty_cancel(member, 'main', external_id => 'R' || earlier) -> 'value'
        WHEN 6 THEN loyalty_commit(member, 'main', external_id => 'H' || earlier) -> 'value'
    END);
EXCEPTION WHEN SQLSTATE 'LY510' OR SQLSTATE 'LY514' OR SQLSTATE 'LY516' OR SQLSTATE 'LY518' THEN
    RETURN format('%s: %s', step, SQLSTATE);
END
$$;
CREATE FUNCTION run_job() RETURNS void LANGUAGE plpgsql SET client_min_messages = warning AS $$
BEGIN
    WHILE loyalty_internal.job_batch('expire_points', 4) IS NOT NULL LOOP
    END LOOP;
END
$$;
CREATE FUNCTION replay(with_job boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    story text := '';
BEGIN
    PERFORM setseed(0.3);
    FOR step IN 1 .. 300 LOOP
        PERFORM loyalty_set_clock('2026-02-01 00:00+01'::timestamptz + step * interval '7 hours');
        IF with_job THEN
            PERFORM run_job();
        END IF;
        story := story || E'\n' || request(step);
    END LOOP;
    PERFORM loyalty_set_clock('2026-08-01 00:00+02');
    PERFORM run_job();
    RETURN story || (
        SELECT string_agg(concat_ws(' ', E'\n', member, created_at, type, value, owed), ''
            ORDER BY member, created_at, type)
        FROM (SELECT member, created_at, type, sum(value) AS value, trim_scale(sum(owed)) AS owed
            FROM loyalty.transactions WHERE member IN ('cat', 'dan', 'eve') GROUP BY 1, 2, 3) AS sums
    );
END
$$;
BEGIN;
SELECT replay(false) AS without_job \gset
SELECT type, count(*) > 2 AS several FROM entries WHERE member IN ('cat', 'dan', 'eve') GROUP BY type ORDER BY type;
SELECT state, count(*) > 2 AS several FROM loyalty.holds WHERE member IN ('cat', 'dan', 'eve') GROUP BY state;
SELECT * FROM loyalty_verify();
ROLLBACK;
BEGIN;
SELECT replay(true) = :'without_job' AS equal;
SELECT * FROM loyalty_verify();
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- Expiry (4): the next local midnight is the end of the day also where it comes twice, or not at all.

CREATE TABLE client (key text PRIMARY KEY);
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
    VALUES ('clients', 'Clients', 'client', 'key');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
VALUES ('havana', 'Havana', 'clients', 'CUP', 'America/Havana'), ('cairo', 'Cairo', 'clients', 'EGP', 'Africa/Cairo'),
    ('azores', 'Azores', 'clients', 'EUR', 'Atlantic/Azores');
INSERT INTO loyalty.point_types (program, external_id, name, ratio, validity_count, validity_unit, active)
SELECT external_id, 'day', 'A day', 1, 1, 'day', true FROM loyalty.programs WHERE external_id <> 'main';
INSERT INTO loyalty.members (member, program, enrolled_at) SELECT 'ann', external_id, loyalty.clock()
    FROM loyalty.programs WHERE external_id <> 'main';
SET TimeZone = 'UTC';
CREATE FUNCTION last_day(program_id text, day date)
    RETURNS TABLE (program text, day_given date, expires_at timestamptz, by_type timestamptz, last_usable_day date) LANGUAGE plpgsql AS $$
DECLARE
    zone text := (SELECT time_zone FROM loyalty.programs WHERE external_id = program_id);
    noon timestamptz := (day - 1 + time '12:00') AT TIME ZONE zone;
BEGIN
    UPDATE loyalty.programs SET active = external_id IN ('main', program_id);
    PERFORM loyalty_accrue('ann', program_id, 'day', 1, expires_on => day);
    RETURN QUERY
    SELECT program_id, day, lot.expires_at,
        (loyalty_accrue('ann', program_id, 'day', 1, active_from => noon) ->> 'expires_at')::timestamptz,
    expiring.last_usable_day
    FROM loyalty.lots AS lot, loyalty_expiring_points('ann', program_id, '2026-01-01', '2026-12-31') AS expiring
    WHERE lot.program = program_id
    ORDER BY lot.seq DESC, expiring.last_usable_day DESC
    LIMIT 1;
END
$$;
-- Cuba puts clocks back at 01:00 to midnight, and forward from midnight; Egypt likewise; the Azores put them back at
-- 01:00.
SELECT * FROM last_day('havana', '2026-03-07');
SELECT * FROM last_day('havana', '2026-10-31');
SELECT * FROM last_day('cairo', '2026-04-23');
SELECT * FROM last_day('cairo', '2026-10-29');
SELECT * FROM last_day('azores', '2026-10-24');
SET TimeZone = 'Europe/Berlin';

-- ---------------------------------------------------------------------------------------------------------------------
-- Of points that expire at one moment (5) those that were active earlier go first, then those booked first.

INSERT INTO loyalty.transactions (member, program, point_type, type, value, active_from, expires_at)
SELECT 'lea', 'main', 'gift', 'accrual', 10, active_from, '2026-03-01'
FROM unnest(ARRAY['2026-01-03', '2026-01-02', '2026-01-02', '2026-01-01']::timestamptz[]) AS active_from;
SELECT loyalty_redeem('lea', 'main', 'gift', 12) \g /dev/null
SELECT lot, remaining FROM remains WHERE member = 'lea';
SELECT loyalty_redeem('lea', 'main', 'gift', 12) \g /dev/null
SELECT lot, remaining FROM remains WHERE member = 'lea';

-- Refunds (5) are a function of the amount refunded so far: in parts or at once, the lots get the same.

SELECT loyalty_accrue(member, 'main', 'miles', number * 3, expires_on => date '2026-03-01' + number)
    FROM unnest(ARRAY['fay', 'gus']) AS member, generate_series(1, 4) AS number \g /dev/null
SELECT loyalty_redeem(member, 'main', 'miles', 28, external_id => 'all')
    FROM unnest(ARRAY['fay', 'gus']) AS member \g /dev/null
SELECT loyalty_refund('fay', 'main', part, redemption => 'all') FROM unnest(ARRAY[1, 7, 2, 9]) AS part \g /dev/null
SELECT brief(loyalty_refund('gus', 'main', 19, redemption => 'all'));
SELECT member, lot, remaining, expires_at FROM remains
    WHERE member IN ('fay', 'gus') AND point_type = 'miles' AND remaining > 0;

-- ---------------------------------------------------------------------------------------------------------------------
-- Taking earned points back (6): what is owed does not expire, is settled from any credit, and a row of value 0 says
-- that it is owed, or waived, or that the points had expired.

SELECT loyalty_accrue('hal', 'main', 'bonus', 10, external_id => 'H1') \g /dev/null
SELECT loyalty_redeem('hal', 'main', 'bonus', 10) \g /dev/null
SELECT brief(loyalty_cancel('hal', 'main', external_id => 'H1'));
SELECT loyalty_set_clock('2026-12-01 12:00+01');
CALL loyalty_expire_points();
SELECT total, owed FROM loyalty_balance('hal', 'main', 'bonus');
INSERT INTO loyalty.transactions (member, program, point_type, type, value)
    VALUES ('hal', 'main', 'bonus', 'initial', 4);
SELECT loyalty_hold('hal', 'main', 'bonus', 'accrual', 3, '1 hour', external_id => 'H2') \g /dev/null
SELECT brief(loyalty_commit('hal', 'main', external_id => 'H2'));
SELECT brief(loyalty_write_off_owed('hal', 'main', 'bonus', 3));
SELECT seq, type, value, before, after, source FROM entries WHERE member = 'hal';
SELECT total, active, owed FROM loyalty_balance('hal', 'main', 'bonus');
-- An expiration takes its own lot only, however much is owed or held.
SELECT loyalty_accrue('ida', 'main', 'bonus', 5, expires_on => '2026-12-01') \g /dev/null
SELECT loyalty_accrue('ida', 'main', 'bonus', 7, expires_on => '2026-12-02') \g /dev/null
SELECT loyalty_set_clock('2026-12-02 12:00+01');
SELECT brief(loyalty_redeem('ida', 'main', 'bonus', 1));
SELECT lot, amount, remaining FROM remains WHERE member = 'ida';

-- ---------------------------------------------------------------------------------------------------------------------
-- Points that are not refunded (7) and qualification points are taken back all the same. Of what was booked (8),
-- accruals, initial balances and redemptions are cancelled.

SELECT loyalty_accrue('jim', 'main', type, 9, external_id => type)
    FROM unnest(ARRAY['gift', 'status']) AS type \g /dev/null
SELECT brief(loyalty_cancel('jim', 'main', external_id => type)) FROM unnest(ARRAY['gift', 'status']) AS type;
INSERT INTO loyalty.transactions (member, program, point_type, type, value, external_id)
    VALUES ('jim', 'main', 'bonus', 'initial', 5, 'initial');
SELECT brief(loyalty_cancel('jim', 'main', external_id => 'initial'));
-- It comes once in a lifetime (14), though the first was cancelled.
SELECT * FROM refusal($$INSERT INTO loyalty.transactions (member, program, point_type, type, value)
    VALUES ('jim', 'main', 'bonus', 'initial', 5)$$);
SELECT code FROM refusal($$INSERT INTO loyalty.transactions (member, program, point_type, type, value)
    VALUES ('kim', 'main', 'bonus', 'initial', 5), ('kim', 'main', 'bonus', 'initial', 6)$$);
SELECT DISTINCT ON (entry.type) entry.type, refused.code, refused.detail
FROM loyalty.transactions AS entry,
refusal(format('SELECT loyalty_cancel(%L, %L, transaction => %L)', member, program, id)) AS refused
WHERE entry.type NOT IN ('accrual', 'initial', 'redemption')
ORDER BY entry.type;

-- ---------------------------------------------------------------------------------------------------------------------
-- External ids (10): each field that was given counts.

SELECT loyalty_accrue('kim', 'main', 'bonus', 10, external_id => 'K', created_at => '2026-12-01',
    active_from => '2026-12-02', expires_at => '2027-01-01',
    source_type => 'survey', source => 'S', comment => 'c', data => '{"a": 1}') \g /dev/null
SELECT changed, refused.code, regexp_replace(refused.detail, 'Transaction ID ', '') AS detail
FROM unnest(ARRAY['amount', 'created_at', 'active_from', 'expires_at', 'source_type', 'source', 'comment', 'data',
    'none']) AS changed,
    LATERAL (SELECT format(
        $$SELECT loyalty_accrue('kim', 'main', 'bonus', %s, external_id => 'K', created_at => %L, active_from => %L,
        expires_at => %L, source_type => %L, source => %L, comment => %L, data => %L)$$,
        CASE changed WHEN 'amount' THEN 11 ELSE 10 END,
        CASE changed WHEN 'created_at' THEN '2026-12-01 01:00' ELSE '2026-12-01' END,
        CASE changed WHEN 'active_from' THEN '2026-12-03' ELSE '2026-12-02' END,
        CASE changed WHEN 'expires_at' THEN '2027-01-02' ELSE '2027-01-01' END,
        CASE changed WHEN 'source_type' THEN 'form' ELSE 'survey' END,
        CASE changed WHEN 'source' THEN 'T' ELSE 'S' END,
        CASE changed WHEN 'comment' THEN NULL ELSE 'c' END,
        CASE changed WHEN 'data' THEN '{"a": 2}' ELSE '{"a": 1}' END)) AS call (statement)
    LEFT JOIN LATERAL refusal(call.statement) AS refused ON true;
DO $$
DECLARE
    added integer;
BEGIN
    INSERT INTO loyalty.transactions (member, program, point_type, type, value, external_id)
        VALUES ('kim', 'main', 'bonus', 'accrual', 1, 'L'), ('kim', 'main', 'bonus', 'accrual', 1, 'L');
    GET DIAGNOSTICS added = ROW_COUNT;
    RAISE NOTICE '% row', added;
END
$$;

-- ---------------------------------------------------------------------------------------------------------------------
-- An inactive type (11): nothing new, but what is due goes on.

SELECT loyalty_accrue('lea', 'main', 'bonus', 5, expires_on => '2026-12-02') \g /dev/null
SELECT loyalty_accrue('lea', 'main', 'bonus', 5, expires_on => '2026-12-03', external_id => 'later') \g /dev/null
SELECT loyalty_redeem('lea', 'main', 'bonus', 6, external_id => 'spent') \g /dev/null
SELECT loyalty_deactivate_point_type('main', 'bonus');
SELECT code, message FROM unnest(ARRAY['accrual', 'initial', 'redemption']) AS type,
    refusal(format($$INSERT INTO loyalty.transactions (member, program, point_type, type, value)
        VALUES ('lea', 'main', 'bonus', %L, %s)$$, type, CASE type WHEN 'redemption' THEN -1 ELSE 1 END));
SELECT brief(loyalty_refund('lea', 'main', 2, redemption => 'spent'));
SELECT loyalty_set_clock('2026-12-03 12:00+01');
SELECT total, active FROM loyalty_balance('lea', 'main', 'bonus');
CALL loyalty_expire_points();
INSERT INTO loyalty.transactions (member, program, point_type, type, value, undoes)
    VALUES ('lea', 'main', 'bonus', 'reversal', -1, 2);
SELECT seq, type, value, after FROM entries WHERE member = 'lea' AND point_type = 'bonus';
SELECT loyalty_activate_point_type('main', 'bonus');

-- ---------------------------------------------------------------------------------------------------------------------
-- What is fixed once something was booked, and the ratio (13), which takes effect with the next version.

SELECT code, message
    FROM unnest(ARRAY['currency = ''USD''', 'currency_scale = 3', 'time_zone = ''UTC''']) AS change,
refusal('UPDATE loyalty.programs SET ' || change || ' WHERE external_id = ''main''');
SELECT code, message
    FROM unnest(ARRAY['scale = 3', 'kind = ''qualification'', validity_count = NULL, validity_unit = NULL']) AS change,
refusal('UPDATE loyalty.point_types SET ' || change || ' WHERE program = ''main'' AND external_id = ''bonus''');
CREATE VIEW worth AS
SELECT total, total_money, active_money, expiring.money AS expiring_money
FROM loyalty_balance('lea', 'main', 'bonus'),
loyalty_expiring_points('lea', 'main', '2026-01-01', '2026-12-31', 'bonus') AS expiring;
SELECT * FROM worth;
SELECT loyalty_apply('main');
UPDATE loyalty.point_types SET ratio = 7 WHERE program = 'main' AND external_id = 'bonus';
SELECT * FROM worth;
SELECT loyalty_apply('main');
SELECT * FROM worth;
-- A type that is in no version yet has its own.
SELECT loyalty_clone_point_type('main', 'bonus', 'copy');
SELECT external_id, ratio, applied_ratio, active FROM loyalty.point_types WHERE external_id IN ('bonus', 'copy');

SELECT * FROM loyalty_verify();

-- The outbox has told of every booking, once, and in the order of booking.
\set ECHO none
\i test/fixtures/untold.sql
\set ECHO all
SELECT * FROM untold;

SET client_min_messages = warning;
DROP VIEW history, worth;
DROP SCHEMA loyalty CASCADE;
DROP FUNCTION brief, refusal, request, run_job, replay, last_day;
DROP TABLE client;
