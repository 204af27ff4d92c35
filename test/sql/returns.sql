-- Returns and cancellations: what comes back of money and points, in parts and as a whole, once.
\set ECHO none
SET client_min_messages = warning;
\i test/fixtures/shop.sql
CREATE VIEW points_of AS
SELECT order_id, point_type, coalesce(line, '(shipping)') AS line, points, refunded, forfeited
    FROM loyalty.order_points ORDER BY order_id, number;
CREATE VIEW accruals_of AS
SELECT order_id, number, point_type, coalesce(line, '(order)') AS line, points, state, dropped, taken_back
    FROM loyalty.order_accruals ORDER BY order_id, number;
\set ECHO all

-- In parts: money, points spent and points earned, each cumulatively exact. Gift points are not given back.
SELECT loyalty_place_order(basket('R-1')) -> 'booked' IS NOT NULL AS placed;
SELECT jsonb_pretty(
    loyalty_return_items('main', 'R-1', '[{"id": "b", "quantity": 1}, {"id": "t", "quantity": 0.25}]', 'first'))
    AS answer;
SELECT loyalty_return_items('main', 'R-1', '[{"id": "b", "quantity": 1}]', 'second') -> 'money' AS money;
SELECT loyalty_return_items('main', 'R-1',
    '[{"id": "b", "quantity": 1}, {"id": "t", "quantity": 0.5}, {"id": "p", "quantity": 7}]', 'third',
true) #- '{lines}' AS answer;
SELECT line, quantity, total, returned, refunded FROM loyalty.order_lines WHERE order_id = 'R-1' ORDER BY line;
SELECT total, refunded, shipping_total, shipping_refunded, status FROM loyalty.orders WHERE external_id = 'R-1';
SELECT * FROM points_of;
SELECT * FROM accruals_of;
SELECT * FROM entries WHERE member = 'ann';
SELECT number, kind, external_id, shipping, money, request FROM loyalty.order_returns ORDER BY number;
SELECT number, line, quantity, money FROM loyalty.order_return_lines ORDER BY number, line;

-- The same return again is the first answer; the same id for anything else an error. No more than was sold.
SELECT first.answer ->> 'money' AS money, first.answer -> 'repeated' AS repeated
FROM loyalty_return_items('main', 'R-1', '[{"id": "b", "quantity": 1}, {"id": "t", "quantity": 0.25}]', 'first')
    AS first (answer);
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'R-1', '[{"id": "b", "quantity": 2}]', 'first')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_return_items('main', 'R-1', '[{"id": "b", "quantity": 1}, {"id": "t", "quantity": 0.25}]', 'first',
    true)$$);
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'R-1', '[{"id": "b", "quantity": 1}]', 'fourth')$$);
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'R-1', '[]', 'fourth', true)$$);
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'R-1', '[]', 'fourth')$$);

-- Wrong requests write nothing.
SELECT loyalty_place_order(basket('R-2', 'bob')) -> 'status' AS status;
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'none', '[{"id": "b", "quantity": 1}]', 'x')$$);
SELECT * FROM refusal($$SELECT loyalty_return_items('other', 'R-2', '[{"id": "b", "quantity": 1}]', 'x')$$);
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'R-2', '[{"id": "z", "quantity": 1}]', 'x')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_return_items('main', 'R-2', '[{"id": "b", "quantity": 1}, {"id": "t", "quantity": 0.750001}]',
    'x')$$);
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'R-2', '[{"id": "b", "quantity": 0}]', 'x')$$);
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'R-2', '[{"id": "b", "quantity": -1}]', 'x')$$);
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'R-2', '[{"id": "b", "quantity": 0.0000001}]', 'x')$$);
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'R-2', '[{"id": "b", "quantity": 1e30}]', 'x')$$);
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'R-2', '[{"id": "b", "quantity": "1"}]', 'x')$$);
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'R-2', '[{"id": "b"}]', 'x')$$);
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'R-2', '[{"id": "b", "quantity": 1, "price": 1}]', 'x')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_return_items('main', 'R-2', '[{"id": "b", "quantity": 1}, {"id": "b", "quantity": 1}]', 'x')$$);
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'R-2', '{"id": "b", "quantity": 1}', 'x')$$);
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'R-2', '[{"id": "b", "quantity": 1}]', NULL)$$);
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'R-2', NULL, 'x')$$);
SELECT count(*) FROM loyalty.order_returns WHERE order_id = 'R-2';

