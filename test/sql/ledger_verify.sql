-- Each kind of damage is found. Triggers and constraints that would refuse it are taken away first.
\set ECHO none
\i test/fixtures/ledger.sql
\set ECHO all
SET client_min_messages = warning;
ALTER TABLE loyalty.transactions DISABLE TRIGGER USER;
ALTER TABLE loyalty.lot_movements DISABLE TRIGGER USER;
ALTER TABLE loyalty.balances DISABLE TRIGGER USER;
ALTER TABLE loyalty.lots DISABLE TRIGGER USER;
ALTER TABLE loyalty.hold_lots DISABLE TRIGGER USER;
ALTER TABLE loyalty.holds DISABLE TRIGGER USER;
ALTER TABLE loyalty.transactions ENABLE TRIGGER begin_booking, ENABLE TRIGGER book, ENABLE TRIGGER prove_arrival,
ENABLE TRIGGER end_booking;

-- A little of everything.
SELECT loyalty_accrue('ann', 'main', 'bonus', 10, expires_on => '2026-01-20') \g /dev/null
SELECT loyalty_accrue('ann', 'main', 'bonus', 20) \g /dev/null
SELECT loyalty_redeem('ann', 'main', 'bonus', 15, external_id => 'R') \g /dev/null
SELECT loyalty_refund('ann', 'main', 12, redemption => 'R') \g /dev/null
SELECT loyalty_hold('ann', 'main', 'bonus', 'redemption', 2, '10 days', external_id => 'open') \g /dev/null
SELECT loyalty_hold('ann', 'main', 'bonus', 'redemption', 1, '10 days', external_id => 'done') \g /dev/null
SELECT loyalty_commit('ann', 'main', external_id => 'done') \g /dev/null
SELECT loyalty_set_clock('2026-01-21 12:00+01') \g /dev/null
SELECT loyalty_accrue('ann', 'main', 'bonus', 5, external_id => 'last') \g /dev/null
SELECT loyalty_cancel('ann', 'main', external_id => 'last') \g /dev/null
SELECT seq, type, value, after, lot FROM entries;
SELECT * FROM loyalty_verify();

-- Damages, asks, and undoes the damage.
CREATE FUNCTION damage(statement text, unconstrained text[] DEFAULT '{}') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    victim text;
BEGIN
    BEGIN
        FOREACH victim IN ARRAY unconstrained LOOP
            EXECUTE format('ALTER TABLE loyalty.%s DROP CONSTRAINT %I CASCADE', split_part(victim, '.', 1),
                split_part(victim, '.', 2));
        END LOOP;
        SET CONSTRAINTS ALL DEFERRED;
        EXECUTE statement;
        RETURN QUERY
        SELECT invariant || coalesce(' ' || seq, '') || ': '
            || regexp_replace(detail, '[0-9a-f]{8}-[0-9a-f-]{27}', 'ID', 'g')
            FROM loyalty_verify() ORDER BY invariant, seq, detail;
        RAISE SQLSTATE 'UNDO0';
    EXCEPTION
        WHEN SQLSTATE 'UNDO0' THEN
            NULL;
        WHEN check_violation THEN
            RETURN NEXT 'refused: ' || SQLERRM;
    END;
END
$$;

-- A value, a balance, a missing row, a changed chain
SELECT damage($$UPDATE loyalty.transactions SET value = -14, balance_after = 16 WHERE seq = 3$$);
SELECT damage($$UPDATE loyalty.transactions SET balance_after = 16
    WHERE seq = 3$$);
