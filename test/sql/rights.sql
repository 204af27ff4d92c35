-- Sets of rights: what each role may do, what it may not, and whose row-level security holds.
\set SHOW_CONTEXT never
\i test/fixtures/shop.sql
CREATE ROLE regress_loyalty_app;
CREATE ROLE regress_loyalty_admin;
CREATE ROLE regress_loyalty_report;
CREATE ROLE regress_loyalty_jobs;
SELECT loyalty_grant('regress_loyalty_' || rights, rights)
    FROM unnest(ARRAY['app', 'admin', 'report', 'jobs']) AS rights;

-- Tries a statement as a role: how it ended. What it did stays, unless it failed.
CREATE FUNCTION try(actor name, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text := 'done';
BEGIN
    BEGIN
        EXECUTE format('SET LOCAL ROLE %I', actor);
        EXECUTE statement;
    EXCEPTION WHEN OTHERS THEN
        result := SQLSTATE || ' ' || SQLERRM;
    END;
    RESET ROLE;
    RETURN result;
END
$$;

-- Every function that does not belong to admin alone, and every table and view; triggers need no right.
SELECT
    concat_ws('.', nullif(pronamespace::regnamespace::text, 'public'), proname) COLLATE "C" AS function,
    array_agg(DISTINCT rights ORDER BY rights) FILTER (WHERE rights IS NOT NULL) AS rights
FROM pg_proc
LEFT JOIN unnest(ARRAY['app', 'admin', 'report', 'jobs']) AS rights
    ON has_function_privilege('regress_loyalty_' || rights, pg_proc.oid, 'EXECUTE')
WHERE (proname LIKE 'loyalty\_%' OR pronamespace IN ('loyalty'::regnamespace, 'loyalty_internal'::regnamespace))
    AND prorettype <> 'trigger'::regtype
GROUP BY function
HAVING array_agg(rights) <> '{admin}'
ORDER BY function;
SELECT
    relname,
    array(
        SELECT rights || ' ' || privilege
        FROM unnest(ARRAY['app', 'admin', 'report', 'jobs']) WITH ORDINALITY AS given (rights, number),
            unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) WITH ORDINALITY
                AS asked (privilege, place)
        WHERE has_table_privilege('regress_loyalty_' || rights, pg_class.oid, privilege)
            AND (rights <> 'admin' OR privilege <> 'SELECT')
        ORDER BY number, place
    ) AS rights
FROM pg_class
WHERE relnamespace = 'loyalty'::regnamespace AND relkind IN ('r', 'v')
    AND (
        has_table_privilege('regress_loyalty_app', oid, 'SELECT')
            OR has_table_privilege('regress_loyalty_report', oid, 'SELECT')
        OR has_table_privilege('regress_loyalty_jobs', oid, 'SELECT')
            OR has_table_privilege('regress_loyalty_admin', oid, 'INSERT, UPDATE, DELETE')
    )
ORDER BY relname COLLATE "C";
SELECT relname AS not_even_for_admin FROM pg_class
WHERE relnamespace = 'loyalty'::regnamespace AND relkind IN ('r', 'v')
    AND NOT has_table_privilege('regress_loyalty_admin', oid, 'SELECT');

