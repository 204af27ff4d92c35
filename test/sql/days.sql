-- Days and money: what begins and ends on a day of the program's zone, limits by its calendar, and decimals of
-- currencies.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
-- The session's zone decides nothing.
SET TimeZone = 'UTC';
SET datestyle = 'ISO';
CREATE EXTENSION IF NOT EXISTS loyalty;
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2027-12-01 12:00Z') \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('p', 'P', 'profiles', 'USD', 'America/New_York', true);
INSERT INTO loyalty.profiles VALUES ('ann', '{}'), ('bob', '{}');
INSERT INTO loyalty.point_types (program, external_id, name, ratio, active) VALUES ('p', 'bonus', 'Bonus', 1, true);
SELECT loyalty_enrol('ann', 'p') ->> 'outcome' AS ann, loyalty_enrol('bob', 'p') ->> 'outcome' AS bob;
CREATE FUNCTION refusal(statement text)
    RETURNS TABLE (code text, message text, detail text, hint text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
    hint = PG_EXCEPTION_HINT;
    RETURN NEXT;
END
$$;
CREATE FUNCTION total(at text, member text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
SELECT loyalty_calculate(jsonb_strip_nulls(jsonb_build_object('time', at, 'member', member))
    || '{"program": "p", "lines": [{"product": "x", "quantity": 1, "price": 100}]}') #> '{totals,total}'
$$;

-- ---------------------------------------------------------------------------------------------------------------------
-- A promotion from its first day to its last

BEGIN;
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience, starts_on, ends_on)
VALUES ('p', 'week', 'Week', 'discount', 'active', 'everyone', '2027-12-02', '2027-12-05');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('p', 'week');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('p', 'week', 1, 'discount', '{"percent": 10}');
SELECT loyalty_apply('p');
SELECT starts_at, ends_at FROM loyalty.promotion_periods;
SELECT at, total(at)
    FROM unnest('{2027-12-01T23:59:59,2027-12-02T00:00:00,2027-12-05T23:59:59,2027-12-06T00:00:00}'::text[]) AS at;
-- The same as a document
SELECT loyalty_promotion('p', 'week') - '{conditions,name}'::text[] AS document;
-- One form of each end, in their order, and days there are.
SELECT code, message FROM refusal($$UPDATE loyalty.promotions SET starts_at = '2027-12-02'$$);
SELECT code, message FROM refusal($$UPDATE loyalty.promotions SET ends_at = '2027-12-05'$$);
SELECT code, message FROM refusal($$UPDATE loyalty.promotions SET ends_after_count = 1, ends_after_unit = 'day'$$);
SELECT code, message FROM refusal($$UPDATE loyalty.promotions SET ends_on = '2027-12-01'$$);
SELECT code, message FROM refusal($$UPDATE loyalty.promotions SET ends_on = 'infinity'$$);
-- One day is a period; so is a start by day and an end by the clock.
UPDATE loyalty.promotions SET ends_on = '2027-12-02';
SELECT ends_at - starts_at AS lasts FROM loyalty.promotion_periods;
UPDATE loyalty.promotions SET ends_on = NULL, ends_after_count = 2, ends_after_unit = 'day';
SELECT starts_at, ends_at FROM loyalty.promotion_periods;
-- A change of days is pending, and reverted.
SELECT what, change FROM loyalty.pending_changes;
SELECT loyalty_revert('p') \g /dev/null
SELECT starts_on, ends_on FROM loyalty.promotions;
ROLLBACK;

-- Where clocks go back at midnight, a day ends once; where they go forward then, it begins when there is a time.
BEGIN;
UPDATE loyalty.programs SET time_zone = 'America/Sao_Paulo';
INSERT INTO loyalty.promotions (program, external_id, name, kind, starts_on, ends_on)
VALUES ('p', 'back', 'B', 'discount', '2018-02-17', '2018-02-17'),
    ('p', 'forward', 'F', 'discount', '2018-11-04', '2018-11-04');
SELECT promotion, starts_at, ends_at, ends_at - starts_at AS lasts FROM loyalty.promotion_periods ORDER BY promotion;
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- Pools

BEGIN;
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind, starts_on, ends_on)
    VALUES ('p', 'uni', 'U', 'universal', '2027-12-01', '2027-12-05');
