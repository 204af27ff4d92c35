-- What the tables of the configuration refuse, and what they add.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT loyalty_create_schema();

-- ---------------------------------------------------------------------------------------------------------------------
-- Profile databases

CREATE TABLE customer (id integer PRIMARY KEY, mail text, gone text);
ALTER TABLE customer DROP COLUMN gone;
CREATE VIEW customer_view AS SELECT id, mail FROM customer;
CREATE INDEX customer_mail ON customer (mail);
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column, email_column)
VALUES ('shop', 'Customers', 'customer', 'id', 'mail'), ('view', 'Customers too', 'customer_view', 'id', NULL);
\set VERBOSITY terse
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
VALUES ('again', 'Customers again', 'customer', 'id');
\set VERBOSITY default
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
VALUES ('gone', 'Dropped column', 'customer', 'gone');
\echo :SQLSTATE
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column, email_column, phone_column)
VALUES ('phone', 'No such column', 'customer', 'id', 'mail', 'phone');
\echo :SQLSTATE
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
VALUES ('index', 'Not a table', 'customer_mail', 'mail');
\echo :SQLSTATE
UPDATE loyalty.profile_databases SET key_column = 'number' WHERE external_id = 'shop';
INSERT INTO loyalty.profiles (key, attributes) VALUES ('ann', '{"city": "Berlin"}');
\set VERBOSITY terse
INSERT INTO loyalty.profiles (key) VALUES ('');
INSERT INTO loyalty.profiles (key, attributes) VALUES ('bob', '[]');
\set VERBOSITY default

-- ---------------------------------------------------------------------------------------------------------------------
-- External ids

INSERT INTO loyalty.order_statuses (external_id, name, position, kind) VALUES ('', 'Empty', 20, 'open');
INSERT INTO loyalty.order_statuses (external_id, name, position, kind) VALUES (' x', 'Blank', 20, 'open');
INSERT INTO loyalty.order_statuses (external_id, name, position, kind) VALUES (E'x\t', 'Tab', 20, 'open');
INSERT INTO loyalty.order_statuses (external_id, name, position, kind) VALUES (repeat('x', 256), 'Long', 20, 'open');
INSERT INTO loyalty.order_statuses (external_id, name, position, kind)
    VALUES (repeat('x', 255), 'Not too long', 20, 'open');
INSERT INTO loyalty.order_statuses (external_id, name, position, kind)
    VALUES (repeat('ж', 128), 'Long in bytes', 21, 'open');
INSERT INTO loyalty.order_statuses (external_id, name, position, kind)
    VALUES ('delivered late', 'May have blanks inside', 21, 'delivered');
DELETE FROM loyalty.order_statuses WHERE position >= 20;

-- ---------------------------------------------------------------------------------------------------------------------
-- Order statuses

\set VERBOSITY terse
INSERT INTO loyalty.order_statuses (external_id, name, position, kind) VALUES ('lost', 'Lost', 20, 'lost');
INSERT INTO loyalty.order_statuses (external_id, name, position, kind) VALUES ('packed', 'Packed', 3, 'open');
INSERT INTO loyalty.order_statuses (external_id, name, position, kind) VALUES ('packed', 'Packed', -1, 'open');
INSERT INTO loyalty.order_statuses (external_id, name, position, kind) VALUES ('packed', ' ', 9, 'open');
\set VERBOSITY default
INSERT INTO loyalty.order_statuses (external_id, name, position, kind)
    VALUES ('open', 'A kind and a status may share a name', 9, 'open');

-- ---------------------------------------------------------------------------------------------------------------------
-- Programs

INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
VALUES ('main', 'Main', 'profiles', 'RUB', 'Europe/Moscow');
SELECT external_id, currency_scale, active, description IS NULL AS no_description, created_at = updated_at AS is_new
FROM loyalty.programs;
-- With it comes its main arbitration.
SELECT program, external_id, name, parent, position, arbitration, archived FROM loyalty.promotion_groups;

INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
VALUES ('moon', 'Moon', 'profiles', 'RUB', 'Moon/Tranquility');
\echo :SQLSTATE
\set VERBOSITY terse
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
    VALUES ('x', 'X', 'profiles', 'RUB', 'europe/moscow');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
    VALUES ('x', 'X', 'profiles', 'RUB', 'localtime');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
    VALUES ('x', 'X', 'profiles', 'RUB', '+03');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
    VALUES ('x', 'X', 'nobody', 'RUB', 'UTC');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
    VALUES ('x', 'X', 'profiles', 'rub', 'UTC');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
    VALUES ('x', 'X', 'profiles', 'RUBL', 'UTC');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, currency_scale, time_zone)
    VALUES ('x', 'X', 'profiles', 'RUB', 5, 'UTC');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
    VALUES ('x', '', 'profiles', 'RUB', 'UTC');
\set VERBOSITY default

-- One active program per profile database.
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, currency_scale, time_zone)
VALUES ('second', 'Second', 'profiles', 'JPY', 0, 'Asia/Tokyo'), ('third', 'Third', 'shop', 'KWD', 3, 'Asia/Kuwait');
UPDATE loyalty.programs SET active = true WHERE external_id IN ('main', 'third');
UPDATE loyalty.programs SET active = true WHERE external_id = 'second';
UPDATE loyalty.programs SET active = false WHERE external_id = 'main';
UPDATE loyalty.programs SET active = true WHERE external_id = 'second';
UPDATE loyalty.programs SET active = external_id <> 'second';

-- Bound for ever.
UPDATE loyalty.programs SET profile_database = 'shop' WHERE external_id = 'second';
\echo :SQLSTATE

-- updated_at follows, created_at stays.
SELECT count(*) FROM loyalty.programs WHERE updated_at > created_at;

-- A program that nothing hangs on can go, with all its configuration, promotions that are no drafts too.
INSERT INTO loyalty.point_types (program, external_id, name, ratio) VALUES ('second', 'bonus', 'Bonus', 1);
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('second', 'tv', 'TV', '$.categories[*] == "tv"');
INSERT INTO loyalty.products (program, sku, name, categories) VALUES ('second', 'A', 'A', '{tv}');
INSERT INTO loyalty.promotion_groups (program, external_id, name) VALUES ('second', 'outer', 'Outer');
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent) VALUES ('second', 'inner', 'Inner', 'outer');
INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, state)
    VALUES ('second', 'p', 'P', 'points', 'inner', 'active');
INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments) VALUES ('second', 'p', 'in', '{tv}');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('second', 'p', 1, 'accrue_points', '{"point_type": "bonus", "percent": 5}');
UPDATE loyalty.promotions SET state = 'ended' WHERE program = 'second';
INSERT INTO loyalty.channels (program, external_id, name) VALUES ('second', 'web', 'Web');
INSERT INTO loyalty.contact_points (program, external_id, channel, name) VALUES ('second', 'cart', 'web', 'Cart');
INSERT INTO loyalty.regions (program, external_id, name) VALUES ('second', '77', 'Moscow');
DELETE FROM loyalty.programs WHERE external_id = 'second';
SELECT program FROM loyalty.promotion_drafts ORDER BY program;
SELECT count(*) FROM loyalty.product_predicates;
SELECT count(*) FROM loyalty.product_memberships;
SELECT count(*) FROM loyalty.promotion_benefits;

-- One with members cannot.
INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('ann', 'main', loyalty.clock());
DELETE FROM loyalty.programs WHERE external_id = 'main';
\set VERBOSITY terse
INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('', 'main', loyalty.clock());
INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('ann', 'main', loyalty.clock());
UPDATE loyalty.members SET removed_at = enrolled_at - interval '1 second';
TRUNCATE loyalty.programs CASCADE;
\set VERBOSITY default

-- ---------------------------------------------------------------------------------------------------------------------
-- Point types

INSERT INTO loyalty.point_types (program, external_id, name, ratio, validity_count, validity_unit)
VALUES ('main', 'bonus', 'Bonus', 1.000000, 1, 'month'), ('main', 'miles', 'Miles', 999999999999.999999, NULL, NULL);
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, refund_allowed)
VALUES ('main', 'status', 'Status points', 'qualification', 0.000001, false);
SELECT external_id, kind, scale, ratio, initial_balance, refund_allowed, active
    FROM loyalty.point_types ORDER BY external_id;
