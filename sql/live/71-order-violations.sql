-- What loyalty_verify() returns of orders: each invariant that they do not obey, recomputed from the rows alone.
--
-- What has been given back of a figure must be the figure's share of the units that came back, to half of a smallest
-- unit: written without division, which would have to be rounded itself.

CREATE OR REPLACE VIEW loyalty.order_violations AS
WITH line_sums AS (
    SELECT
        line.buyer,
        line.program,
        line.order_id,
        sum(line.base) AS base,
        sum(line.discount) AS discount,
        sum(line.points_discount) AS points_discount,
        sum(line.total) AS total,
        sum(line.refunded) AS refunded,
        bool_and(line.returned = line.quantity OR line.gift) AS is_gone
    FROM loyalty.order_lines AS line
    GROUP BY line.buyer, line.program, line.order_id
),
target_sums AS (
    SELECT
        operation.buyer,
        operation.program,
        operation.order_id,
        operation.line,
        coalesce(sum(operation.discount), 0) AS discount,
        coalesce(sum(operation.points_discount), 0) AS points_discount
    FROM loyalty.order_operations AS operation
    GROUP BY operation.buyer, operation.program, operation.order_id, operation.line
),
paid AS (
    SELECT
        part.program,
        part.member,
        part.point_type,
        part.seq,
        min(part.order_id) AS order_id,
        sum(part.points) AS points,
        sum(part.refunded) AS refunded
    FROM loyalty.order_points AS part
    WHERE part.seq IS NOT NULL
    GROUP BY part.program, part.member, part.point_type, part.seq
),
earned AS (
    SELECT
        accrual.program,
        accrual.member,
        accrual.point_type,
        accrual.seq,
        min(accrual.order_id) AS order_id,
        sum(accrual.points - accrual.dropped) AS points,
        sum(accrual.taken_back) AS taken_back
    FROM loyalty.order_accruals AS accrual
    WHERE accrual.seq IS NOT NULL
    GROUP BY accrual.program, accrual.member, accrual.point_type, accrual.seq
),
undone AS (
    SELECT
        entry.program,
        entry.member,
        entry.point_type,
        entry.undoes,
        sum(abs(entry.value) + greatest(entry.owed, 0) + entry.lapsed) AS amount
    FROM loyalty.all_transactions AS entry
    WHERE entry.undoes IS NOT NULL
    GROUP BY entry.program, entry.member, entry.point_type, entry.undoes
)

SELECT
    'order_has_its_id' AS invariant,
    o.program::text AS program,
    o.member,
    NULL::text AS point_type,
    NULL::bigint AS seq,
    format('order "%s" is that of "%s", its id is kept for "%s"', o.external_id, o.buyer, id.buyer) AS detail
FROM loyalty.orders AS o
LEFT JOIN loyalty.order_ids AS id ON id.external_id = o.external_id AND id.program = o.program
WHERE id.buyer IS DISTINCT FROM o.buyer

UNION ALL
SELECT
    'order_id_has_its_order', id.program, NULL, NULL, NULL, format('there is no order "%s"', id.external_id)
FROM loyalty.order_ids AS id
WHERE NOT EXISTS (
    SELECT
    FROM loyalty.orders AS o
    WHERE o.buyer = id.buyer AND o.program = id.program AND o.external_id = id.external_id
)

UNION ALL
SELECT
    'order_is_sum_of_its_lines', o.program, o.member, NULL, NULL,
    format(
        'order "%s": base, discount, points_discount, total, refunded are %s, %s, %s, %s, %s; of lines and shipping '
        '%s, %s, %s, %s, %s',
        o.external_id, o.base, o.discount, o.points_discount, o.total, o.refunded,
        coalesce(line.base, 0) + o.shipping_base, coalesce(line.discount, 0) + o.shipping_discount,
        coalesce(line.points_discount, 0) + o.shipping_points_discount, coalesce(line.total, 0) + o.shipping_total,
        coalesce(line.refunded, 0) + CASE WHEN o.shipping_refunded THEN o.shipping_total ELSE 0 END
    )
FROM loyalty.orders AS o
LEFT JOIN line_sums AS line
    ON line.buyer = o.buyer AND line.program = o.program AND line.order_id = o.external_id
