-- Statuses of orders and lines: what moves along, what is credited and when, what is final.
\set ECHO none
SET client_min_messages = warning;
\i test/fixtures/shop.sql
INSERT INTO loyalty.order_statuses (position, external_id, name, kind)
VALUES (10, 'lost', 'Lost by the carrier', 'cancelled'), (11, 'picked_up', 'Picked up', 'delivered'),
    (12, 'voided', 'Voided', 'refunded');
CREATE VIEW accruals_of AS
SELECT order_id, number, point_type, level, line, points, credit_on, state, dropped, taken_back
    FROM loyalty.order_accruals ORDER BY order_id, number;
CREATE FUNCTION brief(answer jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_set_lax(answer, '{booked}',
        (SELECT jsonb_agg(row - 'transaction') FROM jsonb_array_elements(answer -> 'booked') AS row), true,
    'delete_key')
$$;
CREATE FUNCTION statuses(wanted text) RETURNS text LANGUAGE sql AS $$
    SELECT o.status || ': '
        || (SELECT string_agg(line || ' ' || l.status, ', ' ORDER BY line) FROM loyalty.order_lines AS l
        WHERE l.order_id = wanted)
    FROM loyalty.orders AS o WHERE external_id = wanted
$$;
\set ECHO all

-- Product accruals follow their line, order accruals the order; each is credited once, at the first status at or past
-- its own.
SELECT loyalty_place_order(basket('A-1')) -> 'status' AS status;
SELECT * FROM accruals_of;
SELECT loyalty_set_clock('2026-01-16 12:00+00') \g /dev/null
SELECT brief(loyalty_set_order_status('main', 'A-1', 'paid'));
SELECT brief(loyalty_set_order_status('main', 'A-1', 'delivered', 'p'));
SELECT statuses('A-1');
-- The order's status moves its lines along; what was credited stays, and is not credited again.
SELECT brief(loyalty_set_order_status('main', 'A-1', 'part_refunded'));
SELECT statuses('A-1');
SELECT brief(loyalty_set_order_status('main', 'A-1', 'new'));
SELECT brief(loyalty_set_order_status('main', 'A-1', 'delivered'));
SELECT brief(loyalty_set_order_status('main', 'A-1', 'delivered'));
SELECT * FROM accruals_of;
SELECT * FROM entries WHERE member = 'ann' AND points = 'bonus';
SELECT type, data - 'transaction' AS data FROM loyalty.events WHERE profile = 'ann' ORDER BY number;

-- A status of kind cancelled cancels a line or the order, one of kind refunded returns all that is left; both are
-- final.
SELECT loyalty_place_order(basket('B-1', 'bob')) -> 'status' AS status;
SELECT answer - 'points' AS answer FROM loyalty_set_order_status('main', 'B-1', 'lost', 'b') AS answer;
SELECT loyalty_set_order_status('main', 'B-1', 'lost', 'b') AS again;
SELECT * FROM refusal($$SELECT loyalty_set_order_status('main', 'B-1', 'delivered', 'b')$$);
SELECT brief(loyalty_set_order_status('main', 'B-1', 'delivered'));
SELECT statuses('B-1');
SELECT answer - 'points' AS answer FROM loyalty_set_order_status('main', 'B-1', 'voided', 't') AS answer;
SELECT answer - 'points' AS answer FROM loyalty_set_order_status('main', 'B-1', 'refunded') AS answer;
SELECT loyalty_set_order_status('main', 'B-1', 'refunded') -> 'repeated' AS repeated;
SELECT statuses('B-1'), total, refunded, shipping_total, shipping_refunded FROM loyalty.orders
    WHERE external_id = 'B-1';
SELECT * FROM refusal($$SELECT loyalty_set_order_status('main', 'B-1', 'delivered')$$);
SELECT * FROM refusal($$SELECT loyalty_set_order_status('main', 'B-1', 'voided')$$);
SELECT * FROM refusal($$SELECT loyalty_cancel_order('main', 'B-1')$$);
SELECT number, kind, money, shipping FROM loyalty.order_returns WHERE order_id = 'B-1' ORDER BY number;

SELECT loyalty_place_order(basket('B-2', 'bob')) -> 'status' AS status;
SELECT answer - 'lines' - 'points' AS answer FROM loyalty_set_order_status('main', 'B-2', 'lost') AS answer;
SELECT loyalty_cancel_order('main', 'B-2') -> 'repeated' AS repeated;
SELECT * FROM refusal($$SELECT loyalty_set_order_status('main', 'B-2', 'canceled')$$);
SELECT statuses('B-2');

-- Units that came back before the crediting drop their share.
SELECT loyalty_place_order(basket('C-1', 'cat')) -> 'status' AS status;
SELECT loyalty_return_items('main', 'C-1', '[{"id": "b", "quantity": 2}, {"id": "t", "quantity": 0.75}]',
    'early') -> 'points' AS points;
SELECT * FROM accruals_of WHERE order_id = 'C-1';
SELECT brief(loyalty_set_order_status('main', 'C-1', 'delivered'));
SELECT loyalty_return_items('main', 'C-1', '[{"id": "b", "quantity": 1}]', 'late') -> 'points' AS points;
SELECT * FROM accruals_of WHERE order_id = 'C-1';

-- What falls due while its type is inactive, or after the member has left, is dropped with an event; an inactive
-- program credits what it has promised.
SELECT loyalty_place_order(basket('D-1', 'bob')) -> 'status' AS status;
SELECT loyalty_deactivate_point_type('main', 'bonus');
SELECT brief(loyalty_set_order_status('main', 'D-1', 'delivered', 'b'));
SELECT loyalty_activate_point_type('main', 'bonus');
UPDATE loyalty.programs SET active = false;
SELECT brief(loyalty_set_order_status('main', 'D-1', 'delivered', 'p'));
UPDATE loyalty.programs SET active = true;
UPDATE loyalty.members SET removed_at = loyalty_now() WHERE member = 'bob';
SELECT brief(loyalty_set_order_status('main', 'D-1', 'delivered'));
UPDATE loyalty.members SET removed_at = NULL, enrolled_at = loyalty_now() WHERE member = 'bob';
SELECT brief(loyalty_set_order_status('main', 'D-1', 'picked_up'));
SELECT * FROM accruals_of WHERE order_id = 'D-1';
SELECT type, data FROM loyalty.events WHERE type = 'accrual_dropped' ORDER BY number;
SELECT loyalty_cancel_order('main', 'D-1') -> 'points' AS points;
-- Removing drops all that waits, at once and for good (decision 15); what was credited stays.
SELECT loyalty_place_order(basket('D-2', 'bob')) -> 'status' AS status;
SELECT loyalty_place_order(basket('D-3', 'bob')) -> 'status' AS status;
SELECT loyalty_return_items('main', 'D-3', '[{"id": "b", "quantity": 1}]', 'before') -> 'points' AS points;
SELECT loyalty_remove_member('bob', 'main');
SELECT * FROM accruals_of WHERE order_id IN ('D-2', 'D-3');
SELECT type, data FROM loyalty.events WHERE type IN ('accrual_dropped', 'member_removed') ORDER BY number;
SELECT loyalty_enrol('bob', 'main') -> 'outcome' AS outcome;
SELECT brief(loyalty_set_order_status('main', 'D-2', 'delivered'));
SELECT * FROM loyalty_verify();

-- Statuses of guests' orders, and what is refused.
SELECT loyalty_place_order(basket('G-1', NULL)) -> 'status' AS status;
SELECT loyalty_set_order_status('main', 'G-1', 'delivered');
SELECT * FROM refusal($$SELECT loyalty_set_order_status('main', 'none', 'delivered')$$);
SELECT * FROM refusal($$SELECT loyalty_set_order_status('main', 'G-1', 'gone')$$);
SELECT * FROM refusal($$SELECT loyalty_set_order_status('main', 'G-1', 'delivered', 'z')$$);
SELECT * FROM refusal($$SELECT loyalty_set_order_status('main', 'G-1', NULL)$$);
-- Without a status of kind cancelled, nothing can be cancelled.
BEGIN;
UPDATE loyalty.order_statuses SET kind = 'refunded' WHERE kind = 'cancelled';
SELECT * FROM refusal($$SELECT loyalty_cancel_order('main', 'G-1')$$);
ROLLBACK;
SELECT loyalty_cancel_order('main', 'G-1') -> 'status' AS status;

-- Dynamic tiers look at the orders that were not cancelled, net of returns, and are judged with each of them.
INSERT INTO loyalty.profiles (key) VALUES ('tim');
INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('tim', 'main', loyalty.clock());
INSERT INTO loyalty.tier_groups (program, external_id, name, model, activity_days)
    VALUES ('main', 'activity', 'Activity', 'dynamic', 30);
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, position, predicate)
VALUES ('main', 'regular', 'activity', 'Regular', 0, '$.orders.count >= 2 && $.orders.sum >= 150');
CREATE VIEW tier_of_tim AS SELECT tier FROM loyalty.member_tiers WHERE member = 'tim' AND tier_group = 'activity';
SELECT loyalty_place_order(basket('T-1', 'tim')) -> 'status' AS status;
TABLE tier_of_tim;
SELECT loyalty_place_order(basket('T-2', 'tim')) -> 'status' AS status;
TABLE tier_of_tim;
SELECT loyalty_return_items('main', 'T-2', '[{"id": "b", "quantity": 2}]', 'r') -> 'money' AS money;
TABLE tier_of_tim;

