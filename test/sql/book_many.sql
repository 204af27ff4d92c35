-- Many bookings in one call, loyalty_book(): each row is what it would be alone.
\set ECHO none
\set SHOW_CONTEXT never
SET client_min_messages = warning;
\i test/fixtures/shop.sql
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type)
    VALUES ('main', 'status', 'Status', 'cumulative', 'status');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, position, threshold)
VALUES ('main', 'blue', 'status', 'Blue', 0, 0), ('main', 'gold', 'status', 'Gold', 1, 60);
INSERT INTO loyalty.tier_groups (program, external_id, name, model) VALUES ('main', 'rich', 'Rich', 'dynamic');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, position, predicate)
VALUES ('main', 'rich', 'rich', 'Rich', 0, '$.balances.bonus.active > 100');
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, max_uses_per_member)
VALUES ('main', 'gift', 'Gift', 'trigger', 'active', NULL), ('main', 'few', 'For a few', 'trigger', 'active', 3);
INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, min_amount, max_amount)
VALUES ('main', 'gift', 'accrual', 'bonus', 1, 50), ('main', 'few', 'accrual', 'bonus', 10, 30),
    ('main', 'few', 'deduction', 'bonus', 1, 5);

-- What a session sees that books the rows one by one, as INSERTs: of each what became of it.
CREATE FUNCTION book_alone(rows jsonb) RETURNS TABLE (number bigint, outcome text, code text) LANGUAGE plpgsql AS $$
DECLARE
    r record;
    added bigint;
BEGIN
    FOR r IN SELECT *
        FROM jsonb_array_elements(rows) WITH ORDINALITY AS e (body, n)
        ORDER BY e.body ->> 'member' COLLATE "C" NULLS FIRST, e.n LOOP
        number := r.n; outcome := 'booked'; code := NULL;
        BEGIN
            INSERT INTO loyalty.transactions (member, program, point_type, type, value, external_id, created_at,
                active_from, expires_at,
                undoes, source_type, source, promotion, comment, data)
            SELECT t.member, 'main', t.point_type, t.type, t.value, t.external_id, t.created_at, t.active_from,
                t.expires_at,
                t.undoes, t.source_type, t.source, t.promotion, t.comment, t.data
            FROM jsonb_to_record(r.body) AS t (member text, point_type text, type text, value numeric, external_id text,
                created_at timestamptz, active_from timestamptz, expires_at timestamptz, undoes bigint,
                source_type text, source text,
                promotion text, comment text, data jsonb);
            GET DIAGNOSTICS added = ROW_COUNT;
            IF added = 0 THEN outcome := 'repeated'; END IF;
        EXCEPTION WHEN OTHERS THEN
            outcome := 'refused'; code := SQLSTATE;
        END;
        RETURN NEXT;
    END LOOP;
END
$$;
-- All that bookings leave behind, but for ids and how many noughts stand behind a point.
CREATE FUNCTION state() RETURNS TABLE (what text, shown text) LANGUAGE sql AS $$
    SELECT what, regexp_replace(shown, '\.0+(?=[,}])', '', 'g') FROM (
    SELECT 'balance', to_jsonb(b)::text FROM loyalty.balances AS b
    UNION ALL SELECT 'lot', to_jsonb(l)::text FROM loyalty.lots AS l
    UNION ALL SELECT 'transaction', (to_jsonb(t) - 'id')::text FROM loyalty.transactions AS t
    UNION ALL SELECT 'movement', to_jsonb(m)::text FROM loyalty.lot_movements AS m
    UNION ALL SELECT 'hold', to_jsonb(h)::text FROM loyalty.holds AS h
    UNION ALL SELECT 'tier', to_jsonb(t)::text FROM loyalty.member_tiers AS t
    UNION ALL SELECT 'use', (to_jsonb(u) - '{id,used_at}'::text[])::text FROM loyalty.trigger_uses AS u
    UNION ALL SELECT 'counter', to_jsonb(c)::text FROM loyalty.promotion_counters AS c
    UNION ALL
    SELECT 'event',
        jsonb_build_array(e.profile, row_number() OVER (PARTITION BY e.profile ORDER BY e.epoch, e.xid, e.number),
        e.type, e.data - 'transaction')::text
    FROM loyalty.events AS e WHERE e.type LIKE 'points_%'
    ) AS s (what, shown)