WHERE (o.base, o.discount, o.points_discount, o.total, o.refunded) IS DISTINCT FROM (
    line.base + o.shipping_base,
    line.discount + o.shipping_discount,
    line.points_discount + o.shipping_points_discount,
    line.total + o.shipping_total,
    line.refunded + CASE WHEN o.shipping_refunded THEN o.shipping_total ELSE 0 END
)

UNION ALL
SELECT
    'line_is_sum_of_its_operations', line.program, o.member, NULL, NULL,
    format(
        'order "%s", line "%s": discount %s, points_discount %s; of the operations %s, %s',
        line.order_id, line.line, line.discount, line.points_discount,
        coalesce(operation.discount, 0), coalesce(operation.points_discount, 0)
    )
FROM loyalty.order_lines AS line
JOIN loyalty.orders AS o ON o.buyer = line.buyer AND o.program = line.program AND o.external_id = line.order_id
LEFT JOIN target_sums AS operation
    ON operation.buyer = line.buyer
    AND operation.program = line.program
    AND operation.order_id = line.order_id
    AND operation.line = line.line
WHERE o.origin = 'placed'
    AND (line.discount, line.points_discount)
        IS DISTINCT FROM (coalesce(operation.discount, 0), coalesce(operation.points_discount, 0))

UNION ALL
SELECT
    'shipping_is_sum_of_its_operations', o.program, o.member, NULL, NULL,
    format(
        'order "%s": discount %s, points_discount %s; of the operations %s, %s',
        o.external_id, o.shipping_discount, o.shipping_points_discount,
        coalesce(operation.discount, 0), coalesce(operation.points_discount, 0)
    )
FROM loyalty.orders AS o
LEFT JOIN target_sums AS operation
    ON operation.buyer = o.buyer
    AND operation.program = o.program
    AND operation.order_id = o.external_id
    AND operation.line IS NULL
WHERE o.origin = 'placed'
    AND (o.shipping_discount, o.shipping_points_discount)
        IS DISTINCT FROM (coalesce(operation.discount, 0), coalesce(operation.points_discount, 0))

UNION ALL
SELECT
    'money_paid_with_points_is_attributed', o.program, o.member, NULL, NULL,
    format('order "%s": points paid %s, attributed are %s', o.external_id, o.points_discount, coalesce(part.money, 0))
FROM loyalty.orders AS o
LEFT JOIN (
    SELECT order_points.buyer, order_points.program, order_points.order_id, sum(order_points.money) AS money
    FROM loyalty.order_points
    GROUP BY order_points.buyer, order_points.program, order_points.order_id
) AS part ON part.buyer = o.buyer AND part.program = o.program AND part.order_id = o.external_id
WHERE o.points_discount <> coalesce(part.money, 0)

UNION ALL
SELECT
    'line_is_paid_with_a_point_type_once', part.program, min(part.member), part.point_type, NULL,
    format('order "%s", %s: %s rows', part.order_id, coalesce(format('line "%s"', part.line), 'shipping'), count(*))
FROM loyalty.order_points AS part
GROUP BY part.buyer, part.program, part.order_id, part.point_type, part.line
HAVING count(*) > 1

UNION ALL
SELECT
    'points_spent_are_attributed', spent.program, NULL, spent.point_type, NULL,
    format('order "%s": spent were %s, attributed are %s', spent.order_id, spent.spent, spent.attributed)
FROM (
    SELECT
        change.buyer,
        change.program,
        change.order_id,
        change.point_type,
        sum(change.spent) AS spent,
        sum(change.attributed) AS attributed
    FROM (
        SELECT
            operation.buyer, operation.program, operation.order_id, operation.point_type, operation.spent,
            0 AS attributed
        FROM loyalty.order_operations AS operation
        WHERE operation.spent IS NOT NULL
        UNION ALL
        SELECT part.buyer, part.program, part.order_id, part.point_type, 0, part.points
        FROM loyalty.order_points AS part
    ) AS change
    GROUP BY change.buyer, change.program, change.order_id, change.point_type
) AS spent
WHERE spent.spent <> spent.attributed

UNION ALL
SELECT
    'points_spent_are_in_the_ledger', paid.program, paid.member, paid.point_type, paid.seq,
    format(
        'order "%s": spent %s, refunded %s; in the ledger %s, %s',
        paid.order_id, paid.points, paid.refunded, - entry.value, coalesce(undone.amount, 0)
    )
