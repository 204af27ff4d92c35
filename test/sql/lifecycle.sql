-- The life of promotions and groups: each row of the lists of states, quick actions and group actions, with the verb
-- and with plain SQL.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SELECT loyalty_create_schema();
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true),
    ('other', 'Other', 'profiles', 'EUR', 'Europe/Berlin', false);
CREATE FUNCTION quote(version integer DEFAULT NULL) RETURNS text LANGUAGE sql STABLE
RETURN (
    WITH document
        AS (SELECT '{"program": "main", "lines": [{"product": "A", "quantity": 1, "price": 100}]}'::jsonb AS body)
    SELECT format('version %s: %s', result -> 'version', result #> '{totals,total}')
    FROM document, coalesce(loyalty_calculate(body, version), loyalty_calculate(body)) AS result
);
CREATE FUNCTION add(promotion text, parent text, percent numeric, state text DEFAULT 'draft')
    RETURNS void LANGUAGE sql AS $$
    INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, state, audience)
    VALUES ('main', promotion, initcap(promotion), 'discount', parent, state, 'everyone');
    INSERT INTO loyalty.promotion_conditions (program, promotion) VALUES ('main', promotion);
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', promotion, 1, 'discount', jsonb_build_object('percent', percent));
$$;
-- The tree as it is edited, one line per node.
CREATE FUNCTION tree() RETURNS SETOF text LANGUAGE sql STABLE AS $$
    WITH RECURSIVE node AS (
        SELECT 'group' AS noun, external_id, parent, position, CASE WHEN archived THEN 'archived' ELSE '' END AS state
        FROM loyalty.promotion_groups WHERE program = 'main'
        UNION ALL
        SELECT 'promotion', external_id, parent, position, state FROM loyalty.promotions WHERE program = 'main'
    ),
    walk AS (
        SELECT node.*, 0 AS level, ARRAY[]::text[] COLLATE "C" AS path FROM node WHERE parent IS NULL
        UNION ALL
        SELECT node.*, level + 1, path || ARRAY[lpad((node.position + 1000)::text, 6), node.external_id, node.noun]
        FROM walk JOIN node ON node.parent = walk.external_id AND walk.noun = 'group'
    )
    SELECT rtrim(format('%s%s %s %s %s', repeat('  ', level), position, noun, external_id, state))
        FROM walk ORDER BY path
$$;

-- ---------------------------------------------------------------------------------------------------------------------
-- Draft -> active <-> inactive -> ended

SELECT add('spring', 'main', 10);
SELECT loyalty_activate_promotion('main', 'spring');
SELECT quote();
SELECT loyalty_apply('main');
SELECT quote();
-- Activating is a change of the draft like any other; so is deactivating.
SELECT loyalty_deactivate_promotion('main', 'spring');
SELECT change, what, "column", old, new FROM loyalty.pending_changes WHERE program = 'main';
SELECT quote();
SELECT loyalty_apply('main');
SELECT quote();
SELECT loyalty_activate_promotion('main', 'spring');
SELECT loyalty_apply('main');
-- Twice is once.
SELECT loyalty_activate_promotion('main', 'spring');
SELECT count(*) FROM loyalty.pending_changes WHERE program = 'main';
-- Ending is in force at once, in every version, and nothing is pending; an old order is re-priced as it was.
SELECT quote(), quote(1), quote(2), quote(3);
SELECT loyalty_end_promotion('main', 'spring');
SELECT quote(), quote(1), quote(2), quote(3);
SELECT count(*) FROM loyalty.pending_changes WHERE program = 'main';
SELECT loyalty_apply('main');
SELECT loyalty_end_promotion('main', 'spring');
-- It is final.
SELECT loyalty_activate_promotion('main', 'spring');
\echo :SQLSTATE
\set VERBOSITY terse
SELECT loyalty_deactivate_promotion('main', 'spring');
UPDATE loyalty.promotions SET state = 'draft' WHERE external_id = 'spring';
UPDATE loyalty.promotions SET name = 'Spring again' WHERE external_id = 'spring';
SELECT loyalty_move_promotion('main', 'spring', 'main', 0);
DELETE FROM loyalty.promotions WHERE external_id = 'spring';
\set VERBOSITY default

-- From inactive, too; and a version that is applied after the end has it ended for good.
SELECT add('summer', 'main', 20, 'active');
SELECT loyalty_apply('main');
SELECT loyalty_deactivate_promotion('main', 'summer');
SELECT loyalty_end_promotion('main', 'summer');
SELECT quote(), quote(4);
SELECT add('autumn', 'main', 30, 'active');
SELECT loyalty_apply('main');
SELECT quote(), quote(4), quote(5);

