-- Orders are written by functions only.

DO $do$
DECLARE
    guarded regclass;
BEGIN
    FOR guarded IN
        SELECT part.name
        FROM unnest(
            '{order_ids,orders,order_lines,order_promotions,order_points,order_accruals,order_returns}'::text[]
            || '{order_return_lines,buyers,promotion_counters,promotion_uses,trigger_uses}'::text[]
        ) AS listed (name)
        CROSS JOIN LATERAL loyalty_internal.parts_of(listed.name) AS part (name)
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER refuse_change BEFORE INSERT OR UPDATE OR DELETE ON %s '
            'FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.orders_trigger()',
            guarded
        );
        EXECUTE format(
            'COMMENT ON TRIGGER refuse_change ON %s IS %L', guarded, 'Orders are written by functions only.'
        );
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON %s '
            'FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.orders_trigger()',
            guarded
        );
        EXECUTE format(
            'COMMENT ON TRIGGER refuse_truncate ON %s IS %L', guarded, 'Rows are never deleted.'
        );
    END LOOP;
END
$do$;

-- Whether an order stands says its status, and what a buyer has ordered is counted by that.
CREATE OR REPLACE TRIGGER validate_kind
    BEFORE UPDATE OF kind ON loyalty.order_statuses
    FOR EACH ROW WHEN ((OLD.kind IN ('cancelled', 'refunded')) <> (NEW.kind IN ('cancelled', 'refunded')))
    EXECUTE FUNCTION loyalty_internal.order_statuses_trigger();
COMMENT ON TRIGGER validate_kind ON loyalty.order_statuses
    IS 'Orders do not come or go by another kind of their status.';

-- Keys of an operation that are columns; what else there is are its details.
CREATE OR REPLACE VIEW loyalty.order_operations AS
SELECT
    placed.buyer,
    placed.program,
    placed.external_id AS order_id,
    operation.number::integer AS number,
    (operation.body ->> 'promotion')::loyalty.external_id AS promotion,
    operation.body ->> 'promotion_type' AS promotion_type,
    operation.body ->> 'benefit' AS benefit,
    operation.body ->> 'level' AS level,
    coalesce(operation.body ->> 'target', 'line') AS target,
    operation.body ->> 'line' AS line,
    (operation.body ->> 'discount')::numeric AS discount,
    (operation.body ->> 'points_discount')::numeric AS points_discount,
    (operation.body ->> 'points')::loyalty.external_id AS point_type,
    (operation.body ->> 'spent')::numeric AS spent,
    coalesce(operation.body ->> 'accrued', operation.body ->> 'pending')::numeric AS accrued,
    (operation.body ->> 'cut')::numeric AS cut,
    nullif(
        operation.body
        - '{promotion,promotion_name,promotion_type,benefit,level,target,line,product,discount,points_discount}'::text[]
        - '{points,spent,accrued,pending,cut,credit_on,delay}'::text[],
        '{}'
    ) AS details
FROM loyalty.orders AS placed
CROSS JOIN LATERAL jsonb_array_elements(placed.result -> 'operations') WITH ORDINALITY AS operation (body, number);

COMMENT ON VIEW loyalty.order_operations IS
    'What each benefit did to each line of an order, its shipping or the order: the operations of its result.';
COMMENT ON COLUMN loyalty.order_operations.buyer IS 'The order''s buyer.';
COMMENT ON COLUMN loyalty.order_operations.program IS 'The program.';
COMMENT ON COLUMN loyalty.order_operations.order_id IS 'External id of the order.';
COMMENT ON COLUMN loyalty.order_operations.number IS 'Number in the order, from 1, as they took effect.';
COMMENT ON COLUMN loyalty.order_operations.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.order_operations.promotion_type IS 'Its kind: discount or points.';
COMMENT ON COLUMN loyalty.order_operations.benefit IS 'The benefit, such as discount.';
COMMENT ON COLUMN loyalty.order_operations.level IS 'product or order: the level of the benefit.';
COMMENT ON COLUMN loyalty.order_operations.target IS 'line, shipping or order: what it did something to.';
COMMENT ON COLUMN loyalty.order_operations.line IS 'The line, where that is the target; otherwise null.';
COMMENT ON COLUMN loyalty.order_operations.discount
    IS 'Reduction in money, below 0 where it raised the price; null: none.';
COMMENT ON COLUMN loyalty.order_operations.points_discount IS 'Money paid with points; null: none.';
COMMENT ON COLUMN loyalty.order_operations.point_type IS 'Type of the points spent or accrued; otherwise null.';
COMMENT ON COLUMN loyalty.order_operations.spent
    IS 'Points spent, as this operation''s increment of the order''s; null: none.';
COMMENT ON COLUMN loyalty.order_operations.accrued IS 'Points accrued, at once or later; null: none.';
COMMENT ON COLUMN loyalty.order_operations.cut IS 'What a limit kept from being applied, in money; null: nothing.';
COMMENT ON COLUMN loyalty.order_operations.details IS 'What else the result says of it, such as a text; null: nothing.';

-- What a promotion gave to the units of an order that are left: of each operation its figure less the share of the
-- units that came back, which is rounded as what is given back of a line is. What raised a price counts as nothing
-- where it would count against a budget.
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
    sum(kept.points_discount) AS points_discount,
    sum(figure.discount) AS given_discount,
    sum(figure.points_discount) AS given_points_discount
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
    SELECT sold.buyer, sold.program, sold.order_id, bool_and(sold.returned = sold.quantity OR sold.gift) AS is_gone
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
COMMENT ON COLUMN loyalty.promotion_effects.given_discount IS 'Discount for all units of the order as it was placed.';
COMMENT ON COLUMN loyalty.promotion_effects.given_points_discount IS 'Money that points paid of all these.';

