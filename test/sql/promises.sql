-- What was accepted and not done in version 0.1.0: each finding by its number, with what is right.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SET datestyle = 'ISO';
CREATE EXTENSION IF NOT EXISTS loyalty;
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2026-11-29 12:00Z') \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('p', 'P', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.profiles VALUES ('ann', '{"city": "Riga"}'), ('bob', '{"city": "Oslo"}');
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
-- Everything below is taken back, finding by finding: none is another's cause.

-- ---------------------------------------------------------------------------------------------------------------------
-- F1: the profile of a dynamic tier has the segments that the profile is in, of either kind, and through other segments

BEGIN;
INSERT INTO loyalty.profile_segments (program, external_id, name, kind, predicate)
VALUES ('p', 'riga', 'Riga', 'dynamic', '$.attributes.city == "Riga"'), ('p', 'vip', 'VIP', 'static', NULL),
    ('p', 'both', 'Both', 'dynamic', '$.segments[*] == "riga" && $.segments[*] == "vip"');
INSERT INTO loyalty.tier_groups (program, external_id, name, model)
    VALUES ('p', 'g', 'G', 'dynamic'), ('p', 'h', 'H', 'dynamic');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, predicate)
VALUES ('p', 'local', 'g', 'Local', '$.profile.segments[*] == "riga"'),
    ('p', 'known', 'h', 'Known', '$.profile.segments[*] == "vip"'),
('p', 'neighbour', 'h', 'Neighbour', '$.profile.segments[*] == "both"');
SELECT member, tier_group, tier
    FROM unnest('{ann,bob}'::text[]) AS member, loyalty_tier(member, 'p') ORDER BY member, tier_group;
INSERT INTO loyalty.profile_segment_members (program, segment, profile) VALUES ('p', 'vip', 'ann'), ('p', 'vip', 'bob');
SELECT loyalty_judge(member, 'p') AS changed FROM unnest('{ann,bob}'::text[]) AS member;
SELECT member, tier_group, tier
    FROM unnest('{ann,bob}'::text[]) AS member, loyalty_tier(member, 'p') ORDER BY member, tier_group;
-- An unknown segment is refused, and so is the deletion of a known one.
SELECT * FROM refusal($$UPDATE loyalty.tiers SET predicate = '$.profile.segments[*] == "no such segment"'
    WHERE external_id = 'local'$$);
SELECT code, message, detail FROM refusal($$DELETE FROM loyalty.profile_segments WHERE external_id = 'both'$$);
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- F2: an order in transit has no points "after delivery", wherever its status stands; positions can be shifted at once

BEGIN;
INSERT INTO loyalty.order_statuses (external_id, name, position, kind) VALUES ('in_transit', 'In transit', 9, 'open');
INSERT INTO loyalty.promotions (program, external_id, name, kind, state) VALUES ('p', 'e', 'Earn', 'points', 'active');
INSERT INTO loyalty.promotion_conditions (program, promotion, level) VALUES ('p', 'e', 'order');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES ('p', 'e', 1, 'accrue_points', '{"point_type": "bonus", "points": 50, "credit_on": "delivered"}');
SELECT loyalty_apply('p');
SELECT loyalty_place_order(
    '{"external_id": "A", "member": "ann", "lines": [{"product": "x", "quantity": 1, "price": 10}]}') -> 'booked'
    AS booked;
SELECT loyalty_set_order_status('p', 'A', 'in_transit') -> 'booked' AS booked;
UPDATE loyalty.order_statuses SET position = position + 1 WHERE position BETWEEN 4 AND 9;
UPDATE loyalty.order_statuses SET position = 4 WHERE external_id = 'in_transit';
SELECT string_agg(external_id, ' ' ORDER BY position) AS statuses FROM loyalty.order_statuses;
SELECT loyalty_set_order_status('p', 'A', 'delivered') -> 'booked' -> 0 -> 'value' AS booked;
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- F3: codes of a universal pool are attached to nobody, so none is promised

BEGIN;
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind)
    VALUES ('p', 'uni', 'Universal', 'universal'), ('p', 'own', 'Own', 'personal');
INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
    VALUES ('p', 'i', 'Issue', 'discount', 'active');
