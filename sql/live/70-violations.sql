-- What loyalty_verify() returns: each invariant of the ledger that the rows do not obey, recomputed from the rows
-- alone.

CREATE OR REPLACE VIEW loyalty.violations AS
WITH booked AS (
    SELECT
        entry.program,
        entry.member,
        entry.point_type,
        count(*) AS transactions,
        max(entry.seq) AS seq,
        sum(entry.value) AS total,
        sum(entry.debt) AS debt,
        sum(entry.owed) AS owed
    FROM loyalty.all_transactions AS entry
    GROUP BY entry.program, entry.member, entry.point_type
),
kept AS (
    SELECT
        lot.program,
        lot.member,
        lot.point_type,
        sum(lot.remaining) AS remaining
    FROM loyalty.all_lots AS lot
    GROUP BY lot.program, lot.member, lot.point_type
),
moved AS (
    SELECT
        movement.program,
        movement.member,
        movement.point_type,
        movement.seq,
        sum(movement.value) AS value
    FROM loyalty.all_lot_movements AS movement
    GROUP BY movement.program, movement.member, movement.point_type, movement.seq
),
change AS NOT MATERIALIZED (
    SELECT movement.program, movement.member, movement.point_type, movement.seq, movement.lot, movement.value
    FROM loyalty.all_lot_movements AS movement
    UNION ALL
    SELECT entry.program, entry.member, entry.point_type, entry.seq, entry.lot, entry.value
    FROM loyalty.all_transactions AS entry
    WHERE entry.lot IS NOT NULL
),
lot_history AS (
    SELECT
        change.program,
        change.member,
        change.point_type,
        change.lot,
        sum(change.value) AS value
    FROM change
    GROUP BY change.program, change.member, change.point_type, change.lot
),
reserved AS (
    SELECT
        part.program,
        part.member,
        part.point_type,
        part.lot,
        sum(part.amount) AS amount
    FROM loyalty.hold_lots AS part
    JOIN loyalty.holds AS hold
        ON hold.member = part.member AND hold.program = part.program AND hold.id = part.hold AND hold.state = 'open'
    GROUP BY part.program, part.member, part.point_type, part.lot
)

SELECT
    'chain' AS invariant,
    entry.program::text AS program,
    entry.member,
    entry.point_type::text AS point_type,
    entry.seq,
    format(
        'balance before is %s, after the row before it (%s) %s',
        entry.balance_before, coalesce(entry.last_seq::text, 'none'), coalesce(entry.last_balance, 0)
    ) AS detail
FROM (
    SELECT
        transactions.*,
        lag(transactions.seq) OVER account AS last_seq,
        lag(transactions.balance_after) OVER account AS last_balance
    FROM loyalty.all_transactions AS transactions
    WINDOW account AS (
        PARTITION BY transactions.member, transactions.program, transactions.point_type ORDER BY transactions.seq
    )
) AS entry
WHERE entry.seq <> coalesce(entry.last_seq, 0) + 1
    OR entry.balance_before <> coalesce(entry.last_balance, 0)

UNION ALL
SELECT
    'balance_adds_up', entry.program, entry.member, entry.point_type, entry.seq,
    format('%s + %s is not %s', entry.balance_before, entry.value, entry.balance_after)
FROM loyalty.all_transactions AS entry
WHERE entry.balance_before + entry.value <> entry.balance_after

UNION ALL
SELECT
    'row_is_well_formed', entry.program, entry.member, entry.point_type, entry.seq,
    format('of type %s, value %s: a field does not suit it', entry.type, entry.value)
