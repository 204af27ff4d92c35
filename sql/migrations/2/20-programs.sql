-- Decimals by the currency, and days of point types.

ALTER TABLE loyalty.programs ALTER COLUMN currency_scale DROP DEFAULT;
COMMENT ON COLUMN loyalty.programs.currency_scale IS
    'Decimals of an amount of money, 0 to 4; left out: those of the currency by ISO 4217. Fixed once points were booked.';

ALTER TABLE loyalty.point_types
    ADD COLUMN deactivates_on date,
    ADD CONSTRAINT point_types_only_standard_have_a_last_day CHECK (kind = 'standard' OR deactivates_on IS NULL),
    ADD CONSTRAINT point_types_deactivates_on_range CHECK (isfinite(deactivates_on) AND extract(year FROM deactivates_on) >= 100),
    ADD CONSTRAINT point_types_one_end CHECK (num_nonnulls(deactivates_at, deactivates_on) <= 1);
COMMENT ON COLUMN loyalty.point_types.deactivates_on IS
    'First day, in the program''s time zone, on which points are neither earned nor spent, in place of deactivates_at; null: '
    'see there.';
COMMENT ON COLUMN loyalty.point_types.deactivates_at IS
    'From when points are neither earned nor spent; null: see deactivates_on, or never. Standard only.';
