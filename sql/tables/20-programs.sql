-- Programs, their members, and the types of points they keep.

CREATE TABLE loyalty.programs (
    external_id loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    profile_database loyalty.external_id NOT NULL,
    currency text COLLATE "C" NOT NULL,
    currency_scale smallint NOT NULL,
    time_zone text NOT NULL,
    negative_balance_allowed boolean NOT NULL DEFAULT false,
    notify_days integer[] NOT NULL DEFAULT '{30, 7, 1}',
    active boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    max_discount_guarantee numeric,
    search_limit integer NOT NULL DEFAULT 2000000,
    price_history boolean NOT NULL DEFAULT false,
    price_scale integer,
    CONSTRAINT programs_pkey PRIMARY KEY (external_id),
    CONSTRAINT programs_profile_database_fkey FOREIGN KEY (profile_database) REFERENCES loyalty.profile_databases,
    CONSTRAINT programs_name_is_not_blank CHECK (name ~ '\S'),
    CONSTRAINT programs_currency_is_a_code CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT programs_currency_scale_range CHECK (currency_scale BETWEEN 0 AND 4),
    CONSTRAINT programs_notify_days_range CHECK (
        cardinality(notify_days) <= 20
        AND array_position(notify_days, NULL) IS NULL
        AND 0 <= ALL (notify_days)
        AND 3650 >= ALL (notify_days)
    ),
    CONSTRAINT programs_max_discount_guarantee_range CHECK (
        max_discount_guarantee >= 0 AND max_discount_guarantee <= 100 AND min_scale(max_discount_guarantee) <= 6
    ),
    CONSTRAINT programs_search_limit_range CHECK (search_limit BETWEEN 1000 AND 1000000000),
    CONSTRAINT programs_price_scale_range CHECK (price_scale BETWEEN currency_scale AND 6)
);

CREATE UNIQUE INDEX programs_one_active_per_profile_database ON loyalty.programs (profile_database) WHERE active;

COMMENT ON TABLE loyalty.programs IS 'Loyalty programs; at most one active per profile database.';
COMMENT ON COLUMN loyalty.programs.external_id IS 'External id, unique.';
COMMENT ON COLUMN loyalty.programs.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.programs.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.programs.profile_database IS 'Whose points it keeps; bound for ever.';
COMMENT ON COLUMN loyalty.programs.currency IS
    'Currency of its money: three capital letters (ISO 4217); fixed once points were booked.';
COMMENT ON COLUMN loyalty.programs.currency_scale IS
    'Decimals of an amount of money, 0 to 4; left out: those of the currency by ISO 4217. Fixed once points were '
    'booked.';
COMMENT ON COLUMN loyalty.programs.time_zone IS
    'IANA time zone of its calendar, such as Europe/Moscow; fixed once points were booked.';
COMMENT ON COLUMN loyalty.programs.negative_balance_allowed IS
    'Whether taking back earned points that were spent already makes the balance negative; otherwise they are owed.';
COMMENT ON COLUMN loyalty.programs.notify_days IS
    'How many days before points expire it is told, by loyalty_tell_expiring(): at most 20 numbers, 0 (on the last '
    'usable day) to 3650; empty: never.';
COMMENT ON COLUMN loyalty.programs.active IS 'Whether it calculates orders and books points.';
COMMENT ON COLUMN loyalty.programs.max_discount_guarantee IS
    'Percent of its goods that no order gets off, by loyalty_bound(): loyalty_apply() refuses a tree that could give '
    'more. 0 to 100, with at most six decimals; null: anything.';
COMMENT ON COLUMN loyalty.programs.search_limit IS
    'Steps that searches for the maximum benefit may take in one order, 1000 to 1000000000: about ten million are a '
    'second on a machine of 2026, whatever it searches. Part of each version, so that orders are priced again as they '
    'were.';
COMMENT ON COLUMN loyalty.programs.price_history IS
    'Whether loyalty.price_history keeps what products have cost, for loyalty_prior_price(); each change of products '
    'is priced then.';
COMMENT ON COLUMN loyalty.programs.price_scale IS
    'Decimals of the price of a unit, currency_scale to 6, where prices are finer than the currency: those of products '
    'and lines, minimum prices, and what benefits make of them; a line''s total is rounded to the currency once. Null: '
    'as the currency. Part of each version; a change takes effect with the next loyalty_apply().';
COMMENT ON COLUMN loyalty.programs.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.programs.updated_at IS 'When the row was changed last.';

