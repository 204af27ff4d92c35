-- Archiving: what is old of accounts is packed, and nothing that was known of it is lost: requests are answered as they
-- were, and balances of the past, statements, reports and loyalty_verify() tell what they told.
\set ECHO none
SET client_min_messages = warning;
\i test/fixtures/shop.sql
\set ECHO all
\set VERBOSITY terse

-- A year's business: each kind of row, orders with returns, a hold, a campaign, a cancellation.
SELECT loyalty_place_order(basket('A-1', 'ann', '{"status": "delivered"}')) -> 'status' AS status;
SELECT loyalty_return_items('main', 'A-1', '[{"id": "b", "quantity": 1}]', 'back') -> 'money' AS money;
SELECT loyalty_accrue('ann', 'main', 'bonus', 40, external_id => 'gift', comment => 'to Ann',
    data => '{"a": null, "b": [1, null]}') -> 'value' AS value;
SELECT loyalty_redeem('ann', 'main', 'bonus', 25.5, external_id => 'coffee') -> 'value' AS value;
SELECT loyalty_refund('ann', 'main', 5, redemption => 'coffee', external_id => 'coffee-back') -> 'value' AS value;
SELECT loyalty_accrue('ann', 'main', 'bonus', 3, external_id => 'error') -> 'value' AS value;
SELECT loyalty_cancel('ann', 'main', external_id => 'error') -> 'value' AS value;
SELECT loyalty_hold('ann', 'main', 'bonus', 'redemption', 2, '1 hour', external_id => 'cart') -> 'amount' AS amount;
SELECT loyalty_commit('ann', 'main', external_id => 'cart') -> 'value' AS value;
SELECT number, outcome
FROM loyalty_book('main', '[{"member": "bob", "point_type": "bonus", "type": "accrual", "value": 7, "external_id": "may"},
    {"member": "bob", "point_type": "bonus", "type": "initial", "value": 1}]');
SELECT loyalty_set_clock('2026-09-01 12:00+00') \g /dev/null
CALL loyalty_expire_points();
SELECT loyalty_place_order(basket('A-2', 'ann')) -> 'status' AS status;
SELECT loyalty_accrue('bob', 'main', 'bonus', 10, external_id => 'late') -> 'value' AS value;
SELECT loyalty_redeem('bob', 'main', 'bonus', 8, external_id => 'spent') -> 'value' AS value;
SELECT * FROM loyalty_verify();

-- What is asked again, and what is read.
CREATE TABLE asked (number serial, request text, answer jsonb);
INSERT INTO asked (request) VALUES
    ($$SELECT loyalty_accrue('ann', 'main', 'bonus', 40, external_id => 'gift', comment => 'to Ann',
        data => '{"a": null, "b": [1, null]}')$$),
    ($$SELECT loyalty_redeem('ann', 'main', 'bonus', 25.5, external_id => 'coffee')$$),
    ($$SELECT loyalty_refund('ann', 'main', 5, redemption => 'coffee', external_id => 'coffee-back')$$),
    ($$SELECT loyalty_cancel('ann', 'main', external_id => 'error')$$),
    ($$SELECT loyalty_cancel(id) FROM loyalty.all_transactions WHERE external_id = 'error'$$),
    ($$SELECT loyalty_commit('ann', 'main', external_id => 'cart')$$),
    ($$SELECT loyalty_hold('ann', 'main', 'bonus', 'redemption', 2, '1 hour', external_id => 'cart')$$),
    ($$SELECT to_jsonb(b) FROM loyalty_book('main', '[{"member": "bob", "point_type": "bonus", "type": "accrual",
        "value": 7, "external_id": "may"}]') b$$),
    ($$SELECT loyalty_return_items('main', 'A-1', '[{"id": "b", "quantity": 1}]', 'back')$$),
    ($$SELECT loyalty_place_order(basket('A-1', 'ann', '{"status": "delivered"}'))$$),
    ($$SELECT jsonb_agg(to_jsonb(s)) FROM loyalty_statement('ann', 'main') s$$),
    ($$SELECT jsonb_agg(to_jsonb(b) ORDER BY m, at, b.point_type) FROM unnest('{ann,bob}'::text[]) m,
        generate_series('2026-01-01'::timestamptz, loyalty_now() + '1 day', '5 days') at,
        loyalty_balance(m, 'main', at => at) b$$),
    ($$SELECT jsonb_agg(to_jsonb(s) ORDER BY member, point_type, seq) FROM loyalty.member_statements s$$),
    ($$SELECT jsonb_agg(to_jsonb(r) ORDER BY to_jsonb(r)) FROM loyalty.breakage_now r$$),
    ($$SELECT jsonb_agg(to_jsonb(r) ORDER BY to_jsonb(r)) FROM loyalty.daily_activity_now r$$),
    ($$SELECT jsonb_agg(to_jsonb(r) ORDER BY to_jsonb(r)) FROM loyalty.promotion_performance_now r$$),
    ($$SELECT jsonb_agg(to_jsonb(b) ORDER BY b.external_id) FROM loyalty_backtest('main', 1, carry => true) b$$),
    ($$SELECT jsonb_agg(to_jsonb(r) ORDER BY to_jsonb(r)) FROM loyalty.all_transactions r$$),
    ($$SELECT jsonb_agg(to_jsonb(r) ORDER BY to_jsonb(r)) FROM loyalty.all_lot_movements r$$),
    ($$SELECT jsonb_agg(to_jsonb(r) ORDER BY to_jsonb(r)) FROM loyalty.all_lots r$$);
