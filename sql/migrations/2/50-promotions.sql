-- Days, limits by the calendar, the rules of versions, and what is decided of promotions beside them.

ALTER TABLE loyalty.promotions
    ADD COLUMN starts_on date,
    ADD COLUMN ends_on date,
    ADD COLUMN max_uses_per_member_every text,
    ADD CONSTRAINT promotions_days_are_finite CHECK (isfinite(starts_on) AND isfinite(ends_on)),
    ADD CONSTRAINT promotions_years_are_whole CHECK (
        extract(year FROM least(starts_at, ends_at) AT TIME ZONE 'UTC') >= 100
        AND extract(year FROM least(starts_on, ends_on)) >= 100
    ),
    ADD CONSTRAINT promotions_days_are_a_period CHECK (starts_on <= ends_on),
    ADD CONSTRAINT promotions_one_start CHECK (num_nonnulls(starts_at, starts_on) <= 1),
    DROP CONSTRAINT promotions_one_end,
    ADD CONSTRAINT promotions_one_end CHECK (num_nonnulls(ends_at, ends_on, ends_after_count) <= 1),
    ADD CONSTRAINT promotions_max_uses_per_member_every_is_known
        CHECK (max_uses_per_member_every IN ('day', 'week', 'month', 'year')),
    ADD CONSTRAINT promotions_max_uses_per_member_every_has_a_limit
        CHECK (max_uses_per_member_every IS NULL OR max_uses_per_member IS NOT NULL);
COMMENT ON COLUMN loyalty.promotions.starts_on
    IS 'First day, in the program''s time zone, in place of starts_at; null: see there.';
COMMENT ON COLUMN loyalty.promotions.ends_on IS
    'Last day, to its end in the program''s time zone, in place of ends_at; null: see there.';
COMMENT ON COLUMN loyalty.promotions.max_uses_per_member_every IS
    'Period in which max_uses_per_member counts: each day, week, month or year of the program''s calendar; null: for '
    'ever.';
COMMENT ON COLUMN loyalty.promotions.starts_at IS
    'From when, inclusive; null: from starts_on, or from its activation, that is the first apply in which it is '
    'active.';
COMMENT ON COLUMN loyalty.promotions.ends_at IS
    'Until when, exclusive; null: until ends_on or ends_after, or by hand.';

DROP INDEX loyalty.promotions_parent;
CREATE INDEX promotions_parent ON loyalty.promotions (parent, program);

-- What promotions ask of the order, and conditions of their lines together.
ALTER TABLE loyalty.promotions
    ADD COLUMN order_mode text NOT NULL DEFAULT 'all',
    ADD COLUMN order_segments text[] COLLATE "C" NOT NULL DEFAULT '{}',
    ADD COLUMN min_items numeric,
    ADD COLUMN min_total numeric,
    ADD COLUMN min_total_at text NOT NULL DEFAULT 'base',
    DROP CONSTRAINT promotions_audience_is_known,
    ADD CONSTRAINT promotions_audience_is_known
        CHECK (audience IN ('members', 'in_segments', 'outside_segments', 'tiers', 'everyone', 'guests')),
    ADD CONSTRAINT promotions_guests_have_no_points CHECK (audience <> 'guests' OR kind = 'discount'),
    ADD CONSTRAINT promotions_order_mode_is_known CHECK (order_mode IN ('all', 'in', 'outside')),
    ADD CONSTRAINT promotions_order_segments_are_a_list CHECK (
        coalesce(array_ndims(order_segments), 1) = 1 AND array_position(order_segments, NULL) IS NULL
    ),
    ADD CONSTRAINT promotions_order_mode_names_its_segments
        CHECK ((order_mode = 'all') = (cardinality(order_segments) = 0)),
    ADD CONSTRAINT promotions_min_items_range CHECK (min_items > 0 AND min_items < 1e9 AND min_scale(min_items) <= 6),
    ADD CONSTRAINT promotions_min_total_at_is_known CHECK (min_total_at IN ('base', 'current')),
    ADD CONSTRAINT promotions_min_total_at_has_its_total CHECK (min_total_at = 'base' OR min_total IS NOT NULL),
    ADD CONSTRAINT promotions_min_total_range CHECK (min_total > 0 AND min_total < 1e14 AND min_scale(min_total) <= 4);
