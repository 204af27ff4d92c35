-- What functions of 0.1.0 there are no more, or whose arguments or result have other names or types: dropped here, by the
-- signature that they had, for CREATE OR REPLACE cannot change that. Where a view or trigger of schema loyalty used one, it
-- is dropped before (IF EXISTS, for the schema may not be there); loyalty_migrate() makes it anew. Never CASCADE: what users
-- built on a function is not ours to drop, and the update tells them.

DROP FUNCTION @extschema@.loyalty_check_names(anyelement);
DROP FUNCTION @extschema@.loyalty_end_promotion(text, text);
DROP FUNCTION @extschema@.loyalty_explain(jsonb);
DROP FUNCTION @extschema@.loyalty_fire(text, text, text, text, numeric, text, text);
DROP FUNCTION @extschema@.loyalty_generate_promo_codes(text, text, text, bigint, timestamptz, text);
DROP FUNCTION @extschema@.loyalty_import_promo_codes(text, text, regclass, name, timestamptz);
DROP FUNCTION @extschema@.loyalty_points_chart(text, text, integer);

-- Until loyalty_migrate() brings it back, the tables are read-only: see loyalty.require_library().
DROP VIEW IF EXISTS loyalty.library;

