-- The demonstration: `make demo` runs it on a private server; on a database of your own, from the root of the tree:
--
--     psql -X -q -v ON_ERROR_STOP=1 -f demo/demo.sql
--
-- It makes the extension and the schemas loyalty and shop, and leaves them there to look at.

\set QUIET on
SET client_min_messages = warning;
\pset pager off
\pset footer off
\pset linestyle ascii
\pset border 1

CREATE EXTENSION IF NOT EXISTS loyalty;
SELECT loyalty_create_schema() \g /dev/null

\echo
\echo '=== 1. One order, two promotions, four ways to combine them'
\echo
\echo 'Ann buys a computer for 100,000.00. It is her birthday: 20 % off. She also has 20,000 points, each worth 1.00, and'
\echo 'may pay up to 15 % of the price with them. What does she pay? That is for the shop to decide, not for the code: the'
\echo 'promotions stand in a group, and the arbitration type of the group says how they meet.'
\echo

\ir golden.sql
\set order '{"program": "golden", "member": "ann", "lines": [{"product": "PC-1", "quantity": 1, "price": 100000}], "redeem": [{"points": "bonus", "amount": "max"}]}'

CREATE TEMPORARY TABLE golden_totals (
    number integer GENERATED ALWAYS AS IDENTITY,
    arbitration text,
    rule text,
    total text
);

UPDATE loyalty.promotion_groups SET arbitration = 'consistent' WHERE program = 'golden';
SELECT loyalty_apply('golden') \g /dev/null
INSERT INTO golden_totals (arbitration, rule, total)
SELECT 'consistent', '20 % off, then 15 % of what is left', loyalty_calculate(:'order') #>> '{totals,total}';

UPDATE loyalty.promotion_groups SET arbitration = 'incompatibility' WHERE program = 'golden';
SELECT loyalty_apply('golden') \g /dev/null
INSERT INTO golden_totals (arbitration, rule, total)
SELECT 'incompatibility', 'the first takes the line: only 20 % off', loyalty_calculate(:'order') #>> '{totals,total}';

UPDATE loyalty.promotions SET position = CASE external_id WHEN 'pay' THEN 1 ELSE 2 END WHERE program = 'golden';
SELECT loyalty_apply('golden') \g /dev/null
INSERT INTO golden_totals (arbitration, rule, total)
SELECT '  swapped', 'the first takes the line: only 15 % paid', loyalty_calculate(:'order') #>> '{totals,total}';

UPDATE loyalty.promotion_groups SET arbitration = 'summation' WHERE program = 'golden';
SELECT loyalty_apply('golden') \g /dev/null
INSERT INTO golden_totals (arbitration, rule, total)
SELECT 'summation', '20 % and 15 % of the same price', loyalty_calculate(:'order') #>> '{totals,total}';

UPDATE loyalty.promotion_groups SET arbitration = 'max_benefit' WHERE program = 'golden';
SELECT loyalty_apply('golden') \g /dev/null
INSERT INTO golden_totals (arbitration, rule, total)
SELECT 'max_benefit', 'whatever is worth most to Ann', loyalty_calculate(:'order') #>> '{totals,total}';

\pset border 2
SELECT
    arbitration,
    rule AS "what it means here",
    to_char(total::numeric, '999,990.00') AS "Ann pays"
FROM golden_totals
ORDER BY number;
\pset border 1

\ir online_retail.sql
\set sample 575072

\echo
\echo '=== 2. A real order, explained'
\echo
\echo 'A British gift shop sold this on 8 November 2011 (see demo/DATA.md):'
\echo

SELECT
    line.sku AS product,
    line.description AS name,
    line.quantity,
    line.unit_price AS price,
    line.quantity * line.unit_price AS amount
FROM shop.sale_lines AS line
WHERE line.invoice = :'sample'
ORDER BY line.number;

\echo 'We gave the shop a loyalty program with eight promotions in a tree of groups (demo/online_retail.sql). This is what'
\echo 'the buyer, who is a member and has 1,500 stars of 0.01 each, would have got; SELECT loyalty_explain(order) shows why:'
\echo

\pset tuples_only on
\pset format unaligned
SELECT '    ' || explained FROM shop.orders, loyalty_explain(document) AS explained WHERE invoice = :'sample';
\pset format aligned
\pset tuples_only off

\echo
\echo 'Read it from the top. Each line of the tree gives the price of the order before -> after.'
\echo '* offers: a line gets one of the three. The doilies carry red spots: 0.50 off each of 24 would be 12.00, but the group'
\echo '  lets no price fall below 75 %, so 8.70 is left. What a limit cuts is always shown.'
\echo '* basket: the best combination for the buyer is searched; here the discounts and the stars are best added up.'
\echo '* The main arbitration allows at most 35 % off all goods: the stars pay a little less than they could.'
\echo '* earn: 5 % of what is really paid comes back in stars, once the goods are delivered; 50 stars for the order at once.'

\echo
\echo '=== 3. A year of orders'
\echo

