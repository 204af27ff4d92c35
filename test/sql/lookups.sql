-- What can be asked for without a look-up before: holds and transactions by their id alone.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE EXTENSION IF NOT EXISTS loyalty;
SELECT loyalty_create_schema() \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active) VALUES ('p', 'P', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.profiles VALUES ('ann', '{}');
INSERT INTO loyalty.point_types (program, external_id, name, ratio, active) VALUES ('p', 'bonus', 'Bonus', 1, true);
SELECT loyalty_enrol('ann', 'p') ->> 'outcome' AS ann;

-- ---------------------------------------------------------------------------------------------------------------------
-- Decision 73: commit, rollback and cancel

SELECT loyalty_accrue('ann', 'p', 'bonus', 100) ->> 'id' AS accrual \gset
SELECT loyalty_hold('ann', 'p', 'bonus', 'redemption', 30, '1 hour') ->> 'id' AS first \gset
SELECT loyalty_hold('ann', 'p', 'bonus', 'redemption', 20, '1 hour') ->> 'id' AS second \gset
SELECT loyalty_hold('ann', 'p', 'bonus', 'redemption', 10, '1 hour') ->> 'id' AS third \gset
CREATE ROLE loyalty_lookups_shop;
SELECT loyalty_grant('loyalty_lookups_shop', 'app');
SET ROLE loyalty_lookups_shop;
SELECT loyalty_commit(:'first') ->> 'value' AS value;
SELECT loyalty_commit(:'first') ->> 'repeated' AS repeated;
SELECT loyalty_rollback(:'second') ->> 'state' AS state;
SELECT loyalty_cancel(:'third') ->> 'state' AS state;
SELECT loyalty_cancel(:'accrual') ->> 'value' AS value;
SELECT total, active FROM loyalty_balance('ann', 'p', 'bonus');
SELECT loyalty_commit('00000000-0000-0000-0000-000000000000');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY sqlstate
SELECT loyalty_rollback(:'accrual'::uuid);
\set VERBOSITY default
SELECT loyalty_cancel('00000000-0000-0000-0000-000000000000');
SELECT loyalty_cancel(NULL::uuid);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT loyalty_revoke('loyalty_lookups_shop', 'app');
DROP ROLE loyalty_lookups_shop;
-- By an index, whatever the statistics say
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT member FROM loyalty.transactions WHERE id = '00000000-0000-0000-0000-000000000000';
RESET enable_seqscan;

DROP SCHEMA loyalty CASCADE;
