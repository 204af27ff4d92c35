-- Reports that add up, as they are computed from the ledger and the orders: what loyalty_refresh_reports() keeps, and
-- what the reports of sql/live/87-kept-reports.sql show where nothing is kept. Each reads whole tables.

CREATE OR REPLACE VIEW loyalty.liability_now AS
SELECT
    lot.program,
    lot.point_type,
    -- The last usable moment lies before expires_at.
    CASE
        WHEN isfinite(lot.expires_at)
            THEN date_trunc('month', loyalty_internal.last_day(lot.expires_at, program.time_zone)::timestamp)::date
        ELSE 'infinity'
    END AS month,
    count(*) AS lots,
    sum(CASE WHEN lot.expires_at > clock.now THEN lot.remaining ELSE lot.held END) AS points,
    coalesce(sum(lot.remaining) FILTER (WHERE lot.active_from > clock.now), 0) AS waiting,
    sum(lot.held) AS held
FROM loyalty.open_lots AS lot
JOIN loyalty.programs AS program ON program.external_id = lot.program
JOIN loyalty.point_types AS point_type
    ON point_type.program = lot.program AND point_type.external_id = lot.point_type
CROSS JOIN (SELECT loyalty.clock() AS now) AS clock
WHERE point_type.kind = 'standard'
    AND (lot.expires_at > clock.now OR lot.held > 0)
GROUP BY 1, 2, 3;

COMMENT ON VIEW loyalty.liability_now IS 'What loyalty.liability keeps, computed when it is read. Reads all lots.';
COMMENT ON COLUMN loyalty.liability_now.program IS 'The program.';
COMMENT ON COLUMN loyalty.liability_now.point_type IS 'The point type, a standard one.';
COMMENT ON COLUMN loyalty.liability_now.month IS
    'First day of the month in which their last usable day lies; infinity: they never expire.';
COMMENT ON COLUMN loyalty.liability_now.lots IS 'Lots that they lie in.';
COMMENT ON COLUMN loyalty.liability_now.points IS 'Points outstanding.';
COMMENT ON COLUMN loyalty.liability_now.waiting IS 'Of these, points that are not active yet.';
COMMENT ON COLUMN loyalty.liability_now.held IS 'Of these, points that holds reserve.';

-- Of each lot's points: what a redemption took and no refund put back is spent, what a reversal, a reset or a debt took
-- is taken back. What expired is booked, or due.
CREATE OR REPLACE VIEW loyalty.breakage_now AS
SELECT
    lot.program,
    lot.point_type,
    date_trunc('month', lot.active_from AT TIME ZONE program.time_zone)::date AS active_in,
    sum(lot.amount) AS credited,
    coalesce(sum(fate.spent), 0) AS spent,
    coalesce(sum(fate.taken_back), 0) AS taken_back,
    coalesce(sum(fate.expired), 0)
    + coalesce(sum(content.remaining - content.held) FILTER (WHERE lot.expires_at <= clock.now), 0) AS expired,
    coalesce(
        sum(CASE WHEN lot.expires_at > clock.now THEN content.remaining ELSE content.held END), 0
    ) AS outstanding
FROM loyalty.all_lots AS lot
LEFT JOIN loyalty.open_lots AS content
    ON lot.open
    AND content.member = lot.member
    AND content.program = lot.program
    AND content.point_type = lot.point_type
    AND content.seq = lot.seq
JOIN loyalty.programs AS program ON program.external_id = lot.program
LEFT JOIN (
    SELECT
        change.member,
        change.program,
        change.point_type,
        change.lot,
        - sum(change.value) FILTER (WHERE change.type IN ('redemption', 'refund')) AS spent,
        - sum(change.value) FILTER (WHERE change.type NOT IN ('redemption', 'refund', 'expiration')) AS taken_back,
        - sum(change.value) FILTER (WHERE change.type = 'expiration') AS expired
    FROM (
        SELECT
            movement.member,
            movement.program,
            movement.point_type,
            movement.lot,
            movement.value,
            transaction.type
        FROM loyalty.all_lot_movements AS movement
        JOIN loyalty.all_transactions AS transaction
            ON transaction.member = movement.member
            AND transaction.program = movement.program
            AND transaction.point_type = movement.point_type
            AND transaction.seq = movement.seq
        UNION ALL
        SELECT member, program, point_type, lot, value, type
        FROM loyalty.all_transactions
        WHERE type = 'expiration'
    ) AS change
    GROUP BY 1, 2, 3, 4
) AS fate
    ON fate.member = lot.member
    AND fate.program = lot.program
    AND fate.point_type = lot.point_type
    AND fate.lot = lot.seq