SELECT loyalty_generate_promo_codes('p', 'uni', 'CODE', 1) AS made;
SELECT state, expires_at FROM loyalty.promo_code_states;
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience, starts_on, promo_code_pool)
    VALUES ('p', 'gated', 'Gated', 'discount', 'active', 'everyone', '2027-01-01', 'uni');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('p', 'gated');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('p', 'gated', 1, 'discount', '{"percent": 10}');
SELECT loyalty_apply('p');
SELECT at, loyalty_calculate(jsonb_build_object('time', at)
    || '{"promo_codes": ["code"], "lines": [{"product": "x", "quantity": 1, "price": 100}]}') #> '{totals,total}'
    AS total
FROM unnest('{2027-11-30T23:59:59,2027-12-01T00:00:00,2027-12-05T23:59:59,2027-12-06T00:00:00}'::text[]) AS at;
UPDATE loyalty.promo_code_pools SET starts_on = '2027-12-02';
SELECT * FROM refusal($$SELECT loyalty_generate_promo_codes('p', 'uni', 'CODE#', 1)$$);
SELECT * FROM refusal($$SELECT loyalty_activate_promo_code('p', 'ann', 'CODE')$$);
SELECT code, message FROM refusal($$UPDATE loyalty.promo_code_pools SET valid_from = '2027-12-02'$$);
SELECT code, message FROM refusal($$UPDATE loyalty.promo_code_pools SET valid_until = '2027-12-02'$$);
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- A point type's first day without

BEGIN;
UPDATE loyalty.point_types SET deactivates_on = '2027-12-05';
SELECT loyalty_accrue('ann', 'p', 'bonus', 10) ->> 'value' AS booked;
SELECT loyalty_set_clock('2027-12-05 04:59:59Z') \g /dev/null
SELECT total, active FROM loyalty_balance('ann', 'p', 'bonus');
SELECT active FROM loyalty.member_balances;
SELECT loyalty_set_clock('2027-12-05 05:00Z') \g /dev/null
SELECT total, active FROM loyalty_balance('ann', 'p', 'bonus');
SELECT active FROM loyalty.member_balances;
SELECT code, message FROM refusal($$SELECT loyalty_accrue('ann', 'p', 'bonus', 10)$$);
-- By hand it goes on, and stops at a moment.
SELECT loyalty_activate_point_type('p', 'bonus') \g /dev/null
SELECT active, deactivates_at, deactivates_on FROM loyalty.point_types;
UPDATE loyalty.point_types SET deactivates_on = '2028-01-01';
SELECT loyalty_deactivate_point_type('p', 'bonus', '2028-02-01 00:00Z') \g /dev/null
SELECT active, deactivates_at, deactivates_on FROM loyalty.point_types;
SELECT code, message FROM refusal($$UPDATE loyalty.point_types SET deactivates_on = '2028-01-01'$$);
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- Uses of one member by the calendar: it is 1 December, seven in the morning of New York

BEGIN;
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience, max_uses_per_member,
    max_uses_per_member_every)
VALUES ('p', 'daily', 'Daily', 'discount', 'active', 'everyone', 1, 'day'),
    ('p', 'yearly', 'Yearly', 'discount', 'inactive', 'everyone', 1, 'year');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('p', 'daily'), ('p', 'yearly');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters) SELECT 'p', promotion, 1,
    'discount', '{"percent": 10}' FROM unnest('{daily,yearly}'::text[]) AS promotion;
SELECT loyalty_apply('p');
CREATE FUNCTION place(id text, member text) RETURNS jsonb LANGUAGE sql AS $$
SELECT loyalty_place_order(
    jsonb_build_object('external_id', id, 'member', member, 'lines',
    '[{"product": "x", "quantity": 1, "price": 100}]'::jsonb)) #> '{totals,total}'
