-- What a session keeps between calls is never older than what it may see: its own changes, their rollback, and
-- everything that takes effect without loyalty_apply(). Two sessions: test/specs/apply_visibility.spec.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT loyalty_create_schema();
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
CREATE FUNCTION quote(product text DEFAULT 'A') RETURNS text LANGUAGE sql STABLE
RETURN (
    SELECT format('version %s: %s', result -> 'version', result #> '{totals,total}')
    FROM loyalty_calculate(
        jsonb_build_object('program', 'main', 'lines',
        jsonb_build_array(jsonb_build_object('product', product, 'quantity', 1, 'price', 100)))) AS result
);
CREATE FUNCTION set_percent(percent integer) RETURNS void LANGUAGE sql
AS $$ UPDATE loyalty.promotion_benefits SET parameters = jsonb_build_object('percent', percent)
    WHERE promotion = 'some' $$;
SELECT quote();

-- ---------------------------------------------------------------------------------------------------------------------
-- The tree: nothing changes until it is applied

INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
    VALUES ('main', 'some', 'Some', 'discount', 'active', 'everyone');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('main', 'some');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', 'some', 1, 'discount', '{"percent": 10}');
SELECT quote();
SELECT loyalty_apply('main');
SELECT quote();
SELECT set_percent(20);
SELECT quote();
SELECT loyalty_apply('main');
SELECT quote();
-- Also inside a transaction, up to a savepoint, and undone with either.
BEGIN;
SELECT set_percent(30);
SELECT quote();
SELECT loyalty_apply('main');
SELECT quote();
SAVEPOINT before;
SELECT set_percent(40);
SELECT loyalty_apply('main');
SELECT quote();
ROLLBACK TO before;
SELECT quote();
SAVEPOINT another;
SELECT set_percent(50);
SELECT loyalty_apply('main');
RELEASE another;
SELECT quote();
ROLLBACK;
SELECT quote();
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT quote();
SELECT set_percent(60);
SELECT loyalty_apply('main');
SELECT quote();
ROLLBACK;
SELECT quote();
-- And inside one statement of the client.
DO $$
BEGIN
    RAISE WARNING 'before: %', quote();
    PERFORM set_percent(70);
    PERFORM loyalty_apply('main');
    RAISE WARNING 'applied: %', quote();
    BEGIN
        PERFORM set_percent(80);
        PERFORM loyalty_apply('main');
        RAISE WARNING 'applied again: %', quote();
        RAISE EXCEPTION 'undo';
    EXCEPTION WHEN raise_exception THEN
        RAISE WARNING 'undone: %', quote();
    END;
    RAISE WARNING 'after: %', quote();
    ROLLBACK;
    RAISE WARNING 'rolled back: %', quote();
    PERFORM set_percent(25);
    PERFORM loyalty_apply('main');
    COMMIT;
    RAISE WARNING 'committed: %', quote();
END
$$;
SELECT quote();
-- A tree that cannot be applied changes nothing.
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, active)
    VALUES ('main', 'status', 'Status', 'qualification', 1, true);
INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
    VALUES ('main', 'wrong', 'Wrong', 'points', 'draft');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('main', 'wrong');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('main', 'wrong', 1, 'text', '{"template": "{{ member.points.stars.spent }}"}');
UPDATE loyalty.promotions SET state = 'active' WHERE external_id = 'wrong';
SELECT loyalty_apply('main');
\echo :SQLSTATE
SELECT quote();
UPDATE loyalty.promotions SET state = 'inactive' WHERE external_id = 'wrong';

-- ---------------------------------------------------------------------------------------------------------------------
-- What takes effect at once

-- Products, and the lists of static segments.
INSERT INTO loyalty.product_segments (program, external_id, name, kind) VALUES ('main', 'picks', 'Picks', 'static');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'tv', 'TV', '$.categories[*] == "tv"');
UPDATE loyalty.promotion_conditions SET mode = 'in', segments = '{picks,tv}' WHERE promotion = 'some';
SELECT loyalty_apply('main');
SELECT quote('P'), quote('T');
INSERT INTO loyalty.product_segment_members (program, segment, sku) VALUES ('main', 'picks', 'P');
INSERT INTO loyalty.products (program, sku, name, categories) VALUES ('main', 'T', 'T', '{tv}');
SELECT quote('P'), quote('T');
UPDATE loyalty.products SET categories = '{radio}';
DELETE FROM loyalty.product_segment_members;
SELECT quote('P'), quote('T');
-- A predicate is part of the tree: until it is applied the former one holds, for products of before and after.
UPDATE loyalty.product_segments SET predicate = '$.categories[*] == "radio"' WHERE external_id = 'tv';
INSERT INTO loyalty.products (program, sku, name, categories) VALUES ('main', 'U', 'U', '{tv}');
SELECT quote('T'), quote('U');
SELECT loyalty_apply('main');
SELECT quote('T'), quote('U');
UPDATE loyalty.promotion_conditions SET mode = 'all', segments = '{}' WHERE promotion = 'some';
SELECT loyalty_apply('main');

-- The end of a promotion, in every version; and its rollback.
BEGIN;
UPDATE loyalty.promotions SET state = 'ended' WHERE external_id = 'some';
SELECT quote();
ROLLBACK;
SELECT quote();
-- Deactivating it is a change of the tree.
BEGIN;
UPDATE loyalty.promotions SET state = 'inactive' WHERE external_id = 'some';
SELECT quote();
SELECT loyalty_apply('main');
SELECT quote();
ROLLBACK;

