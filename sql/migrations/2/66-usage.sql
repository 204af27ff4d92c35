-- Trigger promotions have usage limits, too; what they booked before was under none.
CREATE TABLE loyalty.trigger_uses (
    member text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    promotion loyalty.external_id NOT NULL,
    id uuid NOT NULL,
    points numeric NOT NULL,
    freed_at timestamptz,
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
COMMENT ON COLUMN loyalty.trigger_uses.points IS 'Points that it accrued; 0 for a deduction, and once it was given back.';
COMMENT ON COLUMN loyalty.trigger_uses.freed_at IS
    'When the use was given back, by a cancellation or the end of its hold; null: it counts.';

COMMENT ON TABLE loyalty.promotion_counters IS
    'What each promotion with usage limits has used up, in the orders that were placed, or by what was booked under a '
    'trigger promotion, while it had any.';
COMMENT ON COLUMN loyalty.promotion_counters.uses IS
    'Orders in which it had an effect, and of which a unit is left; of a trigger promotion, bookings.';