-- Every transition, by UPDATE and by verb.
CREATE FUNCTION try(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE command;
    RETURN (SELECT state FROM loyalty.promotions WHERE external_id = 'probe');
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
CREATE FUNCTION probe(state text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO loyalty.promotions (program, external_id, name, kind, state)
        VALUES ('main', 'probe', 'Probe', 'discount', state);
    -- An ended promotion gets no content any more.
    INSERT INTO loyalty.promotion_conditions (program, promotion) SELECT 'main', 'probe' WHERE state <> 'ended';
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    SELECT 'main', 'probe', 1, 'discount', '{"percent": 1}' WHERE state <> 'ended';
END
$$;
CREATE FUNCTION transition(from_state text, to_state text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    verb CONSTANT text := CASE to_state WHEN 'active' THEN 'activate' WHEN 'inactive' THEN 'deactivate' WHEN 'ended'
        THEN 'end' END;
    result text;
BEGIN
    PERFORM probe(from_state);
    result := try(format('UPDATE loyalty.promotions SET state = %L WHERE external_id = %L', to_state, 'probe'));
    RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = result;
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
    result := SQLERRM;
    BEGIN
        PERFORM probe(from_state);
        -- Verbs do nothing where there is nothing to do.
        IF verb IS NOT NULL AND from_state <> to_state
            AND result <> try(format('SELECT loyalty_%s_promotion(%L, %L)', verb, 'main', 'probe')) THEN
            RETURN 'the verb differs';
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'UNDO0';
    EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
        RETURN result;
    END;
END
$$;
SELECT from_state,
    transition(from_state, 'draft') AS draft,
    transition(from_state, 'active') AS active,
    transition(from_state, 'inactive') AS inactive,
    transition(from_state, 'ended') AS ended
FROM unnest('{draft,active,inactive,ended}'::text[]) AS from_state;

-- ---------------------------------------------------------------------------------------------------------------------
-- Moving and reordering

INSERT INTO loyalty.promotion_groups (program, external_id, name, parent)
VALUES ('main', 'seasons', 'Seasons', 'main'), ('main', 'inner', 'Inner', 'seasons'), ('main', 'late', 'Late', 'main');
SELECT add('a', 'seasons', 1), add('b', 'seasons', 2), add('c', 'seasons', 3);
SELECT tree();
-- Behind the last; to a place that is taken, and to one that is free; within the group.
SELECT loyalty_move_promotion('main', 'autumn', 'seasons');
SELECT loyalty_move_promotion('main', 'c', 'inner', 7);
SELECT loyalty_move_promotion_group('main', 'late', 'seasons', 1);
SELECT tree();
SELECT loyalty_reorder_promotion('main', 'autumn', 0);
SELECT loyalty_reorder_promotion_group('main', 'late', NULL);
SELECT loyalty_reorder_promotion('main', 'a', 2);
SELECT tree();
-- The end of a list does not move what has ended.
SELECT loyalty_move_promotion('main', 'c', 'main', 0);
SELECT tree();
SELECT what, "column", old, new FROM loyalty.pending_changes WHERE what LIKE '%autumn%' ORDER BY "column";
-- A plain UPDATE has the effect of the verb.
UPDATE loyalty.promotions SET parent = 'seasons', position = NULL WHERE external_id = 'c';
SELECT tree();

-- Refused: unknown, into itself, too deep, main.
SELECT loyalty_move_promotion('main', 'nobody', 'seasons');
\echo :SQLSTATE
SELECT loyalty_move_promotion('main', 'a', 'nowhere');
\echo :SQLSTATE
SELECT loyalty_reorder_promotion_group('main', 'nowhere', 0);
\echo :SQLSTATE
SELECT loyalty_activate_promotion('nowhere', 'a');
\echo :SQLSTATE
SELECT loyalty_activate_promotion('main', NULL);
\echo :SQLSTATE
SELECT loyalty_move_promotion_group('main', 'seasons', 'inner');
\echo :SQLSTATE
\set VERBOSITY terse
SELECT loyalty_move_promotion_group('main', 'main', 'inner');
\set VERBOSITY default
-- Nine levels: level-9 can hold promotions, but no group.
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent)
SELECT 'main', 'level-' || number, 'Level', CASE number WHEN 1 THEN 'main' ELSE 'level-' || number - 1 END
FROM generate_series(1, 9) AS number;
SELECT loyalty_move_promotion('main', 'b', 'level-9');
SELECT loyalty_move_promotion_group('main', 'inner', 'level-9');
\echo :SQLSTATE
SELECT loyalty_move_promotion_group('main', 'inner', 'level-8');
SELECT loyalty_move_promotion_group('main', 'level-1', 'late');
\echo :SQLSTATE
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent)
    VALUES ('main', 'level-10', 'Level', 'level-9');
\echo :SQLSTATE
SELECT loyalty_apply('main');

-- ---------------------------------------------------------------------------------------------------------------------
-- Clones

SELECT loyalty_clone_promotion('main', 'a', 'a-again', 'A again');
SELECT loyalty_clone_promotion('main', 'summer', 'next-summer');
SELECT tree();
-- Equal to the original in all but what makes it another one, as are its parts.
SELECT copy.name, copy.state, (to_jsonb(original) - same.columns) = (to_jsonb(copy) - same.columns) AS rest_is_equal
FROM loyalty.promotions AS original
JOIN loyalty.promotions AS copy
    ON (original.external_id, copy.external_id) IN (('a', 'a-again'), ('summer', 'next-summer'))
CROSS JOIN (VALUES ('{external_id,name,state,position,created_at,updated_at}'::text[])) AS same (columns)
ORDER BY copy.external_id;
SELECT condition.promotion, condition.position, level, mode, segments, benefit, parameters
FROM loyalty.promotion_conditions AS condition
JOIN loyalty.promotion_benefits AS benefit ON benefit.promotion = condition.promotion AND condition = condition.position
WHERE condition.promotion IN ('summer', 'next-summer')
ORDER BY condition.promotion;
\set VERBOSITY sqlstate
SELECT loyalty_clone_promotion('main', 'a', 'b');
\set VERBOSITY default
SELECT loyalty_clone_promotion('main', 'nobody', 'somebody');
\echo :SQLSTATE

-- ---------------------------------------------------------------------------------------------------------------------
-- Groups: activate, deactivate, archive, delete, with all below them

SELECT loyalty_move_promotion_group('main', 'inner', 'seasons');
SELECT loyalty_move_promotion('main', 'b', 'inner');
SELECT add('d', 'inner', 4, 'active');
SELECT loyalty_end_promotion('main', 'd');
SELECT loyalty_deactivate_promotion('main', 'autumn');
SELECT tree() LIMIT 12;
-- Drafts and inactive ones; ended ones are passed over.
SELECT loyalty_activate_promotion_group('main', 'seasons');
SELECT loyalty_activate_promotion_group('main', 'seasons');
SELECT tree() LIMIT 12;
SELECT loyalty_deactivate_promotion_group('main', 'inner');
SELECT tree() LIMIT 12;
-- Archiving makes all below inactive, drafts too, in groups below as well.
SELECT loyalty_activate_promotion('main', 'b');
SELECT loyalty_clone_promotion('main', 'c', 'c-again');
SELECT loyalty_archive_promotion_group('main', 'seasons');
SELECT tree() LIMIT 12;
-- In there nothing can be in use.
SELECT loyalty_activate_promotion('main', 'a');
\echo :SQLSTATE
\set VERBOSITY terse
UPDATE loyalty.promotions SET state = 'active' WHERE external_id = 'b';
SELECT loyalty_activate_promotion_group('main', 'inner');
SELECT loyalty_move_promotion('main', 'next-summer', 'inner');
SELECT loyalty_move_promotion_group('main', 'level-1', 'seasons');
SELECT loyalty_unarchive_promotion_group('main', 'inner');
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent) VALUES ('main', 'new', 'New', 'seasons');
INSERT INTO loyalty.promotions (program, external_id, name, kind, parent)
    VALUES ('main', 'new', 'New', 'discount', 'seasons');
