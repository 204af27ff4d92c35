-- Jobs: all that is due by one call, and each alone; a row for each run; who fails is skipped, recorded and tried
-- again.
\set ECHO none
\i test/fixtures/ledger.sql
\set ECHO all
\set VERBOSITY terse
SET datestyle = 'ISO';

-- ---------------------------------------------------------------------------------------------------------------------
-- All that is due (decision 48)

INSERT INTO loyalty.profiles (key, attributes) SELECT member, '{"city": "Riga"}' FROM loyalty.members;
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type, interval_count, interval_unit)
VALUES ('main', 'month', 'Month', 'cyclic', 'status', 1, 'month');
INSERT INTO loyalty.tier_groups (program, external_id, name, model, activity_days)
    VALUES ('main', 'now', 'Now', 'dynamic', 30);
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold, predicate)
VALUES ('main', 'silver', 'month', 'Silver', 100, NULL), ('main', 'buyer', 'now', 'Buyer', NULL, '$.orders.count >= 1'),
    ('main', 'local', 'now', 'Local', NULL, '$.profile.attributes.city == "Riga" && $.orders.count >= 2');
-- What falls due by the 1st of March: bonus of all on the 15th of February, status of all reviewed on the 15th of each
-- month, a hold of bob's, bob's and cat's orders, which are 30 days old then, and fay's bonus, which can be used
-- through the 5th of March.
SELECT count(loyalty_accrue(member, 'main', 'bonus', 10)), count(loyalty_accrue(member, 'main', 'status', 150))
    FROM loyalty.members;
SELECT loyalty_accrue('fay', 'main', 'bonus', 5, expires_on => '2026-03-05') \g /dev/null
SELECT loyalty_accrue('bob', 'main', 'miles', 5) \g /dev/null
SELECT loyalty_hold('bob', 'main', 'miles', 'redemption', 3, '1 day') ->> 'state' AS state;
SELECT loyalty_import_orders('[
    {"program": "main", "external_id": "1", "member": "bob", "time": "2026-01-14T10:00", "lines": [{"product": "x", "quantity": 1, "price": 1}]},
    {"program": "main", "external_id": "2", "member": "cat", "time": "2026-01-14T10:00", "lines": [{"product": "x", "quantity": 1, "price": 1}]},
    {"program": "main", "external_id": "3", "member": "cat", "time": "2026-01-13T10:00", "lines": [{"product": "x", "quantity": 1, "price": 1}]}]');
SELECT member, tier_group, tier FROM loyalty.member_tiers WHERE tier IS NOT NULL ORDER BY member, tier_group;
SELECT loyalty_set_clock('2026-03-01 12:00+01');
CALL loyalty_run_jobs();
SELECT type, count(*), sum(value) FROM loyalty.transactions GROUP BY type ORDER BY type;
SELECT state FROM loyalty.holds;
SELECT member, tier_group, tier FROM loyalty.member_tiers WHERE tier IS NOT NULL ORDER BY member, tier_group;
SELECT type, profile, data FROM loyalty.events WHERE type = 'points_expiring' ORDER BY number;
SELECT job, run, done, skipped, interruptions, finished_at >= started_at AND updated_at = finished_at
    AND duration = finished_at - started_at AS right FROM loyalty.job_runs ORDER BY started_at;
SELECT job, run, state, done FROM loyalty.job_progress ORDER BY job COLLATE "C";
SELECT * FROM loyalty_verify();

-- Once more there is nothing to do; each alone neither.
CALL loyalty_run_jobs();
CALL loyalty_end_holds(1);
CALL loyalty_expire_points(1);
CALL loyalty_review_tiers(1);
CALL loyalty_judge_tiers(1);
CALL loyalty_tell_expiring(1);
CALL loyalty_run_job('tell_expiring');
SELECT job, count(*), max(run), sum(done) FROM loyalty.job_runs GROUP BY job ORDER BY job COLLATE "C";

-- The outbox has told of every booking, once, and in the order of booking.
\set ECHO none
\i test/fixtures/untold.sql
\set ECHO all
SELECT * FROM untold;

