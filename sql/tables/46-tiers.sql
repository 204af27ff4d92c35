-- Tier groups, their tiers, and who holds which.

CREATE TABLE loyalty.tier_groups (
    program loyalty.external_id NOT NULL,
    external_id loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    model text NOT NULL,
    point_type loyalty.external_id,
    fall_on_reversal boolean NOT NULL DEFAULT false,
    interval_count integer,
    interval_unit text,
    upgrade_at_once boolean NOT NULL DEFAULT false,
    reset_count integer,
    reset_unit text,
    extend_to_month_end boolean NOT NULL DEFAULT false,
    activity_days integer,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT tier_groups_pkey PRIMARY KEY (program, external_id),
    CONSTRAINT tier_groups_point_type_key UNIQUE (program, point_type),
    CONSTRAINT tier_groups_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE,
    CONSTRAINT tier_groups_point_type_fkey FOREIGN KEY (program, point_type) REFERENCES loyalty.point_types,
    CONSTRAINT tier_groups_name_is_not_blank CHECK (name ~ '\S'),
    CONSTRAINT tier_groups_model_is_known CHECK (model IN ('cumulative', 'cyclic', 'dynamic')),
    CONSTRAINT tier_groups_point_type_goes_with_model CHECK ((model = 'dynamic') = (point_type IS NULL)),
    CONSTRAINT tier_groups_only_cumulative_fall_on_reversal CHECK (model = 'cumulative' OR NOT fall_on_reversal),
    CONSTRAINT tier_groups_interval_is_positive CHECK (interval_count > 0),
    CONSTRAINT tier_groups_interval_unit_is_known CHECK (interval_unit IN ('day', 'week', 'month', 'year')),
    CONSTRAINT tier_groups_interval_is_whole CHECK ((interval_count IS NULL) = (interval_unit IS NULL)),
    CONSTRAINT tier_groups_interval_goes_with_model CHECK ((model = 'cyclic') = (interval_count IS NOT NULL)),
    CONSTRAINT tier_groups_only_cyclic_have_reviews
        CHECK (model = 'cyclic' OR NOT upgrade_at_once AND NOT extend_to_month_end AND reset_count IS NULL),
    CONSTRAINT tier_groups_reset_is_positive CHECK (reset_count > 0),
    CONSTRAINT tier_groups_reset_unit_is_known CHECK (reset_unit IN ('day', 'week', 'month', 'year')),
    CONSTRAINT tier_groups_reset_is_whole CHECK ((reset_count IS NULL) = (reset_unit IS NULL)),
    CONSTRAINT tier_groups_activity_days_range CHECK (activity_days BETWEEN 1 AND 36500),
    CONSTRAINT tier_groups_only_dynamic_have_activity CHECK (model = 'dynamic' OR activity_days IS NULL)
);

COMMENT ON TABLE loyalty.tier_groups IS 'Groups of tiers; a member may hold one tier of each group.';
COMMENT ON COLUMN loyalty.tier_groups.program IS 'The program.';
COMMENT ON COLUMN loyalty.tier_groups.external_id IS 'External id, unique in the program; cannot be changed.';
COMMENT ON COLUMN loyalty.tier_groups.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.tier_groups.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.tier_groups.model IS
    'cumulative (by lifetime points, kept for ever), cyclic (reviewed at each period''s end) or dynamic (by '
    'predicates).';
COMMENT ON COLUMN loyalty.tier_groups.point_type IS
    'The qualification points it is judged by; cumulative and cyclic only. A type belongs to at most one group.';
COMMENT ON COLUMN loyalty.tier_groups.fall_on_reversal IS
    'Cumulative only: whether points taken back for returned goods may lower the tier.';
COMMENT ON COLUMN loyalty.tier_groups.interval_count IS
    'Cyclic only: length of a period, in interval_unit; periods count from the member''s registration day.';
COMMENT ON COLUMN loyalty.tier_groups.interval_unit IS 'Unit of interval_count: day, week, month or year.';
COMMENT ON COLUMN loyalty.tier_groups.upgrade_at_once IS
    'Cyclic only: whether a member rises as soon as the points suffice, not only at the review.';
COMMENT ON COLUMN loyalty.tier_groups.reset_count IS
    'Cyclic only: points are reset after this many of reset_unit, counted like periods; null: at each period''s end.';
COMMENT ON COLUMN loyalty.tier_groups.reset_unit IS 'Unit of reset_count: day, week, month or year.';
COMMENT ON COLUMN loyalty.tier_groups.extend_to_month_end IS
    'Cyclic only: whether a fall takes effect at the first of the next month only.';
