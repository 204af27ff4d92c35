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

-- The dashboard: every panel's query, asked by a role with the set of rights report, has rows, and so has the list of programs.
-- The shop has no tiers and runs no jobs, so it gets some first.
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type) VALUES ('history', 'club', 'Club', 'cumulative', 'merits');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
VALUES ('history', 'friend', 'club', 'Friend', 0), ('history', 'patron', 'club', 'Patron', 1000);
SET client_min_messages = error;
CALL loyalty_run_job('expire_points');
CREATE ROLE regress_loyalty_grafana;
SELECT loyalty_grant('regress_loyalty_grafana', 'report');
\set dashboard `cat doc/grafana/loyalty.json`
CREATE TABLE panel AS
SELECT
    panel ->> 'title' AS title, panel ->> 'type' AS type, target ->> 'format' AS format, panel -> 'gridPos' AS place,
    replace(regexp_replace(target ->> 'rawSql', '\$__timeFilter\((\w+)\)', $$\1 BETWEEN '2010-01-01T00:00:00Z' AND '2012-01-01T00:00:00Z'$$, 'g'), '${program}', 'history') AS query
FROM jsonb_array_elements(:'dashboard'::jsonb -> 'panels') AS panel, jsonb_array_elements(panel -> 'targets') AS target
UNION ALL
SELECT variable ->> 'name', 'variable', 'table', NULL, variable ->> 'query'
FROM jsonb_array_elements(:'dashboard'::jsonb #> '{templating,list}') AS variable WHERE variable ->> 'type' = 'query';
GRANT SELECT ON panel TO regress_loyalty_grafana;
CREATE FUNCTION asked(query text) RETURNS TABLE (has_rows boolean, columns text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT count(*) > 0, (SELECT string_agg(key, '', '' ORDER BY key) FROM jsonb_object_keys(min(to_jsonb(answer)::text)::jsonb) AS key) FROM (%s) AS answer', query) INTO has_rows, columns;
    RETURN NEXT;
END
$$;
SET ROLE regress_loyalty_grafana;
SELECT title, type, asked.* FROM panel, asked(query) ORDER BY type, title;
RESET ROLE;
-- Its form: kinds of panels that there are, each in its place, a moment first where that is the format.
SELECT count(*) AS panels, count(DISTINCT title || type) AS different, count(*) FILTER (WHERE format = 'time_series' AND query !~ 'AS time,') AS without_time,
    bool_and(type IN ('stat', 'timeseries', 'barchart', 'bargauge', 'table')) AS known,
    bool_and((place ->> 'x')::integer + (place ->> 'w')::integer <= 24) AS fit
FROM panel WHERE type <> 'variable';
SELECT count(*) AS overlapping
FROM panel AS a JOIN panel AS b ON a.title || a.type < b.title || b.type AND a.place IS NOT NULL AND b.place IS NOT NULL
    AND int4range((a.place ->> 'x')::integer, (a.place ->> 'x')::integer + (a.place ->> 'w')::integer) && int4range((b.place ->> 'x')::integer, (b.place ->> 'x')::integer + (b.place ->> 'w')::integer)
    AND int4range((a.place ->> 'y')::integer, (a.place ->> 'y')::integer + (a.place ->> 'h')::integer) && int4range((b.place ->> 'y')::integer, (b.place ->> 'y')::integer + (b.place ->> 'h')::integer);
SELECT loyalty_revoke('regress_loyalty_grafana', 'report');
DROP TABLE panel;
DROP FUNCTION asked(text);
DROP ROLE regress_loyalty_grafana;
SET client_min_messages = warning;

DROP SCHEMA loyalty, shop CASCADE;
