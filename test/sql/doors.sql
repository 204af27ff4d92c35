-- The two doors between C++ and the server: errors of either side arrive whole, as ordinary SQL errors, and nothing is
-- left behind that the rest of the session would notice. (The memory of 100,000 failing calls: test/t/memory.pl.)
\set SHOW_CONTEXT always
\set VERBOSITY default
SET client_min_messages = warning;
SELECT loyalty_create_schema();
CREATE SCHEMA crm;
CREATE TABLE crm.client (id text, divisor integer);
INSERT INTO crm.client VALUES ('ann', 1), ('bob', 0);
CREATE VIEW crm.profile AS SELECT id FROM crm.client WHERE 1 / divisor > 0;
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
    VALUES ('crm', 'CRM', 'crm.profile', 'id');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'crm', 'EUR', 'Europe/Berlin', true);
CREATE FUNCTION quote(member text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN loyalty_calculate(
        jsonb_build_object('member', member, 'lines',
        '[{"product": "A", "quantity": 1, "price": 100}]'::jsonb)) ->> 'buyer';
END
$$;
SELECT quote('ann');

-- An error of the server below C++: its own SQLSTATE and context, once.
SELECT quote('bob');
\echo :SQLSTATE
-- An error of C++: its own, and the context of its caller.
SELECT quote('eve');
\echo :SQLSTATE
SELECT loyalty_explain('{"lines": []}');
\echo :SQLSTATE

-- Everything that an error can carry comes through.
CREATE FUNCTION crm.refuse() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING 'on the way';
    RAISE EXCEPTION USING
        ERRCODE = 'CR007', MESSAGE = 'no profiles today', DETAIL = 'A detail.', HINT = 'A hint.',
        SCHEMA = 'a schema', TABLE = 'a table', COLUMN = 'a column', DATATYPE = 'a type', CONSTRAINT = 'a constraint';
END
$$;
CREATE VIEW crm.refused AS SELECT 'ann' AS id WHERE crm.refuse();
UPDATE loyalty.profile_databases SET relation = 'crm.refused' WHERE external_id = 'crm';
DO $$
DECLARE
    state text;
    message text;
    detail text;
    hint text;
    in_schema text;
    in_table text;
    in_column text;
    of_type text;
    by_constraint text;
    context text;
BEGIN
    PERFORM quote('ann');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS
        state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT,
        in_schema = SCHEMA_NAME, in_table = TABLE_NAME, in_column = COLUMN_NAME, of_type = PG_DATATYPE_NAME,
        by_constraint = CONSTRAINT_NAME, context = PG_EXCEPTION_CONTEXT;
    RAISE WARNING '% % % % / % % % % % / %', state, message, detail, hint, in_schema, in_table, in_column, of_type,
    by_constraint, context;
END
$$;
\set SHOW_CONTEXT never

-- Caught by its SQLSTATE, in one transaction with calls before and after; whoever called is himself again.
UPDATE loyalty.profile_databases SET relation = 'crm.profile' WHERE external_id = 'crm';
CREATE FUNCTION try(member text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN quote(member);
EXCEPTION
    WHEN SQLSTATE 'LY203' THEN
        RETURN 'unknown';
    WHEN division_by_zero THEN
        RETURN 'broken';
END
$$;
CREATE ROLE regress_loyalty_app;
GRANT EXECUTE ON FUNCTION loyalty_calculate(jsonb) TO regress_loyalty_app;
GRANT USAGE ON SCHEMA crm TO regress_loyalty_app;
GRANT SELECT ON crm.profile TO regress_loyalty_app;
BEGIN;
SET LOCAL ROLE regress_loyalty_app;
SELECT try('ann'), try('bob'), try('eve'), try('ann'), current_user;
SELECT try(member), count(*), min(current_user) AS as_whom
FROM generate_series(1, 999) AS number, LATERAL (SELECT (ARRAY['ann', 'bob', 'eve'])[1 + number % 3] AS member) AS buyer
GROUP BY try
ORDER BY try;
SAVEPOINT before;
SELECT quote('bob');
ROLLBACK TO before;
SELECT quote('ann'), current_user;
COMMIT;
SELECT current_user = session_user AS myself;

-- Below a query of C++ that writes: a trigger on the versions refuses; nothing was applied.
CREATE FUNCTION crm.winter()
    RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not before Christmas' USING ERRCODE = 'CR024'; END $$;
CREATE TRIGGER winter BEFORE INSERT ON loyalty.promotion_versions FOR EACH ROW EXECUTE FUNCTION crm.winter();
SELECT loyalty_apply('main');
\echo :SQLSTATE
SELECT count(*) FROM loyalty.promotion_versions;
DROP TRIGGER winter ON loyalty.promotion_versions;
SELECT loyalty_apply('none');
\echo :SQLSTATE
SELECT loyalty_apply('main');

-- Below plain SQL that calls C++: a benefit is refused, and the context tells by which trigger.
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
    VALUES ('main', 'some', 'Some', 'discount', 'active', 'everyone');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('main', 'some');
DO $$
DECLARE
    context text;
BEGIN
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
        VALUES ('main', 'some', 1, 'discount', '{"percent": 101}');
EXCEPTION WHEN SQLSTATE 'LY301' THEN
    GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
    RAISE WARNING '% (%)', SQLERRM, substring(context FROM 'PL/pgSQL function [a-z_.]+');
END
$$;

-- A profile view that asks for a quote of its own buyer never ends; the server's stack does, in an ordinary error.
CREATE FUNCTION crm.again() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RETURN public.loyalty_calculate('{"member": "ann", "lines": [{"product": "A", "quantity": 1, "price": 100}]}')
        IS NOT NULL;
END
$$;
CREATE VIEW crm.endless AS SELECT 'ann' AS id WHERE crm.again();
UPDATE loyalty.profile_databases SET relation = 'crm.endless' WHERE external_id = 'crm';
\set VERBOSITY terse
SELECT quote('ann');
\set VERBOSITY default
\echo :SQLSTATE
UPDATE loyalty.profile_databases SET relation = 'crm.profile' WHERE external_id = 'crm';
SELECT quote('ann');
-- One that ends, ends well.
CREATE VIEW crm.nested AS SELECT id FROM crm.client
    WHERE loyalty_calculate('{"lines": [{"product": "A", "quantity": 1, "price": 100}]}') ->> 'buyer' = 'anonymous';
UPDATE loyalty.profile_databases SET relation = 'crm.nested' WHERE external_id = 'crm';
SELECT quote('ann'), quote('bob');
UPDATE loyalty.profile_databases SET relation = 'crm.profile' WHERE external_id = 'crm';

-- A cancelled query, while the server works below C++ …
CREATE VIEW crm.sleepy AS SELECT 'ann' AS id WHERE pg_sleep(60) IS NOT NULL;
UPDATE loyalty.profile_databases SET relation = 'crm.sleepy' WHERE external_id = 'crm';
SET statement_timeout = '100ms';
SELECT quote('ann');
\echo :SQLSTATE
RESET statement_timeout;
UPDATE loyalty.profile_databases SET relation = 'crm.profile' WHERE external_id = 'crm';

-- … and while C++ searches a maximum: it polls, see the unit tests of the search.
UPDATE loyalty.promotion_groups SET arbitration = 'max_benefit';
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
SELECT 'main', 'many-' || number, 'Many', 'discount', 'active', 'everyone' FROM generate_series(1, 60) AS number;
INSERT INTO loyalty.promotion_conditions (program, promotion)
SELECT 'main', 'many-' || number FROM generate_series(1, 60) AS number;
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
SELECT 'main', 'many-' || number, 1, 'discount',
    jsonb_build_object(
        'percent', 10 + number * 17 % 40, 'max_items', 1 + number % 3,
        'pick', (ARRAY['cheapest', 'most_expensive'])[1 + number % 2]
    )
FROM generate_series(1, 60) AS number;
UPDATE loyalty.promotions SET state = 'inactive' WHERE external_id = 'some';
SELECT loyalty_apply('main');
\set order '{"lines": [{"product": "A", "quantity": 2, "price": 101}, {"product": "B", "quantity": 3, "price": 77}, {"product": "C", "quantity": 1, "price": 55.55}]}'
SELECT loyalty_calculate(:'order') -> 'optimal' AS optimal;
SET statement_timeout = '20ms';
SELECT loyalty_calculate(:'order') -> 'optimal' AS optimal;
\echo :SQLSTATE
RESET statement_timeout;
SELECT quote('ann');

-- What is called in no proper way.
SELECT loyalty_internal.invalidate_cache_trigger();
CREATE TABLE crm.odd (id integer);
CREATE TRIGGER odd AFTER INSERT ON crm.odd FOR EACH STATEMENT
    EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger();
INSERT INTO crm.odd VALUES (1);
DROP TRIGGER odd ON crm.odd;
CREATE TRIGGER odd AFTER INSERT ON crm.odd FOR EACH STATEMENT
    EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('no such table');
INSERT INTO crm.odd VALUES (1);
SELECT loyalty_product_document(NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT loyalty_product_document('A', NULL, 'NaN', NULL, ARRAY[NULL, 'x'], NULL, '[]');

DROP SCHEMA loyalty, crm CASCADE;
DROP FUNCTION quote(text), try(text);
REVOKE ALL ON FUNCTION loyalty_calculate(jsonb) FROM regress_loyalty_app;
DROP ROLE regress_loyalty_app;
