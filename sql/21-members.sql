-- Members: enrolling, removing, finding and erasing them.

CREATE FUNCTION @extschema@.loyalty_enrol(
    member text,
    program text,
    registered_at timestamptz DEFAULT NULL,
    registered_field text DEFAULT NULL
) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_enrol';

COMMENT ON FUNCTION @extschema@.loyalty_enrol(text, text, timestamptz, text) IS
    'Makes a profile a member: registered at the given moment, by the named field of the profile, or now. The first '
    'enrolment grants the initial balances; a removed member resumes, a member stays as it is. Answers with the row of '
    'loyalty.members and outcome enrolled, resumed or unchanged. Errors: LY201, LY202, LY203 (not in the profile '
    'database), LY702 (no such field), LY703 (in the future), LY704 (unreadable), LY706 (several profiles '
    'have the key). Example: SELECT loyalty_enrol(''ann'', ''main'');';

CREATE FUNCTION loyalty_internal.members_trigger() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'loyalty_members_trigger';

COMMENT ON FUNCTION loyalty_internal.members_trigger() IS
    'Trigger of loyalty.members, before the insert of a row without enrolled_at, and after insert statements '
    '(transition table "written"): enrols as loyalty_enrol() does; a row with enrolled_at is taken as it stands. '
    'Errors: LY202, LY203 (not in the profile database), LY211, LY703. Example: CREATE TRIGGER ... REFERENCING NEW '
    'TABLE AS written ... EXECUTE FUNCTION loyalty_internal.members_trigger();';

-- Statements about thousands of members look dear, and are soon done: compiling them would take longer (measured).
CREATE FUNCTION @extschema@.loyalty_enrol_all(
    program text,
    registered_at timestamptz DEFAULT NULL,
    registered_field text DEFAULT NULL
) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'loyalty_enrol_all';

COMMENT ON FUNCTION @extschema@.loyalty_enrol_all(text, timestamptz, text) IS
    'Makes all profiles of the program''s profile database members, as loyalty_enrol() does one; progress by NOTICE. '
    'Rows without a key, with a key that another row has, or without a readable registration date that is not in the '
    'future, are skipped. Answers with the numbers enrolled, resumed and unchanged, and with skipped: what was skipped '
    'and why. Errors: LY201, LY202, LY211, LY702, LY703, LY704. Example: SELECT loyalty_enrol_all(''main'', '
    'registered_field => ''signed_up_on'');';

CREATE FUNCTION @extschema@.loyalty_enrol_segment(
    program text,
    segment text,
    registered_at timestamptz DEFAULT NULL,
    registered_field text DEFAULT NULL
) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'loyalty_enrol_segment';

COMMENT ON FUNCTION @extschema@.loyalty_enrol_segment(text, text, timestamptz, text) IS
    'Makes the profiles members that are in a profile segment now, as loyalty_enrol_all() does all of them. Errors: '
    'LY705 (no such segment), LY201, LY202, LY211, LY702, LY703, LY704. Example: SELECT '
    'loyalty_enrol_segment(''main'', ''riga'');';

CREATE FUNCTION @extschema@.loyalty_remove_member(member text, program text) RETURNS boolean
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_remove_member';

COMMENT ON FUNCTION @extschema@.loyalty_remove_member(text, text) IS
    'Ends a member''s stay: open holds are rolled back, points of orders that wait for a status are dropped, tiers '
    'close, nothing is earned or spent any more; balances and '
    'history stay, and points go on expiring. Returns whether it was a member. Errors: LY201, LY507. Example: SELECT '
    'loyalty_remove_member(''ann'', ''main'');';

CREATE FUNCTION @extschema@.loyalty_remove_all_members(program text) RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'loyalty_remove_all_members';

COMMENT ON FUNCTION @extschema@.loyalty_remove_all_members(text) IS
    'Ends the stay of all members of a program, as loyalty_remove_member() does one; progress by NOTICE. Returns how '
    'many there were. Errors: LY201. Example: SELECT loyalty_remove_all_members(''main'');';

CREATE FUNCTION @extschema@.loyalty_find_member(
    program text,
    value text,
    field text DEFAULT 'key',
    OUT member text,
    OUT enrolled boolean,
    OUT registered_at timestamptz,
    OUT enrolled_at timestamptz,
    OUT removed_at timestamptz
) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL SAFE ROWS 5
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_find_member';

COMMENT ON FUNCTION @extschema@.loyalty_find_member(text, text, text) IS
    'Profiles of a program by the value of a field: key, email, phone (the columns that the profile database names), '
    'or any column of it; of bundled profiles any attribute. Each with whether it is a member, and its dates. The '
    'profile database is read by an index on the column; the caller needs the right to. Errors: LY201, LY211, LY702 '
    '(no such field). Example: SELECT * FROM loyalty_find_member(''main'', ''ann@example.com'', ''email'');';

CREATE FUNCTION @extschema@.loyalty_save_profile(key text, attributes jsonb DEFAULT '{}') RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    INSERT INTO loyalty.profiles (key, attributes)
    VALUES (loyalty_save_profile.key, loyalty_save_profile.attributes)
    ON CONFLICT ON CONSTRAINT profiles_pkey DO UPDATE SET attributes = excluded.attributes;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_save_profile(text, jsonb) IS
    'Saves a bundled profile: makes it, or replaces its attributes, an object. Errors: those of the table''s '
    'constraints (23502 where one is null, 23514). Example: SELECT loyalty_save_profile(''ann'', '
    '''{"email": "ann@example.com"}'');';

CREATE FUNCTION @extschema@.loyalty_erase_member(member text, program text) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_erase_member';

COMMENT ON FUNCTION @extschema@.loyalty_erase_member(text, text) IS
    'Removes a member and blanks what is known of it beyond figures and dates: comments and data of transactions and '
    'holds, payloads of events, documents and results of orders. A repeated request is still recognised, by a hash. '
    'The key itself stays: take opaque ones. Answers with the numbers of rows blanked. Errors: LY201, LY507. Example: '
    'SELECT loyalty_erase_member(''ann'', ''main'');';

CREATE FUNCTION loyalty_internal.is_erasing() RETURNS boolean
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_is_erasing';

COMMENT ON FUNCTION loyalty_internal.is_erasing() IS
    'Whether loyalty_erase_member() is at work in this session: the one change that the ledger''s trigger lets '
    'through. Example: SELECT loyalty_internal.is_erasing();';
