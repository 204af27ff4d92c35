-- What reaches C++ from SQL is checked where it enters: relations of the user's that answer with nulls or otherwise the
-- second time, our trigger functions on other tables and at other levels, tables of ours that were altered or damaged.
-- Each is an error, never a crash.
\set ECHO none
\set SHOW_CONTEXT never
SET client_min_messages = warning;
\i test/fixtures/shop.sql
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
CREATE FUNCTION order_of(program text, member text) RETURNS text LANGUAGE sql AS $$
    SELECT format(
        'SELECT loyalty_calculate(%L)',
        jsonb_build_object('program', program, 'member', member, 'lines',
            '[{"product": "x", "quantity": 1, "price": 1}]'::jsonb)
    )
$$;
\set ECHO all

-- ---------------------------------------------------------------------------------------------------------------------
-- Profile relations

-- A key that reads as null.
CREATE TYPE letter AS ENUM ('zed');
CREATE FUNCTION nothing(letter) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT NULL::text';
CREATE CAST (letter AS text) WITH FUNCTION nothing(letter);
CREATE TABLE letters (key letter, joined date);
INSERT INTO letters VALUES ('zed', '2026-01-01');
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
    VALUES ('letters', 'L', 'letters', 'key');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('letters', 'L', 'letters', 'EUR', 'UTC', true);
SELECT loyalty_apply('letters');
SELECT outcome($$SELECT loyalty_enrol('zed', 'letters')$$);
SELECT outcome($$SELECT loyalty_enrol('zed', 'letters', registered_field => 'joined')$$);
SELECT outcome($$SELECT loyalty_find_member('letters', 'zed')$$);
SELECT outcome(order_of('letters', 'zed'));
SELECT outcome($$SELECT loyalty_import_orders('letters', '[{"external_id": "1", "member": "zed", "time": "2026-01-01T12:00:00Z",
    "total": 1, "lines": [{"product": "x", "quantity": 1, "price": 1}]}]')$$) <> '' AS answered;
SELECT loyalty_enrol_all('letters');

-- A key that is null every second time.
CREATE SEQUENCE times;
CREATE FUNCTION now_and_then()
    RETURNS text LANGUAGE sql STABLE AS $$SELECT CASE WHEN nextval('public.times') % 2 = 1 THEN 'zed' END$$;
ALTER FUNCTION now_and_then() VOLATILE;
CREATE VIEW flickering AS SELECT now_and_then() AS key;
UPDATE loyalty.profile_databases SET relation = 'flickering' WHERE external_id = 'letters';
SELECT outcome($$SELECT loyalty_enrol('zed', 'letters')$$) <> '' AS answered,
    outcome(order_of('letters', 'zed')) <> '' AS answered
FROM generate_series(1, 4);

-- A row that is there the first time, the first two, three, four times.
CREATE FUNCTION is_there(most integer)
    RETURNS boolean LANGUAGE sql VOLATILE AS $$SELECT nextval('public.times') <= most$$;
CREATE VIEW vanishing AS SELECT 'zed' AS key, timestamptz '2026-01-01' AS joined
    WHERE is_there(current_setting('test.most')::integer);
UPDATE loyalty.profile_databases SET relation = 'vanishing' WHERE external_id = 'letters';
CREATE FUNCTION tried(most integer, statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM setval('public.times', 1, false), set_config('test.most', most::text, false);
    RETURN outcome(statement);
END
$$;
SELECT most, tried(most, $$SELECT loyalty_enrol('zed', 'letters', registered_field => 'joined')$$)
    FROM generate_series(0, 5) AS most;
SELECT most, tried(most, $$SELECT loyalty_enrol('zed', 'letters')$$) FROM generate_series(0, 3) AS most;

-- A view that closes every cursor it sees, while we read it through one: none of ours is closed.
CREATE FUNCTION closed_cursors() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    seen refcursor;
    closed integer := 0;
BEGIN
    FOREACH seen IN ARRAY ARRAY(SELECT name FROM pg_cursors
        WHERE name LIKE '<unnamed portal%' AND statement ~ 'closing')
    LOOP
        BEGIN
            CLOSE seen;
            closed := closed + 1;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING '%', regexp_replace(SQLERRM, '\d+', 'N');
        END;
    END LOOP;
    RETURN closed;
END
$$;
CREATE VIEW closing AS SELECT key, date '2026-01-01' + closed_cursors() AS joined
    FROM (VALUES ('z1'), ('z2')) AS t (key);
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
    VALUES ('closing', 'C', 'closing', 'key');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('closing', 'C', 'closing', 'EUR', 'UTC', true);
SELECT loyalty_enrol_all('closing', registered_field => 'joined');
SELECT member, (registered_at AT TIME ZONE 'UTC')::date - date '2026-01-01' AS closed FROM loyalty.members
WHERE program = 'closing'
ORDER BY member;
UPDATE loyalty.programs SET active = false WHERE external_id = 'closing';

-- ---------------------------------------------------------------------------------------------------------------------
-- A table that is none, and one that can be changed once it was read

INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind, valid_from, valid_until)
VALUES ('main', 'spring', 'Spring', 'universal', '2026-01-01', '2027-01-01');
SELECT outcome($$SELECT loyalty_import_promo_codes('main', 'spring', 999999::oid::regclass)$$);
CREATE TABLE incoming (code text);
DO $$
BEGIN
    FOR file IN 1..3 LOOP
        INSERT INTO incoming SELECT 'F' || file || '-' || n FROM generate_series(1, 10) AS n;
        PERFORM loyalty_import_promo_codes('main', 'spring', 'incoming');
        TRUNCATE incoming;
    END LOOP;
    DROP TABLE incoming;
