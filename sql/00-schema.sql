-- The clock, and the schema: made once, migrated by every new version of the library.

CREATE FUNCTION @extschema@.loyalty_now() RETURNS timestamptz
    LANGUAGE C STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_now';

COMMENT ON FUNCTION @extschema@.loyalty_now() IS
    'The program''s only clock: the start of the transaction, unless the schema''s owner has set a simulated clock '
    'with loyalty_set_clock(). Example: SELECT loyalty_now();';

CREATE FUNCTION @extschema@.loyalty_wall_clock() RETURNS timestamptz
    LANGUAGE C VOLATILE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_wall_clock';

COMMENT ON FUNCTION @extschema@.loyalty_wall_clock() IS
    'The clock that judges the time-outs of holds: the clock on the wall, which goes on within a transaction, unless '
    'there is a simulated one. Example: SELECT loyalty_wall_clock();';

CREATE FUNCTION @extschema@.loyalty_schema_version() RETURNS integer
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_schema_version';

COMMENT ON FUNCTION @extschema@.loyalty_schema_version() IS
    'Version of schema loyalty that this library works with. Example: SELECT loyalty_schema_version();';

-- What is done to the schema is done as its owner, whoever of those who may act as the owner calls: a function of this
-- kind in C lets the one of its name with _as_owner do the work, in which it has become that role. Tables may have
-- triggers, constraints and views of the owner's, who is not to gain a superuser's rights by being served by one.

CREATE FUNCTION loyalty_internal.require_owner() RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_require_owner';

COMMENT ON FUNCTION loyalty_internal.require_owner() IS
    'LY783 unless the work is being done as the owner of schema loyalty, by one of the functions that see to that. '
    'Example: SELECT loyalty_internal.require_owner();';

CREATE FUNCTION loyalty_internal.let_owner_act() RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    owner CONSTANT regrole := (SELECT nspowner FROM pg_namespace WHERE nspname = 'loyalty');
    lacking record;
BEGIN
    -- Whoever owns the schema without having created the extension needs its functions, and passes them on.
    FOR lacking IN
        SELECT function.oid::regprocedure AS name
        FROM pg_proc AS function
        JOIN pg_depend AS dependency
            ON dependency.classid = 'pg_proc'::regclass
            AND dependency.objid = function.oid
            AND dependency.refclassid = 'pg_extension'::regclass
            AND dependency.deptype = 'e'
        JOIN pg_extension AS extension ON extension.oid = dependency.refobjid
        WHERE extension.extname = 'loyalty'
            AND NOT has_function_privilege(owner, function.oid, 'EXECUTE WITH GRANT OPTION')
            AND has_function_privilege(function.oid, 'EXECUTE WITH GRANT OPTION')
    LOOP
        EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %s WITH GRANT OPTION', lacking.name, owner);
    END LOOP;

    -- A superuser may have made what the owner has to be able to change.
    FOR lacking IN
        SELECT relation.oid::regclass AS name
        FROM pg_class AS relation
        JOIN pg_namespace AS schema ON schema.oid = relation.relnamespace
        WHERE schema.nspname = 'loyalty'
            AND relation.relkind IN ('r', 'p', 'v')
            AND relation.relowner <> owner
            AND pg_has_role(relation.relowner, 'USAGE')
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO %s', lacking.name, owner);
    END LOOP;
    FOR lacking IN
        SELECT function.oid::regprocedure AS name
        FROM pg_proc AS function
        JOIN pg_namespace AS schema ON schema.oid = function.pronamespace
        WHERE schema.nspname = 'loyalty'
            AND function.proowner <> owner
            AND pg_has_role(function.proowner, 'USAGE')
    LOOP
        EXECUTE format('ALTER ROUTINE %s OWNER TO %s', lacking.name, owner);
    END LOOP;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.let_owner_act() IS
    'Lets the owner of schema loyalty act, as far as the caller can: the owner may execute and pass on the functions '
    'of the extension, and owns what is in the schema. Called by loyalty_migrate(), loyalty_grant() and their like '
    'before they become that role. Example: SELECT loyalty_internal.let_owner_act();';

CREATE FUNCTION @extschema@.loyalty_migrate() RETURNS integer
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_as_owner';

COMMENT ON FUNCTION @extschema@.loyalty_migrate() IS
    'Brings schema loyalty to the version of this library and makes its triggers and views anew, as the schema''s '
    'owner; returns the version. Where the rules of calculation have changed, each program gets a new version of the '
    'same promotion tree, and notices tell of which groups and promotions figures may change. '
    'May be run at any time. Errors: LY001 (no schema), LY002 (schema newer than the library), LY783 '
    '(called by somebody else). Example: SELECT loyalty_migrate();';

CREATE FUNCTION loyalty_internal.migrate_as_owner() RETURNS integer
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    known CONSTANT integer := @extschema@.loyalty_schema_version();
    found_version integer;
    granted name[];
    statement text;
