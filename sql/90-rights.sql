-- Who may call: nobody but the extension's owner, until he grants it.
--
-- The loop goes over the extension's members, so that no function is forgotten. As a trusted extension its members
-- belong to the bootstrap superuser; whoever created the extension gets EXECUTE from there, and may pass it on. Where
-- the two are one role the grant would be one to the grantor himself.
DO $rights$
DECLARE
    member pg_catalog.regprocedure;
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
        IF pg_catalog.quote_ident(current_user) <> '@extowner@' THEN
            EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO @extowner@ WITH GRANT OPTION', member);
        END IF;
    END LOOP;
END
$rights$;
