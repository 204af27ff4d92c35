-- Pending changes, and the way back to the version in force: exactly, whatever was edited.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
\i test/fixtures/program.sql
SET client_min_messages = notice;
-- What revert must restore, read from the tables themselves: all columns but updated_at; of segments, those that the
-- version in force uses.
CREATE FUNCTION draft() RETURNS jsonb LANGUAGE plpgsql STABLE SET timezone = 'UTC' AS $$
DECLARE
    rows jsonb;
    result jsonb := '{}';
    relation text;
BEGIN
    FOREACH relation IN ARRAY '{promotion_groups,promotions,promotion_conditions,promotion_benefits}'::text[] LOOP
        EXECUTE format(
            'SELECT jsonb_agg(to_jsonb(t) - %L ORDER BY t::text COLLATE "C") FROM loyalty.%I AS t WHERE program = %L',
        'updated_at', relation, 'main') INTO rows;
        result := result || jsonb_build_object(relation, rows);
    END LOOP;
    RETURN result
        || (SELECT jsonb_build_object('segments', jsonb_agg(to_jsonb(s) - 'updated_at' ORDER BY external_id))
            FROM loyalty.product_segments AS s
            WHERE program = 'main'
            AND external_id IN (SELECT body ->> 'external_id' FROM loyalty.applied_definitions AS a
            WHERE a.relation = 'product_segments'))
        || (SELECT jsonb_build_object('ratios', jsonb_agg(ratio ORDER BY external_id)) FROM loyalty.point_types
            WHERE program = 'main')
        || (SELECT to_jsonb(p) - '{updated_at,active}'::text[] FROM loyalty.programs AS p WHERE external_id = 'main');
END
$$;
CREATE FUNCTION quotes() RETURNS jsonb LANGUAGE sql STABLE
AS $$ SELECT jsonb_agg(loyalty_calculate(document) ORDER BY number) FROM orders WHERE number <= 40 $$;
CREATE FUNCTION tests() RETURNS jsonb LANGUAGE sql STABLE
AS $$ SELECT jsonb_agg(loyalty_test(document) #> '{orders,0}' ORDER BY number) FROM orders WHERE number <= 40 $$;
CREATE FUNCTION without_versions(quotes jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE
AS $$ SELECT jsonb_agg(quote - 'version' ORDER BY number)
    FROM jsonb_array_elements(quotes) WITH ORDINALITY AS q (quote, number) $$;

-- ---------------------------------------------------------------------------------------------------------------------
-- One of each

CREATE TABLE applied AS SELECT draft(), quotes();
SELECT program, change, what, "column", old, new FROM loyalty.pending_changes;
SELECT loyalty_revert('main');
DELETE FROM loyalty.promotions WHERE external_id = 'idle';
SELECT loyalty_activate_promotion('main', 'tv'), loyalty_deactivate_promotion('main', 'picks');
SELECT loyalty_move_promotion('main', 'half', 'one', 2);
SELECT loyalty_clone_promotion('main', 'five', 'ten', 'Ten percent');
SELECT loyalty_activate_promotion('main', 'ten');
UPDATE loyalty.promotions
    SET description = 'While stocks last', starts_at = '2026-03-01 00:00+03', regions = '{77}',
    schedule_weekdays = '{6,7}' WHERE external_id = 'dear';
UPDATE loyalty.promotion_groups SET arbitration = 'consistent', max_discount_amount = NULL, max_discount_percent = 12.50
    WHERE external_id = 'best';
DELETE FROM loyalty.promotion_conditions WHERE promotion = 'earn' AND position = 2;
UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 4, "point_type": "bonus"}'
    WHERE promotion = 'earn' AND position = 1;
UPDATE loyalty.product_segments SET predicate = '$.price < 3', name = 'Cheap' WHERE external_id = 'tv';
UPDATE loyalty.product_segments SET description = 'A list' WHERE external_id = 'picks';
UPDATE loyalty.point_types SET ratio = 0.25 WHERE external_id = 'miles';
UPDATE loyalty.programs SET name = 'Another name' WHERE external_id = 'main';
SELECT change, what, "column", regexp_replace(old, '"created_at": "[^"]*"', '"created_at": ...') AS old,
    regexp_replace(new, '"created_at": "[^"]*"', '"created_at": ...') AS new
FROM loyalty.pending_changes ORDER BY what, "column";
SELECT quotes = quotes() AS quotes_are_the_same, draft = draft() AS draft_is_the_same FROM applied;
SELECT loyalty_revert('main');
-- The program's name is no part of a version.
SELECT name FROM loyalty.programs WHERE external_id = 'main';
UPDATE loyalty.programs SET name = 'Main' WHERE external_id = 'main';
SELECT quotes = quotes() AS quotes_are_the_same, draft = draft() AS draft_is_the_same,
    without_versions(quotes) = tests() AS tests_are_quotes FROM applied;
SELECT program, change, what, "column", old, new FROM loyalty.pending_changes;
SELECT loyalty_apply('main');

-- In a session of another time zone nothing is pending either.
SET TimeZone = 'Pacific/Auckland';
SELECT program, change, what, "column", old, new FROM loyalty.pending_changes;
SELECT loyalty_apply('main');
UPDATE loyalty.promotions SET starts_at = '2026-03-01 00:00+03' WHERE external_id = 'idle';
SELECT loyalty_apply('main');
SET TimeZone = 'UTC';
SELECT program, change, what, "column", old, new FROM loyalty.pending_changes;
UPDATE loyalty.promotions SET starts_at = '2026-03-01 01:00+03' WHERE external_id = 'idle';
SELECT what, "column", old, new FROM loyalty.pending_changes;
SELECT loyalty_revert('main');
SELECT starts_at FROM loyalty.promotions WHERE external_id = 'idle';
RESET TimeZone;

-- An ended promotion stays ended, and gets back all else.
UPDATE loyalty.promotions SET name = 'Wrong', position = 9 WHERE external_id = 'shipping';
DELETE FROM loyalty.promotion_conditions WHERE promotion = 'shipping';
SELECT loyalty_end_promotion('main', 'shipping');
SELECT loyalty_revert('main');
SELECT name, position, state, (SELECT count(*) FROM loyalty.promotion_benefits WHERE promotion = 'shipping') AS benefits
FROM loyalty.promotions WHERE external_id = 'shipping';
SELECT program, change, what, "column", old, new FROM loyalty.pending_changes;
-- One that was never applied goes, ended or not.
INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
    VALUES ('main', 'short', 'Short', 'discount', 'active');
SELECT loyalty_end_promotion('main', 'short');
SELECT loyalty_revert('main');

-- Ways that no single step leads back: a group moved below another and its former parent into it, a new group around
-- version nodes, kinds changed, states that are final or lead nowhere, an archived tree.
SELECT loyalty_move_promotion_group('main', 'both', 'one');
SELECT loyalty_move_promotion_group('main', 'best', 'both');
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent) VALUES ('main', 'new', 'New', 'both');
SELECT loyalty_move_promotion('main', 'tv', 'new'), loyalty_move_promotion('main', 'idle', 'new'),
    loyalty_activate_promotion('main', 'idle');
