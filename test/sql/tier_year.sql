-- A year of a real shop: its customers are enrolled by their first invoice, earn qualification points by every
-- purchase, and are reviewed month by month from their registration day. Each customer's tier history is what plain SQL
-- says.
\set ECHO none
SET client_min_messages = warning;
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2010-12-01 00:00+00') \g /dev/null
CREATE TABLE invoice_lines (invoice text, sku text, description text, quantity integer, sold_at timestamp,
    unit_price numeric, customer integer, country text);
\copy invoice_lines FROM 'demo/online_retail_slice.csv' (FORMAT csv, HEADER)
CREATE TABLE purchases AS
SELECT customer::text AS member, invoice, min(sold_at) AT TIME ZONE 'Europe/London' AS at,
    floor(sum(quantity * unit_price)) AS points
FROM invoice_lines
WHERE customer IS NOT NULL AND invoice ~ '^[0-9]'
GROUP BY customer, invoice
HAVING sum(quantity * unit_price) >= 1;
INSERT INTO loyalty.profiles (key) SELECT DISTINCT member FROM purchases;
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('shop', 'Shop', 'profiles', 'GBP', 'Europe/London', true);
\set ECHO all

-- Five groups, each with points of its own: the rules differ, the thresholds are the same.
CREATE TABLE rules (tier_group text PRIMARY KEY, months integer, reset_months integer, upgrade_at_once boolean,
    extend boolean);
INSERT INTO rules VALUES
    ('plain', 1, 1, false, false), ('both', 1, 1, true, true), ('quarter', 1, 3, true, true),
    ('slow', 2, 6, false, true);
INSERT INTO loyalty.point_types (program, external_id, name, kind, scale, ratio, active)
SELECT 'shop', tier_group, tier_group, 'qualification', 0, 1, true
    FROM rules UNION ALL SELECT 'shop', 'lifetime', 'Lifetime', 'qualification', 0, 1, true;
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type, interval_count, interval_unit,
    reset_count, reset_unit, upgrade_at_once, extend_to_month_end)
SELECT 'shop', tier_group, tier_group, 'cyclic', tier_group, months, 'month', nullif(reset_months, months),
    CASE WHEN reset_months <> months THEN 'month' END, upgrade_at_once, extend
FROM rules;
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type)
    VALUES ('shop', 'lifetime', 'Lifetime', 'cumulative', 'lifetime');
CREATE TABLE ladder (rank integer PRIMARY KEY, threshold numeric);
INSERT INTO ladder VALUES (0, 0), (1, 250), (2, 600), (3, 1500);
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, position, threshold)
SELECT 'shop', tier_groups.external_id || '-' || rank, tier_groups.external_id, 'Tier', rank, threshold
    FROM loyalty.tier_groups, ladder;

-- The year goes by. No job runs until June; then one runs every third morning, before purchases find anything due.
CREATE PROCEDURE live(since timestamptz, until timestamptz, job boolean) LANGUAGE plpgsql AS $$
DECLARE
    purchase record;
    day date := since::date;
BEGIN
    FOR purchase IN SELECT * FROM purchases WHERE at >= since AND at < until ORDER BY at, invoice LOOP
        WHILE job AND day + 3 <= purchase.at::date LOOP
            day := day + 3;
            IF day::timestamptz + interval '3 hours' > loyalty_now() THEN
                PERFORM loyalty_set_clock(day::timestamptz + interval '3 hours');
            END IF;
            COMMIT;
            CALL loyalty_review_tiers(50);
        END LOOP;
        IF purchase.at > loyalty_now() THEN
            PERFORM loyalty_set_clock(purchase.at);
        END IF;
        PERFORM loyalty_enrol(purchase.member, 'shop');
        PERFORM loyalty_accrue(purchase.member, 'shop', external_id, purchase.points,
            external_id => purchase.invoice || external_id)
        FROM loyalty.point_types;
        COMMIT;
    END LOOP;