CREATE FUNCTION answer(request text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    answer jsonb;
BEGIN
    EXECUTE request INTO answer;
    RETURN answer;
END
$$;
UPDATE asked SET answer = answer(request);
SELECT count(*) FROM asked WHERE answer IS NULL;

-- Nothing goes that is not asked for; an age is needed.
CALL loyalty_run_job('archive_accounts', older_than => '10 years');
SELECT count(*) FROM loyalty.account_closings;
SELECT * FROM refusal($$SELECT loyalty_internal.job_batch('archive_accounts', 10)$$);
SELECT * FROM refusal($$SELECT loyalty_internal.job_batch('archive_accounts', 10, '-1 day')$$);
SELECT loyalty_internal.jobs();

-- What is older than a month: of two accounts only their first rows. Then the same again: nothing.
CALL loyalty_run_job('archive_accounts', older_than => '1 month');
CALL loyalty_run_job('archive_accounts', 1, '1 month');
SELECT member, point_type, first_seq, seq, balance, debt, owed, jsonb_array_length(transactions) AS transactions,
    jsonb_array_length(movements) AS movements
FROM loyalty.account_closings ORDER BY member, point_type;
SELECT member, point_type, min(seq), max(seq) FROM loyalty.transactions GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FILTER (WHERE external_id IS NOT NULL) AS named, count(*) AS ids FROM loyalty.archived_ids;
SELECT (SELECT count(*) FROM loyalty.all_lots) - count(*) AS lots_gone FROM loyalty.lots;
SELECT number, request FROM asked WHERE answer IS DISTINCT FROM answer(request);
SELECT * FROM loyalty_verify();

-- Ids stay taken: another request under one is refused, and names what differs.
SELECT code, regexp_replace(detail, '[0-9a-f]{8}-[0-9a-f-]{27}', 'ID')
FROM refusal($$SELECT loyalty_accrue('ann', 'main', 'bonus', 41, external_id => 'gift')$$);
SELECT outcome, code FROM loyalty_book('main', '[{"member": "bob", "point_type": "bonus", "type": "accrual", "value": 8,
    "external_id": "may"}]', true);
SELECT code, message
FROM refusal($$SELECT loyalty_hold('ann', 'main', 'bonus', 'redemption', 2, '1 hour', external_id => 'gift')$$);
SELECT outcome, code FROM loyalty_book('main', '[{"member": "bob", "point_type": "bonus", "type": "initial", "value": 1}]',
    true);

-- What was archived is not undone, by whatever way, and nothing is left of the attempt.
SELECT * FROM refusal($$SELECT loyalty_cancel('ann', 'main', external_id => 'gift')$$);
SELECT * FROM refusal($$SELECT loyalty_cancel('ann', 'main', external_id => 'coffee')$$);
SELECT * FROM refusal($$SELECT loyalty_refund('ann', 'main', 1, redemption => 'coffee')$$);
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'A-1', '[{"id": "b", "quantity": 1}]', 'again')$$);
SELECT * FROM refusal($$SELECT loyalty_cancel_order('main', 'A-1')$$);
SELECT * FROM refusal($$SELECT loyalty_cancel('ann', 'main', '01890a5d-ac96-774b-bcce-b302099a8057')$$);
SELECT * FROM refusal($$INSERT INTO loyalty.transactions (member, program, point_type, type, value, undoes)
    VALUES ('ann', 'main', 'bonus', 'refund', 1, 1)$$);
SELECT number, request FROM asked WHERE answer IS DISTINCT FROM answer(request);
-- What was not is: its points go back into lots that were there before.
SELECT loyalty_refund('bob', 'main', 6, redemption => 'spent') -> 'balance_after' AS after;
SELECT loyalty_cancel_order('main', 'A-2') ->> 'status' AS status;
SELECT * FROM loyalty_verify();

-- Nobody else changes the archive, or deletes anything.
SELECT * FROM refusal($$DELETE FROM loyalty.transactions$$);
SELECT * FROM refusal($$DELETE FROM loyalty.lots$$);
SELECT * FROM refusal($$UPDATE loyalty.account_closings SET balance = 0$$);
SELECT * FROM refusal($$DELETE FROM loyalty.account_closings$$);
SELECT * FROM refusal($$TRUNCATE loyalty.account_closings$$);
SELECT * FROM refusal($$DELETE FROM loyalty.archived_ids$$);
SELECT * FROM refusal($$SELECT loyalty_set_clock('2025-01-01 12:00+00')$$);