\set VERBOSITY terse
INSERT INTO loyalty.point_types (program, external_id, name, ratio) VALUES ('main', 'x', 'X', 0);
INSERT INTO loyalty.point_types (program, external_id, name, ratio) VALUES ('main', 'x', 'X', 1e12);
INSERT INTO loyalty.point_types (program, external_id, name, ratio) VALUES ('main', 'x', 'X', 0.0000001);
INSERT INTO loyalty.point_types (program, external_id, name, ratio) VALUES ('main', 'x', 'X', 'NaN');
INSERT INTO loyalty.point_types (program, external_id, name, ratio) VALUES ('main', 'x', 'X', 'Infinity');
INSERT INTO loyalty.point_types (program, external_id, name, ratio, kind) VALUES ('main', 'x', 'X', 1, 'other');
INSERT INTO loyalty.point_types (program, external_id, name, ratio, scale) VALUES ('main', 'x', 'X', 1, 5);
INSERT INTO loyalty.point_types (program, external_id, name, ratio, initial_balance) VALUES ('main', 'x', 'X', 1, -1);
INSERT INTO loyalty.point_types (program, external_id, name, ratio, initial_balance)
    VALUES ('main', 'x', 'X', 1, 'NaN');
INSERT INTO loyalty.point_types (program, external_id, name, ratio, initial_balance, scale)
    VALUES ('main', 'x', 'X', 1, 0.5, 0);
INSERT INTO loyalty.point_types (program, external_id, name, ratio, validity_count) VALUES ('main', 'x', 'X', 1, 5);
INSERT INTO loyalty.point_types (program, external_id, name, ratio, validity_unit) VALUES ('main', 'x', 'X', 1, 'day');
INSERT INTO loyalty.point_types (program, external_id, name, ratio, validity_count, validity_unit)
    VALUES ('main', 'x', 'X', 1, 0, 'day');
INSERT INTO loyalty.point_types (program, external_id, name, ratio, validity_count, validity_unit)
    VALUES ('main', 'x', 'X', 1, 1, 'hour');
INSERT INTO loyalty.point_types (program, external_id, name, ratio, kind, initial_balance)
    VALUES ('main', 'x', 'X', 1, 'qualification', 1);
INSERT INTO loyalty.point_types (program, external_id, name, ratio, kind, validity_count, validity_unit)
    VALUES ('main', 'x', 'X', 1, 'qualification', 1, 'day');
INSERT INTO loyalty.point_types (program, external_id, name, ratio, kind, deactivates_at)
    VALUES ('main', 'x', 'X', 1, 'qualification', now());
INSERT INTO loyalty.point_types (program, external_id, name, ratio) VALUES ('none', 'x', 'X', 1);
\set VERBOSITY default

-- Scale and kind are free until a balance exists, like the program's currency, scale and time zone.
UPDATE loyalty.point_types SET scale = 0 WHERE external_id = 'bonus';
UPDATE loyalty.programs SET currency = 'EUR', currency_scale = 3, time_zone = 'Europe/Berlin'
    WHERE external_id = 'main';
INSERT INTO loyalty.balances (member, program, point_type) VALUES ('ann', 'main', 'bonus');
UPDATE loyalty.point_types SET scale = 2 WHERE external_id = 'bonus';
\echo :SQLSTATE
UPDATE loyalty.point_types SET kind = 'qualification' WHERE external_id = 'bonus';
UPDATE loyalty.point_types SET scale = 1 WHERE external_id = 'miles';
UPDATE loyalty.programs SET currency = 'RUB' WHERE external_id = 'main';
\echo :SQLSTATE
\set VERBOSITY terse
UPDATE loyalty.programs SET currency_scale = 2 WHERE external_id = 'main';
UPDATE loyalty.programs SET time_zone = 'Europe/Moscow' WHERE external_id = 'main';
UPDATE loyalty.programs SET time_zone = 'Europe/Berlin', name = 'The same zone' WHERE external_id = 'main';
DELETE FROM loyalty.point_types WHERE external_id = 'bonus';
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE loyalty.programs SET currency = 'RUB' WHERE external_id = 'third';
\echo :SQLSTATE
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- Balances and lots

