-- Who buys, whose profiles these are, and whose rights are used.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_loyalty_owner;
CREATE ROLE regress_loyalty_app;
CREATE ROLE regress_loyalty_branch;
CREATE ROLE regress_loyalty_nobody;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_loyalty_owner', current_database()); END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public, loyalty_internal TO regress_loyalty_owner;
GRANT EXECUTE ON FUNCTION loyalty_calculate(jsonb),
loyalty_explain(jsonb, boolean, boolean, jsonb) TO regress_loyalty_app, regress_loyalty_branch;

-- The schema's owner is no superuser, and has no right on the profiles below but to read them.
SET ROLE regress_loyalty_owner;
SELECT loyalty_create_schema();
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
INSERT INTO loyalty.point_types (program, external_id, name, ratio, active)
    VALUES ('main', 'bonus', 'Bonus', 1, true), ('main', 'miles', 'Miles', 1, true);
INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
    VALUES ('main', 'ten', 'Ten', 'discount', 'active');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('main', 'ten');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', 'ten', 1, 'discount', '{"percent": 10}');
SELECT loyalty_apply('main');
RESET ROLE;

-- Shows who the buyer is taken for, and what is to pay.
CREATE FUNCTION buyer(member text, program text DEFAULT 'main') RETURNS text LANGUAGE sql
RETURN (
    SELECT concat_ws(' ', result ->> 'buyer', result ->> 'member', result #>> '{totals,total}')
    FROM loyalty_calculate(jsonb_strip_nulls(jsonb_build_object(
        'program', program, 'member', member, 'lines', '[{"product": "A", "quantity": 1, "price": 100}]'::jsonb
    ))) AS result
);
GRANT EXECUTE ON FUNCTION buyer(text, text) TO PUBLIC;

-- ---------------------------------------------------------------------------------------------------------------------
-- Guests and members

INSERT INTO loyalty.profiles (key) VALUES ('ann'), ('bob'), ('eve');
INSERT INTO loyalty.members (member, program, enrolled_at)
    VALUES ('ann', 'main', loyalty.clock()), ('bob', 'main', loyalty.clock()), ('gone', 'main', loyalty.clock());
SELECT buyer(NULL);
SELECT buyer('eve');
SELECT buyer('ann');
SELECT buyer('Ann');
\echo :SQLSTATE
-- A removed member is a guest; enrolled again, a member.
UPDATE loyalty.members SET removed_at = now() WHERE member = 'bob';
SELECT buyer('bob');
UPDATE loyalty.members SET removed_at = NULL, enrolled_at = now() WHERE member = 'bob';
SELECT buyer('bob');
-- Without a profile there is no buyer, whatever the members say.
SELECT buyer('gone');
\echo :SQLSTATE
DELETE FROM loyalty.profiles WHERE key = 'bob';
SELECT buyer('bob');
\echo :SQLSTATE

-- Balances as they are now: what has expired or is not active yet, what is held, and types that sleep.
INSERT INTO loyalty.balances (member, program, point_type, seq, total)
    VALUES ('ann', 'main', 'bonus', 5, 155), ('ann', 'main', 'miles', 1, 7);
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining, held, active_from, expires_at)
VALUES
    ('ann', 'main', 'bonus', 1, 100, 60, 0, '2020-01-01', 'infinity'),
    ('ann', 'main', 'bonus', 2, 50, 50, 20, '2020-01-01', now() + interval '1 hour'),
    ('ann', 'main', 'bonus', 3, 25, 25, 5, '2020-01-01', now() - interval '1 second'),
    ('ann', 'main', 'bonus', 4, 20, 20, 0, now() + interval '1 hour', 'infinity'),
    ('ann', 'main', 'miles', 1, 7, 7, 0, '2020-01-01', 'infinity');
INSERT INTO loyalty.holds (member, program, id, point_type, type, amount, time_out, created_at, expires_at)
VALUES
    ('ann', 'main', '00000000-0000-7000-8000-000000000001', 'bonus', 'redemption', 25, '1 hour', now(),
        now() + interval '1 hour');