CROSS JOIN (SELECT loyalty.clock() AS now) AS clock
GROUP BY 1, 2, 3;

COMMENT ON VIEW loyalty.breakage_now IS
    'What loyalty.breakage keeps, computed when it is read. Reads all lots, and what became of them.';
COMMENT ON COLUMN loyalty.breakage_now.program IS 'The program.';
COMMENT ON COLUMN loyalty.breakage_now.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.breakage_now.active_in IS 'First day of the month from which the points could be spent.';
COMMENT ON COLUMN loyalty.breakage_now.credited IS 'Points credited.';
COMMENT ON COLUMN loyalty.breakage_now.spent IS 'Of these, spent and not given back.';
COMMENT ON COLUMN loyalty.breakage_now.taken_back IS 'Of these, taken back or reset, or gone to pay a debt.';
COMMENT ON COLUMN loyalty.breakage_now.expired IS 'Of these, expired.';
COMMENT ON COLUMN loyalty.breakage_now.outstanding IS 'Of these, still there.';

CREATE OR REPLACE VIEW loyalty.tier_movements_now AS
SELECT
    step.program,
    step.tier_group,
    date_trunc('month', step.since AT TIME ZONE program.time_zone)::date AS month,
    coalesce(step.from_tier, '') AS from_tier,
    coalesce(step.tier, '') AS to_tier,
    step.cause,
    count(*) AS movements
FROM (
    SELECT
        program,
        tier_group,
        since,
        cause,
        tier,
        lag(tier) OVER (PARTITION BY member, program, tier_group ORDER BY seq) AS from_tier
    FROM loyalty.member_tier_history
) AS step
JOIN loyalty.programs AS program ON program.external_id = step.program
WHERE step.tier IS DISTINCT FROM step.from_tier
GROUP BY 1, 2, 3, 4, 5, 6;

COMMENT ON VIEW loyalty.tier_movements_now IS
    'What loyalty.tier_movements keeps, computed when it is read. Reads the history of all members.';
COMMENT ON COLUMN loyalty.tier_movements_now.program IS 'The program.';
COMMENT ON COLUMN loyalty.tier_movements_now.tier_group IS 'The tier group.';
COMMENT ON COLUMN loyalty.tier_movements_now.month IS 'First day of the month in which it happened.';
COMMENT ON COLUMN loyalty.tier_movements_now.from_tier IS 'The tier before; empty: none.';
COMMENT ON COLUMN loyalty.tier_movements_now.to_tier IS 'The tier after; empty: none.';
COMMENT ON COLUMN loyalty.tier_movements_now.cause IS 'Why: as in loyalty.member_tier_history.';
COMMENT ON COLUMN loyalty.tier_movements_now.movements IS 'How often it happened.';

-- What came back of an effect is what loyalty.promotion_effects has no longer. Points are those of the ledger: whatever
-- was booked under the promotion, and what corrected it. A refund or reversal belongs to the promotion of what it
-- undoes.
CREATE OR REPLACE VIEW loyalty.promotion_performance_now AS
SELECT
    effect.program::text AS program,
    effect.promotion::text AS promotion,
    '' AS point_type,
    count(*) AS orders,
    sum(effect.given_discount) AS discount,
    sum(effect.given_discount - effect.discount) AS discount_returned,
    sum(effect.given_points_discount) AS points_discount,
    sum(effect.given_points_discount - effect.points_discount) AS points_discount_returned,
    0::numeric AS credited,
    0::numeric AS taken_back,
    0::numeric AS deducted,
    sum(placed.total - placed.refunded) AS revenue
