-- Which roles have which sets of rights: what loyalty_grant() has granted.

-- Roles by name, as in a dump: where one is restored that lacks the role, the row is of no use, and does no harm.
CREATE TABLE loyalty.granted_rights (
    role name NOT NULL,
    rights text COLLATE "C" NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    granted_by name NOT NULL DEFAULT session_user,
    CONSTRAINT granted_rights_pkey PRIMARY KEY (role, rights),
    CONSTRAINT granted_rights_rights_are_known CHECK (rights IN ('app', 'admin', 'report', 'jobs'))
);

COMMENT ON TABLE loyalty.granted_rights IS
    'Sets of rights that loyalty_grant() has granted; loyalty_migrate() grants them again on what has come since.';
COMMENT ON COLUMN loyalty.granted_rights.role IS 'The role.';
COMMENT ON COLUMN loyalty.granted_rights.rights IS 'The set: app, admin, report or jobs. See loyalty_rights().';
COMMENT ON COLUMN loyalty.granted_rights.granted_at IS 'When it was granted, by the real clock.';
COMMENT ON COLUMN loyalty.granted_rights.granted_by IS 'The role whose session granted it.';
