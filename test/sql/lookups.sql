-- What can be asked for without a look-up before: holds and transactions by their id alone, members of orders by e-mail
-- and telephone; and orders of which nothing is told.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE EXTENSION IF NOT EXISTS loyalty;
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2026-05-01 12:00Z') \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('p', 'P', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.profiles VALUES ('ann', '{}');
INSERT INTO loyalty.point_types (program, external_id, name, ratio, active) VALUES ('p', 'bonus', 'Bonus', 1, true);
SELECT loyalty_enrol('ann', 'p') ->> 'outcome' AS ann;

-- ---------------------------------------------------------------------------------------------------------------------
-- Decision 73: commit, rollback and cancel

SELECT loyalty_accrue('ann', 'p', 'bonus', 100) ->> 'id' AS accrual \gset
SELECT loyalty_hold('ann', 'p', 'bonus', 'redemption', 30, '1 hour') ->> 'id' AS first \gset
SELECT loyalty_hold('ann', 'p', 'bonus', 'redemption', 20, '1 hour') ->> 'id' AS second \gset
SELECT loyalty_hold('ann', 'p', 'bonus', 'redemption', 10, '1 hour') ->> 'id' AS third \gset
CREATE ROLE loyalty_lookups_shop;
SELECT loyalty_grant('loyalty_lookups_shop', 'app');
SET ROLE loyalty_lookups_shop;
SELECT loyalty_commit(:'first') ->> 'value' AS value;
SELECT loyalty_commit(:'first') ->> 'repeated' AS repeated;
SELECT loyalty_rollback(:'second') ->> 'state' AS state;
SELECT loyalty_cancel(:'third') ->> 'state' AS state;
SELECT loyalty_cancel(:'accrual') ->> 'value' AS value;
SELECT total, active FROM loyalty_balance('ann', 'p', 'bonus');
SELECT loyalty_commit('00000000-0000-0000-0000-000000000000');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY sqlstate
SELECT loyalty_rollback(:'accrual'::uuid);
\set VERBOSITY default
SELECT loyalty_cancel('00000000-0000-0000-0000-000000000000');
SELECT loyalty_cancel(NULL::uuid);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT loyalty_revoke('loyalty_lookups_shop', 'app');
DROP ROLE loyalty_lookups_shop;
-- By an index, whatever the statistics say
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT member FROM loyalty.transactions WHERE id = '00000000-0000-0000-0000-000000000000';
RESET enable_seqscan;

-- ---------------------------------------------------------------------------------------------------------------------
-- Decision 73: who is the member

UPDATE loyalty.profiles SET attributes = '{"email": "ann@example.com", "phone": "+371 1"}' WHERE key = 'ann';
INSERT INTO loyalty.profiles
    VALUES ('bob', '{"email": "bob@example.com", "phone": "+371 2"}'), ('bert', '{"phone": "+371 2"}');
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
    VALUES ('p', 'ten', 'Ten', 'discount', 'active', 'members');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('p', 'ten');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('p', 'ten', 1, 'discount', '{"percent": 10}');
SELECT loyalty_apply('p');
CREATE FUNCTION asked(member text, id text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('external_id', id))
        || jsonb_build_object('member', member::jsonb, 'lines', '[{"product": "x", "quantity": 1, "price": 10}]'::jsonb)
$$;
SELECT given, loyalty_calculate(asked(given)) ->> 'member' AS member,
    loyalty_calculate(asked(given)) #> '{totals,total}' AS total
FROM unnest('{"\"ann\"","null","{\"email\": \"ann@example.com\"}","{\"phone\": \"+371 1\"}","{\"email\": \"bob@example.com\"}"}'::text[]) AS given;
SELECT loyalty_calculate(asked('{"email": "nobody@example.com"}'));
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_calculate(asked('{"phone": "+371 2"}'));
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_calculate(asked('{"phone": "+371 2", "email": "bob@example.com"}'));
SELECT loyalty_calculate(asked('{"name": "ann"}'));
SELECT loyalty_test(asked('{"email": "ann@example.com"}'), '{"balances": {}}');
SELECT loyalty_test(asked('{"email": "ann@example.com"}')) #> '{summary,total,total}' AS total;
SELECT count(*) FROM loyalty_explain(asked('{"email": "ann@example.com"}'));
-- Looked up once, when it is placed: the first answer wins, whoever has the address since.
SELECT loyalty_place_order(asked('{"email": "ann@example.com"}', 'A')) ->> 'member' AS member;
UPDATE loyalty.profiles SET attributes = attributes - 'email' WHERE key = 'ann';
SELECT answer ->> 'member' AS member, answer ->> 'repeated' AS repeated
    FROM loyalty_place_order(asked('{"email": "ann@example.com"}', 'A')) AS answer;
