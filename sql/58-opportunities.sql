-- What an order could gain by a change.

CREATE FUNCTION @extschema@.loyalty_opportunities(
    "order" jsonb,
    most integer DEFAULT 5,
    OUT promotion text,
    OUT kind text,
    OUT change jsonb,
    OUT price_now numeric,
    OUT price_then numeric,
    OUT net_gain numeric,
    OUT points_gain jsonb,
    OUT "text" text
) RETURNS SETOF record
    LANGUAGE C STABLE STRICT PARALLEL SAFE COST 10000 ROWS 5
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_opportunities';

COMMENT ON FUNCTION @extschema@.loyalty_opportunities(jsonb, integer) IS
    'Changes of an order that are worth something to its buyer, cheapest first, each verified by calculating the '
    'changed order: more of a line, where that reaches a promotion of the whole order; a promo code held; points not '
    'spent; another contact point or channel; a later time. Kind is more, promo_code, redeem, contact_point, channel '
    'or time, and change a JSON patch (RFC 6902) on the order. Prices are the totals; net_gain is by how much the '
    'order is worth more to the buyer: reductions, those paid with points in full, and the worth of the points earned, '
    'of which points_gain tells the number. At most 20 rows; 2 changes are calculated for each that is asked for. '
    'loyalty_calculate() answers the same where the document has "opportunities": 5. Errors: as loyalty_calculate(), '
    'LY104 (the number). Example: SELECT text FROM loyalty_opportunities(''{"lines": [{"product": "PC-1", "quantity": '
    '1}]}'');';
