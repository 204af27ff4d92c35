-- What bench/run measures: programs "p10", "p100" and "p1000" over the same catalogue, with ten promotions that match the
-- order and, in the others, 90 and 990 more that match none of its products; and orders of 5 and 50 lines. With
-- `-v largest=10000` there is "p10000", too.
--
-- Each promotion is gated by a product segment of its own. In an order, each line matches two of the ten: so 5 lines
-- meet all ten once, 50 lines ten times. Eight are discounts, one earns points, one pays with points; the buyer is a
-- member with points.

\if :{?largest} \else \set largest 1000 \endif
SET client_min_messages = warning;
CREATE EXTENSION loyalty;
SELECT loyalty_create_schema() \g /dev/null
CREATE SCHEMA bench;

CREATE TABLE bench.programs AS
SELECT 'p' || promotions AS program, promotions
FROM unnest('{10,100,1000,10000}'::integer[]) AS promotions
WHERE promotions <= :largest;

-- One active program per profile database, hence one for each.
CREATE TABLE bench.customers AS SELECT 'customer-' || number AS key FROM generate_series(1, 1000) AS number;
SELECT format('CREATE TABLE bench.customers_%1$s AS TABLE bench.customers; ALTER TABLE bench.customers_%1$s ADD PRIMARY KEY (key)', program)
FROM bench.programs \gexec

INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
SELECT program, program, ('bench.customers_' || program)::regclass, 'key' FROM bench.programs;
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
SELECT program, program, program, 'EUR', 'Europe/Berlin', true FROM bench.programs;

INSERT INTO loyalty.point_types (program, external_id, name, ratio, active)
SELECT program, 'bonus', 'Bonus', 10, true FROM bench.programs;
INSERT INTO loyalty.members (member, program, enrolled_at)
SELECT key, program, loyalty.clock() FROM bench.programs, bench.customers;
INSERT INTO loyalty.balances (member, program, point_type, seq, total)
SELECT member, program, 'bonus', 1, 500 FROM loyalty.members;
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining)
SELECT member, program, point_type, seq, total, total FROM loyalty.balances;

-- 50 products that are ordered, in the categories of the first ten promotions, and 10,000 in those of the others.
INSERT INTO loyalty.products (program, sku, name, price, categories)
SELECT
    program,
    'ordered-' || number,
    'Product ' || number,
    10 + number,
    ARRAY['c' || number % 10, 'c' || (number + 5) % 10]
FROM bench.programs, generate_series(0, 49) AS number;
INSERT INTO loyalty.products (program, sku, name, price, categories)
SELECT program, 'other-' || number, 'Product ' || number, 10, ARRAY['c' || 10 + number % 990]
FROM bench.programs, generate_series(0, 9999) AS number;

CREATE TABLE bench.promotions AS
SELECT program, number, format('promotion-%s', lpad(number::text, 4, '0')) AS promotion
FROM bench.programs, generate_series(0, promotions - 1) AS number;

INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
SELECT program, 's' || number, 'Segment ' || number, format('$.categories[*] == "c%s"', number)::jsonpath
FROM bench.promotions;
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, position, starts_at)
SELECT program, promotion, promotion, CASE WHEN number % 10 < 8 THEN 'discount' ELSE 'points' END, 'active', number, '2026-01-01'
FROM bench.promotions;
INSERT INTO loyalty.promotion_conditions (program, promotion, position, mode, segments)
SELECT program, promotion, 1, 'in', ARRAY['s' || number] FROM bench.promotions;
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
SELECT
    program,
    promotion,
    1,
    CASE number % 10 WHEN 8 THEN 'points_discount' WHEN 9 THEN 'accrue_points' ELSE 'discount' END,
    CASE number % 10
        WHEN 8 THEN '{"point_type": "bonus", "percent": 20}'
        WHEN 9 THEN '{"point_type": "bonus", "percent": 5}'
        ELSE '{"percent": 3}'
    END::jsonb
FROM bench.promotions;
SELECT loyalty_apply(program) FROM bench.programs \g /dev/null

CREATE FUNCTION bench.order_document(program text, lines integer) RETURNS jsonb
    LANGUAGE sql
    RETURN (
        SELECT jsonb_build_object(
            'program', program,
            'member', 'customer-7',
            'time', '2026-11-21T12:00:00+01:00',
            'shipping', 5,
            'lines', jsonb_agg(
                jsonb_build_object('product', 'ordered-' || number, 'quantity', 1 + number % 3, 'price', 10 + number)
                ORDER BY number
            ),
            'redeem', '[{"points": "bonus", "amount": "max"}]'::jsonb
        )
        FROM generate_series(0, lines - 1) AS number
    );

-- The floor: what it costs to send an order to a function and to get a document back. PL/pgSQL is never inlined, so the
-- call takes place; unlike an SQL function that cannot be inlined either, it sets up no executor for each call.
CREATE FUNCTION bench.echo("order" jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    AS $$ BEGIN RETURN "order"; END $$;

-- The second floor sends back as many bytes as loyalty_calculate() does.
CREATE TABLE bench.answers AS
SELECT 5 AS lines, loyalty_calculate(bench.order_document('p10', 5)) AS answer
UNION ALL
SELECT 50, loyalty_calculate(bench.order_document('p10', 50));
SELECT
    format(
        'CREATE FUNCTION bench.answer_%s("order" jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS %L',
        lines,
        format('BEGIN RETURN %L::jsonb; END', answer)
    )
FROM bench.answers \gexec

VACUUM ANALYZE;

-- What is measured is what is meant: ten promotions with an effect, the same result from all programs.
DO $$
DECLARE
    lines integer;
    program text;
    few jsonb;
    many jsonb;
BEGIN
    FOR lines, program IN SELECT number, p.program FROM unnest('{5,50}'::integer[]) AS number, bench.programs AS p WHERE promotions >= 1000 LOOP
        few := loyalty_calculate(bench.order_document('p10', lines));
        many := loyalty_calculate(bench.order_document(program, lines));
        ASSERT 10 = (
            SELECT count(DISTINCT operation -> 'promotion')
            FROM jsonb_array_elements(few -> 'operations') AS operation
        );
        ASSERT few - 'program' = many - 'program', 'the programs differ in their results';
    END LOOP;
END
$$;
