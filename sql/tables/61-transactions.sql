-- The ledger proper: one row per change of a balance, never changed afterwards.

-- The row's figures are filled by the trigger that books it. Unique keys state what several rows tell together. Of what
-- one row tells by itself the two rules that carry the balances, its sign and its sum, are proved of each row that
-- arrives, by the trigger again: a check constraint would cost every booking, see sql/tables/60-ledger.sql. The others
-- hold by the way the trigger books, and loyalty_verify() looks whether they do (row_is_well_formed), and whether what
-- a row refers to is there.
--
-- Value, lots and debt hang together: value = what the row added to the account's lots - debt. A reversal whose claim
-- was met otherwise, because the points were spent (owed) or had expired (lapsed), is the only row whose value may be
-- 0: it is booked because it changes what is owed, or uses up a claim, and neither may happen without a row that says
-- so.
CREATE TABLE loyalty.transactions (
    member text COLLATE "C" NOT NULL,
    program text COLLATE "C" NOT NULL,
    point_type text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    id uuid NOT NULL,
    external_id loyalty.external_id,
    type text NOT NULL,
    value numeric NOT NULL,
    balance_before numeric NOT NULL,
    balance_after numeric NOT NULL,
    debt numeric NOT NULL DEFAULT 0,
    owed numeric NOT NULL DEFAULT 0,
    lapsed numeric NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    booked_at timestamptz NOT NULL,
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
    erased bytea,
    CONSTRAINT transactions_pkey PRIMARY KEY (member, program, point_type, seq),
    -- The id comes first, so that one index finds a row by it alone, too, and new ones, which grow with time, go to its
    -- end.
    CONSTRAINT transactions_id_key UNIQUE (id, member, program),
    CONSTRAINT transactions_promotion_fkey FOREIGN KEY (program, promotion) REFERENCES loyalty.promotions
);

CREATE UNIQUE INDEX transactions_external_id_key ON loyalty.transactions (member, program, external_id)
WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX transactions_one_initial ON loyalty.transactions (member, program, point_type)
WHERE type = 'initial';
CREATE UNIQUE INDEX transactions_one_cancel ON loyalty.transactions (member, program, point_type, undoes)
WHERE source_type = 'cancel';
CREATE UNIQUE INDEX transactions_one_commit ON loyalty.transactions (member, program, hold)
WHERE hold IS NOT NULL;

-- For lists of the newest, and of a period. It begins with no column that others begin with, so it is never taken for
-- them.
CREATE INDEX transactions_created_at ON loyalty.transactions (created_at);

COMMENT ON TABLE loyalty.transactions IS
    'The ledger: one row per change of a balance. Rows are inserted and never changed; a correction is a row of its '
    'own.';
COMMENT ON COLUMN loyalty.transactions.member IS 'The member.';
COMMENT ON COLUMN loyalty.transactions.program IS 'The program.';
COMMENT ON COLUMN loyalty.transactions.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.transactions.seq
    IS 'Number of the row in its account, from 1 without gaps: the order of booking.';
COMMENT ON COLUMN loyalty.transactions.id IS 'A UUID of version 7, unique for the member and program.';
COMMENT ON COLUMN loyalty.transactions.external_id IS
    'The id given by the caller, unique for the member and program; shared by a hold and what its commit books. Null: '
    'none.';
COMMENT ON COLUMN loyalty.transactions.type IS
    'accrual, initial and refund add points; redemption, expiration, reversal and reset take them.';
COMMENT ON COLUMN loyalty.transactions.value IS
    'Points added (above 0) or taken (below 0); 0 only for a reversal whose claim was met by owed or lapsed.';
COMMENT ON COLUMN loyalty.transactions.balance_before IS 'Total balance before the row: that after the row before it.';
COMMENT ON COLUMN loyalty.transactions.balance_after IS 'Total balance after the row.';
COMMENT ON COLUMN loyalty.transactions.debt IS
    'Change of the account''s debt: above 0 what a reversal took below zero, below 0 what a credit paid back.';
COMMENT ON COLUMN loyalty.transactions.owed IS
    'Change of what the account owes: above 0 what a reversal could not take, below 0 what was taken later or written '
    'off.';
COMMENT ON COLUMN loyalty.transactions.lapsed IS
    'Of a reversal''s claim, what had expired or been reset already and is not taken a second time; 0 or more.';
COMMENT ON COLUMN loyalty.transactions.created_at IS 'The business moment; expirations carry the lot''s.';
COMMENT ON COLUMN loyalty.transactions.booked_at IS 'The clock when the row was booked.';
COMMENT ON COLUMN loyalty.transactions.active_from IS
    'From when the points of an accrual or initial can be spent, inclusive; otherwise null.';
COMMENT ON COLUMN loyalty.transactions.expires_at IS
    'Until when, exclusive; infinity: for ever. Null where active_from is.';
COMMENT ON COLUMN loyalty.transactions.undoes IS
    'Number of the redemption that a refund gives back, or of the accrual that a reversal takes back; otherwise null.';
COMMENT ON COLUMN loyalty.transactions.lot IS 'The lot whose points an expiration takes; otherwise null.';
COMMENT ON COLUMN loyalty.transactions.hold IS 'The hold whose commit booked the row; null: none.';
COMMENT ON COLUMN loyalty.transactions.source_type IS
    'What brought it about; cancel, settlement and write_off are the ledger''s own. May be null.';
COMMENT ON COLUMN loyalty.transactions.source IS 'Which one of that type, such as an order''s id; may be null.';
COMMENT ON COLUMN loyalty.transactions.promotion IS 'The promotion by which it was booked; may be null.';
COMMENT ON COLUMN loyalty.transactions.comment IS 'A text for people; may be null.';
COMMENT ON COLUMN loyalty.transactions.data IS 'What the caller attached: a JSON object; may be null.';
COMMENT ON COLUMN loyalty.transactions.erased IS
    'Hash of the comment and data that loyalty_erase_member() has blanked; a repeated request is known by it. Null: '
    'none.';

-- Which lots a redemption, reversal or reset took points from, and which a refund put them back into. A credit that
-- pays a debt takes from its own lot.
CREATE TABLE loyalty.lot_movements (
    member text COLLATE "C" NOT NULL,
    program text COLLATE "C" NOT NULL,
    point_type text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    lot bigint NOT NULL,
    value numeric NOT NULL,
    CONSTRAINT lot_movements_pkey PRIMARY KEY (member, program, point_type, seq, lot)
);

COMMENT ON TABLE loyalty.lot_movements IS
    'Which lots a transaction took points from or put them back into; expirations name their lot themselves.';
COMMENT ON COLUMN loyalty.lot_movements.member IS 'The member.';
COMMENT ON COLUMN loyalty.lot_movements.program IS 'The program.';
COMMENT ON COLUMN loyalty.lot_movements.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.lot_movements.seq IS 'Number of the transaction.';
COMMENT ON COLUMN loyalty.lot_movements.lot IS 'Number of the lot.';
COMMENT ON COLUMN loyalty.lot_movements.value IS 'Points put into the lot (above 0) or taken from it (below 0).';
