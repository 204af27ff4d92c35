-- Sets: buy two, get one; bundles; three for ten. Figures are computed by hand.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2026-06-15 12:00+00') \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.profiles (key) VALUES ('ann');
INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('ann', 'main', loyalty.clock());
INSERT INTO loyalty.products (program, sku, name, price, categories)
VALUES ('main', 'shirt', 'Shirt', 30, '{wear}'), ('main', 'tie', 'Tie', 12, '{wear}'), ('main', 'cap', 'Cap', 10, '{}'),
    ('main', 'mug', 'Mug', 6, '{}'), ('main', 'tea', 'Tea', 4, '{}');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate) VALUES
    ('main', 'shirts', 'Shirts', '$.sku == "shirt"'), ('main', 'ties', 'Ties', '$.sku == "tie"'),
    ('main', 'wear', 'Wear', '$.categories[*] == "wear"');
INSERT INTO loyalty.promotion_groups (program, external_id, name, arbitration)
    VALUES ('main', 'g', 'G', 'incompatibility');

CREATE FUNCTION put(id text, parameters jsonb, benefit text DEFAULT 'set', condition jsonb DEFAULT '{}')
    RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM loyalty_save_promotion('main', jsonb_build_object(
        'external_id', id, 'name', id, 'kind', 'discount', 'state', 'active', 'audience', 'everyone', 'parent', 'g',
        'position', ascii(id),
        'conditions',
        jsonb_build_array(condition
            || jsonb_build_object('benefits',
            jsonb_build_array(jsonb_build_object('benefit', benefit, 'parameters', parameters))))
    ));
    PERFORM loyalty_apply('main');
END
$$;
CREATE FUNCTION cart(lines text) RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_build_object('member', 'ann', 'lines',
    jsonb_agg(jsonb_build_object('product', split_part(line, ':', 1), 'quantity', split_part(line, ':', 2)::numeric)
    ORDER BY number))
