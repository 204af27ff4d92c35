-- What the reports keep of the ledger and the orders, so that they need not read all of it each time:
-- loyalty_refresh_reports() computes it anew. Plain tables rather than materialized views: dumps carry them along,
-- replication, too, and an upgrade can change what is computed without computing it. No column of a key is null, so
-- that there is a primary key to replicate by.

CREATE TABLE loyalty.report_refreshes (
    report text COLLATE "C" NOT NULL,
    as_of timestamptz NOT NULL,
    rows bigint NOT NULL,
    CONSTRAINT report_refreshes_pkey PRIMARY KEY (report),
    CONSTRAINT report_refreshes_rows_range CHECK (rows >= 0)
);

COMMENT ON TABLE loyalty.report_refreshes IS
    'As of when the reports were computed that are kept; a report without a row here is computed when it is read.';
COMMENT ON COLUMN loyalty.report_refreshes.report IS 'The report: name of a view in schema loyalty.';
COMMENT ON COLUMN loyalty.report_refreshes.as_of IS 'The moment that its figures are of.';
COMMENT ON COLUMN loyalty.report_refreshes.rows IS 'How many rows were kept.';

CREATE TABLE loyalty.liability_kept (
    program loyalty.external_id NOT NULL,
    point_type loyalty.external_id NOT NULL,
    month date NOT NULL,
    lots bigint NOT NULL,
    points numeric NOT NULL,
    waiting numeric NOT NULL,
    held numeric NOT NULL,
    CONSTRAINT liability_kept_pkey PRIMARY KEY (program, point_type, month)
);

COMMENT ON TABLE loyalty.liability_kept IS 'What loyalty.liability keeps.';
COMMENT ON COLUMN loyalty.liability_kept.program IS 'The program.';
COMMENT ON COLUMN loyalty.liability_kept.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.liability_kept.month IS
    'First day of the month in which their last usable day lies; infinity: they never expire.';
COMMENT ON COLUMN loyalty.liability_kept.lots IS 'Lots that they lie in.';
COMMENT ON COLUMN loyalty.liability_kept.points IS 'Points outstanding.';
COMMENT ON COLUMN loyalty.liability_kept.waiting IS 'Of these, points that are not active yet.';
COMMENT ON COLUMN loyalty.liability_kept.held IS 'Of these, points that holds reserve.';

CREATE TABLE loyalty.breakage_kept (
    program loyalty.external_id NOT NULL,
    point_type loyalty.external_id NOT NULL,
    active_in date NOT NULL,
    credited numeric NOT NULL,
    spent numeric NOT NULL,
    taken_back numeric NOT NULL,
    expired numeric NOT NULL,
    outstanding numeric NOT NULL,
    CONSTRAINT breakage_kept_pkey PRIMARY KEY (program, point_type, active_in)
);

COMMENT ON TABLE loyalty.breakage_kept IS 'What loyalty.breakage keeps.';
COMMENT ON COLUMN loyalty.breakage_kept.program IS 'The program.';
COMMENT ON COLUMN loyalty.breakage_kept.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.breakage_kept.active_in IS 'First day of the month from which the points could be spent.';
COMMENT ON COLUMN loyalty.breakage_kept.credited IS 'Points credited.';
COMMENT ON COLUMN loyalty.breakage_kept.spent IS 'Of these, spent and not given back.';
COMMENT ON COLUMN loyalty.breakage_kept.taken_back IS 'Of these, taken back or reset, or gone to pay a debt.';
COMMENT ON COLUMN loyalty.breakage_kept.expired IS 'Of these, expired.';
COMMENT ON COLUMN loyalty.breakage_kept.outstanding IS 'Of these, still there.';

CREATE TABLE loyalty.tier_movements_kept (
    program loyalty.external_id NOT NULL,
    tier_group loyalty.external_id NOT NULL,
    month date NOT NULL,
    from_tier text COLLATE "C" NOT NULL,
    to_tier text COLLATE "C" NOT NULL,
    cause text NOT NULL,
    movements bigint NOT NULL,
    CONSTRAINT tier_movements_kept_pkey PRIMARY KEY (program, tier_group, month, from_tier, to_tier, cause)
);

