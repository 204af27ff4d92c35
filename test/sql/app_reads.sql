-- What an application reads by functions, its tables being closed to it (F9); promo codes changed and imported with
-- what they have behind them; cards and lists of members.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'Asia/Tokyo';
SELECT loyalty_create_schema();
SELECT loyalty_set_clock('2026-03-01 03:30:00+00');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('p', 'P', 'profiles', 'EUR', 'America/New_York', true), ('q', 'Q', 'profiles', 'EUR', 'UTC', false);
INSERT INTO loyalty.profiles
    VALUES ('ann', '{"email": "ann@example.com", "phone": "+371"}'), ('bob', '{}'), ('eve', '{}');
INSERT INTO loyalty.point_types (program, external_id, name, ratio, active, initial_balance)
    VALUES ('p', 'bonus', 'Bonus', 10, true, 25);
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, scale, active)
    VALUES ('p', 'miles', 'Miles', 'qualification', 1, 0, true);
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type)
    VALUES ('p', 'club', 'Club', 'cumulative', 'miles');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
    VALUES ('p', 'silver', 'club', 'Silver', 0);
SELECT loyalty_enrol(member, 'p') ->> 'outcome' FROM unnest('{ann,bob,eve}'::text[]) AS member;
SELECT loyalty_remove_member('eve', 'p') AS removed;
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
    VALUES ('p', 'ten', 'Ten off', 'discount', 'active', 'everyone');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('p', 'ten');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('p', 'ten', 1, 'discount', '{"percent": 10}');
INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
    VALUES ('p', 'earn', 'Earn', 'points', 'active');
INSERT INTO loyalty.promotion_conditions (program, promotion, level) VALUES ('p', 'earn', 'order');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('p', 'earn', 1, 'accrue_points', '{"point_type": "bonus", "percent": 10, "credit_on": "delivered"}');
INSERT INTO loyalty.promotions (program, external_id, name, description, kind, state)
    VALUES ('p', 'gift', 'A gift', 'For a birthday', 'trigger', 'active'),
    ('p', 'old', 'Old', NULL, 'trigger', 'active');
INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount, min_amount, max_amount)
VALUES ('p', 'gift', 'accrual', 'bonus', 5, NULL, NULL), ('p', 'gift', 'accrual', 'miles', NULL, 1, 100),
    ('p', 'old', 'accrual', 'bonus', 1, NULL, NULL);
SELECT loyalty_end_promotion('p', 'old');
SELECT loyalty_apply('p');
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind)
    VALUES ('p', 'pers', 'Personal codes', 'personal'), ('p', 'uni', 'Universal', 'universal');
INSERT INTO loyalty.promo_codes (code, program, pool)
    VALUES ('C1', 'p', 'pers'), ('C2', 'p', 'pers'), ('U1', 'p', 'uni');
INSERT INTO loyalty.products (program, sku, name, price) VALUES ('p', 'TEA', 'Green tea', 40);
CREATE ROLE regress_loyalty_app;
SELECT loyalty_grant('regress_loyalty_app', 'app');
CREATE ROLE regress_loyalty_admin;
SELECT loyalty_grant('regress_loyalty_admin', 'admin');

SET ROLE regress_loyalty_app;
SELECT loyalty_place_order(
    '{"external_id": "A", "member": "ann", "shipping": 5, "lines": [{"product": "TEA", "quantity": 2}, {"product": "CUP", "price": 10, "quantity": 1}], "fields": {"note": "ring"}}') ->> 'status';
SELECT loyalty_return_items('p', 'A', '[{"id": "00001", "quantity": 1}]', 'R') ->> 'money' AS money;
SELECT jsonb_pretty(loyalty_order('p', 'A'));
SELECT loyalty_place_order(
    jsonb_build_object('external_id', id, 'member', 'ann', 'lines',
    '[{"product": "TEA", "quantity": 1}]'::jsonb)) ->> 'status' FROM unnest('{B,C}'::text[]) AS id;
