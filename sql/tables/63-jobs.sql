-- How far the jobs are that work through all accounts, and for whom they failed.

CREATE TABLE loyalty.job_progress (
    job text COLLATE "C" NOT NULL,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz,
    done bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    after_member text COLLATE "C",
    after_program loyalty.external_id,
    after_point_type loyalty.external_id,
    CONSTRAINT job_progress_pkey PRIMARY KEY (job),
    CONSTRAINT job_progress_job_is_not_empty CHECK (job <> ''),
    CONSTRAINT job_progress_done_range CHECK (done >= 0),
    CONSTRAINT job_progress_skipped_range CHECK (skipped >= 0)
);

COMMENT ON TABLE loyalty.job_progress IS 'The last run of each job: one row a job.';
COMMENT ON COLUMN loyalty.job_progress.job IS 'The job, such as expire_points.';
COMMENT ON COLUMN loyalty.job_progress.started_at IS 'When the run began, by the clock on the wall.';
COMMENT ON COLUMN loyalty.job_progress.updated_at IS 'When its last batch was done.';
COMMENT ON COLUMN loyalty.job_progress.finished_at IS 'When it ended; null: it is running, or was interrupted.';
COMMENT ON COLUMN loyalty.job_progress.done IS 'Rows booked so far.';
COMMENT ON COLUMN loyalty.job_progress.skipped IS 'Accounts skipped so far because of an error, see job_errors.';
COMMENT ON COLUMN loyalty.job_progress.after_member IS 'Member of the last account done, where the next batch begins.';
COMMENT ON COLUMN loyalty.job_progress.after_program IS 'Its program.';
COMMENT ON COLUMN loyalty.job_progress.after_point_type IS 'Its point type.';

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
