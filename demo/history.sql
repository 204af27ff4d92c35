-- The history of a shop, lived through with a loyalty program: every sale is placed as an order at its own time, delivered
-- two days later, and every cancellation of the file returned, as far as it covers what the customer had bought before.
--
-- Needs schema loyalty, nothing booked in it yet, and shop.invoice_lines (invoices.sql) filled from the whole file or
-- from the slice. Makes program "history"; CALL shop.replay(NULL, NULL) commits as it goes and says how far it is;
-- shop.outcome tells what came of it.

-- ---------------------------------------------------------------------------------------------------------------------
-- What there is to replay. Invoices of a negative quantity are stock written off, and the file's times are local.

CREATE TABLE shop.buyers (customer integer PRIMARY KEY);
INSERT INTO shop.buyers SELECT DISTINCT customer FROM shop.invoice_lines WHERE customer IS NOT NULL;

CREATE TABLE shop.happenings AS
SELECT
    row_number() OVER (ORDER BY min(sold_at), invoice) AS number,
    invoice,
    min(sold_at) AT TIME ZONE 'Europe/London' AS happened_at,
    min(customer) AS customer,
    invoice ~ '^C' AS is_return
FROM shop.invoice_lines
GROUP BY invoice
HAVING invoice ~ '^[0-9]' AND min(quantity) > 0
    OR invoice ~ '^C' AND min(customer) IS NOT NULL;
ALTER TABLE shop.happenings ADD PRIMARY KEY (number);
CREATE INDEX ON shop.invoice_lines (invoice);

-- Postage is the order's shipping, except where an invoice has nothing else.
CREATE FUNCTION shop.order_document(wanted text) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
SELECT jsonb_strip_nulls(jsonb_build_object(
    'program', 'history',
    'external_id', wanted,
    'member', min(customer)::text,
    'shipping', sum(quantity * unit_price) FILTER (WHERE is_shipping),
    'redeem', CASE WHEN min(customer) IS NOT NULL THEN '[{"points": "stars", "amount": "max"}]'::jsonb END,
    'promo_codes', CASE WHEN min(customer) IS NOT NULL THEN '["TWENTYTEN"]'::jsonb END,
    'lines', jsonb_agg(
        jsonb_build_object('id', number::text, 'product', sku, 'quantity', quantity, 'price', unit_price)
        ORDER BY number
    ) FILTER (WHERE NOT is_shipping)
))
FROM (
    SELECT *, is_postage AND NOT bool_and(is_postage) OVER () AS is_shipping
    FROM shop.sale_lines
    WHERE invoice = wanted
) AS line
$$;

-- ---------------------------------------------------------------------------------------------------------------------
-- The program: stars worth 0.01, valid for three months, that pay up to a fifth of an order; three of a hundred are
-- earned, once the goods are delivered, and ten for every order at once; merit points count what was bought. A code takes one
-- percent off three orders of each member, and 1000.00 in all are off large orders.

INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
VALUES ('buyers', 'Customers of the shop', 'shop.buyers', 'customer');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, currency_scale, time_zone, active)
VALUES ('history', 'A year of the gift shop', 'buyers', 'GBP', 3, 'Europe/London', true);
INSERT INTO loyalty.point_types (program, external_id, name, kind, scale, ratio, validity_count, validity_unit, active)
VALUES
    ('history', 'stars', 'Stars', 'standard', 0, 100, 3, 'month', true),
    ('history', 'merits', 'Merits', 'qualification', 2, 1, NULL, NULL, true);

SELECT loyalty_set_clock(min(happened_at) - interval '1 day') FROM shop.happenings \g /dev/null
INSERT INTO loyalty.members (member, program, enrolled_at) SELECT customer::text, 'history', loyalty.clock() FROM shop.buyers;

INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
VALUES ('history', 'small-things', 'Small things', '$.price < 1');
INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
VALUES ('history', 'large', 'Large orders', '$.total >= 500');
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind, max_uses_per_member)
VALUES ('history', 'codes', 'The code of the year', 'universal', 3);
INSERT INTO loyalty.promo_codes (code, program, pool) VALUES ('TWENTYTEN', 'history', 'codes');
INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, position, state, audience, promo_code_pool, money_budget)
VALUES
    ('history', 'small-things', 'A tenth off small things', 'discount', 'main', 1, 'active', 'everyone', NULL, NULL),
    ('history', 'everyday', 'Three percent off', 'discount', 'main', 2, 'active', 'members', NULL, NULL),
    ('history', 'code', 'One percent off with the code', 'discount', 'main', 3, 'active', 'members', 'codes', NULL),
    ('history', 'large', 'Twenty off large orders', 'discount', 'main', 4, 'active', 'everyone', NULL, 1000),
    ('history', 'pay', 'Pay with stars', 'points', 'main', 5, 'active', 'members', NULL, NULL),
    ('history', 'earn', 'Earn stars and merits', 'points', 'main', 6, 'active', 'members', NULL, NULL);
INSERT INTO loyalty.promotion_conditions (program, promotion, position, level, mode, segments)
VALUES
    ('history', 'small-things', 1, 'product', 'in', '{small-things}'),
    ('history', 'everyday', 1, 'order', 'all', '{}'),
    ('history', 'code', 1, 'order', 'all', '{}'),
    ('history', 'large', 1, 'order', 'in', '{large}'),
    ('history', 'pay', 1, 'order', 'all', '{}'),
    ('history', 'earn', 1, 'product', 'all', '{}'),
    ('history', 'earn', 2, 'order', 'all', '{}');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES
    ('history', 'small-things', 1, 'discount', '{"percent": 10}'),
    ('history', 'everyday', 1, 'discount', '{"percent": 3, "target": "order"}'),
    ('history', 'code', 1, 'discount', '{"percent": 1}'),
    ('history', 'large', 1, 'discount', '{"amount": 20}'),
    ('history', 'pay', 1, 'points_discount', '{"point_type": "stars", "percent": 20}'),
    ('history', 'earn', 1, 'accrue_points', '{"point_type": "stars", "percent": 3, "credit_on": "delivered"}'),
    ('history', 'earn', 2, 'accrue_points', '{"point_type": "stars", "points": 10}'),
    ('history', 'earn', 2, 'accrue_points', '{"point_type": "merits", "percent": 100}');
SELECT loyalty_apply('history') \g /dev/null

-- ---------------------------------------------------------------------------------------------------------------------
-- The replay

-- What each customer has bought and still has.
CREATE TABLE shop.kept (
    customer integer,
    sku text,
    invoice text,
    line text,
    number bigint,
    unit_price numeric,
    quantity numeric,
    PRIMARY KEY (customer, sku, invoice, line)
);
CREATE TABLE shop.undelivered (due_at timestamptz, invoice text, PRIMARY KEY (due_at, invoice));
CREATE TABLE shop.found (invoice text, line text, quantity bigint);
CREATE TABLE shop.returned_lines (invoice text, wanted bigint, covered bigint);

CREATE PROCEDURE shop.set_clock(moment timestamptz)
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF moment > loyalty_now() THEN
        PERFORM loyalty_set_clock(moment);
    END IF;
END
$$;

CREATE PROCEDURE shop.deliver(moment timestamptz)
    LANGUAGE plpgsql
    AS $$
DECLARE
    due record;
BEGIN
    FOR due IN
        WITH taken AS (DELETE FROM shop.undelivered WHERE due_at <= moment RETURNING due_at, invoice)
        SELECT * FROM taken ORDER BY due_at, invoice
    LOOP
        CALL shop.set_clock(due.due_at);
        PERFORM loyalty_set_order_status('history', due.invoice, 'delivered');
    END LOOP;
END
$$;