-- The last order's time is the program's, and its age counts in full days, whatever the time zone of the session is. A
-- cyclic group's upgrade comes with the order that earned the points, and goes with it.
INSERT INTO loyalty.tier_groups (program, external_id, name, model) VALUES ('main', 'age', 'Age', 'dynamic');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, position, predicate)
VALUES
    ('main', 'lapsed', 'age', 'Lapsed', 0, '$.orders.days_since_last >= 2'),
    ('main', 'recent', 'age', 'Recent', 1,
        '$.orders.last starts with "2026-01-16T13:00:00" && $.orders.days_since_last < 2'),
    ('main', 'present', 'age', 'Present', 2, '$.orders.days_since_last == 0 && $.orders.last > "2026-01-18"');
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type, interval_count, interval_unit,
    upgrade_at_once)
VALUES ('main', 'climb', 'Climb', 'cyclic', 'status', 1, 'month', true);
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, position, threshold)
VALUES ('main', 'start', 'climb', 'Start', 0, 0), ('main', 'climber', 'climb', 'Climber', 1, 12);
CREATE VIEW tiers_of_tim AS SELECT tier_group, tier FROM loyalty.member_tiers
    WHERE member = 'tim' AND tier_group IN ('activity', 'age', 'climb') ORDER BY tier_group;
