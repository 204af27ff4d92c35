-- loyalty_backtest(): stored orders replayed with the version that they were placed with, with others, and with the
-- draft.
\set ECHO none
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\i test/fixtures/market.sql
SELECT loyalty_set_clock('2026-03-01 12:00+00') \g /dev/null
SELECT loyalty_accrue(member, 'main', 'bonus', 3000) FROM loyalty.members WHERE removed_at IS NULL \g /dev/null
INSERT INTO loyalty.promo_codes (code, program, pool, profile, attached_at)
SELECT format('CODE%s-%s', n, upper(profile)), 'main', 'welcome', profile, loyalty.clock()
    FROM generate_series(1, 9) AS n, unnest('{ann,bob,cat,dan}'::text[]) AS profile;
UPDATE loyalty.promotions SET max_uses_per_member = 4 WHERE external_id = 'often';
UPDATE loyalty.promotions SET money_budget = 60 WHERE external_id = 'budget';
SELECT loyalty_apply('main') \g /dev/null

-- Orders of one to four lines in January and February, of buyers of all kinds; some with codes, points and a channel.
CREATE PROCEDURE place(prefix text, count integer) LANGUAGE plpgsql AS $$
DECLARE
    buyers CONSTANT text[] := '{NULL,guest,ann,bob,cat,dan,eve}';
    buyer text;
BEGIN
    FOR n IN 1..count LOOP
        buyer := buyers[1 + n % 7];
        PERFORM loyalty_place_order(jsonb_strip_nulls(jsonb_build_object(
            'external_id', format('%s-%s', prefix, lpad(n::text, 4, '0')),
            'member', buyer,
            'time', to_char(timestamp '2026-01-02 08:00' + n % 50 * interval '1 day' + n * interval '1 minute',
                'YYYY-MM-DD"T"HH24:MI:SS'),
            'channel', CASE WHEN n % 9 = 0 THEN 'web' END,
            'status', CASE WHEN n % 4 = 0 THEN 'delivered' END,
            'shipping', n % 3 * 2.45,
            'promo_codes', CASE WHEN n % 5 = 0
                AND buyer IN ('ann', 'bob', 'cat', 'dan')
                THEN jsonb_build_array(format('CODE%s-%s', 1 + n / 35 % 9, buyer)) END,
            'redeem', CASE WHEN n % 3 = 0 THEN '[{"points": "bonus", "amount": "max"}]'::jsonb END,
            'lines', (
                SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                    'product', format('P-%s', lpad((1 + (n * 137 + line * 411) % 3000)::text, 4, '0')),
                    'quantity', 1 + (n + line) % 3,
                    'price', CASE WHEN (n + line) % 8 = 0 THEN 49.90 END,
                    'fields', CASE WHEN (n + line) % 10 = 0 THEN '{"vip_price": 33.30}'::jsonb END)))
                FROM generate_series(0, n % 4) AS line))));
    END LOOP;
END
$$;
CALL place('A', 140);
UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 20}' WHERE promotion = 'percent';
UPDATE loyalty.promotions SET state = 'inactive' WHERE external_id = 'round';
SELECT loyalty_apply('main') \g /dev/null
CALL place('B', 70);
SELECT loyalty_import_orders('[
    {"external_id": "I-1", "member": "ann", "time": "2026-01-20T10:00:00", "shipping": 3, "lines": [{"product": "P-0001", "quantity": 2, "price": 60, "total": 110}]},
    {"external_id": "I-2", "time": "2026-01-21T10:00:00", "lines": [{"product": "gone", "quantity": 1, "price": 7.5}]}]') \g /dev/null
\set ECHO all

-- ---------------------------------------------------------------------------------------------------------------------
-- The version that they were placed with: not a cent, not a point, not a promotion differs, whatever has become of
-- products, profiles, balances, tiers, codes and counters since

SELECT origin, version, count(*),
    count(*) FILTER (WHERE discount + points_discount > 0) * 10 / count(*) >= 3 AS many_with_discount
    FROM loyalty.orders GROUP BY 1, 2 ORDER BY 2;