INSERT INTO loyalty.balances (member, program, point_type) VALUES ('bob', 'main', 'bonus');
INSERT INTO loyalty.balances (member, program, point_type) VALUES ('ann', 'main', 'no such');
UPDATE loyalty.balances SET total = 'NaN';
UPDATE loyalty.balances SET total = 'Infinity';
UPDATE loyalty.balances SET total = -1;
UPDATE loyalty.balances SET debt = 'NaN';
UPDATE loyalty.balances SET debt = -1;
UPDATE loyalty.balances SET owed = -1;
UPDATE loyalty.balances SET seq = -1;
UPDATE loyalty.balances SET total = -1, debt = 1;
UPDATE loyalty.balances SET total = 30, debt = 0, seq = 3;
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining) VALUES ('ann', 'main', 'bonus', 1, 0, 0);
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining)
    VALUES ('ann', 'main', 'bonus', 1, 'NaN', 0);
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining)
    VALUES ('ann', 'main', 'bonus', 1, 10, 11);
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining)
    VALUES ('ann', 'main', 'bonus', 1, 10, -1);
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining, held)
    VALUES ('ann', 'main', 'bonus', 1, 10, 5, 6);
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining)
    VALUES ('ann', 'main', 'bonus', 0, 10, 10);
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining, expires_at)
    VALUES ('ann', 'main', 'bonus', 1, 10, 10, now());
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining, active_from)
    VALUES ('ann', 'main', 'bonus', 1, 10, 10, '-infinity');
\set VERBOSITY default
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining, active_from, expires_at)
VALUES
    ('ann', 'main', 'bonus', 1, 10, 10, '2026-01-01', 'infinity'),
    ('ann', 'main', 'bonus', 2, 10, 10, '2026-01-02', '2027-01-01'),
    ('ann', 'main', 'bonus', 3, 10, 10, '2026-01-01', '2027-01-01'),
    ('ann', 'main', 'bonus', 4, 10, 0, '2026-01-01', '2026-02-01');
-- The order in which debits consume them is that of an index.
SELECT seq, open FROM loyalty.lots WHERE open ORDER BY expires_at, active_from, seq;
SET enable_sort = off;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS off)
SELECT seq FROM loyalty.lots
WHERE member = 'ann' AND program = 'main' AND point_type = 'bonus' AND open
ORDER BY expires_at, active_from, seq;
RESET enable_sort;
RESET enable_seqscan;
RESET enable_bitmapscan;
-- Lowering a lot, or a balance, does not touch its indexes.
BEGIN;
CREATE TEMPORARY VIEW update_count AS
SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables
WHERE schemaname = 'loyalty' AND relname IN ('balances', 'lots');
CREATE TEMPORARY TABLE count_before AS TABLE update_count;
UPDATE loyalty.lots SET remaining = 5 WHERE seq = 1;
UPDATE loyalty.balances SET total = 25 WHERE member = 'ann';
SELECT relname, now.n_tup_upd - before.n_tup_upd AS updates, now.n_tup_hot_upd - before.n_tup_hot_upd AS heap_only
FROM update_count AS now JOIN count_before AS before USING (relname)
ORDER BY relname;
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- Channels, contact points, regions

INSERT INTO loyalty.channels (program, external_id, name) VALUES ('main', 'web', 'Web'), ('main', 'store', 'Stores');
INSERT INTO loyalty.contact_points (program, external_id, channel, name) VALUES ('main', 'cart', 'web', 'Cart');
\set VERBOSITY terse
INSERT INTO loyalty.contact_points (program, external_id, channel, name)
    VALUES ('main', 'cart', 'store', 'Unique in the program');
INSERT INTO loyalty.contact_points (program, external_id, channel, name)
    VALUES ('main', 'till', 'phone', 'No such channel');
INSERT INTO loyalty.channels (program, external_id, name) VALUES ('none', 'web', 'Web');
INSERT INTO loyalty.regions (program, external_id, name) VALUES ('main', '77', 'Moscow'), ('main', '77', 'Twice');
\set VERBOSITY default
DELETE FROM loyalty.channels WHERE external_id = 'web';
SELECT count(*) FROM loyalty.contact_points;

