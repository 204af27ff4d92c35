-- Jobs: what falls due is worked through for all members, batch by batch, and scheduled.

CREATE FUNCTION loyalty_internal.jobs() RETURNS text[]
    LANGUAGE C IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_jobs';

COMMENT ON FUNCTION loyalty_internal.jobs() IS
    'The names of all jobs, in the sequence in which loyalty_run_jobs() runs them. Example: SELECT '
    'loyalty_internal.jobs();';

CREATE FUNCTION loyalty_internal.begin_job(job text) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_begin_job';

COMMENT ON FUNCTION loyalty_internal.begin_job(text) IS
    'Begins a run of a job, or takes up one that was interrupted, as loyalty_run_job() does first. Keeps other '
    'sessions out until the run is over, a transaction of this session fails, or the session ends. Errors: LY771 (no '
    'such job), LY524 (another run is at work), LY317 (isolation level). Example: SELECT '
    'loyalty_internal.begin_job(''expire_points'');';

-- The statements of a batch look dear, and are soon done: compiling them would take longer (measured).
CREATE FUNCTION loyalty_internal.job_batch(job text, batch_size integer, older_than interval DEFAULT NULL)
    RETURNS bigint
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    SET jit = off
    AS 'MODULE_PATHNAME', 'loyalty_job_batch';

COMMENT ON FUNCTION loyalty_internal.job_batch(text, integer, interval) IS
    'One batch of a job''s run, as loyalty_run_job() does one after the other: looks at the next batch_size (1 to '
    '1000000) accounts, members or events, or does the next report. Returns how much was done, or null once the run is '
    'over. Errors: LY771 (no such job), LY524 (another run is at work), LY104 (batch size), LY317 (isolation level), '
    'LY526 (delete_events or archive_accounts without older_than). Example: SELECT '
    'loyalty_internal.job_batch(''expire_points'', 10000);';

-- A procedure that commits cannot pin its search path, so it qualifies every name. Each batch is a transaction of its
-- own, READ COMMITTED whatever the session's default, since it must see the newest rows. Only the procedure that the
-- session calls can say so (below another CALL, it is too late in each transaction); chained transactions keep it.
CREATE PROCEDURE @extschema@.loyalty_run_job(job text, batch_size integer DEFAULT 10000,
    older_than interval DEFAULT NULL)
    LANGUAGE plpgsql
    AS $body$
DECLARE
    done bigint;
BEGIN
    COMMIT AND CHAIN;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    PERFORM loyalty_internal.begin_job(job);
    LOOP
        done := loyalty_internal.job_batch(job, batch_size, older_than);
        COMMIT AND CHAIN;
        EXIT WHEN done IS NULL;
    END LOOP;
END
$body$;

COMMENT ON PROCEDURE @extschema@.loyalty_run_job(text, integer, interval) IS
    'Runs a job: end_holds, expire_points, review_tiers, judge_tiers, tell_expiring, delete_events (with older_than), '
    'archive_accounts (with older_than: the first transactions of accounts, as far as they are that old, go to '
    'loyalty.account_closings and cannot be undone any more), or refresh_reports, a report a batch: those that '
    'loyalty_refresh_reports() has kept once, if they are of a day that is over (UTC). Each batch is a transaction of '
    'its own; a run that was interrupted goes on where it stopped, and a whole one follows it. A member for whom the '
    'job fails, because of a trigger of yours for instance, is '
    'skipped, recorded in loyalty.job_errors and tried again by the next run; a WARNING at the end tells how many. '
    'Progress: NOTICEs, loyalty.job_progress, loyalty.job_runs. Errors: LY771 (no such job), LY524 (another run is at '
    'work), LY104 (batch size), LY526 (no older_than), 2D000 (within a transaction block). Example: CALL '
    'loyalty_run_job(''delete_events'', older_than => ''90 days'');';

CREATE PROCEDURE @extschema@.loyalty_end_holds(batch_size integer DEFAULT 10000)
    LANGUAGE plpgsql
    AS $body$
