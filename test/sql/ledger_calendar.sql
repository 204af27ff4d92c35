-- Time in the ledger: expiry by the calendar of the program's zone, whatever a job does; balances as of any moment.
\set ECHO none
\i test/fixtures/ledger.sql
\set ECHO all
\set VERBOSITY terse
SET datestyle = 'ISO';

-- Valid through the end of the local day that is so many units after the day of activation (decision 4): month ends,
-- leap years, and both changes of daylight-saving time.
INSERT INTO loyalty.point_types (program, external_id, name, ratio, validity_count, validity_unit, active)
VALUES
    ('main', 'day', 'A day', 1, 1, 'day', true), ('main', 'week', 'Two weeks', 1, 2, 'week', true),
    ('main', 'month', 'A month', 1, 1, 'month', true), ('main', 'year', 'A year', 1, 1, 'year', true);
INSERT INTO loyalty.transactions (member, program, point_type, type, value, active_from)
SELECT 'ann', 'main', type, 'accrual', row_number() OVER (), moment
FROM unnest(ARRAY['day', 'week', 'month', 'year']) AS type,
    unnest(ARRAY['2026-01-31 23:59:59.999999+01', '2026-02-01 00:00+01', '2028-01-31 12:00+01', '2028-02-29 12:00+01',
        '2026-03-28 12:00+01', '2026-10-24 23:30+02']::timestamptz[]) AS moment;
SELECT point_type, active_from, expires_at, to_char(expires_at, 'HH24:MI') = '00:00' AS at_midnight
FROM loyalty.transactions WHERE member = 'ann' ORDER BY point_type, active_from;
-- Bookings reckon it in C++, statements about many members in SQL: both say the same.
SELECT count(*), count(*) FILTER (WHERE lot.expires_at = in_sql.expires_at) AS same
FROM loyalty.lots AS lot
JOIN loyalty.programs AS program ON program.external_id = lot.program
JOIN loyalty.point_types AS type ON type.program = lot.program AND type.external_id = lot.point_type
CROSS JOIN LATERAL loyalty_internal.expires_at(
    lot.active_from, type.validity_count, type.validity_unit, program.time_zone
) AS in_sql (expires_at)
WHERE lot.member = 'ann';

-- An explicit date means the end of its day, an explicit timestamp itself; the session's zone does not matter.
SET TimeZone = 'America/New_York';
SELECT loyalty_accrue('bob', 'main', 'miles', 1, expires_on => '2026-03-29') \g /dev/null
SELECT loyalty_accrue('bob', 'main', 'miles', 1, expires_at => '2026-03-29 12:00+02') \g /dev/null
SELECT loyalty_accrue('bob', 'main', 'bonus', 1) \g /dev/null
SET TimeZone = 'Europe/Berlin';
SELECT point_type, seq, expires_at FROM loyalty.lots WHERE member = 'bob' ORDER BY point_type, seq;
-- Waiting points count from their activation; a qualification type and miles do not expire.
SELECT loyalty_accrue('bob', 'main', 'bonus', 1, active_from => '2026-01-20') ->> 'expires_at' AS expires_at;
SELECT loyalty_accrue('bob', 'main', 'status', 1) ->> 'expires_at' AS expires_at;

-- ---------------------------------------------------------------------------------------------------------------------
-- Points that expired a second ago cannot be spent, although no job ran (decision 3)

SELECT loyalty_accrue('cat', 'main', 'bonus', 10) \g /dev/null
SELECT loyalty_accrue('cat', 'main', 'bonus', 5, expires_on => '2026-02-10') \g /dev/null
SELECT loyalty_accrue('cat', 'main', 'bonus', 1, expires_on => '2026-03-31') \g /dev/null
SELECT * FROM loyalty_expiring_points('cat', 'main', '2026-02-10', '2026-02-15', 'bonus');
SELECT * FROM loyalty_expiring_points('cat', 'main', '2026-02-11', '2026-02-14');
SELECT loyalty_set_clock('2026-02-15 23:59:59+01');
SELECT total, active FROM loyalty_balance('cat', 'main', 'bonus');
SELECT loyalty_set_clock('2026-02-16 00:00+01');
-- A read counts what is due as booked, and writes nothing.
SELECT total, active FROM loyalty_balance('cat', 'main', 'bonus');
SELECT count(*) FROM loyalty.transactions WHERE member = 'cat';
SELECT * FROM loyalty_expiring_points('cat', 'main', '2026-02-01', '2026-03-31');
SELECT loyalty_redeem('cat', 'main', 'bonus', 1.01);
-- Each expiration carries its lot's own moment, the sooner first.
SELECT brief(loyalty_redeem('cat', 'main', 'bonus', 1));
SELECT seq, type, value, before, after, created_at, lot FROM entries WHERE member = 'cat';

