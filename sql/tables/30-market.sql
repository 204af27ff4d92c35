-- Where things are sold, and what can become of an order.

CREATE TABLE loyalty.channels (
    program loyalty.external_id NOT NULL,
    external_id loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT channels_pkey PRIMARY KEY (program, external_id),
    CONSTRAINT channels_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE,
    CONSTRAINT channels_name_is_not_blank CHECK (name ~ '\S')
);

COMMENT ON TABLE loyalty.channels IS 'Sales channels: a web shop, stores, a telephone line.';
COMMENT ON COLUMN loyalty.channels.program IS 'The program.';
COMMENT ON COLUMN loyalty.channels.external_id IS 'External id, unique in the program.';
COMMENT ON COLUMN loyalty.channels.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.channels.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.channels.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.channels.updated_at IS 'When the row was changed last.';

CREATE TABLE loyalty.contact_points (
    program loyalty.external_id NOT NULL,
    external_id loyalty.external_id NOT NULL,
    channel loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT contact_points_pkey PRIMARY KEY (program, external_id),
    CONSTRAINT contact_points_channel_fkey FOREIGN KEY (program, channel) REFERENCES loyalty.channels ON DELETE CASCADE,
    CONSTRAINT contact_points_name_is_not_blank CHECK (name ~ '\S')
);

CREATE INDEX contact_points_channel ON loyalty.contact_points (program, channel);

COMMENT ON TABLE loyalty.contact_points IS 'Contact points of channels: the cart of a web shop, one store, one till.';
COMMENT ON COLUMN loyalty.contact_points.program IS 'The program.';
COMMENT ON COLUMN loyalty.contact_points.external_id IS 'External id, unique in the program.';
COMMENT ON COLUMN loyalty.contact_points.channel IS 'The one channel it belongs to.';
COMMENT ON COLUMN loyalty.contact_points.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.contact_points.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.contact_points.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.contact_points.updated_at IS 'When the row was changed last.';

CREATE TABLE loyalty.regions (
    program loyalty.external_id NOT NULL,
    external_id loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT regions_pkey PRIMARY KEY (program, external_id),
    CONSTRAINT regions_program_fkey FOREIGN KEY (program) REFERENCES loyalty.programs ON DELETE CASCADE,
    CONSTRAINT regions_name_is_not_blank CHECK (name ~ '\S')
);

COMMENT ON TABLE loyalty.regions IS 'Regions that orders come from.';
COMMENT ON COLUMN loyalty.regions.program IS 'The program.';
COMMENT ON COLUMN loyalty.regions.external_id IS 'External id, unique in the program.';
COMMENT ON COLUMN loyalty.regions.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.regions.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.regions.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.regions.updated_at IS 'When the row was changed last.';

CREATE TABLE loyalty.order_statuses (
    external_id loyalty.external_id NOT NULL,
    name text NOT NULL,
    description text,
    position smallint NOT NULL,
    kind text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT order_statuses_pkey PRIMARY KEY (external_id),
    CONSTRAINT order_statuses_position_key UNIQUE (position) DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT order_statuses_name_is_not_blank CHECK (name ~ '\S'),
    CONSTRAINT order_statuses_position_range CHECK (position >= 0),
    CONSTRAINT order_statuses_kind_is_known CHECK (kind IN ('open', 'delivered', 'cancelled', 'refunded'))
);

COMMENT ON TABLE loyalty.order_statuses IS
    'Statuses of orders and of their lines, the same for all programs; own ones may be added.';
COMMENT ON COLUMN loyalty.order_statuses.external_id IS 'External id, unique; may equal a kind.';
COMMENT ON COLUMN loyalty.order_statuses.name IS 'Name for people.';
COMMENT ON COLUMN loyalty.order_statuses.description IS 'What it is; may be null.';
COMMENT ON COLUMN loyalty.order_statuses.position IS
    'Place in an order''s life, from 0, unique; one UPDATE may shift many. Points for a status of kind delivered wait '
    'for that kind, whatever the positions.';
COMMENT ON COLUMN loyalty.order_statuses.kind IS
    'open, delivered, cancelled (performs the cancellation) or refunded (returns all that is left).';
COMMENT ON COLUMN loyalty.order_statuses.created_at IS 'When the row was made.';
COMMENT ON COLUMN loyalty.order_statuses.updated_at IS 'When the row was changed last.';
