-- The outbox of events.

CREATE OR REPLACE TRIGGER place
    BEFORE INSERT ON loyalty.events
    FOR EACH ROW
    WHEN (NEW.epoch IS NULL)
    EXECUTE FUNCTION @extschema@.loyalty_events_trigger();
COMMENT ON TRIGGER place ON loyalty.events IS 'Gives an event its place in the order of reading.';

CREATE OR REPLACE TRIGGER notify
    AFTER INSERT ON loyalty.events
    FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.loyalty_notify_trigger();
COMMENT ON TRIGGER notify ON loyalty.events IS 'Wakes those who listen to channel loyalty.';
