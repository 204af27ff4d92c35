-- The ledger: booking transactions, holds, and reading balances.

-- ---------------------------------------------------------------------------------------------------------------------
-- Triggers

-- It pins the search path itself, in that one of its four calls for a row that makes queries.
CREATE FUNCTION loyalty_internal.transactions_trigger() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'loyalty_transactions_trigger';

COMMENT ON FUNCTION loyalty_internal.transactions_trigger() IS
    'Trigger of loyalty.transactions, before and after the insert of rows, for each row and each statement: books the '
    'row, and proves that it arrived as booked. A row that arrives with seq, balance_before and balance_after is taken '
    'as it stands. Errors: LY501 to LY526, LY201, LY202, LY208. Example: CREATE TRIGGER ... EXECUTE FUNCTION '
    'loyalty_internal.transactions_trigger();';

CREATE FUNCTION loyalty_internal.append_only_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    IF TG_OP = 'UPDATE' AND loyalty_internal.is_erasing() OR TG_OP = 'DELETE' AND loyalty_internal.is_archiving() THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'LY522',
        MESSAGE = format('table "%s.%s" is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME),
        DETAIL = format('%s is refused for everybody, its owner too.', TG_OP),
        HINT = coalesce(TG_ARGV[0], 'Correct a transaction by another one: loyalty_cancel(), loyalty_refund().'),
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = TG_TABLE_NAME;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.append_only_trigger() IS
    'Trigger, before an update, delete or truncate statement: refuses it (LY522), but for what loyalty_erase_member() '
    'blanks and what job archive_accounts moves to the archive. Example: '
    'CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.append_only_trigger();';

CREATE FUNCTION loyalty_internal.is_archiving() RETURNS boolean
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_is_archiving';

COMMENT ON FUNCTION loyalty_internal.is_archiving() IS
    'Whether job archive_accounts is at work in this session: what it moves to the archive, the ledger''s trigger lets '
    'go. Example: SELECT loyalty_internal.is_archiving();';

-- ---------------------------------------------------------------------------------------------------------------------
-- Booking. The member comes first: where members are spread over machines, calls are routed by it.

CREATE FUNCTION @extschema@.loyalty_accrue(
    member text,
    program text,
    point_type text,
    amount numeric,
    external_id text DEFAULT NULL,
    created_at timestamptz DEFAULT NULL,
    active_from timestamptz DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL,
    expires_on date DEFAULT NULL,
    source_type text DEFAULT NULL,
    source text DEFAULT NULL,
    promotion text DEFAULT NULL,
    comment text DEFAULT NULL,
    data jsonb DEFAULT NULL
) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_accrue';

COMMENT ON FUNCTION @extschema@.loyalty_accrue(
    text, text, text, numeric, text, timestamptz, timestamptz, timestamptz, date, text, text, text, text, jsonb
) IS
    'Gives a member points: amount, above 0, to the point type''s scale. They can be spent from active_from (default '
    'created_at, default now) until expires_at, exclusive, or through the day expires_on of the program''s time zone; '
    'by default as long as the point type says. Answers with the transaction as jsonb; with repeated: true where the '
    'external id was used before for the same request. Errors: LY201, LY202, LY208, LY501 to LY513, LY525, LY526. '
    'Example: SELECT loyalty_accrue(''ann'', ''main'', ''bonus'', 100, external_id => ''welcome-ann'');';

CREATE FUNCTION @extschema@.loyalty_redeem(
    member text,
    program text,
    point_type text,
    amount numeric,
    external_id text DEFAULT NULL,
    created_at timestamptz DEFAULT NULL,
    source_type text DEFAULT NULL,
    source text DEFAULT NULL,
    promotion text DEFAULT NULL,
    comment text DEFAULT NULL,
    data jsonb DEFAULT NULL
) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_redeem';

COMMENT ON FUNCTION @extschema@.loyalty_redeem(
    text, text, text, numeric, text, timestamptz, text, text, text, text, jsonb
) IS
    'Spends points of a member: amount, above 0, at most the active balance; the soonest-expiring points go first. '
    'Answers with the transaction as jsonb; with repeated: true where the external id was used before for the same '
    'request. Errors: LY510 (too few points), LY201, LY202, LY208, LY501 to LY513, LY525, LY526. Example: SELECT '
    'loyalty_redeem(''ann'', ''main'', ''bonus'', 30, external_id => ''coffee-17'');';

CREATE FUNCTION @extschema@.loyalty_book(
    program text,
    rows jsonb,
    skip_refused boolean DEFAULT false,
    OUT number integer,
    OUT member text,
    OUT outcome text,
    OUT transaction uuid,
    OUT code text,
    OUT message text,
    OUT detail text,
    OUT hint text
) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1000
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'loyalty_book';

COMMENT ON FUNCTION @extschema@.loyalty_book(text, jsonb, boolean) IS
    'Books many transactions at once: an array of objects with member, point_type, type and value, as an INSERT into '
    'loyalty.transactions names them, and, if wanted, external_id, created_at, active_from, expires_at or expires_on, '
    'undoes, source_type, source, promotion, comment, data. Each is checked as if it came alone. Those of a member are '
    'booked in their order; whose row takes the last of what a promotion may still give is not promised. Answers with '
    'a row for each, by its number: booked, repeated (an equal one was booked before; transaction is that) or refused. '
    'Unless skip_refused, the first that is refused is an error that names its row, and nothing is booked. Moments '
    'without an offset are of the program''s time zone. Errors: LY101, LY102, LY201, and those of loyalty_accrue() and '
    'loyalty_redeem(). Example: SELECT * FROM loyalty_book(''main'', ''[{"member": "ann", "point_type": "bonus", '
    '"type": "accrual", "value": 100, "external_id": "spring"}]'');';

CREATE FUNCTION @extschema@.loyalty_book_segment(
    program text,
    segment text,
    posting jsonb,
    skip_refused boolean DEFAULT false,
    OUT number integer,
    OUT member text,
    OUT outcome text,
    OUT transaction uuid,
    OUT code text,
    OUT message text,
    OUT detail text,
    OUT hint text
) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1000
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'loyalty_book_segment';

COMMENT ON FUNCTION @extschema@.loyalty_book_segment(text, text, jsonb, boolean) IS
    'A campaign: books the same for each member whose profile is in a profile segment now, as loyalty_book() does; '
    'posting is a row for it without the member. With an external_id, which is each member''s own, the call can be '
    'repeated: who has come into the segment meanwhile gets the points, and nobody gets them twice. Errors: LY705 (no '
    'such segment), and those of loyalty_book(). Example: SELECT outcome, count(*) FROM loyalty_book_segment(''main'', '
    '''riga'', ''{"point_type": "bonus", "type": "accrual", "value": 100, "external_id": "spring"}'') GROUP BY '
    'outcome;';

CREATE FUNCTION @extschema@.loyalty_hold(
    member text,
    program text,
    point_type text,
    type text,
    amount numeric,
    time_out interval,
    external_id text DEFAULT NULL,
    active_from timestamptz DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL,
    expires_on date DEFAULT NULL,
    source_type text DEFAULT NULL,
    source text DEFAULT NULL,
    promotion text DEFAULT NULL,
    comment text DEFAULT NULL,
    data jsonb DEFAULT NULL
) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_hold';

COMMENT ON FUNCTION @extschema@.loyalty_hold(
    text, text, text, text, numeric, interval, text, timestamptz, timestamptz, date, text, text, text, text, jsonb
) IS
    'Holds points until loyalty_commit(), loyalty_rollback() or the time-out, which is above zero. Type redemption '
    'takes the amount out of the active balance at once; type accrual counts in no balance. Answers with the hold as '
    'jsonb. Errors: LY519 (time-out), LY510 (too few points), LY201, LY202, LY208, LY501 to LY513, LY526. Example: '
    'SELECT loyalty_hold(''ann'', ''main'', ''bonus'', ''redemption'', 30, ''15 minutes'', external_id => ''cart-9'');';

CREATE FUNCTION @extschema@.loyalty_commit(
    member text,
    program text,
    hold uuid DEFAULT NULL,
    external_id text DEFAULT NULL
) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_commit';

COMMENT ON FUNCTION @extschema@.loyalty_commit(text, text, uuid, text) IS
    'Books what a hold, named by its id or external id, has held: all of it, dated now. Answers with the transaction; '
    'once more, with the same. Errors: LY518 (timed out or rolled back), LY514 (no such hold), LY508, LY526. Example: '
    'SELECT loyalty_commit(''ann'', ''main'', external_id => ''cart-9'');';

CREATE FUNCTION @extschema@.loyalty_commit(hold uuid) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_commit_by_id';

COMMENT ON FUNCTION @extschema@.loyalty_commit(uuid) IS
    'The same by the hold''s id alone. Errors: those of loyalty_commit(). Example: SELECT '
    'loyalty_commit(''01890a5d-ac96-774b-bcce-b302099a8057''::uuid);';

CREATE FUNCTION @extschema@.loyalty_rollback(
    member text,
    program text,
    hold uuid DEFAULT NULL,
    external_id text DEFAULT NULL
) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_rollback';

COMMENT ON FUNCTION @extschema@.loyalty_rollback(text, text, uuid, text) IS
    'Frees what a hold, named by its id or external id, has held; what has expired meanwhile expires. Answers with the '
    'hold; where it had ended already without a commit, with that. Errors: LY518 (committed), LY514 (no such hold), '
    'LY526. Example: SELECT loyalty_rollback(''ann'', ''main'', external_id => ''cart-9'');';

CREATE FUNCTION @extschema@.loyalty_rollback(hold uuid) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_rollback_by_id';

COMMENT ON FUNCTION @extschema@.loyalty_rollback(uuid) IS
    'The same by the hold''s id alone. Errors: those of loyalty_rollback(). Example: SELECT '
    'loyalty_rollback(''01890a5d-ac96-774b-bcce-b302099a8057''::uuid);';

CREATE FUNCTION @extschema@.loyalty_cancel(
    member text,
    program text,
    transaction uuid DEFAULT NULL,
    external_id text DEFAULT NULL,
    comment text DEFAULT NULL
) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_cancel';

COMMENT ON FUNCTION @extschema@.loyalty_cancel(text, text, uuid, text, text) IS
    'Corrects an erroneous transaction, named by its id or external id: books a reversal of an accrual or initial '
    'balance, a refund of a redemption, of what is left of it; rolls back a hold. Answers with that transaction or '
    'hold; once more, with the same. Errors: LY515 (other types, and what an order booked), LY516 (nothing left), '
    'LY514 (no such transaction), LY526. Example: SELECT loyalty_cancel(''ann'', ''main'', external_id => '
    '''coffee-17'');';

