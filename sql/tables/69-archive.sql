-- The archive of the ledger: the old transactions of an account, a row for all that a run took, and the ids by which
-- they may be asked for again.

-- What was taken is kept whole, packed: rows of the ledger have five indexes, these have one, and what many rows repeat
-- is compressed away. The views of sql/live/69-archive.sql unpack it.
CREATE TABLE loyalty.account_closings (
    member text COLLATE "C" NOT NULL,
    program text COLLATE "C" NOT NULL,
    point_type text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    first_seq bigint NOT NULL,
    balance numeric NOT NULL,
    debt numeric NOT NULL,
    owed numeric NOT NULL,
    booked_to timestamptz NOT NULL,
    transactions jsonb NOT NULL,
    movements jsonb NOT NULL,
    closed_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT account_closings_pkey PRIMARY KEY (member, program, point_type, seq),
    CONSTRAINT account_closings_balance_fkey FOREIGN KEY (member, program, point_type) REFERENCES loyalty.balances,
    CONSTRAINT account_closings_seq_range CHECK (first_seq > 0 AND seq >= first_seq),
    CONSTRAINT account_closings_are_arrays CHECK (
        jsonb_typeof(transactions) = 'array' AND jsonb_typeof(movements) = 'array'
    )
);

COMMENT ON TABLE loyalty.account_closings IS
    'Old transactions that were archived: per account and run one row, with the account''s balance behind them. Views '
    'all_transactions, all_lot_movements and all_lots give them back as rows.';
COMMENT ON COLUMN loyalty.account_closings.member IS 'The member.';
COMMENT ON COLUMN loyalty.account_closings.program IS 'The program.';
COMMENT ON COLUMN loyalty.account_closings.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.account_closings.seq IS 'Number of the last transaction in it; the ledger goes on behind it.';
COMMENT ON COLUMN loyalty.account_closings.first_seq IS 'Number of the first one, behind the closing before.';
COMMENT ON COLUMN loyalty.account_closings.balance IS 'Total balance of the account behind the last of them.';
COMMENT ON COLUMN loyalty.account_closings.debt IS 'The account''s debt behind the last of them.';
COMMENT ON COLUMN loyalty.account_closings.owed IS 'What the account owed behind the last of them.';
COMMENT ON COLUMN loyalty.account_closings.booked_to IS 'When the last of them was booked.';
COMMENT ON COLUMN loyalty.account_closings.transactions IS
    'The transactions in their order: a JSON array of objects with the columns of loyalty.transactions.';
COMMENT ON COLUMN loyalty.account_closings.movements IS
    'What they took from lots or put back: a JSON array of objects with seq, lot and value.';
COMMENT ON COLUMN loyalty.account_closings.closed_at IS 'When they were archived.';

CREATE TABLE loyalty.archived_ids (
    member text COLLATE "C" NOT NULL,
    program text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    external_id loyalty.external_id,
    CONSTRAINT archived_ids_pkey PRIMARY KEY (id, member, program)
);

CREATE UNIQUE INDEX archived_ids_external_id_key ON loyalty.archived_ids (member, program, external_id)
WHERE external_id IS NOT NULL;

COMMENT ON TABLE loyalty.archived_ids IS
    'The ids of transactions that were archived, so that a repeated request is known as one.';
COMMENT ON COLUMN loyalty.archived_ids.member IS 'The member.';
COMMENT ON COLUMN loyalty.archived_ids.program IS 'The program.';
COMMENT ON COLUMN loyalty.archived_ids.id IS 'The transaction''s id.';
COMMENT ON COLUMN loyalty.archived_ids.external_id IS 'The id given by the caller; null: none.';
