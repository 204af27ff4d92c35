-- Errors that people hit: each is ours, with the value and what there is instead.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE EXTENSION IF NOT EXISTS loyalty;
SELECT loyalty_create_schema() \g /dev/null
SELECT loyalty_set_clock('2027-12-01 12:00Z') \g /dev/null
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('p', 'P', 'profiles', 'EUR', 'UTC', true);
INSERT INTO loyalty.point_types (program, external_id, name, ratio, active)
    VALUES ('p', 'bonus', 'Bonus', 1, true), ('p', 'miles', 'Miles', 1, true);
INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind) VALUES ('p', 'uni', 'U', 'universal');
INSERT INTO loyalty.products (program, sku, name, price) VALUES ('p', 'tea', 'Tea', 5);
INSERT INTO loyalty.partners (program, external_id, name) VALUES ('p', 'acme', 'Acme');
INSERT INTO loyalty.promotion_groups (program, external_id, name) VALUES ('p', 'g', 'G');
INSERT INTO loyalty.promotions (program, external_id, name, kind, parent)
    VALUES ('p', 'd', 'D', 'discount', 'g'), ('p', 't', 'T', 'trigger', NULL);
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('p', 'd');
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

-- ---------------------------------------------------------------------------------------------------------------------
-- Names of what there is not

SELECT refused.* FROM unnest(ARRAY[
    $$INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount)
        VALUES ('p', 't', 'accrual', 'bonsu', 5)$$,
    $$INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
        VALUES ('p', 'd', 2, 'discount', '{"percent": 5}')$$,
    $$INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('p', 'x')$$,
    $$INSERT INTO loyalty.partner_products (program, sku, partner, discount_percent)
        VALUES ('p', 'coffee', 'acme', 5)$$,
    $$INSERT INTO loyalty.partner_products (program, sku, partner, discount_percent) VALUES ('p', 'tea', 'acne', 5)$$,
    $$INSERT INTO loyalty.promotions (program, external_id, name, kind, promo_code_pool)
        VALUES ('p', 'x', 'X', 'discount', 'unni')$$,
    $$INSERT INTO loyalty.promotions (program, external_id, name, kind, parent)
        VALUES ('p', 'x', 'X', 'discount', 'h')$$,
    $$INSERT INTO loyalty.contact_points (program, external_id, channel, name) VALUES ('p', 'cart', 'web', 'Cart')$$,
    $$INSERT INTO loyalty.point_types (program, external_id, name, ratio) VALUES ('q', 'x', 'X', 1)$$,
    $$INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
        VALUES ('q', 'Q', 'people', 'EUR', 'UTC')$$
]) AS statement, refusal(statement) AS refused;
-- Rows of one statement may name each other, in whatever order.
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent)
    VALUES ('p', 'child', 'C', 'mother'), ('p', 'mother', 'M', 'main');

-- ---------------------------------------------------------------------------------------------------------------------
-- Values that are not known

SELECT refused.code, refused.message, refused.hint FROM unnest(ARRAY[
    $$UPDATE loyalty.point_types SET validity_count = 2, validity_unit = 'years'$$,
    $$UPDATE loyalty.promotions SET audience = 'all'$$,
    $$INSERT INTO loyalty.promotions (program, external_id, name, kind) VALUES ('p', 'x', 'X', 'Discount')$$,
    $$UPDATE loyalty.promotion_groups SET arbitration = 'max benefit'$$,
    $$INSERT INTO loyalty.promo_codes (code, program, pool) VALUES ('abc', 'p', 'uni')$$
]) AS statement, refusal(statement) AS refused;

-- ---------------------------------------------------------------------------------------------------------------------
-- What is in use

UPDATE loyalty.promotions SET state = 'inactive' WHERE external_id = 'nothing';
INSERT INTO loyalty.promo_codes (code, program, pool) VALUES ('ABC', 'p', 'uni');
INSERT INTO loyalty.profiles VALUES ('ann', '{}');
SELECT loyalty_enrol('ann', 'p') ->> 'outcome' AS ann;
SELECT loyalty_accrue('ann', 'p', 'bonus', 5) ->> 'value' AS value;
SELECT refused.* FROM unnest(ARRAY[
    $$DELETE FROM loyalty.promo_code_pools$$,
    $$DELETE FROM loyalty.programs$$,
    $$DELETE FROM loyalty.profile_databases$$,
    $$DELETE FROM loyalty.point_types$$
]) AS statement, refusal(statement) AS refused;
-- What nothing names goes, with all that hangs on it.
DELETE FROM loyalty.promotion_groups WHERE external_id IN ('g', 'mother');
SELECT count(*) AS promotions FROM loyalty.promotions WHERE kind <> 'trigger';

-- ---------------------------------------------------------------------------------------------------------------------
-- Predicates that read what is never there

SELECT refused.* FROM unnest(ARRAY[
    $$INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
        VALUES ('p', 'x', 'X', '$.categoris[*] == "tv"')$$,
    $$INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
        VALUES ('p', 'x', 'X', '$.price > 1 && exists ($.quantity)')$$,
    $$INSERT INTO loyalty.order_segments (program, external_id, name, predicate) VALUES ('p', 'x', 'X', '$.totl > 1')$$,
    $$INSERT INTO loyalty.profile_segments (program, external_id, name, predicate)
        VALUES ('p', 'x', 'X', '$.city == "Riga"')$$
]) AS statement, refusal(statement) AS refused;
INSERT INTO loyalty.tier_groups (program, external_id, name, model) VALUES ('p', 'dyn', 'D', 'dynamic');
SELECT * FROM refusal($$INSERT INTO loyalty.tiers (program, external_id, tier_group, name, predicate)
    VALUES ('p', 'x', 'dyn', 'X', '$.order.count > 1')$$);
-- Texts that look like it are texts, and what follows a member is the user's.
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
VALUES ('p', 'a', 'A', '$.name == "US$." && $.price > 1'), ('p', 'b', 'B', '$.name == "$.\"x\""'),
    ('p', 'c', 'C', '$.fields.quantity > 1'), ('p', 'd', 'D', '$.categories[*] ? (@.x == 1) == 2');
INSERT INTO loyalty.order_segments (program, external_id, name, predicate)
    VALUES ('p', 'a', 'A', '$.goods > 1 && $.lines[*].fields.x == 1 && $.segments[*] == "b"'),
    ('p', 'b', 'B', '$.items > 1');
INSERT INTO loyalty.profile_segments (program, external_id, name, predicate)
    VALUES ('p', 'a', 'A', '$.attributes.city == "Riga"');

-- ---------------------------------------------------------------------------------------------------------------------
-- The clock: the moment it shows is no step back

SELECT loyalty_set_clock('2027-12-01 12:00Z');
SELECT count(*) FROM loyalty.simulated_clock;
SELECT * FROM refusal($$SELECT loyalty_set_clock('2027-12-01 11:59Z')$$);

DROP SCHEMA loyalty CASCADE;
DROP FUNCTION refusal;
