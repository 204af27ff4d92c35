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
    best text NOT NULL DEFAULT 'combination',
    best_of text NOT NULL DEFAULT 'order',
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
        CHECK (num_nonnulls(min_product_price_percent, min_product_price_amount) <= 1),
    CONSTRAINT promotion_groups_best_is_known CHECK (best IN ('combination', 'single')),
    CONSTRAINT promotion_groups_best_of_is_known CHECK (best_of IN ('order', 'line')),
    CONSTRAINT promotion_groups_best_is_of_max_benefit CHECK (best = 'combination' OR arbitration = 'max_benefit'),
    CONSTRAINT promotion_groups_best_of_line_is_single CHECK (best_of = 'order' OR best = 'single')
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
COMMENT ON COLUMN loyalty.promotion_groups.best IS
    'What max_benefit weighs: combination (all combinations of its children) or single (each child alone, never two '
    'together).';
COMMENT ON COLUMN loyalty.promotion_groups.best_of IS
    'What a single child is the best of: order (of all of it) or line (of each line the child that is worth most '
    'there).';
COMMENT ON COLUMN loyalty.promotion_groups.archived IS 'Whether the group is put away.';
COMMENT ON COLUMN loyalty.promotion_groups.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.promotion_groups.updated_at IS 'When the row was changed last.';

