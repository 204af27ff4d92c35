-- What is configured names what there is, and values that are known: told by errors of ours, before the server's
-- constraints speak of themselves. What the rules are is said by those constraints alone.

CREATE FUNCTION loyalty_internal.noun(relation name) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT CASE relation
    WHEN 'promo_code_pools' THEN 'promo-code pool'
    WHEN 'promotion_conditions' THEN 'condition'
    WHEN 'order_statuses' THEN 'order status'
    ELSE replace(left(relation::text, -1), '_', ' ')
END
$body$;

COMMENT ON FUNCTION loyalty_internal.noun(name) IS
    'What a row of a table of schema loyalty is called in errors. '
    'Example: SELECT loyalty_internal.noun(''point_types'');';

-- A foreign key's columns as the row has them, the program last: condition "2" of promotion "spring" of program "main".
CREATE FUNCTION loyalty_internal.shown_key(relation regclass, columns name[], "row" jsonb) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT loyalty_internal.noun(class.relname) || ' ' || string_agg(
    CASE part.number WHEN 1 THEN '' ELSE replace(part.name, '_', ' ') || ' ' END || quote_ident.text, ' of '
        ORDER BY part.number
)
FROM pg_class AS class
CROSS JOIN (
    SELECT
        given.name,
        row_number() OVER (ORDER BY given.name = 'program', given.place DESC) AS number
    FROM unnest(columns) WITH ORDINALITY AS given (name, place)
) AS part
CROSS JOIN LATERAL (SELECT '"' || ("row" ->> part.name::text) || '"' AS text) AS quote_ident
WHERE class.oid = relation
GROUP BY class.relname
$body$;

COMMENT ON FUNCTION loyalty_internal.shown_key(regclass, name[], jsonb) IS
    'How errors call the row of a table that the columns of another row name. Example: SELECT '
    'loyalty_internal.shown_key(''loyalty.channels'', ''{program,channel}'', ''{"program": "main", "channel": '
    '"web"}'');';

