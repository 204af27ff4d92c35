-- Custom fields that a program lists. Those of orders are checked where order documents are resolved
-- (codec/listed_fields), those of products here, where products are written.
--
-- A product written in one session while a field is listed in another must be checked by one of the two: the writer of
-- the field waits for writers of products as makers of predicates do (40-catalogue.sql).

CREATE FUNCTION loyalty_internal.is_of_field_type(value jsonb, type text) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_is_of_field_type';

COMMENT ON FUNCTION loyalty_internal.is_of_field_type(jsonb, text) IS
    'Whether a value is of a type of loyalty.fields: text, number, boolean, date or texts. Nothing is of any other. '
    'Example: SELECT loyalty_internal.is_of_field_type(''"2026-11-30"'', ''date'');';

CREATE FUNCTION loyalty_internal.field_problem(fields jsonb, name text, type text, required boolean) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT CASE
    WHEN coalesce(jsonb_typeof(fields -> name), 'null') = 'null' THEN CASE WHEN required THEN 'is missing' END
    WHEN NOT loyalty_internal.is_of_field_type(fields -> name, type)
        THEN format('is %s, which is not of type %s', left((fields -> name)::text, 60), type)
END
$body$;

COMMENT ON FUNCTION loyalty_internal.field_problem(jsonb, text, text, boolean) IS
    'What is wrong with one of a product''s custom fields; null: nothing. Example: SELECT '
    'loyalty_internal.field_problem(''{"stars": "many"}'', ''stars'', ''number'', true);';

CREATE FUNCTION loyalty_internal.fill_fields_trigger() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'loyalty_fill_fields_trigger';

COMMENT ON FUNCTION loyalty_internal.fill_fields_trigger() IS
    'Trigger of loyalty.products, before a row is written: gives it the defaults of loyalty.fields that it lacks. '
    'Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.fill_fields_trigger();';

CREATE FUNCTION loyalty_internal.check_fields_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    wrong record;
BEGIN
    SELECT
        product.sku,
        field.program,
        field.name,
        field.type,
        judged.problem
    INTO wrong
    FROM loyalty.fields AS field
    JOIN written AS product ON product.program = field.program
    CROSS JOIN LATERAL (
        SELECT loyalty_internal.field_problem(product.fields, field.name::text, field.type, field.required) AS problem
    ) AS judged
    WHERE field.kind = 'product' AND judged.problem IS NOT NULL
    ORDER BY field.program, product.sku, field.name
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY337',
            MESSAGE = format('product "%s" does not have its custom fields as they are listed', wrong.sku),
            DETAIL = format('In column "fields", "%s" %s.', wrong.name, wrong.problem),
            HINT = format(
                'Give it as a value of type %s, or change the row of loyalty.fields of program "%s".',
                wrong.type, wrong.program
            ),
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'fields';
    END IF;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.check_fields_trigger() IS
    'Trigger of loyalty.products, after an insert or update statement (transition table "written"), when the draft is '
    'locked: custom fields are as loyalty.fields lists them (LY337). Example: CREATE TRIGGER ... REFERENCING NEW TABLE '
    'AS written ... EXECUTE FUNCTION loyalty_internal.check_fields_trigger();';

CREATE FUNCTION loyalty_internal.refuse_field(program text, field text, detail text, hint text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'LY338',
        MESSAGE = format('custom field "%s" of program "%s" cannot be listed so', field, program),
        DETAIL = detail,
        HINT = hint,
        SCHEMA = 'loyalty',
        TABLE = 'fields';
END
$body$;

COMMENT ON FUNCTION loyalty_internal.refuse_field(text, text, text, text) IS
    'Says why a custom field cannot be listed so (LY338). Example: SELECT '
    'loyalty_internal.refuse_field(''main'', ''stars'', ''Its default is a text.'', ''Give a number.'');';

CREATE FUNCTION loyalty_internal.list_fields_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    wrong record;
BEGIN
    SELECT * INTO wrong
    FROM written AS field
    WHERE NOT loyalty_internal.is_of_field_type(field.default_value, field.type)
    ORDER BY field.program, field.kind, field.name
    LIMIT 1;
    IF FOUND THEN
        PERFORM loyalty_internal.refuse_field(
            wrong.program::text,
            wrong.name::text,
            format('Its default %s is not of type %s.', left(wrong.default_value::text, 60), wrong.type),
            format('Give a default of type %s, or none.', wrong.type)
        );
    END IF;
    IF NOT EXISTS (SELECT FROM written AS field WHERE field.kind = 'product') THEN
        RETURN NULL;
    END IF;

    PERFORM loyalty_internal.require_read_committed('list custom fields of products'::text);
    PERFORM loyalty_internal.lock_predicates(program.external_id::text)
    FROM loyalty.programs AS program
    WHERE program.external_id IN (SELECT field.program FROM written AS field WHERE field.kind = 'product')
    ORDER BY program.external_id;

    SELECT field.program, field.name, field.type, product.sku, judged.problem INTO wrong
    FROM written AS field
    JOIN loyalty.products AS product ON product.program = field.program
    CROSS JOIN LATERAL (
        SELECT loyalty_internal.field_problem(product.fields, field.name::text, field.type, field.required) AS problem
    ) AS judged
    WHERE field.kind = 'product' AND judged.problem IS NOT NULL
    ORDER BY field.program, field.name, product.sku
    LIMIT 1;
    IF FOUND THEN
        PERFORM loyalty_internal.refuse_field(
            wrong.program::text,
            wrong.name::text,
            format('In column "fields" of product "%s" it %s.', wrong.sku, wrong.problem),
            format('First give all products of the program the field as a value of type %s.', wrong.type)
        );
    END IF;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.list_fields_trigger() IS
    'Trigger of loyalty.fields, after an insert or update statement (transition table "written"): defaults are of '
    'their type, and the products that there are have it so. Errors: LY317 (isolation level), LY338. Example: CREATE '
    'TRIGGER ... REFERENCING NEW TABLE AS written ... EXECUTE FUNCTION loyalty_internal.list_fields_trigger();';
