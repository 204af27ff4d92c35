-- Jobs that work through all accounts, batch by batch.

CREATE FUNCTION loyalty_expire_batch(batch_size integer, fresh boolean) RETURNS bigint
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_expire_batch';

COMMENT ON FUNCTION loyalty_expire_batch(integer, boolean) IS
    'One batch of loyalty_expire_points(): the next batch_size accounts (1 to 1000000). With fresh, a new run, or an '
    'interrupted one from where it stopped. An account that fails is skipped. Returns how many lots expired, or null once '
    'all accounts are done. Errors: LY524 (another run is at work), LY104 (batch size), LY317 (isolation level). Example: '
    'SELECT loyalty_expire_batch(10000, true);';

-- A procedure that commits cannot pin its search path, so it qualifies every name. Each batch is a transaction of its
-- own, READ COMMITTED whatever the session's default, since it must see the newest rows.
CREATE PROCEDURE loyalty_expire_points(batch_size integer DEFAULT 10000)
    LANGUAGE plpgsql
    AS $body$
DECLARE
    expired bigint;
    total bigint := 0;
    fresh boolean := true;
BEGIN
    LOOP
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        expired := @extschema@.loyalty_expire_batch(batch_size, fresh);
        EXIT WHEN expired IS NULL;
        fresh := false;
        total := total OPERATOR(pg_catalog.+) expired;
        IF expired OPERATOR(pg_catalog.>) 0 THEN
            RAISE NOTICE 'expired % lots', total;
        END IF;
    END LOOP;
    COMMIT;
END
$body$;

COMMENT ON PROCEDURE loyalty_expire_points(integer) IS
    'Books the expiration of all points past their date, and ends the holds past their time-out, batch_size accounts '
    'at a time, each batch in a transaction of its own; an interrupted run goes on where it stopped. An account that '
    'fails, because of a trigger of yours for instance, is skipped, recorded in loyalty.job_errors and tried again by the '
    'next run; a WARNING at the end tells how many. Nothing depends on the job: what is due is booked before anything '
    'else on an account. Progress: NOTICEs, and loyalty.job_progress. '
    'Errors: LY524 (another run is at work), LY104 (batch size), 2D000 (within a transaction block). Example: CALL '
    'loyalty_expire_points();';
