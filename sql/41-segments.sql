-- Segments of products, orders and profiles: predicates, what they refer to, and what uses them.
--
-- $.segments[*] == "id" means membership in another segment of the same kind. In the predicate of an order segment,
-- $.lines[*].segments[*] == "id" means that a line belongs to a product segment, and $.segments.id is what all such
-- lines come to. Before a predicate is judged, membership in a dynamic segment is replaced by that segment's own
-- predicate (loyalty_internal.expand_predicate), so that predicates stand alone: a version holds them entire, and the
-- membership of products is kept up for each on its own. Only the lists of static segments are read live, from the
-- member "segments" of the document; what product segments come to stands in another one, "by_segment", for one key
-- cannot be a list and an object.

-- ---------------------------------------------------------------------------------------------------------------------
-- Predicates

CREATE FUNCTION loyalty_internal.predicate_problem(predicate jsonpath) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    path CONSTANT text := predicate::text;
    -- Without the contents of its strings and keys: what is left of a variable is $"" and of a key ."".
    skeleton CONSTANT text := regexp_replace(path, '"(\\.|[^"\\])*"', '""', 'g');
BEGIN
    -- Over any document a predicate yields true, false or unknown, which is null; any other path yields its items.
    RETURN CASE
        WHEN length(path) > 10000
            THEN format('It has %s characters, and 10000 are allowed.', length(path))
        WHEN strpos(skeleton, '$""') > 0
            THEN 'It uses a variable, and nothing gives it a value.'
        WHEN skeleton ~ '\.(datetime|date|time|time_tz|timestamp|timestamp_tz)\('
            THEN 'It converts dates or times, which fails where only one of two has a time zone. Compare ISO texts.'
        WHEN jsonb_typeof(jsonb_path_query_first('{}', predicate, '{}', true)) IN ('boolean', 'null') IS NOT TRUE
            THEN 'It is not a predicate: it does not yield true or false.'
    END;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.predicate_problem(jsonpath) IS
    'Why a path cannot be a predicate over documents, or null if it can. Example: SELECT '
    'loyalty_internal.predicate_problem(''$.price'');';