END
$$;
SET TimeZone = 'Europe/London';
CALL live('2010-12-01', '2011-06-01', false);
CALL live('2011-06-01', '2012-01-01', true);
SELECT loyalty_set_clock('2012-01-15');
CALL loyalty_review_tiers();

-- The same by definition: periods, what they earned, and the tier at every moment at which anything may change.
CREATE FUNCTION rank_of(points numeric)
    RETURNS integer LANGUAGE sql STABLE AS 'SELECT max(rank) FROM ladder WHERE threshold <= points';
CREATE TABLE periods AS
WITH anchors AS (SELECT member, min(at) AS registered_at, (min(at))::date::timestamp AS anchor
    FROM purchases GROUP BY member)
SELECT rules.tier_group, member, k, registered_at,
    (anchor + k * rules.months * interval '1 month')::timestamptz AS ends,
    -- The last reset before the end.
    greatest((anchor
        + (k * rules.months - 1) / rules.reset_months * rules.reset_months * interval '1 month')::timestamptz,
        '-infinity') AS counted_from
FROM anchors, rules, generate_series(1, 14) k
WHERE (anchor + k * rules.months * interval '1 month')::timestamptz <= '2012-01-15';
ALTER TABLE periods ADD rank integer, ADD kept_until timestamptz;
UPDATE periods SET
    rank = rank_of(
        (SELECT coalesce(sum(points), 0) FROM purchases
        WHERE purchases.member = periods.member AND at >= counted_from AND at < ends)),
    -- The first of the month after the one in which the period's last day lies.
    kept_until = (date_trunc('month', ends::date - 1) + interval '1 month')::timestamptz;
CREATE TABLE moments AS
SELECT tier_group, member, at FROM rules, purchases
UNION SELECT tier_group, member, ends FROM periods
UNION SELECT tier_group, member, kept_until FROM periods WHERE kept_until <= '2012-01-15'
UNION SELECT tier_group, member, (registered_at::date::timestamp + k * reset_months * interval '1 month')::timestamptz
FROM rules, generate_series(1, 14) k, (SELECT member, min(at) AS registered_at FROM purchases GROUP BY member) anchors
WHERE (registered_at::date::timestamp + k * reset_months * interval '1 month')::timestamptz <= '2012-01-15';
CREATE INDEX ON periods (tier_group, member, k);
CREATE TABLE expected AS
WITH judged AS (
    SELECT moments.*,
        greatest(
            coalesce((SELECT rank FROM periods p
                WHERE p.tier_group = moments.tier_group AND p.member = moments.member AND ends <= moments.at
                ORDER BY k DESC LIMIT 1), 0),
            -- Kept: what was held just before the last review that may have lowered it.
            CASE WHEN rules.extend THEN
                (SELECT greatest(
                        coalesce((SELECT rank FROM periods q
                            WHERE q.tier_group = p.tier_group AND q.member = p.member AND q.k = p.k - 1), 0),
                        CASE WHEN rules.upgrade_at_once THEN p.rank END)
                FROM periods p
                WHERE p.tier_group = moments.tier_group AND p.member = moments.member AND ends <= moments.at
                    AND kept_until > moments.at)
            END,
            CASE WHEN rules.upgrade_at_once THEN rank_of((
                SELECT coalesce(sum(points), 0) FROM purchases
                WHERE purchases.member = moments.member AND purchases.at <= moments.at
                    AND purchases.at >= coalesce((
                        SELECT max((first.at::date::timestamp
                            + k * rules.reset_months * interval '1 month')::timestamptz)
                        FROM (SELECT min(at) AS at FROM purchases WHERE member = moments.member) first,
                        generate_series(0, 14) k
                        WHERE (first.at::date::timestamp
                            + k * rules.reset_months * interval '1 month')::timestamptz <= moments.at), '-infinity')
            )) END) AS rank
    FROM moments JOIN rules USING (tier_group)
)
SELECT tier_group, member, at AS since, rank FROM (
    SELECT *, lag(rank) OVER (PARTITION BY tier_group, member ORDER BY at) AS before FROM judged
) changes
WHERE rank IS DISTINCT FROM before;
-- Lifetime points never fall.
INSERT INTO expected
SELECT 'lifetime', member, at, rank FROM (
    SELECT member, at, rank, lag(rank) OVER (PARTITION BY member ORDER BY at) AS before
    FROM (SELECT DISTINCT member, at, rank_of(sum(points) OVER (PARTITION BY member ORDER BY at)) AS rank
        FROM purchases) judged
) changes
WHERE rank IS DISTINCT FROM before;