CREATE FUNCTION loyalty_internal.refuse_unknown_name("constraint" oid, "row" jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    reference record;
    others text;
BEGIN
    SELECT
        class.relname AS source_name,
        key.confrelid::regclass AS target,
        target_class.relname AS target_name,
        (
            SELECT array_agg(attribute.attname ORDER BY part.place)
            FROM unnest(key.conkey) WITH ORDINALITY AS part (number, place)
            JOIN pg_attribute AS attribute ON attribute.attrelid = key.conrelid AND attribute.attnum = part.number
        ) AS names,
        (
            SELECT array_agg(attribute.attname ORDER BY part.place)
            FROM unnest(key.confkey) WITH ORDINALITY AS part (number, place)
            JOIN pg_attribute AS attribute ON attribute.attrelid = key.confrelid AND attribute.attnum = part.number
        ) AS target_names
    INTO reference
    FROM pg_constraint AS key
    JOIN pg_class AS class ON class.oid = key.conrelid
    JOIN pg_class AS target_class ON target_class.oid = key.confrelid
    WHERE key.oid = "constraint";

    EXECUTE format(
        'SELECT string_agg(listed.text, '', '' ORDER BY listed.place) FROM ('
        'SELECT CASE WHEN row_number() OVER key < 11 THEN ''"'' || known.%1$I || ''"'' ELSE ''...'' END,'
        ' row_number() OVER key FROM %2$s AS known WHERE %3$s WINDOW key AS (ORDER BY known.%1$I) LIMIT 11) AS listed '
        '(text, place)',
        (
            SELECT name
            FROM unnest(reference.target_names) WITH ORDINALITY AS part (name, place)
            ORDER BY name = 'program', place DESC
            LIMIT 1
        ),
        reference.target,
        coalesce(
            (
                SELECT string_agg(format('known.%I::text = $1 ->> %L', target, name), ' AND ')
                FROM (
                    SELECT
                        part.target,
                        part.name,
                        row_number() OVER (ORDER BY part.target = 'program', part.place DESC) AS number
                    FROM unnest(reference.target_names, reference.names) WITH ORDINALITY AS part (target, name, place)
                ) AS numbered
                WHERE numbered.number > 1
            ),
            'true'
        )
    ) INTO others USING "row";
    RAISE EXCEPTION USING
        ERRCODE = CASE reference.target_name
            WHEN 'programs' THEN 'LY201'
            WHEN 'channels' THEN 'LY204'
            WHEN 'point_types' THEN 'LY208'
            WHEN 'products' THEN 'LY209'
            WHEN 'promotion_groups' THEN 'LY319'
            WHEN 'promotions' THEN 'LY319'
            WHEN 'promo_code_pools' THEN 'LY630'
            ELSE 'LY330'
        END,
        MESSAGE = loyalty_internal.shown_key(reference.target, reference.names, "row") || ' does not exist',
        DETAIL = format(
            'A row of loyalty.%s names it; there %s.', reference.source_name, coalesce('are ' || others, 'is none')
        ),
        HINT = format('Name one of %s, or make it first.', reference.target),
        SCHEMA = 'loyalty',
        TABLE = reference.source_name,
        COLUMN = reference.names[cardinality(reference.names)];
END
$body$;

COMMENT ON FUNCTION loyalty_internal.refuse_unknown_name(oid, jsonb) IS
    'Refuses a row of a configured table that names by a foreign key what does not exist, and says what there is '
    '(LY201, LY204, LY208, LY209, LY319, LY330, LY630). '
    'Example: SELECT loyalty_internal.refuse_unknown_name(oid, ''{"program": "mian"}'') FROM '
    'pg_constraint WHERE conname = ''regions_program_fkey'';';

-- After the row, and by its name before the server's own check: rows of the same statement may name each other.
CREATE FUNCTION loyalty_internal.known_names_trigger() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_known_names_trigger';

COMMENT ON FUNCTION loyalty_internal.known_names_trigger() IS
    'Trigger, after the insert or update of a row: what its foreign keys name exists (LY201, LY204, LY208, LY209, '
    'LY319, LY330, LY630). Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.known_names_trigger();';

CREATE FUNCTION loyalty_internal.free_names_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    reference record;
    is_named boolean;
BEGIN
    FOR reference IN
        SELECT
            key.conrelid::regclass AS source,
            key.confrelid::regclass AS target,
            named.names,
            (
                SELECT string_agg(format('naming.%I', attribute.attname), ', ' ORDER BY part.place)
                FROM unnest(key.conkey) WITH ORDINALITY AS part (number, place)
                JOIN pg_attribute AS attribute ON attribute.attrelid = key.conrelid AND attribute.attnum = part.number
            ) AS naming,
            (
                SELECT string_agg(format('($1).%I', name), ', ' ORDER BY place)
                FROM unnest(named.names) WITH ORDINALITY AS given (name, place)
            ) AS given
        FROM pg_constraint AS key
        CROSS JOIN LATERAL (
            SELECT array_agg(attribute.attname ORDER BY part.place) AS names
            FROM unnest(key.confkey) WITH ORDINALITY AS part (number, place)
            JOIN pg_attribute AS attribute ON attribute.attrelid = key.confrelid AND attribute.attnum = part.number
        ) AS named
        WHERE key.confrelid = TG_RELID
            AND key.contype = 'f'
            AND key.conparentid = 0
            AND key.confdeltype IN ('a', 'r')
        ORDER BY key.conname
    LOOP
        EXECUTE format(
            'SELECT EXISTS (SELECT FROM %s AS naming WHERE (%s) = (%s))', reference.source, reference.naming,
            reference.given
        ) INTO is_named USING OLD;
        CONTINUE WHEN NOT is_named;

        RAISE EXCEPTION USING
            ERRCODE = 'LY308',
            MESSAGE = loyalty_internal.shown_key(reference.target, reference.names, to_jsonb(OLD)) || ' is in use',
            DETAIL = format('Rows of %s name it.', reference.source),
            HINT = CASE TG_TABLE_NAME
                WHEN 'promotions' THEN 'What happened under it stays on record: end it with loyalty_end_promotion().'
                WHEN 'promotion_groups' THEN 'Move what is in it, or archive it with loyalty_archive_promotion_group().'
                WHEN 'programs' THEN 'Deactivate it: what happened in it stays on record.'
                WHEN 'point_types' THEN 'Deactivate it with loyalty_deactivate_point_type().'
                ELSE 'Remove it there first, or leave it.'
            END,
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END LOOP;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.free_names_trigger() IS
    'Trigger, after the delete of a row: no row names it that would stay (LY308). Example: CREATE TRIGGER ... EXECUTE '
    'FUNCTION loyalty_internal.free_names_trigger();';

CREATE FUNCTION loyalty_internal.known_values_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    list record;
    is_wrong boolean;
BEGIN
    FOR list IN
        SELECT
            attribute.attname AS name,
            pg_get_expr(rule.conbin, rule.conrelid) AS expression
        FROM pg_constraint AS rule
        JOIN pg_attribute AS attribute ON attribute.attrelid = rule.conrelid AND attribute.attnum = rule.conkey[1]
        WHERE rule.conrelid = TG_RELID
            AND rule.contype = 'c'
            AND cardinality(rule.conkey) = 1
            AND right(rule.conname, 9) = '_is_known'
        ORDER BY attribute.attnum
    LOOP
        EXECUTE format('SELECT NOT (%s) FROM (SELECT ($1).%I) AS given', list.expression, list.name) INTO is_wrong
            USING NEW;
        IF is_wrong THEN
            RAISE EXCEPTION USING
                ERRCODE = 'LY329',
                MESSAGE = format(
                    'column "%s" of %s.%s cannot be "%s"',
                    list.name, TG_TABLE_SCHEMA, TG_TABLE_NAME, to_jsonb(NEW) ->> list.name::text
                ),
                HINT = format(
                    'Write one of %s.',
                    (
                        SELECT string_agg('"' || known.part[1] || '"', ', ')
                        FROM regexp_matches(list.expression, '''([^'']*)''', 'g') AS known (part)
                    )
                ),
                SCHEMA = TG_TABLE_SCHEMA,
                TABLE = TG_TABLE_NAME,
                COLUMN = list.name;
        END IF;
    END LOOP;
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.known_values_trigger() IS
    'Trigger, before the insert or update of a row: columns that know certain values have one of them (LY329). Its '
    'condition is that some column has not. Example: CREATE TRIGGER ... WHEN (NEW.kind NOT IN (''a'', ''b'')) EXECUTE '
    'FUNCTION loyalty_internal.known_values_trigger();';

CREATE FUNCTION loyalty_internal.whole_years_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    wrong text;
BEGIN
    SELECT name INTO wrong
    FROM unnest(TG_ARGV) AS name
    WHERE to_jsonb(NEW) ->> name <> '-infinity' AND (to_jsonb(NEW) ->> name)::timestamptz < '0100-01-01Z'
    LIMIT 1;
    RAISE EXCEPTION USING
        ERRCODE = 'LY329',
        MESSAGE = format(
            'column "%s" of %s.%s cannot be in a year of two digits', wrong, TG_TABLE_SCHEMA, TG_TABLE_NAME
        ),
        DETAIL = format('It is "%s".', to_jsonb(NEW) ->> wrong),
        HINT = 'Write years in full.',
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = TG_TABLE_NAME,
        COLUMN = wrong;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.whole_years_trigger() IS
    'Trigger, before the insert or update of a row in which one of the columns that are its arguments is in a year of '
    'two digits: refuses it (LY329). Example: CREATE TRIGGER ... WHEN (NEW.ends_on < ''0100-01-01'') EXECUTE FUNCTION '
    'loyalty_internal.whole_years_trigger(''ends_on'');';

CREATE FUNCTION loyalty_internal.promo_codes_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'LY639',
        MESSAGE = format('promo code "%s" is not in upper case', NEW.code),
        HINT = format(
            'Write "%s", as orders are read, or import it with loyalty_import_promo_codes(), which does.',
            upper(NEW.code)
        ),
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = TG_TABLE_NAME,
        COLUMN = 'code';
END
$body$;

COMMENT ON FUNCTION loyalty_internal.promo_codes_trigger() IS
    'Trigger of loyalty.promo_codes, before the insert of a row whose code is not in upper case: refuses it (LY639). '
    'Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.promo_codes_trigger();';
