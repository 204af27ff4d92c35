-- loyalty_backtest(carry => true): orders replayed one after the other come to what they come to when they are really
-- placed. A program has tree A, and its copy tree B: everything happens in both, and then A's history with tree B as
-- the draft is held against what has become of the copy, order by order.
\set ECHO none
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\if :{?steps}
\else
    \set steps 240
\endif
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2026-01-01 06:00+00') \g /dev/null
INSERT INTO loyalty.profiles (key, attributes) SELECT 'p' || n, '{}' FROM generate_series(1, 8) AS n;
CREATE TABLE twins (id text PRIMARY KEY);
INSERT INTO twins SELECT key FROM loyalty.profiles;
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
    VALUES ('twins', 'Twins', 'twins', 'id');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true),
    ('copy', 'Copy', 'twins', 'EUR', 'Europe/Berlin', true);
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, scale, validity_count, validity_unit,
    refund_allowed, active)
SELECT program, 'bonus', 'Bonus', 'standard', 10, 1, 20, 'day', true, true FROM unnest('{main,copy}'::text[]) AS program
UNION ALL
SELECT program, 'miles', 'Miles', 'standard', 1, 0, NULL, NULL, false, true
FROM unnest('{main,copy}'::text[]) AS program
UNION ALL
SELECT program, 'status', 'Status', 'qualification', 1, 0, NULL, NULL, false, true
FROM unnest('{main,copy}'::text[]) AS program;
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type, fall_on_reversal)
SELECT program, 'club', 'Club', 'cumulative', 'status', true FROM unnest('{main,copy}'::text[]) AS program;
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
SELECT program, tier, 'club', tier, CASE tier WHEN 'silver' THEN 30 ELSE 90 END
FROM unnest('{main,copy}'::text[]) AS program, unnest('{silver,gold}'::text[]) AS tier;
INSERT INTO loyalty.products (program, sku, name, price, categories)
SELECT program, 's' || n, 'Product ' || n, 3.35 * n, ARRAY['c' || n % 3]
FROM generate_series(1, 12) AS n, unnest('{main,copy}'::text[]) AS program;
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
SELECT program, 'c' || n, 'Category ' || n, format('$.categories[*] == "c%s"', n)::jsonpath
FROM generate_series(0, 2) AS n, unnest('{main,copy}'::text[]) AS program;
INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
SELECT program, 'regulars', 'Who has spent 150', '$.buyer.orders.sum >= 150'::jsonpath
FROM unnest('{main,copy}'::text[]) AS program
UNION ALL
SELECT program, 'third', 'From the third order on', '$.buyer.orders.count >= 2'::jsonpath
FROM unnest('{main,copy}'::text[]) AS program;
-- A code for everybody, soon used up, and one of their own for some. With both trees an order uses its code or does
-- not: a code that was used more often than then is an error of the row.
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind, max_uses, max_uses_per_member)
SELECT program, 'all', 'For all', 'universal', 8, 2 FROM unnest('{main,copy}'::text[]) AS program;
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind)
SELECT program, 'own', 'A gift', 'personal' FROM unnest('{main,copy}'::text[]) AS program;
INSERT INTO loyalty.promo_codes (code, program, pool)
SELECT 'ALL', program, 'all' FROM unnest('{main,copy}'::text[]) AS program
UNION ALL
SELECT 'OWN-' || n, program, 'own' FROM generate_series(1, 5) AS n, unnest('{main,copy}'::text[]) AS program;
-- p8 is no member; p7 becomes one later.
INSERT INTO loyalty.members (member, program)
SELECT 'p' || n, program FROM generate_series(1, 6) AS n, unnest('{main,copy}'::text[]) AS program;

SELECT loyalty_attach_promo_code(program, 'p' || n, 'own', 'OWN-' || n)
FROM generate_series(1, 5) AS n, unnest('{main,copy}'::text[]) AS program \g /dev/null

