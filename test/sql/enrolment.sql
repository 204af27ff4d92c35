-- Members: enrolling one, all, a segment; initial balances; removing; finding; profiles in a table of the user's own.
\set ECHO none
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'Europe/Berlin';
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2026-01-15 12:00+01') \g /dev/null
CREATE FUNCTION refusal(statement text) RETURNS TABLE (code text, message text, detail text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RETURN NEXT;
END
$$;
\set ECHO all
\set VERBOSITY terse
SET datestyle = 'ISO';

-- ---------------------------------------------------------------------------------------------------------------------
-- Profiles in a table of the user's own, with a key that is a number

CREATE TABLE customers (id bigint PRIMARY KEY, email text, phone text, city text, joined date);
CREATE INDEX customers_email ON customers (email);
INSERT INTO customers VALUES
    (1, 'ann@example.com', '+371 1', 'Riga', '2025-03-31'), (2, 'bob@example.com', '+371 2', 'Oslo', '2025-01-01'),
    (3, 'cat@example.com', '+371 3', 'Riga', '2027-01-01'), (4, NULL, NULL, 'Riga', NULL),
    (5, 'eve@example.com', '+371 2', 'Rome', 'infinity');
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column, email_column, phone_column)
VALUES ('customers', 'Customers', 'customers', 'id', 'email', 'phone');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('club', 'Club', 'customers', 'EUR', 'Europe/Riga', true),
    ('idle', 'Idle', 'customers', 'EUR', 'Europe/Riga', false);
INSERT INTO loyalty.point_types (program, external_id, name, scale, ratio, initial_balance, validity_count,
    validity_unit, active)
VALUES
    ('club', 'bonus', 'Bonus', 2, 1, 50, 1, 'month', true), ('club', 'gift', 'Gift', 2, 1, 12.5, NULL, NULL, true),
    ('club', 'asleep', 'Asleep', 2, 1, 7, NULL, NULL, false), ('club', 'plain', 'Plain', 0, 1, 0, NULL, NULL, true);
INSERT INTO loyalty.point_types (program, external_id, name, scale, ratio, initial_balance, active, deactivates_at)
VALUES ('club', 'over', 'Over', 0, 1, 7, true, '2026-01-01');
-- At most one active program a profile database, and bound for ever.
SELECT * FROM refusal($$UPDATE loyalty.programs SET active = true WHERE external_id = 'idle'$$);
SELECT * FROM refusal($$UPDATE loyalty.programs SET profile_database = 'profiles' WHERE external_id = 'idle'$$);

-- ---------------------------------------------------------------------------------------------------------------------
-- One (decisions 14, 16, 17, 19)

SELECT loyalty_enrol('1', 'club');
SELECT point_type, seq, type, value, balance_after, created_at, active_from, expires_at FROM loyalty.transactions
    WHERE member = '1' ORDER BY point_type;
SELECT loyalty_enrol('001', 'club', '2025-01-01') ->> 'outcome' AS outcome;
SELECT count(*) FROM loyalty.transactions;
SELECT * FROM refusal($$SELECT loyalty_enrol('99', 'club')$$);
SELECT * FROM refusal($$SELECT loyalty_enrol('x', 'club')$$);
SELECT * FROM refusal($$SELECT loyalty_enrol('', 'club')$$);
SELECT * FROM refusal($$SELECT loyalty_enrol('2', 'idle')$$);
SELECT * FROM refusal($$SELECT loyalty_enrol('2', 'nowhere')$$);
SELECT * FROM refusal($$SELECT loyalty_enrol('2', 'club', '2026-01-15 12:01+01')$$);
SELECT * FROM refusal($$SELECT loyalty_enrol('2', 'club', 'infinity')$$);
SELECT * FROM refusal($$SELECT loyalty_enrol('3', 'club', registered_field => 'joined')$$);
SELECT * FROM refusal($$SELECT loyalty_enrol('4', 'club', registered_field => 'joined')$$);
SELECT * FROM refusal($$SELECT loyalty_enrol('2', 'club', '2025-01-01', 'joined')$$);
SELECT * FROM refusal($$SELECT loyalty_enrol('2', 'club', registered_field => 'left')$$);
SELECT loyalty_enrol('2', 'club', registered_field => 'joined');
SELECT count(*) FROM loyalty.members;

-- ---------------------------------------------------------------------------------------------------------------------
-- All: a view with keys that are missing or not unique; what is skipped is reported, and the rest enrolled

CREATE VIEW sign_ups AS
SELECT id::text AS key, joined::text AS joined FROM customers
UNION ALL VALUES ('ann', '2025-06-01'), ('ann', '2025-05-01'), ('ann', '2025-07-01'), (NULL, '2025-01-01'),
('', '2025-01-01'),
    ('bob', 'yesterday or so'), ('cat', '2025-03-30 02:30'), ('dan', '2025-03-30 02:30-05'), ('eve', NULL),
    ('fay', 'tomorrow'), ('gus', 'infinity');
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
    VALUES ('sign_ups', 'Sign-ups', 'sign_ups', 'key');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('news', 'News', 'sign_ups', 'EUR', 'Europe/Berlin', true);