BEGIN
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    CALL @extschema@.loyalty_run_job('end_holds'::text, batch_size, NULL::interval);
END
$body$;

COMMENT ON PROCEDURE @extschema@.loyalty_end_holds(integer) IS
    'The job that ends holds past their time-out and frees what they reserved; see loyalty_run_job(). Nothing depends '
    'on it: a hold past its time-out counts as ended. Example: CALL loyalty_end_holds();';

CREATE PROCEDURE @extschema@.loyalty_expire_points(batch_size integer DEFAULT 10000)
    LANGUAGE plpgsql
    AS $body$
BEGIN
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    CALL @extschema@.loyalty_run_job('expire_points'::text, batch_size, NULL::interval);
END
$body$;

COMMENT ON PROCEDURE @extschema@.loyalty_expire_points(integer) IS
    'The job that books the expiration of all points past their date; see loyalty_run_job(). Nothing depends on it: '
    'what is due is booked before anything else on an account. Before, it claims automatic goals that points have '
    'reached by becoming active. Where a tier group has a review due, points bound to it wait for '
    'loyalty_review_tiers(). Example: CALL loyalty_expire_points();';

CREATE PROCEDURE @extschema@.loyalty_review_tiers(batch_size integer DEFAULT 10000)
    LANGUAGE plpgsql
    AS $body$
BEGIN
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    CALL @extschema@.loyalty_run_job('review_tiers'::text, batch_size, NULL::interval);
END
$body$;

COMMENT ON PROCEDURE @extschema@.loyalty_review_tiers(integer) IS
    'The job that books what the calendar of cyclic tier groups has due, reviews, resets and falls; see '
    'loyalty_run_job(). Nothing depends on it: what is due is booked before anything else on an account. Example: CALL '
    'loyalty_review_tiers();';

CREATE PROCEDURE @extschema@.loyalty_judge_tiers(batch_size integer DEFAULT 10000)
    LANGUAGE plpgsql
    AS $body$
BEGIN
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    CALL @extschema@.loyalty_run_job('judge_tiers'::text, batch_size, NULL::interval);
END
$body$;

COMMENT ON PROCEDURE @extschema@.loyalty_judge_tiers(integer) IS
    'The job that judges the dynamic tier groups of all members, as time alone changes what an order of the last 90 '
    'days is; see loyalty_run_job(). Who reads the profiles, and with whose rights, doc/security.md says. Example: '
    'CALL loyalty_judge_tiers();';

CREATE PROCEDURE @extschema@.loyalty_tell_expiring(batch_size integer DEFAULT 10000)
    LANGUAGE plpgsql
    AS $body$
BEGIN
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    CALL @extschema@.loyalty_run_job('tell_expiring'::text, batch_size, NULL::interval);
END
$body$;

COMMENT ON PROCEDURE @extschema@.loyalty_tell_expiring(integer) IS
    'The job that tells of points before they expire, by events points_expiring; see loyalty_run_job(). When, '
    'notify_days of loyalty.programs says: a notice is told once for each account and last usable day; of several that '
    'have passed, only the latest. Only of points that can be spent. Example: CALL loyalty_tell_expiring();';

CREATE PROCEDURE @extschema@.loyalty_run_jobs(batch_size integer DEFAULT 10000, keep_events interval DEFAULT NULL)
    LANGUAGE plpgsql
    AS $body$
DECLARE
    job text;
BEGIN
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    FOREACH job IN ARRAY loyalty_internal.jobs() LOOP
        CONTINUE WHEN job = 'delete_events' AND keep_events IS NULL OR job = 'archive_accounts';
        CALL @extschema@.loyalty_run_job(job, batch_size, CASE job WHEN 'delete_events' THEN keep_events END);
    END LOOP;
    PERFORM @extschema@.loyalty_record_prices(NULL::text);
    COMMIT;
END
$body$;

