-- The month in which points expire is called what it is; and a line for each day.

ALTER TABLE loyalty.liability_kept RENAME COLUMN expires_in TO month;

-- Made anew in sql/live: a view's column cannot be renamed by defining it again.
DROP VIEW IF EXISTS loyalty.liability, loyalty.liability_now;

-- What a promotion brought. Where its figures are kept, this one is of now, until they are computed next.
ALTER TABLE loyalty.promotion_performance_kept ADD COLUMN revenue numeric;
-- What guards the table against others is there already.
ALTER TABLE loyalty.promotion_performance_kept DISABLE TRIGGER USER;
UPDATE loyalty.promotion_performance_kept AS kept
SET revenue = coalesce(brought.revenue, 0)
FROM loyalty.promotion_performance_kept AS known
LEFT JOIN (
    SELECT made.program, made.promotion, sum(made.total - made.refunded) AS revenue
    FROM (
        SELECT DISTINCT
            placed.program,
            placed.buyer,
            placed.external_id,
            placed.total,
            placed.refunded,
            operation.body ->> 'promotion' AS promotion
        FROM loyalty.orders AS placed
        JOIN loyalty.order_statuses AS status ON status.external_id = placed.status AND status.kind <> 'cancelled'
        CROSS JOIN LATERAL jsonb_array_elements(placed.result -> 'operations') AS operation (body)
    ) AS made
    GROUP BY made.program, made.promotion
) AS brought ON known.point_type = '' AND brought.program = known.program AND brought.promotion = known.promotion
WHERE kept.program = known.program
    AND kept.promotion = known.promotion
    AND kept.point_type = known.point_type;
ALTER TABLE loyalty.promotion_performance_kept ENABLE TRIGGER USER;
ALTER TABLE loyalty.promotion_performance_kept ALTER COLUMN revenue SET NOT NULL;
COMMENT ON COLUMN loyalty.promotion_performance_kept.revenue IS 'Paid for its orders, less what was given back.';

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
