-- What works on this schema.

-- It goes with the extension and comes with loyalty_migrate(); loyalty.require_library() looks whether it is there.
CREATE OR REPLACE VIEW loyalty.library AS
SELECT
    schema_version.version AS schema_version,
    @extschema@.loyalty_schema_version() AS library_schema_version,
    schema_version.library AS library
FROM loyalty.schema_version;

COMMENT ON VIEW loyalty.library IS
    'What works on this schema: one row. Where the view is missing, run loyalty_migrate().';
COMMENT ON COLUMN loyalty.library.schema_version IS 'Version of the tables.';
COMMENT ON COLUMN loyalty.library.library_schema_version IS
    'Version of the tables that the library works with; they differ when loyalty_migrate() is due.';
COMMENT ON COLUMN loyalty.library.library IS 'Version of the extension that migrated the tables last.';