SELECT loyalty_enrol('cat', 'news') ->> 'outcome' AS outcome;
SELECT loyalty_remove_member('cat', 'news');
SELECT jsonb_pretty(loyalty_enrol_all('news', registered_field => 'joined'));
SET TimeZone = 'America/New_York';
SELECT member, registered_at, enrolled_at, removed_at FROM loyalty.members WHERE program = 'news' ORDER BY member;
SET TimeZone = 'Europe/Berlin';
SELECT loyalty_enrol_all('news', registered_field => 'joined') - 'skipped' AS again;
SELECT * FROM refusal($$SELECT loyalty_enrol_all('news', '2027-01-01')$$);
SELECT * FROM refusal($$SELECT loyalty_enrol_all('news', registered_field => 'nothing')$$);
SELECT * FROM refusal($$SELECT loyalty_enrol_all('idle')$$);
SELECT type, profile, data FROM loyalty.events WHERE profile = 'cat' ORDER BY number;

-- A segment: those who are in it at that statement.
INSERT INTO loyalty.profile_segments (program, external_id, name, kind, predicate)
VALUES ('club', 'riga', 'Riga', 'dynamic', '$.city == "Riga"'), ('club', 'picks', 'Picks', 'static', NULL),
    ('club', 'empty', 'Empty', 'static', NULL);
INSERT INTO loyalty.profile_segment_members (program, segment, profile)
    VALUES ('club', 'picks', '5'), ('club', 'picks', '77');
SELECT loyalty_enrol_segment('club', 'riga', '2025-02-02 10:00+02');
SELECT loyalty_enrol_segment('club', 'picks');
SELECT loyalty_enrol_segment('club', 'empty');
INSERT INTO loyalty.profile_segments (program, external_id, name, predicate)
    VALUES ('club', 'picked', 'Picked, of Rome', '$.segments[*] == "picks" && $.city == "Rome"');
SELECT loyalty_enrol_segment('club', 'picked');
-- Who comes into it later waits for the next call.
INSERT INTO customers VALUES (6, NULL, NULL, 'Riga', NULL), (7, NULL, NULL, 'Riga', '2025-07-07');
SELECT count(*) FROM loyalty.members WHERE program = 'club' AND member IN ('6', '7');
SELECT loyalty_enrol_segment('club', 'riga', registered_field => 'joined');
SELECT loyalty_enrol_segment('club', 'riga') - 'skipped' AS rest;
SELECT * FROM refusal($$SELECT loyalty_enrol_segment('club', 'oslo')$$);
SELECT member, registered_at FROM loyalty.members WHERE program = 'club' ORDER BY member;
SELECT point_type, count(*), sum(total) FROM loyalty.balances
    WHERE program = 'club' GROUP BY point_type ORDER BY point_type;
-- Granted at the enrolment, however long ago the registration was.
SELECT DISTINCT point_type, created_at, booked_at, active_from, expires_at FROM loyalty.transactions
    WHERE program = 'club' ORDER BY point_type;

-- A key that several profiles have is an error, alone.
SELECT * FROM refusal($$SELECT loyalty_enrol('ann', 'news')$$);
-- The column's own index finds the key, since the text is cast and not the column.
BEGIN;
SET LOCAL enable_seqscan = off;
SELECT seq_scan AS seq_scans, idx_scan AS idx_scans FROM pg_stat_xact_user_tables WHERE relname = 'customers' \gset
SELECT loyalty_enrol('002', 'club') ->> 'outcome' AS outcome;
SELECT seq_scan - :seq_scans AS from_end_to_end, idx_scan > :idx_scans AS by_index FROM pg_stat_xact_user_tables
    WHERE relname = 'customers';
COMMIT;
-- A changed key is a new profile, with a lifetime of its own.
UPDATE customers SET id = 22 WHERE id = 2;
SELECT * FROM refusal($$SELECT loyalty_enrol('2', 'club')$$);
SELECT loyalty_enrol('22', 'club') ->> 'outcome' AS outcome;
SELECT member, count(*) FROM loyalty.transactions
    WHERE program = 'club' AND member IN ('2', '22') GROUP BY member ORDER BY member;
UPDATE customers SET id = 2 WHERE id = 22;

-- ---------------------------------------------------------------------------------------------------------------------
-- Removing and coming back (decision 15): initial balances once in a lifetime, expiry runs on