-- save(program, id, kind, level, benefit, parameters, the condition's segments, further settings)
CREATE FUNCTION save(program text, id text, kind text, level text, benefit text, parameters jsonb,
    segments text[] DEFAULT '{}', more jsonb DEFAULT '{}')
    RETURNS void LANGUAGE sql AS $$
    SELECT loyalty_save_promotion(program, jsonb_build_object(
        'external_id', id, 'name', id, 'kind', kind, 'state', 'active', 'audience', 'everyone',
        'starts_at', '2026-01-01T00:00:00',
        'conditions', jsonb_build_array(jsonb_build_object(
            'level', level, 'mode', CASE segments WHEN '{}' THEN 'all' ELSE 'in' END, 'segments', to_jsonb(segments),
            'benefits', jsonb_build_array(jsonb_build_object('benefit', benefit, 'parameters', parameters))))
    ) || more)
$$;
CREATE PROCEDURE plant(program text, tree text) LANGUAGE plpgsql AS $$
DECLARE
    b CONSTANT boolean := tree = 'B';
BEGIN
    PERFORM save(program, 'off', 'discount', 'product', 'discount',
        jsonb_build_object('percent', CASE WHEN b THEN 12 ELSE 5 END),
        CASE WHEN b THEN '{c0,c1}' ELSE '{c0}' END::text[]);
    PERFORM save(program, 'regulars', 'discount', 'order', 'discount',
        jsonb_build_object('percent', CASE WHEN b THEN 6 ELSE 3 END), '{regulars}');
    PERFORM save(program, 'third', 'discount', 'order', 'discount', '{"amount": 1.5}', '{third}');
    PERFORM save(program, 'often', 'discount', 'product', 'discount', '{"amount": 2}', '{c2}',
        jsonb_build_object('audience', 'members', 'max_uses_per_member', CASE WHEN b THEN 2 ELSE 4 END,
            'max_uses_per_member_every', 'month'));
    PERFORM save(program, 'first', 'discount', 'order', 'discount', '{"amount": 3}', '{}',
        jsonb_build_object('max_uses', CASE WHEN b THEN 25 ELSE 60 END));
    PERFORM save(program, 'budget', 'discount', 'product', 'discount', '{"percent": 4}', '{c1}',
        jsonb_build_object('money_budget', CASE WHEN b THEN 30 ELSE 12 END));
    PERFORM save(program, 'code', 'discount', 'product', 'discount',
        jsonb_build_object('percent', CASE WHEN b THEN 10 ELSE 7 END), '{}',
        '{"promo_code_pool": "all"}');
    PERFORM save(program, 'gift', 'discount', 'order', 'discount',
        jsonb_build_object('amount', CASE WHEN b THEN 2.5 ELSE 1 END), '{}', '{"promo_code_pool": "own"}');
    PERFORM save(program, 'silver', 'discount', 'order', 'discount', '{"percent": 2}', '{}',
        '{"audience": "tiers", "audience_tiers": ["silver", "gold"]}');
    PERFORM save(program, 'gold', 'discount', 'order', 'discount', '{"amount": 1}', '{}',
        '{"audience": "tiers", "audience_tiers": ["gold"]}');
    PERFORM save(program, 'earn_status', 'points', 'product', 'accrue_points',
        jsonb_build_object('point_type', 'status', 'percent', CASE WHEN b THEN 40 ELSE 20 END), '{}',
        '{"audience": "members"}');
    PERFORM save(program, 'pay', 'points', 'product', 'points_discount',
        jsonb_build_object('point_type', 'bonus', 'percent', CASE WHEN b THEN 60 ELSE 30 END), '{}',
        '{"audience": "members"}');
    PERFORM save(program, 'pay_miles', 'points', 'order', 'points_discount',
        '{"point_type": "miles", "percent": 20}', '{}', '{"audience": "members"}');
    PERFORM save(program, 'earn', 'points', 'product', 'accrue_points',
        jsonb_build_object('point_type', 'bonus', 'percent', CASE WHEN b THEN 35 ELSE 15 END)
            || CASE WHEN b THEN '{"credit_on": "delivered"}' ELSE '{"delay": "3 days"}' END::jsonb, '{}',
        '{"audience": "members"}');
    PERFORM save(program, 'earn_order', 'points', 'order', 'accrue_points',
        jsonb_build_object('point_type', 'miles', 'points', CASE WHEN b THEN 3 ELSE 2 END)
            || CASE WHEN b THEN '{"delay": "2 days"}' ELSE '{"credit_on": "delivered"}' END::jsonb, '{}',
        jsonb_build_object('audience', 'members', 'points_budget', CASE WHEN b THEN 150 ELSE 500 END));
END
$$;
CALL plant('main', 'A');
CALL plant('copy', 'B');
SELECT loyalty_apply('main'), loyalty_apply('copy') \g /dev/null

-- What happens, in both, some hours after what happened before. Some of main's orders were made elsewhere, at these
-- prices: they are imported, and placed in the copy. Their buyers are members from the start, since the replay takes
-- those of imported orders as they are now.
CREATE PROCEDURE happen(steps integer) LANGUAGE plpgsql AS $$
DECLARE
    program text;
    buyer text;
    former text;
    dice integer;
    document jsonb;
BEGIN
    FOR n IN 1..steps LOOP
        PERFORM loyalty_set_clock(
            timestamptz '2026-01-01 06:00+00' + n * interval '5 hours' + n % 7 * interval '1 minute');
        dice := (n * 7919 + n * n * 31) % 100;
        buyer := 'p' || 1 + (n * 13 + n / 5) % 8;
        former := format('o%s', n - 1 - n % 9);
        IF n = 100 THEN
            INSERT INTO loyalty.members (member, program) VALUES ('p7', 'main'), ('p7', 'copy');
        END IF;
        FOREACH program IN ARRAY '{main,copy}'::text[] LOOP
            BEGIN
                IF n % 19 = 0 THEN
                    document := jsonb_build_object(
                        'program', program, 'external_id', format('o%s', n), 'member', 'p' || 1 + n % 6, 'shipping', 3,
                        'time', to_char(loyalty.clock() AT TIME ZONE 'Europe/Berlin', 'YYYY-MM-DD"T"HH24:MI:SS'),
                        'lines', format(
                            '[{"product": "s%s", "quantity": 2, "price": %s}]', 1 + n % 12, 20 + n % 9)::jsonb);
                    IF program = 'main' THEN
                        PERFORM loyalty_import_orders(jsonb_build_array(document));
                    ELSE
                        PERFORM loyalty_place_order(document);
                    END IF;
                ELSIF dice < 60 OR n < 20 THEN
                    PERFORM loyalty_place_order(jsonb_strip_nulls(jsonb_build_object(
                        'program', program, 'external_id', format('o%s', n),
                        'member', CASE WHEN n % 11 > 0 THEN buyer END, 'shipping', n % 2 * 4.9,
                        'status', CASE WHEN n % 6 = 0 THEN 'delivered' END,
                        'promo_codes', CASE n % 4
                            WHEN 1 THEN '["ALL"]' WHEN 2 THEN format('["OWN-%s"]', right(buyer, 1)) END::jsonb,
                        'redeem', CASE WHEN n % 11 > 0 AND buyer < 'p7' THEN '[{"points": "bonus", "amount": "max"},
                            {"points": "miles", "amount": 5}]'::jsonb END,
                        'lines', (
                            SELECT jsonb_agg(jsonb_build_object(
                                'product', format('s%s', 1 + (n * 5 + line * 7) % 12), 'quantity', 1 + (n + line) % 3))
                            FROM generate_series(0, n % 3) AS line))));
                ELSIF dice < 72 THEN
                    PERFORM loyalty_set_order_status(program, former, 'delivered');
                ELSIF dice < 80 THEN
                    PERFORM loyalty_return_items(program, former, '[{"id": "00001", "quantity": 1}]', 'r' || n);
                ELSIF dice < 85 THEN
                    PERFORM loyalty_cancel_order(program, former);
                ELSIF dice < 92 THEN
                    PERFORM loyalty_accrue(buyer, program, 'bonus', 5 + n % 20, external_id => 'a' || n);
                ELSIF dice < 96 THEN
                    PERFORM loyalty_redeem(buyer, program, 'bonus', 4, external_id => 'd' || n);
                ELSE
                    PERFORM loyalty_cancel(buyer, program, external_id => 'a' || n - 10);
                END IF;
            EXCEPTION WHEN OTHERS THEN
                -- No such order, too few points. What has not happened is in no history, so it happens in no copy.
                EXIT WHEN program = 'main';
            END;
        END LOOP;
    END LOOP;
