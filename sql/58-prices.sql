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
    'What one unit of each product costs a buyer who buys it alone, as loyalty_calculate() of that one-line order '
    'without shipping, points to spend and codes: base price, price, promotions with an effect, points earned, and '
    'what is missing to promotions of the whole order that more goods would reach. Of the products named, of a product '
    'segment, of those of the named that are in it, or of the whole catalogue; products without a price have null '
    'figures. Without member: an anonymous guest; without at: now. Writes nothing and runs on a standby. Errors: LY104 '
    '(at), LY201, LY202 (program), LY203 (member), LY209 (a product that is not in the catalogue), LY212 (product '
    'segment). Example: SELECT sku, price FROM loyalty_prices(''cust-17'', segment => ''tv'') ORDER BY price LIMIT 10;';

-- ---------------------------------------------------------------------------------------------------------------------
-- What prices have been

CREATE FUNCTION @extschema@.loyalty_prior_price(
    sku text,
    at timestamptz DEFAULT NULL,
    days integer DEFAULT 30,
    program text DEFAULT NULL,
    OUT price numeric,
    OUT prior_price numeric,
    OUT reduced_at timestamptz,
    OUT since timestamptz
) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL SAFE COST 10000 ROWS 1
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_prior_price';

COMMENT ON FUNCTION @extschema@.loyalty_prior_price(text, timestamptz, integer, text) IS
    'The price of a product at a moment (default: now), and the lowest that it had in the days before the present '
    'reduction began, or before the moment where it is not reduced: what a shop in the European Union names beside a '
    'reduced price. For an anonymous guest without a promo code, in a program with price_history. A reduction that '
    'deepened without a rise between is one. Null where the history, which is without a gap since the last column, '
    'does not reach as far back, or the product was not sold. Errors: LY104 (at, days), LY201, LY202 (program), LY209 '
    '(no such product), LY336 (the program keeps no price history). Example: SELECT prior_price FROM '
    'loyalty_prior_price(''PC-1'');';

-- Moments at which nothing but the calendar may change a price: the start and end of promotions, the opening and
-- closing of their hours, and each midnight, at which days of schedules and terms of partners begin.
CREATE FUNCTION loyalty_internal.price_moments(program text, after timestamptz, until timestamptz)
    RETURNS SETOF timestamptz
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
    WITH known AS (
        SELECT
            program.time_zone AS zone,
            version.tree
        FROM loyalty.programs AS program
        LEFT JOIN LATERAL (
            SELECT latest.tree
            FROM loyalty.promotion_versions AS latest
            WHERE latest.program = program.external_id
            ORDER BY latest.version DESC
            LIMIT 1
        ) AS version ON true
        WHERE program.external_id = price_moments.program
    ),
    promotion AS (
        SELECT listed.body
        FROM known
        CROSS JOIN LATERAL jsonb_array_elements(known.tree -> 'promotions') AS listed (body)
        WHERE listed.body ->> 'state' = 'active' AND listed.body ->> 'kind' <> 'trigger'
    ),
    moment AS (
        SELECT to_timestamp((edge.at ->> 'unix')::double precision) AS at
        FROM promotion
        CROSS JOIN LATERAL (VALUES (promotion.body -> 'starts_at'), (promotion.body -> 'ends_at')) AS edge (at)
        WHERE edge.at IS NOT NULL
        UNION
        SELECT (day.begins + make_interval(secs => hour.secs)) AT TIME ZONE known.zone
        FROM known
        CROSS JOIN LATERAL generate_series(
            -- Behind -infinity is no first day: a series from there would not end.
            CASE WHEN isfinite(after) THEN date_trunc('day', after AT TIME ZONE known.zone) - interval '1 day' END,
            least(until, after + interval '100 years') AT TIME ZONE known.zone,
            interval '1 day'
        ) AS day (begins)
        CROSS JOIN LATERAL (
            SELECT 0::double precision AS secs
            UNION
            SELECT edge.secs::double precision
            FROM promotion
            CROSS JOIN LATERAL (
                VALUES (promotion.body -> 'schedule' ->> 'from'), (promotion.body -> 'schedule' ->> 'to')
            ) AS edge (secs)
            WHERE edge.secs IS NOT NULL
        ) AS hour
    )
    SELECT moment.at
    FROM moment
    WHERE moment.at > after AND moment.at <= until
    ORDER BY moment.at
$body$;

COMMENT ON FUNCTION loyalty_internal.price_moments(text, timestamptz, timestamptz) IS
    'The moments after one and up to another at which the calendar of the version in force may change prices: starts, '
    'ends, hours and midnights of the first 100 years, in order. '
    'Example: SELECT loyalty_internal.price_moments(''main'', now(), now() + ''1 day'');';

