-- Calculating an order by the applied promotion tree.

CREATE FUNCTION loyalty_calculate("order" jsonb) RETURNS jsonb
    LANGUAGE C STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_calculate';

COMMENT ON FUNCTION loyalty_calculate(jsonb) IS
    'Calculates an order by the program''s applied promotion tree: prices, discounts and points of each line and in '
    'total. Writes nothing and runs on a standby. Errors: class LY, for what the order says wrongly. Example: SELECT '
    'loyalty_calculate(''{"lines": [{"product": "PC-1", "quantity": 1}]}'');';

CREATE FUNCTION loyalty_explain("order" jsonb) RETURNS SETOF text
    LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 20
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_explain';

COMMENT ON FUNCTION loyalty_explain(jsonb) IS
    'Shows how loyalty_calculate() comes to its result: the promotion tree, indented, one line of text a row, with a '
    'reason for each promotion that did not apply. Errors: as loyalty_calculate(). Example: SELECT '
    'loyalty_explain(''{"lines": [{"product": "PC-1", "quantity": 1}]}'');';