FROM unnest(string_to_array(lines, ' ')) WITH ORDINALITY AS l (line, number)
$$;
-- What the lines come to, and all of them; and each operation.
CREATE FUNCTION totals(lines text) RETURNS text LANGUAGE sql AS $$
SELECT (SELECT string_agg(line ->> 'total', ' ' ORDER BY number)
    FROM jsonb_array_elements(result -> 'lines') WITH ORDINALITY AS l (line, number)) || ' = '
    || (result #>> '{totals,total}')
FROM loyalty_calculate(cart(lines)) AS result
$$;
CREATE FUNCTION operations(lines text)
    RETURNS TABLE (promotion text, product text, sets text, units text, unit_price text, discount text) LANGUAGE sql AS $$
SELECT o ->> 'promotion', o ->> 'product', o ->> 'sets', o ->> 'units', o ->> 'unit_price', o ->> 'discount'
    FROM jsonb_array_elements(loyalty_calculate(cart(lines)) -> 'operations') AS o
$$;
CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
    hint text;
BEGIN
    EXECUTE statement;
    RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ' ' || said || ' ' || hint;
END
$$;

-- Two, and the third for nothing: of 10, 10, 6, 4, 4, 4 two of the 4.00 are free. The 8.00 lie on all units: of 38.00
-- the caps have 4.21, the mug 1.26, the teas 2.53.
SELECT put('a', '{"buy": [{"count": 2}], "get": [{"count": 1}], "percent": 100}');
SELECT totals('cap:2 mug:1 tea:3');
SELECT * FROM operations('cap:2 mug:1 tea:3');
-- Or on what is free alone.
SELECT put('a', '{"buy": [{"count": 2}], "get": [{"count": 1}], "percent": 100, "share": "get"}');
SELECT totals('cap:2 mug:1 tea:3');
SELECT * FROM operations('cap:2 mug:1 tea:3');
SELECT line FROM loyalty_explain(cart('cap:2 mug:1 tea:3')) AS line;
-- Once only; the dearest.
SELECT put('a', '{"buy": [{"count": 2}], "get": [{"count": 1}], "percent": 100, "share": "get", "max_times": 1}');
SELECT totals('cap:2 mug:1 tea:3');
SELECT put('a',
    '{"buy": [{"count": 2}], "get": [{"count": 1}], "percent": 50, "share": "get", "max_times": 1, "pick": "most_expensive"}');
SELECT totals('cap:2 mug:1 tea:3');
-- Lines split, merged and permuted come to the same: 30.00.
SELECT put('a', '{"buy": [{"count": 2}], "get": [{"count": 1}], "percent": 100}');
SELECT totals('cap:1 tea:1 cap:1 mug:1 tea:2'), totals('tea:3 mug:1 cap:2'),
    totals('tea:1 tea:1 tea:1 mug:1 cap:1 cap:1');

-- Three for 10.00. Of seven caps two sets: 40.00 off. With teas the second set would bring 2.00 more, at 13.00 it would
-- cost 1.00.
SELECT put('a', '{"get": [{"count": 3}], "price": 10}');
SELECT totals('cap:7'), totals('cap:3 tea:3'), totals('cap:2');
SELECT put('a', '{"get": [{"count": 3}], "price": 13}');
SELECT totals('cap:3 tea:3'), totals('tea:3');
-- Kilograms make up no set; nor does what is free already.
SELECT totals('cap:2.5 cap:0.5'), totals('cap:2 tea:1.5');

-- A menu: a shirt and a tie for 35.00 rather than 42.00; the 7.00 lie on 5.00 and 2.00.
SELECT put('a', '{"get": [{"segments": ["shirts"], "count": 1}, {"segments": ["ties"], "count": 1}], "price": 35}');
SELECT totals('shirt:2 tie:1 cap:1');
-- Two of the wear bought, 5.00 off a tie: the tie is needed for that, and so two shirts are bought. With one shirt
-- there is no set.
SELECT put('a',
    '{"buy": [{"segments": ["wear"], "count": 2}], "get": [{"segments": ["ties"], "count": 1}], "amount": 5, "share": "get"}');
SELECT totals('shirt:2 tie:1'), totals('shirt:1 tie:2'), totals('shirt:1 tie:1');
-- What is missing to the next one.
SELECT line FROM loyalty_explain(cart('shirt:1 tie:1')) AS line WHERE line LIKE '%Promotion%';
SELECT line FROM loyalty_explain(cart('shirt:3')) AS line WHERE line LIKE '%Promotion%';
SELECT promotion, kind, change, price_now, price_then, net_gain FROM loyalty_opportunities(cart('shirt:1 tie:1'));

-- A unit belongs to one of several promotions: the set takes one tie and two shirts, the other tie and the third shirt
-- are 10 % off.
SELECT put('b', '{"percent": 10}', 'discount');
SELECT put('a',
    '{"buy": [{"segments": ["shirts"], "count": 2}], "get": [{"segments": ["ties"], "count": 1}], "amount": 5, "share": "get", "max_times": 1}');
SELECT totals('shirt:3 tie:2');
SELECT * FROM operations('shirt:3 tie:2');
-- No price below a half: 12.00 over all units are 10.00 off the shirts and 2.00 off the tie; on the tie alone 6.00
-- remain.
UPDATE loyalty.promotion_groups SET min_product_price_percent = 50 WHERE external_id = 'g';
SELECT put('a',
    '{"buy": [{"segments": ["shirts"], "count": 2}], "get": [{"segments": ["ties"], "count": 1}], "percent": 100}');
SELECT totals('shirt:2 tie:1');
SELECT put('a',
    '{"buy": [{"segments": ["shirts"], "count": 2}], "get": [{"segments": ["ties"], "count": 1}], "percent": 100, "share": "get"}');
SELECT totals('shirt:2 tie:1');
UPDATE loyalty.promotion_groups SET min_product_price_percent = NULL WHERE external_id = 'g';
UPDATE loyalty.promotions SET state = 'inactive' WHERE external_id = 'b';

-- Returns: each line gives back what it was paid for, and in the end all of it. 15.79, 4.74 and 9.47 were paid; two of
-- three teas are 6.31, one of two caps 7.90, and the rest 15.79.
SELECT put('a', '{"buy": [{"count": 2}], "get": [{"count": 1}], "percent": 100}');
SELECT loyalty_place_order(cart('cap:2 mug:1 tea:3') || '{"external_id": "A"}') #> '{totals,total}' AS paid;
SELECT loyalty_return_items('main', 'A', '[{"id": "00003", "quantity": 2}]', 'first') -> 'money' AS given_back;
SELECT loyalty_return_items('main', 'A', '[{"id": "00001", "quantity": 1}]', 'second') -> 'money' AS given_back;
SELECT loyalty_return_items('main', 'A',
    '[{"id": "00003", "quantity": 1}, {"id": "00002", "quantity": 1}, {"id": "00001", "quantity": 1}]',
'third') -> 'money' AS given_back;
SELECT total, refunded FROM loyalty.orders WHERE external_id = 'A';
SELECT count(*) AS wrong FROM loyalty_verify();

-- A mug for every two shirts, and a leaflet that the catalogue does not know with every order. They cost nothing, and
-- are lines of the order once it is placed.
UPDATE loyalty.promotions SET state = 'inactive' WHERE state = 'active';
SELECT loyalty_save_promotion('main', '{"external_id": "m", "name": "Mugs", "kind": "discount", "state": "active", "audience": "everyone", "parent": "g", "conditions": [
    {"mode": "in", "segments": ["shirts"], "benefits": [{"benefit": "gift", "parameters": {"product": "mug", "per": "set"}}, {"benefit": "set", "parameters": {"get": [{"count": 2}], "percent": 0}}]},
    {"level": "order", "benefits": [{"benefit": "gift", "parameters": {"product": "leaflet", "quantity": 3}}]}]}') \g /dev/null
