-- The promotion tree as it is edited (the draft), and its applied versions.

CREATE TABLE loyalty.promotion_groups (
    program loyalty.external_id NOT NULL,
    external_id loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    parent loyalty.external_id DEFAULT 'main',
    position integer NOT NULL,
    arbitration text NOT NULL DEFAULT 'consistent',
    max_discount_percent numeric,
    max_discount_amount numeric,
    min_product_price_percent numeric,
    min_product_price_amount numeric,
    archived boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT promotion_groups_pkey PRIMARY KEY (program, external_id),
    CONSTRAINT promotion_groups_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE,
    CONSTRAINT promotion_groups_parent_fkey FOREIGN KEY (program, parent)
        REFERENCES loyalty.promotion_groups ON DELETE CASCADE,
    CONSTRAINT promotion_groups_name_is_not_blank CHECK (name ~ '\S'),
    -- With the primary key: exactly one root, and it stays the root.
    CONSTRAINT promotion_groups_only_main_has_no_parent CHECK ((parent IS NULL) = (external_id = 'main')),
    CONSTRAINT promotion_groups_arbitration_is_known
        CHECK (arbitration IN ('consistent', 'incompatibility', 'summation', 'max_benefit')),
    CONSTRAINT promotion_groups_max_discount_percent_range CHECK (max_discount_percent BETWEEN 0 AND 100),
    CONSTRAINT promotion_groups_max_discount_amount_range
        CHECK (max_discount_amount >= 0 AND max_discount_amount < 'Infinity'),
    CONSTRAINT promotion_groups_one_max_discount CHECK (num_nonnulls(max_discount_percent, max_discount_amount) <= 1),
    CONSTRAINT promotion_groups_min_product_price_percent_range CHECK (min_product_price_percent BETWEEN 0 AND 100),
    CONSTRAINT promotion_groups_min_product_price_amount_range
        CHECK (min_product_price_amount >= 0 AND min_product_price_amount < 'Infinity'),
    CONSTRAINT promotion_groups_one_min_product_price
        CHECK (num_nonnulls(min_product_price_percent, min_product_price_amount) <= 1)
);

CREATE INDEX promotion_groups_parent ON loyalty.promotion_groups (program, parent);

COMMENT ON TABLE loyalty.promotion_groups IS
    'Groups of promotions, a tree under the main arbitration "main"; a draft until loyalty_apply().';
COMMENT ON COLUMN loyalty.promotion_groups.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotion_groups.external_id IS 'External id, unique in the program; cannot be changed.';
COMMENT ON COLUMN loyalty.promotion_groups.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.promotion_groups.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.promotion_groups.parent IS
    'The group it stands in; null for main only. At most 9 levels of groups below main.';
COMMENT ON COLUMN loyalty.promotion_groups.position IS
    'Place among the groups and promotions of the parent, ties by external id; left out or null: after the last.';
COMMENT ON COLUMN loyalty.promotion_groups.arbitration IS
    'How its children are combined: consistent, incompatibility, summation or max_benefit.';
COMMENT ON COLUMN loyalty.promotion_groups.max_discount_percent IS
    'Cap on the reductions made below it, in percent of all goods at base prices, 0 to 100; null: none.';
COMMENT ON COLUMN loyalty.promotion_groups.max_discount_amount IS
    'The same cap as an amount of money, 0 or more; null: none.';
COMMENT ON COLUMN loyalty.promotion_groups.min_product_price_percent IS
    'Floor under a unit''s price, in percent of its base price, 0 to 100; null: none.';
COMMENT ON COLUMN loyalty.promotion_groups.min_product_price_amount IS
    'The same floor as an amount of money per unit, 0 or more; null: none.';
COMMENT ON COLUMN loyalty.promotion_groups.archived IS 'Whether the group is put away.';
COMMENT ON COLUMN loyalty.promotion_groups.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.promotion_groups.updated_at IS 'When the row was changed last.';