END
$$;
SELECT count(*) FROM loyalty.promo_codes WHERE pool = 'spring';

-- ---------------------------------------------------------------------------------------------------------------------
-- Trigger functions where they do not belong

CREATE TABLE foreign_table (LIKE loyalty.transactions);
ALTER TABLE foreign_table ALTER member DROP NOT NULL, ALTER member TYPE bigint USING 0;
CREATE VIEW foreign_view AS SELECT * FROM foreign_table;

-- Each of the C functions, for each table, level, time and event: what the outcomes are.
CREATE FUNCTION attach(function text, at_table text, timing text, event text, level text)
    RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER aa_stray %s %s ON %s FOR EACH %s EXECUTE FUNCTION %s()', timing, event, at_table,
        level, function);
    IF event = 'INSERT' AND at_table LIKE 'foreign%' THEN
        EXECUTE format(
            'INSERT INTO %s (member, program, point_type, seq, id, type, value, balance_before, balance_after,'
            'debt, owed, lapsed, created_at, booked_at) VALUES (1234567890123, ''main'', ''bonus'', 1, '
            'gen_random_uuid(), ''accrual'', 1, 0, 1,'
            '0, 0, 0, now(), now())', at_table);
    ELSIF event = 'INSERT' AND at_table = 'loyalty.events' THEN
        INSERT INTO loyalty.events (program, type) VALUES ('main', 'test');
    ELSIF event = 'INSERT' THEN
        PERFORM loyalty_accrue('ann', 'main', 'bonus', 1);
    ELSIF event = 'TRUNCATE' THEN
        EXECUTE format('TRUNCATE %s CASCADE', at_table);
    ELSIF event = 'DELETE' THEN
        EXECUTE format('DELETE FROM %s', at_table);
    ELSE
        EXECUTE format('UPDATE %s SET program = ''other''', at_table);
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'TT000', MESSAGE = 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
INSERT INTO foreign_table (program, point_type, seq, id, type, value, balance_before, balance_after, debt, owed, lapsed,
    created_at, booked_at)
VALUES ('main', 'bonus', 0, gen_random_uuid(), 'accrual', 1, 0, 1, 0, 0, 0, now(), now());
SELECT f.function, t.at_table,
    string_agg(DISTINCT attach(f.function, t.at_table, w.timing, e.event, l.level), ' ') AS outcomes
FROM unnest('{loyalty_internal.events_trigger,loyalty_internal.notify_trigger,loyalty_internal.transactions_trigger,loyalty_internal.orders_trigger,'
    'loyalty_internal.invalidate_cache_trigger,loyalty_fire_trigger,loyalty_enrol_trigger}'::text[]) WITH ORDINALITY
        AS f (function, number)
