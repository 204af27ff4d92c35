-- Reports that add up: as kept by the last loyalty_refresh_reports(), or, where it has never run, computed when they
-- are read; by a function, since the planner would weigh both ways, and compile the dear one that is not taken
-- (measured). What changes without the ledger stands outside of what is kept: ratios, names, positions of tiers.

-- A ratio that is edited takes effect when it is applied: what that will change is the revaluation.
CREATE OR REPLACE VIEW loyalty.liability AS
SELECT
    figure.program,
    figure.point_type,
    figure.month,
    figure.lots,
    figure.points,
    figure.waiting,
    figure.held,
    coalesce(point_type.applied_ratio, point_type.ratio) AS ratio,
    round(figure.points / coalesce(point_type.applied_ratio, point_type.ratio), program.currency_scale) AS money,
    round(figure.points / point_type.ratio, program.currency_scale)
    - round(figure.points / coalesce(point_type.applied_ratio, point_type.ratio), program.currency_scale)
        AS revaluation,
    program.currency,
    figure.as_of
FROM loyalty_internal.report_figures('liability'::text) AS figure (
    program loyalty.external_id,
    point_type loyalty.external_id,
    month date,
    lots bigint,
    points numeric,
    waiting numeric,
    held numeric,
    as_of timestamptz
)
JOIN loyalty.point_types AS point_type
    ON point_type.program = figure.program AND point_type.external_id = figure.point_type
JOIN loyalty.programs AS program ON program.external_id = figure.program;

COMMENT ON VIEW loyalty.liability IS
    'What members may still spend, by the month in which it expires: the points of standard types outstanding, and '
    'what they are worth. A debt of members (loyalty.member_balances) is not set off against it.';
COMMENT ON COLUMN loyalty.liability.program IS 'The program.';
COMMENT ON COLUMN loyalty.liability.point_type IS 'The point type, a standard one.';
COMMENT ON COLUMN loyalty.liability.month IS
    'First day of the month in which their last usable day lies; infinity: they never expire.';
COMMENT ON COLUMN loyalty.liability.lots IS 'Lots that they lie in.';
COMMENT ON COLUMN loyalty.liability.points IS 'Points outstanding.';
COMMENT ON COLUMN loyalty.liability.waiting IS 'Of these, points that are not active yet.';
COMMENT ON COLUMN loyalty.liability.held IS 'Of these, points that holds reserve.';
COMMENT ON COLUMN loyalty.liability.ratio IS 'Points per unit of money, in force now.';
COMMENT ON COLUMN loyalty.liability.money IS 'What the points are worth by it.';
COMMENT ON COLUMN loyalty.liability.revaluation IS
    'By how much money will change once an edited ratio is applied; 0: no change is pending.';
COMMENT ON COLUMN loyalty.liability.currency IS 'Currency of the program.';
COMMENT ON COLUMN loyalty.liability.as_of IS 'The moment that the points are of.';

CREATE OR REPLACE VIEW loyalty.breakage AS
SELECT
    figure.program,
    figure.point_type,
    figure.active_in,
    figure.credited,
    figure.spent,
    figure.taken_back,
    figure.expired,
    figure.outstanding,
    round(100 * figure.expired / nullif(figure.credited, 0), 2) AS breakage_percent,
    round(figure.expired / coalesce(point_type.applied_ratio, point_type.ratio), program.currency_scale)
        AS expired_money,
    program.currency,
    figure.as_of
FROM loyalty_internal.report_figures('breakage'::text) AS figure (
    program loyalty.external_id,
    point_type loyalty.external_id,
    active_in date,
    credited numeric,
    spent numeric,
    taken_back numeric,
    expired numeric,
    outstanding numeric,
    as_of timestamptz
)
JOIN loyalty.point_types AS point_type
    ON point_type.program = figure.program AND point_type.external_id = figure.point_type
JOIN loyalty.programs AS program ON program.external_id = figure.program;

COMMENT ON VIEW loyalty.breakage IS
    'What became of the points credited, by the month from which they could be spent: credited = spent + taken_back + '
    'expired + outstanding.';
