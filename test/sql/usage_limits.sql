-- Usage limits of promotions, and promo codes of placed orders: what quotes and orders make of them, and what comes
-- back.
\set ECHO none
SET client_min_messages = warning;
SET timezone = 'Europe/Berlin';
\i test/fixtures/shop.sql
CREATE FUNCTION place(id text, who text, promo_codes text[] DEFAULT '{}', quantity numeric DEFAULT 1,
    shipping numeric DEFAULT 0) RETURNS jsonb LANGUAGE sql AS $$
    SELECT loyalty_place_order(jsonb_strip_nulls(jsonb_build_object(
        'external_id', id, 'member', who, 'promo_codes', to_jsonb(promo_codes), 'shipping', shipping,
        'lines', jsonb_build_array(
            jsonb_build_object('id', '1', 'product', 'tea', 'quantity', quantity, 'price', 10)))))
$$;
-- What an order came to: its total, and what each promotion did.
CREATE FUNCTION effects(answer jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT answer #>> '{totals,total}' || coalesce(
        (SELECT string_agg(format(
            ' | %s %s%s', o ->> 'promotion',
            coalesce(o ->> 'discount', o ->> 'accrued', o ->> 'pending', o ->> 'benefit'),
            ' cut ' || (o ->> 'cut')), '' ORDER BY number)
         FROM jsonb_array_elements(answer -> 'operations') WITH ORDINALITY AS a (o, number)), '')
$$;
CREATE FUNCTION ask(who text, promo_codes text[] DEFAULT '{}', quantity numeric DEFAULT 1, shipping numeric DEFAULT 0)
    RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'member', who, 'promo_codes', to_jsonb(promo_codes), 'shipping', shipping,
        'lines', jsonb_build_array(jsonb_build_object('id', '1', 'product', 'tea', 'quantity', quantity, 'price', 10))))
$$;
CREATE VIEW counters AS
SELECT promotion, uses, money, points FROM loyalty.promotion_counters
    WHERE uses + money + points > 0 ORDER BY promotion;
SELECT loyalty_deactivate_promotion('main', external_id) FROM loyalty.promotions \g /dev/null
\set ECHO all

-- ---------------------------------------------------------------------------------------------------------------------
-- Uses in total and per member. Promotions without limits count nothing.

INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, position, state, audience, max_uses,
    max_uses_per_member)
VALUES
    ('main', 'first', 'For the first two', 'discount', 'main', 10, 'active', 'everyone', 2, NULL),
    ('main', 'once', 'Once each', 'discount', 'main', 11, 'active', 'everyone', NULL, 1),
    ('main', 'free', 'Without limits', 'discount', 'main', 12, 'active', 'everyone', NULL, NULL);