-- What was recorded; of several changes at one moment the last.
CREATE TABLE recorded AS
SELECT tier_group, member, since, rank FROM (
    SELECT *, lag(rank) OVER (PARTITION BY tier_group, member ORDER BY since) AS before FROM (
        SELECT DISTINCT ON (tier_group, member, since) tier_group::text, member, since, right(tier, 1)::integer AS rank
        FROM loyalty.member_tier_history ORDER BY tier_group, member, since, seq DESC
    ) last
) changes
WHERE rank IS DISTINCT FROM before;
SELECT tier_group, count(*) AS changes, count(DISTINCT member) AS members, min(rank), max(rank)
    FROM expected GROUP BY tier_group ORDER BY tier_group;
(TABLE expected EXCEPT TABLE recorded) UNION ALL (TABLE recorded EXCEPT TABLE expected) ORDER BY 1, 2, 3 LIMIT 10;
SELECT cause, count(*) > 20 AS often FROM loyalty.member_tier_history GROUP BY cause ORDER BY cause;

-- The tier as of any moment is that of the history; today's, the one that stands.
SELECT count(*) AS asked, count(*) FILTER (WHERE tier IS DISTINCT FROM (
        SELECT tier_group || '-' || rank FROM expected e
            WHERE e.tier_group = t.tier_group AND e.member = m.member AND since <= moment ORDER BY since DESC LIMIT 1
    )) AS wrong
FROM (SELECT member FROM loyalty.members ORDER BY member LIMIT 40) m,
unnest(ARRAY['2011-02-28 12:00', '2011-06-01', '2011-10-31 23:59:59', '2011-11-01', '2012-01-15']::timestamptz[])
    AS moment,
    loyalty_tier(m.member, 'shop', moment) AS t;
SELECT count(*) FROM loyalty.member_tiers s
    WHERE tier IS DISTINCT FROM (SELECT tier_group || '-' || rank FROM expected e
    WHERE e.tier_group = s.tier_group AND e.member = s.member ORDER BY since DESC LIMIT 1);

-- Resets: what a period has earned, at its end; and the ledger is whole.
SELECT count(*) FROM (
    SELECT member, point_type, created_at, value FROM loyalty.transactions WHERE type = 'reset' AND point_type = 'both'
    EXCEPT
    SELECT member, tier_group, ends,
        - (SELECT sum(points) FROM purchases
        WHERE purchases.member = periods.member AND at >= counted_from AND at < ends)
    FROM periods
) wrong;
SELECT count(*) > 100 AS many FROM loyalty.transactions WHERE type = 'reset' AND point_type = 'both';
SELECT * FROM loyalty_verify();
-- Once more there is nothing to do.
CALL loyalty_review_tiers();
SELECT job, done, finished_at IS NOT NULL AS finished FROM loyalty.job_progress;

-- The outbox has told of every booking, once, and in the order of booking.
\set ECHO none
\i test/fixtures/untold.sql
\set ECHO all
SELECT * FROM untold;

SET client_min_messages = warning;
DROP SCHEMA loyalty CASCADE;
DROP TABLE invoice_lines, purchases, rules, ladder, periods, moments, expected, recorded;
DROP PROCEDURE live;
DROP FUNCTION rank_of;
