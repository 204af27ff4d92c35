-- Goals: every so many points give something, once for each time that they are full.
\set ECHO all
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE EXTENSION IF NOT EXISTS loyalty;
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2027-06-16 12:00Z') \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, scale, initial_balance, refund_allowed,
    active)
VALUES ('main', 'stamps', 'Stamps', 'standard', 1, 0, 3, true, true),
    ('main', 'bonus', 'Bonus', 'standard', 1, 2, 0, true, true),
    ('main', 'status', 'Status', 'qualification', 1, 0, 0, false, true);
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind)
    VALUES ('main', 'coffee', 'Coffee', 'personal'), ('main', 'all', 'All', 'universal');
INSERT INTO loyalty.promo_codes (program, pool, code) SELECT 'main', 'coffee', 'C' || n FROM generate_series(1, 3) AS n;
INSERT INTO loyalty.profiles (key) VALUES ('ann'), ('bob'), ('eve'), ('kim'), ('max');
CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    EXECUTE statement;
    RAISE EXCEPTION SQLSTATE 'TT000' USING MESSAGE = 'it is taken';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(hint, ''));
END
$$;
-- What a member has: active points, claims, and what the ledger says of goals.
CREATE FUNCTION standing(member text) RETURNS TABLE (stamps numeric, bonus numeric, claims text) LANGUAGE sql AS $$
SELECT
    (SELECT active FROM loyalty_balance(standing.member, 'main', 'stamps')),
    (SELECT active FROM loyalty_balance(standing.member, 'main', 'bonus')),
    (
        SELECT string_agg(concat_ws(' ', c.goal, c.number, c.promo_code, c.reward_points, c.reward_text), ', '
            ORDER BY c.goal, c.number)
        FROM loyalty.goal_claims AS c
        WHERE c.member = standing.member
    )
$$;

-- What makes no sense is refused.
SELECT refusal(format(
    'INSERT INTO loyalty.goals (program, external_id, name, point_type, points, promo_code_pool, reward_point_type, reward_points, reward_text) VALUES (''main'', ''x'', ''X'', %s)', given
))
FROM unnest(ARRAY[
    $$'stamps', 10, NULL, NULL, NULL, NULL$$, $$'stamps', 10, 'coffee', NULL, NULL, 'A mug'$$, $$'stamps', 10, NULL,
    'bonus', NULL, NULL$$,
    $$'stamps', 0, NULL, NULL, NULL, 'A mug'$$, $$'stamps', 'NaN', NULL, NULL, NULL, 'A mug'$$, $$'stamps', 1.5, NULL,
    NULL, NULL, 'A mug'$$,
    $$'status', 10, NULL, NULL, NULL, 'A mug'$$, $$'stamps', 10, 'all', NULL, NULL, NULL$$, $$'stamps', 10, 'none',
    NULL, NULL, NULL$$,
    $$'stamps', 10, NULL, 'bonus', 0.001, NULL$$, $$'stamps', 10, NULL, 'stamps', 1, NULL$$, $$'none', 10, NULL, NULL,
    NULL, 'A mug'$$
]) AS given;

-- By hand: ten stamps give a coffee, five a text. Each call is the next claim; one with a number is made once.
INSERT INTO loyalty.goals (program, external_id, name, point_type, points, promo_code_pool)
    VALUES ('main', 'coffee', 'A coffee', 'stamps', 10, 'coffee');
INSERT INTO loyalty.goals (program, external_id, name, point_type, points, reward_text)
    VALUES ('main', 'cake', 'A cake', 'stamps', 5, 'A piece of cake');
SELECT loyalty_enrol('ann', 'main') \g /dev/null
SELECT loyalty_accrue('ann', 'main', 'stamps', 22) \g /dev/null
SELECT * FROM standing('ann');
SELECT loyalty_claim('ann', 'main', 'coffee', 1) - 'transaction' AS answer,
    loyalty_claim('ann', 'main', 'coffee', 1) ->> 'repeated' AS repeated;
SELECT loyalty_claim('ann', 'main', 'coffee') ->> 'promo_code' AS code,
    loyalty_claim('ann', 'main', 'cake') ->> 'reward_text' AS text;
SELECT * FROM standing('ann');
SELECT type, value, balance_after, source_type, source FROM loyalty.transactions WHERE member = 'ann' ORDER BY seq;
SELECT type, data FROM loyalty.events
    WHERE profile = 'ann' AND type IN ('promo_code_issued', 'goal_reached') ORDER BY number;
