-- Days and templates of pools, what else there is about codes, uses that were made elsewhere, and uses given back by
-- hand.

ALTER TABLE loyalty.promo_code_pools
    ADD COLUMN starts_on date,
    ADD COLUMN ends_on date,
    ADD COLUMN template text,
    ADD CONSTRAINT promo_code_pools_days_are_finite CHECK (isfinite(starts_on) AND isfinite(ends_on)),
    ADD CONSTRAINT promo_code_pools_days_are_a_period CHECK (starts_on <= ends_on),
    ADD CONSTRAINT promo_code_pools_one_start CHECK (starts_on IS NULL OR valid_from = '-infinity'),
    ADD CONSTRAINT promo_code_pools_one_end CHECK (ends_on IS NULL OR valid_until = 'infinity'),
    ADD CONSTRAINT promo_code_pools_years_are_whole CHECK (
        (valid_from = '-infinity' OR extract(year FROM valid_from AT TIME ZONE 'UTC') >= 100)
        AND extract(year FROM valid_until AT TIME ZONE 'UTC') >= 100
        AND extract(year FROM least(starts_on, ends_on)) >= 100
    ),
    ADD CONSTRAINT promo_code_pools_template_key UNIQUE (program, template),
    ADD CONSTRAINT promo_code_pools_template_is_one_word CHECK (template ~ '^[^[:space:][:cntrl:]{}]{1,100}$');
COMMENT ON COLUMN loyalty.promo_code_pools.starts_on IS
    'First day, in the program''s time zone, in place of valid_from; null: see there.';
COMMENT ON COLUMN loyalty.promo_code_pools.ends_on IS
    'Last day, to its end in the program''s time zone, in place of valid_until; null: see there.';
COMMENT ON COLUMN loyalty.promo_code_pools.template IS
    'Short name under which mailings place a code of the pool, one word, unique in the program: events and answers '
    'about its codes carry it; null: none.';

ALTER TABLE loyalty.promo_codes
    ADD COLUMN uses_before_import integer NOT NULL DEFAULT 0,
    ADD COLUMN data jsonb,
    ADD CONSTRAINT promo_codes_uses_before_import_range CHECK (uses_before_import BETWEEN 0 AND uses),
    ADD CONSTRAINT promo_codes_data_is_an_object CHECK (jsonb_typeof(data) = 'object');
COMMENT ON COLUMN loyalty.promo_codes.uses_before_import IS
    'Those of its uses that were made elsewhere, before it was imported, 0 or more; no row of promo_code_uses tells of '
    'them.';
COMMENT ON COLUMN loyalty.promo_codes.data IS
    'Anything else about it, a JSON object, for whoever reads it; null: nothing. Erasing the member it is attached to '
    'blanks it.';

ALTER TABLE loyalty.promo_code_uses
    ADD COLUMN freed_by_hand boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT promo_code_uses_freed_by_hand_are_freed CHECK (freed_at IS NOT NULL OR NOT freed_by_hand);
COMMENT ON COLUMN loyalty.promo_code_uses.freed_by_hand IS
    'Whether loyalty_update_promo_code() gave it back, and not the order.';
