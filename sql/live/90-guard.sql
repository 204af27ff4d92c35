-- Without the extension, the tables that its triggers check or keep up are read-only: see loyalty.require_library().
-- The bundled profiles are not among them, since nothing checks those, nor is the version, which migrating needs.

DO $do$
DECLARE
    guarded regclass;
BEGIN
    FOR guarded IN
        SELECT oid
        FROM pg_class
        WHERE relnamespace = 'loyalty'::regnamespace
            AND relkind IN ('r', 'p')
            AND relname NOT IN ('profiles', 'schema_version')
        ORDER BY relname
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER require_library BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s '
            'FOR EACH STATEMENT EXECUTE FUNCTION loyalty.require_library()',
            guarded
        );
        EXECUTE format(
            'COMMENT ON TRIGGER require_library ON %s IS %L',
            guarded,
            'Refuses changes while the extension is missing.'
        );
    END LOOP;
END
$do$;