BEGIN
    PERFORM loyalty_internal.require_owner();
    IF to_regclass('loyalty.schema_version') IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY001',
            MESSAGE = CASE
                WHEN to_regnamespace('loyalty') IS NULL THEN 'schema "loyalty" does not exist'
                ELSE 'schema "loyalty" was not made by loyalty_create_schema()'
            END,
            HINT = CASE
                WHEN to_regnamespace('loyalty') IS NULL THEN 'Run SELECT loyalty_create_schema().'
                ELSE 'Rename the schema of that name, then run SELECT loyalty_create_schema().'
            END,
            SCHEMA = 'loyalty';
    END IF;

    -- Locking the row makes two migrations come one after the other.
    SELECT schema_version.version INTO found_version FROM loyalty.schema_version FOR UPDATE;
    IF found_version > known THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY002',
            MESSAGE = 'schema "loyalty" is newer than the extension "loyalty"',
            DETAIL = format('The schema has version %s, this library works with version %s.', found_version, known),
            HINT = 'Install the library that migrated the schema, and run ALTER EXTENSION loyalty UPDATE.',
            SCHEMA = 'loyalty';
    END IF;

    -- What tables of an older schema lack: a folder of steps for each version, tested from every released one.
    IF found_version < 2 THEN
        -- include migrations/2
    END IF;

    -- execute live

    PERFORM loyalty_internal.adopt_rules();

    UPDATE loyalty.schema_version
    SET version = known,
        library = (SELECT extension.extversion FROM pg_extension AS extension WHERE extension.extname = 'loyalty'),
        updated_at = loyalty.clock();

    -- Sets of rights reach what has come since. A role that was dropped, or to which the schema is closed, has lost its
    -- sets; another one of its name has none. Where nobody has any, the schema was restored without rights, and the
    -- record of them is all there is: loyalty_restore_rights() goes by it.
    SELECT array_agg(grantee.rolname) INTO granted
    FROM pg_namespace AS schema
    CROSS JOIN LATERAL aclexplode(schema.nspacl) AS entry
    JOIN pg_roles AS grantee ON grantee.oid = entry.grantee AND grantee.oid <> schema.nspowner
    WHERE schema.nspname = 'loyalty';
    DELETE FROM loyalty.granted_rights AS stale WHERE stale.role <> ALL (granted);
    PERFORM loyalty_internal.grant_as_owner(kept.role::name, kept.rights::text)
    FROM loyalty.granted_rights AS kept
    WHERE kept.role = ANY (granted);
    RETURN known;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.migrate_as_owner() IS
    'What loyalty_migrate() does as the schema''s owner; called by itself, LY783. Example: SELECT loyalty_migrate();';

CREATE FUNCTION @extschema@.loyalty_create_schema(seed boolean DEFAULT true, partitioned integer DEFAULT 0)
    RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    most_partitions CONSTANT integer := 1024;
    statement text;
BEGIN
    IF to_regnamespace('loyalty') IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY003',
            MESSAGE = 'schema "loyalty" already exists',
            HINT = 'If it holds a loyalty program, run SELECT loyalty_migrate() to bring it to this library.',
            SCHEMA = 'loyalty';
    END IF;

    IF partitioned < 0 OR partitioned > most_partitions THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY104',
            MESSAGE = 'the number of partitions is out of range',
            DETAIL = format('It is %s.', partitioned),
            HINT = format('It is 0, for tables that are not partitioned, to %s.', most_partitions);
    END IF;

    -- execute tables

    IF partitioned > 0 THEN
        PERFORM loyalty_internal.partition_tables(partitioned);
    END IF;

    REVOKE ALL ON SCHEMA loyalty FROM PUBLIC;
    REVOKE ALL ON ALL TABLES IN SCHEMA loyalty FROM PUBLIC;
    REVOKE ALL ON ALL FUNCTIONS IN SCHEMA loyalty FROM PUBLIC;

    INSERT INTO loyalty.schema_version (version, library)
    SELECT @extschema@.loyalty_schema_version(), extension.extversion
    FROM pg_extension AS extension
    WHERE extension.extname = 'loyalty';
    PERFORM @extschema@.loyalty_migrate();

    IF seed THEN
        INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
        VALUES ('profiles', 'Bundled profiles', 'loyalty.profiles', 'key');

        INSERT INTO loyalty.order_statuses (position, external_id, name, kind)
        VALUES
            (0, 'new', 'New', 'open'),
            (1, 'confirmed', 'Confirmed', 'open'),
            (2, 'paid', 'Paid', 'open'),
            (3, 'processing', 'Processing', 'open'),
            (4, 'delivering', 'Delivering', 'open'),
            (5, 'delivered', 'Delivered', 'delivered'),
            (6, 'part_refunded', 'Partly refunded', 'delivered'),
            (7, 'canceled', 'Cancelled', 'cancelled'),
            (8, 'refunded', 'Refunded', 'refunded');
    END IF;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_create_schema(boolean, integer) IS
    'Makes schema loyalty with its tables, owned by the caller; with seed (default) also the usual order statuses '
    'and the bundled profile database. With partitioned, the tables of transactions and orders are in so many parts, '
    'by hash of the member or buyer; it cannot be changed later. Errors: LY003 (the schema exists), LY104. Example: '
    'SELECT loyalty_create_schema();';
