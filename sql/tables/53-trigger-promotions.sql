-- What trigger promotions book, and which rows of the user's own tables have fired one.

CREATE TABLE loyalty.trigger_rules (
    program loyalty.external_id NOT NULL,
    promotion loyalty.external_id NOT NULL,
    operation text NOT NULL,
    point_type loyalty.external_id NOT NULL,
    amount numeric,
    min_amount numeric,
    max_amount numeric,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT trigger_rules_pkey PRIMARY KEY (program, promotion, operation, point_type),
    CONSTRAINT trigger_rules_promotion_fkey FOREIGN KEY (program, promotion)
        REFERENCES loyalty.promotions ON DELETE CASCADE,
    CONSTRAINT trigger_rules_point_type_fkey FOREIGN KEY (program, point_type) REFERENCES loyalty.point_types,
    CONSTRAINT trigger_rules_operation_is_known CHECK (operation IN ('accrual', 'deduction')),
    CONSTRAINT trigger_rules_amount_range CHECK (amount > 0 AND amount < 'Infinity'),
    CONSTRAINT trigger_rules_range_is_whole CHECK ((min_amount IS NULL) = (max_amount IS NULL)),
    CONSTRAINT trigger_rules_range_rises
        CHECK (min_amount > 0 AND min_amount <= max_amount AND max_amount < 'Infinity'),
    CONSTRAINT trigger_rules_say_how_much CHECK (num_nonnulls(amount, min_amount) > 0)
);

COMMENT ON TABLE loyalty.trigger_rules IS
    'What a trigger promotion books: points of a type, accrued or deducted, an exact number or one within a range.';
COMMENT ON COLUMN loyalty.trigger_rules.program IS 'The program.';
COMMENT ON COLUMN loyalty.trigger_rules.promotion IS 'The trigger promotion.';
COMMENT ON COLUMN loyalty.trigger_rules.operation IS 'accrual (points are given) or deduction (points are taken).';
COMMENT ON COLUMN loyalty.trigger_rules.point_type IS 'The point type.';
COMMENT ON COLUMN loyalty.trigger_rules.amount IS
    'The exact number of points, above 0: booked where none is named; null: one must be named.';
COMMENT ON COLUMN loyalty.trigger_rules.min_amount
    IS 'Least number of points that may be named, above 0; null: no range.';
COMMENT ON COLUMN loyalty.trigger_rules.max_amount IS 'Greatest number of points that may be named, inclusive.';
COMMENT ON COLUMN loyalty.trigger_rules.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.trigger_rules.updated_at IS 'When the row was changed last.';

-- Whoever the row names by now, it fires once: so the key is the row and not the member.
CREATE TABLE loyalty.fired_rows (
    relation text COLLATE "C" NOT NULL,
    row_key text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    promotion loyalty.external_id NOT NULL,
    fired_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT fired_rows_pkey PRIMARY KEY (relation, row_key, program, promotion),
    CONSTRAINT fired_rows_promotion_fkey FOREIGN KEY (program, promotion)
        REFERENCES loyalty.promotions ON DELETE CASCADE
);

COMMENT ON TABLE loyalty.fired_rows IS
    'Rows of the user''s own tables for which loyalty_fire_trigger() has booked points; each fires a promotion once.';
COMMENT ON COLUMN loyalty.fired_rows.relation IS 'The table, with its schema.';
COMMENT ON COLUMN loyalty.fired_rows.row_key
    IS 'The row''s primary key; several columns are separated by commas. Its hash, where it has more than 1000 bytes.';
COMMENT ON COLUMN loyalty.fired_rows.program IS 'The program.';
COMMENT ON COLUMN loyalty.fired_rows.promotion IS 'The trigger promotion.';
COMMENT ON COLUMN loyalty.fired_rows.fired_at IS 'When.';