-- A second closing goes on behind the first.
SELECT loyalty_set_clock('2027-09-01 12:00+00') \g /dev/null
CALL loyalty_run_job('archive_accounts', older_than => '0');
SELECT count(*) FROM loyalty.transactions;
SELECT member, point_type, count(*) AS closings, max(seq) AS seq FROM loyalty.account_closings GROUP BY 1, 2
    HAVING count(*) > 1 ORDER BY 1, 2;
SELECT * FROM loyalty_verify();
SELECT loyalty_accrue('bob', 'main', 'bonus', 1) -> 'balance_after' AS after;
SELECT * FROM loyalty_verify();

-- Each kind of damage of what was written is found.
ALTER TABLE loyalty.account_closings DISABLE TRIGGER USER;
ALTER TABLE loyalty.archived_ids DISABLE TRIGGER USER;
ALTER TABLE loyalty.lots DISABLE TRIGGER USER;
CREATE FUNCTION damage(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN QUERY SELECT DISTINCT invariant FROM loyalty_verify() ORDER BY 1;
    RAISE SQLSTATE 'UNDO0';
EXCEPTION
    WHEN SQLSTATE 'UNDO0' THEN
        NULL;
END
$$;
CREATE FUNCTION at(path text) RETURNS text LANGUAGE sql AS $$
    SELECT format('UPDATE loyalty.account_closings SET transactions = %s WHERE member = ''bob'' AND first_seq = 1',
        path)
$$;
SELECT damage(at($$jsonb_set(transactions, '{0,value}', '700')$$));
SELECT damage(at($$jsonb_set(jsonb_set(transactions, '{0,value}', '700'), '{0,balance_after}', '700')$$));
SELECT damage(at($$transactions - 0$$));
SELECT damage(at($$transactions - -1$$));
SELECT damage(at($$transactions || (transactions -> -1)$$));
SELECT damage(at($$jsonb_set(transactions, '{0,external_id}', '"june"')$$));
SELECT damage(at($$jsonb_set(transactions, '{0,id}', '"01890a5d-ac96-774b-bcce-b302099a8057"')$$));
SELECT damage(at($$jsonb_set(transactions, '{0,expires_at}', '"2030-01-01"')$$));
SELECT damage($$UPDATE loyalty.account_closings SET balance = balance + 1 WHERE member = 'bob' AND first_seq = 1$$);
SELECT damage($$UPDATE loyalty.account_closings SET owed = 1 WHERE member = 'bob' AND first_seq > 1$$);
SELECT damage($$UPDATE loyalty.account_closings SET booked_to = booked_to + interval '1 s' WHERE member = 'bob'$$);
SELECT damage($$UPDATE loyalty.account_closings SET first_seq = 2 WHERE member = 'ann' AND first_seq = 1$$);
SELECT damage($$UPDATE loyalty.account_closings SET movements = movements - 0 WHERE movements <> '[]'$$);
SELECT damage($$DELETE FROM loyalty.account_closings WHERE member = 'bob' AND first_seq = 1$$);
SELECT damage($$DELETE FROM loyalty.archived_ids WHERE external_id = 'may'$$);
SELECT damage($$UPDATE loyalty.archived_ids SET external_id = 'june' WHERE external_id = 'may'$$);
SELECT damage($$INSERT INTO loyalty.archived_ids VALUES ('bob', 'main', '01890a5d-ac96-774b-bcce-b302099a8057', 'x')$$);
SELECT damage($$DELETE FROM loyalty.lots WHERE member = 'bob' AND open$$);
SELECT * FROM loyalty_verify();
ALTER TABLE loyalty.account_closings ENABLE TRIGGER USER;
ALTER TABLE loyalty.archived_ids ENABLE TRIGGER USER;
ALTER TABLE loyalty.lots ENABLE TRIGGER USER;

-- Erasing blanks what is in the archive as well; requests are still known by the hash.
SELECT loyalty_erase_member('ann', 'main') -> 'transactions' AS transactions;
SELECT loyalty_erase_member('ann', 'main') -> 'transactions' AS transactions;
SELECT external_id, comment, data, erased IS NOT NULL AS erased FROM loyalty.all_transactions
    WHERE member = 'ann' AND external_id IN ('gift', 'coffee') ORDER BY 1;
SELECT answer -> 'repeated' AS repeated, answer -> 'comment' AS comment
FROM loyalty_accrue('ann', 'main', 'bonus', 40, external_id => 'gift', comment => 'to Ann',
    data => '{"a": null, "b": [1, null]}') AS answer;
SELECT code FROM refusal($$SELECT loyalty_accrue('ann', 'main', 'bonus', 40, external_id => 'gift')$$);
SELECT * FROM loyalty_verify();

DROP SCHEMA loyalty CASCADE;
DROP TABLE asked;
DROP FUNCTION answer, damage, at, basket, refusal;
