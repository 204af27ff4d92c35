-- Set admin keeps its hands off what the triggers keep up.
DO $do$
DECLARE
    admin name;
BEGIN
    FOR admin IN
        SELECT granted.role
        FROM loyalty.granted_rights AS granted
        JOIN pg_roles ON pg_roles.rolname = granted.role
        WHERE granted.rights = 'admin'
    LOOP
        EXECUTE format(
            'REVOKE INSERT, UPDATE, DELETE ON loyalty.drafts, loyalty.product_predicates, loyalty.product_memberships '
            'FROM %I',
            admin
        );
    END LOOP;
END
$do$;