-- Events are deleted where that is asked for, those that nobody waits for.
SELECT count(*) FROM loyalty_events_claim('mailer', max_events => 5);
CALL loyalty_run_jobs(keep_events => '30 days');
SELECT count(*) FROM loyalty.events
    WHERE created_at < loyalty_now() - interval '30 days' AND NOT EXISTS (SELECT FROM loyalty.event_cursors);
DELETE FROM loyalty.event_cursors;
CALL loyalty_run_jobs(batch_size => 7, keep_events => '30 days');
SELECT count(*) FILTER (WHERE created_at < loyalty_now() - interval '30 days') AS old, count(*) > 0 AS newer
    FROM loyalty.events;

-- Reports that were never kept are left alone; those that were are kept up once a day, UTC, a report a batch.
SELECT count(*) FROM loyalty.report_refreshes;
SELECT count(*) FROM loyalty_refresh_reports();
CALL loyalty_run_job('refresh_reports');
SELECT loyalty_set_clock('2026-03-01 23:59+00');
CALL loyalty_run_job('refresh_reports');
SELECT loyalty_set_clock('2026-03-02 00:01+00');
DELETE FROM loyalty.report_refreshes WHERE report = 'tier_movements';
SELECT loyalty_internal.begin_job('refresh_reports');
SELECT loyalty_internal.job_batch('refresh_reports', 1), loyalty_internal.job_batch('refresh_reports', 1);
SELECT after_part FROM loyalty.job_runs WHERE job = 'refresh_reports' AND finished_at IS NULL;
-- Of the others as long as a run is at work, and refused meanwhile; an error ends it, and the next call does the rest.
\setenv PGDATABASE :DBNAME
\! psql -X -q -c '\set VERBOSITY sqlstate' -c 'SELECT loyalty_refresh_reports()' 2>&1
SELECT 1 / 0;
CALL loyalty_run_jobs();
SELECT report, as_of FROM loyalty.report_refreshes ORDER BY report COLLATE "C";
SELECT run, done, interruptions FROM loyalty.job_runs WHERE job = 'refresh_reports' ORDER BY run DESC LIMIT 2;
TABLE loyalty.liability_kept EXCEPT SELECT program, point_type, month, lots, points, waiting, held
    FROM loyalty.liability_now;

-- What is refused.
SELECT * FROM refusal($$SELECT loyalty_internal.job_batch('laundry', 10)$$);
SELECT * FROM refusal($$SELECT loyalty_internal.begin_job('laundry')$$);
SELECT * FROM refusal($$SELECT loyalty_internal.job_batch(NULL, 10)$$);
SELECT * FROM refusal($$SELECT loyalty_internal.job_batch('end_holds', 1000001)$$);
SELECT * FROM refusal($$SELECT loyalty_internal.job_batch('end_holds', NULL)$$);
SELECT * FROM refusal($$SELECT loyalty_internal.job_batch('delete_events', 10)$$);
SELECT * FROM refusal($$SELECT loyalty_internal.job_batch('delete_events', 10, '-1 day')$$);
BEGIN;
CALL loyalty_run_jobs();
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- A member who fails stops no job: a trigger of the user's own fails for some

CREATE TABLE blocked (member text, relation text);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
    IF EXISTS (SELECT FROM blocked
        WHERE relation = TG_TABLE_NAME AND member IN (to_jsonb(NEW) ->> 'member', to_jsonb(NEW) ->> 'profile')) THEN
        RAISE EXCEPTION 'not %', TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END
$$;
GRANT SELECT ON blocked TO PUBLIC;
CREATE TRIGGER refuse BEFORE UPDATE ON loyalty.holds FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER refuse BEFORE INSERT ON loyalty.member_tier_history FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER refuse BEFORE INSERT ON loyalty.expiry_notices FOR EACH ROW EXECUTE FUNCTION public.refuse();
SELECT count(loyalty_hold(member, 'main', 'miles', 'accrual', 3, '1 hour')),
    count(loyalty_accrue(member, 'main', 'status', 200)),