SELECT promotion, uses, money FROM loyalty.promotion_counters WHERE uses > 0 ORDER BY promotion;
UPDATE loyalty.products SET price = 1, min_price = NULL, categories = '{c1}', fields = '{}' WHERE sku LIKE '%1';
DELETE FROM loyalty.products WHERE sku LIKE '%9';
UPDATE loyalty.profiles SET attributes = '{}';
SELECT loyalty_accrue('dan', 'main', 'status', 500) ->> 'type' AS gold, loyalty_remove_member('bob', 'main') AS removed;
SELECT o.version, count(*), count(would_be) AS replayed, count(*) FILTER (WHERE difference <> 0) AS differences,
    count(*) FILTER (WHERE points_was <> points_would_be) AS other_points,
    count(*) FILTER (WHERE gained || lost <> '{}') AS other_promotions, count(error) AS errors
FROM loyalty.orders AS o JOIN loyalty_backtest('main', 2) AS b USING (external_id)
    WHERE o.origin = 'placed' GROUP BY 1 ORDER BY 1;
SELECT o.version, count(*), count(*) FILTER (WHERE difference <> 0) AS differences,
    count(*) FILTER (WHERE points_was <> points_would_be) AS other_points,
    count(*) FILTER (WHERE gained || lost <> '{}') AS other_promotions, count(error) AS errors
FROM loyalty.orders AS o JOIN loyalty_backtest('main', 3) AS b USING (external_id)
    WHERE o.origin = 'placed' AND o.version = 3 GROUP BY 1 ORDER BY 1;
-- So it says what loyalty_reprice_order() says.
SELECT count(*) AS orders, count(*) FILTER (WHERE loyalty_reprice_order('main', external_id) <> result) AS different
    FROM loyalty.orders WHERE origin = 'placed';

-- ---------------------------------------------------------------------------------------------------------------------
-- The draft, with segments that no version knew, a field that none read, an audience and a limit that none had

UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 30}' WHERE promotion = 'percent';
SELECT loyalty_deactivate_promotion('main', 'order'), loyalty_deactivate_promotion('main', 'budget') \g /dev/null
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'middle', 'In the middle', '$.price >= 40 && $.price < 60');
INSERT INTO loyalty.profile_segments (program, external_id, name, kind) VALUES ('main', 'few', 'A few', 'static');
INSERT INTO loyalty.profile_segment_members (program, segment, profile) VALUES ('main', 'few', 'cat');
INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
    VALUES ('main', 'four', 'Of lines at 49.90', '$.lines[*].price == 49.9');
SELECT
    save('middle', 'discount', 'product', 'discount', '{"percent": 10}', '{middle}',
        '{"parent": "rest", "max_uses": 1}'),
    save('few', 'discount', 'product', 'discount', '{"amount": 1}', '{}',
        '{"parent": "rest", "audience": "in_segments", "audience_segments": ["few"]}'),
    save('silver', 'discount', 'product', 'discount', '{"amount": 1}', '{}',
        '{"parent": "rest", "audience": "tiers", "audience_tiers": ["silver"]}'),
    save('four', 'discount', 'order', 'discount', '{"amount": 2}', '{four}', '{"parent": "rest"}'),
    save('other_field', 'discount', 'product', 'price_from_field', '{"field": "gift", "factor": 5}', '{c4}',
        '{"parent": "rest"}') \g /dev/null
SELECT promotion, orders, gained, lost FROM loyalty_backtest_summary('main') ORDER BY promotion NULLS FIRST;
SELECT orders, changed, difference = would_be - was AS adds_up, errors FROM loyalty_backtest_summary('main')
    WHERE promotion IS NULL;
