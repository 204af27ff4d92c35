-- Conditions on the order: segments of orders, channels and contact points, regions; and segments that name others.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT loyalty_create_schema();
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true),
    ('other', 'Other', 'profiles', 'EUR', 'Europe/Berlin', false);
INSERT INTO loyalty.channels (program, external_id, name)
    VALUES ('main', 'web', 'Web'), ('main', 'store', 'Store'), ('main', 'phone', 'Phone');
INSERT INTO loyalty.contact_points (program, external_id, channel, name)
VALUES ('main', 'cart', 'web', 'Cart'), ('main', 'app', 'web', 'App'), ('main', 'till-1', 'store', 'Till 1');
INSERT INTO loyalty.regions (program, external_id, name) VALUES ('main', '77', 'Moscow'), ('main', '78', 'Petersburg');
INSERT INTO loyalty.products (program, sku, name, price, categories, fields)
VALUES ('main', 'TV', 'Television', 400, '{tv}', '{"inches": 43}'), ('main', 'PEN', 'Pen', 2.5, '{office}', '{}'),
    ('main', 'INK', 'Ink', 9, '{office}', '{}');
INSERT INTO loyalty.partners (program, external_id, name) VALUES ('main', 'acme', 'Acme'), ('main', 'zeta', 'Zeta');
INSERT INTO loyalty.partner_products (program, sku, partner, discount_percent) VALUES ('main', 'TV', 'acme', 5);

-- A promotion with an order condition: 10 % off.
CREATE FUNCTION promote(id text, mode text DEFAULT 'all', segments text[] DEFAULT '{}', level text DEFAULT 'order')
    RETURNS void LANGUAGE sql AS $$
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
    VALUES ('main', id, id, 'discount', 'active', 'everyone');
INSERT INTO loyalty.promotion_conditions (program, promotion, level, mode, segments)
    VALUES ('main', id, level, mode, segments);
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', id, 1, 'discount', '{"percent": 10}');
$$;
-- The promotions that had an effect, by themselves.
CREATE FUNCTION applied("order" jsonb) RETURNS text LANGUAGE sql AS $$
SELECT coalesce(string_agg(DISTINCT operation ->> 'promotion', ' ' ORDER BY operation ->> 'promotion'), '-')
FROM jsonb_array_elements(loyalty_calculate("order") -> 'operations') AS operation
$$;
CREATE FUNCTION order_of(members jsonb, VARIADIC products text[]) RETURNS jsonb LANGUAGE sql AS $$
SELECT '{"time": "2030-06-01T12:00"}' || members
    || jsonb_build_object('lines',
    jsonb_agg(jsonb_build_object('product', split_part(product, ' ', 1), 'quantity',
    split_part(product, ' ', 2)::numeric)))
FROM unnest(products) AS product
$$;

-- ---------------------------------------------------------------------------------------------------------------------
-- What order predicates see

INSERT INTO loyalty.order_segments (program, external_id, name, kind) VALUES ('main', 'jury', 'By the jury', 'static');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'office', 'Office', '$.categories[*] == "office"');
INSERT INTO loyalty.product_segments (program, external_id, name, kind) VALUES ('main', 'picks', 'Picks', 'static');
INSERT INTO loyalty.product_segment_members (program, segment, sku)
    VALUES ('main', 'picks', 'INK'), ('main', 'picks', 'X');
INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
VALUES
    ('main', 'items', 'At least 3 units', '$.items >= 3'),
    ('main', 'large', 'At least 100.00 with shipping', '$.total >= 100'),
    ('main', 'shipped', 'Dear shipping', '$.shipping > 5'),
    ('main', 'web', 'From the web', '$.channel == "web" && $.contact_point != "app"'),
    ('main', 'east', 'From the east', '$.region == "78"'),
    ('main', 'currency', 'In euros', '$.currency == "EUR"'),
    ('main', 'night', 'At night', '$.time like_regex "T0[0-5]:"'),
    ('main', 'gift', 'A gift', '$.fields.gift == true'),
    ('main', 'party', 'For a party', '$.fields.guests >= 8 && $.fields.table.size < 20'),
    ('main', 'many-pens', 'Ten of one pen', 'exists($.lines[*] ? (@.sku == "PEN" && @.quantity >= 10))'),
    ('main', 'has-large-tv', 'With a large television', '$.lines[*].fields.inches >= 50'),
    ('main', 'acme', 'With something of Acme', '$.lines[*].partner == "acme"'),
    ('main', 'cheap-line', 'With something cheap', '$.lines[*].price < 3'),
    ('main', 'office', 'With something for the office', '$.lines[*].segments[*] == "office"'),
    ('main', 'picked', 'With something from the list', '$.lines[*].segments[*] == "picks"');
