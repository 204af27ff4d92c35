-- The groups of the promotion tree: where they stand, and what goes with them.

CREATE FUNCTION loyalty_internal.next_position(program text, parent text) RETURNS integer
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    -- It reads all children.
    SET loyalty.plan_by_keys = off
    AS $body$
BEGIN
    RETURN coalesce(max(sibling.position) + 1, 0)
    FROM (
        SELECT promotion_group.position
        FROM loyalty.promotion_groups AS promotion_group
        WHERE promotion_group.program = next_position.program
            AND promotion_group.parent = next_position.parent
        UNION ALL
        SELECT promotion.position
        FROM loyalty.promotions AS promotion
        WHERE promotion.program = next_position.program
            AND promotion.parent = next_position.parent
    ) AS sibling;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.next_position(text, text) IS
    'The position after the last child of a promotion group, 0 if it has none. Example: SELECT '
    'loyalty_internal.next_position(''main'', ''main'');';

CREATE FUNCTION loyalty_internal.promotion_groups_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    scales record;
BEGIN
    PERFORM loyalty_internal.lock_draft(NEW.program::text);
    NEW.position := coalesce(NEW.position, loyalty_internal.next_position(NEW.program::text, NEW.parent::text));
    IF NEW.archived AND NEW.external_id = 'main' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY321',
            MESSAGE = 'the main arbitration cannot be archived',
            DETAIL = format('All promotions of program "%s" stand in it.', NEW.program),
            HINT = 'Archive the groups in it, or deactivate the program.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'archived';
    END IF;

    SELECT program.currency_scale AS money, coalesce(program.price_scale, program.currency_scale) AS price INTO scales
    FROM loyalty.programs AS program
    WHERE program.external_id = NEW.program
    FOR KEY SHARE;
    IF min_scale(NEW.max_discount_amount) > scales.money OR min_scale(NEW.min_product_price_amount) > scales.price THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY313',
            MESSAGE = format('a limit of promotion group "%s" has too many decimals', NEW.external_id),
            DETAIL = format(
                'Its amounts are %s.', concat_ws(' and ', NEW.max_discount_amount, NEW.min_product_price_amount)
            ),
            HINT = format(
                'Program "%s" has %s decimals in amounts of money, %s in prices.',
                NEW.program, scales.money, scales.price
            ),
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.promotion_groups_trigger() IS
    'Trigger of loyalty.promotion_groups, before insert or update of a row: gives a position, checks that amounts '
    'fit the program''s scales (LY313) and that main is not archived (LY321). Example: CREATE TRIGGER ... EXECUTE '
    'FUNCTION loyalty_internal.promotion_groups_trigger();';