FROM paid
LEFT JOIN loyalty.all_transactions AS entry
    ON entry.member = paid.member
    AND entry.program = paid.program
    AND entry.point_type = paid.point_type
    AND entry.seq = paid.seq
LEFT JOIN undone
    ON undone.member = paid.member
    AND undone.program = paid.program
    AND undone.point_type = paid.point_type
    AND undone.undoes = paid.seq
WHERE (entry.type, entry.source_type, entry.source) IS DISTINCT FROM ('redemption', 'order', paid.order_id)
    OR - entry.value <> paid.points
    OR coalesce(undone.amount, 0) <> paid.refunded

UNION ALL
SELECT
    'points_earned_are_in_the_ledger', earned.program, earned.member, earned.point_type, earned.seq,
    format(
        'order "%s": earned %s, taken back %s; in the ledger %s, %s',
        earned.order_id, earned.points, earned.taken_back, entry.value, coalesce(undone.amount, 0)
    )
FROM earned
LEFT JOIN loyalty.all_transactions AS entry
    ON entry.member = earned.member
    AND entry.program = earned.program
    AND entry.point_type = earned.point_type
    AND entry.seq = earned.seq
LEFT JOIN undone
    ON undone.member = earned.member
    AND undone.program = earned.program
    AND undone.point_type = earned.point_type
    AND undone.undoes = earned.seq
WHERE (entry.type, entry.source_type, entry.source) IS DISTINCT FROM ('accrual', 'order', earned.order_id)
    OR entry.value <> earned.points
    OR coalesce(undone.amount, 0) <> earned.taken_back

UNION ALL
SELECT
    'transaction_has_its_order', entry.program, entry.member, entry.point_type, entry.seq,
    format('no order "%s" knows of the %s', entry.source, entry.type)
FROM loyalty.all_transactions AS entry
LEFT JOIN paid
    ON paid.member = entry.member
    AND paid.program = entry.program
    AND paid.point_type = entry.point_type
    AND paid.seq = entry.seq
LEFT JOIN earned
    ON earned.member = entry.member
    AND earned.program = entry.program
    AND earned.point_type = entry.point_type
    AND earned.seq = entry.seq
WHERE entry.source_type = 'order'
    AND entry.undoes IS NULL
    AND paid.seq IS NULL
    AND earned.seq IS NULL

UNION ALL
SELECT
    'accrual_is_that_of_its_operation', accrual.program, accrual.member, accrual.point_type, accrual.seq,
    format(
        'order "%s", operation %s: %s points of type "%s", not %s of "%s"', accrual.order_id, accrual.number,
        operation.accrued, operation.point_type, accrual.points, accrual.point_type
    )
FROM loyalty.order_accruals AS accrual
LEFT JOIN loyalty.order_operations AS operation
    ON operation.buyer = accrual.buyer
    AND operation.program = accrual.program
    AND operation.order_id = accrual.order_id
    AND operation.number = accrual.number
WHERE (operation.accrued, operation.point_type, operation.line, operation.promotion, operation.level)
    IS DISTINCT FROM (accrual.points, accrual.point_type, accrual.line, accrual.promotion, accrual.level)

UNION ALL
SELECT
    'operation_is_well_formed', operation.program, NULL, operation.point_type, NULL,
    format('order "%s", operation %s', operation.order_id, operation.number)
FROM loyalty.order_operations AS operation
LEFT JOIN loyalty.order_promotions AS kept
    ON kept.program = operation.program AND kept.promotion = operation.promotion
LEFT JOIN loyalty.order_lines AS line
    ON line.buyer = operation.buyer
    AND line.program = operation.program
    AND line.order_id = operation.order_id
    AND line.line = operation.line
WHERE kept.promotion IS NULL
    OR num_nulls(operation.promotion_type, operation.benefit) > 0
    OR (operation.level IN ('product', 'order')) IS NOT TRUE
    OR operation.target NOT IN ('line', 'shipping', 'order')
    OR (operation.target = 'line') <> (line.line IS NOT NULL)
    OR (operation.line IS NULL) <> (line.line IS NULL)
    OR num_nonnulls(operation.spent, operation.accrued) > 0 AND operation.point_type IS NULL
    OR num_nonnulls(operation.spent, operation.accrued) > 1
    OR NOT (operation.spent >= 0 AND operation.spent < 'Infinity')