INSERT INTO loyalty.promotion_conditions (program, promotion, level) VALUES ('p', 'i', 'order');
SELECT * FROM refusal($$INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('p', 'i', 1, 'issue_promo_code', '{"pool": "uni"}')$$);
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('p', 'i', 1, 'issue_promo_code', '{"pool": "own"}');
SELECT * FROM refusal($$UPDATE loyalty.promotion_benefits SET parameters = '{"pool": "uni"}'$$);
-- Nor does the pool become universal behind its back; one that nothing issues from does.
SELECT * FROM refusal($$UPDATE loyalty.promo_code_pools SET kind = 'universal' WHERE external_id = 'own'$$);
UPDATE loyalty.promo_code_pools SET kind = 'personal' WHERE external_id = 'uni';
UPDATE loyalty.promo_code_pools SET kind = 'universal' WHERE external_id = 'uni';
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- F4: what is booked by hand names an active trigger promotion and is bound by its rules, or names none

BEGIN;
INSERT INTO loyalty.promotions (program, external_id, name, kind)
    VALUES ('p', 'd', 'Draft', 'discount'), ('p', 't', 'Trigger', 'trigger');
INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, min_amount, max_amount)
    VALUES ('p', 't', 'accrual', 'bonus', 1, 500);
SELECT * FROM refusal($$SELECT loyalty_accrue('ann', 'p', 'bonus', 500, promotion => 'd')$$);
SELECT code, message
    FROM refusal($$INSERT INTO loyalty.transactions (member, program, point_type, type, value, promotion)
    VALUES ('ann', 'p', 'bonus', 'accrual', 500, 'd')$$);
SELECT code, message
    FROM refusal($$SELECT loyalty_hold('ann', 'p', 'bonus', 'accrual', 500, '1 hour', promotion => 'd')$$);
SELECT code, message, detail FROM refusal($$SELECT loyalty_accrue('ann', 'p', 'bonus', 500, promotion => 't')$$);
SELECT loyalty_activate_promotion('p', 't');
SELECT loyalty_accrue('ann', 'p', 'bonus', 500, promotion => 't') ->> 'promotion' AS promotion;
SELECT promotion, orders, points FROM loyalty.promotion_performance ORDER BY promotion;
-- A correction is not judged again, whatever became of the promotion.
SELECT loyalty_end_promotion('p', 't');
SELECT loyalty_cancel('ann', 'p', (SELECT id FROM loyalty.transactions WHERE promotion = 't')) ->> 'value' AS value;
-- So the draft has cost nothing and can go, with its group.
INSERT INTO loyalty.promotion_groups (program, external_id, name) VALUES ('p', 'g', 'G');
SELECT loyalty_move_promotion('p', 'd', 'g');
DELETE FROM loyalty.promotion_groups WHERE external_id = 'g';
SELECT count(*) FROM loyalty.promotions WHERE external_id = 'd';
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- F5: a trigger promotion obeys audience, schedule, limits and budget; what is about orders it cannot be given

BEGIN;
INSERT INTO loyalty.profile_segments (program, external_id, name, kind, predicate)
VALUES ('p', 'vip', 'VIP', 'static', NULL), ('p', 'riga', 'Riga', 'dynamic', '$.attributes.city == "Riga"'),
    ('p', 'both', 'Both', 'dynamic', '$.segments[*] == "vip" && $.segments[*] == "riga"');
INSERT INTO loyalty.tier_groups (program, external_id, name, model) VALUES ('p', 'g', 'G', 'dynamic');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, predicate)
    VALUES ('p', 'local', 'g', 'Local', '$.profile.segments[*] == "riga"');
INSERT INTO loyalty.promotions (program, external_id, name, kind, state) VALUES ('p', 't', 'T', 'trigger', 'active');
INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount, min_amount, max_amount)
    VALUES ('p', 't', 'accrual', 'bonus', 5, 1, 50), ('p', 't', 'deduction', 'bonus', 2, NULL, NULL);
