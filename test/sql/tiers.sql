-- Tiers: what groups must obey, the three models, the calendar of reviews and resets, edits, leaving and coming back.
\set ECHO none
\i test/fixtures/ledger.sql
INSERT INTO loyalty.profiles (key, attributes) SELECT member, '{"city": "Riga"}' FROM loyalty.members;
INSERT INTO loyalty.point_types (program, external_id, name, kind, scale, ratio, active)
SELECT 'main', type, type, 'qualification', 0, 1, true
    FROM unnest(ARRAY['life', 'strict', 'month', 'prompt', 'kind', 'resets']) AS type;
CREATE VIEW history AS
SELECT member, tier_group, seq, tier, since, cause FROM loyalty.member_tier_history ORDER BY tier_group, member, seq;
\set ECHO all
\set VERBOSITY terse
SET datestyle = 'ISO';

-- ---------------------------------------------------------------------------------------------------------------------
-- What groups and tiers must obey

INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type)
    VALUES ('main', 'life', 'Life', 'cumulative', 'life');
SELECT * FROM refusal($$INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type)
    VALUES ('main', 'again', 'Again', 'cumulative', 'life')$$);
SELECT * FROM refusal($$INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type)
    VALUES ('main', 'wrong', 'Wrong', 'cumulative', 'bonus')$$);
SELECT * FROM refusal($$INSERT INTO loyalty.tier_groups (program, external_id, name, model)
    VALUES ('main', 'wrong', 'Wrong', 'cumulative')$$);
SELECT * FROM refusal($$INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type)
    VALUES ('main', 'wrong', 'Wrong', 'cyclic', 'month')$$);
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
VALUES ('main', 'silver', 'life', 'Silver', 100), ('main', 'gold', 'life', 'Gold', 200);
SELECT external_id, position FROM loyalty.tiers ORDER BY position;
SELECT * FROM refusal($$INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
    VALUES ('main', 'low', 'life', 'Low', 200)$$);
SELECT * FROM refusal($$INSERT INTO loyalty.tiers (program, external_id, tier_group, name, position, threshold)
    VALUES ('main', 'low', 'life', 'Low', 1, 300)$$);
SELECT * FROM refusal($$INSERT INTO loyalty.tiers (program, external_id, tier_group, name, position, threshold)
    VALUES ('main', 'low', 'life', 'Low', -1, 10)$$);
SELECT * FROM refusal($$INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
    VALUES ('main', 'fine', 'life', 'Fine', 300.5)$$);
SELECT * FROM refusal($$INSERT INTO loyalty.tiers (program, external_id, tier_group, name, predicate)
    VALUES ('main', 'fine', 'life', 'Fine', '$.orders.count > 1')$$);
SELECT * FROM refusal($$UPDATE loyalty.tiers SET external_id = 'platinum' WHERE external_id = 'gold'$$);
SELECT * FROM refusal($$UPDATE loyalty.tier_groups SET external_id = 'for_life' WHERE external_id = 'life'$$);
SELECT * FROM refusal($$UPDATE loyalty.tier_groups SET point_type = 'month' WHERE external_id = 'life'$$);
SELECT * FROM refusal($$TRUNCATE loyalty.tiers CASCADE$$);

-- ---------------------------------------------------------------------------------------------------------------------
-- Cumulative (decision 21): earned less taken back; spent, expired and reset points still count

