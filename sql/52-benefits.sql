-- Benefits: their parameters, what they name, and where in the tree they may stand; and the partners whose terms they
-- follow.

-- ---------------------------------------------------------------------------------------------------------------------
-- Parameters

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

-- ---------------------------------------------------------------------------------------------------------------------
-- Names

CREATE FUNCTION loyalty_internal.pays_with_points(benefit text, parameters jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RETURN benefit = 'points_discount' OR benefit = 'partner_points' AND parameters ->> 'mode' = 'pay';
END
$body$;

COMMENT ON FUNCTION loyalty_internal.pays_with_points(text, jsonb) IS
    'Whether a benefit with these parameters lets members pay with points, which only standard types can. Example: '
    'SELECT loyalty_internal.pays_with_points(''partner_points'', ''{"mode": "pay", "point_type": "bonus"}'');';

CREATE FUNCTION loyalty_internal.check_benefit_names(program text, benefit text, parameters jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET loyalty.plan_by_keys = on
    SET jit = off
    AS $body$
DECLARE
    unknown record;
BEGIN
    -- Most benefits name nothing.
    IF NOT parameters ?| '{partners,pool,credit_on,point_type}'
        AND NOT jsonb_path_exists(parameters, '$.**.segments') THEN
        RETURN;
    END IF;
    SELECT
        named.noun,
        named.parameter,
        named.name,
        named.hint
    INTO unknown
    FROM (
        SELECT
            'partner' AS noun,
            'partners' AS parameter,
            listed.name,
            format('Make it in loyalty.partners for program "%s" first.', program) AS hint
        FROM jsonb_array_elements_text(parameters -> 'partners') AS listed (name)
        WHERE NOT EXISTS (
                SELECT
                FROM loyalty.partners AS partner
                WHERE partner.program = check_benefit_names.program
                    AND partner.external_id = listed.name
            )
        UNION ALL
        SELECT
            'product segment',
            'segments',
            listed.name,
            format('Make it in loyalty.product_segments for program "%s" first.', program)
        FROM (SELECT jsonb_path_query(parameters, '$.**.segments[*]') #>> '{}') AS listed (name)
        WHERE NOT EXISTS (
                SELECT
                FROM loyalty.product_segments AS segment
                WHERE segment.program = check_benefit_names.program
                    AND segment.external_id = listed.name
            )
        UNION ALL
        SELECT
            'promo-code pool',
            'pool',
            parameters ->> 'pool',
            format('Make it in loyalty.promo_code_pools for program "%s" first.', program)
        WHERE parameters ? 'pool'
            AND NOT EXISTS (
                SELECT
                FROM loyalty.promo_code_pools AS pool
                WHERE pool.program = check_benefit_names.program
                    AND pool.external_id = parameters ->> 'pool'
            )
        UNION ALL
        SELECT
            'order status',
            'credit_on',
            parameters ->> 'credit_on',
            'Name one of loyalty.order_statuses, or a kind: open, delivered.'
        WHERE parameters ? 'credit_on'
            AND parameters ->> 'credit_on' NOT IN ('open', 'delivered')
            AND NOT EXISTS (
                SELECT
                FROM loyalty.order_statuses AS status
                WHERE status.external_id = parameters ->> 'credit_on'
            )
    ) AS named
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY330',
            MESSAGE = format('%s "%s" does not exist', unknown.noun, unknown.name),
            DETAIL = format('Parameter "%s" of benefit "%s" names it.', unknown.parameter, benefit),
            HINT = unknown.hint,
            SCHEMA = 'loyalty',
            TABLE = 'promotion_benefits',
            COLUMN = 'parameters';
    END IF;

    IF loyalty_internal.pays_with_points(benefit, parameters)
        AND EXISTS (
            SELECT
            FROM loyalty.point_types AS point_type
            WHERE point_type.program = check_benefit_names.program
                AND point_type.external_id = parameters ->> 'point_type'
                AND point_type.kind = 'qualification'
        )
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY301',
            MESSAGE = format(
                'invalid value for parameter "point_type" of benefit "%s": %s', benefit, parameters ->> 'point_type'
            ),
            HINT = 'Expected is a standard point type: qualification points cannot pay.',
            SCHEMA = 'loyalty',
            TABLE = 'promotion_benefits',
            COLUMN = 'parameters';
    END IF;

    IF EXISTS (
        SELECT
        FROM loyalty.promo_code_pools AS pool
        WHERE pool.program = check_benefit_names.program
            AND pool.external_id = parameters ->> 'pool'
            AND pool.kind = 'universal'
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY301',
            MESSAGE = format('invalid value for parameter "pool" of benefit "%s": %s', benefit, parameters ->> 'pool'),
            HINT = 'Expected is a personal pool: the codes of a universal one are for everybody, and attached to '
                'nobody.',
            SCHEMA = 'loyalty',
            TABLE = 'promotion_benefits',
            COLUMN = 'parameters';
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.check_benefit_names(text, text, jsonb) IS
    'Refuses a benefit whose parameters name a partner, a product segment, a promo-code pool or an order status that '
    'does not exist (LY330), or qualification points to pay with or a universal pool to issue from (LY301); the '
    'parameters have passed check_benefit_parameters(). Example: SELECT loyalty_internal.check_benefit_names(''main'', '
    '''partner_discount'', ''{"partners": ["acme"]}'');';

-- ---------------------------------------------------------------------------------------------------------------------
-- Combinations

CREATE FUNCTION @extschema@.loyalty_refused_under(benefit text) RETURNS text[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_refused_under';

COMMENT ON FUNCTION @extschema@.loyalty_refused_under(text) IS
    'Under what a kind of benefit cannot stand, at any depth: types of arbitration, and "parallel" for promotions '
    'whose benefits are added up. Example: SELECT loyalty_refused_under(''round_price'');';

CREATE FUNCTION loyalty_internal.looks_at_several_lines(level text, benefit text, parameters jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RETURN level = 'order'
        OR benefit = 'set'
        OR benefit = 'multiply_points'
        OR loyalty_internal.pays_with_points(benefit, parameters)
        OR parameters ? 'max_items' AND coalesce(parameters ->> 'max_items_per', 'order') = 'order'
        OR parameters @> '{"per": "order"}';
END
$body$;

COMMENT ON FUNCTION loyalty_internal.looks_at_several_lines(text, text, jsonb) IS
    'Whether what a benefit does to a line depends on other lines, so that it cannot stand where the best is chosen of '
    'each line (best_of). Example: SELECT loyalty_internal.looks_at_several_lines(''product'', ''discount'', '
    '''{"percent": 5}'');';

CREATE FUNCTION loyalty_internal.check_combinations(program text, promotions text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    wrong record;
BEGIN
    -- Most promotions have no benefit that is refused anywhere, and end here. Ended ones take part no more.
    WITH RECURSIVE concerned AS MATERIALIZED (
        SELECT
            promotion.external_id AS promotion,
            promotion.parent,
            promotion.benefit_rule,
            benefit.benefit,
            benefit.condition,
            benefit.position,
            @extschema@.loyalty_refused_under(benefit.benefit::text)
            || CASE WHEN several.lines THEN ARRAY['the best of each line'] END AS refused_under
        FROM loyalty.promotion_benefits AS benefit
        JOIN loyalty.promotions AS promotion
            ON promotion.program = benefit.program AND promotion.external_id = benefit.promotion
        JOIN loyalty.promotion_conditions AS condition
            ON condition.program = benefit.program
            AND condition.promotion = benefit.promotion
            AND condition.position = benefit.condition
        CROSS JOIN LATERAL (
            SELECT loyalty_internal.looks_at_several_lines(
                condition.level::text, benefit.benefit::text, benefit.parameters
            ) AS lines
        ) AS several
        WHERE benefit.program = check_combinations.program
            AND benefit.promotion = ANY (promotions)
            AND (several.lines OR cardinality(@extschema@.loyalty_refused_under(benefit.benefit::text)) > 0)
            AND promotion.state <> 'ended'
    ),
    around AS (
        SELECT
            concerned.promotion,
            concerned.parent AS promotion_group
        FROM concerned
        UNION
        SELECT
            around.promotion,
            above.parent
        FROM around
        JOIN loyalty.promotion_groups AS above
            ON above.program = check_combinations.program AND above.external_id = around.promotion_group
        WHERE above.parent IS NOT NULL
    ),
    rule AS (
        SELECT
            around.promotion,
            around.promotion_group,
            named.name
        FROM around
        JOIN loyalty.promotion_groups AS promotion_group
            ON promotion_group.program = check_combinations.program
            AND promotion_group.external_id = around.promotion_group
        CROSS JOIN LATERAL (
            VALUES
                (promotion_group.arbitration),
                (CASE WHEN promotion_group.best_of = 'line' THEN 'the best of each line' END)
        ) AS named (name)
        WHERE named.name IS NOT NULL
        UNION
        SELECT
            concerned.promotion,
            NULL,
            concerned.benefit_rule
        FROM concerned
    )
    SELECT
        concerned.promotion,
        concerned.benefit,
        rule.promotion_group,
        rule.name AS rule
    INTO wrong
    FROM concerned
    JOIN rule ON rule.promotion = concerned.promotion AND rule.name = ANY (concerned.refused_under)
    ORDER BY concerned.promotion, concerned.condition, concerned.position, rule.promotion_group NULLS FIRST
    LIMIT 1;

    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY309',
            MESSAGE = format(
                'benefit "%s" of promotion "%s" cannot stand %s',
                wrong.benefit,
                wrong.promotion,
                CASE wrong.rule WHEN 'parallel' THEN 'in a parallel promotion' ELSE 'under ' || wrong.rule END
            ),
            DETAIL = CASE wrong.rule
                WHEN 'parallel' THEN 'Benefits of a parallel promotion are added up, and this one cannot be.'
                WHEN 'summation' THEN format(
                    'Group "%s" adds up what stands in it, and this one cannot be.', wrong.promotion_group
                )
                WHEN 'incompatibility' THEN format(
                    'In group "%s" one takes the place of another, and this one adds to what others give.',
                    wrong.promotion_group
                )
                WHEN 'the best of each line' THEN format(
                    'Group "%s" chooses for each line apart, and this one looks at several together.',
                    wrong.promotion_group
                )
                ELSE format('Group "%s" compares what its children are worth.', wrong.promotion_group)
            END,
            HINT = 'Move the promotion, or choose another type of arbitration.',
            SCHEMA = 'loyalty',
            TABLE = 'promotion_benefits';
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.check_combinations(text, text[]) IS
    'Refuses (LY309) benefits of these promotions that cannot stand where they stand: see loyalty_refused_under(). '
    'Example: SELECT loyalty_internal.check_combinations(''main'', ''{spring}'');';

CREATE FUNCTION loyalty_internal.check_combinations_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    IF TG_TABLE_NAME = 'promotion_benefits' THEN
        PERFORM loyalty_internal.check_combinations(
            written.program::text, array_agg(DISTINCT written.promotion::text)
        )
        FROM written
        GROUP BY written.program;
    ELSIF TG_TABLE_NAME = 'promotions' THEN
        PERFORM loyalty_internal.check_combinations(written.program::text, array_agg(written.external_id::text))
        FROM written
        GROUP BY written.program;
    ELSE
        PERFORM loyalty_internal.check_combinations(concerned.program::text, array_agg(concerned.promotion::text))
        FROM (
            WITH RECURSIVE below AS (
                SELECT
                    written.program,
                    written.external_id
                FROM written
                UNION
                SELECT
                    child.program,
                    child.external_id
                FROM below
                JOIN loyalty.promotion_groups AS child
                    ON child.program = below.program AND child.parent = below.external_id
            )
            SELECT
                promotion.program,
                promotion.external_id AS promotion
            FROM below
            JOIN loyalty.promotions AS promotion
                ON promotion.program = below.program AND promotion.parent = below.external_id
        ) AS concerned
        GROUP BY concerned.program;
    END IF;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.check_combinations_trigger() IS
    'Trigger of loyalty.promotion_benefits, loyalty.promotions and loyalty.promotion_groups, after a statement '
    '(transition table "written"): no benefit stands where it cannot (LY309). Example: CREATE TRIGGER ... REFERENCING '
    'NEW TABLE AS written ... EXECUTE FUNCTION loyalty_internal.check_combinations_trigger();';

-- ---------------------------------------------------------------------------------------------------------------------
-- Partners: their terms are part of a version, so who edits them edits the draft

CREATE FUNCTION loyalty_internal.check_partner_contacts(partner text, site text, email text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    wrong record;
BEGIN
    SELECT
        given."column",
        given.value,
        given.noun,
        given.example
    INTO wrong
    FROM (
        VALUES
            (
                'site', site, 'address of a site', 'https://partner.example',
                '^https?://[^\s/?#@.:]+(\.[^\s/?#@.:]+)*(:[0-9]{1,5})?([/?#]\S*)?$'
            ),
            (
                'email', email, 'e-mail address', 'office@partner.example',
                '^[^\s@<>(),;:"]+@[^\s@.<>(),;:"]+(\.[^\s@.<>(),;:"]+)+$'
            )
    ) AS given ("column", value, noun, example, pattern)
    WHERE given.value !~* given.pattern
    ORDER BY given."column"
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY334',
            MESSAGE = format('%s of partner "%s" is no %s', wrong."column", partner, wrong.noun),
            DETAIL = format('The value given is "%s".', wrong.value),
            HINT = format('Write one such as %s, or leave it null.', wrong.example),
            SCHEMA = 'loyalty',
            TABLE = 'partners',
            COLUMN = wrong."column";
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.check_partner_contacts(text, text, text) IS
    'Refuses (LY334) what cannot be the address of a partner''s site, or its e-mail address. Example: SELECT '
    'loyalty_internal.check_partner_contacts(''acme'', ''https://acme.example'', ''office@acme.example'');';

CREATE FUNCTION loyalty_internal.partners_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    naming text;
BEGIN
    PERFORM loyalty_internal.lock_draft(coalesce(NEW.program, OLD.program)::text);
    IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND (NEW.site, NEW.email) IS DISTINCT FROM (OLD.site, OLD.email) THEN
        PERFORM loyalty_internal.check_partner_contacts(NEW.external_id::text, NEW.site, NEW.email);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        RETURN NEW;
    END IF;

    SELECT benefit.promotion INTO naming
    FROM loyalty.promotion_benefits AS benefit
    WHERE benefit.program = OLD.program
        AND benefit.parameters -> 'partners' ? OLD.external_id
        AND EXISTS (SELECT FROM loyalty.programs AS program WHERE program.external_id = OLD.program)
    ORDER BY benefit.promotion
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY308',
            MESSAGE = format('partner "%s" is in use', OLD.external_id),
            DETAIL = format('Promotion "%s" names it.', naming),
            HINT = 'Remove it from the promotions, then delete it.',
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME;
    END IF;
    RETURN OLD;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.partners_trigger() IS
    'Trigger of loyalty.partners, before insert, update or delete of a row: site and e-mail address can be ones '
    '(LY334), no benefit of the draft names a partner that is deleted (LY308). '
    'Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.partners_trigger();';

-- By statement, for terms come in bulk. The lock is held before anything of it can be seen.
CREATE FUNCTION loyalty_internal.partner_products_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty_internal.lock_draft(concerned.program::text)
    FROM (SELECT DISTINCT written.program FROM written ORDER BY written.program) AS concerned;
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.partner_products_trigger() IS
    'Trigger of loyalty.partner_products, after a statement (transition table "written"): locks the draft that the '
    'terms belong to. Errors: 40001 (edited since the snapshot of a REPEATABLE READ transaction). Example: CREATE '
    'TRIGGER ... REFERENCING NEW TABLE AS written ... EXECUTE FUNCTION loyalty_internal.partner_products_trigger();';
