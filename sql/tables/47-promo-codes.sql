-- Promo-code pools, their codes, and the uses of codes.

CREATE TABLE loyalty.promo_code_pools (
    program loyalty.external_id NOT NULL,
    external_id loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    kind text NOT NULL,
    valid_from timestamptz NOT NULL DEFAULT '-infinity',
    valid_until timestamptz NOT NULL DEFAULT 'infinity',
    max_uses integer,
    max_uses_per_member integer,
    code_validity_count integer,
    code_validity_unit text,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    starts_on date,
    ends_on date,
    template text,
    CONSTRAINT promo_code_pools_pkey PRIMARY KEY (program, external_id),
    CONSTRAINT promo_code_pools_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE,
    CONSTRAINT promo_code_pools_name_is_not_blank CHECK (name ~ '\S'),
    CONSTRAINT promo_code_pools_kind_is_known CHECK (kind IN ('personal', 'universal')),
    CONSTRAINT promo_code_pools_validity_is_a_period CHECK (valid_from < valid_until),
    CONSTRAINT promo_code_pools_days_are_finite CHECK (isfinite(starts_on) AND isfinite(ends_on)),
    CONSTRAINT promo_code_pools_days_are_a_period CHECK (starts_on <= ends_on),
    CONSTRAINT promo_code_pools_one_start CHECK (starts_on IS NULL OR valid_from = '-infinity'),
    CONSTRAINT promo_code_pools_one_end CHECK (ends_on IS NULL OR valid_until = 'infinity'),
    CONSTRAINT promo_code_pools_years_are_whole CHECK (
        (valid_from = '-infinity' OR extract(year FROM valid_from AT TIME ZONE 'UTC') >= 100)
        AND extract(year FROM valid_until AT TIME ZONE 'UTC') >= 100
        AND extract(year FROM least(starts_on, ends_on)) >= 100
    ),
    CONSTRAINT promo_code_pools_max_uses_is_positive CHECK (max_uses > 0),
    CONSTRAINT promo_code_pools_max_uses_per_member_is_positive CHECK (max_uses_per_member > 0),
    CONSTRAINT promo_code_pools_code_validity_count_is_positive CHECK (code_validity_count > 0),
    CONSTRAINT promo_code_pools_code_validity_unit_is_known
        CHECK (code_validity_unit IN ('day', 'week', 'month', 'year')),
    CONSTRAINT promo_code_pools_code_validity_is_whole
        CHECK ((code_validity_count IS NULL) = (code_validity_unit IS NULL)),
    CONSTRAINT promo_code_pools_template_key UNIQUE (program, template),
    CONSTRAINT promo_code_pools_template_is_one_word CHECK (template ~ '^[^[:space:][:cntrl:]{}]{1,100}$')
);

COMMENT ON TABLE loyalty.promo_code_pools IS 'Pools of promo codes; a promotion may be gated by one.';
COMMENT ON COLUMN loyalty.promo_code_pools.program IS 'The program.';
COMMENT ON COLUMN loyalty.promo_code_pools.external_id IS 'External id, unique in the program; cannot be changed.';
COMMENT ON COLUMN loyalty.promo_code_pools.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.promo_code_pools.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.promo_code_pools.kind IS
    'personal (a code works for the profile it is attached to) or universal (a code works for anybody).';
COMMENT ON COLUMN loyalty.promo_code_pools.valid_from IS
    'From when its codes are made, attached and issued, and universal ones used, inclusive.';
COMMENT ON COLUMN loyalty.promo_code_pools.valid_until IS 'Until when, exclusive; infinity: for ever.';
COMMENT ON COLUMN loyalty.promo_code_pools.max_uses IS
    'Uses of each code in total, above 0; null: 1 for personal codes, unlimited for universal ones.';
COMMENT ON COLUMN loyalty.promo_code_pools.max_uses_per_member IS
    'Uses of each code by one buyer, above 0; null: unlimited. Guests without a profile cannot use such codes.';
COMMENT ON COLUMN loyalty.promo_code_pools.code_validity_count IS
    'Personal pools: how long an attached code lives, in code_validity_unit; null: as the code says.';
