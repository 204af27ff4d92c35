-- The simulated clock shows moments up to the year 9999.

ALTER TABLE loyalty.simulated_clock
    DROP CONSTRAINT simulated_clock_moment_is_finite,
    ADD CONSTRAINT simulated_clock_moment_is_in_calendar
        CHECK (isfinite(moment) AND moment < TIMESTAMPTZ '10000-01-01 00:00+00');