CREATE FUNCTION @extschema@.loyalty_cancel(transaction uuid) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_cancel_by_id';

COMMENT ON FUNCTION @extschema@.loyalty_cancel(uuid) IS
    'The same by the id of the transaction or hold alone. Errors: those of loyalty_cancel(). Example: SELECT '
    'loyalty_cancel(''01890a5d-ac96-774b-bcce-b302099a8057''::uuid);';

CREATE FUNCTION @extschema@.loyalty_refund(
    member text,
    program text,
    amount numeric,
    transaction uuid DEFAULT NULL,
    redemption text DEFAULT NULL,
    external_id text DEFAULT NULL,
    source_type text DEFAULT NULL,
    source text DEFAULT NULL,
    comment text DEFAULT NULL,
    data jsonb DEFAULT NULL
) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_refund';

COMMENT ON FUNCTION @extschema@.loyalty_refund(text, text, numeric, uuid, text, text, text, text, text, jsonb) IS
    'Gives points back of a redemption, named by its id or (redemption) its external id: amount, above 0, at most what '
    'is left of it. They go into the very lots they came from, which keep their dates; expired_at_once is what had '
    'expired meanwhile. Answers with the transaction as jsonb. Errors: LY517 (the point type allows none), LY516 (more '
    'than left), LY514, LY501 to LY505, LY513, LY526. Example: SELECT loyalty_refund(''ann'', ''main'', 10, redemption '
    '=> ''coffee-17'', external_id => ''coffee-17-back'');';