$$;
SELECT place('a1', 'ann') AS first, place('a2', 'ann') AS second, place('b1', 'bob') AS of_bob;
SELECT line FROM loyalty_explain('{"member": "ann", "lines": [{"product": "x", "quantity": 1, "price": 100}]}',
    everything => true) AS line WHERE line ~ 'uses';
SELECT loyalty_set_clock('2027-12-02 04:59:59Z') \g /dev/null
SELECT place('a3', 'ann') AS same_day;
SELECT loyalty_set_clock('2027-12-02 05:00Z') \g /dev/null
SELECT place('a4', 'ann') AS next_day, place('a5', 'ann') AS again;
-- What is given back counts no more.
SELECT loyalty_cancel_order('p', 'a4') ->> 'status' AS status;
SELECT place('a6', 'ann') AS after_cancelling;
-- Fired, too
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, max_uses_per_member, max_uses_per_member_every)
    VALUES ('p', 'visit', 'Visit', 'trigger', 'draft', 1, 'month');
INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount)
    VALUES ('p', 'visit', 'accrual', 'bonus', 5);
SELECT loyalty_activate_promotion('p', 'visit');
SELECT loyalty_fire('visit', 'ann') ->> 'value' AS fired;
SELECT code, message, detail FROM refusal($$SELECT loyalty_fire('visit', 'ann')$$);
SELECT loyalty_set_clock('2028-01-01 04:59:59Z') \g /dev/null
SELECT code FROM refusal($$SELECT loyalty_fire('visit', 'ann')$$);
SELECT loyalty_set_clock('2028-01-01 05:00Z') \g /dev/null
SELECT loyalty_fire('visit', 'ann') ->> 'value' AS fired;
SELECT code, message
    FROM refusal($$UPDATE loyalty.promotions SET max_uses_per_member = NULL WHERE external_id = 'daily'$$);
SELECT code, message
    FROM refusal($$UPDATE loyalty.promotions SET max_uses_per_member_every = 'hour' WHERE external_id = 'daily'$$);
SELECT count(*) AS violations FROM loyalty_verify();
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- Decimals are those of the currency, unless said otherwise

BEGIN;
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, currency_scale, time_zone)
VALUES ('jp', 'J', 'profiles', 'JPY', DEFAULT, 'Asia/Tokyo'), ('kw', 'K', 'profiles', 'KWD', NULL, 'Asia/Kuwait'),
    ('eu', 'E', 'profiles', 'EUR', 3, 'UTC'), ('xx', 'X', 'profiles', 'XXX', NULL, 'UTC');
SELECT external_id, currency, currency_scale FROM loyalty.programs ORDER BY external_id;
SELECT loyalty_export('jp') -> 'currency_scale' AS not_said, loyalty_export('eu') -> 'currency_scale' AS said;
UPDATE loyalty.programs SET active = external_id = 'jp' WHERE external_id IN ('p', 'jp');
SELECT loyalty_apply('jp');
SELECT * FROM refusal(
    $$SELECT loyalty_calculate('{"program": "jp", "lines": [{"product": "x", "quantity": 1, "price": 0.5}]}')$$);
SELECT loyalty_calculate(
    '{"program": "jp", "lines": [{"product": "x", "quantity": 3, "price": 5}]}') #> '{totals,total}' AS total;
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- A year of two digits is a slip of the pen

\set day '''0017-06-15'''
SELECT code, message
    FROM refusal(
    format('INSERT INTO loyalty.promotions (program, external_id, name, kind, starts_on) VALUES (''p'', ''old'', ''O'', ''discount'', %L)', :day));
SELECT code, message
    FROM refusal(
    format('INSERT INTO loyalty.promotions (program, external_id, name, kind, ends_at) VALUES (''p'', ''old'', ''O'', ''discount'', %L)', :day));
SELECT code, message
    FROM refusal(
    format('INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind, valid_until) VALUES (''p'', ''old'', ''O'', ''universal'', %L)', :day));