-- Walks up from a group in or below a cycle until it meets one for the second time.
CREATE FUNCTION loyalty_internal.refuse_cycle(program text, promotion_group text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    twice record;
BEGIN
    WITH RECURSIVE up AS (
        SELECT
            start.external_id,
            start.parent
        FROM loyalty.promotion_groups AS start
        WHERE start.program = refuse_cycle.program
            AND start.external_id = refuse_cycle.promotion_group
        UNION ALL
        SELECT
            above.external_id,
            above.parent
        FROM up
        JOIN loyalty.promotion_groups AS above
            ON above.program = refuse_cycle.program AND above.external_id = up.parent
    ) CYCLE external_id SET met_before USING path
    SELECT
        up.external_id,
        up.parent
    INTO twice
    FROM up
    WHERE up.met_before;

    RAISE EXCEPTION USING
        ERRCODE = 'LY303',
        MESSAGE = format('promotion group "%s" would stand in itself', twice.external_id),
        DETAIL = format('Its parent "%s" is that group or stands in it.', twice.parent),
        HINT = 'Choose a parent outside the group.',
        SCHEMA = 'loyalty',
        TABLE = 'promotion_groups',
        COLUMN = 'parent';
END
$body$;

COMMENT ON FUNCTION loyalty_internal.refuse_cycle(text, text) IS
    'Names a group of the cycle that a promotion group stands in or below (LY303). Example: SELECT '
    'loyalty_internal.refuse_cycle(''main'', ''spring'');';

CREATE FUNCTION loyalty_internal.refuse_archived(program text, promotion_group text, what text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET loyalty.plan_by_keys = on
    SET jit = off
    AS $body$
BEGIN
    IF EXISTS (
        SELECT
        FROM loyalty.promotion_groups AS archived
        WHERE archived.program = refuse_archived.program
            AND archived.external_id = refuse_archived.promotion_group
            AND archived.archived
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY321',
            MESSAGE = format('promotion group "%s" is archived', promotion_group),
            DETAIL = format('Nothing below it is in use, so neither can %s be.', what),
            HINT = 'Unarchive the group first, or choose another.',
            SCHEMA = 'loyalty',
            TABLE = 'promotion_groups';
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.refuse_archived(text, text, text) IS
    'Refuses (LY321) what an archived group cannot hold. '
    'Example: SELECT loyalty_internal.refuse_archived(''main'', ''old'', '
    '''promotion "spring"'');';

-- Walks down from main: what it does not reach stands in a cycle or below one, for every group but main has a parent.
CREATE FUNCTION loyalty_internal.check_groups(program text, written text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    wrong record;
BEGIN
    WITH RECURSIVE reached AS (
        SELECT
            promotion_group.external_id,
            0 AS level
        FROM loyalty.promotion_groups AS promotion_group
        WHERE promotion_group.program = check_groups.program
            AND promotion_group.parent IS NULL
        UNION ALL
        SELECT
            child.external_id,
            reached.level + 1
        FROM reached
        JOIN loyalty.promotion_groups AS child
            ON child.program = check_groups.program AND child.parent = reached.external_id
    )
    SELECT
        promotion_group.external_id,
        promotion_group.parent,
        reached.level
    INTO wrong
    FROM loyalty.promotion_groups AS promotion_group
    LEFT JOIN reached ON reached.external_id = promotion_group.external_id
    LEFT JOIN loyalty.promotion_groups AS above
        ON above.program = promotion_group.program AND above.external_id = promotion_group.parent
    WHERE promotion_group.program = check_groups.program
        AND (reached.level IS NULL OR reached.level > 9 OR above.archived AND NOT promotion_group.archived)
    -- A new cycle goes through a group that was written, and that is the one to name.
    ORDER BY reached.level NULLS FIRST, promotion_group.external_id = ANY (written) DESC, promotion_group.external_id
    LIMIT 1;

    IF NOT FOUND THEN
        RETURN;
    ELSIF wrong.level IS NULL THEN
        PERFORM loyalty_internal.refuse_cycle(check_groups.program, wrong.external_id::text);
    ELSIF wrong.level <= 9 THEN
        PERFORM loyalty_internal.refuse_archived(
            check_groups.program, wrong.parent::text, format('group "%s"', wrong.external_id)
        );
    ELSE
        RAISE EXCEPTION USING
            ERRCODE = 'LY304',
            MESSAGE = format('promotion group "%s" would stand too deep', wrong.external_id),
            DETAIL = format('It would stand %s levels below "main", and 9 are allowed.', wrong.level),
            HINT = 'Choose a parent higher up in the tree.',
            SCHEMA = 'loyalty',
            TABLE = 'promotion_groups',
            COLUMN = 'parent';
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.check_groups(text, text[]) IS
    'Checks the tree of a program''s promotion groups after some of them were written: no cycle (LY303), at most 9 '
    'levels below main (LY304), in an archived group only archived ones (LY321). Example: SELECT '
    'loyalty_internal.check_groups(''main'', ''{spring}'');';

CREATE FUNCTION loyalty_internal.check_groups_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty_internal.check_groups(written.program::text, array_agg(written.external_id::text))
    FROM written
    GROUP BY written.program;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.check_groups_trigger() IS
    'Trigger of loyalty.promotion_groups, after an insert or update statement (transition table "written"): see '
    'loyalty_internal.check_groups(). Example: CREATE TRIGGER ... REFERENCING NEW TABLE AS written ... EXECUTE '
    'FUNCTION '
    'loyalty_internal.check_groups_trigger();';

-- One level down; the groups there go on by the same trigger. Ended promotions stay what they are.
CREATE FUNCTION loyalty_internal.archive_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    UPDATE loyalty.promotion_groups AS child
    SET archived = NEW.archived
    WHERE child.program = NEW.program
        AND child.parent = NEW.external_id
        AND child.archived <> NEW.archived;

    UPDATE loyalty.promotions AS promotion
    SET state = 'inactive'
    WHERE NEW.archived
        AND promotion.program = NEW.program
        AND promotion.parent = NEW.external_id
        AND promotion.state IN ('draft', 'active');
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.archive_trigger() IS
    'Trigger of loyalty.promotion_groups, after an update of archived: archives the groups below and makes their '
    'promotions inactive, or brings the groups back. Example: CREATE TRIGGER ... EXECUTE FUNCTION '
    'loyalty_internal.archive_trigger();';

-- A group takes all below it along; a promotion below that must stay refuses by its own trigger.
CREATE FUNCTION loyalty_internal.promotion_groups_delete_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    kept record;
BEGIN
    PERFORM loyalty_internal.lock_draft(OLD.program::text);
    IF NOT EXISTS (SELECT FROM loyalty.programs AS program WHERE program.external_id = OLD.program) THEN
        RETURN OLD;
    END IF;
    IF OLD.external_id = 'main' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY308',
            MESSAGE = 'the main arbitration cannot be deleted',
            DETAIL = format('All promotions of program "%s" stand in it.', OLD.program),
            HINT = 'Delete the groups and promotions in it.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;

    WITH RECURSIVE below AS (
        SELECT OLD.external_id::text AS external_id
        UNION
        SELECT child.external_id::text
        FROM below
        JOIN loyalty.promotion_groups AS child ON child.program = OLD.program AND child.parent = below.external_id
    )
    SELECT promotion.external_id, promotion.state
    INTO kept
    FROM below
    JOIN loyalty.promotions AS promotion ON promotion.program = OLD.program AND promotion.parent = below.external_id
    WHERE promotion.state <> 'draft'
    ORDER BY promotion.external_id
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY308',
            MESSAGE = format('promotion group "%s" cannot be deleted', OLD.external_id),
            DETAIL = format('Promotion "%s" in it is %s, and only drafts go with their group.', kept.external_id,
                kept.state),
            HINT = CASE kept.state
                WHEN 'ended'
                    THEN 'Put the group away with loyalty_archive_promotion_group(): what happened stays on record.'
                ELSE 'Put the group away with loyalty_archive_promotion_group(), or move the promotion to another '
                    'one first.'
            END,
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN OLD;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.promotion_groups_delete_trigger() IS
    'Trigger of loyalty.promotion_groups, before the deletion of a row: main stays as long as its program, and a group '
    'as long as anything but drafts stands in it, or in groups of it (LY308). '
    'Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.promotion_groups_delete_trigger();';