UNION ALL
SELECT
    'line_is_sum_of_its_returns', line.program, o.member, NULL, NULL,
    format(
        'order "%s", line "%s": returned %s, refunded %s; by the returns %s, %s', line.order_id, line.line,
        line.returned, line.refunded, coalesce(part.quantity, 0), coalesce(part.money, 0)
    )
FROM loyalty.order_lines AS line
JOIN loyalty.orders AS o ON o.buyer = line.buyer AND o.program = line.program AND o.external_id = line.order_id
LEFT JOIN (
    SELECT
        return_line.buyer,
        return_line.program,
        return_line.order_id,
        return_line.line,
        sum(return_line.quantity) AS quantity,
        sum(return_line.money) AS money
    FROM loyalty.order_return_lines AS return_line
    GROUP BY return_line.buyer, return_line.program, return_line.order_id, return_line.line
) AS part
    ON part.buyer = line.buyer
    AND part.program = line.program
    AND part.order_id = line.order_id
    AND part.line = line.line
WHERE (line.returned, line.refunded) IS DISTINCT FROM (coalesce(part.quantity, 0), coalesce(part.money, 0))

UNION ALL
SELECT
    'order_is_sum_of_its_returns', o.program, o.member, NULL, NULL,
    format(
        'order "%s": refunded %s, by the returns %s; the shipping was given back %s times', o.external_id, o.refunded,
        coalesce(part.money, 0), coalesce(part.shippings, 0)
    )
FROM loyalty.orders AS o
LEFT JOIN (
    SELECT
        order_returns.buyer,
        order_returns.program,
        order_returns.order_id,
        sum(order_returns.money) AS money,
        count(*) FILTER (WHERE order_returns.shipping) AS shippings
    FROM loyalty.order_returns
    GROUP BY order_returns.buyer, order_returns.program, order_returns.order_id
) AS part ON part.buyer = o.buyer AND part.program = o.program AND part.order_id = o.external_id
WHERE o.refunded <> coalesce(part.money, 0)
    OR coalesce(part.shippings, 0) <> o.shipping_refunded::integer

UNION ALL
SELECT
    'refund_is_share_of_what_came_back', line.program, o.member, NULL, NULL,
    format(
        'order "%s", line "%s": of %s for %s units %s were given back for %s', line.order_id, line.line, line.total,
        line.quantity, line.refunded, line.returned
    )
FROM loyalty.order_lines AS line
JOIN loyalty.orders AS o ON o.buyer = line.buyer AND o.program = line.program AND o.external_id = line.order_id
JOIN loyalty.programs AS program ON program.external_id = line.program
WHERE 2 * abs(line.refunded * line.quantity - line.total * line.returned)
    > line.quantity / 10 ^ program.currency_scale::numeric

UNION ALL
SELECT
    'points_given_back_are_share_of_what_came_back', part.program, part.member, part.point_type, part.seq,
    format(
        'order "%s", line "%s": of %s for %s units %s were given back for %s', part.order_id, part.line, part.points,
        line.quantity, part.given_back, line.returned
    )
FROM (
    SELECT
        order_points.buyer, order_points.program, order_points.order_id, order_points.line, order_points.member,
        order_points.point_type, order_points.seq, order_points.points,
        order_points.refunded + order_points.forfeited AS given_back
    FROM loyalty.order_points
    UNION ALL
    SELECT
        accrual.buyer, accrual.program, accrual.order_id, accrual.line, accrual.member,
        accrual.point_type, accrual.seq, accrual.points, accrual.dropped + accrual.taken_back
    FROM loyalty.order_accruals AS accrual
    WHERE accrual.state <> 'dropped'
) AS part
JOIN loyalty.order_lines AS line
    ON line.buyer = part.buyer
    AND line.program = part.program
    AND line.order_id = part.order_id
    AND line.line = part.line
JOIN loyalty.point_types AS point_type
    ON point_type.program = part.program AND point_type.external_id = part.point_type
