-- Where row-level security hides a profile, every function that takes a member or an order refuses it, and so do plain
-- INSERTs and triggers that fire: as if there were none. A profile that is gone refuses what needs one, new orders and
-- enrolment; what is left of it is taken back as ever.
\set ECHO none
\set SHOW_CONTEXT never
SET client_min_messages = warning;
\i test/fixtures/shop.sql
CREATE ROLE regress_loyalty_riga;
CREATE TABLE client (id text PRIMARY KEY, branch name NOT NULL DEFAULT 'regress_loyalty_riga');
INSERT INTO client
    VALUES ('seen', DEFAULT), ('hidden', 'other'), ('gone', 'other'), ('late', DEFAULT), ('later', 'other');
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
    VALUES ('clients', 'Clients', 'client', 'id');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('branch', 'Branch', 'clients', 'EUR', 'UTC', true);
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, scale, active)
VALUES ('branch', 'bonus', 'Bonus', 'standard', 1, 2, true);
INSERT INTO loyalty.products (program, sku, name, price) VALUES ('branch', 'book', 'Book', 20);
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind, valid_from, valid_until)
VALUES ('branch', 'own', 'Own', 'personal', '2020-01-01', '2100-01-01');
SELECT loyalty_generate_promo_codes('branch', 'own', '########', 20) \g /dev/null
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, starts_at)
VALUES ('branch', 'bonus', 'Gift', 'trigger', 'active', '2020-01-01');
INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount)
    VALUES ('branch', 'bonus', 'accrual', 'bonus', 1);
INSERT INTO loyalty.goals (program, external_id, name, point_type, points, reward_text)
    VALUES ('branch', 'mug', 'Mug', 'bonus', 5, 'A mug');
SELECT loyalty_apply('branch') \g /dev/null
SELECT loyalty_enrol(member, 'branch'), loyalty_accrue(member, 'branch', 'bonus', 100, external_id => 'A'),
    loyalty_redeem(member, 'branch', 'bonus', 10, external_id => 'R'),
    loyalty_hold(member, 'branch', 'bonus', 'redemption', 5, '1 hour', external_id => 'H'),
    loyalty_hold(member, 'branch', 'bonus', 'redemption', 5, '1 hour', external_id => 'I'),
    loyalty_attach_promo_code('branch', member, 'own'),
    loyalty_place_order(jsonb_build_object('program', 'branch', 'external_id', 'O-' || member, 'member', member,
        'lines', '[{"id": "b", "product": "book", "quantity": 2}]'::jsonb))
FROM unnest(ARRAY['seen', 'hidden', 'gone']) AS member \g /dev/null
DELETE FROM client WHERE id = 'gone';
CREATE TABLE bought (n integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, who text);
CREATE TRIGGER fire AFTER INSERT ON bought FOR EACH ROW EXECUTE FUNCTION loyalty_fire_trigger('bonus', 'who');
CREATE TABLE came (n integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, who text);
CREATE TRIGGER enrol AFTER INSERT ON came FOR EACH ROW EXECUTE FUNCTION loyalty_enrol_trigger('branch', 'who');
GRANT INSERT ON bought, came TO regress_loyalty_riga;
GRANT SELECT ON client TO regress_loyalty_riga;
ALTER TABLE client ENABLE ROW LEVEL SECURITY;
CREATE POLICY branch ON client USING (branch = current_user);
SELECT loyalty_grant('regress_loyalty_riga', 'admin') \g /dev/null