-- Cancelling after a return gives back exactly the remainder; once more, the first answer.
SELECT loyalty_return_items('main', 'R-2', '[{"id": "p", "quantity": 3}]', 'x') -> 'money' AS money;
SELECT jsonb_pretty(loyalty_cancel_order('main', 'R-2')) AS answer;
SELECT loyalty_cancel_order('main', 'R-2') -> 'repeated' AS repeated;
SELECT total - refunded AS left, status FROM loyalty.orders WHERE external_id = 'R-2';
SELECT DISTINCT status FROM loyalty.order_lines WHERE order_id = 'R-2';
SELECT point_type, total FROM loyalty.balances WHERE member = 'bob' ORDER BY 1;
SELECT * FROM refusal($$SELECT loyalty_return_items('main', 'R-2', '[{"id": "p", "quantity": 1}]', 'y')$$);
SELECT loyalty_return_items('main', 'R-2', '[{"id": "p", "quantity": 3}]', 'x') -> 'repeated' AS repeated;
SELECT type, data - 'lines' - 'points' - 'transaction' AS data FROM loyalty.events
    WHERE profile = 'bob' ORDER BY number;

-- Refunded points go into their very lots: of those that have expired meanwhile the answer tells.
SELECT loyalty_place_order(basket('R-3', 'cat', '{"status": "delivered"}')) -> 'status' AS status;
SELECT loyalty_set_clock('2026-04-02 12:00+00') \g /dev/null
SELECT answer #> '{points,0}' AS bonus
    FROM loyalty_return_items('main', 'R-3', '[{"id": "b", "quantity": 3}]', 'late') AS answer;
SELECT * FROM entries WHERE member = 'cat' AND points = 'bonus';

-- What was earned and spent meanwhile is owed, and settled from the next credit; never kept for nothing.
INSERT INTO loyalty.profiles (key) VALUES ('dan'), ('eve');
INSERT INTO loyalty.members (member, program, enrolled_at)
    VALUES ('dan', 'main', loyalty.clock()), ('eve', 'main', loyalty.clock());
SELECT loyalty_place_order(
    '{"external_id": "S-1", "member": "dan", "lines": [{"id": "p", "product": "pen", "quantity": 8}]}') #> '{points,0}'
    AS bonus;
SELECT loyalty_redeem('dan', 'main', 'bonus', 6.5) -> 'balance_after' AS left;
SELECT answer -> 'points' AS points
    FROM loyalty_return_items('main', 'S-1', '[{"id": "p", "quantity": 4}]', 'half') AS answer;
SELECT answer -> 'points' AS points FROM loyalty_cancel_order('main', 'S-1') AS answer;
SELECT total, debt, owed FROM loyalty.balances WHERE member = 'dan' AND point_type = 'bonus';
SELECT loyalty_place_order(
    '{"external_id": "S-2", "member": "dan", "lines": [{"id": "p", "product": "pen", "quantity": 9}]}') #> '{points,0}'
    AS points;
SELECT * FROM entries WHERE member = 'dan' AND points = 'bonus';
-- With a negative balance allowed, the balance itself says so.
UPDATE loyalty.programs SET negative_balance_allowed = true;
SELECT loyalty_place_order(
    '{"external_id": "S-3", "member": "eve", "lines": [{"id": "p", "product": "pen", "quantity": 8}]}') #> '{points,0,accrued}' AS accrued;
SELECT loyalty_redeem('eve', 'main', 'bonus', 6.5) -> 'balance_after' AS left;
SELECT answer -> 'points' AS points FROM loyalty_cancel_order('main', 'S-3') AS answer;
SELECT total, debt, owed FROM loyalty.balances WHERE member = 'eve' AND point_type = 'bonus';
UPDATE loyalty.programs SET negative_balance_allowed = false;

-- An order that pays with the points which another one earned: returning the first, then the second.
INSERT INTO loyalty.profiles (key) VALUES ('fay');
INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('fay', 'main', loyalty.clock());
SELECT loyalty_place_order(
    '{"external_id": "F-1", "member": "fay", "lines": [{"id": "p", "product": "pen", "quantity": 20}]}') #> '{points,0,accrued}' AS accrued;