COMMENT ON COLUMN loyalty.breakage.program IS 'The program.';
COMMENT ON COLUMN loyalty.breakage.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.breakage.active_in IS 'First day of the month from which the points could be spent.';
COMMENT ON COLUMN loyalty.breakage.credited IS 'Points credited.';
COMMENT ON COLUMN loyalty.breakage.spent IS 'Of these, spent and not given back.';
COMMENT ON COLUMN loyalty.breakage.taken_back IS 'Of these, taken back or reset, or gone to pay a debt.';
COMMENT ON COLUMN loyalty.breakage.expired IS 'Of these, expired: the breakage.';
COMMENT ON COLUMN loyalty.breakage.outstanding IS 'Of these, still there.';
COMMENT ON COLUMN loyalty.breakage.breakage_percent IS 'expired as a percentage of credited.';
COMMENT ON COLUMN loyalty.breakage.expired_money IS 'What expired was worth, by the ratio in force now.';
COMMENT ON COLUMN loyalty.breakage.currency IS 'Currency of the program.';
COMMENT ON COLUMN loyalty.breakage.as_of IS 'The moment that the figures are of.';

CREATE OR REPLACE VIEW loyalty.tier_movements AS
SELECT
    figure.program,
    figure.tier_group,
    figure.month,
    nullif(figure.from_tier, '') AS from_tier,
    nullif(figure.to_tier, '') AS to_tier,
    CASE
        WHEN figure.from_tier = '' THEN 'entered'
        WHEN figure.to_tier = '' THEN 'left'
        WHEN above.position > below.position THEN 'up'
        ELSE 'down'
    END AS direction,
    figure.cause,
    figure.movements,
    figure.as_of
FROM loyalty_internal.report_figures('tier_movements'::text) AS figure (
    program loyalty.external_id,
    tier_group loyalty.external_id,
    month date,
    from_tier text,
    to_tier text,
    cause text,
    movements bigint,
    as_of timestamptz
)
LEFT JOIN loyalty.tiers AS below ON below.program = figure.program AND below.external_id = figure.from_tier
LEFT JOIN loyalty.tiers AS above ON above.program = figure.program AND above.external_id = figure.to_tier;

COMMENT ON VIEW loyalty.tier_movements IS 'How often members moved from which tier to which, by month and cause.';
COMMENT ON COLUMN loyalty.tier_movements.program IS 'The program.';
COMMENT ON COLUMN loyalty.tier_movements.tier_group IS 'The tier group.';
COMMENT ON COLUMN loyalty.tier_movements.month IS 'First day of the month in which it happened.';
COMMENT ON COLUMN loyalty.tier_movements.from_tier IS 'The tier before; null: none.';
COMMENT ON COLUMN loyalty.tier_movements.to_tier IS 'The tier after; null: none.';
COMMENT ON COLUMN loyalty.tier_movements.direction IS 'entered (from no tier), up, down or left (to no tier).';
COMMENT ON COLUMN loyalty.tier_movements.cause IS
    'enrolment, removal, points, review, reset, month_end, edit or judgement: as in loyalty.member_tier_history.';
COMMENT ON COLUMN loyalty.tier_movements.movements IS 'How often it happened.';
COMMENT ON COLUMN loyalty.tier_movements.as_of IS 'The moment that the figures are of.';

CREATE OR REPLACE VIEW loyalty.promotion_performance AS
SELECT
    promotion.program,
    promotion.external_id AS promotion,
    promotion.name,
    promotion.kind,
    promotion.state,
    coalesce(sum(figure.orders), 0) AS orders,
    coalesce(sum(figure.discount), 0) AS discount,
    coalesce(sum(figure.discount_returned), 0) AS discount_returned,
    coalesce(sum(figure.points_discount), 0) AS points_discount,
    coalesce(sum(figure.points_discount_returned), 0) AS points_discount_returned,
    coalesce(
        jsonb_object_agg(
            figure.point_type,
            jsonb_build_object(
                'credited', figure.credited, 'taken_back', figure.taken_back, 'deducted', figure.deducted
            )
        ) FILTER (WHERE figure.point_type <> ''),
        '{}'
    ) AS points,
    coalesce(sum(points.money), 0) AS points_money,
    coalesce(sum(figure.discount - figure.discount_returned), 0) + coalesce(sum(points.money), 0) AS cost,
    program.currency,
    max(figure.as_of) AS as_of,
    coalesce(sum(figure.revenue), 0) AS revenue
FROM loyalty.promotions AS promotion
JOIN loyalty.programs AS program ON program.external_id = promotion.program
LEFT JOIN loyalty_internal.report_figures('promotion_performance'::text) AS figure (
    program loyalty.external_id,
    promotion loyalty.external_id,
    point_type text,
    orders bigint,
    discount numeric,
    discount_returned numeric,
    points_discount numeric,
    points_discount_returned numeric,
    credited numeric,
    taken_back numeric,
    deducted numeric,
    revenue numeric,
    as_of timestamptz
) ON figure.program = promotion.program AND figure.promotion = promotion.external_id
LEFT JOIN loyalty.point_types AS point_type
    ON point_type.program = figure.program
    AND point_type.external_id = figure.point_type
    AND point_type.kind = 'standard'
