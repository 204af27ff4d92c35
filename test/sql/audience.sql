-- For whom promotions are: members, segments of profiles, tiers, everyone; profiles of the bundled table and of the
-- user's own.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT loyalty_create_schema();
CREATE TABLE customer (id integer PRIMARY KEY, city text, age integer, segments text);
INSERT INTO customer
    VALUES (1, 'Riga', 17, NULL), (2, 'Riga', 40, NULL), (3, 'Oslo', NULL, 'own'), (4, 'Oslo', 50, NULL),
    (5, 'Riga', 60, NULL), (6, 'Riga', 60, NULL);
INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column)
    VALUES ('shop', 'Customers', 'customer', 'id');
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'shop', 'EUR', 'Europe/Riga', true),
    ('bundled', 'Bundled', 'profiles', 'EUR', 'Europe/Riga', true);
-- Customer 5 was a member, customer 6 never was.
INSERT INTO loyalty.members (member, program, enrolled_at, removed_at)
SELECT id, 'main', '2020-01-01', CASE id WHEN 5 THEN timestamptz '2020-01-02' END FROM customer WHERE id < 6;
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio)
    VALUES ('main', 'status', 'Status', 'qualification', 1);
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type)
    VALUES ('main', 'metal', 'Metals', 'cumulative', 'status');
INSERT INTO loyalty.tier_groups (program, external_id, name, model) VALUES ('main', 'club', 'Club', 'dynamic');
INSERT INTO loyalty.tiers (program, tier_group, external_id, name, position, threshold)
VALUES ('main', 'metal', 'silver', 'Silver', 0, 100), ('main', 'metal', 'gold', 'Gold', 1, 1000);
INSERT INTO loyalty.tiers (program, tier_group, external_id, name, position, predicate)
    VALUES ('main', 'club', 'regular', 'Regular', 0, '$.orders.count >= 3');
SELECT loyalty_set_tier(member, 'main', tier_group, tier)
FROM (VALUES ('1', 'metal', 'silver'), ('2', 'metal', 'gold'), ('2', 'club', 'regular'), ('4', 'club', 'regular'))
    AS given (member, tier_group, tier);

INSERT INTO loyalty.profile_segments (program, external_id, name, kind)
    VALUES ('main', 'listed', 'Listed', 'static'), ('main', 'own', 'A list', 'static');
INSERT INTO loyalty.profile_segments (program, external_id, name, predicate)
VALUES
    ('main', 'riga', 'Of Riga', '$.city == "Riga"'),
    ('main', 'adult', 'Of age', '$.age >= 18'),
    ('main', 'adult-of-riga', 'Of age and of Riga', '$.segments[*] == "adult" && $.segments[*] == "riga"'),
    ('main', 'listed-elder', 'Listed, of age', '$.segments[*] == "listed" && $.age >= 18'),
    ('main', 'own-column', 'Not the column of this name', '$.segments == "own"');
INSERT INTO loyalty.profile_segment_members (program, segment, profile)
    VALUES ('main', 'listed', '1'), ('main', 'listed', '4'), ('main', 'listed', '6');

CREATE FUNCTION promote(id text, audience text, segments text[] DEFAULT '{}', tiers text[] DEFAULT '{}',
    program text DEFAULT 'main') RETURNS void LANGUAGE sql AS $$
INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience, audience_segments, audience_tiers)
VALUES (program, id, id, 'discount', 'active', audience, segments, tiers);
INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES (program, id);
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES (program, id, 1, 'discount', '{"percent": 1}');
$$;
SELECT promote('everyone', 'everyone'), promote('members', 'members'), promote('riga', 'in_segments', '{riga}'),
    promote('listed-or-adult', 'in_segments', '{listed,adult}'),
    promote('not-riga', 'outside_segments', '{riga,own-column}'),
    promote('adult-of-riga', 'in_segments', '{adult-of-riga}'),
    promote('listed-elder', 'in_segments', '{listed-elder}'),
    promote('gold', 'tiers', '{}', '{gold}'), promote('silver-or-regular', 'tiers', '{}', '{silver,regular}');
SELECT loyalty_apply('main');

CREATE FUNCTION applied(member text, program text DEFAULT 'main') RETURNS text LANGUAGE sql AS $$
SELECT coalesce(string_agg(DISTINCT operation ->> 'promotion', ' ' ORDER BY operation ->> 'promotion'), '-')
FROM jsonb_array_elements(loyalty_calculate(jsonb_strip_nulls(jsonb_build_object(
    'program', program, 'member', member, 'lines', '[{"product": "X", "quantity": 1, "price": 1000}]'::jsonb
))) -> 'operations') AS operation
$$;
SELECT member, applied(member) FROM unnest(ARRAY['1', '2', '3', '4', '5', '6', NULL]) AS member;

