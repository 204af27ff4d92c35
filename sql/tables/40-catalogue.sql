-- Products, segments of products, and who belongs where.

CREATE TABLE loyalty.products (
    program loyalty.external_id NOT NULL,
    sku loyalty.external_id NOT NULL,
    name text NOT NULL,
    price numeric,
    min_price numeric,
    categories text[] NOT NULL DEFAULT '{}',
    fields jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    -- The sku leads, here and below: a look-up of an order's skus can then go by nothing but them, also when the
    -- planner takes a program to have few products.
    CONSTRAINT products_pkey PRIMARY KEY (sku, program),
    CONSTRAINT products_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE,
    CONSTRAINT products_price_range CHECK (price >= 0 AND price < 'Infinity'),
    CONSTRAINT products_min_price_range CHECK (min_price >= 0 AND min_price < 'Infinity'),
    CONSTRAINT products_categories_are_a_list CHECK (coalesce(array_ndims(categories), 1) = 1),
    CONSTRAINT products_categories_are_not_null CHECK (array_position(categories, NULL) IS NULL),
    CONSTRAINT products_fields_are_an_object CHECK (jsonb_typeof(fields) = 'object')
);

COMMENT ON TABLE loyalty.products IS 'The catalogue: one row per sellable SKU.';
COMMENT ON COLUMN loyalty.products.program IS 'The program.';
COMMENT ON COLUMN loyalty.products.sku IS 'Stock-keeping unit: the product''s external id, unique in the program.';
COMMENT ON COLUMN loyalty.products.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.products.price IS
    'Price of one unit in the program''s currency, 0 or more; null: every order says it.';
COMMENT ON COLUMN loyalty.products.min_price IS 'Price below which no promotion takes one unit, 0 or more; null: none.';
COMMENT ON COLUMN loyalty.products.categories IS 'Categories it belongs to.';
COMMENT ON COLUMN loyalty.products.fields IS 'Custom fields: a JSON object.';
COMMENT ON COLUMN loyalty.products.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.products.updated_at IS 'When the row was changed last.';

CREATE TABLE loyalty.product_segments (
    program loyalty.external_id NOT NULL,
    external_id loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    kind text NOT NULL DEFAULT 'dynamic',
    predicate jsonpath,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT product_segments_pkey PRIMARY KEY (program, external_id),
    CONSTRAINT product_segments_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE,
    CONSTRAINT product_segments_name_is_not_blank CHECK (name ~ '\S'),
    CONSTRAINT product_segments_kind_is_known CHECK (kind IN ('dynamic', 'static')),
    CONSTRAINT product_segments_dynamic_have_a_predicate CHECK ((kind = 'dynamic') = (predicate IS NOT NULL))
);

COMMENT ON TABLE loyalty.product_segments IS 'Segments of products that conditions of promotions name.';
COMMENT ON COLUMN loyalty.product_segments.program IS 'The program.';
COMMENT ON COLUMN loyalty.product_segments.external_id IS 'External id, unique in the program; cannot be changed.';
COMMENT ON COLUMN loyalty.product_segments.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.product_segments.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.product_segments.kind IS
    'dynamic (a predicate) or static (a list of SKUs); cannot be changed.';
COMMENT ON COLUMN loyalty.product_segments.predicate IS
    'Dynamic only: an SQL/JSON path predicate over the product''s document, such as $.categories[*] == "tv" && '
    '$.price >= 1000; at most 10000 characters. $.segments[*] == "id" means membership in another product segment.';
COMMENT ON COLUMN loyalty.product_segments.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.product_segments.updated_at IS 'When the row was changed last.';

CREATE TABLE loyalty.product_segment_members (
    program loyalty.external_id NOT NULL,
    segment loyalty.external_id NOT NULL,
    sku loyalty.external_id NOT NULL,
    CONSTRAINT product_segment_members_pkey PRIMARY KEY (sku, program, segment),
    CONSTRAINT product_segment_members_segment_fkey FOREIGN KEY (program, segment)
        REFERENCES loyalty.product_segments ON DELETE CASCADE
);

CREATE INDEX product_segment_members_segment ON loyalty.product_segment_members (program, segment);

COMMENT ON TABLE loyalty.product_segment_members IS 'The lists of static segments; data, in force at once.';
COMMENT ON COLUMN loyalty.product_segment_members.program IS 'The program.';
COMMENT ON COLUMN loyalty.product_segment_members.segment IS 'The static segment.';
COMMENT ON COLUMN loyalty.product_segment_members.sku IS 'SKU on its list; need not be in the catalogue.';

-- reads_*: a textual test on the canonical form of the path, in which every key stands in quotes and .* or .keyvalue()
-- reach all of them. It may say yes in vain, where the word stands in a string literal: a product is then judged on the
-- spot once too often. It never says no in vain.
CREATE TABLE loyalty.product_predicates (
    id integer NOT NULL GENERATED ALWAYS AS IDENTITY,
    program loyalty.external_id NOT NULL,
    predicate jsonpath NOT NULL,
    reads_price boolean NOT NULL GENERATED ALWAYS AS (predicate::text ~ '"price"|\.\*|\.keyvalue\(\)') STORED,
    reads_min_price boolean NOT NULL GENERATED ALWAYS AS (predicate::text ~ '"min_price"|\.\*|\.keyvalue\(\)') STORED,
    reads_fields boolean NOT NULL GENERATED ALWAYS AS (predicate::text ~ '"fields"|\.\*|\.keyvalue\(\)') STORED,
    CONSTRAINT product_predicates_pkey PRIMARY KEY (id),
    CONSTRAINT product_predicates_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE
);

CREATE UNIQUE INDEX product_predicates_predicate ON loyalty.product_predicates (program, md5(predicate::text));

COMMENT ON TABLE loyalty.product_predicates IS
    'The distinct predicates of dynamic product segments, of the draft and of the version in force; kept up by '
    'triggers.';
COMMENT ON COLUMN loyalty.product_predicates.id IS 'Number of the predicate; a version refers to it.';
COMMENT ON COLUMN loyalty.product_predicates.program IS 'The program.';
COMMENT ON COLUMN loyalty.product_predicates.predicate IS
    'The predicate, an SQL/JSON path over the product''s document; what it refers to is part of it.';
COMMENT ON COLUMN loyalty.product_predicates.reads_price IS 'Whether its answer may depend on the price.';
COMMENT ON COLUMN loyalty.product_predicates.reads_min_price IS 'Whether its answer may depend on the minimum price.';
COMMENT ON COLUMN loyalty.product_predicates.reads_fields IS 'Whether its answer may depend on custom fields.';

-- No foreign key to products: the triggers on products keep the rows, in bulk.
CREATE TABLE loyalty.product_memberships (
    program loyalty.external_id NOT NULL,
    sku loyalty.external_id NOT NULL,
    predicate integer NOT NULL,
    CONSTRAINT product_memberships_pkey PRIMARY KEY (sku, program, predicate),
    CONSTRAINT product_memberships_predicate_fkey FOREIGN KEY (predicate)
        REFERENCES loyalty.product_predicates ON DELETE CASCADE
);

CREATE INDEX product_memberships_predicate ON loyalty.product_memberships (predicate);

COMMENT ON TABLE loyalty.product_memberships IS
    'Which products of the catalogue satisfy which predicate; kept up in the transaction that changes a product or a '
    'predicate.';
COMMENT ON COLUMN loyalty.product_memberships.program IS 'The program.';
COMMENT ON COLUMN loyalty.product_memberships.sku IS 'The product.';
COMMENT ON COLUMN loyalty.product_memberships.predicate IS 'The predicate that holds for it.';
