# The backend of each job, and of a bulk enrolment, is killed in the middle. A second call ends in the very state that an
# uninterrupted one has reached in a twin of the database: nothing is booked, told or skipped twice or not at all.
#
# A prepared transaction holds the row of a member in the middle, so each run stops there, some batches behind it, and is killed.
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $members = $ENV{MEMBERS} // 20_000;
my $batch = int($members / 20);
my $middle = sprintf 'm%07d', $members / 2 + 10;

my $node = PostgreSQL::Test::Cluster->new('jobs');
$node->init;
$node->append_conf('postgresql.conf', <<'END');
max_prepared_transactions = 5
restart_after_crash = on
fsync = off
max_wal_size = 4GB
END
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE killed');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-v', "members=$members", '-d', $node->connstr('killed'), '-f', 'bench/members.sql' ],
    'members whose points will be due');
$node->safe_psql('killed', 'VACUUM ANALYZE');
$node->safe_psql('postgres', 'CREATE DATABASE straight TEMPLATE killed');

sub killed { return $node->safe_psql('killed', $_[0]) }
sub both { $node->safe_psql($_, $_[0]) foreach 'killed', 'straight' }

# Runs a statement that waits for what a prepared transaction has locked, and kills its backend.
sub kill_in_the_middle
{
    my ($statement, $lock) = @_;
    killed("BEGIN; $lock; PREPARE TRANSACTION 'in the way'");
    my ($out, $err) = ('', '');
    my $client = IPC::Run::start([ 'psql', '-X', '-q', '-d', $node->connstr('killed'), '-c', $statement ], '>', \$out, '2>', \$err);
    my $waits = q{FROM pg_stat_activity WHERE datname = 'killed' AND wait_event_type = 'Lock'};
    ok($node->poll_query_until('killed', "SELECT count(*) = 1 $waits"), "$statement: got to the middle");
    my $told = -s $node->logfile;
    kill 'KILL', killed("SELECT pid $waits");
    $client->finish;
    # Until the server has noticed, it goes on taking connections, and ends them then.
    $node->wait_for_log(qr/all server processes terminated; reinitializing/, $told);
    $node->poll_query_until('killed', undef, '') or die 'the server does not come back';
    killed(q{ROLLBACK PREPARED 'in the way'});
}

# A bulk enrolment is one transaction: all or nothing.
my $enrol = q{SELECT loyalty_enrol_all('main') - 'skipped'};
kill_in_the_middle($enrol, "INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('$middle', 'main', loyalty.clock())");
is(killed('SELECT count(*) FROM loyalty.members'), 0, 'a killed enrolment has enrolled nobody');
my $all = qq({"resumed": 0, "enrolled": $members, "unchanged": 0});
is($node->safe_psql($_, $enrol), $all, "all are enrolled in $_") foreach 'killed', 'straight';

both(q{CALL bench.restore_movements(); SELECT loyalty_refresh_reports(); SELECT loyalty_set_clock('2026-02-20 12:00+01'); ANALYZE});
my $lock_member = "SELECT FROM loyalty.members WHERE member = '$middle' FOR UPDATE";
my $lock_event = "SELECT FROM loyalty.events WHERE profile = '$middle' FOR UPDATE";
my $lock_report = q{SELECT FROM loyalty.report_refreshes WHERE report = 'promotion_performance' FOR UPDATE};
my @jobs = (
    [ 'end_holds', $members / 10, $lock_member ], [ 'expire_points', $members, $lock_member ], [ 'review_tiers', $members, $lock_member ],
    [ 'judge_tiers', $members, $lock_member ], [ 'tell_expiring', $members, $lock_member ], [ 'delete_events', 5 * $members, $lock_event ],
    [ 'refresh_reports', 7, $lock_report ],
);
foreach (@jobs)
{
    my ($job, $all, $lock) = @$_;
    my $call = "CALL loyalty_run_job('$job', $batch" . ($job eq 'delete_events' ? q{, '30 days')} : ')');
    my $progress = "SELECT state, interruptions, done FROM loyalty.job_progress WHERE job = '$job'";
    kill_in_the_middle($call, $lock);
    my ($state, $interruptions, $done) = split /\|/, killed($progress);
    is($state, 'interrupted', "$job: its progress says so");
    cmp_ok($done, '>', 0, "$job: some was done"), cmp_ok($done, '<', $all, "$job: not all");
    killed($call);
    like(killed($progress), qr/^finished\|0\|0$/, "$job: nothing was left for the whole run");
    is(killed("SELECT interruptions, done, skipped FROM loyalty.job_runs WHERE job = '$job' AND run = 1"), "1|$all|0",
        "$job: what was done before and after the kill adds up");
    $node->safe_psql('straight', $call);
    is($node->safe_psql('straight', $progress), "finished|0|$all", "$job: uninterrupted in the twin");
}

my $state = 'SELECT * FROM bench.state ORDER BY part';
my ($twins, $siblings) = map { $node->safe_psql($_, $state) } 'killed', 'straight';
is($twins, $siblings, 'both have come to the same state');
is(killed('SELECT * FROM loyalty_verify()'), '', 'every invariant holds');
is(killed('SELECT count(*) FROM loyalty.job_errors'), 0, 'nobody was skipped');
is(killed(q{SELECT count(*) FROM loyalty.member_tiers WHERE tier = 'rich'}), 0, 'dynamic tiers were judged');
is(killed(q{SELECT count(*) FROM loyalty.lots WHERE point_type = 'bonus' AND open}), 0, 'points have expired');
cmp_ok(killed(q{SELECT count(*) FROM loyalty.member_tiers WHERE tier = 'silver'}), '>', $members / 4, 'tiers were reviewed');

# All together, once more: nothing is left.
killed(q{CALL loyalty_run_jobs(keep_events => '30 days')});
is(killed($state), $twins, 'nothing is left to do');

# While a run is at work, another session is refused; what it waits for does not matter.
killed(q{SELECT loyalty_set_clock('2026-03-20 12:00+01')});
killed("BEGIN; $lock_member; PREPARE TRANSACTION 'in the way'");
my $client = IPC::Run::start([ 'psql', '-X', '-q', '-d', $node->connstr('killed'), '-c', "CALL loyalty_expire_points($batch)" ], '>', \my $out, '2>', \my $err);
ok($node->poll_query_until('killed', q{SELECT done > 0 FROM loyalty.job_progress WHERE job = 'expire_points' AND state = 'running'}), 'a run is at work');
my ($code, undef, $stderr) = $node->psql('killed', "\\set VERBOSITY sqlstate\nCALL loyalty_expire_points()");
like($stderr, qr/LY524/, 'another one is refused');
killed(q{ROLLBACK PREPARED 'in the way'});
$client->finish;
is(killed(q{SELECT state, interruptions FROM loyalty.job_progress WHERE job = 'expire_points'}), 'finished|0', 'the first has finished');

$node->stop;
done_testing();
