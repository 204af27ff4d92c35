-- loyalty_prices(): every price is that of loyalty_calculate(), for buyers of all kinds, with every benefit in the
-- tree. For all products and more buyers: tools/private-server psql -X -v products=10000 -v more_buyers=93 -f
-- test/sql/prices.sql
\set ECHO none
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\if :{?more_buyers}
    CREATE EXTENSION IF NOT EXISTS loyalty;
    \set last_product Q
\else
    \set more_buyers 0
    \set last_product P-0120
\endif
\i test/fixtures/market.sql
INSERT INTO loyalty.profiles (key, attributes)
SELECT 'buyer-' || n, CASE n % 3 WHEN 0 THEN '{}' WHEN 1 THEN '{"city": "Bonn"}' ELSE '{"city": "Köln"}' END::jsonb
    FROM generate_series(1, :more_buyers) AS n;
INSERT INTO loyalty.members (member, program) SELECT 'buyer-' || n, 'main' FROM generate_series(1, :more_buyers) AS n
    WHERE n % 5 > 0;
SELECT loyalty_accrue('buyer-' || n, 'main', 'status', n * 7 % 150 + 1) FROM generate_series(1, :more_buyers) AS n
    WHERE n % 5 > 1 \g /dev/null
-- Of the two with limits one is used up by ann, and of the other 4.00 are left.
SELECT loyalty_place_order('{"external_id": "A-1", "member": "ann", "lines": [{"product": "P-0007", "quantity": 1}]}'),
    loyalty_place_order('{"external_id": "A-2", "lines": [{"product": "P-0028", "quantity": 1}]}') \g /dev/null
\set ECHO all

-- ---------------------------------------------------------------------------------------------------------------------
-- The same figures as one quote for each: all products, all kinds of buyers, two moments

