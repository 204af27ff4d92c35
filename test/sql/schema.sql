-- Making schema loyalty, migrating it, losing the extension and getting it back.
\set SHOW_CONTEXT never
SET client_min_messages = warning;

-- Nothing is there yet.
SELECT loyalty_migrate();
\echo :SQLSTATE
CREATE SCHEMA loyalty;
SELECT loyalty_migrate();
\echo :SQLSTATE
SELECT loyalty_create_schema();
\echo :SQLSTATE
DROP SCHEMA loyalty;

-- Without seeds, and with them.
SELECT loyalty_create_schema(seed => false);
SELECT count(*) FROM loyalty.order_statuses;
SELECT count(*) FROM loyalty.profile_databases;
DROP SCHEMA loyalty CASCADE;
SELECT loyalty_create_schema();
SELECT position, external_id, name, kind FROM loyalty.order_statuses ORDER BY position;
SELECT external_id, name, relation, key_column FROM loyalty.profile_databases;
SELECT schema_version, library_schema_version, library = extversion AS library_is_extension
FROM loyalty.library, pg_extension
WHERE extname = 'loyalty';
SELECT loyalty_create_schema();
\echo :SQLSTATE

-- On the first day nothing is analysed, and the planner takes tables for fuller than they are. No view looks so dear
-- then that a server compiles it (JIT), which takes seconds, but for one whose every reader names a program.
CREATE FUNCTION cost(view regclass) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE format('EXPLAIN (FORMAT JSON) SELECT * FROM %s', view) INTO plan;
    RETURN plan -> 0 -> 'Plan' ->> 'Total Cost';
END
$$;
SELECT oid::regclass AS view
FROM pg_class
WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'v'
    AND cost(oid) >= current_setting('jit_above_cost')::numeric;
DROP FUNCTION cost(regclass);

-- Migrating is idempotent, and never goes back.
SELECT loyalty_migrate();
SELECT loyalty_migrate();
UPDATE loyalty.schema_version SET version = 999;
SELECT loyalty_migrate();
\echo :SQLSTATE
UPDATE loyalty.schema_version SET version = loyalty_schema_version();
INSERT INTO loyalty.schema_version (version, library) VALUES (999, 'another');

-- Every table, view, column, domain, function and trigger says what it is.
SELECT object.noun, object.name
FROM (
    SELECT 'relation', oid::regclass::text, obj_description(oid, 'pg_class')
    FROM pg_class
    WHERE relnamespace = 'loyalty'::regnamespace AND relkind IN ('r', 'v', 'm', 'p', 'f')
    UNION ALL
    SELECT 'column', attrelid::regclass || '.' || attname, col_description(attrelid, attnum)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'loyalty'::regnamespace AND relkind IN ('r', 'v', 'm', 'p', 'f') AND attnum > 0
        AND NOT attisdropped
    UNION ALL
    SELECT 'type', oid::regtype::text, obj_description(oid, 'pg_type')
    FROM pg_type
    WHERE typnamespace = 'loyalty'::regnamespace AND typtype = 'd'
    UNION ALL
    SELECT 'trigger', tgrelid::regclass || '.' || tgname, obj_description(pg_trigger.oid, 'pg_trigger')
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE relnamespace = 'loyalty'::regnamespace AND NOT tgisinternal
    UNION ALL
    SELECT 'function', oid::regprocedure::text, obj_description(oid, 'pg_proc')
    FROM pg_proc
    WHERE pronamespace IN ('loyalty'::regnamespace, 'loyalty_internal'::regnamespace) OR proname LIKE 'loyalty\_%'
    UNION ALL
    SELECT 'schema', nspname, obj_description(oid, 'pg_namespace')
    FROM pg_namespace
    WHERE nspname IN ('loyalty', 'loyalty_internal')
) AS object (noun, name, description)
WHERE coalesce(object.description, '') = ''
ORDER BY object.noun, object.name;