CROSS JOIN LATERAL (
    SELECT round(
        (figure.credited - figure.taken_back) / coalesce(point_type.applied_ratio, point_type.ratio),
        program.currency_scale
    ) AS money
) AS points
GROUP BY promotion.program, promotion.external_id, program.external_id;

COMMENT ON VIEW loyalty.promotion_performance IS
    'What each promotion has done: in how many orders it had an effect, what it gave, what came back with returned '
    'units, and what that costs. Cancelled orders are left out; points are those of the ledger.';
COMMENT ON COLUMN loyalty.promotion_performance.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotion_performance.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.promotion_performance.name IS 'Its name.';
COMMENT ON COLUMN loyalty.promotion_performance.kind IS 'discount, points or trigger.';
COMMENT ON COLUMN loyalty.promotion_performance.state IS 'draft, active, inactive or ended, as edited.';
COMMENT ON COLUMN loyalty.promotion_performance.orders IS 'Orders in which it had an effect.';
COMMENT ON COLUMN loyalty.promotion_performance.discount IS 'Discount given, in money, as the orders were placed.';
COMMENT ON COLUMN loyalty.promotion_performance.discount_returned IS 'Of this, what came back with returned units.';
COMMENT ON COLUMN loyalty.promotion_performance.points_discount IS
    'Money that points paid as the orders were placed: no cost, for the points were owed before.';
COMMENT ON COLUMN loyalty.promotion_performance.points_discount_returned IS
    'Of this, the share of returned units: the points were given back, or forfeited.';
COMMENT ON COLUMN loyalty.promotion_performance.points IS
    'By point type: points credited, taken_back of these, and deducted (spent or deducted, and not given back).';
COMMENT ON COLUMN loyalty.promotion_performance.points_money IS
    'What the points credited and not taken back are worth by the ratio in force; standard types only.';
COMMENT ON COLUMN loyalty.promotion_performance.cost IS 'discount - discount_returned + points_money.';
COMMENT ON COLUMN loyalty.promotion_performance.currency IS 'Currency of the program.';
COMMENT ON COLUMN loyalty.promotion_performance.as_of IS 'The moment that the figures are of; null: there are none.';
COMMENT ON COLUMN loyalty.promotion_performance.revenue IS
    'Paid for the orders in which it had an effect, less what was given back.';

CREATE OR REPLACE VIEW loyalty.promo_code_use AS
SELECT
    figure.program,
    figure.pool,
    pool.name,
    pool.kind,
    figure.codes,
    figure.created,
    figure.attached,
    figure.activated,
    figure.expired,
    figure.uses,
    figure.orders,
    figure.freed,
    figure.as_of
FROM loyalty_internal.report_figures('promo_code_use'::text) AS figure (
    program loyalty.external_id,
    pool loyalty.external_id,
    codes bigint,
    created bigint,
    attached bigint,
    activated bigint,
    expired bigint,
    uses bigint,
    orders bigint,
    freed bigint,
    as_of timestamptz
)
JOIN loyalty.promo_code_pools AS pool ON pool.program = figure.program AND pool.external_id = figure.pool;

COMMENT ON VIEW loyalty.promo_code_use IS 'How the codes of each pool stand, and how they were used.';
COMMENT ON COLUMN loyalty.promo_code_use.program IS 'The program.';
COMMENT ON COLUMN loyalty.promo_code_use.pool IS 'The pool.';
COMMENT ON COLUMN loyalty.promo_code_use.name IS 'Its name.';
COMMENT ON COLUMN loyalty.promo_code_use.kind IS 'personal or universal.';
COMMENT ON COLUMN loyalty.promo_code_use.codes IS 'Its codes.';
COMMENT ON COLUMN loyalty.promo_code_use.created IS 'Of these, free to be attached or used.';
COMMENT ON COLUMN loyalty.promo_code_use.attached IS 'Of these, attached to a profile and not used up.';
COMMENT ON COLUMN loyalty.promo_code_use.activated IS 'Of these, used as often as they may be.';
COMMENT ON COLUMN loyalty.promo_code_use.expired IS 'Of these, expired.';
COMMENT ON COLUMN loyalty.promo_code_use.uses IS 'Uses that count.';
COMMENT ON COLUMN loyalty.promo_code_use.orders IS 'Of these, uses by an order.';
COMMENT ON COLUMN loyalty.promo_code_use.freed IS 'Uses that were freed, since nothing is left of their order.';
COMMENT ON COLUMN loyalty.promo_code_use.as_of IS 'The moment that the figures are of.';

