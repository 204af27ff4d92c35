-- Promo codes: making them, attaching them to profiles, using them without an order.

CREATE FUNCTION loyalty_internal.promo_code_pools_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    issuing text;
BEGIN
    IF NEW.kind <> OLD.kind AND EXISTS (
        SELECT FROM loyalty.promo_codes WHERE program = OLD.program AND pool = OLD.external_id
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY312',
            MESSAGE = format('promo-code pool "%s" of program "%s" has codes', OLD.external_id, OLD.program),
            DETAIL = format('It is %s.', OLD.kind),
            HINT = 'Make another pool.',
            SCHEMA = 'loyalty',
            TABLE = TG_TABLE_NAME,
            COLUMN = 'kind';
    END IF;

    IF NEW.kind = 'universal' THEN
        PERFORM loyalty_internal.lock_draft(OLD.program::text);
        SELECT benefit.promotion INTO issuing
        FROM loyalty.promotion_benefits AS benefit
        WHERE benefit.program = OLD.program
            AND benefit.parameters ->> 'pool' = OLD.external_id
        ORDER BY benefit.promotion
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION USING
                ERRCODE = 'LY308',
                MESSAGE = format('promo-code pool "%s" of program "%s" has to stay personal', OLD.external_id,
                    OLD.program),
                DETAIL = format('Promotion "%s" issues its codes.', issuing),
                HINT = 'Make another pool.',
                SCHEMA = 'loyalty',
                TABLE = TG_TABLE_NAME,
                COLUMN = 'kind';
        END IF;
    END IF;
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.promo_code_pools_trigger() IS
    'Trigger, before the update of a promo-code pool: its kind stays once it has codes (LY312), and personal while a '
    'promotion issues them (LY308). Example: CREATE TRIGGER ... EXECUTE FUNCTION '
    'loyalty_internal.promo_code_pools_trigger();';

CREATE FUNCTION @extschema@.loyalty_generate_promo_codes(
    program text,
    pool text,
    mask text,
    codes bigint,
    expires_at timestamptz DEFAULT 'infinity',
    external_id text DEFAULT NULL,
    expires_on date DEFAULT NULL
) RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_generate_promo_codes';

COMMENT ON FUNCTION @extschema@.loyalty_generate_promo_codes(text, text, text, bigint, timestamptz, text, date) IS
    'Makes that many (1 to 10000000) new codes in a pool, at random, from a mask: # stands for a digit, ? for a '
    'letter, * for either (without I, O, 0 and 1), all else for itself, letters in upper case as in an import. They '
    'expire at a moment (exclusive), with the end of the day expires_on in the program''s time zone, or never. Returns '
    'how many. With an external id, a repeated call makes none. Errors: LY201, LY512 (both forms of the expiry), LY630 '
    '(pool), LY632 (its validity), LY633 (the mask has too few codes, or a wrong length), LY104 (codes), LY513 (the '
    'external id was used for something else). Example: SELECT loyalty_generate_promo_codes(''main'', ''birthday'', '
    '''BDAY-****-****'', 1000000);';

CREATE FUNCTION @extschema@.loyalty_import_promo_codes(
    program text,
    pool text,
    source regclass,
    code_column name DEFAULT 'code',
    expires_at timestamptz DEFAULT 'infinity',
    uses_column name DEFAULT NULL,
    expires_column name DEFAULT NULL,
    expires_on date DEFAULT NULL,
    data_column name DEFAULT NULL,
    OUT inserted bigint,
    OUT duplicates bigint,
    OUT refused bigint,
    OUT refused_codes text[]
) RETURNS record
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_import_promo_codes';

COMMENT ON FUNCTION @extschema@.loyalty_import_promo_codes(text, text, regclass, name, timestamptz, name, name, date,
    name) IS
    'Takes codes from a column of a table, such as a temporary one that COPY filled; which the caller has the right to '
    'read. Other columns may hold the uses of each code so far (null: none) and when it expires: a date (the last day, '
    'in the program''s time zone) or a moment; null: expires_at, or the end of the day expires_on; and its data, a '
    'JSON object. Reports how many were inserted, were there already (also twice in the source), and were refused: '
    'null, empty, longer than 100 characters, with white space within, with uses below 0, or with data that is no '
    'object; with the first 20 of these. Errors: LY201, LY512 (both forms of the expiry), LY630 (pool), LY632 (its '
    'validity). Example: SELECT * FROM loyalty_import_promo_codes(''main'', ''birthday'', ''imported'');';

CREATE FUNCTION @extschema@.loyalty_attach_promo_code(program text, profile text, pool text, code text DEFAULT NULL)
    RETURNS text
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_attach_promo_code';

COMMENT ON FUNCTION @extschema@.loyalty_attach_promo_code(text, text, text, text) IS
    'Attaches a code of a personal pool to a profile and returns it. Without a code: the profile''s unused one of the '
    'pool, or else a free one. Errors: LY201, LY203 (profile), LY630 (pool, or not personal), LY631 (code), LY632 (the '
    'pool''s validity), LY634 (none is free), LY635 (attached to another profile), LY638 (expired). Example: SELECT '
    'loyalty_attach_promo_code(''main'', ''ann'', ''birthday'');';

CREATE FUNCTION @extschema@.loyalty_detach_promo_code(program text, code text) RETURNS boolean
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_detach_promo_code';

COMMENT ON FUNCTION @extschema@.loyalty_detach_promo_code(text, text) IS
    'Frees a code that is attached and not used; returns whether it was attached. Errors: LY631 (code), LY636 (used). '
    'Example: SELECT loyalty_detach_promo_code(''main'', ''BDAY-7KQM-2XHP'');';

CREATE FUNCTION @extschema@.loyalty_activate_promo_code(program text, profile text, code text,
    external_id text DEFAULT NULL)
    RETURNS integer
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_activate_promo_code';

COMMENT ON FUNCTION @extschema@.loyalty_activate_promo_code(text, text, text, text) IS
    'Uses a code once, without an order, for a profile; returns its uses so far. With an external id, a repeated call '
    'uses it no second time. Errors: LY201, LY203 (profile), LY631 (code), LY632 (the pool''s validity), LY635 '
    '(attached to another profile, or to none), LY637 (used up), LY638 (expired), LY513 (the external id was used for '
    'something else). Example: SELECT loyalty_activate_promo_code(''main'', ''ann'', ''BDAY-7KQM-2XHP'');';

CREATE FUNCTION @extschema@.loyalty_promo_code(
    program text,
    code text,
    OUT code text,
    OUT pool text,
    OUT pool_name text,
    OUT kind text,
    OUT state text,
    OUT profile text,
    OUT attached_at timestamptz,
    OUT uses integer,
    OUT max_uses integer,
    OUT expires_at timestamptz,
    OUT order_id text,
    OUT created_at timestamptz,
    OUT activated_at timestamptz,
    OUT template text,
    OUT data jsonb
) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL SAFE ROWS 1
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_promo_code';

COMMENT ON FUNCTION @extschema@.loyalty_promo_code(text, text) IS
    'How a promo code stands: its pool, state (created, attached, activated or expired), the profile it is attached '
    'to, uses, the order that issued it, '
    'when it was used last, its pool''s name for mailings, and its data. Errors: LY631 (no such code), LY526. Example: '
    'SELECT * FROM loyalty_promo_code(''main'', ''BDAY-7KQM-2XHP'');';

CREATE FUNCTION @extschema@.loyalty_promo_codes(
    member text,
    program text DEFAULT NULL,
    OUT code text,
    OUT pool text,
    OUT pool_name text,
    OUT kind text,
    OUT state text,
    OUT profile text,
    OUT attached_at timestamptz,
    OUT uses integer,
    OUT max_uses integer,
    OUT expires_at timestamptz,
    OUT order_id text,
    OUT created_at timestamptz,
    OUT activated_at timestamptz,
    OUT template text,
    OUT data jsonb
) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL SAFE ROWS 10
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_promo_codes';

COMMENT ON FUNCTION @extschema@.loyalty_promo_codes(text, text) IS
    'The promo codes that are attached to a profile, the latest first, as loyalty_promo_code() tells of each. Without '
    'a program: the active one. Errors: LY201, LY526. Example: SELECT * FROM loyalty_promo_codes(''ann'');';

CREATE FUNCTION @extschema@.loyalty_update_promo_code(
    program text,
    code text,
    expires_at timestamptz DEFAULT NULL,
    expires_on date DEFAULT NULL,
    free_uses boolean DEFAULT false,
    new_data jsonb DEFAULT NULL,
    OUT code text,
    OUT pool text,
    OUT pool_name text,
    OUT kind text,
    OUT state text,
    OUT profile text,
    OUT attached_at timestamptz,
    OUT uses integer,
    OUT max_uses integer,
    OUT expires_at timestamptz,
    OUT order_id text,
    OUT created_at timestamptz,
    OUT activated_at timestamptz,
    OUT template text,
    OUT data jsonb
) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_update_promo_code';

COMMENT ON FUNCTION @extschema@.loyalty_update_promo_code(text, text, timestamptz, date, boolean, jsonb) IS
    'Changes when a promo code expires, at a moment (exclusive) or with the end of a day in the program''s time zone, '
    'and with free_uses makes it usable again: its uses so far are given back and stay on record. New data, a JSON '
    'object, takes the place of what there was. Answers as loyalty_promo_code() does. Errors: LY631 (no such code), '
    'LY526 (both forms of the date, or an argument is missing), LY102 (the data is no object). Example: SELECT * FROM '
    'loyalty_update_promo_code(''main'', ''BDAY-7KQM-2XHP'', expires_on => ''2027-01-31'');';
