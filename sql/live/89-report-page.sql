-- What the page of reports shows of orders.

CREATE OR REPLACE VIEW loyalty.order_effects AS
SELECT
    effect.program,
    effect.order_id,
    effect.promotion,
    promotion.name,
    min(effect.number) AS number,
    coalesce(sum(effect.discount), 0) AS discount,
    coalesce(sum(effect.points_discount), 0) AS points_discount,
    coalesce(sum(effect.accrued), 0) AS points,
    earned.point_type
FROM loyalty.order_operations AS effect
JOIN loyalty.promotions AS promotion
    ON promotion.program = effect.program AND promotion.external_id = effect.promotion
CROSS JOIN LATERAL (SELECT CASE WHEN effect.accrued > 0 THEN effect.point_type END AS point_type) AS earned
GROUP BY effect.buyer, effect.program, effect.order_id, effect.promotion, promotion.name, earned.point_type;

COMMENT ON VIEW loyalty.order_effects IS
    'What each promotion did in each order, as the order was placed: a row for its money, and one for each point type '
    'earned.';
COMMENT ON COLUMN loyalty.order_effects.program IS 'The program.';
COMMENT ON COLUMN loyalty.order_effects.order_id IS 'External id of the order.';
COMMENT ON COLUMN loyalty.order_effects.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.order_effects.name IS 'Its name.';
COMMENT ON COLUMN loyalty.order_effects.number IS 'Its place among the effects of the order.';
COMMENT ON COLUMN loyalty.order_effects.discount IS 'Reduction in money.';
COMMENT ON COLUMN loyalty.order_effects.points_discount IS 'Money that points paid.';
COMMENT ON COLUMN loyalty.order_effects.points IS 'Points earned.';
COMMENT ON COLUMN loyalty.order_effects.point_type IS 'The point type of these; null: none were earned.';

CREATE OR REPLACE VIEW loyalty.order_list AS
SELECT
    placed.program,
    placed.external_id,
    placed.member,
    placed."time",
    placed.status,
    placed.base,
    placed.discount,
    placed.points_discount,
    placed.total,
    placed.refunded,
    program.currency
FROM loyalty.orders AS placed
JOIN loyalty.programs AS program ON program.external_id = placed.program;

COMMENT ON VIEW loyalty.order_list IS 'Orders, each with its money.';
COMMENT ON COLUMN loyalty.order_list.program IS 'The program.';
COMMENT ON COLUMN loyalty.order_list.external_id IS 'External id of the order.';
COMMENT ON COLUMN loyalty.order_list.member IS 'Key of the buyer''s profile; null: an anonymous guest.';
COMMENT ON COLUMN loyalty.order_list."time" IS 'When it was made.';
COMMENT ON COLUMN loyalty.order_list.status IS 'Its status.';
COMMENT ON COLUMN loyalty.order_list.base IS 'Goods and shipping before any benefit, in money.';
COMMENT ON COLUMN loyalty.order_list.discount IS 'Reductions in money.';
COMMENT ON COLUMN loyalty.order_list.points_discount IS 'Money that was paid with points.';
COMMENT ON COLUMN loyalty.order_list.total IS 'What was to pay in money.';
COMMENT ON COLUMN loyalty.order_list.refunded IS 'Of this, what was given back.';
COMMENT ON COLUMN loyalty.order_list.currency IS 'Currency of the program.';
