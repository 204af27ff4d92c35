-- The outbox of events.

CREATE OR REPLACE TRIGGER invalidate_cache
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON loyalty.event_epochs
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.invalidate_cache_trigger('event_epochs');
COMMENT ON TRIGGER invalidate_cache ON loyalty.event_epochs IS 'Makes every session look up its epoch again.';

CREATE OR REPLACE TRIGGER place
    BEFORE INSERT ON loyalty.events
    FOR EACH ROW
    WHEN (NEW.epoch IS NULL)
    EXECUTE FUNCTION loyalty_internal.events_trigger();
COMMENT ON TRIGGER place ON loyalty.events IS 'Gives an event its place in the order of reading.';

CREATE OR REPLACE TRIGGER notify
    AFTER INSERT ON loyalty.events
    FOR EACH STATEMENT EXECUTE FUNCTION loyalty_internal.notify_trigger();
COMMENT ON TRIGGER notify ON loyalty.events IS 'Wakes those who listen to channel loyalty.';
