-- What of a program's draft cannot work, or can do more than anybody means.

CREATE FUNCTION loyalty_internal.contradiction(predicate text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
        -- Figures of which a document has one: of a list lax paths take any item. Choices and negations are left alone.
        SELECT
            min(format(
                '%s %s %s contradicts %s %s %s', low.figure, low.sign, low.bound, high.figure, high.sign, high.bound
            ))
        FROM (
            SELECT replace(part[1], '"', '') AS figure, part[2] AS sign, part[3]::numeric AS bound
            FROM regexp_matches(
                predicate,
                '[$][.]"(price|min_price|total|goods|items|shipping|buyer"[.]"orders"[.]"(?:count|sum))" (>=|>|==) '
                '(-?[0-9]+(?:[.][0-9]+)?)(?![0-9.eE])', 'g'
            ) AS m (part)
        ) AS low
        JOIN (
            SELECT replace(part[1], '"', '') AS figure, part[2] AS sign, part[3]::numeric AS bound
            FROM regexp_matches(
                predicate,
                '[$][.]"(price|min_price|total|goods|items|shipping|buyer"[.]"orders"[.]"(?:count|sum))" (<=|<|==) '
                '(-?[0-9]+(?:[.][0-9]+)?)(?![0-9.eE])', 'g'
            ) AS m (part)
        ) AS high ON high.figure = low.figure
        WHERE predicate !~ '[|][|]|!|exists|is unknown'
            AND (low.bound > high.bound OR low.bound = high.bound AND (low.sign = '>' OR high.sign = '<'));
    END;

COMMENT ON FUNCTION loyalty_internal.contradiction(text) IS
    'Two comparisons of a predicate, an SQL/JSON path as the server writes it, that nothing can fulfil together; null '
    'where none is found. Example: SELECT loyalty_internal.contradiction(''$.total >= 100 && $.total < '
    '50''::jsonpath::text);';

CREATE FUNCTION @extschema@.loyalty_lint(
    program text,
    OUT severity text,
    OUT node text,
    OUT finding text,
    OUT witness text
) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000 ROWS 10
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT loyalty_internal.refuse_program(loyalty_lint.program)
WHERE NOT EXISTS (SELECT FROM loyalty.programs AS known WHERE known.external_id = loyalty_lint.program);

WITH settings AS (
    SELECT external_id AS program, time_zone, loyalty.clock() AS now
    FROM loyalty.programs WHERE external_id = loyalty_lint.program
),
promotion AS (
    SELECT p.*, coalesce((p.ends_on + 1)::timestamp AT TIME ZONE s.time_zone, p.ends_at) AS over_at
    FROM loyalty.promotions AS p JOIN settings AS s ON s.program = p.program
    WHERE p.state = 'active'
),
benefit AS (
    SELECT b.*, c.level, c.mode, c.segments, p.parent
    FROM promotion AS p
    JOIN loyalty.promotion_conditions AS c ON c.program = p.program AND c.promotion = p.external_id
    JOIN loyalty.promotion_benefits AS b
        ON b.program = c.program AND b.promotion = c.promotion AND b.condition = c.position
),
segment AS (
    SELECT 'product' AS kind, t.external_id, t.predicate FROM loyalty.product_segments AS t
        JOIN settings USING (program)
    UNION ALL
    SELECT 'order', t.external_id, t.predicate FROM loyalty.order_segments AS t JOIN settings USING (program)
),
-- A group and all that encloses it.
enclosing AS (
    WITH RECURSIVE way AS (
        SELECT g.external_id AS child, g.* FROM loyalty.promotion_groups AS g JOIN settings USING (program)
        UNION ALL
        SELECT way.child, g.*
        FROM way JOIN loyalty.promotion_groups AS g ON g.program = way.program AND g.external_id = way.parent
    )
    SELECT
        child,
        bool_or(num_nonnulls(
            max_discount_percent, max_discount_amount, min_product_price_percent, min_product_price_amount
        ) > 0) AS limited
    FROM way GROUP BY child
),
asked_field AS (
    SELECT format('promotion "%s"', promotion) AS node, parameters ->> 'field' AS field
    FROM benefit WHERE parameters ? 'field'
    UNION
    SELECT format('product segment "%s"', external_id), part[1]
    FROM segment CROSS JOIN LATERAL regexp_matches(predicate::text, '[$][.]"fields"[.]"([^"]+)"', 'g') AS m (part)
    WHERE kind = 'product'
),
pool AS (
    SELECT
        u.external_id, p.external_id AS promotion, p.kind,
        coalesce((p.ends_on + 1)::timestamp AT TIME ZONE s.time_zone, p.valid_until) <= s.now AS is_over,
        EXISTS (
            SELECT FROM loyalty.promo_codes AS c
            WHERE c.program = p.program AND c.pool = p.external_id AND c.expires_at > s.now
        ) AS has_codes
    FROM (
        SELECT external_id, promo_code_pool AS pool FROM promotion WHERE promo_code_pool IS NOT NULL
        UNION
        SELECT promotion, parameters ->> 'pool' FROM benefit WHERE benefit = 'issue_promo_code'
    ) AS u
    CROSS JOIN settings AS s
    JOIN loyalty.promo_code_pools AS p ON p.program = s.program AND p.external_id = u.pool
),
-- Whoever takes part, wherever, whenever, whatever is in the order.
unbound AS (
    SELECT * FROM promotion
    WHERE audience IN ('everyone', 'members', 'guests') AND order_mode = 'all' AND promo_code_pool IS NULL
        AND num_nonnulls(
            starts_at, starts_on, ends_at, ends_on, ends_after_count, schedule_from, schedule_to, schedule_every_count,
            max_uses, max_uses_per_member, money_budget, points_budget, min_items, min_total
        ) = 0
        AND cardinality(schedule_months) + cardinality(schedule_days) + cardinality(schedule_weekdays)
        + cardinality(channels) + cardinality(contact_points) + cardinality(regions) = 0
),
-- Under incompatibility it takes every unit that has a price.
taker AS (
    SELECT p.external_id, p.parent, p.position, p.audience
    FROM unbound AS p
    JOIN loyalty.promotion_groups AS g
        ON g.program = p.program AND g.external_id = p.parent AND g.arbitration = 'incompatibility'
    WHERE EXISTS (
        SELECT
        FROM loyalty.promotion_conditions AS c
        JOIN benefit AS b ON b.program = c.program AND b.promotion = c.promotion AND b.condition = c.position
        WHERE c.program = p.program AND c.promotion = p.external_id AND c.level = 'product' AND c.mode = 'all'
            AND NOT c.untouched AND num_nonnulls(c.min_items, c.min_total) = 0
            AND b.benefit = 'discount' AND NOT b.parameters ?| '{steps,max_items}'
            AND ((b.parameters ->> 'percent')::numeric > 0
                OR (b.parameters ->> 'per' IS DISTINCT FROM 'order' AND b.parameters ? 'amount'))
    )
),
-- All that the promotions of a group can take off, in percent, were it all added; null where one takes off something
-- else.
reduced AS (
    SELECT
        way.ancestor,
        CASE WHEN bool_and(b.parameters ? 'percent' AND NOT b.parameters ? 'steps')
            THEN sum((b.parameters ->> 'percent')::numeric)
        END AS percent
    FROM (
        WITH RECURSIVE up AS (
            SELECT g.external_id AS child, g.external_id AS ancestor
            FROM loyalty.promotion_groups AS g JOIN settings USING (program)
            UNION ALL
            SELECT up.child, g.parent
            FROM up
            JOIN loyalty.promotion_groups AS g
                ON g.program = loyalty_lint.program AND g.external_id = up.ancestor AND g.parent IS NOT NULL
        )
        SELECT * FROM up
    ) AS way
    JOIN benefit AS b ON b.parent = way.child
    WHERE b.benefit NOT IN ('text', 'issue_promo_code', 'gift') AND b.benefit !~ '^(accrue|multiply|deduct)_points'
        AND b.parameters ->> 'mode' IS DISTINCT FROM 'accrue'
        AND b.parameters ->> 'target' IS DISTINCT FROM 'shipping'
    GROUP BY way.ancestor
),
gain AS (
    -- Fixed numbers of points for small orders are meant to be worth more than these cost.
    SELECT bound.*
    FROM @extschema@.loyalty_bound(loyalty_lint.program, 'points_percent'::text) AS bound
    WHERE bound.depth = 0 AND EXISTS (SELECT FROM benefit WHERE benefit.point_type IS NOT NULL)
)
SELECT 'warning', format('%s segment "%s"', kind, external_id), 'nothing can fulfil its predicate',
    loyalty_internal.contradiction(predicate::text)
FROM segment WHERE loyalty_internal.contradiction(predicate::text) IS NOT NULL
UNION ALL
SELECT DISTINCT 'warning', format('promotion "%s"', benefit.promotion),
    'a segment of it matches no product of the catalogue', named.segment
FROM benefit CROSS JOIN LATERAL unnest(benefit.segments) AS named (segment)
WHERE benefit.level = 'product' AND benefit.mode = 'in'
    AND EXISTS (SELECT FROM loyalty.products AS p WHERE p.program = loyalty_lint.program)
    AND NOT EXISTS (
        SELECT FROM loyalty.segment_products AS m WHERE m.program = loyalty_lint.program AND m.segment = named.segment
    )
UNION ALL
SELECT 'warning', format('%s segment "%s"', listed.kind, listed.external_id),
    format('its list names %ss that there are not', listed.kind),
    min(member.id) || CASE WHEN count(*) > 1 THEN format(', and %s more', count(*) - 1) ELSE '' END
FROM (
    SELECT 'product' AS kind, t.external_id
    FROM loyalty.product_segments AS t JOIN settings USING (program)
    WHERE t.predicate IS NULL
    UNION ALL
    -- Not where the profiles may not be read.
    SELECT 'profile', t.external_id
    FROM loyalty.profile_segments AS t
    JOIN settings USING (program)
    JOIN loyalty.programs AS p ON p.external_id = t.program
    JOIN loyalty.profile_databases AS d ON d.external_id = p.profile_database
    WHERE t.predicate IS NULL AND has_table_privilege(current_user, d.relation, 'SELECT')
) AS listed
CROSS JOIN LATERAL @extschema@.loyalty_segment_members(
    listed.kind, loyalty_lint.program, listed.external_id::text
) AS member
WHERE NOT member.is_known
GROUP BY listed.kind, listed.external_id
UNION ALL
SELECT 'warning', asked.node, 'no product has the field', asked.field
FROM asked_field AS asked
WHERE EXISTS (SELECT FROM loyalty.products AS p WHERE p.program = loyalty_lint.program)
    AND NOT EXISTS (SELECT FROM loyalty.products AS p WHERE p.program = loyalty_lint.program AND p.fields ? asked.field)
    AND NOT EXISTS (
        SELECT FROM loyalty.fields AS f
        WHERE f.program = loyalty_lint.program AND f.kind IN ('product', 'line') AND f.name = asked.field
    )
UNION ALL
SELECT DISTINCT 'warning', format('promotion "%s"', benefit.promotion), 'the field is listed, and is no number',
    f.name::text
FROM benefit
JOIN loyalty.fields AS f ON f.kind = 'product' AND f.name = benefit.parameters ->> 'field'
WHERE f.program = loyalty_lint.program AND f.type <> 'number'
UNION ALL
SELECT 'warning', format('promotion "%s"', pool.external_id),
    CASE
        WHEN pool.is_over THEN 'the validity of its promo code pool is over'
        ELSE 'its promo code pool has no code in date'
    END,
    pool.promotion
FROM pool WHERE pool.is_over OR NOT pool.has_codes
UNION ALL
SELECT 'warning', format('promotion "%s"', external_id), 'it is active, and its end has passed',
    to_char(timezone(time_zone, over_at), 'YYYY-MM-DD HH24:MI')
FROM promotion, settings WHERE over_at <= now
UNION ALL
SELECT DISTINCT 'warning', format('promotion "%s"', used.promotion), 'its point type is not active', used.point_type
FROM (
    SELECT promotion, point_type FROM benefit WHERE point_type IS NOT NULL
    UNION
    SELECT r.promotion, r.point_type::text
    FROM loyalty.trigger_rules AS r JOIN promotion AS p ON p.program = r.program AND p.external_id = r.promotion
) AS used
CROSS JOIN settings AS s
JOIN loyalty.point_types AS t ON t.program = s.program AND t.external_id = used.point_type
WHERE NOT t.active OR coalesce((t.deactivates_on + 1)::timestamp AT TIME ZONE s.time_zone, t.deactivates_at) <= s.now
UNION ALL
SELECT 'warning', format('promotion "%s"', benefit.promotion), 'it gives goods away, and no limit holds it',
    benefit.parameters::text
FROM benefit JOIN enclosing ON enclosing.child = benefit.parent
WHERE benefit.benefit = 'discount' AND (benefit.parameters ->> 'percent')::numeric >= 100
    AND NOT benefit.parameters ? 'max_items' AND coalesce(benefit.parameters ->> 'target', 'goods') <> 'shipping'
    AND NOT enclosing.limited
UNION ALL
SELECT 'warning', 'program', 'a purchase earns points worth all that it costs',
    coalesce(witness::text, at_most::text || ' %')
FROM gain WHERE coalesce(reached, at_most) >= 100 AND at_most < 'Infinity'
UNION ALL
SELECT DISTINCT ON (later.external_id) 'warning', format('promotion "%s"', later.external_id),
    'a promotion before it takes all that it is for, and excludes it', taker.external_id::text
FROM promotion AS later
JOIN taker ON taker.parent = later.parent AND taker.position < later.position
    AND (
        taker.audience = 'everyone'
        OR taker.audience = 'guests' AND later.audience = 'guests'
        OR taker.audience = 'members' AND later.audience NOT IN ('everyone', 'guests')
    )
WHERE NOT EXISTS (
    SELECT FROM benefit
    WHERE benefit.promotion = later.external_id
        AND (
            benefit.benefit NOT IN (
                'discount', 'points_discount', 'partner_discount', 'price_from_field', 'round_price',
                'round_order_price'
            )
            OR coalesce(benefit.parameters ->> 'target', 'goods') <> 'goods'
        )
)
UNION ALL
SELECT 'note', format('promotion group "%s"', g.external_id), 'a limit of it never bites', limited.what
FROM loyalty.promotion_groups AS g
JOIN settings USING (program)
CROSS JOIN LATERAL (
    VALUES
        ('max_discount_percent', g.max_discount_percent >= least(100, (
            SELECT reduced.percent FROM reduced WHERE reduced.ancestor = g.external_id
        ))),
        ('min_product_price_percent', g.min_product_price_percent <= greatest(0, 100 - (
            SELECT reduced.percent FROM reduced WHERE reduced.ancestor = 'main'
        ))),
        ('min_product_price_amount', g.min_product_price_amount = 0)
) AS limited (what, is_idle)
WHERE limited.is_idle
ORDER BY 1 DESC, 2, 3, 4
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_lint(text) IS
    'What of a program''s draft cannot work, or can do more than anybody means: predicates that nothing can fulfil, '
    'segments and fields that no product has, lists that name what there is not, pools without a code in date, ends '
    'that have passed, point types that are not active, promotions that an earlier one always excludes, benefits that '
    'give goods away, orders that earn points worth all that they cost (loyalty_bound() proves it), and limits that '
    'never bite; each with its node and what shows it. Finds what it says, but not everything there may be. Looks at '
    'active promotions, with the caller''s rights. Errors: LY201, LY301, LY302 (the draft cannot be applied). Example: '
    'SELECT * FROM loyalty_lint(''main'');';

CREATE FUNCTION @extschema@.loyalty_bound(
    program text,
    measure text DEFAULT 'discount_percent',
    OUT depth integer,
    OUT node text,
    OUT at_most numeric,
    OUT rounding_at_most numeric,
    OUT reached numeric,
    OUT reasoning text,
    OUT witness jsonb
) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_bound';

COMMENT ON FUNCTION @extschema@.loyalty_bound(text, text) IS
    'A proof of the most that any order can get by a program''s draft, in percent of its goods at base prices: measure '
    'discount_percent (of all goods; what points pay counts, shipping and gifts do not), line_discount_percent (of one '
    'line) or points_percent (what points earned are worth). The first row is the program''s: no order gets more than '
    'at_most percent, and for each of its lines rounding_at_most of money; reached is what an order really gets that '
    'was found and calculated, witness that order and its context, as loyalty_test() takes them. The other rows are '
    'the reasoning, group by group and promotion by promotion: what each can do at most, alone. Infinity: any number '
    'of points. It is a bound for all orders that a document may say, whatever their prices and minimum prices; a '
    'benefit that promises nothing counts as 100 percent. Errors: LY104 (measure), LY201 (program), LY301, LY302 (the '
    'draft cannot be applied). Example: SELECT at_most, reached FROM loyalty_bound(''main'') LIMIT 1;';