DELETE FROM loyalty.promotion_benefits WHERE promotion = 'dear';
UPDATE loyalty.promotions SET kind = 'points' WHERE external_id = 'dear';
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', 'dear', 1, 'accrue_points', '{"point_type": "bonus", "points": 5}');
SELECT loyalty_archive_promotion_group('main', 'both');
SELECT loyalty_revert('main');
SELECT program, change, what, "column", old, new FROM loyalty.pending_changes;
-- A smaller currency scale, with amounts that fit it.
UPDATE loyalty.promotion_benefits SET parameters = '{"amount": 15}' WHERE promotion = 'picks';
UPDATE loyalty.products SET price = round(price), min_price = round(min_price);
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM loyalty.lots;
DELETE FROM loyalty.balances;
RESET session_replication_role;
UPDATE loyalty.programs SET currency_scale = 0 WHERE external_id = 'main';
SELECT loyalty_revert('main');
SELECT currency_scale FROM loyalty.programs;
ROLLBACK;
SELECT loyalty_revert('main');

-- A new point type is an account rather than a node of the tree: it stays, and waits for the next apply.
INSERT INTO loyalty.point_types (program, external_id, name, ratio, scale) VALUES ('main', 'stars', 'Stars', 1, 0);
SELECT loyalty_revert('main');
SELECT change, what FROM loyalty.pending_changes;
SELECT loyalty_apply('main');
SELECT program, change, what, "column", old, new FROM loyalty.pending_changes;

-- Trigger promotions are in force without an apply: nothing of them is pending, and no revert takes them away.
INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
    VALUES ('main', 'welcome', 'Welcome', 'trigger', 'active');
INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount)
    VALUES ('main', 'welcome', 'accrual', 'bonus', 100);
