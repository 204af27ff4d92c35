-- Orders: points that wait may be dropped with their promotion.
COMMENT ON COLUMN loyalty.order_accruals.state IS
    'waiting, credited, or dropped (all units came back before, the point type was deactivated, the member removed, or '
    'the promotion withdrawn).';

COMMENT ON COLUMN loyalty.orders.request IS 'The document it was made from, without expected_total and detail.';

-- What each benefit did stood twice: in an order's result, and in rows. The rows are a view of the result now, which is
-- made in sql/live with the views that are made from it. Of an erased order the result keeps what the rows knew.
DO $do$
DECLARE
    dependent regclass;
BEGIN
    FOR dependent IN
        WITH RECURSIVE made_from AS (
            SELECT 'loyalty.order_operations'::regclass::oid AS oid, 0 AS depth
            UNION
            SELECT rule.ev_class, made_from.depth + 1
            FROM made_from
            JOIN pg_depend AS dependency
                ON dependency.refclassid = 'pg_class'::regclass
                AND dependency.refobjid = made_from.oid
                AND dependency.classid = 'pg_rewrite'::regclass
            JOIN pg_rewrite AS rule ON rule.oid = dependency.objid AND rule.ev_class <> made_from.oid
        )
        SELECT class.oid
        FROM made_from
        JOIN pg_class AS class ON class.oid = made_from.oid
        WHERE class.relkind = 'v' AND class.relnamespace = 'loyalty'::regnamespace
        GROUP BY class.oid
        ORDER BY max(made_from.depth) DESC
    LOOP
        EXECUTE format('DROP VIEW %s', dependent);
    END LOOP;
END
$do$;

CREATE TABLE loyalty.order_promotions (
    program loyalty.external_id NOT NULL,
    promotion loyalty.external_id NOT NULL,
    CONSTRAINT order_promotions_pkey PRIMARY KEY (program, promotion),
    CONSTRAINT order_promotions_promotion_fkey FOREIGN KEY (program, promotion) REFERENCES loyalty.promotions
);

COMMENT ON TABLE loyalty.order_promotions
    IS 'Promotions that had an effect in an order, and therefore cannot be deleted.';
COMMENT ON COLUMN loyalty.order_promotions.program IS 'The program.';
COMMENT ON COLUMN loyalty.order_promotions.promotion IS 'The promotion.';

INSERT INTO loyalty.order_promotions (program, promotion)
SELECT DISTINCT program, promotion FROM loyalty.order_operations;

-- What guards the table against others is there already.
ALTER TABLE loyalty.orders DISABLE TRIGGER USER;
UPDATE loyalty.orders AS placed
SET result = jsonb_build_object('operations', known.operations)
FROM (
    SELECT
        operation.buyer,
        operation.program,
        operation.order_id,
        jsonb_agg(
            jsonb_strip_nulls(jsonb_build_object(
                'promotion', operation.promotion,
                'promotion_type', operation.promotion_type,
                'benefit', operation.benefit,
                'level', operation.level,
                'target', nullif(operation.target, 'line'),
                'line', operation.line,
                'discount', operation.discount,
                'points_discount', operation.points_discount,
                'points', operation.point_type,
                'spent', operation.spent,
                'accrued', operation.accrued,
                'cut', operation.cut
            ))
            ORDER BY operation.number
        ) AS operations
    FROM loyalty.order_operations AS operation
    GROUP BY operation.buyer, operation.program, operation.order_id
) AS known
WHERE placed.buyer = known.buyer
    AND placed.program = known.program
    AND placed.external_id = known.order_id
    AND placed.result IS NULL;
ALTER TABLE loyalty.orders ENABLE TRIGGER USER;

-- Nothing is dropped that would be lost.
DO $do$
DECLARE
    lost record;
BEGIN
    SELECT row_of.order_id, row_of.number INTO lost
    FROM loyalty.order_operations AS row_of
    LEFT JOIN loyalty.orders AS placed
        ON placed.buyer = row_of.buyer AND placed.program = row_of.program AND placed.external_id = row_of.order_id
    CROSS JOIN LATERAL (SELECT placed.result -> 'operations' -> (row_of.number - 1) AS body) AS operation
    WHERE (
        row_of.promotion, row_of.promotion_type, row_of.benefit, row_of.level, row_of.target, row_of.line,
        row_of.discount,
        row_of.points_discount, row_of.point_type, row_of.spent, row_of.accrued, row_of.cut
    ) IS DISTINCT FROM (
        operation.body ->> 'promotion', operation.body ->> 'promotion_type', operation.body ->> 'benefit',
        operation.body ->> 'level', coalesce(operation.body ->> 'target', 'line'), operation.body ->> 'line',
        (operation.body ->> 'discount')::numeric, (operation.body ->> 'points_discount')::numeric,
        operation.body ->> 'points', (operation.body ->> 'spent')::numeric,
        coalesce(operation.body ->> 'accrued', operation.body ->> 'pending')::numeric,
        (operation.body ->> 'cut')::numeric
    )
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'XX001',
            MESSAGE = format('operation %s of order "%s" is not that of the order''s result', lost.number,
                lost.order_id),
            HINT = 'See loyalty_verify() of the version that you come from.',
            SCHEMA = 'loyalty',
            TABLE = 'order_operations';
    END IF;