COMMENT ON COLUMN loyalty.tier_groups.activity_days IS
    'Dynamic only: how many days back orders count, 1 to 36500; null: all.';
COMMENT ON COLUMN loyalty.tier_groups.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.tier_groups.updated_at IS 'When the row was changed last.';

CREATE TABLE loyalty.tiers (
    program loyalty.external_id NOT NULL,
    external_id loyalty.external_id NOT NULL,
    tier_group loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    position smallint NOT NULL,
    threshold numeric,
    predicate jsonpath,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT tiers_pkey PRIMARY KEY (program, external_id),
    CONSTRAINT tiers_group_key UNIQUE (program, tier_group, external_id),
    CONSTRAINT tiers_position_key UNIQUE (program, tier_group, position) DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT tiers_group_fkey FOREIGN KEY (program, tier_group) REFERENCES loyalty.tier_groups ON DELETE CASCADE,
    CONSTRAINT tiers_name_is_not_blank CHECK (name ~ '\S'),
    CONSTRAINT tiers_position_range CHECK (position >= 0),
    CONSTRAINT tiers_threshold_range CHECK (threshold >= 0 AND threshold < 'Infinity'),
    CONSTRAINT tiers_threshold_or_predicate CHECK (num_nonnulls(threshold, predicate) > 0)
);

COMMENT ON TABLE loyalty.tiers IS 'Tiers, such as bronze, silver and gold, from the lowest up.';
COMMENT ON COLUMN loyalty.tiers.program IS 'The program.';
COMMENT ON COLUMN loyalty.tiers.external_id IS 'External id, unique in the program; cannot be changed.';
COMMENT ON COLUMN loyalty.tiers.tier_group IS 'The group it belongs to.';
COMMENT ON COLUMN loyalty.tiers.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.tiers.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.tiers.position IS 'Rank in the group, from 0 for the lowest.';
COMMENT ON COLUMN loyalty.tiers.threshold IS
    'Cumulative and cyclic groups: points from which a member holds it, 0 or more, rising with the position.';
COMMENT ON COLUMN loyalty.tiers.predicate IS
    'Dynamic groups: an SQL/JSON path predicate over the member''s profile, balances and orders, such as '
    '$.orders.count >= 3; the highest tier whose predicate holds is held. Cumulative groups, beside the threshold: '
    'whoever fulfils it reaches the tier whatever the points are, and keeps it; not where fall_on_reversal is on.';
COMMENT ON COLUMN loyalty.tiers.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.tiers.updated_at IS 'When the row was changed last.';

-- What a member holds, and what is needed to judge it next: see src/core/tiers. A page with room keeps the update of
-- every booking heap-only.
CREATE TABLE loyalty.member_tiers (
    member text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    tier_group loyalty.external_id NOT NULL,
    tier loyalty.external_id,
    since timestamptz NOT NULL DEFAULT loyalty.clock(),
    seq bigint NOT NULL DEFAULT 0,
    earned_tier loyalty.external_id,
    kept_tier loyalty.external_id,
    falls_at timestamptz NOT NULL DEFAULT 'infinity',
    points numeric NOT NULL DEFAULT 0,
    review_at timestamptz NOT NULL DEFAULT 'infinity',
    reset_at timestamptz NOT NULL DEFAULT 'infinity',
    due_at timestamptz NOT NULL DEFAULT 'infinity',
    given_tier loyalty.external_id,
    given_until timestamptz NOT NULL DEFAULT 'infinity',
    given_reason text,
    CONSTRAINT member_tiers_pkey PRIMARY KEY (member, program, tier_group),
    CONSTRAINT member_tiers_member_fkey FOREIGN KEY (member, program) REFERENCES loyalty.members,
    CONSTRAINT member_tiers_tier_group_fkey FOREIGN KEY (program, tier_group) REFERENCES loyalty.tier_groups,
    CONSTRAINT member_tiers_tier_fkey FOREIGN KEY (program, tier_group, tier)
        REFERENCES loyalty.tiers (program, tier_group, external_id),
    CONSTRAINT member_tiers_given_tier_fkey FOREIGN KEY (program, tier_group, given_tier)
        REFERENCES loyalty.tiers (program, tier_group, external_id),
    CONSTRAINT member_tiers_given_is_whole
        CHECK (given_tier IS NOT NULL OR given_until = 'infinity' AND given_reason IS NULL)
) WITH (fillfactor = 80);

-- Partial, so that it never looks as good as the primary key to whoever looks for one member: without statistics it
-- would, and be read from end to end (measured).
CREATE INDEX member_tiers_due ON loyalty.member_tiers (program, tier_group, due_at) WHERE due_at < 'infinity';