CREATE TABLE loyalty.promotions (
    program loyalty.external_id NOT NULL,
    external_id loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    kind text NOT NULL,
    parent loyalty.external_id DEFAULT 'main',
    position integer NOT NULL,
    state text NOT NULL DEFAULT 'draft',
    audience text NOT NULL DEFAULT 'members',
    audience_segments text[] COLLATE "C" NOT NULL DEFAULT '{}',
    audience_tiers text[] COLLATE "C" NOT NULL DEFAULT '{}',
    starts_at timestamptz,
    ends_at timestamptz,
    ends_after_count integer,
    ends_after_unit text,
    schedule_months smallint[] NOT NULL DEFAULT '{}',
    schedule_days smallint[] NOT NULL DEFAULT '{}',
    schedule_weekdays smallint[] NOT NULL DEFAULT '{}',
    schedule_from time,
    schedule_to time,
    schedule_every_count integer,
    schedule_every_unit text,
    promo_code_pool loyalty.external_id,
    channels text[] COLLATE "C" NOT NULL DEFAULT '{}',
    contact_points text[] COLLATE "C" NOT NULL DEFAULT '{}',
    regions text[] COLLATE "C" NOT NULL DEFAULT '{}',
    benefit_rule text NOT NULL DEFAULT 'sequential',
    max_uses integer,
    max_uses_per_member integer,
    money_budget numeric,
    points_budget numeric,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    starts_on date,
    ends_on date,
    max_uses_per_member_every text,
    order_mode text NOT NULL DEFAULT 'all',
    order_segments text[] COLLATE "C" NOT NULL DEFAULT '{}',
    min_items numeric,
    min_total numeric,
    min_total_at text NOT NULL DEFAULT 'base',
    CONSTRAINT promotions_pkey PRIMARY KEY (program, external_id),
    CONSTRAINT promotions_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE,
    CONSTRAINT promotions_parent_fkey FOREIGN KEY (program, parent)
        REFERENCES loyalty.promotion_groups ON DELETE CASCADE,
    CONSTRAINT promotions_name_is_not_blank CHECK (name ~ '\S'),
    CONSTRAINT promotions_kind_is_known CHECK (kind IN ('discount', 'points', 'trigger')),
    CONSTRAINT promotions_only_trigger_stand_outside_the_tree CHECK ((parent IS NULL) = (kind = 'trigger')),
    CONSTRAINT promotions_state_is_known CHECK (state IN ('draft', 'active', 'inactive', 'ended')),
    CONSTRAINT promotions_audience_is_known
        CHECK (audience IN ('members', 'in_segments', 'outside_segments', 'tiers', 'everyone', 'guests')),
    CONSTRAINT promotions_guests_have_no_points CHECK (audience <> 'guests' OR kind = 'discount'),
    CONSTRAINT promotions_audience_names_its_segments
        CHECK ((audience IN ('in_segments', 'outside_segments')) = (cardinality(audience_segments) > 0)),
    CONSTRAINT promotions_audience_names_its_tiers CHECK ((audience = 'tiers') = (cardinality(audience_tiers) > 0)),
    CONSTRAINT promotions_dates_are_finite CHECK (isfinite(starts_at) AND isfinite(ends_at)),
    CONSTRAINT promotions_days_are_finite CHECK (isfinite(starts_on) AND isfinite(ends_on)),
    CONSTRAINT promotions_years_are_whole CHECK (
        extract(year FROM least(starts_at, ends_at) AT TIME ZONE 'UTC') >= 100
        AND extract(year FROM least(starts_on, ends_on)) >= 100
    ),
    CONSTRAINT promotions_start_before_they_end CHECK (starts_at < ends_at),
    CONSTRAINT promotions_days_are_a_period CHECK (starts_on <= ends_on),
    CONSTRAINT promotions_one_start CHECK (num_nonnulls(starts_at, starts_on) <= 1),
    CONSTRAINT promotions_ends_after_count_range CHECK (ends_after_count BETWEEN 1 AND 100000),
    CONSTRAINT promotions_ends_after_unit_is_known
        CHECK (ends_after_unit IN ('minute', 'hour', 'day', 'week', 'month', 'year')),
    CONSTRAINT promotions_ends_after_is_whole CHECK ((ends_after_count IS NULL) = (ends_after_unit IS NULL)),
    CONSTRAINT promotions_one_end CHECK (num_nonnulls(ends_at, ends_on, ends_after_count) <= 1),
    CONSTRAINT promotions_schedule_months_range CHECK (1 <= ALL (schedule_months) AND 12 >= ALL (schedule_months)),
    CONSTRAINT promotions_schedule_days_range CHECK (1 <= ALL (schedule_days) AND 31 >= ALL (schedule_days)),
    CONSTRAINT promotions_schedule_weekdays_range CHECK (1 <= ALL (schedule_weekdays) AND 7 >= ALL (schedule_weekdays)),
    CONSTRAINT promotions_schedule_window_is_whole CHECK ((schedule_from IS NULL) = (schedule_to IS NULL)),
    CONSTRAINT promotions_schedule_window_is_not_empty CHECK (schedule_from <> schedule_to),
    CONSTRAINT promotions_schedule_every_count_is_positive CHECK (schedule_every_count > 0),
    CONSTRAINT promotions_schedule_every_unit_is_known CHECK (schedule_every_unit IN ('day', 'week', 'month')),
    CONSTRAINT promotions_schedule_every_is_whole
        CHECK ((schedule_every_count IS NULL) = (schedule_every_unit IS NULL)),
    CONSTRAINT promotions_promo_code_pool_fkey FOREIGN KEY (program, promo_code_pool)
        REFERENCES loyalty.promo_code_pools ON DELETE CASCADE,
    CONSTRAINT promotions_lists_hold_no_null CHECK (
        array_position(audience_segments, NULL) IS NULL AND array_position(audience_tiers, NULL) IS NULL
        AND array_position(schedule_months, NULL) IS NULL AND array_position(schedule_days, NULL) IS NULL
        AND array_position(schedule_weekdays, NULL) IS NULL AND array_position(channels, NULL) IS NULL
        AND array_position(contact_points, NULL) IS NULL AND array_position(regions, NULL) IS NULL
    ),
    CONSTRAINT promotions_max_uses_is_positive CHECK (max_uses > 0),
    CONSTRAINT promotions_max_uses_per_member_is_positive CHECK (max_uses_per_member > 0),
    CONSTRAINT promotions_max_uses_per_member_every_is_known
        CHECK (max_uses_per_member_every IN ('day', 'week', 'month', 'year')),
    CONSTRAINT promotions_max_uses_per_member_every_has_a_limit
        CHECK (max_uses_per_member_every IS NULL OR max_uses_per_member IS NOT NULL),
    CONSTRAINT promotions_order_mode_is_known CHECK (order_mode IN ('all', 'in', 'outside')),
    CONSTRAINT promotions_order_segments_are_a_list CHECK (
        coalesce(array_ndims(order_segments), 1) = 1 AND array_position(order_segments, NULL) IS NULL
    ),
    CONSTRAINT promotions_order_mode_names_its_segments
        CHECK ((order_mode = 'all') = (cardinality(order_segments) = 0)),
    CONSTRAINT promotions_min_items_range CHECK (min_items > 0 AND min_items < 1e9 AND min_scale(min_items) <= 6),
    CONSTRAINT promotions_min_total_at_is_known CHECK (min_total_at IN ('base', 'current')),
    CONSTRAINT promotions_min_total_at_has_its_total CHECK (min_total_at = 'base' OR min_total IS NOT NULL),
    CONSTRAINT promotions_min_total_range CHECK (min_total > 0 AND min_total < 1e14 AND min_scale(min_total) <= 4),
    CONSTRAINT promotions_money_budget_range CHECK (money_budget > 0 AND money_budget < 'Infinity'),
    CONSTRAINT promotions_points_budget_range CHECK (points_budget > 0 AND points_budget < 'Infinity'),
    CONSTRAINT promotions_benefit_rule_is_known CHECK (benefit_rule IN ('sequential', 'parallel'))
);

