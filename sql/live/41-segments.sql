-- Segments of products, orders and profiles, and the lists of static ones: the same rules for each.

DO $do$
DECLARE
    segment record;
    command text;
BEGIN
    FOR segment IN
        SELECT kind || '_segments' AS relation, kind || '_segment_members' AS list, kind || ' segment' AS noun, kind
        FROM unnest(ARRAY['product', 'order', 'profile']) AS kind
    LOOP
        FOREACH command IN ARRAY ARRAY[
            'CREATE OR REPLACE TRIGGER fix_key BEFORE UPDATE OF program, external_id ON loyalty.%1$I FOR EACH ROW '
            'WHEN ((NEW.program, NEW.external_id) IS DISTINCT FROM (OLD.program, OLD.external_id)) '
            'EXECUTE FUNCTION loyalty_internal.fixed_key_trigger(%3$L)',
            'COMMENT ON TRIGGER fix_key ON loyalty.%1$I IS ''The external id cannot be changed.''',

            'CREATE OR REPLACE TRIGGER validate BEFORE INSERT OR UPDATE ON loyalty.%1$I FOR EACH ROW '
            'EXECUTE FUNCTION loyalty_internal.segments_trigger(%4$L)',
            'COMMENT ON TRIGGER validate ON loyalty.%1$I IS ''A usable predicate; the kind stays.''',

            'CREATE OR REPLACE TRIGGER validate_delete BEFORE DELETE ON loyalty.%1$I FOR EACH ROW '
            'EXECUTE FUNCTION loyalty_internal.segments_delete_trigger(%4$L)',
            'COMMENT ON TRIGGER validate_delete ON loyalty.%1$I IS ''A segment in use is not deleted.''',

            'CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON loyalty.%1$I FOR EACH STATEMENT '
            'EXECUTE FUNCTION loyalty_internal.refuse_truncate_trigger()',
            'COMMENT ON TRIGGER refuse_truncate ON loyalty.%1$I IS ''Rows are deleted one by one, each being asked.''',

            -- By its name this one comes before what relies on it.
            'CREATE OR REPLACE TRIGGER check_references_insert AFTER INSERT ON loyalty.%1$I '
            'REFERENCING NEW TABLE AS written FOR EACH STATEMENT '
            'EXECUTE FUNCTION loyalty_internal.check_references_trigger(%4$L)',
            'COMMENT ON TRIGGER check_references_insert ON loyalty.%1$I IS ''Segments that it refers to exist, without '
            'cycle.''',

            'CREATE OR REPLACE TRIGGER check_references_update AFTER UPDATE ON loyalty.%1$I '
            'REFERENCING NEW TABLE AS written FOR EACH STATEMENT '
            'EXECUTE FUNCTION loyalty_internal.check_references_trigger(%4$L)',
            'COMMENT ON TRIGGER check_references_update ON loyalty.%1$I IS ''Segments that it refers to exist, without '
            'cycle.''',

            'CREATE OR REPLACE TRIGGER validate_insert AFTER INSERT ON loyalty.%2$I '
            'REFERENCING NEW TABLE AS written FOR EACH STATEMENT '
            'EXECUTE FUNCTION loyalty_internal.static_segment_trigger(%4$L)',
            'COMMENT ON TRIGGER validate_insert ON loyalty.%2$I IS ''Only static segments have a list.''',

            'CREATE OR REPLACE TRIGGER validate_update AFTER UPDATE ON loyalty.%2$I '
            'REFERENCING NEW TABLE AS written FOR EACH STATEMENT '
            'EXECUTE FUNCTION loyalty_internal.static_segment_trigger(%4$L)',
            'COMMENT ON TRIGGER validate_update ON loyalty.%2$I IS ''Only static segments have a list.'''
        ] LOOP
            EXECUTE format(command, segment.relation, segment.list, segment.noun, segment.kind);
        END LOOP;
    END LOOP;
END
$do$;

CREATE OR REPLACE VIEW loyalty.all_segments AS
SELECT 'product' AS kind, segment.program, segment.external_id, segment.predicate
FROM loyalty.product_segments AS segment
UNION ALL
SELECT 'order', segment.program, segment.external_id, segment.predicate
FROM loyalty.order_segments AS segment
UNION ALL
SELECT 'profile', segment.program, segment.external_id, segment.predicate
FROM loyalty.profile_segments AS segment;

COMMENT ON VIEW loyalty.all_segments IS 'Segments of products, orders and profiles.';
COMMENT ON COLUMN loyalty.all_segments.kind IS 'What it is a segment of: product, order or profile.';
COMMENT ON COLUMN loyalty.all_segments.program IS 'The program.';
COMMENT ON COLUMN loyalty.all_segments.external_id IS 'External id, unique in the program among segments of the kind.';
COMMENT ON COLUMN loyalty.all_segments.predicate IS 'Its predicate; null: static.';

-- In the canonical form of a path every key stands in quotes behind a period, and nothing in a string literal looks
-- like that, for there a quote stands behind a backslash. No functions of the extension: whoever may read a view need
-- not be allowed to call them.
CREATE OR REPLACE VIEW loyalty.segment_references AS
SELECT DISTINCT
    segment.program,
    segment.kind,
    segment.external_id AS segment,
    reference.kind AS refers_to_kind,
    comparison.part[1]::jsonb #>> '{}' AS refers_to