-- What an order may refer to, and whether the program is active.
CREATE FUNCTION try(member text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN loyalty_calculate(
        format('{%s, "lines": [{"product": "A", "quantity": 1, "price": 100}]}', member)::jsonb) ->> 'program';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
SELECT try('"channel": "web"');
INSERT INTO loyalty.channels (program, external_id, name) VALUES ('main', 'web', 'Web');
SELECT try('"channel": "web"');
DELETE FROM loyalty.channels;
INSERT INTO loyalty.channels (program, external_id, name) VALUES ('main', 'shop', 'Shop');
SELECT try('"channel": "web"'), try('"channel": "shop"'), try('"contact_point": "cart"'), try('"region": "77"'),
    try('"status": "packed"');
INSERT INTO loyalty.contact_points (program, channel, external_id, name) VALUES ('main', 'shop', 'cart', 'Cart');
INSERT INTO loyalty.regions (program, external_id, name) VALUES ('main', '77', 'Moscow');
INSERT INTO loyalty.order_statuses (position, external_id, name, kind) VALUES (20, 'packed', 'Packed', 'open');
SELECT try('"contact_point": "cart"'), try('"region": "77"'), try('"status": "packed"');
DELETE FROM loyalty.contact_points;
DELETE FROM loyalty.channels;
DELETE FROM loyalty.regions;
DELETE FROM loyalty.order_statuses WHERE external_id = 'packed';
SELECT try('"channel": "shop"'), try('"contact_point": "cart"'), try('"region": "77"'), try('"status": "packed"');
SELECT try('"redeem": [{"points": "bonus", "amount": 1}]');
INSERT INTO loyalty.point_types (program, external_id, name, ratio) VALUES ('main', 'bonus', 'Bonus', 1);
SELECT try('"redeem": [{"points": "bonus", "amount": 1}]');
DELETE FROM loyalty.point_types WHERE external_id = 'bonus';
SELECT try('"redeem": [{"points": "bonus", "amount": 1}]');
SELECT try('"external_id": "1"');
UPDATE loyalty.programs SET active = false;
SELECT try('"external_id": "1"'), try('"program": "main"');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('other', 'Other', 'profiles', 'EUR', 'Europe/Berlin', true);
SELECT try('"external_id": "1"'), try('"program": "other"');
DELETE FROM loyalty.programs WHERE external_id = 'other';
SELECT try('"external_id": "1"'), try('"program": "other"');
BEGIN;
UPDATE loyalty.programs SET active = true;
SELECT try('"external_id": "1"');
ROLLBACK;
SELECT try('"external_id": "1"');
UPDATE loyalty.programs SET active = true;
SELECT try('"external_id": "1"');
-- Another profile database.
CREATE TABLE client (id text);
INSERT INTO client VALUES ('ann');
SELECT try('"member": "ann"');
UPDATE loyalty.profile_databases SET relation = 'client', key_column = 'id';
SELECT try('"member": "ann"');
BEGIN;
ALTER TABLE client RENAME TO customer;
SELECT try('"member": "ann"');
ROLLBACK;
SELECT try('"member": "ann"');

-- ---------------------------------------------------------------------------------------------------------------------
-- Tables that change below the saved plans

ALTER TABLE loyalty.products ADD COLUMN colour text;
SELECT quote();
CREATE INDEX ON loyalty.products (name);
ANALYZE loyalty.products;
SELECT quote();
SELECT loyalty_migrate();
SELECT quote();
DISCARD PLANS;
SELECT quote();
DISCARD ALL;
SET client_min_messages = warning;
SELECT quote();
DROP SCHEMA loyalty CASCADE;
SELECT quote();
\echo :SQLSTATE
SELECT loyalty_create_schema();
SELECT quote();
\echo :SQLSTATE
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
SELECT quote();
UPDATE loyalty.schema_version SET version = 99;
SELECT quote();
\echo :SQLSTATE
UPDATE loyalty.schema_version SET version = loyalty_schema_version();
SELECT quote();

-- ---------------------------------------------------------------------------------------------------------------------
-- Nothing is written, locked or left behind

BEGIN READ ONLY;
SELECT quote();
SELECT pg_current_xact_id_if_assigned() AS transaction_id;
SELECT DISTINCT mode FROM pg_locks
    WHERE pid = pg_backend_pid()
    AND relation IN (SELECT oid FROM pg_class WHERE relnamespace = 'loyalty'::regnamespace);
COMMIT;

-- Versions and plans that are no longer in force leave the memory.
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'tv', 'TV', '$.categories[*] == "tv"');
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
    VALUES ('main', 'some', 'Some', 'discount', 'active', 'everyone');
INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments) VALUES ('main', 'some', 'in', '{tv}');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', 'some', 1, 'discount', '{"percent": 10}');
CREATE PROCEDURE apply_often(times integer) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..times LOOP
        PERFORM set_percent(1 + i % 50);
        UPDATE loyalty.programs SET name = 'Main ' || i;
        PERFORM loyalty_apply('main');
        PERFORM quote();
        COMMIT;
    END LOOP;
END
$$;
CREATE VIEW memory AS
SELECT count(*) FILTER (WHERE name LIKE 'loyalty%') AS versions, count(*) FILTER (WHERE name = 'CachedPlan') AS plans,
    sum(total_bytes) AS bytes
FROM pg_backend_memory_contexts;
-- A plan that autovacuum made out of date may be missing in either count.
CALL apply_often(50);
SELECT versions, plans, bytes FROM memory \gset before_
CALL apply_often(200);
SELECT versions BETWEEN 1 AND 2 AS one_version, plans < :before_plans + 50 AS no_plan_each,
    bytes < :before_bytes * 1.1 AS same_memory FROM memory;
SELECT quote('T');

DROP SCHEMA loyalty CASCADE;
DROP TABLE client;
DROP VIEW memory;
DROP PROCEDURE apply_often(integer);
DROP FUNCTION quote(text), set_percent(integer), try(text);