-- Everybody who edits the definition of a program updates its row here, so editors come one after the other, and one
-- whose snapshot is older than the last edit gets a serialization failure instead of checking yesterday's tree. The
-- row is apart from loyalty.programs because foreign keys of members and orders lock that one all day.
--
-- That generation is part of a unique key is what makes changing it stronger than changing edits: it waits for those
-- who hold the row FOR KEY SHARE, and they for it. See sql/40-catalogue.sql.
CREATE TABLE loyalty.drafts (
    program loyalty.external_id NOT NULL,
    edits bigint NOT NULL DEFAULT 0,
    generation bigint NOT NULL DEFAULT 0,
    CONSTRAINT drafts_pkey PRIMARY KEY (program),
    CONSTRAINT drafts_generation_key UNIQUE (program, generation),
    CONSTRAINT drafts_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE
);

COMMENT ON TABLE loyalty.drafts IS 'One row per program; changing it orders the editors of the program''s draft.';
COMMENT ON COLUMN loyalty.drafts.program IS 'The program.';
COMMENT ON COLUMN loyalty.drafts.edits IS 'Counts the transactions that edited the draft; only its change matters.';
COMMENT ON COLUMN loyalty.drafts.generation IS
    'Counts the changes of the set of product predicates; only its change matters.';

CREATE TABLE loyalty.members (
    member text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    enrolled_at timestamptz NOT NULL,
    removed_at timestamptz,
    CONSTRAINT members_pkey PRIMARY KEY (member, program),
    CONSTRAINT members_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs,
    CONSTRAINT members_member_is_not_empty CHECK (member <> ''),
    CONSTRAINT members_are_removed_after_enrolment CHECK (removed_at >= enrolled_at)
);

COMMENT ON TABLE loyalty.members IS 'Members of programs, former ones too.';
COMMENT ON COLUMN loyalty.members.member IS 'Key of the profile in the program''s profile database.';
COMMENT ON COLUMN loyalty.members.program IS 'The program.';
COMMENT ON COLUMN loyalty.members.registered_at IS
    'Registration date: the first enrolment, or a date given then; periods count from it.';
COMMENT ON COLUMN loyalty.members.enrolled_at IS
    'Start of the present, or else the last, stay. Left out: now, and the row is an enrolment; given: the row is taken '
    'as it stands, as restores do.';
COMMENT ON COLUMN loyalty.members.removed_at IS 'When the member was removed; null: is a member.';

CREATE TABLE loyalty.point_types (
    program loyalty.external_id NOT NULL,
    external_id loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    kind text NOT NULL DEFAULT 'standard',
    scale smallint NOT NULL DEFAULT 2,
    ratio numeric NOT NULL,
    applied_ratio numeric,
    initial_balance numeric NOT NULL DEFAULT 0,
    validity_count integer,
    validity_unit text,
    refund_allowed boolean NOT NULL DEFAULT true,
    deactivates_at timestamptz,
    active boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    deactivates_on date,
    rounding text NOT NULL DEFAULT 'half',
    redeem_min numeric,
    redeem_step numeric,
    redeem_max_percent numeric,
    CONSTRAINT point_types_pkey PRIMARY KEY (program, external_id),
    CONSTRAINT point_types_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE,
    CONSTRAINT point_types_name_is_not_blank CHECK (name ~ '\S'),
    CONSTRAINT point_types_kind_is_known CHECK (kind IN ('standard', 'qualification')),
    CONSTRAINT point_types_scale_range CHECK (scale BETWEEN 0 AND 4),
    CONSTRAINT point_types_ratio_range CHECK (ratio > 0 AND ratio < 1e12 AND min_scale(ratio) <= 6),
    CONSTRAINT point_types_initial_balance_range CHECK (initial_balance >= 0 AND initial_balance < 'Infinity'),
    CONSTRAINT point_types_initial_balance_fits_scale CHECK (min_scale(initial_balance) <= scale),
    CONSTRAINT point_types_validity_count_is_positive CHECK (validity_count > 0),
    CONSTRAINT point_types_validity_unit_is_known CHECK (validity_unit IN ('day', 'week', 'month', 'year')),
    CONSTRAINT point_types_validity_is_whole CHECK ((validity_count IS NULL) = (validity_unit IS NULL)),
    CONSTRAINT point_types_only_standard_have_initial_balance CHECK (kind = 'standard' OR initial_balance = 0),
    CONSTRAINT point_types_only_standard_have_validity CHECK (kind = 'standard' OR validity_count IS NULL),
    CONSTRAINT point_types_only_standard_are_deactivated CHECK (kind = 'standard' OR deactivates_at IS NULL),
    CONSTRAINT point_types_only_standard_have_a_last_day CHECK (kind = 'standard' OR deactivates_on IS NULL),
    CONSTRAINT point_types_deactivates_on_range
        CHECK (isfinite(deactivates_on) AND extract(year FROM deactivates_on) >= 100),
    CONSTRAINT point_types_one_end CHECK (num_nonnulls(deactivates_at, deactivates_on) <= 1),
    CONSTRAINT point_types_rounding_is_known CHECK (rounding IN ('half', 'down', 'up')),
    CONSTRAINT point_types_redeem_min_range CHECK (redeem_min > 0 AND redeem_min < 'Infinity'),
    CONSTRAINT point_types_redeem_min_fits_scale CHECK (min_scale(redeem_min) <= scale),
    CONSTRAINT point_types_redeem_step_range CHECK (redeem_step > 0 AND redeem_step < 'Infinity'),
    CONSTRAINT point_types_redeem_step_fits_scale CHECK (min_scale(redeem_step) <= scale),
    CONSTRAINT point_types_redeem_max_percent_range CHECK (
        redeem_max_percent > 0 AND redeem_max_percent <= 100 AND min_scale(redeem_max_percent) <= 6
    ),
    CONSTRAINT point_types_only_standard_are_redeemed CHECK (
        kind = 'standard' OR num_nonnulls(redeem_min, redeem_step, redeem_max_percent) = 0
    )
);

