-- Decimals by the currency, and days of point types.

ALTER TABLE loyalty.programs ALTER COLUMN currency_scale DROP DEFAULT;
COMMENT ON COLUMN loyalty.programs.currency_scale IS
    'Decimals of an amount of money, 0 to 4; left out: those of the currency by ISO 4217. Fixed once points were '
    'booked.';

ALTER TABLE loyalty.point_types
    ADD COLUMN deactivates_on date,
    ADD CONSTRAINT point_types_only_standard_have_a_last_day CHECK (kind = 'standard' OR deactivates_on IS NULL),
    ADD CONSTRAINT point_types_deactivates_on_range
        CHECK (isfinite(deactivates_on) AND extract(year FROM deactivates_on) >= 100),
    ADD CONSTRAINT point_types_one_end CHECK (num_nonnulls(deactivates_at, deactivates_on) <= 1);
COMMENT ON COLUMN loyalty.point_types.deactivates_on IS
    'First day, in the program''s time zone, on which points are neither earned nor spent, in place of deactivates_at; '
    'null: see there.';
COMMENT ON COLUMN loyalty.point_types.deactivates_at IS
    'From when points are neither earned nor spent; null: see deactivates_on, or never. Standard only.';

-- How points are rounded and redeemed.

ALTER TABLE loyalty.point_types
    ADD COLUMN rounding text NOT NULL DEFAULT 'half',
    ADD COLUMN redeem_min numeric,
    ADD COLUMN redeem_step numeric,
    ADD COLUMN redeem_max_percent numeric,
    ADD CONSTRAINT point_types_rounding_is_known CHECK (rounding IN ('half', 'down', 'up')),
    ADD CONSTRAINT point_types_redeem_min_range CHECK (redeem_min > 0 AND redeem_min < 'Infinity'),
    ADD CONSTRAINT point_types_redeem_min_fits_scale CHECK (min_scale(redeem_min) <= scale),
    ADD CONSTRAINT point_types_redeem_step_range CHECK (redeem_step > 0 AND redeem_step < 'Infinity'),
    ADD CONSTRAINT point_types_redeem_step_fits_scale CHECK (min_scale(redeem_step) <= scale),
    ADD CONSTRAINT point_types_redeem_max_percent_range CHECK (
        redeem_max_percent > 0 AND redeem_max_percent <= 100 AND min_scale(redeem_max_percent) <= 6
    ),
    ADD CONSTRAINT point_types_only_standard_are_redeemed CHECK (
        kind = 'standard' OR num_nonnulls(redeem_min, redeem_step, redeem_max_percent) = 0
    );
COMMENT ON COLUMN loyalty.point_types.rounding IS
    'How what an order earns is rounded to the decimals of the type: half (up from a half on), down or up.';
COMMENT ON COLUMN loyalty.point_types.redeem_min IS
    'The fewest points that an order spends: rather than fewer it spends none. Above 0; null: any number. Standard '
    'only.';
COMMENT ON COLUMN loyalty.point_types.redeem_step IS
    'Orders spend multiples of so many points. Above 0; null: any number. Standard only.';
COMMENT ON COLUMN loyalty.point_types.redeem_max_percent IS
    'The most that points of the type pay of an order, in percent of its goods as they stand, before points pay for '
    'them; above 0, at most 100. Null: all of it. Standard only.';

-- What no order may exceed.

ALTER TABLE loyalty.programs
    ADD COLUMN max_discount_guarantee numeric,
    ADD CONSTRAINT programs_max_discount_guarantee_range CHECK (
        max_discount_guarantee >= 0 AND max_discount_guarantee <= 100 AND min_scale(max_discount_guarantee) <= 6
    );
COMMENT ON COLUMN loyalty.programs.max_discount_guarantee IS
    'Percent of its goods that no order gets off, by loyalty_bound(): loyalty_apply() refuses a tree that could give '
    'more. 0 to 100, with at most six decimals; null: anything.';

-- How long searches may take.

ALTER TABLE loyalty.programs
    ADD COLUMN search_limit integer NOT NULL DEFAULT 2000000,
    ADD CONSTRAINT programs_search_limit_range CHECK (search_limit BETWEEN 1000 AND 1000000000);
COMMENT ON COLUMN loyalty.programs.search_limit IS
    'Steps that searches for the maximum benefit may take in one order, 1000 to 1000000000: about ten million are a '
    'second on a machine of 2026, whatever it searches. Part of each version, so that orders are priced again as they '
    'were.';
