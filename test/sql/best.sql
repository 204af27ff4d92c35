-- The best single promotion of a group, never two together: of the order, or of each line. Figures are computed by
-- hand.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2026-06-15 12:00+00') \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, scale, active)
    VALUES ('main', 'bonus', 'Bonus', 'standard', 1, 2, true);
INSERT INTO loyalty.profiles (key) VALUES ('ann');
INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('ann', 'main', loyalty.clock());
INSERT INTO loyalty.products (program, sku, name, price)
    VALUES ('main', 'boot', 'Boot', 60), ('main', 'hat', 'Hat', 25), ('main', 'sock', 'Sock', 4);
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
VALUES ('main', 'boots', 'Boots', '$.sku == "boot"'), ('main', 'hats', 'Hats', '$.sku == "hat"');
INSERT INTO loyalty.promotion_groups (program, external_id, name, arbitration)
    VALUES ('main', 'best', 'The best of them', 'max_benefit');

CREATE FUNCTION promote(id text, kind text, condition jsonb, benefit text, parameters jsonb)
    RETURNS text LANGUAGE sql AS $$
SELECT loyalty_save_promotion('main', jsonb_build_object(
    'external_id', id, 'name', id, 'kind', kind, 'state', 'active', 'audience', 'members', 'parent', 'best',
    'conditions',
    jsonb_build_array(condition
        || jsonb_build_object('benefits',
        jsonb_build_array(jsonb_build_object('benefit', benefit, 'parameters', parameters))))
))
$$;
CREATE FUNCTION weigh(best text, best_of text DEFAULT 'order', cap numeric DEFAULT NULL)
    RETURNS TABLE (lines text, total numeric, points numeric) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE loyalty.promotion_groups SET best = weigh.best, best_of = weigh.best_of, max_discount_amount = cap
        WHERE external_id = 'best';
    PERFORM loyalty_apply('main');
    RETURN QUERY SELECT
        (SELECT string_agg(line ->> 'total', ' ' ORDER BY number)
            FROM jsonb_array_elements(result -> 'lines') WITH ORDINALITY AS l (line, number)),
        (result #>> '{totals,total}')::numeric, (result #>> '{points,0,accrued}')::numeric
    FROM loyalty_calculate(
        '{"member": "ann", "lines": [{"product": "boot", "quantity": 1}, {"product": "hat", "quantity": 1}, {"product": "sock", "quantity": 5}]}') AS result;
END
$$;
CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
    detail text;
BEGIN
    EXECUTE statement;
    RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || said || CASE WHEN SQLSTATE LIKE 'LY%' THEN '. ' || detail ELSE '' END;
END
$$;

-- A boot for 60.00, a hat for 25.00, five socks for 20.00: 105.00 together.
SELECT promote('all', 'discount', '{}', 'discount', '{"percent": 10}') \g /dev/null
SELECT promote('boots', 'discount', '{"mode": "in", "segments": ["boots"]}', 'discount', '{"amount": 8}') \g /dev/null
SELECT promote('hats', 'discount', '{"mode": "in", "segments": ["hats"]}', 'discount', '{"percent": 15}') \g /dev/null

-- Every combination: all three, one after the other. 60 - 6 - 8, 25 - 2.50 - 3.38 (15 % of 22.50), 20 - 2; or their
-- sum, which is 14 + 6.25 + 2 and so worth more.
SELECT * FROM weigh('combination');
-- The best one: 10 % off everything is 10.50, and more than 8.00 or 3.75.
SELECT * FROM weigh('single');
SELECT loyalty_explain(
    '{"member": "ann", "lines": [{"product": "boot", "quantity": 1}, {"product": "hat", "quantity": 1}]}');
-- Of each line: 8.00 off the boot rather than 6.00, 3.75 off the hat rather than 2.50, 2.00 off the socks.
SELECT * FROM weigh('single', 'line');
SELECT loyalty_explain(
    '{"member": "ann", "lines": [{"product": "boot", "quantity": 1}, {"product": "hat", "quantity": 1}]}');
-- Limits afterwards: of 13.75 there are 10.00, by allotment 5.82, 2.73 and 1.45.
SELECT * FROM weigh('single', 'line', 10);

-- Points count by their worth: 20 % of 25.00 in points is 5.00, more than 3.75.
SELECT promote('points', 'points', '{"mode": "in", "segments": ["hats"]}', 'accrue_points',
    '{"point_type": "bonus", "percent": 20}') \g /dev/null
SELECT * FROM weigh('single', 'line');
-- As much as another: the earlier one.
SELECT promote('as-much', 'discount', '{"mode": "in", "segments": ["boots"]}', 'discount', '{"amount": 8}') \g /dev/null
SELECT * FROM weigh('single', 'line');
SELECT line FROM loyalty_explain('{"member": "ann", "lines": [{"product": "boot", "quantity": 1}]}') AS line
    WHERE line LIKE '%boots%' OR line LIKE '%as-much%';

-- Before it is applied.
UPDATE loyalty.promotion_groups SET best = 'combination', best_of = 'order' WHERE external_id = 'best';
SELECT loyalty_test('{"member": "ann", "lines": [{"product": "boot", "quantity": 1}]}') #> '{summary,total,total}'
    AS drafted;
UPDATE loyalty.promotion_groups SET best = 'single', best_of = 'line' WHERE external_id = 'best';
SELECT loyalty_test('{"member": "ann", "lines": [{"product": "boot", "quantity": 1}]}') #> '{summary,total,total}'
    AS drafted;
SELECT jsonb_path_query(loyalty_export('main'), '$.promotion_groups[*] ? (@.external_id == "best")') - 'name'
    - 'promotions' AS exported;
SELECT * FROM loyalty_plan(loyalty_export('main'));
SELECT limits FROM loyalty.promotion_tree WHERE external_id = 'best';

-- What cannot be.
SELECT refusal($$UPDATE loyalty.promotion_groups SET arbitration = 'consistent' WHERE external_id = 'best'$$);
SELECT refusal($$UPDATE loyalty.promotion_groups SET best = 'combination' WHERE external_id = 'best'$$);
SELECT refusal($$UPDATE loyalty.promotion_groups SET best = 'double' WHERE external_id = 'best'$$);
SELECT refusal($$UPDATE loyalty.promotion_groups SET best_of = 'product' WHERE external_id = 'best'$$);
-- What looks at several lines together has no best of each line.
SELECT refusal(format('SELECT promote(%L, %L, %L, %L, %L)', 'p', kind, condition, benefit, parameters)) FROM (
    VALUES
        ('discount', '{"level": "order"}', 'discount', '{"percent": 5}'),
        ('discount', '{}', 'discount', '{"percent": 5, "max_items": 1}'),
        ('discount', '{}', 'discount', '{"amount": 5, "per": "order"}'),
        ('points', '{}', 'points_discount', '{"point_type": "bonus", "percent": 5}'),
        ('points', '{}', 'partner_points', '{"point_type": "bonus", "mode": "pay"}'),
        ('discount', '{}', 'discount', '{"percent": 5, "max_items": 1, "max_items_per": "line"}')
) AS given (kind, condition, benefit, parameters);
UPDATE loyalty.promotion_groups SET best_of = 'order' WHERE external_id = 'best';
SELECT promote('p', 'discount', '{"level": "order"}', 'discount', '{"percent": 5}') \g /dev/null
SELECT refusal($$UPDATE loyalty.promotion_groups SET best_of = 'line' WHERE external_id = 'best'$$);
SELECT refusal($$INSERT INTO loyalty.promotion_groups (program, external_id, name, arbitration, best, best_of)
    VALUES ('main', 'above', 'Above', 'max_benefit', 'single', 'line')$$);
SELECT refusal($$UPDATE loyalty.promotion_groups SET parent = 'above' WHERE external_id = 'best'$$);

DROP FUNCTION promote(text, text, jsonb, text, jsonb), weigh(text, text, numeric), refusal(text);
DROP SCHEMA loyalty CASCADE;