SELECT loyalty_apply('main') \g /dev/null
SELECT jsonb_array_elements(loyalty_calculate(cart('shirt:3 cap:1 shirt:2')) -> 'gifts') AS gifts;
SELECT loyalty_calculate(cart('shirt:1')) -> 'gifts' AS gifts, loyalty_calculate(cart('shirt:5')) -> 'totals' AS totals;
SELECT line FROM loyalty_explain(cart('shirt:5')) AS line;
SELECT loyalty_place_order(cart('shirt:5 cap:1') || '{"external_id": "G"}') #> '{totals,total}' AS paid;
SELECT line, position, product, quantity, total, gift, status FROM loyalty.order_lines
    WHERE order_id = 'G' ORDER BY position;
-- Four shirts left are two sets, three are one; a mug that comes back is not asked for again. Without a unit left the
-- rest is.
SELECT loyalty_return_items('main', 'G', '[{"id": "00001", "quantity": 1}]', '1') -> 'gifts' AS gifts;
SELECT loyalty_return_items('main', 'G', '[{"id": "00001", "quantity": 1}]', '2') -> 'gifts' AS gifts;
SELECT loyalty_return_items('main', 'G', '[{"id": "gift-1", "quantity": 1}]', '3') -> 'money' AS money;
SELECT loyalty_return_items('main', 'G', '[{"id": "00001", "quantity": 3}]', '4') -> 'gifts' AS gifts;
SELECT loyalty_return_items('main', 'G', '[{"id": "00002", "quantity": 1}]', '5') -> 'gifts' AS gifts;
SELECT loyalty_place_order(cart('shirt:2') || '{"external_id": "H"}') #> '{totals,total}' AS paid;
SELECT loyalty_cancel_order('main', 'H') -> 'gifts' AS gifts;
SELECT invariant, detail FROM loyalty_verify();
SELECT loyalty_reprice_order('main', 'H') -> 'gifts' = result -> 'gifts' AS priced_again FROM loyalty.orders
    WHERE external_id = 'H';
