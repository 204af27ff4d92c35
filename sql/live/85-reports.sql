-- Reports that list: transactions, statements, balances. They read what they show when they are read, by keys.

-- A hold past its time-out reserves nothing, whether or not that has been written yet.
CREATE OR REPLACE VIEW loyalty.open_lots AS
SELECT
    lot.program,
    lot.member,
    lot.point_type,
    lot.seq,
    lot.amount,
    lot.remaining,
    CASE
        WHEN lot.held = 0 THEN 0
        ELSE (
            SELECT coalesce(sum(reserved.amount), 0)
            FROM loyalty.hold_lots AS reserved
            JOIN loyalty.holds AS hold
                ON hold.member = reserved.member AND hold.program = reserved.program AND hold.id = reserved.hold
            WHERE reserved.member = lot.member
                AND reserved.program = lot.program
                AND reserved.point_type = lot.point_type
                AND reserved.lot = lot.seq
                AND hold.state = 'open'
                AND hold.expires_at > @extschema@.loyalty_wall_clock()
        )
    END AS held,
    lot.active_from,
    lot.expires_at
FROM loyalty.lots AS lot
WHERE lot.open;

COMMENT ON VIEW loyalty.open_lots IS 'Lots in which points are left, and what of them holds reserve now.';
COMMENT ON COLUMN loyalty.open_lots.program IS 'The program.';
COMMENT ON COLUMN loyalty.open_lots.member IS 'Key of the member''s profile.';
COMMENT ON COLUMN loyalty.open_lots.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.open_lots.seq IS 'Number of the transaction that credited it.';
COMMENT ON COLUMN loyalty.open_lots.amount IS 'Points credited.';
COMMENT ON COLUMN loyalty.open_lots.remaining IS 'Points left, those past their date included until that is booked.';
COMMENT ON COLUMN loyalty.open_lots.held IS 'Of these, points that open holds reserve.';
COMMENT ON COLUMN loyalty.open_lots.active_from IS 'From when they can be spent.';
COMMENT ON COLUMN loyalty.open_lots.expires_at IS 'Until when, exclusive; infinity: for ever.';

CREATE OR REPLACE VIEW loyalty.transaction_list AS
SELECT
    transaction.id,
    transaction.external_id,
    transaction.created_at,
    transaction.type AS transaction_type,
    transaction.member,
    transaction.point_type AS points,
    transaction.balance_before,
    transaction.value,
    transaction.balance_after,
    coalesce(transaction.source_type, CASE WHEN transaction.promotion IS NOT NULL THEN 'promotion' END) AS source_type,
    CASE
        WHEN transaction.source_type IS NULL THEN transaction.promotion::text
        ELSE transaction.source
    END AS source,
    transaction.program,
    transaction.promotion,
    transaction.comment
FROM loyalty.transactions AS transaction;

COMMENT ON VIEW loyalty.transaction_list IS
    'Transactions of all programs, each with what it changed, but for archived ones; loyalty.member_statements has '
    'more.';
COMMENT ON COLUMN loyalty.transaction_list.id IS 'Transaction id.';
COMMENT ON COLUMN loyalty.transaction_list.external_id IS 'External transaction identifier; null: none.';
COMMENT ON COLUMN loyalty.transaction_list.created_at IS 'When it happened.';
COMMENT ON COLUMN loyalty.transaction_list.transaction_type IS
    'accrual, redemption, expiration, refund, reversal, reset or initial.';
COMMENT ON COLUMN loyalty.transaction_list.member IS 'Key of the member''s profile.';
COMMENT ON COLUMN loyalty.transaction_list.points IS 'The point type.';
COMMENT ON COLUMN loyalty.transaction_list.balance_before IS 'Total balance before, in points.';
COMMENT ON COLUMN loyalty.transaction_list.value IS 'Points credited, above 0, or debited, below 0.';
COMMENT ON COLUMN loyalty.transaction_list.balance_after IS 'Total balance after, in points.';
COMMENT ON COLUMN loyalty.transaction_list.source_type IS
    'What kind of thing initiated it, such as order, promotion or table; null: nothing was named.';
COMMENT ON COLUMN loyalty.transaction_list.source IS 'Which one; null: nothing was named.';
COMMENT ON COLUMN loyalty.transaction_list.program IS 'The program.';
COMMENT ON COLUMN loyalty.transaction_list.promotion IS 'The promotion that it was booked under; null: none.';
COMMENT ON COLUMN loyalty.transaction_list.comment IS 'What was said with it; null: nothing, or it was erased.';

CREATE OR REPLACE VIEW loyalty.member_statements AS
SELECT
    transaction.program,
    transaction.member,
    transaction.point_type,
    transaction.seq,
    transaction.created_at,
    transaction.booked_at,
    transaction.type,
    transaction.value,
    transaction.balance_after AS balance,
    round(
        transaction.value / coalesce(point_type.applied_ratio, point_type.ratio),
        program.currency_scale
    ) AS money,
    program.currency,
    transaction.active_from,
    transaction.expires_at,
    transaction.promotion,
    promotion.name AS promotion_name,
    transaction.source_type,
    transaction.source,
    transaction.comment,
    transaction.id,
    transaction.external_id
FROM loyalty.all_transactions AS transaction
JOIN loyalty.point_types AS point_type
    ON point_type.program = transaction.program AND point_type.external_id = transaction.point_type
JOIN loyalty.programs AS program ON program.external_id = transaction.program
LEFT JOIN loyalty.promotions AS promotion
    ON promotion.program = transaction.program AND promotion.external_id = transaction.promotion;

