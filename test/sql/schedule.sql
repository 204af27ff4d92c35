-- When promotions apply: dates and schedules, judged at the order's time in the program's time zone.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SELECT loyalty_create_schema();
SELECT loyalty_set_clock('2026-01-15 12:00+00');
-- Berlin: clocks go forward on 2026-03-29 at 2:00 and back on 2026-10-25 at 3:00.
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
-- 10 % off for everyone; the columns of the promotion as an object.
CREATE FUNCTION promote(id text, settings jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience, starts_at, ends_at, ends_after_count,
    ends_after_unit,
    schedule_months, schedule_days, schedule_weekdays, schedule_from, schedule_to, schedule_every_count,
    schedule_every_unit)
SELECT 'main', id, id, 'discount', coalesce(settings ->> 'state', 'active'), 'everyone', wanted.starts_at,
    wanted.ends_at, wanted.ends_after_count, wanted.ends_after_unit,
    coalesce(wanted.schedule_months, '{}'), coalesce(wanted.schedule_days, '{}'),
    coalesce(wanted.schedule_weekdays, '{}'),
    wanted.schedule_from, wanted.schedule_to, wanted.schedule_every_count, wanted.schedule_every_unit
FROM jsonb_populate_record(NULL::loyalty.promotions, settings) AS wanted;
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('main', id);
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', id, 1, 'discount', '{"percent": 10}');
$$;
CREATE FUNCTION applied("time" text) RETURNS text LANGUAGE sql AS $$
SELECT coalesce(string_agg(operation ->> 'promotion', ' ' ORDER BY operation ->> 'promotion'), '-')
FROM jsonb_array_elements(
    loyalty_calculate(
    jsonb_build_object('time', "time", 'lines',
    '[{"product": "X", "quantity": 1, "price": 1000}]'::jsonb)) -> 'operations') AS operation
$$;
-- Takes all promotions out, to start anew.
CREATE PROCEDURE clear() LANGUAGE sql AS $$
UPDATE loyalty.promotions SET state = 'ended' WHERE state IN ('active', 'inactive');
DELETE FROM loyalty.promotions WHERE state = 'draft';
$$;

-- ---------------------------------------------------------------------------------------------------------------------
-- Dates

-- A start is inclusive, an end exclusive; an order without a time is judged now.
SELECT promote('fixed', '{"starts_at": "2026-02-01T00:00:00+01:00", "ends_at": "2026-03-01T00:00:00+01:00"}');
SELECT loyalty_apply('main');
SELECT time, applied(time)
FROM unnest(ARRAY['2026-01-31T23:59:59.999999', '2026-02-01T00:00', '2026-01-31T23:00:00Z',
    '2026-02-28T23:59:59.999999', '2026-03-01T00:00']) AS time;
SELECT loyalty_calculate('{"lines": [{"product": "X", "quantity": 1, "price": 1000}]}') #> '{totals,discount}';
-- Past its end a promotion is out of date, not ended: with a later end it runs again, after the next apply.
UPDATE loyalty.promotions SET ends_at = '2026-04-01T00:00:00+02:00';
SELECT applied('2026-03-15T00:00');
SELECT loyalty_apply('main');
SELECT applied('2026-03-15T00:00');
CALL clear();

-- Start on activation: the first apply with the promotion active, whatever happens later. Pausing does not stop the
-- clock.
SELECT promote('on-activation', '{"state": "draft", "ends_after_count": 1, "ends_after_unit": "month"}'),
    promote('after-start',
        '{"state": "draft", "starts_at": "2026-02-10T10:00:00Z", "ends_after_count": 2, "ends_after_unit": "day"}'),
    promote('started-before',
        '{"state": "draft", "starts_at": "2026-01-01T00:00:00Z", "ends_after_count": 3, "ends_after_unit": "week"}');
SELECT loyalty_apply('main');
SELECT promotion, activated_at, starts_at, ends_at FROM loyalty.promotion_periods
    WHERE promotion <> 'fixed' ORDER BY promotion;
SELECT loyalty_set_clock('2026-01-31 09:30+00');
UPDATE loyalty.promotions SET state = 'active' WHERE state = 'draft';
SELECT loyalty_apply('main');
SELECT promotion, activated_at, starts_at, ends_at FROM loyalty.promotion_periods
    WHERE promotion <> 'fixed' ORDER BY promotion;
