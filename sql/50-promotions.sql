-- The draft of the promotion tree: what its nodes must obey; and applying it.

-- ---------------------------------------------------------------------------------------------------------------------
-- Groups

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
            DETAIL = format('Promotion "%s" in it is %s, and only drafts go with their group.', kept.external_id, kept.state),
            HINT = CASE kept.state
                WHEN 'ended' THEN 'Put the group away with loyalty_archive_promotion_group(): what happened stays on record.'
                ELSE 'Put the group away with loyalty_archive_promotion_group(), or move the promotion to another one first.'
            END,
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN OLD;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.promotion_groups_delete_trigger() IS
    'Trigger of loyalty.promotion_groups, before the deletion of a row: main stays as long as its program, and a group as '
    'long as anything but drafts stands in it, or in groups of it (LY308). '
    'Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.promotion_groups_delete_trigger();';

-- ---------------------------------------------------------------------------------------------------------------------
-- Promotions

CREATE FUNCTION loyalty_internal.refuse_ended(program text, promotion text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET loyalty.plan_by_keys = on
    SET jit = off
    AS $body$
BEGIN
    IF EXISTS (
        SELECT
        FROM loyalty.promotions AS ended
        WHERE ended.program = refuse_ended.program
            AND ended.external_id = refuse_ended.promotion
            AND ended.state = 'ended'
            AND NOT loyalty_internal.is_reverting()
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY307',
            MESSAGE = format('promotion "%s" has ended and cannot be changed', promotion),
            HINT = 'Make a new promotion.',
            SCHEMA = 'loyalty',
            TABLE = 'promotions';
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.refuse_ended(text, text) IS
    'Refuses (LY307) to change a promotion that has ended. '
    'Example: SELECT loyalty_internal.refuse_ended(''main'', ''spring'');';

CREATE FUNCTION loyalty_internal.refuse_empty(program text, promotion text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET loyalty.plan_by_keys = on
    SET jit = off
    AS $body$
DECLARE
    empty record;
BEGIN
    SELECT
        active.external_id,
        active.kind
    INTO empty
    FROM loyalty.promotions AS active
    WHERE active.program = refuse_empty.program
        AND active.external_id = refuse_empty.promotion
        AND NOT EXISTS (
            SELECT
            FROM loyalty.promotion_benefits AS benefit
            WHERE benefit.program = active.program
                AND benefit.promotion = active.external_id
        )
        AND NOT EXISTS (
            SELECT
            FROM loyalty.trigger_rules AS rule
            WHERE rule.program = active.program
                AND rule.promotion = active.external_id
        );
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY327',
            MESSAGE = format('promotion "%s" cannot be active', empty.external_id),
            DETAIL = CASE empty.kind WHEN 'trigger' THEN 'It has no rule.' ELSE 'It has no condition with a benefit.' END,
            HINT = CASE empty.kind
                WHEN 'trigger' THEN 'Give it a rule in loyalty.trigger_rules first.'
                ELSE 'Give it a condition in loyalty.promotion_conditions, and that a benefit in '
                    'loyalty.promotion_benefits, first.'
            END,
            SCHEMA = 'loyalty',
            TABLE = 'promotions',
            COLUMN = 'state';
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.refuse_empty(text, text) IS
    'Refuses (LY327) to activate a promotion without a benefit, or a trigger promotion without a rule. Example: SELECT '
    'loyalty_internal.refuse_empty(''main'', ''spring'');';

CREATE FUNCTION loyalty_internal.check_names(document jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET loyalty.plan_by_keys = on
    SET jit = off
    AS $body$
DECLARE
    promotion CONSTANT loyalty.promotions := jsonb_populate_record(NULL::loyalty.promotions, document);
    unknown record;
BEGIN
    SELECT
        named.noun,
        named.relation,
        named.field,
        named.name
    INTO unknown
    FROM (
        SELECT 'profile segment' AS noun, 'profile_segments' AS relation, 'audience_segments' AS field, listed.name
        FROM unnest(promotion.audience_segments) AS listed (name)
        WHERE listed.name IS NOT NULL AND NOT EXISTS (
            SELECT
            FROM loyalty.profile_segments AS segment
            WHERE segment.program = promotion.program
                AND segment.external_id = listed.name
        )
        UNION ALL
        SELECT 'order segment', 'order_segments', 'order_segments', listed.name
        FROM unnest(promotion.order_segments) AS listed (name)
        WHERE listed.name IS NOT NULL AND NOT EXISTS (
            SELECT
            FROM loyalty.order_segments AS segment
            WHERE segment.program = promotion.program
                AND segment.external_id = listed.name
        )
        UNION ALL
        SELECT 'tier', 'tiers', 'audience_tiers', listed.name
        FROM unnest(promotion.audience_tiers) AS listed (name)
        WHERE listed.name IS NOT NULL AND NOT EXISTS (
            SELECT
            FROM loyalty.tiers AS tier
            WHERE tier.program = promotion.program
                AND tier.external_id = listed.name
        )
        UNION ALL
        SELECT 'promo-code pool', 'promo_code_pools', 'promo_code_pool', promotion.promo_code_pool
        WHERE promotion.promo_code_pool IS NOT NULL
            AND NOT EXISTS (
                SELECT
                FROM loyalty.promo_code_pools AS pool
                WHERE pool.program = promotion.program
                    AND pool.external_id = promotion.promo_code_pool
            )
        UNION ALL
        SELECT 'channel', 'channels', 'channels', listed.name
        FROM unnest(promotion.channels) AS listed (name)
        WHERE listed.name IS NOT NULL AND NOT EXISTS (
            SELECT
            FROM loyalty.channels AS channel
            WHERE channel.program = promotion.program
                AND channel.external_id = listed.name
        )
        UNION ALL
        SELECT 'contact point', 'contact_points', 'contact_points', listed.name
        FROM unnest(promotion.contact_points) AS listed (name)
        WHERE listed.name IS NOT NULL AND NOT EXISTS (
            SELECT
            FROM loyalty.contact_points AS point
            WHERE point.program = promotion.program
                AND point.external_id = listed.name
        )
        UNION ALL
        SELECT 'region', 'regions', 'regions', listed.name
        FROM unnest(promotion.regions) AS listed (name)
        WHERE listed.name IS NOT NULL AND NOT EXISTS (
            SELECT
            FROM loyalty.regions AS region
            WHERE region.program = promotion.program
                AND region.external_id = listed.name
        )
    ) AS named
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY330',
            MESSAGE = format('%s "%s" does not exist', unknown.noun, unknown.name),
            DETAIL = format('Promotion "%s" names it in column "%s".', promotion.external_id, unknown.field),
            HINT = format('Make it in loyalty.%s for program "%s" first.', unknown.relation, promotion.program),
            SCHEMA = 'loyalty',
            TABLE = 'promotions',
            COLUMN = unknown.field;
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.check_names(jsonb) IS
    'Refuses (LY330) a row of loyalty.promotions, as jsonb, that names a profile or order segment, tier, promo-code pool, '
    'channel, contact point or region that does not exist. '
    'Example: SELECT loyalty_internal.check_names(to_jsonb(promotions)) FROM '
    'loyalty.promotions;';

-- What promotions name in a list is not deleted while the draft or the version in force names it; older versions carry
-- what they need of it.
CREATE FUNCTION loyalty_internal.named_delete_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    noun CONSTANT text := TG_ARGV[0];
    field CONSTANT text := TG_ARGV[1];
    used_by text;
BEGIN
    PERFORM loyalty_internal.lock_draft(OLD.program::text);
    IF NOT EXISTS (SELECT FROM loyalty.programs AS program WHERE program.external_id = OLD.program) THEN
        RETURN OLD;
    END IF;

    SELECT format('Promotion "%s" names it.', naming.promotion) INTO used_by
    FROM (
        SELECT promotion.external_id AS promotion
        FROM loyalty.promotions AS promotion
        WHERE promotion.program = OLD.program
            AND OLD.external_id = ANY (
                CASE field
                    WHEN 'promo_code_pool' THEN ARRAY[promotion.promo_code_pool]::text[]
                    WHEN 'channels' THEN promotion.channels
                    WHEN 'contact_points' THEN promotion.contact_points
                    WHEN 'regions' THEN promotion.regions
                END
            )
        UNION ALL
        SELECT benefit.promotion
        FROM loyalty.promotion_benefits AS benefit
        WHERE benefit.program = OLD.program
            AND field = 'promo_code_pool'
            AND benefit.parameters ->> 'pool' = OLD.external_id
    ) AS naming
    ORDER BY naming.promotion
    LIMIT 1;

    IF used_by IS NULL THEN
        used_by := loyalty_internal.version_using(
            OLD.program::text,
            OLD.external_id::text,
            VARIADIC ARRAY[
                format('$.promotions[*].%I[*]', field),
                CASE field WHEN 'promo_code_pool' THEN '$.promotions[*].conditions[*].benefits[*].parameters.pool' END
            ]
        );
    END IF;

    IF used_by IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY308',
            MESSAGE = format('%s "%s" is in use', noun, OLD.external_id),
            DETAIL = used_by,
            HINT = 'Remove it from the promotions and apply the tree, then delete it.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN OLD;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.named_delete_trigger() IS
    'Trigger of what promotions name in a list, before the deletion of a row; its arguments are the noun and the column '
    'of loyalty.promotions: no promotion of the draft or of the version in force names it (LY308). Example: CREATE '
    'TRIGGER ... EXECUTE FUNCTION loyalty_internal.named_delete_trigger(''region'', ''regions'');';

CREATE FUNCTION loyalty_internal.promotions_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET loyalty.plan_by_keys = on
    SET jit = off
    AS $body$
BEGIN
    PERFORM loyalty_internal.lock_draft(NEW.program::text);
    NEW.position := coalesce(NEW.position, loyalty_internal.next_position(NEW.program::text, NEW.parent::text));
    IF NEW.promo_code_pool IS NOT NULL
        OR cardinality(
            NEW.audience_segments || NEW.order_segments || NEW.audience_tiers || NEW.channels || NEW.contact_points || NEW.regions
        ) > 0
    THEN
        PERFORM loyalty_internal.check_names(to_jsonb(NEW));
    END IF;
    IF NEW.audience = 'guests' AND NEW.kind <> 'discount' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY329',
            MESSAGE = format('a %s promotion cannot be for guests', NEW.kind),
            DETAIL = 'Guests have no points.',
            HINT = 'Make it a discount promotion, or choose another audience.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'audience';
    END IF;
    IF TG_OP = 'INSERT' OR NEW.parent <> OLD.parent OR NEW.state = 'active' THEN
        PERFORM loyalty_internal.refuse_archived(
            NEW.program::text, NEW.parent::text, format('promotion "%s"', NEW.external_id)
        );
    END IF;
    IF TG_OP = 'INSERT' THEN
        RETURN NEW;
    END IF;

    PERFORM loyalty_internal.refuse_ended(OLD.program::text, OLD.external_id::text);
    IF NEW.state <> OLD.state
        AND (OLD.state, NEW.state) NOT IN (
            ('draft', 'active'),
            ('active', 'inactive'),
            ('inactive', 'active'),
            ('active', 'ended'),
            ('inactive', 'ended')
        )
        -- Archiving a group takes its drafts along.
        AND NOT ((OLD.state, NEW.state) = ('draft', 'inactive') AND EXISTS (
            SELECT
            FROM loyalty.promotion_groups AS promotion_group
            WHERE promotion_group.program = OLD.program
                AND promotion_group.external_id = OLD.parent
                AND promotion_group.archived
        ))
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY307',
            MESSAGE = format('promotion "%s" cannot go from state "%s" to "%s"', OLD.external_id, OLD.state, NEW.state),
            HINT = 'A draft becomes active, an active promotion inactive and back, and either of these ends.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'state';
    END IF;
    IF NEW.state = 'active' AND OLD.state <> 'active' THEN
        PERFORM loyalty_internal.refuse_empty(OLD.program::text, OLD.external_id::text);
    END IF;

    IF NEW.kind <> OLD.kind
        AND EXISTS (
            SELECT
            FROM loyalty.promotion_benefits AS benefit
            WHERE benefit.program = OLD.program
                AND benefit.promotion = OLD.external_id
        )
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY312',
            MESSAGE = format('the kind of promotion "%s" is fixed', OLD.external_id),
            DETAIL = format('It has benefits of kind "%s".', OLD.kind),
            HINT = 'Delete the benefits first, or make a new promotion.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'kind';
    END IF;
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.promotions_trigger() IS
    'Trigger of loyalty.promotions, before insert or update of a row: gives a position, checks the names in its lists '
    '(LY330), that guests get no points (LY329), the life cycle (LY307), that it is not activated without content (LY327), that no archived group gets it '
    '(LY321) and that the kind stays once there are benefits (LY312). Example: CREATE TRIGGER ... EXECUTE '
    'FUNCTION loyalty_internal.promotions_trigger();';

CREATE FUNCTION loyalty_internal.promotions_delete_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET loyalty.plan_by_keys = on
    SET jit = off
    AS $body$
BEGIN
    PERFORM loyalty_internal.lock_draft(OLD.program::text);
    IF OLD.state <> 'draft'
        AND EXISTS (SELECT FROM loyalty.programs AS program WHERE program.external_id = OLD.program)
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY308',
            MESSAGE = format('promotion "%s" cannot be deleted', OLD.external_id),
            DETAIL = format('Its state is "%s", and only drafts are deleted.', OLD.state),
            HINT = CASE OLD.state
                WHEN 'ended' THEN 'What happened under it stays on record; its group can be archived.'
                ELSE 'End it instead, with loyalty_end_promotion().'
            END,
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN OLD;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.promotions_delete_trigger() IS
    'Trigger of loyalty.promotions, before the deletion of a row: only drafts (LY308), unless the whole program '
    'goes. Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.promotions_delete_trigger();';

-- ---------------------------------------------------------------------------------------------------------------------
-- Conditions

CREATE FUNCTION loyalty_internal.promotion_conditions_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET loyalty.plan_by_keys = on
    SET jit = off
    AS $body$
DECLARE
    unknown text;
BEGIN
    PERFORM loyalty_internal.lock_draft(NEW.program::text);
    PERFORM loyalty_internal.refuse_ended(NEW.program::text, NEW.promotion::text);
    IF TG_OP = 'UPDATE' THEN
        PERFORM loyalty_internal.refuse_ended(OLD.program::text, OLD.promotion::text);
    END IF;
    IF EXISTS (
        SELECT
        FROM loyalty.promotions AS promotion
        WHERE promotion.program = NEW.program
            AND promotion.external_id = NEW.promotion
            AND promotion.kind = 'trigger'
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY729',
            MESSAGE = format('trigger promotion "%s" cannot have conditions', NEW.promotion),
            DETAIL = 'Conditions and benefits are about orders, and a trigger promotion is fired without one.',
            HINT = 'Give it rules in loyalty.trigger_rules.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    IF NEW.position IS NULL THEN
        SELECT coalesce(max(condition.position) + 1, 1) INTO NEW.position
        FROM loyalty.promotion_conditions AS condition
        WHERE condition.program = NEW.program
            AND condition.promotion = NEW.promotion;
    END IF;

    IF NEW.level = 'product' THEN
        SELECT named.segment INTO unknown
        FROM unnest(NEW.segments) WITH ORDINALITY AS named (segment, position)
        WHERE NOT EXISTS (
            SELECT
            FROM loyalty.product_segments AS segment
            WHERE segment.program = NEW.program
                AND segment.external_id = named.segment
        )
        ORDER BY named.position
        LIMIT 1;
    ELSE
        SELECT named.segment INTO unknown
        FROM unnest(NEW.segments) WITH ORDINALITY AS named (segment, position)
        WHERE NOT EXISTS (
            SELECT
            FROM loyalty.order_segments AS segment
            WHERE segment.program = NEW.program
                AND segment.external_id = named.segment
        )
        ORDER BY named.position
        LIMIT 1;
    END IF;
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY305',
            MESSAGE = format('%s segment "%s" does not exist', NEW.level, unknown),
            DETAIL = format('Condition %s of promotion "%s" names it.', NEW.position, NEW.promotion),
            HINT = format('Make it in loyalty.%s_segments for program "%s" first.', NEW.level, NEW.program),
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'segments';
    END IF;

    IF TG_OP = 'UPDATE' AND NEW.level IS DISTINCT FROM OLD.level THEN
        PERFORM loyalty_internal.check_benefit_parameters(
            promotion.kind::text,
            NEW.level::text,
            benefit.benefit::text,
            benefit.parameters,
            program.currency_scale::integer,
            coalesce(program.price_scale, program.currency_scale::integer)
        )
        FROM loyalty.promotion_benefits AS benefit
        JOIN loyalty.promotions AS promotion
            ON promotion.program = benefit.program AND promotion.external_id = benefit.promotion
        JOIN loyalty.programs AS program ON program.external_id = benefit.program
        WHERE benefit.program = OLD.program
            AND benefit.promotion = OLD.promotion
            AND benefit.condition = OLD.position;
    END IF;
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.promotion_conditions_trigger() IS
    'Trigger of loyalty.promotion_conditions, before insert or update of a row: gives a position, checks that its '
    'segments exist at its level (LY305), that its benefits suit a changed level (LY301), that the promotion '
    'has not ended (LY307) and is no trigger promotion (LY729). '
    'Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.promotion_conditions_trigger();';

-- ---------------------------------------------------------------------------------------------------------------------
-- Benefits

CREATE FUNCTION @extschema@.loyalty_check_benefit(
    kind text,
    level text,
    benefit text,
    parameters jsonb,
    currency_scale integer
) RETURNS void
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_check_benefit';

COMMENT ON FUNCTION @extschema@.loyalty_check_benefit(text, text, text, jsonb, integer) IS
    'Refuses (LY301) a benefit that does not suit the kind of promotion or the level of condition, or whose '
    'parameters are wrong. Example: SELECT loyalty_check_benefit(''discount'', ''product'', ''discount'', '
    '''{"percent": 20}'', 2);';

-- What the tables' triggers ask: prices of the program may be finer than its currency.
CREATE FUNCTION loyalty_internal.check_benefit_parameters(
    kind text,
    level text,
    benefit text,
    parameters jsonb,
    currency_scale integer,
    price_scale integer
) RETURNS void
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_check_benefit';

COMMENT ON FUNCTION loyalty_internal.check_benefit_parameters(text, text, text, jsonb, integer, integer) IS
    'As loyalty_check_benefit(), of a program whose prices have more decimals than its currency. Example: SELECT '
    'loyalty_internal.check_benefit_parameters(''discount'', ''product'', ''round_price'', ''{"step": 0.001}'', 2, 3);';

CREATE FUNCTION loyalty_internal.promotion_benefits_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET loyalty.plan_by_keys = on
    SET jit = off
    AS $body$
DECLARE
    place record;
    checked text;
BEGIN
    PERFORM loyalty_internal.lock_draft(NEW.program::text);
    PERFORM loyalty_internal.refuse_ended(NEW.program::text, NEW.promotion::text);
    IF TG_OP = 'UPDATE' THEN
        PERFORM loyalty_internal.refuse_ended(OLD.program::text, OLD.promotion::text);
    END IF;
    IF NEW.position IS NULL THEN
        SELECT coalesce(max(benefit.position) + 1, 1) INTO NEW.position
        FROM loyalty.promotion_benefits AS benefit
        WHERE benefit.program = NEW.program
            AND benefit.promotion = NEW.promotion
            AND benefit.condition = NEW.condition;
    END IF;

    -- Without such a condition the foreign key refuses the row.
    SELECT
        promotion.kind::text AS kind,
        condition.level::text AS level,
        program.currency_scale::integer AS currency_scale,
        coalesce(program.price_scale, program.currency_scale::integer) AS price_scale
    INTO place
    FROM loyalty.promotion_conditions AS condition
    JOIN loyalty.promotions AS promotion
        ON promotion.program = condition.program AND promotion.external_id = condition.promotion
    JOIN loyalty.programs AS program ON program.external_id = condition.program
    WHERE condition.program = NEW.program
        AND condition.promotion = NEW.promotion
        AND condition.position = NEW.condition;
    IF FOUND THEN
        -- As expressions, not as statements, of which an error would show the text.
        checked := loyalty_internal.check_benefit_parameters(
            place.kind::text, place.level::text, NEW.benefit::text, NEW.parameters, place.currency_scale::integer,
            place.price_scale::integer
        );
        checked := loyalty_internal.check_benefit_names(NEW.program::text, NEW.benefit::text, NEW.parameters);
    END IF;
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.promotion_benefits_trigger() IS
    'Trigger of loyalty.promotion_benefits, before insert or update of a row: gives a position, checks the '
    'parameters (LY301) and what they name (LY330), and that the promotion has not ended (LY307). Example: CREATE '
    'TRIGGER ... EXECUTE FUNCTION loyalty_internal.promotion_benefits_trigger();';

-- Conditions and benefits that go with their promotion find it gone, and nothing to refuse.
CREATE FUNCTION loyalty_internal.promotion_parts_delete_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET loyalty.plan_by_keys = on
    SET jit = off
    AS $body$
BEGIN
    PERFORM loyalty_internal.lock_draft(OLD.program::text);
    PERFORM loyalty_internal.refuse_ended(OLD.program::text, OLD.promotion::text)
    FROM loyalty.programs AS program
    WHERE program.external_id = OLD.program;
    RETURN OLD;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.promotion_parts_delete_trigger() IS
    'Trigger of loyalty.promotion_conditions and loyalty.promotion_benefits, before the deletion of a row: the '
    'promotion has not ended (LY307). Example: CREATE TRIGGER ... EXECUTE FUNCTION '
    'loyalty_internal.promotion_parts_delete_trigger();';

-- ---------------------------------------------------------------------------------------------------------------------
-- Versions

CREATE FUNCTION loyalty_internal.moment(at timestamptz, time_zone text) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
SELECT jsonb_build_object(
    'unix', trim_scale(extract(epoch FROM at)),
    'local', trim_scale(extract(epoch FROM at AT TIME ZONE time_zone))
)
$body$;

COMMENT ON FUNCTION loyalty_internal.moment(timestamptz, text) IS
    'A moment as versions hold it: in seconds since 1970 of the clock of UTC ("unix") and of the one in the time zone '
    '("local"). Example: SELECT loyalty_internal.moment(now(), ''Europe/Moscow'');';

CREATE FUNCTION @extschema@.loyalty_apply(program text) RETURNS integer
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_apply';

COMMENT ON FUNCTION @extschema@.loyalty_apply(text) IS
    'Freezes the draft of a program''s promotion tree as a new version, which calculations use from then on, and '
    'returns its number; without changes it returns the version in force. Errors: class LY, for a tree that cannot '
    'be applied. Example: SELECT loyalty_apply(''main'');';

CREATE FUNCTION @extschema@.loyalty_apply(program text, promotions text[]) RETURNS integer
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_apply_some';

COMMENT ON FUNCTION @extschema@.loyalty_apply(text, text[]) IS
    'Applies these promotions alone, deleted ones too: the new version is the last one with them as they are drafted, under its '
    'settings, ratios, groups and segments. All else stays pending, and a revert goes to the new version. Errors: LY319 (no '
    'such promotion), LY328 (it needs a group or a predicate whose change is pending), and those of loyalty_apply(). Example: '
    'SELECT loyalty_apply(''main'', ''{spring}'');';

CREATE FUNCTION loyalty_internal.promotion_versions_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'LY314',
        MESSAGE = 'applied versions of a promotion tree cannot be changed',
        DETAIL = format('%s of "%s.%s" is refused for everyone.', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME),
        HINT = 'Change the draft and run SELECT loyalty_apply(...), which makes a new version.',
        SCHEMA = TG_TABLE_SCHEMA,
        TABLE = TG_TABLE_NAME;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.promotion_versions_trigger() IS
    'Trigger of loyalty.promotion_versions, before an update, delete or truncate statement: refuses it (LY314). '
    'Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.promotion_versions_trigger();';

CREATE FUNCTION loyalty_internal.calculation_rules() RETURNS integer
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_calculation_rules';

COMMENT ON FUNCTION loyalty_internal.calculation_rules() IS
    'Number of the rules by which this library calculates orders; versions of the promotion tree carry the number they were '
    'applied under. Example: SELECT loyalty_internal.calculation_rules();';

-- What a node of a version may come to do differently, by what it has.
CREATE FUNCTION loyalty_internal.changed_rules(tree jsonb, applied_under integer)
    RETURNS TABLE (node text, change text)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
    WITH promotion_group AS (
        SELECT format('group "%s"', element.body ->> 'group') AS name, element.body
        FROM jsonb_array_elements(tree -> 'groups') AS element (body)
        WHERE NOT element.body ? 'archived'
    ),
    promotion AS (
        SELECT format('promotion "%s"', element.body ->> 'promotion') AS name, element.body
        FROM jsonb_array_elements(tree -> 'promotions') AS element (body)
        WHERE element.body ->> 'state' = 'active'
    ),
    benefit AS (
        SELECT promotion.name, condition.body ->> 'level' AS level, element.body ->> 'benefit' AS benefit,
            element.body -> 'parameters' AS parameters
        FROM promotion
        CROSS JOIN LATERAL jsonb_array_elements(promotion.body -> 'conditions') AS condition (body)
        CROSS JOIN LATERAL jsonb_array_elements(condition.body -> 'benefits') AS element (body)
    )
    SELECT changed.name, changed.change
    FROM (
        SELECT 2, name, 'a benefit takes the units it touches, not their lines; points, texts and promo codes that an order '
            'gets at a fixed number, and benefits of the shipping, take no goods'
        FROM promotion_group
        WHERE body ->> 'arbitration' = 'incompatibility'
        UNION ALL
        SELECT 2, name, 'a maximum discount that binds is shared over the lines by allotment, not in their order'
        FROM promotion_group
        WHERE body ?| '{max_discount_percent,max_discount_amount}'
        UNION ALL
        SELECT 2, name, 'where the search ends at its limit, the answer is worth at least as much as any simple one'
        FROM promotion_group
        WHERE body ->> 'arbitration' = 'max_benefit'
        UNION ALL
        SELECT 2, name, 'its benefits are added up as under summation: each alone under all limits, then their sum'
        FROM promotion
        WHERE body ->> 'benefit_rule' = 'parallel'
        UNION ALL
        SELECT 2, name, 'what is left of its money budget is shared over the lines by allotment, not in their order'
        FROM promotion
        WHERE body ? 'money_budget'
        UNION ALL
        SELECT 2, name, 'the money of a number of points is rounded down'
        FROM benefit
        WHERE benefit = 'points_discount'
            AND parameters ? 'points'
        UNION ALL
        SELECT 2, name, 'its points are rounded once for all lines, not once for each'
        FROM benefit
        WHERE level = 'product'
            AND benefit = 'accrue_points'
        UNION ALL
        SELECT 2, name, 'what a minimum price refuses of its amount is moved to other lines'
        FROM benefit
        WHERE level = 'order'
            AND (
                benefit IN ('discount', 'points_discount') AND parameters ?| '{amount,points}'
                OR benefit = 'round_order_price'
            )
    ) AS changed (since, name, change)
    WHERE changed.since > applied_under
    GROUP BY changed.name, changed.change
    ORDER BY changed.name COLLATE "C", changed.change COLLATE "C"
$body$;

COMMENT ON FUNCTION loyalty_internal.changed_rules(jsonb, integer) IS
    'What groups and promotions of a version''s tree may come to do differently, because the rules of calculation have '
    'changed since those that it was applied under. Example: SELECT change.* FROM loyalty.promotion_versions AS version '
    'CROSS JOIN loyalty_internal.changed_rules(version.tree, version.rules) AS change;';

CREATE FUNCTION loyalty_internal.adopt_rules() RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    rules_now CONSTANT integer := loyalty_internal.calculation_rules();
    old_version record;
    changed record;
BEGIN
    FOR old_version IN
        SELECT newest.*
        FROM (
            SELECT DISTINCT ON (version.program) version.*
            FROM loyalty.promotion_versions AS version
            ORDER BY version.program, version.version DESC
        ) AS newest
        WHERE newest.rules < rules_now
    LOOP
        INSERT INTO loyalty.promotion_versions (program, version, tree, definition, rules)
        VALUES (old_version.program, old_version.version + 1, old_version.tree, old_version.definition, rules_now);
        FOR changed IN
            SELECT change.node, change.change
            FROM loyalty_internal.changed_rules(old_version.tree::jsonb, old_version.rules::integer) AS change
        LOOP
            RAISE NOTICE 'program "%", %: %', old_version.program, changed.node, changed.change;
        END LOOP;
    END LOOP;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.adopt_rules() IS
    'Gives each program whose last version was applied under older rules of calculation a new version of the same tree, and '
    'tells as notices of which groups and promotions figures may change. loyalty_migrate() calls it. Example: SELECT '
    'loyalty_internal.adopt_rules();';

CREATE FUNCTION loyalty_internal.new_version_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty_internal.lock_draft(NEW.program::text);
    PERFORM loyalty_internal.drop_unused_predicates(NEW.program::text);
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.new_version_trigger() IS
    'Trigger of loyalty.promotion_versions, after the insert of a row: drops the predicates that only the version '
    'before it used. Errors: 40001 (edited since the snapshot of a REPEATABLE READ transaction). Example: CREATE '
    'TRIGGER ... EXECUTE FUNCTION loyalty_internal.new_version_trigger();';

CREATE FUNCTION loyalty_internal.note_edits_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET loyalty.plan_by_keys = on
    SET jit = off
    AS $body$
DECLARE
    programs text[];
    whats text[];
BEGIN
    EXECUTE format(
        'SELECT array_agg(edit.program), array_agg(edit.what)'
        ' FROM (SELECT DISTINCT %s::text AS program, %s::text AS what FROM edited AS definition) AS edit',
        TG_ARGV[0], TG_ARGV[1]
    ) INTO programs, whats;
    IF programs IS NOT NULL THEN
        PERFORM loyalty.note_edits(TG_TABLE_NAME, programs, whats);
    END IF;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.note_edits_trigger() IS
    'Trigger of the tables of definitions, after rows were inserted, updated or deleted, which it gets as table edited: notes who '
    'did it, see loyalty.edits. Its arguments are expressions of a row: the program, and its name for people. Example: CREATE '
    'TRIGGER ... REFERENCING NEW TABLE AS edited ... EXECUTE FUNCTION '
    'loyalty_internal.note_edits_trigger(''program'', ''external_id'');';