SELECT loyalty_clone_promotion('main', 'welcome', 'again', 'Welcome again');
SELECT program, change, what, "column", old, new FROM loyalty.pending_changes;
SELECT loyalty_revert('main');
SELECT external_id, name, state, operation, point_type, amount
FROM loyalty.promotions JOIN loyalty.trigger_rules ON promotion = external_id ORDER BY external_id;
SELECT loyalty_move_promotion('main', 'welcome', 'main', 0);
\echo :SQLSTATE
SELECT loyalty_deactivate_promotion('main', 'welcome'), loyalty_end_promotion('main', 'welcome');
SELECT loyalty_revert('main');
SELECT state FROM loyalty.promotions WHERE external_id = 'welcome';
DELETE FROM loyalty.promotions WHERE external_id = 'again';

-- A static list is data, and so is a segment that no version uses.
INSERT INTO loyalty.product_segment_members (program, segment, sku) VALUES ('main', 'picks', 'new on the list');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'later', 'Later', '$.price > 7');
SELECT loyalty_revert('main');
SELECT count(*) FROM loyalty.product_segment_members WHERE sku = 'new on the list';
SELECT count(*) FROM loyalty.product_segments WHERE external_id = 'later';
UPDATE loyalty.promotion_conditions SET segments = '{later}' WHERE promotion = 'tv';
SELECT change, what, "column", old, new IS NOT NULL AS has_new FROM loyalty.pending_changes ORDER BY what;
SELECT loyalty_revert('main');

-- Columns that a later release adds are left alone, and are no change.
ALTER TABLE loyalty.promotions ADD COLUMN colour text NOT NULL DEFAULT 'red';
SELECT program, change, what, "column", old, new FROM loyalty.pending_changes;
SELECT loyalty_apply('main');
UPDATE loyalty.promotions SET colour = 'blue', name = 'Blue' WHERE external_id = 'tv';
DELETE FROM loyalty.promotions WHERE external_id = 'idle';
SELECT change, what, "column" FROM loyalty.pending_changes ORDER BY what;
SELECT loyalty_revert('main');
SELECT external_id, colour FROM loyalty.promotions WHERE external_id IN ('tv', 'idle') ORDER BY external_id;
-- From the next version on they come along.
UPDATE loyalty.promotions SET name = 'Next' WHERE external_id = 'tv';
SELECT loyalty_apply('main');
UPDATE loyalty.promotions SET colour = 'green' WHERE external_id = 'tv';
SELECT what, "column", old, new FROM loyalty.pending_changes;
SELECT loyalty_revert('main');
SELECT colour FROM loyalty.promotions WHERE external_id = 'tv';
ALTER TABLE loyalty.promotions DROP COLUMN colour;
SELECT program, change, what, "column", old, new FROM loyalty.pending_changes;

-- ---------------------------------------------------------------------------------------------------------------------
-- The terms of partners, as far as the version uses them

INSERT INTO loyalty.partners (program, external_id, name) VALUES ('main', 'acme', 'Acme'), ('main', 'idle', 'Idle');
INSERT INTO loyalty.partner_products (program, sku, partner, discount_percent)
    VALUES ('main', 'P-1', 'acme', 10), ('main', 'P-2', 'idle', 10);
-- It has a start: a test counts what starts on activation as started at any time, a quote does not.
INSERT INTO loyalty.promotions (program, external_id, name, kind, starts_at)
    VALUES ('main', 'partners', 'Partners', 'discount', '2020-01-01');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('main', 'partners');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('main', 'partners', 1, 'partner_discount', '{"partners": ["acme"]}');
SELECT loyalty_apply('main');
UPDATE loyalty.partners SET starts_on = '2030-01-01', name = 'Acme and sons' WHERE external_id = 'acme';
UPDATE loyalty.partner_products SET discount_percent = 15;
SELECT change, what, "column", old, new FROM loyalty.pending_changes WHERE program = 'main' ORDER BY what, "column";
SELECT loyalty_revert('main');
SELECT external_id, name, starts_on FROM loyalty.partners ORDER BY external_id;
SELECT sku, discount_percent FROM loyalty.partner_products ORDER BY sku;

-- ---------------------------------------------------------------------------------------------------------------------
-- Refused

INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
    VALUES ('other', 'Other', 'profiles', 'JPY', 'Asia/Tokyo');