CROSS JOIN unnest('{foreign_table,foreign_view,loyalty.events,loyalty.transactions}'::text[]) AS t (at_table)
CROSS JOIN unnest('{BEFORE,AFTER,INSTEAD OF}'::text[]) AS w (timing)
CROSS JOIN unnest('{INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) AS e (event)
CROSS JOIN unnest('{ROW,STATEMENT}'::text[]) AS l (level)
GROUP BY f.number, f.function, 2 ORDER BY f.number, 2;
CREATE TRIGGER stray BEFORE INSERT ON foreign_table FOR EACH ROW
    EXECUTE FUNCTION loyalty_internal.transactions_trigger();
\set VERBOSITY default
INSERT INTO foreign_table (member, program, point_type, type, value)
    VALUES (1234567890123, 'main', 'bonus', 'accrual', 1);
\set VERBOSITY terse

-- ---------------------------------------------------------------------------------------------------------------------
-- Tables of ours whose columns were altered

-- Alters a column's type in a session that knows the tables, books, orders, quotes and reads, and takes it all back.
CREATE FUNCTION with_type(at_table text, col text, type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    dependent regclass;
    constrained oid;
    outcomes text;
BEGIN
    DROP VIEW entries;
    -- It takes the schema without its views for one without the extension.
    FOR dependent IN SELECT tgrelid FROM pg_trigger WHERE tgname = 'require_library' LOOP
        EXECUTE format('DROP TRIGGER require_library ON %s', dependent);
    END LOOP;
    LOOP
        SELECT oid INTO dependent FROM pg_class WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'v' LIMIT 1;
        EXIT WHEN NOT FOUND;
        EXECUTE format('DROP VIEW %s CASCADE', dependent);
    END LOOP;
    LOOP
        SELECT oid INTO constrained FROM pg_constraint
            WHERE conrelid = ('loyalty.' || at_table)::regclass AND contype <> 'n' LIMIT 1;
        EXIT WHEN NOT FOUND;
        EXECUTE format('ALTER TABLE loyalty.%I DROP CONSTRAINT %I CASCADE', at_table,
            (SELECT conname FROM pg_constraint WHERE oid = constrained));
    END LOOP;
    EXECUTE format(
        'ALTER TABLE loyalty.%1$I ALTER %2$I DROP NOT NULL, ALTER %2$I DROP DEFAULT, ALTER %2$I TYPE %3$s USING NULL',
    at_table, col, type);
    SELECT string_agg(DISTINCT left(outcome(statement), 5), ' ') INTO outcomes
    FROM unnest(ARRAY[
        $q$SELECT loyalty_accrue('ann', 'main', 'bonus', 1)$q$, $q$SELECT loyalty_accrue('ann', 'main', 'status', 1)$q$,
        $q$SELECT loyalty_place_order(basket('A'))$q$, $q$SELECT loyalty_calculate(basket('A') - 'external_id')$q$,
        $q$SELECT loyalty_events_since(NULL)$q$, $q$SELECT loyalty_enrol('guest', 'main')$q$,
        $q$SELECT loyalty_hold('ann', 'main', 'bonus', 'redemption', 1, '1 hour')$q$,
        $q$SELECT * FROM loyalty_tier('ann', 'main')$q$
    ]) AS statement;
    RAISE EXCEPTION USING ERRCODE = 'TT000', MESSAGE = outcomes;
EXCEPTION
    WHEN SQLSTATE 'TT000' THEN RETURN SQLERRM;
    WHEN feature_not_supported THEN RETURN 'cannot be altered';
END
$$;
UPDATE loyalty.programs SET active = false WHERE external_id = 'letters';
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type)
    VALUES ('main', 'ladder', 'Ladder', 'cumulative', 'status');
INSERT INTO loyalty.tiers (program, tier_group, external_id, name, position, threshold)
VALUES ('main', 'ladder', 'start', 'Start', 1, 0), ('main', 'ladder', 'top', 'Top', 2, 1000);
SELECT c.at_table, c.col, with_type(c.at_table, c.col, 'bytea') AS to_bytea,
    with_type(c.at_table, c.col, 'integer') AS to_integer
FROM (
    VALUES ('events', 'created_at'), ('events', 'xid'), ('events', 'data'), ('member_tiers', 'points'),
        ('member_tiers', 'earned_tier'),
        ('member_tiers', 'kept_tier'), ('member_tiers', 'falls_at'), ('transactions', 'comment'),
        ('transactions', 'undoes'),
        ('transactions', 'data'), ('balances', 'debt'), ('lots', 'held'), ('point_types', 'scale'),
        ('orders', 'confirmation')
) AS c (at_table, col);

-- ---------------------------------------------------------------------------------------------------------------------
-- Rows that are not there

BEGIN;
DELETE FROM loyalty.drafts;
SELECT outcome($$SELECT count(loyalty_test('{"lines": [{"product": "book", "quantity": 1}]}'))
    FROM generate_series(1, 5)$$);
SELECT outcome($$SELECT loyalty_test('{"lines": [{"product": "book", "quantity": 1}]}')$$);
ROLLBACK;

-- A lot that a hold has reserved is gone, or holds less than was reserved: the error names the account.
SELECT loyalty_hold('ann', 'main', 'bonus', 'redemption', 5, '1 hour', external_id => 'H') ->> 'state' AS state;
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM loyalty.hold_lots;
INSERT INTO loyalty.hold_lots (member, program, hold, point_type, lot, amount)
SELECT member, program, id, point_type, 77, 5 FROM loyalty.holds;
SET LOCAL session_replication_role = origin;
SELECT outcome($$SELECT loyalty_commit('ann', 'main', external_id => 'H')$$);
SELECT outcome($$SELECT loyalty_rollback('ann', 'main', external_id => 'H')$$);
ROLLBACK;
BEGIN;
ALTER TABLE loyalty.lots DROP CONSTRAINT lots_are_well_formed;
UPDATE loyalty.lots SET held = remaining + 5;
SELECT outcome($$SELECT loyalty_redeem('ann', 'main', 'bonus', 1)$$);
SELECT outcome($$SELECT loyalty_commit('ann', 'main', external_id => 'H')$$);
ROLLBACK;

-- Settings that no constraint would let in: a tier without its threshold, a model that is none, a clock at infinity.
BEGIN;
ALTER TABLE loyalty.tiers DROP CONSTRAINT tiers_threshold_or_predicate;
SET LOCAL session_replication_role = replica;
UPDATE loyalty.tiers SET threshold = NULL WHERE external_id = 'top';
SET LOCAL session_replication_role = origin;
SELECT outcome($$SELECT * FROM loyalty_tier('ann', 'main')$$);
ROLLBACK;
BEGIN;
ALTER TABLE loyalty.tier_groups DROP CONSTRAINT tier_groups_model_is_known;
SET LOCAL session_replication_role = replica;
UPDATE loyalty.tier_groups SET model = 'none';
SET LOCAL session_replication_role = origin;
SELECT outcome($$SELECT * FROM loyalty_tier('ann', 'main')$$);
ROLLBACK;
BEGIN;
SELECT outcome($$SELECT loyalty_set_clock('10000-01-01 00:00+00')$$);
SELECT outcome($$SELECT loyalty_set_clock('infinity')$$);
ALTER TABLE loyalty.simulated_clock DROP CONSTRAINT simulated_clock_moment_is_in_calendar;
SET LOCAL session_replication_role = replica;
INSERT INTO loyalty.simulated_clock (moment) VALUES ('10000-01-01 00:00+00');
SET LOCAL session_replication_role = origin;
SELECT outcome($$SELECT loyalty_calculate(basket('A') - 'external_id')$$);
INSERT INTO loyalty.simulated_clock (moment) VALUES ('infinity');
SELECT outcome($$SELECT loyalty_calculate(basket('A') - 'external_id')$$);
ROLLBACK;
BEGIN;
SELECT loyalty_set_clock('9999-12-31 23:59:59.999999+00');
SELECT outcome($$SELECT loyalty_calculate(basket('A') - 'external_id')$$);
ROLLBACK;

-- Lists that belong together and are not of one length: ids of statuses that are arrays themselves.
BEGIN;
ALTER TABLE loyalty.order_statuses RENAME external_id TO gone;
ALTER TABLE loyalty.order_statuses ADD external_id text[] DEFAULT '{new,old,none}';
UPDATE loyalty.programs SET name = 'Read anew' WHERE external_id = 'main';
SELECT outcome($$SELECT loyalty_calculate(basket('A') - 'external_id')$$);
ROLLBACK;

-- An order whose lines are gone, and what it earned for them is not.
BEGIN;
SELECT outcome($$SELECT loyalty_place_order(basket('C'))$$);
SET LOCAL session_replication_role = replica;
INSERT INTO loyalty.order_accruals (buyer, program, order_id, number, promotion, point_type, level, line, points,
    credit_on, state)
SELECT buyer, program, external_id, 99, 'none', 'bonus', 'product', '00001', 1, 'delivered', 'waiting'
FROM loyalty.orders WHERE external_id = 'C';
DELETE FROM loyalty.order_lines;
SET LOCAL session_replication_role = origin;
SELECT outcome($$SELECT loyalty_cancel_order('main', 'C')$$);
ROLLBACK;

SET client_min_messages = warning;
DROP VIEW flickering, vanishing, closing, foreign_view;
DROP TABLE letters, foreign_table;
DROP SCHEMA loyalty CASCADE;
DROP FUNCTION outcome, basket, refusal, order_of, tried, attach, with_type, now_and_then, is_there, closed_cursors;
DROP SEQUENCE times;
DROP CAST (letter AS text);
DROP FUNCTION nothing;
DROP TYPE letter;
