-- Real orders through the program of the demonstration: every sale invoice of the file but the stock write-offs
-- calculates, adds up, and has the file's own base total.
\set ECHO none
SET client_min_messages = warning;
SELECT loyalty_create_schema() \g /dev/null
\i demo/online_retail.sql
\set ECHO all

-- The invoices: 815 sales, the other 185 are returns and corrections.
SELECT count(DISTINCT invoice), count(DISTINCT invoice) FILTER (WHERE invoice ~ '^[0-9]') AS sales
FROM shop.invoice_lines;
SELECT count(*), count(*) FILTER (WHERE is_written_off) AS written_off FROM shop.orders;
SELECT error_code, error_message, count(*) FROM shop.results GROUP BY 1, 2 ORDER BY 1;

-- The error that all write-offs get, and nothing else.
SELECT count(*) FROM shop.orders JOIN shop.results USING (invoice)
WHERE is_written_off IS DISTINCT FROM (error_code IS NOT DISTINCT FROM 'LY104');
SELECT document -> 'lines' -> 0 AS line FROM shop.orders WHERE is_written_off ORDER BY invoice LIMIT 1;
SELECT loyalty_calculate(document) FROM shop.orders WHERE is_written_off ORDER BY invoice LIMIT 1;
\echo :SQLSTATE