SELECT time, applied(time)
FROM unnest(ARRAY[
    '2026-01-31T10:29:59', '2026-01-31T10:30', '2026-02-10T11:00', '2026-02-12T10:59:59', '2026-02-12T11:00',
    '2026-02-21T10:29:59', '2026-02-21T10:30', '2026-02-28T10:29:59', '2026-02-28T10:30'
]) AS time;
SELECT loyalty_set_clock('2026-02-02 00:00+00');
UPDATE loyalty.promotions SET state = 'inactive' WHERE state = 'active';
SELECT loyalty_apply('main');
SELECT applied('2026-02-03T00:00');
SELECT loyalty_set_clock('2026-02-04 00:00+00');
UPDATE loyalty.promotions SET state = 'active' WHERE state = 'inactive';
SELECT loyalty_apply('main');
SELECT applied('2026-02-03T00:00');
SELECT promotion, activated_at, ends_at FROM loyalty.promotion_periods WHERE promotion <> 'fixed' ORDER BY promotion;
SELECT loyalty_apply('main') = max(version) AS nothing_to_apply FROM loyalty.promotion_versions;
CALL clear();

-- An interval goes by the calendar: a month from 31 January ends on 28 February, a day over the change of clocks has 23
-- or 25 hours, while hours are hours.
SELECT loyalty_set_clock('2026-03-28 01:30+00');
SELECT promote('a-day', '{"ends_after_count": 1, "ends_after_unit": "day"}'),
    promote('24-hours', '{"ends_after_count": 24, "ends_after_unit": "hour"}'),
    promote('90-minutes', '{"ends_after_count": 90, "ends_after_unit": "minute"}'),
    promote('a-year', '{"ends_after_count": 1, "ends_after_unit": "year", "starts_at": "2028-02-29T00:00:00+01:00"}'),
    promote('half-a-year',
        '{"ends_after_count": 6, "ends_after_unit": "month", "starts_at": "2026-08-31T00:00:00+02:00"}');
SELECT loyalty_apply('main');
SELECT promotion, period.ends_at FROM loyalty.promotion_periods AS period
    JOIN loyalty.promotions AS promoted USING (program)
    WHERE promotion = external_id AND state = 'active' ORDER BY promotion;
CALL clear();

-- ---------------------------------------------------------------------------------------------------------------------
-- Schedules

-- 2026-06-01 is a Monday.
SELECT promote('always'), promote('june', '{"schedule_months": [6, 12]}'),
    promote('first-and-31st', '{"schedule_days": [1, 31]}'),
    promote('weekend', '{"schedule_weekdays": [6, 7]}'),
    promote('friday-13th', '{"schedule_weekdays": [5], "schedule_days": [13]}'),
    promote('office-hours', '{"schedule_from": "09:00", "schedule_to": "17:30", "schedule_weekdays": [1, 2, 3, 4, 5]}');
SELECT loyalty_apply('main');
SELECT to_char(time::timestamp, 'Dy'), time, applied(time)
FROM unnest(ARRAY[
    '2026-05-31T12:00', '2026-06-01T00:00', '2026-06-01T08:59:59', '2026-06-01T09:00', '2026-06-01T17:29:59',
    '2026-06-01T17:30',
    '2026-06-06T10:00', '2026-06-30T10:00', '2026-07-01T10:00', '2026-11-13T20:00', '2026-11-14T20:00',
    '2026-12-31T23:59:59'
]) AS time;
CALL clear();

-- A window past midnight belongs to the day on which it began.
SELECT promote('friday-night', '{"schedule_from": "22:00", "schedule_to": "02:00", "schedule_weekdays": [5]}'),
    promote('night-of-the-31st', '{"schedule_from": "20:00", "schedule_to": "06:00", "schedule_days": [31]}'),
    promote('late-evening', '{"schedule_from": "22:00", "schedule_to": "24:00"}');
SELECT loyalty_apply('main');
SELECT to_char(time::timestamp, 'Dy'), time, applied(time)
FROM unnest(ARRAY[
    '2026-06-05T01:00', '2026-06-05T21:59:59', '2026-06-05T22:00', '2026-06-05T23:59:59', '2026-06-06T00:00',
    '2026-06-06T01:59:59', '2026-06-06T02:00',
    '2026-07-31T05:00', '2026-07-31T20:00', '2026-08-01T05:59:59', '2026-08-01T06:00', '2026-07-01T05:00'
]) AS time;
CALL clear();

-- The change of clocks: 2:30 does not exist on 29 March and comes twice on 25 October.
SELECT promote('half-past-two', '{"schedule_from": "02:00", "schedule_to": "03:00"}'),
    promote('night', '{"schedule_from": "23:00", "schedule_to": "03:00", "schedule_days": [24, 28]}');
SELECT loyalty_apply('main');
SELECT time, time::timestamptz AT TIME ZONE 'Europe/Berlin' AS local, applied(time)
FROM unnest(ARRAY[
    '2026-03-29T00:59:59Z', '2026-03-29T01:00:00Z', '2026-10-24T23:30:00Z', '2026-10-25T00:30:00Z',
    '2026-10-25T01:30:00Z', '2026-10-25T02:00:00Z'
]) AS time;
CALL clear();

