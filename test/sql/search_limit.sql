-- Searches for the maximum benefit that end at their limit: what the answer is worth even then.
SELECT loyalty_create_schema();
\set QUIET on
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
VALUES ('starved', 'A hard group before an easy one', 'profiles', 'EUR', 'UTC'),
    ('many', '201 children', 'profiles', 'EUR', 'UTC'),
    ('picks', 'Picks over overlapping segments', 'profiles', 'EUR', 'UTC');

-- Shares of the dearest or cheapest items of overlapping segments: the hardest kind there is.
CREATE FUNCTION add_picks(program text, parent text, size integer) RETURNS void
    LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO loyalty.product_segments (program, external_id, name, kind)
    SELECT add_picks.program, 'g' || number, 'g', 'static' FROM generate_series(1, size) AS number;
    INSERT INTO loyalty.product_segment_members (program, segment, sku)
    SELECT add_picks.program, 'g' || number, 's' || line
    FROM generate_series(1, size) AS number, generate_series(1, 12) AS line
    WHERE (number * line * 7919 + number * 104729 + 4) % 31 % 2 = 0;
    INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience, position, parent)
    SELECT add_picks.program, 'p' || number, 'p', 'discount', 'inactive', 'everyone', number, add_picks.parent
    FROM generate_series(1, size) AS number;
    INSERT INTO loyalty.promotion_conditions (program, promotion, level, mode, segments)
    SELECT add_picks.program, 'p' || number, 'product', 'in', ARRAY['g' || number]
        FROM generate_series(1, size) AS number;
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    SELECT
        add_picks.program,
        'p' || number,
        1,
        'discount',
        jsonb_build_object(
            'percent', 10 + number * 17 % 40, 'max_items', 1 + number % 3,
            'pick', (ARRAY['most_expensive', 'cheapest'])[1 + number % 2]
        )
    FROM generate_series(1, size) AS number;
    UPDATE loyalty.promotions SET state = 'active' WHERE program = add_picks.program;
END;
CREATE FUNCTION twelve_lines() RETURNS jsonb
    LANGUAGE sql
RETURN (
    SELECT jsonb_agg(jsonb_build_object('product', 's' || line, 'price', 5 + line * 37 % 95, 'quantity', 1 + line % 3))
    FROM generate_series(1, 12) AS line
);

-- A hard group does not spoil an easy one on other lines: ten per cent off the pen, and no whole ten for it.
INSERT INTO loyalty.promotion_groups (program, external_id, name, arbitration, position)
VALUES ('starved', 'hard', 'Hard', 'max_benefit', 1), ('starved', 'easy', 'Easy', 'max_benefit', 2);
SELECT add_picks('starved', 'hard', 24);
INSERT INTO loyalty.product_segments (program, external_id, name, kind) VALUES ('starved', 'pen', 'Pen', 'static');
INSERT INTO loyalty.product_segment_members (program, segment, sku) VALUES ('starved', 'pen', 'pen');
INSERT INTO loyalty.promotions (program, external_id, name, kind, audience, parent)
VALUES ('starved', 'ten', 'Ten per cent off', 'discount', 'everyone', 'easy'),
    ('starved', 'round', 'Whole tens', 'discount', 'everyone', 'easy');
INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments)
VALUES ('starved', 'ten', 'in', '{pen}'), ('starved', 'round', 'in', '{pen}');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('starved', 'ten', 1, 'discount', '{"percent": 10}'),
    ('starved', 'round', 1, 'round_price', '{"step": 10, "direction": "up"}');
UPDATE loyalty.promotions SET state = 'active' WHERE program = 'starved';
SELECT loyalty_apply('starved') AS version \gset
UPDATE loyalty.programs SET active = true WHERE external_id = 'starved';
SELECT
    quote #>> '{lines,12,base}' AS pen,
    quote #>> '{lines,12,total}' AS total,
    jsonb_path_query_array(quote, '$.unproven[*].group') <@ '["hard"]' AS only_the_hard_group_is_unproven
FROM loyalty_calculate(jsonb_build_object(
    'program', 'starved', 'lines', twelve_lines() || '[{"product": "pen", "price": 1, "quantity": 1}]'
)) AS quote;
UPDATE loyalty.programs SET active = false WHERE external_id = 'starved';