INSERT INTO loyalty.promotion_conditions (program, promotion)
SELECT 'main', id FROM unnest(ARRAY['first', 'once', 'free']) AS id;
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
SELECT 'main', id, 1, 'discount', '{"amount": 1}' FROM unnest(ARRAY['first', 'once', 'free']) AS id;
SELECT loyalty_apply('main');
SELECT effects(place('U-1', 'ann'));
SELECT effects(place('U-1', 'ann')) AS repeated;
SELECT * FROM counters;
-- A guest without a profile is not counted, so takes no part where members are.
SELECT effects(place('U-2', NULL));
SELECT effects(loyalty_calculate(ask('bob'))) AS quote;
SELECT effects(place('U-3', 'ann'));
SELECT loyalty_explain(ask('ann'));
SELECT loyalty_explain(ask(NULL));
-- In a test members are made up, but what orders have used up stays.
SELECT effects(loyalty_test(ask(NULL), '{"balances": {}}') #> '{orders,0}') AS tested;
SELECT * FROM counters;
SELECT buyer, promotion, order_id, money, points, freed_at FROM loyalty.promotion_uses ORDER BY order_id, promotion;
-- A use comes back with the order's last unit.
SELECT loyalty_return_items('main', 'U-1', '[{"id": "1", "quantity": 0.5}]', 'R-1') -> 'money' AS money;
SELECT * FROM counters;
SELECT loyalty_cancel_order('main', 'U-1') -> 'money' AS money;
SELECT * FROM counters;
SELECT effects(place('U-4', 'ann'));
-- More uses take a new version, the counters stay.
UPDATE loyalty.promotions SET max_uses = 4 WHERE external_id = 'first';
SELECT loyalty_apply('main');
SELECT effects(place('U-5', 'bob')), effects(place('U-6', 'cat')), effects(place('U-7', 'guest'));
SELECT * FROM counters;
SELECT count(*) FROM loyalty_verify();

-- An order that fails, or is rolled back, leaves nothing.
UPDATE loyalty.promotions SET max_uses = 100, max_uses_per_member = NULL WHERE external_id IN ('first', 'once');
SELECT loyalty_apply('main');
BEGIN;
SELECT effects(place('U-8', 'ann'));
ROLLBACK;
SELECT * FROM refusal($$SELECT loyalty_place_order(ask('ann') || '{"external_id": "U-8", "expected_total": 1}')$$);
SELECT * FROM counters;
SELECT loyalty_deactivate_promotion('main', id) FROM unnest(ARRAY['first', 'once', 'free']) AS id \g /dev/null

-- ---------------------------------------------------------------------------------------------------------------------
-- Budgets cut what a promotion does, like a maximum discount; the shipping counts, too.

INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, position, state, audience, money_budget,
    points_budget)
VALUES
    ('main', 'budget', 'Ten euro in all', 'discount', 'main', 20, 'active', 'everyone', 10, NULL),
    ('main', 'points', 'Hundred points in all', 'points', 'main', 21, 'active', 'members', NULL, 100);
INSERT INTO loyalty.promotion_conditions (program, promotion, position, level)
VALUES ('main', 'budget', 1, 'product'), ('main', 'budget', 2, 'order'), ('main', 'points', 1, 'product'),
    ('main', 'points', 2, 'order');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES
    ('main', 'budget', 1, 'discount', '{"percent": 10}'),
    ('main', 'budget', 2, 'discount', '{"amount": 2, "target": "shipping"}'),
    ('main', 'points', 1, 'accrue_points', '{"point_type": "bonus", "percent": 100, "credit_on": "delivered"}'),
    ('main', 'points', 2, 'accrue_points', '{"point_type": "gift", "points": 7}');
SELECT loyalty_apply('main');
SELECT effects(loyalty_calculate(ask('ann', '{}', 30, 5))) AS quote;
SELECT effects(place('B-1', 'ann', '{}', 3, 5));
SELECT effects(place('B-2', 'bob', '{}', 6, 5));
SELECT * FROM counters;
SELECT loyalty_explain(ask('cat', '{}', 3, 5));
-- The share of what comes back is free again: a third of 3.00, the shipping later.
SELECT answer -> 'money' AS money, answer #> '{points,0}' AS points
    FROM loyalty_return_items('main', 'B-1', '[{"id": "1", "quantity": 1}]', 'R-1') AS answer;
SELECT * FROM counters WHERE promotion IN ('budget', 'points');
SELECT effects(place('B-3', 'cat', '{}', 3, 0));
SELECT * FROM counters WHERE promotion IN ('budget', 'points');
SELECT loyalty_return_items('main', 'B-1', '[{"id": "1", "quantity": 2}]', 'R-2') -> 'money' AS money;
SELECT promotion, order_id, money, points, freed_at FROM loyalty.promotion_uses
    WHERE order_id = 'B-1' ORDER BY promotion;
SELECT loyalty_cancel_order('main', 'B-1') -> 'money' AS money;
SELECT promotion, order_id, money, points, freed_at FROM loyalty.promotion_uses
    WHERE order_id = 'B-1' ORDER BY promotion;
