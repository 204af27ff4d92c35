-- Goals are new.

CREATE TABLE loyalty.goals (
    program loyalty.external_id NOT NULL,
    external_id loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    point_type loyalty.external_id NOT NULL,
    points numeric NOT NULL,
    automatic boolean NOT NULL DEFAULT false,
    active boolean NOT NULL DEFAULT true,
    promo_code_pool loyalty.external_id,
    reward_point_type loyalty.external_id,
    reward_points numeric,
    reward_text text,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT goals_pkey PRIMARY KEY (program, external_id),
    CONSTRAINT goals_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE,
    CONSTRAINT goals_point_type_fkey FOREIGN KEY (program, point_type) REFERENCES loyalty.point_types,
    CONSTRAINT goals_promo_code_pool_fkey FOREIGN KEY (program, promo_code_pool) REFERENCES loyalty.promo_code_pools,
    CONSTRAINT goals_reward_point_type_fkey FOREIGN KEY (program, reward_point_type) REFERENCES loyalty.point_types,
    CONSTRAINT goals_name_is_not_blank CHECK (name ~ '\S'),
    CONSTRAINT goals_points_range CHECK (points > 0 AND points < 'Infinity'),
    CONSTRAINT goals_reward_points_range CHECK (reward_points > 0 AND reward_points < 'Infinity'),
    CONSTRAINT goals_reward_points_have_a_type CHECK ((reward_points IS NULL) = (reward_point_type IS NULL)),
    CONSTRAINT goals_reward_text_is_not_blank CHECK (reward_text ~ '\S'),
    CONSTRAINT goals_give_one_thing CHECK (num_nonnulls(promo_code_pool, reward_point_type, reward_text) = 1)
);

-- Of two, the one looked at first would leave nothing to the other.
CREATE UNIQUE INDEX goals_one_automatic ON loyalty.goals (program, point_type)
WHERE automatic AND active;

COMMENT ON TABLE loyalty.goals IS
    'What every so many active points of a standard type give, again and again: a promo code, points of another type, '
    'or a text.';
COMMENT ON COLUMN loyalty.goals.program IS 'The program.';
COMMENT ON COLUMN loyalty.goals.external_id IS 'External id, unique in the program; cannot be changed.';
COMMENT ON COLUMN loyalty.goals.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.goals.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.goals.point_type
    IS 'The standard point type whose points are collected, and spent when the goal is claimed.';
COMMENT ON COLUMN loyalty.goals.points IS 'How many of them it takes each time, above 0.';
COMMENT ON COLUMN loyalty.goals.automatic IS
    'Whether it is claimed as soon as there are enough: when points are credited, and by the job expire_points. At '
    'most one such goal of a point type is active.';
COMMENT ON COLUMN loyalty.goals.active IS 'Whether it can be claimed.';
COMMENT ON COLUMN loyalty.goals.promo_code_pool IS
    'It gives a code of this personal pool, attached to the member; null: no code.';
COMMENT ON COLUMN loyalty.goals.reward_point_type IS 'It gives points of this type; null: no points.';
COMMENT ON COLUMN loyalty.goals.reward_points IS 'How many, above 0; null: no points.';
COMMENT ON COLUMN loyalty.goals.reward_text IS
    'It gives what the text says, such as a coffee at the counter; null: no such thing.';
COMMENT ON COLUMN loyalty.goals.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.goals.updated_at IS 'When the row was changed last.';

-- The number is part of the key: however many sessions claim at once, the first claim is made once, and so is the
-- second.
CREATE TABLE loyalty.goal_claims (
    member text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    goal loyalty.external_id NOT NULL,
    number integer NOT NULL,
    claimed_at timestamptz NOT NULL,
    point_type loyalty.external_id NOT NULL,
    points numeric NOT NULL,
    seq bigint NOT NULL,
    promo_code text COLLATE "C",
    reward_point_type loyalty.external_id,
    reward_points numeric,
    reward_seq bigint,
    reward_text text,
    CONSTRAINT goal_claims_pkey PRIMARY KEY (member, program, goal, number),
    CONSTRAINT goal_claims_goal_fkey FOREIGN KEY (program, goal) REFERENCES loyalty.goals,
    CONSTRAINT goal_claims_figures_range CHECK (number > 0 AND points > 0 AND points < 'Infinity')
);

COMMENT ON TABLE loyalty.goal_claims
    IS 'Goals that members have reached, each time with what it took and what it gave.';
COMMENT ON COLUMN loyalty.goal_claims.member IS 'The member.';
COMMENT ON COLUMN loyalty.goal_claims.program IS 'The program.';
COMMENT ON COLUMN loyalty.goal_claims.goal IS 'The goal.';
COMMENT ON COLUMN loyalty.goal_claims.number IS 'How often the member had reached it then, from 1 without gaps.';
COMMENT ON COLUMN loyalty.goal_claims.claimed_at IS 'When.';
COMMENT ON COLUMN loyalty.goal_claims.point_type IS 'The type of the points that it took.';
COMMENT ON COLUMN loyalty.goal_claims.points IS 'How many it took.';
COMMENT ON COLUMN loyalty.goal_claims.seq
    IS 'Number of their redemption in the account: a row of the ledger with source_type goal.';
COMMENT ON COLUMN loyalty.goal_claims.promo_code IS 'The code that it gave; null: none.';
COMMENT ON COLUMN loyalty.goal_claims.reward_point_type IS 'The type of the points that it gave; null: none.';
COMMENT ON COLUMN loyalty.goal_claims.reward_points IS 'How many it gave; null: none.';
COMMENT ON COLUMN loyalty.goal_claims.reward_seq IS 'Number of their accrual in its account; null: none.';
COMMENT ON COLUMN loyalty.goal_claims.reward_text IS 'The text that it gave; null: none.';