-- ---------------------------------------------------------------------------------------------------------------------
-- Products (the currency scale is 3)

INSERT INTO loyalty.products (program, sku, name, price, min_price, categories, fields)
VALUES ('main', 'PC-1', 'Computer', 999.1250, 500, '{pc,office}', '{"ram": 16}'),
    ('main', 'PC-2', 'Computer', NULL, NULL, '{}', '{}');
INSERT INTO loyalty.products (program, sku, name, price)
VALUES ('main', 'PC-3', 'Computer', 1.125), ('main', 'PC-4', 'Computer', 1.0005);
\echo :SQLSTATE
UPDATE loyalty.products SET min_price = 0.12345 WHERE sku = 'PC-1';
\set VERBOSITY terse
INSERT INTO loyalty.products (program, sku, name, price) VALUES ('main', 'X', 'X', -1);
INSERT INTO loyalty.products (program, sku, name, price) VALUES ('main', 'X', 'X', 'NaN');
INSERT INTO loyalty.products (program, sku, name, price) VALUES ('main', 'X', 'X', 'Infinity');
INSERT INTO loyalty.products (program, sku, name, min_price) VALUES ('main', 'X', 'X', -1);
INSERT INTO loyalty.products (program, sku, name, categories) VALUES ('main', 'X', 'X', '{a,NULL}');
INSERT INTO loyalty.products (program, sku, name, categories) VALUES ('main', 'X', 'X', '{{a},{b}}');
INSERT INTO loyalty.products (program, sku, name, fields) VALUES ('main', 'X', 'X', '[]');
INSERT INTO loyalty.products (program, sku, name) VALUES ('none', 'X', 'X');
\set VERBOSITY default
-- A smaller currency scale must fit what is there.
INSERT INTO loyalty.products (program, sku, name, price) VALUES ('third', 'PC-1', 'Computer', 0.125);
UPDATE loyalty.programs SET currency_scale = 2 WHERE external_id = 'third';
\echo :SQLSTATE
UPDATE loyalty.products SET price = 0.10 WHERE program = 'third';
INSERT INTO loyalty.promotion_groups (program, external_id, name, max_discount_amount)
    VALUES ('third', 'g', 'G', 0.125);
UPDATE loyalty.programs SET currency_scale = 2 WHERE external_id = 'third';
DELETE FROM loyalty.promotion_groups WHERE program = 'third' AND external_id = 'g';
INSERT INTO loyalty.promotions (program, external_id, name, kind) VALUES ('third', 'p', 'P', 'discount');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('third', 'p');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('third', 'p', 1, 'discount', '{"amount": 0.125}');
UPDATE loyalty.programs SET currency_scale = 2 WHERE external_id = 'third';
\echo :SQLSTATE
DELETE FROM loyalty.promotions WHERE program = 'third';
UPDATE loyalty.programs SET currency_scale = 2 WHERE external_id = 'third';

-- ---------------------------------------------------------------------------------------------------------------------
-- Promotion groups

-- Positions count on over groups and promotions of one parent.
INSERT INTO loyalty.promotion_groups (program, external_id, name) VALUES ('main', 'a', 'A'), ('main', 'b', 'B');
INSERT INTO loyalty.promotions (program, external_id, name, kind)
    VALUES ('main', 'p1', 'P1', 'discount'), ('main', 'p2', 'P2', 'points');
INSERT INTO loyalty.promotion_groups (program, external_id, name, position) VALUES ('main', 'c', 'C', 10);
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent)
    VALUES ('main', 'd', 'D', 'a'), ('main', 'e', 'E', 'main');
UPDATE loyalty.promotions SET parent = 'a', position = NULL WHERE external_id = 'p2';
SELECT parent, position, external_id, state FROM (
    SELECT parent, position, external_id, NULL AS state FROM loyalty.promotion_groups WHERE program = 'main'
    UNION ALL
    SELECT parent, position, external_id, state FROM loyalty.promotions WHERE program = 'main'
) AS node
ORDER BY parent NULLS FIRST, position, external_id;

