-- Custom fields that a program lists (loyalty.fields): what products and orders may say, what they must, and what
-- stands for what is missing.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE EXTENSION IF NOT EXISTS loyalty;
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2026-11-30 12:00Z') \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('main', 'Main', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.profiles VALUES ('ann');
INSERT INTO loyalty.products (program, sku, name, price, fields)
    VALUES ('main', 'cup', 'Cup', 10, '{"stars": 3}'), ('main', 'pot', 'Pot', 20, '{}');
SELECT loyalty_enrol('ann', 'main') \g /dev/null
CREATE FUNCTION list(kind text, name text, type text, required boolean = false, default_value jsonb = NULL)
    RETURNS void LANGUAGE sql AS $$
INSERT INTO loyalty.fields (program, kind, name, type, required, default_value)
    VALUES ('main', kind, name, type, required, default_value);
$$;

-- ---------------------------------------------------------------------------------------------------------------------
-- The list

SELECT list('profile', 'city', 'text');
SELECT list('order', 'city', 'place');
SELECT list('order', ' city', 'text');
SELECT list('order', 'city', 'text', default_value => 'null');
SELECT list('order', 'city', 'text', default_value => '7');
SELECT list('line', 'on', 'date', default_value => '"2026-02-30"');
SELECT list('line', 'notes', 'texts', default_value => '["a", 1]');
INSERT INTO loyalty.fields (program, kind, name, type) VALUES ('none', 'order', 'city', 'text');

-- What is of which type
SELECT value, array_agg(type ORDER BY type) FILTER (WHERE loyalty_internal.is_of_field_type(value, type)) AS types
FROM unnest('{"\"x\"", "\"\"", 1, -1.5e3, true, null, [], "[\"a\", \"b\"]", "[\"a\", null]", "{}",
    "\"2026-11-30\"", "\"2024-02-29\"", "\"2026-02-29\"", "\"0000-01-01\"", "\"2026-1-1\"", "\"2026-11-30T00:00\"", "\"26-11-30\""}'::jsonb[]) AS value,
    unnest('{text,number,boolean,date,texts}'::text[]) AS type
GROUP BY value ORDER BY value;
SELECT loyalty_internal.is_of_field_type(('"' || repeat('x', 100000) || '"')::jsonb, 'text') AS long,
    loyalty_internal.is_of_field_type((repeat('[', 1000) || repeat(']', 1000))::jsonb, 'texts') AS deep;
SELECT loyalty_internal.is_of_field_type('1', 'money');

-- ---------------------------------------------------------------------------------------------------------------------
-- Products

-- The products that there are come first.
SELECT list('product', 'stars', 'text');
SELECT list('product', 'stars', 'number', required => true);
SELECT list('product', 'stars', 'number', required => true, default_value => '1');
SELECT list('product', 'stars', 'number');
UPDATE loyalty.fields SET type = 'boolean' WHERE name = 'stars';
UPDATE loyalty.fields SET required = true WHERE name = 'stars';
UPDATE loyalty.products SET fields = '{"stars": 5}' WHERE sku = 'pot';
UPDATE loyalty.fields SET required = true WHERE name = 'stars';
-- What is not listed is free
INSERT INTO loyalty.products (program, sku, name, price, fields)
    VALUES ('main', 'mug', 'Mug', 5, '{"stars": 1, "colour": ["red", 7]}');
INSERT INTO loyalty.products (program, sku, name, price, fields) VALUES ('main', 'jar', 'Jar', 5, '{"stars": "many"}');
INSERT INTO loyalty.products (program, sku, name, price, fields) VALUES ('main', 'jar', 'Jar', 5, '{"stars": null}');
INSERT INTO loyalty.products (program, sku, name, price) VALUES ('main', 'jar', 'Jar', 5);
UPDATE loyalty.products SET fields = fields - 'stars' WHERE sku = 'mug';
UPDATE loyalty.products SET fields = '[1]' WHERE sku = 'mug';
-- A default is stored with what is written from then on, also where there is a null.
UPDATE loyalty.fields SET default_value = '2' WHERE name = 'stars';
INSERT INTO loyalty.products (program, sku, name, price) VALUES ('main', 'jar', 'Jar', 5), ('main', 'lid', 'Lid', 1);
UPDATE loyalty.products SET fields = '{"stars": null}' WHERE sku = 'mug';
SELECT sku, fields FROM loyalty.products ORDER BY sku;
-- What was listed and rolled back is filled in no more.
BEGIN;
SELECT list('product', 'size', 'text', default_value => '"L"');
INSERT INTO loyalty.products (program, sku, name, price) VALUES ('main', 'tin', 'Tin', 5) RETURNING fields;
ROLLBACK;
INSERT INTO loyalty.products (program, sku, name, price) VALUES ('main', 'tin', 'Tin', 5) RETURNING fields;
DELETE FROM loyalty.products WHERE sku = 'tin';
-- Other programs have lists of their own.
CREATE VIEW others AS SELECT * FROM loyalty.profiles;
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
    VALUES ('other', 'Other', 'others', 'key');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
    VALUES ('other', 'Other', 'other', 'EUR', 'UTC');