SELECT loyalty_hold('1', 'club', 'bonus', 'redemption', 20, '1 day', external_id => 'cart') ->> 'state' AS state;
SELECT loyalty_redeem('1', 'club', 'gift', 2.5, external_id => 'coffee') ->> 'balance_after' AS balance;
SELECT loyalty_accrue('1', 'club', 'gift', 4, external_id => 'review') ->> 'balance_after' AS balance;
SELECT loyalty_remove_member('1', 'club');
SELECT loyalty_remove_member('1', 'club');
SELECT state FROM loyalty.holds;
SELECT * FROM refusal($$SELECT loyalty_accrue('1', 'club', 'gift', 1)$$);
SELECT * FROM refusal($$SELECT loyalty_redeem('1', 'club', 'gift', 1)$$);
SELECT * FROM refusal($$SELECT loyalty_hold('1', 'club', 'gift', 'accrual', 1, '1 day')$$);
SELECT loyalty_refund('1', 'club', 1, redemption => 'coffee') ->> 'balance_after' AS balance;
SELECT loyalty_cancel('1', 'club', external_id => 'review') ->> 'balance_after' AS balance;
SELECT * FROM refusal($$SELECT loyalty_remove_member('99', 'club')$$);
SELECT loyalty_set_clock('2026-03-01 12:00+01');
UPDATE loyalty.point_types SET active = true WHERE external_id = 'asleep';
CALL loyalty_expire_points();
SELECT loyalty_enrol('1', 'club', '2025-05-05');
SELECT point_type, type, value FROM loyalty.transactions WHERE member = '1' ORDER BY point_type, seq;
SELECT loyalty_remove_all_members('club');
SELECT loyalty_remove_all_members('club');
SELECT member, enrolled_at, removed_at FROM loyalty.members WHERE program = 'club' ORDER BY member;

-- ---------------------------------------------------------------------------------------------------------------------
-- Finding: by key, e-mail, telephone, or any field; with the caller's rights

SELECT * FROM loyalty_find_member('club', '001');
SELECT member, enrolled FROM loyalty_find_member('club', 'bob@example.com', 'email');
SELECT member, enrolled FROM loyalty_find_member('club', '+371 2', 'phone');
SELECT member, enrolled FROM loyalty_find_member('club', '2025-03-31', 'joined');
SELECT * FROM loyalty_find_member('club', 'no date', 'joined');
SELECT * FROM refusal($$SELECT * FROM loyalty_find_member('club', 'x', 'shoe_size')$$);
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('bundled', 'Bundled', 'profiles', 'EUR', 'Europe/Berlin', true);
INSERT INTO loyalty.profiles VALUES ('ann', '{"email": "ann@example.com", "since": "2024-02-29"}'), ('bob', '{}');
SELECT member, enrolled FROM loyalty_find_member('bundled', 'ann@example.com', 'email');
SELECT member, enrolled FROM loyalty_find_member('bundled', 'bob');
SELECT loyalty_enrol_all('bundled', registered_field => 'since');
CREATE ROLE regress_loyalty_app;
GRANT EXECUTE ON FUNCTION loyalty_enrol, loyalty_enrol_all, loyalty_find_member TO regress_loyalty_app;
SET ROLE regress_loyalty_app;
SELECT loyalty_enrol('bob', 'bundled') ->> 'outcome' AS outcome;
SELECT * FROM refusal($$SELECT loyalty_enrol('2', 'club')$$);
SELECT * FROM refusal($$SELECT loyalty_enrol_all('club')$$);
SELECT * FROM refusal($$SELECT * FROM loyalty_find_member('club', '2')$$);
RESET ROLE;
GRANT SELECT ON customers TO regress_loyalty_app;
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON customers TO regress_loyalty_app USING (id = 2);
SET ROLE regress_loyalty_app;
SELECT loyalty_enrol_all('club');
SELECT count(*) FROM loyalty_find_member('club', '1');
RESET ROLE;
DROP OWNED BY regress_loyalty_app;
DROP ROLE regress_loyalty_app;

-- Many at a time tell how far they are.
CREATE VIEW crowd AS SELECT number AS id FROM generate_series(1, 10001) AS number;
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
    VALUES ('crowd', 'Crowd', 'crowd', 'id');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('crowd', 'Crowd', 'crowd', 'EUR', 'Europe/Berlin', true);
SET client_min_messages = notice;
SELECT loyalty_enrol_all('crowd', '2025-01-01');
SELECT registered_at, count(*) FROM loyalty.members WHERE program = 'crowd' GROUP BY registered_at;
SELECT loyalty_remove_all_members('crowd');
SET client_min_messages = warning;

-- Export, as COPY takes it.
COPY (SELECT program, member, registered_at, removed_at IS NULL AS enrolled, balances, tiers FROM loyalty.member_export
    WHERE program IN ('club', 'bundled') ORDER BY program, member) TO STDOUT;
SELECT * FROM loyalty_verify();

-- The outbox has told of every booking, once, and in the order of booking.
\set ECHO none
\i test/fixtures/untold.sql
\set ECHO all
SELECT * FROM untold;

SET client_min_messages = warning;
DROP SCHEMA loyalty CASCADE;
DROP VIEW sign_ups, crowd;
DROP TABLE customers;
DROP FUNCTION refusal;
