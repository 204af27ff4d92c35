-- Trigger promotions have usage limits, too; what they booked before was under none.
CREATE TABLE loyalty.trigger_uses (
    member text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    promotion loyalty.external_id NOT NULL,
    id uuid NOT NULL,
    points numeric NOT NULL,
    freed_at timestamptz,
    used_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT trigger_uses_pkey PRIMARY KEY (member, program, promotion, id),
    CONSTRAINT trigger_uses_promotion_fkey FOREIGN KEY (program, promotion) REFERENCES loyalty.promotion_counters,
    CONSTRAINT trigger_uses_points_range CHECK (points >= 0 AND points < 'Infinity')
);

COMMENT ON TABLE loyalty.trigger_uses IS
    'What was booked, or held, under a trigger promotion with usage limits.';
COMMENT ON COLUMN loyalty.trigger_uses.member IS 'The member.';
COMMENT ON COLUMN loyalty.trigger_uses.program IS 'The program.';
COMMENT ON COLUMN loyalty.trigger_uses.promotion IS 'The trigger promotion.';
COMMENT ON COLUMN loyalty.trigger_uses.id IS 'The transaction, or the hold that it was before.';
COMMENT ON COLUMN loyalty.trigger_uses.points
    IS 'Points that it accrued; 0 for a deduction, and once it was given back.';
COMMENT ON COLUMN loyalty.trigger_uses.freed_at IS
    'When the use was given back, by a cancellation or the end of its hold; null: it counts.';
COMMENT ON COLUMN loyalty.trigger_uses.used_at IS 'When it was booked or held.';

-- Uses count per day, week, month or year, so they have a moment: that of their order.
ALTER TABLE loyalty.promotion_uses ADD COLUMN used_at timestamptz;
-- What guards the table against others is there already.
ALTER TABLE loyalty.promotion_uses DISABLE TRIGGER USER;
UPDATE loyalty.promotion_uses AS used
SET used_at = placed.placed_at
FROM loyalty.orders AS placed
WHERE placed.buyer = used.buyer AND placed.program = used.program AND placed.external_id = used.order_id;
ALTER TABLE loyalty.promotion_uses ENABLE TRIGGER USER;
ALTER TABLE loyalty.promotion_uses
    ALTER COLUMN used_at SET DEFAULT loyalty.clock(),
    ALTER COLUMN used_at SET NOT NULL;
COMMENT ON COLUMN loyalty.promotion_uses.used_at IS 'When the order was placed.';

COMMENT ON TABLE loyalty.promotion_counters IS
    'What each promotion with usage limits has used up, in the orders that were placed, or by what was booked under a '
    'trigger promotion, while it had any.';
COMMENT ON COLUMN loyalty.promotion_counters.uses IS
    'Orders in which it had an effect, and of which a unit is left; of a trigger promotion, bookings.';