-- The program comes last: first, it would look as good as the key does, to a planner that believes the table to be
-- empty.
CREATE INDEX promotions_parent ON loyalty.promotions (parent, program);

COMMENT ON TABLE loyalty.promotions IS 'Promotions: leaves of the tree of groups; a draft until loyalty_apply().';
COMMENT ON COLUMN loyalty.promotions.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotions.external_id IS 'External id, unique in the program; cannot be changed.';
COMMENT ON COLUMN loyalty.promotions.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.promotions.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.promotions.kind IS
    'discount (lowers prices) or points (earns points, or pays with them), fixed once it has benefits; or trigger '
    '(fired by its rules, outside the tree and its versions), fixed from the start.';
COMMENT ON COLUMN loyalty.promotions.parent IS 'The group it stands in; null for a trigger promotion only.';
COMMENT ON COLUMN loyalty.promotions.position IS
    'Place among the groups and promotions of the parent, ties by external id; left out or null: after the last.';
COMMENT ON COLUMN loyalty.promotions.state IS
    'draft, active, inactive or ended: draft to active, active to inactive and back, either to ended.';
COMMENT ON COLUMN loyalty.promotions.audience IS
    'For whom: members, in_segments (members in one of audience_segments), outside_segments (members in none of them), '
    'tiers (who hold one of audience_tiers), everyone (guests too) or guests (whoever is no member).';
COMMENT ON COLUMN loyalty.promotions.audience_segments
    IS 'External ids of profile segments; empty for other audiences.';
COMMENT ON COLUMN loyalty.promotions.audience_tiers IS 'External ids of tiers; empty for other audiences.';
COMMENT ON COLUMN loyalty.promotions.starts_at IS
    'From when, inclusive; null: from starts_on, or from its activation, that is the first apply in which it is '
    'active.';
COMMENT ON COLUMN loyalty.promotions.ends_at IS
    'Until when, exclusive; null: until ends_on or ends_after, or by hand.';
COMMENT ON COLUMN loyalty.promotions.ends_after_count IS
    'Ends this many of ends_after_unit, 1 to 100000, after the later of its start and its activation; null: see '
    'ends_at.';
COMMENT ON COLUMN loyalty.promotions.ends_after_unit IS
    'Unit of ends_after_count: minute, hour, day, week, month or year, by the program''s calendar.';
COMMENT ON COLUMN loyalty.promotions.schedule_months IS 'Months in which it is available, 1 to 12; empty: all.';
COMMENT ON COLUMN loyalty.promotions.schedule_days IS
    'Days of the month on which it is available, 1 to 31, a day that a month lacks being skipped; empty: all.';
COMMENT ON COLUMN loyalty.promotions.schedule_weekdays IS 'Weekdays, 1 (Monday) to 7 (Sunday); empty: all.';
COMMENT ON COLUMN loyalty.promotions.schedule_from IS
    'Time of day from which it is available, inclusive, in the program''s time zone; null: all day.';
COMMENT ON COLUMN loyalty.promotions.schedule_to IS
    'Time of day until which, exclusive; before schedule_from: past midnight, on the account of the day it began.';
COMMENT ON COLUMN loyalty.promotions.schedule_every_count IS
    'Available every so many of schedule_every_unit only, counted from the day of its start; null: always.';
