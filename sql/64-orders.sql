-- Orders: placing, statuses, cancellations and returns, imports.

CREATE FUNCTION loyalty_internal.orders_trigger() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_orders_trigger';

COMMENT ON FUNCTION loyalty_internal.orders_trigger() IS
    'Trigger of the tables of orders, before a statement that writes or truncates: refuses it (LY610) unless it is '
    'one of the functions for orders. Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.orders_trigger();';

CREATE FUNCTION loyalty_internal.order_statuses_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    IF EXISTS (SELECT FROM loyalty.orders AS placed WHERE placed.status = OLD.external_id) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY312',
            MESSAGE = format('the kind of order status "%s" cannot be changed', OLD.external_id),
            DETAIL = format('It is "%s", the change would make it "%s", and there are orders in it.', OLD.kind,
                NEW.kind),
            HINT = 'Add a status of the other kind, and move orders to it.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'kind';
    END IF;
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.order_statuses_trigger() IS
    'Trigger of loyalty.order_statuses, before the kind of a row changes between those of orders that stand and those '
    'of orders that were cancelled or refunded: refuses it where orders have the status (LY312). Example: CREATE '
    'TRIGGER ... EXECUTE FUNCTION loyalty_internal.order_statuses_trigger();';

CREATE FUNCTION @extschema@.loyalty_place_order("order" jsonb) RETURNS jsonb
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_place_order';

COMMENT ON FUNCTION @extschema@.loyalty_place_order(jsonb) IS
    'Places an order: calculates it as loyalty_calculate() does, with the buyer''s balances locked, stores it, spends '
    'the points that pay for it, and credits the points it earns or lets them wait for a status; all in the caller''s '
    'transaction. Answers with the calculation, and with status, placed_at, booked (what went into the ledger) and '
    'repeated: true where the same document was placed before. With "fire": false nothing is told of it, and so '
    'nothing fires that follows events: placing writes none of its own; what falls due, tiers that change, and all '
    'that happens to the order later are told as always. Errors: LY103 (no external_id), LY601 (the id was used '
    'for another order), LY602 (the total is not expected_total), LY603 (time in the future), LY609 (final status), '
    'LY706 (several profiles have the e-mail address or telephone number that the member is given by), '
    'and those of loyalty_calculate(). Example: SELECT loyalty_place_order(''{"external_id": "A-1", "lines": '
    '[{"product": "PC-1", "quantity": 1}]}'');';

CREATE FUNCTION @extschema@.loyalty_set_order_status(program text, external_id text, status text,
    line text DEFAULT NULL) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_set_order_status';