COMMENT ON TABLE loyalty.tier_movements_kept IS 'What loyalty.tier_movements keeps.';
COMMENT ON COLUMN loyalty.tier_movements_kept.program IS 'The program.';
COMMENT ON COLUMN loyalty.tier_movements_kept.tier_group IS 'The tier group.';
COMMENT ON COLUMN loyalty.tier_movements_kept.month IS 'First day of the month in which it happened.';
COMMENT ON COLUMN loyalty.tier_movements_kept.from_tier IS 'The tier before; empty: none.';
COMMENT ON COLUMN loyalty.tier_movements_kept.to_tier IS 'The tier after; empty: none.';
COMMENT ON COLUMN loyalty.tier_movements_kept.cause IS 'Why: as in loyalty.member_tier_history.';
COMMENT ON COLUMN loyalty.tier_movements_kept.movements IS 'How often it happened.';

CREATE TABLE loyalty.promotion_performance_kept (
    program loyalty.external_id NOT NULL,
    promotion loyalty.external_id NOT NULL,
    point_type text COLLATE "C" NOT NULL,
    orders bigint NOT NULL,
    discount numeric NOT NULL,
    discount_returned numeric NOT NULL,
    points_discount numeric NOT NULL,
    points_discount_returned numeric NOT NULL,
    credited numeric NOT NULL,
    taken_back numeric NOT NULL,
    deducted numeric NOT NULL,
    revenue numeric NOT NULL,
    CONSTRAINT promotion_performance_kept_pkey PRIMARY KEY (program, promotion, point_type)
);

COMMENT ON TABLE loyalty.promotion_performance_kept IS 'What loyalty.promotion_performance keeps.';
COMMENT ON COLUMN loyalty.promotion_performance_kept.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotion_performance_kept.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.promotion_performance_kept.point_type IS
    'The point type that the points are of; empty: the row is about orders and money.';
COMMENT ON COLUMN loyalty.promotion_performance_kept.orders IS 'Orders in which it had an effect.';
COMMENT ON COLUMN loyalty.promotion_performance_kept.discount IS 'Discount given, in money.';
COMMENT ON COLUMN loyalty.promotion_performance_kept.discount_returned
    IS 'Of this, what came back with returned units.';
COMMENT ON COLUMN loyalty.promotion_performance_kept.points_discount IS 'Money that points paid.';
COMMENT ON COLUMN loyalty.promotion_performance_kept.points_discount_returned IS
    'Of this, the share of returned units.';
COMMENT ON COLUMN loyalty.promotion_performance_kept.credited IS 'Points credited.';
COMMENT ON COLUMN loyalty.promotion_performance_kept.taken_back IS 'Of these, points taken back.';
COMMENT ON COLUMN loyalty.promotion_performance_kept.deducted IS 'Points deducted or spent, and not given back.';
COMMENT ON COLUMN loyalty.promotion_performance_kept.revenue IS 'Paid for its orders, less what was given back.';

CREATE TABLE loyalty.promo_code_use_kept (
    program loyalty.external_id NOT NULL,
    pool loyalty.external_id NOT NULL,
    codes bigint NOT NULL,
    created bigint NOT NULL,
    attached bigint NOT NULL,
    activated bigint NOT NULL,
    expired bigint NOT NULL,
    uses bigint NOT NULL,
    orders bigint NOT NULL,
    freed bigint NOT NULL,
    CONSTRAINT promo_code_use_kept_pkey PRIMARY KEY (program, pool)
);

COMMENT ON TABLE loyalty.promo_code_use_kept IS 'What loyalty.promo_code_use keeps.';
COMMENT ON COLUMN loyalty.promo_code_use_kept.program IS 'The program.';
COMMENT ON COLUMN loyalty.promo_code_use_kept.pool IS 'The pool.';
COMMENT ON COLUMN loyalty.promo_code_use_kept.codes IS 'Its codes.';
COMMENT ON COLUMN loyalty.promo_code_use_kept.created IS 'Of these, free to be attached or used.';
COMMENT ON COLUMN loyalty.promo_code_use_kept.attached IS 'Of these, attached to a profile and not used up.';
COMMENT ON COLUMN loyalty.promo_code_use_kept.activated IS 'Of these, used as often as they may be.';
COMMENT ON COLUMN loyalty.promo_code_use_kept.expired IS 'Of these, expired.';
COMMENT ON COLUMN loyalty.promo_code_use_kept.uses IS 'Uses that count.';
COMMENT ON COLUMN loyalty.promo_code_use_kept.orders IS 'Of these, uses by an order.';
COMMENT ON COLUMN loyalty.promo_code_use_kept.freed IS 'Uses that were freed, since nothing is left of their order.';