COMMENT ON TABLE loyalty.member_tiers IS 'The tier that each member holds in each group, as of the last touch.';
COMMENT ON COLUMN loyalty.member_tiers.member IS 'The member.';
COMMENT ON COLUMN loyalty.member_tiers.program IS 'The program.';
COMMENT ON COLUMN loyalty.member_tiers.tier_group IS 'The tier group.';
COMMENT ON COLUMN loyalty.member_tiers.tier
    IS 'The tier held; null: none. Up to date until due_at: see loyalty_tier().';
COMMENT ON COLUMN loyalty.member_tiers.since IS 'Since when.';
COMMENT ON COLUMN loyalty.member_tiers.seq IS 'Number of the last row of loyalty.member_tier_history; 0: none yet.';
COMMENT ON COLUMN loyalty.member_tiers.earned_tier IS
    'The tier by the last review (cyclic), reached for ever (cumulative), or as last judged (dynamic); null: none.';
COMMENT ON COLUMN loyalty.member_tiers.kept_tier IS
    'The tier kept until falls_at although the review gave a lower one; null: none is.';
COMMENT ON COLUMN loyalty.member_tiers.falls_at IS 'When the fall takes effect that waits; infinity: none does.';
COMMENT ON COLUMN loyalty.member_tiers.points
    IS 'Cumulative groups: lifetime points, earned less taken back; otherwise 0.';
COMMENT ON COLUMN loyalty.member_tiers.review_at
    IS 'End of the period, when the tier is reviewed next; infinity: never.';
COMMENT ON COLUMN loyalty.member_tiers.reset_at IS 'When the points are reset next; infinity: never.';
COMMENT ON COLUMN loyalty.member_tiers.due_at IS
    'The next moment at which the calendar alone may change the tier: a review, a reset, a fall, the end of what was '
    'given; with upgrade_at_once also a lot that expires or becomes active; infinity: none.';
COMMENT ON COLUMN loyalty.member_tiers.given_tier IS
    'The tier given by hand, see loyalty_set_tier(): no lower one is held until given_until; null: none was given.';
COMMENT ON COLUMN loyalty.member_tiers.given_until IS 'When what was given ends, exclusive; infinity: never.';
COMMENT ON COLUMN loyalty.member_tiers.given_reason IS 'Why it was given, in somebody''s words; may be null.';

CREATE TABLE loyalty.member_tier_history (
    member text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    tier_group loyalty.external_id NOT NULL,
    seq bigint NOT NULL,
    tier loyalty.external_id,
    since timestamptz NOT NULL,
    cause text NOT NULL,
    reason text,
    CONSTRAINT member_tier_history_pkey PRIMARY KEY (member, program, tier_group, seq),
    CONSTRAINT member_tier_history_member_tier_fkey FOREIGN KEY (member, program, tier_group)
        REFERENCES loyalty.member_tiers,
    CONSTRAINT member_tier_history_tier_fkey FOREIGN KEY (program, tier_group, tier)
        REFERENCES loyalty.tiers (program, tier_group, external_id),
    CONSTRAINT member_tier_history_cause_is_known CHECK (
        cause IN (
            'enrolment', 'removal', 'points', 'review', 'reset', 'month_end', 'edit', 'judgement', 'given', 'given_end'
        )
    )
);

COMMENT ON TABLE loyalty.member_tier_history IS
    'Every change of a tier: a row says what was held from then on, until the next row of the member and group.';
COMMENT ON COLUMN loyalty.member_tier_history.member IS 'The member.';
COMMENT ON COLUMN loyalty.member_tier_history.program IS 'The program.';
COMMENT ON COLUMN loyalty.member_tier_history.tier_group IS 'The tier group.';
COMMENT ON COLUMN loyalty.member_tier_history.seq IS 'Number of the change for the member and group, from 1.';
COMMENT ON COLUMN loyalty.member_tier_history.tier IS 'The tier held from then on; null: none.';
COMMENT ON COLUMN loyalty.member_tier_history.since IS 'From when; changes at one moment follow one another by seq.';
COMMENT ON COLUMN loyalty.member_tier_history.cause IS
    'enrolment, removal, points (booked, expired, become active or taken back), review, reset, month_end (a fall that '
    'waited), edit (of the tiers), judgement (of a dynamic group), given (by hand) or given_end (what was given '
    'ended).';
COMMENT ON COLUMN loyalty.member_tier_history.reason IS
    'Why a tier was given by hand, or ended, in somebody''s words; may be null. Erasing the member blanks it.';