\set VERBOSITY terse
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent) VALUES ('main', 'x', 'Second root', NULL);
UPDATE loyalty.promotion_groups SET parent = 'a' WHERE program = 'main' AND external_id = 'main';
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent) VALUES ('main', 'x', 'No such parent', 'z');
INSERT INTO loyalty.promotion_groups (program, external_id, name, arbitration) VALUES ('main', 'x', 'X', 'best');
INSERT INTO loyalty.promotion_groups (program, external_id, name, max_discount_percent) VALUES ('main', 'x', 'X', 101);
INSERT INTO loyalty.promotion_groups (program, external_id, name, max_discount_percent)
    VALUES ('main', 'x', 'X', 'NaN');
INSERT INTO loyalty.promotion_groups (program, external_id, name, max_discount_amount) VALUES ('main', 'x', 'X', -1);
INSERT INTO loyalty.promotion_groups (program, external_id, name, max_discount_percent, max_discount_amount)
    VALUES ('main', 'x', 'X', 10, 10);
INSERT INTO loyalty.promotion_groups (program, external_id, name, min_product_price_percent)
    VALUES ('main', 'x', 'X', -1);
INSERT INTO loyalty.promotion_groups (program, external_id, name, min_product_price_amount)
    VALUES ('main', 'x', 'X', 'Infinity');
INSERT INTO loyalty.promotion_groups (program, external_id, name, min_product_price_percent, min_product_price_amount)
    VALUES ('main', 'x', 'X', 10, 10);
\set VERBOSITY default
INSERT INTO loyalty.promotion_groups (program, external_id, name, min_product_price_amount)
    VALUES ('main', 'x', 'X', 0.0001);
\echo :SQLSTATE
UPDATE loyalty.promotion_groups SET external_id = 'z' WHERE external_id = 'c';
\echo :SQLSTATE

-- No cycles, not even two steps long or within one statement.
UPDATE loyalty.promotion_groups SET parent = 'a' WHERE external_id = 'a';
\echo :SQLSTATE
UPDATE loyalty.promotion_groups SET parent = CASE external_id WHEN 'b' THEN 'c' ELSE 'b' END
    WHERE external_id IN ('b', 'c');
-- The message names a group of the cycle, not one that only stands below it.
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent) VALUES ('main', '0', 'Sorts first', 'd');
UPDATE loyalty.promotion_groups SET parent = 'd' WHERE external_id = 'a';
-- At most 9 levels below main, wherever a subtree comes from.
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent)
SELECT 'main', 'level-' || level, 'Level', CASE level WHEN 1 THEN 'main' ELSE 'level-' || level - 1 END
FROM generate_series(1, 9) AS level;
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent) VALUES ('main', 'x', 'X', 'level-9');
\echo :SQLSTATE
UPDATE loyalty.promotion_groups SET parent = 'd' WHERE external_id = 'level-2';
UPDATE loyalty.promotion_groups SET parent = 'd' WHERE external_id = 'level-1';
UPDATE loyalty.promotion_groups SET parent = 'd' WHERE external_id = 'level-3';
INSERT INTO loyalty.promotions (program, external_id, name, kind, parent)
    VALUES ('main', 'deep', 'Deepest', 'discount', 'level-9');

-- Deleting a group takes drafts along, and nothing else.
DELETE FROM loyalty.promotion_groups WHERE program = 'main' AND external_id = 'main';
\echo :SQLSTATE
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('main', 'deep');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', 'deep', 1, 'discount', '{"percent": 1}');
UPDATE loyalty.promotions SET state = 'active' WHERE external_id = 'deep';
DELETE FROM loyalty.promotion_groups WHERE program = 'main' AND external_id = 'level-3';
\echo :SQLSTATE
UPDATE loyalty.promotions SET parent = 'main', position = NULL WHERE external_id = 'deep';
INSERT INTO loyalty.promotions (program, external_id, name, kind, parent)
    VALUES ('main', 'draft', 'Draft', 'discount', 'level-9');