COMMENT ON COLUMN loyalty.promo_code_pools.code_validity_unit
    IS 'Unit of code_validity_count: day, week, month or year.';
COMMENT ON COLUMN loyalty.promo_code_pools.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.promo_code_pools.updated_at IS 'When the row was changed last.';
COMMENT ON COLUMN loyalty.promo_code_pools.starts_on IS
    'First day, in the program''s time zone, in place of valid_from; null: see there.';
COMMENT ON COLUMN loyalty.promo_code_pools.ends_on IS
    'Last day, to its end in the program''s time zone, in place of valid_until; null: see there.';
COMMENT ON COLUMN loyalty.promo_code_pools.template IS
    'Short name under which mailings place a code of the pool, one word, unique in the program: events and answers '
    'about its codes carry it; null: none.';

CREATE TABLE loyalty.promo_code_batches (
    program loyalty.external_id NOT NULL,
    external_id loyalty.external_id NOT NULL,
    pool loyalty.external_id NOT NULL,
    mask text COLLATE "C" NOT NULL,
    codes bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT promo_code_batches_pkey PRIMARY KEY (program, external_id),
    CONSTRAINT promo_code_batches_pool_fkey FOREIGN KEY (program, pool)
        REFERENCES loyalty.promo_code_pools ON DELETE CASCADE,
    CONSTRAINT promo_code_batches_codes_is_positive CHECK (codes > 0)
);

COMMENT ON TABLE loyalty.promo_code_batches IS
    'Codes that were generated under an external id, so that a repeated call makes them once.';
COMMENT ON COLUMN loyalty.promo_code_batches.program IS 'The program.';
COMMENT ON COLUMN loyalty.promo_code_batches.external_id IS 'External id of the batch, unique in the program.';
COMMENT ON COLUMN loyalty.promo_code_batches.pool IS 'The pool.';
COMMENT ON COLUMN loyalty.promo_code_batches.mask IS 'The mask that they were made from.';
COMMENT ON COLUMN loyalty.promo_code_batches.codes IS 'How many were made.';
COMMENT ON COLUMN loyalty.promo_code_batches.expires_at IS 'Until when they can be used, exclusive.';
COMMENT ON COLUMN loyalty.promo_code_batches.created_at IS 'When the batch was made.';

CREATE TABLE loyalty.promo_codes (
    code text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    pool loyalty.external_id NOT NULL,
    profile text COLLATE "C",
    attached_at timestamptz,
    expires_at timestamptz NOT NULL DEFAULT 'infinity',
    expires_at_if_free timestamptz,
    order_id loyalty.external_id,
    uses integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    uses_before_import integer NOT NULL DEFAULT 0,
    data jsonb,
    CONSTRAINT promo_codes_pkey PRIMARY KEY (code, program),
    CONSTRAINT promo_codes_pool_fkey FOREIGN KEY (program, pool) REFERENCES loyalty.promo_code_pools,
    CONSTRAINT promo_codes_code_is_upper_case CHECK (code = upper(code)),
    CONSTRAINT promo_codes_code_is_one_word CHECK (code !~ '[[:space:][:cntrl:]]' AND length(code) BETWEEN 1 AND 100),
    CONSTRAINT promo_codes_attached_whole CHECK ((profile IS NULL) = (attached_at IS NULL)),
    CONSTRAINT promo_codes_free_have_one_date CHECK (profile IS NOT NULL OR expires_at_if_free IS NULL),
    CONSTRAINT promo_codes_free_have_no_order CHECK (profile IS NOT NULL OR order_id IS NULL),
    CONSTRAINT promo_codes_profile_is_not_empty CHECK (profile <> ''),
    CONSTRAINT promo_codes_uses_range CHECK (uses >= 0),
    CONSTRAINT promo_codes_uses_before_import_range CHECK (uses_before_import BETWEEN 0 AND uses),
    CONSTRAINT promo_codes_data_is_an_object CHECK (jsonb_typeof(data) = 'object')
);

CREATE INDEX promo_codes_of_profile ON loyalty.promo_codes (profile, program) WHERE profile IS NOT NULL;
CREATE INDEX promo_codes_free ON loyalty.promo_codes (program, pool, code) WHERE profile IS NULL;