-- What loyalty_calculate() says of one unit bought alone, in the columns of loyalty_prices().
CREATE FUNCTION single(who text, what text, moment timestamptz)
    RETURNS TABLE (base numeric, price numeric, promotions text[], points jsonb)
    LANGUAGE sql STABLE AS $$
    SELECT
        (result #>> '{totals,base}')::numeric,
        (result #>> '{totals,total}')::numeric,
        (SELECT coalesce(array_agg(promotion ORDER BY number), '{}')
           FROM (SELECT operation ->> 'promotion' AS promotion, min(number) AS number
                   FROM jsonb_array_elements(result -> 'operations') WITH ORDINALITY AS o (operation, number)
                  WHERE operation ?| '{text,pool}' OR coalesce((operation ->> 'discount')::numeric, 0) <> 0
                     OR coalesce((operation ->> 'points_discount')::numeric, (operation ->> 'accrued')::numeric,
                         (operation ->> 'pending')::numeric, 0) <> 0
                  GROUP BY 1) AS effective),
        (SELECT jsonb_object_agg(type ->> 'points', earned)
           FROM jsonb_array_elements(result -> 'points') AS t (type),
                LATERAL (SELECT (type ->> 'accrued')::numeric + (type ->> 'pending')::numeric) AS e (earned)
          WHERE earned > 0)
    FROM loyalty_calculate(jsonb_strip_nulls(jsonb_build_object(
        'program', 'main', 'member', who, 'time', to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SSZ'),
        'lines', jsonb_build_array(jsonb_build_object('product', what, 'quantity', 1))))) AS result
$$;
CREATE TABLE buyers AS SELECT unnest AS buyer FROM unnest('{NULL,guest,ann,bob,cat,dan,eve}'::text[])
UNION ALL SELECT 'buyer-' || n FROM generate_series(1, :more_buyers) AS n;
CREATE TABLE moments AS SELECT *
    FROM (VALUES ('2026-01-15 12:00+00'::timestamptz), ('2026-03-01 00:00+01')) AS m (moment);
-- Each of the first 120 products, and the last 600 of all for one buyer.
CREATE TABLE compared AS
SELECT b.buyer, m.moment, p.*, s.base AS base_alone, s.price AS price_alone, s.promotions AS promotions_alone,
    s.points AS points_alone
FROM buyers AS b, moments AS m,
    LATERAL loyalty_prices(b.buyer,
        (SELECT array_agg(sku ORDER BY sku) FROM loyalty.products WHERE sku <= :'last_product'), at => m.moment) AS p,
    LATERAL single(b.buyer, p.sku, m.moment) AS s
UNION ALL
SELECT 'cat', now(), p.*, s.*
FROM loyalty_prices('cat') AS p, single('cat', p.sku, loyalty_now()) AS s
WHERE p.sku > 'P-2400' AND p.price IS NOT NULL;
SELECT count(*) AS prices, count(DISTINCT (base, price)) > 500 AS many,
    count(*) FILTER (WHERE (base, price, promotions, points)
        IS DISTINCT FROM (base_alone, price_alone, promotions_alone, points_alone)) AS different
FROM compared;
SELECT * FROM compared
    WHERE (base, price, promotions, points) IS DISTINCT FROM (base_alone, price_alone, promotions_alone, points_alone)
    LIMIT 3;
-- Whatever can have an effect on one unit has one; the code, the channel and the three items cannot, nor can points
-- that nobody asks to spend.
SELECT string_agg(external_id, ', ' ORDER BY external_id) AS without_effect FROM loyalty.promotions
WHERE NOT EXISTS (SELECT FROM compared WHERE external_id = ANY (promotions));
SELECT buyer, count(*) AS prices, sum(price), count(points) AS earning, count(more) AS missing
FROM compared WHERE sku <= 'P-0120' AND moment < '2026-02-01' GROUP BY buyer ORDER BY buyer;

-- ---------------------------------------------------------------------------------------------------------------------
-- Which products

SELECT count(*), count(price), count(DISTINCT version) FROM loyalty_prices();
SELECT sku, base, price, promotions, points, more FROM loyalty_prices(skus => '{UNPRICED,P-0100,P-0001,P-0100}');
SELECT count(*), bool_and(base >= 100) AS dear FROM loyalty_prices(segment => 'dear');
SELECT count(*), bool_and(sku LIKE '%3') AS listed FROM loyalty_prices(segment => 'listed');
SELECT count(*), bool_and(base < 1) AS cheap FROM loyalty_prices(segment => 'unused');
SELECT sku FROM loyalty_prices(skus => '{P-0013,P-0001,P-0003}', segment => 'listed');
SELECT count(*) FROM loyalty_prices(skus => '{}');
SELECT * FROM loyalty_prices(skus => '{P-0001,nothing}');
\echo :SQLSTATE
SELECT * FROM loyalty_prices(skus => ARRAY[NULL]::text[]);
\echo :SQLSTATE
SELECT * FROM loyalty_prices(segment => 'nothing');
\echo :SQLSTATE
SELECT * FROM loyalty_prices('nobody');
\echo :SQLSTATE
SELECT * FROM loyalty_prices(at => 'infinity');
\echo :SQLSTATE
SELECT * FROM loyalty_prices(program => 'idle');
\echo :SQLSTATE
SELECT * FROM loyalty_prices(program => 'nothing');
\echo :SQLSTATE

-- ---------------------------------------------------------------------------------------------------------------------
-- What more goods would reach, as said by an explanation

SELECT price, jsonb_pretty(more) AS more FROM loyalty_prices('bob', '{P-0006}');
SELECT line FROM loyalty_explain(
    '{"program": "main", "member": "bob", "lines": [{"product": "P-0006", "quantity": 1}]}') AS line
WHERE line ~ 'more';

-- ---------------------------------------------------------------------------------------------------------------------
-- In queries: joined, sorted, in a read-only transaction, in parallel processes; as applied, and at once where it is
-- stopped

BEGIN READ ONLY;
SELECT product.name, listed.price FROM loyalty_prices('bob', segment => 'c1') AS listed
JOIN loyalty.products AS product ON product.program = 'main' AND product.sku = listed.sku
WHERE listed.price < listed.base ORDER BY listed.price DESC, listed.sku LIMIT 3;
COMMIT;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE compared SET (parallel_workers = 2);
SELECT count(*), sum(p.price) FROM compared AS c, loyalty_prices(c.buyer, ARRAY[c.sku], at => c.moment) AS p
    WHERE c.sku < 'P-0020' AND p.price = c.price;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT price, promotions FROM loyalty_prices('dan', '{P-0001}');
SELECT loyalty_pause_promotion('main', 'percent');
SELECT price, promotions FROM loyalty_prices('dan', '{P-0001}');
UPDATE loyalty.products SET price = 10, categories = '{c6}' WHERE sku = 'P-0001';
SELECT base, price, promotions FROM loyalty_prices('dan', '{P-0001}');

DROP TABLE compared, buyers, moments;
DROP FUNCTION single(text, text, timestamptz), save(text, text, text, text, jsonb, text[], jsonb);
DROP SCHEMA loyalty CASCADE;