count(loyalty_accrue(member, 'main', 'gift', 1, expires_on => '2026-05-01'))
FROM loyalty.members;
SELECT loyalty_import_orders(
    jsonb_agg(jsonb_build_object('program', 'main', 'external_id', 'b' || member, 'member', member, 'time',
    '2026-03-01T11:00', 'lines', '[{"product": "x", "quantity": 1, "price": 1}]'::jsonb)))
FROM loyalty.members;
SELECT loyalty_set_clock('2026-04-21 12:00+01');
INSERT INTO blocked SELECT member, relation
    FROM unnest(ARRAY['ann', 'gus']) AS member,
unnest(ARRAY['holds', 'member_tier_history', 'expiry_notices']) AS relation;
CALL loyalty_run_jobs(5);
SELECT member, job, sqlstate, message, failures FROM loyalty.job_errors ORDER BY job COLLATE "C", member;
SELECT job, done, skipped FROM loyalty.job_progress ORDER BY job COLLATE "C";
SELECT state, count(*) FROM loyalty.holds GROUP BY state ORDER BY state;
SELECT tier_group, tier, count(*) FROM loyalty.member_tiers WHERE tier IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FROM loyalty.events WHERE type = 'points_expiring' AND data ->> 'points' = 'gift';
SELECT * FROM loyalty_verify();
DELETE FROM blocked WHERE member = 'ann';
CALL loyalty_run_jobs();
SELECT member, job, failures FROM loyalty.job_errors ORDER BY job COLLATE "C", member;
DELETE FROM blocked;
CALL loyalty_run_jobs();
SELECT count(*) FROM loyalty.job_errors;
SELECT state, count(*) FROM loyalty.holds GROUP BY state ORDER BY state;
SELECT tier_group, tier, count(*) FROM loyalty.member_tiers WHERE tier IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FROM loyalty.events WHERE type = 'points_expiring' AND data ->> 'points' = 'gift';

-- ---------------------------------------------------------------------------------------------------------------------
-- Interrupted: the next call brings the run to its end, and a whole one follows

SELECT loyalty_internal.begin_job('expire_points');
SELECT loyalty_internal.job_batch('expire_points', 3);
SELECT run, state, interruptions FROM loyalty.job_progress WHERE job = 'expire_points';
-- An error lets go of it.
SELECT 1 / 0;
SELECT state FROM loyalty.job_progress WHERE job = 'expire_points';
SELECT after_member FROM loyalty.job_runs WHERE job = 'expire_points' AND finished_at IS NULL;
SELECT loyalty_accrue('ann', 'main', 'gift', 1, expires_at => loyalty_now() + interval '1 minute') \g /dev/null
SELECT loyalty_accrue('lea', 'main', 'gift', 1, expires_at => loyalty_now() + interval '1 minute') \g /dev/null
SELECT loyalty_set_clock('2026-04-22 12:00+01');
CALL loyalty_expire_points();
SELECT state, interruptions, done FROM loyalty.job_progress WHERE job = 'expire_points';
SELECT interruptions, done FROM loyalty.job_runs WHERE job = 'expire_points' ORDER BY run DESC LIMIT 2;
-- A thousand runs are kept.
INSERT INTO loyalty.job_runs (job, run, started_at, updated_at, finished_at) SELECT 'end_holds', number, now(), now(),
    now() FROM generate_series(100, 1200) AS number;
CALL loyalty_end_holds();
SELECT min(run), max(run), count(*) FROM loyalty.job_runs WHERE job = 'end_holds';

-- ---------------------------------------------------------------------------------------------------------------------
-- Without pg_cron it says how

SELECT loyalty_unschedule();
DO $$
DECLARE
    problem text;
    details text;
    advice text;
BEGIN
    PERFORM loyalty_schedule(keep_events => '90 days');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT, details = PG_EXCEPTION_DETAIL, advice = PG_EXCEPTION_HINT;
    RAISE NOTICE E'%\n%\n%', problem, details,
        replace(advice, format('postgresql-%s-cron', current_setting('server_version_num')::integer / 10000),
            'postgresql-N-cron');
END
$$;
SELECT * FROM refusal('SELECT loyalty_schedule(NULL)');

SET client_min_messages = warning;
DROP SCHEMA loyalty CASCADE;
DROP FUNCTION brief, refusal, refuse;
DROP TABLE blocked;
