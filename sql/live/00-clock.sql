-- The clock by which defaults are set: anew, because the extension may have come back in another schema.

CREATE OR REPLACE FUNCTION loyalty.clock() RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $clock$ SELECT @extschema@.loyalty_now() $clock$;
