-- loyalty_opportunities(): applying any row's patch gives exactly its figures. For more orders than these:
-- tools/private-server psql -X -v orders=20000 -f test/sql/opportunities.sql
\set ECHO none
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\if :{?orders}
    CREATE EXTENSION IF NOT EXISTS loyalty;
\else
    \set orders 140
\endif
\i test/fixtures/market.sql
INSERT INTO loyalty.contact_points (program, channel, external_id, name) VALUES ('main', 'web', 'cart', 'Cart');
INSERT INTO loyalty.promo_codes (code, program, pool, profile, attached_at)
SELECT format('CODE-%s', upper(profile)), 'main', 'welcome', profile, loyalty.clock()
    FROM unnest('{ann,bob,guest}'::text[]) AS profile;
SELECT save('cart', 'discount', 'product', 'discount', '{"amount": 1}', '{}',
    '{"parent": "rest", "contact_points": ["cart"]}'),
    save('friday', 'discount', 'product', 'discount', '{"amount": 2}', '{c5}',
        '{"parent": "rest", "schedule_weekdays": [5], "schedule_from": "18:00", "schedule_to": "20:00"}'),
    loyalty_apply('main') \g /dev/null

-- Applies a JSON patch, as far as changes need it.
CREATE FUNCTION patched(document jsonb, change jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    step jsonb;
    path text[];
BEGIN
    FOR step IN SELECT * FROM jsonb_array_elements(change) LOOP
        path := string_to_array(substr(step ->> 'path', 2), '/');
        document := CASE
            WHEN step ->> 'op' = 'remove' THEN document #- path
            WHEN path[cardinality(path)] = '-'
                THEN jsonb_insert(document, trim_array(path, 1) || '-1'::text, step -> 'value', true)
            ELSE jsonb_set(document, path, step -> 'value', step ->> 'op' = 'add')
        END;
    END LOOP;
    RETURN document;
END
$$;
-- What an order is worth to its buyer: ten bonus points are worth 1, status points nothing.
CREATE FUNCTION worth(result jsonb) RETURNS numeric LANGUAGE sql AS $$
    SELECT (result #>> '{totals,discount}')::numeric + (result #>> '{totals,points_discount}')::numeric
        + (SELECT coalesce(sum((type ->> 'accrued')::numeric + (type ->> 'pending')::numeric), 0) / 10
             FROM jsonb_array_elements(result -> 'points') AS t (type) WHERE type ->> 'points' = 'bonus')
$$;
CREATE FUNCTION earned(result jsonb, type text) RETURNS numeric LANGUAGE sql AS $$
    SELECT coalesce(sum((one ->> 'accrued')::numeric + (one ->> 'pending')::numeric), 0)
    FROM jsonb_array_elements(result -> 'points') AS t (one) WHERE one ->> 'points' = type
$$;
CREATE TABLE random_orders AS
SELECT n, jsonb_strip_nulls(jsonb_build_object(
    'program', 'main', 'member', ('{NULL,guest,ann,bob,cat,dan,eve}'::text[])[1 + n % 7],
    'channel', CASE WHEN n % 9 = 0 THEN 'web' END, 'contact_point', CASE WHEN n % 18 = 0 THEN 'cart' END,
    'time', CASE WHEN n % 4 > 0
        THEN to_char(timestamp '2026-01-02 08:00' + n % 50 * interval '1 day' + n * interval '1 minute',
        'YYYY-MM-DD"T"HH24:MI:SS') END,
    'shipping', n % 3 * 2.45, 'promo_codes', CASE WHEN n % 5 = 0 THEN '["NOTHING"]'::jsonb WHEN n % 5 = 1 THEN '[]' END,
    'redeem', CASE n % 6 WHEN 0 THEN '[{"points": "bonus", "amount": 3}]'::jsonb WHEN 1
        THEN '[{"points": "old", "amount": "max"}]' WHEN 2 THEN '[]' END,
    'lines', (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                  'id', CASE WHEN n % 2 = 0 THEN format('%s', 9 - line) END,
                  'product', format('P-%s', lpad((1 + (n * 137 + line * 411) % 3000)::text, 4, '0')),
                  'quantity', CASE WHEN (n + line) % 8 = 7 THEN 0.75 ELSE 1 END, 'price',
                  CASE WHEN (n + line) % 8 = 0 THEN 9.90 END)))
              FROM generate_series(0, n % 3) AS line))) AS document
