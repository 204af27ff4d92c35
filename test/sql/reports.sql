-- Reports: each equals the same figure computed from the ledger and the orders by another way.
\set SHOW_CONTEXT never
\i test/fixtures/shop.sql
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type, fall_on_reversal)
    VALUES ('main', 'club', 'Club', 'cumulative', 'status', true);
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
VALUES ('main', 'bronze', 'club', 'Bronze', 0), ('main', 'silver', 'club', 'Silver', 10),
    ('main', 'gold', 'club', 'Gold', 15);
INSERT INTO loyalty.partners (program, external_id, name) VALUES ('main', 'press', 'The Press');
INSERT INTO loyalty.partner_products (program, sku, partner, discount_percent) VALUES ('main', 'book', 'press', 5);
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind, max_uses)
    VALUES ('main', 'spring', 'Spring', 'universal', 2), ('main', 'own', 'Own', 'personal', NULL);
SELECT loyalty_generate_promo_codes('main', 'spring', 'S-###', 5),
    loyalty_generate_promo_codes('main', 'own', 'O-###', 3);
SELECT loyalty_attach_promo_code('main', 'ann', 'own') IS NOT NULL AS attached,
    loyalty_activate_promo_code('main', 'bob', min(code)) AS uses
FROM loyalty.promo_codes WHERE pool = 'spring';
INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
    VALUES ('main', 'form', 'Form', 'trigger', 'active');
INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount)
    VALUES ('main', 'form', 'accrual', 'bonus', 5), ('main', 'form', 'deduction', 'bonus', 2);

-- Three months of a shop: orders with and without points, returns, a cancellation, points that expire, a hold.
CREATE PROCEDURE months() LANGUAGE plpgsql AS $$
BEGIN
    FOR number IN 1 .. 18 LOOP
        PERFORM loyalty_set_clock('2026-01-16 12:00+00'::timestamptz + number * interval '5 days');
        PERFORM loyalty_place_order(basket('O-' || number, (ARRAY['ann', 'bob', 'cat', NULL])[number % 4 + 1]));
        IF number % 3 > 0 THEN
            PERFORM loyalty_set_order_status('main', 'O-' || number, 'delivered');
        END IF;
        IF number % 5 = 0 THEN
            PERFORM loyalty_return_items('main', 'O-' || number,
                '[{"id": "b", "quantity": 1}, {"id": "p", "quantity": 3}]', 'R-1');
        ELSIF number % 7 = 0 THEN
            PERFORM loyalty_cancel_order('main', 'O-' || number);
        END IF;
        PERFORM loyalty_fire('form', 'ann', 'accrual'), loyalty_fire('form', 'ann', 'deduction');
    END LOOP;
END
$$;
CALL months();
SELECT loyalty_accrue('bob', 'main', 'bonus', 30, active_from => '2026-06-01') IS NOT NULL AS waits,
    loyalty_accrue('bob', 'main', 'gift', 7, expires_on => '2026-07-31') IS NOT NULL AS earns_until_the_month_ends,
    loyalty_accrue('cat', 'main', 'gift', 100) IS NOT NULL AS earns,
    loyalty_hold('cat', 'main', 'gift', 'redemption', 20, '1 day') IS NOT NULL AS holds_for_a_day,
    loyalty_hold('ann', 'main', 'bonus', 'redemption', 3, '1 year') IS NOT NULL AS holds,
    loyalty_accrue('cat', 'main', 'bonus', 12, external_id => 'wrong') IS NOT NULL AS accrues,
    loyalty_redeem('cat', 'main', 'bonus', 10) IS NOT NULL AS spends,
    loyalty_cancel('cat', 'main', external_id => 'wrong') IS NOT NULL AS cancels;
SELECT type, count(*) FROM loyalty.transactions GROUP BY type ORDER BY type;
SELECT count(*) FROM loyalty_verify();