SELECT tier_group, tier, points, next_tier, missing FROM loyalty_tier('ann', 'main');
SELECT loyalty_accrue('ann', 'main', 'life', 99, external_id => 'a99') \g /dev/null
SELECT tier, points, next_tier, missing FROM loyalty_tier('ann', 'main');
SELECT loyalty_accrue('ann', 'main', 'life', 1) \g /dev/null
SELECT loyalty_redeem('ann', 'main', 'life', 40) \g /dev/null
SELECT loyalty_accrue('ann', 'main', 'life', 101, expires_on => '2026-01-20') \g /dev/null
SELECT tier, points, next_tier, missing FROM loyalty_tier('ann', 'main');
-- Taken back, and most of it owed: it never falls; and what is settled later counts once.
SELECT loyalty_cancel('ann', 'main', external_id => 'a99') \g /dev/null
SELECT loyalty_redeem('ann', 'main', 'life', 60) ->> 'balance_after' AS balance;
SELECT tier, points, next_tier FROM loyalty_tier('ann', 'main');
-- In a group that may fall, it does; an edit alone never makes anyone fall.
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type, fall_on_reversal)
VALUES ('main', 'strict', 'Strict', 'cumulative', 'strict', true);
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
VALUES ('main', 'start', 'strict', 'Start', 0), ('main', 'middle', 'strict', 'Middle', 50),
    ('main', 'top', 'strict', 'Top', 100);
SELECT loyalty_accrue('bob', 'main', 'strict', 80, external_id => 'b80') \g /dev/null
SELECT loyalty_accrue('bob', 'main', 'strict', 40) \g /dev/null
SELECT loyalty_redeem('bob', 'main', 'strict', 120) \g /dev/null
SELECT loyalty_cancel('bob', 'main', external_id => 'b80') -> 'owed' AS owed;
SELECT tier, points FROM loyalty_tier('bob', 'main') WHERE tier_group = 'strict';
SELECT loyalty_accrue('bob', 'main', 'strict', 30) \g /dev/null
SELECT tier, points FROM loyalty_tier('bob', 'main') WHERE tier_group = 'strict';
SELECT loyalty_write_off_owed('bob', 'main', 'strict', 40) \g /dev/null
SELECT tier, points FROM loyalty_tier('bob', 'main') WHERE tier_group = 'strict';
UPDATE loyalty.tiers SET threshold = threshold * 10 WHERE tier_group = 'strict';
SELECT loyalty_accrue('bob', 'main', 'strict', 1) \g /dev/null
SELECT * FROM history WHERE member = 'bob';
UPDATE loyalty.tiers SET threshold = threshold / 20 WHERE tier_group = 'strict';
SELECT tier, cause FROM history WHERE member = 'bob' ORDER BY seq DESC LIMIT 1;
SELECT type, profile, data - 'at' AS data FROM loyalty.events
    WHERE profile = 'bob' AND type = 'tier_changed' ORDER BY number;

-- A tier that anybody holds, or held, stays.
SELECT * FROM refusal($$DELETE FROM loyalty.tiers WHERE external_id = 'top'$$);
SELECT * FROM refusal($$DELETE FROM loyalty.tiers WHERE external_id = 'gold'$$);
SELECT * FROM refusal($$DELETE FROM loyalty.tier_groups WHERE external_id = 'life'$$);
SELECT * FROM refusal($$DELETE FROM loyalty.point_types WHERE external_id = 'life'$$);

-- ---------------------------------------------------------------------------------------------------------------------
-- Cyclic (decision 22): periods from the registration day, whatever the month has

UPDATE loyalty.members SET registered_at = '2025-12-31 18:00+01' WHERE member = 'cat';
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type, interval_count, interval_unit)
VALUES ('main', 'month', 'Month', 'cyclic', 'month', 1, 'month');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
SELECT 'main', 'm' || n, 'month', 'M', n * 100 FROM generate_series(0, 4) n;
SELECT review_at FROM loyalty.member_tiers WHERE member = 'cat' AND tier_group = 'month';
BEGIN;
UPDATE loyalty.members SET registered_at = '2024-02-29 23:30+01' WHERE member = 'cat';
UPDATE loyalty.tier_groups SET interval_count = 1, interval_unit = 'year', reset_count = 4, reset_unit = 'year'
    WHERE external_id = 'month';
SELECT review_at, reset_at FROM loyalty.member_tiers WHERE member = 'cat' AND tier_group = 'month';
UPDATE loyalty.tier_groups SET interval_count = 45, interval_unit = 'day', reset_count = 7, reset_unit = 'week'
    WHERE external_id = 'month';