-- Anonymous guests have nothing but their orders: they come to what a test says of the same order at the same prices.
SELECT count(*) AS orders, count(*) FILTER (WHERE difference <> 0) > 0 AS some_differ,
    count(*) FILTER (WHERE would_be <> (loyalty_test(
    o.request || jsonb_build_object('lines', (
        SELECT jsonb_agg(asked.line || jsonb_build_object('price', stored.price)
            || jsonb_strip_nulls(jsonb_build_object('min_price', kept.line -> 'min_price')) ORDER BY stored.position)
        FROM jsonb_array_elements(o.request -> 'lines') WITH ORDINALITY AS asked (line, position)
        JOIN loyalty.order_lines AS stored ON stored.buyer = o.buyer AND stored.program = o.program
            AND stored.order_id = o.external_id AND stored.position = asked.position
        JOIN jsonb_array_elements(o.resolved -> 'lines') AS kept (line) ON kept.line ->> 'id' = stored.line))
    ) #>> '{summary,total,total}')::numeric) AS different
FROM loyalty_backtest('main') AS b JOIN loyalty.orders AS o USING (external_id)
WHERE o.buyer LIKE 'g:%' AND o.origin = 'placed'
    -- Products whose segments of old were stored, and are others today, are left out.
    AND NOT EXISTS (SELECT FROM loyalty.order_lines AS l
        WHERE l.buyer = o.buyer AND l.order_id = o.external_id AND l.product ~ '[19]$');
-- Who was silver or in the new segment is judged as of today; dan became gold, bob is no member any more, but was.
SELECT b.buyer, count(*) AS orders, count(*) FILTER (WHERE 'few' = ANY (gained)) AS few,
    count(*) FILTER (WHERE 'silver' = ANY (gained)) AS silver, count(*) FILTER (WHERE 'gold' = ANY (gained)) AS gold
FROM loyalty_backtest('main') AS b WHERE buyer LIKE 'm:%' GROUP BY 1 ORDER BY 1;
-- The limit that no order knew is none.
SELECT count(*) > 1 AS more_than_once FROM loyalty_backtest('main') WHERE 'middle' = ANY (gained);

-- ---------------------------------------------------------------------------------------------------------------------
-- Imported orders, orders without content, orders of a time, what cannot be

SELECT external_id, origin, was, would_be, points_was, points_would_be, gained, lost, error
    FROM loyalty_backtest('main', 3) WHERE origin = 'imported' ORDER BY 1;
SELECT loyalty_erase_member('cat', 'main') \g /dev/null
SELECT buyer, count(*), count(would_be) AS replayed, min(error)
    FROM loyalty_backtest('main', 3, from_time => '2026-02-01') WHERE buyer NOT LIKE 'g:%' GROUP BY 1 ORDER BY 1;
SELECT orders FROM loyalty_backtest_summary('main', 3, '2026-01-10 00:00+01', '2026-01-12 00:00+01')
    WHERE promotion IS NULL;
SELECT count(*) FROM loyalty.orders WHERE time >= '2026-01-10 00:00+01' AND time < '2026-01-12 00:00+01';
SELECT count(*) FROM loyalty_backtest('main', 0)
    WHERE would_be <> (SELECT base FROM loyalty.orders AS o WHERE o.external_id = loyalty_backtest.external_id);
SELECT count(*) FROM loyalty_backtest('main', 77);
\echo :SQLSTATE
SELECT count(*) FROM loyalty_backtest('nothing');
\echo :SQLSTATE
SELECT loyalty_internal.replay('nothing', NULL, '{}', NULL, NULL, 0);
\echo :SQLSTATE
SELECT error FROM loyalty_internal.replay('main', NULL, '{"lines": []}', NULL, NULL, 0);

-- ---------------------------------------------------------------------------------------------------------------------
-- In parallel processes: the same rows; nothing is written; as the draft is, in the transaction that edits it

CREATE TABLE alone AS SELECT * FROM loyalty_backtest('main');
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET enable_indexscan = off;
SET enable_bitmapscan = off;
ALTER TABLE loyalty.orders SET (parallel_workers = 2);
EXPLAIN (COSTS off) SELECT replayed.total
    FROM loyalty.orders AS stored,
loyalty_internal.replay('main', NULL, stored.request, stored.resolved, stored.result, stored.version) AS replayed;
BEGIN READ ONLY;
SELECT count(*) AS rows, count(*) FILTER (WHERE together IS DISTINCT FROM alone) AS different
    FROM alone FULL JOIN loyalty_backtest('main') AS together USING (external_id);
COMMIT;
BEGIN;
UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 31}' WHERE promotion = 'percent';
SELECT count(*) FILTER (WHERE together.would_be < alone.would_be) > 0 AS lower,
    count(*) FILTER (WHERE together.would_be > alone.would_be) AS higher
FROM alone JOIN loyalty_backtest('main') AS together USING (external_id);
ROLLBACK;

DROP TABLE alone;
DROP PROCEDURE place(text, integer);
DROP FUNCTION save(text, text, text, text, jsonb, text[], jsonb);
DROP SCHEMA loyalty CASCADE;