SELECT loyalty_place_order(basket('F-2', 'fay')) #> '{points,0}' AS bonus;
SELECT loyalty_cancel_order('main', 'F-1') -> 'points' AS points;
SELECT loyalty_cancel_order('main', 'F-2') -> 'points' AS points;
SELECT point_type, total, owed FROM loyalty.balances WHERE member = 'fay' ORDER BY 1;

-- Members who left, and inactive programs, get back what is theirs.
SELECT loyalty_place_order(basket('L-1', 'fay')) -> 'status' AS status;
UPDATE loyalty.members SET removed_at = loyalty_now() WHERE member = 'fay';
UPDATE loyalty.programs SET active = false;
SELECT loyalty_cancel_order('main', 'L-1') -> 'money' AS money;
UPDATE loyalty.programs SET active = true;

-- Guests and imported orders: money only.
SELECT loyalty_place_order(basket('G-1', NULL)) #> '{totals,total}' AS total;
SELECT loyalty_return_items('main', 'G-1', '[{"id": "p", "quantity": 2}]', 'r') AS answer;
SELECT loyalty_import_orders(
    '[{"external_id": "old", "member": "ann", "shipping": 2, "lines": [{"id": "1", "product": "book", "quantity": 3, "price": 20, "total": 50}]}]');
SELECT loyalty_return_items('main', 'old', '[{"id": "1", "quantity": 1}]', 'r') AS answer;
SELECT loyalty_cancel_order('main', 'old') -> 'money' AS money;

-- A promotion that gives the whole order points where no line costs anything: they go with the last unit.
SELECT loyalty_place_order(
    '{"external_id": "Z-1", "member": "ann", "lines": [{"id": "a", "product": "x", "price": 0, "quantity": 1}, {"id": "b", "product": "x", "price": 0, "quantity": 1}]}') #> '{points,2,accrued}' AS accrued;
SELECT * FROM accruals_of WHERE order_id = 'Z-1';
SELECT loyalty_return_items('main', 'Z-1', '[{"id": "a", "quantity": 1}]', '1') -> 'points' AS points;
SELECT loyalty_return_items('main', 'Z-1', '[{"id": "b", "quantity": 1}]', '2') -> 'points' AS points;

SELECT * FROM loyalty_verify();

-- Random orders and random series of returns: what has come back never exceeds what was charged, and is all of it in
-- the end, to the cent and the point; whatever was returned first. What was placed is what loyalty_calculate() had
-- said.
SET client_min_messages = warning;
SELECT setseed(0.64) \g /dev/null
INSERT INTO loyalty.profiles (key) SELECT 'm' || number FROM generate_series(1, 12) AS number;
INSERT INTO loyalty.members (member, program, enrolled_at) SELECT 'm' || number, 'main', loyalty.clock()
    FROM generate_series(1, 10) AS number;
SELECT count(loyalty_accrue('m' || number, 'main', 'bonus', number * 9)) FROM generate_series(1, 10) AS number;
SELECT count(loyalty_accrue('m' || number, 'main', 'gift', number * 70)) FROM generate_series(1, 10) AS number;
CREATE FUNCTION random_order(number integer) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'external_id', 'X-' || number,
        'member', CASE WHEN random() < 0.85 THEN 'm' || 1 + floor(random() * 12)::integer END,
        'shipping', CASE WHEN random() < 0.5 THEN floor(random() * 900) / 100 END,
        'redeem', CASE WHEN random() < 0.7
            THEN '[{"points": "gift", "amount": "max"}, {"points": "bonus", "amount": "max"}]'::jsonb END,
        'lines', (
            SELECT jsonb_agg(jsonb_build_object(
                'id', line::text, 'product', (ARRAY['book', 'pen', 'tea'])[1 + floor(random() * 3)::integer],
                'quantity', CASE WHEN random() < 0.2 THEN (1 + floor(random() * 4000)) / 1000 ELSE 1
                    + floor(random() * 6) END,
                'price', floor(random() * 3000) / 100
            ))
            FROM generate_series(1, 1 + floor(random() * 5)::integer) AS line
        )
    ))
