-- What is configured names what there is, and values that are known. Lists of many rows are left to the server's
-- constraints.

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
            'EXECUTE FUNCTION loyalty_internal.known_names_trigger()',
            'COMMENT ON TRIGGER "A_known_names" ON loyalty.%1$I IS ''What it names exists.''',

            'CREATE OR REPLACE TRIGGER "A_free_names" AFTER DELETE ON loyalty.%1$I FOR EACH ROW '
            'EXECUTE FUNCTION loyalty_internal.free_names_trigger()',
            'COMMENT ON TRIGGER "A_free_names" ON loyalty.%1$I IS ''Nothing that stays names it.'''
        ] LOOP
            -- Tiers go with their group, and each says itself who holds it.
            CONTINUE WHEN listed = 'tier_groups' AND command LIKE '%A_free_names%';
            EXECUTE format(command, listed);
        END LOOP;
    END LOOP;
END
$do$;

-- The server evaluates a condition for next to nothing, and the constraints are it: the function only says what is
-- wrong.
DO $do$
DECLARE
    judged record;
BEGIN
    FOR judged IN
        SELECT
            list.relation,
            string_agg(
                format(
                    'NOT %s',
                    -- A literal may be spelt like the column.
                    regexp_replace(
                        pg_get_expr(rule.conbin, rule.conrelid),
                        format('(?<![\w"''])%I(?![\w"''])', attribute.attname), format('NEW.%I', attribute.attname), 'g'
                    )
                ),
                ' OR ' ORDER BY attribute.attnum
            ) AS is_wrong
        FROM loyalty.document_tables AS list
        JOIN pg_constraint AS rule ON rule.conrelid = to_regclass(format('loyalty.%I', list.relation))
        JOIN pg_attribute AS attribute ON attribute.attrelid = rule.conrelid AND attribute.attnum = rule.conkey[1]
        WHERE rule.contype = 'c'
            AND cardinality(rule.conkey) = 1
            AND right(rule.conname, 9) = '_is_known'
            AND list.relation NOT IN (
                'products', 'product_segment_members', 'order_segment_members', 'profile_segment_members'
            )
        GROUP BY list.relation
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER known_values BEFORE INSERT OR UPDATE ON loyalty.%I FOR EACH ROW WHEN (%s) '
            'EXECUTE FUNCTION loyalty_internal.known_values_trigger()',
            judged.relation, judged.is_wrong
        );
        EXECUTE format(
            'COMMENT ON TRIGGER known_values ON loyalty.%I IS ''Columns that know certain values have one of them.''',
            judged.relation
        );
    END LOOP;
END
$do$;

-- A year of two digits is a slip of the pen: 17-06-15, read as it stands, is in the year 17.
DO $do$
DECLARE
    dated record;
BEGIN
    FOR dated IN
        SELECT
            list.relation,
            string_agg(format('%L', attribute.attname), ', ' ORDER BY attribute.attnum) AS columns,
            string_agg(
                format('NEW.%1$I > ''-infinity'' AND NEW.%1$I < ''0100-01-01''', attribute.attname),
                ' OR ' ORDER BY attribute.attnum
            ) AS is_wrong
        FROM loyalty.document_tables AS list
        JOIN pg_attribute AS attribute ON attribute.attrelid = to_regclass(format('loyalty.%I', list.relation))
        WHERE attribute.atttypid IN ('date'::regtype, 'timestamptz'::regtype)
            AND attribute.attnum > 0
            AND NOT attribute.attisdropped
            AND attribute.attname NOT IN ('created_at', 'updated_at')
        GROUP BY list.relation
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER whole_years BEFORE INSERT OR UPDATE ON loyalty.%I FOR EACH ROW WHEN (%s) '
            'EXECUTE FUNCTION loyalty_internal.whole_years_trigger(%s)',
            dated.relation, dated.is_wrong, dated.columns
        );
        EXECUTE format(
            'COMMENT ON TRIGGER whole_years ON loyalty.%I IS ''No date is in a year of two digits.''', dated.relation
        );
    END LOOP;
END
$do$;

-- Ids never change: what points at them, inside and outside, would point at nothing. A product may have another sku:
-- lists and terms follow it.
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
            'EXECUTE FUNCTION loyalty_internal.fixed_key_trigger(%5$L)',
            fixed.relation,
            fixed.columns,
            regexp_replace(fixed.columns, '(\w+)', 'NEW.\1', 'g'),
            regexp_replace(fixed.columns, '(\w+)', 'OLD.\1', 'g'),
            loyalty_internal.noun(fixed.relation::name)
        );
        EXECUTE format('COMMENT ON TRIGGER fix_key ON loyalty.%I IS %L', fixed.relation, 'The id cannot be changed.');
    END LOOP;
END
$do$;

CREATE OR REPLACE TRIGGER upper_case
    BEFORE INSERT ON loyalty.promo_codes
    FOR EACH ROW
    WHEN (NEW.code <> upper(NEW.code))
    EXECUTE FUNCTION loyalty_internal.promo_codes_trigger();
COMMENT ON TRIGGER upper_case ON loyalty.promo_codes IS 'Codes are stored in upper case.';