-- Balance as of any moment (decision 2): of what had expired by it, although it was booked later.
SELECT moment, balance.*
FROM unnest(ARRAY['2026-01-15 11:59+01', '2026-01-15 12:00+01', '2026-02-10 23:59+01', '2026-02-11 00:00+01',
    '2026-02-15 23:59+01',
        '2026-02-16 00:00+01', '2026-04-01 00:00+02']::timestamptz[]) AS moment,
    loyalty_balance('cat', 'main', 'bonus', moment) AS balance;

-- ---------------------------------------------------------------------------------------------------------------------
-- Back-dating

-- Booked and expired at once where the lot is past; overdraft is judged on today's lots.
SELECT brief(loyalty_accrue('dan', 'main', 'bonus', 7, created_at => '2026-01-14 12:00+01'));
SELECT brief(loyalty_accrue('dan', 'main', 'bonus', 8, created_at => '2026-01-17 12:00+01'));
SELECT brief(loyalty_redeem('dan', 'main', 'bonus', 8.01));
SELECT brief(loyalty_redeem('dan', 'main', 'bonus', 8, created_at => '2026-01-16 12:00+01', external_id => 'R'));
SELECT seq, type, value, before, after, created_at, lot FROM entries WHERE member = 'dan';

-- A refund into a lot whose date has passed: refund and expiration together (decision 5).
SELECT loyalty_set_clock('2026-02-18 00:00+01');
SELECT brief(loyalty_refund('dan', 'main', 3, redemption => 'R', external_id => 'back'));
SELECT brief(loyalty_refund('dan', 'main', 3, redemption => 'R', external_id => 'back'));
SELECT seq, type, value, before, after, created_at, lot FROM entries WHERE member = 'dan' AND seq > 4;

-- What of an accrual has expired is not taken back a second time (decision 6): two claims of 5 on 10, of which 4
-- expired.
SELECT loyalty_accrue('eve', 'main', 'bonus', 10, external_id => 'A', expires_on => '2026-02-20') \g /dev/null
SELECT loyalty_redeem('eve', 'main', 'bonus', 6) \g /dev/null
SELECT loyalty_set_clock('2026-02-21 09:00+01');
SELECT loyalty_accrue('eve', 'main', 'bonus', 20) \g /dev/null
INSERT INTO loyalty.transactions (member, program, point_type, type, value, undoes)
    VALUES ('eve', 'main', 'bonus', 'reversal', -3, 1) RETURNING seq, value, lapsed, owed;
SELECT brief(loyalty_cancel('eve', 'main', external_id => 'A'));
SELECT seq, type, value, before, after, lot FROM entries WHERE member = 'eve';
-- An accrual that has expired altogether leaves nothing to take.
SELECT loyalty_accrue('fay', 'main', 'bonus', 10, external_id => 'A', expires_on => '2026-02-21') \g /dev/null
SELECT loyalty_set_clock('2026-02-22 09:00+01');
SELECT brief(loyalty_cancel('fay', 'main', external_id => 'A'));
SELECT brief(loyalty_cancel('fay', 'main', external_id => 'A'));
SELECT seq, type, value, before, after, lot FROM entries WHERE member = 'fay';

-- ---------------------------------------------------------------------------------------------------------------------
-- Holds and time (decision 9): reserved lots outlive their date; the time-out counts though nobody looks.