SELECT review_at, reset_at FROM loyalty.member_tiers WHERE member = 'cat' AND tier_group = 'month';
SELECT '2024-02-29'::date + 16 * 45 AS reviewed_on, '2024-02-29'::date + 15 * 49 AS reset_on;
ROLLBACK;
SELECT loyalty_accrue('cat', 'main', 'month', 350) \g /dev/null
SELECT tier, since, kept_until, points, next_tier, missing FROM loyalty_tier('cat', 'main') WHERE tier_group = 'month';
SELECT moment, tier, kept_until, points
    FROM unnest(ARRAY['2026-01-30 23:59+01', '2026-01-31 00:00+01', '2026-02-27 23:59+01',
    '2026-02-28 00:00+01']::timestamptz[]) AS moment,
    loyalty_tier('cat', 'main', moment) WHERE tier_group = 'month';
-- Back-dated points, booked after the period's end, belong to the new one, although no job ran (decision 23, 3).
SELECT loyalty_set_clock('2026-02-02 12:00+01');
SELECT loyalty_accrue('cat', 'main', 'month', 20, created_at => '2026-01-20') -> 'balance_after' AS balance;
SELECT seq, type, value, created_at FROM loyalty.transactions WHERE member = 'cat' ORDER BY seq;
-- Two reviews are due at the next touch: each by the points of its own period, a fall by several steps at once.
SELECT loyalty_set_clock('2026-04-02 12:00+02');
SELECT tier, since, kept_until, points FROM loyalty_tier('cat', 'main') WHERE tier_group = 'month';
SELECT count(*) FROM loyalty.transactions WHERE member = 'cat';
SELECT moment, total, active
    FROM unnest(ARRAY['2026-02-27 23:59+01', '2026-02-28 00:00+01', '2026-04-02 12:00+02', '2026-07-01',
    'infinity']::timestamptz[]) AS moment,
    loyalty_balance('cat', 'main', 'month', moment);
SELECT loyalty_accrue('cat', 'main', 'month', 1) \g /dev/null
SELECT * FROM history WHERE member = 'cat';
SELECT seq, type, value, created_at FROM loyalty.transactions WHERE member = 'cat' ORDER BY seq;
SELECT review_at FROM loyalty.member_tiers WHERE member = 'cat' AND tier_group = 'month';

-- Upgrade at once: what a return takes back is the upgrade, never what was reviewed; waiting points count when they
-- become active, at that moment, and not in the review before it.
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type, interval_count, interval_unit,
    upgrade_at_once)
VALUES ('main', 'prompt', 'Prompt', 'cyclic', 'prompt', 1, 'month', true);
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
SELECT 'main', 'p' || n, 'prompt', 'P', n * 100 FROM generate_series(0, 4) n;
SELECT loyalty_accrue('dan', 'main', 'prompt', 100) \g /dev/null
SELECT loyalty_set_clock('2026-04-16 12:00+02');
SELECT loyalty_accrue('dan', 'main', 'prompt', 250, external_id => 'd250') \g /dev/null
SELECT loyalty_accrue('dan', 'main', 'prompt', 300, active_from => '2026-05-15') \g /dev/null
SELECT loyalty_accrue('dan', 'main', 'prompt', 50, active_from => '2026-05-10', expires_at => '2026-05-15') \g /dev/null
SELECT loyalty_accrue('dan', 'main', 'prompt', 60, active_from => '2026-05-12') \g /dev/null
SELECT tier, points FROM loyalty_tier('dan', 'main') WHERE tier_group = 'prompt';
SELECT loyalty_cancel('dan', 'main', external_id => 'd250') \g /dev/null
SELECT tier, points FROM loyalty_tier('dan', 'main') WHERE tier_group = 'prompt';
SELECT moment, tier, points
    FROM unnest(ARRAY['2026-05-10', '2026-05-12', '2026-05-14 23:59', '2026-05-15', '2026-06-15']::timestamptz[])
    AS moment,
    loyalty_tier('dan', 'main', moment) WHERE tier_group = 'prompt';
