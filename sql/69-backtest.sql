-- The draft, or another version, tried on the orders that there were.

CREATE FUNCTION loyalty_internal.effective_promotions(result jsonb) RETURNS text[]
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_effective_promotions';

COMMENT ON FUNCTION loyalty_internal.effective_promotions(jsonb) IS
    'The promotions that had an effect, in what loyalty_calculate() or loyalty_place_order() answered; none of null. '
    'Example: SELECT loyalty_internal.effective_promotions(result) FROM loyalty.orders;';

CREATE FUNCTION loyalty_internal.replay(
    program text,
    version integer,
    request jsonb,
    resolved jsonb,
    result jsonb,
    placed_with integer,
    OUT total numeric,
    OUT points_was jsonb,
    OUT points_would_be jsonb,
    OUT gained text[],
    OUT lost text[],
    OUT error text
) RETURNS record
    LANGUAGE C STABLE PARALLEL SAFE COST 10000
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_replay';

COMMENT ON FUNCTION loyalty_internal.replay(text, integer, jsonb, jsonb, jsonb, integer) IS
    'What an order of loyalty.orders would come to with a version of the promotion tree, null being the draft: total, '
    'points earned then and with it, promotions whose effect it would gain or lose, or the error that there is '
    'instead. Request, stored input, result and version are the order''s. One row of loyalty_backtest(). Errors: LY201 '
    '(program), LY301, LY302 (the draft cannot be applied), LY320 (no such version), LY526. Example: SELECT replayed.* '
    'FROM loyalty.orders AS o, loyalty_internal.replay(o.program, NULL, o.request, o.resolved, o.result, o.version) AS '
    'replayed;';

CREATE FUNCTION loyalty_internal.replay_in_turn(
    program text,
    version integer,
    from_time timestamptz,
    to_time timestamptz,
    OUT external_id text,
    OUT buyer text,
    OUT origin text,
    OUT was numeric,
    OUT would_be numeric,
    OUT points_was jsonb,
    OUT points_would_be jsonb,
    OUT gained text[],
    OUT lost text[],
    OUT error text
) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10000
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_replay_in_turn';