-- What has expired counts as gone before a job has booked it. Each difference is a row, so there are none below.
SELECT loyalty_set_clock('2026-05-12 12:00+00') IS NOT NULL AS is_set;
SELECT count(*) > 0 AS some_are_due FROM loyalty.lots WHERE open AND expires_at <= loyalty_now();
CREATE VIEW due AS
SELECT member, program, point_type, seq AS lot, remaining - held AS points FROM loyalty.open_lots
    WHERE expires_at <= loyalty_now();

-- Lots rebuilt from the ledger alone: each credit, less what its movements took, what expired and what is due.
CREATE VIEW rebuilt AS
SELECT
    t.program, t.point_type, t.member, t.seq, t.active_from, t.expires_at,
    t.value + CASE WHEN t.type = 'refund' THEN - t.value ELSE 0 END AS credited,
    t.value
        + coalesce((SELECT sum(m.value) FROM loyalty.lot_movements AS m
            WHERE (m.member, m.program, m.point_type, m.lot) = (t.member, t.program, t.point_type, t.seq)), 0)
        + coalesce((SELECT sum(e.value) FROM loyalty.transactions AS e
            WHERE (e.member, e.program, e.point_type, e.lot) = (t.member, t.program, t.point_type, t.seq)
            AND e.type = 'expiration'), 0)
        - coalesce((SELECT d.points FROM due AS d
            WHERE (d.member, d.program, d.point_type, d.lot) = (t.member, t.program, t.point_type, t.seq)), 0)
        AS points
FROM loyalty.transactions AS t
WHERE t.type IN ('accrual', 'initial');
CREATE VIEW liability_check AS
SELECT
    program, point_type,
    CASE WHEN expires_at < 'infinity'
        THEN to_char((expires_at - interval '1 second') AT TIME ZONE 'Europe/Berlin', 'YYYY-MM-01')::date
        ELSE 'infinity' END AS month,
    sum(points) AS points, coalesce(sum(points) FILTER (WHERE active_from > loyalty_now()), 0) AS waiting
FROM rebuilt
WHERE points > 0 AND point_type <> 'status'
GROUP BY 1, 2, 3;
CREATE VIEW total_check AS
SELECT
    t.program, t.point_type,
    sum(t.value) FILTER (WHERE t.type = 'accrual') AS credited,
    - coalesce(sum(t.value) FILTER (WHERE t.type IN ('redemption', 'refund')), 0) AS spent,
    - coalesce(sum(t.value) FILTER (WHERE t.type = 'reversal'), 0) AS taken_back,
    - coalesce(sum(t.value) FILTER (WHERE t.type = 'expiration'), 0)
        + coalesce((SELECT sum(points) FROM due AS d WHERE d.program = t.program AND d.point_type = t.point_type), 0)
            AS expired,
    sum(t.value) - coalesce(
        (SELECT sum(points) FROM due AS d WHERE d.program = t.program AND d.point_type = t.point_type), 0)
        AS outstanding
FROM loyalty.transactions AS t
GROUP BY t.program, t.point_type;
CREATE VIEW promotion_check AS
SELECT
    p.external_id AS promotion,
    (SELECT count(DISTINCT o.order_id) FROM loyalty.order_operations AS o
        JOIN loyalty.orders AS x ON x.external_id = o.order_id
        WHERE o.promotion = p.external_id AND x.status <> 'canceled') AS orders,
    (SELECT coalesce(sum((o ->> 'discount')::numeric), 0)
        FROM loyalty.orders AS x, jsonb_array_elements(x.result -> 'operations') AS o
        WHERE o ->> 'promotion' = p.external_id AND x.status <> 'canceled') AS discount,
    returned.discount AS discount_returned, returned.points_discount AS points_discount_returned,
    (SELECT coalesce(sum(t.value), 0) FROM loyalty.transactions AS t
        WHERE t.promotion = p.external_id AND t.type = 'accrual' AND t.point_type = 'bonus') AS credited,
    (SELECT coalesce(- sum(t.value), 0) FROM loyalty.transactions AS t
        JOIN loyalty.transactions AS a ON (a.member, a.point_type, a.seq) = (t.member, t.point_type, t.undoes)
        WHERE a.promotion = p.external_id AND t.type = 'reversal' AND t.point_type = 'bonus') AS taken_back,
    (SELECT coalesce(sum(x.total - x.refunded), 0) FROM loyalty.orders AS x
        WHERE x.status <> 'canceled' AND EXISTS (
            SELECT FROM jsonb_array_elements(x.result -> 'operations') AS o WHERE o ->> 'promotion' = p.external_id
        )) AS revenue