FROM loyalty.promotion_effects AS effect
JOIN loyalty.orders AS placed
    ON placed.buyer = effect.buyer AND placed.program = effect.program AND placed.external_id = effect.order_id
JOIN loyalty.order_statuses AS status ON status.external_id = placed.status
WHERE status.kind <> 'cancelled'
GROUP BY 1, 2
UNION ALL
SELECT
    booked.program,
    booked.promotion,
    booked.point_type,
    0,
    0,
    0,
    0,
    0,
    coalesce(sum(booked.value) FILTER (WHERE booked.type IN ('accrual', 'initial')), 0),
    coalesce(- sum(booked.value) FILTER (WHERE booked.type = 'reversal'), 0),
    coalesce(- sum(booked.value) FILTER (WHERE booked.type IN ('redemption', 'refund')), 0),
    0
FROM (
    SELECT program, promotion, point_type, type, value
    FROM loyalty.all_transactions
    WHERE promotion IS NOT NULL
        AND undoes IS NULL
    UNION ALL
    SELECT correction.program, undone.promotion, correction.point_type, correction.type, correction.value
    FROM loyalty.all_transactions AS correction
    JOIN loyalty.all_transactions AS undone
        ON undone.member = correction.member
        AND undone.program = correction.program
        AND undone.point_type = correction.point_type
        AND undone.seq = correction.undoes
    WHERE correction.undoes IS NOT NULL
        AND undone.promotion IS NOT NULL
) AS booked
GROUP BY 1, 2, 3;

COMMENT ON VIEW loyalty.promotion_performance_now IS
    'What loyalty.promotion_performance keeps, computed when it is read. Reads all orders and transactions.';
COMMENT ON COLUMN loyalty.promotion_performance_now.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotion_performance_now.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.promotion_performance_now.point_type IS
    'The point type that the points are of; empty: the row is about orders and money.';
COMMENT ON COLUMN loyalty.promotion_performance_now.orders IS
    'Orders in which it had an effect, cancelled ones left out.';
COMMENT ON COLUMN loyalty.promotion_performance_now.discount
    IS 'Discount given in them, in money, as they were placed.';
COMMENT ON COLUMN loyalty.promotion_performance_now.discount_returned IS 'Of this, what came back with returned units.';
COMMENT ON COLUMN loyalty.promotion_performance_now.points_discount IS 'Money that points paid in them.';
COMMENT ON COLUMN loyalty.promotion_performance_now.points_discount_returned IS
    'Of this, the share of returned units.';
COMMENT ON COLUMN loyalty.promotion_performance_now.credited IS 'Points credited.';
COMMENT ON COLUMN loyalty.promotion_performance_now.taken_back IS 'Of these, points taken back.';
COMMENT ON COLUMN loyalty.promotion_performance_now.deducted IS 'Points deducted or spent, and not given back.';
COMMENT ON COLUMN loyalty.promotion_performance_now.revenue IS 'Paid for these orders, less what was given back.';

CREATE OR REPLACE VIEW loyalty.promo_code_use_now AS
SELECT
    pool.program,
    pool.external_id AS pool,
    coalesce(code.codes, 0) AS codes,
    coalesce(code.created, 0) AS created,
    coalesce(code.attached, 0) AS attached,
    coalesce(code.activated, 0) AS activated,
    coalesce(code.expired, 0) AS expired,
    coalesce(used.uses, 0) AS uses,
    coalesce(used.orders, 0) AS orders,
    coalesce(used.freed, 0) AS freed
FROM loyalty.promo_code_pools AS pool
LEFT JOIN (
    SELECT
        program,
        pool,
        count(*) AS codes,
        count(*) FILTER (WHERE state = 'created') AS created,
        count(*) FILTER (WHERE state = 'attached') AS attached,
        count(*) FILTER (WHERE state = 'activated') AS activated,
        count(*) FILTER (WHERE state = 'expired') AS expired
    FROM loyalty.promo_code_states
    GROUP BY 1, 2
) AS code ON code.program = pool.program AND code.pool = pool.external_id
LEFT JOIN (
    SELECT
        code.program,
        code.pool,
        count(*) FILTER (WHERE taken.freed_at IS NULL) AS uses,
        count(*) FILTER (WHERE taken.freed_at IS NULL AND taken.order_id IS NOT NULL) AS orders,
        count(*) FILTER (WHERE taken.freed_at IS NOT NULL) AS freed
    FROM loyalty.promo_code_uses AS taken
    JOIN loyalty.promo_codes AS code ON code.code = taken.code AND code.program = taken.program
    GROUP BY 1, 2
) AS used ON used.program = pool.program AND used.pool = pool.external_id;