FROM loyalty.all_transactions AS entry
WHERE (
    entry.seq > 0
    AND CASE
        WHEN entry.type IN ('accrual', 'initial', 'refund') THEN
            entry.value > 0 AND entry.debt <= 0 AND entry.debt >= - entry.value AND entry.owed = 0
        WHEN entry.type = 'reversal' THEN
            entry.value <= 0
            AND (entry.value < 0 OR entry.owed <> 0 OR entry.lapsed > 0)
            AND entry.debt >= 0
            AND entry.debt <= - entry.value
        ELSE entry.type IN ('redemption', 'expiration', 'reset')
            AND entry.value < 0
            AND entry.debt = 0
            AND entry.owed = 0
    END
    -- NaN and infinities sort at the ends.
    AND entry.value > '-Infinity' AND entry.value < 'Infinity'
    AND entry.balance_before > '-Infinity' AND entry.balance_before < 'Infinity'
    AND entry.owed > '-Infinity' AND entry.owed < 'Infinity'
    AND entry.lapsed >= 0 AND entry.lapsed < 'Infinity'
    AND (entry.lapsed = 0 OR entry.type = 'reversal' AND entry.undoes IS NOT NULL)
    AND isfinite(entry.created_at)
    AND isfinite(entry.booked_at)
    AND entry.created_at <= entry.booked_at
    AND CASE
        WHEN entry.type IN ('accrual', 'initial') THEN
            isfinite(entry.active_from) AND entry.expires_at > entry.active_from
        ELSE entry.active_from IS NULL AND entry.expires_at IS NULL
    END
    AND CASE entry.type
        WHEN 'refund' THEN entry.undoes IS NOT NULL
        WHEN 'reversal' THEN true
        ELSE entry.undoes IS NULL
    END
    AND (entry.undoes IS NULL OR entry.undoes < entry.seq)
    AND (entry.type = 'expiration') = (entry.lot IS NOT NULL)
    AND (entry.hold IS NULL OR entry.type IN ('accrual', 'redemption'))
    AND (entry.source IS NULL OR entry.source_type IS NOT NULL)
    AND (entry.source_type IS NULL OR entry.source_type <> '')
    AND (entry.data IS NULL OR jsonb_typeof(entry.data) = 'object')
) IS NOT TRUE

UNION ALL
SELECT
    'balance_is_sum_of_transactions', balance.program, balance.member, balance.point_type, balance.seq,
    format(
        'seq, total, debt and owed are %s, %s, %s, %s; by the transactions %s, %s, %s, %s',
        balance.seq, balance.total, balance.debt, balance.owed,
        coalesce(booked.seq, 0), coalesce(booked.total, 0), coalesce(booked.debt, 0), coalesce(booked.owed, 0)
    )
FROM loyalty.balances AS balance
LEFT JOIN booked
    ON booked.member = balance.member AND booked.program = balance.program AND booked.point_type = balance.point_type
WHERE (balance.seq, balance.total, balance.debt, balance.owed)
    IS DISTINCT FROM (
        coalesce(booked.seq, 0), coalesce(booked.total, 0), coalesce(booked.debt, 0), coalesce(booked.owed, 0)
    )

UNION ALL
SELECT
    'balance_exists', booked.program, booked.member, booked.point_type, booked.seq,
    format('%s transactions have no balance', booked.transactions)
FROM booked
WHERE NOT EXISTS (
    SELECT
    FROM loyalty.balances AS balance
    WHERE balance.member = booked.member
        AND balance.program = booked.program
        AND balance.point_type = booked.point_type
)

UNION ALL
SELECT
    'reference_exists', named.program, named.member, named.point_type, named.seq,
    format('%s %s does not exist', named.noun, named.name)
