-- A promotion is stopped at once and started again, beside the versions; an end may take back what was promised. Other
-- sessions: test/specs/pause_visibility.spec.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT loyalty_create_schema();
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('p', 'P', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.profiles VALUES ('ann', '{}');
INSERT INTO loyalty.point_types (program, external_id, name, ratio, active) VALUES ('p', 'bonus', 'Bonus', 1, true);
SELECT loyalty_enrol('ann', 'p') ->> 'outcome';
CREATE FUNCTION discount(id text, percent integer, state text DEFAULT 'active') RETURNS void LANGUAGE sql
AS $$
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
    VALUES ('p', id, initcap(id), 'discount', state, 'everyone');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('p', id);
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('p', id, 1, 'discount', jsonb_build_object('percent', percent));
$$;
\set order '{"lines": [{"product": "x", "quantity": 1, "price": 100}]}'
CREATE FUNCTION total() RETURNS jsonb LANGUAGE sql STABLE
AS $$ SELECT loyalty_calculate('{"lines": [{"product": "x", "quantity": 1, "price": 100}]}') #> '{totals,total}' $$;

-- ---------------------------------------------------------------------------------------------------------------------
-- Pausing: at once, and nobody's unfinished edits come along (F14)

SELECT discount('bad', 90);
SELECT loyalty_apply('p');
SELECT discount('colleague', 99);
SELECT total();
SELECT loyalty_pause_promotion('p', 'bad');
SELECT total();
SELECT loyalty_explain(:'order');
SELECT promotion, paused_by = session_user AS by_me FROM loyalty.paused_promotions;
SELECT external_id, status, pending FROM loyalty.promotion_tree WHERE node = 'promotion' ORDER BY 1;
SELECT promotion FROM loyalty.active_promotions;
-- Twice is once. It is no change of the tree, and no apply and no revert touches it.
SELECT loyalty_pause_promotion('p', 'bad');
SELECT DISTINCT what FROM loyalty.pending_changes WHERE what ~ 'bad';
SELECT loyalty_revert('p');
SELECT total();
UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 5}' WHERE promotion = 'bad';
SELECT loyalty_apply('p');
SELECT total();
-- The draft is tried as it is edited, and an old order has what it had.
SELECT loyalty_test(:'order'::jsonb || '{"program": "p"}') #> '{summary,total,total}' AS tested,
    loyalty_calculate(:'order', 1) #> '{totals,total}' AS old;
SELECT loyalty_resume_promotion('p', 'bad');
SELECT total();
SELECT loyalty_resume_promotion('p', 'bad');
-- Undone with the transaction that did it.
BEGIN;
SELECT loyalty_pause_promotion('p', 'bad');
SELECT total();
ROLLBACK;
SELECT total();
-- One whose deactivation is pending is in force, and can be stopped.
SELECT loyalty_deactivate_promotion('p', 'bad');
SELECT loyalty_pause_promotion('p', 'bad');
SELECT total();
SELECT loyalty_explain(:'order') LIMIT 2;
SELECT loyalty_end_promotion('p', 'bad');
SELECT loyalty_explain(:'order') LIMIT 2;
-- What cannot be.
SELECT discount('draft', 10, 'draft');
SELECT loyalty_pause_promotion('p', 'draft');
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_pause_promotion('p', 'bad');
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_resume_promotion('p', 'bad');
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_pause_promotion('p', 'nothing');
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_pause_promotion('p', NULL);
\echo :LAST_ERROR_SQLSTATE

-- Trigger promotions, too.
INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
    VALUES ('p', 't', 'Trigger', 'trigger', 'draft');
INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount)
    VALUES ('p', 't', 'accrual', 'bonus', 5);
SELECT loyalty_activate_promotion('p', 't');
SELECT loyalty_fire('t', 'ann') ->> 'value';
SELECT promotion FROM loyalty.active_promotions;
SELECT loyalty_pause_promotion('p', 't');
SELECT loyalty_fire('t', 'ann') ->> 'value';
SELECT promotion FROM loyalty.active_promotions;
SELECT loyalty_resume_promotion('p', 't');
SELECT loyalty_fire('t', 'ann') ->> 'value';

-- ---------------------------------------------------------------------------------------------------------------------
-- Ending: what was promised is kept, or taken back (F16)

CREATE FUNCTION earn(id text) RETURNS void LANGUAGE sql
AS $$
INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
    VALUES ('p', id, initcap(id), 'points', 'active');
INSERT INTO loyalty.promotion_conditions (program, promotion, level) VALUES ('p', id, 'order');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('p', id, 1, 'accrue_points', '{"point_type": "bonus", "points": 77, "credit_on": "delivered"}');
$$;
SELECT earn('kept'), earn('dropped');
SELECT loyalty_apply('p');
SELECT loyalty_place_order(:'order'::jsonb || '{"external_id": "A", "member": "ann"}') ->> 'status';
SELECT loyalty_place_order(:'order'::jsonb || '{"external_id": "B", "member": "ann"}') ->> 'status';
SELECT loyalty_end_promotion('p', 'kept'), loyalty_end_promotion('p', 'dropped', drop_waiting => true);
SELECT jsonb_path_query_array(loyalty_set_order_status('p', 'A', 'delivered'), '$.booked[*].value');
SELECT promotion, value FROM loyalty.transactions WHERE source = 'A';
SELECT data FROM loyalty.events WHERE type = 'accrual_dropped';
SELECT promotion, state, dropped FROM loyalty.order_accruals WHERE order_id = 'A' ORDER BY promotion;
-- It can still be decided when it has ended, for what then still waits.
SELECT loyalty_end_promotion('p', 'kept', true);
SELECT loyalty_end_promotion('p', 'kept', true);
SELECT jsonb_path_query_array(loyalty_set_order_status('p', 'B', 'delivered'), '$.booked[*].value');
SELECT * FROM loyalty_verify('p');

DROP SCHEMA loyalty CASCADE;