SELECT damage($$DELETE FROM loyalty.transactions WHERE seq = 8$$);
SELECT damage($$DELETE FROM loyalty.transactions WHERE seq = 2$$);
SELECT damage($$UPDATE loyalty.transactions SET debt = -1 WHERE seq = 2$$);
SELECT damage($$UPDATE loyalty.transactions SET owed = 1 WHERE seq = 8$$);
-- What a row cannot be
SELECT damage($$UPDATE loyalty.transactions SET value = 15 WHERE seq = 3$$);
SELECT damage(format('UPDATE loyalty.transactions SET %s', change))
FROM unnest(ARRAY[
    'source = ''S'' WHERE seq = 1', 'source_type = '''' WHERE seq = 1', 'data = ''1'' WHERE seq = 1',
    'created_at = booked_at + interval ''1 day'' WHERE seq = 3',
    'undoes = 1 WHERE seq = 3', 'undoes = NULL WHERE seq = 4', 'lot = NULL WHERE seq = 6', 'lapsed = 1 WHERE seq = 3',
    'type = ''gift'' WHERE seq = 5', 'expires_at = NULL WHERE seq = 1',
    'value = ''NaN'', balance_before = ''NaN'', balance_after = ''NaN'' WHERE seq = 1'
]) AS change;
-- The account
SELECT damage($$UPDATE loyalty.balances SET total = total + 1$$);
SELECT damage($$UPDATE loyalty.balances SET seq = seq + 1$$);
SELECT damage($$UPDATE loyalty.balances SET owed = 1$$);
SELECT damage($$UPDATE loyalty.balances SET debt = 1$$);
SELECT damage($$DELETE FROM loyalty.balances$$, '{balances.balances_pkey}');
-- Lots and their movements
SELECT damage($$UPDATE loyalty.lots SET remaining = remaining - 1 WHERE seq = 2$$);
SELECT damage($$UPDATE loyalty.lots SET amount = amount + 1 WHERE seq = 2$$);
SELECT damage($$UPDATE loyalty.lots SET expires_at = expires_at + interval '1 day' WHERE seq = 2$$);
SELECT damage($$UPDATE loyalty.lots SET active_from = active_from - interval '1 day' WHERE seq = 2$$);
SELECT damage($$DELETE FROM loyalty.lots WHERE seq = 7$$, '{lots.lots_pkey}');
SELECT damage($$INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining)
    VALUES ('ann', 'main', 'bonus', 99, 1, 1)$$);
SELECT damage($$UPDATE loyalty.lot_movements SET value = value + CASE lot WHEN 2 THEN 1 ELSE -1 END WHERE seq = 4;
    UPDATE loyalty.lots SET remaining = remaining + CASE seq WHEN 2 THEN 1 ELSE -1 END
        WHERE seq IN (SELECT lot FROM loyalty.lot_movements WHERE seq = 4)$$, '{lots.lots_are_well_formed}');
SELECT damage($$DELETE FROM loyalty.lot_movements WHERE seq = 3 AND lot = 2$$);
SELECT damage($$UPDATE loyalty.lot_movements SET value = value - 1 WHERE seq = 3 AND lot = 2$$);
SELECT damage($$UPDATE loyalty.lot_movements SET lot = 2 WHERE seq = 5 AND lot = 1$$);
SELECT damage($$INSERT INTO loyalty.lot_movements (member, program, point_type, seq, lot, value)
    VALUES ('ann', 'main', 'bonus', 99, 2, -1)$$);
-- Expired points that were spent, points that expired too early
SELECT damage($$UPDATE loyalty.transactions SET booked_at = '2027-01-01' WHERE seq = 3$$);
SELECT damage($$UPDATE loyalty.transactions SET created_at = created_at - interval '1 day' WHERE type = 'expiration'$$);
-- Given back too often, or something else than was given
SELECT damage($$UPDATE loyalty.transactions SET value = -12, balance_after = balance_before - 12 WHERE seq = 8$$);
SELECT damage($$UPDATE loyalty.transactions SET undoes = 2 WHERE seq = 4$$);
SELECT damage($$UPDATE loyalty.lot_movements SET lot = 4 WHERE seq = 4 AND lot = 2$$);
-- References to what is not there
SELECT damage($$UPDATE loyalty.transactions SET lot = 99 WHERE type = 'expiration'$$);
SELECT damage($$UPDATE loyalty.transactions SET hold = gen_random_uuid() WHERE hold IS NOT NULL$$);
-- Holds
SELECT damage($$UPDATE loyalty.lots SET held = held + 1 WHERE seq = 2$$);
SELECT damage($$UPDATE loyalty.holds SET state = 'rolled_back', ended_at = loyalty_now() WHERE external_id = 'open'$$);
SELECT damage($$DELETE FROM loyalty.hold_lots WHERE hold = (SELECT id FROM loyalty.holds WHERE external_id = 'open')$$);
SELECT damage($$UPDATE loyalty.holds SET amount = 2 WHERE external_id = 'done'$$);
SELECT damage($$UPDATE loyalty.holds SET state = 'committed', ended_at = loyalty_now() WHERE external_id = 'open'$$);
SELECT damage($$UPDATE loyalty.transactions SET hold = NULL WHERE hold IS NOT NULL$$);
SELECT damage($$UPDATE loyalty.holds SET external_id = 'R' WHERE external_id = 'open'$$);

-- Of one program only.
SELECT count(*) FROM loyalty_verify('main');
DROP SCHEMA loyalty CASCADE;
DROP FUNCTION brief, refusal, damage;