-- An application: one buyer at a time.
SELECT statement, try('regress_loyalty_app', statement)
FROM (VALUES
    ($$INSERT INTO loyalty.profiles (key, attributes) VALUES ('dan', '{"email": "dan@example.com"}')$$),
    ($$SELECT loyalty_enrol('dan', 'main')$$),
    ($$SELECT loyalty_accrue('dan', 'main', 'bonus', 50, external_id => 'a')$$),
    ($$SELECT loyalty_redeem('dan', 'main', 'bonus', 5, external_id => 'b')$$),
    ($$SELECT loyalty_refund('dan', 'main', 2, redemption => 'b', external_id => 'c')$$),
    ($$SELECT loyalty_cancel('dan', 'main', external_id => 'b')$$),
    ($$SELECT loyalty_hold('dan', 'main', 'bonus', 'redemption', 5, '1 hour', external_id => 'd')$$),
    ($$SELECT loyalty_commit('dan', 'main', external_id => 'd')$$),
    ($$SELECT * FROM loyalty_balance('dan', 'main')$$),
    ($$SELECT * FROM loyalty_statement('dan', 'main')$$),
    ($$SELECT * FROM loyalty_tier('dan', 'main')$$),
    ($$SELECT loyalty_calculate('{"member": "dan", "lines": [{"product": "book", "quantity": 1}]}')$$),
    ($$SELECT loyalty_explain('{"member": "dan", "lines": [{"product": "book", "quantity": 1}]}')$$),
    ($$SELECT loyalty_place_order(
        '{"external_id": "D-1", "member": "dan", "lines": [{"id": "1", "product": "book", "quantity": 2}]}')$$),
    ($$SELECT loyalty_set_order_status('main', 'D-1', 'delivered')$$),
    ($$SELECT loyalty_return_items('main', 'D-1', '[{"id": "1", "quantity": 1}]', 'R-1')$$),
    ($$SELECT loyalty_cancel_order('main', 'D-1')$$),
    ($$SELECT * FROM loyalty_events_since(NULL)$$)
) AS list (statement);
SELECT statement, try('regress_loyalty_app', statement)
FROM (VALUES
    ($$SELECT * FROM loyalty.members$$),
    ($$SELECT * FROM loyalty.liability$$),
    ($$INSERT INTO loyalty.transactions (member, program, point_type, type, value)
        VALUES ('dan', 'main', 'bonus', 'accrual', 1)$$),
    ($$UPDATE loyalty.balances SET total = 1000$$),
    ($$DELETE FROM loyalty.profiles$$),
    ($$UPDATE loyalty.promotions SET state = 'inactive'$$),
    ($$SELECT loyalty_test('{}')$$),
    ($$SELECT loyalty_apply('main')$$),
    ($$SELECT loyalty_revert('main')$$),
    ($$SELECT loyalty_end_promotion('main', 'books')$$),
    ($$SELECT loyalty_deactivate_point_type('main', 'bonus')$$),
    ($$SELECT loyalty_write_off_owed('dan', 'main', 'bonus', 1)$$),
    ($$SELECT loyalty_enrol_all('main')$$),
    ($$SELECT loyalty_remove_all_members('main')$$),
    ($$SELECT loyalty_erase_member('dan', 'main')$$),
    ($$SELECT loyalty_generate_promo_codes('main', 'spring', 'X-####', 10)$$),
    ($$SELECT loyalty_import_orders('[]')$$),
    ($$SELECT loyalty_delete_events('1 day', 10)$$),
    ($$SELECT loyalty_internal.begin_job('expire_points')$$),
    ($$SELECT loyalty_refresh_reports()$$),
    ($$SELECT loyalty_set_clock('2027-01-01')$$),
    ($$SELECT loyalty_migrate()$$),
    ($$SELECT loyalty_grant('regress_loyalty_app', 'admin')$$)
) AS list (statement);

