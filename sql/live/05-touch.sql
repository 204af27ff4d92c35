-- updated_at of every entity: of every table that says when its rows were made and when they were changed last.

DO $do$
DECLARE
    entity regclass;
BEGIN
    FOR entity IN
        SELECT class.oid
        FROM pg_class AS class
        WHERE class.relnamespace = 'loyalty'::regnamespace
            AND class.relkind IN ('r', 'p')
            AND NOT class.relispartition
            AND class.relname <> 'schema_version'
            AND (
                SELECT count(*)
                FROM pg_attribute
                WHERE attrelid = class.oid AND attname IN ('created_at', 'updated_at')
            ) = 2
        ORDER BY class.relname
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER touch BEFORE UPDATE ON %s '
            'FOR EACH ROW EXECUTE FUNCTION loyalty_internal.touch_trigger()',
            entity
        );
        EXECUTE format('COMMENT ON TRIGGER touch ON %s IS %L', entity, 'Sets updated_at.');
    END LOOP;
END
$do$;