-- Figures of a result as rows.
CREATE TEMPORARY VIEW result AS
SELECT
    invoice,
    base,
    result,
    (result #>> '{totals,base}')::numeric AS total_base,
    (result #>> '{totals,discount}')::numeric AS discount,
    (result #>> '{totals,points_discount}')::numeric AS points_discount,
    (result #>> '{totals,goods}')::numeric AS goods,
    (result #>> '{totals,total}')::numeric AS total,
    (result #>> '{shipping,base}')::numeric AS shipping_base,
    (result #>> '{shipping,discount}')::numeric AS shipping_discount,
    (result #>> '{shipping,total}')::numeric AS shipping
FROM shop.results
WHERE error_code IS NULL;
CREATE TEMPORARY VIEW result_line AS
SELECT
    invoice,
    line ->> 'id' AS id,
    (line ->> 'quantity')::numeric AS quantity,
    (line ->> 'base_price')::numeric AS base_price,
    (line ->> 'base')::numeric AS base,
    (line ->> 'discount')::numeric AS discount,
    (line ->> 'points_discount')::numeric AS points_discount,
    (line ->> 'allotted')::numeric AS allotted,
    (line ->> 'total')::numeric AS total
FROM result, jsonb_array_elements(result -> 'lines') AS line;
CREATE TEMPORARY VIEW result_operation AS
SELECT
    invoice,
    operation ->> 'line' AS id,
    operation ->> 'target' AS target,
    operation ->> 'promotion' AS promotion,
    operation ->> 'level' AS level,
    (operation ->> 'discount')::numeric AS discount,
    (operation ->> 'points_discount')::numeric AS points_discount,
    (operation ->> 'spent')::numeric AS spent,
    (operation ->> 'accrued')::numeric AS accrued,
    (operation ->> 'pending')::numeric AS pending,
    (operation ->> 'cut')::numeric AS cut
FROM result, jsonb_array_elements(result -> 'operations') AS operation;

-- To the last digit: base totals are the file's, and lines are quantity times price.
SELECT count(*) AS wrong_base FROM result WHERE total_base IS DISTINCT FROM base OR scale(total_base) <> 2;
SELECT count(*) AS wrong_line_base FROM result_line WHERE base IS DISTINCT FROM quantity * base_price;
SELECT sum(quantity * unit_price) AS file, (SELECT sum(total_base) FROM result) AS results
FROM shop.sale_lines JOIN shop.results USING (invoice) WHERE error_code IS NULL;

-- Lines and shipping add up to the total, bases less reductions to totals, operations to reductions.
SELECT count(*) AS wrong_total FROM result
WHERE total IS DISTINCT FROM shipping + (
    SELECT sum(line.total) FROM result_line AS line WHERE line.invoice = result.invoice
);
SELECT count(*) AS wrong_goods FROM result
WHERE (goods, total) IS DISTINCT FROM (total - shipping, total_base - discount - points_discount);
SELECT count(*) AS wrong_line FROM result_line
WHERE total IS DISTINCT FROM base - discount - points_discount OR total < 0;
SELECT count(*) AS wrong_operations
FROM result_line AS line
LEFT JOIN (
    SELECT invoice, id, sum(discount) AS discount, sum(points_discount) AS points_discount,
        sum(coalesce(discount, 0) + coalesce(points_discount, 0)) FILTER (WHERE level = 'order') AS allotted
    FROM result_operation
    GROUP BY invoice, id
) AS operation USING (invoice, id)
WHERE (line.discount, line.points_discount, line.allotted) IS DISTINCT FROM
    (coalesce(operation.discount, 0), coalesce(operation.points_discount, 0), coalesce(operation.allotted, 0));
SELECT count(*) AS wrong_shipping FROM result
WHERE shipping IS DISTINCT FROM shipping_base - shipping_discount
    OR shipping_discount IS DISTINCT FROM (
        SELECT coalesce(sum(operation.discount), 0)
        FROM result_operation AS operation
        WHERE operation.invoice = result.invoice AND target = 'shipping'
    );

-- Points: balances follow from what was spent and earned, operations add up to both.
SELECT count(*) AS accounts, count(*) FILTER (WHERE
    (total_after, active_after) IS DISTINCT FROM (total_before - spent + accrued, active_before - spent + accrued)
    OR spent > active_before
    OR (spent, accrued, pending) IS DISTINCT FROM (
        SELECT (
            coalesce(sum(operation.spent), 0),
            coalesce(sum(operation.accrued), 0),
            coalesce(sum(operation.pending), 0)
        )
        FROM result_operation AS operation WHERE operation.invoice = points.invoice)
) AS wrong
FROM (
    SELECT invoice, figure.*
    FROM result, jsonb_to_recordset(result -> 'points') AS figure (total_before numeric, active_before numeric,
        spent numeric, accrued numeric, pending numeric, total_after numeric, active_after numeric)
) AS points;
SELECT
    result ->> 'buyer' AS buyer,
    count(*),
    count(*) FILTER (WHERE jsonb_array_length(result -> 'points') > 0) AS with_points
FROM result
GROUP BY 1
ORDER BY 1;

-- The limits of the tree: 35 % of all goods, 50.00 in group together; and every search was carried to its end.
SELECT count(*) AS beyond_limit FROM result
WHERE total_base - shipping_base - goods > round(0.35 * (total_base - shipping_base), 2);
SELECT max(discount) AS most_together
FROM (
    SELECT sum(discount) FROM result_operation WHERE promotion IN ('everyday', 'small-things') GROUP BY invoice
) AS sums (discount);
SELECT count(*) FROM result WHERE result ->> 'optimal' <> 'true';

-- Nobody's stars are spent unasked.
SELECT count(*) FROM shop.orders, loyalty_calculate(document - 'redeem') AS unasked
WHERE NOT is_written_off AND (unasked #>> '{totals,points_discount}')::numeric <> 0;

-- What it comes to.
SELECT
    count(*) AS orders,
    sum(total_base) AS base,
    sum(discount) AS discount,
    sum(points_discount) AS points_discount,
    sum(total) AS total
FROM result;
SELECT promotion, count(DISTINCT invoice) AS orders, sum(discount) AS discount, sum(points_discount) AS points_discount,
    sum(spent) AS spent, sum(accrued) AS accrued, sum(pending) AS pending, sum(cut) AS cut
FROM result_operation GROUP BY promotion ORDER BY promotion COLLATE "C";

-- Nothing is wrong with it, and nobody ever gets more than its limit.
SELECT * FROM loyalty_lint('shop');
SELECT depth, node, at_most, rounding_at_most, reached, reasoning FROM loyalty_bound('shop');

-- One order, from all sides.
\pset format unaligned
\pset tuples_only on
SELECT jsonb_pretty(document) FROM shop.orders WHERE invoice = '575072';
SELECT jsonb_pretty(result) FROM result WHERE invoice = '575072';
SELECT loyalty_explain(document) FROM shop.orders WHERE invoice = '575072';

DROP SCHEMA loyalty, shop CASCADE;
