-- What is configured names what there is, and values that are known. Lists of many rows are left to the server's constraints.

DO $do$
DECLARE
    listed text;
    command text;
BEGIN
    FOR listed IN
        SELECT list.relation
        FROM loyalty.document_tables AS list
        WHERE list.relation NOT IN (
            'products', 'product_segment_members', 'order_segment_members', 'profile_segment_members'
        )
        ORDER BY list.rank
    LOOP
        FOREACH command IN ARRAY ARRAY[
            -- Triggers come in the order of their names, and those of foreign keys are called RI_...
            'CREATE OR REPLACE TRIGGER "A_known_names" AFTER INSERT OR UPDATE ON loyalty.%1$I FOR EACH ROW '
            'EXECUTE FUNCTION @extschema@.loyalty_known_names_trigger()',
            'COMMENT ON TRIGGER "A_known_names" ON loyalty.%1$I IS ''What it names exists.''',

            'CREATE OR REPLACE TRIGGER "A_free_names" AFTER DELETE ON loyalty.%1$I FOR EACH ROW '
            'EXECUTE FUNCTION @extschema@.loyalty_free_names_trigger()',
            'COMMENT ON TRIGGER "A_free_names" ON loyalty.%1$I IS ''Nothing that stays names it.''',

            'CREATE OR REPLACE TRIGGER known_values BEFORE INSERT OR UPDATE ON loyalty.%1$I FOR EACH ROW '
            'EXECUTE FUNCTION @extschema@.loyalty_known_values_trigger()',
            'COMMENT ON TRIGGER known_values ON loyalty.%1$I IS ''Columns that know certain values have one of them.'''
        ] LOOP
            -- Tiers go with their group, and each says itself who holds it.
            CONTINUE WHEN listed = 'tier_groups' AND command LIKE '%A_free_names%';
            EXECUTE format(command, listed);
        END LOOP;
    END LOOP;
END
$do$;

-- Ids never change: what points at them, inside and outside, would point at nothing. A product may have another sku: lists
-- and terms follow it.
DO $do$
DECLARE
    fixed record;
BEGIN
    FOR fixed IN
        SELECT *
        FROM (
            VALUES
                ('profile_databases', 'external_id'),
                ('programs', 'external_id'),
                ('order_statuses', 'external_id'),
                ('point_types', 'program, external_id')
        ) AS list (relation, columns)
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER fix_key BEFORE UPDATE OF %2$s ON loyalty.%1$I FOR EACH ROW '
            'WHEN ((%3$s) IS DISTINCT FROM (%4$s)) '
            'EXECUTE FUNCTION @extschema@.loyalty_fixed_key_trigger(%5$L)',
            fixed.relation,
            fixed.columns,
            regexp_replace(fixed.columns, '(\w+)', 'NEW.\1', 'g'),
            regexp_replace(fixed.columns, '(\w+)', 'OLD.\1', 'g'),
            @extschema@.loyalty_noun(fixed.relation::name)
        );
        EXECUTE format('COMMENT ON TRIGGER fix_key ON loyalty.%I IS %L', fixed.relation, 'The id cannot be changed.');
    END LOOP;
END
$do$;

CREATE OR REPLACE TRIGGER upper_case
    BEFORE INSERT ON loyalty.promo_codes
    FOR EACH ROW
    WHEN (NEW.code <> upper(NEW.code))
    EXECUTE FUNCTION @extschema@.loyalty_promo_codes_trigger();
COMMENT ON TRIGGER upper_case ON loyalty.promo_codes IS 'Codes are stored in upper case.';