CREATE OR REPLACE VIEW loyalty.partner_turnover AS
SELECT
    figure.program,
    figure.partner,
    partner.name,
    figure.month,
    figure.orders,
    figure.units,
    figure.base,
    figure.discount,
    figure.points_discount,
    figure.refunded,
    figure.turnover,
    program.currency,
    figure.as_of
FROM loyalty_internal.report_figures('partner_turnover'::text) AS figure (
    program loyalty.external_id,
    partner loyalty.external_id,
    month date,
    orders bigint,
    units numeric,
    base numeric,
    discount numeric,
    points_discount numeric,
    refunded numeric,
    turnover numeric,
    as_of timestamptz
)
JOIN loyalty.partners AS partner ON partner.program = figure.program AND partner.external_id = figure.partner
JOIN loyalty.programs AS program ON program.external_id = figure.program;

COMMENT ON VIEW loyalty.partner_turnover IS
    'What was sold of the products of each partner, by month; products are the partner''s whose terms name them now.';
COMMENT ON COLUMN loyalty.partner_turnover.program IS 'The program.';
COMMENT ON COLUMN loyalty.partner_turnover.partner IS 'The partner.';
COMMENT ON COLUMN loyalty.partner_turnover.name IS 'Its name.';
COMMENT ON COLUMN loyalty.partner_turnover.month IS 'First day of the month of the orders'' time.';
COMMENT ON COLUMN loyalty.partner_turnover.orders IS 'Orders with a product of the partner.';
COMMENT ON COLUMN loyalty.partner_turnover.units IS 'Units sold and not returned.';
COMMENT ON COLUMN loyalty.partner_turnover.base IS 'Money at base prices, of all units sold.';
COMMENT ON COLUMN loyalty.partner_turnover.discount IS 'Discount on these.';
COMMENT ON COLUMN loyalty.partner_turnover.points_discount IS 'Money that points paid.';
COMMENT ON COLUMN loyalty.partner_turnover.refunded IS 'Money given back for returned units.';
COMMENT ON COLUMN loyalty.partner_turnover.turnover IS 'Money paid for them, less what was given back.';
COMMENT ON COLUMN loyalty.partner_turnover.currency IS 'Currency of the program.';
COMMENT ON COLUMN loyalty.partner_turnover.as_of IS 'The moment that the figures are of.';

-- Counted when it is read: a row of a member and a tier group is short.
CREATE OR REPLACE VIEW loyalty.tier_distribution AS
SELECT
    tier_group.program,
    tier_group.external_id AS tier_group,
    rung.tier,
    rung.name,
    rung.position,
    rung.members,
    round(100.0 * rung.members / nullif(enrolled.members, 0), 2) AS percent
FROM loyalty.tier_groups AS tier_group
LEFT JOIN (
    SELECT program, count(*) AS members
    FROM loyalty.members
    WHERE removed_at IS NULL
    GROUP BY 1
) AS enrolled ON enrolled.program = tier_group.program
LEFT JOIN (
    SELECT program, tier_group, jsonb_object_agg(tier, members) AS members, sum(members)::bigint AS holders
    FROM (
        SELECT program, tier_group, tier, count(*) AS members
        FROM loyalty.member_tiers
        WHERE tier IS NOT NULL
        GROUP BY 1, 2, 3
    ) AS counted
    GROUP BY 1, 2
) AS held ON held.program = tier_group.program AND held.tier_group = tier_group.external_id
CROSS JOIN LATERAL (
    SELECT
        tier.external_id AS tier,
        tier.name,
        tier.position,
        coalesce((held.members ->> tier.external_id)::bigint, 0) AS members
    FROM loyalty.tiers AS tier
    WHERE tier.program = tier_group.program
        AND tier.tier_group = tier_group.external_id
    UNION ALL
    SELECT NULL, NULL, NULL, coalesce(enrolled.members, 0) - coalesce(held.holders, 0)
) AS rung;

COMMENT ON VIEW loyalty.tier_distribution IS
    'How many members hold which tier of each group, as it was judged last, and how many hold none.';
