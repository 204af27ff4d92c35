-- What products have cost, for programs that keep it.

ALTER TABLE loyalty.programs ADD COLUMN price_history boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN loyalty.programs.price_history IS
    'Whether loyalty.price_history keeps what products have cost, for loyalty_prior_price(); each change of products '
    'is priced then.';

ALTER TABLE loyalty.programs
    ADD COLUMN price_scale integer,
    ADD CONSTRAINT programs_price_scale_range CHECK (price_scale BETWEEN currency_scale AND 6);
COMMENT ON COLUMN loyalty.programs.price_scale IS
    'Decimals of the price of a unit, currency_scale to 6, where prices are finer than the currency: those of products '
    'and lines, minimum prices, and what benefits make of them; a line''s total is rounded to the currency once. Null: '
    'as the currency. Part of each version; a change takes effect with the next loyalty_apply().';

CREATE TABLE loyalty.price_history (
    id bigint GENERATED ALWAYS AS IDENTITY,
    program loyalty.external_id NOT NULL,
    sku loyalty.external_id NOT NULL,
    begins_at timestamptz NOT NULL,
    price numeric,
    CONSTRAINT price_history_pkey PRIMARY KEY (sku, program, begins_at, id),
    CONSTRAINT price_history_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs,
    CONSTRAINT price_history_begins_at_is_finite CHECK (isfinite(begins_at)),
    CONSTRAINT price_history_price_range CHECK (price >= 0 AND price < 'Infinity')
);

COMMENT ON TABLE loyalty.price_history IS
    'From when on which price one unit of a product had for an anonymous guest who bought it alone, without a promo '
    'code: rows are only ever added. The schema''s owner may add what was before the program kept it.';
COMMENT ON COLUMN loyalty.price_history.id IS 'Of rows with one moment the highest counts.';
COMMENT ON COLUMN loyalty.price_history.program IS 'The program.';
COMMENT ON COLUMN loyalty.price_history.sku IS 'The product; it may be gone.';
COMMENT ON COLUMN loyalty.price_history.begins_at IS
    'From when it cost that, until the next row: the moment of the change or of the promotion''s calendar, whenever '
    'the row was written.';
COMMENT ON COLUMN loyalty.price_history.price IS 'The price; null: it had none, or was not there.';

CREATE TABLE loyalty.price_recordings (
    program loyalty.external_id NOT NULL,
    since timestamptz NOT NULL DEFAULT loyalty.clock(),
    recorded_until timestamptz NOT NULL DEFAULT loyalty.clock(),
    changed_at timestamptz DEFAULT loyalty.clock(),
    next_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    used_up text[] COLLATE "C" NOT NULL DEFAULT '{}',
    CONSTRAINT price_recordings_pkey PRIMARY KEY (program),
    CONSTRAINT price_recordings_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE
);

COMMENT ON TABLE loyalty.price_recordings IS
    'How far loyalty.price_history is, one row for each active program that keeps it. Who changes products shares the '
    'row, who changes the tree or records a moment of the calendar has it alone: so each price is recorded under what '
    'was in force.';
COMMENT ON COLUMN loyalty.price_recordings.program IS 'The program.';
COMMENT ON COLUMN loyalty.price_recordings.since IS 'From when the history is without a gap.';
COMMENT ON COLUMN loyalty.price_recordings.recorded_until IS 'Up to when the calendar of the promotions is recorded.';
COMMENT ON COLUMN loyalty.price_recordings.changed_at IS
    'When the tree was changed, where that is not recorded yet; null: nothing is to be recorded but the calendar.';
COMMENT ON COLUMN loyalty.price_recordings.next_at IS 'When there is something to record next.';
COMMENT ON COLUMN loyalty.price_recordings.used_up
    IS 'Promotions whose usage limits were used up when it was looked last.';