-- Every function of the extension pins its search path, and comes with its example, but for the stubs. A procedure that
-- commits cannot; the ledger's trigger does it itself; a body that was parsed when it was made has nothing to look up.
CREATE VIEW own_function AS
SELECT
    pg_proc.oid, pg_proc.oid::regprocedure AS name, prokind, proconfig, proacl, prosqlbody, description,
    pronamespace = 'loyalty_internal'::regnamespace AS is_internal, prorettype = 'trigger'::regtype AS is_trigger,
    starts_with(description, 'Until 1.0, for dumps of 0.1.0: ') AS is_stub,
    EXISTS (
        SELECT FROM pg_proc AS moved
        WHERE moved.pronamespace = 'loyalty_internal'::regnamespace AND 'loyalty_' || moved.proname = pg_proc.proname
    ) AS has_moved
FROM pg_proc
CROSS JOIN obj_description(pg_proc.oid, 'pg_proc') AS description
JOIN pg_depend ON pg_depend.classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e'
JOIN pg_extension ON refclassid = 'pg_extension'::regclass AND refobjid = pg_extension.oid
WHERE extname = 'loyalty';
SELECT name FROM own_function
WHERE (proconfig @> '{"search_path=pg_catalog, pg_temp"}') IS NOT TRUE AND prokind = 'f' AND prosqlbody IS NULL
    AND name <> 'loyalty_internal.transactions_trigger()'::regprocedure
ORDER BY name::text;
SELECT name FROM own_function WHERE description NOT LIKE '%Example: %' AND NOT is_stub ORDER BY name::text;

-- What users call is apart from what the machine calls. The names that 0.1.0 had of what moved are stubs, and no others
-- are; of the rest users attach three triggers to tables of their own.
SELECT name FROM own_function WHERE NOT is_internal AND NOT starts_with(name::text, 'loyalty_') ORDER BY name::text;
SELECT name FROM own_function WHERE is_stub <> has_moved ORDER BY name::text;
SELECT name FROM own_function WHERE is_trigger AND NOT is_internal AND NOT is_stub ORDER BY name::text;
SELECT count(*) AS stubs FROM own_function WHERE is_stub;

-- Nobody may call them, or see a table, unless granted.
CREATE ROLE regress_loyalty_nobody;
SELECT name FROM own_function
    WHERE has_function_privilege('regress_loyalty_nobody', oid, 'EXECUTE') ORDER BY name::text;
SELECT has_schema_privilege('regress_loyalty_nobody', 'loyalty', 'USAGE') AS sees_schema;
SELECT oid::regclass FROM pg_class
WHERE relnamespace = 'loyalty'::regnamespace AND relkind IN ('r', 'v')
    AND has_table_privilege('regress_loyalty_nobody', oid, 'SELECT');
SET ROLE regress_loyalty_nobody;
SELECT loyalty_now();
RESET ROLE;
DROP VIEW own_function;

-- All tables but the bundled profiles and the version have their guard.
SELECT oid::regclass AS unguarded
FROM pg_class
WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'r'
    AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = 'require_library')
ORDER BY relname;

-- The extension goes and comes back; tables and rows stay.
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin');
INSERT INTO loyalty.point_types (program, external_id, name, ratio) VALUES ('main', 'bonus', 'Bonus', 1);
INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('ann', 'main', loyalty.clock());
INSERT INTO loyalty.balances (member, program, point_type, seq, total) VALUES ('ann', 'main', 'bonus', 1, 10);
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining)
    VALUES ('ann', 'main', 'bonus', 1, 10, 10);
CREATE VIEW live AS
SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger
WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace('loyalty'))
UNION ALL
SELECT viewname || ': ' || definition FROM pg_views WHERE schemaname = 'loyalty';
CREATE TABLE live_before AS TABLE live;
CREATE FUNCTION content(relation regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SELECT string_agg(content::text, E''\n'' ORDER BY content::text) FROM %s AS content',
        relation) INTO result;
    RETURN result;