COMMENT ON COLUMN loyalty.tier_distribution.program IS 'The program.';
COMMENT ON COLUMN loyalty.tier_distribution.tier_group IS 'The tier group.';
COMMENT ON COLUMN loyalty.tier_distribution.tier IS 'The tier; null: none.';
COMMENT ON COLUMN loyalty.tier_distribution.name IS 'Its name; null: none.';
COMMENT ON COLUMN loyalty.tier_distribution.position IS 'Its position, 0 for the lowest; null: no tier.';
COMMENT ON COLUMN loyalty.tier_distribution.members IS 'Present members who hold it.';
COMMENT ON COLUMN loyalty.tier_distribution.percent IS 'The same as a percentage of the program''s present members.';

CREATE OR REPLACE VIEW loyalty.daily_points AS
SELECT
    figure.program,
    figure.day,
    figure.point_type,
    figure.earned,
    figure.spent,
    figure.taken_back,
    figure.expired,
    figure.active,
    figure.outstanding,
    round(figure.outstanding / coalesce(point_type.applied_ratio, point_type.ratio), program.currency_scale)
        AS liability,
    program.currency,
    figure.as_of
FROM loyalty_internal.report_figures('daily_activity'::text) AS figure (
    program loyalty.external_id,
    day date,
    point_type text,
    new_members bigint,
    lost_members bigint,
    members bigint,
    orders bigint,
    revenue numeric,
    discount numeric,
    earned numeric,
    spent numeric,
    taken_back numeric,
    expired numeric,
    active numeric,
    outstanding numeric,
    as_of timestamptz
)
JOIN loyalty.point_types AS point_type
    ON point_type.program = figure.program AND point_type.external_id = figure.point_type
JOIN loyalty.programs AS program ON program.external_id = figure.program;

COMMENT ON VIEW loyalty.daily_points IS
    'What became of points, day by day, in the program''s time zone; standard point types.';
COMMENT ON COLUMN loyalty.daily_points.program IS 'The program.';
COMMENT ON COLUMN loyalty.daily_points.day IS 'The day, in the program''s time zone.';
COMMENT ON COLUMN loyalty.daily_points.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.daily_points.earned IS 'Points credited.';
COMMENT ON COLUMN loyalty.daily_points.spent IS 'Points spent, less those given back.';
COMMENT ON COLUMN loyalty.daily_points.taken_back IS 'Points taken back.';
COMMENT ON COLUMN loyalty.daily_points.expired IS 'Points expired.';
COMMENT ON COLUMN loyalty.daily_points.active IS 'Points at the day''s end, less those not active yet.';
COMMENT ON COLUMN loyalty.daily_points.outstanding IS 'Points at the day''s end.';
COMMENT ON COLUMN loyalty.daily_points.liability IS 'What these are worth by the ratio in force now.';
COMMENT ON COLUMN loyalty.daily_points.currency IS 'Currency of the program.';
COMMENT ON COLUMN loyalty.daily_points.as_of IS 'The moment that the figures are of.';

-- Points of several types add up in money only.
CREATE OR REPLACE VIEW loyalty.daily_activity AS
SELECT
    figure.program,
    figure.day,
    sum(figure.new_members)::bigint AS new_members,
    sum(figure.lost_members)::bigint AS lost_members,
    sum(figure.members)::bigint AS members,
    sum(figure.orders)::bigint AS orders,
    sum(figure.revenue) AS revenue,
    sum(figure.discount) AS discount,
    coalesce(sum(round(figure.earned / worth.ratio, program.currency_scale)), 0) AS earned,
    coalesce(sum(round(figure.spent / worth.ratio, program.currency_scale)), 0) AS spent,
    coalesce(sum(round(figure.expired / worth.ratio, program.currency_scale)), 0) AS expired,
    coalesce(sum(round(figure.active / worth.ratio, program.currency_scale)), 0) AS active_points,
    coalesce(sum(round(figure.outstanding / worth.ratio, program.currency_scale)), 0) AS liability,
    program.currency,
    max(figure.as_of) AS as_of
FROM loyalty_internal.report_figures('daily_activity'::text) AS figure (
    program loyalty.external_id,
    day date,
    point_type text,
    new_members bigint,
    lost_members bigint,
    members bigint,
    orders bigint,
    revenue numeric,
    discount numeric,
    earned numeric,
    spent numeric,
    taken_back numeric,
    expired numeric,
    active numeric,
    outstanding numeric,
    as_of timestamptz
)
JOIN loyalty.programs AS program ON program.external_id = figure.program
LEFT JOIN loyalty.point_types AS point_type
    ON point_type.program = figure.program AND point_type.external_id = figure.point_type
