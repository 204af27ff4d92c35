-- Bad orders: each gets its documented error, with the place, the value and what is expected; the session goes on.
\set ECHO none
SET client_min_messages = warning;
\i test/fixtures/program.sql
\set ECHO all
\set SHOW_CONTEXT never

-- An ordinary SQL error.
SELECT loyalty_calculate('{"lines": [{"product": "P-1", "quantity": "one"}]}');
\echo :SQLSTATE

-- From here on caught: SQLSTATE, message, detail and hint of many.
CREATE FUNCTION try("order" text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    state text;
    message text;
    detail text;
    hint text;
BEGIN
    RETURN 'total ' || (loyalty_calculate("order"::jsonb) #>> '{totals,total}');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
    hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n  ', state || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END
$$;
-- A line or an order as good as any, with one member of its own.
CREATE FUNCTION try_line(member text) RETURNS text LANGUAGE sql
RETURN try(format(
    '{"lines": [{"product": "P-1", "quantity": 1, "price": 10}, {"product": "P-2", "quantity": 1, "price": 10, %s}]}',
member));
CREATE FUNCTION try_order(member text) RETURNS text LANGUAGE sql
RETURN try(format('{"lines": [{"product": "P-1", "quantity": 1, "price": 10}], %s}', member));
\pset format unaligned
\pset tuples_only on

-- LY100: no JSON document reaches the function that is not sound; the codec's own tests show it. The server's own
-- errors:
SELECT document, left(try(document), 5) AS sqlstate
FROM (VALUES
    (''), ('{"lines": [}'), ('{"lines": []} and more'), ('{"lines": [{"product": "P-1\u0000", "quantity": 1}]}'),
    ('{"lines": [{"product": "P-\ud800", "quantity": 1}]}'), ('{"lines": [{"product": "P-1", "quantity": NaN}]}'),
    ('{"lines": [{"product": "P-1", "quantity": 01}]}'), ('{"lines": [{"product": "P-1", "quantity": 1e200000}]}')
) AS tried (document);

-- LY101: unknown keys.
SELECT try_order('"colour": "red"');
SELECT try_order('"Lines": []');
SELECT try_order('"": 1');
SELECT try_line('"discount": 5');
SELECT try_line('"a.b[0]": {"c": [1]}');
SELECT try_order('"redeem": [{"points": "bonus", "amount": "max", "all": true}]');

-- LY102: wrong types.
SELECT try('null');
SELECT try('[]');
SELECT try('17');
SELECT try('"order"');
SELECT try('{"lines": {}}');
SELECT try('{"lines": [[]]}');
SELECT try('{"lines": [null]}');
SELECT try('{"lines": [{"product": 17, "quantity": 1}]}');
SELECT try('{"lines": [{"product": "", "quantity": 1}]}');
SELECT try('{"lines": [{"product": "P-1", "quantity": "1"}]}');
SELECT try('{"lines": [{"product": "P-1", "quantity": null}]}');
SELECT try_line('"id": 2');
SELECT try_line('"id": ""');
SELECT try_line('"price": "9.99"');
SELECT try_line('"price": true');
SELECT try_line('"min_price": [1]');
SELECT try_line('"fields": []');
SELECT try_order('"member": 17');
SELECT try_order('"member": ""');
SELECT try_order('"member": null');
SELECT try_order('"program": null');
SELECT try_order('"shipping": "free"');
SELECT try_order('"fields": 1');
SELECT try_order('"redeem": {}');
SELECT try_order('"redeem": ["bonus"]');
SELECT try_order('"redeem": [{"points": "bonus", "amount": "all"}]');
SELECT try_order('"redeem": [{"points": "bonus", "amount": null}]');
SELECT try_order('"promo_codes": "BDAY"');
SELECT try_order('"promo_codes": ["BDAY", 17]');
SELECT try_order('"expected_total": "10"');
SELECT try_order('"time": 1700000000');
SELECT try_order('"time": "now"');
SELECT try_order('"time": "2026-11-21"');
SELECT try_order('"time": "2026-02-30T12:00:00Z"');
SELECT try_order('"time": "2026-11-21T12:00:00 Europe/Berlin"');
SELECT try_order('"time": "infinity"');

-- LY103: missing keys.
SELECT try('{}');
SELECT try('{"lines": [{"product": "P-1"}]}');
SELECT try('{"lines": [{"product": "P-1", "quantity": 1}, {"quantity": 1}]}');
SELECT try_order('"redeem": [{"points": "bonus"}]');
SELECT try_order('"redeem": [{"amount": 5}]');

-- LY104: out of range.
SELECT try_line('"price": -0.01');
SELECT try_line('"price": -1e30');
SELECT try_line('"price": 1e400');
SELECT try_line('"price": 1e-400');
SELECT try_line('"price": 1e17');
SELECT try_line('"price": 99999999999999999999999999999999999999999999');
SELECT try_line('"min_price": -1');
SELECT try('{"lines": [{"product": "P-1", "quantity": 0}]}');
SELECT try('{"lines": [{"product": "P-1", "quantity": -2}]}');
SELECT try('{"lines": [{"product": "P-1", "quantity": 1e13}]}');
SELECT try('{"lines": [{"product": "P-1", "quantity": 1e400}]}');
SELECT try_order('"shipping": -5');
SELECT try_order('"expected_total": 1e400');
SELECT try_order('"redeem": [{"points": "bonus", "amount": -1}]');
SELECT try_order('"redeem": [{"points": "bonus", "amount": 1e30}]');
SELECT try_order('"redeem": [{"points": "bonus", "amount": 0.001}]');
-- Thousands of numbers that are small as jsonb and huge as text, with and without a good order around them.
SELECT try(jsonb_agg(number * 1e131000)::text) FROM generate_series(1, 500) AS number;
SELECT try(jsonb_build_object('lines', '[{"product": "P-1", "quantity": 1}]'::jsonb, 'fields',
    jsonb_object_agg('f' || number, number * 1e-16000))::text)
FROM generate_series(1, 500) AS number;
-- What fits exactly is right, however it is written.
SELECT try_line('"price": 1e1');
SELECT try_line('"price": 100000e-4');
SELECT try_line('"price": 10.0000000000000000000000000000000000000000000000');
SELECT try_line('"price": 0');

-- LY105: too many decimals.
SELECT try_line('"price": 9.999');
SELECT try_line('"min_price": 0.001');
SELECT try_order('"shipping": 1e-3');
SELECT try('{"lines": [{"product": "P-1", "quantity": 0.0000001}]}');
SELECT try('{"lines": [{"product": "P-1", "quantity": 1.0000000}]}')
    = try('{"lines": [{"product": "P-1", "quantity": 1}]}');

-- LY106: nothing ordered.
SELECT try('{"lines": []}');
SELECT try('{"lines": [], "shipping": 5}');

-- LY107: twice the same. Of duplicate keys jsonb itself keeps the last.
SELECT try('{"lines": [{"id": "a", "product": "P-1", "quantity": 1}, {"id": "b", "product": "P-1", "quantity": 1}, {"id": "a", "product": "P-2", "quantity": 1}]}');
SELECT try('{"lines": [{"id": "00002", "product": "P-1", "quantity": 1}, {"product": "P-2", "quantity": 1}]}');
SELECT try_order(
    '"redeem": [{"points": "bonus", "amount": 1}, {"points": "miles", "amount": 1}, {"points": "bonus", "amount": 2}]');
SELECT try_order('"shipping": -1, "shipping": 1') = try_order('"shipping": 1');

-- LY108: too large. 10,000 lines are calculated, 10^6 are not, whether or not they are products.
SELECT try(jsonb_build_object('lines',
    jsonb_agg('{"product": "P-1", "quantity": 1, "price": 1}'::jsonb))::text) LIKE 'total %'
    FROM generate_series(1, 10000);
SELECT try(jsonb_build_object('lines', jsonb_agg('{"product": "P-1", "quantity": 1, "price": 1}'::jsonb))::text)
    FROM generate_series(1, 10001);
SELECT try(jsonb_build_object('lines', jsonb_agg('{}'::jsonb))::text) FROM generate_series(1, 1000000);
SELECT try('{"lines": [' || repeat('{"product": "P-1", "quantity": 1, "price": 1},', 999999)
    || '{"product": "P-1", "quantity": 1}]}');
-- 32 levels with the order's own; what is deeper than that jsonb takes for some thousand levels more.
SELECT try_order('"fields": {"deep": ' || repeat('[', 30) || repeat(']', 30) || '}');
SELECT try_order('"fields": {"deep": ' || repeat('[', 31) || repeat(']', 31) || '}');
SELECT try(repeat('[', 2000) || repeat(']', 2000));
SELECT try(repeat('{"a":', 2000) || '1' || repeat('}', 2000));
SELECT left(try(repeat('[', 100000) || repeat(']', 100000)), 5),
    left(try(repeat('{"a":', 100000) || '1' || repeat('}', 100000)), 5);
-- Keys of 256 bytes.
SELECT try_order(format('"fields": {"%s": 1}', repeat('k', 256)));
SELECT try_order(format('"fields": {"%s": 1}', repeat('k', 257)));
SELECT try_order(format('"%s": 1', repeat('k', 1000000)));
SELECT try_order(format('"fields": {"%s": 1}', repeat('ß', 500000)));
-- 16 MB of anything.
SELECT try_order(format('"fields": {"text": "%s"}', repeat('x', 16000000)));
SELECT try_order(format('"fields": {"text": "%s"}', repeat('x', 17000000)));
SELECT try(format('{"lines": "%s"}', repeat('x', 100000000)));
-- Long values are cut where they are shown, and not in the middle of a character.
SELECT try_line(format('"price": "%s"', repeat('ä', 1000000)));
SELECT try_line(format('"price": "a%s"', repeat('ä', 1000000)));
SELECT length(try_order(format('"member": "%s"', repeat('ä', 1000000)))) < 2000;
SELECT length(try(format('{"lines": [{"product": "%s", "quantity": 1}]}', repeat('€', 1000000)))) < 2000;
SELECT length(try_order(format('"program": "%s"', repeat('€', 1000000)))) < 2000;

-- LY201, LY202: which program.
SELECT try_order('"program": "Main"');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
    VALUES ('second', 'Second', 'profiles', 'EUR', 'Europe/Berlin');
SELECT try_order('"program": "second"');
SELECT try_order('"channel": "web"');
UPDATE loyalty.programs SET active = false;
SELECT try_order('"channel": "web"');
SELECT try_order('"program": "main"');
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
    VALUES ('tenants', 'Roles', 'pg_catalog.pg_roles', 'rolname');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('third', 'Third', 'tenants', 'EUR', 'Europe/Berlin', true);
UPDATE loyalty.programs SET active = true WHERE external_id = 'main';
SELECT try_order('"channel": "web"');
SELECT try_order('"program": "main", "channel": "web"');
DELETE FROM loyalty.programs WHERE external_id IN ('second', 'third');

-- LY203 to LY210: what is not known to the program.
SELECT try_order('"member": "nobody"');
SELECT try_order('"member": "Member-1"');
SELECT try_order('"channel": "Web"');
SELECT try_order('"contact_point": "till"');
SELECT try_order('"contact_point": "cart", "channel": "store"');
SELECT try_order('"contact_point": "cart", "channel": "web"');
SELECT try_order('"contact_point": "cart"');
SELECT try_order('"region": "99"');
SELECT try_order('"currency": "EUR"');
SELECT try_order('"currency": "rub"');
SELECT try_order('"currency": "RUB"');
SELECT try_order('"redeem": [{"points": "Bonus", "amount": "max"}]');
SELECT try('{"lines": [{"product": "P-31", "quantity": 1}]}');
INSERT INTO loyalty.products (program, sku, name) VALUES ('main', 'priceless', 'Without a price');
SELECT try('{"lines": [{"product": "P-1", "quantity": 1}, {"product": "priceless", "quantity": 1}]}');
SELECT try_order('"status": "paid?"');
SELECT try_order('"status": "paid"');
-- An unknown promo code is no error.
SELECT loyalty_calculate('{"lines": [{"product": "P-1", "quantity": 1}], "promo_codes": ["BDAY"]}') -> 'promo_codes';

-- LY401: price × quantity, the sum of the lines, with shipping; just below it all is well.
SELECT try('{"lines": [{"product": "x", "quantity": 1000000000000, "price": 10000000000000000}]}');
SELECT try('{"lines": [{"product": "x", "quantity": 1000, "price": 9000000000000000}]}');
SELECT try('{"lines": [{"product": "x", "quantity": 9, "price": 9999999999999999.99}, {"product": "y", "quantity": 1, "price": 9999999999999999.99}]}');
SELECT try('{"shipping": 9999999999999999, "lines": [{"product": "x", "quantity": 9, "price": 9999999999999999}]}');
SELECT try('{"lines": [{"product": "x", "quantity": 9, "price": 9999999999999999.99}]}');

-- LY402: more effects than can be remembered.
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
SELECT 'main', 'many-' || number, 'Many', 'discount', 'active', 'everyone' FROM generate_series(1, 201) AS number;
INSERT INTO loyalty.promotion_conditions (program, promotion)
SELECT 'main', 'many-' || number FROM generate_series(1, 201) AS number;
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
SELECT 'main', 'many-' || number, 1, 'discount', '{"percent": 1}' FROM generate_series(1, 201) AS number;
SELECT loyalty_apply('main');
SELECT try(jsonb_build_object('lines', jsonb_agg('{"product": "P-2", "quantity": 1, "price": 1}'::jsonb))::text)
    FROM generate_series(1, 10000);
SELECT try(jsonb_build_object('lines',
    jsonb_agg('{"product": "P-2", "quantity": 1, "price": 1}'::jsonb))::text) LIKE 'total %'
    FROM generate_series(1, 1000);

-- A NULL is no order, and has no result.
SELECT loyalty_calculate(NULL) IS NULL;
SELECT count(*) FROM loyalty_explain(NULL);

-- Everything above came from one server process, which still calculates.
SELECT loyalty_calculate('{"lines": [{"product": "P-1", "quantity": 1}]}') #>> '{totals,total}';

DROP SCHEMA loyalty CASCADE;
DROP TABLE orders;
DROP FUNCTION try_line(text), try_order(text), try(text);
