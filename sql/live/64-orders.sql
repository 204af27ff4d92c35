-- Orders are changed by functions only.

DO $do$
DECLARE
    guarded text;
BEGIN
    FOREACH guarded IN ARRAY ARRAY[
        'order_ids', 'orders', 'order_lines', 'order_operations', 'order_points', 'order_accruals', 'order_returns',
        'order_return_lines', 'promotion_counters', 'promotion_uses', 'trigger_uses'
    ]
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON loyalty.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_orders_trigger()',
            guarded
        );
        EXECUTE format(
            'COMMENT ON TRIGGER refuse_change ON loyalty.%I IS %L', guarded, 'Orders are changed by functions only.'
        );
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON loyalty.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_orders_trigger()',
            guarded
        );
        EXECUTE format(
            'COMMENT ON TRIGGER refuse_truncate ON loyalty.%I IS %L', guarded, 'Rows are never deleted.'
        );
    END LOOP;
END
$do$;

-- What a promotion gave to the units of an order that are left: of each operation its figure less the share of the units that
-- came back, which is rounded as what is given back of a line is. What raised a price counts as nothing where it would count
-- against a budget.
CREATE OR REPLACE VIEW loyalty.promotion_effects AS
SELECT
    operation.buyer,
    operation.program,
    operation.order_id,
    operation.promotion,
    sum(greatest(kept.discount, 0) + kept.points_discount) AS money,
    sum(
        CASE
            WHEN operation.line IS NULL THEN
                CASE WHEN gone.is_gone THEN 0 ELSE figure.points END
            ELSE figure.points - round(figure.points * line.returned / line.quantity, coalesce(point_type.scale, 0))
        END
    ) AS points,
    sum(kept.discount) AS discount,
    sum(kept.points_discount) AS points_discount
FROM loyalty.order_operations AS operation
JOIN loyalty.orders AS o
    ON o.buyer = operation.buyer AND o.program = operation.program AND o.external_id = operation.order_id
JOIN loyalty.programs AS program ON program.external_id = operation.program
LEFT JOIN loyalty.order_lines AS line
    ON line.buyer = operation.buyer
    AND line.program = operation.program
    AND line.order_id = operation.order_id
    AND line.line = operation.line
LEFT JOIN loyalty.point_types AS point_type
    ON point_type.program = operation.program AND point_type.external_id = operation.point_type
JOIN (
    SELECT sold.buyer, sold.program, sold.order_id, bool_and(sold.returned = sold.quantity) AS is_gone
    FROM loyalty.order_lines AS sold
    GROUP BY sold.buyer, sold.program, sold.order_id
) AS gone ON gone.buyer = operation.buyer AND gone.program = operation.program AND gone.order_id = operation.order_id
CROSS JOIN LATERAL (
    SELECT
        coalesce(operation.discount, 0) AS discount,
        coalesce(operation.points_discount, 0) AS points_discount,
        coalesce(operation.accrued, 0) AS points,
        CASE WHEN operation.target = 'line' THEN line.returned ELSE o.shipping_refunded::integer END AS returned,
        CASE WHEN operation.target = 'line' THEN line.quantity ELSE 1 END AS quantity
) AS figure
CROSS JOIN LATERAL (
    SELECT
        figure.discount
        - round(figure.discount * figure.returned / figure.quantity, program.currency_scale) AS discount,
        figure.points_discount
        - round(figure.points_discount * figure.returned / figure.quantity, program.currency_scale) AS points_discount
) AS kept
GROUP BY operation.buyer, operation.program, operation.order_id, operation.promotion;

COMMENT ON VIEW loyalty.promotion_effects IS
    'What each promotion gave to the units of each order that are left: what counts against its budgets.';
COMMENT ON COLUMN loyalty.promotion_effects.buyer IS
    'The buyer: m: and the profile''s key, or g: and the order''s external id.';
COMMENT ON COLUMN loyalty.promotion_effects.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotion_effects.order_id IS 'The order.';
COMMENT ON COLUMN loyalty.promotion_effects.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.promotion_effects.money IS 'Money that it took off their prices and off the shipping.';
COMMENT ON COLUMN loyalty.promotion_effects.points IS 'Points that it accrued for them, waiting ones too.';
COMMENT ON COLUMN loyalty.promotion_effects.discount IS
    'Discount among the money; less what roundings have raised, which does not make money less.';
COMMENT ON COLUMN loyalty.promotion_effects.points_discount IS 'Money among it that points paid.';
