-- The same order gives the same bytes: again, elsewhere, by another plan, with another session's settings, with
-- permuted lines, and after the extension has gone and come back.
\set ECHO none
SET client_min_messages = warning;
\i test/fixtures/program.sql
\set ECHO all
CREATE TABLE first AS
SELECT number, loyalty_calculate(document)::text AS result, ARRAY(SELECT loyalty_explain(document)) AS explanation
FROM orders;
ALTER TABLE first ADD PRIMARY KEY (number);
CREATE VIEW changed AS
SELECT number
FROM orders JOIN first USING (number)
WHERE loyalty_calculate(document)::text <> result OR ARRAY(SELECT loyalty_explain(document)) <> explanation;

-- The orders have something to be deterministic about: every promotion but the draft has an effect, the optimum is
-- found.
SELECT
    operation ->> 'promotion' AS promotion,
    count(DISTINCT number) AS orders,
    count(operation ->> 'cut') > 0 AS sometimes_cut
FROM first CROSS JOIN LATERAL jsonb_array_elements(result::jsonb -> 'operations') AS operation
GROUP BY promotion
ORDER BY promotion;
SELECT
    count(*) AS orders,
    count(*) FILTER (WHERE (result::jsonb -> 'optimal')::boolean) AS optimal,
    sum((result::jsonb #>> '{totals,base}')::numeric) AS base,
    sum((result::jsonb #>> '{totals,total}')::numeric) AS total
FROM first;
SELECT result::jsonb ->> 'buyer' AS buyer, count(*) FROM first GROUP BY buyer ORDER BY buyer;

-- And Σ lines + shipping = total in each.
SELECT count(*) AS wrong_sums
FROM first
WHERE (result::jsonb #>> '{totals,total}')::numeric IS DISTINCT FROM
    (SELECT sum((line ->> 'total')::numeric) FROM jsonb_array_elements(result::jsonb -> 'lines') AS line)
    + (result::jsonb #>> '{shipping,total}')::numeric;

-- An answer is stored as the server itself stores what it reads, to the byte.
SELECT count(*) AS answers, count(*) FILTER (WHERE NOT ours *= servers) AS of_other_bytes
FROM orders
CROSS JOIN LATERAL (SELECT loyalty_calculate(document)) AS ours
CROSS JOIN LATERAL (SELECT loyalty_calculate(document)::text::jsonb) AS servers;

-- Again, and in another connection.
SELECT count(*) AS changed FROM changed;
-- From a table that keeps a long order compressed and apart, and into one.
CREATE TABLE long AS
SELECT jsonb_build_object('lines',
    jsonb_agg(line
    || jsonb_build_object('id', orders.number || '-' || line_number, 'fields',
    jsonb_build_object('note', md5(line::text))))) AS document
FROM orders CROSS JOIN LATERAL jsonb_array_elements(document -> 'lines') WITH ORDINALITY AS element (line, line_number);
SELECT pg_column_size(document) < pg_column_size(document || '{}') AS is_compressed FROM long;
CREATE MATERIALIZED VIEW long_result AS SELECT loyalty_calculate(document) AS result FROM long;
SELECT result::text = loyalty_calculate(document || '{}')::text AS same FROM long, long_result;
SELECT ours *= servers AS same_bytes
FROM long
CROSS JOIN LATERAL (SELECT loyalty_calculate(document)) AS ours
CROSS JOIN LATERAL (SELECT loyalty_calculate(document)::text::jsonb) AS servers;
\connect -
SET client_min_messages = warning;
SELECT count(*) AS changed FROM changed;

-- Permuted: the results of the lines are permuted, and nothing else changes, not even the explanation.
CREATE VIEW permuted AS
SELECT
    number,
    seed,
    document || jsonb_build_object('lines', (
        SELECT jsonb_agg(line ORDER BY md5(line ->> 'id' || seed))
        FROM jsonb_array_elements(document -> 'lines') AS line
    )) AS document
FROM orders CROSS JOIN generate_series(1, 4) AS seed;
SELECT count(*) > 400 AS many_are_permuted
FROM permuted JOIN orders USING (number)
WHERE permuted.document -> 'lines' <> orders.document -> 'lines';
CREATE FUNCTION by_id(result jsonb) RETURNS text LANGUAGE sql IMMUTABLE
RETURN result
    || jsonb_build_object('lines',
    (SELECT jsonb_agg(line ORDER BY line ->> 'id' COLLATE "C") FROM jsonb_array_elements(result -> 'lines') AS line));
SELECT count(*) AS changed
FROM permuted JOIN first USING (number)
WHERE by_id(loyalty_calculate(document)) <> by_id(result::jsonb)
    OR ARRAY(SELECT loyalty_explain(document)) <> explanation;
SELECT count(*) AS not_in_the_order_of_the_document
FROM permuted
WHERE jsonb_path_query_array(loyalty_calculate(document), '$.lines[*].id')
    <> jsonb_path_query_array(document, '$.lines[*].id');

-- Nothing that a session can set counts.
SET timezone = 'Asia/Kathmandu';
SET datestyle = 'SQL, DMY';
SET intervalstyle = 'sql_standard';
SET extra_float_digits = -15;
SET bytea_output = 'escape';
SET xmloption = 'document';
SET array_nulls = off;
SET transform_null_equals = on;
SET standard_conforming_strings = off;
SET default_transaction_isolation = 'serializable';
SET default_transaction_read_only = on;
SELECT count(*) AS changed FROM changed;
SET plan_cache_mode = 'force_custom_plan';
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SET enable_bitmapscan = off;
SET enable_nestloop = off;
SET jit = off;
SET work_mem = '64kB';
SELECT count(*) AS changed FROM changed;
\connect -
SET client_min_messages = warning;

-- By parallel workers, which calculate alone here.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
CREATE FUNCTION workers(statement text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    plan jsonb;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON) ' || statement INTO plan;
    RETURN plan #> '{0,Plan,Workers Launched}';
END
$$;
SELECT workers('SELECT number, loyalty_calculate(document)::text AS result FROM orders');
CREATE TABLE parallel AS SELECT number, loyalty_calculate(document)::text AS result FROM orders;
SELECT count(*) AS changed FROM parallel JOIN first USING (number) WHERE parallel.result <> first.result;
-- … with the leader, and wherever the server itself puts a worker in.
SET parallel_leader_participation = on;
SELECT count(*) AS changed
FROM (SELECT number, loyalty_calculate(document)::text AS result FROM orders OFFSET 0) AS parallel
    JOIN first USING (number)
WHERE parallel.result <> first.result;
SELECT count(set_config(name, 'on', false)) AS forced FROM pg_settings
    WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SELECT count(*) AS changed FROM changed;
SELECT count(set_config(name, 'off', false)) AS unforced FROM pg_settings
    WHERE name IN ('force_parallel_mode', 'debug_parallel_query');

-- The extension goes: tables and rows stay, and nothing calculates.
CREATE FUNCTION digest(relation regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format(
        'SELECT count(*) || '' rows, '' || coalesce(md5(string_agg(content::text, E''\n'' ORDER BY content::text)), ''empty'') FROM %s AS content', relation)
    INTO result;
    RETURN result;
END
$$;
CREATE TABLE before AS
SELECT oid::regclass AS relation, digest(oid)
FROM pg_class
WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'r' AND relname <> 'schema_version';
SELECT count(*) FILTER (WHERE digest NOT LIKE '0 rows%') AS with_rows FROM before;
DROP VIEW changed;
DROP MATERIALIZED VIEW long_result;
DROP EXTENSION loyalty CASCADE;
SELECT relation FROM before WHERE digest <> digest(relation);
SELECT loyalty_calculate(document) FROM orders;

-- It comes back, in the same session and for a new one.
CREATE EXTENSION loyalty;
SELECT loyalty_migrate();
SELECT relation FROM before WHERE digest <> digest(relation);
SELECT count(*) = (SELECT count(*) FROM before) AS all_tables FROM pg_class
    WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'r' AND relname <> 'schema_version';
CREATE VIEW changed AS
SELECT number
FROM orders JOIN first USING (number)
WHERE loyalty_calculate(document)::text <> result OR ARRAY(SELECT loyalty_explain(document)) <> explanation;
SELECT count(*) AS changed FROM changed;
\connect -
SET client_min_messages = warning;
SELECT count(*) AS changed FROM changed;
SELECT loyalty_apply('main') AS still_the_version;

DROP SCHEMA loyalty CASCADE;
DROP TABLE orders, first, parallel, before, long CASCADE;
DROP FUNCTION digest(regclass), by_id(jsonb);
