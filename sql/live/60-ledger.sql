-- The clock and the ledger.

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.simulated_clock
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('simulated_clock');
COMMENT ON TRIGGER invalidate_cache ON loyalty.simulated_clock IS 'Makes every session look at the clock again.';

CREATE OR REPLACE TRIGGER apply_ratios
    AFTER INSERT ON loyalty.promotion_versions
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.applied_ratios_trigger();
COMMENT ON TRIGGER apply_ratios ON loyalty.promotion_versions IS
    'From now on balances are worth money by the ratios of this version.';

CREATE OR REPLACE TRIGGER begin_booking
    BEFORE INSERT ON loyalty.transactions
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.transactions_trigger();
COMMENT ON TRIGGER begin_booking ON loyalty.transactions IS 'Begins to watch for the rows that will be booked.';

CREATE OR REPLACE TRIGGER book
    BEFORE INSERT ON loyalty.transactions
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.transactions_trigger();
COMMENT ON TRIGGER book ON loyalty.transactions IS 'Books the row: balance, lots, what is due; fills its figures.';

CREATE OR REPLACE TRIGGER prove_arrival
    AFTER INSERT ON loyalty.transactions
    FOR EACH ROW EXECUTE FUNCTION loyalty_internal.transactions_trigger();
COMMENT ON TRIGGER prove_arrival ON loyalty.transactions IS 'Ticks off the row that was booked.';

CREATE OR REPLACE TRIGGER end_booking
    AFTER INSERT ON loyalty.transactions
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.transactions_trigger();
COMMENT ON TRIGGER end_booking ON loyalty.transactions IS 'Every row that was booked has arrived.';

-- What is booked is neither changed nor deleted, nor is what it refers to, but for what the archive takes, which keeps
-- it: so a reference that was proven when it was booked holds for ever. TRUNCATE has a trigger of its own: of a
-- combined one only a part would reach the shards of a distributed table.

DO $do$
DECLARE
    refused record;
BEGIN
    FOR refused IN
        SELECT part.name, change.trigger, change.event, change.reason
        FROM (
            VALUES
                ('balances', false),
                ('lots', false),
                ('transactions', true),
                ('lot_movements', true),
                ('holds', false),
                ('hold_lots', false),
                ('account_closings', true),
                ('archived_ids', true)
        ) AS kept (name, is_final)
        CROSS JOIN LATERAL loyalty_internal.parts_of(kept.name) AS part (name)
        CROSS JOIN LATERAL (
            SELECT 'refuse_truncate', 'TRUNCATE', 'Rows are never deleted.'
            UNION ALL
            SELECT 'refuse_change', 'UPDATE OR DELETE', 'Rows are never changed or deleted.' WHERE kept.is_final
            UNION ALL
            SELECT 'refuse_delete', 'DELETE', 'Rows are never deleted.' WHERE NOT kept.is_final
        ) AS change (trigger, event, reason)
        ORDER BY part.name::text, change.trigger
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER %I BEFORE %s ON %s '
            'FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.append_only_trigger()',
            refused.trigger, refused.event, refused.name
        );
        EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', refused.trigger, refused.name, refused.reason);
    END LOOP;
END
$do$;

-- All else that the lots hold, which is total + debt of the balance, is active: so nobody reads thousands of lots of
-- which nothing is to be said. The planner takes it into the query that calls it, so it pins no search path; its body
-- is parsed now.
CREATE OR REPLACE FUNCTION loyalty.apart(
    member text, program text, point_type text, at timestamptz, wall timestamptz
)
    RETURNS TABLE (gone numeric, waiting numeric, reserved numeric, gone_reserved numeric)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
    BEGIN ATOMIC
        SELECT
            (
                SELECT coalesce(sum(lot.remaining), 0)
                FROM loyalty.lots AS lot
                WHERE lot.member = apart.member
                    AND lot.program = apart.program
                    AND lot.point_type = apart.point_type
                    AND lot.open
                    AND lot.expires_at <= apart.at
            ),
            (
                SELECT coalesce(sum(lot.remaining), 0)
                FROM loyalty.lots AS lot
                WHERE lot.member = apart.member
                    AND lot.program = apart.program
                    AND lot.point_type = apart.point_type
                    AND lot.open
                    AND lot.active_from > apart.at
            ),
            held.reserved,
            held.gone_reserved
        FROM (
            SELECT
                coalesce(sum(part.amount), 0) AS reserved,
                coalesce(sum(part.amount) FILTER (WHERE lot.expires_at <= apart.at), 0) AS gone_reserved
            FROM loyalty.holds AS hold
            JOIN loyalty.hold_lots AS part
                ON part.member = apart.member AND part.program = apart.program AND part.hold = hold.id
            JOIN loyalty.lots AS lot
                ON lot.member = apart.member
                AND lot.program = apart.program
                AND lot.point_type = part.point_type
                AND lot.seq = part.lot
            WHERE hold.member = apart.member
                AND hold.program = apart.program
                AND hold.point_type = apart.point_type
                AND hold.state = 'open'
                AND hold.expires_at > apart.wall
        ) AS held;
    END;
REVOKE ALL ON FUNCTION loyalty.apart(text, text, text, timestamptz, timestamptz) FROM PUBLIC;
COMMENT ON FUNCTION loyalty.apart(text, text, text, timestamptz, timestamptz) IS
    'What of an account''s lots does not count as active at a moment from now on: gone, left of those past their date; '
    'waiting, of those not active yet; reserved by holds whose time has not come on the wall''s clock, and '
    'gone_reserved, of that from lots past their date. Points are reserved of active lots only. Example: SELECT * FROM '
    'loyalty.apart(''anna'', ''main'', ''bonus'', now(), now());';
