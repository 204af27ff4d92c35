-- Erasing a member: what is known beyond figures and dates goes, the ledger stands, and repeated requests are answered.
\set ECHO none
\i test/fixtures/ledger.sql
\set ECHO all
\set VERBOSITY terse
SET datestyle = 'ISO';

SELECT loyalty_accrue('ann', 'main', 'bonus', 10, external_id => 'a', comment => 'for Ann',
    data => '{"phone": "+371 1"}') \g /dev/null
SELECT loyalty_accrue('ann', 'main', 'bonus', 5, external_id => 'b') \g /dev/null
SELECT loyalty_redeem('ann', 'main', 'bonus', 4, external_id => 'c', comment => 'coffee') \g /dev/null
SELECT loyalty_hold('ann', 'main', 'bonus', 'redemption', 2, '1 hour', external_id => 'h',
    data => '{"cart": 1}') \g /dev/null
SELECT loyalty_accrue('bob', 'main', 'bonus', 1, comment => 'for Bob') \g /dev/null
INSERT INTO loyalty.events (program, type, profile, data)
    VALUES ('main', 'greeted', 'ann', '{"name": "Ann"}'), ('main', 'greeted', 'bob', '{"name": "Bob"}');
CREATE TEMPORARY TABLE before AS SELECT * FROM loyalty.transactions;

SELECT loyalty_erase_member('ann', 'main');
SELECT loyalty_erase_member('ann', 'main');
SELECT seq, external_id, type, value, comment, data, erased IS NOT NULL AS erased FROM loyalty.transactions
    WHERE member = 'ann' ORDER BY seq;
SELECT external_id, state, comment, data, erased IS NOT NULL AS erased FROM loyalty.holds;
SELECT type, profile, data FROM loyalty.events WHERE type = 'greeted' ORDER BY profile;
SELECT count(*) FROM loyalty.transactions WHERE comment IS NOT NULL OR data IS NOT NULL;
SELECT removed_at IS NOT NULL AS removed FROM loyalty.members WHERE member = 'ann';
-- Nothing else has changed, and nobody else can change anything.
SELECT count(*)
    FROM (SELECT to_jsonb(before) - '{comment,data,erased}'::text[]
    FROM before EXCEPT SELECT to_jsonb(t) - '{comment,data,erased}'::text[] FROM loyalty.transactions t) changed;
SELECT * FROM refusal($$UPDATE loyalty.transactions SET comment = NULL$$);
SELECT * FROM refusal($$SELECT loyalty_erase_member('nobody', 'main')$$);
SELECT * FROM refusal($$UPDATE loyalty.transactions SET comment = NULL$$);

-- The same request again gets the first answer; another one under its id is refused.
SELECT brief(
    loyalty_accrue('ann', 'main', 'bonus', 10, external_id => 'a', comment => 'for Ann',
    data => '{"phone": "+371 1"}'));
SELECT brief(loyalty_accrue('ann', 'main', 'bonus', 5, external_id => 'b'));
SELECT loyalty_hold('ann', 'main', 'bonus', 'redemption', 2, '1 hour', external_id => 'h',
    data => '{"cart": 1}') -> 'repeated' AS repeated;
SELECT * FROM refusal($$SELECT loyalty_accrue('ann', 'main', 'bonus', 10, external_id => 'a', comment => 'for Ann')$$);
SELECT * FROM refusal($$SELECT loyalty_accrue('ann', 'main', 'bonus', 10, external_id => 'a')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_hold('ann', 'main', 'bonus', 'redemption', 2, '1 hour', external_id => 'h',
    data => '{"cart": 2}')$$);
SELECT * FROM refusal($$SELECT loyalty_accrue('ann', 'main', 'bonus', 1)$$);
SELECT * FROM loyalty_verify();

SET client_min_messages = warning;
DROP SCHEMA loyalty CASCADE;
DROP FUNCTION brief, refusal;