COMMENT ON VIEW loyalty.promo_code_use_now IS
    'What loyalty.promo_code_use keeps, computed when it is read. Reads all codes and their uses.';
COMMENT ON COLUMN loyalty.promo_code_use_now.program IS 'The program.';
COMMENT ON COLUMN loyalty.promo_code_use_now.pool IS 'The pool.';
COMMENT ON COLUMN loyalty.promo_code_use_now.codes IS 'Its codes.';
COMMENT ON COLUMN loyalty.promo_code_use_now.created IS 'Of these, free to be attached or used.';
COMMENT ON COLUMN loyalty.promo_code_use_now.attached IS 'Of these, attached to a profile and not used up.';
COMMENT ON COLUMN loyalty.promo_code_use_now.activated IS 'Of these, used as often as they may be.';
COMMENT ON COLUMN loyalty.promo_code_use_now.expired IS 'Of these, expired.';
COMMENT ON COLUMN loyalty.promo_code_use_now.uses IS 'Uses that count.';
COMMENT ON COLUMN loyalty.promo_code_use_now.orders IS 'Of these, uses by an order.';
COMMENT ON COLUMN loyalty.promo_code_use_now.freed IS 'Uses that were freed, since nothing is left of their order.';

-- A product is its partner's as the terms stand now. Cancelled orders come to nothing by themselves: all was given
-- back.
CREATE OR REPLACE VIEW loyalty.partner_turnover_now AS
SELECT
    sold.program,
    sold.partner,
    sold.month,
    count(*) AS orders,
    sum(sold.units) AS units,
    sum(sold.base) AS base,
    sum(sold.discount) AS discount,
    sum(sold.points_discount) AS points_discount,
    sum(sold.refunded) AS refunded,
    sum(sold.total - sold.refunded) AS turnover
FROM (
    SELECT
        line.program,
        product.partner,
        date_trunc('month', placed."time" AT TIME ZONE program.time_zone)::date AS month,
        sum(line.quantity - line.returned) AS units,
        sum(line.base) AS base,
        sum(line.discount) AS discount,
        sum(line.points_discount) AS points_discount,
        sum(line.refunded) AS refunded,
        sum(line.total) AS total
    FROM loyalty.order_lines AS line
    JOIN loyalty.partner_products AS product ON product.sku = line.product AND product.program = line.program
    JOIN loyalty.orders AS placed
        ON placed.buyer = line.buyer AND placed.program = line.program AND placed.external_id = line.order_id
    JOIN loyalty.programs AS program ON program.external_id = line.program
    WHERE NOT line.gift
    GROUP BY line.buyer, line.program, line.order_id, product.partner, 3
) AS sold
GROUP BY 1, 2, 3;

COMMENT ON VIEW loyalty.partner_turnover_now IS
    'What loyalty.partner_turnover keeps, computed when it is read. Reads all lines of orders.';
COMMENT ON COLUMN loyalty.partner_turnover_now.program IS 'The program.';
COMMENT ON COLUMN loyalty.partner_turnover_now.partner IS 'The partner.';
COMMENT ON COLUMN loyalty.partner_turnover_now.month IS 'First day of the month of the orders'' time.';
COMMENT ON COLUMN loyalty.partner_turnover_now.orders IS 'Orders with a product of the partner.';
COMMENT ON COLUMN loyalty.partner_turnover_now.units IS 'Units sold and not returned.';
COMMENT ON COLUMN loyalty.partner_turnover_now.base IS 'Money at base prices, of all units sold.';
COMMENT ON COLUMN loyalty.partner_turnover_now.discount IS 'Discount on these.';
COMMENT ON COLUMN loyalty.partner_turnover_now.points_discount IS 'Money that points paid.';
COMMENT ON COLUMN loyalty.partner_turnover_now.refunded IS 'Money given back for returned units.';
COMMENT ON COLUMN loyalty.partner_turnover_now.turnover IS 'Money paid for them, less what was given back.';