-- An administrator: all of that, the configuration, and corrections.
SELECT statement, try('regress_loyalty_admin', statement)
FROM (VALUES
    ($$INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
        VALUES ('again', 'Again', 'loyalty.members', 'member')$$),
    ($$UPDATE loyalty.profile_databases SET key_column = 'attributes'$$),
    ($$UPDATE loyalty.profile_databases SET name = 'Customers', description = 'All of them'$$),
    ($$INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
        VALUES ('second', 'Second', 'profiles', 'EUR', 'UTC')$$),
    ($$INSERT INTO loyalty.point_types (program, external_id, name, ratio) VALUES ('main', 'new', 'New', 1)$$),
    ($$UPDATE loyalty.point_types SET ratio = 2 WHERE external_id = 'new'$$),
    ($$DELETE FROM loyalty.point_types WHERE external_id = 'new'$$),
    ($$INSERT INTO loyalty.channels (program, external_id, name) VALUES ('main', 'shop', 'Shops')$$),
    ($$INSERT INTO loyalty.products (program, sku, name, price) VALUES ('main', 'cup', 'Cup', 5)$$),
    ($$UPDATE loyalty.products SET price = 6 WHERE sku = 'cup'$$),
    ($$INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
        VALUES ('main', 'cups', 'Cups', '$.sku == "cup"')$$),
    ($$UPDATE loyalty.product_segments SET predicate = '$.sku starts with "cu"' WHERE external_id = 'cups'$$),
    ($$INSERT INTO loyalty.partners (program, external_id, name) VALUES ('main', 'potter', 'Potter')$$),
    ($$INSERT INTO loyalty.partner_products (program, sku, partner, discount_percent)
        VALUES ('main', 'cup', 'potter', 5)$$),
    ($$INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type)
        VALUES ('main', 'club', 'Club', 'cumulative', 'status')$$),
    ($$INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
        VALUES ('main', 'bronze', 'club', 'Bronze', 0)$$),
    ($$INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind)
        VALUES ('main', 'spring', 'Spring', 'universal')$$),
    ($$SELECT loyalty_generate_promo_codes('main', 'spring', 'X-####', 10)$$),
    ($$INSERT INTO loyalty.promotion_groups (program, external_id, name) VALUES ('main', 'more', 'More')$$),
    ($$INSERT INTO loyalty.promotions (program, external_id, name, kind, parent)
        VALUES ('main', 'cups', 'Cups', 'discount', 'more')$$),
    ($$INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments)
        VALUES ('main', 'cups', 'in', '{cups}')$$),
    ($$INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
        VALUES ('main', 'cups', 1, 'discount', '{"percent": 50}')$$),
    ($$SELECT loyalty_activate_promotion('main', 'cups')$$),
    ($$SELECT loyalty_test('{"lines": [{"product": "cup", "quantity": 1}]}')$$),
    ($$SELECT loyalty_revert('main')$$),
    ($$UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 11}' WHERE promotion = 'books'$$),
    ($$SELECT loyalty_apply('main')$$),
    ($$INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
        VALUES ('main', 'form', 'Form', 'trigger', 'active')$$),
    ($$INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount)
        VALUES ('main', 'form', 'accrual', 'bonus', 5)$$),
    ($$SELECT loyalty_fire('form', 'ann')$$),
    ($$INSERT INTO loyalty.transactions (member, program, point_type, type, value, comment)
        VALUES ('ann', 'main', 'bonus', 'accrual', 7, 'by hand')$$),
    ($$SELECT loyalty_enrol_all('main')$$),
    ($$SELECT loyalty_erase_member('dan', 'main')$$),
    ($$SELECT * FROM loyalty.members, loyalty.orders, loyalty.liability$$),
    ($$SELECT loyalty_promotion_tree('main')$$),
    ($$SELECT loyalty_verify()$$),
    ($$DELETE FROM loyalty.products WHERE sku = 'cup'$$)
) AS list (statement);
SELECT statement, try('regress_loyalty_admin', statement)
FROM (VALUES
    ($$INSERT INTO loyalty.transactions (member, program, point_type, seq, id, type, value, balance_before,
        balance_after, created_at, booked_at)
        VALUES ('ann', 'main', 'bonus', 99, gen_random_uuid(), 'accrual', 1, 0, 1, now(), now())$$),
    ($$UPDATE loyalty.transactions SET value = 1$$),
    ($$DELETE FROM loyalty.transactions$$),
    ($$TRUNCATE loyalty.transactions CASCADE$$),
    ($$UPDATE loyalty.balances SET total = 1000$$),
    ($$UPDATE loyalty.lots SET remaining = amount$$),
    ($$UPDATE loyalty.holds SET state = 'committed'$$),
    ($$INSERT INTO loyalty.members (member, program) VALUES ('eve', 'main')$$),
    ($$UPDATE loyalty.member_tiers SET tier = 'bronze'$$),
    ($$UPDATE loyalty.orders SET total = 0$$),
    ($$UPDATE loyalty.promo_codes SET uses = 0$$),
    ($$DELETE FROM loyalty.promotion_versions$$),
    ($$UPDATE loyalty.promotion_activations SET activated_at = now()$$),
    ($$DELETE FROM loyalty.events$$),
    ($$DELETE FROM loyalty.granted_rights$$),
    ($$ALTER TABLE loyalty.transactions DISABLE TRIGGER ALL$$),
    ($$CREATE TRIGGER mine BEFORE INSERT ON loyalty.transactions FOR EACH ROW
        EXECUTE FUNCTION loyalty_enrol_trigger('main', 'member')$$),
    ($$CREATE TABLE loyalty.mine ()$$),
    ($$SELECT loyalty_internal.begin_job('expire_points')$$),
    ($$SELECT loyalty_refresh_reports()$$),
    ($$SELECT loyalty_set_clock('2027-01-01')$$),
    ($$SELECT loyalty_migrate()$$),
    ($$SELECT loyalty_grant('regress_loyalty_admin', 'jobs')$$),
    ($$SELECT loyalty_revoke('regress_loyalty_app', 'app')$$)
) AS list (statement);