SELECT loyalty_set_order_status('p', 'B', 'delivered') ->> 'status';
-- The latest first, page by page.
SELECT external_id, status, status_name, total, discount, refunded, currency FROM loyalty_orders('ann');
SELECT external_id FROM loyalty_orders('ann', page_size => 2, program => 'p');
SELECT external_id FROM loyalty_orders('ann', before => 'B', page_size => 2);
SELECT count(*) FROM loyalty_orders('nobody');
SELECT count(*) FROM loyalty_orders('ann', program => 'q');
-- What products earn (F9), as the catalogue's page shows it: of a member, and of a guest, who earns nothing.
SELECT sku, base, price, points, more FROM loyalty_prices('ann', program => 'p') ORDER BY sku;
SELECT sku, price, points FROM loyalty_prices(NULL, program => 'p') ORDER BY sku;
SELECT * FROM loyalty_trigger_promotions('p');
SELECT loyalty_attach_promo_code('p', 'ann', 'pers', 'C1');
SELECT code, pool, pool_name, kind, state, profile, uses, max_uses, expires_at, order_id
    FROM loyalty_promo_code('p', ' c1');
SELECT code, state FROM loyalty_promo_codes('ann');
SELECT count(*) FROM loyalty_promo_codes('bob');
-- What is refused.
SELECT loyalty_order('p', 'Z');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM loyalty_orders('ann', page_size => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM loyalty_orders(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM loyalty_promo_code('p', 'C9');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM loyalty_trigger_promotions('z');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM loyalty_update_promo_code('p', 'C1');
SELECT status FROM loyalty.orders;

-- ---------------------------------------------------------------------------------------------------------------------
-- A code is changed (F9)

RESET ROLE;
SET ROLE regress_loyalty_admin;
SELECT loyalty_activate_promo_code('p', 'ann', 'C1') AS uses;
SELECT loyalty_activate_promo_code('p', 'ann', 'C1') AS uses;
SELECT state, uses, expires_at FROM loyalty_update_promo_code('p', 'c1', free_uses => true);
SELECT loyalty_activate_promo_code('p', 'ann', 'C1') AS uses;
-- The last day ends at midnight in New York, whatever the session's zone.
SELECT state, uses, expires_at AT TIME ZONE 'America/New_York' AS expires
    FROM loyalty_update_promo_code('p', 'C1', expires_on => '2026-02-28');
SELECT state, uses, expires_at AT TIME ZONE 'America/New_York' AS expires
    FROM loyalty_update_promo_code('p', 'C1', expires_on => '2026-02-27', free_uses => true);
SELECT state, expires_at FROM loyalty_update_promo_code('p', 'C1', expires_at => 'infinity');
SELECT * FROM loyalty_update_promo_code('p', 'C1', expires_at => 'infinity', expires_on => '2027-01-01');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM loyalty_update_promo_code('p', 'C9');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
-- One that an order used stands with the order, and can be used again.
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience, promo_code_pool)
    VALUES ('p', 'code', 'By code', 'discount', 'active', 'everyone', 'uni');
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('p', 'code');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('p', 'code', 1, 'discount', '{"percent": 50}');
UPDATE loyalty.promo_code_pools SET max_uses = 1 WHERE external_id = 'uni';
SELECT loyalty_apply('p');
SELECT loyalty_place_order(
    '{"external_id": "D", "promo_codes": ["U1"], "lines": [{"product": "TEA", "quantity": 1}]}') #> '{promo_codes,0,status}' AS status;
SELECT state, uses FROM loyalty_update_promo_code('p', 'U1', free_uses => true);
SELECT loyalty_place_order(
    '{"external_id": "E", "promo_codes": ["U1"], "lines": [{"product": "TEA", "quantity": 1}]}') #> '{promo_codes,0,status}' AS status;
SELECT loyalty_cancel_order('p', 'D') ->> 'money' AS money;
SELECT order_id, freed_at IS NOT NULL AS freed, freed_by_hand FROM loyalty.promo_code_uses
    WHERE code = 'U1' ORDER BY order_id;
SELECT state, uses FROM loyalty_promo_code('p', 'U1');
SELECT * FROM loyalty_verify('p');

-- ---------------------------------------------------------------------------------------------------------------------
-- Masks and imports agree on letters, and imports take uses and dates along

SELECT loyalty_generate_promo_codes('p', 'uni', ' summer-лето-# ', 10);
CREATE TABLE imported (code) AS SELECT ' summer-лето-' || number FROM generate_series(0, 9) AS number;
SELECT inserted, duplicates FROM loyalty_import_promo_codes('p', 'uni', 'imported');
SELECT count(*) FROM loyalty.promo_codes WHERE code LIKE 'SUMMER-%';
SELECT loyalty_generate_promo_codes('p', 'uni', 'two words', 1);
-- Their last day may be given in place of a moment; a row's own goes before it.
SELECT loyalty_generate_promo_codes('p', 'uni', 'DAY-#', 1, expires_on => '2026-03-31');
SELECT loyalty_generate_promo_codes('p', 'uni', 'DAY-#', 1, '2026-03-31 12:00Z', expires_on => '2026-03-31');
CREATE TABLE days (code text, last_day date);
INSERT INTO days VALUES ('day-own', '2026-03-01'), ('day-all', NULL);
SELECT inserted
    FROM loyalty_import_promo_codes('p', 'uni', 'days', expires_column => 'last_day', expires_on => '2026-03-31');
SELECT regexp_replace(code, '\d', 'N') AS code, expires_at AT TIME ZONE 'America/New_York' AS expires
    FROM loyalty.promo_codes WHERE code LIKE 'DAY-%' ORDER BY code COLLATE "C";
DELETE FROM loyalty.promo_codes WHERE code LIKE 'DAY-%';
DROP TABLE days;
UPDATE loyalty.promo_code_pools SET max_uses = 3 WHERE external_id = 'uni';
CREATE TABLE handed_over (code text, used integer, last_day date, until timestamptz);
INSERT INTO handed_over
    VALUES ('one', 1, '2026-02-28', 'infinity'), ('three', 3, NULL, '2026-02-01 00:00+00'),
    ('none', NULL, '2026-12-31', NULL), ('minus', -1, NULL, NULL), ('one', 2, NULL, NULL);
SELECT * FROM loyalty_import_promo_codes('p', 'uni', 'handed_over', uses_column => 'used',
    expires_column => 'last_day');
SELECT code, state, uses, expires_at AT TIME ZONE 'America/New_York' AS expires FROM loyalty.promo_code_states
    WHERE code IN ('ONE', 'THREE', 'NONE') ORDER BY code;
DELETE FROM loyalty.promo_codes WHERE code IN ('ONE', 'THREE', 'NONE');
SELECT inserted
    FROM loyalty_import_promo_codes('p', 'uni', 'handed_over', expires_at => '2027-01-01 00:00+00',
    expires_column => 'until');
SELECT code, uses, expires_at AT TIME ZONE 'UTC' AS expires FROM loyalty.promo_code_states
    WHERE code IN ('ONE', 'THREE', 'NONE', 'MINUS') ORDER BY code;
SELECT * FROM loyalty_verify('p');

-- ---------------------------------------------------------------------------------------------------------------------
-- Cards and lists: days of the program, and no money for what buys nothing

SELECT loyalty_accrue('ann', 'p', 'miles', 100) ->> 'value' AS miles;
SELECT loyalty_member_card('ann', 'p', 1);
SELECT point_type, active, active_money FROM loyalty_balance('ann', 'p') ORDER BY 1;
SELECT * FROM loyalty_export_members('p');
SELECT * FROM loyalty_export_members('z');

-- ---------------------------------------------------------------------------------------------------------------------
-- What there is about a code beside: data, the moment it was used, and the pool's name for mailings

UPDATE loyalty.promo_code_pools SET template = 'two words' WHERE external_id = 'pers';
UPDATE loyalty.promo_code_pools SET template = 'birthday' WHERE external_id = 'pers';
UPDATE loyalty.promo_code_pools SET template = 'birthday' WHERE external_id = 'uni';
CREATE TABLE with_data (code text, more jsonb);
INSERT INTO with_data VALUES ('d1', '{"campaign": "spring"}'), ('d2', NULL), ('d3', '[1]');
SELECT * FROM loyalty_import_promo_codes('p', 'pers', 'with_data', data_column => 'more');
DROP TABLE with_data;
SELECT loyalty_attach_promo_code('p', 'bob', 'pers', 'D1');
SELECT data FROM loyalty.events WHERE type = 'promo_code_issued' AND profile = 'bob';
SELECT code, template, data, activated_at FROM loyalty_promo_codes('bob');
SELECT loyalty_activate_promo_code('p', 'bob', 'D1');
SELECT code, state, activated_at = loyalty_now() AS used_now FROM loyalty_promo_code('p', 'D1');
SELECT code, state, activated_at, data
    FROM loyalty_update_promo_code('p', 'D1', free_uses => true, new_data => '{"campaign": "summer"}');
SELECT loyalty_update_promo_code('p', 'D1', new_data => '7');
\echo :LAST_ERROR_SQLSTATE
-- What is known beside figures and dates goes with the member.
SELECT loyalty_erase_member('bob', 'p') ->> 'member' AS erased;
SELECT code, profile, data FROM loyalty.promo_codes WHERE code = 'D1';
SELECT loyalty_detach_promo_code('p', 'D1');
DELETE FROM loyalty.promo_codes WHERE code = 'D2';

-- ---------------------------------------------------------------------------------------------------------------------
-- Tiers that were reached

INSERT INTO loyalty.tiers (program, external_id, tier_group, name, threshold)
    VALUES ('p', 'gold', 'club', 'Gold', 150), ('p', 'black', 'club', 'Black', 160),
    ('p', 'diamond', 'club', 'Diamond', 170);
INSERT INTO loyalty.tier_groups (program, external_id, name, model) VALUES ('p', 'deeds', 'Deeds', 'dynamic');
INSERT INTO loyalty.tiers (program, external_id, tier_group, name, predicate)
    VALUES ('p', 'buyer', 'deeds', 'Buyer', '$.orders.count >= 100'),
    ('p', 'friend', 'deeds', 'Friend', '$.profile.attributes.email == "ann@example.com"');
SELECT loyalty_set_clock('2026-03-02 12:00+00');
SET ROLE regress_loyalty_app;
SELECT loyalty_accrue('ann', 'p', 'miles', 65, external_id => 'miles') ->> 'value' AS miles;
-- Black was reached and takes gold along; of deeds each speaks for itself.
SELECT tier_group, tier, name, position, reached_at AT TIME ZONE 'America/New_York' AS reached, is_held
    FROM loyalty_tiers_reached('ann', 'p');
SELECT * FROM loyalty_tiers_reached('nobody', 'p');
\echo :LAST_ERROR_SQLSTATE
-- What has ended stays reached.
RESET ROLE;
SELECT loyalty_set_tier('ann', 'p', 'club', 'diamond', '2026-03-03 00:00+00', 'a trial');
SELECT loyalty_set_clock('2026-03-04 12:00+00');
SELECT tier, reached_at AT TIME ZONE 'UTC' AS reached, is_held FROM loyalty_tiers_reached('ann', 'p')
    WHERE tier_group = 'club';
SELECT loyalty_cancel('ann', 'p', external_id => 'miles') ->> 'value' AS miles;

-- ---------------------------------------------------------------------------------------------------------------------
-- What is in force here, as an application sees it

SET ROLE regress_loyalty_app;
SELECT program, version, applied_at IS NULL AS nothing_applied, position > '0/0' AS has_position,
    as_of <= clock_timestamp() AS has_moment, is_standby
FROM loyalty_applied();
SELECT count(*) FROM loyalty_applied('p');
SELECT * FROM loyalty_applied('nowhere');
SELECT tree FROM loyalty.promotion_versions;
RESET ROLE;

DROP SCHEMA loyalty CASCADE;
DROP TABLE handed_over, imported;
DROP OWNED BY regress_loyalty_app, regress_loyalty_admin;
DROP ROLE regress_loyalty_app, regress_loyalty_admin;