FROM (
    SELECT
        entry.program, entry.member, entry.point_type, entry.seq, 'transaction' AS noun, entry.undoes::text AS name
    FROM loyalty.all_transactions AS entry
    WHERE entry.undoes IS NOT NULL
        AND NOT EXISTS (
            SELECT
            FROM loyalty.all_transactions AS original
            WHERE original.member = entry.member
                AND original.program = entry.program
                AND original.point_type = entry.point_type
                AND original.seq = entry.undoes
        )

    UNION ALL
    SELECT change.program, change.member, change.point_type, change.seq, 'lot', change.lot::text
    FROM change
    WHERE NOT EXISTS (
        SELECT
        FROM loyalty.all_lots AS lot
        WHERE lot.member = change.member
            AND lot.program = change.program
            AND lot.point_type = change.point_type
            AND lot.seq = change.lot
    )

    UNION ALL
    SELECT entry.program, entry.member, entry.point_type, entry.seq, 'hold', entry.hold::text
    FROM loyalty.all_transactions AS entry
    WHERE entry.hold IS NOT NULL
        AND NOT EXISTS (
            SELECT
            FROM loyalty.holds AS hold
            WHERE hold.member = entry.member AND hold.program = entry.program AND hold.id = entry.hold
        )
) AS named

UNION ALL
SELECT
    'balance_is_sum_of_lots', balance.program, balance.member, balance.point_type, balance.seq,
    format('total %s and debt %s, but the lots hold %s', balance.total, balance.debt, coalesce(kept.remaining, 0))
FROM loyalty.balances AS balance
LEFT JOIN kept
    ON kept.member = balance.member AND kept.program = balance.program AND kept.point_type = balance.point_type
WHERE balance.total + balance.debt <> coalesce(kept.remaining, 0)

UNION ALL
SELECT
    'lot_is_sum_of_its_movements', lot.program, lot.member, lot.point_type, lot.seq,
    format('%s are left, by the movements %s', lot.remaining, lot.amount + coalesce(history.value, 0))
FROM loyalty.all_lots AS lot
LEFT JOIN lot_history AS history
    ON history.member = lot.member
    AND history.program = lot.program
    AND history.point_type = lot.point_type
    AND history.lot = lot.seq
WHERE lot.remaining <> lot.amount + coalesce(history.value, 0)

UNION ALL
SELECT
    'lot_has_its_credit', lot.program, lot.member, lot.point_type, lot.seq,
    'no accrual or initial of the same amount and dates opened the lot'
FROM loyalty.all_lots AS lot
WHERE NOT EXISTS (
    SELECT
    FROM loyalty.all_transactions AS entry
    WHERE entry.member = lot.member
        AND entry.program = lot.program
        AND entry.point_type = lot.point_type
        AND entry.seq = lot.seq
        AND entry.type IN ('accrual', 'initial')
        AND entry.value = lot.amount
        AND entry.active_from = lot.active_from
        AND entry.expires_at = lot.expires_at
)

UNION ALL
SELECT
    'credit_has_its_lot', entry.program, entry.member, entry.point_type, entry.seq,
    format('the %s opened no lot', entry.type)
FROM loyalty.all_transactions AS entry
WHERE entry.type IN ('accrual', 'initial')
    AND NOT EXISTS (
        SELECT
        FROM loyalty.all_lots AS lot
        WHERE lot.member = entry.member
            AND lot.program = entry.program
            AND lot.point_type = entry.point_type
            AND lot.seq = entry.seq
    )

UNION ALL
SELECT
    'value_is_that_of_its_lots', entry.program, entry.member, entry.point_type, entry.seq,
    format('value %s and debt %s, but the lots changed by %s', entry.value, entry.debt, coalesce(moved.value, 0))
FROM loyalty.all_transactions AS entry
LEFT JOIN moved
    ON moved.member = entry.member
    AND moved.program = entry.program
    AND moved.point_type = entry.point_type
    AND moved.seq = entry.seq
WHERE coalesce(moved.value, 0) <> CASE
    WHEN entry.type IN ('accrual', 'initial') THEN entry.debt
    WHEN entry.type = 'expiration' THEN 0
    ELSE entry.value + entry.debt
END

UNION ALL
SELECT
    'movement_has_its_transaction', moved.program, moved.member, moved.point_type, moved.seq,
    format('lots changed by %s without a transaction', moved.value)
