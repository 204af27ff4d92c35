-- What products have cost, and the lowest price before a reduction: loyalty.price_history, loyalty_prior_price().
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET timezone = 'Europe/Berlin';
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2026-10-01 12:00') \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
INSERT INTO loyalty.products (program, sku, name, price, categories)
VALUES ('main', 'tv', 'TV', 100, '{big}'), ('main', 'pen', 'Pen', 2, '{}'), ('main', 'gift', 'Gift', NULL, '{}');
SELECT * FROM loyalty_prior_price('tv');
\echo :SQLSTATE
UPDATE loyalty.programs SET price_history = true;
SELECT sku, begins_at, price FROM loyalty.price_history;
SELECT loyalty_record_prices() \g /dev/null
SELECT sku, begins_at, price FROM loyalty.price_history ORDER BY sku, begins_at, id;

-- A promotion of December, applied in November, that no job looked at; then a lower price.
SELECT loyalty_set_clock('2026-11-15 12:00') \g /dev/null
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'big', 'Big', '$.categories[*] == "big"');
SELECT loyalty_save_promotion('main', '{"external_id": "december", "name": "December", "kind": "discount", "state": "active", "audience": "everyone",
    "starts_on": "2026-12-01", "ends_on": "2026-12-03",
    "conditions": [{"mode": "in", "segments": ["big"], "benefits": [{"benefit": "discount", "parameters": {"percent": 20}}]}]}') \g /dev/null
SELECT loyalty_apply('main') \g /dev/null
SELECT * FROM loyalty_prior_price('tv');
SELECT loyalty_set_clock('2026-12-10 12:00') \g /dev/null
UPDATE loyalty.products SET price = 90 WHERE sku = 'tv';
SELECT * FROM loyalty_prior_price('tv');
SELECT sku, begins_at, price FROM loyalty.price_history ORDER BY sku, begins_at, id;
-- As it was on other days: within the promotion, the day after it, before the history began.
SELECT day::date, prior.*
FROM unnest('{2026-12-02, 2026-12-05, 2026-10-15, 2026-09-01}'::timestamptz[]) AS day,
loyalty_prior_price('tv', day) AS prior;
-- Deeper without a rise between is one reduction, whose prior price is that before its beginning.
SELECT loyalty_set_clock('2027-01-20 12:00') \g /dev/null
UPDATE loyalty.products SET price = 70 WHERE sku = 'tv';
SELECT * FROM loyalty_prior_price('tv');
SELECT loyalty_set_clock('2027-01-25 12:00') \g /dev/null
UPDATE loyalty.products SET price = 95 WHERE sku = 'tv';
SELECT * FROM loyalty_prior_price('tv');
-- Two changes in one transaction: the last one counts.
BEGIN;
UPDATE loyalty.products SET price = 10 WHERE sku = 'pen';
UPDATE loyalty.products SET price = 3 WHERE sku = 'pen';
COMMIT;
SELECT begins_at, price FROM loyalty.price_history WHERE sku = 'pen' ORDER BY begins_at, id;
SELECT * FROM loyalty_prior_price('pen', '2027-01-25 13:00');
-- Gone, and back.
SELECT loyalty_set_clock('2027-02-01 12:00') \g /dev/null
DELETE FROM loyalty.products WHERE sku = 'pen';
SELECT loyalty_set_clock('2027-02-02 12:00') \g /dev/null
INSERT INTO loyalty.products (program, sku, name, price) VALUES ('main', 'pen', 'Pen', 1);
SELECT begins_at, price FROM loyalty.price_history WHERE sku = 'pen' ORDER BY begins_at, id;
SELECT * FROM loyalty_prior_price('pen');

-- ---------------------------------------------------------------------------------------------------------------------
-- Whenever it is recorded, it is what buyers were quoted: every half hour of nine days, while nearly nothing looks

CREATE TABLE quoted (at timestamptz, sku text, price numeric);
SELECT loyalty_save_promotion('main', '{"external_id": "hour", "name": "Happy hour", "kind": "discount", "state": "active", "audience": "everyone",
    "schedule_from": "17:00", "schedule_to": "18:30", "conditions": [{"benefits": [{"benefit": "discount", "parameters": {"percent": 10}}]}]}'),
    loyalty_save_promotion('main', '{"external_id": "sunday", "name": "Sunday", "kind": "discount", "state": "active", "audience": "everyone", "schedule_weekdays": [7],
    "conditions": [{"benefits": [{"benefit": "discount", "parameters": {"percent": 5}}]}]}'),
    loyalty_save_promotion('main', '{"external_id": "first", "name": "The first two", "kind": "discount", "state": "active", "audience": "everyone", "max_uses": 2,
    "conditions": [{"mode": "in", "segments": ["big"], "benefits": [{"benefit": "discount", "parameters": {"amount": 20}}]}]}') \g /dev/null
