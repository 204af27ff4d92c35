-- Calculating an order by the applied promotion tree.

CREATE FUNCTION @extschema@.loyalty_calculate("order" jsonb) RETURNS jsonb
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_calculate';

COMMENT ON FUNCTION @extschema@.loyalty_calculate(jsonb) IS
    'Calculates an order by the program''s applied promotion tree: prices, discounts and points of each line and in '
    'total. Writes nothing and runs on a standby. Errors: class LY, for what the order says wrongly. Example: SELECT '
    'loyalty_calculate(''{"lines": [{"product": "PC-1", "quantity": 1}]}'');';

CREATE FUNCTION @extschema@.loyalty_calculate("order" jsonb, version integer) RETURNS jsonb
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_calculate';

COMMENT ON FUNCTION @extschema@.loyalty_calculate(jsonb, integer) IS
    'Calculates an order anew by the version that it was made with, promotions that have ended since included; version '
    '0 gives base prices. Errors: as loyalty_calculate(order), LY320 (no such version). Example: SELECT '
    'loyalty_calculate(''{"lines": [{"product": "PC-1", "quantity": 1}]}'', 3);';

CREATE FUNCTION @extschema@.loyalty_explain("order" jsonb) RETURNS SETOF text
    LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 20
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_explain';

COMMENT ON FUNCTION @extschema@.loyalty_explain(jsonb) IS
    'Shows how loyalty_calculate() comes to its result: the promotion tree, indented, one line of text a row, with a '
    'reason for each promotion that did not apply. Errors: as loyalty_calculate(). Example: SELECT '
    'loyalty_explain(''{"lines": [{"product": "PC-1", "quantity": 1}]}'');';

CREATE FUNCTION @extschema@.loyalty_explain("order" jsonb, version integer) RETURNS SETOF text
    LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 20
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_explain';

COMMENT ON FUNCTION @extschema@.loyalty_explain(jsonb, integer) IS
    'Shows how loyalty_calculate(order, version) comes to its result. Errors: as there. Example: SELECT '
    'loyalty_explain(''{"lines": [{"product": "PC-1", "quantity": 1}]}'', 3);';

CREATE FUNCTION @extschema@.loyalty_test("order" jsonb, context jsonb DEFAULT '{}') RETURNS jsonb
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_test';

COMMENT ON FUNCTION @extschema@.loyalty_test(jsonb, jsonb) IS
    'Calculates an order, or each of an array of orders, by the draft of the promotion tree, for the member that it '
    'names or for one made up by the context (balances, tiers, segments, promo_codes): sums, changes of points, '
    'operations, and the results of the orders. Writes nothing. Errors: as loyalty_calculate() but LY202; LY301, LY302 '
    '(the draft cannot be applied), LY322 (order and context contradict each other), LY323 (an unknown name in the '
    'context). Example: SELECT loyalty_test(''{"lines": [{"product": "PC-1", "quantity": 1}]}'', ''{"balances": '
    '{"bonus": 500}}'');';