COMMENT ON FUNCTION loyalty_internal.replay_in_turn(text, integer, timestamptz, timestamptz) IS
    'The orders of a program, placed one after the other with a version of the promotion tree, null being the draft, '
    'each with the balances, uses and orders that those before it left: the rows of loyalty_backtest(carry => true). '
    'The times are those of placing, and of imported orders their own. Errors: 42501 (the caller may not read '
    'loyalty.orders), LY201 (program), LY301, LY302 (the draft cannot be applied), LY320 (no such version), LY526, '
    'LY613 (what cannot be carried). Example: SELECT * FROM loyalty_internal.replay_in_turn(''main'', NULL, '
    '''-infinity'', ''infinity'');';

CREATE FUNCTION @extschema@.loyalty_backtest(
    program text,
    version integer DEFAULT NULL,
    from_time timestamptz DEFAULT '-infinity',
    to_time timestamptz DEFAULT 'infinity',
    carry boolean DEFAULT false,
    OUT external_id text,
    OUT buyer text,
    OUT origin text,
    OUT was numeric,
    OUT would_be numeric,
    OUT difference numeric,
    OUT points_was jsonb,
    OUT points_would_be jsonb,
    OUT gained text[],
    OUT lost text[],
    OUT error text
) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10000
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT loyalty_internal.refuse_program(loyalty_backtest.program)
WHERE NOT EXISTS (SELECT FROM loyalty.programs AS program WHERE program.external_id = loyalty_backtest.program);

SELECT
    stored.external_id::text,
    stored.buyer,
    stored.origin,
    stored.total,
    (replayed.row).total,
    (replayed.row).total - stored.total,
    (replayed.row).points_was,
    (replayed.row).points_would_be,
    (replayed.row).gained,
    (replayed.row).lost,
    (replayed.row).error
FROM loyalty.orders AS stored
-- Evaluated once for each order, by OFFSET 0, and as a value: a function in FROM puts its row aside first.
CROSS JOIN LATERAL (
    SELECT loyalty_internal.replay(
        stored.program::text, loyalty_backtest.version, stored.request, stored.resolved, stored.result,
        coalesce(stored.version, 0)
    ) AS row
    OFFSET 0
) AS replayed
WHERE stored.program = loyalty_backtest.program
    AND stored."time" >= loyalty_backtest.from_time
    AND stored."time" < loyalty_backtest.to_time
    AND loyalty_backtest.carry IS NOT TRUE
UNION ALL
SELECT
    replayed.external_id,
    replayed.buyer,
    replayed.origin,
    replayed.was,
    replayed.would_be,
    replayed.would_be - replayed.was,
    replayed.points_was,
    replayed.points_would_be,
    replayed.gained,
    replayed.lost,
    replayed.error
FROM loyalty_internal.replay_in_turn(
    loyalty_backtest.program, loyalty_backtest.version, loyalty_backtest.from_time, loyalty_backtest.to_time
) AS replayed
WHERE loyalty_backtest.carry
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_backtest(text, integer, timestamptz, timestamptz, boolean) IS
    'What each stored order of a time would have come to with a version of the promotion tree; without version: with '
    'the draft. From the input stored with each order (prices, balances, tiers, segments, what usage limits left), so '
    'that nothing but the tree differs: with the version that it was placed with, an order comes to what it did. What '
    'that input does not know is judged by today''s catalogue and profiles, and limits that it does not know are none; '
    'imported orders (origin) are quoted at their lines'' prices. The server spreads large histories over parallel '
    'processes, each of which tells by NOTICE how far it is. With carry the orders are placed one after the other, as '
    'they were (imported ones at their own time), and balances, cumulative tiers, limits, budgets and what buyers have '
    'ordered evolve from what this tree gives, as if the program had always had it; bookings by hand, statuses and '
    'returns come in between, as they did. That is done in one process. What cannot be told exactly is refused, or '
    'stands in the error of its row. Reads with the caller''s rights; writes nothing. Errors: LY201 (program), LY301, '
    'LY302 (the draft cannot be applied), LY320 (no such version), LY613 (what cannot be carried); those of one order '
    'stand in its row. Example: SELECT * FROM loyalty_backtest(''main'') WHERE difference <> 0;';

CREATE FUNCTION @extschema@.loyalty_backtest_summary(
    program text,
    version integer DEFAULT NULL,
    from_time timestamptz DEFAULT '-infinity',
    to_time timestamptz DEFAULT 'infinity',
    carry boolean DEFAULT false,
    OUT promotion text,
    OUT orders bigint,
    OUT changed bigint,
    OUT gained bigint,
    OUT lost bigint,
    OUT was numeric,
    OUT would_be numeric,
    OUT difference numeric,
    OUT errors bigint
) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 20
    SET search_path = pg_catalog, pg_temp
    AS $body$
WITH replayed AS MATERIALIZED (
    SELECT
        tested.was,
        tested.would_be,
        tested.difference,
        tested.points_was <> tested.points_would_be AS other_points,
        tested.gained,
        tested.lost,
        tested.error
    FROM @extschema@.loyalty_backtest(
        loyalty_backtest_summary.program,
        loyalty_backtest_summary.version,
        loyalty_backtest_summary.from_time,
        loyalty_backtest_summary.to_time,
        loyalty_backtest_summary.carry
    ) AS tested
)
SELECT
    NULL::text,
    count(*),
    count(*) FILTER (WHERE replayed.difference <> 0 OR replayed.other_points),
    count(*) FILTER (WHERE cardinality(replayed.gained) > 0),
    count(*) FILTER (WHERE cardinality(replayed.lost) > 0),
    sum(replayed.was) FILTER (WHERE replayed.error IS NULL),
    sum(replayed.would_be),
    sum(replayed.difference),
    count(replayed.error)
FROM replayed
UNION ALL
(
    SELECT
        moved.promotion,
        count(*),
        count(*) FILTER (WHERE replayed.difference <> 0 OR replayed.other_points),
        count(*) FILTER (WHERE moved.is_gained),
        count(*) FILTER (WHERE NOT moved.is_gained),
        sum(replayed.was),
        sum(replayed.would_be),
        sum(replayed.difference),
        0
    FROM replayed
    CROSS JOIN LATERAL (
        SELECT promotion, true AS is_gained FROM unnest(replayed.gained) AS now (promotion)
        UNION ALL
        SELECT promotion, false FROM unnest(replayed.lost) AS before (promotion)
    ) AS moved
    WHERE replayed.error IS NULL
    GROUP BY moved.promotion
    ORDER BY moved.promotion
)
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_backtest_summary(text, integer, timestamptz, timestamptz, boolean) IS
    'loyalty_backtest() in sums: first a row without promotion for all orders, then one for each promotion that orders '
    'would gain or lose, over these orders. Changed are those whose total or points would be others; money is the sum '
    'of totals. Errors: as there, but that orders with an error are counted only. Example: SELECT * FROM '
    'loyalty_backtest_summary(''main'');';