CREATE FUNCTION fired(member text, amount numeric DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    problem text;
BEGIN
    RETURN loyalty_fire('t', member, 'accrual', amount => amount) ->> 'value';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS problem = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || problem;
END
$$;
-- Audience
UPDATE loyalty.promotions SET audience = 'in_segments', audience_segments = '{vip}' WHERE external_id = 't';
SELECT fired('ann');
SELECT * FROM refusal($$SELECT loyalty_accrue('ann', 'p', 'bonus', 5, promotion => 't')$$);
INSERT INTO loyalty.profile_segment_members (program, segment, profile) VALUES ('p', 'vip', 'ann');
SELECT fired('ann');
UPDATE loyalty.promotions SET audience_segments = '{both}' WHERE external_id = 't';
SELECT fired('ann'), fired('bob');
UPDATE loyalty.promotions SET audience = 'outside_segments', audience_segments = '{riga}' WHERE external_id = 't';
SELECT fired('ann'), fired('bob');
UPDATE loyalty.promotions SET audience = 'tiers', audience_segments = '{}', audience_tiers = '{local}'
    WHERE external_id = 't';
SELECT fired('ann'), fired('bob');
UPDATE loyalty.promotions SET audience = 'everyone', audience_tiers = '{}' WHERE external_id = 't';
-- Schedule: it is Sunday, 29 November 2026, noon.
UPDATE loyalty.promotions SET schedule_months = '{12}' WHERE external_id = 't';
SELECT fired('ann');
UPDATE loyalty.promotions
    SET schedule_months = '{11}', schedule_days = '{29}', schedule_weekdays = '{7}', schedule_from = '12:00',
    schedule_to = '13:00' WHERE external_id = 't';
SELECT fired('ann');
UPDATE loyalty.promotions SET schedule_from = '12:00:01' WHERE external_id = 't';
SELECT fired('ann');
UPDATE loyalty.promotions
    SET schedule_from = NULL, schedule_to = NULL, starts_at = '2026-11-26 12:00Z', schedule_every_count = 2,
    schedule_every_unit = 'day' WHERE external_id = 't';
SELECT fired('ann');
UPDATE loyalty.promotions SET starts_at = '2026-11-27 12:00Z' WHERE external_id = 't';
SELECT fired('ann');
UPDATE loyalty.promotions
    SET schedule_every_count = NULL, schedule_every_unit = NULL, schedule_months = '{}', schedule_days = '{}',
    schedule_weekdays = '{}' WHERE external_id = 't';
-- Uses, per member and in total, count from when there is a limit; what is cancelled or rolled back counts no more.
UPDATE loyalty.promotions SET max_uses_per_member = 1, max_uses = 3 WHERE external_id = 't';
SELECT loyalty_fire('t', 'ann', 'accrual', external_id => 'once') ->> 'repeated' AS repeated;
SELECT loyalty_fire('t', 'ann', 'accrual', external_id => 'once') ->> 'repeated' AS repeated;
SELECT fired('ann');
SELECT loyalty_cancel('ann', 'p', external_id => 'once') ->> 'value' AS cancelled;
SELECT loyalty_hold('ann', 'p', 'bonus', 'accrual', 5, '1 hour', promotion => 't', external_id => 'held') ->> 'state'
    AS state;
SELECT fired('ann');
SELECT loyalty_cancel('ann', 'p', external_id => 'held') ->> 'state' AS state;
SELECT loyalty_hold('ann', 'p', 'bonus', 'accrual', 5, '1 hour', promotion => 't', external_id => 'kept') ->> 'state'
    AS state;
SELECT loyalty_commit('ann', 'p', external_id => 'kept') ->> 'value' AS value;
SELECT fired('ann'), fired('bob');
UPDATE loyalty.promotions SET max_uses_per_member = NULL WHERE external_id = 't';
SELECT fired('bob'), fired('bob');
SELECT uses, points FROM loyalty.promotion_counters WHERE promotion = 't';
-- A budget of points: never in part. A deduction needs none of it.
UPDATE loyalty.promotions SET max_uses = NULL, points_budget = 20 WHERE external_id = 't';
SELECT fired('ann', 6), fired('ann', 5), fired('ann', 1);
SELECT loyalty_fire('t', 'ann', 'deduction') ->> 'value' AS value;
SELECT uses, points FROM loyalty.promotion_counters WHERE promotion = 't';
SELECT invariant, detail FROM loyalty_verify();
SELECT code, message FROM refusal($$UPDATE loyalty.trigger_uses SET points = 1$$);
-- What is about orders
SELECT * FROM refusal($$UPDATE loyalty.promotions SET money_budget = 5 WHERE external_id = 't'$$);
SELECT message FROM refusal($$UPDATE loyalty.promotions SET benefit_rule = 'parallel' WHERE external_id = 't'$$);
SELECT * FROM refusal($$INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('p', 't')$$);
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- F6: firing takes what a booking takes; the list of transactions has program, promotion and source

BEGIN;
INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
    VALUES ('p', 't', 'Birthday gift', 'trigger', 'active');
INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount)
    VALUES ('p', 't', 'accrual', 'bonus', 5);