FROM moved
WHERE NOT EXISTS (
    SELECT
    FROM loyalty.all_transactions AS entry
    WHERE entry.member = moved.member
        AND entry.program = moved.program
        AND entry.point_type = moved.point_type
        AND entry.seq = moved.seq
)

UNION ALL
SELECT
    'spent_points_were_active', entry.program, entry.member, entry.point_type, entry.seq,
    format('lot %s was active from %s until %s', lot.seq, lot.active_from, lot.expires_at)
FROM loyalty.all_transactions AS entry
JOIN loyalty.all_lot_movements AS movement
    ON movement.member = entry.member
    AND movement.program = entry.program
    AND movement.point_type = entry.point_type
    AND movement.seq = entry.seq
JOIN loyalty.all_lots AS lot
    ON lot.member = movement.member
    AND lot.program = movement.program
    AND lot.point_type = movement.point_type
    AND lot.seq = movement.lot
WHERE entry.type = 'redemption'
    AND entry.hold IS NULL
    AND NOT (lot.active_from <= entry.booked_at AND entry.booked_at < lot.expires_at)

UNION ALL
SELECT
    'expiration_is_due', entry.program, entry.member, entry.point_type, entry.seq,
    format('lot %s expires at %s', lot.seq, lot.expires_at)
FROM loyalty.all_transactions AS entry
JOIN loyalty.all_lots AS lot
    ON lot.member = entry.member
    AND lot.program = entry.program
    AND lot.point_type = entry.point_type
    AND lot.seq = entry.lot
WHERE entry.created_at <> lot.expires_at
    OR entry.booked_at < lot.expires_at

UNION ALL
SELECT
    'undone_once', undone.program, undone.member, undone.point_type, undone.seq,
    format('of %s points of type %s, %s were undone', undone.value, undone.type, undone.amount)
FROM (
    SELECT
        original.program,
        original.member,
        original.point_type,
        original.seq,
        original.type,
        abs(original.value) AS value,
        sum(abs(entry.value) + greatest(entry.owed, 0) + entry.lapsed) AS amount,
        bool_and(
            CASE entry.type
                WHEN 'refund' THEN original.type = 'redemption'
                ELSE original.type IN ('accrual', 'initial')
            END
        ) AS fits
    FROM loyalty.all_transactions AS entry
    JOIN loyalty.all_transactions AS original
        ON original.member = entry.member
        AND original.program = entry.program
        AND original.point_type = entry.point_type
        AND original.seq = entry.undoes
    GROUP BY
        original.program, original.member, original.point_type, original.seq, original.type, original.value
) AS undone
WHERE undone.amount > undone.value
    OR NOT undone.fits

UNION ALL
SELECT
    'refund_goes_into_its_lots', refund.program, refund.member, refund.point_type, refund.seq,
    format(
        'lot %s got %s back, transaction %s took %s from it',
        refund.lot, refund.refilled, refund.undoes, - coalesce(taken.value, 0)
    )
FROM (
    SELECT
        entry.program,
        entry.member,
        entry.point_type,
        entry.seq,
        entry.undoes,
        movement.lot,
        sum(movement.value) OVER (
            PARTITION BY entry.member, entry.program, entry.point_type, entry.undoes, movement.lot ORDER BY entry.seq
        ) AS refilled
    FROM loyalty.all_transactions AS entry
    JOIN loyalty.all_lot_movements AS movement
        ON movement.member = entry.member
        AND movement.program = entry.program
        AND movement.point_type = entry.point_type
        AND movement.seq = entry.seq
    WHERE entry.type = 'refund'
) AS refund
LEFT JOIN loyalty.all_lot_movements AS taken
    ON taken.member = refund.member
    AND taken.program = refund.program
    AND taken.point_type = refund.point_type
    AND taken.seq = refund.undoes
    AND taken.lot = refund.lot
WHERE refund.refilled > - coalesce(taken.value, 0)

