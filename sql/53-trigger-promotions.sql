-- Trigger promotions: what they must obey, firing them, and the triggers for the user's own tables.

CREATE FUNCTION loyalty_internal.trigger_promotions_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    refused text;
BEGIN
    IF TG_OP = 'UPDATE'
        AND ((NEW.kind = 'trigger') <> (OLD.kind = 'trigger') OR NEW.kind = 'trigger' AND NEW.parent IS NOT NULL)
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY725',
            MESSAGE = format('promotion "%s" cannot move into or out of the tree', OLD.external_id),
            DETAIL = format('Its kind is "%s", and trigger promotions stand outside.', OLD.kind),
            HINT = 'Make a new promotion.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = 'kind';
    END IF;
    IF NEW.kind <> 'trigger' THEN
        RETURN NEW;
    END IF;

    refused := CASE
        WHEN NEW.promo_code_pool IS NOT NULL THEN 'promo_code_pool'
        WHEN NEW.order_mode <> 'all' THEN 'order_mode'
        WHEN NEW.min_items IS NOT NULL THEN 'min_items'
        WHEN NEW.min_total IS NOT NULL THEN 'min_total'
        WHEN NEW.channels <> '{}' THEN 'channels'
        WHEN NEW.contact_points <> '{}' THEN 'contact_points'
        WHEN NEW.regions <> '{}' THEN 'regions'
        WHEN NEW.benefit_rule <> 'sequential' THEN 'benefit_rule'
        WHEN NEW.money_budget IS NOT NULL THEN 'money_budget'
    END;
    IF refused IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY729',
            MESSAGE = format('trigger promotion "%s" cannot have a value in column "%s"', NEW.external_id, refused),
            DETAIL = 'It is about orders, and a trigger promotion is fired without one.',
            HINT = 'Leave the column out. Audience, dates, schedule, max_uses, max_uses_per_member and points_budget '
                'are obeyed.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = refused;
    END IF;

    -- The column's default is for the others.
    NEW.parent := NULL;
    NEW.position := 0;
    IF NEW.state = 'active' THEN
        INSERT INTO loyalty.promotion_activations (program, promotion, activated_at)
        VALUES (NEW.program, NEW.external_id, loyalty.clock())
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.trigger_promotions_trigger() IS
    'Trigger of loyalty.promotions, before insert or update of a row: a trigger promotion stands outside the tree and '
    'is activated without an apply, and stays there (LY725); it has nothing that is about orders (LY729). Example: '
    'CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.trigger_promotions_trigger();';

CREATE FUNCTION loyalty_internal.trigger_rules_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    problem text;
BEGIN
    PERFORM loyalty_internal.lock_draft(NEW.program::text);
    PERFORM loyalty_internal.refuse_ended(NEW.program::text, NEW.promotion::text);
    IF TG_OP = 'UPDATE' THEN
        PERFORM loyalty_internal.refuse_ended(OLD.program::text, OLD.promotion::text);
    END IF;
    -- Without such a promotion or point type the foreign keys refuse the row.
    SELECT CASE
        WHEN promotion.kind <> 'trigger'
            THEN format('Promotion "%s" is of kind "%s".', promotion.external_id, promotion.kind)
        WHEN greatest(min_scale(NEW.amount), min_scale(NEW.min_amount), min_scale(NEW.max_amount)) > point_type.scale
            THEN format('Points of type "%s" have %s decimals.', point_type.external_id, point_type.scale)
    END INTO problem
    FROM loyalty.promotions AS promotion
    JOIN loyalty.point_types AS point_type
        ON point_type.program = promotion.program AND point_type.external_id = NEW.point_type
    WHERE promotion.program = NEW.program
        AND promotion.external_id = NEW.promotion;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY726',
            MESSAGE = format('a rule for %s of "%s" does not suit its promotion', NEW.operation, NEW.point_type),
            DETAIL = problem,
            HINT = 'Rules belong to promotions of kind "trigger", and name points to the scale of their type.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.trigger_rules_trigger() IS
    'Trigger of loyalty.trigger_rules, before insert or update of a row: it suits a trigger promotion (LY726) that has '
    'not ended (LY307). Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.trigger_rules_trigger();';