SELECT loyalty_revert('other');
\echo :SQLSTATE
SELECT loyalty_revert('nowhere');
\echo :SQLSTATE
SELECT change, what, "column" FROM loyalty.pending_changes WHERE program = 'other' ORDER BY what;
-- Money that was booked meanwhile stays in its currency; nothing is reverted then, and triggers are back at their
-- posts.
INSERT INTO loyalty.point_types (program, external_id, name, ratio) VALUES ('other', 'bonus', 'Bonus', 1);
INSERT INTO loyalty.promotion_groups (program, external_id, name) VALUES ('other', 'a', 'A');
SELECT loyalty_apply('other');
UPDATE loyalty.programs SET currency = 'USD' WHERE external_id = 'other';
UPDATE loyalty.promotion_groups SET name = 'B' WHERE program = 'other' AND external_id = 'a';
INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('member-1', 'other', loyalty.clock());
INSERT INTO loyalty.balances (member, program, point_type, seq, total) VALUES ('member-1', 'other', 'bonus', 1, 5);
SELECT loyalty_revert('other');
\echo :SQLSTATE
SELECT name FROM loyalty.promotion_groups WHERE program = 'other' AND external_id = 'a';
SELECT loyalty_internal.is_reverting();
UPDATE loyalty.promotions SET state = 'draft' WHERE external_id = 'tv';
\echo :SQLSTATE

-- ---------------------------------------------------------------------------------------------------------------------
-- The list of definitions is complete

INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
    VALUES ('main', 'large', 'Large', '$.total > 100');
INSERT INTO loyalty.profile_segments (program, external_id, name, predicate)
    VALUES ('main', 'riga', 'Of Riga', '$.attributes.city == "Riga"');
INSERT INTO loyalty.promotions (program, external_id, name, kind, audience, audience_segments)
    VALUES ('main', 'riga', 'Riga', 'discount', 'in_segments', '{riga}');
INSERT INTO loyalty.promotion_conditions (program, promotion, level, mode, segments)
    VALUES ('main', 'riga', 'order', 'in', '{large}');
SELECT loyalty_apply('main');
-- Whatever the tree is made from is restored: each column that the view reads is in a row of its table. Predicates are
-- kept up by triggers.
SELECT DISTINCT class.relname, attname
FROM pg_rewrite
JOIN pg_depend ON classid = 'pg_rewrite'::regclass AND objid = pg_rewrite.oid AND refclassid = 'pg_class'::regclass
    AND refobjsubid > 0
JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
JOIN pg_class AS class ON class.oid = refobjid AND relkind = 'r'
WHERE ev_class = 'loyalty.promotion_drafts'::regclass
    AND class.relname <> 'product_predicates'
    AND NOT EXISTS (
        SELECT FROM loyalty.promotion_versions CROSS JOIN jsonb_array_elements(definition) AS frozen
        WHERE frozen ->> 'relation' = class.relname AND frozen -> 'body' ? attname
    )
ORDER BY class.relname, attname;
-- These triggers also fire while a version is restored; those that would refuse its steps must not be among them.
SELECT relation, tgname
FROM loyalty.definitions
JOIN pg_trigger ON tgrelid = format('loyalty.%I', relation)::regclass AND NOT tgisinternal
WHERE whole AND pg_get_triggerdef(pg_trigger.oid) NOT LIKE '%loyalty_internal.is_reverting%'
ORDER BY rank, tgname;

-- ---------------------------------------------------------------------------------------------------------------------
-- Rights: EXECUTE is enough for the verbs, SELECT for the views

CREATE ROLE regress_loyalty_editor;
GRANT USAGE ON SCHEMA loyalty TO regress_loyalty_editor;
GRANT SELECT ON ALL TABLES IN SCHEMA loyalty TO regress_loyalty_editor;
GRANT EXECUTE ON FUNCTION loyalty_revert, loyalty_deactivate_promotion, loyalty_clone_promotion, loyalty_move_promotion,
loyalty_archive_promotion_group TO regress_loyalty_editor;
SET ROLE regress_loyalty_editor;
SELECT loyalty_deactivate_promotion('main', 'tv'), loyalty_clone_promotion('main', 'tv', 'tv2'),
    loyalty_move_promotion('main', 'tv2', 'main', 0), loyalty_archive_promotion_group('main', 'one');
SELECT change, what, "column", old, new IS NOT NULL AS has_new FROM loyalty.pending_changes
    WHERE program = 'main' ORDER BY what, "column";
SELECT loyalty_revert('main');
SELECT max(version) > 1 AS has_versions FROM loyalty.version_history;
UPDATE loyalty.promotions SET name = 'Mine';
SELECT loyalty.restore_draft('main');
RESET ROLE;
DROP OWNED BY regress_loyalty_editor;
DROP ROLE regress_loyalty_editor;

