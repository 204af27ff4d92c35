-- Uses that were made elsewhere, and uses given back by hand.

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
