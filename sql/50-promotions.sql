-- The promotions of the draft: what they must obey.

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
            DETAIL = CASE empty.kind WHEN 'trigger' THEN 'It has no rule.'
                ELSE 'It has no condition with a benefit.' END,
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
    'Refuses (LY330) a row of loyalty.promotions, as jsonb, that names a profile or order segment, tier, promo-code '
    'pool, channel, contact point or region that does not exist. '
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
    'Trigger of what promotions name in a list, before the deletion of a row; its arguments are the noun and the '
    'column of loyalty.promotions: no promotion of the draft or of the version in force names it (LY308). Example: '
    'CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.named_delete_trigger(''region'', ''regions'');';

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
            NEW.audience_segments || NEW.order_segments || NEW.audience_tiers || NEW.channels || NEW.contact_points
                || NEW.regions
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
    '(LY330), that guests get no points (LY329), the life cycle (LY307), that it is not activated without content '
    '(LY327), that no archived group gets it (LY321) and that the kind stays once there are benefits (LY312). Example: '
    'CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.promotions_trigger();';

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