SELECT code, message FROM refusal(format('UPDATE loyalty.point_types SET deactivates_on = %L', :day));
SELECT column_name, refusal.* FROM unnest('{starts_at,ends_at,starts_on,ends_on}'::text[]) AS column_name,
    refusal(format(
        'INSERT INTO loyalty.promotions (program, external_id, name, kind, %I) VALUES (''p'', ''old'', ''O'', ''discount'', %L)', column_name, :day));
SELECT column_name, refusal.* FROM unnest('{valid_from,valid_until,starts_on,ends_on}'::text[]) AS column_name,
    refusal(format(
        'INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind, %I) VALUES (''p'', ''old'', ''O'', ''universal'', %L)', column_name, :day));
SELECT column_name, refusal.*
    FROM unnest('{deactivates_at,deactivates_on}'::text[]) AS column_name,
refusal(format('UPDATE loyalty.point_types SET %I = %L', column_name, :day));
SELECT * FROM refusal(
    format('INSERT INTO loyalty.partners (program, external_id, name, starts_on) VALUES (''p'', ''old'', ''O'', %L)',
    :day));
SELECT * FROM refusal(
    $$SELECT loyalty_save_promotion('p',
    '{"external_id": "old", "name": "O", "kind": "discount", "ends_on": "0017-06-15"}')$$);
-- Nor where a field of a product or of an order is listed as a date, or a quote names a time.
BEGIN;
INSERT INTO loyalty.fields (program, kind, name, type)
    VALUES ('p', 'product', 'day', 'date'), ('p', 'order', 'day', 'date');
SELECT * FROM refusal(
    format($$INSERT INTO loyalty.products (program, sku, name, price, fields)
    VALUES ('p', 'old', 'O', 1, '{"day": "%s"}')$$, :day));
SELECT * FROM refusal(
    format($$SELECT loyalty_calculate(
    '{"program": "p", "fields": {"day": "%s"}, "lines": [{"product": "x", "quantity": 1, "price": 1}]}')$$, :day));
SELECT * FROM refusal(
    format($$SELECT loyalty_calculate(
    '{"program": "p", "time": "%sT12:00:00", "lines": [{"product": "x", "quantity": 1, "price": 1}]}')$$, :day));
SELECT * FROM refusal(
    format($$SELECT loyalty_test(
    '{"program": "p", "time": "%sT12:00:00", "lines": [{"product": "x", "quantity": 1, "price": 1}]}')$$, :day));
ROLLBACK;
INSERT INTO loyalty.profiles VALUES ('cat', '{"since": "0017-06-15"}');
SELECT * FROM refusal(format('SELECT loyalty_enrol(''cat'', ''p'', registered_at => %L)', :day));
SELECT * FROM refusal(
    format('INSERT INTO loyalty.members (member, program, registered_at) VALUES (''cat'', ''p'', %L)', :day));
CREATE TABLE customers (id text PRIMARY KEY, since text);
INSERT INTO customers VALUES ('eve', '0017-06-15'), ('fay', '2017-06-15');
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column) VALUES ('c', 'C', 'customers', 'id');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('c', 'C', 'c', 'EUR', 'UTC', true);
SELECT loyalty_enrol_all('c', registered_field => 'since') AS enrolled;
SELECT * FROM refusal(format('SELECT loyalty_enrol_all(''p'', registered_at => %L)', :day));
SELECT * FROM refusal(format('SELECT loyalty_accrue(''ann'', ''p'', ''bonus'', 5, created_at => %L)', :day));
SELECT * FROM refusal(
    $$SELECT loyalty_place_order(
    '{"program": "p", "external_id": "O", "time": "0017-06-15T12:00:00", "lines": [{"product": "x", "quantity": 1, "price": 1}]}')$$);
SELECT * FROM refusal(
    $$SELECT loyalty_import_orders(
    '[{"program": "p", "external_id": "O", "time": "0017-06-15T12:00:00", "lines": [{"product": "x", "quantity": 1, "price": 1}]}]')$$);

DROP SCHEMA loyalty CASCADE;
DROP FUNCTION refusal;
DROP FUNCTION total;
DROP TABLE customers;