CREATE FUNCTION @extschema@.loyalty_write_off_owed(
    member text,
    program text,
    point_type text,
    amount numeric,
    external_id text DEFAULT NULL,
    comment text DEFAULT NULL
) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_write_off_owed';

COMMENT ON FUNCTION @extschema@.loyalty_write_off_owed(text, text, text, numeric, text, text) IS
    'Waives points that a member owes: amount, above 0, at most what is owed. Answers with the transaction, whose '
    'value is 0 and whose owed is below 0. Errors: LY516 (more than owed), LY501 to LY505, LY507, LY526. Example: '
    'SELECT loyalty_write_off_owed(''ann'', ''main'', ''bonus'', 12.5, comment => ''goodwill'');';

-- ---------------------------------------------------------------------------------------------------------------------
-- Reading

CREATE FUNCTION @extschema@.loyalty_balance(
    member text,
    program text,
    point_type text DEFAULT NULL,
    "at" timestamptz DEFAULT NULL,
    OUT point_type text,
    OUT total numeric,
    OUT active numeric,
    OUT waiting numeric,
    OUT held numeric,
    OUT debt numeric,
    OUT owed numeric,
    OUT total_money numeric,
    OUT active_money numeric,
    OUT currency text
) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL SAFE ROWS 5
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_balance';

