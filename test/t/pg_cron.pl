# pg_cron, with its real library and background worker, runs the jobs as loyalty_schedule() asks it to: in both its ways, as a
# client of the server and as background workers. It wakes up at each full minute, so this takes some.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('cron');
$node->init;
$node->append_conf('postgresql.conf', <<"END");
shared_preload_libraries = 'pg_cron'
cron.database_name = 'shop'
cron.host = '@{[ $node->host ]}'
max_worker_processes = 20
fsync = off
END
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('postgres', 'CREATE DATABASE other');

sub sql { return $node->safe_psql('shop', $_[0]) }

# Where it is not, an error says what to do; and doing that works.
my ($code, undef, $stderr);
foreach my $database ('shop', 'other')
{
    $node->safe_psql($database, 'CREATE EXTENSION loyalty; SELECT loyalty_create_schema();');
    ($code, undef, $stderr) = $node->psql($database, q{\set VERBOSITY verbose
        SELECT loyalty_schedule('* * * * *')});
    like($stderr, qr/LY770: .*pg_cron is not installed in database "$database"/, "without it in $database: an error");
    if ($database eq 'shop')
    {
        like($stderr, qr/HINT:  Run CREATE EXTENSION pg_cron/, 'that says how');
        is(sql('SELECT loyalty_unschedule()'), 'f', 'nothing to unschedule');
        sql('CREATE EXTENSION pg_cron');
    }
}
my ($command) = $stderr =~ /HINT:  In that database run: (.*;)/;
ok($command, 'of another database, it gives the command');

# What each run has to do: a lot that expires every few seconds.
my $due = q{
    INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
    INSERT INTO loyalty.point_types (program, external_id, name, ratio, active) VALUES ('main', 'bonus', 'Bonus', 1, true);
    INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('ann', 'main', loyalty.clock());
    SELECT loyalty_accrue('ann', 'main', 'bonus', 1, expires_at => now() + number * interval '1 second') FROM generate_series(1, 5) AS number;
};
my $left = q{SELECT count(*) = 0 FROM loyalty.lots WHERE open};
$node->safe_psql($_, $due) foreach 'shop', 'other';

# As a client. A user without rights in its schema is refused; one with them has a schedule of his own.
sql(q{CREATE ROLE clerk LOGIN; GRANT EXECUTE ON FUNCTION loyalty_schedule, loyalty_unschedule TO clerk});
($code, undef, $stderr) = $node->psql('shop', 'SELECT loyalty_schedule()', extra_params => [ '-U', 'clerk' ]);
like($stderr, qr/permission denied for schema cron/, 'it takes the right to use its schema');
sql('GRANT USAGE ON SCHEMA cron TO clerk');
$node->safe_psql('shop', 'SELECT loyalty_schedule()', extra_params => [ '-U', 'clerk' ]);
my $number = sql(q{SELECT loyalty_schedule('* * * * *', '30 days')});
is(sql(q{SELECT loyalty_schedule('*/1 * * * *', '90 days')}), $number, 'scheduled again, it is the same job');
is(sql('SELECT username, schedule, command, database FROM cron.job ORDER BY jobid DESC'),
    "@{[ sql('SELECT current_user') ]}|*/1 * * * *|CALL public.loyalty_run_jobs(keep_events => '90 days')|shop\n"
        . 'clerk|15 3 * * *|CALL public.loyalty_run_jobs()|shop', 'with the last schedule; one for each user');
# At a quarter past three it would meet the other's run, and fail.
$node->safe_psql('shop', 'SELECT loyalty_unschedule()', extra_params => [ '-U', 'clerk' ]);
sql($command);
ok($node->poll_query_until($_, $left), "points of $_ have expired") foreach 'shop', 'other';
ok($node->poll_query_until('shop', q{SELECT count(*) = 7 FROM loyalty.job_progress WHERE state = 'finished'}), 'all jobs have run');
is(sql(q{SELECT DISTINCT status FROM cron.job_run_details WHERE status IN ('succeeded', 'failed')}), 'succeeded', 'pg_cron reports success');
is(sql('SELECT loyalty_unschedule()'), 't', 'unscheduled');
is(sql('SELECT database FROM cron.job'), 'other', 'that, and nothing else');

# As background workers.
sql('DELETE FROM cron.job');
$node->append_conf('postgresql.conf', 'cron.use_background_workers = on');
$node->restart;
sql(q{SELECT loyalty_accrue('ann', 'main', 'bonus', 1, expires_at => now() + interval '1 second')});
sql(q{SELECT loyalty_schedule('* * * * *')});
ok($node->poll_query_until('shop', $left), 'points have expired again');
ok($node->poll_query_until('shop', q{SELECT count(*) >= 1 FROM cron.job_run_details WHERE status = 'succeeded' AND jobid = (SELECT jobid FROM cron.job)}), 'and pg_cron reports success');
is(sql('SELECT * FROM loyalty_verify()'), '', 'the ledger is whole');

$node->stop;
done_testing();
