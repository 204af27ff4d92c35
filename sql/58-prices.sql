-- The prices of many products at once.

CREATE FUNCTION @extschema@.loyalty_prices(
    member text DEFAULT NULL,
    skus text[] DEFAULT NULL,
    segment text DEFAULT NULL,
    at timestamptz DEFAULT NULL,
    program text DEFAULT NULL,
    OUT sku text,
    OUT base numeric,
    OUT price numeric,
    OUT promotions text[],
    OUT points jsonb,
    OUT more jsonb,
    OUT version integer
) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL SAFE COST 10000 ROWS 100
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_prices';

COMMENT ON FUNCTION @extschema@.loyalty_prices(text, text[], text, timestamptz, text) IS
    'What one unit of each product costs a buyer who buys it alone, as loyalty_calculate() of that one-line order without '
    'shipping, points to spend and codes: base price, price, promotions with an effect, points earned, and what is missing to '
    'promotions of the whole order that more goods would reach. Of the products named, of a product segment, of those of the '
    'named that are in it, or of the whole catalogue; products without a price have null figures. Without member: an '
    'anonymous guest; without at: now. Writes nothing and runs on a standby. Errors: LY104 (at), LY201, LY202 (program), LY203 (member), '
    'LY209 (a product that is not in the catalogue), LY212 (product segment). Example: SELECT sku, price FROM '
    'loyalty_prices(''cust-17'', segment => ''tv'') ORDER BY price LIMIT 10;';
