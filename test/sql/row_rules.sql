-- What one row of the tables that bookings and orders write tells by itself. A good row of each, and what makes it none.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT loyalty_create_schema();

CREATE TABLE good (relation text PRIMARY KEY, body jsonb);
INSERT INTO good VALUES
('balances', '{"seq": 1, "total": -5, "debt": 5, "owed": 0}'),
('lots', '{"seq": 1, "amount": 5, "remaining": 4, "held": 3, "active_from": "2026-01-01", "expires_at": "infinity"}'),
('lot_movements', '{"seq": 2, "lot": 1, "value": -1}'),
('events', '{"type": "t", "data": {}}'),
('order_ids', '{"external_id": "A", "buyer": "g:A"}'),
('buyers', '{"buyer": "m:ann", "orders": 1, "total": 5, "last_order": "2026-01-01"}'),
('orders', '{"buyer": "m:ann", "external_id": "A", "origin": "placed", "version": 1, "time": "2026-01-01",
    "placed_at": "2026-01-02", "base": 20, "discount": 3, "points_discount": 2, "total": 15, "shipping_base": 5,
    "shipping_discount": 1, "shipping_points_discount": 1, "shipping_total": 3, "refunded": 12,
    "shipping_refunded": false, "resolved": {}, "result": {}, "confirmation": {}}'),
('order_lines', '{"quantity": 2, "base": 20, "discount": 3, "points_discount": 2, "total": 15, "returned": 1,
    "refunded": 7, "gift": false}'),
('order_points', '{"buyer": "m:ann", "number": 1, "money": 1, "points": 10, "seq": 1, "refunded": 4, "forfeited": 6}'),
('order_accruals', '{"buyer": "m:ann", "level": "product", "line": "1", "points": 10, "credit_on": null,
    "state": "credited", "seq": 1, "dropped": 4, "taken_back": 6}'),
('order_returns', '{"number": 1, "kind": "return", "external_id": "R", "money": 0, "request": {}}'),
('order_return_lines', '{"quantity": 1, "money": 0}'),
('promotion_counters', '{"uses": 0, "money": 0, "points": 0}'),
('promotion_uses', '{"money": 0, "points": 0}');