SELECT loyalty_set_clock('2026-05-15 00:00+02');
SELECT loyalty_judge('dan', 'main');
SELECT * FROM history WHERE member = 'dan';
SELECT seq, type, value, created_at FROM loyalty.transactions
    WHERE member = 'dan' AND type NOT IN ('accrual', 'reversal') ORDER BY seq;

-- Month-end extension (decision 23): the fall waits for the first of the next month, a rise does not, and points of the
-- new period may cancel the fall.
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type, interval_count, interval_unit,
    upgrade_at_once, extend_to_month_end)
VALUES ('main', 'kind', 'Kind', 'cyclic', 'kind', 1, 'month', true, true);
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
SELECT 'main', 'k' || n, 'kind', 'K', n * 100 FROM generate_series(0, 4) n;
SELECT loyalty_accrue(member, 'main', 'kind', 250) FROM unnest(ARRAY['eve', 'fay', 'gus']) AS member \g /dev/null
SELECT loyalty_set_clock('2026-06-16 12:00+02');
SELECT loyalty_accrue('fay', 'main', 'kind', 1) \g /dev/null
SELECT loyalty_set_clock('2026-07-16 12:00+02');
SELECT loyalty_accrue('eve', 'main', 'kind', 110) \g /dev/null
SELECT loyalty_accrue('gus', 'main', 'kind', 220) \g /dev/null
SELECT loyalty_set_clock('2026-08-02 12:00+02');
CALL loyalty_review_tiers();
SELECT * FROM history WHERE tier_group = 'kind' AND member IN ('eve', 'fay', 'gus');

-- A reset rule of its own: three reviews look back to the same reset.
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type, interval_count, interval_unit,
    reset_count, reset_unit)
VALUES ('main', 'resets', 'Resets', 'cyclic', 'resets', 1, 'week', 3, 'week');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
    VALUES ('main', 'r0', 'resets', 'R', 0), ('main', 'r1', 'resets', 'R', 100);
SELECT loyalty_accrue('hal', 'main', 'resets', 150) \g /dev/null
SELECT moment, tier, points
    FROM unnest(ARRAY['2026-08-06', '2026-08-13', '2026-08-20', '2026-08-27', '2026-09-03']::timestamptz[]) AS moment,
    loyalty_tier('hal', 'main', moment) WHERE tier_group = 'resets';
-- Held points are not reset while they are held.
SELECT loyalty_hold('hal', 'main', 'resets', 'redemption', 120, '1 year', external_id => 'held') \g /dev/null
SELECT loyalty_set_clock('2026-09-17 12:00+02');
SELECT loyalty_rollback('hal', 'main', external_id => 'held') ->> 'state' AS state;
SELECT seq, type, value, created_at FROM loyalty.transactions WHERE member = 'hal' ORDER BY seq;
SELECT * FROM history WHERE member = 'hal' AND tier_group = 'resets';

-- An interval that is edited counts from the same day; what was due came by the old one.
UPDATE loyalty.tier_groups SET interval_count = 2 WHERE external_id = 'resets';
SELECT review_at, reset_at FROM loyalty.member_tiers WHERE member = 'hal' AND tier_group = 'resets';

-- Reads write nothing: they work where nothing can be written.
SELECT loyalty_set_clock('2026-10-20 12:00+02');
BEGIN READ ONLY;
SELECT tier_group, tier, since, kept_until FROM loyalty_tier('gus', 'main');
ROLLBACK;
SELECT tier FROM loyalty.member_tiers WHERE member = 'gus' AND tier_group = 'kind';
SELECT * FROM refusal($$SELECT * FROM loyalty_tier('nobody', 'main')$$);
SELECT * FROM refusal($$SELECT * FROM loyalty_tier('gus', 'nowhere')$$);
SELECT * FROM refusal($$SELECT * FROM loyalty_tier('gus', 'main', 'infinity')$$);
SELECT * FROM refusal($$UPDATE loyalty.point_types SET kind = 'standard' WHERE external_id = 'kind'$$);