COMMENT ON FUNCTION @extschema@.loyalty_balance(text, text, text, timestamptz) IS
    'Balances of a member, a row for each point type or for the one named: total, active (what can be spent), waiting '
    '(not active yet), held, debt, owed, in points; total and active in money by the ratio of the version in force (of '
    'the type where there is none), rounded to the currency''s scale, null for qualification points, which buy '
    'nothing. At a moment of the past: by what was booked as of it; of the future: as it will be if nothing happens. '
    'What is due counts as booked. Writes nothing. Errors: LY201, LY208, LY507. Example: SELECT * FROM '
    'loyalty_balance(''ann'', ''main'');';

CREATE FUNCTION @extschema@.loyalty_expiring_points(
    member text,
    program text,
    first_day date,
    last_day date,
    point_type text DEFAULT NULL,
    OUT point_type text,
    OUT last_usable_day date,
    OUT points numeric,
    OUT money numeric,
    OUT currency text
) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL SAFE ROWS 5
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_expiring_points';

COMMENT ON FUNCTION @extschema@.loyalty_expiring_points(text, text, date, date, text) IS
    'Points of a member whose last usable day, in the program''s time zone, is from first_day to last_day, both '
    'inclusive; by point type and day, also in money. Held points do not expire while they are held. Errors: LY201, '
    'LY208, LY507. Example: SELECT * FROM loyalty_expiring_points(''ann'', ''main'', ''2026-12-01'', ''2026-12-31'');';

CREATE FUNCTION @extschema@.loyalty_statement(
    member text,
    program text,
    point_type text DEFAULT NULL,
    before uuid DEFAULT NULL,
    page_size integer DEFAULT 100,
    OUT id uuid,
    OUT external_id text,
    OUT point_type text,
    OUT seq bigint,
    OUT type text,
    OUT created_at timestamptz,
    OUT booked_at timestamptz,
    OUT value numeric,
    OUT balance_before numeric,
    OUT balance_after numeric,
    OUT debt numeric,
    OUT owed numeric,
    OUT active_from timestamptz,
    OUT expires_at timestamptz,
    OUT undoes bigint,
    OUT source_type text,
    OUT source text,
    OUT promotion text,
    OUT comment text,
    OUT data jsonb
) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL SAFE ROWS 100
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_statement';

