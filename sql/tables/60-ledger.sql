-- Balances and the lots they consist of. An account is a member, a program and a point type.
--
-- Within an account there are no foreign keys. Each would cost a booking, and every row of the expiry job, a query of
-- its own (measured: as much as half the floor of a booking) to prove what was just read or written under the account's
-- lock. Nothing of an account is ever deleted (sql/live/60-ledger.sql), so what was proven holds; loyalty_verify()
-- looks whether it does.
--
-- Bookings write here, so what PostgreSQL does anew for every statement counts (measured): each check constraint's text
-- is read and planned, so what a row tells by itself is judged by a function (sql/live/91-row-rules.sql); and a
-- domain's checks are set up, so names that a foreign key checks anyway are plain texts.

-- Every booking updates its account's row; a page with room keeps that a heap-only update.
CREATE TABLE loyalty.balances (
    member text COLLATE "C" NOT NULL,
    program text COLLATE "C" NOT NULL,
    point_type text COLLATE "C" NOT NULL,
    seq bigint NOT NULL DEFAULT 0,
    total numeric NOT NULL DEFAULT 0,
    debt numeric NOT NULL DEFAULT 0,
    owed numeric NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT balances_pkey PRIMARY KEY (member, program, point_type),
    CONSTRAINT balances_member_fkey FOREIGN KEY (member, program) REFERENCES loyalty.members,
    CONSTRAINT balances_point_type_fkey FOREIGN KEY (program, point_type) REFERENCES loyalty.point_types
) WITH (fillfactor = 80);

COMMENT ON TABLE loyalty.balances IS 'One row per account: its total balance.';
COMMENT ON COLUMN loyalty.balances.member IS 'The member.';
COMMENT ON COLUMN loyalty.balances.program IS 'The program.';
COMMENT ON COLUMN loyalty.balances.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.balances.seq IS 'Number of the account''s last transaction; 0: none yet.';
COMMENT ON COLUMN loyalty.balances.total IS 'Total balance in points: what is left of all lots, less debt.';
COMMENT ON COLUMN loyalty.balances.debt IS
    'Points by which taking earned points back went below zero, 0 or more; a credit pays it first.';
COMMENT ON COLUMN loyalty.balances.owed IS
    'Earned points to take back that were spent already, 0 or more; taken from the next credit.';
COMMENT ON COLUMN loyalty.balances.updated_at IS 'When the balance was changed last.';

-- A lot is lowered many times and emptied once. The index asks `open` and not `remaining > 0`, so that it notices only
-- the emptying, and all other changes stay heap-only updates.
CREATE TABLE loyalty.lots (
    member text COLLATE "C" NOT NULL,
    program text COLLATE "C" NOT NULL,
    point_type text COLLATE "C" NOT NULL,
    seq bigint NOT NULL,
    amount numeric NOT NULL,
    remaining numeric NOT NULL,
    held numeric NOT NULL DEFAULT 0,
    active_from timestamptz NOT NULL DEFAULT loyalty.clock(),
    expires_at timestamptz NOT NULL DEFAULT 'infinity',
    open boolean NOT NULL GENERATED ALWAYS AS (remaining > '0') STORED,
    CONSTRAINT lots_pkey PRIMARY KEY (member, program, point_type, seq)
) WITH (fillfactor = 80);

CREATE INDEX lots_consumption ON loyalty.lots (member, program, point_type, expires_at, active_from, seq) WHERE open;
-- What is not active yet is found without a look at the rest, however many lots an account has.
CREATE INDEX lots_waiting ON loyalty.lots (member, program, point_type, active_from) WHERE open;

COMMENT ON TABLE loyalty.lots IS
    'Credits of an account and what is left of each; debits consume the soonest-expiring first.';
COMMENT ON COLUMN loyalty.lots.member IS 'The member.';
COMMENT ON COLUMN loyalty.lots.program IS 'The program.';
COMMENT ON COLUMN loyalty.lots.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.lots.seq IS 'Number of the account''s transaction that opened the lot, from 1.';
COMMENT ON COLUMN loyalty.lots.amount IS 'Points credited, above 0.';
COMMENT ON COLUMN loyalty.lots.remaining IS 'Points left, 0 to amount.';
COMMENT ON COLUMN loyalty.lots.held IS 'Of these, points reserved by held redemptions, 0 to remaining.';
COMMENT ON COLUMN loyalty.lots.active_from IS 'From when the points can be spent, inclusive.';
COMMENT ON COLUMN loyalty.lots.expires_at IS 'Until when, exclusive; infinity: for ever.';
COMMENT ON COLUMN loyalty.lots.open IS
    'Whether any points are left; the condition of the index in the order of consumption.';