CREATE FUNCTION @extschema@.loyalty_check_predicate(noun text, segment text, predicate jsonpath) RETURNS void
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    problem CONSTANT text := loyalty_internal.predicate_problem(predicate);
BEGIN
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY306',
            MESSAGE = format('predicate of %s "%s" is not usable', noun, segment),
            DETAIL = problem,
            HINT = CASE noun
                WHEN 'product segment'
                    THEN 'Write an SQL/JSON path predicate, such as $.categories[*] == "tv" && $.price >= 1000.'
                WHEN 'order segment' THEN 'Write an SQL/JSON path predicate, such as $.items >= 3 && $.total >= 100.'
                ELSE 'Write an SQL/JSON path predicate, such as $.city == "Riga" && $.age >= 18.'
            END,
            SCHEMA = 'loyalty',
            COLUMN = 'predicate';
    END IF;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_check_predicate(text, text, jsonpath) IS
    'Refuses (LY306) a path that cannot be the predicate of what the noun names: no predicate, with a variable or a '
    'conversion of dates, too long. Example: SELECT loyalty_check_predicate(''product segment'', ''tv'', '
    '''$.categories[*] == "tv"'');';

-- Members of the document itself are looked at, and of those that are ours what is in them; the rest is the user's. A
-- string that holds such a text is none.
CREATE FUNCTION loyalty_internal.check_members(noun text, segment text, predicate jsonpath, known text[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    missing text;
BEGIN
    SELECT read.path INTO missing
    FROM regexp_matches(
        predicate::text, '\$((?:\.(?:"(?:[^"\\]|\\.)*"))+)|"(?:[^"\\]|\\.)*"', 'g'
    ) AS token (found)
    CROSS JOIN LATERAL (
        SELECT string_agg(key.part[1]::jsonb #>> '{}', '.' ORDER BY key.number) AS path
        FROM regexp_matches(token.found[1], '("(?:[^"\\]|\\.)*")', 'g') WITH ORDINALITY AS key (part, number)
    ) AS read
    WHERE read.path IS NOT NULL AND NOT EXISTS (
        SELECT FROM unnest(known) AS member
        WHERE read.path = member OR starts_with(read.path, member || '.') OR starts_with(member, read.path || '.')
    )
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY306',
            MESSAGE = format('predicate of %s "%s" is not usable', noun, segment),
            DETAIL = format('It reads $.%s, which no such document has.', missing),
            HINT = format('There are %s.', '$.' || array_to_string(known, ', $.')),
            SCHEMA = 'loyalty',
            COLUMN = 'predicate';
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.check_members(text, text, jsonpath, text[]) IS
    'Refuses (LY306) a predicate that reads a member which the document never has, so that it would never hold. '
    'Example: SELECT loyalty_internal.check_members(''product segment'', ''tv'', ''$.price > 1'', ''{sku,price}'');';

CREATE FUNCTION loyalty_internal.document_members(kind text, program text) RETURNS text[]
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT CASE kind
    WHEN 'product' THEN '{sku,name,price,min_price,categories,partner,fields,segments}'::text[]
    WHEN 'order' THEN
        '{items,lines,goods,total,shipping,channel,contact_point,region,currency,time,buyer.is_member}'::text[]
        || '{buyer.orders.count,buyer.orders.sum,buyer.orders.last,fields,segments}'::text[]
    ELSE (
        SELECT array_agg(attribute.attname::text ORDER BY attribute.attnum) || '{segments}'::text[]
        FROM loyalty.programs AS known
        JOIN loyalty.profile_databases AS bound ON bound.external_id = known.profile_database
        JOIN pg_attribute AS attribute
            ON attribute.attrelid = bound.relation AND attribute.attnum > 0 AND NOT attribute.attisdropped
        WHERE known.external_id = document_members.program
    )
END
$body$;

COMMENT ON FUNCTION loyalty_internal.document_members(text, text) IS
    'What the documents have that segments of a kind (product, order, profile) are judged on. Example: SELECT '
    'loyalty_internal.document_members(''order'', ''main'');';

CREATE FUNCTION loyalty_internal.expand_predicate(kind text, program text, predicate jsonpath) RETURNS jsonpath
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    expanded text := predicate::text;
    reference record;
    referred jsonpath;
BEGIN
    IF strpos(expanded, '$."segments"') = 0 THEN
        RETURN predicate;
    END IF;
    IF kind = 'order' THEN
        expanded := replace(expanded, '$."segments"."', '$."by_segment"."');
    END IF;
    FOR reference IN
        SELECT DISTINCT
            part[1] AS comparison,
            part[2]::jsonb #>> '{}' AS segment
        FROM regexp_matches(expanded, '(\$\."segments"(?:\[\*\])? == ("(?:\\.|[^"\\])*"))', 'g') AS part
    LOOP
        EXECUTE format('SELECT predicate FROM loyalty.%I WHERE program = $1 AND external_id = $2', kind || '_segments')
        INTO referred
        USING program, reference.segment;
        -- A static segment has none, and is looked up in the document.
        CONTINUE WHEN referred IS NULL;
        referred := loyalty_internal.expand_predicate(kind, program, referred);
        -- Unlike the predicate itself the test whether it finds anything is never unknown, so it can be negated.
        expanded := replace(
            expanded,
            reference.comparison,
            format('exists ($ ? (%s))', regexp_replace(referred::text, '^strict ', ''))
        );
        -- Each segment may name another one twice.
        IF length(expanded) > 100000 THEN
            RAISE EXCEPTION USING
                ERRCODE = 'LY333',
                MESSAGE = format('a predicate that names %s segment "%s" grows too long', kind, reference.segment),
                DETAIL = 'With the predicates of the segments that it names it has more than 100000 characters.',
                HINT = 'Name fewer segments.';
        END IF;
    END LOOP;
    RETURN expanded::jsonpath;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.expand_predicate(text, text, jsonpath) IS
    'A predicate of a segment of the kind product, order or profile, with membership in dynamic segments replaced by '
    'their predicates, and what goods of product segments come to looked up where it stands. Errors: LY333 (over '
    '100000 characters). '
    'Example: SELECT loyalty_internal.expand_predicate(''product'', '
    '''main'', ''$.segments[*] == "tv" && $.price > 100'');';

-- ---------------------------------------------------------------------------------------------------------------------
-- References