DELETE FROM loyalty.promotion_groups WHERE program = 'main' AND external_id = 'level-3';
SELECT external_id FROM loyalty.promotion_groups WHERE external_id LIKE 'level-%' ORDER BY external_id;
SELECT external_id FROM loyalty.promotions WHERE external_id = 'draft';

-- ---------------------------------------------------------------------------------------------------------------------
-- Promotions

\set VERBOSITY terse
INSERT INTO loyalty.promotions (program, external_id, name, kind) VALUES ('main', 'x', 'X', 'gift');
INSERT INTO loyalty.promotions (program, external_id, name, kind, state) VALUES ('main', 'x', 'X', 'points', 'paused');
INSERT INTO loyalty.promotions (program, external_id, name, kind, audience)
    VALUES ('main', 'x', 'X', 'points', 'guests');
INSERT INTO loyalty.promotions (program, external_id, name, kind, benefit_rule)
    VALUES ('main', 'x', 'X', 'points', 'best');
INSERT INTO loyalty.promotions (program, external_id, name, kind, parent)
    VALUES ('main', 'x', 'X', 'points', 'nowhere');
INSERT INTO loyalty.promotions (program, external_id, name, kind, parent) VALUES ('main', 'x', 'X', 'points', NULL);
UPDATE loyalty.promotions SET external_id = 'p9' WHERE external_id = 'p1';
\set VERBOSITY default

-- The life cycle: every step from every state.
INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
SELECT 'main', format('%s to %s', was, is_now), 'Step', 'discount', was
FROM unnest('{draft,active,inactive,ended}'::text[]) AS was, unnest('{draft,active,inactive,ended}'::text[]) AS is_now;
INSERT INTO loyalty.promotion_conditions (program, promotion)
SELECT program, external_id FROM loyalty.promotions WHERE external_id IN ('draft to active', 'inactive to active');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
SELECT program, external_id, 1, 'discount', '{"percent": 1}' FROM loyalty.promotions
    WHERE external_id IN ('draft to active', 'inactive to active');
CREATE TABLE step (step text, result text);
DO $$
DECLARE
    promotion record;
BEGIN
    FOR promotion IN
        SELECT external_id FROM loyalty.promotions WHERE name = 'Step' ORDER BY external_id
    LOOP
        BEGIN
            UPDATE loyalty.promotions SET state = split_part(external_id, ' to ', 2)
                WHERE external_id = promotion.external_id;
            INSERT INTO step VALUES (promotion.external_id, 'allowed');
        EXCEPTION WHEN SQLSTATE 'LY307' THEN
            INSERT INTO step VALUES (promotion.external_id, SQLERRM);
        END;
    END LOOP;
END
$$;
SELECT step, result FROM step ORDER BY result <> 'allowed', step COLLATE "C";
DROP TABLE step;
UPDATE loyalty.promotions SET state = 'draft' WHERE external_id = 'active to inactive';
\echo :SQLSTATE
UPDATE loyalty.promotions SET name = 'New name' WHERE external_id = 'active to ended';
\echo :SQLSTATE
DELETE FROM loyalty.promotions WHERE external_id = 'active to ended';
\echo :SQLSTATE
DELETE FROM loyalty.promotions WHERE external_id = 'draft to draft';
\set VERBOSITY terse
TRUNCATE loyalty.promotions CASCADE;
\set VERBOSITY default

-- ---------------------------------------------------------------------------------------------------------------------
-- Conditions and benefits

INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'pc', 'Computers', '$.categories[*] == "pc"');
INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments)
VALUES ('main', 'p1', 'in', '{pc}'), ('main', 'p1', 'outside', '{pc}'), ('main', 'p1', 'all', '{}');
INSERT INTO loyalty.promotion_conditions (program, promotion, level)
    VALUES ('main', 'p1', 'order'), ('main', 'p2', 'order');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('main', 'p1', 1, 'discount', '{"percent": 20}'), ('main', 'p1', 1, 'discount', '{"amount": 5}'),
    ('main', 'p1', 4, 'discount', '{"percent": 1}');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('main', 'p2', 1, 'points_discount', '{"point_type": "bonus", "percent": 10}');