-- What happened to points is dated as the ledger dates it; points that are due to expire and not booked count as gone.
-- A lot's points are active from its date, whatever was done to it before. A day without anything has a row like any
-- other, from the program's first to today.
CREATE OR REPLACE VIEW loyalty.daily_activity_now AS
WITH moment AS (
    SELECT program.external_id AS program, program.time_zone, clock.now
    FROM loyalty.programs AS program
    CROSS JOIN (SELECT loyalty.clock() AS now) AS clock
),
standard AS (
    SELECT program::text, external_id::text AS point_type FROM loyalty.point_types WHERE kind = 'standard'
),
change (
    program, point_type, at, new_members, lost_members, orders, revenue, discount, earned, spent, taken_back, expired,
    active,
    outstanding
) AS (
    SELECT program, '', registered_at, 1, 0, 0, 0::numeric, 0::numeric, 0::numeric, 0::numeric, 0::numeric, 0::numeric,
        0::numeric, 0::numeric
    FROM loyalty.members
    UNION ALL
    SELECT program, '', removed_at, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM loyalty.members
    WHERE removed_at IS NOT NULL
    UNION ALL
    SELECT
        placed.program,
        '',
        placed."time",
        0,
        0,
        CASE WHEN status.kind = 'cancelled' THEN 0 ELSE 1 END,
        placed.total - placed.refunded,
        CASE WHEN status.kind = 'cancelled' THEN 0 ELSE placed.discount END,
        0, 0, 0, 0, 0, 0
    FROM loyalty.orders AS placed
    JOIN loyalty.order_statuses AS status ON status.external_id = placed.status
    UNION ALL
    SELECT
        program,
        point_type,
        created_at,
        0, 0, 0, 0, 0,
        CASE WHEN type IN ('accrual', 'initial') THEN value ELSE 0 END,
        CASE WHEN type IN ('redemption', 'refund') THEN - value ELSE 0 END,
        CASE WHEN type IN ('reversal', 'reset') THEN - value ELSE 0 END,
        CASE WHEN type = 'expiration' THEN - value ELSE 0 END,
        CASE WHEN type = 'expiration' THEN value ELSE 0 END,
        value + debt
    FROM loyalty.all_transactions
    UNION ALL
    SELECT
        lot.program, lot.point_type, greatest(credit.created_at, lot.active_from), 0, 0, 0, 0, 0, 0, 0, 0, 0,
        lot.amount, 0
    FROM loyalty.all_lots AS lot
    JOIN loyalty.all_transactions AS credit
        ON credit.member = lot.member
        AND credit.program = lot.program
        AND credit.point_type = lot.point_type
        AND credit.seq = lot.seq
    UNION ALL
    SELECT
        movement.program, movement.point_type, greatest(cause.created_at, lot.active_from), 0, 0, 0, 0, 0, 0, 0, 0, 0,
        movement.value, 0
    FROM loyalty.all_lot_movements AS movement
    JOIN loyalty.all_transactions AS cause
        ON cause.member = movement.member
        AND cause.program = movement.program
        AND cause.point_type = movement.point_type
        AND cause.seq = movement.seq
    JOIN loyalty.all_lots AS lot
        ON lot.member = movement.member
        AND lot.program = movement.program
        AND lot.point_type = movement.point_type
        AND lot.seq = movement.lot
    UNION ALL
    SELECT
        due.program, due.point_type, due.expires_at, 0, 0, 0, 0, 0, 0, 0, 0,
        due.remaining - due.held, due.held - due.remaining, due.held - due.remaining
    FROM loyalty.open_lots AS due
    WHERE due.expires_at <= loyalty.clock()
),
daily AS (
    SELECT
        change.program,
        change.point_type,
        -- Dates before 1970 are some system's way to say that it knows none: without a bound they make a million days.
        greatest((change.at AT TIME ZONE moment.time_zone)::date, date '1970-01-01') AS day,
        sum(change.new_members) AS new_members,
        sum(change.lost_members) AS lost_members,
        sum(change.orders) AS orders,
        sum(change.revenue) AS revenue,
        sum(change.discount) AS discount,
        sum(change.earned) AS earned,
        sum(change.spent) AS spent,
        sum(change.taken_back) AS taken_back,
        sum(change.expired) AS expired,
        sum(change.active) AS active,
        sum(change.outstanding) AS outstanding
    FROM change
    JOIN moment ON moment.program = change.program
    WHERE change.at <= moment.now
        AND (change.point_type = ''
            OR (change.program, change.point_type) IN (SELECT program, point_type FROM standard))
    GROUP BY 1, 2, 3
),
calendar AS (
    SELECT series.program, series.point_type, day::date AS day
    FROM (
        SELECT
            daily.program,
            daily.point_type,
            min(daily.day) AS first_day,
            min(moment.now AT TIME ZONE moment.time_zone) AS last
        FROM daily
        JOIN moment ON moment.program = daily.program
        GROUP BY 1, 2
    ) AS series
    CROSS JOIN LATERAL generate_series(series.first_day, series.last, interval '1 day') AS day
)
SELECT
    calendar.program,
    calendar.day,
    calendar.point_type,
    coalesce(daily.new_members, 0)::bigint AS new_members,
    coalesce(daily.lost_members, 0)::bigint AS lost_members,
    coalesce(sum(daily.new_members - daily.lost_members) OVER so_far, 0)::bigint AS members,
    coalesce(daily.orders, 0)::bigint AS orders,
    coalesce(daily.revenue, 0) AS revenue,
    coalesce(daily.discount, 0) AS discount,
    coalesce(daily.earned, 0) AS earned,
    coalesce(daily.spent, 0) AS spent,
    coalesce(daily.taken_back, 0) AS taken_back,
    coalesce(daily.expired, 0) AS expired,
    coalesce(sum(daily.active) OVER so_far, 0) AS active,
    coalesce(sum(daily.outstanding) OVER so_far, 0) AS outstanding