COMMENT ON TABLE loyalty.point_types IS
    'Types of points: standard ones are earned and spent, qualification ones lift a member through tiers.';
COMMENT ON COLUMN loyalty.point_types.program IS 'The program.';
COMMENT ON COLUMN loyalty.point_types.external_id IS 'External id, unique in the program.';
COMMENT ON COLUMN loyalty.point_types.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.point_types.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.point_types.kind IS 'standard or qualification; fixed once points of the type were booked.';
COMMENT ON COLUMN loyalty.point_types.scale IS
    'Decimals of a number of points, 0 to 4; fixed once points of the type were booked.';
COMMENT ON COLUMN loyalty.point_types.ratio IS
    'Points per one unit of money: above 0, at most 12 digits before and 6 after the point.';
COMMENT ON COLUMN loyalty.point_types.applied_ratio IS
    'The ratio of the version in force, by which balances are worth money; filled when a version is applied. Null: the '
    'type is in no version, and worth its ratio.';
COMMENT ON COLUMN loyalty.point_types.initial_balance IS
    'Points granted once, at a member''s first enrolment; 0 or more, standard only.';
COMMENT ON COLUMN loyalty.point_types.validity_count IS
    'How many units of time points stay valid, above 0; null: for ever. Standard only.';
COMMENT ON COLUMN loyalty.point_types.validity_unit IS 'Unit of validity_count: day, week, month or year.';
COMMENT ON COLUMN loyalty.point_types.refund_allowed IS
    'Whether points spent come back to the member when goods are returned.';
COMMENT ON COLUMN loyalty.point_types.deactivates_at IS
    'From when points are neither earned nor spent; null: see deactivates_on, or never. Standard only.';
COMMENT ON COLUMN loyalty.point_types.active IS 'Whether points of the type can be earned and spent.';
COMMENT ON COLUMN loyalty.point_types.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.point_types.updated_at IS 'When the row was changed last.';
COMMENT ON COLUMN loyalty.point_types.deactivates_on IS
    'First day, in the program''s time zone, on which points are neither earned nor spent, in place of deactivates_at; '
    'null: see there.';
COMMENT ON COLUMN loyalty.point_types.rounding IS
    'How what an order earns is rounded to the decimals of the type: half (up from a half on), down or up.';
COMMENT ON COLUMN loyalty.point_types.redeem_min IS
    'The fewest points that an order spends: rather than fewer it spends none. Above 0; null: any number. Standard '
    'only.';
COMMENT ON COLUMN loyalty.point_types.redeem_step IS
    'Orders spend multiples of so many points. Above 0; null: any number. Standard only.';
COMMENT ON COLUMN loyalty.point_types.redeem_max_percent IS
    'The most that points of the type pay of an order, in percent of its goods as they stand, before points pay for '
    'them; above 0, at most 100. Null: all of it. Standard only.';