SELECT promotion, condition.position, level, mode, segments, benefit.position, benefit, parameters, point_type
FROM loyalty.promotion_conditions AS condition
JOIN loyalty.promotion_benefits AS benefit USING (program, promotion)
WHERE benefit.condition = condition.position
ORDER BY promotion, condition.position, benefit.position;

INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments)
    VALUES ('main', 'p1', 'in', '{pc,tv,radio}');
\echo :SQLSTATE
INSERT INTO loyalty.promotion_conditions (program, promotion, level, mode, segments)
    VALUES ('main', 'p1', 'order', 'in', '{pc}');
\echo :SQLSTATE
\set VERBOSITY terse
INSERT INTO loyalty.promotion_conditions (program, promotion, mode) VALUES ('main', 'p1', 'in');
INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments) VALUES ('main', 'p1', 'all', '{pc}');
INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments) VALUES ('main', 'p1', 'in', '{pc,NULL}');
INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments) VALUES ('main', 'p1', 'some', '{pc}');
INSERT INTO loyalty.promotion_conditions (program, promotion, level) VALUES ('main', 'p1', 'line');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('main', 'nowhere');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', 'p1', 9, 'discount', '{"percent": 20}');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', 'p1', 1, 'discount', '[]');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('main', 'p2', 1, 'points_discount', '{"point_type": "no such", "percent": 10}');
\set VERBOSITY default
-- The parameters are checked with the kind of promotion and the level of condition.
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', 'p1', 1, 'discount', '{"percent": 101}');
\echo :SQLSTATE
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', 'p1', 1, 'fly', '{}');
\echo :SQLSTATE
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', 'p2', 1, 'discount', '{"percent": 10}');
\echo :SQLSTATE
UPDATE loyalty.promotion_benefits SET parameters = '{"amount": 0.0001}' WHERE promotion = 'p1' AND position = 2;
\echo :SQLSTATE
-- A level changes only with benefits that suit it.
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('main', 'p1', 4, 'discount', '{"percent": 5, "target": "shipping"}');
UPDATE loyalty.promotion_conditions SET level = 'product' WHERE promotion = 'p1' AND position = 4;
\echo :SQLSTATE
UPDATE loyalty.promotions SET kind = 'points' WHERE external_id = 'p1';
\echo :SQLSTATE
DELETE FROM loyalty.promotion_benefits WHERE promotion = 'p2';
UPDATE loyalty.promotions SET kind = 'discount' WHERE external_id = 'p2';

-- What is in use stays.
UPDATE loyalty.promotions SET kind = 'points' WHERE external_id = 'p2';
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('main', 'p2', 1, 'points_discount', '{"point_type": "miles", "percent": 10}');
DELETE FROM loyalty.point_types WHERE external_id = 'miles';
\echo :SQLSTATE
DELETE FROM loyalty.product_segments WHERE external_id = 'pc';
\echo :SQLSTATE
DELETE FROM loyalty.promotion_benefits WHERE promotion = 'p2';
DELETE FROM loyalty.point_types WHERE external_id = 'miles';

-- An ended promotion keeps its parts; a promotion takes them along.
UPDATE loyalty.promotions SET state = 'active' WHERE external_id = 'p1';
UPDATE loyalty.promotions SET state = 'ended' WHERE external_id = 'p1';
\set VERBOSITY terse
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('main', 'p1');
UPDATE loyalty.promotion_conditions SET level = 'order' WHERE promotion = 'p1';
UPDATE loyalty.promotion_conditions SET promotion = 'p2', position = 9 WHERE promotion = 'p1' AND position = 3;
DELETE FROM loyalty.promotion_conditions WHERE promotion = 'p1' AND position = 3;
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', 'p1', 1, 'discount', '{"percent": 1}');
UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 1}' WHERE promotion = 'p1' AND condition = 1;
DELETE FROM loyalty.promotion_benefits WHERE promotion = 'p1';
\set VERBOSITY default
DELETE FROM loyalty.promotions WHERE external_id = 'p2';
SELECT promotion, count(*) FROM loyalty.promotion_conditions GROUP BY promotion ORDER BY promotion;

DROP SCHEMA loyalty CASCADE;
DROP TABLE customer CASCADE;
