-- A program as a document: exported, planned, imported; saved promotion by promotion. More random programs: -v
-- seeds=200.
\set SHOW_CONTEXT never
\set VERBOSITY default
\if :{?seeds}
\else
    \set seeds 24
\endif
SET client_min_messages = warning;
SET timezone = 'UTC';
\i test/fixtures/program.sql
CREATE FUNCTION refusal(statement text) RETURNS TABLE (code text, message text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    RETURN NEXT;
END
$$;

-- Each table is configuration, and in the list, or one of these, which hold what is done with it.
SELECT relname AS no_configuration
FROM pg_class
WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'r'
    AND relname NOT IN (SELECT relation FROM loyalty.document_tables)
ORDER BY relname COLLATE "C";
SELECT relation AS unknown_to_the_catalogue FROM loyalty.document_tables
    WHERE to_regclass('loyalty.' || relation) IS NULL;

-- What is exported and imported again changes nothing, whatever else is there.
SELECT loyalty_import(loyalty_export('main', products, members), prune)
FROM unnest(ARRAY[true, false]) AS products, unnest(ARRAY[true, false]) AS members, unnest(ARRAY[true, false]) AS prune;
SELECT count(*) FROM loyalty_plan(loyalty_export('main', true, true), true);
SELECT jsonb_object_agg(key,
    CASE jsonb_typeof(value) WHEN 'array' THEN to_jsonb(jsonb_array_length(value)) ELSE value END)
FROM jsonb_each(loyalty_export('main', true, true));
SELECT jsonb_pretty(loyalty_promotion('main', 'earn'));

-- A copy of the program, made from its document alone, gives the same prices.
CREATE TABLE document AS SELECT loyalty_export('main', true, true) AS body;
CREATE TABLE price AS SELECT number, loyalty_calculate(orders.document) - 'program' AS result FROM orders;
UPDATE loyalty.programs SET active = false WHERE external_id = 'main';
UPDATE document SET body = body || '{"external_id": "copy"}';
SELECT loyalty_import(body) FROM document;
SELECT loyalty_import(body) AS again FROM document;
SELECT loyalty_export('copy', true, true) = body AS same FROM document;
SELECT loyalty_apply('copy');
INSERT INTO loyalty.members (member, program) SELECT member, 'copy' FROM loyalty.members;
INSERT INTO loyalty.balances (member, program, point_type, seq, total)
SELECT member, 'copy', point_type, seq, total FROM loyalty.balances;
INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining, active_from)
SELECT member, 'copy', point_type, seq, amount, remaining, active_from FROM loyalty.lots;
SELECT count(*) FILTER (WHERE result = loyalty_calculate(document || '{"program": "copy"}') - 'program') AS same,
    count(*)
FROM price JOIN orders USING (number);