SELECT loyalty_fire('t', 'ann', external_id => 'b1', created_at => '2026-11-28 09:00Z', comment => 'Happy birthday',
    data => '{"year": 40}') - '{id,booked_at,seq}'::text[] AS answer;
SELECT loyalty_fire('t', 'ann', external_id => 'b1', created_at => '2026-11-28 09:00Z', comment => 'Happy birthday',
    data => '{"year": 40}') ->> 'repeated' AS repeated;
SELECT code, detail ~ 'comment' AS names_it
    FROM refusal($$SELECT loyalty_fire('t', 'ann', external_id => 'b1', comment => 'Other')$$);
SELECT loyalty_fire('t', 'ann', source_type => 'call', source => '17') ->> 'source' AS source;
SELECT code FROM refusal($$SELECT loyalty_fire('t', 'ann', source_type => 'order', source => '17')$$);
SELECT code FROM refusal($$SELECT loyalty_fire('t', 'ann', source => '17')$$);
SELECT loyalty_accrue('ann', 'p', 'bonus', 5, promotion => 't') ->> 'value' AS by_hand;
SELECT loyalty_accrue('ann', 'p', 'bonus', 1) ->> 'value' AS without;
SELECT value, source_type, source, program, promotion, comment FROM loyalty.transaction_list
    WHERE member = 'ann' ORDER BY balance_after;
-- What version 0.1.0 fired had no source; it is still the same request.
INSERT INTO loyalty.transactions (member, program, point_type, type, value, external_id, promotion)
    VALUES ('bob', 'p', 'bonus', 'accrual', 5, 'old', 't');
SELECT loyalty_fire('t', 'bob', external_id => 'old') ->> 'repeated' AS repeated;
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- F8: a draft without a start is tried on past orders, drafts take part if asked, and all is told: in rows, and why

BEGIN;
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
    VALUES ('p', 'n', 'New', 'discount', 'active', 'everyone'), ('p', 'w', 'In work', 'discount', 'draft', 'everyone');
INSERT INTO loyalty.promotion_conditions (program, promotion, level) VALUES ('p', 'n', 'product'), ('p', 'w', 'order');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('p', 'n', 1, 'discount', '{"percent": 10}'), ('p', 'w', 1, 'discount', '{"percent": 50}');
\set past '{"program": "p", "external_id": "A", "time": "2026-11-01T12:00", "lines": [{"id": "1", "product": "x", "quantity": 1, "price": 100}]}'
SELECT loyalty_test(:'past') #> '{summary,total,total}' AS total,
    loyalty_test(:'past', '{"with_drafts": true}') #> '{summary,total,total}' AS with_drafts;
-- Said when it starts, it starts then.
UPDATE loyalty.promotions SET starts_at = '2026-11-02' WHERE external_id = 'n';
SELECT loyalty_test(:'past') #> '{summary,total,total}' AS total;
UPDATE loyalty.promotions SET starts_at = NULL WHERE external_id = 'n';
SELECT loyalty_explain(:'past', draft => true);
SELECT loyalty_explain(:'past', draft => true, everything => true);
SELECT loyalty_explain(:'past', draft => true, context => '{"with_drafts": true}');
SELECT loyalty_explain(:'past');
SELECT * FROM refusal(
    $$SELECT loyalty_explain('{"lines": [{"product": "x", "quantity": 1, "price": 100}]}',
    context => '{"with_drafts": true}')$$);
