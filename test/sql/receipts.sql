-- What a receipt, and a mailing, needs: names, whole totals, the message of an issued code.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT loyalty_create_schema();
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('p', 'P', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.profiles VALUES ('ann', '{}');
SELECT loyalty_enrol('ann', 'p') ->> 'outcome';
CREATE FUNCTION promotion(id text, name text, benefit text, parameters jsonb, level text DEFAULT 'order',
    kind text DEFAULT 'discount')
RETURNS integer LANGUAGE sql
AS $$
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
    VALUES ('p', id, name, kind, 'active', 'everyone');
INSERT INTO loyalty.promotion_conditions (program, promotion, level) VALUES ('p', id, level);
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('p', id, 1, benefit, parameters);
SELECT loyalty_apply('p');
$$;

-- What is paid is rounded, shipping included (F7).
SELECT promotion('r', 'Whole totals', 'round_order_price', '{"mode": "integer_down", "target": "order"}');
SELECT total #> '{totals,total}' AS total, total -> 'shipping' AS shipping
FROM loyalty_calculate('{"shipping": 4.90, "lines": [{"product": "x", "quantity": 1, "price": 10.50}]}') AS total;
SELECT loyalty_explain('{"shipping": 4.90, "lines": [{"product": "x", "quantity": 1, "price": 10.50}]}');
UPDATE loyalty.promotion_benefits SET parameters = '{"mode": "integer_down"}';
SELECT loyalty_apply('p');
SELECT loyalty_calculate(
    '{"shipping": 4.90, "lines": [{"product": "x", "quantity": 1, "price": 10.50}]}') #> '{totals,total}' AS goods_only;
UPDATE loyalty.promotion_benefits SET parameters = '{"mode": "integer_down", "target": "shipping"}';
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_end_promotion('p', 'r');

-- Names of promotions and products stand in results (F10), as they were when the tree was applied and the order placed.
SELECT promotion('d1', 'Birthday gift', 'discount', '{"percent": 10}', 'product');
SELECT promotion('t1', 'A word', 'text', '{"template": "Thank you"}');
INSERT INTO loyalty.products (program, sku, name, price) VALUES ('p', 'TEA', 'Green tea', 8);
\set order '{"lines": [{"product": "TEA", "quantity": 1}, {"product": "x", "quantity": 1, "price": 100}]}'
SELECT jsonb_path_query(result, '$.lines[*]') -> 'product_name' AS product FROM loyalty_calculate(:'order') AS result;
SELECT operation ->> 'promotion' AS promotion, operation ->> 'promotion_name' AS name,
    operation ->> 'product' AS product
FROM jsonb_array_elements(loyalty_calculate(:'order') -> 'operations') AS operation;
SELECT loyalty_calculate(:'order') -> 'texts' AS texts;
SELECT loyalty_explain(:'order');
SELECT loyalty_place_order(:'order'::jsonb || '{"external_id": "A"}') #> '{operations,0,promotion_name}' AS name;
UPDATE loyalty.promotions SET name = 'Name day' WHERE external_id = 'd1';
UPDATE loyalty.products SET name = 'White tea';
SELECT loyalty_calculate(:'order') #> '{operations,0,promotion_name}' AS pending;
SELECT loyalty_apply('p');
SELECT result #> '{operations,0,promotion_name}' AS now, result #> '{lines,0,product_name}' AS product
    FROM loyalty_calculate(:'order') AS result;
SELECT result #> '{operations,0,promotion_name}' AS then, result #> '{lines,0,product_name}' AS product
    FROM loyalty_reprice_order('p', 'A') AS result;
SELECT details FROM loyalty.order_operations WHERE number = 1;

-- The event of an issued code has all that its message needs (F15).
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind) VALUES ('p', 'pers', 'Personal', 'personal');
INSERT INTO loyalty.promo_codes (code, program, pool) VALUES ('C1', 'p', 'pers'), ('C2', 'p', 'pers');
SELECT promotion('i', 'A code for you', 'issue_promo_code',
    '{"pool": "pers", "message": "Dear {{ member.key }}: {{ promo_code }}"}');
SELECT loyalty_calculate(:'order'::jsonb || '{"member": "ann"}') -> 'promo_codes' AS quoted;
SELECT loyalty_place_order(:'order'::jsonb || '{"external_id": "B", "member": "ann"}') -> 'issued' AS issued;
SELECT loyalty_attach_promo_code('p', 'ann', 'pers', 'C2');
SELECT data FROM loyalty.events WHERE type = 'promo_code_issued' ORDER BY number;

DROP SCHEMA loyalty CASCADE;