WHERE 2 * abs(part.given_back * line.quantity - part.points * line.returned)
    > line.quantity / 10 ^ point_type.scale::numeric
    OR line.returned = line.quantity AND part.given_back <> part.points

UNION ALL
SELECT
    'points_of_shipping_go_with_it', o.program, o.member, part.point_type, part.seq,
    format(
        'order "%s": of %s points %s were given back, the shipping was%s', o.external_id, part.points,
        part.refunded + part.forfeited, CASE WHEN o.shipping_refunded THEN '' ELSE ' not' END
    )
FROM loyalty.order_points AS part
JOIN loyalty.orders AS o ON o.buyer = part.buyer AND o.program = part.program AND o.external_id = part.order_id
WHERE part.line IS NULL
    AND part.refunded + part.forfeited <> CASE WHEN o.shipping_refunded THEN part.points ELSE 0 END

UNION ALL
SELECT
    'points_of_an_order_go_with_its_last_unit', accrual.program, accrual.member, accrual.point_type, accrual.seq,
    format(
        'order "%s", operation %s: of %s points %s are gone', accrual.order_id, accrual.number, accrual.points,
        accrual.dropped + accrual.taken_back
    )
FROM loyalty.order_accruals AS accrual
JOIN line_sums AS line
    ON line.buyer = accrual.buyer AND line.program = accrual.program AND line.order_id = accrual.order_id
WHERE accrual.line IS NULL
    AND accrual.state <> 'dropped'
    AND accrual.dropped + accrual.taken_back <> CASE WHEN line.is_gone THEN accrual.points ELSE 0 END

UNION ALL
SELECT
    'closed_order_has_nothing_left', o.program, o.member, NULL, NULL,
    format('order "%s" is %s, but something is left of it', o.external_id, o.status)
FROM loyalty.orders AS o
JOIN loyalty.order_statuses AS status ON status.external_id = o.status
JOIN line_sums AS line ON line.buyer = o.buyer AND line.program = o.program AND line.order_id = o.external_id
WHERE o.origin = 'placed'
    AND status.kind IN ('cancelled', 'refunded')
    AND NOT (line.is_gone AND (o.shipping_refunded OR status.kind = 'refunded'))

UNION ALL
SELECT
    'closed_line_has_nothing_left', line.program, o.member, NULL, NULL,
    format('order "%s", line "%s" is %s, but units of it are left', line.order_id, line.line, line.status)
FROM loyalty.order_lines AS line
JOIN loyalty.orders AS o ON o.buyer = line.buyer AND o.program = line.program AND o.external_id = line.order_id
JOIN loyalty.order_statuses AS status ON status.external_id = line.status
WHERE o.origin = 'placed'
    AND status.kind IN ('cancelled', 'refunded')
    AND line.returned < line.quantity

UNION ALL
SELECT
    'use_is_effect_of_its_promotion', used.program, substr(used.buyer, 3), NULL, NULL,
    format(
        'order "%s", promotion "%s": money %s, points %s, by the operations %s, %s; %s', used.order_id, used.promotion,
        used.money, used.points, coalesce(effect.money, 0), coalesce(effect.points, 0),
        CASE WHEN used.freed_at IS NULL THEN 'it counts' ELSE 'it was given back' END
    )
FROM loyalty.promotion_uses AS used
JOIN line_sums AS line
    ON line.buyer = used.buyer AND line.program = used.program AND line.order_id = used.order_id
LEFT JOIN loyalty.promotion_effects AS effect
    ON effect.buyer = used.buyer
    AND effect.program = used.program
    AND effect.order_id = used.order_id
    AND effect.promotion = used.promotion
WHERE (used.money, used.points, used.freed_at IS NOT NULL)
    IS DISTINCT FROM (coalesce(effect.money, 0), coalesce(effect.points, 0), line.is_gone)

UNION ALL
SELECT
    'counter_is_sum_of_uses', counter.program, NULL, NULL, NULL,
    format(
        'promotion "%s": uses %s, money %s, points %s, by its uses %s, %s, %s', counter.promotion, counter.uses,
        counter.money, counter.points, coalesce(used.uses, 0), coalesce(used.money, 0), coalesce(used.points, 0)
    )
