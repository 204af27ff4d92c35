-- Holds: accruals and redemptions that are not final yet, and the lots that held redemptions reserve.

-- A hold is no transaction; committing it books one. Past its time-out it counts as ended, whether or not that has been
-- written yet.
CREATE TABLE loyalty.holds (
    member text COLLATE "C" NOT NULL,
    program text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    point_type text COLLATE "C" NOT NULL,
    external_id loyalty.external_id,
    type text NOT NULL,
    amount numeric NOT NULL,
    state text NOT NULL DEFAULT 'open',
    time_out interval NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    lot_active_from timestamptz,
    lot_expires_at timestamptz,
    source_type text COLLATE "C",
    source text COLLATE "C",
    promotion text COLLATE "C",
    comment text,
    data jsonb,
    erased bytea,
    CONSTRAINT holds_pkey PRIMARY KEY (member, program, id),
    CONSTRAINT holds_balance_fkey FOREIGN KEY (member, program, point_type) REFERENCES loyalty.balances,
    CONSTRAINT holds_promotion_fkey FOREIGN KEY (program, promotion) REFERENCES loyalty.promotions,
    CONSTRAINT holds_type_is_known CHECK (type IN ('accrual', 'redemption')),
    CONSTRAINT holds_amount_range CHECK (amount > 0 AND amount < 'Infinity'),
    CONSTRAINT holds_state_is_known CHECK (state IN ('open', 'committed', 'rolled_back', 'timed_out')),
    CONSTRAINT holds_end_with_their_state CHECK ((state = 'open') = (ended_at IS NULL)),
    CONSTRAINT holds_expire_later CHECK (expires_at > created_at AND isfinite(created_at) AND isfinite(expires_at)),
    CONSTRAINT holds_only_accruals_open_lots CHECK (
        type = 'accrual' OR lot_active_from IS NULL AND lot_expires_at IS NULL
    ),
    CONSTRAINT holds_source_has_a_type CHECK (source IS NULL OR source_type IS NOT NULL),
    CONSTRAINT holds_source_type_is_not_empty CHECK (source_type <> ''),
    CONSTRAINT holds_data_are_an_object CHECK (jsonb_typeof(data) = 'object')
);

CREATE UNIQUE INDEX holds_external_id_key ON loyalty.holds (member, program, external_id)
WHERE external_id IS NOT NULL;
CREATE INDEX holds_open ON loyalty.holds (member, program, point_type, expires_at) WHERE state = 'open';
CREATE INDEX holds_id ON loyalty.holds (id);

COMMENT ON TABLE loyalty.holds IS 'Temporary accruals and redemptions, open and ended ones.';
COMMENT ON COLUMN loyalty.holds.member IS 'The member.';
COMMENT ON COLUMN loyalty.holds.program IS 'The program.';
COMMENT ON COLUMN loyalty.holds.id IS 'A UUID of version 7, unique for the member and program.';
COMMENT ON COLUMN loyalty.holds.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.holds.external_id IS
    'The id given by the caller, unique for the member and program among holds and transactions; null: none.';
COMMENT ON COLUMN loyalty.holds.type IS 'accrual or redemption: what its commit books.';
COMMENT ON COLUMN loyalty.holds.amount IS 'Points, above 0.';
COMMENT ON COLUMN loyalty.holds.state IS 'open, committed, rolled_back or timed_out.';
COMMENT ON COLUMN loyalty.holds.time_out IS 'How long it may stay open, as the caller gave it.';
COMMENT ON COLUMN loyalty.holds.created_at IS 'When it was made.';
COMMENT ON COLUMN loyalty.holds.expires_at IS 'From when it counts as timed out, by the clock on the wall.';
COMMENT ON COLUMN loyalty.holds.ended_at IS 'When it was committed, rolled back or timed out; null: open.';
COMMENT ON COLUMN loyalty.holds.lot_active_from IS
    'From when the points of a held accrual can be spent; null: from its commit.';
COMMENT ON COLUMN loyalty.holds.lot_expires_at IS
    'Until when, exclusive; null: as the point type says, counted from the commit.';
COMMENT ON COLUMN loyalty.holds.source_type IS 'What brought it about; may be null.';
COMMENT ON COLUMN loyalty.holds.source IS 'Which one of that type; may be null.';
COMMENT ON COLUMN loyalty.holds.promotion IS 'The promotion by which it was made; may be null.';
COMMENT ON COLUMN loyalty.holds.comment IS 'A text for people; may be null.';
COMMENT ON COLUMN loyalty.holds.data IS 'What the caller attached: a JSON object; may be null.';
COMMENT ON COLUMN loyalty.holds.erased IS
    'Hash of the comment and data that loyalty_erase_member() has blanked; a repeated request is known by it. Null: '
    'none.';

CREATE TABLE loyalty.hold_lots (
    member text COLLATE "C" NOT NULL,
    program text COLLATE "C" NOT NULL,
    hold uuid NOT NULL,
    point_type text COLLATE "C" NOT NULL,
    lot bigint NOT NULL,
    amount numeric NOT NULL,
    CONSTRAINT hold_lots_pkey PRIMARY KEY (member, program, hold, lot),
    CONSTRAINT hold_lots_hold_fkey FOREIGN KEY (member, program, hold) REFERENCES loyalty.holds,
    CONSTRAINT hold_lots_lot_fkey FOREIGN KEY (member, program, point_type, lot) REFERENCES loyalty.lots,
    CONSTRAINT hold_lots_amount_range CHECK (amount > 0 AND amount < 'Infinity')
);

COMMENT ON TABLE loyalty.hold_lots IS 'The lots that held redemptions reserve, or reserved while they were open.';
COMMENT ON COLUMN loyalty.hold_lots.member IS 'The member.';
COMMENT ON COLUMN loyalty.hold_lots.program IS 'The program.';
COMMENT ON COLUMN loyalty.hold_lots.hold IS 'The hold.';
COMMENT ON COLUMN loyalty.hold_lots.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.hold_lots.lot IS 'Number of the lot.';
COMMENT ON COLUMN loyalty.hold_lots.amount IS 'Points reserved, above 0.';