COMMENT ON FUNCTION @extschema@.loyalty_statement(text, text, text, uuid, integer) IS
    'Transactions of a member, the last booked first, page_size (1 to 10000) at a time; the next page is what lies '
    'before the last id of this one. Errors: LY104 (page size), LY201, LY208, LY507. Example: SELECT * FROM '
    'loyalty_statement(''ann'', ''main'', page_size => 20);';

-- It joins whole tables with each other, often just after they were loaded or restored, when the planner knows nothing
-- of them yet and would take nested loops for cheap.
CREATE FUNCTION @extschema@.loyalty_verify(
    program text DEFAULT NULL,
    OUT invariant text,
    OUT program text,
    OUT member text,
    OUT point_type text,
    OUT seq bigint,
    OUT detail text
) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL SAFE ROWS 10
    SET search_path = pg_catalog, pg_temp
    SET enable_nestloop = off
    SET jit = off
    AS 'MODULE_PATHNAME', 'loyalty_verify';

COMMENT ON FUNCTION @extschema@.loyalty_verify(text) IS
    'Recomputes the ledger, of one program or of all, and returns each invariant that does not hold as a row: which, '
    'of which account, at which transaction or lot, and what was found. No row: all is right. Reads every row of the '
    'ledger. Errors: LY001. Example: SELECT * FROM loyalty_verify();';

-- ---------------------------------------------------------------------------------------------------------------------
-- Point types

CREATE FUNCTION @extschema@.loyalty_clone_point_type(program text, point_type text, external_id text,
    name text DEFAULT NULL) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_clone_point_type';

COMMENT ON FUNCTION @extschema@.loyalty_clone_point_type(text, text, text, text) IS
    'Makes a point type with the settings of another, inactive, under a new external id; name: of the other unless '
    'given. Balances, bindings and the state are not copied. Errors: LY201, LY208, LY526, 23505 (the id exists). '
    'Example: SELECT loyalty_clone_point_type(''main'', ''bonus'', ''bonus-2027'', ''Bonus 2027'');';

CREATE FUNCTION @extschema@.loyalty_activate_point_type(program text, point_type text) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_activate_point_type';

COMMENT ON FUNCTION @extschema@.loyalty_activate_point_type(text, text) IS
    'Lets points of a type be earned and spent; a moment of deactivation that has passed is forgotten. Errors: LY201, '
    'LY208, LY526. Example: SELECT loyalty_activate_point_type(''main'', ''bonus'');';

CREATE FUNCTION @extschema@.loyalty_deactivate_point_type(program text, point_type text, "at" timestamptz DEFAULT NULL)
    RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_deactivate_point_type';

COMMENT ON FUNCTION @extschema@.loyalty_deactivate_point_type(text, text, timestamptz) IS
    'Lets points of a type be neither earned nor spent: at once, or from a moment on (standard types only). Total '
    'balances stay, and expire by their own dates. Errors: LY201, LY208, LY526, 23514. Example: SELECT '
    'loyalty_deactivate_point_type(''main'', ''bonus'', ''2027-01-01'');';

CREATE FUNCTION loyalty_internal.applied_ratios_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    UPDATE loyalty.point_types AS point_type
    SET applied_ratio = applied.ratio
    FROM jsonb_to_recordset(NEW.tree -> 'point_types') AS applied (point_type text, ratio numeric)
    WHERE point_type.program = NEW.program
        AND point_type.external_id = applied.point_type
        AND point_type.applied_ratio IS DISTINCT FROM applied.ratio;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.applied_ratios_trigger() IS
    'Trigger of loyalty.promotion_versions, after the insert of a row: balances are worth money by the version''s '
    'ratios. Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.applied_ratios_trigger();';

-- ---------------------------------------------------------------------------------------------------------------------
-- Parts of the ledger's queries, which the planner takes into them: see 06-days.sql

CREATE FUNCTION loyalty_internal.deactivation(deactivates_at timestamptz, deactivates_on date, time_zone text)
    RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN loyalty_internal.moment_or_day(coalesce(deactivates_at, 'infinity'), deactivates_on, time_zone);