-- ---------------------------------------------------------------------------------------------------------------------
-- Dynamic (decision 24): the highest tier whose predicate holds; judged by every booking, on demand, and by the job

INSERT INTO loyalty.tier_groups (program, external_id, name, model) VALUES ('main', 'now', 'Now', 'dynamic');
SELECT * FROM refusal($$INSERT INTO loyalty.tiers (program, external_id, tier_group, name, predicate)
    VALUES ('main', 'x', 'now', 'X', '$.balances')$$);
SELECT * FROM refusal($$INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
    VALUES ('main', 'x', 'now', 'X', 1)$$);
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, predicate)
VALUES ('main', 'saver', 'now', 'Saver', '$.balances.bonus.active >= 10'),
    ('main', 'riga', 'now', 'Riga', '$.balances.bonus.total >= 10 && $.profile.attributes.city == "Riga"');
SELECT loyalty_accrue('ida', 'main', 'bonus', 10, active_from => '2026-10-21') \g /dev/null
SELECT tier FROM loyalty_tier('ida', 'main') WHERE tier_group = 'now';
UPDATE loyalty.profiles SET attributes = '{"city": "Oslo"}' WHERE key = 'ida';
SELECT loyalty_judge('ida', 'main');
SELECT loyalty_set_clock('2026-10-21 12:00+02');
SELECT tier FROM loyalty_tier('ida', 'main') WHERE tier_group = 'now';
CALL loyalty_judge_tiers(5);
SELECT loyalty_redeem('ida', 'main', 'bonus', 1) \g /dev/null
SELECT * FROM history WHERE tier_group = 'now';
SELECT * FROM refusal($$SELECT loyalty_internal.job_batch('review_tiers', 0)$$);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT loyalty_internal.job_batch('review_tiers', 10);
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- Leaving and coming back (decision 15)

SELECT loyalty_accrue('jim', 'main', point_type, 150) FROM unnest(ARRAY['life', 'prompt']) AS point_type \g /dev/null
SELECT loyalty_accrue('jim', 'main', 'bonus', 20, expires_on => '2027-12-31') \g /dev/null
SELECT loyalty_remove_member('jim', 'main');
SELECT tier_group, tier, next_tier FROM loyalty_tier('jim', 'main');
SELECT loyalty_set_clock('2026-12-01 12:00+01');
SELECT loyalty_enrol('jim', 'main') ->> 'outcome' AS outcome;
SELECT tier_group, tier, since FROM loyalty_tier('jim', 'main');
SELECT * FROM history WHERE member = 'jim' AND tier_group IN ('life', 'now', 'prompt');
SELECT seq, type, value, created_at FROM loyalty.transactions
    WHERE member = 'jim' AND point_type = 'prompt' ORDER BY seq;

-- The job that books expirations leaves to the review what the calendar has due before them (decision 3): a lot that
-- expires after the period's end still counted at it, and is reset then.
SELECT loyalty_accrue('kim', 'main', 'prompt', 150, expires_on => '2026-12-19') \g /dev/null
SELECT loyalty_set_clock('2026-12-25 12:00+01');
CALL loyalty_expire_points();
SELECT seq, type, value FROM loyalty.transactions WHERE member = 'kim';
CALL loyalty_review_tiers();
SELECT seq, type, value, created_at FROM loyalty.transactions WHERE member = 'kim';
SELECT tier, since, cause FROM history WHERE member = 'kim' AND tier_group = 'prompt';
SELECT tier, earned_tier FROM loyalty.member_tiers WHERE member = 'kim' AND tier_group = 'prompt';
-- Booked in time, it would have been an expiration: here, in the period that began with the review.
SELECT loyalty_accrue('lea', 'main', 'prompt', 150, expires_on => '2026-12-30') \g /dev/null
SELECT loyalty_accrue('lea', 'main', 'life', 99, expires_on => '2026-12-30') \g /dev/null
SELECT loyalty_set_clock('2026-12-31 12:00+01');
SELECT tier, points FROM loyalty_tier('lea', 'main') WHERE tier_group = 'prompt';
CALL loyalty_review_tiers();
SELECT seq, type, value, created_at FROM loyalty.transactions WHERE member = 'lea' AND point_type = 'prompt';
SELECT tier, since, cause FROM history WHERE member = 'lea' AND tier_group = 'prompt';