-- Nothing but gifts is an effect, too: tried with its own version, the order gains no promotion by them.
SELECT would_be - was AS difference, gained, lost
FROM loyalty_backtest('main', (SELECT max(version) FROM loyalty.promotion_versions)) WHERE external_id = 'H';
-- What a mug is worth counts where benefits are compared: 6.00 against 10 % of 30.00, not against 10 % of 90.00.
UPDATE loyalty.promotion_groups SET arbitration = 'max_benefit', best = 'single' WHERE external_id = 'g';
SELECT put('m', '{"product": "mug"}', 'gift'), put('b', '{"percent": 10}', 'discount');
SELECT totals('shirt:1') AS with_the_mug, totals('shirt:3') AS cheaper,
    loyalty_calculate(cart('shirt:1')) #> '{gifts,0,worth}' AS worth;
-- In an incompatible group it takes what it is given for: all units, or with a discount beside it what that took.
UPDATE loyalty.promotion_groups SET arbitration = 'incompatibility', best = 'combination' WHERE external_id = 'g';
SELECT put('m', '{"product": "mug"}', 'gift', '{"mode": "in", "segments": ["shirts"]}');
SELECT totals('shirt:1 tie:1') AS the_discount_comes_first, loyalty_calculate(cart('shirt:1')) -> 'gifts' AS gifts;
UPDATE loyalty.promotions SET position = -1 WHERE external_id = 'm';
SELECT loyalty_apply('main') \g /dev/null
SELECT totals('shirt:1 tie:1') AS the_gift_comes_first;
UPDATE loyalty.promotions SET state = 'inactive' WHERE external_id = 'm';
SELECT refusal($$SELECT loyalty_calculate('{"lines": [{"id": "gift-1", "product": "cap", "quantity": 1}]}')$$);

-- What cannot be.
SELECT parameters, refusal(format('SELECT put(%L, %L, %L)', 'p', parameters, 'gift')) FROM (
    VALUES ('{}'), ('{"product": "mug", "quantity": 0}'), ('{"product": "mug", "quantity": 0.5}'),
        ('{"product": "mug", "per": "unit"}'), ('{"product": ""}'), ('{"product": "mug", "percent": 5}')
) AS given (parameters);
SELECT refusal($$SELECT put('p', '{"product": "mug", "per": "set"}', 'gift', '{"level": "order"}')$$);
SELECT parameters, refusal(format('SELECT put(%L, %L)', 'p', parameters)) FROM (
    VALUES
        ('{"buy": [{"count": 2}], "percent": 100}'),
        ('{"get": [{"count": 1}]}'),
        ('{"get": [{"count": 1}], "percent": 10, "price": 3}'),
        ('{"get": [], "percent": 10}'),
        ('{"get": [{"segments": ["ties"]}], "percent": 10}'),
        ('{"get": [{"count": 0}], "percent": 10}'),
        ('{"get": [{"count": 1.5}], "percent": 10}'),
        ('{"get": [{"count": 1, "price": 3}], "percent": 10}'),
        ('{"get": [{"count": 1, "segments": ["nothing"]}], "percent": 10}'),
        ('{"get": [{"count": 3}], "price": 10, "pick": "cheapest"}'),
        ('{"get": [{"count": 3}], "price": 10, "share": "all"}'),
        ('{"get": [{"count": 3}], "price": 10, "max_times": 0}'),
        ('{"get": [{"count":1},{"count":1},{"count":1},{"count":1},{"count":1},{"count":1},{"count":1},{"count":1},{"count":1},{"count":1},{"count":1}], "percent": 10}')
) AS given (parameters);
SELECT refusal($$SELECT put('p', '{"get": [{"count": 1}], "percent": 10}', 'set', '{"level": "order"}')$$);
SELECT put('a', '{"get": [{"segments": ["ties"], "count": 1}], "percent": 10}');
SELECT refusal($$DELETE FROM loyalty.product_segments WHERE external_id = 'ties'$$);
SELECT jsonb_path_query(loyalty_export('main'), '$.**.parameters') AS exported;
SELECT count(*) AS differences FROM loyalty_plan(loyalty_export('main'));

DROP FUNCTION put, cart, totals, operations, refusal;
DROP SCHEMA loyalty CASCADE;