END
$$;
CREATE TABLE rows_before AS
SELECT oid::regclass AS relation, content(oid)
FROM pg_class
WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'r' AND relname <> 'schema_version';
SELECT count(content) > 5 AS some_have_rows FROM rows_before;
\set VERBOSITY terse
DROP EXTENSION loyalty;
\set VERBOSITY default
DROP EXTENSION loyalty CASCADE;
SELECT relname FROM pg_class WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'v' ORDER BY relname;

-- Meanwhile everything can be read, and nothing written.
SELECT member, total FROM loyalty.balances;
INSERT INTO loyalty.balances (member, program, point_type) VALUES ('ann', 'main', 'bonus');
\echo :SQLSTATE
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining, active_from)
    VALUES ('ann', 'main', 'bonus', 2, 1, 1, now());
\echo :SQLSTATE
INSERT INTO loyalty.promotion_versions (program, version, tree) VALUES ('main', 1, '{}');
\echo :SQLSTATE
\set VERBOSITY terse
UPDATE loyalty.balances SET total = 20;
DELETE FROM loyalty.lots;
TRUNCATE loyalty.lots CASCADE;
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
    VALUES ('x', 'X', 'profiles', 'EUR', 'Nowhere');
UPDATE loyalty.promotion_groups SET parent = 'main';
INSERT INTO loyalty.products (program, sku, name) VALUES ('main', 'A', 'A');
DELETE FROM loyalty.product_segments;
\set VERBOSITY default

-- The extension alone is not enough, the triggers must be back.
CREATE EXTENSION loyalty;
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining) VALUES ('ann', 'main', 'bonus', 2, 1, 1);
\echo :SQLSTATE
SELECT loyalty_migrate();
BEGIN;
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining) VALUES ('ann', 'main', 'bonus', 2, 1, 1);
ROLLBACK;
(TABLE live_before EXCEPT TABLE live) UNION ALL (TABLE live EXCEPT TABLE live_before);
SELECT relation FROM rows_before WHERE content IS DISTINCT FROM content(relation);

-- It may come back in another schema.
DROP EXTENSION loyalty CASCADE;
CREATE SCHEMA elsewhere;
CREATE EXTENSION loyalty SCHEMA elsewhere;
SELECT elsewhere.loyalty_migrate();
INSERT INTO loyalty.channels (program, external_id, name) VALUES ('main', 'web', 'Web shop');
SELECT created_at IS NOT NULL AS has_time FROM loyalty.channels;
DROP SCHEMA loyalty, elsewhere CASCADE;
DROP TABLE live_before, rows_before;
DROP VIEW live;
DROP FUNCTION content(regclass);

-- As a trusted extension it can be made by a role that is no superuser, who then owns schema and functions' rights.
CREATE ROLE regress_loyalty_shop;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_loyalty_shop', current_database()); END $$;
GRANT CREATE ON SCHEMA public TO regress_loyalty_shop;
SET ROLE regress_loyalty_shop;
CREATE EXTENSION loyalty;
SELECT loyalty_create_schema();
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin');
SELECT loyalty_migrate();
GRANT EXECUTE ON FUNCTION loyalty_now() TO regress_loyalty_nobody;
SET ROLE regress_loyalty_nobody;
SELECT loyalty_now() = now() AS may_call;
SELECT loyalty_migrate();
RESET ROLE;
-- Whoever migrates, everything stays the schema owner's.
DROP EXTENSION loyalty CASCADE;
CREATE EXTENSION loyalty;
SELECT loyalty_migrate();
SELECT DISTINCT relowner::regrole FROM pg_class WHERE relnamespace = 'loyalty'::regnamespace;
SELECT DISTINCT proowner::regrole FROM pg_proc WHERE pronamespace = 'loyalty'::regnamespace;
DROP EXTENSION loyalty CASCADE;
DROP SCHEMA loyalty CASCADE;
REVOKE CREATE ON SCHEMA public FROM regress_loyalty_shop;
DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM regress_loyalty_shop', current_database()); END $$;
DROP ROLE regress_loyalty_shop, regress_loyalty_nobody;
CREATE EXTENSION loyalty;