SELECT loyalty_cancel_order('main', id) -> 'status' AS status FROM unnest(ARRAY['B-2', 'B-3']) AS id;
SELECT * FROM counters WHERE promotion IN ('budget', 'points');
SELECT count(*) FROM loyalty_verify();
-- In a search for the maximum benefit, a promotion is worth no more than its budget: 8.00 of a budget lose
-- against 9.00.
UPDATE loyalty.promotion_groups SET arbitration = 'max_benefit' WHERE external_id = 'main';
UPDATE loyalty.promotions SET money_budget = 8 WHERE external_id = 'budget';
DELETE FROM loyalty.promotion_conditions WHERE promotion = 'budget' AND position = 2;
UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 50}' WHERE promotion = 'budget';
INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, position, state, audience)
    VALUES ('main', 'nine', 'Nine', 'discount', 'main', 19, 'active', 'everyone');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('main', 'nine');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', 'nine', 1, 'discount', '{"amount": 9}');
SELECT loyalty_apply('main');
SELECT effects(loyalty_calculate(ask(NULL)));
UPDATE loyalty.promotion_groups SET min_product_price_amount = 1 WHERE external_id = 'main';
SELECT loyalty_apply('main');
SELECT effects(loyalty_calculate(ask(NULL)));
UPDATE loyalty.promotion_groups SET min_product_price_amount = NULL WHERE external_id = 'main';
UPDATE loyalty.promotion_groups SET arbitration = 'incompatibility' WHERE external_id = 'main';
UPDATE loyalty.promotions SET position = 30 WHERE external_id = 'nine';
SELECT loyalty_apply('main');
SELECT effects(loyalty_calculate(ask(NULL, '{}', 2)));
UPDATE loyalty.promotion_groups SET arbitration = 'summation' WHERE external_id = 'main';
SELECT loyalty_apply('main');
SELECT effects(loyalty_calculate(ask(NULL, '{}', 2)));
-- What was used up under a limit is priced again as it was.
SELECT loyalty_reprice_order('main', external_id) = result AS same, count(*) FROM loyalty.orders GROUP BY 1;
SELECT loyalty_deactivate_promotion('main', id) FROM unnest(ARRAY['budget', 'points', 'nine']) AS id \g /dev/null

-- ---------------------------------------------------------------------------------------------------------------------
-- Promo codes: placing uses them, and the last unit gives them back.

UPDATE loyalty.promotion_groups SET arbitration = 'consistent' WHERE external_id = 'main';
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind, max_uses, max_uses_per_member)
VALUES ('main', 'spring', 'Spring', 'universal', 3, 1), ('main', 'gifts', 'Gifts', 'personal', NULL, NULL),
    ('main', 'idle', 'Behind nothing', 'universal', NULL, NULL);
INSERT INTO loyalty.promo_codes (code, program, pool)
VALUES ('SPRING', 'main', 'spring'), ('SUMMER', 'main', 'spring'), ('GIFT1', 'main', 'gifts'),
    ('GIFT2', 'main', 'gifts'), ('GIFT3', 'main', 'gifts'), ('IDLE', 'main', 'idle');
SELECT loyalty_attach_promo_code('main', 'ann', 'gifts', 'GIFT3');
INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, position, state, audience, promo_code_pool)
VALUES ('main', 'spring', 'Spring', 'discount', 'main', 40, 'active', 'everyone', 'spring'),
    ('main', 'gift', 'Gift', 'discount', 'main', 41, 'active', 'everyone', 'gifts');
INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, position, state, audience)
    VALUES ('main', 'next', 'Next time', 'discount', 'main', 42, 'active', 'everyone');
INSERT INTO loyalty.promotion_conditions (program, promotion, level)
    VALUES ('main', 'spring', 'product'), ('main', 'gift', 'product'), ('main', 'next', 'order');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('main', 'spring', 1, 'discount', '{"percent": 10}'), ('main', 'gift', 1, 'discount', '{"amount": 5}'),
    ('main', 'next', 1, 'issue_promo_code',
    '{"pool": "gifts", "message": "{{ member.key }}, your code is {{ promo_code }}"}');
