-- The history of prices. Everything that changes prices first records what the calendar has changed by then, under what
-- was in force until now: so each moment is recorded under what was in force at it, however late that is.

CREATE OR REPLACE FUNCTION loyalty.settle_prices(program text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    upto CONSTANT timestamptz := loyalty.clock();
    recording record;
    moment timestamptz;
BEGIN
    FOR recording IN
        SELECT kept.program, kept.next_at <= upto AS is_due
        FROM loyalty.price_recordings AS kept
        WHERE kept.program = settle_prices.program OR settle_prices.program IS NULL
        ORDER BY kept.program
    LOOP
        IF NOT recording.is_due THEN
            PERFORM FROM loyalty.price_recordings AS kept WHERE kept.program = recording.program FOR SHARE;
            CONTINUE;
        END IF;
        SELECT kept.* INTO recording
        FROM loyalty.price_recordings AS kept
        WHERE kept.program = recording.program AND kept.next_at <= upto
        FOR UPDATE;
        CONTINUE WHEN NOT FOUND;
        FOR moment IN
            SELECT recording.changed_at WHERE recording.changed_at IS NOT NULL
            UNION
            SELECT loyalty_internal.price_moments(recording.program::text, recording.recorded_until, upto)
            ORDER BY 1
        LOOP
            PERFORM loyalty_internal.write_prices(recording.program::text, NULL::text[], moment);
        END LOOP;
        UPDATE loyalty.price_recordings AS kept
        SET
            recorded_until = upto,
            changed_at = NULL,
            next_at = (
                SELECT min(following.at)
                FROM loyalty_internal.price_moments(recording.program::text, upto, upto + interval '3 days')
                    AS following (at)
            )
        WHERE kept.program = recording.program;
    END LOOP;
END
$function$;
REVOKE ALL ON FUNCTION loyalty.settle_prices(text) FROM PUBLIC;
COMMENT ON FUNCTION loyalty.settle_prices(text) IS
    'Records what the calendar, and a change of the tree, have made of prices by now, in one program or (null) in all '
    'that keep them. Example: SELECT loyalty.settle_prices(''main'');';

-- A price that changes while a moment of the calendar is recorded is dated after it.
CREATE OR REPLACE FUNCTION loyalty.record_prices(program text, skus text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $function$
BEGIN
    PERFORM loyalty_internal.write_prices(
        record_prices.program, record_prices.skus, greatest(kept.recorded_until, loyalty.clock())
    )
    FROM loyalty.price_recordings AS kept
    WHERE kept.program = record_prices.program;
END
$function$;
REVOKE ALL ON FUNCTION loyalty.record_prices(text, text[]) FROM PUBLIC;
COMMENT ON FUNCTION loyalty.record_prices(text, text[]) IS
    'Records what these products cost now, in a program that keeps it. Example: SELECT loyalty.record_prices(''main'', '
    '''{PC-1}'');';

CREATE OR REPLACE FUNCTION loyalty.note_price_change(program text) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $function$
UPDATE loyalty.price_recordings AS kept
SET
    changed_at = greatest(kept.recorded_until, loyalty.clock()),
    next_at = loyalty.clock()
WHERE kept.program = note_price_change.program OR note_price_change.program IS NULL
$function$;
REVOKE ALL ON FUNCTION loyalty.note_price_change(text) FROM PUBLIC;
COMMENT ON FUNCTION loyalty.note_price_change(text) IS
    'Notes that all prices of a program (null: of each that keeps them) may have changed now. Example: SELECT '
    'loyalty.note_price_change(''main'');';

-- No order waits for that: an order that uses up a limit is seen at the next look.
CREATE OR REPLACE FUNCTION loyalty.note_used_up(program text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $function$
DECLARE
    recording record;
BEGIN
    FOR recording IN
        SELECT
            kept.program,
            kept.used_up AS known,
            ARRAY(
                SELECT counter.promotion::text
                FROM loyalty.promotion_counters AS counter
                JOIN jsonb_to_recordset(version.tree -> 'promotions')
                    AS promotion (promotion text, max_uses numeric, money_budget numeric, points_budget numeric)
                    ON promotion.promotion = counter.promotion
                WHERE counter.program = kept.program
                    AND (
                        counter.uses >= promotion.max_uses
                        OR counter.money >= promotion.money_budget
                        OR counter.points >= promotion.points_budget
                    )
                ORDER BY counter.promotion
            ) AS used_up
        FROM loyalty.price_recordings AS kept
        JOIN LATERAL (
            SELECT latest.tree
            FROM loyalty.promotion_versions AS latest
            WHERE latest.program = kept.program
            ORDER BY latest.version DESC
            LIMIT 1
        ) AS version ON true
        WHERE kept.program = note_used_up.program OR note_used_up.program IS NULL
        ORDER BY kept.program
    LOOP
        CONTINUE WHEN recording.used_up = recording.known;
        PERFORM loyalty.settle_prices(recording.program::text);
        UPDATE loyalty.price_recordings AS kept SET used_up = recording.used_up WHERE kept.program = recording.program;
        PERFORM loyalty.note_price_change(recording.program::text);
    END LOOP;
END
$function$;
REVOKE ALL ON FUNCTION loyalty.note_used_up(text) FROM PUBLIC;
COMMENT ON FUNCTION loyalty.note_used_up(text) IS
    'Notes a change of prices where other usage limits are used up than when it was looked last. Example: SELECT '
    'loyalty.note_used_up(''main'');';

CREATE OR REPLACE FUNCTION loyalty.keep_price_history(program text) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $function$
DELETE FROM loyalty.price_recordings AS kept
USING loyalty.programs AS program
WHERE kept.program = keep_price_history.program
    AND program.external_id = kept.program
    AND NOT (program.price_history AND program.active);
INSERT INTO loyalty.price_recordings (program)
SELECT program.external_id
FROM loyalty.programs AS program
WHERE program.external_id = keep_price_history.program
    AND program.price_history
    AND program.active
ON CONFLICT DO NOTHING
$function$;
REVOKE ALL ON FUNCTION loyalty.keep_price_history(text) FROM PUBLIC;
COMMENT ON FUNCTION loyalty.keep_price_history(text) IS
    'Begins to keep the price history of a program that says so, or ends it. Example: SELECT '
    'loyalty.keep_price_history(''main'');';

-- What is not recorded yet is worked out: of one product that is quick.
CREATE OR REPLACE FUNCTION loyalty.prior_price(
    program text,
    sku text,
    at timestamptz,
    days integer,
    OUT price numeric,
    OUT prior_price numeric,
    OUT reduced_at timestamptz,
    OUT since timestamptz
)
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS $function$
WITH recorded AS (
    SELECT former.begins_at, former.id, former.price
    FROM loyalty.price_history AS former
    WHERE former.sku = prior_price.sku
        AND former.program = prior_price.program
        AND former.begins_at <= prior_price.at
    UNION ALL
    SELECT pending.at, NULL, priced.price
    FROM loyalty.price_recordings AS kept
    CROSS JOIN LATERAL (
        SELECT kept.changed_at AS at
        WHERE kept.changed_at <= prior_price.at
        UNION
        SELECT loyalty_internal.price_moments(kept.program::text, kept.recorded_until, prior_price.at)
    ) AS pending
    CROSS JOIN LATERAL loyalty_internal.recorded_prices(
        kept.program::text, ARRAY[prior_price.sku], pending.at, kept.used_up::text[]
    ) AS priced
    WHERE kept.program = prior_price.program
        AND EXISTS (
            SELECT FROM loyalty.products AS product
                WHERE product.sku = prior_price.sku AND product.program = prior_price.program
        )
),
step AS (
    SELECT
        last.begins_at,
        last.price,
        lead(last.begins_at, 1, prior_price.at) OVER (ORDER BY last.begins_at) AS ends_at,
        lag(last.price) OVER (ORDER BY last.begins_at) AS former_price
    FROM (
        SELECT DISTINCT ON (recorded.begins_at) recorded.begins_at, recorded.price
        FROM recorded
        -- What is worked out counts after what is recorded: it is nothing but the present.
        ORDER BY recorded.begins_at, recorded.id DESC NULLS FIRST
    ) AS last
),
-- The last rise, or the beginning: all falls after it are one reduction.
risen AS (
    SELECT max(step.begins_at) AS at
    FROM step
    WHERE step.former_price IS NULL OR step.price IS NULL OR step.price > step.former_price
),
reduction AS (
    SELECT min(step.begins_at) AS began_at
    FROM step, risen
    WHERE step.begins_at > risen.at AND step.price < step.former_price
),
-- The days before, by the program's calendar.
span AS (
    SELECT
        (reach.until AT TIME ZONE program.time_zone - make_interval(days => days)) AT TIME ZONE program.time_zone
            AS since,
        reach.until
    FROM reduction
    CROSS JOIN LATERAL (SELECT coalesce(reduction.began_at, prior_price.at) AS until) AS reach
    JOIN loyalty.programs AS program ON program.external_id = prior_price.program
)
SELECT
    (SELECT step.price FROM step ORDER BY step.begins_at DESC LIMIT 1),
    CASE
        WHEN span.since >= kept.since THEN (
            SELECT min(step.price) FROM step WHERE step.begins_at < span.until AND step.ends_at > span.since
        )
    END,
    reduction.began_at,
    kept.since
FROM loyalty.price_recordings AS kept, reduction, span
WHERE kept.program = prior_price.program
$function$;
COMMENT ON FUNCTION loyalty.prior_price(text, text, timestamptz, integer) IS
    'What loyalty_prior_price() reads. Example: SELECT prior_price FROM loyalty.prior_price(''main'', ''PC-1'', now(), '
    '30);';

DO $do$
DECLARE
    source record;
BEGIN
    FOR source IN
        SELECT change.*, part.relation
        FROM (
            VALUES ('products'), ('partner_products'), ('product_segment_members')
        ) AS part (relation)
        CROSS JOIN (
            VALUES
                ('settle_prices', 'BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE', '', 'settle',
                    'Records the calendar up to now.'),
                ('record_prices_insert', 'AFTER INSERT', 'REFERENCING NEW TABLE AS written', 'record',
                    'Records the prices.'),
                ('record_prices_update', 'AFTER UPDATE', 'REFERENCING NEW TABLE AS written', 'record',
                    'Records the prices.'),
                (
                    'record_prices_update_former', 'AFTER UPDATE', 'REFERENCING OLD TABLE AS written', 'record',
                    'Records what is gone, or has become another.'
                ),
                ('record_prices_delete', 'AFTER DELETE', 'REFERENCING OLD TABLE AS written', 'record',
                    'Records what is gone.'),
                ('record_prices_truncate', 'AFTER TRUNCATE', '', 'record', 'Notes that all is gone.')
        ) AS change (name, event, transition, deed, comment)
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER %I %s ON loyalty.%I %s FOR EACH STATEMENT EXECUTE FUNCTION '
            'loyalty_internal.%s_prices_trigger()',
            source.name, source.event, source.relation, source.transition, source.deed
        );
        EXECUTE format('COMMENT ON TRIGGER %I ON loyalty.%I IS %L', source.name, source.relation, source.comment);
    END LOOP;

    FOR source IN
        SELECT *
        FROM (
            VALUES
                ('promotion_versions', 'INSERT', 'A new version changes prices.', ''),
                ('paused_promotions', 'INSERT OR DELETE', 'A pause changes prices, and its end.', ''),
                ('fields', 'INSERT OR UPDATE OR DELETE', 'A default of orders and lines changes prices.', ''),
                (
                    'promotions', 'UPDATE OF state', 'The end of a promotion changes prices.',
                    'WHEN (NEW.state = ''ended'' AND OLD.state <> ''ended'')'
                )
        ) AS part (relation, event, comment, condition)
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER settle_prices BEFORE %s ON loyalty.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.settle_prices_trigger()',
            source.event, source.relation
        );
        EXECUTE format('COMMENT ON TRIGGER settle_prices ON loyalty.%I IS %L', source.relation,
            'Records the calendar up to now.');
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER note_price_change AFTER %s ON loyalty.%I '
            'FOR EACH ROW %s EXECUTE FUNCTION loyalty_internal.note_price_change_trigger()',
            source.event, source.relation, source.condition
        );
        EXECUTE format('COMMENT ON TRIGGER note_price_change ON loyalty.%I IS %L', source.relation, source.comment);
    END LOOP;
END
$do$;

CREATE OR REPLACE TRIGGER keep_price_history
    AFTER INSERT OR UPDATE OF active, price_history ON loyalty.programs
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.keep_price_history_trigger();
COMMENT ON TRIGGER keep_price_history ON loyalty.programs IS 'Begins to keep the price history, or ends it.';

CREATE OR REPLACE TRIGGER refuse_change
    BEFORE UPDATE OR DELETE ON loyalty.price_history
    FOR EACH STATEMENT
        EXECUTE FUNCTION loyalty_internal.append_only_trigger('The last row of a moment counts: add one.');
COMMENT ON TRIGGER refuse_change ON loyalty.price_history IS 'Rows are never changed or deleted.';

CREATE OR REPLACE TRIGGER refuse_truncate
    BEFORE TRUNCATE ON loyalty.price_history
    FOR EACH STATEMENT
        EXECUTE FUNCTION loyalty_internal.append_only_trigger('The last row of a moment counts: add one.');
COMMENT ON TRIGGER refuse_truncate ON loyalty.price_history IS 'Rows are never deleted.';