COMMENT ON COLUMN loyalty.promotions.schedule_every_unit IS 'Unit of schedule_every_count: day, week or month.';
COMMENT ON COLUMN loyalty.promotions.promo_code_pool IS
    'Gate: the order must carry a usable promo code of this pool; null: none needed.';
COMMENT ON COLUMN loyalty.promotions.channels IS
    'Sales channels in all of whose contact points it applies; with contact_points empty too: everywhere.';
COMMENT ON COLUMN loyalty.promotions.contact_points IS 'Single contact points in which it applies as well.';
COMMENT ON COLUMN loyalty.promotions.regions IS 'Regions of the order in which it applies; empty: all, and none given.';
COMMENT ON COLUMN loyalty.promotions.benefit_rule IS
    'How its benefits are combined: sequential (each after the one before) or parallel (all on the same prices).';
COMMENT ON COLUMN loyalty.promotions.max_uses IS
    'Orders in which it may have an effect, in total, above 0; null: no limit.';
COMMENT ON COLUMN loyalty.promotions.max_uses_per_member IS
    'Orders of one buyer in which it may have an effect, above 0; null: no limit.';
COMMENT ON COLUMN loyalty.promotions.money_budget IS
    'Money that it may take off prices in all orders together, above 0; null: no limit.';
COMMENT ON COLUMN loyalty.promotions.points_budget IS
    'Points that it may accrue in all orders together, above 0; null: no limit.';
COMMENT ON COLUMN loyalty.promotions.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.promotions.updated_at IS 'When the row was changed last.';
COMMENT ON COLUMN loyalty.promotions.starts_on
    IS 'First day, in the program''s time zone, in place of starts_at; null: see there.';
COMMENT ON COLUMN loyalty.promotions.ends_on IS
    'Last day, to its end in the program''s time zone, in place of ends_at; null: see there.';
COMMENT ON COLUMN loyalty.promotions.max_uses_per_member_every IS
    'Period in which max_uses_per_member counts: each day, week, month or year of the program''s calendar; null: for '
    'ever.';
COMMENT ON COLUMN loyalty.promotions.order_mode IS
    'For which orders, whatever its conditions are: all, in (of at least one of order_segments) or outside (of none of '
    'them).';
COMMENT ON COLUMN loyalty.promotions.order_segments IS 'External ids of order segments; empty for mode all.';
COMMENT ON COLUMN loyalty.promotions.min_items IS
    'Units that the order must have in all, above 0, with at most 6 decimals; null: any number.';
COMMENT ON COLUMN loyalty.promotions.min_total IS
    'Money that the order''s goods must come to, without shipping, above 0; null: any.';
COMMENT ON COLUMN loyalty.promotions.min_total_at IS
    'At which prices that counts: base, or current: as promotions before this one have left them, less what points '
    'paid.';

CREATE TABLE loyalty.promotion_conditions (
    program loyalty.external_id NOT NULL,
    promotion loyalty.external_id NOT NULL,
    position integer NOT NULL,
    level text NOT NULL DEFAULT 'product',
    mode text NOT NULL DEFAULT 'all',
    segments text[] COLLATE "C" NOT NULL DEFAULT '{}',
    min_items numeric,
    min_total numeric,
    min_total_at text NOT NULL DEFAULT 'base',
    untouched boolean NOT NULL DEFAULT false,
    CONSTRAINT promotion_conditions_pkey PRIMARY KEY (program, promotion, position),
    CONSTRAINT promotion_conditions_promotion_fkey FOREIGN KEY (program, promotion)
        REFERENCES loyalty.promotions ON DELETE CASCADE,
    CONSTRAINT promotion_conditions_level_is_known CHECK (level IN ('product', 'order')),
    CONSTRAINT promotion_conditions_mode_is_known CHECK (mode IN ('all', 'in', 'outside')),
    CONSTRAINT promotion_conditions_segments_are_a_list CHECK (coalesce(array_ndims(segments), 1) = 1),
    CONSTRAINT promotion_conditions_segments_are_not_null CHECK (array_position(segments, NULL) IS NULL),
    CONSTRAINT promotion_conditions_in_and_outside_name_segments CHECK ((mode = 'all') = (cardinality(segments) = 0)),
    CONSTRAINT promotion_conditions_min_items_range
        CHECK (min_items > 0 AND min_items < 1e9 AND min_scale(min_items) <= 6),
    CONSTRAINT promotion_conditions_min_total_at_is_known CHECK (min_total_at IN ('base', 'current')),
    CONSTRAINT promotion_conditions_min_total_at_has_its_total CHECK (min_total_at = 'base' OR min_total IS NOT NULL),
    CONSTRAINT promotion_conditions_min_total_range
        CHECK (min_total > 0 AND min_total < 1e14 AND min_scale(min_total) <= 4),
    CONSTRAINT promotion_conditions_lines_are_of_products
        CHECK (level = 'product' OR num_nonnulls(min_items, min_total) = 0 AND NOT untouched)
);

