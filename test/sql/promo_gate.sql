-- Promotions behind promo codes, and what becomes of the codes that an order carries.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SELECT loyalty_create_schema();
SELECT loyalty_set_clock('2026-06-15 12:00+00');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
INSERT INTO loyalty.profiles (key) VALUES ('ann'), ('bob'), ('guest');
INSERT INTO loyalty.members (member, program, enrolled_at)
    VALUES ('ann', 'main', loyalty.clock()), ('bob', 'main', loyalty.clock());
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind, valid_from, valid_until, max_uses,
    max_uses_per_member)
VALUES
    ('main', 'birthday', 'Birthday', 'personal', '2026-01-01', '2026-06-01', NULL, NULL),
    ('main', 'summer', 'Summer', 'universal', '2026-06-01', '2026-07-01', NULL, NULL),
    ('main', 'first', 'The first ten', 'universal', '-infinity', 'infinity', 10, NULL),
    ('main', 'once', 'Once for each', 'universal', '-infinity', 'infinity', NULL, 1),
    ('main', 'shelf', 'No promotion asks for it', 'universal', '-infinity', 'infinity', NULL, NULL);
INSERT INTO loyalty.promo_codes (code, program, pool, profile, attached_at, expires_at, uses)
VALUES
    ('ANN-1', 'main', 'birthday', 'ann', '2026-02-01', '2026-08-01', 0),
    ('ANN-2', 'main', 'birthday', 'ann', '2026-02-01', '2026-06-15 12:00', 0),
    ('ANN-3', 'main', 'birthday', 'ann', '2026-02-01', 'infinity', 1),
    ('ANN-4', 'main', 'birthday', 'ann', '2026-02-01', 'infinity', 0),
    ('FREE', 'main', 'birthday', NULL, NULL, 'infinity', 0),
    ('BEACH', 'main', 'summer', NULL, NULL, 'infinity', 999),
    ('SUN', 'main', 'summer', NULL, NULL, '2026-06-10', 0),
    ('SEA', 'main', 'summer', NULL, NULL, 'infinity', 0),
    ('TEN', 'main', 'first', NULL, NULL, 'infinity', 10),
    ('NINE', 'main', 'first', NULL, NULL, 'infinity', 9),
    ('ONCE', 'main', 'once', NULL, NULL, 'infinity', 2),
    ('SHELF', 'main', 'shelf', NULL, NULL, 'infinity', 0);
INSERT INTO loyalty.promo_code_uses (buyer, program, code, id, order_id, freed_at)
VALUES ('m:ann', 'main', 'ONCE', gen_random_uuid(), 'A-1', NULL),
    ('m:bob', 'main', 'ONCE', gen_random_uuid(), 'B-1', '2026-05-01'),
('g:X-1', 'main', 'ONCE', gen_random_uuid(), 'X-1', NULL);

-- 1 % off for everyone, on products with the given level of condition.
CREATE FUNCTION promote(id text, pool text, percent numeric DEFAULT 1, level text DEFAULT 'product')
    RETURNS void LANGUAGE sql AS $$
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience, promo_code_pool)
    VALUES ('main', id, id, 'discount', 'active', 'everyone', pool);
INSERT INTO loyalty.promotion_conditions (program, promotion, level) VALUES ('main', id, level);
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', id, 1, 'discount',
    jsonb_build_object('percent', percent) || CASE level WHEN 'order' THEN '{"target": "shipping"}'::jsonb
    ELSE '{}' END);
$$;
SELECT promote('birthday', 'birthday'), promote('summer', 'summer'), promote('second-of-summer', 'summer'),
    promote('first', 'first'),
    promote('once', 'once'), promote('open', NULL);
SELECT loyalty_apply('main');

CREATE FUNCTION quote(member text, codes text, "time" text DEFAULT NULL)
    RETURNS TABLE (promotions text, promo_codes text) LANGUAGE sql AS $$
SELECT
    (SELECT coalesce(string_agg(DISTINCT operation ->> 'promotion', ' '), '-')
        FROM jsonb_array_elements(result -> 'operations') AS operation),
    (SELECT string_agg(format('%s %s', code ->> 'code', code ->> 'status') || coalesce(' of ' || (code ->> 'pool'), ''),
        ', ' ORDER BY number)
     FROM jsonb_array_elements(result -> 'promo_codes') WITH ORDINALITY AS listed (code, number))
