-- The outbox: places in the order of reading, consumers with several workers, deletion.
SET client_min_messages = warning;
SELECT loyalty_create_schema();
INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);

-- The place is the server's business; a row that comes with one, as from a dump, keeps it.
INSERT INTO loyalty.events (program, type, profile, data)
SELECT 'main', 'test', 'p' || number % 5, jsonb_build_object('number', number) FROM generate_series(1, 20) AS number;
SELECT count(*), min(epoch),
    bool_and(xid >= pg_current_xact_id_if_assigned() OR pg_current_xact_id_if_assigned() IS NULL) AS placed
FROM loyalty.events;
SELECT count(*) FROM loyalty_events_since(NULL);
SELECT type, profile, data FROM loyalty_events_since((SELECT "position" FROM loyalty_events_since(NULL, 17) OFFSET 16));
SELECT count(*) AS none
    FROM loyalty_events_since((SELECT max("position") FROM loyalty_events_since(NULL, 20) OFFSET 0) || '000');

-- Nothing of a transaction that has not ended.
BEGIN;
INSERT INTO loyalty.events (program, type, profile) VALUES ('main', 'unfinished', 'p1');
SELECT count(*) FROM loyalty_events_since(NULL);
ROLLBACK;

-- Two consumers; the workers of one share the profiles, and get the same events until they acknowledge them.
SELECT count(*), count(DISTINCT profile) FROM loyalty_events_claim('audit');
CREATE TEMP TABLE claimed AS
SELECT worker, event.* FROM generate_series(0, 2) AS worker
    CROSS JOIN LATERAL loyalty_events_claim('mailer', worker, 3) AS event;
SELECT max(workers) AS workers_of_a_profile
    FROM (SELECT count(DISTINCT worker) AS workers FROM claimed GROUP BY profile) AS of_profile;
SELECT count(*) FROM claimed;
SELECT count(*) FROM generate_series(0, 2) AS worker CROSS JOIN LATERAL loyalty_events_claim('mailer', worker, 3);
SELECT loyalty_events_ack('mailer', worker, 3,
    (SELECT "position" FROM claimed WHERE worker = chosen.worker OFFSET 1 LIMIT 1))
FROM (SELECT worker FROM claimed GROUP BY worker HAVING count(*) > 1) AS chosen;
CREATE FUNCTION left_over(workers integer) RETURNS TABLE (worker integer, events bigint) LANGUAGE sql
AS 'SELECT worker, (SELECT count(*) FROM loyalty_events_claim(''mailer'', worker, workers)) FROM generate_series(0, workers - 1) AS worker';
SELECT of_worker.worker, claimed, events AS left_over
FROM (SELECT worker, count(*) AS claimed FROM claimed GROUP BY worker) AS of_worker
    JOIN left_over(3) USING (worker) ORDER BY worker;
-- Going back changes nothing.
SELECT loyalty_events_ack('mailer', worker, 3, '0/0/0') FROM loyalty.event_cursors
    WHERE consumer = 'mailer' AND worker = 0;
SELECT sum(events) FROM left_over(3);
-- Shared anew among two, all from where the slowest stood.
SELECT sum(events) FROM left_over(2);
SELECT consumer, worker, workers FROM loyalty.event_cursors ORDER BY consumer, worker;
SELECT loyalty_events_ack('mailer', 2, 3, '1/1/1');

-- What all have acknowledged is deleted, and no more.
UPDATE loyalty.events SET created_at = created_at - interval '40 days';
SELECT loyalty_delete_events();
SELECT loyalty_events_ack(consumer, worker, workers, (SELECT "position" FROM loyalty_events_since(NULL, 7) OFFSET 6))
    FROM loyalty.event_cursors;
SELECT loyalty_delete_events('50 days');
SELECT loyalty_delete_events('30 days', 5);
SELECT loyalty_delete_events();
SELECT count(*) FROM loyalty.events;

-- A dump restored on another server: what it brings was written by transactions that have ended, and comes first.
BEGIN;
UPDATE loyalty.event_epochs SET system_identifier = 1;
UPDATE loyalty.events SET xid = '9000000000000000000';
INSERT INTO loyalty.events (program, type, profile) VALUES ('main', 'after the restore', 'p1');
COMMIT;
SELECT count(*), array_agg(type ORDER BY ordinal) FILTER (WHERE ordinal > 12)
    FROM loyalty_events_since(NULL) WITH ORDINALITY
    AS event ("position", program, type, profile, data, created_at, ordinal);
SELECT epoch FROM loyalty.event_epochs ORDER BY epoch;

-- Mistakes.
SELECT loyalty_events_since('1/2');
SELECT loyalty_events_since('1/2/x');
SELECT loyalty_events_since('-1/2/3');
SELECT loyalty_events_since('99999999999/2/3');
SELECT loyalty_events_since(NULL, 0);
SELECT loyalty_events_claim('mailer', 3, 3);
SELECT loyalty_events_claim('mailer', 0, 1001);
SELECT loyalty_events_claim('');
SELECT loyalty_events_ack('nobody', 0, 1, '1/1/1');
SELECT loyalty_delete_events('-1 day');

DROP FUNCTION left_over;
DROP SCHEMA loyalty CASCADE;