SELECT refusal(statement)
FROM unnest(ARRAY[
    $$SELECT loyalty_claim('ann', 'main', 'cake')$$, $$SELECT loyalty_claim('ann', 'main', 'cake', 3)$$,
    $$SELECT loyalty_claim('ann', 'main', 'cake', 0)$$,
    $$SELECT loyalty_claim('ann', 'main', 'none')$$, $$SELECT loyalty_claim('bob', 'main', 'cake')$$,
    $$SELECT loyalty_claim('ann', 'none', 'cake')$$,
    $$SELECT loyalty_accrue('ann', 'main', 'stamps', 1, source_type => 'goal')$$,
    $$SELECT loyalty_refund('ann', 'main', 1, id) FROM loyalty.transactions
        WHERE source_type = 'goal' ORDER BY seq LIMIT 1$$,
    $$DELETE FROM loyalty.goal_claims$$, $$UPDATE loyalty.goal_claims
        SET number = 7$$, $$TRUNCATE loyalty.goal_claims$$,
    $$DELETE FROM loyalty.goals WHERE external_id = 'coffee'$$, $$DELETE FROM loyalty.promo_code_pools
        WHERE external_id = 'coffee'$$, $$UPDATE loyalty.goals SET external_id = 'tea' WHERE external_id = 'cake'$$
]) AS statement;

SELECT regexp_replace(
    refusal($$SELECT loyalty_cancel('ann', 'main', id) FROM loyalty.transactions
    WHERE source_type = 'goal' ORDER BY seq LIMIT 1$$), '[-0-9a-f]{36}', 'ID') AS refusal;

-- Automatic: as often as they are full, whatever credits them; the initial balance counts. One of a type is active.
UPDATE loyalty.goals SET automatic = true WHERE external_id = 'coffee';
SELECT refusal($$UPDATE loyalty.goals SET automatic = true WHERE external_id = 'cake'$$);
UPDATE loyalty.goals SET active = false WHERE external_id = 'cake';
SELECT refusal($$SELECT loyalty_claim('ann', 'main', 'cake')$$);
SELECT loyalty_enrol('bob', 'main') \g /dev/null
SELECT loyalty_accrue('bob', 'main', 'stamps', 9, external_id => 'B') \g /dev/null
SELECT * FROM standing('bob');
-- The pool is empty now: the points stay, and an event tells of it. With codes the next credit claims all that is full.
SELECT loyalty_accrue('bob', 'main', 'stamps', 20) \g /dev/null
SELECT * FROM standing('bob');
SELECT type, data FROM loyalty.events WHERE profile = 'bob' AND type = 'goal_not_given';
SELECT refusal($$SELECT loyalty_claim('bob', 'main', 'coffee')$$);
INSERT INTO loyalty.promo_codes (program, pool, code) SELECT 'main', 'coffee', 'D' || n FROM generate_series(1, 9) AS n;
INSERT INTO loyalty.transactions (member, program, point_type, type, value)
    VALUES ('bob', 'main', 'stamps', 'accrual', 1), ('bob', 'main', 'stamps', 'accrual', 7);
SELECT * FROM standing('bob');
-- What was claimed stays, though what led to it is taken back: that is owed, and paid before the next is full.
SELECT loyalty_cancel('bob', 'main', external_id => 'B') \g /dev/null
SELECT loyalty_accrue('bob', 'main', 'stamps', 18) \g /dev/null
SELECT type, value, owed, balance_after, source_type FROM loyalty.transactions
    WHERE member = 'bob' ORDER BY seq OFFSET 9;
SELECT * FROM standing('bob');

-- Points of another type, and what these reach in turn; never in a circle.
UPDATE loyalty.goals SET promo_code_pool = NULL, reward_point_type = 'bonus', reward_points = 2.5, points = 4
    WHERE external_id = 'coffee';
INSERT INTO loyalty.goals (program, external_id, name, point_type, points, automatic, reward_text)
    VALUES ('main', 'mug', 'A mug', 'bonus', 5, true, 'A mug');
SELECT refusal($$UPDATE loyalty.goals SET reward_text = NULL, reward_point_type = 'stamps', reward_points = 1
    WHERE external_id = 'mug'$$);
SELECT loyalty_enrol('eve', 'main') \g /dev/null
SELECT loyalty_accrue('eve', 'main', 'stamps', 7) \g /dev/null
SELECT * FROM standing('eve');
SELECT point_type, type, value, source FROM loyalty.transactions WHERE member = 'eve' ORDER BY point_type DESC, seq;
-- A type that is not active gives nothing; holds count when they are committed.
SELECT loyalty_deactivate_point_type('main', 'bonus') \g /dev/null
SELECT loyalty_accrue('eve', 'main', 'stamps', 2) \g /dev/null
SELECT * FROM standing('eve');
SELECT data FROM loyalty.events WHERE profile = 'eve' AND type = 'goal_not_given';
SELECT loyalty_activate_point_type('main', 'bonus') \g /dev/null
SELECT loyalty_hold('eve', 'main', 'stamps', 'accrual', 4, '1 hour', external_id => 'H') \g /dev/null
SELECT * FROM standing('eve');
SELECT loyalty_commit('eve', 'main', external_id => 'H') \g /dev/null
SELECT * FROM standing('eve');
-- What becomes active later: claimed by the next credit, or by the job before anything expires.
SELECT loyalty_accrue('eve', 'main', 'stamps', 5, active_from => '2027-06-20Z',
    expires_at => '2027-06-22Z') \g /dev/null
SELECT * FROM standing('eve');
SELECT loyalty_set_clock('2027-06-21 12:00Z') \g /dev/null
SELECT * FROM standing('eve');
CALL loyalty_expire_points();
SELECT * FROM standing('eve');