-- An analyst: reads the reports.
SELECT statement, try('regress_loyalty_report', statement)
FROM (VALUES
    ($$SELECT * FROM loyalty.transaction_list, loyalty.member_statements, loyalty.member_balances LIMIT 1$$),
    ($$SELECT * FROM loyalty.liability, loyalty.breakage, loyalty.tier_distribution, loyalty.tier_movements$$),
    ($$SELECT * FROM loyalty.promotion_performance, loyalty.promo_code_use, loyalty.partner_turnover$$),
    ($$SELECT * FROM loyalty.active_promotions, loyalty.promotion_tree, loyalty.pending_changes,
        loyalty.version_history$$),
    ($$SELECT loyalty_promotion_tree('main')$$),
    ($$SELECT loyalty_member_card('ann', 'main')$$),
    ($$SELECT * FROM loyalty_points_chart('main', 'bonus')$$),
    ($$SELECT * FROM loyalty_tier_chart('main', 'club')$$),
    ($$SELECT * FROM loyalty_balance('ann', 'main', at => '2026-01-01')$$),
    ($$SELECT * FROM loyalty_verify('main')$$)
) AS list (statement);
SELECT statement, try('regress_loyalty_report', statement)
FROM (VALUES
    ($$SELECT * FROM loyalty.profiles$$),
    ($$SELECT * FROM loyalty.orders$$),
    ($$SELECT * FROM loyalty.transactions$$),
    ($$SELECT * FROM loyalty.promo_codes$$),
    ($$SELECT * FROM loyalty.events$$),
    ($$SELECT * FROM loyalty.granted_rights$$),
    ($$UPDATE loyalty.transaction_list SET value = 1$$),
    ($$INSERT INTO loyalty.transaction_list (member) VALUES ('ann')$$),
    ($$DELETE FROM loyalty.report_refreshes$$),
    ($$SELECT loyalty_calculate('{"lines": [{"product": "book", "quantity": 1}]}')$$),
    ($$SELECT loyalty_accrue('ann', 'main', 'bonus', 1)$$),
    ($$SELECT loyalty_find_member('main', 'ann')$$),
    ($$SELECT loyalty_apply('main')$$),
    ($$SELECT loyalty_refresh_reports()$$)
) AS list (statement);