CREATE TABLE loyalty.promotions (
    program loyalty.external_id NOT NULL,
    external_id loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    kind text NOT NULL,
    parent loyalty.external_id NOT NULL DEFAULT 'main',
    position integer NOT NULL,
    state text NOT NULL DEFAULT 'draft',
    audience text NOT NULL DEFAULT 'members',
    benefit_rule text NOT NULL DEFAULT 'sequential',
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT promotions_pkey PRIMARY KEY (program, external_id),
    CONSTRAINT promotions_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE,
    CONSTRAINT promotions_parent_fkey FOREIGN KEY (program, parent)
        REFERENCES loyalty.promotion_groups ON DELETE CASCADE,
    CONSTRAINT promotions_name_is_not_blank CHECK (name ~ '\S'),
    CONSTRAINT promotions_kind_is_known CHECK (kind IN ('discount', 'points')),
    CONSTRAINT promotions_state_is_known CHECK (state IN ('draft', 'active', 'inactive', 'ended')),
    CONSTRAINT promotions_audience_is_known CHECK (audience IN ('members', 'everyone')),
    CONSTRAINT promotions_benefit_rule_is_known CHECK (benefit_rule IN ('sequential', 'parallel'))
);

CREATE INDEX promotions_parent ON loyalty.promotions (program, parent);

COMMENT ON TABLE loyalty.promotions IS 'Promotions: leaves of the tree of groups; a draft until loyalty_apply().';
COMMENT ON COLUMN loyalty.promotions.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotions.external_id IS 'External id, unique in the program; cannot be changed.';
COMMENT ON COLUMN loyalty.promotions.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.promotions.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.promotions.kind IS
    'discount (lowers prices) or points (earns points, or pays with them); fixed once it has benefits.';
COMMENT ON COLUMN loyalty.promotions.parent IS 'The group it stands in.';
COMMENT ON COLUMN loyalty.promotions.position IS
    'Place among the groups and promotions of the parent, ties by external id; left out or null: after the last.';
COMMENT ON COLUMN loyalty.promotions.state IS
    'draft, active, inactive or ended: draft to active, active to inactive and back, either to ended.';
COMMENT ON COLUMN loyalty.promotions.audience IS 'For whom: members, or everyone (guests too).';
COMMENT ON COLUMN loyalty.promotions.benefit_rule IS
    'How its benefits are combined: sequential (each after the one before) or parallel (all on the same prices).';
COMMENT ON COLUMN loyalty.promotions.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.promotions.updated_at IS 'When the row was changed last.';

CREATE TABLE loyalty.promotion_conditions (
    program loyalty.external_id NOT NULL,
    promotion loyalty.external_id NOT NULL,
    position integer NOT NULL,
    level text NOT NULL DEFAULT 'product',
    mode text NOT NULL DEFAULT 'all',
    segments text[] COLLATE "C" NOT NULL DEFAULT '{}',
    CONSTRAINT promotion_conditions_pkey PRIMARY KEY (program, promotion, position),
    CONSTRAINT promotion_conditions_promotion_fkey FOREIGN KEY (program, promotion)
        REFERENCES loyalty.promotions ON DELETE CASCADE,
    CONSTRAINT promotion_conditions_level_is_known CHECK (level IN ('product', 'order')),
    CONSTRAINT promotion_conditions_mode_is_known CHECK (mode IN ('all', 'in', 'outside')),
    CONSTRAINT promotion_conditions_segments_are_a_list CHECK (coalesce(array_ndims(segments), 1) = 1),
    CONSTRAINT promotion_conditions_segments_are_not_null CHECK (array_position(segments, NULL) IS NULL),
    CONSTRAINT promotion_conditions_in_and_outside_name_segments CHECK ((mode = 'all') = (cardinality(segments) = 0))
);