SELECT count(promote(external_id, 'in', ARRAY[external_id::text])) FROM loyalty.order_segments;
SELECT promote('not-large', 'outside', '{large,gift}');
SELECT loyalty_apply('main');

INSERT INTO loyalty.order_segment_members (program, segment, order_id) VALUES ('main', 'jury', 'J-1');
SELECT what, applied(document)
FROM (
    VALUES
        (1, 'a pen', order_of('{}', 'PEN 1')),
        (2, 'three units', order_of('{}', 'PEN 1', 'INK 2')),
        (3, 'fractions count as they are', order_of('{}', 'PEN 1.5', 'INK 1.5')),
        (4, 'ten pens in two lines', order_of('{}', 'PEN 5', 'PEN 5')),
        (5, 'ten pens', order_of('{}', 'PEN 10')),
        (6, 'large by its shipping', order_of('{"shipping": 91}', 'INK 1')),
        (7, 'nearly large', order_of('{"shipping": 90.99}', 'INK 1')),
        (8, 'a gift', order_of('{"fields": {"gift": true}}', 'INK 1')),
        (9, 'from the web', order_of('{"channel": "web"}', 'INK 1')),
        (10, 'from the cart, so from the web', order_of('{"contact_point": "cart"}', 'INK 1')),
        (11, 'from the app', order_of('{"contact_point": "app"}', 'INK 1')),
        (12, 'from the east', order_of('{"region": "78"}', 'INK 1')),
        (13, 'at night in Berlin', order_of('{"time": "2030-01-01T23:30:00Z"}', 'INK 1')),
        (14, 'before midnight in Berlin', order_of('{"time": "2030-01-01T22:30:00Z"}', 'INK 1')),
        (15, 'a television', order_of('{}', 'TV 1')),
        (16, 'listed by the jury', order_of('{"external_id": "J-1"}', 'INK 1')),
        (17, 'not listed', order_of('{"external_id": "J-2"}', 'INK 1')),
        (18, 'lines with their own figures',
            '{"time": "2030-06-01T12:00", "lines": [{"product": "TV", "quantity": 1, "price": 2, "fields": {"inches": 65}}]}'),
        (20, 'a party', order_of('{"fields": {"guests": 8, "table": {"size": 19.5}}}', 'INK 1')),
        (19, 'a product that is not in the catalogue',
            '{"time": "2030-06-01T12:00", "lines": [{"product": "X", "quantity": 1, "price": 2}]}')
) AS example (number, what, document)
ORDER BY number;

-- How near it was, where the field is a number.
SELECT ltrim(line) AS told
FROM (VALUES ('{"guests": 6.5}'), ('{"guests": 8, "table": {"size": 20}}'), ('{"guests": "many"}'), ('{"guests": [6]}'),
    ('{}')) AS example (fields),
    loyalty_explain(order_of(jsonb_build_object('fields', fields::jsonb), 'INK 1')) AS line
WHERE line LIKE '%Promotion party %';

-- A predicate is definition: what is edited counts after the next apply. A list is data.
UPDATE loyalty.order_segments SET predicate = '$.total >= 9' WHERE external_id = 'large';
SELECT applied(order_of('{}', 'INK 1'));
INSERT INTO loyalty.order_segment_members (program, segment, order_id) VALUES ('main', 'jury', 'J-2');
SELECT applied(order_of('{"external_id": "J-2"}', 'INK 1'));
SELECT loyalty_apply('main');
SELECT applied(order_of('{}', 'INK 1'));

-- ---------------------------------------------------------------------------------------------------------------------
-- Segments that name others

UPDATE loyalty.promotions SET state = 'inactive';
DELETE FROM loyalty.promotion_conditions;
SELECT loyalty_apply('main');
DELETE FROM loyalty.order_segments WHERE external_id <> 'jury';
-- The last one is unknown for most orders, and its negation must hold nevertheless.
INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
VALUES
    ('main', 'both', 'Two others', '$.segments[*] == "large" && $.segments[*] == "jury"'),
    ('main', 'neither', 'None of two',
        '!($.segments[*] == "large") && !($.segments[*] == "jury") && !($.segments[*] == "odd")'),
    ('main', 'large', 'Large', '$.total >= 100'),
    ('main', 'odd', 'Unknown', '$.fields.number > 5'),
    ('main', 'third', 'Two steps', '$.segments == "both" && $.items < 2');
