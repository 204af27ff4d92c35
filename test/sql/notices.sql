-- Points that expire are told of before (decision 47): once for each account, last usable day and notice.
\set ECHO none
\i test/fixtures/ledger.sql
CREATE VIEW notices AS
SELECT profile, data ->> 'points' AS points, data -> 'amount' AS amount, data -> 'money' AS money,
    data ->> 'last_usable_day' AS day,
    data -> 'days_left' AS days_left, data -> 'notice_days' AS notice,
    created_at AT TIME ZONE 'Europe/Berlin' AS told_at
FROM loyalty.events WHERE type = 'points_expiring' ORDER BY number;
\set ECHO all
\set VERBOSITY terse
SET datestyle = 'ISO';

-- ann: two lots of one last day, a third a day later, one that never expires. bob: of two point types. cat: no points
-- are left. dan: is removed. eve: a part is held. fay: of a type that is switched off. gus: in the last minute of a
-- day. hal: not active yet.
SELECT count(loyalty_accrue('ann', 'main', 'gift', value, expires_on => '2026-02-20'))
    FROM unnest(ARRAY[3, 4.5]) AS value;
SELECT count(loyalty_accrue('ann', 'main', 'gift', 2, expires_on => day))
    FROM unnest(ARRAY['2026-02-21', NULL]::date[]) AS day;
SELECT count(loyalty_accrue('bob', 'main', point_type, 12, expires_on => '2026-02-20'))
    FROM unnest(ARRAY['bonus', 'miles']) AS point_type;
SELECT count(loyalty_accrue(member, 'main', 'gift', 10, expires_on => '2026-02-20'))
    FROM unnest(ARRAY['cat', 'dan', 'eve']) AS member;
SELECT loyalty_redeem('cat', 'main', 'gift', 10) \g /dev/null
SELECT loyalty_hold('eve', 'main', 'gift', 'redemption', 4, '60 days') ->> 'state' AS state;
SELECT loyalty_activate_point_type('main', 'asleep');
SELECT loyalty_accrue('fay', 'main', 'asleep', 1, expires_on => '2026-02-20') \g /dev/null
SELECT loyalty_deactivate_point_type('main', 'asleep');
SELECT loyalty_accrue('gus', 'main', 'gift', 1, expires_at => '2026-02-20 00:01+01') \g /dev/null
SELECT loyalty_accrue('hal', 'main', 'gift', 1, active_from => '2026-02-19', expires_on => '2026-02-20') \g /dev/null
SELECT loyalty_remove_member('dan', 'main');
-- 20 February less 30 days is 21 January.
SELECT loyalty_set_clock('2026-01-20 23:59:59+01');
CALL loyalty_tell_expiring();
SELECT loyalty_set_clock('2026-01-21 00:00+01');
CALL loyalty_tell_expiring(2);
SELECT * FROM notices;

-- Day by day, twice a day: each notice comes once, on its day.
CREATE PROCEDURE live(until date) LANGUAGE plpgsql AS $$
BEGIN
    WHILE loyalty_now() + interval '11 hours' < until LOOP
        PERFORM loyalty_set_clock(loyalty_now() + interval '11 hours');
        COMMIT;
        CALL loyalty_run_jobs();
    END LOOP;
END
$$;
SET client_min_messages = warning;
CALL live('2026-02-25');
RESET client_min_messages;
SELECT profile, points, amount, day, array_agg(notice ORDER BY told_at) AS notices,
    array_agg(told_at::date ORDER BY told_at) AS told FROM notices GROUP BY 1, 2, 3, 4 ORDER BY 4, 1, 2;
SELECT count(*) FROM loyalty.expiry_notices;

-- Of several that have passed only the latest, and at once for what is given late; more points of a day that was told
-- of, nothing more.
UPDATE loyalty.programs SET notify_days = '{60, 30, 7, 1}';
SELECT loyalty_accrue('kim', 'main', 'gift', 5, expires_on => '2026-04-20') \g /dev/null
SELECT loyalty_set_clock('2026-04-15 12:00+02');
CALL loyalty_tell_expiring();
SELECT loyalty_accrue('kim', 'main', 'gift', 5, expires_on => '2026-04-20') \g /dev/null
SELECT loyalty_accrue('lea', 'main', 'gift', 5, expires_on => '2026-04-15') \g /dev/null
CALL loyalty_tell_expiring();
SELECT * FROM notices WHERE told_at > '2026-03-01';
-- A notice farther off than one that was told is never told; days that are over are forgotten.
UPDATE loyalty.programs SET notify_days = '{30, 14, 0}';
CALL loyalty_tell_expiring();
SELECT * FROM loyalty.expiry_notices WHERE last_usable_day > '2026-03-01' ORDER BY member;
SELECT loyalty_set_clock('2026-04-20 23:00+02');
CALL loyalty_tell_expiring();
SELECT profile, amount, days_left, notice FROM notices WHERE told_at > '2026-04-16';
SELECT * FROM loyalty.expiry_notices WHERE member IN ('kim', 'lea') ORDER BY member;
-- Nothing is told where nobody asked for it, nor of a program at rest.
UPDATE loyalty.programs SET notify_days = '{}';
SELECT loyalty_accrue('kim', 'main', 'gift', 5, expires_on => '2026-04-22') \g /dev/null
CALL loyalty_tell_expiring();
UPDATE loyalty.programs SET notify_days = DEFAULT, active = false;
CALL loyalty_tell_expiring();
UPDATE loyalty.programs SET active = true;
CALL loyalty_tell_expiring();
SELECT * FROM refusal($$UPDATE loyalty.programs SET notify_days = '{1, NULL}'$$);
SELECT * FROM refusal($$UPDATE loyalty.programs SET notify_days = '{-1}'$$);
SELECT * FROM refusal($$UPDATE loyalty.programs SET notify_days = '{3651}'$$);
SELECT * FROM refusal($$UPDATE loyalty.programs SET notify_days = NULL$$);

SET client_min_messages = warning;
DROP SCHEMA loyalty CASCADE;
DROP FUNCTION brief, refusal;
DROP PROCEDURE live;