COMMENT ON FUNCTION loyalty_internal.deactivation(timestamptz, date, text) IS
    'From when points of a type are neither earned nor spent. Example: SELECT external_id, '
    'loyalty_internal.deactivation(deactivates_at, deactivates_on, ''Europe/Moscow'') FROM loyalty.point_types;';

CREATE FUNCTION loyalty_internal.gone_at(expires_at timestamptz, active_from timestamptz, reset_at timestamptz)
    RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN least(expires_at, CASE WHEN active_from < reset_at THEN reset_at END);

COMMENT ON FUNCTION loyalty_internal.gone_at(timestamptz, timestamptz, timestamptz) IS
    'When a lot''s points are gone: as they expire, or by a reset of points that were active before it. Example: '
    'SELECT loyalty_internal.gone_at(''infinity'', ''2026-03-01'', ''2026-07-01'');';

CREATE FUNCTION loyalty_internal.erased_hash(comment text, data jsonb) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN sha256(convert_to(jsonb_build_array(comment, data)::text, 'UTF8'));

COMMENT ON FUNCTION loyalty_internal.erased_hash(text, jsonb) IS
    'What is kept of a comment and data that were blanked. Example: SELECT loyalty_internal.erased_hash(''By phone'', '
    'NULL);';

CREATE FUNCTION loyalty_internal.shown(posting jsonb, data jsonb) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN data IS NULL THEN jsonb_strip_nulls(posting)
        ELSE jsonb_strip_nulls(posting - 'data') || jsonb_build_object('data', data)
    END;

COMMENT ON FUNCTION loyalty_internal.shown(jsonb, jsonb) IS
    'A transaction or hold as functions show it: without what is null, but for what is within its data. Example: '
    'SELECT loyalty_internal.shown(to_jsonb(hold), hold.data) FROM loyalty.holds AS hold;';

-- ---------------------------------------------------------------------------------------------------------------------
-- The simulated clock

CREATE FUNCTION @extschema@.loyalty_set_clock(moment timestamptz) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_set_clock';

COMMENT ON FUNCTION @extschema@.loyalty_set_clock(timestamptz) IS
    'Sets the database''s simulated clock, which stands until it is set again, later: for tests and replays, by the '
    'schema''s owner. Errors: LY523 (by another role, backwards, or something was booked by the real clock), LY317. '
    'Example: SELECT loyalty_set_clock(''2026-03-01 12:00+01'');';

CREATE FUNCTION loyalty_internal.balance_is_well_formed("row" record) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'loyalty_balance_is_well_formed';

COMMENT ON FUNCTION loyalty_internal.balance_is_well_formed(record) IS
    'Whether a row of loyalty.balances obeys the rules that it tells by itself: seq 0 or more; debt 0 or more; owed, '
    'and total + debt (what the lots hold), 0 or more and finite. Errors: LY724, XX001 (not a row of that table). '
    'Example: SELECT loyalty_internal.balance_is_well_formed(balances) FROM loyalty.balances;';

CREATE FUNCTION loyalty_internal.lot_is_well_formed("row" record) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'loyalty_lot_is_well_formed';

COMMENT ON FUNCTION loyalty_internal.lot_is_well_formed(record) IS
    'Whether a row of loyalty.lots obeys the rules that it tells by itself: seq above 0; amount above 0 and finite; 0'
    ' <= held <= remaining <= amount; active from some moment, and expires later. Errors: LY724, XX001 (not a row of '
    'that table). Example: SELECT loyalty_internal.lot_is_well_formed(lots) FROM loyalty.lots;';

CREATE FUNCTION loyalty_internal.lot_movement_is_well_formed("row" record) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'loyalty_lot_movement_is_well_formed';

COMMENT ON FUNCTION loyalty_internal.lot_movement_is_well_formed(record) IS
    'Whether a row of loyalty.lot_movements obeys the rules that it tells by itself: value finite and not 0; the lot '
    'not younger than the transaction. Errors: LY724, XX001 (not a row of that table). Example: SELECT '
    'loyalty_internal.lot_movement_is_well_formed(lot_movements) FROM loyalty.lot_movements;';