COMMENT ON FUNCTION @extschema@.loyalty_set_order_status(text, text, text, text) IS
    'Gives an order, or one line of it, a status. The order''s status moves its open and delivered lines along. Points '
    'that wait for the status are credited, once; going back takes nothing back. A status of kind cancelled performs '
    'the cancellation, one of kind refunded returns all units that are left; both are final. Answers with the order, '
    'the status, and what was booked or given back. Errors: LY604 (no such order), LY606 (no such line), LY210 (no '
    'such status), LY605 (the order or line is closed). Example: SELECT loyalty_set_order_status(''main'', ''A-1'', '
    '''delivered'');';

CREATE FUNCTION @extschema@.loyalty_cancel_order(program text, external_id text) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_cancel_order';

COMMENT ON FUNCTION @extschema@.loyalty_cancel_order(text, text) IS
    'Cancels an order: gives back all that is left of its money, shipping included, the points it was paid with, and '
    'takes the points it earned; it gets the first status of kind cancelled. Answers with what was given back; once '
    'more, with the same. Errors: LY604 (no such order), LY605 (it was refunded), LY609 (there is no status of kind '
    'cancelled). Example: SELECT loyalty_cancel_order(''main'', ''A-1'');';

CREATE FUNCTION @extschema@.loyalty_return_items(
    program text,
    external_id text,
    lines jsonb,
    return_id text,
    shipping boolean DEFAULT false
) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_return_items';

COMMENT ON FUNCTION @extschema@.loyalty_return_items(text, text, jsonb, text, boolean) IS
    'Takes units of an order''s lines back: lines is an array of objects with id and quantity. Gives back what these '
    'units carried of the line''s money and of the points that paid for it, and takes back the points they earned; '
    'any series of returns gives back the same as one. With shipping, its price is given back, too, once. What the '
    'buyer keeps is never priced again. Answers with what was given back; with repeated: true where the return id was '
    'used before for the same. Errors: LY604 (no such order), LY606 (no such line), LY607 (more than is left), LY608 '
    '(the id was used for another return), LY611 (nothing is returned), LY526, and LY100 to LY108 for the document. '
    'Example: SELECT loyalty_return_items(''main'', ''A-1'', ''[{"id": "00001", "quantity": 1}]'', ''R-1'');';

CREATE FUNCTION @extschema@.loyalty_import_orders(orders jsonb) RETURNS jsonb
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_import_orders';

COMMENT ON FUNCTION @extschema@.loyalty_import_orders(jsonb) IS
    'Stores orders that were made elsewhere: an array of order documents, each with external_id and a price on every '
    'line, which may have the total that was paid for it. No promotions, points or codes; they count for activity, by '
    'which dynamic tiers are judged, and can be cancelled and returned in money. All or none are stored. Answers with '
    'the numbers of those imported, and of those repeated: imported before with the same content. Errors: LY601 (an id '
    'was used for another order), LY603 (time in the future), LY203 (not in the profile database), and those of the '
    'order document. Example: SELECT loyalty_import_orders(''[{"external_id": "old-1", "time": "2025-03-01T10:00", '
    '"status": "delivered", "lines": [{"product": "PC-1", "quantity": 1, "price": 10}]}]'');';

CREATE FUNCTION @extschema@.loyalty_reprice_order(program text, external_id text) RETURNS jsonb
    LANGUAGE C STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_reprice_order';

COMMENT ON FUNCTION @extschema@.loyalty_reprice_order(text, text) IS
    'Calculates a placed order again, by the version of the promotion tree and from the prices, segments and balances '
    'that it was placed with: the same result, whatever has changed since. Where it was placed under other rules of '
    'calculation (loyalty.version_history), the result stored with it, with rules_changed. Writes nothing. Errors: '
    'LY604 (no such order), LY612 (it was imported, or its content was erased), LY526. Example: SELECT '
    'loyalty_reprice_order(''main'', ''A-1'');';

CREATE FUNCTION @extschema@.loyalty_order(program text, external_id text) RETURNS jsonb
    LANGUAGE C STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_order';

COMMENT ON FUNCTION @extschema@.loyalty_order(text, text) IS
    'An order as it stands now: its status, totals, lines with what came back of them, operations, texts and promo '
    'codes as they were when it was placed, points earned and spent, returns; times by the clock of the program. '
    'Errors: LY604 (no such order), LY526. Example: SELECT loyalty_order(''main'', ''A-1'');';

CREATE FUNCTION @extschema@.loyalty_orders(
    member text,
    before text DEFAULT NULL,
    page_size integer DEFAULT 100,
    program text DEFAULT NULL,
    OUT external_id text,
    OUT status text,
    OUT status_name text,
    OUT "time" timestamptz,
    OUT placed_at timestamptz,
    OUT total numeric,
    OUT discount numeric,
    OUT points_discount numeric,
    OUT refunded numeric,
    OUT currency text
) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL SAFE ROWS 100
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_orders';

COMMENT ON FUNCTION @extschema@.loyalty_orders(text, text, integer, text) IS
    'Orders of a member, or of any profile that ordered, the latest first, a page (1 to 1000) at a time: before is the '
    'external id of the last order of the page before. Without a program: the active one. Errors: LY201, LY104 (the '
    'page size), LY526. Example: SELECT * FROM loyalty_orders(''ann'');';

CREATE FUNCTION loyalty_internal.order_id_is_well_formed("row" record) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'loyalty_order_id_is_well_formed';

COMMENT ON FUNCTION loyalty_internal.order_id_is_well_formed(record) IS
    'Whether a row of loyalty.order_ids obeys the rules that it tells by itself: the buyer is m: and a profile''s '
    'key, or g: and the order''s external id. Errors: LY724, XX001 (not a row of that table). Example: SELECT '
    'loyalty_internal.order_id_is_well_formed(order_ids) FROM loyalty.order_ids;';

CREATE FUNCTION loyalty_internal.buyer_is_well_formed("row" record) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'loyalty_buyer_is_well_formed';

COMMENT ON FUNCTION loyalty_internal.buyer_is_well_formed(record) IS
    'Whether a row of loyalty.buyers obeys the rules that it tells by itself: the buyer is m: and a profile''s key; '
    'orders 0 or more, total 0 or more and finite; last_order is there, and finite, where there are orders, and only '
    'there. Errors: LY724, XX001 (not a row of that table). Example: SELECT '
    'loyalty_internal.buyer_is_well_formed(buyers) FROM loyalty.buyers;';

CREATE FUNCTION loyalty_internal.order_is_well_formed("row" record) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'loyalty_order_is_well_formed';

COMMENT ON FUNCTION loyalty_internal.order_is_well_formed(record) IS
    'Whether a row of loyalty.orders obeys the rules that it tells by itself: the buyer as in order_ids; origin '
    'placed or imported, and imported ones have no version, points or documents; time finite and not after placed_at;'
    ' totals 0 or more, finite, and base - discount - points_discount; the shipping part of the whole; refunded not '
    'above what it may be. Errors: LY724, XX001 (not a row of that table). Example: SELECT '
    'loyalty_internal.order_is_well_formed(orders) FROM loyalty.orders;';

CREATE FUNCTION loyalty_internal.order_line_is_well_formed("row" record) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'loyalty_order_line_is_well_formed';

COMMENT ON FUNCTION loyalty_internal.order_line_is_well_formed(record) IS
    'Whether a row of loyalty.order_lines obeys the rules that it tells by itself: quantity above 0; total 0 or more '
    'and base - discount - points_discount; returned at most quantity, refunded at most total, nothing of the one '
    'without the other, all with all; gifts cost nothing. Errors: LY724, XX001 (not a row of that table). Example: '
    'SELECT loyalty_internal.order_line_is_well_formed(order_lines) FROM loyalty.order_lines;';

CREATE FUNCTION loyalty_internal.order_points_is_well_formed("row" record) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'loyalty_order_points_is_well_formed';

COMMENT ON FUNCTION loyalty_internal.order_points_is_well_formed(record) IS
    'Whether a row of loyalty.order_points obeys the rules that it tells by itself: the buyer is m: and a profile''s '
    'key; number above 0; money and points 0 or more and finite; refunded + forfeited at most points; points have '
    'their transaction. Errors: LY724, XX001 (not a row of that table). Example: SELECT '
    'loyalty_internal.order_points_is_well_formed(order_points) FROM loyalty.order_points;';

CREATE FUNCTION loyalty_internal.order_accrual_is_well_formed("row" record) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'loyalty_order_accrual_is_well_formed';

COMMENT ON FUNCTION loyalty_internal.order_accrual_is_well_formed(record) IS
    'Whether a row of loyalty.order_accruals obeys the rules that it tells by itself: the buyer is m: and a '
    'profile''s key; level product (with its line) or order; points above 0 and finite; state waiting (for '
    'something), credited (with its transaction) or dropped (all of it); dropped + taken_back at most points. Errors:'
    ' LY724, XX001 (not a row of that table). Example: SELECT '
    'loyalty_internal.order_accrual_is_well_formed(order_accruals) FROM loyalty.order_accruals;';

CREATE FUNCTION loyalty_internal.order_return_is_well_formed("row" record) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'loyalty_order_return_is_well_formed';

COMMENT ON FUNCTION loyalty_internal.order_return_is_well_formed(record) IS
    'Whether a row of loyalty.order_returns obeys the rules that it tells by itself: number above 0; kind return, '
    'with an external id and request, or cancellation or refund, without; money 0 or more and finite. Errors: LY724, '
    'XX001 (not a row of that table). Example: SELECT loyalty_internal.order_return_is_well_formed(order_returns) '
    'FROM loyalty.order_returns;';

CREATE FUNCTION loyalty_internal.order_return_line_is_well_formed("row" record) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'loyalty_order_return_line_is_well_formed';

COMMENT ON FUNCTION loyalty_internal.order_return_line_is_well_formed(record) IS
    'Whether a row of loyalty.order_return_lines obeys the rules that it tells by itself: quantity above 0, money 0 '
    'or more, both finite. Errors: LY724, XX001 (not a row of that table). Example: SELECT '
    'loyalty_internal.order_return_line_is_well_formed(order_return_lines) FROM loyalty.order_return_lines;';

CREATE FUNCTION loyalty_internal.promotion_counter_is_well_formed("row" record) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'loyalty_promotion_counter_is_well_formed';

COMMENT ON FUNCTION loyalty_internal.promotion_counter_is_well_formed(record) IS
    'Whether a row of loyalty.promotion_counters obeys the rules that it tells by itself: uses, money and points 0 or'
    ' more; money and points finite. Errors: LY724, XX001 (not a row of that table). Example: SELECT '
    'loyalty_internal.promotion_counter_is_well_formed(promotion_counters) FROM loyalty.promotion_counters;';

CREATE FUNCTION loyalty_internal.promotion_use_is_well_formed("row" record) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'loyalty_promotion_use_is_well_formed';

COMMENT ON FUNCTION loyalty_internal.promotion_use_is_well_formed(record) IS
    'Whether a row of loyalty.promotion_uses obeys the rules that it tells by itself: money and points 0 or more and '
    'finite. Errors: LY724, XX001 (not a row of that table). Example: SELECT '
    'loyalty_internal.promotion_use_is_well_formed(promotion_uses) FROM loyalty.promotion_uses;';