COMMENT ON TABLE loyalty.promotion_conditions IS 'What a promotion''s benefits apply to: products, or the order.';
COMMENT ON COLUMN loyalty.promotion_conditions.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotion_conditions.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.promotion_conditions.position IS
    'Place among the promotion''s conditions; left out: after the last. Product conditions come before order '
    'conditions in any case.';
COMMENT ON COLUMN loyalty.promotion_conditions.level IS
    'product (the benefits work on each matching line) or order (on the order, if it matches).';
COMMENT ON COLUMN loyalty.promotion_conditions.mode IS
    'all, in (at least one of the segments) or outside (none of them).';
COMMENT ON COLUMN loyalty.promotion_conditions.segments IS
    'External ids of product segments, or for level order of order segments; empty for mode all.';
COMMENT ON COLUMN loyalty.promotion_conditions.min_items IS
    'Units that its lines must have together, above 0, with at most 6 decimals; level product only; null: any number.';
COMMENT ON COLUMN loyalty.promotion_conditions.min_total IS
    'Money that its lines must come to together, above 0; level product only; null: any.';
COMMENT ON COLUMN loyalty.promotion_conditions.min_total_at IS
    'At which prices that counts: base, or current: as what came before has left them, less what points paid.';
COMMENT ON COLUMN loyalty.promotion_conditions.untouched IS
    'Whether its benefits see only units that no reduction had lowered when the promotion began; level product only.';

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

-- No foreign key to promotions: a revert may delete and insert their rows, and whoever was active once stays in all
-- later versions.
CREATE TABLE loyalty.promotion_activations (
    program loyalty.external_id NOT NULL,
    promotion loyalty.external_id NOT NULL,
    activated_at timestamptz NOT NULL,
    CONSTRAINT promotion_activations_pkey PRIMARY KEY (program, promotion),
    CONSTRAINT promotion_activations_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE
);

COMMENT ON TABLE loyalty.promotion_activations IS
    'When promotions were activated: from then those run that start on activation. Written by loyalty_apply().';
COMMENT ON COLUMN loyalty.promotion_activations.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotion_activations.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.promotion_activations.activated_at IS
    'When the tree was applied for the first time with the promotion in state active.';

-- Beside the versions: an emergency stop is in force at once, and a revert does not undo it.
CREATE TABLE loyalty.paused_promotions (
    program loyalty.external_id NOT NULL,
    promotion loyalty.external_id NOT NULL,
    paused_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    paused_by name NOT NULL DEFAULT session_user,
    CONSTRAINT paused_promotions_pkey PRIMARY KEY (program, promotion),
    CONSTRAINT paused_promotions_promotion_fkey FOREIGN KEY (program, promotion)
        REFERENCES loyalty.promotions ON DELETE CASCADE
);

COMMENT ON TABLE loyalty.paused_promotions IS
    'Promotions that take no part, whatever the version says. Written by loyalty_pause_promotion() and '
    'loyalty_resume_promotion().';
COMMENT ON COLUMN loyalty.paused_promotions.program IS 'The program.';
COMMENT ON COLUMN loyalty.paused_promotions.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.paused_promotions.paused_at IS 'When it was paused.';
COMMENT ON COLUMN loyalty.paused_promotions.paused_by IS 'Role that paused it.';