FROM loyalty.promotions AS p, LATERAL (
    -- From the answers alone: of each operation on a line the share of its units that returns have taken. No shipping
    -- was returned.
    SELECT
        coalesce(sum(round((o ->> 'discount')::numeric * r.units / l.quantity, 2)), 0) AS discount,
        coalesce(sum(round((o ->> 'points_discount')::numeric * r.units / l.quantity, 2)), 0) AS points_discount
    FROM loyalty.orders AS x, jsonb_array_elements(x.result -> 'operations') AS o
    JOIN loyalty.order_lines AS l ON l.line = o ->> 'line'
    JOIN LATERAL (SELECT sum(quantity) AS units FROM loyalty.order_return_lines AS i
        WHERE (i.order_id, i.line) = (l.order_id, l.line)) AS r ON true
    WHERE o ->> 'promotion' = p.external_id AND l.order_id = x.external_id AND x.status <> 'canceled'
) AS returned;
CREATE VIEW differences AS
SELECT 'liability' AS report, x::text
FROM (SELECT program::text, point_type::text, month, points, waiting
    FROM loyalty.liability EXCEPT TABLE liability_check) AS x
UNION ALL
SELECT 'liability lacks', x::text
FROM (TABLE liability_check EXCEPT SELECT program::text, point_type::text, month, points, waiting
    FROM loyalty.liability) AS x
UNION ALL
SELECT 'liability and balances', x::text
FROM (SELECT l.point_type, sum(l.points),
    (SELECT sum(total) FROM loyalty.member_balances AS b WHERE b.point_type = l.point_type) AS total
    FROM loyalty.liability AS l GROUP BY 1) AS x
WHERE sum <> total
UNION ALL
SELECT 'breakage', x::text
FROM (
    (SELECT program::text, point_type::text, sum(credited), sum(spent), sum(taken_back), sum(expired), sum(outstanding)
        FROM loyalty.breakage GROUP BY 1, 2) EXCEPT TABLE total_check
    UNION ALL
    TABLE total_check EXCEPT (SELECT program::text, point_type::text, sum(credited), sum(spent), sum(taken_back),
        sum(expired), sum(outstanding) FROM loyalty.breakage GROUP BY 1, 2)
) AS x
UNION ALL
SELECT 'breakage does not add up', b::text FROM loyalty.breakage AS b
    WHERE credited <> spent + taken_back + expired + outstanding