COMMENT ON TABLE loyalty.promotion_conditions IS 'What a promotion''s benefits apply to: products, or the order.';
COMMENT ON COLUMN loyalty.promotion_conditions.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotion_conditions.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.promotion_conditions.position IS
    'Place among the promotion''s conditions; left out: after the last. Product conditions come before order '
    'conditions in any case.';
COMMENT ON COLUMN loyalty.promotion_conditions.level IS
    'product (the benefits work on each matching line) or order (on the order).';
COMMENT ON COLUMN loyalty.promotion_conditions.mode IS
    'all, in (at least one of the segments) or outside (none of them).';
COMMENT ON COLUMN loyalty.promotion_conditions.segments IS 'External ids of product segments; empty for mode all.';

CREATE TABLE loyalty.promotion_benefits (
    program loyalty.external_id NOT NULL,
    promotion loyalty.external_id NOT NULL,
    condition integer NOT NULL,
    position integer NOT NULL,
    benefit text NOT NULL,
    parameters jsonb NOT NULL DEFAULT '{}',
    point_type text COLLATE "C" GENERATED ALWAYS AS (parameters ->> 'point_type') STORED,
    CONSTRAINT promotion_benefits_pkey PRIMARY KEY (program, promotion, condition, position),
    CONSTRAINT promotion_benefits_condition_fkey FOREIGN KEY (program, promotion, condition)
        REFERENCES loyalty.promotion_conditions ON DELETE CASCADE,
    -- Cascading serves the deletion of a whole program, whatever the order; a trigger refuses to delete a type in use.
    CONSTRAINT promotion_benefits_point_type_fkey FOREIGN KEY (program, point_type)
        REFERENCES loyalty.point_types ON DELETE CASCADE,
    CONSTRAINT promotion_benefits_parameters_are_an_object CHECK (jsonb_typeof(parameters) = 'object')
);

CREATE INDEX promotion_benefits_point_type ON loyalty.promotion_benefits (program, point_type);

COMMENT ON TABLE loyalty.promotion_benefits IS 'What a promotion gives where its condition holds.';
COMMENT ON COLUMN loyalty.promotion_benefits.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotion_benefits.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.promotion_benefits.condition IS 'Position of the condition in the promotion.';
COMMENT ON COLUMN loyalty.promotion_benefits.position IS
    'Place among the condition''s benefits; left out: after the last.';
COMMENT ON COLUMN loyalty.promotion_benefits.benefit IS
    'Kind of benefit, such as discount, points_discount or accrue_points.';
COMMENT ON COLUMN loyalty.promotion_benefits.parameters IS 'Its parameters: a JSON object such as {"percent": 20}.';
COMMENT ON COLUMN loyalty.promotion_benefits.point_type IS 'The point type that the parameters name; null: none.';

CREATE TABLE loyalty.promotion_versions (
    program loyalty.external_id NOT NULL,
    version integer NOT NULL,
    tree jsonb NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    applied_by name NOT NULL DEFAULT session_user,
    CONSTRAINT promotion_versions_pkey PRIMARY KEY (program, version),
    CONSTRAINT promotion_versions_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs,
    CONSTRAINT promotion_versions_version_is_positive CHECK (version > 0),
    CONSTRAINT promotion_versions_tree_is_an_object CHECK (jsonb_typeof(tree) = 'object')
);

COMMENT ON TABLE loyalty.promotion_versions IS
    'Applied promotion trees, never changed; calculations see the last one. Written by loyalty_apply().';
COMMENT ON COLUMN loyalty.promotion_versions.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotion_versions.version IS 'Number of the version in the program, from 1.';
COMMENT ON COLUMN loyalty.promotion_versions.tree IS
    'The tree with everything that a calculation needs, as in loyalty.promotion_drafts.';
COMMENT ON COLUMN loyalty.promotion_versions.applied_at IS 'When it was applied.';
COMMENT ON COLUMN loyalty.promotion_versions.applied_by IS 'Role that applied it.';