$$;
-- Rows at random: most of them right, some wrong in each way.
CREATE FUNCTION random_rows(count integer) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'member', CASE WHEN random() < 0.97
            THEN (ARRAY['ann', 'bob', 'cat', 'dan', 'eve', 'guest'])[1
            + floor(random() * 6 - 0.1 + 0.1)::integer % 6] END,
        'point_type',
        (ARRAY['bonus', 'bonus', 'bonus', 'gift', 'status', CASE WHEN random() < 0.1 THEN 'none' ELSE 'bonus' END])[1
            + floor(random() * 6)::integer],
        'type', r.type,
        'value', CASE WHEN random() < 0.02 THEN 0 ELSE 1 END * CASE WHEN r.type IN ('redemption', 'reversal') THEN -1
            ELSE 1 END
            * (1 + floor(random() * 30)) + CASE WHEN random() < 0.03 THEN 0.125 ELSE 0 END,
        'external_id', CASE WHEN random() < 0.4 THEN 'x' || floor(random() * count / 3)::integer END,
        'created_at',
        CASE WHEN random() < 0.2 THEN loyalty.clock() - make_interval(days => (random() * 20)::integer - 1) END,
        'active_from',
        CASE WHEN random() < 0.1 THEN loyalty.clock() + make_interval(days => (random() * 20)::integer) END,
        'expires_at',
        CASE WHEN random() < 0.2 THEN loyalty.clock() + make_interval(days => (random() * 20)::integer - 2) END,
        'undoes', CASE WHEN r.type IN ('refund', 'reversal') AND random() < 0.8 THEN 1 + floor(random() * 12) END,
        'source_type', CASE WHEN random() < 0.1 THEN 'till' END,
        'promotion', CASE WHEN r.type IN ('accrual', 'redemption')
            AND random() < 0.2 THEN (ARRAY['gift', 'few', 'books'])[1 + floor(random() * 3)::integer] END,
        'comment', CASE WHEN random() < 0.1 THEN 'nice' END,
        'data', CASE WHEN random() < 0.1 THEN '{"till": 4, "of": [null]}'::jsonb END)))
    FROM (SELECT (
        ARRAY['accrual', 'accrual', 'accrual', 'accrual', 'redemption', 'redemption', 'redemption', 'refund',
    'reversal', 'initial',
                CASE WHEN random() < 0.2 THEN 'gift' ELSE 'accrual' END])[1 + floor(random() * 11)::integer] AS type
        FROM generate_series(1, count)) AS r