END
$$;
CALL happen(:steps);
CALL plant('main', 'B');

-- As the copy had it, and as it has become of it.
CREATE VIEW compared AS
SELECT external_id, carried.buyer, carried.would_be, placed.was, carried.points_would_be, placed.points_was,
    carried.error, carried.was AS was_with_a
FROM loyalty_backtest('main', carry => true) AS carried
FULL JOIN loyalty_backtest('copy', (SELECT max(version) FROM loyalty.promotion_versions WHERE program = 'copy'))
    AS placed USING (external_id);
\set ECHO all

-- ---------------------------------------------------------------------------------------------------------------------
-- What has happened: enough of everything, and limits that ran out

SELECT program, count(*) > 100 AS orders, count(*) FILTER (WHERE points_discount > 0) > 20 AS paid_with_points,
    count(*) FILTER (WHERE refunded > 0) > 5 AS came_back, count(*) FILTER (WHERE status = 'cancelled') > 1 AS cancelled
    FROM loyalty.orders GROUP BY 1 ORDER BY 1;
SELECT program, type, count(*) > 1 AS some FROM loyalty.transactions GROUP BY 1, 2 ORDER BY 1, 2;
SELECT program, count(*) FILTER (WHERE tier = 'gold') > 0 AS reached, count(*) FILTER (WHERE tier IS NULL) > 0 AS fell
    FROM loyalty.member_tier_history WHERE seq > 1 GROUP BY 1 ORDER BY 1;
SELECT program, promotion, uses > 0 AS used FROM loyalty.promotion_counters ORDER BY 1, 2;
SELECT program, pool, count(*) AS uses FROM loyalty.promo_code_uses JOIN loyalty.promo_codes USING (program, code)
    GROUP BY 1, 2 ORDER BY 1, 2;