FROM loyalty.promotion_counters AS counter
LEFT JOIN (
    SELECT
        promotion_uses.program,
        promotion_uses.promotion,
        count(*) FILTER (WHERE promotion_uses.freed_at IS NULL) AS uses,
        sum(promotion_uses.money) AS money,
        sum(promotion_uses.points) AS points
    FROM loyalty.promotion_uses
    GROUP BY promotion_uses.program, promotion_uses.promotion
    UNION ALL
    SELECT
        trigger_uses.program,
        trigger_uses.promotion,
        count(*) FILTER (WHERE trigger_uses.freed_at IS NULL),
        0,
        sum(trigger_uses.points)
    FROM loyalty.trigger_uses
    GROUP BY trigger_uses.program, trigger_uses.promotion
) AS used ON used.program = counter.program AND used.promotion = counter.promotion
WHERE (counter.uses, counter.money, counter.points)
    IS DISTINCT FROM (coalesce(used.uses, 0), coalesce(used.money, 0), coalesce(used.points, 0))

UNION ALL
SELECT
    'promo_code_counts_its_uses', code.program, code.profile, NULL, NULL,
    format('promo code "%s": uses %s, there are %s', code.code, code.uses,
        code.uses_before_import + coalesce(used.uses, 0))
FROM loyalty.promo_codes AS code
LEFT JOIN (
    SELECT promo_code_uses.code, promo_code_uses.program, count(*) AS uses
    FROM loyalty.promo_code_uses
    WHERE promo_code_uses.freed_at IS NULL
    GROUP BY promo_code_uses.code, promo_code_uses.program
) AS used ON used.code = code.code AND used.program = code.program
WHERE code.uses <> code.uses_before_import + coalesce(used.uses, 0)

UNION ALL
SELECT
    'promo_code_is_used_as_long_as_a_unit_is_left', used.program, substr(used.buyer, 3), NULL, NULL,
    format('promo code "%s", order "%s": its use was%s given back', used.code, used.order_id,
        CASE WHEN used.freed_at IS NULL THEN ' not' ELSE '' END)
FROM loyalty.promo_code_uses AS used
JOIN line_sums AS line
    ON line.buyer = used.buyer AND line.program = used.program AND line.order_id = used.order_id
WHERE line.is_gone = (used.freed_at IS NULL)
    AND NOT used.freed_by_hand

UNION ALL
SELECT
    'buyer_is_sum_of_orders', coalesce(kept.program, found.program)::text, substr(coalesce(kept.buyer, found.buyer), 3),
    NULL, NULL,
    format(
        'orders, total, last_order are %s, %s, %s; of the orders %s, %s, %s',
        kept.orders, kept.total, kept.last_order, coalesce(found.orders, 0), coalesce(found.total, 0), found.last_order
    )
FROM loyalty.buyers AS kept
FULL JOIN (
    SELECT o.buyer, o.program, count(*) AS orders, sum(o.total - o.refunded) AS total, max(o.time) AS last_order
    FROM loyalty.orders AS o
    JOIN loyalty.order_statuses AS status ON status.external_id = o.status
    WHERE o.member IS NOT NULL AND status.kind IN ('open', 'delivered')
    GROUP BY o.buyer, o.program
) AS found ON found.buyer = kept.buyer AND found.program = kept.program
WHERE (kept.orders, kept.total, kept.last_order)
    IS DISTINCT FROM (coalesce(found.orders, 0), coalesce(found.total, 0), found.last_order);

COMMENT ON VIEW loyalty.order_violations IS
    'Invariants of orders that do not hold, one a row: what loyalty_verify() returns of them. Reading it reads every '
    'row.';
COMMENT ON COLUMN loyalty.order_violations.invariant IS 'Which invariant, such as order_is_sum_of_its_lines.';
COMMENT ON COLUMN loyalty.order_violations.program IS 'The program.';
COMMENT ON COLUMN loyalty.order_violations.member IS 'Key of the buyer''s profile; null: a guest.';
COMMENT ON COLUMN loyalty.order_violations.point_type IS 'The point type, where it is about points.';
COMMENT ON COLUMN loyalty.order_violations.seq IS 'Number of the transaction, where it is about one.';
COMMENT ON COLUMN loyalty.order_violations.detail IS 'Which order, what was found, and what it ought to be.';