-- The points of a lifetime count although they have expired, by a booking as by the job (decision 21).
SELECT loyalty_accrue('lea', 'main', 'life', 1) ->> 'balance_after' AS balance;
SELECT tier, points FROM loyalty_tier('lea', 'main') WHERE tier_group = 'life';

-- Higher thresholds lower nobody until the next review (decision 20), which goes on in a program at rest, as expiry
-- does (19).
SELECT loyalty_accrue('gus', 'main', 'prompt', 150) \g /dev/null
SELECT loyalty_accrue('gus', 'main', 'life', 120, expires_on => '2027-01-10') \g /dev/null
UPDATE loyalty.tiers SET threshold = threshold * 2 WHERE tier_group = 'prompt';
SELECT tier, points, next_tier, missing FROM loyalty_tier('gus', 'main') WHERE tier_group = 'prompt';
UPDATE loyalty.programs SET active = false;
SELECT loyalty_set_clock('2027-01-16 12:00+01');
CALL loyalty_expire_points();
CALL loyalty_review_tiers();
SELECT tier_group, tier, points FROM loyalty_tier('gus', 'main') WHERE tier_group IN ('life', 'prompt');
SELECT tier, since, cause FROM history WHERE member = 'gus' AND tier_group = 'prompt' ORDER BY seq DESC LIMIT 2;
SELECT point_type, type, value, created_at FROM loyalty.transactions
    WHERE member = 'gus' AND created_at > '2027-01-01' ORDER BY created_at;
SELECT * FROM loyalty_verify();

-- ---------------------------------------------------------------------------------------------------------------------
-- Given by hand (decision 66): a floor and never a ceiling, in groups of every model

INSERT INTO loyalty.profiles (key, attributes) VALUES ('ned', '{"city": "Oslo"}');
UPDATE loyalty.programs SET active = true;
SELECT loyalty_enrol('ned', 'main') ->> 'outcome' AS outcome;
CREATE VIEW given AS SELECT tier_group, tier, kept_until FROM loyalty_tier('ned', 'main')
    WHERE tier_group IN ('life', 'month', 'prompt', 'now') ORDER BY tier_group;
SELECT * FROM given;
SELECT loyalty_set_tier('ned', 'main', 'life', 'silver', '2027-02-01 00:00+01', 'Complaint 4711') AS life,
    loyalty_set_tier('ned', 'main', 'prompt',
        (SELECT max(external_id) FROM loyalty.tiers WHERE tier_group = 'prompt' AND position = 1),
    '2027-05-01 00:00+02') AS prompt,
    loyalty_set_tier('ned', 'main', 'now', 'saver', reason => 'Moves to Riga') AS now;
SELECT * FROM given;
SELECT type, data FROM loyalty.events
    WHERE profile = 'ned' AND type LIKE 'tier%' AND data ->> 'tier_group' = 'life' ORDER BY number;
