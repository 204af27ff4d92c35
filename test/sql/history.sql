-- The slice of the shop's history replayed: what `make history` does with the whole file.
\set ECHO none
SET client_min_messages = warning;
SELECT loyalty_create_schema() \g /dev/null
\i demo/invoices.sql
\copy shop.invoice_lines (invoice, sku, description, quantity, sold_at, unit_price, customer, country) FROM 'demo/online_retail_slice.csv' (FORMAT csv, HEADER)
\i demo/history.sql
CALL shop.replay(NULL, NULL) \g /dev/null
\set ECHO all

TABLE shop.outcome;
-- Nothing is left of what came back as a whole; it was not nothing.
SELECT count(*), sum(total) AS total, sum(money_left) AS money_left, sum(points_left) AS points_left, sum(codes_left) AS codes_left FROM shop.fully_returned;
-- Every sale of the file is an order with its own base price.
SELECT count(*) AS wrong FROM (
    SELECT invoice, sum(quantity * unit_price) AS base FROM shop.sale_lines GROUP BY invoice HAVING min(quantity) > 0
) AS sale FULL JOIN loyalty.orders AS placed ON placed.external_id = sale.invoice
WHERE sale.base IS DISTINCT FROM placed.base;
SELECT * FROM loyalty_verify();

DROP SCHEMA loyalty, shop CASCADE;
