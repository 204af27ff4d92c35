-- How far the jobs are that work through all accounts.

CREATE TABLE loyalty.job_progress (
    job text COLLATE "C" NOT NULL,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    finished_at timestamptz,
    done bigint NOT NULL DEFAULT 0,
    after_member text COLLATE "C",
    after_program loyalty.external_id,
    after_point_type loyalty.external_id,
    CONSTRAINT job_progress_pkey PRIMARY KEY (job),
    CONSTRAINT job_progress_job_is_not_empty CHECK (job <> ''),
    CONSTRAINT job_progress_done_range CHECK (done >= 0)
);

COMMENT ON TABLE loyalty.job_progress IS 'The last run of each job: one row a job.';
COMMENT ON COLUMN loyalty.job_progress.job IS 'The job, such as expire_points.';
COMMENT ON COLUMN loyalty.job_progress.started_at IS 'When the run began, by the clock on the wall.';
COMMENT ON COLUMN loyalty.job_progress.updated_at IS 'When its last batch was done.';
COMMENT ON COLUMN loyalty.job_progress.finished_at IS 'When it ended; null: it is running, or was interrupted.';
COMMENT ON COLUMN loyalty.job_progress.done IS 'Rows booked so far.';
COMMENT ON COLUMN loyalty.job_progress.after_member IS 'Member of the last account done, where the next batch begins.';
COMMENT ON COLUMN loyalty.job_progress.after_program IS 'Its program.';
COMMENT ON COLUMN loyalty.job_progress.after_point_type IS 'Its point type.';
