-- The schema, its clock and what every table shares.

CREATE SCHEMA loyalty;

COMMENT ON SCHEMA loyalty IS
    'The loyalty program: configuration, members, points. Made by loyalty_create_schema(), kept up by '
    'loyalty_migrate(); without the extension its tables are read-only.';

-- Byte order, not a locale's: ties between nodes are broken by external ids, and an index must survive an upgrade of
-- the operating system's collations.
CREATE DOMAIN loyalty.external_id AS text COLLATE "C"
    CONSTRAINT external_id_is_not_empty CHECK (VALUE <> '')
    CONSTRAINT external_id_has_no_blanks_around CHECK (VALUE !~ '^\s|\s$')
    CONSTRAINT external_id_has_at_most_255_bytes CHECK (octet_length(VALUE) <= 255);

COMMENT ON DOMAIN loyalty.external_id IS
    'The name by which the outside world knows an entity: 1 to 255 bytes, no blanks around it, compared byte by byte.';

-- Defaults call this function and not the extension's own clock, because DROP EXTENSION ... CASCADE would take the
-- defaults along. The body is text, so nothing depends on the extension; loyalty_migrate() makes it anew.
CREATE FUNCTION loyalty.clock() RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $clock$ SELECT @extschema@.loyalty_now() $clock$;

COMMENT ON FUNCTION loyalty.clock() IS
    'The program''s clock, loyalty_now(), for the defaults of columns. Example: SELECT loyalty.clock();';

-- The triggers that check and keep up the tables belong to the extension and go with DROP EXTENSION ... CASCADE.
-- This one stays: it depends on nothing of the extension and only looks whether loyalty_migrate() has brought the
-- view loyalty.library back, which goes and comes with those triggers. So no row slips in unchecked in between. Every
-- booking passes here, so names are qualified: pinning the search path would cost three times the rest.
CREATE FUNCTION loyalty.require_library() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    AS $guard$
BEGIN
    IF pg_catalog.to_regclass('loyalty.library') IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY004',
            MESSAGE = pg_catalog.format(
                'table "%s.%s" is read-only without the extension "loyalty"', TG_TABLE_SCHEMA, TG_TABLE_NAME
            ),
            HINT = 'Run CREATE EXTENSION loyalty, if it is missing, and then SELECT loyalty_migrate().',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END
$guard$;

COMMENT ON FUNCTION loyalty.require_library() IS
    'Trigger: refuses changes (LY004) while the extension, and with it the triggers of the table, is missing.';

CREATE TABLE loyalty.schema_version (
    version integer NOT NULL,
    library text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT schema_version_pkey PRIMARY KEY (version),
    CONSTRAINT schema_version_is_positive CHECK (version > 0)
);

CREATE UNIQUE INDEX schema_version_has_one_row ON loyalty.schema_version ((true));

COMMENT ON TABLE loyalty.schema_version IS 'What these tables are: one row.';
COMMENT ON COLUMN loyalty.schema_version.version IS 'Version of the tables, from 1; rises with loyalty_migrate().';
COMMENT ON COLUMN loyalty.schema_version.library IS 'Version of the extension that migrated the tables last.';
COMMENT ON COLUMN loyalty.schema_version.created_at IS 'When the tables were made.';
COMMENT ON COLUMN loyalty.schema_version.updated_at IS 'When they were migrated last.';