CREATE PROCEDURE shop.sell(sale shop.happenings)
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM loyalty_place_order(shop.order_document(sale.invoice));
    INSERT INTO shop.undelivered VALUES (sale.happened_at + interval '2 days', sale.invoice);
    INSERT INTO shop.kept
    SELECT sale.customer, product, sale.invoice, line, sale.number, price, quantity
    FROM loyalty.order_lines
    WHERE buyer = 'm:' || sale.customer AND program = 'history' AND order_id = sale.invoice;
    -- The shipping has no line.
    INSERT INTO shop.kept
    SELECT sale.customer, 'POST', sale.invoice, '', sale.number, shipping_base, 1
    FROM loyalty.orders
    WHERE buyer = 'm:' || sale.customer AND program = 'history' AND external_id = sale.invoice AND shipping_base > 0;
END
$$;

-- A cancellation does not name its order: it takes what was bought at the same price first, and of that the latest. The
-- shipping comes back as a whole or not at all.
CREATE PROCEDURE shop.take_back(given shop.happenings)
    LANGUAGE plpgsql
    AS $$
DECLARE
    wanted record;
    bought record;
    missing bigint;
    taken bigint;
BEGIN
    DELETE FROM shop.found;
    FOR wanted IN
        SELECT CASE WHEN line.sku IN ('POST', 'DOT') THEN 'POST' ELSE line.sku END AS sku, - line.quantity AS quantity, line.unit_price
        FROM shop.invoice_lines AS line
        WHERE line.invoice = given.invoice
        ORDER BY line.number
    LOOP
        missing := wanted.quantity;
        FOR bought IN
            SELECT kept.*
            FROM shop.kept
            WHERE kept.customer = given.customer AND kept.sku = wanted.sku AND kept.quantity > 0
                AND (kept.line <> '' OR kept.unit_price = wanted.unit_price * wanted.quantity)
            ORDER BY kept.unit_price <> wanted.unit_price, kept.number DESC, kept.line
        LOOP
            EXIT WHEN missing = 0;
            taken := least(missing, bought.quantity);
            missing := CASE bought.line WHEN '' THEN 0 ELSE missing - taken END;
            UPDATE shop.kept SET quantity = kept.quantity - taken
            WHERE kept.customer = bought.customer AND kept.sku = bought.sku
                AND kept.invoice = bought.invoice AND kept.line = bought.line;
            INSERT INTO shop.found VALUES (bought.invoice, bought.line, taken);
        END LOOP;
        INSERT INTO shop.returned_lines VALUES (given.invoice, wanted.quantity, wanted.quantity - missing);
    END LOOP;

    PERFORM loyalty_return_items(
        'history',
        part.invoice,
        coalesce(
            jsonb_agg(jsonb_build_object('id', part.line, 'quantity', part.quantity) ORDER BY part.line)
                FILTER (WHERE part.line <> ''),
            '[]'
        ),
        given.invoice,
        bool_or(part.line = '')
    )
    FROM (
        SELECT found.invoice, found.line, sum(found.quantity) AS quantity
        FROM shop.found
        GROUP BY found.invoice, found.line
    ) AS part
    GROUP BY part.invoice;
END
$$;

CREATE PROCEDURE shop.replay(OUT placed bigint, OUT returned bigint)
    LANGUAGE plpgsql
    AS $$
DECLARE
    last_one CONSTANT bigint := (SELECT max(number) FROM shop.happenings);
    happening shop.happenings;
BEGIN
    placed := 0;
    returned := 0;
    FOR this_one IN 1 .. last_one LOOP
        SELECT * INTO happening FROM shop.happenings WHERE number = this_one;
        CALL shop.deliver(happening.happened_at);
        CALL shop.set_clock(happening.happened_at);
        IF happening.is_return THEN
            CALL shop.take_back(happening);
            returned := returned + 1;
        ELSE
            CALL shop.sell(happening);
            placed := placed + 1;
        END IF;
        IF this_one % 50 = 0 THEN
            COMMIT;
        END IF;
        -- What a server's autovacuum would do by and by.
        IF this_one IN (100, 1000, 10000) THEN
            ANALYZE;
        END IF;
        IF this_one % 1000 = 0 THEN
            RAISE NOTICE '% of % invoices replayed, until %', this_one, last_one, happening.happened_at;
        END IF;
    END LOOP;
    CALL shop.deliver('infinity');
    COMMIT;
END
$$;