CREATE TABLE loyalty.partner_turnover_kept (
    program loyalty.external_id NOT NULL,
    partner loyalty.external_id NOT NULL,
    month date NOT NULL,
    orders bigint NOT NULL,
    units numeric NOT NULL,
    base numeric NOT NULL,
    discount numeric NOT NULL,
    points_discount numeric NOT NULL,
    refunded numeric NOT NULL,
    turnover numeric NOT NULL,
    CONSTRAINT partner_turnover_kept_pkey PRIMARY KEY (program, partner, month)
);

COMMENT ON TABLE loyalty.partner_turnover_kept IS 'What loyalty.partner_turnover keeps.';
COMMENT ON COLUMN loyalty.partner_turnover_kept.program IS 'The program.';
COMMENT ON COLUMN loyalty.partner_turnover_kept.partner IS 'The partner.';
COMMENT ON COLUMN loyalty.partner_turnover_kept.month IS 'First day of the month of the orders'' time.';
COMMENT ON COLUMN loyalty.partner_turnover_kept.orders IS 'Orders with a product of the partner.';
COMMENT ON COLUMN loyalty.partner_turnover_kept.units IS 'Units sold and not returned.';
COMMENT ON COLUMN loyalty.partner_turnover_kept.base IS 'Money at base prices, of all units sold.';
COMMENT ON COLUMN loyalty.partner_turnover_kept.discount IS 'Discount on these.';
COMMENT ON COLUMN loyalty.partner_turnover_kept.points_discount IS 'Money that points paid.';
COMMENT ON COLUMN loyalty.partner_turnover_kept.refunded IS 'Money given back for returned units.';
COMMENT ON COLUMN loyalty.partner_turnover_kept.turnover IS 'Money paid for them, less what was given back.';

CREATE TABLE loyalty.daily_activity_kept (
    program loyalty.external_id NOT NULL,
    day date NOT NULL,
    point_type text COLLATE "C" NOT NULL,
    new_members bigint NOT NULL,
    lost_members bigint NOT NULL,
    members bigint NOT NULL,
    orders bigint NOT NULL,
    revenue numeric NOT NULL,
    discount numeric NOT NULL,
    earned numeric NOT NULL,
    spent numeric NOT NULL,
    taken_back numeric NOT NULL,
    expired numeric NOT NULL,
    active numeric NOT NULL,
    outstanding numeric NOT NULL,
    CONSTRAINT daily_activity_kept_pkey PRIMARY KEY (program, day, point_type)
);

COMMENT ON TABLE loyalty.daily_activity_kept IS 'What loyalty.daily_activity and loyalty.daily_points keep.';
COMMENT ON COLUMN loyalty.daily_activity_kept.program IS 'The program.';
COMMENT ON COLUMN loyalty.daily_activity_kept.day IS 'The day, in the program''s time zone.';
COMMENT ON COLUMN loyalty.daily_activity_kept.point_type IS
    'The point type that the points are of; empty: the row is about members and orders.';
COMMENT ON COLUMN loyalty.daily_activity_kept.new_members IS 'Members registered on the day.';
COMMENT ON COLUMN loyalty.daily_activity_kept.lost_members IS 'Members removed on the day, and not enrolled again.';
COMMENT ON COLUMN loyalty.daily_activity_kept.members IS 'Members at its end.';
COMMENT ON COLUMN loyalty.daily_activity_kept.orders IS 'Orders of the day, cancelled ones left out.';
COMMENT ON COLUMN loyalty.daily_activity_kept.revenue
    IS 'Money paid for orders of the day, less what was given back since.';
COMMENT ON COLUMN loyalty.daily_activity_kept.discount IS 'Reductions of these orders, as they were placed.';
COMMENT ON COLUMN loyalty.daily_activity_kept.earned IS 'Points credited.';
COMMENT ON COLUMN loyalty.daily_activity_kept.spent IS 'Points spent, less those given back.';
COMMENT ON COLUMN loyalty.daily_activity_kept.taken_back IS 'Points taken back.';
COMMENT ON COLUMN loyalty.daily_activity_kept.expired IS 'Points expired.';
COMMENT ON COLUMN loyalty.daily_activity_kept.active IS 'Points at the day''s end, less those not active yet.';
COMMENT ON COLUMN loyalty.daily_activity_kept.outstanding IS 'Points at the day''s end.';