SELECT clock_timestamp() AS started \gset
SELECT loyalty_calculate(document) FROM shop.orders WHERE NOT is_written_off \g /dev/null
SELECT round(extract(epoch FROM clock_timestamp() - :'started') * 1000000 / count(*)) AS microseconds
FROM shop.orders
WHERE NOT is_written_off \gset

SELECT
    count(*) AS orders,
    sum((result #>> '{totals,lines}')::integer) AS lines,
    to_char(sum((result #>> '{totals,base}')::numeric), '999,990.00') AS "base price",
    to_char(sum((result #>> '{totals,discount}')::numeric), '999,990.00') AS discount,
    to_char(sum((result #>> '{totals,points_discount}')::numeric), '9,999,990.00') AS "paid in stars",
    to_char(sum((result #>> '{totals,total}')::numeric), '9,999,990.00') AS "to pay (GBP)"
FROM shop.results
WHERE error_code IS NULL;

SELECT
    promotion.name AS promotion,
    promotion.parent AS "in group",
    count(DISTINCT operation.invoice) AS orders,
    to_char(sum((operation.body ->> 'discount')::numeric), '99,990.00') AS discount,
    to_char(sum((operation.body ->> 'points_discount')::numeric), '9,999,990.00') AS "paid in stars",
    to_char(
        sum(coalesce(operation.body ->> 'accrued', operation.body ->> 'pending')::numeric),
        '999,999,990'
    ) AS "stars earned"
FROM loyalty.promotions AS promotion
LEFT JOIN (
    SELECT invoice, body
    FROM shop.results, jsonb_array_elements(result -> 'operations') AS body
) AS operation ON operation.body ->> 'promotion' = promotion.external_id
WHERE promotion.program = 'shop'
GROUP BY promotion.external_id, promotion.name, promotion.parent
ORDER BY array_position(
    '{christmas,tea,retrospot,everyday,small-things,postage,pay-with-stars,earn}',
    promotion.external_id::text
);

SELECT
    count(*) FILTER (WHERE (result #>> '{totals,base}')::numeric = base) AS same_base,
    count(*) FILTER (
        WHERE line_sum + (result #>> '{shipping,total}')::numeric = (result #>> '{totals,total}')::numeric
    ) AS same_total
FROM shop.results, LATERAL (
    SELECT sum((line ->> 'total')::numeric) AS line_sum
    FROM jsonb_array_elements(result -> 'lines') AS line
) AS lines
WHERE error_code IS NULL \gset
SELECT
    count(*) AS refused,
    format('refused with SQLSTATE %s ("%s").', min(error_code), min(error_message)) AS refusal
FROM shop.results
WHERE error_code IS NOT NULL \gset

\echo 'Checked: the base prices of' :same_base 'orders are those of the shop''s own file to the last penny, and in' :same_total
\echo 'orders the lines and the shipping add up to the total. The file has' :refused 'more invoices that are no sales, but stock'
\echo 'written off:' :refusal
\echo 'Each order was a quote of its own: nothing was booked, and every order of a regular found the same 1,500 stars.'
\echo
\echo 'Time per order, measured just now:' :microseconds 'microseconds.'
\echo
\if :{?with_history}
\echo '=== 4. The year, lived through'
\echo
\echo 'Quotes write nothing. Now the same invoices become orders, each at its own time (the clock is simulated, in a database'
\echo 'of its own): points are spent and earned, goods delivered two days later, and what the file says was cancelled is'
\echo 'returned, as far as it covers what the customer had bought. make history does it with the whole file.'
\echo
\! createdb loyalty_history && PGDATABASE=loyalty_history tools/history <demo/online_retail_slice.csv
\echo
\echo 'Of what came back as a whole, no money and no point is left; and loyalty_verify() recomputed every balance and order.'
\echo
\echo '=== 5. All history, all orders, at once'
\echo
\echo 'Members might get five percent off instead of three. What would the year have been? The draft replays every order:'
\echo
\! PGDATABASE=loyalty_history psql -X -q -v ON_ERROR_STOP=1 -f demo/backtest.sql
\echo 'What is the most that anybody can ever get from the program above? loyalty_bound() proves it, and shows an order:'
\echo
SELECT repeat('  ', depth) || node AS node, at_most AS "at most %", reached AS "reached %", reasoning
FROM loyalty_bound('shop');
\echo 'And what could one customer do who is about to pay? Each row was calculated:'
\echo
SELECT price_now AS "pays now", price_then AS "would pay", net_gain AS gain, text
FROM (
    SELECT document - 'redeem' AS document
    FROM shop.orders
    JOIN shop.customers ON customer::text = document ->> 'member' AND orders >= 4
    WHERE NOT is_written_off
    ORDER BY invoice
    LIMIT 1
) AS chosen, loyalty_opportunities(document, 3);
\endif
\echo '=== Where to go next'
\echo
\echo '  README.md             the first result in a few lines of SQL'
\echo '  doc/concepts.md       how programs, members, points and the promotion tree fit together'
\echo '  doc/reference.md      every function, the order document, every benefit, every error'
\echo '  demo/*.sql            the program you have just seen; change it, and run make demo again'
\echo '  make test             what proves all this'
\echo