-- A scheduler: runs the jobs, and sees how they went. (A procedure commits, so it cannot be called from within try().)
SELECT statement, try('regress_loyalty_jobs', statement)
FROM (VALUES
    ($$SELECT loyalty_internal.begin_job('expire_points')$$),
    ($$SELECT loyalty_internal.begin_job('review_tiers')$$),
    ($$SELECT loyalty_internal.begin_job('judge_tiers')$$),
    ($$SELECT loyalty_refresh_reports()$$),
    ($$SELECT loyalty_delete_events('1 year')$$),
    ($$SELECT * FROM loyalty.job_progress, loyalty.job_errors, loyalty.report_refreshes$$)
) AS list (statement);
SET ROLE regress_loyalty_jobs;
CALL loyalty_expire_points();
CALL loyalty_review_tiers();
CALL loyalty_judge_tiers();
RESET ROLE;
SELECT statement, try('regress_loyalty_jobs', statement)
FROM (VALUES
    ($$SELECT * FROM loyalty.members$$),
    ($$SELECT * FROM loyalty.liability$$),
    ($$UPDATE loyalty.job_progress SET done = 0$$),
    ($$DELETE FROM loyalty.events$$),
    ($$SELECT loyalty_balance('ann', 'main')$$),
    ($$SELECT loyalty_accrue('ann', 'main', 'bonus', 1)$$),
    ($$SELECT loyalty_enrol('ann', 'main')$$),
    ($$SELECT loyalty_apply('main')$$),
    ($$SELECT loyalty_set_clock('2027-01-01')$$)
) AS list (statement);

-- Customers of the user's own table are read with the rights of whoever asks: its row-level security holds for every
-- set.
CREATE TABLE client (id text PRIMARY KEY, branch name NOT NULL, email text);
INSERT INTO client VALUES
    ('riga-1', 'regress_loyalty_app', 'a@example.com'), ('riga-2', 'regress_loyalty_admin', 'b@example.com'),
    ('oslo-1', 'nobody', 'c@example.com');
ALTER TABLE client ENABLE ROW LEVEL SECURITY;
CREATE POLICY branch ON client USING (branch = current_user);
UPDATE loyalty.programs SET active = false;
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column, email_column)
    VALUES ('clients', 'Clients', 'client', 'id', 'email');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('own', 'Own', 'clients', 'EUR', 'UTC', true);
SELECT try('regress_loyalty_app', $$SELECT loyalty_enrol('riga-1', 'own')$$);
GRANT SELECT ON client TO regress_loyalty_app, regress_loyalty_admin;
SELECT statement, try('regress_loyalty_app', statement)
FROM (VALUES
    ($$SELECT loyalty_enrol('riga-1', 'own')$$),
    ($$SELECT loyalty_enrol('oslo-1', 'own')$$),
    ($$SELECT loyalty_calculate('{"member": "riga-1", "lines": [{"product": "x", "quantity": 1, "price": 1}]}')$$),
    ($$SELECT loyalty_calculate('{"member": "oslo-1", "lines": [{"product": "x", "quantity": 1, "price": 1}]}')$$),
    ($$SELECT loyalty_place_order(
        '{"external_id": "1", "member": "oslo-1", "lines": [{"product": "x", "quantity": 1, "price": 1}]}')$$)
) AS list (statement);
SET ROLE regress_loyalty_app;
SELECT member FROM loyalty_find_member('own', 'a@example.com', 'email');
SELECT member FROM loyalty_find_member('own', 'c@example.com', 'email');
SET ROLE regress_loyalty_admin;
SELECT loyalty_enrol_all('own') - 'skipped';
RESET ROLE;
SELECT member FROM loyalty.members WHERE program = 'own' ORDER BY member;

-- Wrong names, and callers who own nothing.
SELECT loyalty_grant('regress_loyalty_app', 'everything');
\echo :SQLSTATE
SELECT loyalty_grant('regress_loyalty_app', NULL);
\echo :SQLSTATE
SELECT loyalty_grant('regress_loyalty_unborn', 'app');
\echo :SQLSTATE
SELECT loyalty_grant('public', 'app');
\echo :SQLSTATE
SELECT try(current_user,
    format('SELECT loyalty_grant(%L, %L)', nspowner::regrole,
    'app')) LIKE 'LY782 role "%" owns schema "loyalty", and has all rights'