SELECT loyalty_clone_promotion('main', 'a', 'new');
SELECT loyalty_archive_promotion_group('main', 'main');
UPDATE loyalty.promotion_groups SET archived = true;
\set VERBOSITY default
-- Archived and ended promotions forbid to delete the group, be they at any depth.
DELETE FROM loyalty.promotion_groups WHERE external_id = 'seasons';
\echo :SQLSTATE
-- One can be taken out.
SELECT loyalty_move_promotion('main', 'b', 'main');
SELECT loyalty_activate_promotion('main', 'b');
-- Activating a group above leaves archived ones alone.
SELECT loyalty_activate_promotion_group('main', 'main');
SELECT tree();
-- Back, all of them at once, and inactive.
UPDATE loyalty.promotion_groups SET archived = false WHERE archived;
SELECT tree() LIMIT 12;
SELECT loyalty_archive_promotion_group('main', 'inner');
SELECT loyalty_archive_promotion_group('main', 'seasons');
SELECT loyalty_unarchive_promotion_group('main', 'seasons');
SELECT loyalty_unarchive_promotion_group('main', 'seasons');
SELECT tree() LIMIT 12;
SELECT quote();
SELECT loyalty_apply('main');
SELECT quote();

-- A group with nothing but drafts at any depth goes with them; so does an empty one.
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent)
VALUES ('main', 'ideas', 'Ideas', 'main'), ('main', 'more', 'More', 'ideas'), ('main', 'empty', 'Empty', 'more');
SELECT add('idea', 'more', 5);
DELETE FROM loyalty.promotion_groups WHERE external_id = 'empty';
DELETE FROM loyalty.promotion_groups WHERE external_id = 'ideas';
SELECT count(*) FROM loyalty.promotion_groups WHERE external_id IN ('ideas', 'more', 'empty');
SELECT count(*) FROM loyalty.promotion_conditions WHERE promotion = 'idea';
-- One promotion that is no draft, far below, keeps all of it.
\set VERBOSITY terse
INSERT INTO loyalty.promotion_groups (program, external_id, name, parent)
    VALUES ('main', 'ideas', 'Ideas', 'main'), ('main', 'more', 'More', 'ideas');
