-- The simulated clock: for tests and replays, never for a program that serves customers.

-- Each setting is a row, and the latest moment is the one in force: so the clock only goes forward, and every setting
-- stays on record.
CREATE TABLE loyalty.simulated_clock (
    moment timestamptz NOT NULL,
    set_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    set_by name NOT NULL DEFAULT session_user,
    CONSTRAINT simulated_clock_pkey PRIMARY KEY (moment),
    CONSTRAINT simulated_clock_moment_is_in_calendar
        CHECK (isfinite(moment) AND moment < TIMESTAMPTZ '10000-01-01 00:00+00')
);

COMMENT ON TABLE loyalty.simulated_clock IS
    'Settings of the simulated clock; where there is none, the clock is the real one. See loyalty_set_clock().';
COMMENT ON COLUMN loyalty.simulated_clock.moment IS 'What the clock says; the latest is in force.';
COMMENT ON COLUMN loyalty.simulated_clock.set_at IS 'When it was set, by the real clock.';
COMMENT ON COLUMN loyalty.simulated_clock.set_by IS 'The role whose session set it.';