SELECT loyalty_apply('main') \g /dev/null
CREATE PROCEDURE live(half_hours integer) LANGUAGE plpgsql AS $$
DECLARE
    start CONSTANT timestamptz := loyalty.clock();
BEGIN
    FOR n IN 1 .. half_hours LOOP
        PERFORM loyalty_set_clock(start + n * interval '30 min');
        CASE n
            WHEN 50 THEN UPDATE loyalty.products SET price = price * 2 WHERE sku = 'pen';
            WHEN 77 THEN PERFORM loyalty_pause_promotion('main', 'sunday');
            WHEN 130 THEN PERFORM loyalty_place_order(
                '{"external_id": "A", "lines": [{"product": "tv", "quantity": 1}]}');
            WHEN 200 THEN
                PERFORM loyalty_place_order('{"external_id": "B", "lines": [{"product": "tv", "quantity": 1}]}');
                PERFORM loyalty_record_prices();
            WHEN 230 THEN PERFORM loyalty_resume_promotion('main', 'sunday');
            WHEN 333 THEN UPDATE loyalty.products SET categories = '{big}' WHERE sku = 'pen';
            WHEN 390 THEN PERFORM loyalty_end_promotion('main', 'hour');
            WHEN 400 THEN
                UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 50}' WHERE promotion = 'sunday';
                PERFORM loyalty_apply('main');
            ELSE
        END CASE;
        INSERT INTO quoted SELECT loyalty.clock(), priced.sku, priced.price
            FROM loyalty_prices(program => 'main') AS priced;
        COMMIT;
    END LOOP;
END
$$;
CALL live(432);
CALL loyalty_run_jobs();
SELECT count(*) AS quotes, count(DISTINCT price) > 8 AS many, count(*) FILTER (
    WHERE price IS DISTINCT FROM (
        SELECT kept.price FROM loyalty.price_history AS kept
        WHERE kept.sku = quoted.sku AND kept.begins_at <= quoted.at
        ORDER BY kept.begins_at DESC, kept.id DESC LIMIT 1
    )) AS different
FROM quoted;
-- No row says what the one before it says.
SELECT count(*) FROM (SELECT price, lag(price) OVER (PARTITION BY sku ORDER BY begins_at, id) AS former,
    lag(sku) OVER (PARTITION BY sku ORDER BY begins_at, id) IS NOT NULL AS has_former FROM loyalty.price_history)
        AS step
WHERE has_former AND price IS NOT DISTINCT FROM former;
-- The lowest of the last days, which the happy hour made.
SELECT prior_price = (SELECT min(price) FROM quoted WHERE sku = 'tv' AND at >= loyalty.clock() - interval '5 days')
    AS is_lowest
FROM loyalty_prior_price('tv', days => 5);

-- ---------------------------------------------------------------------------------------------------------------------
-- Refused

SELECT * FROM loyalty_prior_price('nowhere');
\echo :SQLSTATE
SELECT * FROM loyalty_prior_price('tv', 'infinity');
\echo :SQLSTATE
SELECT * FROM loyalty_prior_price('tv', days => 0);
\echo :SQLSTATE
SELECT * FROM loyalty_prior_price(NULL);
\echo :SQLSTATE
UPDATE loyalty.price_history SET price = 1;
\echo :SQLSTATE
TRUNCATE loyalty.price_history;
\echo :SQLSTATE
CREATE ROLE regress_loyalty_till;
SELECT loyalty_grant('regress_loyalty_till', 'app') \g /dev/null
SET ROLE regress_loyalty_till;
SELECT prior_price IS NOT NULL AS may FROM loyalty_prior_price('tv', days => 5);
SELECT loyalty_record_prices();
\echo :SQLSTATE
SELECT count(*) FROM loyalty.price_history;
\echo :SQLSTATE
RESET ROLE;
SELECT loyalty_revoke('regress_loyalty_till', 'app') \g /dev/null
DROP ROLE regress_loyalty_till;
-- What is not kept any more is no history: it begins anew.
UPDATE loyalty.programs SET price_history = false;
SELECT * FROM loyalty_prior_price('tv');
\echo :SQLSTATE
UPDATE loyalty.programs SET price_history = true;
SELECT prior_price, since = loyalty.clock() AS begins_now FROM loyalty_prior_price('tv');
-- Moments without an end come to one: no days behind -infinity, those of a hundred years before infinity.
SELECT count(*) FILTER (WHERE moment > '2026-01-01') < 100 AS are_few
    FROM loyalty_internal.price_moments('main', '-infinity', '2027-01-01') AS moment;
SELECT count(*) > 36000 AS of_a_hundred_years
    FROM loyalty_internal.price_moments('main', '2026-01-01', 'infinity') AS moment;
SELECT * FROM loyalty_verify();
DROP PROCEDURE live;
DROP TABLE quoted;
DROP SCHEMA loyalty CASCADE;