COMMENT ON TABLE loyalty.promo_codes IS 'Promo codes, stored trimmed and in upper case, unique in the program.';
COMMENT ON COLUMN loyalty.promo_codes.code IS 'The code, 1 to 100 characters.';
COMMENT ON COLUMN loyalty.promo_codes.program IS 'The program.';
COMMENT ON COLUMN loyalty.promo_codes.pool IS 'The pool it belongs to.';
COMMENT ON COLUMN loyalty.promo_codes.profile IS 'Key of the profile it is attached to; null: free.';
COMMENT ON COLUMN loyalty.promo_codes.attached_at IS 'When it was attached; null: free.';
COMMENT ON COLUMN loyalty.promo_codes.expires_at
    IS 'Until when it can be used, exclusive; infinity: no date of its own.';
COMMENT ON COLUMN loyalty.promo_codes.expires_at_if_free IS
    'What expires_at was before it was attached, and is again when it is detached; null: free.';
COMMENT ON COLUMN loyalty.promo_codes.order_id IS 'The order for which it was issued; null: none.';
COMMENT ON COLUMN loyalty.promo_codes.uses IS 'How often it is used now, 0 or more.';
COMMENT ON COLUMN loyalty.promo_codes.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.promo_codes.uses_before_import IS
    'Those of its uses that were made elsewhere, before it was imported, 0 or more; no row of promo_code_uses tells of '
    'them.';
COMMENT ON COLUMN loyalty.promo_codes.data IS
    'Anything else about it, a JSON object, for whoever reads it; null: nothing. Erasing the member it is attached to '
    'blanks it.';

CREATE TABLE loyalty.promo_code_uses (
    buyer text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    code text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    order_id loyalty.external_id,
    external_id loyalty.external_id,
    used_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    freed_at timestamptz,
    freed_by_hand boolean NOT NULL DEFAULT false,
    CONSTRAINT promo_code_uses_pkey PRIMARY KEY (buyer, program, code, id),
    CONSTRAINT promo_code_uses_code_fkey FOREIGN KEY (code, program) REFERENCES loyalty.promo_codes,
    CONSTRAINT promo_code_uses_buyer_is_not_empty CHECK (buyer <> ''),
    CONSTRAINT promo_code_uses_order_or_not CHECK (num_nonnulls(order_id, external_id) <= 1),
    CONSTRAINT promo_code_uses_freed_by_hand_are_freed CHECK (freed_at IS NOT NULL OR NOT freed_by_hand)
);

CREATE UNIQUE INDEX promo_code_uses_once_an_order ON loyalty.promo_code_uses (buyer, program, code, order_id)
WHERE order_id IS NOT NULL;
CREATE UNIQUE INDEX promo_code_uses_external_id_key ON loyalty.promo_code_uses (buyer, program, external_id)
WHERE external_id IS NOT NULL;
CREATE INDEX promo_code_uses_code ON loyalty.promo_code_uses (code, program);

COMMENT ON TABLE loyalty.promo_code_uses IS 'Who used which code when, and for what order.';
COMMENT ON COLUMN loyalty.promo_code_uses.buyer
    IS 'The buyer: m: and the profile''s key, or g: and the order''s external id.';
COMMENT ON COLUMN loyalty.promo_code_uses.program IS 'The program.';
COMMENT ON COLUMN loyalty.promo_code_uses.code IS 'The code.';
COMMENT ON COLUMN loyalty.promo_code_uses.id IS 'A UUID of version 7.';
COMMENT ON COLUMN loyalty.promo_code_uses.order_id IS 'The order; null: activated without one.';
COMMENT ON COLUMN loyalty.promo_code_uses.external_id IS
    'The id given by who activated it without an order, unique for the buyer; may be null.';
COMMENT ON COLUMN loyalty.promo_code_uses.used_at IS 'When it was used.';
COMMENT ON COLUMN loyalty.promo_code_uses.freed_at
    IS 'When the use was given back, with the order''s last unit; null: it counts.';
COMMENT ON COLUMN loyalty.promo_code_uses.freed_by_hand IS
    'Whether loyalty_update_promo_code() gave it back, and not the order.';