$$;
CREATE FUNCTION differences(rows jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    alone jsonb; state_alone jsonb; together jsonb; state_together jsonb;
BEGIN
    WHILE loyalty_internal.job_batch('review_tiers', 100) IS NOT NULL LOOP
    END LOOP;
    BEGIN
        SELECT jsonb_object_agg(number, jsonb_build_array(a.outcome, a.code)) INTO alone FROM book_alone(rows) AS a;
        SELECT jsonb_agg(s ORDER BY s.what, s.shown COLLATE "C") INTO state_alone FROM state() AS s;
        RAISE EXCEPTION USING ERRCODE = 'TT000';
    EXCEPTION WHEN SQLSTATE 'TT000' THEN
    END;
    SELECT jsonb_object_agg(b.number, jsonb_build_array(b.outcome, b.code)) INTO together
        FROM loyalty_book('main', rows, true) AS b;
    SELECT jsonb_agg(s ORDER BY s.what, s.shown COLLATE "C") INTO state_together FROM state() AS s;
    RETURN QUERY SELECT format('row %s, %s: %s alone, %s together', a.key, rows -> (a.key::integer - 1), a.value,
        together -> a.key)
        FROM jsonb_each(alone) AS a WHERE a.value IS DISTINCT FROM together -> a.key ORDER BY a.key::integer;
    RETURN QUERY (SELECT 'alone: ' || s::text
        FROM jsonb_array_elements(state_alone) AS s EXCEPT ALL SELECT 'alone: ' || s::text
        FROM jsonb_array_elements(state_together) AS s ORDER BY 1);
    RETURN QUERY (SELECT 'together: ' || s::text
        FROM jsonb_array_elements(state_together) AS s EXCEPT ALL SELECT 'together: ' || s::text
        FROM jsonb_array_elements(state_alone) AS s ORDER BY 1);
END
$$;
INSERT INTO loyalty.profiles (key) VALUES ('dan'), ('eve');
INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('dan', 'main', loyalty.clock());
INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('eve', 'main', loyalty.clock());
SELECT loyalty_remove_member('eve', 'main') \g /dev/null
SELECT loyalty_hold('ann', 'main', 'bonus', 'redemption', 3, '2 days', external_id => 'x1'),
    loyalty_hold('bob', 'main', 'bonus', 'redemption', 4, '5 days', external_id => 'h') \g /dev/null
\set ECHO all

-- Rows at random are together what they are one by one, day after day
SELECT setseed(0.19) \g /dev/null
DO $$
DECLARE
    told text;
BEGIN
    FOR day IN 1..12 LOOP
        FOR told IN SELECT * FROM differences(random_rows(CASE WHEN day = 7 THEN 400 ELSE 40 END)) LIMIT 10 LOOP
            RAISE WARNING 'day %: %', day, told;
        END LOOP;
        PERFORM loyalty_set_clock(loyalty.clock() + interval '1 day 3 hours');
    END LOOP;
END
$$;
SELECT type, count(*) > 20 AS many FROM loyalty.transactions GROUP BY type ORDER BY type;
SELECT * FROM loyalty_verify();

-- What the caller sees: in his own order; a repeated row, and one all of whose errors are asked for
SELECT number, member, outcome, transaction IS NOT NULL AS has_transaction, code, message FROM loyalty_book('main', '[
    {"member": "cat", "point_type": "bonus", "type": "accrual", "value": 100, "external_id": "spring", "data": {"till": 4}},
    {"member": "ann", "point_type": "bonus", "type": "accrual", "value": 1.5, "expires_on": "2026-12-31", "comment": "nice"},
    {"member": "cat", "point_type": "bonus", "type": "accrual", "value": 100.00, "external_id": "spring", "data": {"till": 4}},
    {"member": "cat", "point_type": "bonus", "type": "accrual", "value": 101, "external_id": "spring", "data": {"till": 4}},
    {"member": "ann", "point_type": "bonus", "type": "redemption", "value": -1000000},
    {"member": "none", "point_type": "bonus", "type": "accrual", "value": 1},
    {"member": "ann", "point_type": "none", "type": "accrual", "value": 1},
    {"member": "ann", "point_type": "bonus", "type": "accrual"},
    {"member": "ann", "point_type": "bonus", "type": "accrual", "value": "1"},
    {"member": "ann", "point_type": "bonus", "type": "accrual", "value": 1, "created_at": "tomorrow"},
    {"member": "ann", "point_type": "bonus", "type": "accrual", "value": 1, "expires_on": "2026-02-30"},
    {"member": "ann", "point_type": "bonus", "type": "accrual", "value": 1, "expires_on": "2026-12-31", "expires_at": "2026-12-31"},
    {"member": "ann", "point_type": "bonus", "type": "accrual", "value": 1, "undoes": 1.5},
    {"member": "ann", "point_type": "bonus", "type": "accrual", "value": 1, "data": [1]},
    {"member": "ann", "point_type": "bonus", "type": "accrual", "value": 1, "source_type": "order"},
    {"member": "ann", "point_type": "bonus", "type": "accrual", "value": 1, "source_type": "cancel"},
    {"member": "ann", "point_type": "bonus", "type": "accrual", "value": 1, "hold": "x"},
    {"point_type": "bonus", "type": "accrual", "value": 1}, {"member": 7, "point_type": "bonus", "type": "accrual", "value": 1}, 7, null]', true);
SELECT t.member, t.external_id, t.value, t.comment, t.data, t.expires_at AT TIME ZONE 'Europe/Berlin' AS expires
FROM loyalty.transactions AS t ORDER BY t.id DESC LIMIT 2;
-- Or all or none
\set VERBOSITY verbose
SELECT * FROM loyalty_book('main', '[{"member": "cat", "point_type": "bonus", "type": "accrual", "value": 5, "external_id": "none"},
    {"member": "ann", "point_type": "bonus", "type": "redemption", "value": -1000000}]');
\set VERBOSITY default
SELECT count(*) FROM loyalty.transactions WHERE external_id = 'none';
SELECT * FROM loyalty_book('main', '{}');
SELECT * FROM loyalty_book('main', '7');
SELECT * FROM loyalty_book('none', '[]');
SELECT * FROM loyalty_book('main', NULL);
SELECT * FROM loyalty_book('main', '[]');

-- The limits of a promotion hold for all rows together
UPDATE loyalty.promotions
    SET max_uses = NULL, max_uses_per_member = NULL,
    points_budget = 75 + (SELECT points FROM loyalty.promotion_counters WHERE promotion = 'few')
    WHERE external_id = 'few';
SELECT outcome, code, count(*)
    FROM loyalty_book('main',
    (SELECT jsonb_agg(
    jsonb_build_object('member', m, 'point_type', 'bonus', 'type', 'accrual', 'value', 10, 'promotion', 'few'))
    FROM unnest('{ann,bob,cat,ann,bob,cat,ann,bob,cat}'::text[]) AS m), true) GROUP BY 1, 2 ORDER BY 1;

-- An account as large as it gets: the row that would be too much is refused, the others are booked
SELECT number, outcome, code FROM loyalty_book('main', '[
    {"member": "dan", "point_type": "gift", "type": "accrual", "value": 1},
    {"member": "bob", "point_type": "gift", "type": "accrual", "value": 2},
    {"member": "bob", "point_type": "gift", "type": "accrual", "value": 999999999999999999},
    {"member": "bob", "point_type": "gift", "type": "accrual", "value": 3}]', true);

-- A row that a trigger of the owner's drops was not booked: the others are
CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER z_drop BEFORE INSERT ON loyalty.transactions FOR EACH ROW WHEN (NEW.comment = 'drop me')
    EXECUTE FUNCTION drop_it();
SELECT number, outcome, code FROM loyalty_book('main', '[
    {"member": "ann", "point_type": "gift", "type": "accrual", "value": 1},
    {"member": "bob", "point_type": "gift", "type": "accrual", "value": 2, "comment": "drop me"}]', true);
DROP TRIGGER z_drop ON loyalty.transactions;

-- More rows than are worked on at a time
INSERT INTO loyalty.profiles (key, attributes) SELECT 'n' || n,
    jsonb_build_object('town', CASE WHEN n % 2 = 0 THEN 'riga' ELSE 'york' END) FROM generate_series(1, 6000) AS n;
SELECT loyalty_enrol_all('main') - 'skipped' AS enrolled;
SELECT outcome, count(*), count(DISTINCT transaction), count(DISTINCT b.member)
    FROM loyalty_book('main', (SELECT jsonb_agg(jsonb_build_object(
    'member', 'n' || n, 'point_type', p, 'type', 'accrual', 'value', n % 7 + 1))
        FROM generate_series(1, 6000) AS n, unnest('{gift,bonus}'::text[]) AS p)) AS b GROUP BY outcome;
SELECT point_type, sum(total) FROM loyalty.balances WHERE member LIKE 'n%' GROUP BY 1 ORDER BY 1;

-- A campaign: the same for all who are in a segment, each once
INSERT INTO loyalty.profile_segments (program, external_id, name, predicate)
    VALUES ('main', 'riga', 'Riga', '$.attributes.town == "riga"');
SELECT loyalty_remove_member('n2', 'main');
SELECT outcome, count(*)
    FROM loyalty_book_segment('main', 'riga',
    '{"point_type": "bonus", "type": "accrual", "value": 100, "external_id": "spring"}') GROUP BY 1;
UPDATE loyalty.profiles SET attributes = '{"town": "riga"}' WHERE key IN ('n1', 'n3');
SELECT outcome, count(*)
    FROM loyalty_book_segment('main', 'riga',
    '{"point_type": "bonus", "type": "accrual", "value": 100, "external_id": "spring"}') GROUP BY 1 ORDER BY 1;
SELECT * FROM loyalty_book_segment('main', 'none', '{"point_type": "bonus", "type": "accrual", "value": 100}');
SELECT * FROM loyalty_book_segment('main', 'riga', '[]');
SELECT count(*) FROM loyalty_verify();

-- An account of many lots: what is active is told without a look at each; it is the same, whenever one asks
INSERT INTO loyalty.profiles (key) VALUES ('lot');
SELECT loyalty_enrol('lot', 'main') ->> 'outcome' AS outcome;
SELECT outcome, count(*)
    FROM loyalty_book('main',
    (SELECT jsonb_agg(jsonb_build_object('member', 'lot', 'point_type', 'bonus', 'type', 'accrual', 'value', n,
    'active_from', loyalty.clock() + make_interval(days => n * 7 % 20 - 10), 'expires_at',
    loyalty.clock() + make_interval(days => n * 7 % 20 - 10 + 1 + n * 3 % 25)))
    FROM generate_series(1, 300) AS n)) GROUP BY 1;
SELECT loyalty_hold('lot', 'main', 'bonus', 'redemption', 1000, '3 days') ->> 'state' AS held,
    loyalty_redeem('lot', 'main', 'bonus', 500) -> 'value' AS redeemed;
SELECT loyalty_hold('lot', 'main', 'bonus', 'redemption', 100, '30 days') ->> 'state' AS held;
CREATE FUNCTION by_lots("at" timestamptz)
    RETURNS TABLE (total numeric, active numeric, waiting numeric, held numeric) LANGUAGE sql AS $$
    SELECT sum(l.remaining) FILTER (WHERE l.expires_at > "at" OR l.reserved > 0)
        - coalesce(sum(l.remaining - l.reserved) FILTER (WHERE l.expires_at <= "at" AND l.reserved > 0), 0),
        sum(l.remaining - l.reserved) FILTER (WHERE l.active_from <= "at" AND l.expires_at > "at"),
        coalesce(sum(l.remaining) FILTER (WHERE l.active_from > "at"), 0), sum(l.reserved)
    FROM (SELECT o.*,
        (SELECT coalesce(sum(r.amount), 0) FROM loyalty.hold_lots AS r JOIN loyalty.holds AS h ON h.id = r.hold
            WHERE r.member = 'lot' AND r.lot = o.seq AND h.state = 'open' AND h.expires_at > "at") AS reserved
        FROM loyalty.lots AS o WHERE o.member = 'lot' AND o.point_type = 'bonus') AS l
$$;
SELECT count(*) AS lots, count(*) FILTER (WHERE active_from > loyalty.clock()) > 50 AS many_wait FROM loyalty.lots
    WHERE member = 'lot' AND open;
SELECT day, b.*, l.*
    FROM generate_series(0, 30) AS day,
LATERAL (SELECT loyalty.clock() + make_interval(days => day, hours => 1) AS at) AS a,
    LATERAL (SELECT total, active, waiting, held FROM loyalty_balance('lot', 'main', 'bonus', a.at)) AS b,
    by_lots(a.at) AS l
WHERE (b.total, b.active, b.waiting, b.held)
    IS DISTINCT FROM (coalesce(l.total, 0), coalesce(l.active, 0), l.waiting, l.held);
SELECT * FROM by_lots(loyalty.clock()) \gset lots_
SELECT loyalty_place_order(basket('lots', 'lot')) ->> 'status' AS status;
SELECT b ->> 'points' AS point_type, (b ->> 'total')::numeric = :lots_total AS same_total,
    (b ->> 'active')::numeric = :lots_active AS same_active
FROM loyalty.orders AS o, jsonb_path_query(o.resolved, '$.buyer.balances[*] ? (@.points == "bonus")') AS b
    WHERE o.external_id = 'lots';

DROP SCHEMA loyalty CASCADE;
DROP FUNCTION by_lots(timestamptz);
DROP FUNCTION basket(text, text, jsonb), refusal(text), book_alone(jsonb), state(), random_rows(integer),
differences(jsonb), drop_it();