-- Documents made up at random, in the form in which they are exported: each is imported over the one before, in another
-- order of keys and with what is pruned, and comes back as it was.
CREATE FUNCTION random_document(seed integer) RETURNS jsonb LANGUAGE sql AS $$
WITH dice AS (
    SELECT n, abs(hashint4(hashint4(seed) # hashint4(n))) AS pips FROM generate_series(1, 400) AS n
),
groups AS (
    SELECT row_number() OVER () AS place, jsonb_build_object('external_id', 'g' || n, 'name', 'Group ' || pips % 3)
        || CASE WHEN n > 2
            AND pips % 2 = 0
            THEN jsonb_build_object('parent',
            'g' || (SELECT min(d.n) FROM dice d WHERE d.n < dice.n AND d.pips % 3 > 0)) ELSE '{}' END
        || CASE pips % 4 WHEN 1 THEN '{"arbitration": "max_benefit"}' WHEN 2 THEN '{"max_discount_percent": 40}'
            ELSE '{}' END::jsonb AS body
    FROM dice WHERE n <= 5 AND pips % 3 > 0 ORDER BY pips
),
promotions AS (
    SELECT jsonb_build_object('external_id', 'p' || n, 'name', 'Promotion ' || n, 'kind', 'discount')
        || CASE WHEN pips % 3 > 0
            THEN jsonb_build_object('parent',
            (SELECT body -> 'external_id' FROM groups ORDER BY place OFFSET pips % 2 LIMIT 1)) ELSE '{}' END
        || CASE pips % 5 WHEN 0 THEN jsonb_build_object('max_uses', pips % 100 + 1) WHEN 1
            THEN '{"audience": "everyone"}'
            WHEN 2 THEN '{"audience": "in_segments", "audience_segments": ["vip"]}'
                ELSE '{"starts_at": "2026-12-01T00:00:00+03:00"}' END::jsonb
        || jsonb_build_object('conditions', (
            SELECT jsonb_agg(CASE WHEN d.pips % 2 = 0 THEN '{"mode": "in", "segments": ["tv"]}' ELSE '{}' END::jsonb
                || jsonb_build_object('benefits', (
                    SELECT jsonb_agg(
                        jsonb_build_object('benefit', 'discount', 'parameters',
                        jsonb_build_object('percent', e.pips % 99 + 1)) ORDER BY e.n)
                    FROM dice e WHERE e.n BETWEEN d.n AND d.n + d.pips % 3
                )) ORDER BY d.n)
            FROM dice d WHERE d.n BETWEEN dice.n * 3 AND dice.n * 3 + dice.pips % 3
        )) AS body, pips
    FROM dice WHERE n BETWEEN 6 AND 20 AND pips % 4 > 0
)
SELECT jsonb_strip_nulls(jsonb_build_object(
    'external_id', 'random', 'name', 'Random ' || seed % 3, 'currency', 'RUB', 'time_zone', 'Europe/Moscow',
    'profile_database', 'profiles',
    'promotion_groups',
    (SELECT jsonb_agg(body
        ORDER BY body ->> 'parent' COLLATE "C" <> 'main', coalesce(body ->> 'parent', 'main') COLLATE "C", place)
        FROM groups),
    'promotions',
    (SELECT jsonb_agg(jsonb_strip_nulls(body) ORDER BY coalesce(body ->> 'parent', 'main') COLLATE "C", pips)
        FROM promotions),
    'product_segments', '[{"external_id": "tv", "name": "TV", "predicate": "(@ == 1)"}]'::jsonb,
    'profile_segments', '[{"external_id": "vip", "name": "VIP", "kind": "static"}]'::jsonb,
    'regions', (SELECT jsonb_agg(jsonb_build_object('external_id', n::text, 'name', 'R' || pips % 2) ORDER BY n)
        FROM dice WHERE n BETWEEN 30 AND 35 AND pips % 2 = 0),
    'point_types',
    (SELECT jsonb_agg(jsonb_build_object('external_id', 't' || n, 'name', 'T', 'ratio', pips % 9 + 1) ORDER BY n)
        FROM dice WHERE n BETWEEN 40 AND 43 AND pips % 2 = 0)
)) || jsonb_build_object('tier_groups',
    jsonb_build_array(jsonb_build_object('external_id', 'status', 'name', 'Status', 'model', 'dynamic', 'tiers', (
    SELECT jsonb_agg(
        jsonb_build_object('external_id', 'tier' || n, 'name', 'Tier', 'predicate',
        format('($."orders"."count" >= %s)', n)) ORDER BY pips)
    FROM dice WHERE n BETWEEN 50 AND 54 AND (pips % 2 = 0 OR n = 50)))))
$$;
CREATE TABLE random AS
SELECT seed, jsonb_set(random_document(seed), '{product_segments,0,predicate}', '"($.\"price\" > 10)"') AS body
FROM generate_series(1, :seeds) AS seed;
-- In a group that a promotion of it is made before no position is said: groups stand before promotions.
CREATE FUNCTION replay(seed integer)
    RETURNS TABLE (planned bigint, changed bigint, again bigint, same boolean) LANGUAGE plpgsql AS $$
DECLARE
    wanted CONSTANT jsonb := (SELECT random.body FROM random WHERE random.seed = replay.seed);
    statuses CONSTANT jsonb := jsonb_build_object('order_statuses', loyalty_export('main') -> 'order_statuses',
        'profile_databases', loyalty_export('main') -> 'profile_databases');
BEGIN
    planned := (SELECT count(*) FROM loyalty_plan(wanted, true));
    changed := loyalty_import(wanted, true);
    again := loyalty_import(wanted, true);
    same := loyalty_export('random') = wanted || statuses;
    RETURN NEXT;
END
$$;
SELECT count(*), bool_and(same) AS same, sum(again) AS again, bool_and((planned > 0) = (changed > 0)) AS planned,
    sum(changed) > 8 * count(*) AS changed
FROM random, replay(seed);

-- Order: who is listed stands in the order of the list, who is not stays as before; groups before promotions, unless
-- positions say otherwise.
DELETE FROM loyalty.programs WHERE external_id = 'random';
SELECT loyalty_import('{"external_id": "shop", "name": "Shop", "currency": "EUR", "time_zone": "Europe/Berlin", "profile_database": "profiles",
    "promotion_groups": [{"external_id": "g", "name": "G"}],
    "promotions": [{"external_id": "a", "name": "A", "kind": "discount"}, {"external_id": "b", "name": "B", "kind": "discount"},
        {"external_id": "c", "name": "C", "kind": "discount"}]}');
CREATE VIEW children AS
SELECT string_agg(external_id, ' ' ORDER BY position, external_id) AS children,
    string_agg(position::text, ' ' ORDER BY position) AS positions
FROM (
    SELECT external_id, position FROM loyalty.promotions WHERE program = 'shop' AND parent = 'main'
    UNION ALL
    SELECT external_id, position FROM loyalty.promotion_groups WHERE program = 'shop' AND parent = 'main'
) AS child;
TABLE children;
SELECT loyalty_import('{"external_id": "shop", "promotions": [{"external_id": "c"}, {"external_id": "a"}]}');
TABLE children;
SELECT loyalty_import(
    '{"external_id": "shop", "promotions": [{"external_id": "b"}, {"external_id": "d", "name": "D", "kind": "discount"}, {"external_id": "a"}]}');
TABLE children;
UPDATE loyalty.promotions SET position = -5 WHERE program = 'shop' AND external_id = 'd';
TABLE children;
SELECT jsonb_path_query_array(loyalty_export('shop'), '$.promotions[*].position') AS said,
    loyalty_import(loyalty_export('shop'), true) AS changed;
SELECT loyalty_import(
    loyalty_export('shop') #- '{promotions,0,position}' #- '{promotions,1,position}' #- '{promotions,2,position}'
    #- '{promotions,3,position}' #- '{promotion_groups,0,position}');
TABLE children;

-- Without prune what is not mentioned stays; with it, it has its default, or goes: a draft is deleted, an active
-- promotion ends, a group with such a promotion is archived.
SELECT loyalty_import('{"external_id": "shop", "description": "A shop", "promotions": [{"external_id": "a", "parent": "g", "state": "active",
    "max_uses": 5, "conditions": [{"benefits": [{"benefit": "discount", "parameters": {"percent": 5}}]}]}]}');
SELECT action, kind, id, path, old, new, takes_effect
FROM loyalty_plan('{"external_id": "shop", "name": "The shop", "currency": "EUR", "time_zone": "Europe/Berlin", "profile_database": "profiles",
    "promotions": [{"external_id": "b", "name": "B", "kind": "discount", "conditions": [{}]}]}', true);
SELECT loyalty_import('{"external_id": "shop", "name": "The shop", "currency": "EUR", "time_zone": "Europe/Berlin", "profile_database": "profiles",
    "promotions": [{"external_id": "b", "name": "B", "kind": "discount", "conditions": [{}]}]}', true);
SELECT external_id, state, parent FROM loyalty.promotions WHERE program = 'shop' ORDER BY external_id;
SELECT external_id, archived FROM loyalty.promotion_groups WHERE program = 'shop' ORDER BY external_id;
SELECT loyalty_export('shop') - 'order_statuses' - 'profile_databases';

-- One promotion: what is saved comes back; what is left out has its default, but for the state.
SELECT loyalty_save_promotion('main', '{"external_id": "spring", "name": "Spring", "kind": "discount", "starts_at": "2026-03-01T00:00:00",
    "max_uses": 7, "conditions": [{"mode": "in", "segments": ["tv"], "benefits": [{"benefit": "discount", "parameters": {"percent": 20}}]}]}');
SELECT loyalty_activate_promotion('main', 'spring');
SELECT loyalty_save_promotion('main', '{"external_id": "spring", "name": "Spring", "kind": "discount",
    "conditions": [{"level": "order", "benefits": [{"benefit": "discount", "parameters": {"percent": 20, "target": "order"}}]}]}');
SELECT loyalty_save_promotion('main', '{"external_id": "birthday", "name": "Birthday", "kind": "trigger", "state": "active",
    "rules": [{"operation": "accrual", "point_type": "bonus", "amount": 5}, {"operation": "deduction", "point_type": "bonus", "amount": 1}]}');
SELECT loyalty_save_promotion('main', '{"external_id": "birthday", "name": "Birthday", "kind": "trigger",
    "rules": [{"operation": "accrual", "point_type": "bonus", "amount": 6}]}');
SELECT loyalty_delete_promotion('main', 'idle');

-- The schema, of a small part.
SELECT jsonb_pretty(loyalty_document_schema() #> '{$defs,trigger_rules,properties,operation}');

-- What is refused, and where.
SELECT list.place, refusal.*
FROM (VALUES
    (1, $$SELECT loyalty_import('[]')$$),
    (2, $$SELECT loyalty_import(NULL)$$),
    (3, $$SELECT loyalty_import('{"external_id": "new"}')$$),
    (4, $$SELECT loyalty_import('{"name": "new"}')$$),
    (5, $$SELECT loyalty_import('{"external_id": "main", "naem": "x"}')$$),
    (6, $$SELECT loyalty_import('{"external_id": "main", "regions": {}}')$$),
    (7, $$SELECT loyalty_import('{"external_id": "main", "regions": [{}]}')$$),
    (8, $$SELECT loyalty_import('{"external_id": "main", "regions": [{"external_id": "a", "name": null}]}')$$),
    (9, $$SELECT loyalty_import(
        '{"external_id": "main", "regions": [{"external_id": "a", "name": "A"}, {"external_id": "a", "name": "B"}]}')$$),
    (10, $$SELECT loyalty_import('{"external_id": "main", "point_types": [{"external_id": "bonus", "scale": 9}]}')$$),
    (11, $$SELECT loyalty_import(
        '{"external_id": "main", "point_types": [{"external_id": "bonus", "deactivates_at": "soon"}]}')$$),
    (12, $$SELECT loyalty_import(
        '{"external_id": "main", "point_types": [{"external_id": "bonus", "validity_count": 1}]}')$$),
    (13, $$SELECT loyalty_import(
        '{"external_id": "main", "channels": [{"external_id": "web", "contact_points": [{"external_id": " x", "name": "X"}]}]}')$$),
    (14, $$SELECT loyalty_import('{"external_id": "main", "time_zone": "Nowhere"}')$$),
    (15, $$SELECT loyalty_import(
        '{"external_id": "main", "profile_databases": [{"external_id": "crm", "name": "CRM", "relation": "nothing", "key_column": "id"}]}')$$),
    (16, $$SELECT loyalty_save_promotion('main',
        '{"external_id": "x", "name": "X", "kind": "discount", "conditions": [{"benefits": [{"benefit": "discount", "parameters": {"percent": 500}}]}]}')$$),
    (17, $$SELECT loyalty_save_promotion('main',
        '{"external_id": "x", "name": "X", "kind": "discount", "conditions": [{}, {"mode": "in", "segments": ["nothing"]}]}')$$),
    (18, $$SELECT loyalty_save_promotion('main',
        '{"external_id": "x", "name": "X", "kind": "discount", "conditions": [{"mode": "some"}]}')$$),
    (19, $$SELECT loyalty_save_promotion('main',
        '{"external_id": "x", "name": "X", "kind": "discount", "condition": []}')$$),
    (20, $$SELECT loyalty_save_promotion('main',
        '{"external_id": "x", "name": "X", "kind": "discount", "parent": "nothing"}')$$),
    (21, $$SELECT loyalty_save_promotion('nowhere', '{"external_id": "x"}')$$),
    (22, $$SELECT loyalty_save_promotion('shop', '{"external_id": "a", "name": "A", "kind": "discount"}')$$),
    (23, $$SELECT loyalty_promotion('main', 'nothing')$$),
    (24, $$SELECT loyalty_delete_promotion('main', 'earn')$$),
    (25, $$SELECT loyalty_delete_promotion('main', 'nothing')$$),
    (26, $$SELECT loyalty_export('nowhere')$$),
    (29, $$SELECT loyalty_promotion('nowhere', 'spring')$$),
    (27, $$SELECT * FROM loyalty_plan('{"external_id": "main", "regions": [{"external_id": "a", "name": " "}]}')$$),
    (28, $$SELECT loyalty_import(
        '{"external_id": "main", "promotion_groups": [{"external_id": "l1", "name": "L", "parent": "l2"}, {"external_id": "l2", "name": "L", "parent": "l1"}]}')$$)
) AS list (place, statement), refusal(list.statement)
ORDER BY list.place;
SELECT count(*) FROM loyalty.promotions WHERE program = 'main' AND external_id = 'x';

-- New promotions have their state at once: put aside, or active, which one without content cannot be, nor have ended.
SELECT loyalty_import('{"external_id": "aside", "name": "Aside", "profile_database": "profiles", "currency": "EUR", "time_zone": "UTC", "promotions": [
    {"external_id": "a", "name": "A", "kind": "discount", "state": "inactive", "conditions": [{"benefits": [{"benefit": "discount", "parameters": {"percent": 5}}]}]},
    {"external_id": "b", "name": "B", "kind": "discount", "state": "active", "conditions": [{"benefits": [{"benefit": "discount", "parameters": {"percent": 5}}]}]},
    {"external_id": "c", "name": "C", "kind": "discount"}]}') > 0 AS is_changed;
SELECT external_id, state FROM loyalty.promotions WHERE program = 'aside' ORDER BY position;
SELECT loyalty_import(loyalty_export('aside')), (SELECT count(*) FROM loyalty_plan(loyalty_export('aside')));
SELECT refused.* FROM unnest(ARRAY[
    $$SELECT loyalty_import(
        '{"external_id": "aside", "promotions": [{"external_id": "d", "name": "D", "kind": "discount"}, {"external_id": "e", "name": "E", "kind": "discount", "state": "active"}]}')$$,
    $$SELECT loyalty_import(
        '{"external_id": "aside", "promotions": [{"external_id": "e", "name": "E", "kind": "trigger", "state": "active"}]}')$$,
    $$SELECT loyalty_import(
        '{"external_id": "aside", "promotions": [{"external_id": "e", "name": "E", "kind": "discount", "state": "ended"}]}')$$
]) AS statement, refusal(statement) AS refused;

DROP VIEW children;
DROP TABLE orders, document, price, random;
DROP FUNCTION refusal(text), random_document(integer), replay(integer);
DROP SCHEMA loyalty CASCADE;