FROM pg_namespace WHERE nspname = 'loyalty';
SELECT loyalty_revoke('regress_loyalty_unborn', 'app');
\echo :SQLSTATE
SELECT loyalty_revoke('regress_loyalty_app', 'everything');
\echo :SQLSTATE
GRANT EXECUTE ON FUNCTION loyalty_grant(name, text), loyalty_internal.rights_problem(name, text) TO regress_loyalty_app;
SELECT try('regress_loyalty_app', $$SELECT loyalty_grant('regress_loyalty_app', 'admin')$$) ~ '^LY783 only the owner';
SELECT role, rights FROM loyalty.granted_rights ORDER BY role, rights;

-- A role may have several sets. Revoking one leaves what another holds, too.
SELECT loyalty_grant('regress_loyalty_app', 'admin');
SELECT try('regress_loyalty_app', $$UPDATE loyalty.programs SET name = 'Own program' WHERE external_id = 'own'$$);
SELECT loyalty_revoke('regress_loyalty_app', 'admin');
SELECT try('regress_loyalty_app', $$UPDATE loyalty.programs SET name = 'Own program' WHERE external_id = 'own'$$);
SELECT try('regress_loyalty_app', $$SELECT loyalty_balance('riga-1', 'own')$$);
SELECT loyalty_revoke('regress_loyalty_app', 'admin');
SELECT loyalty_revoke('regress_loyalty_app', 'app');
SELECT try('regress_loyalty_app', $$SELECT loyalty_balance('riga-1', 'own')$$);
SELECT try('regress_loyalty_app', $$SELECT * FROM loyalty.profiles$$);

-- Set admin keeps its hands off what triggers keep up, with whatever else it edits.
SELECT try('regress_loyalty_admin', $$DELETE FROM loyalty.drafts$$);
SELECT try('regress_loyalty_admin', $$UPDATE loyalty.drafts SET program = 'other'$$);
SELECT try('regress_loyalty_admin', $$DELETE FROM loyalty.product_memberships$$);
SELECT try('regress_loyalty_admin', $$DELETE FROM loyalty.product_predicates$$);
SELECT try('regress_loyalty_admin', $$INSERT INTO loyalty.product_memberships SELECT program, 'none', id
    FROM loyalty.product_predicates$$);
SELECT try('regress_loyalty_admin', $$INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'any', 'Any', '$.sku != ""')$$);
SELECT try('regress_loyalty_admin', $$SELECT loyalty.judge_products('main', NULL, NULL)$$);
SELECT try('regress_loyalty_app', $$SELECT loyalty.judge_products('main', NULL, NULL)$$);
-- What got past the triggers all the same is found, and repaired by an apply.
INSERT INTO loyalty.products (program, sku, name) VALUES ('main', 'LOST', 'Lost') ON CONFLICT DO NOTHING;
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM loyalty.product_memberships WHERE sku = 'LOST';
COMMIT;
INSERT INTO loyalty.product_memberships SELECT program, 'none', id FROM loyalty.product_predicates
    WHERE program = 'main';
SELECT invariant, program, regexp_replace(detail, '\d+', 'N') AS detail
    FROM loyalty_verify('main') ORDER BY detail COLLATE "C";
SELECT loyalty_apply('main') > 0 AS applied;
SELECT invariant, detail FROM loyalty_verify('main');