-- Tries a statement as the branch: how it ended, and what it told; nothing of it stays.
CREATE FUNCTION outcome(statement text, member text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    told text;
BEGIN
    SET LOCAL ROLE regress_loyalty_riga;
    EXECUTE format(statement, member);
    RESET ROLE;
    SELECT string_agg(e.type || ' ' || (e.data ->> 'code'), ', ') INTO told
    FROM loyalty.events AS e WHERE e.data ? 'code' AND e.data ? 'message' AND e.profile = member;
    RAISE EXCEPTION USING ERRCODE = 'TT000', MESSAGE = coalesce(told, 'done');
EXCEPTION
    WHEN SQLSTATE 'TT000' THEN
        RETURN SQLERRM;
    WHEN OTHERS THEN
        RETURN SQLSTATE;
END
$$;
CREATE TABLE tried (number integer GENERATED ALWAYS AS IDENTITY, function text, statement text);
INSERT INTO tried (function, statement) VALUES
    ('loyalty_accrue', $$SELECT loyalty_accrue(%L, 'branch', 'bonus', 1)$$),
    ('loyalty_accrue', $$SELECT loyalty_accrue(%L, 'branch', 'bonus', 100, external_id => 'A')$$),
    ('loyalty_redeem', $$SELECT loyalty_redeem(%L, 'branch', 'bonus', 1)$$),
    ('loyalty_book',
        $$SELECT loyalty_book('branch',
        jsonb_build_array('{"member": "seen", "point_type": "bonus", "type": "accrual", "value": 1}'::jsonb,
        jsonb_build_object('member', %L, 'point_type', 'bonus', 'type', 'accrual', 'value', 1)))$$),
    ('loyalty_prices', $$SELECT loyalty_prices(%L, ARRAY['book'], program => 'branch')$$),
    ('loyalty_refund', $$SELECT loyalty_refund(%L, 'branch', 1, redemption => 'R')$$),
    ('loyalty_cancel', $$SELECT loyalty_cancel(%L, 'branch', external_id => 'A')$$),
    ('loyalty_hold', $$SELECT loyalty_hold(%L, 'branch', 'bonus', 'redemption', 1, '1 hour')$$),
    ('loyalty_commit', $$SELECT loyalty_commit(%L, 'branch', external_id => 'H')$$),
    ('loyalty_rollback', $$SELECT loyalty_rollback(%L, 'branch', external_id => 'I')$$),
    ('loyalty_write_off_owed', $$SELECT loyalty_write_off_owed(%L, 'branch', 'bonus', 1)$$),
    ('loyalty_balance', $$SELECT loyalty_balance(%L, 'branch')$$),
    ('loyalty_statement', $$SELECT loyalty_statement(%L, 'branch')$$),
    ('loyalty_expiring_points', $$SELECT loyalty_expiring_points(%L, 'branch', '2026-01-01', '2027-01-01')$$),
    ('loyalty_member_card', $$SELECT loyalty_member_card(%L, 'branch')$$),
    ('loyalty_tier', $$SELECT loyalty_tier(%L, 'branch')$$),
    ('loyalty_tiers_reached', $$SELECT loyalty_tiers_reached(%L, 'branch')$$),
    ('loyalty_judge', $$SELECT loyalty_judge(%L, 'branch')$$),
    ('loyalty_claim', $$SELECT loyalty_claim(%L, 'branch', 'mug')$$),
    ('loyalty_set_tier', $$SELECT loyalty_set_tier(%L, 'branch', 'none', 'none')$$),
    ('loyalty_remove_member', $$SELECT loyalty_remove_member(%L, 'branch')$$),
    ('loyalty_erase_member', $$SELECT loyalty_erase_member(%L, 'branch')$$),
    ('loyalty_enrol', $$SELECT loyalty_enrol(%L, 'branch')$$),
    ('loyalty_fire', $$SELECT loyalty_fire('bonus', %L)$$),
    ('loyalty_attach_promo_code', $$SELECT loyalty_attach_promo_code('branch', %L, 'own')$$),
    ('loyalty_activate_promo_code', $$SELECT loyalty_activate_promo_code('branch', p.profile, p.code)
        FROM loyalty.promo_codes AS p WHERE p.profile = %L$$),
    ('loyalty_detach_promo_code', $$SELECT loyalty_detach_promo_code('branch', p.code) FROM loyalty.promo_codes AS p
        WHERE p.profile = %L$$),
    ('loyalty_promo_code', $$SELECT loyalty_promo_code('branch', p.code) FROM loyalty.promo_codes AS p
        WHERE p.profile = %L$$),
    ('loyalty_promo_codes', $$SELECT loyalty_promo_codes(%L, 'branch')$$),
    ('loyalty_calculate',
        $$SELECT loyalty_calculate(
        jsonb_build_object('program', 'branch', 'member', %L, 'lines',
        '[{"product": "book", "quantity": 1}]'::jsonb))$$),
    ('loyalty_place_order',
        $$SELECT loyalty_place_order(
        jsonb_build_object('program', 'branch', 'external_id', 'N', 'member', %L, 'lines',
        '[{"product": "book", "quantity": 1}]'::jsonb))$$),
    ('loyalty_place_order',
        $$SELECT loyalty_place_order(
        jsonb_build_object('program', 'branch', 'external_id', 'O-' || %1$L, 'member', %1$L, 'lines',
        '[{"id": "b", "product": "book", "quantity": 2}]'::jsonb))$$),
    ('loyalty_order', $$SELECT loyalty_order('branch', 'O-' || %L)$$),
    ('loyalty_orders', $$SELECT loyalty_orders(%L, program => 'branch')$$),
    ('loyalty_set_order_status', $$SELECT loyalty_set_order_status('branch', 'O-' || %L, 'paid')$$),
    ('loyalty_return_items',
        $$SELECT loyalty_return_items('branch', 'O-' || %L, '[{"id": "b", "quantity": 1}]', '1')$$),
    ('loyalty_cancel_order', $$SELECT loyalty_cancel_order('branch', 'O-' || %L)$$),
    ('loyalty_reprice_order', $$SELECT loyalty_reprice_order('branch', 'O-' || %L)$$),
    ('', $$INSERT INTO loyalty.transactions (member, program, point_type, type, value)
        VALUES (%L, 'branch', 'bonus', 'accrual', 1)$$),
    ('', $$INSERT INTO bought (who) VALUES (%L)$$),
    ('', $$INSERT INTO came (who) VALUES (%L)$$);
\set ECHO all
SELECT function, left(statement, 60) AS statement, outcome(statement, 'seen') AS seen,
    outcome(statement, 'hidden') AS hidden, outcome(statement, 'gone') AS gone
FROM tried ORDER BY number;
-- Finding and enrolling, of profiles that are no members yet.
SET ROLE regress_loyalty_riga;
SELECT member FROM loyalty_find_member('branch', 'seen') UNION ALL SELECT member
    FROM loyalty_find_member('branch', 'hidden');
RESET ROLE;
SELECT outcome($$SELECT loyalty_enrol(%L, 'branch')$$, 'late') AS seen,
    outcome($$SELECT loyalty_enrol(%L, 'branch')$$, 'later') AS hidden;

-- Of many bookings those are refused of whom the caller cannot see; a campaign is for those whom the caller sees.
INSERT INTO loyalty.profile_segments (program, external_id, name, predicate)
    VALUES ('branch', 'all', 'All', '$.id != ""');
SET ROLE regress_loyalty_riga;
SELECT number, member, outcome, code FROM loyalty_book('branch', '[
    {"member": "hidden", "point_type": "bonus", "type": "accrual", "value": 1}, {"member": "seen", "point_type": "bonus", "type": "accrual", "value": 1},
    {"member": "hidden", "point_type": "bonus", "type": "redemption", "value": -1}, {"member": "gone", "point_type": "bonus", "type": "redemption", "value": -1}]', true);
SELECT member, outcome
    FROM loyalty_book_segment('branch', 'all', '{"point_type": "bonus", "type": "accrual", "value": 1}');
RESET ROLE;
DELETE FROM loyalty.profile_segments WHERE external_id = 'all';

-- No function that names a member is left out; those of the programs' own settings name none.
SELECT proname FROM pg_proc
WHERE (proname LIKE 'loyalty\_%' OR pronamespace = 'loyalty_internal'::regnamespace)
    AND proargnames && '{member,profile}' AND prorettype <> 'trigger'::regtype
    AND NOT EXISTS (SELECT FROM unnest(proargnames, proargmodes::text[]) AS a (name, mode)
        WHERE name IN ('member', 'profile') AND mode IN ('o', 't'))
EXCEPT SELECT function FROM tried
ORDER BY 1;

-- Who is bound by no policy sees everybody: the owner of the table, and roles with BYPASSRLS.
ALTER ROLE regress_loyalty_riga BYPASSRLS;
SELECT function, outcome(statement, 'hidden') AS hidden FROM tried
    WHERE function IN ('loyalty_balance', 'loyalty_cancel_order') ORDER BY number;
ALTER ROLE regress_loyalty_riga NOBYPASSRLS;
-- Where the policy binds the owner, too, it cannot be told who is gone.
ALTER TABLE client FORCE ROW LEVEL SECURITY;
SELECT function, outcome(statement, 'seen') AS seen, outcome(statement, 'hidden') AS hidden,
    outcome(statement, 'gone') AS gone FROM tried WHERE function = 'loyalty_balance';
ALTER TABLE client NO FORCE ROW LEVEL SECURITY;
-- Nor behind a view that is read as whoever reads.
CREATE VIEW clients WITH (security_invoker) AS SELECT id FROM client;
GRANT SELECT ON clients TO regress_loyalty_riga;
UPDATE loyalty.profile_databases SET relation = 'clients' WHERE external_id = 'clients';
SELECT function, outcome(statement, 'seen') AS seen, outcome(statement, 'hidden') AS hidden,
    outcome(statement, 'gone') AS gone FROM tried WHERE function = 'loyalty_balance';

DROP VIEW clients;
DROP TABLE client, bought, came, tried;
DROP FUNCTION outcome(text, text), basket(text, text, jsonb), refusal(text);
DROP VIEW entries;
DROP SCHEMA loyalty CASCADE;
DROP OWNED BY regress_loyalty_riga;
DROP ROLE regress_loyalty_riga;
