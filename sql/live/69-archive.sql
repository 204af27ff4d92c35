-- The ledger with its archive, as rows again: what loyalty_verify(), reports, statements and balances of the past read,
-- so that archiving changes none of them.

CREATE OR REPLACE VIEW loyalty.all_transactions AS
SELECT
    member, program, point_type, seq, id, external_id, type, value, balance_before, balance_after, debt, owed, lapsed,
    created_at, booked_at, active_from, expires_at, undoes, lot, hold, source_type, source, promotion, comment, data,
    erased
FROM loyalty.transactions
UNION ALL
SELECT
    closing.member, closing.program, closing.point_type, entry.seq, entry.id, entry.external_id, entry.type,
    entry.value, entry.balance_before, entry.balance_after, entry.debt, entry.owed, entry.lapsed, entry.created_at,
    entry.booked_at, entry.active_from, entry.expires_at, entry.undoes, entry.lot, entry.hold, entry.source_type,
    entry.source, entry.promotion, entry.comment, entry.data, entry.erased
FROM loyalty.account_closings AS closing
CROSS JOIN LATERAL jsonb_to_recordset(closing.transactions) AS entry (
    seq bigint,
    id uuid,
    external_id loyalty.external_id,
    type text,
    value numeric,
    balance_before numeric,
    balance_after numeric,
    debt numeric,
    owed numeric,
    lapsed numeric,
    created_at timestamptz,
    booked_at timestamptz,
    active_from timestamptz,
    expires_at timestamptz,
    undoes bigint,
    lot bigint,
    hold uuid,
    source_type text COLLATE "C",
    source text COLLATE "C",
    promotion text COLLATE "C",
    comment text,
    data jsonb,
    erased bytea
)
-- True of each closing. The planner takes it for a third of them, and a new table for fuller than it is: without it the
-- first day's reports look so dear that the server compiles them.
WHERE closing.first_seq <= closing.seq;

COMMENT ON VIEW loyalty.all_transactions IS
    'The whole ledger, archived transactions too. Ask for a member and a program, or it reads all of the archive.';

CREATE OR REPLACE VIEW loyalty.all_lot_movements AS
SELECT member, program, point_type, seq, lot, value
FROM loyalty.lot_movements
UNION ALL
SELECT closing.member, closing.program, closing.point_type, movement.seq, movement.lot, movement.value
FROM loyalty.account_closings AS closing
CROSS JOIN LATERAL jsonb_to_recordset(closing.movements) AS movement (seq bigint, lot bigint, value numeric);

COMMENT ON VIEW loyalty.all_lot_movements IS
    'What all transactions, archived ones too, took from lots or put back.';

-- A lot that is empty goes with its credit, which says all that it said.
CREATE OR REPLACE VIEW loyalty.all_lots AS
SELECT member, program, point_type, seq, amount, remaining, held, active_from, expires_at, open
FROM loyalty.lots
UNION ALL
SELECT
    closing.member, closing.program, closing.point_type, entry.seq, entry.value, 0, 0, entry.active_from,
    entry.expires_at, false
FROM loyalty.account_closings AS closing
CROSS JOIN LATERAL jsonb_to_recordset(closing.transactions) AS entry (
    seq bigint,
    type text,
    value numeric,
    active_from timestamptz,
    expires_at timestamptz
)
WHERE entry.type IN ('accrual', 'initial')
    AND NOT EXISTS (
        SELECT
        FROM loyalty.lots AS kept
        WHERE kept.member = closing.member
            AND kept.program = closing.program
            AND kept.point_type = closing.point_type
            AND kept.seq = entry.seq
    );

COMMENT ON VIEW loyalty.all_lots IS 'All lots, those too that were emptied and went with their archived credit.';

DO $do$
DECLARE
    described record;
BEGIN
    FOR described IN
        SELECT whole.name, attribute.attname, col_description(original.oid, twin.attnum) AS text
        FROM (
            VALUES
                ('all_transactions', 'transactions'),
                ('all_lot_movements', 'lot_movements'),
                ('all_lots', 'lots')
        ) AS whole (name, original)
        CROSS JOIN LATERAL (SELECT to_regclass('loyalty.' || whole.original)::oid AS oid) AS original
        JOIN pg_attribute AS attribute ON attribute.attrelid = to_regclass('loyalty.' || whole.name)
        JOIN pg_attribute AS twin ON twin.attrelid = original.oid AND twin.attname = attribute.attname
        WHERE attribute.attnum > 0
        ORDER BY whole.name, attribute.attnum
    LOOP
        EXECUTE format('COMMENT ON COLUMN loyalty.%I.%I IS %L', described.name, described.attname, described.text);
    END LOOP;
END
$do$;
