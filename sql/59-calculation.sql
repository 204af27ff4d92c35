-- Calculating an order by the applied promotion tree.

CREATE FUNCTION @extschema@.loyalty_calculate("order" jsonb) RETURNS jsonb
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_calculate';

COMMENT ON FUNCTION @extschema@.loyalty_calculate(jsonb) IS
    'Calculates an order by the program''s applied promotion tree: prices, discounts and points of each line and in '
    'total. With "opportunities": 3 in the document, also what loyalty_opportunities() says, as an array. Writes '
    'nothing and runs on a standby. Errors: class LY, for what the order says wrongly. Example: SELECT '
    'loyalty_calculate(''{"lines": [{"product": "PC-1", "quantity": 1}]}'');';

CREATE FUNCTION @extschema@.loyalty_calculate("order" jsonb, version integer) RETURNS jsonb
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_calculate';

COMMENT ON FUNCTION @extschema@.loyalty_calculate(jsonb, integer) IS
    'Calculates an order anew by the version that it was made with, promotions that have ended since included; version '
    '0 gives base prices. Errors: as loyalty_calculate(order), LY320 (no such version). Example: SELECT '
    'loyalty_calculate(''{"lines": [{"product": "PC-1", "quantity": 1}]}'', 3);';

CREATE FUNCTION @extschema@.loyalty_explain(
    "order" jsonb,
    draft boolean DEFAULT false,
    everything boolean DEFAULT false,
    context jsonb DEFAULT '{}'
) RETURNS SETOF text
    LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 20
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_explain';

COMMENT ON FUNCTION @extschema@.loyalty_explain(jsonb, boolean, boolean, jsonb) IS
    'Shows how loyalty_calculate() comes to its result: the promotion tree, indented, one line of text a row, with a '
    'reason for each promotion that did not apply; only with everything also drafts and inactive ones, and each of '
    'more than ten side by side that did not apply for one reason. With draft: how '
    'loyalty_test() comes to its, in that context. Errors: as loyalty_calculate() or loyalty_test(), LY322 (several '
    'orders; a context without draft). Example: SELECT loyalty_explain(''{"lines": [{"product": "PC-1", "quantity": '
    '1}]}'', draft => true);';

CREATE FUNCTION @extschema@.loyalty_explain("order" jsonb, version integer) RETURNS SETOF text
    LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 20
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_explain_version';

COMMENT ON FUNCTION @extschema@.loyalty_explain(jsonb, integer) IS
    'Shows how loyalty_calculate(order, version) comes to its result. Errors: as there. Example: SELECT '
    'loyalty_explain(''{"lines": [{"product": "PC-1", "quantity": 1}]}'', 3);';

CREATE FUNCTION @extschema@.loyalty_test("order" jsonb, context jsonb DEFAULT '{}') RETURNS jsonb
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_test';

COMMENT ON FUNCTION @extschema@.loyalty_test(jsonb, jsonb) IS
    'Calculates an order, or each of an array of orders, by the draft of the promotion tree, for the member that it '
    'names or for one made up by the context (balances, tiers, segments, promo_codes, orders): sums, changes of '
    'points, operations, and the results of the orders. What starts on activation counts as started at any time; '
    'with_drafts of the context has drafts take part. Writes nothing. Errors: as loyalty_calculate() but LY202; LY301, '
    'LY302 (the draft cannot be applied), LY322 (order and context contradict each other), LY323 (an unknown name in '
    'the context). Example: SELECT loyalty_test(''{"lines": [{"product": "PC-1", "quantity": 1}]}'', ''{"balances": '
    '{"bonus": 500}}'');';

CREATE FUNCTION @extschema@.loyalty_test_operations(
    "order" jsonb,
    context jsonb DEFAULT '{}',
    OUT number integer,
    OUT external_id text,
    OUT item integer,
    OUT line text,
    OUT product text,
    OUT benefit text,
    OUT result text,
    OUT promotion text,
    OUT name text,
    OUT type text
) RETURNS SETOF record
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 20
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT
    (operation ->> 'order')::integer,
    operation ->> 'external_id',
    (operation ->> 'item')::integer,
    operation ->> 'line',
    operation ->> 'product',
    operation ->> 'benefit',
    CASE
        WHEN operation ? 'discount' THEN format('-%s', operation ->> 'discount')
        WHEN operation ? 'points_discount'
            THEN format('-%s for %s %s', operation ->> 'points_discount', operation ->> 'spent', operation ->> 'points')
        WHEN operation ? 'accrued' THEN format('+%s %s', operation ->> 'accrued', operation ->> 'points')
        WHEN operation ? 'pending'
            THEN format('+%s %s on %s', operation ->> 'pending', operation ->> 'points', operation ->> 'credit_on')
        WHEN operation ? 'pool' THEN format('a code of %s', operation ->> 'pool')
        ELSE operation ->> 'text'
    END,
    operation ->> 'promotion',
    operation ->> 'promotion_name',
    operation ->> 'promotion_type'
FROM jsonb_array_elements(@extschema@.loyalty_test("order", context) -> 'operations') AS tested (operation)
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_test_operations(jsonb, jsonb) IS
    'The operations of loyalty_test(), a row each: number of the order in the array, its external id, place and id of '
    'the line, product, benefit, what it gave (money off, points earned or spent, text, pool of a code), and the '
    'promotion with its name and type. Errors: as loyalty_test(). Example: SELECT * FROM '
    'loyalty_test_operations(''{"lines": [{"product": "PC-1", "quantity": 1}]}'');';