SELECT * FROM loyalty_test_operations(:'past', '{"with_drafts": true}');
SELECT loyalty_test('{"program": "p", "total": 250, "lines": [{"product": "x", "quantity": 1, "price": 100}]}',
    '{"auto_calculate": false}') -> 'summary' AS summary;
-- In force it starts with its first apply, as ever.
SELECT loyalty_apply('p');
SELECT loyalty_calculate(:'past') #> '{totals,total}' AS total;
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- A refusal is told without the statements of ours that led to it

\set SHOW_CONTEXT errors
SELECT loyalty_redeem('ann', 'p', 'bonus', 5);
INSERT INTO loyalty.promotions (program, external_id, name, kind) VALUES ('p', 'd', 'D', 'discount');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('p', 'd');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('p', 'd', 1, 'discount', '{"percent": 101}');
SELECT loyalty_save_promotion('p', '{"external_id": "y", "naem": "Y"}');
SELECT loyalty_import('{"external_id": "p", "point_types": [{"external_id": "bonus", "ratio": "abc"}]}');
SELECT * FROM loyalty_plan(
    '{"external_id": "p", "promotions": [{"external_id": "d", "conditions": [{"mode": "some"}]}]}');
UPDATE loyalty.promotions SET state = 'active' WHERE external_id = 'd';
-- The user's own functions are named as ever.
CREATE FUNCTION spend()
    RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM loyalty_redeem('ann', 'p', 'bonus', 5); END $$;
SELECT spend();
DROP FUNCTION spend;
\set SHOW_CONTEXT never

-- ---------------------------------------------------------------------------------------------------------------------
-- F11: the same people take part in one active program, whatever column is their key

BEGIN;
CREATE TABLE customers (id integer PRIMARY KEY, mail text UNIQUE);
CREATE TABLE others (id integer PRIMARY KEY, mail text UNIQUE);
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
VALUES ('d1', 'D', 'customers', 'id'), ('d2', 'D', 'customers', 'mail'), ('d3', 'D', 'others', 'id');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('x1', 'X', 'd1', 'EUR', 'UTC', true);
SELECT * FROM refusal($$INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('x2', 'X', 'd2', 'EUR', 'UTC', true)$$);
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
    VALUES ('x2', 'X', 'd2', 'EUR', 'UTC');
SELECT code, message FROM refusal($$UPDATE loyalty.programs SET active = true WHERE external_id = 'x2'$$);
UPDATE loyalty.programs SET active = false WHERE external_id = 'x1';
UPDATE loyalty.programs SET active = true WHERE external_id = 'x2';
-- Nor does an active program's profile database become the relation of another one's.
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('x3', 'X', 'd3', 'EUR', 'UTC', true);
SELECT code, message, detail
    FROM refusal($$UPDATE loyalty.profile_databases SET relation = 'customers' WHERE external_id = 'd3'$$);
SELECT string_agg(external_id, ' ' ORDER BY external_id) AS active FROM loyalty.programs WHERE active;
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- F12: a promotion without what it needs is neither activated nor applied

BEGIN;
INSERT INTO loyalty.promotions (program, external_id, name, kind)
    VALUES ('p', 'e', 'Empty', 'discount'), ('p', 't', 'Empty trigger', 'trigger');
SELECT * FROM refusal($$SELECT loyalty_activate_promotion('p', 'e')$$);
SELECT * FROM refusal($$UPDATE loyalty.promotions SET state = 'active' WHERE external_id = 't'$$);
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('p', 'e');
SELECT code FROM refusal($$SELECT loyalty_activate_promotion('p', 'e')$$);
-- Written as active, its content may follow, but not behind the apply.
INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
    VALUES ('p', 'f', 'Follows', 'discount', 'active');
SELECT * FROM refusal($$SELECT loyalty_apply('p')$$);
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('p', 'f');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('p', 'f', 1, 'discount', '{"percent": 10}');
SELECT loyalty_apply('p');
DELETE FROM loyalty.promotion_benefits;
SELECT code, message FROM refusal($$SELECT loyalty_apply('p')$$);
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- F13: a dynamic tier follows the profile at once, in the bundled table and in one that carries the trigger

