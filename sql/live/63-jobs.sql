-- How far the jobs are.

-- A run at work holds the lock of its job; that of a session that is gone is gone, too.
CREATE OR REPLACE VIEW loyalty.job_progress AS
SELECT
    last_run.job,
    last_run.run,
    CASE
        WHEN last_run.finished_at IS NOT NULL THEN 'finished'
        WHEN EXISTS (
            SELECT
            FROM pg_locks AS lock
            JOIN pg_database AS database ON database.oid = lock.database
            WHERE database.datname = current_database()
                AND lock.locktype = 'object'
                AND lock.classid = 'loyalty.job_runs'::regclass
                AND lock.objid::bigint = hashtextextended(last_run.job, 0) & 4294967295
                AND lock.granted
        ) THEN 'running'
        ELSE 'interrupted'
    END AS state,
    last_run.started_at,
    last_run.updated_at,
    last_run.finished_at,
    last_run.duration,
    last_run.done,
    last_run.skipped,
    last_run.interruptions
FROM loyalty.job_runs AS last_run
WHERE NOT EXISTS (
    SELECT
    FROM loyalty.job_runs AS later
    WHERE later.job = last_run.job
        AND later.run > last_run.run
);

COMMENT ON VIEW loyalty.job_progress IS 'The last run of each job: one row a job.';
COMMENT ON COLUMN loyalty.job_progress.job IS 'The job, such as expire_points.';
COMMENT ON COLUMN loyalty.job_progress.run IS 'Number of the run.';
COMMENT ON COLUMN loyalty.job_progress.state IS
    'running, finished, or interrupted: it was killed, or ended by an error; the next call takes it up again.';
COMMENT ON COLUMN loyalty.job_progress.started_at IS 'When it began, by the clock on the wall.';
COMMENT ON COLUMN loyalty.job_progress.updated_at IS 'When its last batch was done.';
COMMENT ON COLUMN loyalty.job_progress.finished_at IS 'When it ended; null: it has not.';
COMMENT ON COLUMN loyalty.job_progress.duration IS 'From its beginning to its last batch.';
COMMENT ON COLUMN loyalty.job_progress.done IS 'What it has done so far, see loyalty.job_runs.';
COMMENT ON COLUMN loyalty.job_progress.skipped IS 'Accounts or members skipped so far because of an error.';
COMMENT ON COLUMN loyalty.job_progress.interruptions IS 'How often it was interrupted and taken up again.';