INSERT INTO loyalty.products (program, sku, name, price, fields)
    VALUES ('other', 'cup', 'Cup', 10, '{"stars": "many"}');
UPDATE loyalty.products SET program = 'main', sku = 'box' WHERE program = 'other';
-- Whoever lists a field must see what others have written.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT list('product', 'colour', 'text');
ROLLBACK;
-- What got past the checks is found.
SELECT * FROM loyalty_verify('main');
SET session_replication_role = replica;
UPDATE loyalty.products SET fields = '{"stars": true}' WHERE sku = 'lid';
UPDATE loyalty.products SET fields = '{}' WHERE sku = 'jar';
RESET session_replication_role;
SELECT invariant, program, detail FROM loyalty_verify('main');
UPDATE loyalty.products SET fields = '{}' WHERE sku IN ('lid', 'jar');
SELECT count(*) FROM loyalty_verify('main');

-- ---------------------------------------------------------------------------------------------------------------------
-- Orders

-- Promotions that go by fields of the order, and of its lines
INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
    VALUES ('main', 'gift', 'Gifts', '$.fields.is_gift == true');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'engraved', 'Engraved', '$.fields.engraving == "plain"');
SELECT loyalty_save_promotion('main',
    '{"external_id": "gift", "name": "Gifts", "kind": "discount", "state": "active", "audience": "everyone", "conditions": [{"level": "order", "mode": "in", "segments": ["gift"], "benefits": [{"benefit": "discount", "parameters": {"percent": 10}}]}]}') \g /dev/null
SELECT loyalty_save_promotion('main',
    '{"external_id": "plain", "name": "Plain", "kind": "discount", "state": "active", "audience": "everyone", "conditions": [{"level": "product", "mode": "in", "segments": ["engraved"], "benefits": [{"benefit": "discount", "parameters": {"amount": 1}}]}]}') \g /dev/null
SELECT loyalty_save_promotion('main',
    '{"external_id": "note", "name": "Note", "kind": "discount", "state": "active", "audience": "everyone", "conditions": [{"level": "order", "benefits": [{"benefit": "text", "parameters": {"template": "From {{ order.fields.shop }}"}}]}]}') \g /dev/null
SELECT loyalty_apply('main') \g /dev/null
CREATE FUNCTION quoted(fields jsonb, line_fields jsonb = NULL, OUT total text, OUT texts text) LANGUAGE sql AS $$
SELECT answer #>> '{totals,total}', answer ->> 'texts'
FROM loyalty_calculate(
    jsonb_strip_nulls(
    jsonb_build_object('fields', fields, 'lines',
    jsonb_build_array(jsonb_build_object('product', 'cup', 'quantity', 1, 'fields', line_fields))))) AS answer;
$$;
SELECT * FROM quoted('{"is_gift": "yes"}');
-- In force at once, in every session's next statement
SELECT list('order', 'is_gift', 'boolean'), list('order', 'until', 'date'), list('order', 'tags', 'texts');
SELECT * FROM quoted('{"is_gift": "yes"}');
SELECT * FROM quoted('{"until": "tomorrow"}');
SELECT * FROM quoted('{"tags": ["a", 1]}');
SELECT * FROM quoted('{"is_gift": true, "until": "2026-12-24", "tags": [], "other": {"free": 1}}');
SELECT loyalty_calculate(
    '{"lines": [{"product": "cup", "quantity": 1}], "fields": {"is_gift": null}}') #>> '{totals,total}' AS total;
SELECT list('line', 'engraving', 'text', required => true);
SELECT * FROM quoted('{}', '{"engraving": 7}');
SELECT loyalty_calculate(
    '{"lines": [{"product": "cup", "quantity": 1, "fields": {"engraving": "a"}}, {"product": "pot", "quantity": 1}]}');
SELECT loyalty_place_order(
    '{"external_id": "A", "member": "ann", "lines": [{"product": "cup", "quantity": 1, "fields": {"engraving": null}}]}');
SELECT loyalty_test('{"lines": [{"product": "cup", "quantity": 1}]}');
SELECT count(*) FROM loyalty.orders;
-- What no document says is not asked for: prices, bounds, opportunities
SELECT count(*) FROM loyalty_prices(program => 'main');
SELECT count(*) > 0 AS is_proven FROM loyalty_bound('main');
SELECT count(*) >= 0 AS has_opportunities
    FROM loyalty_opportunities('{"lines": [{"product": "cup", "quantity": 1, "fields": {"engraving": "a"}}]}');