FROM loyalty.all_segments AS segment
CROSS JOIN LATERAL (
    VALUES
        (segment.kind, '\$\."segments"(?:\[\*\])? == '),
        -- Not what the order's own segments are compared with, but what those of its lines are; and what goods come to.
        (CASE segment.kind WHEN 'order' THEN 'product' END, '[^$]\."segments"(?:\[\*\])? == '),
        (CASE segment.kind WHEN 'order' THEN 'product' END, '\$\."segments"\.')
) AS reference (kind, before)
CROSS JOIN LATERAL regexp_matches(
    segment.predicate::text, reference.before || '("(?:\\.|[^"\\])*")', 'g'
) AS comparison (part)
WHERE strpos(segment.predicate::text, '."segments"') > 0
    AND reference.kind IS NOT NULL;

COMMENT ON VIEW loyalty.segment_references IS
    'Which segments name others in their predicates: $.segments[*] == "id", or of an order''s lines '
    '$.lines[*].segments[*] == "id", of what its goods in one come to $.segments.id.total.';
COMMENT ON COLUMN loyalty.segment_references.program IS 'The program.';
COMMENT ON COLUMN loyalty.segment_references.kind
    IS 'What the naming segment is a segment of: product, order or profile.';
COMMENT ON COLUMN loyalty.segment_references.segment IS 'The naming segment.';
COMMENT ON COLUMN loyalty.segment_references.refers_to_kind IS 'What the segment named is a segment of.';
COMMENT ON COLUMN loyalty.segment_references.refers_to IS 'The segment named.';

-- Not followed from segment to segment: what a segment refers to counts as used even if that one is not.
-- A function, not a part of the view: what the planner expects of a recursion is far above what there is, and it would
-- have the queries compiled, which takes a second.
CREATE OR REPLACE FUNCTION loyalty.reach_segments(program text)
    RETURNS TABLE (kind text, segment text, judged boolean)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 10
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS $reach$
    WITH RECURSIVE reached (kind, segment, judged) AS (
        (
            SELECT condition.level, unnest(condition.segments), true
            FROM loyalty.promotion_conditions AS condition
            WHERE condition.program = $1
            UNION
            SELECT 'profile', unnest(promotion.audience_segments), true
            FROM loyalty.promotions AS promotion
            WHERE promotion.program = $1
            UNION
            SELECT 'order', unnest(promotion.order_segments), true
            FROM loyalty.promotions AS promotion
            WHERE promotion.program = $1
            UNION
            -- Sets name segments for each of their parts.
            SELECT 'product', jsonb_path_query(benefit.parameters, '$.**.segments[*]') #>> '{}', true
            FROM loyalty.promotion_benefits AS benefit
            WHERE benefit.program = $1 AND (benefit.parameters ? 'segments' OR benefit.benefit = 'set')
        )
        UNION
        SELECT reference.refers_to_kind, reference.refers_to, reference.refers_to_kind <> reference.kind
        FROM reached
        JOIN loyalty.segment_references AS reference
            ON reference.program = $1
            AND reference.kind = reached.kind
            AND reference.segment = reached.segment
    )
    SELECT
        reached.kind,
        reached.segment,
        bool_or(reached.judged)
    FROM reached
    GROUP BY reached.kind, reached.segment
$reach$;

COMMENT ON FUNCTION loyalty.reach_segments(text) IS
    'The rows of loyalty.segments_in_use of one program. Example: SELECT * FROM loyalty.reach_segments(''main'');';

CREATE OR REPLACE VIEW loyalty.segments_in_use AS
SELECT
    program.external_id AS program,
    used.kind,
    used.segment,
    used.judged
FROM loyalty.programs AS program
CROSS JOIN LATERAL loyalty.reach_segments(program.external_id) AS used;
COMMENT ON VIEW loyalty.segments_in_use IS
    'The segments that promotions of the draft name, and those that these refer to.';
COMMENT ON COLUMN loyalty.segments_in_use.program IS 'The program.';
COMMENT ON COLUMN loyalty.segments_in_use.kind IS 'What it is a segment of: product, order or profile.';
COMMENT ON COLUMN loyalty.segments_in_use.segment IS 'The segment.';
COMMENT ON COLUMN loyalty.segments_in_use.judged IS
    'Whether orders are asked for membership in the segment itself; otherwise it is only part of others.';

CREATE OR REPLACE VIEW loyalty.profile_predicates AS
SELECT
    segment.program,
    segment.external_id AS segment,
    loyalty_internal.expand_predicate('profile'::text, segment.program::text, segment.predicate) AS predicate
FROM loyalty.profile_segments AS segment
WHERE segment.predicate IS NOT NULL;

COMMENT ON VIEW loyalty.profile_predicates IS
    'The predicates of dynamic profile segments as they are judged: with what they refer to.';
COMMENT ON COLUMN loyalty.profile_predicates.program IS 'The program.';
COMMENT ON COLUMN loyalty.profile_predicates.segment IS 'The segment.';
COMMENT ON COLUMN loyalty.profile_predicates.predicate IS 'Its predicate.';
