-- Many members whose points are due: what bench/members measures, and what test/t/jobs.pl interrupts. Everything is a function
-- of a member's number, at a simulated clock, so that two databases can be compared.
--
--   psql -v members=1000000 -f members.sql

SET client_min_messages = warning;
CREATE EXTENSION loyalty;
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2026-01-15 12:00+01') \g /dev/null
CREATE SCHEMA bench;

INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
INSERT INTO loyalty.point_types (program, external_id, name, kind, scale, ratio, initial_balance, validity_count, validity_unit, active)
VALUES
    ('main', 'bonus', 'Bonus', 'standard', 2, 10, 10, 1, 'month', true),
    ('main', 'gift', 'Gift', 'standard', 2, 10, 5, 2, 'month', true),
    ('main', 'status', 'Status', 'qualification', 0, 1, 0, NULL, NULL, true);
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type, interval_count, interval_unit)
VALUES ('main', 'club', 'Club', 'cyclic', 'status', 1, 'month');
INSERT INTO loyalty.tier_groups (program, external_id, name, model) VALUES ('main', 'wealth', 'Wealth', 'dynamic');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold, predicate)
VALUES
    ('main', 'start', 'club', 'Start', 0, NULL),
    ('main', 'silver', 'club', 'Silver', 100, NULL),
    ('main', 'rich', 'wealth', 'Rich', NULL, '$.balances.bonus.active >= 10');
INSERT INTO loyalty.profiles (key) SELECT 'm' || to_char(number, 'FM0000000') FROM generate_series(1, :members) AS number;

-- After the enrolment: points of status, and holds of every tenth member, as if they had been restored.
CREATE PROCEDURE bench.restore_movements()
    LANGUAGE sql
    BEGIN ATOMIC
        INSERT INTO loyalty.balances (member, program, point_type, seq, total)
        SELECT member, program, 'status', 1, right(member, 3)::integer % 200 + 1 FROM loyalty.members;
        INSERT INTO loyalty.transactions (member, program, point_type, seq, type, value, balance_before, balance_after, created_at, active_from, expires_at)
        SELECT member, program, point_type, seq, 'accrual', total, 0, total, '2026-01-15', '2026-01-15', 'infinity' FROM loyalty.balances WHERE point_type = 'status';
        INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining, active_from)
        SELECT member, program, point_type, seq, total, total, '2026-01-15' FROM loyalty.balances WHERE point_type = 'status';
        INSERT INTO loyalty.holds (member, program, id, point_type, type, amount, time_out, created_at, expires_at)
        SELECT member, program, md5(member)::uuid, 'gift', 'redemption', 2, '1 day', '2026-01-15 12:00+01', '2026-01-16 12:00+01'
        FROM loyalty.members WHERE member LIKE '%0';
        INSERT INTO loyalty.hold_lots (member, program, hold, point_type, lot, amount) SELECT member, program, id, point_type, 1, amount FROM loyalty.holds;
        UPDATE loyalty.lots SET held = 2 WHERE point_type = 'gift' AND member LIKE '%0';
    END;

-- All that the jobs may have changed, without ids and readings of the clock on the wall: hashes of rows, added up.
CREATE VIEW bench.state AS
SELECT 'transactions' AS part, sum(hashtextextended(row, 0)) AS digest, count(*) AS rows FROM (
    SELECT concat_ws(' ', member, point_type, seq, type, value, balance_before, balance_after, created_at, booked_at, lot, active_from, expires_at) AS row FROM loyalty.transactions) x
UNION ALL
SELECT 'lots', sum(hashtextextended(row, 0)), count(*) FROM (
    SELECT concat_ws(' ', member, point_type, seq, amount, remaining, held, active_from, expires_at) AS row FROM loyalty.lots) x
UNION ALL
SELECT 'balances', sum(hashtextextended(row, 0)), count(*) FROM (
    SELECT concat_ws(' ', member, point_type, seq, total) AS row FROM loyalty.balances) x
UNION ALL
SELECT 'holds', sum(hashtextextended(row, 0)), count(*) FROM (
    SELECT concat_ws(' ', member, state, ended_at) AS row FROM loyalty.holds) x
UNION ALL
SELECT 'members', sum(hashtextextended(row, 0)), count(*) FROM (
    SELECT concat_ws(' ', member, registered_at, enrolled_at, removed_at) AS row FROM loyalty.members) x
UNION ALL
SELECT 'member_tiers', sum(hashtextextended(row, 0)), count(*) FROM (
    SELECT concat_ws(' ', member, tier_group, tier, since, seq, earned_tier, review_at, due_at) AS row FROM loyalty.member_tiers) x
UNION ALL
SELECT 'member_tier_history', sum(hashtextextended(row, 0)), count(*) FROM (
    SELECT concat_ws(' ', member, tier_group, seq, tier, since, cause) AS row FROM loyalty.member_tier_history) x
UNION ALL
-- Of each member's, the order is what counts, and there is nothing twice.
SELECT 'events', sum(hashtextextended(row, 0)), count(*) FROM (
    SELECT profile || string_agg(concat_ws(' ', type, data - 'transaction', created_at), ',' ORDER BY epoch, xid, number) AS row FROM loyalty.events GROUP BY profile) x
UNION ALL
SELECT 'expiry_notices', sum(hashtextextended(row, 0)), count(*) FROM (
    SELECT concat_ws(' ', member, point_type, last_usable_day, notice_days, told_at) AS row FROM loyalty.expiry_notices) x;

-- ---------------------------------------------------------------------------------------------------------------------
-- The floor: INSERT ... SELECT and UPDATE of as many rows, in plain copies of the tables: with their columns and indexes, but with
-- no trigger, check or foreign key, and nothing to work out.