INSERT INTO loyalty.promotion_conditions (program, promotion, level, mode, segments)
VALUES
    ('main', 'large', 'order', 'in', '{both}'),
    ('main', 'items', 'order', 'in', '{neither}'),
    ('main', 'web', 'order', 'in', '{third}');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
SELECT 'main', promotion, 1, 'discount', '{"percent": 10}' FROM loyalty.promotion_conditions;
UPDATE loyalty.promotions SET state = 'active' WHERE external_id IN (SELECT promotion FROM loyalty.promotion_benefits);
SELECT loyalty_apply('main');
SELECT tree -> 'order_segments' FROM loyalty.promotion_versions ORDER BY version DESC LIMIT 1;
SELECT tree -> 'segments_in_use' FROM loyalty.promotion_versions ORDER BY version DESC LIMIT 1;
SELECT applied(order_of('{}', 'INK 1')) AS neither,
    applied(order_of('{"fields": {"number": 6}}', 'INK 1')) AS odd,
    applied(order_of('{"external_id": "J-1"}', 'INK 1')) AS jury,
    applied(order_of('{"external_id": "J-1"}', 'TV 1')) AS both_and_third,
    applied(order_of('{"external_id": "J-1"}', 'TV 2')) AS both;

CREATE PROCEDURE refuse(command text) LANGUAGE plpgsql AS $$
DECLARE
    message text;
    detail text;
    hint text;
BEGIN
    EXECUTE command;
    RAISE EXCEPTION 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE NOTICE '% % | % | %', SQLSTATE, message, CASE WHEN SQLSTATE LIKE 'LY%' THEN detail END, hint;
END
$$;
SET client_min_messages = notice;
CALL refuse($$INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
    VALUES ('main', 'x', 'X', '$.segments[*] == "x"')$$);
CALL refuse($$UPDATE loyalty.order_segments SET predicate = '$.total > 5 || $.segments[*] == "third"'
    WHERE external_id = 'large'$$);
CALL refuse($$INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
    VALUES ('main', 'x', 'X', '$.segments[*] == "nowhere"')$$);
CALL refuse($$INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
    VALUES ('main', 'x', 'X', '$.segments[*] == "office"')$$);
CALL refuse($$INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
    VALUES ('main', 'x', 'X', '$.lines[*].segments[*] == "large"')$$);
CALL refuse($$INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'x', 'X', '$.lines[*].segments[*] == "office"')$$);
CALL refuse($$INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
    VALUES ('main', 'x', 'X', '$.segments[*] like_regex "^large"')$$);
CALL refuse($$INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
    VALUES ('main', 'x', 'X', '$.segments.size() > 2')$$);
CALL refuse($$INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
    VALUES ('main', 'x', 'X', 'strict $.segments[*] == "large"')$$);
CALL refuse($$INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
    VALUES ('main', 'c', 'C', 'true'), ('main', 'x', 'X', '$.segments[*] == "c"')$$);
CALL refuse($$INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
    VALUES ('main', 'x', 'X', '$.total')$$);
CALL refuse($$INSERT INTO loyalty.order_segment_members (program, segment, order_id) VALUES ('main', 'large', 'X')$$);
CALL refuse($$UPDATE loyalty.order_segments SET external_id = 'larger' WHERE external_id = 'large'$$);
CALL refuse($$TRUNCATE loyalty.order_segments, loyalty.order_segment_members$$);
-- Each of twelve names the one before twice: 2^12 copies are too long, 2^3 are not.
CALL refuse($$
    INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
    SELECT 'main', 'n' || number, 'N',
        CASE number WHEN 0 THEN '$.total > 5'
        ELSE format('$.segments == "n%1$s" || $.items > %2$s && $.segments == "n%1$s"', number - 1,
        number) END::jsonpath
    FROM generate_series(0, 12) AS number$$);