SELECT loyalty_apply('main');
CREATE VIEW codes AS
SELECT code, profile, uses, order_id, expires_at_if_free FROM loyalty.promo_codes
    WHERE profile IS NOT NULL OR uses > 0 ORDER BY code;
SELECT answer -> 'promo_codes' AS promo_codes, answer -> 'issued' AS issued, effects(answer)
FROM place('C-1', 'ann', '{spring,SUMMER,gift3,IDLE,NONE}') AS answer;
SELECT * FROM codes;
SELECT buyer, code, order_id, freed_at FROM loyalty.promo_code_uses ORDER BY code;
SELECT type, profile, data FROM loyalty.events WHERE type LIKE 'promo_code%' ORDER BY number;
-- Used by the member once; the other code of the pool is one more.
SELECT answer -> 'promo_codes' AS promo_codes, answer -> 'issued' AS issued, effects(answer)
    FROM place('C-2', 'ann', '{spring}') AS answer;
SELECT answer -> 'promo_codes' AS promo_codes, answer -> 'issued' AS issued, effects(answer)
    FROM place('C-3', 'ann', '{spring,summer,GIFT1}') AS answer;
-- The pool is empty: the order is placed all the same. A guest without a profile is given none.
SELECT answer -> 'issued' AS issued FROM place('C-4', 'bob') AS answer;
SELECT answer -> 'issued' AS issued FROM place('C-5', NULL) AS answer;
SELECT * FROM codes;
-- A partial return frees nothing; with the last unit the uses are free, and an issued code that was not used is
-- detached.
SELECT loyalty_return_items('main', 'C-1', '[{"id": "1", "quantity": 0.4}]', 'R-1') -> 'money' AS money;
SELECT * FROM codes;
SELECT loyalty_cancel_order('main', 'C-1') -> 'money' AS money;
SELECT loyalty_cancel_order('main', 'C-2') -> 'money' AS money;
SELECT * FROM codes;
SELECT buyer, code, order_id, freed_at FROM loyalty.promo_code_uses ORDER BY code, order_id;
SELECT answer -> 'promo_codes' AS promo_codes, answer -> 'issued' AS issued
    FROM place('C-6', 'ann', '{spring}') AS answer;
BEGIN;
SELECT answer -> 'promo_codes' AS promo_codes FROM place('C-7', 'bob', '{spring}') AS answer;
ROLLBACK;
SELECT * FROM codes;
SELECT loyalty_reprice_order('main', external_id) = result AS same, count(*) FROM loyalty.orders GROUP BY 1;
SELECT count(*) FROM loyalty_verify();

-- ---------------------------------------------------------------------------------------------------------------------
-- Nobody else changes the counters, and damage is found.

SELECT * FROM refusal($$UPDATE loyalty.promotion_counters SET uses = 0$$);
SELECT * FROM refusal($$DELETE FROM loyalty.promotion_uses$$);
SET session_replication_role = replica;
UPDATE loyalty.promotion_counters SET uses = uses + 1 WHERE promotion = 'first';
UPDATE loyalty.promotion_uses SET money = money + 1 WHERE order_id = 'U-5' AND promotion = 'once';
UPDATE loyalty.promo_codes SET uses = 2 WHERE code = 'IDLE';
UPDATE loyalty.promo_code_uses SET freed_at = NULL WHERE order_id = 'C-1' AND code = 'GIFT3';
RESET session_replication_role;
SELECT invariant, detail FROM loyalty_verify() ORDER BY invariant, detail COLLATE "C";

DROP VIEW codes, counters;
DROP FUNCTION place(text, text, text[], numeric, numeric), ask(text, text[], numeric, numeric), effects(jsonb),
basket(text, text, jsonb), refusal(text);
DROP VIEW entries;
DROP SCHEMA loyalty CASCADE;