COMMENT ON COLUMN loyalty.promotions.audience IS
    'For whom: members, in_segments (members in one of audience_segments), outside_segments (members in none of them), '
    'tiers (who hold one of audience_tiers), everyone (guests too) or guests (whoever is no member).';
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

ALTER TABLE loyalty.promotion_conditions
    ADD COLUMN min_items numeric,
    ADD COLUMN min_total numeric,
    ADD COLUMN min_total_at text NOT NULL DEFAULT 'base',
    ADD COLUMN untouched boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT promotion_conditions_min_items_range
        CHECK (min_items > 0 AND min_items < 1e9 AND min_scale(min_items) <= 6),
    ADD CONSTRAINT promotion_conditions_min_total_at_is_known CHECK (min_total_at IN ('base', 'current')),
    ADD CONSTRAINT promotion_conditions_min_total_at_has_its_total
        CHECK (min_total_at = 'base' OR min_total IS NOT NULL),
    ADD CONSTRAINT promotion_conditions_min_total_range
        CHECK (min_total > 0 AND min_total < 1e14 AND min_scale(min_total) <= 4),
    ADD CONSTRAINT promotion_conditions_lines_are_of_products
        CHECK (level = 'product' OR num_nonnulls(min_items, min_total) = 0 AND NOT untouched);
COMMENT ON COLUMN loyalty.promotion_conditions.min_items IS
    'Units that its lines must have together, above 0, with at most 6 decimals; level product only; null: any number.';
COMMENT ON COLUMN loyalty.promotion_conditions.min_total IS
    'Money that its lines must come to together, above 0; level product only; null: any.';
COMMENT ON COLUMN loyalty.promotion_conditions.min_total_at IS
    'At which prices that counts: base, or current: as what came before has left them, less what points paid.';
COMMENT ON COLUMN loyalty.promotion_conditions.untouched IS
    'Whether its benefits see only units that no reduction had lowered when the promotion began; level product only.';

-- The best single child of a group.
ALTER TABLE loyalty.promotion_groups
    ADD COLUMN best text NOT NULL DEFAULT 'combination',
    ADD COLUMN best_of text NOT NULL DEFAULT 'order',
    ADD CONSTRAINT promotion_groups_best_is_known CHECK (best IN ('combination', 'single')),
    ADD CONSTRAINT promotion_groups_best_of_is_known CHECK (best_of IN ('order', 'line')),
    ADD CONSTRAINT promotion_groups_best_is_of_max_benefit CHECK (best = 'combination' OR arbitration = 'max_benefit'),
    ADD CONSTRAINT promotion_groups_best_of_line_is_single CHECK (best_of = 'order' OR best = 'single');
COMMENT ON COLUMN loyalty.promotion_groups.best IS
    'What max_benefit weighs: combination (all combinations of its children) or single (each child alone, never two '
    'together).';
COMMENT ON COLUMN loyalty.promotion_groups.best_of IS
    'What a single child is the best of: order (of all of it) or line (of each line the child that is worth most '
    'there).';

-- A version of the present rules follows when the triggers are there: loyalty_internal.adopt_rules().
ALTER TABLE loyalty.promotion_versions ADD COLUMN rules integer NOT NULL DEFAULT 1;
ALTER TABLE loyalty.promotion_versions ALTER COLUMN rules DROP DEFAULT;
ALTER TABLE loyalty.promotion_versions ADD CONSTRAINT promotion_versions_rules_is_positive CHECK (rules > 0);
COMMENT ON COLUMN loyalty.promotion_versions.rules IS
    'Number of the rules of calculation that it was applied under; 1: those of version 0.1.0. Orders placed under '
    'other rules than the library''s are not calculated again.';

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