SELECT loyalty_accrue('gus', 'main', 'bonus', 10, expires_on => '2026-02-22') \g /dev/null
SELECT brief(loyalty_hold('gus', 'main', 'bonus', 'redemption', 4, '2 days', external_id => 'kept'));
SELECT brief(loyalty_hold('gus', 'main', 'bonus', 'redemption', 3, '2 days', external_id => 'back'));
SELECT brief(loyalty_hold('gus', 'main', 'bonus', 'redemption', 2, '26 hours', external_id => 'late'));
SELECT loyalty_set_clock('2026-02-23 12:00+01');
SELECT total, active, held FROM loyalty_balance('gus', 'main', 'bonus');
SELECT * FROM refusal($$SELECT loyalty_commit('gus', 'main', external_id => 'late')$$);
SELECT total, active, held FROM loyalty_balance('gus', 'main', 'bonus');
SELECT brief(loyalty_rollback('gus', 'main', external_id => 'back'));
SELECT brief(loyalty_commit('gus', 'main', external_id => 'kept'));
SELECT brief(loyalty_rollback('gus', 'main', external_id => 'late'));
SELECT * FROM refusal($$SELECT loyalty_commit('gus', 'main', external_id => 'late')$$);
SELECT seq, type, value, before, after, created_at, lot FROM entries WHERE member = 'gus';
SELECT external_id, state, created_at, expires_at, ended_at FROM loyalty.holds
    WHERE member = 'gus' ORDER BY external_id;
-- A held accrual is dated at its commit. A repeated request is answered even when the points' date has passed.
SELECT brief(loyalty_hold('hal', 'main', 'bonus', 'accrual', 4, '2 days', external_id => 'H'));
SELECT brief(
    loyalty_hold('hal', 'main', 'bonus', 'accrual', 5, '1 hour', external_id => 'past', expires_on => '2026-02-23'));
SELECT loyalty_set_clock('2026-02-24 12:00+01');
SELECT answer ->> 'created_at' AS created_at, answer ->> 'expires_at' AS expires_at
    FROM loyalty_commit('hal', 'main', external_id => 'H') AS answer;
SELECT brief(
    loyalty_hold('hal', 'main', 'bonus', 'accrual', 5, '1 hour', external_id => 'past', expires_on => '2026-02-23'));
-- A time-out frees what it held, without a job.
SELECT loyalty_accrue('ida', 'main', 'bonus', 10) \g /dev/null
SELECT brief(loyalty_hold('ida', 'main', 'bonus', 'redemption', 10, '1 hour', external_id => 'H'));
SELECT loyalty_redeem('ida', 'main', 'bonus', 1);
SELECT loyalty_set_clock('2026-02-24 13:00+01');
SELECT total, active, held FROM loyalty_balance('ida', 'main', 'bonus');
SELECT active, held FROM loyalty_balance('ida', 'main', 'bonus', '2026-02-24 12:59+01');
SELECT * FROM loyalty_expiring_points('ida', 'main', '2026-03-01', '2026-03-31');
SELECT brief(loyalty_redeem('ida', 'main', 'bonus', 1));

-- Also where a request is only a repeated one, and books nothing; and where an account is read in two steps, because
-- its first lots do not suffice.
SELECT brief(loyalty_hold('ida', 'main', 'bonus', 'redemption', 9, '1 hour', external_id => 'I'));
SELECT brief(loyalty_accrue('ida', 'main', 'miles', 1, external_id => 'again'));
SELECT brief(loyalty_hold('ida', 'main', 'miles', 'redemption', 1, '1 hour', external_id => 'J'));
SELECT count(loyalty_accrue('ida', 'main', 'bonus', 1)) FROM generate_series(1, 70);
SELECT loyalty_set_clock('2026-02-24 14:00+01');
SELECT brief(loyalty_accrue('ida', 'main', 'miles', 1, external_id => 'again'));
SELECT brief(loyalty_redeem('ida', 'main', 'bonus', 79));
SELECT count(*), sum(held) FROM loyalty.lots WHERE member = 'ida';
SELECT * FROM loyalty_verify();

-- ---------------------------------------------------------------------------------------------------------------------
-- Deactivation moment (decision 11)

SELECT loyalty_deactivate_point_type('main', 'bonus', '2026-02-25 00:00+01');
SELECT brief(loyalty_accrue('jim', 'main', 'bonus', 5, external_id => 'J'));
SELECT loyalty_set_clock('2026-02-25 00:00+01');
SELECT loyalty_accrue('jim', 'main', 'bonus', 5);
SELECT loyalty_redeem('jim', 'main', 'bonus', 5);
SELECT total, active FROM loyalty_balance('jim', 'main', 'bonus');
SELECT active FROM loyalty_balance('jim', 'main', 'bonus', '2026-02-24 23:59+01');
SELECT brief(loyalty_cancel('jim', 'main', external_id => 'J'));
SELECT loyalty_activate_point_type('main', 'bonus');
SELECT brief(loyalty_accrue('jim', 'main', 'bonus', 5));