CROSS JOIN LATERAL (SELECT coalesce(point_type.applied_ratio, point_type.ratio) AS ratio) AS worth
GROUP BY figure.program, figure.day, program.external_id;

COMMENT ON VIEW loyalty.daily_activity IS
    'A line a day: members, orders, and what became of points, in money by the ratio in force now; '
    'loyalty.daily_points has the points of each type.';
COMMENT ON COLUMN loyalty.daily_activity.program IS 'The program.';
COMMENT ON COLUMN loyalty.daily_activity.day IS
    'The day, in the program''s time zone; what was before 1970 counts on its first day.';
COMMENT ON COLUMN loyalty.daily_activity.new_members IS 'Members registered on the day.';
COMMENT ON COLUMN loyalty.daily_activity.lost_members IS 'Members removed on the day, and not enrolled again.';
COMMENT ON COLUMN loyalty.daily_activity.members IS 'Members at its end.';
COMMENT ON COLUMN loyalty.daily_activity.orders IS 'Orders of the day, cancelled ones left out.';
COMMENT ON COLUMN loyalty.daily_activity.revenue IS 'Money paid for orders of the day, less what was given back since.';
COMMENT ON COLUMN loyalty.daily_activity.discount IS 'Reductions of these orders, as they were placed.';
COMMENT ON COLUMN loyalty.daily_activity.earned IS 'What the points credited are worth, in money.';
COMMENT ON COLUMN loyalty.daily_activity.spent IS 'What the points spent are worth, less those given back, in money.';
COMMENT ON COLUMN loyalty.daily_activity.expired IS 'What the points that expired were worth, in money.';
COMMENT ON COLUMN loyalty.daily_activity.active_points IS
    'What the points are worth that could be spent at the day''s end, in money.';
COMMENT ON COLUMN loyalty.daily_activity.liability IS 'What all points are worth at the day''s end, in money.';
COMMENT ON COLUMN loyalty.daily_activity.currency IS 'Currency of the program.';
COMMENT ON COLUMN loyalty.daily_activity.as_of IS 'The moment that the figures are of.';

CREATE OR REPLACE VIEW loyalty.member_growth AS
SELECT
    activity.program,
    date_trunc('month', activity.day)::date AS month,
    sum(activity.new_members)::bigint AS new_members,
    sum(activity.lost_members)::bigint AS lost_members,
    (array_agg(activity.members ORDER BY activity.day DESC))[1] AS members,
    max(activity.as_of) AS as_of
FROM loyalty.daily_activity AS activity
GROUP BY 1, 2;

COMMENT ON VIEW loyalty.member_growth IS 'Members who came and went, by month in the program''s time zone.';
COMMENT ON COLUMN loyalty.member_growth.program IS 'The program.';
COMMENT ON COLUMN loyalty.member_growth.month IS 'First day of the month.';
COMMENT ON COLUMN loyalty.member_growth.new_members IS 'Members registered in it.';
COMMENT ON COLUMN loyalty.member_growth.lost_members IS 'Members removed in it, and not enrolled again.';
COMMENT ON COLUMN loyalty.member_growth.members IS 'Members at its end, or now.';
COMMENT ON COLUMN loyalty.member_growth.as_of IS 'The moment that the figures are of.';

CREATE OR REPLACE VIEW loyalty.promotion_points AS
SELECT
    performance.program,
    performance.promotion,
    performance.name,
    earned.point_type,
    (earned.figures ->> 'credited')::numeric AS credited,
    (earned.figures ->> 'taken_back')::numeric AS taken_back,
    (earned.figures ->> 'deducted')::numeric AS deducted,
    performance.as_of
FROM loyalty.promotion_performance AS performance
CROSS JOIN LATERAL jsonb_each(performance.points) AS earned (point_type, figures);

COMMENT ON VIEW loyalty.promotion_points IS
    'The points of loyalty.promotion_performance in plain columns, a row for each point type.';
COMMENT ON COLUMN loyalty.promotion_points.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotion_points.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.promotion_points.name IS 'Its name.';
COMMENT ON COLUMN loyalty.promotion_points.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.promotion_points.credited IS 'Points credited.';
COMMENT ON COLUMN loyalty.promotion_points.taken_back IS 'Of these, points taken back.';
COMMENT ON COLUMN loyalty.promotion_points.deducted IS 'Points deducted or spent, and not given back.';
COMMENT ON COLUMN loyalty.promotion_points.as_of IS 'The moment that the figures are of.';
