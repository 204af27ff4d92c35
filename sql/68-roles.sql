-- Roles without reading manuals: four sets of rights, what each consists of, granting and revoking them.
--
-- All is granted and revoked as the schema's owner, see loyalty_internal.require_owner(): a right is taken back only by
-- the role that gave it, and an owner could not take back what a superuser gave.

CREATE FUNCTION @extschema@.loyalty_rights(rights text) RETURNS TABLE (privilege text, object text)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
        WITH routine AS (
            SELECT
                function.oid,
                CASE WHEN schema.nspname IN ('loyalty', 'loyalty_internal') THEN schema.nspname || '.' ELSE '' END
                || function.proname AS name,
                function.prorettype = 'trigger'::regtype AS is_trigger,
                function.prokind = 'p'
                OR function.proname ~ '^(jobs|begin_job|job_batch|loyalty_(run_jobs?|(un)?schedule))$'
                OR function.proname IN (
                    'loyalty_delete_events', 'loyalty_record_prices', 'loyalty_refresh_reports', 'loyalty_wall_clock'
                )
                AS is_job
            FROM pg_proc AS function
            JOIN pg_namespace AS schema ON schema.oid = function.pronamespace
            LEFT JOIN pg_depend AS dependency
                ON dependency.classid = 'pg_proc'::regclass
                AND dependency.objid = function.oid
                AND dependency.refclassid = 'pg_extension'::regclass
                AND dependency.deptype = 'e'
            LEFT JOIN pg_extension AS extension ON extension.oid = dependency.refobjid
            WHERE extension.extname = 'loyalty'
                OR schema.nspname = 'loyalty'
                AND function.proname IN (
                    'apart', 'clock', 'recast', 'judge_products', 'forget_products', 'make_predicates',
                    'drop_predicates', 'note_edits',
                    'settle_prices', 'record_prices', 'note_price_change', 'note_used_up', 'keep_price_history'
                )
        ),
        relation AS (
            SELECT
                class.oid,
                class.relname::text AS name
            FROM pg_class AS class
            JOIN pg_namespace AS schema ON schema.oid = class.relnamespace
            WHERE schema.nspname = 'loyalty'
                AND class.relkind IN ('r', 'p', 'v')
                AND NOT class.relispartition
        )
        SELECT
            'USAGE',
            'SCHEMA loyalty'
        WHERE rights IN ('app', 'admin', 'report', 'jobs')
        UNION ALL
        SELECT
            'EXECUTE',
            'ROUTINE ' || routine.oid::regprocedure::text
        FROM routine
        WHERE CASE rights
            WHEN 'app' THEN routine.name IN (
                'loyalty_accrue', 'loyalty_activate_promo_code', 'loyalty_applied', 'loyalty_attach_promo_code',
                'loyalty_balance', 'loyalty_calculate', 'loyalty_cancel', 'loyalty_cancel_order', 'loyalty_claim',
                'loyalty_commit',
                'loyalty_detach_promo_code', 'loyalty_enrol', 'loyalty_events_ack', 'loyalty_events_claim',
                'loyalty_events_since', 'loyalty_expiring_points', 'loyalty_explain', 'loyalty_find_member',
                'loyalty_fire', 'loyalty_hold', 'loyalty_judge', 'loyalty_now', 'loyalty_opportunities',
                'loyalty_order', 'loyalty_orders',
                'loyalty_place_order', 'loyalty_prices', 'loyalty_prior_price', 'loyalty_promo_code',
                'loyalty_promo_codes', 'loyalty_redeem',
                'loyalty_refund', 'loyalty_remove_member', 'loyalty_return_items', 'loyalty_rollback',
                'loyalty_save_profile',
                'loyalty_set_order_status',
                'loyalty_statement', 'loyalty_tier', 'loyalty_tiers_reached', 'loyalty_trigger_promotions'
            )
            WHEN 'admin' THEN (NOT routine.is_job OR routine.name = 'loyalty_wall_clock')
                AND (NOT routine.is_trigger OR routine.name IN ('loyalty_fire_trigger', 'loyalty_enrol_trigger'))
                AND routine.name NOT IN (
                    'loyalty_create_schema', 'loyalty_migrate', 'loyalty_set_clock', 'loyalty_grant',
                    'loyalty_revoke', 'loyalty_restore_rights',
                    'loyalty_internal.rights_problem', 'loyalty_internal.require_owner',
                    'loyalty_internal.let_owner_act', 'loyalty_internal.adopt_rules', 'loyalty_internal.changed_rules',
                    'loyalty_internal.partition_table', 'loyalty_internal.partition_tables'
                )
                AND routine.name !~ '_as_owner$'
            -- Views call functions with the rights of whoever reads them, and pages call what writes HTML.
            WHEN 'report' THEN routine.name IN (
                'loyalty_applied', 'loyalty_balance', 'loyalty_expiring_points', 'loyalty_member_card', 'loyalty_now',
                'loyalty_points_chart', 'loyalty_promotion_tree', 'loyalty_report_page', 'loyalty_statement',
                'loyalty_tier', 'loyalty_tier_chart', 'loyalty_tiers_reached', 'loyalty_verify', 'loyalty_wall_clock',
                'loyalty.clock', 'loyalty.recast', 'loyalty_internal.bar', 'loyalty_internal.day_begins',
                'loyalty_internal.html',
                'loyalty_internal.html_chart', 'loyalty_internal.html_number', 'loyalty_internal.html_orders',
                'loyalty_internal.html_tree', 'loyalty_internal.last_day', 'loyalty_internal.refuse_program',
                'loyalty_internal.report_figures',
                -- Of the stubs, for views that a dump of 0.1.0 brings.
                'loyalty_report_figures'
            )
            WHEN 'jobs' THEN routine.is_job
                OR routine.name IN ('loyalty_now', 'loyalty.note_used_up', 'loyalty.settle_prices')
            ELSE false
        END
        UNION ALL
        SELECT
            'SELECT',
            'TABLE ' || relation.oid::regclass::text
        FROM relation
        WHERE CASE rights
            WHEN 'app' THEN relation.name = 'profiles'
            WHEN 'admin' THEN true
            WHEN 'report' THEN relation.name IN (
                'active_promotions', 'breakage', 'daily_activity', 'daily_points', 'job_progress', 'job_runs',
                'liability', 'member_balances', 'member_export', 'member_growth', 'member_statements',
                'order_effects', 'order_list',
                'partner_turnover', 'pending_changes', 'promo_code_use', 'promotion_performance', 'promotion_periods',
                'promotion_points', 'promotion_tree', 'report_refreshes', 'tier_distribution', 'tier_movements',
                'transaction_list', 'version_history'
            )
            -- What the functions that pending_changes calls read with the caller's rights.
            OR relation.name IN ('promotion_benefits', 'promotion_conditions', 'promotions', 'segment_references')
            WHEN 'jobs' THEN relation.name ~ '^job_' OR relation.name = 'report_refreshes'
            ELSE false
        END
        UNION ALL
        SELECT
            written.privilege,
            'TABLE ' || relation.oid::regclass::text
        FROM relation
        JOIN (
            VALUES
                -- What is configured.
                ('admin', 'INSERT, UPDATE, DELETE', '{profile_databases,profiles,programs,point_types}'::text[]),
                ('admin', 'INSERT, UPDATE, DELETE', '{channels,contact_points,regions,order_statuses,fields,products}'),
                ('admin', 'INSERT, UPDATE, DELETE',
                    '{partners,partner_products,tier_groups,tiers,promo_code_pools,goals}'),
                ('admin', 'INSERT, UPDATE, DELETE', '{product_segments,profile_segments,order_segments}'),
                (
                    'admin', 'INSERT, UPDATE, DELETE',
                    '{product_segment_members,profile_segment_members,order_segment_members}'
                ),
                ('admin', 'INSERT, UPDATE, DELETE', '{promotion_groups,promotions,promotion_conditions}'),
                ('admin', 'INSERT, UPDATE, DELETE', '{promotion_benefits,trigger_rules}'),
                -- By which the triggers of these tables, which run with the editor's rights, let editors wait for each
                -- other.
                ('admin', 'INSERT (program), UPDATE (edits, generation)', '{drafts}'),
                ('admin', 'INSERT', '{promotion_activations}'),
                -- A transaction by hand: all columns but those that the ledger fills.
                (
                    'admin',
                    'INSERT (member, program, point_type, external_id, type, value, created_at, active_from, '
                    'expires_at, source_type, source, promotion, comment, data)',
                    '{transactions}'
                ),
                ('app', 'INSERT, UPDATE', '{profiles}')
        ) AS written (rights, privilege, tables)
            ON written.rights = loyalty_rights.rights
            AND relation.name = ANY (written.tables);
    END;