-- Every so many days, weeks, months: counted from the local date of the start; weeks from its Monday, months whole.
SELECT promote('third-day',
    '{"starts_at": "2026-06-02T22:30:00Z", "schedule_every_count": 3, "schedule_every_unit": "day"}'),
    promote('other-week',
        '{"starts_at": "2026-06-03T12:00:00Z", "schedule_every_count": 2, "schedule_every_unit": "week", "schedule_weekdays": [1, 3]}'),
    promote('quarter',
        '{"starts_at": "2026-06-03T12:00:00Z", "schedule_every_count": 3, "schedule_every_unit": "month", "schedule_days": [31, 3]}');
SELECT loyalty_apply('main');
SELECT promotion, string_agg(to_char(day, 'DD.MM'), ' ' ORDER BY day) AS days
FROM generate_series(timestamp '2026-06-01 18:00', '2027-06-30', '1 day') AS day
CROSS JOIN LATERAL unnest(string_to_array(applied(to_char(day, 'YYYY-MM-DD"T"HH24:MI')), ' ')) AS promotion
WHERE day < '2026-07-10' OR promotion = 'quarter'
GROUP BY promotion
ORDER BY promotion;
CALL clear();

-- All of it together: every second night from 1 June, if it begins on a weekday, until the end at 1:00 on 12 June.
SELECT promote('all',
    '{"starts_at": "2026-06-01T00:00:00+02:00", "ends_at": "2026-06-12T01:00:00+02:00", "schedule_months": [6], "schedule_weekdays": [1, 2, 3, 4, 5], "schedule_from": "23:00", "schedule_to": "01:30", "schedule_every_count": 2, "schedule_every_unit": "day"}');
SELECT loyalty_apply('main');
SELECT string_agg(to_char(time, 'DD.MM HH24:MI'), ', ' ORDER BY time)
FROM generate_series(timestamp '2026-05-31 22:30', '2026-06-13', '30 minutes') AS time
WHERE applied(to_char(time, 'YYYY-MM-DD"T"HH24:MI')) = 'all';

-- ---------------------------------------------------------------------------------------------------------------------
-- What the table refuses

\set VERBOSITY terse
INSERT INTO loyalty.promotions (program, external_id, name, kind, starts_at, ends_at)
    VALUES ('main', 'x', 'X', 'discount', '2026-01-01', '2026-01-01');
INSERT INTO loyalty.promotions (program, external_id, name, kind, starts_at)
    VALUES ('main', 'x', 'X', 'discount', '-infinity');
INSERT INTO loyalty.promotions (program, external_id, name, kind, ends_at, ends_after_count, ends_after_unit)
    VALUES ('main', 'x', 'X', 'discount', '2026-01-01', 1, 'day');
INSERT INTO loyalty.promotions (program, external_id, name, kind, ends_after_count)
    VALUES ('main', 'x', 'X', 'discount', 1);
INSERT INTO loyalty.promotions (program, external_id, name, kind, ends_after_count, ends_after_unit)
    VALUES ('main', 'x', 'X', 'discount', 0, 'day');
INSERT INTO loyalty.promotions (program, external_id, name, kind, ends_after_count, ends_after_unit)
    VALUES ('main', 'x', 'X', 'discount', 100001, 'day');
INSERT INTO loyalty.promotions (program, external_id, name, kind, ends_after_count, ends_after_unit)
    VALUES ('main', 'x', 'X', 'discount', 1, 'century');
INSERT INTO loyalty.promotions (program, external_id, name, kind, schedule_months)
    VALUES ('main', 'x', 'X', 'discount', '{0}');
INSERT INTO loyalty.promotions (program, external_id, name, kind, schedule_days)
    VALUES ('main', 'x', 'X', 'discount', '{1,32}');
INSERT INTO loyalty.promotions (program, external_id, name, kind, schedule_weekdays)
    VALUES ('main', 'x', 'X', 'discount', '{8}');
INSERT INTO loyalty.promotions (program, external_id, name, kind, schedule_weekdays)
    VALUES ('main', 'x', 'X', 'discount', '{1,NULL}');
INSERT INTO loyalty.promotions (program, external_id, name, kind, schedule_from)
    VALUES ('main', 'x', 'X', 'discount', '10:00');
INSERT INTO loyalty.promotions (program, external_id, name, kind, schedule_from, schedule_to)
    VALUES ('main', 'x', 'X', 'discount', '10:00', '10:00');
INSERT INTO loyalty.promotions (program, external_id, name, kind, schedule_every_count)
    VALUES ('main', 'x', 'X', 'discount', 2);
INSERT INTO loyalty.promotions (program, external_id, name, kind, schedule_every_count, schedule_every_unit)
    VALUES ('main', 'x', 'X', 'discount', 2, 'year');

DROP PROCEDURE clear();
DROP FUNCTION promote(text, jsonb), applied(text);
DROP SCHEMA loyalty CASCADE;