-- ---------------------------------------------------------------------------------------------------------------------
-- The clock only goes forward

SELECT loyalty_set_clock('2026-02-25 00:00+01');
SELECT loyalty_set_clock(NULL);
SELECT loyalty_now() = loyalty_wall_clock() AS stands_still, loyalty_now();
BEGIN;
SELECT loyalty_set_clock('2027-01-01 00:00+01');
SELECT loyalty_now();
ROLLBACK;
SELECT loyalty_now();

-- ---------------------------------------------------------------------------------------------------------------------
-- The job books the same as the trigger would, and its batches add up

SELECT count(loyalty_accrue(member, 'main', type, number, expires_on => date '2026-02-25' + number % 3)) AS booked
FROM unnest(ARRAY['kim', 'lea']) AS member, unnest(ARRAY['bonus', 'miles']) AS type, generate_series(1, 5) AS number;
SELECT brief(loyalty_hold('lea', 'main', 'miles', 'redemption', 4, '3 days'));
SELECT brief(loyalty_hold('kim', 'main', 'miles', 'redemption', 2, '1 day'));
SELECT loyalty_set_clock('2026-02-27 00:00+01');
-- A part of a run, which was interrupted; then the rest.
SELECT loyalty_internal.job_batch('expire_points', 6) IS NOT NULL AS goes_on;
SELECT job, run, finished_at IS NULL AS unfinished, after_member, after_program, after_part FROM loyalty.job_runs;
CALL loyalty_expire_points(1);
CALL loyalty_expire_points();
SELECT job, finished_at IS NULL AS unfinished, done FROM loyalty.job_progress;
SELECT member, point_type, seq, value, before, after, created_at, lot FROM entries
    WHERE member IN ('kim', 'lea') AND type = 'expiration';
SELECT member, point_type, total, active, held
    FROM unnest(ARRAY['kim', 'lea']) AS member, loyalty_balance(member, 'main') WHERE total > 0;
SELECT state, count(*) FROM loyalty.holds WHERE member IN ('kim', 'lea') GROUP BY state;
SELECT loyalty_internal.job_batch('expire_points', 0);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT loyalty_internal.job_batch('expire_points', 1);
ROLLBACK;
BEGIN;
CALL loyalty_expire_points();
ROLLBACK;

SELECT * FROM loyalty_verify();
SET client_min_messages = warning;
DROP SCHEMA loyalty CASCADE;
DROP FUNCTION brief, refusal;

-- Where something was booked by the real clock, there is no other.
SELECT loyalty_create_schema() \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('main', 'Main', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.point_types (program, external_id, name, ratio, active) VALUES ('main', 'bonus', 'Bonus', 1, true);
INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('ann', 'main', loyalty.clock());
SELECT loyalty_now() = now() AS real_clock, loyalty_wall_clock() > now() AS goes_on;
SELECT loyalty_accrue('ann', 'main', 'bonus', 1) \g /dev/null
SELECT loyalty_set_clock('2100-01-01');
-- A time-out passes also while a transaction runs, for which now() stands still.
SELECT loyalty_accrue('ann', 'main', 'bonus', 9) \g /dev/null
BEGIN;
SELECT loyalty_hold('ann', 'main', 'bonus', 'redemption', 10, '0.2 s', external_id => 'short') ->> 'state' AS state;
SELECT pg_sleep(0.3);
SELECT active, held FROM loyalty_balance('ann', 'main', 'bonus');
DO $$ BEGIN PERFORM loyalty_commit('ann', 'main', external_id => 'short'); EXCEPTION WHEN SQLSTATE 'LY518'
    THEN RAISE NOTICE 'LY518'; END $$;
SELECT loyalty_redeem('ann', 'main', 'bonus', 10) ->> 'balance_after' AS after;
COMMIT;
SELECT * FROM loyalty_verify();

-- The outbox has told of every booking, once, and in the order of booking.
\set ECHO none
\i test/fixtures/untold.sql
\set ECHO all
SELECT * FROM untold;

DROP SCHEMA loyalty CASCADE;