UNION ALL
SELECT
    'held_points_are_those_of_open_holds', lot.program, lot.member, lot.point_type, lot.seq,
    format('%s are held, by the open holds %s', lot.held, coalesce(reserved.amount, 0))
FROM loyalty.all_lots AS lot
LEFT JOIN reserved
    ON reserved.member = lot.member
    AND reserved.program = lot.program
    AND reserved.point_type = lot.point_type
    AND reserved.lot = lot.seq
WHERE lot.held <> coalesce(reserved.amount, 0)

UNION ALL
SELECT
    'hold_has_its_lots', hold.program, hold.member, hold.point_type, NULL,
    format('hold %s is for %s and has %s in lots', hold.id, hold.amount, coalesce(part.amount, 0))
FROM loyalty.holds AS hold
LEFT JOIN (
    SELECT hold_lots.member, hold_lots.program, hold_lots.hold, sum(hold_lots.amount) AS amount
    FROM loyalty.hold_lots
    GROUP BY hold_lots.member, hold_lots.program, hold_lots.hold
) AS part
    ON part.member = hold.member AND part.program = hold.program AND part.hold = hold.id
WHERE coalesce(part.amount, 0) <> CASE hold.type WHEN 'redemption' THEN hold.amount ELSE 0 END

UNION ALL
SELECT
    'committed_hold_has_its_transaction', hold.program, hold.member, hold.point_type, entry.seq,
    format(
        'hold %s is %s, %s', hold.id, hold.state,
        CASE
            WHEN entry.seq IS NULL THEN 'but has no transaction'
            ELSE format('its transaction is of type %s and value %s', entry.type, entry.value)
        END
    )
FROM loyalty.holds AS hold
LEFT JOIN loyalty.all_transactions AS entry
    ON entry.member = hold.member AND entry.program = hold.program AND entry.hold = hold.id
WHERE (hold.state = 'committed') <> (entry.seq IS NOT NULL)
    OR entry.type <> hold.type
    OR abs(entry.value) <> hold.amount
    OR entry.point_type <> hold.point_type
    OR entry.external_id IS DISTINCT FROM hold.external_id AND entry.seq IS NOT NULL

UNION ALL
SELECT
    'external_id_is_used_once', hold.program, hold.member, hold.point_type, entry.seq,
    format('external id "%s" is that of hold %s, too', entry.external_id, hold.id)
FROM loyalty.holds AS hold
JOIN loyalty.all_transactions AS entry
    ON entry.member = hold.member AND entry.program = hold.program AND entry.external_id = hold.external_id
WHERE entry.hold IS DISTINCT FROM hold.id

UNION ALL
SELECT
    'closing_is_sum_of_its_rows', closing.program, closing.member, closing.point_type, closing.seq,
    format(
        'from, balance, debt, owed and booked_to are %s, %s, %s, %s, %s; by the rows %s, %s, %s, %s, %s',
        closing.first_seq, closing.balance, closing.debt, closing.owed, closing.booked_to,
        packed.first_seq, packed.balance, packed.debt, packed.owed, packed.booked_to
    )
FROM loyalty.account_closings AS closing
CROSS JOIN LATERAL (
    SELECT
        min(entry.seq) AS first_seq,
        max(entry.seq) AS seq,
        count(*) AS entries,
        coalesce(max(prior.balance), 0) + sum(entry.value) AS balance,
        coalesce(max(prior.debt), 0) + sum(entry.debt) AS debt,
        coalesce(max(prior.owed), 0) + sum(entry.owed) AS owed,
        max(entry.booked_at) AS booked_to
    FROM jsonb_to_recordset(closing.transactions) AS entry (
        seq bigint,
        value numeric,
        debt numeric,
        owed numeric,
        booked_at timestamptz
    )
    LEFT JOIN loyalty.account_closings AS prior
        ON prior.member = closing.member
        AND prior.program = closing.program
        AND prior.point_type = closing.point_type
        AND prior.seq = closing.first_seq - 1
) AS packed
WHERE (
    closing.first_seq, closing.seq, closing.seq - closing.first_seq + 1, closing.balance, closing.debt, closing.owed,
    closing.booked_to
) IS DISTINCT FROM (
    packed.first_seq, packed.seq, packed.entries, packed.balance, packed.debt, packed.owed, packed.booked_to
)