-- Too many children to search: 200 take a cent off, one raises to whole hundreds. Their sum is not to be had, and all
-- in order cost the buyer; a single one is worth a cent.
UPDATE loyalty.promotion_groups SET arbitration = 'max_benefit' WHERE program = 'many';
INSERT INTO loyalty.promotions (program, external_id, name, kind, audience, position)
SELECT 'many', 'p' || number, 'p', 'discount', 'everyone', number FROM generate_series(1, 201) AS number;
INSERT INTO loyalty.promotion_conditions (program, promotion) SELECT 'many', 'p' || number
    FROM generate_series(1, 201) AS number;
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
SELECT 'many', 'p' || number, 1, 'discount', '{"amount": 0.01}'::jsonb FROM generate_series(1, 200) AS number
UNION ALL
SELECT 'many', 'p201', 1, 'round_price', '{"step": 100, "direction": "up"}';
UPDATE loyalty.promotions SET state = 'active' WHERE program = 'many';
SELECT loyalty_apply('many') AS version \gset
UPDATE loyalty.programs SET active = true WHERE external_id = 'many';
\set order '{"program": "many", "lines": [{"product": "x", "quantity": 1, "price": 10}]}'
SELECT quote #>> '{totals,base}' AS base, quote #>> '{totals,total}' AS total, quote -> 'optimal' AS optimal
FROM loyalty_calculate(:'order') AS quote;
-- Without the rounding they are added up, though nobody searched.
UPDATE loyalty.promotion_benefits SET benefit = 'discount', parameters = '{"amount": 0.01}'
    WHERE program = 'many' AND promotion = 'p201';
SELECT loyalty_apply('many') AS version \gset
SELECT quote #>> '{totals,total}' AS total, quote -> 'optimal' AS optimal FROM loyalty_calculate(:'order') AS quote;
UPDATE loyalty.programs SET active = false WHERE external_id = 'many';

-- "Maximum benefit" costs no more than the same promotions in order, or added up.
SELECT add_picks('picks', 'main', 60);
UPDATE loyalty.programs SET active = true WHERE external_id = 'picks';
CREATE FUNCTION total_under(arbitration text) RETURNS numeric
    LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE loyalty.promotion_groups SET arbitration = total_under.arbitration WHERE program = 'picks';
    PERFORM loyalty_apply('picks');
    RETURN loyalty_test(jsonb_build_object('program', 'picks', 'lines', twelve_lines())) #>> '{orders,0,totals,total}';
END
$$;
SELECT total_under('max_benefit') <= least(total_under('consistent'), total_under('summation')) AS is_no_more;

-- The limit is a setting of the program, frozen with each version: more steps find as much or more, and old orders are
-- priced as they were.
CREATE FUNCTION searched(version integer) RETURNS TABLE (optimal jsonb, total numeric)
    LANGUAGE sql
BEGIN ATOMIC
    SELECT quote -> 'optimal', (quote #>> '{totals,total}')::numeric
    FROM loyalty_calculate(jsonb_build_object('program', 'picks', 'lines', twelve_lines()), version) AS quote;
END;
UPDATE loyalty.promotion_groups SET arbitration = 'max_benefit' WHERE program = 'picks';
UPDATE loyalty.promotions SET state = 'inactive' WHERE program = 'picks' AND position > 14;
SELECT loyalty_apply('picks') AS large \gset
UPDATE loyalty.programs SET search_limit = 1000 WHERE external_id = 'picks';
SELECT what, "column", old, new FROM loyalty.pending_changes WHERE program = 'picks';
SELECT loyalty_apply('picks') AS small \gset
SELECT large.optimal AS large, small.optimal AS small, large.total <= small.total AS no_dearer
    FROM searched(:large) AS large, searched(:small) AS small;
UPDATE loyalty.programs SET search_limit = 2000000 WHERE external_id = 'picks';
SELECT loyalty_revert('picks') \g /dev/null
SELECT search_limit FROM loyalty.programs WHERE external_id = 'picks';
\set VERBOSITY terse
UPDATE loyalty.programs SET search_limit = 999 WHERE external_id = 'picks';
\set VERBOSITY default
DROP FUNCTION searched;

DROP FUNCTION total_under, add_picks, twelve_lines;
SET client_min_messages = warning;
DROP SCHEMA loyalty CASCADE;