CREATE SCHEMA plain;
CREATE TABLE plain.members (LIKE loyalty.members INCLUDING INDEXES);
CREATE TABLE plain.balances (LIKE loyalty.balances INCLUDING INDEXES) WITH (fillfactor = 80);
CREATE TABLE plain.lots (LIKE loyalty.lots INCLUDING GENERATED INCLUDING INDEXES) WITH (fillfactor = 80);
CREATE TABLE plain.transactions (LIKE loyalty.transactions INCLUDING DEFAULTS INCLUDING INDEXES);
CREATE TABLE plain.lot_movements (LIKE loyalty.lot_movements INCLUDING INDEXES);
CREATE TABLE plain.member_tiers (LIKE loyalty.member_tiers INCLUDING INDEXES) WITH (fillfactor = 80);
CREATE TABLE plain.member_tier_history (LIKE loyalty.member_tier_history INCLUDING INDEXES);
CREATE TABLE plain.events (LIKE loyalty.events INCLUDING INDEXES INCLUDING IDENTITY);
CREATE TABLE plain.expiry_notices (LIKE loyalty.expiry_notices INCLUDING INDEXES);

-- What a job has written is what it left behind since a moment of the simulated clock; the rows that it changed are changed
-- once more in the copies of the tables as they were before.
CREATE PROCEDURE plain.copy_before()
    LANGUAGE sql
    BEGIN ATOMIC
        INSERT INTO plain.balances SELECT * FROM loyalty.balances;
        INSERT INTO plain.lots (member, program, point_type, seq, amount, remaining, held, active_from, expires_at)
        SELECT member, program, point_type, seq, amount, remaining, held, active_from, expires_at FROM loyalty.lots;
        INSERT INTO plain.member_tiers SELECT * FROM loyalty.member_tiers;
    END;
CREATE PROCEDURE plain.enrol()
    LANGUAGE sql
    BEGIN ATOMIC
        INSERT INTO plain.members SELECT * FROM loyalty.members;
        INSERT INTO plain.balances SELECT * FROM loyalty.balances;
        INSERT INTO plain.lots (member, program, point_type, seq, amount, remaining, held, active_from, expires_at)
        SELECT member, program, point_type, seq, amount, remaining, held, active_from, expires_at FROM loyalty.lots;
        INSERT INTO plain.transactions SELECT * FROM loyalty.transactions;
        INSERT INTO plain.member_tiers SELECT * FROM loyalty.member_tiers;
        UPDATE plain.member_tiers SET seq = seq + 1;
        INSERT INTO plain.member_tier_history SELECT * FROM loyalty.member_tier_history;
        INSERT INTO plain.events (epoch, xid, program, type, profile, data, created_at)
        SELECT epoch, xid, program, type, profile, data, created_at FROM loyalty.events;
    END;
CREATE PROCEDURE plain.expire_points()
    LANGUAGE sql
    BEGIN ATOMIC
        INSERT INTO plain.transactions SELECT * FROM loyalty.transactions WHERE type = 'expiration';
        UPDATE plain.lots SET remaining = 0 WHERE point_type = 'bonus';
        UPDATE plain.balances SET total = 0, seq = seq + 1 WHERE point_type = 'bonus';
        INSERT INTO plain.events (epoch, xid, program, type, profile, data, created_at)
        SELECT epoch, xid, program, type, profile, data, created_at FROM loyalty.events WHERE type = 'points_expired';
    END;
CREATE PROCEDURE plain.review_tiers()
    LANGUAGE sql
    BEGIN ATOMIC
        INSERT INTO plain.transactions SELECT * FROM loyalty.transactions WHERE type = 'reset';
        INSERT INTO plain.lot_movements SELECT * FROM loyalty.lot_movements WHERE point_type = 'status';
        UPDATE plain.lots SET remaining = 0 WHERE point_type = 'status';
        UPDATE plain.balances SET total = 0, seq = seq + 1 WHERE point_type = 'status';
        UPDATE plain.member_tiers SET review_at = review_at + interval '1 month', due_at = due_at + interval '1 month' WHERE tier_group = 'club';
        INSERT INTO plain.member_tier_history SELECT * FROM loyalty.member_tier_history WHERE cause = 'review';
        INSERT INTO plain.events (epoch, xid, program, type, profile, data, created_at)
        SELECT epoch, xid, program, type, profile, data, created_at FROM loyalty.events
        WHERE type = 'tier_changed' AND data ->> 'cause' = 'review' OR type = 'points_booked' AND data ->> 'type' = 'reset';
    END;
CREATE PROCEDURE plain.judge_tiers()
    LANGUAGE sql
    BEGIN ATOMIC
        UPDATE plain.member_tiers SET tier = NULL, seq = seq + 1 WHERE tier_group = 'wealth';
        INSERT INTO plain.member_tier_history SELECT * FROM loyalty.member_tier_history WHERE cause = 'judgement';
        INSERT INTO plain.events (epoch, xid, program, type, profile, data, created_at)
        SELECT epoch, xid, program, type, profile, data, created_at FROM loyalty.events WHERE type = 'tier_changed' AND data ->> 'cause' = 'judgement';
    END;
CREATE PROCEDURE plain.tell_expiring()
    LANGUAGE sql
    BEGIN ATOMIC
        INSERT INTO plain.expiry_notices SELECT * FROM loyalty.expiry_notices;
        INSERT INTO plain.events (epoch, xid, program, type, profile, data, created_at)
        SELECT epoch, xid, program, type, profile, data, created_at FROM loyalty.events WHERE type = 'points_expiring';
    END;