CREATE FUNCTION loyalty_internal.recorded_prices(
    program text,
    skus text[],
    at timestamptz,
    used_up text[],
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
    AS 'MODULE_PATHNAME', 'loyalty_recorded_prices';

COMMENT ON FUNCTION loyalty_internal.recorded_prices(text, text[], timestamptz, text[]) IS
    'As loyalty_prices() for an anonymous guest, with the usage limits of these promotions used up, and those of '
    'others untouched: what counted at a moment that has passed. '
    'Example: SELECT sku, price FROM loyalty_internal.recorded_prices(''main'', NULL, now(), ''{}'');';

CREATE FUNCTION loyalty_internal.write_prices(program text, skus text[], at timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS $body$
DECLARE
    sold CONSTANT text[] := ARRAY(
        SELECT product.sku::text
        FROM loyalty.products AS product
        WHERE product.program = write_prices.program
            AND (skus IS NULL OR product.sku = ANY (skus))
    );
BEGIN
    INSERT INTO loyalty.price_history (program, sku, begins_at, price)
    SELECT
        write_prices.program,
        found.sku,
        write_prices.at,
        found.price
    FROM (
        SELECT priced.sku, priced.price
        FROM loyalty.price_recordings AS kept
        CROSS JOIN LATERAL loyalty_internal.recorded_prices(kept.program::text, sold, at, kept.used_up::text[])
            AS priced
        WHERE kept.program = write_prices.program
        UNION ALL
        SELECT gone.sku, NULL::numeric
        FROM (
            SELECT DISTINCT former.sku::text AS sku
            FROM loyalty.price_history AS former
            WHERE former.program = write_prices.program
                AND (skus IS NULL OR former.sku = ANY (skus))
            EXCEPT
            SELECT unnest(sold)
        ) AS gone
    ) AS found
    LEFT JOIN LATERAL (
        SELECT former.price
        FROM loyalty.price_history AS former
        WHERE former.sku = found.sku
            AND former.program = write_prices.program
            AND former.begins_at <= write_prices.at
        ORDER BY former.begins_at DESC, former.id DESC
        LIMIT 1
    ) AS last ON true
    WHERE last.price IS DISTINCT FROM found.price;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.write_prices(text, text[], timestamptz) IS
    'Adds to loyalty.price_history what these products (null: all) cost from a moment on, where that is new, with the '
    'rights of the caller. Example: SELECT loyalty_internal.write_prices(''main'', ''{PC-1}'', now());';

CREATE FUNCTION @extschema@.loyalty_record_prices(program text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty.note_used_up(program);
    PERFORM loyalty.settle_prices(program);
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_record_prices(text) IS
    'Records in loyalty.price_history what the calendar of promotions and used-up limits have changed since it was '
    'done last, in one program or (null) in all that keep it; a part of loyalty_run_jobs(). Nothing depends on when it '
    'runs but the moment at which a limit counts as used up. Example: SELECT loyalty_record_prices();';

CREATE FUNCTION loyalty_internal.settle_prices_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty.settle_prices(NULL::text);
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.settle_prices_trigger() IS
    'Trigger of what prices depend on, before a statement: records what the calendar has changed by now, under what is '
    'in force yet. Example: CREATE TRIGGER ... BEFORE INSERT ... FOR EACH STATEMENT EXECUTE FUNCTION '
    'loyalty_internal.settle_prices_trigger();';

CREATE FUNCTION loyalty_internal.record_prices_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM loyalty.note_price_change(NULL::text);
        RETURN NULL;
    END IF;
    PERFORM loyalty.record_prices(written.program::text, array_agg(DISTINCT written.sku::text))
    FROM written
    GROUP BY written.program
    ORDER BY written.program;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.record_prices_trigger() IS
    'Trigger of loyalty.products and of tables that prices of products depend on, after a statement (transition table '
    '"written") or a truncate: records the new prices of these products. Example: CREATE TRIGGER ... REFERENCING NEW '
    'TABLE AS written ... EXECUTE FUNCTION loyalty_internal.record_prices_trigger();';

CREATE FUNCTION loyalty_internal.note_price_change_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty.note_price_change(CASE TG_OP WHEN 'DELETE' THEN OLD.program ELSE NEW.program END::text);
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.note_price_change_trigger() IS
    'Trigger of what the prices of a whole program depend on, after a row: notes that they are to be recorded. '
    'Example: CREATE TRIGGER ... FOR EACH ROW EXECUTE FUNCTION loyalty_internal.note_price_change_trigger();';

CREATE FUNCTION loyalty_internal.keep_price_history_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty.keep_price_history(NEW.external_id::text);
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.keep_price_history_trigger() IS
    'Trigger of loyalty.programs, after a row: begins to keep the price history of an active program, or ends it. '
    'Example: CREATE TRIGGER ... FOR EACH ROW EXECUTE FUNCTION loyalty_internal.keep_price_history_trigger();';