-- Profiles, lists and tiers are data; predicates wait for the next apply.
UPDATE customer SET city = 'Oslo' WHERE id = 2;
DELETE FROM loyalty.profile_segment_members WHERE profile = '4';
SELECT loyalty_set_tier('1', 'main', 'metal', 'gold');
UPDATE loyalty.profile_segments SET predicate = '$.age >= 55' WHERE external_id = 'adult';
SELECT member, applied(member) FROM unnest(ARRAY['1', '2', '3', '4']) AS member;
SELECT loyalty_apply('main');
SELECT member, applied(member) FROM unnest(ARRAY['1', '2', '3', '4']) AS member;

-- The bundled profiles: the row is their document.
INSERT INTO loyalty.profiles (key, attributes) VALUES ('ann', '{"city": "Riga"}'), ('bob', '{}');
INSERT INTO loyalty.members (member, program, enrolled_at)
    VALUES ('ann', 'bundled', loyalty.clock()), ('bob', 'bundled', loyalty.clock());
INSERT INTO loyalty.profile_segments (program, external_id, name, predicate)
    VALUES ('bundled', 'riga', 'Of Riga', '$.attributes.city == "Riga" || $.key == "bob" && $.segments[*] == "x"');
\echo :SQLSTATE
INSERT INTO loyalty.profile_segments (program, external_id, name, predicate)
    VALUES ('bundled', 'riga', 'Of Riga', '$.attributes.city == "Riga"');
SELECT promote('riga', 'in_segments', '{riga}', '{}', 'bundled'),
    promote('elsewhere', 'outside_segments', '{riga}', '{}', 'bundled');
SELECT loyalty_apply('bundled');
SELECT member, applied(member, 'bundled') FROM unnest(ARRAY['ann', 'bob', NULL]) AS member;
-- A tier counts as it is at the moment, whether or not a review has been booked.
SELECT loyalty_set_clock('2026-03-10 12:00+02');
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, active)
    VALUES ('bundled', 'visits', 'Visits', 'qualification', 1, true);
INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type, interval_count, interval_unit,
    upgrade_at_once)
VALUES ('bundled', 'visitors', 'Visitors', 'cyclic', 'visits', 1, 'month', true);
INSERT INTO loyalty.tiers (program, tier_group, external_id, name, threshold)
    VALUES ('bundled', 'visitors', 'rare', 'Rare', 0), ('bundled', 'visitors', 'frequent', 'Frequent', 10);
SELECT loyalty_accrue('ann', 'bundled', 'visits', 10) \g /dev/null
SELECT promote('frequent', 'tiers', '{}', '{frequent}', 'bundled');
SELECT loyalty_apply('bundled');
SELECT applied('ann', 'bundled'), applied('bob', 'bundled');
SELECT loyalty_set_clock('2027-03-10 12:00+02');
SELECT applied('ann', 'bundled'), tier AS booked FROM loyalty.member_tiers WHERE member = 'ann';
DELETE FROM loyalty.simulated_clock;
-- It is read with the caller's rights, as its key is.
CREATE ROLE regress_loyalty_clerk;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public, loyalty_internal TO regress_loyalty_clerk;
SET ROLE regress_loyalty_clerk;
SELECT applied('ann', 'bundled'),
    loyalty_calculate('{"program": "main", "member": "1", "lines": [{"product": "X", "quantity": 1, "price": 1000}]}');
RESET ROLE;
GRANT SELECT ON customer TO regress_loyalty_clerk;
ALTER TABLE customer ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_age ON customer TO regress_loyalty_clerk USING (age >= 18);
SET ROLE regress_loyalty_clerk;
SELECT applied('2');
SELECT applied('1');
RESET ROLE;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public, loyalty_internal FROM regress_loyalty_clerk;
DROP TABLE customer CASCADE;
DROP ROLE regress_loyalty_clerk;

-- What the table refuses.
\set VERBOSITY terse
UPDATE loyalty.promotions SET audience_tiers = '{}' WHERE external_id = 'gold';
UPDATE loyalty.promotions SET audience = 'members' WHERE external_id = 'gold';
UPDATE loyalty.promotions SET audience_segments = '{riga,adult}' WHERE external_id = 'gold';
DELETE FROM loyalty.tiers WHERE external_id = 'gold';
DELETE FROM loyalty.tier_groups WHERE external_id = 'metal';
DELETE FROM loyalty.profile_segments WHERE external_id = 'own';
DELETE FROM loyalty.profile_segments WHERE external_id = 'adult';
UPDATE loyalty.profile_segments SET kind = 'static', predicate = NULL WHERE external_id = 'adult';
INSERT INTO loyalty.profile_segments (program, external_id, name, predicate) VALUES ('main', 'x', 'X', '$.city');
UPDATE loyalty.profile_segments SET predicate = '$.segments[*] == "adult-of-riga"' WHERE external_id = 'adult';
\echo :SQLSTATE
INSERT INTO loyalty.profile_segment_members (program, segment, profile) VALUES ('main', 'adult', '1');

DROP FUNCTION promote(text, text, text[], text[], text), applied(text, text);
DROP SCHEMA loyalty CASCADE;
