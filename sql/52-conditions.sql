-- The conditions of promotions: what they must obey.

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
