-- What functions of 0.1.0 there are no more, or whose arguments or result have other names or types: dropped here, by
-- the signature that they had, for CREATE OR REPLACE cannot change that. Where a view or trigger of schema loyalty used
-- one, it is dropped before (IF EXISTS, for the schema may not be there); loyalty_migrate() makes it anew. Never
-- CASCADE: what users built on a function is not ours to drop, and the update tells them.

DROP FUNCTION @extschema@.loyalty_check_names(anyelement);
DROP FUNCTION @extschema@.loyalty_create_schema(boolean);
DROP FUNCTION @extschema@.loyalty_end_promotion(text, text);
DROP FUNCTION @extschema@.loyalty_explain(jsonb);
DROP FUNCTION @extschema@.loyalty_fire(text, text, text, text, numeric, text, text);
DROP FUNCTION @extschema@.loyalty_generate_promo_codes(text, text, text, bigint, timestamptz, text);
DROP FUNCTION @extschema@.loyalty_import_promo_codes(text, text, regclass, name, timestamptz);
DROP FUNCTION @extschema@.loyalty_points_chart(text, text, integer);

-- Moved into loyalty_internal; sql/89-stubs.sql keeps the names of those that tables of 0.1.0 name.
DROP FUNCTION @extschema@.loyalty_bar(numeric, numeric, integer);
DROP FUNCTION @extschema@.loyalty_begin_job(text);
DROP FUNCTION @extschema@.loyalty_check_benefit_names(text, text, jsonb);
DROP FUNCTION @extschema@.loyalty_check_combinations(text, text[]);
DROP FUNCTION @extschema@.loyalty_check_groups(text, text[]);
DROP FUNCTION @extschema@.loyalty_check_references(text, text);
DROP FUNCTION @extschema@.loyalty_check_time_zone(text, text);
DROP FUNCTION @extschema@.loyalty_drop_unused_predicates(text);
DROP FUNCTION @extschema@.loyalty_has_balances(text);
DROP FUNCTION @extschema@.loyalty_is_erasing();
DROP FUNCTION @extschema@.loyalty_job_batch(text, integer, interval);
DROP FUNCTION @extschema@.loyalty_lock_draft(text);
DROP FUNCTION @extschema@.loyalty_lock_predicates(text);
DROP FUNCTION @extschema@.loyalty_make_predicates(text);
DROP FUNCTION @extschema@.loyalty_needed_predicates(text);
DROP FUNCTION @extschema@.loyalty_next_position(text, text);
DROP FUNCTION @extschema@.loyalty_pays_with_points(text, jsonb);
DROP FUNCTION @extschema@.loyalty_predicate_problem(jsonpath);
DROP FUNCTION @extschema@.loyalty_refuse_archived(text, text, text);
DROP FUNCTION @extschema@.loyalty_refuse_cycle(text, text);
DROP FUNCTION @extschema@.loyalty_refuse_ended(text, text);
DROP FUNCTION @extschema@.loyalty_refuse_reference(text, text, text, text, text, text);
DROP FUNCTION @extschema@.loyalty_require_read_committed(text);
DROP FUNCTION @extschema@.loyalty_review_tier_group(text, text);
DROP FUNCTION @extschema@.loyalty_rights_problem(name, text);
DROP FUNCTION @extschema@.loyalty_settle_tier_group(text, text);
DROP FUNCTION @extschema@.loyalty_version_using(text, text, text[]);

-- Until loyalty_migrate() brings it back, the tables are read-only: see loyalty.require_library().
DROP VIEW IF EXISTS loyalty.library;

CREATE SCHEMA loyalty_internal;
