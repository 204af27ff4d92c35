-- What promotions with usage limits have used up. The limits are settings of the promotion, in force with its version;
-- the counters count at once. Promotions without limits have no rows here and cost nothing.

CREATE TABLE loyalty.promotion_counters (
    program loyalty.external_id NOT NULL,
    promotion loyalty.external_id NOT NULL,
    uses bigint NOT NULL DEFAULT 0,
    money numeric NOT NULL DEFAULT 0,
    points numeric NOT NULL DEFAULT 0,
    CONSTRAINT promotion_counters_pkey PRIMARY KEY (program, promotion),
    CONSTRAINT promotion_counters_promotion_fkey FOREIGN KEY (program, promotion) REFERENCES loyalty.promotions
) WITH (fillfactor = 50);

COMMENT ON TABLE loyalty.promotion_counters IS
    'What each promotion with usage limits has used up, in the orders that were placed, or by what was booked under a '
    'trigger promotion, while it had any.';
COMMENT ON COLUMN loyalty.promotion_counters.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotion_counters.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.promotion_counters.uses IS
    'Orders in which it had an effect, and of which a unit is left; of a trigger promotion, bookings.';
COMMENT ON COLUMN loyalty.promotion_counters.money IS
    'Money that it took off prices, less the share of units that came back.';
COMMENT ON COLUMN loyalty.promotion_counters.points IS
    'Points that it accrued, waiting ones too, less the share of units that came back.';

CREATE TABLE loyalty.promotion_uses (
    buyer text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    promotion loyalty.external_id NOT NULL,
    order_id loyalty.external_id NOT NULL,
    money numeric NOT NULL,
    points numeric NOT NULL,
    freed_at timestamptz,
    used_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT promotion_uses_pkey PRIMARY KEY (buyer, program, promotion, order_id),
    CONSTRAINT promotion_uses_order_fkey FOREIGN KEY (buyer, program, order_id) REFERENCES loyalty.orders,
    CONSTRAINT promotion_uses_promotion_fkey FOREIGN KEY (program, promotion) REFERENCES loyalty.promotion_counters
);

COMMENT ON TABLE loyalty.promotion_uses IS 'In which orders a promotion with usage limits had an effect.';
COMMENT ON COLUMN loyalty.promotion_uses.buyer IS
    'The buyer: m: and the profile''s key, or g: and the order''s external id.';
COMMENT ON COLUMN loyalty.promotion_uses.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotion_uses.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.promotion_uses.order_id IS 'The order.';
COMMENT ON COLUMN loyalty.promotion_uses.money
    IS 'Money that it took off the units that are left, and off the shipping.';
COMMENT ON COLUMN loyalty.promotion_uses.points IS 'Points that it accrued for the units that are left.';
COMMENT ON COLUMN loyalty.promotion_uses.freed_at IS
    'When the use was given back, with the order''s last unit; null: it counts.';
COMMENT ON COLUMN loyalty.promotion_uses.used_at IS 'When the order was placed.';

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