BEGIN;
INSERT INTO loyalty.tier_groups (program, external_id, name, model) VALUES ('p', 'g', 'G', 'dynamic');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, predicate)
    VALUES ('p', 'local', 'g', 'Local', '$.profile.attributes.city == "Riga"');
SELECT member, tier FROM unnest('{ann,bob}'::text[]) AS member, loyalty_tier(member, 'p') ORDER BY member;
UPDATE loyalty.profiles SET attributes = jsonb_build_object('city', CASE key WHEN 'ann' THEN 'Oslo' ELSE 'Riga' END);
SELECT member, tier FROM unnest('{ann,bob}'::text[]) AS member, loyalty_tier(member, 'p') ORDER BY member;
SELECT profile, data - 'at' AS data FROM loyalty.events WHERE type = 'tier_changed' ORDER BY number;
INSERT INTO loyalty.profiles
    VALUES ('ann', '{"city": "Riga"}'),
    ('new', '{"city": "Riga"}') ON CONFLICT (key) DO UPDATE SET attributes = EXCLUDED.attributes;
SELECT tier FROM loyalty_tier('ann', 'p');
CREATE TABLE customers (id integer PRIMARY KEY, city text);
CREATE TABLE visits (number integer, customer integer, city text);
INSERT INTO customers VALUES (7, 'Riga'), (8, 'Oslo');
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column) VALUES ('c', 'C', 'customers', 'id');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('c', 'C', 'c', 'EUR', 'UTC', true);
INSERT INTO loyalty.members (member, program) VALUES ('7', 'c'), ('8', 'c');
INSERT INTO loyalty.tier_groups (program, external_id, name, model) VALUES ('c', 'g', 'G', 'dynamic');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, predicate)
    VALUES ('c', 'local', 'g', 'Local', '$.profile.city == "Riga"');
CREATE TRIGGER judge AFTER UPDATE ON customers REFERENCING NEW TABLE AS written FOR EACH STATEMENT
    EXECUTE FUNCTION loyalty_judge_trigger();
UPDATE customers SET city = CASE id WHEN 7 THEN 'Oslo' ELSE 'Riga' END;
SELECT member, tier FROM unnest('{7,8}'::text[]) AS member, loyalty_tier(member, 'c') ORDER BY member;
-- A table beside the profiles names the program and its own column with the key.
DROP TRIGGER judge ON customers;
CREATE TRIGGER judge AFTER INSERT ON visits REFERENCING NEW TABLE AS seen FOR EACH STATEMENT
    EXECUTE FUNCTION loyalty_judge_trigger('c', 'customer');
UPDATE customers SET city = 'Riga' WHERE id = 7;
SELECT tier FROM loyalty_tier('7', 'c');
INSERT INTO visits VALUES (1, 7, 'Riga'), (2, NULL, 'Riga'), (3, 99, 'Riga');
SELECT tier FROM loyalty_tier('7', 'c');
CREATE TRIGGER wrong AFTER INSERT ON customers FOR EACH ROW EXECUTE FUNCTION loyalty_judge_trigger();
SELECT code, message, detail FROM refusal($$INSERT INTO customers VALUES (9, 'Riga')$$);
SELECT count(*) FROM loyalty_verify();
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- F17: kept_until is the moment from which the tier is lower, if nothing happens

BEGIN;
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, scale, active)
    VALUES ('p', 'q', 'Q', 'qualification', 1, 0, true), ('p', 'r', 'R', 'qualification', 1, 0, true);
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type, interval_count, interval_unit,
    upgrade_at_once, extend_to_month_end, reset_count, reset_unit)
VALUES ('p', 'c', 'C', 'cyclic', 'q', 1, 'month', true, true, NULL, NULL),
    ('p', 'd', 'D', 'cyclic', 'r', 1, 'month', false, false, 1, 'year');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