CREATE FUNCTION is_well_formed(relation text, change jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    obeys boolean;
    rules text := (SELECT substring(pg_get_constraintdef(oid) FROM 'loyalty_internal\.\w+') FROM pg_constraint
        WHERE conname = relation || '_are_well_formed' AND conrelid = ('loyalty.' || relation)::regclass);
BEGIN
    EXECUTE format('SELECT %s(jsonb_populate_record(NULL::loyalty.%I, body || $1)) FROM good WHERE relation = $2',
        rules, relation) INTO obeys USING change, relation;
    RETURN obeys;
END
$$;

-- Each table has the constraint, and the good rows are good.
SELECT relation, is_well_formed(relation, '{}') FROM good ORDER BY relation COLLATE "C";

-- Others that are good, and must stay so.
SELECT relation, change FROM (VALUES
('balances', '{"seq": 0, "debt": 0, "total": 0}'), ('lots', '{"held": 0, "remaining": 0}'),
('lots', '{"held": 5, "remaining": 5}'), ('lot_movements', '{"value": 1, "lot": 2}'),
('order_ids', '{"buyer": "m:x"}'), ('buyers', '{"orders": 0, "total": 0, "last_order": null}'),
('orders', '{"buyer": "g:A"}'), ('orders', '{"refunded": 15, "shipping_refunded": true}'),
('orders', '{"origin": "imported", "version": null, "points_discount": 0, "total": 17, "shipping_points_discount": 0,
    "shipping_total": 4, "resolved": null, "result": null, "confirmation": null}'),
('orders', '{"discount": -3, "total": 21}'), ('orders', '{"time": "2026-01-02"}'),
('order_lines', '{"returned": 0, "refunded": 0}'), ('order_lines', '{"returned": 2, "refunded": 15}'),
('order_lines', '{"gift": true, "base": 0, "discount": 0, "points_discount": 0, "total": 0, "refunded": 0}'),
('order_points', '{"points": 0, "refunded": 0, "forfeited": 0, "seq": null}'),
('order_accruals', '{"level": "order", "line": null}'),
('order_accruals', '{"state": "waiting", "seq": null, "credit_on": "delivered", "taken_back": 0}'),
('order_accruals', '{"state": "dropped", "seq": null, "dropped": 10, "taken_back": 0}'),
('order_returns', '{"kind": "refund", "external_id": null, "request": null}')
) AS other (relation, change)
WHERE is_well_formed(relation, change::jsonb) IS NOT TRUE;

-- What no row may be: none of these passes.
SELECT relation, change FROM (VALUES
('balances', '{"seq": -1}'), ('balances', '{"debt": -1, "total": 1}'), ('balances', '{"owed": -1}'),
('balances', '{"owed": "Infinity"}'), ('balances', '{"owed": "NaN"}'), ('balances', '{"total": -6}'),
('balances', '{"total": "Infinity"}'), ('balances', '{"total": "NaN"}'), ('balances', '{"total": "-Infinity"}'),
('lots', '{"seq": 0}'), ('lots', '{"held": -1}'), ('lots', '{"held": 5}'), ('lots', '{"remaining": 6}'),
('lots', '{"amount": 0, "remaining": 0, "held": 0}'), ('lots', '{"amount": "Infinity"}'), ('lots', '{"amount": "NaN"}'),
('lots', '{"held": "NaN"}'), ('lots', '{"active_from": "-infinity"}'), ('lots', '{"expires_at": "2026-01-01"}'),
('lot_movements', '{"value": 0}'), ('lot_movements', '{"value": "-Infinity"}'),
('lot_movements', '{"value": "Infinity"}'), ('lot_movements', '{"value": "NaN"}'), ('lot_movements', '{"lot": 3}'),
('events', '{"type": ""}'), ('events', '{"data": []}'), ('events', '{"data": 1}'),
('order_ids', '{"buyer": "m:"}'), ('order_ids', '{"buyer": "g:B"}'), ('order_ids', '{"buyer": "A"}'),
('order_ids', '{"buyer": "M:A"}'), ('order_ids', '{"buyer": ""}'),
('buyers', '{"buyer": "g:A"}'), ('buyers', '{"buyer": "m:"}'), ('buyers', '{"orders": -1}'),
('buyers', '{"total": -1}'), ('buyers', '{"total": "Infinity"}'), ('buyers', '{"last_order": null}'),
('buyers', '{"last_order": "infinity"}'), ('buyers', '{"orders": 0}'),
('orders', '{"buyer": "g:B"}'), ('orders', '{"origin": "found"}'), ('orders', '{"time": "-infinity"}'),
('orders', '{"placed_at": "infinity"}'), ('orders', '{"time": "2026-01-03"}'),
('orders', '{"total": -1, "base": 4, "refunded": 0}'), ('orders', '{"total": "NaN", "base": "NaN"}'),
('orders', '{"total": 16}'), ('orders', '{"points_discount": -2, "total": 19}'),
('orders', '{"points_discount": "NaN", "total": "NaN"}'), ('orders', '{"shipping_total": -1, "shipping_base": 1}'),
('orders', '{"shipping_total": 16, "shipping_base": 18}'), ('orders', '{"shipping_total": 4}'),
('orders', '{"shipping_points_discount": -1, "shipping_total": 5}'),
('orders', '{"shipping_points_discount": 3, "shipping_total": 1}'), ('orders', '{"refunded": -1}'),
('orders', '{"refunded": 13}'), ('orders', '{"refunded": 16, "shipping_refunded": true}'),
('orders', '{"origin": "imported"}'),
('orders', '{"origin": "imported", "version": null, "resolved": null, "result": null, "confirmation": null}'),
('orders', '{"origin": "imported", "points_discount": 0, "total": 17, "shipping_points_discount": 0,
    "shipping_total": 4, "resolved": null, "result": null, "confirmation": null}'),
('orders', '{"origin": "imported", "version": null, "points_discount": 0, "total": 17, "shipping_points_discount": 0,
    "shipping_total": 4, "resolved": null, "confirmation": null}'),
('order_lines', '{"quantity": 0, "returned": 0, "refunded": 0}'), ('order_lines', '{"quantity": "Infinity"}'),
('order_lines', '{"total": -1, "base": 4, "returned": 0, "refunded": 0}'), ('order_lines', '{"total": 16}'),
('order_lines', '{"total": "Infinity", "base": "Infinity"}'),
('order_lines', '{"points_discount": -2, "total": 19}'), ('order_lines', '{"returned": -1}'),
('order_lines', '{"returned": 3}'), ('order_lines', '{"refunded": -1}'), ('order_lines', '{"refunded": 16}'),
('order_lines', '{"returned": 0}'), ('order_lines', '{"returned": 2}'), ('order_lines', '{"gift": true}'),
('order_points', '{"buyer": "g:A"}'), ('order_points', '{"number": 0}'), ('order_points', '{"money": -1}'),
('order_points', '{"money": "Infinity"}'), ('order_points', '{"points": "Infinity"}'),
('order_points', '{"points": -1, "refunded": 0, "forfeited": -1}'), ('order_points', '{"refunded": -1}'),
('order_points', '{"forfeited": -1}'), ('order_points', '{"refunded": 5}'), ('order_points', '{"seq": null}'),
('order_accruals', '{"buyer": "m:"}'), ('order_accruals', '{"level": "line"}'), ('order_accruals', '{"line": null}'),
('order_accruals', '{"points": "Infinity"}'), ('order_accruals', '{"points": 0, "dropped": 0, "taken_back": 0}'),
('order_accruals', '{"state": "lost"}'), ('order_accruals', '{"seq": null}'),
('order_accruals', '{"state": "waiting", "credit_on": "delivered", "taken_back": 0}'),
('order_accruals', '{"state": "waiting", "seq": null, "taken_back": 0}'),
('order_accruals', '{"state": "waiting", "seq": null, "credit_on": "delivered"}'),
('order_accruals', '{"state": "waiting", "seq": null, "credit_on": "delivered", "dropped": 10, "taken_back": 0}'),
('order_accruals', '{"dropped": 10, "taken_back": 0}'), ('order_accruals', '{"dropped": -1}'),
('order_accruals', '{"taken_back": -1}'), ('order_accruals', '{"taken_back": 7}'),
('order_accruals', '{"state": "dropped", "seq": null}'),
('order_accruals', '{"state": "dropped", "dropped": 10, "taken_back": 0}'),
('order_returns', '{"number": 0}'), ('order_returns', '{"kind": "theft"}'), ('order_returns', '{"external_id": null}'),
('order_returns', '{"request": null}'), ('order_returns', '{"kind": "refund", "external_id": null}'),
('order_returns', '{"kind": "refund", "request": null}'), ('order_returns', '{"money": -1}'),
('order_returns', '{"money": "NaN"}'),
('order_return_lines', '{"quantity": 0}'), ('order_return_lines', '{"quantity": "Infinity"}'),
('order_return_lines', '{"money": -1}'), ('order_return_lines', '{"money": "Infinity"}'),
('promotion_counters', '{"uses": -1}'), ('promotion_counters', '{"money": -1}'),
('promotion_counters', '{"money": "NaN"}'), ('promotion_counters', '{"points": -1}'),
('promotion_counters', '{"points": "Infinity"}'),
('promotion_uses', '{"money": -1}'), ('promotion_uses', '{"money": "NaN"}'), ('promotion_uses', '{"points": -1}'),
('promotion_uses', '{"points": "Infinity"}')
) AS other (relation, change)
WHERE is_well_formed(relation, change::jsonb) IS NOT FALSE;

-- They hold for the owner's plain statements, and where no trigger fires.
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.point_types (program, external_id, name, ratio, active) VALUES ('main', 'bonus', 'Bonus', 1, true);
INSERT INTO loyalty.profiles VALUES ('ann', '{}');
SELECT loyalty_enrol('ann', 'main') ->> 'outcome' AS outcome;
SELECT loyalty_accrue('ann', 'main', 'bonus', 10) ->> 'value' AS value;
\set VERBOSITY terse
BEGIN;
SET LOCAL session_replication_role = replica;
SAVEPOINT here;
UPDATE loyalty.lots SET held = remaining + 1;
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO here;
UPDATE loyalty.events SET data = '[]';
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
\set VERBOSITY default

-- A transaction that arrives with its figures is judged by the trigger that proves its arrival.
\set figures 'seq, type, value, balance_before, balance_after, created_at'
\set arrives 'INSERT INTO loyalty.transactions (member, program, point_type, ' :figures ') VALUES'
:arrives ('ann', 'main', 'bonus', 2, 'redemption', 5, 10, 15, now());
\echo :LAST_ERROR_SQLSTATE
:arrives ('ann', 'main', 'bonus', 2, 'accrual', -5, 10, 5, now());
:arrives ('ann', 'main', 'bonus', 2, 'accrual', 5, 10, 16, now());
:arrives ('ann', 'main', 'bonus', 2, 'redemption', 'NaN', 10, 'NaN', now());
SELECT count(*) FROM loyalty.transactions;

-- A row of something else, or of a table that was altered.
SELECT loyalty_internal.lot_is_well_formed(ROW(1, 2));
SELECT loyalty_internal.lot_is_well_formed(balances) FROM loyalty.balances;
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_internal.lot_is_well_formed(NULL);
BEGIN;
ALTER TABLE loyalty.lots ALTER COLUMN held DROP NOT NULL;
SAVEPOINT here;
UPDATE loyalty.lots SET held = NULL;
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO here;
ALTER TABLE loyalty.lots ALTER COLUMN held TYPE text;
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
ALTER TABLE loyalty.transactions ALTER COLUMN value DROP NOT NULL;
:arrives ('ann', 'main', 'bonus', 2, 'accrual', NULL, 10, 10, now());
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;

DROP TABLE good;
DROP FUNCTION is_well_formed(text, jsonb);
DROP SCHEMA loyalty CASCADE;