-- ---------------------------------------------------------------------------------------------------------------------
-- What came of it

-- Per order and point type, what is left in the ledger of everything that the order booked: what was earned and not taken
-- back, less what was spent and not given back. What could not be taken back, because it was spent or had expired, was
-- claimed all the same.
CREATE VIEW shop.points_left AS
SELECT source AS invoice, member, point_type, sum(value - greatest(owed, 0) - lapsed) AS points
FROM loyalty.transactions
WHERE program = 'history' AND source_type = 'order'
GROUP BY source, member, point_type;

-- Orders of which everything came back, and what is left of their money, points and codes: nothing, if all is right.
CREATE VIEW shop.fully_returned AS
SELECT
    placed.external_id AS invoice,
    placed.total,
    placed.total - placed.refunded AS money_left,
    coalesce(points.points, 0) AS points_left,
    (
        SELECT count(*)
        FROM loyalty.promo_code_uses AS used
        WHERE used.buyer = placed.buyer AND used.program = placed.program AND used.order_id = placed.external_id
            AND used.freed_at IS NULL
    ) AS codes_left
FROM loyalty.orders AS placed
LEFT JOIN (
    SELECT invoice, sum(abs(points)) AS points FROM shop.points_left GROUP BY invoice
) AS points ON points.invoice = placed.external_id
WHERE placed.program = 'history'
    AND (placed.shipping_refunded OR placed.shipping_base = 0)
    AND NOT EXISTS (
        SELECT
        FROM loyalty.order_lines AS line
        WHERE line.buyer = placed.buyer
            AND line.program = placed.program
            AND line.order_id = placed.external_id
            AND line.returned < line.quantity
    );

CREATE VIEW shop.outcome AS
SELECT what, figure
FROM (
    SELECT 1, 'orders placed', count(*) FROM loyalty.orders
    UNION ALL
    SELECT 2, 'their money', sum(total) FROM loyalty.orders
    UNION ALL
    SELECT 3, 'cancellations', count(DISTINCT invoice) FROM shop.returned_lines
    UNION ALL
    SELECT 4, 'lines of cancellations', count(*) FROM shop.returned_lines
    UNION ALL
    SELECT 5, '  covered by earlier purchases', count(*) FROM shop.returned_lines WHERE covered = wanted
    UNION ALL
    SELECT 6, '  covered in part', count(*) FROM shop.returned_lines WHERE covered < wanted AND covered > 0
    UNION ALL
    SELECT 7, '  not covered', count(*) FROM shop.returned_lines WHERE covered = 0
    UNION ALL
    SELECT 8, '  units covered', sum(covered) FROM shop.returned_lines
    UNION ALL
    SELECT 9, '  units not covered', sum(wanted - covered) FROM shop.returned_lines
    UNION ALL
    SELECT 10, 'returns booked', count(*) FROM loyalty.order_returns
    UNION ALL
    SELECT 11, 'money given back', sum(refunded) FROM loyalty.orders
    UNION ALL
    SELECT 20 + row_number() OVER (ORDER BY point_type, type), 'points: ' || point_type || ', ' || type, sum(value)
    FROM loyalty.transactions
    GROUP BY point_type, type
    UNION ALL
    SELECT 37, 'uses of the code', count(*) FROM loyalty.promo_code_uses
    UNION ALL
    SELECT 38, '  given back', count(*) FROM loyalty.promo_code_uses WHERE freed_at IS NOT NULL
    UNION ALL
    SELECT 39, 'used of the budget', sum(money) FROM loyalty.promotion_counters
    UNION ALL
    SELECT 40, 'points owed', sum(owed) FROM loyalty.balances
    UNION ALL
    SELECT 41, 'orders returned in full', count(*) FROM shop.fully_returned
    UNION ALL
    SELECT 42, '  of these, with money, points or codes left', count(*)
    FROM shop.fully_returned
    WHERE money_left <> 0 OR points_left <> 0 OR codes_left <> 0
    UNION ALL
    SELECT 43, 'invariants that do not hold', count(*) FROM loyalty_verify()
) AS figures (number, what, figure)
ORDER BY number;