-- By one booking no more than 1,000 times; the rest follows.
UPDATE loyalty.goals SET points = 1, reward_point_type = NULL, reward_points = NULL, reward_text = 'A sip'
    WHERE external_id = 'coffee';
SELECT loyalty_enrol('kim', 'main') \g /dev/null
SELECT loyalty_accrue('kim', 'main', 'stamps', 1500) \g /dev/null
SELECT count(*), max(number), (SELECT active FROM loyalty_balance('kim', 'main', 'stamps')) FROM loyalty.goal_claims
    WHERE member = 'kim';
CALL loyalty_expire_points();
SELECT count(*), max(number), (SELECT active FROM loyalty_balance('kim', 'main', 'stamps')) FROM loyalty.goal_claims
    WHERE member = 'kim';
UPDATE loyalty.goals SET points = 10 WHERE external_id = 'coffee';

-- Many at once, as one by one. Enrolling many, too; a removed member claims nothing.
SELECT loyalty_book('main',
    jsonb_agg(jsonb_build_object('member', 'ann', 'point_type', 'stamps', 'type', type, 'value', value) ORDER BY place))
FROM (VALUES (1, 'accrual', 7), (2, 'accrual', 2), (3, 'redemption', -5), (4, 'accrual', 4))
    AS row (place, type, value) \g /dev/null
SELECT type, value, balance_after, source FROM loyalty.transactions
    WHERE member = 'ann' AND point_type = 'stamps' ORDER BY seq OFFSET 5;
UPDATE loyalty.goals SET points = 3 WHERE external_id = 'coffee';
SELECT loyalty_enrol_all('main') \g /dev/null
SELECT * FROM standing('max');
SELECT loyalty_remove_member('ann', 'main') \g /dev/null
SELECT refusal($$SELECT loyalty_claim('ann', 'main', 'coffee')$$);
CALL loyalty_expire_points();
SELECT * FROM standing('ann');

-- Orders: what they earn is credited, and reaches a goal, with them. Erasing leaves figures.
INSERT INTO loyalty.products (program, sku, name, price) VALUES ('main', 'tea', 'Tea', 10);
SELECT loyalty_save_promotion('main', '{"external_id": "earn", "name": "Earn", "kind": "points", "state": "active",
    "conditions": [{"benefits": [{"benefit": "accrue_points", "parameters": {"point_type": "stamps", "points": 2}}]}]}') \g /dev/null
SELECT loyalty_apply('main') \g /dev/null
SELECT loyalty_place_order(
    '{"external_id": "O1", "member": "max", "lines": [{"product": "tea", "quantity": 2}]}') #> '{points,stamps}'
    AS points;
SELECT * FROM standing('max');
SELECT loyalty_cancel_order('main', 'O1') \g /dev/null
SELECT type, value, owed, source_type FROM loyalty.transactions WHERE member = 'max' ORDER BY seq;
SELECT loyalty_erase_member('max', 'main') \g /dev/null
SELECT goal, number, points, reward_text FROM loyalty.goal_claims WHERE member = 'max';

-- A second automatic goal of a point type: an error of ours, also within one statement, and the first may change.
SELECT point_type, count(*) FROM loyalty.goals WHERE automatic AND active GROUP BY point_type;
SELECT refusal(
    $$INSERT INTO loyalty.goals (program, external_id, name, point_type, points, automatic, reward_text) VALUES
    ('main', 'second', 'Second', (SELECT point_type FROM loyalty.goals WHERE automatic AND active LIMIT 1), 7, true,
        'Cake')$$);
UPDATE loyalty.goals SET name = name WHERE automatic AND active;
INSERT INTO loyalty.point_types (program, external_id, name, ratio, active)
    VALUES ('main', 'leaves', 'Leaves', 1, true);
SELECT refusal(
    $$INSERT INTO loyalty.goals (program, external_id, name, point_type, points, automatic, reward_text) VALUES
    ('main', 'l1', 'One', 'leaves', 7, true, 'Cake'), ('main', 'l2', 'Two', 'leaves', 8, true, 'Cake')$$);
DELETE FROM loyalty.point_types WHERE external_id = 'leaves';

-- In a document, and out of it.
SELECT loyalty_export('main') -> 'goals' AS goals;
SELECT * FROM loyalty_import(jsonb_set(loyalty_export('main'), '{goals,0,points}', '12'));
SELECT external_id, points FROM loyalty.goals ORDER BY external_id;

SELECT * FROM loyalty_verify();
-- What would not be told could not be trusted.
ALTER TABLE loyalty.goal_claims DISABLE TRIGGER USER;
UPDATE loyalty.goal_claims SET points = points + 1 WHERE member = 'bob' AND number = 1;
DELETE FROM loyalty.goal_claims WHERE member = 'bob' AND number = 2;
SELECT invariant, member, detail FROM loyalty_verify() ORDER BY invariant;

DROP SCHEMA loyalty CASCADE;
DROP FUNCTION refusal, standing;
