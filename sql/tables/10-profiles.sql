-- Whose points they are: profile databases and the bundled one.

CREATE TABLE loyalty.profile_databases (
    external_id loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    relation regclass NOT NULL,
    key_column name NOT NULL,
    email_column name,
    phone_column name,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT profile_databases_pkey PRIMARY KEY (external_id),
    -- Otherwise a second row for the same people would be a way around "one active program per profile database".
    CONSTRAINT profile_databases_relation_key UNIQUE (relation, key_column),
    CONSTRAINT profile_databases_name_is_not_blank CHECK (name ~ '\S')
);

COMMENT ON TABLE loyalty.profile_databases IS
    'Tables or views of customers'' profiles, each with the column that identifies a customer.';
COMMENT ON COLUMN loyalty.profile_databases.external_id IS 'External id, unique.';
COMMENT ON COLUMN loyalty.profile_databases.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.profile_databases.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.profile_databases.relation IS
    'The table, view, materialized view or foreign table that holds the profiles.';
COMMENT ON COLUMN loyalty.profile_databases.key_column IS
    'Its column that identifies a profile; its text is the member key, not empty and unique.';
COMMENT ON COLUMN loyalty.profile_databases.email_column IS
    'Its column with the e-mail address, for look-ups; null: none.';
COMMENT ON COLUMN loyalty.profile_databases.phone_column IS
    'Its column with the telephone number, for look-ups; null: none.';
COMMENT ON COLUMN loyalty.profile_databases.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.profile_databases.updated_at IS 'When the row was changed last.';

CREATE TABLE loyalty.profiles (
    key text COLLATE "C" NOT NULL,
    attributes jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT profiles_pkey PRIMARY KEY (key),
    CONSTRAINT profiles_key_is_not_empty CHECK (key <> ''),
    CONSTRAINT profiles_attributes_are_an_object CHECK (jsonb_typeof(attributes) = 'object')
);

COMMENT ON TABLE loyalty.profiles IS
    'The bundled profile database, for those who have no table of customers of their own.';
COMMENT ON COLUMN loyalty.profiles.key IS
    'What identifies the customer, not empty; best an opaque key rather than an e-mail address.';
COMMENT ON COLUMN loyalty.profiles.attributes IS 'What is known about the customer: a JSON object.';