CREATE FUNCTION loyalty_internal.refuse_reference(
    sqlstate text,
    kind text,
    segment text,
    problem text,
    detail text,
    hint text
) RETURNS void
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = sqlstate,
        MESSAGE = format('predicate of %s segment "%s" %s', kind, segment, problem),
        DETAIL = detail,
        HINT = hint,
        SCHEMA = 'loyalty',
        TABLE = kind || '_segments',
        COLUMN = 'predicate';
END
$body$;

COMMENT ON FUNCTION loyalty_internal.refuse_reference(text, text, text, text, text, text) IS
    'Raises the error of a predicate that names segments wrongly. '
    'Example: SELECT loyalty_internal.refuse_reference(''LY331'', '
    '''order'', ''large'', ''names an unknown segment'', ''It is "tv".'', ''Make it first.'');';

CREATE FUNCTION loyalty_internal.check_references(kind text, program text) RETURNS void
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS $body$
DECLARE
    wrong record;
BEGIN
    -- Only comparisons with a text can be followed, and the figures of one product segment.
    SELECT segment.external_id INTO wrong
    FROM loyalty.all_segments AS segment
    WHERE segment.program = check_references.program
        AND segment.kind = check_references.kind
        AND regexp_replace(
            segment.predicate::text,
            CASE segment.kind
                WHEN 'order'
                    THEN '\$\."segments"\."(?:\\.|[^"\\])*"(?:\."(?:items|total)"(?!\."|\[)|(?![.[]))|\."segments"'
                ELSE '\$\."segments"'
            END || '(?:\[\*\])? == "(?:\\.|[^"\\])*"',
            ' ', 'g'
        ) ~ '\."segments"'
    ORDER BY segment.external_id
    LIMIT 1;
    IF FOUND THEN
        PERFORM loyalty_internal.refuse_reference(
            'LY333'::text, kind, wrong.external_id::text, 'reads segments in a way that cannot be followed'::text,
            'Segments are named only by comparing the list with one of them.'::text,
            CASE kind
                WHEN 'order'
                    THEN 'Write $.segments[*] == "id", for products $.lines[*].segments[*] == "id", and of their goods '
                        '$.segments.id.items or $.segments.id.total.'
                ELSE 'Write $.segments[*] == "id".'
            END
        );
    END IF;

    SELECT
        reference.segment AS external_id,
        reference.refers_to_kind,
        reference.refers_to
    INTO wrong
    FROM loyalty.segment_references AS reference
    WHERE reference.program = check_references.program
        AND reference.kind = check_references.kind
        AND NOT EXISTS (
            SELECT
            FROM loyalty.all_segments AS referred
            WHERE referred.program = reference.program
                AND referred.kind = reference.refers_to_kind
                AND referred.external_id = reference.refers_to
        )
    ORDER BY reference.segment, reference.refers_to
    LIMIT 1;
    IF FOUND THEN
        PERFORM loyalty_internal.refuse_reference(
            'LY331'::text, kind, wrong.external_id::text, format('names an unknown %s segment', wrong.refers_to_kind),
            format('There is no %s segment "%s" in program "%s".', wrong.refers_to_kind, wrong.refers_to, program),
            'Make that segment first; a segment may name others of its own kind only.'::text
        );
    END IF;

    WITH RECURSIVE up AS (
        SELECT
            reference.segment,
            reference.refers_to
        FROM loyalty.segment_references AS reference
        WHERE reference.program = check_references.program
            AND reference.kind = check_references.kind
            AND reference.refers_to_kind = reference.kind
        UNION ALL
        SELECT
            reference.segment,
            reference.refers_to
        FROM up
        JOIN loyalty.segment_references AS reference
            ON reference.program = check_references.program
            AND reference.kind = check_references.kind
            AND reference.refers_to_kind = reference.kind
            AND reference.segment = up.refers_to
    ) CYCLE segment SET met_before USING path
    SELECT up.segment AS external_id INTO wrong
    FROM up
    WHERE up.met_before
    ORDER BY up.segment
    LIMIT 1;
    IF FOUND THEN
        PERFORM loyalty_internal.refuse_reference(
            'LY332'::text, kind, wrong.external_id::text, 'refers to itself'::text,
            'The segments that it names lead back to it.'::text, 'Leave one of the references out.'::text
        );
    END IF;

    FOR wrong IN
        SELECT
            segment.external_id,
            segment.predicate,
            EXISTS (
                SELECT
                FROM loyalty.segment_references AS reference
                JOIN loyalty.all_segments AS referred
                    ON referred.program = reference.program
                    AND referred.kind = reference.refers_to_kind
                    AND referred.external_id = reference.refers_to
                WHERE reference.program = segment.program
                    AND reference.kind = segment.kind
                    AND reference.segment = segment.external_id
                    AND reference.refers_to_kind = reference.kind
                    AND starts_with(referred.predicate::text, 'strict ')
                        <> starts_with(segment.predicate::text, 'strict ')
            ) AS mixed
        FROM loyalty.all_segments AS segment
        WHERE segment.program = check_references.program
            AND segment.kind = check_references.kind
            AND strpos(segment.predicate::text, '$."segments"') > 0
        ORDER BY segment.external_id
    LOOP
        IF wrong.mixed THEN
            PERFORM loyalty_internal.refuse_reference(
                'LY333'::text, kind, wrong.external_id::text, 'names a segment of the other mode'::text,
                'One of the two predicates is strict, the other is lax.'::text, 'Write both in the same mode.'::text
            );
        END IF;
        BEGIN
            PERFORM loyalty_internal.expand_predicate(kind, program, wrong.predicate);
        EXCEPTION
            WHEN syntax_error THEN
                PERFORM loyalty_internal.refuse_reference(
                    'LY333'::text,
                    kind,
                    wrong.external_id::text,
                    'names a segment that cannot be part of another'::text,
                    'The predicate of the segment named is a constant.'::text,
                    'Write that predicate as a comparison.'::text
                );
        END;
    END LOOP;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.check_references(text, text) IS
    'Checks what the predicates of a program''s segments of a kind (product, order, profile) refer to: by comparisons '
    'that can be followed (LY333), to segments that exist (LY331), without a cycle (LY332). Example: SELECT '
    'loyalty_internal.check_references(''order'', ''main'');';

CREATE FUNCTION loyalty_internal.check_references_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty_internal.check_references(TG_ARGV[0], program.external_id::text)
    FROM loyalty.programs AS program
    WHERE program.external_id IN (SELECT written.program FROM written)
    ORDER BY program.external_id;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.check_references_trigger() IS
    'Trigger of segments, after an insert or update statement (transition table "written"); its argument is the kind: '
    'see loyalty_internal.check_references(). '
    'Example: CREATE TRIGGER ... REFERENCING NEW TABLE AS written ... EXECUTE FUNCTION '
    'loyalty_internal.check_references_trigger(''order'');';

-- ---------------------------------------------------------------------------------------------------------------------
-- Segments

CREATE FUNCTION loyalty_internal.segments_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    noun CONSTANT text := TG_ARGV[0] || ' segment';
BEGIN
    PERFORM loyalty_internal.lock_draft(NEW.program::text);
    IF TG_OP = 'UPDATE' AND NEW.kind IS DISTINCT FROM OLD.kind THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY312',
            MESSAGE = format('the kind of %s "%s" cannot be changed', noun, OLD.external_id),
            DETAIL = format('It is "%s", the change would make it "%s".', OLD.kind, NEW.kind),
            HINT = 'Make a new segment of the other kind.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'kind';
    END IF;
    PERFORM @extschema@.loyalty_check_predicate(noun, NEW.external_id::text, NEW.predicate);
    -- What was stored before the document was looked at stays, and comes back with its version.
    IF NOT loyalty_internal.is_reverting()
        AND (TG_OP = 'INSERT' OR NEW.predicate::text IS DISTINCT FROM OLD.predicate::text)
    THEN
        PERFORM loyalty_internal.check_members(
            noun, NEW.external_id::text, NEW.predicate,
            loyalty_internal.document_members(TG_ARGV[0]::text, NEW.program::text)
        );
    END IF;
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.segments_trigger() IS
    'Trigger of segments, before insert or update of a row; its argument is the kind: a usable predicate (LY306), a '
    'kind that stays (LY312). Example: CREATE TRIGGER ... EXECUTE FUNCTION '
    'loyalty_internal.segments_trigger(''order'');';

CREATE FUNCTION loyalty_internal.segments_delete_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    used_by text;
BEGIN
    PERFORM loyalty_internal.lock_draft(OLD.program::text);
    IF NOT EXISTS (SELECT FROM loyalty.programs AS program WHERE program.external_id = OLD.program) THEN
        RETURN OLD;
    END IF;

    SELECT format('Promotion "%s" names it.', naming.promotion) INTO used_by
    FROM (
        SELECT condition.promotion
        FROM loyalty.promotion_conditions AS condition
        WHERE condition.program = OLD.program
            AND condition.level = TG_ARGV[0]
            AND OLD.external_id = ANY (condition.segments)
        UNION ALL
        SELECT promotion.external_id
        FROM loyalty.promotions AS promotion
        WHERE promotion.program = OLD.program
            AND OLD.external_id = ANY (
                CASE TG_ARGV[0]
                    WHEN 'profile' THEN promotion.audience_segments
                    WHEN 'order' THEN promotion.order_segments
                END
            )
        UNION ALL
        SELECT benefit.promotion
        FROM loyalty.promotion_benefits AS benefit
        WHERE benefit.program = OLD.program
            AND TG_ARGV[0] = 'product'
            AND jsonb_path_exists(
                benefit.parameters, '$.**.segments[*] ? (@ == $id)', jsonb_build_object('id', OLD.external_id)
            )
    ) AS naming
    ORDER BY naming.promotion
    LIMIT 1;

    IF used_by IS NULL THEN
        SELECT format('%s segment "%s" refers to it.', initcap(reference.kind), reference.segment) INTO used_by
        FROM loyalty.segment_references AS reference
        WHERE reference.program = OLD.program
            AND reference.refers_to_kind = TG_ARGV[0]
            AND reference.refers_to = OLD.external_id
        ORDER BY reference.kind, reference.segment
        LIMIT 1;
    END IF;

    IF used_by IS NULL AND TG_ARGV[0] = 'profile' THEN
        SELECT format('Tier "%s" refers to it.', tier.external_id) INTO used_by
        FROM loyalty.tiers AS tier
        WHERE tier.program = OLD.program
            AND OLD.external_id IN (SELECT loyalty_internal.tier_segments(tier.predicate))
        ORDER BY tier.external_id
        LIMIT 1;
    END IF;

    IF used_by IS NULL THEN
        used_by := loyalty_internal.version_using(
            OLD.program::text, OLD.external_id::text, VARIADIC ARRAY[format('$.segments_in_use.%I[*]', TG_ARGV[0])]
        );
    END IF;

    IF used_by IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY308',
            MESSAGE = format('%s segment "%s" is in use', TG_ARGV[0], OLD.external_id),
            DETAIL = used_by,
            HINT = 'Remove it from the promotions and segments and apply the tree, then delete it.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN OLD;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.segments_delete_trigger() IS
    'Trigger of segments, before the deletion of a row; its argument is the kind: no promotion or segment of the draft '
    'and no promotion of the version in force uses the segment (LY308). Example: CREATE TRIGGER ... EXECUTE FUNCTION '
    'loyalty_internal.segments_delete_trigger(''order'');';

CREATE FUNCTION loyalty_internal.static_segment_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    wrong record;
BEGIN
    SELECT
        segment.program,
        segment.external_id
    INTO wrong
    FROM loyalty.all_segments AS segment
    WHERE segment.kind = TG_ARGV[0]
        AND segment.predicate IS NOT NULL
        AND (segment.program, segment.external_id) IN (SELECT written.program, written.segment FROM written)
    ORDER BY segment.program, segment.external_id
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY318',
            MESSAGE = format('%s segment "%s" is not static', TG_ARGV[0], wrong.external_id),
            DETAIL = format('A dynamic segment consists of the %ss for which its predicate holds.', TG_ARGV[0]),
            HINT = format('List the %ss in a segment of kind "static".', TG_ARGV[0]),
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'segment';
    END IF;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.static_segment_trigger() IS
    'Trigger of the lists of segments, after an insert or update statement (transition table "written"); its argument '
    'is the kind: only static segments have a list (LY318). Example: CREATE TRIGGER ... REFERENCING NEW TABLE AS '
    'written ... EXECUTE FUNCTION loyalty_internal.static_segment_trigger(''product'');';

-- ---------------------------------------------------------------------------------------------------------------------
-- Looking into them

CREATE FUNCTION loyalty_internal.segment_profiles(program text, segment text) RETURNS SETOF text
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 1000
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_segment_profiles';

COMMENT ON FUNCTION loyalty_internal.segment_profiles(text, text) IS
    'The keys of the profiles that are in a profile segment now, as far as the caller may see them. Errors: LY201, '
    'LY211, LY705 (segment), LY791. Example: SELECT loyalty_internal.segment_profiles(''main'', ''vip'');';

CREATE FUNCTION @extschema@.loyalty_segment_members(
    kind text,
    program text,
    segment text,
    OUT id text,
    OUT is_known boolean
) RETURNS SETOF record
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 1000
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    IF NOT EXISTS (SELECT FROM loyalty.programs AS known WHERE known.external_id = loyalty_segment_members.program) THEN
        PERFORM loyalty_internal.refuse_program(program);
    END IF;
    IF kind IS NULL OR kind NOT IN ('product', 'profile', 'order') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY329',
            MESSAGE = format('there are no segments of kind "%s"', kind),
            HINT = 'Write one of "product", "profile", "order".';
    END IF;
    IF NOT EXISTS (
        SELECT
        FROM loyalty.all_segments AS known
        WHERE known.kind = loyalty_segment_members.kind
            AND known.program = loyalty_segment_members.program
            AND known.external_id = segment
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY331',
            MESSAGE = format('program "%s" has no %s segment "%s"', program, kind, segment),
            HINT = format('Name one of loyalty.%s_segments.', kind);
    END IF;

    CASE kind
        WHEN 'product' THEN
            RETURN QUERY
                SELECT found.sku::text COLLATE "C", true
                FROM loyalty.segment_products AS found
                WHERE found.program = loyalty_segment_members.program
                    AND found.segment = loyalty_segment_members.segment
                UNION ALL
                SELECT listed.sku::text COLLATE "C", false
                FROM loyalty.product_segment_members AS listed
                WHERE listed.program = loyalty_segment_members.program
                    AND listed.segment = loyalty_segment_members.segment
                    AND NOT EXISTS (
                        SELECT
                        FROM loyalty.products AS product
                        WHERE product.program = listed.program
                            AND product.sku = listed.sku
                    )
                ORDER BY 1;
        WHEN 'profile' THEN
            RETURN QUERY
                WITH found AS MATERIALIZED (
                    SELECT profile.key
                    FROM loyalty_internal.segment_profiles(program, segment) AS profile (key)
                )
                SELECT found.key COLLATE "C", true
                FROM found
                UNION ALL
                SELECT listed.profile COLLATE "C", false
                FROM loyalty.profile_segment_members AS listed
                WHERE listed.program = loyalty_segment_members.program
                    AND listed.segment = loyalty_segment_members.segment
                    AND listed.profile NOT IN (SELECT found.key FROM found)
                ORDER BY 1;
        WHEN 'order' THEN
            RETURN QUERY
                SELECT
                    listed.order_id::text COLLATE "C",
                    EXISTS (
                        SELECT
                        FROM loyalty.order_ids AS known
                        WHERE known.external_id = listed.order_id
                            AND known.program = listed.program
                    )
                FROM loyalty.order_segment_members AS listed
                WHERE listed.program = loyalty_segment_members.program
                    AND listed.segment = loyalty_segment_members.segment
                UNION
                SELECT placed.external_id::text COLLATE "C", true
                FROM loyalty.orders AS placed
                WHERE placed.program = loyalty_segment_members.program
                    AND placed.resolved -> 'segments' ? segment
                ORDER BY 1;
    END CASE;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_segment_members(text, text, text) IS
    'What is in a segment of kind product, profile or order, in the order of its ids: products of the catalogue, '
    'profiles that the caller may see, orders that were in it when they were placed, as far as a promotion asked. Of '
    'static segments also what their lists name and nobody has: is_known is false. Errors: LY201, LY329 (kind), LY331 '
    '(segment), LY211, LY791. Example: SELECT id FROM loyalty_segment_members(''profile'', ''main'', ''vip'');';
