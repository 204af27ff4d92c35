-- Custom fields that a program lists.

CREATE TABLE loyalty.fields (
    program loyalty.external_id NOT NULL,
    kind text NOT NULL,
    name loyalty.external_id NOT NULL,
    type text NOT NULL,
    required boolean NOT NULL DEFAULT false,
    default_value jsonb,
    description text,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT fields_pkey PRIMARY KEY (program, kind, name),
    CONSTRAINT fields_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE,
    CONSTRAINT fields_kind_is_known CHECK (kind IN ('product', 'order', 'line')),
    CONSTRAINT fields_type_is_known CHECK (type IN ('text', 'number', 'boolean', 'date', 'texts')),
    CONSTRAINT fields_default_is_not_a_null CHECK (default_value <> 'null')
);

COMMENT ON TABLE loyalty.fields IS
    'The custom fields that products, orders and lines of orders have: who gives a field of a listed name gives it as '
    'listed. Fields of other names are free.';
COMMENT ON COLUMN loyalty.fields.program IS 'The program.';
COMMENT ON COLUMN loyalty.fields.kind IS
    'Whose field it is: product (column fields of loyalty.products), order ($.fields of an order document) or line '
    '($.lines[*].fields).';
COMMENT ON COLUMN loyalty.fields.name IS 'The key in fields.';
COMMENT ON COLUMN loyalty.fields.type IS
    'text, number, boolean, date (a text such as "2026-11-30") or texts (a list of texts).';
COMMENT ON COLUMN loyalty.fields.required IS
    'Whether it must be there where there is no default; null counts as missing.';
COMMENT ON COLUMN loyalty.fields.default_value IS
    'What stands for a missing one, of its type: products are stored with it when they are written, orders are '
    'calculated with it; null: nothing.';
COMMENT ON COLUMN loyalty.fields.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.fields.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.fields.updated_at IS 'When the row was changed last.';