-- ---------------------------------------------------------------------------------------------------------------------
-- Any edits, in any order

SET client_min_messages = warning;
SET session_replication_role = replica;
DELETE FROM loyalty.lots;
DELETE FROM loyalty.balances;
RESET session_replication_role;
UPDATE loyalty.promotions SET state = 'inactive' WHERE state = 'active' AND external_id IN ('pay', 'earn');
SELECT loyalty_apply('main') > 0 AS applied;
-- Some promotion or group. Trigger promotions, and so their clones, stand outside what a revert restores.
CREATE FUNCTION any_promotion() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT external_id FROM loyalty.promotions
        WHERE program = 'main' AND kind <> 'trigger' ORDER BY random() LIMIT 1 $$;
CREATE FUNCTION any_group() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT external_id FROM loyalty.promotion_groups WHERE program = 'main' ORDER BY random() LIMIT 1 $$;
CREATE FUNCTION edit() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    chosen CONSTANT text := any_promotion();
    in_group CONSTANT text := any_group();
    other CONSTANT text := any_group();
    number CONSTANT integer := random() * 5;
    fresh CONSTANT text := 'n' || floor(random() * 30);
    choice CONSTANT integer := floor(random() * 27);
BEGIN
    CASE choice
        WHEN 0 THEN PERFORM loyalty_activate_promotion('main', chosen);
        WHEN 1 THEN PERFORM loyalty_deactivate_promotion('main', chosen);
        WHEN 2 THEN IF random() < 0.4 THEN PERFORM loyalty_end_promotion('main', chosen); END IF;
        WHEN 3 THEN PERFORM loyalty_move_promotion('main', chosen, in_group, number);
        WHEN 4 THEN PERFORM loyalty_move_promotion_group('main', in_group, other, number);
        WHEN 5 THEN PERFORM loyalty_reorder_promotion('main', chosen, number);
        WHEN 6 THEN PERFORM loyalty_clone_promotion('main', chosen, fresh);
        WHEN 7 THEN PERFORM loyalty_activate_promotion_group('main', in_group);
        WHEN 8 THEN PERFORM loyalty_deactivate_promotion_group('main', in_group);
        WHEN 9 THEN PERFORM loyalty_archive_promotion_group('main', in_group);
        WHEN 10 THEN PERFORM loyalty_unarchive_promotion_group('main', in_group);
        WHEN 11 THEN INSERT INTO loyalty.promotion_groups (program, external_id, name, parent)
            VALUES ('main', fresh, fresh, in_group);
        WHEN 12 THEN INSERT INTO loyalty.promotions (program, external_id, name, kind, parent)
            VALUES ('main', fresh, fresh, 'discount', in_group);
        WHEN 13 THEN INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments)
            VALUES ('main', chosen, 'in', '{tv}');
        WHEN 14 THEN INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
            VALUES ('main', chosen, 1, 'discount', jsonb_build_object('amount', number + 1));
        WHEN 15 THEN DELETE FROM loyalty.promotions WHERE program = 'main' AND external_id = chosen;
        WHEN 16 THEN DELETE FROM loyalty.promotion_groups WHERE program = 'main' AND external_id = in_group;
        WHEN 17 THEN DELETE FROM loyalty.promotion_conditions AS condition
            WHERE program = 'main' AND condition.promotion = chosen;
        WHEN 18 THEN DELETE FROM loyalty.promotion_benefits AS benefit
            WHERE program = 'main' AND benefit.promotion = chosen;
        WHEN 19 THEN UPDATE loyalty.promotions
            SET name = fresh, description = fresh, audience = 'everyone', benefit_rule = 'parallel',
            max_uses = number + 1, schedule_days = ARRAY[number + 1] WHERE program = 'main' AND external_id = chosen;
        WHEN 20 THEN UPDATE loyalty.promotion_groups
            SET arbitration = (ARRAY['consistent', 'summation', 'max_benefit', 'incompatibility'])[1 + number % 4],
            max_discount_percent = CASE WHEN max_discount_amount IS NULL THEN number END
            WHERE program = 'main' AND external_id = in_group;
        WHEN 21 THEN UPDATE loyalty.promotion_conditions AS condition
            SET level = 'product', mode = 'outside', segments = '{picks}'
            WHERE program = 'main' AND condition.promotion = chosen;
        WHEN 22 THEN UPDATE loyalty.promotion_benefits AS benefit
            SET parameters = parameters || jsonb_build_object('percent', number)
            WHERE program = 'main' AND benefit.promotion = chosen;
        WHEN 23 THEN UPDATE loyalty.product_segments
            SET predicate = format('$.price > %s', number)::jsonpath, name = fresh
            WHERE program = 'main' AND external_id IN ('tv', 'dear') AND random() < 0.5;
        WHEN 24 THEN UPDATE loyalty.point_types SET ratio = number + 1 WHERE program = 'main' AND random() < 0.5;
        WHEN 25 THEN UPDATE loyalty.programs
            SET currency = 'EUR', time_zone = 'Asia/Tokyo', currency_scale = 2 + number % 2 WHERE external_id = 'main';
        WHEN 26 THEN
            DELETE FROM loyalty.promotion_benefits AS benefit WHERE program = 'main' AND benefit.promotion = chosen;
            UPDATE loyalty.promotions SET kind = CASE kind WHEN 'points' THEN 'discount' ELSE 'points' END
                WHERE program = 'main' AND external_id = chosen;
    END CASE;
