-- What programs, profile databases and point types must obey beyond what constraints can say.

-- ---------------------------------------------------------------------------------------------------------------------
-- One editor at a time

-- Checks that look at several rows (no cycles, no segment deleted under a condition) hold only if two editors do not
-- work side by side. Updating the row of loyalty.drafts does more than locking it: an editor in REPEATABLE READ whose
-- snapshot is older than the last edit gets a serialization failure instead of checking what it cannot show. Writers of
-- products lock the row FOR KEY SHARE and are not disturbed by it.
CREATE FUNCTION loyalty_internal.lock_draft(program text) RETURNS void
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_lock_draft';

COMMENT ON FUNCTION loyalty_internal.lock_draft(text) IS
    'Makes the caller the only editor of the program''s promotions, segments and versions until the transaction '
    'ends. Errors: 40001 (edited since the snapshot of a REPEATABLE READ transaction). Example: SELECT '
    'loyalty_internal.lock_draft(''main'');';

-- A statement that updates or deletes rows holds each before its trigger looks at it. Whoever came to hold a row first,
-- and waited for the draft then, would wait for an editor who wants that row; so it waits before it holds any. Which
-- programs the rows belong to is not known by then: it waits for the editors of all, unless the transaction is an
-- editor already.
CREATE FUNCTION loyalty_internal.lock_drafts_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    IF NOT EXISTS (
        SELECT FROM loyalty.drafts AS draft WHERE pg_current_xact_id_if_assigned()::xid IN (draft.xmin, draft.xmax)
    ) THEN
        PERFORM FROM loyalty.drafts AS draft ORDER BY draft.program FOR NO KEY UPDATE;
    END IF;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.lock_drafts_trigger() IS
    'Trigger of the tables that loyalty_revert() restores, before an update or delete statement: waits for other '
    'editors before it holds a row. Errors: 40001 (edited since the snapshot of a REPEATABLE READ transaction). '
    'Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.lock_drafts_trigger();';

-- What is in use is not deleted: the draft's tables are asked by those who know them, the version in force here.
CREATE FUNCTION loyalty_internal.version_using(program text, id text, VARIADIC places text[]) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT format('Version %s of the promotion tree uses it.', latest.version)
FROM (
    SELECT version.version, version.tree
    FROM loyalty.promotion_versions AS version
    WHERE version.program = version_using.program
    ORDER BY version.version DESC
    LIMIT 1
) AS latest
WHERE EXISTS (
    SELECT FROM unnest(places) AS place
    WHERE jsonb_path_exists(latest.tree, (place || ' ? (@ == $id)')::jsonpath, jsonb_build_object('id', id))
)
$body$;