CREATE FUNCTION @extschema@.loyalty_fire(
    promotion text,
    member text,
    operation text DEFAULT NULL,
    point_type text DEFAULT NULL,
    amount numeric DEFAULT NULL,
    external_id text DEFAULT NULL,
    program text DEFAULT NULL,
    created_at timestamptz DEFAULT NULL,
    source_type text DEFAULT NULL,
    source text DEFAULT NULL,
    comment text DEFAULT NULL,
    data jsonb DEFAULT NULL
) RETURNS jsonb
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_fire';

COMMENT ON FUNCTION @extschema@.loyalty_fire(
    text, text, text, text, numeric, text, text, timestamptz, text, text, text, jsonb
) IS
    'Books points by a rule of a trigger promotion: operation (accrual or deduction) and point type may be left out '
    'where one rule fits; amount, where the rule has an exact one; program, where one alone has the promotion; the '
    'source is the promotion unless another is given; date, comment and data as in loyalty_accrue(). Answers with the '
    'transaction, as loyalty_accrue() and loyalty_redeem() do. Errors: LY720 (no such trigger promotion), LY721 (not '
    'active, or out of its dates or schedule), LY722 (no rule fits, or several), LY723 (amount outside the rule), '
    'LY727 (its limits are used up), LY728 (the member is outside its audience), LY507 to LY513, LY525. Example: '
    'SELECT loyalty_fire(''birthday'', ''ann'', external_id => ''birthday-ann-2026'');';

-- The key of a row reads the same in every session, or the row would fire once for each way of writing it.
CREATE FUNCTION @extschema@.loyalty_fire_trigger() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC'
    SET datestyle = 'ISO, YMD'
    SET intervalstyle = 'postgres'
    SET bytea_output = 'hex'
    SET extra_float_digits = 1
    AS 'MODULE_PATHNAME', 'loyalty_fire_trigger';

COMMENT ON FUNCTION @extschema@.loyalty_fire_trigger() IS
    'Trigger for a table of your own with a primary key, after insert or update of a row: fires the trigger promotion '
    'that its first argument names for the member in the column that the second names, with the amount in the column '
    'that the third names, if there is one. A row fires once for ever; where nothing can be booked, an event '
    'promotion_not_fired says why, and the statement goes on. Errors: LY724 (arguments, columns, no primary key). '
    'Example: CREATE TRIGGER first_order AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION '
    'loyalty_fire_trigger(''first_order'', ''customer_id'');';

CREATE FUNCTION @extschema@.loyalty_enrol_trigger() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_enrol_trigger';

COMMENT ON FUNCTION @extschema@.loyalty_enrol_trigger() IS
    'Trigger for a table of your own, after insert or update of a row: enrols the profile whose key stands in the '
    'column that its second argument names in the program that the first names. Where it cannot be enrolled, an event '
    'member_not_enrolled says why, and the statement goes on. Errors: LY724 (arguments, columns), LY201. Example: '
    'CREATE TRIGGER enrol AFTER INSERT ON sign_ups FOR EACH ROW EXECUTE FUNCTION loyalty_enrol_trigger(''main'', '
    '''customer_id'');';

CREATE FUNCTION @extschema@.loyalty_trigger_promotions(
    program text,
    OUT promotion text,
    OUT name text,
    OUT description text,
    OUT state text,
    OUT starts_at timestamptz,
    OUT ends_at timestamptz,
    OUT operation text,
    OUT point_type text,
    OUT amount numeric,
    OUT min_amount numeric,
    OUT max_amount numeric
) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL SAFE ROWS 20
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_trigger_promotions';

COMMENT ON FUNCTION @extschema@.loyalty_trigger_promotions(text) IS
    'The trigger promotions of a program that have not ended, a row for each rule: what loyalty_fire() may be called '
    'with. Errors: LY201, LY526. Example: SELECT * FROM loyalty_trigger_promotions(''main'');';
