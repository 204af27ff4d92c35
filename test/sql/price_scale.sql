-- Prices finer than the currency: fuel at 1.799 a litre, screws at 0.0125 each.
\set ECHO none
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE EXTENSION IF NOT EXISTS loyalty;
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2027-06-16 12:00Z') \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('p', 'P', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.profiles (key) VALUES ('ann');
INSERT INTO loyalty.products (program, sku, name, price)
    VALUES ('p', 'fuel', 'Fuel, by the litre', 1.79), ('p', 'mug', 'Mug', 5);
CREATE FUNCTION refusal(statement text)
    RETURNS TABLE (code text, message text, detail text, hint text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
    hint = PG_EXCEPTION_HINT;
    RETURN NEXT;
END
$$;
CREATE FUNCTION basket(id text, lines jsonb) RETURNS jsonb LANGUAGE sql
RETURN jsonb_build_object('program', 'p', 'external_id', id, 'lines', lines);
CREATE FUNCTION line(answer jsonb, number integer DEFAULT 0) RETURNS text LANGUAGE sql
RETURN (
    SELECT string_agg(format('%s %s', key, answer #>> ARRAY['lines', line.number::text, key]), ', ')
    FROM unnest('{base_price,base,discount,price,total}'::text[]) AS key
);
CREATE FUNCTION add_promotion(id text, benefit text, parameters jsonb) RETURNS integer LANGUAGE sql BEGIN ATOMIC
    INSERT INTO loyalty.promotions (program, external_id, name, kind, audience)
        VALUES ('p', id, id, 'discount', 'everyone');
    INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('p', id);
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
        VALUES ('p', id, 1, benefit, parameters);
    UPDATE loyalty.promotions SET state = 'active' WHERE external_id = id;
    SELECT loyalty_apply('p');
END;
SELECT loyalty_apply('p') \g /dev/null
\set ECHO all

-- As the currency: finer prices are refused, wherever they stand.
SELECT * FROM refusal($$SELECT loyalty_calculate('{"lines": [{"product": "fuel", "quantity": 1, "price": 1.799}]}')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_calculate('{"lines": [{"product": "fuel", "quantity": 1, "min_price": 1.655}]}')$$);
SELECT * FROM refusal($$UPDATE loyalty.products SET price = 1.799 WHERE sku = 'fuel'$$);
SELECT * FROM refusal($$UPDATE loyalty.promotion_groups SET min_product_price_amount = 1.655$$);
SELECT * FROM refusal($$SELECT add_promotion('whole', 'round_price', '{"step": 0.001}')$$);
SELECT tree ? 'price_scale' AS is_said FROM loyalty.promotion_versions;

-- From the currency's scale to six.
SELECT code, message FROM refusal($$UPDATE loyalty.programs SET price_scale = 1$$);
SELECT code, message FROM refusal($$UPDATE loyalty.programs SET price_scale = 7$$);
UPDATE loyalty.programs SET price_scale = 4;
UPDATE loyalty.products SET price = 1.799 WHERE sku = 'fuel';
INSERT INTO loyalty.products (program, sku, name, price, fields)
    VALUES ('p', 'screw', 'Screw', 0.0125, '{"bulk": 0.01234}');
-- Until it is applied, the version in force has the currency's.
SELECT code, message, detail
    FROM refusal($$SELECT loyalty_calculate('{"lines": [{"product": "fuel", "quantity": 40}]}')$$);
SELECT loyalty_apply('p') AS version;
SELECT version, tree -> 'price_scale' AS price_scale FROM loyalty.promotion_versions ORDER BY version;

-- A line's total is rounded once: 40 × 1.799 = 71.96, 1,000 × 0.0125 = 12.50.
SELECT line(answer, 0) AS fuel, line(answer, 1) AS screws, answer #> '{totals,total}' AS total
FROM loyalty_calculate(basket('A', '[{"product": "fuel", "quantity": 40}, {"product": "screw", "quantity": 1000}]'))
    AS answer;
SELECT * FROM refusal(
    $$SELECT loyalty_calculate('{"lines": [{"product": "fuel", "quantity": 1, "price": 1.79999}]}')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_calculate('{"lines": [{"product": "fuel", "quantity": 1}], "shipping": 1.001}')$$);

-- 10 % off, but no litre below 1.6555: 40 × 1.6555 = 66.22.
SELECT add_promotion('ten', 'discount', '{"percent": 10}') AS version;
UPDATE loyalty.promotion_groups SET min_product_price_amount = 1.6555 WHERE external_id = 'main';
SELECT loyalty_apply('p') AS version;
SELECT line(loyalty_calculate(basket('A', '[{"product": "fuel", "quantity": 40}]'))) AS fuel;
SELECT explained FROM loyalty_explain(basket('A', '[{"product": "fuel", "quantity": 40}]')) AS explained
    WHERE explained ~ 'Limits';
UPDATE loyalty.promotion_groups SET min_product_price_amount = NULL WHERE external_id = 'main';
-- Of 90 % of 1.799 = 1.6191 down to whole tenths of a cent: 40 × 1.619 = 64.76.
SELECT add_promotion('steps', 'round_price', '{"step": 0.001, "direction": "down"}') AS version;
SELECT line(loyalty_calculate(basket('A', '[{"product": "fuel", "quantity": 40}]'))) AS fuel;
UPDATE loyalty.promotions SET state = 'inactive';
-- 0.01234 -> 0.0123; 1,000 of them 12.30. From 5,000 on 0.0109 each.
SELECT add_promotion('bulk', 'price_from_field', '{"field": "bulk"}') AS version;
SELECT add_promotion('tiers', 'discount', '{"by": "line_items", "steps": [{"from": 5000, "price": 0.0109}]}')
    AS version;
SELECT quantity,
    line(loyalty_calculate(
    basket('A', jsonb_build_array(jsonb_build_object('product', 'screw', 'quantity', quantity)))))
FROM unnest('{1,1000,5000}'::integer[]) AS quantity;

-- Placed, and given back in parts: exactly what was paid.
SELECT line(loyalty_place_order(basket('O-1', '[{"id": "s", "product": "screw", "quantity": 1000}]'))) AS screws;
SELECT line, quantity, price, base, discount, total FROM loyalty.order_lines;
SELECT loyalty_return_items('p', 'O-1', jsonb_build_array(jsonb_build_object('id', 's', 'quantity', quantity)),
    number::text) -> 'money' AS money
FROM unnest('{333,333,334}'::integer[]) WITH ORDINALITY AS part (quantity, number);
SELECT total, refunded FROM loyalty.orders;
SELECT line(loyalty_place_order(
    basket('O-2', '[{"product": "screw", "quantity": 700}, {"product": "fuel", "quantity": 40.01}]')), 1) AS fuel;
SELECT external_id, was, would_be, error
    FROM loyalty_backtest('p', (SELECT max(version) FROM loyalty.promotion_versions));
SELECT * FROM loyalty.order_violations;

-- One unit of each costs what an order of one unit comes to.
SELECT sku, base, price FROM loyalty_prices(program => 'p') ORDER BY sku;

-- Imported orders have finer prices, too.
SELECT loyalty_import_orders('[{"program": "p", "external_id": "I-1", "time": "2027-01-01T00:00:00Z", "status": "delivered",
    "lines": [{"product": "fuel", "quantity": 10, "price": 1.7995, "total": 17.99}]}]') AS imported;
SELECT price, base, total FROM loyalty.order_lines WHERE order_id = 'I-1';

-- Exported and imported with the program. Smaller scales must fit what there is.
SELECT loyalty_export('p') -> 'price_scale' AS price_scale;
SELECT * FROM refusal($$UPDATE loyalty.programs SET price_scale = 3$$);
SELECT code, message FROM refusal($$UPDATE loyalty.programs SET price_scale = NULL$$);
DELETE FROM loyalty.products WHERE sku = 'screw';
SELECT code, message FROM refusal($$UPDATE loyalty.programs SET price_scale = 3$$);
UPDATE loyalty.promotion_benefits SET parameters = '{"by": "line_items", "steps": [{"from": 5000, "price": 0.011}]}'
    WHERE promotion = 'tiers';
UPDATE loyalty.programs SET price_scale = 3;
SELECT line(loyalty_calculate(basket('A', '[{"product": "fuel", "quantity": 40}]'))) AS in_four_decimals;
SELECT loyalty_apply('p') AS version;
SELECT line(loyalty_calculate(basket('A', '[{"product": "fuel", "quantity": 40}]'))) AS in_three_decimals;
-- An order of prices that are too fine for a version cannot be priced by it.
SELECT external_id, was, would_be, error
    FROM loyalty_backtest('p', (SELECT max(version) FROM loyalty.promotion_versions));

\set QUIET on
DROP FUNCTION refusal(text), basket(text, jsonb), line(jsonb, integer), add_promotion(text, text, jsonb);
DROP SCHEMA loyalty CASCADE;