INSERT INTO loyalty.hold_lots (member, program, hold, point_type, lot, amount)
VALUES
    ('ann', 'main', '00000000-0000-7000-8000-000000000001', 'bonus', 2, 20),
    ('ann', 'main', '00000000-0000-7000-8000-000000000001', 'bonus', 3, 5);
SELECT type ->> 'points' AS points, type -> 'total_before' AS total, type -> 'active_before' AS active
FROM loyalty_calculate('{"member": "ann", "lines": [{"product": "A", "quantity": 1, "price": 100}]}') AS result,
jsonb_array_elements(result -> 'points') AS type;
-- A hold that timed out frees its points, and those whose date has passed expire; nothing is written.
BEGIN;
UPDATE loyalty.holds SET created_at = now() - interval '1 hour', expires_at = now() - interval '1 microsecond';
SELECT type ->> 'points' AS points, type -> 'total_before' AS total, type -> 'active_before' AS active
FROM loyalty_calculate('{"member": "ann", "lines": [{"product": "A", "quantity": 1, "price": 100}]}') AS result,
jsonb_array_elements(result -> 'points') AS type;
SELECT state FROM loyalty.holds;
ROLLBACK;
UPDATE loyalty.point_types
    SET deactivates_at = CASE external_id WHEN 'bonus' THEN now() + interval '1 hour' ELSE now() END;
SELECT type ->> 'points' AS points, type -> 'total_before' AS total, type -> 'active_before' AS active
FROM loyalty_calculate('{"member": "ann", "lines": [{"product": "A", "quantity": 1, "price": 100}]}') AS result,
jsonb_array_elements(result -> 'points') AS type;

-- ---------------------------------------------------------------------------------------------------------------------
-- The shop's own customers, under keys of all types

CREATE SCHEMA crm;
ALTER DEFAULT PRIVILEGES IN SCHEMA crm GRANT SELECT ON TABLES TO regress_loyalty_owner;
CREATE TABLE crm.number (id bigint PRIMARY KEY, region text, divisor integer);
INSERT INTO crm.number VALUES (7, 'north', 1), (8, 'south', 0);
CREATE TABLE crm.uuid (id uuid PRIMARY KEY);
INSERT INTO crm.uuid VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
CREATE TABLE crm.text (id text PRIMARY KEY);
INSERT INTO crm.text VALUES ('7'), ('007'), (E'O''Neil"\\');
CREATE TABLE crm.varchar (id varchar(3) PRIMARY KEY);
INSERT INTO crm.varchar VALUES ('abc');
CREATE TABLE crm.char (id char(5) PRIMARY KEY);
INSERT INTO crm.char VALUES ('ab');
CREATE DOMAIN crm.code AS text CHECK (VALUE ~ '^c');
CREATE TABLE crm.domain (id crm.code PRIMARY KEY);
INSERT INTO crm.domain VALUES ('c1');
CREATE TYPE crm.colour AS ENUM ('red', 'green');
CREATE TABLE crm.enum (id crm.colour PRIMARY KEY);
INSERT INTO crm.enum VALUES ('red');
CREATE TABLE crm."Odd ""names""" ("the ""key""" integer);
INSERT INTO crm."Odd ""names""" VALUES (1);
CREATE VIEW crm.view AS SELECT 'N-' || id AS id FROM crm.number;
CREATE MATERIALIZED VIEW crm.snapshot AS SELECT id FROM crm.number;
CREATE TABLE crm.parted (id integer) PARTITION BY LIST (id);
CREATE TABLE crm.part PARTITION OF crm.parted FOR VALUES IN (1, 2);
INSERT INTO crm.parted VALUES (2);

INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
SELECT relname, relname, oid, CASE relname WHEN 'Odd "names"' THEN 'the "key"' ELSE 'id' END
FROM pg_class
WHERE relnamespace = 'crm'::regnamespace AND relkind IN ('r', 'v', 'm', 'p') AND relname <> 'part';
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
SELECT external_id, name, external_id, 'EUR', 'Europe/Berlin', true
FROM loyalty.profile_databases
WHERE external_id <> 'profiles';
INSERT INTO loyalty.members (member, program, enrolled_at)
VALUES
    ('7', 'number', loyalty.clock()), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'uuid', loyalty.clock()),
    ('007', 'text', loyalty.clock()), (E'O''Neil"\\', 'text', loyalty.clock()), ('abc', 'varchar', loyalty.clock()),
    ('ab', 'char', loyalty.clock()), ('c1', 'domain', loyalty.clock()), ('red', 'enum', loyalty.clock()),
    ('1', 'Odd "names"', loyalty.clock()), ('N-8', 'view', loyalty.clock()), ('8', 'snapshot', loyalty.clock()),
    ('2', 'parted', loyalty.clock());

CREATE FUNCTION try(member text, program text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    RETURN buyer(member, program);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''));
END
$$;
-- The text is read as the key's type: another spelling is the same member, and what is no value of it is nobody's key.
SELECT program, member, try(member, program)
FROM (VALUES
    ('number', '7'), ('number', '007'), ('number', ' 7 '), ('number', '8'), ('number', '9'), ('number', 'seven'),
    ('number', '99999999999999999999'),
    ('uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), ('uuid', '{A0EEBC999C0B4EF8BB6D6BB9BD380A11}'),
    ('uuid', 'a0eebc99'),
    ('text', '007'), ('text', '7'), ('text', ' 7'), ('text', E'O''Neil"\\'), ('text', ''' OR true --'),
    ('varchar', 'abc'), ('varchar', 'abcd'), ('char', 'ab'), ('char', 'ab   '), ('char', 'abcdefg'),
    ('domain', 'c1'), ('domain', 'c2'), ('domain', 'x'), ('enum', 'red'), ('enum', 'green'), ('enum', 'blue'),
    ('Odd "names"', '01'), ('view', 'N-7'), ('view', 'N-8'), ('view', '8'), ('snapshot', '7'), ('snapshot', '8'),
    ('parted', '1'), ('parted', '2')
) AS tried (program, member);

-- Two views of one table are two databases: a member here may be a guest there.
SELECT buyer('7', 'number'), buyer('7', 'snapshot'), buyer('N-7', 'view');

-- An error of the relation itself is not taken for a missing key.
CREATE VIEW crm.broken AS SELECT id FROM crm.number WHERE 1 / divisor > 0;
UPDATE loyalty.profile_databases SET relation = 'crm.broken' WHERE external_id = 'number';
SELECT try('7', 'number');
SELECT try('8', 'number');
UPDATE loyalty.profile_databases SET relation = 'crm.number' WHERE external_id = 'number';

-- Renamed it is found again, in a session that knows its old name; dropped it is missed only by those who name a
-- member.
ALTER TABLE crm.number RENAME TO client;
ALTER SCHEMA crm RENAME TO customers;
SELECT try('7', 'number');
CREATE TABLE customers.number (id bigint);
SELECT try('7', 'number');
ALTER TABLE customers.client RENAME COLUMN id TO client_id;
SELECT try('7', 'number');
SELECT buyer(NULL, 'number');
UPDATE loyalty.profile_databases SET key_column = 'client_id' WHERE external_id = 'number';
SELECT try('7', 'number');
DROP TABLE customers.uuid;
SELECT try('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'uuid');
SELECT buyer(NULL, 'uuid');
\connect -
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT try('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'uuid');
ALTER SCHEMA customers RENAME TO crm;
DROP TABLE crm.number;
ALTER TABLE crm.client RENAME TO number;
ALTER TABLE crm.number RENAME COLUMN client_id TO id;
UPDATE loyalty.profile_databases SET key_column = 'id' WHERE external_id = 'number';
-- A column of another type, with a plan for the former one.
SELECT try('007', 'enum');
ALTER TABLE crm.enum ALTER COLUMN id TYPE integer USING 7;
SELECT try('007', 'enum');

-- ---------------------------------------------------------------------------------------------------------------------
-- Rights

-- Without EXECUTE nobody calculates.
SET ROLE regress_loyalty_nobody;
SELECT loyalty_calculate('{"lines": [{"product": "A", "quantity": 1, "price": 100}]}');
SELECT loyalty_explain('{"lines": [{"product": "A", "quantity": 1, "price": 100}]}');

-- With nothing but EXECUTE an application does, and neither sees nor changes what it calculates from.
SET ROLE regress_loyalty_app;
SELECT try(NULL, 'main'), try('ann', 'main'), try('eve', 'main');
SELECT count(*)
    FROM loyalty_explain(
    '{"program": "main", "member": "ann", "lines": [{"product": "A", "quantity": 1, "price": 100}]}');
SELECT * FROM loyalty.members;
DELETE FROM loyalty.balances;
INSERT INTO loyalty.profiles (key) VALUES ('mallory');
SELECT loyalty_apply('main');
SELECT loyalty_migrate();

-- The profiles of the shop are read with the caller's own rights, whatever the schema's owner may see.
SELECT try('7', 'number');
SELECT try(NULL, 'number');
RESET ROLE;
GRANT USAGE ON SCHEMA crm TO regress_loyalty_app, regress_loyalty_branch;
GRANT SELECT (id) ON crm.number TO regress_loyalty_app;
GRANT SELECT ON crm.number TO regress_loyalty_branch;
SET ROLE regress_loyalty_app;
SELECT try('7', 'number'), try('8', 'number');
SELECT current_user, has_schema_privilege('loyalty', 'USAGE') AS sees_schema;

-- What members are judged by tells what stands there: so the schema's owner has to have the right to read it.
RESET ROLE;
REVOKE SELECT ON crm.number FROM regress_loyalty_owner;
SELECT try('7', 'number');
GRANT SELECT (id) ON crm.number TO regress_loyalty_owner;
SELECT try('7', 'number');
GRANT SELECT ON crm.number TO regress_loyalty_owner;
SELECT try('7', 'number');

-- Row-level security too: who may not see a profile cannot tell it from one that is not there; in one session.
RESET ROLE;
ALTER TABLE crm.number ENABLE ROW LEVEL SECURITY;
CREATE POLICY branch ON crm.number TO regress_loyalty_branch USING (region = current_setting('shop.region', true));
SET ROLE regress_loyalty_app;
SELECT try('7', 'number');
SET ROLE regress_loyalty_branch;
SELECT try('7', 'number');
SET shop.region = 'north';
SELECT try('7', 'number'), try('8', 'number');
SET shop.region = 'south';
SELECT try('7', 'number'), try('8', 'number');
RESET ROLE;
SELECT try('7', 'number'), try('8', 'number');

-- What a view calls, it calls as the caller, who cannot become anybody else in it.
CREATE FUNCTION crm.seen_by() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING 'profiles are read by %', current_user;
    RETURN true;
END
$$;
CREATE FUNCTION crm.become_owner() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RESET ROLE;
    RAISE WARNING 'profiles are read by %', current_user;
    RETURN true;
END
$$;
CREATE VIEW crm.curious AS SELECT 'me' AS id WHERE crm.seen_by();
CREATE VIEW crm.hostile AS SELECT 'me' AS id WHERE crm.become_owner();
GRANT SELECT ON crm.curious, crm.hostile TO regress_loyalty_app;
UPDATE loyalty.profile_databases SET relation = 'crm.curious' WHERE external_id = 'number';
SET ROLE regress_loyalty_app;
SELECT try('me', 'number');
RESET ROLE;
UPDATE loyalty.profile_databases SET relation = 'crm.hostile' WHERE external_id = 'number';
SET ROLE regress_loyalty_app;
SELECT try('me', 'number');
-- After an error everybody is who he was.
SELECT current_user;
SELECT count(*) FROM loyalty.profiles;
RESET ROLE;

-- A security definer function of the shop lends its owner's rights, as everywhere.
UPDATE loyalty.profile_databases SET relation = 'crm.number' WHERE external_id = 'number';
CREATE FUNCTION crm.quote(member text) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
RETURN buyer(member, 'number');
GRANT USAGE ON SCHEMA crm TO regress_loyalty_nobody;
SET ROLE regress_loyalty_nobody;
SELECT crm.quote('7');
SELECT buyer('7', 'number');
RESET ROLE;

-- ---------------------------------------------------------------------------------------------------------------------
-- A hostile search path changes nothing

CREATE SCHEMA hostile;
CREATE FUNCTION hostile.trap() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE FUNCTION hostile.equal(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT hostile.trap(); SELECT true';
CREATE FUNCTION hostile.equal(integer, integer) RETURNS boolean LANGUAGE sql AS 'SELECT hostile.trap(); SELECT true';
CREATE FUNCTION hostile.equal(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT hostile.trap(); SELECT true';
CREATE FUNCTION hostile.match(jsonb, jsonpath) RETURNS boolean LANGUAGE sql AS 'SELECT hostile.trap(); SELECT true';
CREATE OPERATOR hostile.= (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.equal);
CREATE OPERATOR hostile.= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = hostile.equal);
CREATE OPERATOR hostile.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = hostile.equal);
CREATE OPERATOR hostile.@@ (LEFTARG = jsonb, RIGHTARG = jsonpath, FUNCTION = hostile.match);
CREATE FUNCTION hostile.now()
    RETURNS timestamptz LANGUAGE sql AS 'SELECT hostile.trap(); SELECT ''epoch''::timestamptz';
CREATE FUNCTION hostile.loyalty_now()
    RETURNS timestamptz LANGUAGE sql AS 'SELECT hostile.trap(); SELECT ''epoch''::timestamptz';
CREATE FUNCTION hostile.unnest(text[]) RETURNS SETOF text LANGUAGE sql AS 'SELECT hostile.trap(); SELECT ''x''';
CREATE FUNCTION hostile.max(integer) RETURNS integer LANGUAGE sql AS 'SELECT hostile.trap(); SELECT 1';
CREATE FUNCTION hostile.jsonb_build_object(VARIADIC text[])
    RETURNS jsonb LANGUAGE sql AS 'SELECT hostile.trap(); SELECT ''{}''::jsonb';
CREATE DOMAIN hostile.text AS integer;
CREATE DOMAIN hostile.jsonb AS integer;
CREATE TABLE hostile.programs (external_id integer);
CREATE TABLE hostile.members (member integer);
CREATE TEMP TABLE programs (external_id integer);
CREATE TEMP TABLE profiles (key integer);
CREATE TEMP TABLE unnest (key integer);
SET search_path = hostile, pg_temp, pg_catalog, public;
SELECT 1 = 1;
SELECT public.buyer('ann'), public.buyer('7', 'number');
-- Nor does it trap those who edit and apply.
UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 20}';
INSERT INTO loyalty.products (program, sku, name, price, categories) VALUES ('main', 'B', 'B', 10, '{tv}');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'tv', 'TV', '$.categories[*] == "tv"');
INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments) VALUES ('main', 'ten', 'in', '{tv}');
SELECT public.loyalty_apply('main');
SELECT public.buyer('ann');
SELECT public.loyalty_migrate();
SELECT public.buyer('ann'), public.buyer('7', 'number');
RESET search_path;

-- ---------------------------------------------------------------------------------------------------------------------

DROP SCHEMA loyalty, crm, hostile CASCADE;
DROP FUNCTION buyer(text, text), try(text, text);
REVOKE ALL ON ALL ROUTINES IN SCHEMA public, loyalty_internal
    FROM regress_loyalty_owner, regress_loyalty_app, regress_loyalty_branch;
DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM regress_loyalty_owner', current_database()); END $$;
DROP ROLE regress_loyalty_owner, regress_loyalty_app, regress_loyalty_branch, regress_loyalty_nobody;
