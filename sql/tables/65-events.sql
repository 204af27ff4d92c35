-- The transactional outbox: what happened, for mailings and scenarios outside.

CREATE TABLE loyalty.events (
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    number bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    program loyalty.external_id NOT NULL,
    type text COLLATE "C" NOT NULL,
    profile text COLLATE "C",
    data jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT events_pkey PRIMARY KEY (xid, number),
    CONSTRAINT events_type_is_not_empty CHECK (type <> ''),
    CONSTRAINT events_data_is_an_object CHECK (jsonb_typeof(data) = 'object')
);

CREATE INDEX events_created_at ON loyalty.events (created_at);

COMMENT ON TABLE loyalty.events IS
    'What happened, in the transaction in which it happened; consumers read it in the order of xid and number.';
COMMENT ON COLUMN loyalty.events.xid IS 'The transaction; an event is handed out when no older transaction is running.';
COMMENT ON COLUMN loyalty.events.number IS 'Number of the event; one profile''s rise in booking order.';
COMMENT ON COLUMN loyalty.events.program IS 'The program.';
COMMENT ON COLUMN loyalty.events.type IS 'What happened, such as order_placed, tier_changed or points_expiring.';
COMMENT ON COLUMN loyalty.events.profile IS 'Key of the profile it happened to; null: an anonymous guest, or nobody.';
COMMENT ON COLUMN loyalty.events.data IS 'The particulars: a JSON object.';
COMMENT ON COLUMN loyalty.events.created_at IS 'When it happened.';
