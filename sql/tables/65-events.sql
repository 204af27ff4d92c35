-- The transactional outbox: what happened, for mailings and scenarios outside, and how far its consumers have read.

-- Transaction ids say which events can be handed out, and those of another server say nothing on this one. A dump that
-- is restored, or an upgraded server, therefore begins an epoch.
CREATE TABLE loyalty.event_epochs (
    epoch integer NOT NULL,
    system_identifier bigint NOT NULL,
    CONSTRAINT event_epochs_pkey PRIMARY KEY (epoch),
    CONSTRAINT event_epochs_system_identifier_key UNIQUE (system_identifier),
    CONSTRAINT event_epochs_epoch_is_positive CHECK (epoch > 0)
);

COMMENT ON TABLE loyalty.event_epochs IS 'The servers on which events were written, one after the other.';
COMMENT ON COLUMN loyalty.event_epochs.epoch IS 'Number of the epoch, from 1.';
COMMENT ON COLUMN loyalty.event_epochs.system_identifier IS 'The server, as pg_control_system() calls it.';

-- Every booking writes an event, so the table is lean: its order of reading is near enough that of created_at for
-- deleting what is old, and the trigger that fills `epoch` reads it from event_epochs, where nothing is deleted, so a
-- foreign key would look a second time.
CREATE TABLE loyalty.events (
    epoch integer NOT NULL,
    xid xid8 NOT NULL,
    number bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    program text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    profile text COLLATE "C",
    data jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (epoch, xid, number)
);

CREATE INDEX events_profile ON loyalty.events (profile, program) WHERE profile IS NOT NULL;

COMMENT ON TABLE loyalty.events IS
    'What happened, written in the transaction in which it happened; read with loyalty_events_since() or '
    'loyalty_events_claim().';
COMMENT ON COLUMN loyalty.events.epoch IS 'The server it was written on; filled by a trigger.';
COMMENT ON COLUMN loyalty.events.xid IS
    'The last transaction id given out when it was written; it is handed out once all transactions up to it have '
    'ended. Filled by a trigger.';
COMMENT ON COLUMN loyalty.events.number IS 'Number of the event; gaps are normal.';
COMMENT ON COLUMN loyalty.events.program IS 'The program.';
COMMENT ON COLUMN loyalty.events.type IS 'What happened, such as order_placed, tier_changed or points_expiring.';
COMMENT ON COLUMN loyalty.events.profile IS 'Key of the profile it happened to; null: an anonymous guest, or nobody.';
COMMENT ON COLUMN loyalty.events.data IS 'The particulars: a JSON object.';
COMMENT ON COLUMN loyalty.events.created_at IS 'When it happened; filled by a trigger.';

CREATE TABLE loyalty.event_cursors (
    consumer text COLLATE "C" NOT NULL,
    worker integer NOT NULL,
    workers integer NOT NULL,
    epoch integer NOT NULL DEFAULT 0,
    xid xid8 NOT NULL DEFAULT '0',
    number bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT loyalty.clock(),
    CONSTRAINT event_cursors_pkey PRIMARY KEY (consumer, worker),
    CONSTRAINT event_cursors_consumer_is_not_empty CHECK (consumer <> ''),
    CONSTRAINT event_cursors_workers_range CHECK (workers BETWEEN 1 AND 1000),
    CONSTRAINT event_cursors_worker_range CHECK (worker >= 0 AND worker < workers)
);

COMMENT ON TABLE loyalty.event_cursors IS
    'How far each worker of each consumer has read the events. Delete a consumer that is gone: events are kept for it.';
COMMENT ON COLUMN loyalty.event_cursors.consumer IS 'Name of the consumer.';
COMMENT ON COLUMN loyalty.event_cursors.worker IS 'Number of the worker, from 0; each has the profiles of one slice.';
COMMENT ON COLUMN loyalty.event_cursors.workers IS 'How many workers share the consumer''s events, 1 to 1000.';
COMMENT ON COLUMN loyalty.event_cursors.epoch IS 'Epoch of the last event acknowledged; 0: none yet.';
COMMENT ON COLUMN loyalty.event_cursors.xid IS 'Its xid.';
COMMENT ON COLUMN loyalty.event_cursors.number IS 'Its number.';
COMMENT ON COLUMN loyalty.event_cursors.updated_at IS 'When it was acknowledged.';
