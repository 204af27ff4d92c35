-- The outbox: reading events, alone or shared among workers, and deleting old ones.

CREATE FUNCTION loyalty_internal.events_trigger() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'loyalty_events_trigger';

COMMENT ON FUNCTION loyalty_internal.events_trigger() IS
    'Trigger, before an event is inserted: gives it its place, so that events are read in the order in which they were '
    'written for a profile, and none is missed. '
    'Example: CREATE TRIGGER ... EXECUTE FUNCTION loyalty_internal.events_trigger();';

CREATE FUNCTION loyalty_internal.notify_trigger() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'loyalty_notify_trigger';

COMMENT ON FUNCTION loyalty_internal.notify_trigger() IS
    'Trigger, per statement: NOTIFY loyalty, without a payload, when the transaction commits, unless the setting '
    'loyalty.notify is off. Of transactions that commit at the same time only some notify. Example: CREATE TRIGGER ... '
    'EXECUTE FUNCTION loyalty_internal.notify_trigger();';

CREATE FUNCTION @extschema@.loyalty_events_since(
    after text,
    max_events integer DEFAULT 1000,
    OUT "position" text,
    OUT program text,
    OUT type text,
    OUT profile text,
    OUT data jsonb,
    OUT created_at timestamptz
) RETURNS SETOF record
    LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 1000
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_events_since';

COMMENT ON FUNCTION @extschema@.loyalty_events_since(text, integer) IS
    'The next events after a position, at most max_events (1 to 100000); null: from the first that is kept. The next '
    'position is that of the last row. Only events whose transaction, and every older one, has ended are returned: so '
    'none is ever skipped, and those of one profile come in the order in which they were booked. Errors: LY760 '
    '(position), LY104 (max_events). Example: SELECT * FROM loyalty_events_since(NULL, 100);';

CREATE FUNCTION @extschema@.loyalty_events_claim(
    consumer text,
    worker integer DEFAULT 0,
    workers integer DEFAULT 1,
    max_events integer DEFAULT 1000,
    OUT "position" text,
    OUT program text,
    OUT type text,
    OUT profile text,
    OUT data jsonb,
    OUT created_at timestamptz
) RETURNS SETOF record
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 1000
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_events_claim';

COMMENT ON FUNCTION @extschema@.loyalty_events_claim(text, integer, integer, integer) IS
    'The next events for a worker (0 to workers - 1) of a consumer, which is made at its first claim and begins with '
    'the first event kept. All events of one profile go to one worker. The same events come again until '
    'loyalty_events_ack(): at least once, in order. Another number of workers (1 to 1000) shares anew, from the '
    'position of the slowest. Errors: LY104 (a number out of range), LY526 (no consumer). Example: SELECT * FROM '
    'loyalty_events_claim(''mailer'', 0, 8);';

CREATE FUNCTION @extschema@.loyalty_events_ack(consumer text, worker integer, workers integer, "position" text)
    RETURNS void
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_events_ack';

COMMENT ON FUNCTION @extschema@.loyalty_events_ack(text, integer, integer, text) IS
    'Says that a worker is done with the events up to a position, inclusive; a position before the one acknowledged '
    'changes nothing. Errors: LY760 (position), LY761 (no such worker, or the consumer''s events are shared by another '
    'number of workers by now). Example: SELECT loyalty_events_ack(''mailer'', 0, 8, ''1/734/12'');';

CREATE FUNCTION @extschema@.loyalty_delete_events(older_than interval DEFAULT '30 days',
    max_events integer DEFAULT 10000) RETURNS bigint
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_delete_events';

COMMENT ON FUNCTION @extschema@.loyalty_delete_events(interval, integer) IS
    'Deletes events older than that which all consumers have acknowledged, the oldest first, at most max_events (1 to '
    '1000000) of them, and returns how many; repeat it until 0. A consumer that is gone keeps events alive: delete its '
    'rows of loyalty.event_cursors. Errors: LY104 (a number out of range, or a negative interval). Example: SELECT '
    'loyalty_delete_events(''90 days'');';

CREATE FUNCTION loyalty_internal.event_is_well_formed("row" record) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'loyalty_event_is_well_formed';

COMMENT ON FUNCTION loyalty_internal.event_is_well_formed(record) IS
    'Whether a row of loyalty.events obeys the rules that it tells by itself: a type that is not empty; data is an '
    'object. Errors: LY724, XX001 (not a row of that table). Example: SELECT '
    'loyalty_internal.event_is_well_formed(events) FROM loyalty.events;';