END
$$;
CREATE TABLE done (run integer, edit integer, worked boolean);
CREATE FUNCTION try_edits(run integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR edit IN 1 .. 1 + floor(random() * 12) LOOP
        BEGIN
            PERFORM edit();
            INSERT INTO done VALUES (run, edit, true);
        EXCEPTION WHEN OTHERS THEN
            INSERT INTO done VALUES (run, edit, false);
            IF SQLSTATE !~ '^(LY|235)' THEN
                RAISE;
            END IF;
        END;
    END LOOP;
END
$$;
-- The draft as it was, but for promotions that have ended since.
CREATE FUNCTION expected(former jsonb) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT former || jsonb_build_object('promotions', (
        SELECT jsonb_agg(promotion || CASE WHEN ended.external_id IS NULL THEN '{}'::jsonb ELSE '{"state": "ended"}' END
            ORDER BY number)
        FROM jsonb_array_elements(former -> 'promotions') WITH ORDINALITY AS row (promotion, number)
        LEFT JOIN loyalty.promotions AS ended ON ended.program = 'main'
            AND ended.external_id = promotion ->> 'external_id' AND ended.state = 'ended'
    ))
$$;
-- Sorted by content, since the end mark changes the place of a row.
CREATE FUNCTION sorted(draft jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT draft || jsonb_build_object('promotions',
        (SELECT jsonb_agg(row ORDER BY row) FROM jsonb_array_elements(draft -> 'promotions') AS row)) $$;
CREATE FUNCTION run(number integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before CONSTANT jsonb := draft();
    version CONSTANT integer := max(version_history.version) FROM loyalty.version_history WHERE program = 'main';
BEGIN
    PERFORM try_edits(number);
    IF number % 4 = 0 THEN
        -- Now and then a version is made of the edits, if it can be.
        BEGIN
            PERFORM loyalty_apply('main');
            RETURN 'applied';
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END IF;
    IF loyalty_revert('main') <> version THEN
        RETURN format('run %s: not version %s', number, version);
    ELSIF sorted(draft()) <> sorted(expected(before)) THEN
        RETURN format('run %s: the draft differs in %s', number, (
            SELECT string_agg(key, ', ') FROM jsonb_each(sorted(draft()))
                WHERE value <> sorted(expected(before)) -> key));
    ELSIF EXISTS (SELECT FROM loyalty.pending_changes WHERE program = 'main') THEN
        RETURN format('run %s: changes are pending', number);
    ELSIF loyalty_apply('main') <> version THEN
        RETURN format('run %s: a new version', number);
    ELSIF without_versions(quotes()) <> tests() THEN
        RETURN format('run %s: a test of the draft differs from a quote', number);
    END IF;
    RETURN 'as it was';
END
$$;
SELECT setseed(0.4);
SELECT run(number), count(*) > 5 AS many FROM generate_series(1, 120) AS number GROUP BY 1 ORDER BY 1;
SELECT count(*) FILTER (WHERE worked) > 300 AS many_worked, count(*) FILTER (WHERE NOT worked) > 50 AS many_were_refused
    FROM done;
SELECT count(*) > 2 AS some_ended FROM loyalty.promotions WHERE state = 'ended';
DROP TABLE orders, applied, done;
DROP FUNCTION draft, quotes, tests, without_versions, edit, try_edits, any_promotion, any_group, expected, sorted, run;
DROP SCHEMA loyalty CASCADE;
