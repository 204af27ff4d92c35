-- Until version 1.0: functions of 0.1.0 that moved into schema loyalty_internal, but that triggers and views of its
-- tables name. A dump of 0.1.0 restores where they are there by their old names, and ALTER EXTENSION ... UPDATE finds
-- the triggers and views that it left; loyalty_migrate() makes these anew, and nothing names a stub any more. Not for
-- users. At 1.0, which is reached from 0.1.0 by way of a version before it, this file goes, and its name from the sets
-- of rights in 68-roles.sql.

-- Trigger functions: one body, which refuses. What was a check of 0.1.0 cannot judge tables of a version that it does
-- not know.
DO $stubs$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'loyalty_append_only_trigger', 'loyalty_applied_ratios_trigger', 'loyalty_archive_trigger',
        'loyalty_check_combinations_trigger', 'loyalty_check_groups_trigger', 'loyalty_check_prices_trigger',
        'loyalty_check_references_trigger', 'loyalty_currency_scale_trigger', 'loyalty_events_trigger',
        'loyalty_fixed_key_trigger', 'loyalty_forget_products_trigger', 'loyalty_invalidate_cache_trigger',
        'loyalty_judge_products_trigger', 'loyalty_keep_predicates_trigger', 'loyalty_named_delete_trigger',
        'loyalty_new_program_trigger', 'loyalty_new_version_trigger', 'loyalty_notify_trigger',
        'loyalty_orders_trigger', 'loyalty_partner_products_trigger', 'loyalty_partners_trigger',
        'loyalty_point_types_delete_trigger', 'loyalty_point_types_trigger',
        'loyalty_profile_databases_trigger', 'loyalty_programs_trigger', 'loyalty_promo_code_pools_trigger',
        'loyalty_promotion_benefits_trigger', 'loyalty_promotion_conditions_trigger',
        'loyalty_promotion_groups_delete_trigger', 'loyalty_promotion_groups_trigger',
        'loyalty_promotion_parts_delete_trigger', 'loyalty_promotion_versions_trigger',
        'loyalty_promotions_delete_trigger', 'loyalty_promotions_trigger', 'loyalty_refuse_truncate_trigger',
        'loyalty_segments_delete_trigger', 'loyalty_segments_trigger', 'loyalty_settle_tier_group_trigger',
        'loyalty_settle_tiers_trigger', 'loyalty_static_segment_trigger', 'loyalty_tier_groups_trigger',
        'loyalty_tiers_delete_trigger', 'loyalty_tiers_trigger', 'loyalty_touch_trigger',
        'loyalty_transactions_trigger', 'loyalty_trigger_promotions_trigger', 'loyalty_trigger_rules_trigger'
    ] LOOP
        EXECUTE $stub$
CREATE FUNCTION @extschema@.$stub$ || name || $stub$() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $refuse$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'LY004',
        MESSAGE = format('table "%s.%s" is read-only until the schema is migrated', TG_TABLE_SCHEMA, TG_TABLE_NAME),
        HINT = 'Run SELECT loyalty_migrate().',
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = TG_TABLE_NAME;
END
$refuse$
        $stub$;
        EXECUTE 'COMMENT ON FUNCTION @extschema@.' || name || '() IS '
            || quote_literal(
                'Until 1.0, for dumps of 0.1.0: refuses changes (LY004) until loyalty_migrate() has been run.');
    END LOOP;
END
$stubs$;

-- What conditions of triggers and views call works.

CREATE FUNCTION @extschema@.loyalty_is_reverting() RETURNS boolean
    LANGUAGE C STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_is_reverting';

COMMENT ON FUNCTION @extschema@.loyalty_is_reverting() IS
    'Until 1.0, for dumps of 0.1.0: loyalty_internal.is_reverting().';

CREATE FUNCTION @extschema@.loyalty_report_figures(report text) RETURNS SETOF record
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'loyalty_report_figures';

COMMENT ON FUNCTION @extschema@.loyalty_report_figures(text) IS
    'Until 1.0, for dumps of 0.1.0: loyalty_internal.report_figures().';

CREATE FUNCTION @extschema@.loyalty_moment(at timestamptz, time_zone text) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$ SELECT loyalty_internal.moment(at, time_zone) $body$;

COMMENT ON FUNCTION @extschema@.loyalty_moment(timestamptz, text) IS
    'Until 1.0, for dumps of 0.1.0: loyalty_internal.moment().';

CREATE FUNCTION @extschema@.loyalty_expand_predicate(kind text, program text, predicate jsonpath) RETURNS jsonpath
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$ SELECT loyalty_internal.expand_predicate(kind, program, predicate) $body$;

COMMENT ON FUNCTION @extschema@.loyalty_expand_predicate(text, text, jsonpath) IS
    'Until 1.0, for dumps of 0.1.0: loyalty_internal.expand_predicate().';
