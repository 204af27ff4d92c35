# Eight workers share the events of writers whose transactions take their ids early and book late, while workers die between
# claiming and acknowledging. None is missed, and each profile's come in the order in which they were booked.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('events');
$node->init;
$node->append_conf('postgresql.conf', "log_statement = none\nfsync = off\nmax_prepared_transactions = 1");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION loyalty;
    SELECT loyalty_create_schema();
    INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
    INSERT INTO loyalty.members (member, program, enrolled_at) SELECT 'm' || number, 'main', loyalty.clock() FROM generate_series(1, 6) AS number;
    CREATE TABLE bookings (member text PRIMARY KEY, count integer NOT NULL);
    INSERT INTO bookings SELECT member, 0 FROM loyalty.members;
    -- What the workers got, in the order in which they got it.
    CREATE TABLE seen (id bigint GENERATED ALWAYS AS IDENTITY, worker integer, member text, count integer);
    CREATE FUNCTION consume(which integer) RETURNS text LANGUAGE sql AS $$
        WITH claimed AS MATERIALIZED (SELECT * FROM loyalty_events_claim('mailer', which, 8, 20) WITH ORDINALITY),
        kept AS (INSERT INTO seen (worker, member, count) SELECT which, profile, (data -> 'count')::integer FROM claimed ORDER BY ordinality)
        SELECT coalesce((SELECT position FROM claimed ORDER BY ordinality DESC LIMIT 1), '0/0/0')
    $$;
    SELECT consume(worker) FROM generate_series(0, 7) AS worker;
});

my $write = q{
    \set member random(1, 6)
    \set wait random(0, 3)
    BEGIN;
    SELECT pg_current_xact_id();
    \sleep :wait ms
    WITH booked AS (UPDATE bookings SET count = count + 1 WHERE member = 'm' || :member RETURNING member, count)
    INSERT INTO loyalty.events (program, type, profile, data) SELECT 'main', 'booked', member, jsonb_build_object('count', count) FROM booked;
    \sleep :wait ms
    COMMIT;
};
my $read = q{
    SELECT consume(:client_id - 4) AS position \gset
    \set dies random(1, 3)
    \if :dies > 1
        SELECT loyalty_events_ack('mailer', :client_id - 4, 8, ':position');
    \endif
};
# pgbench gives all its clients the same choice of scripts, so the client's number chooses.
$node->pgbench(
    '--no-vacuum --client=12 --jobs=2 --time=6 postgres', 0,
    [qr/number of failed transactions: 0 /], [qr/^$/],
    'writers and workers', {'both' => "\\if :client_id < 4\n$write\n\\else\n$read\n\\endif\n"});

# The rest, by workers that do not die.
$node->safe_psql('postgres', q{
    DO $$
    BEGIN
        WHILE EXISTS (SELECT FROM generate_series(0, 7) AS worker CROSS JOIN LATERAL loyalty_events_claim('mailer', worker, 8, 1)) LOOP
            PERFORM loyalty_events_ack('mailer', worker, 8, consume(worker)) FROM generate_series(0, 7) AS worker;
        END LOOP;
    END
    $$;
});

cmp_ok($node->safe_psql('postgres', 'SELECT sum(count) FROM bookings'), '>', 100, 'there was something to read');
is($node->safe_psql('postgres', q{
        SELECT count(*) FROM bookings CROSS JOIN generate_series(1, count) AS number
        WHERE NOT EXISTS (SELECT FROM seen WHERE seen.member = bookings.member AND seen.count = number)
    }), 0, 'no event was missed');
is($node->safe_psql('postgres', q{
        SELECT count(*) FROM (
            SELECT count < max(count) OVER (PARTITION BY member ORDER BY id) AS late
            FROM (SELECT min(id) AS id, member, count FROM seen GROUP BY member, count) AS first_seen
        ) AS compared WHERE late
    }), 0, 'events of a profile came in the order of booking');
is($node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT FROM seen GROUP BY member HAVING count(DISTINCT worker) > 1) AS shared'),
    0, 'one worker has all events of a profile');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) - count(DISTINCT (member, count)) FROM seen'), '>', 0, 'workers did die');

# Listeners are woken once a transaction, unless that is switched off.
my $heard = $node->safe_psql('postgres', q{
    LISTEN loyalty;
    BEGIN;
    INSERT INTO loyalty.events (program, type) SELECT 'main', 'loud' FROM generate_series(1, 3);
    INSERT INTO loyalty.events (program, type) VALUES ('main', 'loud');
    COMMIT;
    SET loyalty.notify = off;
    INSERT INTO loyalty.events (program, type) VALUES ('main', 'quiet');
});
is(scalar(() = $heard =~ /Asynchronous notification "loyalty" received/g), 1, 'one notification a transaction, none when switched off');

my ($status, undef, $complaint) = $node->psql('postgres', q{LOAD 'loyalty'; SET loyalty.notfy = off;});
like($complaint, qr/invalid configuration parameter name "loyalty.notfy"/, 'a misspelt setting is refused');
is($node->safe_psql('postgres', q{LOAD 'loyalty'; SHOW loyalty.notify}), 'on', 'notifying is on unless somebody switches it off');

# Among sessions that commit at the same time one speaks for the others.
my $listener = $node->background_psql('postgres');
$listener->query_safe('LISTEN loyalty');
$node->pgbench('--no-vacuum --client=8 --jobs=2 --transactions=50', 0, [qr/processed: 400\/400/], [qr/^$/], 'eight sessions write events',
    { loud => q{INSERT INTO loyalty.events (program, type) VALUES ('main', 'crowd');} });
my $woken = () = $listener->query_safe('SELECT 1') =~ /Asynchronous notification "loyalty" received/g;
cmp_ok($woken, '>=', 1, 'a listener is woken'), cmp_ok($woken, '<=', 400, 'and not more often than there are transactions');
$listener->quit;

# What is committed in two phases has its events, and wakes nobody.
$node->safe_psql('postgres', q{
    BEGIN;
    INSERT INTO loyalty.events (program, type) VALUES ('main', 'prepared');
    PREPARE TRANSACTION 'prepared';
    COMMIT PREPARED 'prepared';
});
is($node->safe_psql('postgres', q{SELECT count(*) FROM loyalty.events WHERE type = 'prepared'}), 1, 'a transaction with events can be prepared');

done_testing();
