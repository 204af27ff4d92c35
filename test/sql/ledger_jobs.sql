-- The job that books expirations goes on without the accounts that it fails for (decision 48).
\set ECHO none
\i test/fixtures/ledger.sql
\set ECHO all
\set VERBOSITY terse

-- A trigger of the user's own that fails for some.
CREATE TABLE blocked (member text, point_type text, code text, message text);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    block blocked;
BEGIN
    SELECT * INTO block FROM blocked
        WHERE member = NEW.member AND point_type = NEW.point_type AND NEW.type = 'expiration';
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = block.code, MESSAGE = block.message, DETAIL = format('lot %s', NEW.lot);
    END IF;
    RETURN NEW;
END
$$;
GRANT SELECT ON blocked TO PUBLIC;
CREATE TRIGGER refuse BEFORE INSERT ON loyalty.transactions FOR EACH ROW EXECUTE FUNCTION public.refuse();
ALTER FUNCTION refuse() SET search_path = public;

SELECT count(loyalty_accrue(member, 'main', type, number, expires_on => date '2026-01-20' + number)) AS booked
FROM loyalty.members, unnest(ARRAY['bonus', 'miles']) AS type, generate_series(1, 2) AS number;
SELECT brief(loyalty_hold('cat', 'main', 'miles', 'redemption', 1, '1 day'));
SELECT loyalty_set_clock('2026-02-01 12:00+01');
INSERT INTO blocked
    VALUES ('cat', 'miles', 'P0001', 'not the cat'), ('eve', 'bonus', '22012', 'nor eve''s bonus'),
    ('lea', 'miles', '40P01', 'nor the last');

-- A batch of everything, of which the halves are tried. Of a failing account nothing is booked, its holds stay as they
-- are.
CALL loyalty_expire_points();
SELECT member, program, job, sqlstate, message, detail, failures, first_failed_at = last_failed_at AS once
    FROM loyalty.job_errors ORDER BY member;
SELECT job, done, skipped, finished_at IS NOT NULL AS finished FROM loyalty.job_progress;
SELECT member, point_type, count(*), sum(remaining) AS remaining, sum(held) AS held FROM loyalty.lots
    WHERE open GROUP BY 1, 2 ORDER BY 1, 2;
SELECT state FROM loyalty.holds;
SELECT * FROM loyalty_verify();

-- The next run tries them again, in batches of any size.
DELETE FROM blocked WHERE member = 'lea';
UPDATE blocked SET message = 'still not the cat' WHERE member = 'cat';
CALL loyalty_expire_points(3);
SELECT member, sqlstate, message, failures, first_failed_at < last_failed_at AS again
    FROM loyalty.job_errors ORDER BY member;
SELECT member, point_type, count(*) FROM loyalty.lots WHERE open GROUP BY 1, 2 ORDER BY 1, 2;
CALL loyalty_expire_points(1);
SELECT member, failures FROM loyalty.job_errors ORDER BY member;
SELECT job, done, skipped FROM loyalty.job_progress;

-- An error that a trigger raises skips the member, whatever its class: only a true cancel or shutdown ends a run.
UPDATE blocked SET code = '57014', message = 'cancelled';
CALL loyalty_expire_points();
UPDATE blocked SET code = '57P01', message = 'shutting down';
CALL loyalty_expire_points();
UPDATE blocked SET code = '53100', message = 'disk full';
CALL loyalty_expire_points();
SELECT member, message, failures FROM loyalty.job_errors ORDER BY member;

-- Once all is well nothing is left of it.
DELETE FROM blocked;
CALL loyalty_expire_points();
SELECT count(*) FROM loyalty.job_errors;
SELECT job, done, skipped FROM loyalty.job_progress;
SELECT count(*) FROM loyalty.lots WHERE open;
SELECT state FROM loyalty.holds;
SELECT * FROM loyalty_verify();

-- The outbox has told of every booking, once, and in the order of booking.
\set ECHO none
\i test/fixtures/untold.sql
\set ECHO all
SELECT * FROM untold;

SET client_min_messages = warning;
DROP SCHEMA loyalty CASCADE;
DROP FUNCTION brief, refusal, refuse;
DROP TABLE blocked;