-- In use: by a promotion, by another segment, by the version in force.
CALL refuse($$DELETE FROM loyalty.order_segments WHERE external_id = 'both'$$);
CALL refuse($$DELETE FROM loyalty.order_segments WHERE external_id = 'odd'$$);
UPDATE loyalty.promotion_conditions SET mode = 'all', segments = '{}';
CALL refuse($$DELETE FROM loyalty.order_segments WHERE external_id = 'third'$$);
SELECT loyalty_apply('main');
DELETE FROM loyalty.order_segments WHERE external_id = 'third';
DELETE FROM loyalty.order_segments WHERE external_id = 'both';
-- A product segment that an order segment in use names of its lines.
INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
    VALUES ('main', 'stationery', 'Stationery', '$.lines[*].segments[*] == "office"');
CALL refuse($$DELETE FROM loyalty.product_segments WHERE external_id = 'office'$$);
SET client_min_messages = warning;

-- ---------------------------------------------------------------------------------------------------------------------
-- Channels, contact points, regions

UPDATE loyalty.promotions SET state = 'inactive';
DELETE FROM loyalty.promotion_conditions;
SELECT loyalty_apply('main');
CREATE FUNCTION place(id text, channels text[], contact_points text[], regions text[]) RETURNS void LANGUAGE sql AS $$
SELECT promote(id);
UPDATE loyalty.promotions SET channels = place.channels, contact_points = place.contact_points, regions = place.regions
    WHERE external_id = id;
$$;
SELECT place('everywhere', '{}', '{}', '{}'), place('in-web', '{web}', '{}', '{}'),
    place('in-cart', '{}', '{cart}', '{}'),
    place('in-store-and-app', '{store}', '{app}', '{}'), place('in-77', '{}', '{}', '{77}'),
    place('web-77', '{web}', '{}', '{77,78}');
SELECT loyalty_apply('main');
SELECT place, applied(order_of(place, 'INK 1'))
FROM unnest(ARRAY[
    '{}', '{"channel": "web"}', '{"channel": "store"}', '{"channel": "phone"}', '{"contact_point": "cart"}',
    '{"contact_point": "app"}',
    '{"contact_point": "till-1"}', '{"channel": "web", "contact_point": "cart"}', '{"region": "77"}',
    '{"region": "78"}',
    '{"region": "78", "contact_point": "app"}'
]::jsonb[]) AS place;

-- Names that do not exist are refused, and so is the deletion of those in use.
SET client_min_messages = notice;
CALL refuse($$UPDATE loyalty.promotions SET channels = '{web,shop}' WHERE external_id = 'in-web'$$);
CALL refuse($$UPDATE loyalty.promotions SET contact_points = '{web}' WHERE external_id = 'in-web'$$);
CALL refuse($$UPDATE loyalty.promotions SET regions = '{99}' WHERE external_id = 'in-web'$$);
CALL refuse($$UPDATE loyalty.promotions SET promo_code_pool = 'none' WHERE external_id = 'in-web'$$);
CALL refuse($$UPDATE loyalty.promotions SET audience = 'tiers', audience_tiers = '{gold}'
    WHERE external_id = 'in-web'$$);
CALL refuse($$UPDATE loyalty.promotions SET audience = 'in_segments', audience_segments = '{vip}'
    WHERE external_id = 'in-web'$$);
CALL refuse($$UPDATE loyalty.promotions SET channels = '{web,NULL}' WHERE external_id = 'in-web'$$);
CALL refuse($$DELETE FROM loyalty.channels WHERE external_id = 'web'$$);
CALL refuse($$DELETE FROM loyalty.contact_points WHERE external_id = 'cart'$$);
CALL refuse($$DELETE FROM loyalty.regions WHERE external_id = '77'$$);
CALL refuse($$UPDATE loyalty.regions SET external_id = '79' WHERE external_id = '77'$$);
CALL refuse($$SET LOCAL client_min_messages = warning; TRUNCATE loyalty.regions CASCADE$$);
UPDATE loyalty.promotions SET regions = '{}';
CALL refuse($$DELETE FROM loyalty.regions WHERE external_id = '77'$$);
SELECT loyalty_apply('main');
DELETE FROM loyalty.regions WHERE external_id = '77';
DELETE FROM loyalty.channels WHERE external_id = 'phone';
SET client_min_messages = warning;

DROP PROCEDURE refuse(text);
DROP FUNCTION promote(text, text, text[], text), place(text, text[], text[], text[]), applied(jsonb),
order_of(jsonb, text[]);
DROP SCHEMA loyalty CASCADE;