-- An order as it stands now: what was stored when it was placed, and what became of it since.
CREATE OR REPLACE VIEW loyalty.order_documents AS
SELECT
    placed.buyer,
    placed.program,
    placed.external_id,
    jsonb_strip_nulls(jsonb_build_object(
        'external_id', placed.external_id,
        'program', placed.program,
        'member', placed.member,
        'origin', placed.origin,
        'status', placed.status,
        'status_name', status.name,
        'time', placed."time" AT TIME ZONE program.time_zone,
        'placed_at', placed.placed_at AT TIME ZONE program.time_zone,
        'time_zone', program.time_zone,
        'currency', program.currency,
        'version', placed.version,
        'channel', placed.channel,
        'contact_point', placed.contact_point,
        'region', placed.region,
        'totals', jsonb_build_object(
            'base', placed.base,
            'discount', placed.discount,
            'points_discount', placed.points_discount,
            'total', placed.total,
            'refunded', placed.refunded
        ),
        'shipping', jsonb_build_object(
            'base', placed.shipping_base,
            'discount', placed.shipping_discount,
            'points_discount', placed.shipping_points_discount,
            'total', placed.shipping_total,
            'refunded', placed.shipping_refunded
        ),
        'fields', placed.request -> 'fields'
    ))
    || jsonb_build_object(
        'lines', (
            SELECT coalesce(
                jsonb_agg(
                    jsonb_strip_nulls(jsonb_build_object(
                        'id', line.line,
                        'product', line.product,
                        'product_name', told.line -> 'product_name',
                        'quantity', line.quantity,
                        'returned', line.returned,
                        'base_price', line.price,
                        'base', line.base,
                        'discount', line.discount,
                        'points_discount', line.points_discount,
                        'allotted', line.allotted,
                        'total', line.total,
                        'refunded', line.refunded,
                        'status', line.status,
                        'gift', nullif(line.gift, false)
                    ))
                    ORDER BY line.position
                ),
                '[]'
            )
            FROM loyalty.order_lines AS line
            LEFT JOIN LATERAL (
                SELECT element.line
                FROM jsonb_array_elements(placed.result -> 'lines') AS element (line)
                WHERE element.line ->> 'id' = line.line
                LIMIT 1
            ) AS told ON true
            WHERE line.buyer = placed.buyer
                AND line.program = placed.program
                AND line.order_id = placed.external_id
        ),
        -- Nobody is told more of an erased order than its figures.
        'operations', coalesce(CASE WHEN placed.request IS NOT NULL THEN placed.result -> 'operations' END, '[]'),
        'texts', coalesce(placed.result -> 'texts', '[]'),
        'promo_codes', coalesce(placed.result -> 'promo_codes', '[]'),
        'issued', coalesce(placed.confirmation -> 'issued', '[]'),
        'points', (
            SELECT coalesce(
                jsonb_agg(
                    jsonb_strip_nulls(jsonb_build_object(
                        'points', accrual.point_type,
                        'promotion', accrual.promotion,
                        'line', accrual.line,
                        'earned', accrual.points,
                        'state', accrual.state,
                        'credit_on', accrual.credit_on,
                        'dropped', nullif(accrual.dropped, 0),
                        'taken_back', nullif(accrual.taken_back, 0)
                    ))
                    ORDER BY accrual.number
                ),
                '[]'
            )
            FROM loyalty.order_accruals AS accrual
            WHERE accrual.buyer = placed.buyer
                AND accrual.program = placed.program
                AND accrual.order_id = placed.external_id
        ),
        'spent', (
            SELECT coalesce(
                jsonb_agg(
                    jsonb_strip_nulls(jsonb_build_object(
                        'points', payment.point_type,
                        'line', payment.line,
                        'spent', payment.points,
                        'money', payment.money,
                        'refunded', nullif(payment.refunded, 0),
                        'forfeited', nullif(payment.forfeited, 0)
                    ))
                    ORDER BY payment.number
                ),
                '[]'
            )
            FROM loyalty.order_points AS payment
            WHERE payment.buyer = placed.buyer
                AND payment.program = placed.program
                AND payment.order_id = placed.external_id
        ),
        'returns', (
            SELECT coalesce(
                jsonb_agg(
                    jsonb_strip_nulls(jsonb_build_object(
                        'external_id', given_back.external_id,
                        'kind', given_back.kind,
                        'money', given_back.money,
                        'shipping', given_back.shipping,
                        'created_at', given_back.created_at AT TIME ZONE program.time_zone
                    ))
                    ORDER BY given_back.number
                ),
                '[]'
            )
            FROM loyalty.order_returns AS given_back
            WHERE given_back.buyer = placed.buyer
                AND given_back.program = placed.program
                AND given_back.order_id = placed.external_id
        )
    ) AS document
FROM loyalty.orders AS placed
JOIN loyalty.programs AS program ON program.external_id = placed.program
JOIN loyalty.order_statuses AS status ON status.external_id = placed.status;

COMMENT ON VIEW loyalty.order_documents IS
    'Orders as they stand now, each a JSON document: what loyalty_order() answers with.';
COMMENT ON COLUMN loyalty.order_documents.buyer IS
    'The buyer: m: and the profile''s key, or g: and the order''s external id.';
COMMENT ON COLUMN loyalty.order_documents.program IS 'The program.';
COMMENT ON COLUMN loyalty.order_documents.external_id IS 'External id of the order.';
COMMENT ON COLUMN loyalty.order_documents.document IS 'The order; times by the clock of the program''s time zone.';