COMMENT ON PROCEDURE @extschema@.loyalty_run_jobs(integer, interval) IS
    'Does all that is due: runs the jobs end_holds, expire_points, review_tiers, judge_tiers, tell_expiring, with '
    'keep_events also delete_events of what is older, and refresh_reports one after the other, as loyalty_run_job() '
    'does each, and records prices where they are kept (loyalty_record_prices()). Errors: '
    'those of loyalty_run_job(). Example: CALL loyalty_run_jobs(keep_events => ''90 days'');';

-- ---------------------------------------------------------------------------------------------------------------------
-- Scheduling. pg_cron keeps its schedule in one database of the server, and runs a job as whoever scheduled it.

CREATE FUNCTION @extschema@.loyalty_schedule(schedule text DEFAULT '15 3 * * *', keep_events interval DEFAULT NULL)
    RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    -- A name is unique among the jobs of a user, in whichever database they run.
    job_name CONSTANT text := 'loyalty jobs in ' || current_database();
    command CONSTANT text := format(
        'CALL %I.loyalty_run_jobs(%s)',
        '@extschema@',
        'keep_events => ' || quote_literal(keep_events)
    );
    -- Not everybody may know.
    cron_database CONSTANT text := CASE
        WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting('cron.database_name', true)
    END;
    scheduled bigint;
BEGIN
    IF schedule IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'LY526', MESSAGE = 'there is no schedule',
        HINT = 'Give one, such as ''15 3 * * *''.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_extension AS extension WHERE extension.extname = 'pg_cron') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY770',
            MESSAGE = format('pg_cron is not installed in database "%s"', current_database()),
            DETAIL = coalesce(
                'The server runs it for database "' || cron_database || '".',
                'It keeps its schedule in one database of a server.'
            ),
            HINT = CASE
                WHEN cron_database IS NULL THEN format(
                    'Install the package postgresql-%s-cron, set shared_preload_libraries = ''pg_cron'' and '
                    'cron.database_name = ''%s'' in postgresql.conf, restart the server, and run CREATE EXTENSION '
                    'pg_cron. Or let another scheduler run: psql -d %2$s -c "%s"',
                    current_setting('server_version_num')::integer / 10000,
                    current_database(),
                    command
                )
                WHEN cron_database = current_database() THEN 'Run CREATE EXTENSION pg_cron.'
                ELSE format(
                    'In that database run: SELECT cron.schedule_in_database(%L, %L, %L, %L);',
                    job_name,
                    schedule,
                    command,
                    current_database()
                )
            END;
    END IF;
    EXECUTE 'SELECT cron.schedule($1, $2, $3)' INTO scheduled USING job_name, schedule, command;
    RETURN scheduled;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_schedule(text, interval) IS
    'Has pg_cron call loyalty_run_jobs() as the current user: schedule is one of cron''s (default: daily at 3:15, in '
    'the time zone that pg_cron works with, GMT unless its settings say otherwise); keep_events is passed on. Called '
    'again, it changes the schedule. Returns the number of the job in cron.job. Errors: LY770 (pg_cron is not in this '
    'database; the hint says what to do), 42501 (no right to use schema cron), LY526. Example: SELECT '
    'loyalty_schedule(''*/10 * * * *'', ''90 days'');';

CREATE FUNCTION @extschema@.loyalty_unschedule() RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    unscheduled boolean;
BEGIN
    -- A schema of this name may be anybody's.
    IF NOT EXISTS (SELECT FROM pg_extension AS extension WHERE extension.extname = 'pg_cron') THEN
        RETURN false;
    END IF;
    EXECUTE
        'SELECT coalesce(bool_or(cron.unschedule(job.jobid)), false) FROM cron.job AS job '
        'WHERE job.jobname = $1 AND job.username = current_user'
        INTO unscheduled USING 'loyalty jobs in ' || current_database();
    RETURN unscheduled;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_unschedule() IS
    'Takes back what the current user has scheduled with loyalty_schedule(). Returns whether there was anything. A run '
    'at work goes on to its end. Example: SELECT loyalty_unschedule();';