SELECT add('idea', 'more', 5), add('real', 'more', 6, 'inactive');
DELETE FROM loyalty.promotion_groups WHERE external_id = 'ideas';
SELECT loyalty_end_promotion('main', 'real');
DELETE FROM loyalty.promotion_groups WHERE external_id = 'ideas';
DELETE FROM loyalty.promotion_groups WHERE external_id = 'main';
\set VERBOSITY default
SELECT count(*) FROM loyalty.promotions WHERE parent = 'more';

-- ---------------------------------------------------------------------------------------------------------------------
-- Versions

SELECT version, in_force, groups, promotions, active_promotions, applied_by = session_user AS by_me
FROM loyalty.version_history WHERE program = 'main' ORDER BY version;
SELECT loyalty_calculate('{"lines": [{"product": "A", "quantity": 1, "price": 100}]}', 99);
\echo :SQLSTATE
SELECT loyalty_calculate('{"lines": [{"product": "A", "quantity": 1, "price": 100}]}', -1);
\echo :SQLSTATE
SELECT loyalty_calculate('{"lines": [{"product": "A", "quantity": 1, "price": 100}]}', NULL) IS NULL AS is_null;
SELECT quote(0);
SELECT loyalty_explain('{"lines": [{"product": "A", "quantity": 1, "price": 100}]}', 4);

-- A version keeps the predicates of its time, which no stored product is judged by any more.
INSERT INTO loyalty.products (program, sku, name, price, categories)
    VALUES ('main', 'TV', 'TV', 100, '{tv}'), ('main', 'CD', 'CD', 100, '{cd}');
INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    VALUES ('main', 'some', 'Some', '$.categories[*] == "tv"');
SELECT loyalty_deactivate_promotion_group('main', 'main') > 0 AS some;
SELECT add('on-some', 'main', 50, 'active');
UPDATE loyalty.promotion_conditions SET mode = 'in', segments = '{some}' WHERE promotion = 'on-some';
SELECT loyalty_apply('main') AS tv_version \gset
UPDATE loyalty.product_segments SET predicate = '$.categories[*] == "cd"';
SELECT loyalty_apply('main') AS cd_version \gset
SELECT predicate FROM loyalty.product_predicates;
CREATE FUNCTION tv_and_cd(version integer) RETURNS text LANGUAGE sql STABLE RETURN (
    SELECT string_agg(line ->> 'total', ' ')
    FROM jsonb_array_elements(
        loyalty_calculate('{"lines": [{"product": "TV", "quantity": 1}, {"product": "CD", "quantity": 1}]}',
        version) -> 'lines') AS line
);
SELECT tv_and_cd(:tv_version) AS tv_version, tv_and_cd(:cd_version) AS cd_version;
-- What was rolled back is no version, and its number may come again with another content.
BEGIN;
UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 10}' WHERE promotion = 'on-some';
SELECT loyalty_apply('main') AS undone \gset
SELECT tv_and_cd(:undone);
ROLLBACK;
SELECT tv_and_cd(:undone);
UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 20}' WHERE promotion = 'on-some';
SELECT loyalty_apply('main') = :undone AS same_number;
SELECT tv_and_cd(:undone);
-- More versions than a session keeps.
DO $$
BEGIN
    FOR percent IN 1..12 LOOP
        UPDATE loyalty.promotion_benefits SET parameters = jsonb_build_object('percent', percent)
            WHERE promotion = 'on-some';
        PERFORM loyalty_apply('main');
    END LOOP;
END
$$;
SELECT string_agg(tv_and_cd(version), ', ' ORDER BY turn, version)
    FROM generate_series(:undone + 1, :undone + 12) AS version, generate_series(1, 2) AS turn;
DROP FUNCTION quote, tv_and_cd, add, tree, try, probe, transition;
DROP SCHEMA loyalty CASCADE;