-- ---------------------------------------------------------------------------------------------------------------------
-- Order by order: the totals and points of the copy

SELECT count(*) > 100 AS orders, count(*) FILTER (WHERE would_be IS DISTINCT FROM was) AS other_totals,
    count(*) FILTER (WHERE points_would_be IS DISTINCT FROM points_was) AS other_points, count(error) AS errors,
    count(*) FILTER (WHERE was <> was_with_a) > 50 AS many_that_b_changes FROM compared;
SELECT count(*) > 5 AS imported,
    count(*) FILTER (WHERE would_be = was AND was <> was_with_a) > 5 AS discounted_in_the_copy
    FROM compared JOIN loyalty.orders USING (external_id) WHERE program = 'main' AND origin = 'imported';
-- Each by itself would have been wrong about many.
SELECT count(*) FILTER (WHERE alone.would_be <> placed.was) > 20 AS other_totals
    FROM loyalty_backtest('main') AS alone JOIN compared AS placed USING (external_id);
SELECT promotion IS NULL AS of_all, orders > 100 AS orders, errors FROM loyalty_backtest_summary('main', carry => true)
    ORDER BY promotion NULLS FIRST LIMIT 1;
-- With the version that they were placed with, nothing differs where all were placed.
SELECT count(*) > 100 AS orders, count(*) FILTER (WHERE difference <> 0) AS other_totals,
    count(*) FILTER (WHERE points_was <> points_would_be) AS other_points, count(error) AS errors
FROM loyalty_backtest('copy',
    (SELECT max(version) FROM loyalty.promotion_versions WHERE program = 'copy'), carry => true);

-- ---------------------------------------------------------------------------------------------------------------------
-- What cannot be told exactly says so: after points were held, after an order without content; what is refused

SELECT save('main', 'code', 'discount', 'product', 'discount', '{"percent": 10}', '{c0}',
    '{"promo_code_pool": "all"}') \g /dev/null
SELECT count(*) > 0 AS used_less_often FROM loyalty_backtest('main', carry => true)
    WHERE error = 'how often promo code "ALL" was used before is another matter here';
SELECT save('main', 'code', 'discount', 'product', 'discount', '{"percent": 10}', '{}',
    '{"promo_code_pool": "all"}') \g /dev/null
SELECT loyalty_set_clock('2026-04-01 06:00+00') \g /dev/null
SELECT loyalty_accrue('p1', 'main', 'bonus', 50) ->> 'value' AS value,
    loyalty_hold('p1', 'main', 'bonus', 'redemption', 10, '1 hour') ->> 'state' AS state;
SELECT loyalty_set_clock('2026-04-02 06:00+00') \g /dev/null
SELECT loyalty_place_order('{"program": "main", "external_id": "held", "member": "p1",
    "lines": [{"product": "s1", "quantity": 1}]}') ->> 'status' AS status;
SELECT external_id, would_be IS NULL AS unknown, error FROM loyalty_backtest('main', carry => true)
    WHERE error IS NOT NULL;
SELECT loyalty_erase_member('p2', 'main') \g /dev/null
SELECT error, count(*) > 0 AS some FROM loyalty_backtest('main', carry => true)
    WHERE error IS NOT NULL GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM loyalty_backtest('main', from_time => '2026-02-01', carry => true);
\echo :SQLSTATE
SELECT count(*) FROM loyalty_backtest('nothing', carry => true);
\echo :SQLSTATE
INSERT INTO loyalty.goals (program, external_id, name, point_type, points, reward_text, automatic, active)
    VALUES ('main', 'mug', 'A mug', 'bonus', 1000, 'A mug', true, true);
SELECT count(*) FROM loyalty_backtest('main', carry => true);
\echo :SQLSTATE
CREATE ROLE carry_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA loyalty TO carry_reader;
ALTER TABLE loyalty.orders ENABLE ROW LEVEL SECURITY;
GRANT EXECUTE ON FUNCTION loyalty_backtest(text, integer, timestamptz, timestamptz, boolean) TO carry_reader;
GRANT EXECUTE ON FUNCTION loyalty_internal.replay_in_turn(text, integer, timestamptz, timestamptz) TO carry_reader;
GRANT USAGE ON SCHEMA loyalty, loyalty_internal TO carry_reader;
SET ROLE carry_reader;
SELECT count(*) FROM loyalty_internal.replay_in_turn('main', NULL, '-infinity', 'infinity');
\echo :SQLSTATE
RESET ROLE;

DROP VIEW compared;
DROP PROCEDURE happen(integer), plant(text, text);
DROP FUNCTION save(text, text, text, text, text, jsonb, text[], jsonb);
DROP OWNED BY carry_reader;
DROP ROLE carry_reader;
DROP SCHEMA loyalty CASCADE;
DROP TABLE twins;
