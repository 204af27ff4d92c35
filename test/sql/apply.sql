-- The draft of a promotion tree, and the versions that applying freezes it into.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT loyalty_create_schema();
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
VALUES ('main', 'Main', 'profiles', 'RUB', 'Europe/Moscow'), ('other', 'Other', 'profiles', 'JPY', 'Asia/Tokyo');

-- An empty tree.
SELECT jsonb_pretty(tree) FROM loyalty.promotion_drafts WHERE program = 'other';

INSERT INTO loyalty.point_types (program, external_id, name, ratio, scale)
    VALUES ('main', 'bonus', 'Bonus', 1.0, 2), ('main', 'miles', 'Miles', 0.50, 0);
INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio)
    VALUES ('main', 'Status', 'Status', 'qualification', 10);
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
VALUES
    ('main', 'tv', 'Television', '$.categories[*] == "tv" && $.price > 100'),
    ('main', 'unused', 'Not named by any condition', '$.price > 1');
INSERT INTO loyalty.product_segments (program, external_id, name, kind) VALUES ('main', 'picks', 'Picks', 'static');
UPDATE loyalty.promotion_groups SET arbitration = 'max_benefit', max_discount_percent = 30.00 WHERE program = 'main';
INSERT INTO loyalty.promotion_groups (program, external_id, name, arbitration, max_discount_amount,
    min_product_price_percent)
VALUES ('main', 'spring', 'Spring', 'summation', 5000.50, 12.5);
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent, min_product_price_amount, archived)
VALUES ('main', 'old', 'Old', 'spring', 1, true);
INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, state, audience, benefit_rule)
VALUES
    ('main', 'bday', 'Birthday', 'discount', 'spring', 'active', 'everyone', 'parallel'),
    ('main', 'pay', 'Pay with points', 'points', 'main', 'inactive', 'members', 'sequential'),
    ('main', 'idea', 'Only an idea', 'points', 'main', 'draft', 'members', 'sequential');
UPDATE loyalty.promotions SET starts_at = '2026-01-01 00:00+00';
INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments)
VALUES ('main', 'bday', 'in', '{tv,picks}'), ('main', 'bday', 'outside', '{tv}'), ('main', 'pay', 'all', '{}');
INSERT INTO loyalty.promotion_conditions (program, promotion, position, level) VALUES ('main', 'bday', 10, 'order');
INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
VALUES
    ('main', 'bday', 1, 'discount', '{"percent": 20}'),
    ('main', 'bday', 1, 'discount', '{"amount": 5}'),
    ('main', 'bday', 10, 'discount', '{"percent": 1}'),
    ('main', 'pay', 1, 'points_discount', '{"point_type": "bonus", "percent": 10}');
SELECT jsonb_pretty(tree) FROM loyalty.promotion_drafts WHERE program = 'main';
SELECT segment ->> 'segment' AS segment, predicate.predicate,
    predicate.predicate::text = segment ->> 'predicate' AS is_its_number
FROM loyalty.promotion_drafts
CROSS JOIN LATERAL jsonb_array_elements(tree -> 'segments') AS segment
JOIN loyalty.product_predicates AS predicate ON predicate.id = (segment ->> 'predicate_id')::integer;

-- ---------------------------------------------------------------------------------------------------------------------
-- Applying

SELECT loyalty_apply('main');
SELECT program, version, tree = draft.tree AS is_the_draft, applied_at IS NOT NULL AS has_time,
    applied_by = session_user AS is_me
FROM loyalty.promotion_versions
    JOIN (SELECT program, tree FROM loyalty.promotion_drafts) AS draft USING (program, tree);
-- Without changes it stays.
SELECT loyalty_apply('main');
UPDATE loyalty.promotions SET name = name;
SELECT loyalty_apply('main');
-- Each change makes one.
UPDATE loyalty.promotions SET name = 'Your birthday' WHERE external_id = 'bday';
SELECT loyalty_apply('main');
UPDATE loyalty.point_types SET ratio = 2 WHERE external_id = 'bonus';
SELECT loyalty_apply('main');
UPDATE loyalty.promotions SET name = 'Birthday' WHERE external_id = 'bday';
UPDATE loyalty.point_types SET ratio = 1 WHERE external_id = 'bonus';
SELECT loyalty_apply('main');
SELECT count(DISTINCT tree) AS trees, count(*) AS versions FROM loyalty.promotion_versions;
-- Versions are counted by program.
SELECT loyalty_apply('other');
SELECT loyalty_apply('no such program');
\echo :SQLSTATE