FROM calendar
LEFT JOIN daily
    ON daily.program = calendar.program AND daily.point_type = calendar.point_type AND daily.day = calendar.day
WINDOW so_far AS (PARTITION BY calendar.program, calendar.point_type ORDER BY calendar.day);

COMMENT ON VIEW loyalty.daily_activity_now IS
    'What loyalty.daily_activity and loyalty.daily_points keep, computed when it is read. Reads members, orders and '
    'the ledger.';
COMMENT ON COLUMN loyalty.daily_activity_now.program IS 'The program.';
COMMENT ON COLUMN loyalty.daily_activity_now.day IS 'The day, in the program''s time zone.';
COMMENT ON COLUMN loyalty.daily_activity_now.point_type IS
    'The point type that the points are of; empty: the row is about members and orders.';
COMMENT ON COLUMN loyalty.daily_activity_now.new_members IS 'Members registered on the day.';
COMMENT ON COLUMN loyalty.daily_activity_now.lost_members IS 'Members removed on the day, and not enrolled again.';
COMMENT ON COLUMN loyalty.daily_activity_now.members IS 'Members at its end.';
COMMENT ON COLUMN loyalty.daily_activity_now.orders IS 'Orders of the day, cancelled ones left out.';
COMMENT ON COLUMN loyalty.daily_activity_now.revenue IS
    'Money paid for orders of the day, less what was given back since.';
COMMENT ON COLUMN loyalty.daily_activity_now.discount IS 'Reductions of these orders, as they were placed.';
COMMENT ON COLUMN loyalty.daily_activity_now.earned IS 'Points credited.';
COMMENT ON COLUMN loyalty.daily_activity_now.spent IS 'Points spent, less those given back.';
COMMENT ON COLUMN loyalty.daily_activity_now.taken_back IS 'Points taken back.';
COMMENT ON COLUMN loyalty.daily_activity_now.expired IS 'Points expired.';
COMMENT ON COLUMN loyalty.daily_activity_now.active IS 'Points at the day''s end, less those not active yet.';
COMMENT ON COLUMN loyalty.daily_activity_now.outstanding IS 'Points at the day''s end.';