UNION ALL
SELECT 'promotions', x::text
FROM (
    SELECT promotion::text, orders, discount, discount_returned, points_discount_returned,
        coalesce((points #>> '{bonus,credited}')::numeric, 0), coalesce((points #>> '{bonus,taken_back}')::numeric, 0),
        revenue
    FROM loyalty.promotion_performance EXCEPT TABLE promotion_check
) AS x
UNION ALL
SELECT 'daily points', x::text
FROM (
    SELECT day, point_type::text, earned, spent, taken_back, expired, outstanding FROM loyalty.daily_points
    EXCEPT
    -- Day by day anew, from all that the ledger has of it and before.
    SELECT d.day, d.point_type, t.earned, t.spent, t.taken_back, t.expired + coalesce(u.today, 0),
        t.outstanding - coalesce(u.gone, 0)
    FROM (SELECT DISTINCT day, point_type::text FROM loyalty.daily_points) AS d
    CROSS JOIN LATERAL (
        SELECT
            coalesce(sum(value) FILTER (WHERE is_today AND type = 'accrual'), 0) AS earned,
            - coalesce(sum(value) FILTER (WHERE is_today AND type IN ('redemption', 'refund')), 0) AS spent,
            - coalesce(sum(value) FILTER (WHERE is_today AND type = 'reversal'), 0) AS taken_back,
            - coalesce(sum(value) FILTER (WHERE is_today AND type = 'expiration'), 0) AS expired,
            sum(value) AS outstanding
        FROM (SELECT t.*, (created_at AT TIME ZONE 'Europe/Berlin')::date = d.day AS is_today
            FROM loyalty.transactions AS t
            WHERE t.point_type = d.point_type AND (created_at AT TIME ZONE 'Europe/Berlin')::date <= d.day) AS booked
    ) AS t
    CROSS JOIN LATERAL (
        SELECT sum(due.points) FILTER (WHERE (l.expires_at AT TIME ZONE 'Europe/Berlin')::date = d.day) AS today,
            sum(due.points) AS gone
        FROM due JOIN loyalty.lots AS l ON (l.member, l.point_type, l.seq) = (due.member, due.point_type, due.lot)
        WHERE due.point_type = d.point_type AND (l.expires_at AT TIME ZONE 'Europe/Berlin')::date <= d.day
    ) AS u
) AS x
UNION ALL
SELECT 'daily points today', x::text
FROM (
    SELECT point_type::text, active, outstanding FROM loyalty.daily_points
        WHERE day = (loyalty_now() AT TIME ZONE 'Europe/Berlin')::date
    EXCEPT
    SELECT point_type::text, sum(points - waiting), sum(points) FROM loyalty.liability GROUP BY 1
) AS x
UNION ALL
SELECT 'daily activity', x::text
FROM (
    SELECT day, orders, revenue, discount, new_members FROM loyalty.daily_activity
    EXCEPT
    SELECT d.day, count(x.external_id) FILTER (WHERE x.status <> 'canceled'), coalesce(sum(x.total - x.refunded), 0),
        coalesce(sum((x.result #>> '{totals,discount}')::numeric) FILTER (WHERE x.status <> 'canceled'), 0),
        (SELECT count(*) FROM loyalty.members WHERE (registered_at AT TIME ZONE 'Europe/Berlin')::date = d.day)
    FROM loyalty.daily_activity AS d
        LEFT JOIN loyalty.orders AS x ON (x.time AT TIME ZONE 'Europe/Berlin')::date = d.day GROUP BY d.day
) AS x
UNION ALL
SELECT 'daily activity in money', x::text
FROM (
    SELECT day, earned, spent, expired, liability FROM loyalty.daily_activity WHERE program = 'main'
    EXCEPT
    -- From the ledger alone, type by type, and what is due to expire.
    SELECT
        d.day,
        sum(round(t.earned / p.ratio, 2)), sum(round(t.spent / p.ratio, 2)),
        sum(round((t.expired + coalesce(u.today, 0)) / p.ratio, 2)),
        sum(round((t.outstanding - coalesce(u.gone, 0)) / p.ratio, 2))
    FROM (SELECT day FROM loyalty.daily_activity WHERE program = 'main') AS d
    CROSS JOIN (
        SELECT external_id::text AS point_type, coalesce(applied_ratio, ratio) AS ratio
        FROM loyalty.point_types WHERE program = 'main' AND kind = 'standard'
    ) AS p
    CROSS JOIN LATERAL (
        SELECT
            coalesce(sum(value) FILTER (WHERE is_today AND type = 'accrual'), 0) AS earned,
            coalesce(- sum(value) FILTER (WHERE is_today AND type IN ('redemption', 'refund')), 0) AS spent,
            coalesce(- sum(value) FILTER (WHERE is_today AND type = 'expiration'), 0) AS expired,
            coalesce(sum(value), 0) AS outstanding
        FROM (SELECT t.*, (created_at AT TIME ZONE 'Europe/Berlin')::date = d.day AS is_today
            FROM loyalty.transactions AS t
            WHERE t.program = 'main' AND t.point_type = p.point_type
                AND (created_at AT TIME ZONE 'Europe/Berlin')::date <= d.day) AS booked
    ) AS t
    CROSS JOIN LATERAL (
        SELECT sum(due.points) FILTER (WHERE (l.expires_at AT TIME ZONE 'Europe/Berlin')::date = d.day) AS today,
            sum(due.points) AS gone
        FROM due JOIN loyalty.lots AS l ON (l.member, l.program, l.point_type, l.seq)
            = (due.member, due.program, due.point_type, due.lot)
        WHERE due.program = 'main' AND due.point_type = p.point_type
            AND (l.expires_at AT TIME ZONE 'Europe/Berlin')::date <= d.day
    ) AS u
    GROUP BY d.day
) AS x
UNION ALL
SELECT 'points that can be spent today', x::text
FROM (
    SELECT active_points FROM loyalty.daily_activity
        WHERE program = 'main' AND day = (loyalty_now() AT TIME ZONE 'Europe/Berlin')::date
    EXCEPT
    SELECT sum(round(r.points / coalesce(p.applied_ratio, p.ratio), 2))
    FROM (SELECT point_type, sum(points) AS points FROM rebuilt
        WHERE program = 'main' AND active_from <= loyalty_now() GROUP BY 1) AS r
    JOIN loyalty.point_types AS p ON p.program = 'main' AND p.external_id = r.point_type AND p.kind = 'standard'
) AS x
UNION ALL
SELECT 'growth', x::text
FROM (
    SELECT month, new_members, lost_members, members FROM loyalty.member_growth WHERE program = 'main'
    EXCEPT
    SELECT
        g.month, count(*) FILTER (WHERE date_trunc('month', m.since) = g.month),
        count(*) FILTER (WHERE date_trunc('month', m.until) = g.month),
        count(*) FILTER (WHERE m.since < g.month + interval '1 month')
            - count(*) FILTER (WHERE m.until < g.month + interval '1 month')
    FROM (SELECT month FROM loyalty.member_growth WHERE program = 'main') AS g
    CROSS JOIN (SELECT registered_at AT TIME ZONE 'Europe/Berlin', removed_at AT TIME ZONE 'Europe/Berlin'
        FROM loyalty.members WHERE program = 'main') AS m (since, until)
    GROUP BY g.month
) AS x
UNION ALL
SELECT 'points of promotions', x::text
FROM (
    SELECT promotion::text, point_type, credited, taken_back FROM loyalty.promotion_points
        WHERE credited <> 0 OR taken_back <> 0
    EXCEPT
    SELECT
        a.promotion, a.point_type, sum(a.value),
        coalesce((SELECT - sum(t.value) FROM loyalty.transactions AS t
            JOIN loyalty.transactions AS u ON (u.member, u.point_type, u.seq) = (t.member, t.point_type, t.undoes)
            WHERE t.type = 'reversal' AND u.promotion = a.promotion AND t.point_type = a.point_type), 0)
    FROM loyalty.transactions AS a
        WHERE a.type = 'accrual' AND a.promotion IS NOT NULL GROUP BY a.promotion, a.point_type
) AS x
UNION ALL
SELECT 'turnover', x::text
FROM (
    SELECT month, orders, units, turnover FROM loyalty.partner_turnover
    EXCEPT
    SELECT date_trunc('month', x.time AT TIME ZONE 'Europe/Berlin')::date, count(*), sum(l.quantity - l.returned),
        sum(l.total - l.refunded)
    FROM loyalty.order_lines AS l JOIN loyalty.orders AS x ON x.external_id = l.order_id
        WHERE l.product = 'book' GROUP BY 1
) AS x
UNION ALL
SELECT 'codes', x::text
FROM (
    SELECT pool::text, s.state, s.codes
        FROM loyalty.promo_code_use,
    LATERAL (VALUES ('created', created), ('attached', attached), ('activated', activated), ('expired', expired))
        AS s (state, codes)
    WHERE s.codes > 0
    EXCEPT SELECT pool::text, state, count(*) FROM loyalty.promo_code_states GROUP BY 1, 2
) AS x
UNION ALL
SELECT 'tiers', x::text
FROM (
    SELECT tier::text, members FROM loyalty.tier_distribution WHERE tier IS NOT NULL AND members > 0
    EXCEPT SELECT t.tier, count(*) FROM loyalty.members AS m, loyalty_tier(m.member, 'main') AS t GROUP BY 1
) AS x
UNION ALL
SELECT 'movements', x::text
FROM (SELECT to_tier::text, sum(movements) FROM loyalty.tier_movements GROUP BY 1 EXCEPT SELECT tier::text, count(*)
    FROM loyalty.member_tier_history GROUP BY 1) AS x
UNION ALL
SELECT 'balances', x::text
FROM (
    SELECT b.member, b.point_type, b.total, b.active, b.waiting, b.held, b.debt, b.owed, b.money
        FROM loyalty.member_balances AS b
    EXCEPT
    SELECT m.member, b.point_type, b.total, b.active, b.waiting, b.held, b.debt, b.owed, b.total_money
        FROM loyalty.members AS m, loyalty_balance(m.member, 'main') AS b
) AS x
UNION ALL
SELECT 'list', x::text
FROM (
    SELECT id, external_id::text, created_at, type, member, point_type, balance_before, value, balance_after,
        source_type, source FROM loyalty.transactions
    EXCEPT SELECT id, external_id::text, created_at, transaction_type, member, points, balance_before, value,
    balance_after, source_type, source FROM loyalty.transaction_list
) AS x
UNION ALL
SELECT 'statements', x::text
FROM (
    SELECT m.member, s.point_type, s.seq, s.id, s.value, s.balance_after, s.promotion
        FROM loyalty.members AS m, loyalty_statement(m.member, 'main', page_size => 1000) AS s
    EXCEPT SELECT member, point_type, seq, id, value, balance, promotion FROM loyalty.member_statements
) AS x;

-- Nothing was kept yet: the figures are of now.
SELECT * FROM differences;
SELECT DISTINCT as_of = loyalty_now() AS of_now FROM loyalty.liability;
CREATE TABLE before AS SELECT 'liability' AS report, to_jsonb(r) - 'as_of' AS figures FROM loyalty.liability AS r
UNION ALL SELECT 'breakage', to_jsonb(r) - 'as_of' FROM loyalty.breakage AS r
UNION ALL SELECT 'tier_movements', to_jsonb(r) - 'as_of' FROM loyalty.tier_movements AS r
UNION ALL SELECT 'promotion_performance', to_jsonb(r) - 'as_of' FROM loyalty.promotion_performance AS r
UNION ALL SELECT 'promo_code_use', to_jsonb(r) - 'as_of' FROM loyalty.promo_code_use AS r
UNION ALL SELECT 'partner_turnover', to_jsonb(r) - 'as_of' FROM loyalty.partner_turnover AS r
UNION ALL SELECT 'daily_activity', to_jsonb(r) - 'as_of' FROM loyalty.daily_activity AS r;
SELECT report, count(*) FROM before GROUP BY report ORDER BY report;

-- Kept, they are the same.
SELECT * FROM loyalty_refresh_reports();
SELECT * FROM differences;
CREATE VIEW after AS SELECT 'liability' AS report, to_jsonb(r) - 'as_of' AS figures FROM loyalty.liability AS r
UNION ALL SELECT 'breakage', to_jsonb(r) - 'as_of' FROM loyalty.breakage AS r
UNION ALL SELECT 'tier_movements', to_jsonb(r) - 'as_of' FROM loyalty.tier_movements AS r
UNION ALL SELECT 'promotion_performance', to_jsonb(r) - 'as_of' FROM loyalty.promotion_performance AS r
UNION ALL SELECT 'promo_code_use', to_jsonb(r) - 'as_of' FROM loyalty.promo_code_use AS r
UNION ALL SELECT 'partner_turnover', to_jsonb(r) - 'as_of' FROM loyalty.partner_turnover AS r
UNION ALL SELECT 'daily_activity', to_jsonb(r) - 'as_of' FROM loyalty.daily_activity AS r;
TABLE before EXCEPT TABLE after UNION ALL (TABLE after EXCEPT TABLE before);

-- What is booked later shows with the next refresh.
SELECT loyalty_set_clock('2026-05-13 12:00+00') IS NOT NULL AS is_set;
SELECT loyalty_accrue('ann', 'main', 'gift', 1000) IS NOT NULL AS accrued;
SELECT count(*) > 0 AS differs FROM differences WHERE report LIKE 'liability%';
SELECT DISTINCT as_of FROM loyalty.liability;
SELECT count(*) AS reports FROM loyalty_refresh_reports();
SELECT * FROM differences;
SELECT DISTINCT as_of FROM loyalty.liability;

-- What the figures look like.
SELECT program, point_type, month, lots, points, waiting, held, money FROM loyalty.liability ORDER BY point_type, month;
SELECT point_type, active_in, credited, spent, taken_back, expired, outstanding, breakage_percent, expired_money
    FROM loyalty.breakage ORDER BY point_type, active_in;
SELECT promotion, orders, discount, discount_returned, points_discount, points_discount_returned, points, points_money,
    cost, revenue FROM loyalty.promotion_performance ORDER BY promotion;
SELECT bool_and(discount_returned > 0 OR points_discount_returned > 0) AS some_came_back
    FROM loyalty.promotion_performance WHERE discount + points_discount > 0;
SELECT pool, kind, codes, created, attached, activated, expired, uses, orders, freed
    FROM loyalty.promo_code_use ORDER BY pool;
SELECT partner, month, orders, units, base, discount, points_discount, refunded, turnover
    FROM loyalty.partner_turnover ORDER BY month;
SELECT day, new_members, members, orders, revenue, discount, earned, spent, expired, active_points, liability
    FROM loyalty.daily_activity WHERE orders > 0 OR new_members > 0 ORDER BY day;
SELECT count(*) = max(day) - min(day) + 1 AS each_day FROM loyalty.daily_activity;
SELECT month, new_members, lost_members, members FROM loyalty.member_growth ORDER BY month;
SELECT promotion, point_type, credited, taken_back, deducted
    FROM loyalty.promotion_points ORDER BY promotion, point_type;
SELECT tier, position, members, percent FROM loyalty.tier_distribution ORDER BY position DESC NULLS LAST;
SELECT month, from_tier, to_tier, direction, cause, movements
    FROM loyalty.tier_movements ORDER BY month, from_tier, to_tier, cause;

-- An edited ratio revalues what is outstanding once it is applied, without a refresh.
UPDATE loyalty.point_types SET ratio = 4 WHERE external_id = 'bonus';
SELECT sum(points) AS points, sum(money) AS money, sum(revaluation) AS revaluation FROM loyalty.liability
    WHERE point_type = 'bonus';
SELECT loyalty_apply('main') > 1 AS applied;
SELECT sum(points) AS points, sum(money) AS money, sum(revaluation) AS revaluation FROM loyalty.liability
    WHERE point_type = 'bonus';

-- The reference's columns, in its order.
SELECT string_agg(attname, ', ' ORDER BY attnum) AS columns FROM pg_attribute
    WHERE attrelid = 'loyalty.transaction_list'::regclass AND attnum > 0;

-- Two runs do not meet.
BEGIN;
SELECT loyalty_internal.begin_job('refresh_reports');
\setenv PGDATABASE :DBNAME
\! psql -X -q -c 'SELECT loyalty_refresh_reports()' 2>&1 | sed 's/ *$//'
ROLLBACK;

-- A program at rest is reported like any other.
BEGIN;
CREATE TEMPORARY TABLE awake ON COMMIT DROP AS SELECT to_jsonb(r) AS figures
    FROM loyalty.liability AS r UNION ALL SELECT to_jsonb(r) FROM loyalty.tier_distribution AS r;
UPDATE loyalty.programs SET active = false;
SELECT count(*) > 0 AS reported FROM awake;
SELECT to_jsonb(r) FROM loyalty.liability AS r UNION ALL SELECT to_jsonb(r)
    FROM loyalty.tier_distribution AS r EXCEPT TABLE awake;
ROLLBACK;

-- The figures behind: the columns must be theirs.
SELECT points
    FROM loyalty_internal.report_figures('liability')
    AS (program text, point_type text, month date, lots bigint, points numeric, waiting numeric, held numeric,
    as_of timestamptz)
ORDER BY points;
SELECT * FROM loyalty_internal.report_figures('liability') AS (program text, point_type text);
\echo :SQLSTATE
SELECT * FROM loyalty_internal.report_figures('liability')
    AS (program integer, point_type text, month date, lots text, points numeric, waiting numeric, held numeric,
    as_of timestamptz);
\echo :SQLSTATE
SELECT * FROM loyalty_internal.report_figures('balances') AS (program text);
\echo :SQLSTATE

-- Figures to look at.
SELECT * FROM loyalty_points_chart('main', 'bonus', 20);
SELECT * FROM loyalty_tier_chart('main', 'club', 20);
SELECT loyalty_internal.bar(0, 10, 20) = '' AS nothing, loyalty_internal.bar(0.01, 10, 20) AS something,
    loyalty_internal.bar(10, 10, 20) AS all;
SELECT loyalty_member_card('ann', 'main', 3);
SELECT loyalty_member_card('zoe', 'main');
\echo :SQLSTATE

-- The tree: limits, groups in groups, states, what is pending, a filter.
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent, arbitration, max_discount_percent,
    min_product_price_amount)
VALUES ('main', 'season', 'The season', 'main', 'max_benefit', 30, 1.5),
    ('main', 'spring', 'Spring', 'season', 'summation', NULL, NULL);
INSERT INTO loyalty.promotions (program, external_id, name, kind, parent)
    VALUES ('main', 'eggs', 'Eggs', 'discount', 'spring');
SELECT loyalty_move_promotion('main', 'books', 'season');
SELECT loyalty_deactivate_promotion('main', 'order');
UPDATE loyalty.promotion_benefits SET parameters = '{"point_type": "gift", "percent": 25}'
    WHERE promotion = 'pay' AND position = 1;
SELECT loyalty_promotion_tree();
SELECT loyalty_apply('main') > 1 AS applied;
UPDATE loyalty.promotions SET name = 'Books of the season' WHERE external_id = 'books';
SELECT loyalty_end_promotion('main', 'earn');
SELECT loyalty_promotion_tree('main');
SELECT loyalty_promotion_tree('main', 'season');
SELECT loyalty_promotion_tree('main', 'CHANGED');
SELECT loyalty_promotion_tree('main', 'trigger');
SELECT loyalty_promotion_tree('main', 'nothing like it');
SELECT loyalty_promotion_tree('nowhere');
\echo :SQLSTATE
SELECT promotion, kind FROM loyalty.active_promotions ORDER BY promotion;
UPDATE loyalty.promotions SET ends_at = '2026-05-14' WHERE external_id = 'form';
-- The dates of the tree count once they are applied.
UPDATE loyalty.promotions SET ends_at = '2026-05-14 00:00:00.25' WHERE external_id = 'books';
SELECT promotion, ends_at FROM loyalty.active_promotions ORDER BY promotion;
SELECT loyalty_apply('main') > 1 AS applied;
SELECT promotion, ends_at FROM loyalty.active_promotions ORDER BY promotion;
SELECT loyalty_set_clock('2026-05-14 12:00+00') IS NOT NULL AS is_set;
SELECT promotion, kind FROM loyalty.active_promotions ORDER BY promotion;
SELECT loyalty_promotion_tree('main', 'trigger');

DROP PROCEDURE months();
DROP TABLE before CASCADE;
DROP VIEW differences, liability_check, total_check, promotion_check, rebuilt, due, after, entries;
DROP FUNCTION basket(text, text, jsonb), refusal(text);
SET client_min_messages = warning;
DROP SCHEMA loyalty CASCADE;
