-- A gift shop with real orders (DATA.md) and a small loyalty program of its own.
--
-- Needs schema loyalty and the current directory at the root of the tree. Makes schema shop, which is what a shop has
-- anyway, and program "shop" on it; the demonstration and the tests use both.

-- ---------------------------------------------------------------------------------------------------------------------
-- The shop as it was before: invoices, customers, products

\ir invoices.sql
\copy shop.invoice_lines (invoice, sku, description, quantity, sold_at, unit_price, customer, country) FROM 'demo/online_retail_slice.csv' (FORMAT csv, HEADER)

CREATE TABLE shop.customers (
    customer integer PRIMARY KEY,
    country text NOT NULL,
    orders integer NOT NULL
);

INSERT INTO shop.customers (customer, country, orders)
SELECT
    customer,
    min(country),
    count(DISTINCT invoice)
FROM shop.sale_lines
WHERE customer IS NOT NULL
GROUP BY customer;

-- ---------------------------------------------------------------------------------------------------------------------
-- The program: whose it is, its products, its points, its members

INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
VALUES ('customers', 'Customers of the shop', 'shop.customers', 'customer');

INSERT INTO loyalty.programs (external_id, name, profile_database, currency, currency_scale, time_zone, active)
VALUES ('shop', 'Gift shop stars', 'customers', 'GBP', 2, 'Europe/London', true);

-- The file has a price per sale; the catalogue gets the most frequent one.
INSERT INTO loyalty.products (program, sku, name, price)
SELECT
    'shop',
    sku,
    coalesce(mode() WITHIN GROUP (ORDER BY description), sku),
    mode() WITHIN GROUP (ORDER BY unit_price)
FROM shop.sale_lines
WHERE quantity > 0
GROUP BY sku;

INSERT INTO loyalty.point_types (program, external_id, name, scale, ratio, active)
VALUES ('shop', 'stars', 'Stars', 0, 100, true);

-- Whoever has ordered twice is a member; regulars already have 1,500 stars, worth 15.00.
INSERT INTO loyalty.members (member, program, enrolled_at)
SELECT customer::text, 'shop', loyalty.clock() FROM shop.customers WHERE orders >= 2;

INSERT INTO loyalty.transactions (member, program, point_type, type, value)
SELECT customer::text, 'shop', 'stars', 'accrual', 1500 FROM shop.customers WHERE orders >= 4;

-- ---------------------------------------------------------------------------------------------------------------------
-- The promotion tree
--
-- main (consistent): each child works on the prices that the one before it left; at most 35 % off all goods
-- |- offers (incompatibility): of these, a line gets one only, and no price falls below 75 %
-- |  |- christmas        20 % off whatever is for Christmas
-- |  |- tea              25 % off the three most expensive pieces of the tea table
-- |  `- retrospot        0.50 off each piece with the red spots
-- |- basket (max_benefit): whatever combination is worth most to the customer
-- |  |- together (summation): both on the same prices, added up; at most 50.00 off
-- |  |  |- everyday      3 % off all goods
-- |  |  `- small-things  10 % off what costs less than 1.00
-- |  |- postage          half the postage
-- |  `- pay-with-stars   stars pay up to 20 % of the goods
-- `- earn                5 % of what is paid comes back in stars, and 50 stars for the order

INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
VALUES
    ('shop', 'christmas', 'For Christmas', '$.name like_regex "CHRISTMAS|ADVENT"'),
    ('shop', 'tea-table', 'Tea table', '$.name like_regex "TEA ?(CUP|POT|TOWEL|TIME|SET)|CAKE ?STAND|CAKE TINS"'),
    ('shop', 'retrospot', 'Red spots', '$.name like_regex "RETROSPOT" && $.price >= 1.25'),
    ('shop', 'small-things', 'Small things', '$.price < 1'),
    ('shop', 'not-goods', 'Not goods', '!($.sku like_regex "^[0-9]")');

UPDATE loyalty.promotion_groups
SET arbitration = 'consistent', max_discount_percent = 35
WHERE program = 'shop' AND external_id = 'main';

INSERT INTO loyalty.promotion_groups
    (program, external_id, name, parent, arbitration, max_discount_amount, min_product_price_percent)
VALUES
    ('shop', 'offers', 'Offers', 'main', 'incompatibility', NULL, 75),
    ('shop', 'basket', 'Basket', 'main', 'max_benefit', NULL, NULL),
    ('shop', 'together', 'Together', 'basket', 'summation', 50, NULL);

INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, state, audience, benefit_rule)
VALUES
    ('shop', 'christmas', 'Christmas sale', 'discount', 'offers', 'active', 'everyone', 'sequential'),
    ('shop', 'tea', 'A cup of tea', 'discount', 'offers', 'active', 'everyone', 'sequential'),
    ('shop', 'retrospot', 'Red spots', 'discount', 'offers', 'active', 'everyone', 'sequential'),
    ('shop', 'everyday', 'Member''s discount', 'discount', 'together', 'active', 'members', 'sequential'),
    ('shop', 'small-things', 'Small things', 'discount', 'together', 'active', 'members', 'sequential'),
    ('shop', 'postage', 'Half the postage', 'discount', 'basket', 'active', 'members', 'sequential'),
    ('shop', 'pay-with-stars', 'Pay with stars', 'points', 'basket', 'active', 'members', 'sequential'),
    ('shop', 'earn', 'Earn stars', 'points', 'main', 'active', 'members', 'parallel');

-- The orders are old.
UPDATE loyalty.promotions SET starts_at = '2010-12-01 00:00+00' WHERE program = 'shop';

INSERT INTO loyalty.promotion_conditions (program, promotion, position, level, mode, segments)
VALUES
    ('shop', 'christmas', 1, 'product', 'in', '{christmas}'),
    ('shop', 'tea', 1, 'product', 'in', '{tea-table}'),
    ('shop', 'retrospot', 1, 'product', 'in', '{retrospot}'),
    ('shop', 'everyday', 1, 'order', 'all', '{}'),
    ('shop', 'small-things', 1, 'product', 'in', '{small-things}'),
    ('shop', 'postage', 1, 'order', 'all', '{}'),
    ('shop', 'pay-with-stars', 1, 'order', 'all', '{}'),
    ('shop', 'earn', 1, 'product', 'outside', '{not-goods}'),
    ('shop', 'earn', 2, 'order', 'all', '{}');

INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES
    ('shop', 'christmas', 1, 'discount', '{"percent": 20}'),
    ('shop', 'tea', 1, 'discount', '{"percent": 25, "max_items": 3, "pick": "most_expensive"}'),
    ('shop', 'retrospot', 1, 'discount', '{"amount": 0.50}'),
    ('shop', 'everyday', 1, 'discount', '{"percent": 3}'),
    ('shop', 'small-things', 1, 'discount', '{"percent": 10}'),
    ('shop', 'postage', 1, 'discount', '{"percent": 50, "target": "shipping"}'),
    ('shop', 'pay-with-stars', 1, 'points_discount', '{"point_type": "stars", "percent": 20}'),
    ('shop', 'earn', 1, 'accrue_points', '{"point_type": "stars", "percent": 5, "credit_on": "delivered"}'),
    ('shop', 'earn', 2, 'accrue_points', '{"point_type": "stars", "points": 50}');

-- Everything above is a draft until now.
SELECT loyalty_apply('shop') AS version \gset

-- ---------------------------------------------------------------------------------------------------------------------
-- The sale invoices as order documents

-- Postage is the order's shipping price, except where an invoice has nothing else. A few invoices of the whole file,
-- none of these, run over a minute's end, hence min().
CREATE TABLE shop.orders AS
SELECT
    invoice,
    sum(quantity * unit_price) AS base,
    bool_or(quantity < 0) AS is_written_off,
    jsonb_strip_nulls(jsonb_build_object(
        'program', 'shop',
        'external_id', invoice,
        'member', min(customer)::text,
        'time', to_char(min(sold_at), 'YYYY-MM-DD"T"HH24:MI'),
        'shipping', sum(quantity * unit_price) FILTER (WHERE is_shipping),
        'lines', jsonb_agg(
            jsonb_build_object('product', sku, 'quantity', quantity, 'price', unit_price)
            ORDER BY number
        ) FILTER (WHERE NOT is_shipping),
        'redeem', CASE WHEN min(customer) IS NOT NULL THEN '[{"points": "stars", "amount": "max"}]'::jsonb END
    )) AS document
FROM (
    SELECT
        *,
        is_postage AND NOT bool_and(is_postage) OVER (PARTITION BY invoice) AS is_shipping
    FROM shop.sale_lines
) AS line
GROUP BY invoice
ORDER BY invoice;

ALTER TABLE shop.orders ADD PRIMARY KEY (invoice);

-- An order, and what became of it: the result, or the error.
CREATE FUNCTION shop.try_to_calculate(document jsonb, OUT result jsonb, OUT error_code text, OUT error_message text)
    LANGUAGE plpgsql
    AS $$
BEGIN
    result := loyalty_calculate(document);
EXCEPTION
    WHEN OTHERS THEN
        error_code := SQLSTATE;
        error_message := SQLERRM;
END
$$;

CREATE TABLE shop.results AS
SELECT
    invoice,
    base,
    attempt.*
FROM shop.orders, shop.try_to_calculate(document) AS attempt;

ALTER TABLE shop.results ADD PRIMARY KEY (invoice);