$$;
CREATE FUNCTION is_placed_as_quoted(document jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    quote jsonb := loyalty_calculate(document);
    answer jsonb := loyalty_place_order(document || jsonb_build_object('expected_total', quote #> '{totals,total}'));
BEGIN
    RETURN answer - 'status' - 'placed_at' - 'booked' - 'issued' - 'repeated' = quote
        AND EXISTS (SELECT FROM loyalty.orders WHERE external_id = document ->> 'external_id' AND result = quote);
END
$$;
SELECT is_placed_as_quoted(random_order(number)) AS as_quoted, count(*)
    FROM generate_series(1, 150) AS number GROUP BY 1;
-- Priced again by its version and what was stored, an order has the same result, whatever has changed since.
UPDATE loyalty.products SET price = price * 2, categories = '{new}';
UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 33}' WHERE promotion = 'books';
UPDATE loyalty.product_segments SET predicate = '$.price > 1' WHERE external_id = 'books';
SELECT loyalty_apply('main') AS version;
UPDATE loyalty.promotions SET state = 'ended' WHERE external_id = 'order';
SELECT loyalty_reprice_order('main', external_id) = result AS same, count(*), min(version) AS version
    FROM loyalty.orders WHERE origin = 'placed' GROUP BY 1;
SELECT * FROM refusal($$SELECT loyalty_reprice_order('main', 'old')$$);
SELECT * FROM refusal($$SELECT loyalty_reprice_order('main', 'none')$$);
SELECT count(*) AS delivered
    FROM (SELECT loyalty_set_order_status('main', 'X-' || number, 'delivered')
    FROM generate_series(1, 150, 2) AS number) AS done;
CREATE FUNCTION return_something(wanted text, id text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    chosen jsonb;
    has_shipping boolean := random() < 0.3
        AND NOT (SELECT shipping_refunded FROM loyalty.orders WHERE external_id = wanted);
BEGIN
    SELECT jsonb_agg(jsonb_build_object('id', line, 'quantity', quantity)) INTO chosen
    FROM (
        SELECT line, least(quantity - returned,
            CASE WHEN random() < 0.3 THEN round(random()::numeric, 2) + 0.01 ELSE 1 + floor(random() * 3)::integer END)
            AS quantity
        FROM loyalty.order_lines
        WHERE order_id = wanted AND returned < quantity AND random() < 0.6
    ) AS part;
    IF chosen IS NULL AND NOT has_shipping THEN
        RETURN false;
    END IF;
    PERFORM loyalty_return_items('main', wanted, coalesce(chosen, '[]'), id, has_shipping);
    RETURN true;
END
$$;
SELECT count(*) FILTER (WHERE return_something('X-' || 1 + floor(random() * 150)::integer, 'r' || number)) > 300
    AS many_returns FROM generate_series(1, 600) AS number;
SELECT * FROM loyalty_verify();
SELECT count(*) AS cancelled
    FROM (SELECT loyalty_cancel_order('main', 'X-' || number) FROM generate_series(1, 150, 3) AS number) AS done;
SELECT count(*) AS returned FROM (
    SELECT loyalty_set_order_status('main', external_id, 'refunded') FROM loyalty.orders
        WHERE external_id LIKE 'X-%' AND status <> 'canceled'
) AS done;
SELECT count(*) AS not_all_money FROM loyalty.orders
WHERE external_id LIKE 'X-%' AND refunded <> total - CASE WHEN shipping_refunded THEN 0 ELSE shipping_total END;
SELECT count(*) AS not_all_paid FROM loyalty.order_points
    WHERE order_id LIKE 'X-%' AND line IS NOT NULL AND refunded + forfeited <> points;
SELECT count(*) AS not_all_earned FROM loyalty.order_accruals
    WHERE order_id LIKE 'X-%' AND dropped + taken_back <> points;
SELECT source, point_type, sum(value - greatest(owed, 0) - lapsed) AS left
FROM loyalty.transactions
WHERE source_type = 'order' AND source LIKE 'X-%' AND point_type <> 'gift'
GROUP BY source, point_type
HAVING sum(value - greatest(owed, 0) - lapsed) <> 0;
SELECT * FROM loyalty_verify();

-- The outbox has told of every booking, once, and in the order of booking.
\set ECHO none
\i test/fixtures/untold.sql
\set ECHO all
SELECT * FROM untold;

DROP SCHEMA loyalty CASCADE;
DROP FUNCTION basket, refusal, random_order, is_placed_as_quoted, return_something;
