-- A session reads check constraints of our tables once, and obeys them as they are: also those that the owner adds, changes by
-- a function that they call, and drops again; in every kind of statement.
\set ECHO none
SET client_min_messages = warning;
SELECT loyalty_create_schema() \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.point_types (program, external_id, name, ratio, active) VALUES ('main', 'bonus', 'Bonus', 1, true);
INSERT INTO loyalty.profiles (key) VALUES ('ann'), ('bob');
INSERT INTO loyalty.members (member, program) VALUES ('ann', 'main'), ('bob', 'main');
CREATE FUNCTION book(points numeric) RETURNS numeric LANGUAGE sql AS $$
    INSERT INTO loyalty.transactions (member, program, point_type, type, value) VALUES ('ann', 'main', 'bonus', 'accrual', points) RETURNING balance_after
$$;
\set VERBOSITY terse
\set ECHO all
SELECT book(100);
-- A rule of the owner's own, met and broken
ALTER TABLE loyalty.balances ADD CONSTRAINT not_rich CHECK (total < 150);
SELECT book(10);
SELECT book(100);
SELECT loyalty_accrue('ann', 'main', 'bonus', 100) -> 'balance';
-- With another bound, under the same name
ALTER TABLE loyalty.balances DROP CONSTRAINT not_rich, ADD CONSTRAINT not_rich CHECK (total < 250);
SELECT book(100);
SELECT book(100);
-- By a function, whose body the planner takes into the rule
ALTER TABLE loyalty.balances DROP CONSTRAINT not_rich;
CREATE FUNCTION is_modest(total numeric) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN total < 400;
ALTER TABLE loyalty.balances ADD CONSTRAINT is_modest CHECK (is_modest(total));
SELECT book(100);
CREATE OR REPLACE FUNCTION is_modest(total numeric) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN total < 350;
SELECT book(100);
CREATE OR REPLACE FUNCTION is_modest(total numeric) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN total < 1000;
SELECT book(100);
ALTER TABLE loyalty.balances DROP CONSTRAINT is_modest;
SELECT book(1000);
-- Added and rolled back
BEGIN;
ALTER TABLE loyalty.lots ADD CONSTRAINT small CHECK (amount < 10) NOT VALID;
SAVEPOINT before;
SELECT book(10);
ROLLBACK TO before;
SELECT book(5);
ROLLBACK;
SELECT book(10);
-- The tables' own rules, by plain statements of the owner's
UPDATE loyalty.balances SET owed = -1 WHERE member = 'ann';
UPDATE loyalty.balances SET owed = 'NaN' WHERE member = 'ann';
WITH changed AS (UPDATE loyalty.lots SET held = remaining + 1 WHERE member = 'ann' RETURNING seq) SELECT count(*) FROM changed;
INSERT INTO loyalty.balances (member, program, point_type, seq) VALUES ('bob', 'main', 'bonus', -1);
INSERT INTO loyalty.balances (member, program, point_type) VALUES ('bob', 'main', 'bonus') ON CONFLICT DO NOTHING;
INSERT INTO loyalty.balances (member, program, point_type) VALUES ('bob', 'main', 'bonus')
ON CONFLICT (member, program, point_type) DO UPDATE SET total = -1;
MERGE INTO loyalty.balances AS b USING (VALUES ('bob')) AS given (member) ON b.member = given.member
WHEN MATCHED THEN UPDATE SET debt = -1;
EXPLAIN (COSTS OFF) UPDATE loyalty.balances SET owed = -1;
SELECT count(*) FROM loyalty_verify();

DROP SCHEMA loyalty CASCADE;
DROP FUNCTION book, is_modest;