END
$do$;

ALTER TABLE loyalty.order_accruals
    DROP CONSTRAINT order_accruals_operation_fkey,
    ADD CONSTRAINT order_accruals_order_fkey FOREIGN KEY (buyer, program, order_id) REFERENCES loyalty.orders,
    ADD CONSTRAINT order_accruals_point_type_fkey FOREIGN KEY (program, point_type) REFERENCES loyalty.point_types;
ALTER TABLE loyalty.order_points
    ADD CONSTRAINT order_points_point_type_fkey FOREIGN KEY (program, point_type) REFERENCES loyalty.point_types;
DROP TABLE loyalty.order_operations;

COMMENT ON COLUMN loyalty.orders.result IS
    'The calculation, as loyalty_calculate() gives it; of an erased order its operations without texts; null: '
    'imported.';

COMMENT ON TABLE loyalty.order_points IS
    'Points that paid for an order, or that promotions deducted, attributed to its lines and its shipping, and what of '
    'them came back.';
COMMENT ON COLUMN loyalty.order_points.line IS 'The line that they paid for, or went with; null: the shipping.';
COMMENT ON COLUMN loyalty.order_points.money IS 'Money that they paid there; 0: they were deducted.';

ALTER TABLE loyalty.order_points
    DROP CONSTRAINT order_points_buyer_is_a_member,
    ADD CONSTRAINT order_points_buyer_is_a_member CHECK (buyer > 'm:' AND buyer < 'm;');
ALTER TABLE loyalty.order_accruals
    DROP CONSTRAINT order_accruals_buyer_is_a_member,
    ADD CONSTRAINT order_accruals_buyer_is_a_member CHECK (buyer > 'm:' AND buyer < 'm;');

-- For orders from now on: their documents stand outside the row, which statuses and returns write anew.
ALTER TABLE loyalty.orders SET (toast_tuple_target = 640, fillfactor = 80);

-- What "the first order" is judged by, without looking at all of them. A row stands for nothing but the orders, and is
-- locked where two orders of one buyer must not both be the first: so it is there for guests with a profile, too.
CREATE TABLE loyalty.buyers (
    buyer text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    orders bigint NOT NULL DEFAULT 0,
    total numeric NOT NULL DEFAULT 0,
    last_order timestamptz,
    CONSTRAINT buyers_pkey PRIMARY KEY (buyer, program),
    CONSTRAINT buyers_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs,
    CONSTRAINT buyers_have_a_profile CHECK (buyer > 'm:' AND buyer < 'm;'),
    CONSTRAINT buyers_orders_range CHECK (orders >= 0),
    CONSTRAINT buyers_total_range CHECK (total >= 0 AND total < 'Infinity'),
    CONSTRAINT buyers_last_order_is_there
        CHECK (isfinite(last_order) AND orders > 0 OR last_order IS NULL AND orders = 0)
) WITH (fillfactor = 80);

COMMENT ON TABLE loyalty.buyers IS
    'What buyers with a profile, members and guests, have ordered: orders that are not cancelled or refunded. Order '
    'segments see it as $.buyer.orders.';
COMMENT ON COLUMN loyalty.buyers.buyer IS 'The buyer: m: and the profile''s key.';
COMMENT ON COLUMN loyalty.buyers.program IS 'The program.';
COMMENT ON COLUMN loyalty.buyers.orders IS 'How many orders, placed or imported.';
COMMENT ON COLUMN loyalty.buyers.total IS 'What they came to in money, less what was given back.';
COMMENT ON COLUMN loyalty.buyers.last_order IS 'The time of the last of them; null: there is none.';

INSERT INTO loyalty.buyers (buyer, program, orders, total, last_order)
SELECT placed.buyer, placed.program, count(*), sum(placed.total - placed.refunded), max(placed.time)
FROM loyalty.orders AS placed
JOIN loyalty.order_statuses AS status ON status.external_id = placed.status
WHERE placed.member IS NOT NULL AND status.kind IN ('open', 'delivered')
GROUP BY placed.buyer, placed.program;

ALTER TABLE loyalty.order_lines
    ADD COLUMN gift boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT order_lines_gifts_cost_nothing CHECK (NOT gift OR base = 0 AND discount = 0 AND total = 0);
COMMENT ON COLUMN loyalty.order_lines.gift IS
    'Whether a promotion gave it with the order, for nothing: it is no unit of what was sold.';

-- Held by the function that writes them, and looked after by loyalty_verify().
ALTER TABLE loyalty.order_points
    DROP CONSTRAINT order_points_target_key;