CREATE TABLE loyalty.withdrawn_promotions (
    program loyalty.external_id NOT NULL,
    promotion loyalty.external_id NOT NULL,
    withdrawn_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    withdrawn_by name NOT NULL DEFAULT session_user,
    CONSTRAINT withdrawn_promotions_pkey PRIMARY KEY (program, promotion),
    CONSTRAINT withdrawn_promotions_promotion_fkey FOREIGN KEY (program, promotion)
        REFERENCES loyalty.promotions ON DELETE CASCADE
);

COMMENT ON TABLE loyalty.withdrawn_promotions IS
    'Ended promotions that take back what they promised: points that orders earned by them and that wait for a status '
    'are dropped when it is reached. Written by loyalty_end_promotion().';
COMMENT ON COLUMN loyalty.withdrawn_promotions.program IS 'The program.';
COMMENT ON COLUMN loyalty.withdrawn_promotions.promotion IS 'The promotion.';
COMMENT ON COLUMN loyalty.withdrawn_promotions.withdrawn_at IS 'When that was decided.';
COMMENT ON COLUMN loyalty.withdrawn_promotions.withdrawn_by IS 'Role that decided it.';

CREATE TABLE loyalty.promotion_versions (
    program loyalty.external_id NOT NULL,
    version integer NOT NULL,
    tree jsonb NOT NULL,
    definition jsonb NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    applied_by name NOT NULL DEFAULT session_user,
    rules integer NOT NULL,
    CONSTRAINT promotion_versions_pkey PRIMARY KEY (program, version),
    CONSTRAINT promotion_versions_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs,
    CONSTRAINT promotion_versions_version_is_positive CHECK (version > 0),
    CONSTRAINT promotion_versions_rules_is_positive CHECK (rules > 0),
    CONSTRAINT promotion_versions_tree_is_an_object CHECK (jsonb_typeof(tree) = 'object'),
    CONSTRAINT promotion_versions_definition_is_an_array CHECK (jsonb_typeof(definition) = 'array')
);

COMMENT ON TABLE loyalty.promotion_versions IS
    'Applied promotion trees, never changed; calculations see the last one. Written by loyalty_apply().';
COMMENT ON COLUMN loyalty.promotion_versions.program IS 'The program.';
COMMENT ON COLUMN loyalty.promotion_versions.version IS 'Number of the version in the program, from 1.';
COMMENT ON COLUMN loyalty.promotion_versions.tree IS
    'The tree with everything that a calculation needs, as in loyalty.promotion_drafts.';
COMMENT ON COLUMN loyalty.promotion_versions.definition IS
    'The rows that the tree was made from, column by column, for loyalty_revert(); see loyalty.definitions.';
COMMENT ON COLUMN loyalty.promotion_versions.applied_at IS 'When it was applied.';
COMMENT ON COLUMN loyalty.promotion_versions.applied_by IS 'Role that applied it.';
COMMENT ON COLUMN loyalty.promotion_versions.rules IS
    'Number of the rules of calculation that it was applied under; 1: those of version 0.1.0. Orders placed under '
    'other rules than the library''s are not calculated again.';

-- Keyed by itself: two sessions of a restore, one of which brings these rows while the other's triggers write them,
-- must not wait for each other.
CREATE TABLE loyalty.edits (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    program loyalty.external_id NOT NULL,
    relation name NOT NULL,
    what text NOT NULL,
    changed_by name NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT edits_pkey PRIMARY KEY (id),
    CONSTRAINT edits_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE
);

CREATE INDEX edits_what ON loyalty.edits (program, relation, what);

COMMENT ON TABLE loyalty.edits IS
    'Who edited what last of the definitions of programs, kept up by triggers: loyalty.pending_changes tells it. A '
    'restore of data alone is an edit of the role that restores.';
COMMENT ON COLUMN loyalty.edits.id IS 'A key that means nothing.';
COMMENT ON COLUMN loyalty.edits.program IS 'The program.';
COMMENT ON COLUMN loyalty.edits.relation IS 'The table, in schema loyalty.';
COMMENT ON COLUMN loyalty.edits.what IS 'The row, as loyalty.pending_changes names it.';
COMMENT ON COLUMN loyalty.edits.changed_by IS 'Role of the session that added, changed or removed it last.';
COMMENT ON COLUMN loyalty.edits.changed_at IS 'When.';