\set VERBOSITY terse
SELECT loyalty_place_order(asked('"ann"', 'A'));
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
SELECT loyalty_place_order(asked('{"email": "ann@example.com"}', 'B'));
SELECT loyalty_place_order(asked('null', 'C')) ->> 'member' AS member;
SELECT external_id, buyer FROM loyalty.orders ORDER BY 1;
SELECT loyalty_reprice_order('p', 'A') ->> 'member' AS member;
SELECT count(*) FILTER (WHERE difference = 0) AS unchanged FROM loyalty_backtest('p');
-- Orders made elsewhere name keys, or nobody.
SELECT loyalty_import_orders(jsonb_build_array(asked('null', 'I')));
SELECT loyalty_import_orders(jsonb_build_array(asked('{"email": "bob@example.com"}', 'J')));

-- ---------------------------------------------------------------------------------------------------------------------
-- Decision 72: nothing is told of an order

INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
    VALUES ('p', 'earn', 'Earn', 'points', 'active');
INSERT INTO loyalty.promotion_conditions (program, promotion, level) VALUES ('p', 'earn', 'order');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('p', 'earn', 1, 'accrue_points', '{"point_type": "bonus", "percent": 10}');
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind) VALUES ('p', 'uni', 'Universal', 'universal');
INSERT INTO loyalty.promo_codes (code, program, pool) VALUES ('U', 'p', 'uni');
UPDATE loyalty.promotions SET promo_code_pool = 'uni' WHERE external_id = 'ten';
SELECT loyalty_apply('p');
CREATE TABLE seen AS SELECT number FROM loyalty.events;
SELECT loyalty_place_order(asked('"ann"', 'loud') || '{"promo_codes": ["U"]}') ->> 'status' AS status;
SELECT type, data ->> 'value' AS value FROM loyalty.events
    WHERE number NOT IN (SELECT number FROM seen) ORDER BY number;
-- What expires before it is told all the same.
SELECT loyalty_accrue('ann', 'p', 'bonus', 50, expires_at => '2026-05-01 13:00Z') ->> 'value' AS value;
SELECT loyalty_set_clock('2026-05-01 14:00Z');
DELETE FROM seen;
INSERT INTO seen SELECT number FROM loyalty.events;
SELECT loyalty_place_order(asked('"ann"', 'silent') || '{"promo_codes": ["U"], "fire": false}') ->> 'status' AS status;
SELECT type, data ->> 'value' AS value FROM loyalty.events
    WHERE number NOT IN (SELECT number FROM seen) ORDER BY number;
SELECT source, value FROM loyalty.transactions WHERE member = 'ann' AND source = 'silent';
-- It is part of what was sent; and what happens to the order later is told.
SELECT loyalty_place_order(asked('"ann"', 'silent') || '{"promo_codes": ["U"], "fire": false}') ->> 'repeated'
    AS repeated;
\set VERBOSITY terse
SELECT loyalty_place_order(asked('"ann"', 'silent') || '{"promo_codes": ["U"]}');
\set VERBOSITY default
SELECT loyalty_set_order_status('p', 'silent', 'paid') ->> 'status' AS status;
SELECT type FROM loyalty.events WHERE number NOT IN (SELECT number FROM seen) AND type ~ '^order' ORDER BY number;
SELECT loyalty_calculate(asked('"ann"') || '{"fire": 1}');
SELECT * FROM loyalty_verify('p');

-- ---------------------------------------------------------------------------------------------------------------------
-- Segments to look into: profiles and orders, as far as one may see them

INSERT INTO loyalty.profile_segments (program, external_id, name, kind, predicate)
VALUES ('p', 'list', 'List', 'static', NULL),
    ('p', 'phone', 'With a telephone', 'dynamic', 'exists($.attributes.phone)'),
('p', 'both', 'Both', 'dynamic', '$.segments[*] == "list" && exists($.attributes.phone)');
INSERT INTO loyalty.profile_segment_members (program, segment, profile)
    VALUES ('p', 'list', 'ann'), ('p', 'list', 'nobody');
SELECT s.segment, m.*
    FROM unnest('{list,phone,both}'::text[]) AS s (segment), loyalty_segment_members('profile', 'p', s.segment) AS m;
SELECT loyalty_internal.segment_profiles('p', 'both');
SELECT loyalty_internal.segment_profiles('p', 'neither');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO loyalty.order_segments (program, external_id, name, kind, predicate)
    VALUES ('p', 'early', 'Early', 'static', NULL), ('p', 'small', 'Small', 'dynamic', '$.goods < 50');
INSERT INTO loyalty.order_segment_members (program, segment, order_id)
    VALUES ('p', 'early', 'A'), ('p', 'early', 'to come');
UPDATE loyalty.promotion_conditions SET mode = 'in', segments = '{small}' WHERE promotion = 'earn';
SELECT loyalty_apply('p');
SELECT loyalty_place_order(asked('"ann"', 'small')) ->> 'status' AS status;
SELECT loyalty_place_order(jsonb_set(asked('"ann"', 'large'), '{lines,0,price}', '100')) ->> 'status' AS status;
SELECT s.segment, m.*
    FROM unnest('{early,small}'::text[]) AS s (segment), loyalty_segment_members('order', 'p', s.segment) AS m;

DROP SCHEMA loyalty CASCADE;
DROP FUNCTION asked(text, text);
DROP TABLE seen;