COMMENT ON FUNCTION loyalty_internal.version_using(text, text, text[]) IS
    'Says which version uses something, if the program''s version in force names it at one of the places, SQL/JSON '
    'paths of its tree; otherwise null. Example: SELECT loyalty_internal.version_using(''main'', ''web'', '
    '''$.promotions[*].channels[*]'');';

-- A statement under an old snapshot cannot see what it has to look at, and would decide without it.
CREATE FUNCTION loyalty_internal.require_read_committed(action text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY317',
            MESSAGE = format(
                'cannot %s in a transaction of isolation level "%s"', action, current_setting('transaction_isolation')
            ),
            HINT = 'Use a READ COMMITTED transaction: it sees what others have committed meanwhile.';
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.require_read_committed(text) IS
    'Refuses (LY317) what must see the newest rows of others, unless the transaction is READ COMMITTED. Example: '
    'SELECT loyalty_internal.require_read_committed(''change a time zone'');';

-- ---------------------------------------------------------------------------------------------------------------------
-- External ids of what a version, or the outside, refers to

CREATE FUNCTION loyalty_internal.fixed_key_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    program CONSTANT text := to_jsonb(NEW) ->> 'program';
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'LY316',
        MESSAGE = format('the external id of %s "%s" cannot be changed', TG_ARGV[0], OLD.external_id),
        DETAIL = format('The change would make it "%s"', NEW.external_id)
            || coalesce(format(' of program "%s"', program), '') || '.',
        HINT = 'Versions refer to it by this id. Make a new one instead, and delete this one if it is no longer used.',
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = TG_TABLE_NAME,
        COLUMN = 'external_id';
END
$body$;

COMMENT ON FUNCTION loyalty_internal.fixed_key_trigger() IS
    'Trigger, before the update of a row whose key changes: refuses it (LY316); its argument is the noun. Example: '
    'CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.fixed_key_trigger(''promotion'');';

-- Truncating asks no row's permission.
CREATE FUNCTION loyalty_internal.refuse_truncate_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'LY308',
        MESSAGE = format('table "%s.%s" cannot be truncated', TG_TABLE_SCHEMA, TG_TABLE_NAME),
        DETAIL = 'Some of its rows may be in use.',
        HINT = 'Use DELETE, which looks at each row.',
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = TG_TABLE_NAME;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.refuse_truncate_trigger() IS
    'Trigger, before a truncate statement: refuses it (LY308). Example: CREATE TRIGGER ... EXECUTE FUNCTION '
    'loyalty_internal.refuse_truncate_trigger();';

-- ---------------------------------------------------------------------------------------------------------------------
-- Profile databases

-- Two profile databases may name one relation, and still its people take part in one program at a time.
CREATE FUNCTION loyalty_internal.refuse_second_program(
    program text,
    profile_database text,
    relation regclass
) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    other record;
BEGIN
    -- Whoever activates another program over the relation waits here.
    PERFORM
    FROM loyalty.profile_databases AS same
    WHERE same.relation = refuse_second_program.relation
        AND same.external_id <> refuse_second_program.profile_database
    ORDER BY same.external_id
    FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM loyalty_internal.require_read_committed('activate a program'::text);
    SELECT
        active.external_id,
        active.profile_database
    INTO other
    FROM loyalty.profile_databases AS same
    JOIN loyalty.programs AS active ON active.profile_database = same.external_id AND active.active
    WHERE same.relation = refuse_second_program.relation
        AND same.external_id <> refuse_second_program.profile_database
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY311',
            MESSAGE = format('program "%s" cannot be active beside program "%s"', program, other.external_id),
            DETAIL = format(
                'Profile databases "%s" and "%s" are the same relation, "%s".',
                profile_database, other.profile_database, relation
            ),
            HINT = 'Deactivate one of them: the same people take part in one active program.',
            SCHEMA = 'loyalty',
            TABLE = 'programs',
            COLUMN = 'active';
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.refuse_second_program(text, text, regclass) IS
    'Refuses (LY311) an active program of a profile database whose relation another profile database with an active '
    'program names, too. Errors: LY317 (isolation level). Example: SELECT '
    'loyalty_internal.refuse_second_program(''main'', ''customers'', ''public.customers'');';

CREATE FUNCTION loyalty_internal.profile_databases_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    missing text;
BEGIN
    -- Wherever profiles are read, functions of the relation's views and policies are called.
    IF (
        TG_OP = 'INSERT'
        OR (NEW.relation, NEW.key_column, NEW.email_column, NEW.phone_column)
        IS DISTINCT FROM (OLD.relation, OLD.key_column, OLD.email_column, OLD.phone_column)
    ) AND NOT pg_has_role((SELECT nspowner FROM pg_namespace WHERE nspname = 'loyalty'), 'USAGE') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY792',
            MESSAGE = 'only the owner of schema "loyalty" says where profiles stand',
            DETAIL = format('Profile database "%s": its relation and columns.', NEW.external_id),
            HINT = 'Let the owner make the profile database; its name and description are yours to change.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;

    IF NOT EXISTS (
        SELECT
        FROM pg_class AS class
        WHERE class.oid = NEW.relation
            AND class.relkind IN ('r', 'p', 'v', 'm', 'f')
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY315',
            MESSAGE = format('profile database "%s" is not a table or view', NEW.external_id),
            DETAIL = format('Its relation is "%s".', NEW.relation),
            HINT = 'Name a table, view, materialized view or foreign table that holds the profiles.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'relation';
    END IF;

    SELECT wanted.name INTO missing
    FROM unnest(ARRAY[NEW.key_column, NEW.email_column, NEW.phone_column]) WITH ORDINALITY AS wanted (name, position)
    WHERE wanted.name IS NOT NULL
        AND NOT EXISTS (
            SELECT
            FROM pg_attribute AS attribute
            WHERE attribute.attrelid = NEW.relation
                AND attribute.attname = wanted.name
                AND attribute.attnum > 0
                AND NOT attribute.attisdropped
        )
    ORDER BY wanted.position
    LIMIT 1;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY315',
            MESSAGE = format('column "%s" of profile database "%s" does not exist', missing, NEW.external_id),
            DETAIL = format('Its relation is "%s".', NEW.relation),
            HINT = 'Name columns of that relation in key_column, email_column and phone_column.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;

    IF TG_OP = 'UPDATE' AND NEW.relation <> OLD.relation THEN
        PERFORM loyalty_internal.refuse_second_program(
            program.external_id::text, NEW.external_id::text, NEW.relation
        )
        FROM loyalty.programs AS program
        WHERE program.profile_database = NEW.external_id
            AND program.active;
    END IF;
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.profile_databases_trigger() IS
    'Trigger of loyalty.profile_databases, before insert or update of a row: relation and columns are set by the '
    'schema''s owner alone (LY792) and exist (LY315), and no second program is active over it (LY311). Example: CREATE '
    'TRIGGER ... EXECUTE FUNCTION loyalty_internal.profile_databases_trigger();';

-- ---------------------------------------------------------------------------------------------------------------------
-- Programs

CREATE FUNCTION loyalty_internal.check_time_zone(program text, time_zone text) RETURNS void
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    -- What localtime means differs between machines.
    IF time_zone = 'localtime'
        OR NOT EXISTS (SELECT FROM pg_timezone_names AS zone WHERE zone.name = check_time_zone.time_zone)
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY310',
            MESSAGE = format('time zone "%s" of program "%s" is unknown', time_zone, program),
            HINT = 'Give a name of pg_timezone_names, spelt as there, such as "Europe/Moscow" or "UTC".',
            SCHEMA = 'loyalty',
            TABLE = 'programs',
            COLUMN = 'time_zone';
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.check_time_zone(text, text) IS
    'Refuses (LY310) a time zone of a program that the server does not know by exactly this name. Example: SELECT '
    'loyalty_internal.check_time_zone(''main'', ''Europe/Moscow'');';

-- Every first balance locks its point type, every new point type its program, both FOR KEY SHARE by foreign keys. So
-- whoever holds both FOR UPDATE has waited for all bookings under way and lets no first one start.
CREATE FUNCTION loyalty_internal.has_balances(program text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty_internal.require_read_committed('change currency, scale or time zone'::text);
    PERFORM FROM loyalty.programs WHERE programs.external_id = has_balances.program FOR UPDATE;
    PERFORM FROM loyalty.point_types WHERE point_types.program = has_balances.program FOR UPDATE;
    RETURN EXISTS (SELECT FROM loyalty.balances WHERE balances.program = has_balances.program);
END
$body$;

COMMENT ON FUNCTION loyalty_internal.has_balances(text) IS
    'Whether a program has balances; true or false until the transaction ends, since it locks out the first one. '
    'Errors: LY317 (isolation level). Example: SELECT loyalty_internal.has_balances(''main'');';

CREATE FUNCTION loyalty_internal.currency_scale(currency text) RETURNS smallint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT CASE
    WHEN currency IN (
        'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF',
        'XPF'
    ) THEN 0
    WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
    WHEN currency IN ('CLF', 'UYW') THEN 4
    ELSE 2
END::smallint
$body$;

COMMENT ON FUNCTION loyalty_internal.currency_scale(text) IS
    'How many decimals a currency has by ISO 4217; 2 for those it does not know. Example: SELECT '
    'loyalty_internal.currency_scale(''JPY'');';

CREATE FUNCTION loyalty_internal.programs_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    NEW.currency_scale := coalesce(NEW.currency_scale, loyalty_internal.currency_scale(NEW.currency::text));
    IF TG_OP = 'INSERT' OR NEW.time_zone IS DISTINCT FROM OLD.time_zone THEN
        PERFORM loyalty_internal.check_time_zone(NEW.external_id::text, NEW.time_zone::text);
    END IF;
    IF NEW.active AND (TG_OP = 'INSERT' OR NOT OLD.active) THEN
        PERFORM loyalty_internal.refuse_second_program(
            NEW.external_id::text, bound.external_id::text, bound.relation
        )
        FROM loyalty.profile_databases AS bound
        WHERE bound.external_id = NEW.profile_database;
    END IF;
    IF TG_OP = 'INSERT' THEN
        RETURN NEW;
    END IF;

    IF NEW.profile_database IS DISTINCT FROM OLD.profile_database THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY311',
            MESSAGE = format(
                'program "%s" is bound to profile database "%s" for ever', OLD.external_id, OLD.profile_database
            ),
            DETAIL = format('The change would bind it to "%s".', NEW.profile_database),
            HINT = 'Make a new program for the other profile database.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'profile_database';
    END IF;

    -- Writers of products and groups hold the row, and check what they write by the scale that it has.
    IF NEW.price_scale IS DISTINCT FROM OLD.price_scale THEN
        PERFORM loyalty_internal.require_read_committed('change the scale of prices'::text);
        PERFORM loyalty_internal.lock_draft(OLD.external_id::text);
        PERFORM FROM loyalty.programs AS program WHERE program.external_id = OLD.external_id FOR UPDATE;
    END IF;

    -- These are part of the draft, too.
    IF (NEW.currency, NEW.currency_scale, NEW.time_zone)
            IS NOT DISTINCT FROM (OLD.currency, OLD.currency_scale, OLD.time_zone)
    THEN
        RETURN NEW;
    END IF;
    PERFORM loyalty_internal.lock_draft(OLD.external_id::text);
    -- The first order of a program locks its row as the first balance does.
    IF loyalty_internal.has_balances(OLD.external_id::text)
        OR EXISTS (SELECT FROM loyalty.order_ids WHERE order_ids.program = OLD.external_id)
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY312',
            MESSAGE = format('currency, currency scale and time zone of program "%s" are fixed', OLD.external_id),
            DETAIL = 'Balances or orders of the program exist.',
            HINT = 'Make a new program with the other settings.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.programs_trigger() IS
    'Trigger of loyalty.programs, before insert or update of a row: a known time zone (LY310), the profile database '
    'bound for ever, one active program for the same people (LY311), settings fixed once balances exist (LY312, '
    'LY317). Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.programs_trigger();';

CREATE FUNCTION loyalty_internal.new_program_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    INSERT INTO loyalty.drafts (program)
    VALUES (NEW.external_id);

    INSERT INTO loyalty.promotion_groups (program, external_id, name, parent, arbitration)
    VALUES (NEW.external_id, 'main', 'Main arbitration', NULL, 'consistent');
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.new_program_trigger() IS
    'Trigger of loyalty.programs, after the insert of a row: gives the program its main arbitration. Example: CREATE '
    'TRIGGER ... EXECUTE FUNCTION loyalty_internal.new_program_trigger();';

-- Smaller scales must fit every amount that was checked against the old ones.
CREATE FUNCTION loyalty_internal.currency_scale_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    price_scale CONSTANT integer := coalesce(NEW.price_scale, NEW.currency_scale);
    too_fine record;
BEGIN
    PERFORM loyalty_internal.lock_draft(NEW.external_id::text);

    SELECT amount.noun, amount.external_id, amount.scale INTO too_fine
    FROM (
        SELECT 'product' AS noun, product.sku AS external_id, price_scale AS scale
        FROM loyalty.products AS product
        WHERE product.program = NEW.external_id
            AND greatest(min_scale(product.price), min_scale(product.min_price)) > price_scale
        UNION ALL
        SELECT 'promotion group', promotion_group.external_id, price_scale
        FROM loyalty.promotion_groups AS promotion_group
        WHERE promotion_group.program = NEW.external_id
            AND min_scale(promotion_group.min_product_price_amount) > price_scale
        UNION ALL
        SELECT 'promotion group', promotion_group.external_id, NEW.currency_scale
        FROM loyalty.promotion_groups AS promotion_group
        WHERE promotion_group.program = NEW.external_id
            AND min_scale(promotion_group.max_discount_amount) > NEW.currency_scale
    ) AS amount
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY313',
            MESSAGE = format(
                'an amount of %s "%s" has more than %s decimals', too_fine.noun, too_fine.external_id, too_fine.scale
            ),
            DETAIL = format(
                'The currency scale of program "%s" would be %s, its price scale %s.',
                NEW.external_id, NEW.currency_scale, price_scale
            ),
            HINT = 'Round the amounts first.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;

    PERFORM loyalty_internal.check_benefit_parameters(
        promotion.kind::text,
        condition.level::text,
        benefit.benefit::text,
        benefit.parameters,
        NEW.currency_scale::integer,
        price_scale::integer
    )
    FROM loyalty.promotion_benefits AS benefit
    JOIN loyalty.promotion_conditions AS condition
        ON condition.program = benefit.program
        AND condition.promotion = benefit.promotion
        AND condition.position = benefit.condition
    JOIN loyalty.promotions AS promotion
        ON promotion.program = benefit.program AND promotion.external_id = benefit.promotion
    WHERE benefit.program = NEW.external_id;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.currency_scale_trigger() IS
    'Trigger of loyalty.programs, after a row''s scales of money and prices have changed: all amounts fit them '
    '(LY313, LY301). Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.currency_scale_trigger();';

-- ---------------------------------------------------------------------------------------------------------------------
-- Point types

CREATE FUNCTION loyalty_internal.point_types_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty_internal.lock_draft(NEW.program::text);
    IF TG_OP = 'INSERT' OR (NEW.kind, NEW.scale) IS NOT DISTINCT FROM (OLD.kind, OLD.scale) THEN
        RETURN NEW;
    END IF;

    IF NEW.kind <> OLD.kind
        AND EXISTS (
            SELECT
            FROM loyalty.tier_groups AS tier_group
            WHERE tier_group.program = OLD.program
                AND tier_group.point_type = OLD.external_id
        )
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY312',
            MESSAGE = format('the kind of point type "%s" is fixed', OLD.external_id),
            DETAIL = 'A tier group is judged by its points.',
            HINT = 'Make a new point type.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'kind';
    END IF;

    -- The first balance of the type locks its row FOR KEY SHARE: it is either seen below or waits.
    PERFORM loyalty_internal.require_read_committed('change kind or scale of a point type'::text);
    PERFORM
    FROM loyalty.point_types AS point_type
    WHERE point_type.program = OLD.program
        AND point_type.external_id = OLD.external_id
    FOR UPDATE;
    IF EXISTS (
        SELECT
        FROM loyalty.balances AS balance
        WHERE balance.program = OLD.program
            AND balance.point_type = OLD.external_id
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY312',
            MESSAGE = format('kind and scale of point type "%s" are fixed', OLD.external_id),
            DETAIL = format('Balances of the type exist in program "%s".', OLD.program),
            HINT = 'Make a new point type with the other settings.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;

    IF NEW.kind = 'qualification'
        AND EXISTS (
            SELECT
            FROM loyalty.promotion_benefits AS benefit
            WHERE benefit.program = OLD.program
                AND benefit.point_type = OLD.external_id
                AND loyalty_internal.pays_with_points(benefit.benefit::text, benefit.parameters)
        )
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY312',
            MESSAGE = format('the kind of point type "%s" is fixed', OLD.external_id),
            DETAIL = 'Benefits let members pay with it, and qualification points cannot pay.',
            HINT = 'Delete these benefits first, or make a new point type.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.point_types_trigger() IS
    'Trigger of loyalty.point_types, before insert or update of a row: an edit of the draft; kind and scale are fixed '
    'once balances exist, and the kind while benefits let members pay with the type (LY312, LY317). Example: CREATE '
    'TRIGGER ... EXECUTE FUNCTION loyalty_internal.point_types_trigger();';

-- The draft's foreign key cascades for the sake of whole programs, and versions have none: both are looked at here.
CREATE FUNCTION loyalty_internal.point_types_delete_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    used_by text;
BEGIN
    PERFORM loyalty_internal.lock_draft(OLD.program::text);

    SELECT format('Promotion "%s" uses it.', benefit.promotion) INTO used_by
    FROM loyalty.promotion_benefits AS benefit
    WHERE benefit.program = OLD.program
        AND benefit.point_type = OLD.external_id
    ORDER BY benefit.promotion
    LIMIT 1;

    IF used_by IS NULL THEN
        used_by := loyalty_internal.version_using(
            OLD.program::text,
            OLD.external_id::text,
            VARIADIC ARRAY['$.promotions[*].conditions[*].benefits[*].parameters.point_type'::text]
        );
    END IF;

    IF used_by IS NOT NULL
        AND EXISTS (SELECT FROM loyalty.programs AS program WHERE program.external_id = OLD.program)
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY308',
            MESSAGE = format('point type "%s" is in use', OLD.external_id),
            DETAIL = used_by,
            HINT = 'Remove it from the promotions and apply the tree, then delete it; or deactivate it.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN OLD;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.point_types_delete_trigger() IS
    'Trigger of loyalty.point_types, before the deletion of a row: no promotion of the draft or of the version in '
    'force uses the type (LY308). Example: CREATE TRIGGER ... EXECUTE FUNCTION '
    'loyalty_internal.point_types_delete_trigger();';
