-- Placing orders: what is stored and booked, the same document again, what is refused, guests, imports.
\set ECHO none
SET client_min_messages = warning;
SET timezone = 'Europe/Berlin';
\i test/fixtures/shop.sql
CREATE FUNCTION brief(answer jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object(
        'total', answer #> '{totals,total}', 'status', answer -> 'status', 'placed_at', answer -> 'placed_at',
        'repeated', answer -> 'repeated',
        'booked', (SELECT jsonb_agg(row - 'transaction') FROM jsonb_array_elements(answer -> 'booked') AS row)
    )
$$;
\set ECHO all

-- The quote just before is what is stored and answered.
SELECT loyalty_calculate(basket('A-1')) AS quote \gset
SELECT answer - 'status' - 'placed_at' - 'booked' - 'issued' - 'repeated' = :'quote' AS is_the_quote,
    jsonb_pretty(brief(answer)) AS answer
FROM loyalty_place_order(basket('A-1')) AS answer;
SELECT external_id, member, origin, status, version, time = placed_at AS at_once, base, discount, points_discount,
    total,
    shipping_base, shipping_discount, shipping_points_discount, shipping_total, refunded, shipping_refunded,
    request = basket('A-1') AS same_request, result = :'quote' AS same_result
FROM loyalty.orders \gx
SELECT line, position, product, quantity, price, base, discount, points_discount, allotted, total, status, returned,
    refunded
FROM loyalty.order_lines ORDER BY line;
SELECT number, promotion, benefit, level, target, line, discount, points_discount, point_type, spent, accrued, cut,
    details
FROM loyalty.order_operations ORDER BY number;
-- Points are attributed to what they paid for by largest remainder.
SELECT number, point_type, line, money, points, seq FROM loyalty.order_points ORDER BY number;
SELECT number, promotion, point_type, level, line, points, credit_on, delay, state, seq
    FROM loyalty.order_accruals ORDER BY number;
SELECT * FROM entries WHERE member = 'ann';
SELECT type, profile, data - 'transaction' AS data FROM loyalty.events ORDER BY number;

-- The same document again: the first answer, whatever has changed since. Another document: an error.
UPDATE loyalty.products SET price = 25 WHERE sku = 'book';
SELECT first.answer - 'repeated' = again.answer - 'repeated' AS same, first.answer -> 'repeated' AS repeated
FROM loyalty_place_order(basket('A-1')) AS first (answer),
loyalty_place_order(basket('A-1', more => '{"expected_total": 1}')) AS again (answer);
SELECT * FROM refusal($$SELECT loyalty_place_order(basket('A-1', more => '{"shipping": 4.91}'))$$);
SELECT * FROM refusal($$SELECT loyalty_place_order(basket('A-1', 'bob'))$$);
UPDATE loyalty.products SET price = 20 WHERE sku = 'book';
SELECT count(*) FROM loyalty.orders;

-- How much is answered is no part of the order: a price alone, and the rest when it is asked for again.
SELECT detail,
    loyalty_calculate(basket('A-1', more => jsonb_build_object('detail', detail))) = loyalty_calculate(basket('A-1'))
    - left_out AS as_wanted,
    loyalty_place_order(basket('A-1', more => jsonb_build_object('detail', detail))) - left_out
        = loyalty_place_order(basket('A-1', more => jsonb_build_object('detail', detail))) AS none_more,
    loyalty_place_order(basket('A-1', more => jsonb_build_object('detail', detail))) ->> 'repeated' AS repeated
FROM (VALUES ('totals', '{lines,operations,texts}'::text[]), ('lines', '{operations}'), ('full', '{}'))
    AS asked (detail, left_out);
SELECT * FROM refusal($$SELECT loyalty_calculate(basket('A-1', more => '{"detail": "all"}'))$$);
SELECT * FROM refusal($$SELECT loyalty_test(basket('A-1', more => '{"detail": "totals"}'), '{}')$$);

-- The total that the buyer was quoted: it holds, or nothing happens.
SELECT * FROM refusal($$SELECT loyalty_place_order(basket('A-2', 'bob', '{"expected_total": 60.28}'))$$);
SELECT * FROM refusal($$SELECT loyalty_place_order(basket('A-2', 'bob', '{"expected_total": 60.2900001}'))$$);
SELECT brief(loyalty_place_order(basket('A-2', 'bob', '{"expected_total": 60.290}'))) - 'booked' AS placed;

-- What is refused writes nothing.
SELECT * FROM refusal($$SELECT loyalty_place_order(basket('A-3') - 'external_id')$$);
SELECT * FROM refusal($$SELECT loyalty_place_order(basket(' A-3'))$$);
SELECT * FROM refusal($$SELECT loyalty_place_order(basket(repeat('A', 256)))$$);
SELECT * FROM refusal(
    $$SELECT loyalty_place_order(
    basket('A-3',
    more => jsonb_build_object('lines',
    jsonb_build_array(jsonb_build_object('id', repeat('x', 256), 'product', 'pen', 'quantity', 1)))))$$);
SELECT * FROM refusal($$SELECT loyalty_place_order(basket('A-3', more => '{"time": "2026-01-15T13:00:01"}'))$$);
SELECT * FROM refusal($$SELECT loyalty_place_order(basket('A-3', more => '{"status": "canceled"}'))$$);
SELECT * FROM refusal($$SELECT loyalty_place_order(basket('A-3', more => '{"status": "lost"}'))$$);
SELECT * FROM refusal($$SELECT loyalty_place_order(basket('A-3', 'nobody'))$$);
SELECT * FROM refusal($$SELECT loyalty_place_order(basket('A-3', more => '{"region": "south"}'))$$);
SELECT * FROM refusal($$SELECT loyalty_place_order(basket('A-3', more => '{"program": "other"}'))$$);
UPDATE loyalty.programs SET active = false;
SELECT * FROM refusal($$SELECT loyalty_place_order(basket('A-3', more => '{"program": "main"}'))$$);
SELECT * FROM refusal($$SELECT loyalty_place_order(basket('A-3'))$$);
-- What was placed is answered all the same.
UPDATE loyalty.programs SET active = true;
SELECT brief(loyalty_place_order(basket('A-4', 'cat', '{"program": "main"}'))) - 'booked' AS placed;
UPDATE loyalty.programs SET active = false;
SELECT brief(loyalty_place_order(basket('A-4', 'cat', '{"program": "main"}'))) - 'booked' AS placed;
UPDATE loyalty.programs SET active = true;
SELECT count(*) AS orders, (SELECT count(*) FROM loyalty.order_ids) AS ids FROM loyalty.orders;

-- Guests with a profile and anonymous ones neither earn nor spend; former members are guests.
UPDATE loyalty.members SET removed_at = loyalty_now() WHERE member = 'cat';
SELECT who, brief(loyalty_place_order(basket('G-' || coalesce(who, 'none'), who))) AS placed
FROM unnest(ARRAY['guest', 'cat', NULL]) AS who;
SELECT buyer, program, external_id, member, total FROM loyalty.orders WHERE external_id LIKE 'G-%' ORDER BY buyer;
UPDATE loyalty.members SET removed_at = NULL, enrolled_at = loyalty_now() WHERE member = 'cat';

-- Points that expire meanwhile are not spent: what is due is booked first.
SELECT loyalty_set_clock('2026-03-31 21:59:59+00') \g /dev/null
SELECT loyalty_calculate(basket('E-1', 'bob')) #> '{points,0,spent}' AS spent;
SELECT loyalty_set_clock('2026-03-31 22:00:00+00') \g /dev/null
SELECT loyalty_place_order(basket('E-1', 'bob')) #> '{points,0}' AS bonus;
SELECT * FROM entries WHERE member = 'bob' AND points = 'bonus';

-- An order's own time judges promotions; it is booked now. A status that is reached already credits at once.
SELECT jsonb_pretty(brief(loyalty_place_order(
    '{"external_id": "T-1", "member": "ann", "time": "2026-02-01T10:00", "status": "delivered", "channel": "web", '
    '"contact_point": "cart","region": "north", "currency": "EUR", "fields": {"gift": true}, "lines": [{"product": '
    '"tea", "quantity": 2}]}'
))) AS answer;
SELECT time, placed_at, status, channel, contact_point, region FROM loyalty.orders WHERE external_id = 'T-1';

-- Rows of an order are undone with the order only; its source type is its own.
SELECT id AS transaction, member FROM loyalty.transactions
    WHERE source = 'A-2' AND type = 'accrual' AND point_type = 'bonus' \gset
SELECT code, detail FROM refusal(format($$SELECT loyalty_cancel('bob', 'main', %L)$$, :'transaction'));
SELECT id AS transaction, seq, member FROM loyalty.transactions
    WHERE source = 'A-2' AND type = 'redemption' AND point_type = 'bonus' \gset
SELECT code FROM refusal(format($$SELECT loyalty_cancel('bob', 'main', %L)$$, :'transaction'));
SELECT * FROM refusal(format($$SELECT loyalty_refund('bob', 'main', 1, %L)$$, :'transaction'));
SELECT * FROM refusal($$INSERT INTO loyalty.transactions (member, program, point_type, type, value, undoes)
    VALUES ('bob', 'main', 'bonus', 'reversal', -1, 3)$$);
SELECT * FROM refusal($$SELECT loyalty_accrue('bob', 'main', 'bonus', 1, source_type => 'order', source => 'A-2')$$);

-- Tables of orders are written by functions only, and what they refer to stays.
SELECT * FROM refusal($$INSERT INTO loyalty.order_lines SELECT * FROM loyalty.order_lines$$);
SELECT code FROM refusal($$INSERT INTO loyalty.order_ids SELECT 'mine', program, buyer FROM loyalty.order_ids$$);
SELECT * FROM refusal($$UPDATE loyalty.orders SET status = 'delivered'$$);
SELECT code, message FROM refusal($$UPDATE loyalty.order_accruals SET state = 'dropped', dropped = points$$);
SELECT code, message FROM refusal($$DELETE FROM loyalty.order_returns$$);
SELECT code, message FROM refusal($$TRUNCATE loyalty.order_ids CASCADE$$);
SELECT code, message FROM refusal($$DELETE FROM loyalty.regions$$);
SELECT code, message FROM refusal($$DELETE FROM loyalty.promotions WHERE external_id = 'books'$$);
SELECT code, message FROM refusal($$DELETE FROM loyalty.order_promotions$$);
SELECT code, message FROM refusal($$DELETE FROM loyalty.order_statuses WHERE external_id = 'delivered'$$);
SELECT code, message, detail FROM refusal($$UPDATE loyalty.programs SET time_zone = 'UTC'$$);

-- A program with orders but no points has its currency fixed, too.
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
VALUES ('orders', 'No profiles', 'loyalty.order_ids', 'external_id');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('bare', 'Bare', 'orders', 'EUR', 'UTC', true);
SELECT loyalty_place_order(
    '{"program": "bare", "external_id": "B-1", "lines": [{"product": "x", "quantity": 3, "price": 1.5}]}') #> '{totals,total}' AS total;
SELECT version FROM loyalty.orders WHERE program = 'bare';
SELECT code, message FROM refusal($$UPDATE loyalty.programs SET currency_scale = 3 WHERE external_id = 'bare'$$);

-- Imports: stored as given, in money only; once.
\set batch '[{"program": "main", "external_id": "old-1", "member": "ann", "time": "2025-06-01T10:00", "status": "delivered", "shipping": 3, "lines": [{"product": "book", "quantity": 2, "price": 20, "total": 35.5}, {"id": "x", "product": "gone", "quantity": 0.5, "price": 3}]}, {"program": "main", "external_id": "old-2", "time": "2025-07-01T10:00+02:00", "lines": [{"product": "pen", "quantity": 1, "price": 2}]}, {"program": "main", "external_id": "old-3", "member": "guest", "status": "canceled", "lines": [{"product": "pen", "quantity": 1, "price": 2}]}]'
SELECT loyalty_import_orders(:'batch');
SELECT loyalty_import_orders(:'batch');
SELECT external_id, buyer, origin, status, time, base, discount, total, shipping_total, version, result
    FROM loyalty.orders WHERE origin = 'imported' ORDER BY external_id;
SELECT order_id, line, position, product, quantity, price, base, discount, total, status FROM loyalty.order_lines
    WHERE order_id LIKE 'old-%' ORDER BY order_id, line;
SELECT * FROM refusal(
    $$SELECT loyalty_import_orders(
    '[{"program": "main", "external_id": "old-1", "lines": [{"product": "pen", "quantity": 1, "price": 2}]}]')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_import_orders(
    '[{"program": "main", "external_id": "A-1", "lines": [{"product": "pen", "quantity": 1, "price": 2}]}]')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_place_order(
    '{"program": "main", "external_id": "old-2", "time": "2025-07-01T10:00+02:00", "lines": [{"product": "pen", "quantity": 1, "price": 2}]}')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_import_orders(
    '[{"program": "main", "external_id": "new-1", "lines": [{"product": "pen", "quantity": 1, "price": 2}]}, {"program": "main", "external_id": "new-1", "lines": [{"product": "pen", "quantity": 1, "price": 2}]}]')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_import_orders(
    '[{"program": "main", "external_id": "new-1", "lines": [{"product": "pen", "quantity": 1}]}]')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_import_orders(
    '[{"program": "main", "external_id": "new-1", "redeem": [], "lines": [{"product": "pen", "quantity": 1, "price": 2}]}]')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_import_orders(
    '[{"program": "main", "external_id": "new-1", "lines": [{"product": "pen", "quantity": 1, "price": 2}]}, {"program": "main", "external_id": "new-2", "member": "nobody", "lines": [{"product": "pen", "quantity": 1, "price": 2}]}]')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_import_orders(
    '[{"program": "main", "external_id": "new-1", "time": "2027-01-01T00:00", "lines": [{"product": "pen", "quantity": 1, "price": 2}]}]')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_import_orders(
    '[{"program": "main", "external_id": "new-1", "lines": [{"product": "pen", "quantity": 1, "price": 2, "total": 1.999}]}]')$$);
SELECT * FROM refusal($$SELECT loyalty_import_orders('{}')$$);
SELECT loyalty_import_orders('[]');
SELECT count(*) FROM loyalty.orders WHERE external_id LIKE 'new-%';

SELECT * FROM loyalty_verify();

-- Erasing a member blanks what the member's orders say; figures stay, and a repeated request is still recognised.
UPDATE loyalty.programs SET active = false WHERE external_id = 'bare';
SELECT loyalty_erase_member('ann', 'main') -> 'orders' AS orders;
SELECT external_id, request, resolved, result - 'operations' AS result, total FROM loyalty.orders
    WHERE member = 'ann' ORDER BY external_id;
SELECT answer -> 'repeated' AS repeated, answer -> 'status' AS status FROM loyalty_place_order(basket('A-1')) AS answer;
SELECT code FROM refusal($$SELECT loyalty_place_order(basket('A-1', more => '{"shipping": 4.91}'))$$);
SELECT code FROM refusal($$SELECT loyalty_reprice_order('main', 'A-1')$$);
SELECT * FROM loyalty_verify();

-- Damage is found: each of these breaks what verification recomputes. Only somebody who disables the triggers can.
SET session_replication_role = replica;
SELECT buyer, message
FROM unnest('{m:,m,n:1,M:1,g:,g:other}'::text[]) AS wrong (buyer)
CROSS JOIN LATERAL refusal(format($$INSERT INTO loyalty.order_ids VALUES ('wrong', 'main', %L)$$, buyer));
BEGIN;
UPDATE loyalty.order_lines SET total = total - 1, discount = discount + 1 WHERE order_id = 'A-1' AND line = 'b';
SELECT DISTINCT invariant FROM loyalty_verify() ORDER BY 1;
ROLLBACK;
BEGIN;
UPDATE loyalty.order_points SET points = points + 1 WHERE order_id = 'A-1' AND line = 'b';
SELECT DISTINCT invariant FROM loyalty_verify() ORDER BY 1;
ROLLBACK;
BEGIN;
INSERT INTO loyalty.order_points (buyer, program, order_id, number, point_type, line, money, points, seq)
SELECT buyer, program, order_id, 100 + number, point_type, line, money, points, seq FROM loyalty.order_points
    WHERE order_id = 'A-1' AND line = 'b';
SELECT DISTINCT invariant FROM loyalty_verify() ORDER BY 1;
ROLLBACK;
BEGIN;
UPDATE loyalty.order_accruals SET points = points + 1
    WHERE order_id = 'A-1' AND state = 'credited' AND point_type = 'bonus';
SELECT DISTINCT invariant FROM loyalty_verify() ORDER BY 1;
ROLLBACK;
BEGIN;
UPDATE loyalty.orders SET result = result #- '{operations,-1}' WHERE external_id = 'A-1';
SELECT DISTINCT invariant FROM loyalty_verify() ORDER BY 1;
ROLLBACK;
BEGIN;
UPDATE loyalty.orders SET result = jsonb_set(result, '{operations,0,level}', '"line"') WHERE external_id = 'A-1';
SELECT DISTINCT invariant FROM loyalty_verify() ORDER BY 1;
ROLLBACK;
BEGIN;
DELETE FROM loyalty.order_promotions WHERE promotion = 'books';
SELECT DISTINCT invariant FROM loyalty_verify() ORDER BY 1;
ROLLBACK;
BEGIN;
UPDATE loyalty.orders SET status = 'canceled' WHERE external_id = 'A-1';
SELECT DISTINCT invariant FROM loyalty_verify() ORDER BY 1;
ROLLBACK;
BEGIN;
UPDATE loyalty.order_lines SET returned = 1, refunded = 3 WHERE order_id = 'A-1' AND line = 'b';
SELECT DISTINCT invariant FROM loyalty_verify() ORDER BY 1;
ROLLBACK;
BEGIN;
DELETE FROM loyalty.order_accruals WHERE order_id = 'A-1' AND state = 'credited';
SELECT DISTINCT invariant FROM loyalty_verify() ORDER BY 1;
ROLLBACK;
BEGIN;
UPDATE loyalty.orders SET shipping_refunded = true, refunded = shipping_total WHERE external_id = 'A-1';
SELECT DISTINCT invariant FROM loyalty_verify() ORDER BY 1;
ROLLBACK;
BEGIN;
DELETE FROM loyalty.orders WHERE external_id = 'G-none';
SELECT DISTINCT invariant FROM loyalty_verify() ORDER BY 1;
ROLLBACK;
RESET session_replication_role;

-- The functions leave out the keys between rows that they have just written. For other statements, of the owner's, in
-- the same transaction, too, keys are checked as ever; and so they are where the transaction has a snapshot of its own.
BEGIN ISOLATION LEVEL REPEATABLE READ;
ALTER TABLE loyalty.order_lines DISABLE TRIGGER refuse_change;
SELECT loyalty_place_order(basket('K-1', 'bob')) ->> 'repeated' AS repeated;
INSERT INTO loyalty.order_lines SELECT line.*
    FROM loyalty.order_lines, jsonb_populate_record(order_lines, '{"order_id": "none"}') AS line
    WHERE order_lines.order_id = 'K-1';
ROLLBACK;
BEGIN;
ALTER TABLE loyalty.order_lines DISABLE TRIGGER refuse_change;
SELECT loyalty_place_order(basket('K-1', 'bob')) ->> 'repeated' AS repeated;
INSERT INTO loyalty.order_lines SELECT line.*
    FROM loyalty.order_lines, jsonb_populate_record(order_lines, '{"order_id": "none"}') AS line
    WHERE order_lines.order_id = 'K-1';
ROLLBACK;

-- In full at most 200,000 operations are told; the error names what answers, and that does
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
SELECT 'main', 'more-' || n, 'More', 'discount', 'active', 'everyone' FROM generate_series(1, 30) AS n;
INSERT INTO loyalty.promotion_conditions (program, promotion) SELECT 'main', 'more-' || n
    FROM generate_series(1, 30) AS n;
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
SELECT 'main', 'more-' || n, 1, 'discount', '{"percent": 0.1}' FROM generate_series(1, 30) AS n;
SELECT count(loyalty_apply('main'));
CREATE FUNCTION quoted(detail text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text; details text; hint text;
BEGIN
    RETURN (loyalty_calculate(jsonb_build_object('detail', detail, 'lines',
        (SELECT jsonb_agg('{"product": "tea", "quantity": 1}'::jsonb)
            FROM generate_series(1, 7000)))) #>> '{totals,lines}') || ' lines';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, details = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, said, details, hint);
END
$$;
SELECT detail, quoted(detail) FROM unnest('{full,lines,totals}'::text[]) AS detail;
DROP FUNCTION quoted;

DROP SCHEMA loyalty CASCADE;
DROP FUNCTION brief, basket, refusal;
