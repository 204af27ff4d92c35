-- Days of pools, uses that were made elsewhere, and uses given back by hand.

ALTER TABLE loyalty.promo_code_pools
    ADD COLUMN starts_on date,
    ADD COLUMN ends_on date,
    ADD CONSTRAINT promo_code_pools_days_are_finite CHECK (isfinite(starts_on) AND isfinite(ends_on)),
    ADD CONSTRAINT promo_code_pools_days_are_a_period CHECK (starts_on <= ends_on),
    ADD CONSTRAINT promo_code_pools_one_start CHECK (starts_on IS NULL OR valid_from = '-infinity'),
    ADD CONSTRAINT promo_code_pools_one_end CHECK (ends_on IS NULL OR valid_until = 'infinity'),
    ADD CONSTRAINT promo_code_pools_years_are_whole CHECK (
        (valid_from = '-infinity' OR extract(year FROM valid_from AT TIME ZONE 'UTC') >= 100)
        AND extract(year FROM valid_until AT TIME ZONE 'UTC') >= 100
        AND extract(year FROM least(starts_on, ends_on)) >= 100
    );
COMMENT ON COLUMN loyalty.promo_code_pools.starts_on IS
    'First day, in the program''s time zone, in place of valid_from; null: see there.';
COMMENT ON COLUMN loyalty.promo_code_pools.ends_on IS
    'Last day, to its end in the program''s time zone, in place of valid_until; null: see there.';

ALTER TABLE loyalty.promo_codes
    ADD COLUMN uses_before_import integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT promo_codes_uses_before_import_range CHECK (uses_before_import BETWEEN 0 AND uses);
COMMENT ON COLUMN loyalty.promo_codes.uses_before_import IS
    'Those of its uses that were made elsewhere, before it was imported, 0 or more; no row of promo_code_uses tells of them.';

ALTER TABLE loyalty.promo_code_uses
    ADD COLUMN freed_by_hand boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT promo_code_uses_freed_by_hand_are_freed CHECK (freed_at IS NOT NULL OR NOT freed_by_hand);
COMMENT ON COLUMN loyalty.promo_code_uses.freed_by_hand IS
    'Whether loyalty_update_promo_code() gave it back, and not the order.';