-- A version keeps what the draft has changed meanwhile.
DELETE FROM loyalty.promotion_conditions WHERE promotion = 'bday';
DELETE FROM loyalty.promotion_benefits WHERE promotion = 'pay';
UPDATE loyalty.promotions SET state = 'inactive' WHERE external_id = 'bday';
SELECT jsonb_path_query_array(tree, '$.promotions[*].conditions.size()') AS conditions
FROM loyalty.promotion_versions WHERE program = 'main' ORDER BY version DESC LIMIT 1;
DELETE FROM loyalty.point_types WHERE external_id = 'bonus';
\echo :SQLSTATE
DELETE FROM loyalty.point_types WHERE external_id = 'miles';
DELETE FROM loyalty.product_segments WHERE external_id = 'tv';
\echo :SQLSTATE
DELETE FROM loyalty.product_segments WHERE external_id = 'picks';
DELETE FROM loyalty.product_segments WHERE external_id = 'unused';
SELECT loyalty_apply('main');
DELETE FROM loyalty.point_types WHERE external_id = 'bonus';
DELETE FROM loyalty.product_segments;
SELECT count(*) FROM loyalty.product_predicates;

-- ---------------------------------------------------------------------------------------------------------------------
-- Versions never change

UPDATE loyalty.promotion_versions SET tree = '{}';
\echo :SQLSTATE
DELETE FROM loyalty.promotion_versions;
\echo :SQLSTATE
TRUNCATE loyalty.promotion_versions CASCADE;
\echo :SQLSTATE
\set VERBOSITY terse
UPDATE loyalty.promotion_versions SET version = version WHERE false;
INSERT INTO loyalty.promotion_versions (program, version, tree)
    VALUES ('main', 1, '{}') ON CONFLICT (program, version) DO UPDATE SET tree = '{}';
INSERT INTO loyalty.promotion_versions (program, version, tree, definition, rules) VALUES ('main', 0, '{}', '[]', 2);
INSERT INTO loyalty.promotion_versions (program, version, tree, definition, rules) VALUES ('main', 99, '[]', '[]', 2);
INSERT INTO loyalty.promotion_versions (program, version, tree, definition, rules) VALUES ('main', 99, '{}', '{}', 2);
INSERT INTO loyalty.promotion_versions (program, version, tree, definition, rules) VALUES ('main', 99, '{}', '[]', 0);
DELETE FROM loyalty.programs WHERE external_id = 'other';
\set VERBOSITY default
SELECT program, version FROM loyalty.promotion_versions ORDER BY program, version;

-- ---------------------------------------------------------------------------------------------------------------------
-- What is in use is found as often for a hundred segments as for ten, so that many take as much longer as they are more

CREATE FUNCTION add_segments(low integer, high integer) RETURNS void LANGUAGE sql
    SET search_path = pg_catalog
    AS $$
    INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    SELECT 'many', 's' || number, 'S', format('$.categories[*] == "%s"', number)::jsonpath
    FROM generate_series(low, high) AS number;
    INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
    SELECT 'many', 'p' || number, 'P', 'discount', 'draft' FROM generate_series(low, high) AS number;
    INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments)
    SELECT 'many', 'p' || number, 'in', ARRAY['s' || number] FROM generate_series(low, high) AS number;
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    SELECT 'many', 'p' || number, 1, 'discount', '{"percent": 1}' FROM generate_series(low, high) AS number;
    UPDATE loyalty.promotions SET state = 'active' WHERE program = 'many' AND state = 'draft';
$$;
CREATE FUNCTION calls_of_apply() RETURNS bigint LANGUAGE plpgsql
    SET track_functions = 'all'
    AS $$
DECLARE
    before bigint;
BEGIN
    SELECT coalesce(sum(calls), 0) INTO before FROM pg_stat_xact_user_functions WHERE funcname = 'reach_segments';
    PERFORM loyalty_apply('many');
    RETURN (SELECT sum(calls) - before FROM pg_stat_xact_user_functions WHERE funcname = 'reach_segments');
END
$$;
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone)
VALUES ('many', 'Many', 'profiles', 'EUR', 'Europe/Berlin');
SELECT add_segments(1, 10) \g /dev/null
SELECT calls_of_apply() AS calls_of_ten \gset
SELECT add_segments(11, 100) \g /dev/null
SELECT calls_of_apply() AS calls_of_hundred \gset
SELECT :calls_of_ten > 0 AS are_counted, :calls_of_hundred = :calls_of_ten AS as_often;
SELECT jsonb_array_length(tree -> 'promotions') AS promotions FROM loyalty.promotion_drafts WHERE program = 'many';
DROP FUNCTION add_segments, calls_of_apply;

DROP SCHEMA loyalty CASCADE;
