-- Segments of profiles and of orders; those of products stand in 40-catalogue.sql.

CREATE TABLE loyalty.profile_segments (
    program loyalty.external_id NOT NULL,
    external_id loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    kind text NOT NULL DEFAULT 'dynamic',
    predicate jsonpath,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT profile_segments_pkey PRIMARY KEY (program, external_id),
    CONSTRAINT profile_segments_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE,
    CONSTRAINT profile_segments_name_is_not_blank CHECK (name ~ '\S'),
    CONSTRAINT profile_segments_kind_is_known CHECK (kind IN ('dynamic', 'static')),
    CONSTRAINT profile_segments_dynamic_have_a_predicate CHECK ((kind = 'dynamic') = (predicate IS NOT NULL))
);

COMMENT ON TABLE loyalty.profile_segments
    IS 'Segments of profiles that audiences name and that are enrolled by; judged live.';
COMMENT ON COLUMN loyalty.profile_segments.program IS 'The program.';
COMMENT ON COLUMN loyalty.profile_segments.external_id IS 'External id, unique in the program; cannot be changed.';
COMMENT ON COLUMN loyalty.profile_segments.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.profile_segments.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.profile_segments.kind IS
    'dynamic (a predicate) or static (a list of profile keys); cannot be changed.';
COMMENT ON COLUMN loyalty.profile_segments.predicate IS
    'Dynamic only: an SQL/JSON path predicate over the profile''s document, such as $.city == "Riga"; at most 10000 '
    'characters. $.segments[*] == "id" means membership in another profile segment.';
COMMENT ON COLUMN loyalty.profile_segments.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.profile_segments.updated_at IS 'When the row was changed last.';

CREATE TABLE loyalty.profile_segment_members (
    profile text COLLATE "C" NOT NULL,
    program loyalty.external_id NOT NULL,
    segment loyalty.external_id NOT NULL,
    CONSTRAINT profile_segment_members_pkey PRIMARY KEY (profile, program, segment),
    CONSTRAINT profile_segment_members_segment_fkey FOREIGN KEY (program, segment)
        REFERENCES loyalty.profile_segments ON DELETE CASCADE,
    CONSTRAINT profile_segment_members_profile_is_not_empty CHECK (profile <> '')
);

CREATE INDEX profile_segment_members_segment ON loyalty.profile_segment_members (program, segment);

COMMENT ON TABLE loyalty.profile_segment_members IS 'The lists of static profile segments; data, in force at once.';
COMMENT ON COLUMN loyalty.profile_segment_members.profile IS
    'Key of the profile on its list; need not be in the profile database.';
COMMENT ON COLUMN loyalty.profile_segment_members.program IS 'The program.';
COMMENT ON COLUMN loyalty.profile_segment_members.segment IS 'The static segment.';

CREATE TABLE loyalty.order_segments (
    program loyalty.external_id NOT NULL,
    external_id loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    kind text NOT NULL DEFAULT 'dynamic',
    predicate jsonpath,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT order_segments_pkey PRIMARY KEY (program, external_id),
    CONSTRAINT order_segments_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE,
    CONSTRAINT order_segments_name_is_not_blank CHECK (name ~ '\S'),
    CONSTRAINT order_segments_kind_is_known CHECK (kind IN ('dynamic', 'static')),
    CONSTRAINT order_segments_dynamic_have_a_predicate CHECK ((kind = 'dynamic') = (predicate IS NOT NULL))
);

COMMENT ON TABLE loyalty.order_segments IS 'Segments of orders that order conditions of promotions name; judged live.';
COMMENT ON COLUMN loyalty.order_segments.program IS 'The program.';
COMMENT ON COLUMN loyalty.order_segments.external_id IS 'External id, unique in the program; cannot be changed.';
COMMENT ON COLUMN loyalty.order_segments.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.order_segments.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.order_segments.kind IS
    'dynamic (a predicate) or static (a list of orders'' external ids); cannot be changed.';
COMMENT ON COLUMN loyalty.order_segments.predicate IS
    'Dynamic only: an SQL/JSON path predicate over the order''s document, such as $.items >= 3; at most 10000 '
    'characters. $.segments[*] == "id" means membership in another order segment, $.lines[*].segments[*] == "id" that '
    'a line belongs to a product segment; $.segments.id.items and $.segments.id.total are what all lines in product '
    'segment id come to.';
COMMENT ON COLUMN loyalty.order_segments.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.order_segments.updated_at IS 'When the row was changed last.';

CREATE TABLE loyalty.order_segment_members (
    program loyalty.external_id NOT NULL,
    order_id loyalty.external_id NOT NULL,
    segment loyalty.external_id NOT NULL,
    CONSTRAINT order_segment_members_pkey PRIMARY KEY (order_id, program, segment),
    CONSTRAINT order_segment_members_segment_fkey FOREIGN KEY (program, segment)
        REFERENCES loyalty.order_segments ON DELETE CASCADE
);

CREATE INDEX order_segment_members_segment ON loyalty.order_segment_members (program, segment);

COMMENT ON TABLE loyalty.order_segment_members IS 'The lists of static order segments; data, in force at once.';
COMMENT ON COLUMN loyalty.order_segment_members.program IS 'The program.';
COMMENT ON COLUMN loyalty.order_segment_members.order_id IS
    'External id of the order on its list; the order need not have been placed.';
COMMENT ON COLUMN loyalty.order_segment_members.segment IS 'The static segment.';