SET TimeZone = 'Asia/Tokyo';
SELECT loyalty_set_clock('2026-01-18 11:59:59+00') \g /dev/null
SELECT loyalty_judge('tim', 'main') \g /dev/null
TABLE tiers_of_tim;
SELECT loyalty_set_clock('2026-01-18 12:00+00') \g /dev/null
SELECT loyalty_judge('tim', 'main');
TABLE tiers_of_tim;
SELECT loyalty_place_order(basket('T-3', 'tim')) -> 'status' AS status;
TABLE tiers_of_tim;
SELECT loyalty_cancel_order('main', 'T-3') -> 'status' AS status;
TABLE tiers_of_tim;
SELECT tier, cause FROM loyalty.member_tier_history WHERE member = 'tim' AND tier_group = 'climb' ORDER BY seq;
-- A day before 12:30 on the day on which the clocks of Berlin went forward is 12:30, 23 hours ago.
INSERT INTO loyalty.tier_groups (program, external_id, name, model, activity_days)
    VALUES ('main', 'day', 'Day', 'dynamic', 1);
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, position, predicate)
    VALUES ('main', 'today', 'day', 'Today', 0, '$.orders.count >= 1');
SELECT loyalty_set_clock('2026-03-29 10:30+00') \g /dev/null
SELECT loyalty_import_orders(
    jsonb_build_array(
    jsonb_build_object('external_id', at, 'member', member, 'time', at, 'lines',
    '[{"product": "x", "quantity": 1, "price": 1}]'::jsonb)))
FROM (VALUES ('ann', '2026-03-28T12:30:00'), ('cat', '2026-03-28T12:30:01')) AS given (member, at);
SELECT member, tier FROM loyalty.member_tiers WHERE tier_group = 'day' AND member IN ('ann', 'cat') ORDER BY member;
-- Cancelled, it does not count; nor does what a guest bought.
SELECT loyalty_cancel_order('main', '2026-03-28T12:30:01') -> 'status' AS status;
SELECT loyalty_import_orders(
    '[{"external_id": "I-1", "member": "guest", "lines": [{"product": "x", "quantity": 1, "price": 1}]}, {"external_id": "I-2", "lines": [{"product": "x", "quantity": 1, "price": 1}]}]');
SELECT member, tier FROM loyalty.member_tiers WHERE tier_group = 'day' AND (tier IS NOT NULL OR member = 'cat');
RESET TimeZone;

SELECT * FROM loyalty_verify();

-- The outbox has told of every booking, once, and in the order of booking.
\set ECHO none
\i test/fixtures/untold.sql
\set ECHO all
SELECT * FROM untold;

DROP SCHEMA loyalty CASCADE;
DROP FUNCTION brief, statuses, basket, refusal;