UNION ALL
SELECT
    'archived_transaction_has_its_id', coalesce(packed.program, id.program), coalesce(packed.member, id.member),
    packed.point_type, packed.seq,
    format(
        'transaction %s of external id %s is in the archive, among its ids %s of %s',
        packed.id, packed.external_id, id.id, id.external_id
    )
FROM (
    SELECT closing.member, closing.program, closing.point_type, entry.seq, entry.id, entry.external_id
    FROM loyalty.account_closings AS closing
    CROSS JOIN LATERAL jsonb_to_recordset(closing.transactions) AS entry (seq bigint, id uuid, external_id text)
) AS packed
FULL JOIN loyalty.archived_ids AS id
    ON id.id = packed.id AND id.member = packed.member AND id.program = packed.program
WHERE (packed.id, packed.external_id) IS DISTINCT FROM (id.id, id.external_id::text)

UNION ALL
SELECT
    'external_id_is_used_once', entry.program, entry.member, entry.point_type, entry.seq,
    format('external id "%s" is that of an archived transaction, too', entry.external_id)
FROM loyalty.archived_ids AS id
JOIN loyalty.transactions AS entry
    ON entry.member = id.member AND entry.program = id.program AND entry.external_id = id.external_id

UNION ALL
SELECT
    'claim_of_a_goal_has_its_transactions', claim.program, claim.member, claim.point_type, claim.seq,
    format(
        'claim %s of goal "%s" took %s points and gave %s, the ledger has %s and %s', claim.number, claim.goal,
        claim.points,
        coalesce(claim.reward_points, 0), coalesce(-taken.value, 0), coalesce(given.value, 0)
    )
FROM loyalty.goal_claims AS claim
LEFT JOIN loyalty.all_transactions AS taken
    ON taken.member = claim.member
    AND taken.program = claim.program
    AND taken.point_type = claim.point_type
    AND taken.seq = claim.seq
    AND taken.type = 'redemption'
    AND taken.source_type = 'goal'
    AND taken.source = claim.goal
LEFT JOIN loyalty.all_transactions AS given
    ON given.member = claim.member
    AND given.program = claim.program
    AND given.point_type = claim.reward_point_type
    AND given.seq = claim.reward_seq
    AND given.type = 'accrual'
    AND given.source_type = 'goal'
    AND given.source = claim.goal
WHERE -taken.value IS DISTINCT FROM claim.points
    OR given.value IS DISTINCT FROM claim.reward_points

UNION ALL
SELECT
    'claims_of_a_goal_are_numbered', claim.program, claim.member, NULL, NULL,
    format('%s claims of goal "%s" are numbered up to %s', count(*), claim.goal, max(claim.number))
FROM loyalty.goal_claims AS claim
GROUP BY claim.program, claim.member, claim.goal
HAVING count(*) <> max(claim.number);

COMMENT ON VIEW loyalty.violations IS
    'Invariants of the ledger that do not hold, one a row: what loyalty_verify() returns. Reading it reads every row.';
COMMENT ON COLUMN loyalty.violations.invariant IS 'Which invariant, such as chain or balance_is_sum_of_lots.';
COMMENT ON COLUMN loyalty.violations.program IS 'The program.';
COMMENT ON COLUMN loyalty.violations.member IS 'The member.';
COMMENT ON COLUMN loyalty.violations.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.violations.seq IS 'Number of the transaction or lot; null where it is about a hold.';
COMMENT ON COLUMN loyalty.violations.detail IS 'What was found, and what it ought to be.';