COMMENT ON VIEW loyalty.member_statements IS
    'Statements of members: ask for a member and a program, ordered by point type and seq.';
COMMENT ON COLUMN loyalty.member_statements.program IS 'The program.';
COMMENT ON COLUMN loyalty.member_statements.member IS 'Key of the member''s profile.';
COMMENT ON COLUMN loyalty.member_statements.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.member_statements.seq IS 'Number of the transaction in the account, from 1.';
COMMENT ON COLUMN loyalty.member_statements.created_at IS 'When it happened.';
COMMENT ON COLUMN loyalty.member_statements.booked_at IS 'When it was booked.';
COMMENT ON COLUMN loyalty.member_statements.type IS
    'accrual, redemption, expiration, refund, reversal, reset or initial.';
COMMENT ON COLUMN loyalty.member_statements.value IS 'Points credited, above 0, or debited, below 0.';
COMMENT ON COLUMN loyalty.member_statements.balance IS 'Total balance after it, in points.';
COMMENT ON COLUMN loyalty.member_statements.money IS 'What value is worth by the ratio in force, in money.';
COMMENT ON COLUMN loyalty.member_statements.currency IS 'Currency of the program.';
COMMENT ON COLUMN loyalty.member_statements.active_from
    IS 'Credits: from when the points can be spent; otherwise null.';
COMMENT ON COLUMN loyalty.member_statements.expires_at IS
    'Credits: until when, exclusive; infinity: for ever; otherwise null.';
COMMENT ON COLUMN loyalty.member_statements.promotion IS 'The promotion that it was booked by; null: none.';
COMMENT ON COLUMN loyalty.member_statements.promotion_name IS 'Its name; null: none.';
COMMENT ON COLUMN loyalty.member_statements.source_type IS 'What kind of thing initiated it; null: nothing was named.';
COMMENT ON COLUMN loyalty.member_statements.source IS 'Which one; null: nothing was named.';
COMMENT ON COLUMN loyalty.member_statements.comment IS 'What was noted; may be null.';
COMMENT ON COLUMN loyalty.member_statements.id IS 'Transaction id.';
COMMENT ON COLUMN loyalty.member_statements.external_id IS 'External id of the transaction; null: none.';

-- Expired points count as gone whether or not that is booked, as in loyalty_balance(). What a review or reset will do
-- that is due and not booked is left to that function, which judges one member.
CREATE OR REPLACE VIEW loyalty.member_balances AS
SELECT
    balance.program,
    balance.member,
    balance.point_type,
    balance.total - lots.gone AS total,
    CASE
        WHEN point_type.active
            AND coalesce(point_type.deactivates_at > loyalty.clock(), true)
            AND coalesce(
                point_type.deactivates_on > timezone(program.time_zone, loyalty.clock())::date, true
            ) THEN lots.active
        ELSE 0
    END AS active,
    lots.waiting,
    lots.held,
    balance.debt,
    balance.owed,
    CASE point_type.kind
        WHEN 'standard' THEN round(
            (balance.total - lots.gone) / coalesce(point_type.applied_ratio, point_type.ratio),
            program.currency_scale
        )
    END AS money,
    program.currency,
    lots.next_expires_at
FROM loyalty.balances AS balance
JOIN loyalty.point_types AS point_type
    ON point_type.program = balance.program AND point_type.external_id = balance.point_type
JOIN loyalty.programs AS program ON program.external_id = balance.program
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(lot.remaining - lot.held) FILTER (WHERE lot.expires_at <= clock.now), 0) AS gone,
        coalesce(
            sum(lot.remaining - lot.held) FILTER (WHERE lot.active_from <= clock.now AND lot.expires_at > clock.now), 0
        ) AS active,
        coalesce(sum(lot.remaining) FILTER (WHERE lot.active_from > clock.now), 0) AS waiting,
        coalesce(sum(lot.held), 0) AS held,
        min(lot.expires_at) FILTER (WHERE lot.expires_at > clock.now AND isfinite(lot.expires_at)) AS next_expires_at
    FROM loyalty.open_lots AS lot
    CROSS JOIN (SELECT loyalty.clock() AS now) AS clock
    WHERE lot.member = balance.member
        AND lot.program = balance.program
        AND lot.point_type = balance.point_type
) AS lots;

COMMENT ON VIEW loyalty.member_balances IS
    'Balances of members, present and former, as loyalty_balance() tells them of one; of qualification points as '
    'reviews and resets were booked last.';
COMMENT ON COLUMN loyalty.member_balances.program IS 'The program.';
COMMENT ON COLUMN loyalty.member_balances.member IS 'Key of the member''s profile.';
COMMENT ON COLUMN loyalty.member_balances.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.member_balances.total IS 'Total balance, in points.';
COMMENT ON COLUMN loyalty.member_balances.active IS 'What of it can be spent now.';
COMMENT ON COLUMN loyalty.member_balances.waiting IS 'What of it is not active yet.';
COMMENT ON COLUMN loyalty.member_balances.held IS 'What of it holds reserve.';
COMMENT ON COLUMN loyalty.member_balances.debt IS 'Points below zero, where the program allows a negative balance.';
COMMENT ON COLUMN loyalty.member_balances.owed IS 'Points owed, which the next credit settles.';
COMMENT ON COLUMN loyalty.member_balances.money IS
    'What the total is worth by the ratio in force, in money; null: qualification points, which buy nothing.';
COMMENT ON COLUMN loyalty.member_balances.currency IS 'Currency of the program.';
COMMENT ON COLUMN loyalty.member_balances.next_expires_at IS
    'When the next points expire unless they are spent, exclusive; null: none do.';
