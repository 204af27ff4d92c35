-- Who may call: nobody but the extension's owner, who may grant it.
--
-- The loop goes over the extension's members, so that no function is forgotten. As a trusted extension its members
-- belong to the bootstrap superuser; whoever created the extension gets EXECUTE from there, and may pass it on. So does
-- the database's owner: where a superuser restores the owner's dump, it is the superuser who creates the extension, and
-- the owner's grants follow. The grantor itself needs none.
DO $rights$
DECLARE
    member pg_catalog.regprocedure;
    manager pg_catalog.regrole;
BEGIN
    FOR member IN
        SELECT dependency.objid
        FROM pg_catalog.pg_depend AS dependency
        JOIN pg_catalog.pg_extension AS extension ON extension.oid = dependency.refobjid
        WHERE dependency.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            AND dependency.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
            AND dependency.deptype = 'e'
            AND extension.extname = 'loyalty'
    LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', member);
        FOR manager IN
            SELECT extension.extowner
            FROM pg_catalog.pg_extension AS extension
            WHERE extension.extname = 'loyalty'
            UNION
            SELECT database.datdba
            FROM pg_catalog.pg_database AS database
            WHERE database.datname = pg_catalog.current_database()
        LOOP
            IF manager <> current_user::pg_catalog.regrole THEN
                EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO %s WITH GRANT OPTION', member, manager);
            END IF;
        END LOOP;
    END LOOP;

    -- In a cluster an update brings back what loyalty_distribute() has granted.
    IF loyalty_internal.is_cluster() THEN
        PERFORM loyalty_internal.let_callers_through();
    END IF;
END
$rights$;
