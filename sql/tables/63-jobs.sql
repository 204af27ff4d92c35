-- Runs of the jobs that work through all accounts, and for whom they failed.

-- A run stays unfinished while it is at work, and where it was killed: the next call brings it to its end. Which of the
-- two it is, loyalty.job_progress tells.
CREATE TABLE loyalty.job_runs (
    job text COLLATE "C" NOT NULL,
    run bigint NOT NULL,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz,
    duration interval NOT NULL GENERATED ALWAYS AS (updated_at - started_at) STORED,
    done bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    interruptions integer NOT NULL DEFAULT 0,
    after_member text COLLATE "C",
    after_program loyalty.external_id,
    after_part loyalty.external_id,
    CONSTRAINT job_runs_pkey PRIMARY KEY (job, run),
    CONSTRAINT job_runs_job_is_not_empty CHECK (job <> ''),
    CONSTRAINT job_runs_run_is_positive CHECK (run > 0),
    CONSTRAINT job_runs_done_range CHECK (done >= 0),
    CONSTRAINT job_runs_skipped_range CHECK (skipped >= 0),
    CONSTRAINT job_runs_interruptions_range CHECK (interruptions >= 0)
);

CREATE UNIQUE INDEX job_runs_one_unfinished ON loyalty.job_runs (job) WHERE finished_at IS NULL;

COMMENT ON TABLE loyalty.job_runs IS 'The last 1,000 runs of each job.';
COMMENT ON COLUMN loyalty.job_runs.job IS 'The job, such as expire_points.';
COMMENT ON COLUMN loyalty.job_runs.run IS 'Number of the run, from 1 for each job.';
COMMENT ON COLUMN loyalty.job_runs.started_at IS 'When it began, by the clock on the wall.';
COMMENT ON COLUMN loyalty.job_runs.updated_at IS 'When its last batch was done.';
COMMENT ON COLUMN loyalty.job_runs.finished_at IS 'When it ended; null: it is at work, or was interrupted.';
COMMENT ON COLUMN loyalty.job_runs.duration IS 'From its beginning to its last batch, interruptions included.';
COMMENT ON COLUMN loyalty.job_runs.done IS
    'What it has done so far: lots expired, holds ended, members reviewed, tiers changed, notices told, events '
    'deleted, or reports refreshed.';
COMMENT ON COLUMN loyalty.job_runs.skipped IS 'Accounts or members skipped so far because of an error, see job_errors.';
COMMENT ON COLUMN loyalty.job_runs.interruptions
    IS 'How often it was killed, or ended by an error, and taken up again.';
COMMENT ON COLUMN loyalty.job_runs.after_member
    IS 'Member of the last account done, behind which the next batch begins.';
COMMENT ON COLUMN loyalty.job_runs.after_program IS 'Its program.';
COMMENT ON COLUMN loyalty.job_runs.after_part IS 'Its point type; of refresh_reports: the last report done.';

-- A job goes on without the members that it fails for, and tries them again the next time.
CREATE TABLE loyalty.job_errors (
    member text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    job text COLLATE "C" NOT NULL,
    sqlstate text COLLATE "C" NOT NULL,
    message text NOT NULL,
    detail text,
    failures integer NOT NULL DEFAULT 1,
    first_failed_at timestamptz NOT NULL,
    last_failed_at timestamptz NOT NULL,
    CONSTRAINT job_errors_pkey PRIMARY KEY (member, program, job),
    CONSTRAINT job_errors_member_fkey FOREIGN KEY (member, program) REFERENCES loyalty.members,
    CONSTRAINT job_errors_job_is_not_empty CHECK (job <> ''),
    CONSTRAINT job_errors_failures_range CHECK (failures > 0)
);

COMMENT ON TABLE loyalty.job_errors IS
    'Members whom a job skips because of an error, until a run of the job meets none: then the row is gone.';
COMMENT ON COLUMN loyalty.job_errors.member IS 'The member.';
COMMENT ON COLUMN loyalty.job_errors.program IS 'The program.';
COMMENT ON COLUMN loyalty.job_errors.job IS 'The job, such as expire_points.';
COMMENT ON COLUMN loyalty.job_errors.sqlstate IS 'SQLSTATE of the last error.';
COMMENT ON COLUMN loyalty.job_errors.message IS 'Its message.';
COMMENT ON COLUMN loyalty.job_errors.detail IS 'Its detail; may be null.';
COMMENT ON COLUMN loyalty.job_errors.failures IS 'How many runs in a row have failed for the member, 1 or more.';
COMMENT ON COLUMN loyalty.job_errors.first_failed_at IS 'When the first of them failed, by the clock on the wall.';
COMMENT ON COLUMN loyalty.job_errors.last_failed_at IS 'When the last of them failed.';

-- What the job has told, so that nothing is told twice. Days that are over go with the member's next notice.
CREATE TABLE loyalty.expiry_notices (
    member text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    point_type loyalty.external_id NOT NULL,
    last_usable_day date NOT NULL,
    notice_days integer NOT NULL,
    told_at timestamptz NOT NULL,
    CONSTRAINT expiry_notices_pkey PRIMARY KEY (member, program, point_type, last_usable_day),
    CONSTRAINT expiry_notices_member_fkey FOREIGN KEY (member, program) REFERENCES loyalty.members,
    CONSTRAINT expiry_notices_notice_days_range CHECK (notice_days BETWEEN 0 AND 3650)
);

COMMENT ON TABLE loyalty.expiry_notices IS 'The last notice told of the points that expire on a day.';
COMMENT ON COLUMN loyalty.expiry_notices.member IS 'The member.';
COMMENT ON COLUMN loyalty.expiry_notices.program IS 'The program.';
COMMENT ON COLUMN loyalty.expiry_notices.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.expiry_notices.last_usable_day IS 'The last day on which the points can be used.';
COMMENT ON COLUMN loyalty.expiry_notices.notice_days IS 'Which of notify_days of loyalty.programs it was.';
COMMENT ON COLUMN loyalty.expiry_notices.told_at IS 'When the event was written.';