COMMENT ON FUNCTION @extschema@.loyalty_rights(text) IS
    'What a set of rights consists of, as GRANT writes it: app, admin, report or jobs; nothing of any other name. '
    'Example: SELECT * FROM loyalty_rights(''app'');';

CREATE FUNCTION loyalty_internal.rights_problem(role name, rights text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    owner CONSTANT regrole := (SELECT nspowner FROM pg_namespace WHERE nspname = 'loyalty');
BEGIN
    IF owner IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY001',
            MESSAGE = 'schema "loyalty" does not exist',
            HINT = 'Run SELECT loyalty_create_schema().';
    ELSIF rights IS NULL OR rights NOT IN ('app', 'admin', 'report', 'jobs') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY780',
            MESSAGE = format('there is no set of rights "%s"', rights),
            HINT = 'The sets are app, admin, report and jobs.';
    ELSIF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY781',
            MESSAGE = format('role "%s" does not exist', role),
            HINT = 'Run CREATE ROLE first. PUBLIC is no role: everybody could do it.';
    ELSIF role = (SELECT rolname FROM pg_roles WHERE oid = owner) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY782',
            MESSAGE = format('role "%s" owns schema "loyalty", and has all rights', role),
            HINT = 'Name another role.';
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.rights_problem(name, text) IS
    'Refuses what loyalty_grant() and loyalty_revoke() cannot do: LY780 (no such set), LY781 (no such role), LY782 '
    '(the owner), LY001. Example: SELECT loyalty_internal.rights_problem(''checkout'', ''app'');';

CREATE FUNCTION @extschema@.loyalty_grant(role name, rights text) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_as_owner';

COMMENT ON FUNCTION @extschema@.loyalty_grant(name, text) IS
    'Grants a role a set of rights: app (quotes, orders, points and codes of one buyer at a time), admin (all of that, '
    'configuration, corrections), report (report views and figures, nothing written) or jobs (the jobs, and nothing '
    'else). A role may have several. loyalty_migrate() grants them again on what a new version brings. For the '
    'schema''s owner; loyalty_rights() tells what a set consists of. Errors: LY780 (no such set), LY781 (no such '
    'role), LY782 (the owner itself), LY783 (called by somebody else), LY784 (the owner may not pass on the '
    'functions), LY001. Example: SELECT loyalty_grant(''checkout'', ''app'');';

CREATE FUNCTION loyalty_internal.grant_as_owner(role name, rights text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    granted record;
BEGIN
    PERFORM loyalty_internal.require_owner();
    PERFORM loyalty_internal.rights_problem(grant_as_owner.role, grant_as_owner.rights);

    FOR granted IN
        SELECT replace(rights.object, 'ROUTINE ', '')::regprocedure AS routine
        FROM @extschema@.loyalty_rights(grant_as_owner.rights) AS rights
        WHERE rights.privilege = 'EXECUTE'
    LOOP
        IF NOT has_function_privilege(granted.routine, 'EXECUTE WITH GRANT OPTION') THEN
            RAISE EXCEPTION USING
                ERRCODE = 'LY784',
                MESSAGE = format('role "%s" owns schema "loyalty", but may not pass on its functions', current_user),
                DETAIL = format('It may not grant EXECUTE on %s.', granted.routine),
                HINT = 'Let the owner of the extension, or a superuser, call loyalty_grant().';
        END IF;
    END LOOP;

    -- Two sessions that change the rights on one thing would get in each other's way.
    LOCK TABLE loyalty.granted_rights IN SHARE ROW EXCLUSIVE MODE;
    FOR granted IN
        SELECT rights.privilege, rights.object FROM @extschema@.loyalty_rights(grant_as_owner.rights) AS rights
    LOOP
        EXECUTE format('GRANT %s ON %s TO %I', granted.privilege, granted.object, grant_as_owner.role);
    END LOOP;
    INSERT INTO loyalty.granted_rights (role, rights)
    VALUES (grant_as_owner.role, grant_as_owner.rights)
    ON CONFLICT DO NOTHING;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.grant_as_owner(name, text) IS
    'What loyalty_grant() does as the schema''s owner; called by itself, LY783. Example: SELECT '
    'loyalty_grant(''checkout'', ''app'');';

CREATE FUNCTION @extschema@.loyalty_revoke(role name, rights text) RETURNS boolean
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_as_owner';

COMMENT ON FUNCTION @extschema@.loyalty_revoke(name, text) IS
    'Takes a set of rights back from a role, all but what another set of the role holds, too; returns whether the role '
    'had it by loyalty_grant(). What was granted otherwise on the same objects goes, too. Errors: LY780 (no such set), '
    'LY781 (no such role), LY782 (the owner), LY783 (called by somebody else), LY001. Example: SELECT '
    'loyalty_revoke(''checkout'', ''app'');';

CREATE FUNCTION loyalty_internal.revoke_as_owner(role name, rights text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    granted record;
    was_granted boolean;
BEGIN
    PERFORM loyalty_internal.require_owner();
    PERFORM loyalty_internal.rights_problem(revoke_as_owner.role, revoke_as_owner.rights);
    LOCK TABLE loyalty.granted_rights IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM loyalty.granted_rights
    WHERE granted_rights.role = revoke_as_owner.role
        AND granted_rights.rights = revoke_as_owner.rights;
    was_granted := FOUND;
    IF was_granted THEN
        FOR granted IN
            SELECT rights.privilege, rights.object FROM @extschema@.loyalty_rights(revoke_as_owner.rights) AS rights
        LOOP
            EXECUTE format('REVOKE %s ON %s FROM %I', granted.privilege, granted.object, revoke_as_owner.role);
        END LOOP;
        -- The sets overlap.
        PERFORM loyalty_internal.grant_as_owner(kept.role::name, kept.rights::text)
        FROM loyalty.granted_rights AS kept
        WHERE kept.role = revoke_as_owner.role;
    END IF;
    RETURN was_granted;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.revoke_as_owner(name, text) IS
    'What loyalty_revoke() does as the schema''s owner; called by itself, LY783. Example: SELECT '
    'loyalty_revoke(''checkout'', ''app'');';

CREATE FUNCTION @extschema@.loyalty_restore_rights() RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_as_owner';

COMMENT ON FUNCTION @extschema@.loyalty_restore_rights() IS
    'Grants again all that loyalty.granted_rights records, to roles of these names: after a restore without rights '
    '(pg_restore --no-acl), and where roles have come since. loyalty_migrate() does it for roles that have their '
    'rights still. Errors: LY783, LY784. Example: SELECT loyalty_restore_rights();';

CREATE FUNCTION loyalty_internal.restore_rights_as_owner() RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty_internal.require_owner();
    PERFORM loyalty_internal.grant_as_owner(kept.role::name, kept.rights::text)
    FROM loyalty.granted_rights AS kept
    JOIN pg_roles AS grantee ON grantee.rolname = kept.role
    JOIN pg_namespace AS schema ON schema.nspname = 'loyalty' AND schema.nspowner <> grantee.oid;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.restore_rights_as_owner() IS
    'What loyalty_restore_rights() does as the schema''s owner; called by itself, LY783. Example: SELECT '
    'loyalty_restore_rights();';
