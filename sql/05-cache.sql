-- Telling every session's cache of compiled programs that something it was built from has changed.

CREATE FUNCTION loyalty_internal.invalidate_cache_trigger() RETURNS trigger
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_invalidate_cache_trigger';

COMMENT ON FUNCTION loyalty_internal.invalidate_cache_trigger() IS
    'Trigger, per statement: invalidates what sessions, standby sessions too, have compiled from the table of schema '
    'loyalty that its argument names (promotion_versions or programs). Example: CREATE TRIGGER ... EXECUTE FUNCTION '
    'loyalty_internal.invalidate_cache_trigger(''programs'');';

CREATE FUNCTION loyalty_internal.touch_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    NEW.updated_at := @extschema@.loyalty_now();
    RETURN NEW;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.touch_trigger() IS
    'Trigger, before the update of a row: sets updated_at. Example: CREATE TRIGGER ... EXECUTE FUNCTION '
    'loyalty_internal.touch_trigger();';