VALUES ('p', 'low', 'c', 'L', 0), ('p', 'high', 'c', 'H', 100), ('p', 'silver', 'd', 'S', 10);
-- The lowest is never lost.
SELECT tier_group, tier, kept_until FROM loyalty_tier('ann', 'p') ORDER BY tier_group;
SELECT loyalty_accrue('ann', 'p', type, 100) ->> 'value' AS value FROM unnest('{q,r}'::text[]) AS type;
SELECT tier_group, tier, kept_until FROM loyalty_tier('ann', 'p') ORDER BY tier_group;
SELECT tier_group, tier, kept_until FROM loyalty_tier('ann', 'p', '2026-12-30 12:00Z') ORDER BY tier_group;
SELECT foreseen.tier_group, foreseen.tier, min(at) AS first, max(at) AS last
FROM generate_series('2026-11-29 12:00Z'::timestamptz, '2028-03-01', '12 hours') AS at,
loyalty_tier('ann', 'p', at) AS foreseen
WHERE foreseen.tier IN ('high', 'silver')
GROUP BY foreseen.tier_group, foreseen.tier
ORDER BY foreseen.tier_group;
ROLLBACK;

-- ---------------------------------------------------------------------------------------------------------------------
-- F18: INSERT INTO loyalty.members enrols: a profile there is, its initial balance, its tier, an event

BEGIN;
INSERT INTO loyalty.point_types (program, external_id, name, ratio, initial_balance, active)
    VALUES ('p', 'gift', 'Gift', 1, 50, true);
INSERT INTO loyalty.tier_groups (program, external_id, name, model) VALUES ('p', 'g', 'G', 'dynamic');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, predicate)
    VALUES ('p', 'new', 'g', 'New', '$.balances.gift.active >= 50');
INSERT INTO loyalty.profiles VALUES ('eve', '{}'), ('fay', '{}'), ('gus', '{}');
INSERT INTO loyalty.members (member, program) VALUES ('eve', 'p'), ('fay', 'p');
SELECT member, total, tier FROM loyalty.members, loyalty_balance(member, 'p', 'gift'), loyalty_tier(member, 'p')
    WHERE member IN ('eve', 'fay') ORDER BY member;
SELECT type, profile FROM loyalty.events WHERE profile = 'eve' ORDER BY number;
SELECT loyalty_enrol('eve', 'p') ->> 'outcome' AS outcome;
-- What was there before, or is dropped on its way, is not enrolled anew.
INSERT INTO loyalty.members (member, program) VALUES ('eve', 'p'), ('gus', 'p') ON CONFLICT DO NOTHING;
SELECT member, count(*) FROM loyalty.transactions WHERE type = 'initial' GROUP BY member ORDER BY member;
-- Who has no profile, one of the future, or a program at rest, fails the statement as a whole.
SELECT * FROM refusal($$INSERT INTO loyalty.members (member, program) SELECT unnest('{ann2,nobody}'::text[]), 'p'$$);
INSERT INTO loyalty.profiles VALUES ('hal', '{}');
SELECT code, message
    FROM refusal($$INSERT INTO loyalty.members (member, program, registered_at) VALUES ('hal', 'p', '2027-01-01')$$);
UPDATE loyalty.programs SET active = false;
SELECT code, message FROM refusal($$INSERT INTO loyalty.members (member, program) VALUES ('hal', 'p')$$);
UPDATE loyalty.programs SET active = true;
-- A row that says since when is taken as it stands, whoever it is: restores bring the rest themselves.
INSERT INTO loyalty.members (member, program, enrolled_at)
    VALUES ('nobody', 'p', '2026-11-29 12:00Z'), ('hal', 'p', '2026-01-01');
SELECT count(*) FROM loyalty.transactions WHERE member IN ('hal', 'nobody');
-- A key is written as its column writes it.
CREATE TABLE numbered (id integer PRIMARY KEY);
INSERT INTO numbered VALUES (7);
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column) VALUES ('n', 'N', 'numbered', 'id');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('n', 'N', 'n', 'EUR', 'UTC', true);
SELECT * FROM refusal($$INSERT INTO loyalty.members (member, program) VALUES ('007', 'n')$$);
SELECT code FROM refusal($$INSERT INTO loyalty.members (member, program) VALUES ('seven', 'n')$$);
INSERT INTO loyalty.members (member, program) VALUES ('7', 'n');
SELECT count(*) FROM loyalty_verify();
ROLLBACK;

DROP SCHEMA loyalty CASCADE;
DROP FUNCTION refusal;