-- The rest of the lifetime's points: above what was given, below it, and as it ends, in whatever order.
SELECT loyalty_accrue('ned', 'main', 'life', 200, external_id => 'much') ->> 'value' AS earned;
SELECT * FROM given WHERE tier_group = 'life';
BEGIN;
SELECT loyalty_set_tier('ned', 'main', 'life', 'gold', '2027-03-01 00:00+01') AS life;
SELECT tier, kept_until FROM given WHERE tier_group = 'life';
ROLLBACK;
-- A judgement says what the profile deserves, and takes nothing of what was given.
SELECT loyalty_judge('ned', 'main') AS changed;
SELECT tier, earned_tier, given_tier FROM loyalty.member_tiers WHERE member = 'ned' AND tier_group = 'now';
SELECT loyalty_accrue('ned', 'main', 'bonus', 20, expires_on => '2029-12-31') \g /dev/null
UPDATE loyalty.profiles SET attributes = '{"city": "Riga"}' WHERE key = 'ned';
SELECT tier, earned_tier, given_tier FROM loyalty.member_tiers WHERE member = 'ned' AND tier_group = 'now';
SELECT loyalty_set_tier('ned', 'main', 'now', NULL, reason => 'by mistake') AS now;
SELECT * FROM loyalty_verify();
-- It ends at its own moment, read before a job has run and after it.
SELECT at, tier
    FROM unnest('{2027-01-31 23:59:59+01,2027-02-01 00:00+01,2027-04-30 23:59:59+02,2027-05-01 00:00+02}'::timestamptz[
    ]) AS at, loyalty_tier('ned', 'main', at) WHERE tier_group = 'prompt';
SELECT loyalty_set_clock('2027-05-02 12:00+02');
SELECT tier, since, kept_until FROM loyalty_tier('ned', 'main')
    WHERE tier_group IN ('life', 'prompt') ORDER BY tier_group;
CALL loyalty_review_tiers();
SELECT tier, since, kept_until FROM loyalty_tier('ned', 'main')
    WHERE tier_group IN ('life', 'prompt') ORDER BY tier_group;
SELECT seq, tier, since, cause, reason FROM loyalty.member_tier_history
    WHERE member = 'ned' AND tier_group IN ('life', 'prompt', 'now') ORDER BY tier_group, seq;
-- What is refused
SELECT * FROM refusal($$SELECT loyalty_set_tier('ned', 'main', 'lief', 'silver')$$);
SELECT * FROM refusal($$SELECT loyalty_set_tier('ned', 'main', 'life', 'platinum')$$);
SELECT * FROM refusal($$SELECT loyalty_set_tier('ned', 'main', 'life', 'silver', '2027-05-01')$$);
SELECT * FROM refusal($$SELECT loyalty_set_tier('ned', 'main', 'life', 'silver', '2200-05-01')$$);
SELECT * FROM refusal($$SELECT loyalty_set_tier('ned', 'main', 'life', NULL, '2028-05-01')$$);
SELECT * FROM refusal($$SELECT loyalty_set_tier('nobody', 'main', 'life', 'silver')$$);
SELECT * FROM refusal($$UPDATE loyalty.member_tiers SET tier = 'gold' WHERE member = 'ned'$$);
SELECT * FROM refusal($$DELETE FROM loyalty.member_tiers WHERE member = 'ned'$$);
SELECT * FROM refusal($$TRUNCATE loyalty.member_tier_history$$);
-- A former member holds none, and coming back holds what still runs; erasing leaves no reasons.
SELECT loyalty_set_tier('ned', 'main', 'prompt',
    (SELECT max(external_id) FROM loyalty.tiers WHERE tier_group = 'prompt' AND position = 1),
reason => 'Ned is a friend') AS prompt;
SELECT loyalty_remove_member('ned', 'main') \g /dev/null
SELECT * FROM given;
SELECT * FROM refusal($$SELECT loyalty_set_tier('ned', 'main', 'life', 'silver')$$);
SELECT loyalty_enrol('ned', 'main') ->> 'outcome' AS outcome;
SELECT * FROM given;
BEGIN;
SELECT loyalty_erase_member('ned', 'main') \g /dev/null
SELECT count(given_reason) AS reasons FROM loyalty.member_tiers UNION ALL SELECT count(reason)
    FROM loyalty.member_tier_history;
ROLLBACK;
SELECT * FROM loyalty_verify();
-- What somebody got past the triggers is found.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE loyalty.member_tiers SET tier = 'gold' WHERE member = 'gus' AND tier_group = 'life';
SELECT invariant, member, seq, detail FROM loyalty_verify();
ROLLBACK;
DROP VIEW given;

-- ---------------------------------------------------------------------------------------------------------------------
-- Predicates beside thresholds (decision 72): whatever is fulfilled first raises, and it is kept

INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, scale, active)
    VALUES ('main', 'deeds', 'Deeds', 'qualification', 1, 0, true);
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type)
    VALUES ('main', 'either', 'Either', 'cumulative', 'deeds');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold, predicate)
VALUES ('main', 'e0', 'either', 'From the start', 0, NULL),
    ('main', 'e1', 'either', 'Known', 100, '$.profile.attributes.city == "Riga"'),
('main', 'e2', 'either', 'Friend', 200, NULL),
    ('main', 'e3', 'either', 'Saver', 300, '$.balances.bonus.total >= 1000');
INSERT INTO loyalty.profiles (key, attributes) VALUES ('pia', '{"city": "Oslo"}'), ('pit', '{"city": "Riga"}');
SELECT loyalty_enrol(member, 'main') ->> 'outcome' AS outcome FROM unnest('{pia,pit}'::text[]) AS member;
CREATE VIEW of_either AS SELECT member, tier, next_tier, missing
    FROM unnest('{pia,pit}'::text[]) AS member, loyalty_tier(member, 'main') WHERE tier_group = 'either';
SELECT * FROM of_either;
UPDATE loyalty.profiles SET attributes = '{"city": "Riga"}' WHERE key = 'pia';
SELECT * FROM of_either;
-- It is kept although the predicate holds no longer, and points go on from there.
UPDATE loyalty.profiles SET attributes = '{"city": "Oslo"}' WHERE key = 'pia';
SELECT loyalty_accrue('pia', 'main', 'deeds', 150, external_id => 'deeds') \g /dev/null
SELECT * FROM of_either;
SELECT loyalty_accrue('pia', 'main', 'deeds', 50) \g /dev/null
SELECT * FROM of_either;
SELECT loyalty_accrue('pit', 'main', 'bonus', 1000) \g /dev/null
SELECT * FROM of_either;
-- Those who left keep what they reached, and a given tier is above, not instead.
SELECT loyalty_remove_member('pit', 'main') \g /dev/null
SELECT loyalty_judge('pit', 'main');
SELECT tier, earned_tier FROM loyalty.member_tiers WHERE member = 'pit' AND tier_group = 'either';
SELECT loyalty_enrol('pit', 'main') \g /dev/null
SELECT loyalty_set_tier('pia', 'main', 'either', 'e3') AS given;
SELECT loyalty_judge('pia', 'main');
SELECT loyalty_set_tier('pia', 'main', 'either', NULL) AS given;
-- A new predicate raises who fulfils it at once.
UPDATE loyalty.tiers SET predicate = '$.profile.attributes.city == "Oslo"' WHERE external_id = 'e3';
SELECT * FROM of_either;
SELECT member, seq, tier, cause FROM loyalty.member_tier_history
    WHERE tier_group = 'either' AND member IN ('pia', 'pit') ORDER BY member, seq;
SELECT * FROM refusal($$UPDATE loyalty.tier_groups SET fall_on_reversal = true WHERE external_id = 'either'$$);
SELECT * FROM refusal($$UPDATE loyalty.tiers SET predicate = '$.orders.count > 1' WHERE external_id = 'm1'$$);
SELECT * FROM refusal($$UPDATE loyalty.tiers SET predicate = '$.order.count > 1' WHERE external_id = 'e2'$$);
SELECT * FROM refusal($$UPDATE loyalty.tiers SET predicate = '$.orders.count > 1' WHERE tier_group = 'strict'$$);
SELECT * FROM refusal($$UPDATE loyalty.tiers SET threshold = 5 WHERE external_id = 'saver'$$);
SELECT * FROM loyalty_verify();
DROP VIEW of_either;

-- The outbox has told of every booking, once, and in the order of booking.
\set ECHO none
\i test/fixtures/untold.sql
\set ECHO all
SELECT * FROM untold;

SET client_min_messages = warning;
DROP SCHEMA loyalty CASCADE;
DROP FUNCTION brief, refusal;