FROM generate_series(1, :orders) AS n;
\set ECHO all

-- ---------------------------------------------------------------------------------------------------------------------
-- Random orders: each row's patch, applied and calculated

CREATE TABLE found AS
SELECT o.n, o.document, p.*, loyalty_calculate(o.document) AS before,
    loyalty_calculate(patched(o.document, p.change)) AS after
FROM random_orders AS o, loyalty_opportunities(o.document, 6) AS p;
SELECT kind, count(*) > 3 AS found, count(*) FILTER (WHERE price_then < price_now) > 0 AS pays_less
    FROM found GROUP BY kind ORDER BY kind;
SELECT count(*) > 200 AS many,
    count(*) FILTER (WHERE price_now <> (before #>> '{totals,total}')::numeric) AS other_price_now,
    count(*) FILTER (WHERE price_then <> (after #>> '{totals,total}')::numeric) AS other_price_then,
    count(*) FILTER (WHERE net_gain <> round(worth(after) - worth(before), 2)) AS other_gain,
    count(*) FILTER (WHERE worth(after) <= worth(before)) AS worth_nothing,
    count(*) FILTER (WHERE coalesce((points_gain ->> 'bonus')::numeric, 0) <> earned(after, 'bonus')
        - earned(before, 'bonus')
                        OR coalesce((points_gain ->> 'status')::numeric, 0) <> earned(after, 'status')
                            - earned(before, 'status')) AS other_points
FROM found;
SELECT * FROM found
    WHERE net_gain <> round(worth(after) - worth(before), 2)
    OR price_then <> (after #>> '{totals,total}')::numeric LIMIT 2;
-- The promotion that a row names has its effect in the changed order, and had none before.
SELECT count(*) FILTER (WHERE promotion <> ALL (loyalty_internal.effective_promotions(after))) * 10 < count(*)
    AS mostly_has_effect,
    count(*) FILTER (WHERE promotion = ANY (loyalty_internal.effective_promotions(before))) AS had_it_before
FROM found WHERE promotion IS NOT NULL AND kind <> 'redeem';
SELECT max(count) FROM (SELECT count(*) FROM found GROUP BY n) AS rows;

-- ---------------------------------------------------------------------------------------------------------------------
-- One order: how it reads; in loyalty_calculate(), on request; how many

\set order '{"program": "main", "member": "ann", "lines": [{"product": "P-0005", "quantity": 1, "price": 45}]}'
SELECT promotion, kind, change, price_now, price_then, net_gain, points_gain FROM loyalty_opportunities(:'order');
SELECT text FROM loyalty_opportunities(:'order');
SELECT text FROM loyalty_opportunities(:'order', 1);
SELECT loyalty_calculate(:'order'::jsonb || '{"opportunities": 5}') - 'opportunities' = loyalty_calculate(:'order')
    AS same_result,
    (SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(o))) FROM loyalty_opportunities(:'order') AS o)
        = loyalty_calculate(:'order'::jsonb || '{"opportunities": 5}') -> 'opportunities' AS same_rows;
BEGIN READ ONLY;
SELECT jsonb_array_length(loyalty_calculate(:'order'::jsonb || '{"opportunities": 2}') -> 'opportunities');
COMMIT;
SELECT loyalty_opportunities(:'order', 0);
\echo :SQLSTATE
SELECT loyalty_calculate(:'order'::jsonb || '{"opportunities": 21}');
\echo :SQLSTATE
SELECT loyalty_calculate(:'order'::jsonb || '{"opportunities": "all"}');
\echo :SQLSTATE
SELECT loyalty_calculate(:'order'::jsonb || '{"opportunities": 1.5}');
\echo :SQLSTATE
SELECT loyalty_place_order(:'order'::jsonb || '{"external_id": "A-1", "opportunities": 1}');
\echo :SQLSTATE
SELECT loyalty_calculate('[1]');
\echo :SQLSTATE
SELECT count(*)
    FROM loyalty_opportunities('{"program": "main", "lines": [{"product": "nothing", "quantity": 1, "price": 1000}]}');

DROP TABLE random_orders, found;
DROP FUNCTION patched(jsonb, jsonb), worth(jsonb), earned(jsonb, text),
save(text, text, text, text, jsonb, text[], jsonb);
DROP SCHEMA loyalty CASCADE;