FROM loyalty_calculate(jsonb_strip_nulls(jsonb_build_object(
    'member', member, 'time', "time", 'promo_codes', string_to_array(codes, ','), 'lines',
    '[{"product": "X", "quantity": 1, "price": 1000}]'::jsonb
))) AS result
$$;

SELECT member, codes, quoted.* FROM (
    VALUES
        ('ann', ''),
        ('ann', 'NOTHING'),
        ('ann', 'ANN-1'),
        ('ann', ' ann-1 '),
        ('bob', 'ANN-1'),
        (NULL, 'ANN-1'),
        ('ann', 'FREE'),
        ('ann', 'ANN-2'),
        ('ann', 'ANN-3'),
        ('ann', 'ANN-3,ANN-4,ANN-1'),
        ('ann', 'ANN-1,ANN-1'),
        (NULL, 'BEACH'),
        ('guest', 'SEA,BEACH,ANN-1,SUN'),
        ('ann', 'TEN'),
        ('ann', 'NINE'),
        ('ann', 'ONCE'),
        ('bob', 'ONCE'),
        ('guest', 'ONCE'),
        (NULL, 'ONCE'),
        ('ann', 'SHELF,ANN-1,SEA,NINE,x')
) AS example (member, codes)
CROSS JOIN LATERAL quote(member, codes) AS quoted;

-- The order's time judges what has a date: a personal code outlives its pool, a universal one does not.
SELECT time, quoted.*
    FROM unnest(ARRAY['2026-05-31T23:59:59Z', '2026-06-01T00:00:00Z', '2026-06-09T23:59:59Z', '2026-06-30T23:59:59Z',
    '2026-07-01T00:00:00Z', '2026-07-31T23:59:59Z', '2026-08-01T00:00:00Z']) AS time
CROSS JOIN LATERAL quote('ann', 'ANN-1,SUN,SEA', time) AS quoted;

-- Promotions that start on activation do so too late for half of these orders.
UPDATE loyalty.promotions SET starts_at = '2026-01-01';
SELECT loyalty_apply('main');
SELECT time, quoted.*
    FROM unnest(ARRAY['2026-05-31T23:59:59Z', '2026-06-01T00:00:00Z', '2026-06-09T23:59:59Z', '2026-06-30T23:59:59Z',
    '2026-07-01T00:00:00Z', '2026-07-31T23:59:59Z', '2026-08-01T00:00:00Z']) AS time
CROSS JOIN LATERAL quote('ann', 'ANN-1,SUN,SEA', time) AS quoted;

-- A code is used only if a promotion behind it had an effect: there is no shipping here to reduce.
SELECT promote('shipping', 'shelf', 50, 'order');
SELECT loyalty_apply('main');
SELECT quoted.* FROM quote('ann', 'SHELF') AS quoted;
SELECT code ->> 'status' AS status
    FROM jsonb_array_elements(
    loyalty_calculate(
    '{"shipping": 5, "promo_codes": ["shelf"], "lines": [{"product": "X", "quantity": 1, "price": 1000}]}') -> 'promo_codes') AS code;
-- Nor where another promotion takes its place.
UPDATE loyalty.promotion_groups SET arbitration = 'incompatibility' WHERE external_id = 'main';
SELECT loyalty_apply('main');
SELECT quoted.* FROM quote('ann', 'ANN-1,SEA') AS quoted;

-- A pool that promotions name stays.
\set VERBOSITY terse
DELETE FROM loyalty.promo_code_pools WHERE external_id = 'summer';
UPDATE loyalty.promotions SET promo_code_pool = NULL;
DELETE FROM loyalty.promo_codes WHERE pool = 'summer';
DELETE FROM loyalty.promo_code_pools WHERE external_id = 'summer';
SELECT loyalty_apply('main');
DELETE FROM loyalty.promo_code_pools WHERE external_id = 'summer';
\set VERBOSITY default

DROP FUNCTION promote(text, text, numeric, text), quote(text, text, text);
DROP SCHEMA loyalty CASCADE;