-- Defaults
UPDATE loyalty.fields SET default_value = '"plain"' WHERE name = 'engraving';
UPDATE loyalty.fields SET default_value = 'true', required = true WHERE name = 'is_gift';
SELECT list('order', 'shop', 'text', default_value => '"the web"');
SELECT * FROM quoted('{}');
SELECT * FROM quoted('{"is_gift": false, "shop": "the street"}', '{"engraving": "Ann"}');
SELECT loyalty_calculate(
    '{"lines": [{"product": "cup", "quantity": 1, "fields": {"engraving": null, "a": [1, {"b": null}]}}], "fields": {"is_gift": null, "c": "\"}"}}') #>> '{totals,total}' AS total;
-- A null of a field without a default still hides the product's.
UPDATE loyalty.product_segments SET predicate = '$.fields.engraving == "plain" && $.fields.stars == 3'
    WHERE external_id = 'engraved';
SELECT loyalty_apply('main') \g /dev/null
SELECT total FROM quoted('{}') UNION ALL SELECT loyalty_calculate(
    '{"lines": [{"product": "cup", "quantity": 1, "fields": {"stars": null}}]}') #>> '{totals,total}';
UPDATE loyalty.product_segments SET predicate = '$.fields.engraving == "plain"' WHERE external_id = 'engraved';
SELECT loyalty_apply('main') \g /dev/null
-- What a default changes of prices is kept.
UPDATE loyalty.programs SET price_history = true WHERE external_id = 'main';
UPDATE loyalty.fields SET default_value = '"fancy"' WHERE name = 'engraving';
SELECT loyalty_record_prices() \g /dev/null
UPDATE loyalty.fields SET default_value = '"plain"' WHERE name = 'engraving';
SELECT loyalty_record_prices() \g /dev/null
SELECT price FROM loyalty.price_history WHERE sku = 'cup' ORDER BY id;
UPDATE loyalty.programs SET price_history = false WHERE external_id = 'main';
-- The document stays as it was sent; sent again, it is the same order, whatever is listed by then.
SELECT loyalty_place_order(
    '{"external_id": "A", "member": "ann", "lines": [{"product": "cup", "quantity": 1}]}') #>> '{totals,total}'
    AS total;
SELECT request FROM loyalty.orders;
DELETE FROM loyalty.fields WHERE kind <> 'product';
SELECT loyalty_place_order(
    '{"external_id": "A", "member": "ann", "lines": [{"product": "cup", "quantity": 1}]}') #>> '{totals,total}'
    AS total;
SELECT * FROM quoted('{}');

-- ---------------------------------------------------------------------------------------------------------------------
-- As a document, and in what looks for mistakes

SELECT list('line', 'engraving', 'text'), list('order', 'guests', 'number', true, '2');
SELECT loyalty_export('main') -> 'fields' AS fields;
SELECT action, kind, id, path, old, new, takes_effect FROM loyalty_plan(loyalty_export('main'));
SELECT action, kind, id, path, old, new, takes_effect
    FROM loyalty_plan(jsonb_set(loyalty_export('main'), '{fields,0,required}', 'true'));
SELECT loyalty_import(loyalty_export('main') - 'fields', prune => true);
SELECT count(*) FROM loyalty.fields;
SELECT loyalty_import('{"external_id": "main", "fields": [{"kind": "order", "name": "guests", "type": "numbre"}]}');
SELECT loyalty_import(
    '{"external_id": "main", "fields": [{"kind": "order", "name": "guests", "type": "number", "default_value": "two"}]}');
SELECT loyalty_import(
    '{"external_id": "main", "fields": [{"kind": "order", "name": "guests", "type": "number", "default_value": 2}, {"kind": "product", "name": "weight", "type": "text"}]}');
SELECT kind, name, type, required, default_value FROM loyalty.fields ORDER BY kind, name;
SELECT loyalty_save_promotion('main',
    jsonb_build_object('external_id', field, 'name', field, 'kind', 'discount', 'state', 'active',
    'conditions',
    jsonb_build_array(
        jsonb_build_object('level', 'product', 'benefits',
        jsonb_build_array(
        jsonb_build_object('benefit', 'price_from_field', 'parameters', jsonb_build_object('field', field)))))))
FROM unnest('{weight,wieght}'::text[]) AS field \g /dev/null
SELECT * FROM loyalty_lint('main') WHERE finding ~ 'field';

DROP SCHEMA loyalty CASCADE;
DROP VIEW others;
DROP FUNCTION list, quoted;