-- Sets come back with the extension; a role that was closed out, or dropped, has none any more.
SET client_min_messages = warning;
DROP EXTENSION loyalty CASCADE;
CREATE EXTENSION loyalty;
RESET client_min_messages;
SELECT try('regress_loyalty_report', $$SELECT * FROM loyalty_verify('main')$$);
DROP OWNED BY regress_loyalty_jobs;
SELECT loyalty_migrate() = loyalty_schema_version();
SELECT try('regress_loyalty_report', $$SELECT * FROM loyalty_verify('main')$$);
SELECT try('regress_loyalty_report', $$SELECT * FROM loyalty.liability$$);
SELECT try('regress_loyalty_jobs', $$SELECT loyalty_internal.begin_job('expire_points')$$);
SELECT role, rights FROM loyalty.granted_rights ORDER BY role, rights;


-- Restored without rights, the record of them is all there is: it is kept, and gone by when asked.
INSERT INTO loyalty.granted_rights (role, rights) VALUES ('regress_loyalty_nobody', 'app');
SELECT role, rights FROM loyalty.granted_rights ORDER BY role, rights;
DO $$
DECLARE
    grantee name;
BEGIN
    FOR grantee IN SELECT DISTINCT role FROM loyalty.granted_rights JOIN pg_roles ON rolname = role LOOP
        EXECUTE format('REVOKE ALL ON SCHEMA loyalty FROM %1$I; REVOKE ALL ON ALL TABLES IN SCHEMA loyalty FROM %1$I',
            grantee);
    END LOOP;
END
$$;
SELECT loyalty_migrate() = loyalty_schema_version();
SELECT role, rights FROM loyalty.granted_rights ORDER BY role, rights;
SELECT try('regress_loyalty_report', $$SELECT * FROM loyalty.liability$$);
SELECT loyalty_restore_rights();
SELECT try('regress_loyalty_report', $$SELECT * FROM loyalty.liability$$);
DELETE FROM loyalty.granted_rights WHERE role = 'regress_loyalty_nobody';

-- An owner of the schema who has not created the extension cannot pass on its functions, until a superuser grants for
-- him.
CREATE ROLE regress_loyalty_owner;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_loyalty_owner', current_database()); END $$;
SELECT loyalty_revoke('regress_loyalty_report', 'report'), loyalty_revoke('regress_loyalty_admin', 'admin');
ALTER SCHEMA loyalty OWNER TO regress_loyalty_owner;
GRANT EXECUTE ON FUNCTION loyalty_grant(name, text), loyalty_revoke(name, text),
loyalty_internal.rights_problem(name, text), loyalty_rights(text),
loyalty_internal.require_owner() TO regress_loyalty_owner;
SELECT try('regress_loyalty_owner', $$SELECT loyalty_grant('regress_loyalty_report', 'report')$$);
SELECT loyalty_migrate() = loyalty_schema_version();
SELECT loyalty_grant('regress_loyalty_report', 'report');
SELECT try('regress_loyalty_report', $$SELECT * FROM loyalty.liability$$);
SELECT try('regress_loyalty_owner', $$SELECT loyalty_revoke('regress_loyalty_report', 'report')$$);
SELECT try('regress_loyalty_report', $$SELECT * FROM loyalty.liability$$);
SELECT try('regress_loyalty_owner', $$SELECT loyalty_grant('regress_loyalty_report', 'report')$$);
SELECT try('regress_loyalty_report', $$SELECT loyalty_promotion_tree('main')$$);
SELECT loyalty_revoke('regress_loyalty_report', 'report');

-- The sets leave nothing behind that would keep a role alive.
DROP OWNED BY regress_loyalty_app;
REVOKE ALL ON client FROM regress_loyalty_admin;
DROP ROLE regress_loyalty_app, regress_loyalty_admin, regress_loyalty_report, regress_loyalty_jobs;
DROP TABLE client;
DROP FUNCTION try(name, text), basket(text, text, jsonb), refusal(text);
DROP VIEW entries;
SET client_min_messages = warning;
DROP SCHEMA loyalty CASCADE;
DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM regress_loyalty_owner', current_database()); END $$;
DROP OWNED BY regress_loyalty_owner;
DROP ROLE regress_loyalty_owner;
