# Twenty times, in the middle of the load, a backend is killed or the server stopped at once. After each recovery every
# invariant holds, and what was acknowledged is there with its value. What was asked and not answered is asked again, and
# has one effect, whether or not it had been booked.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use LedgerClients;
use LedgerTraffic;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes 'time';

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf('postgresql.conf', <<'END');
log_statement = none
log_line_prefix = '%e '
restart_after_crash = on
fsync = on
full_page_writes = on
synchronous_commit = on
recovery_init_sync_method = syncfs
END
$node->start;
$node->safe_psql('postgres', $LedgerTraffic::setup);
is($node->safe_psql('postgres', q{SELECT string_agg(setting, ' ') FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')}),
    'on on on', 'the settings are durable');

my $clients = LedgerClients->new($node, 16);
my $traffic = LedgerTraffic->new($clients);

sub kill_a_backend
{
    my $busy = $node->safe_psql('postgres', q{
        SELECT pid FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY state = 'active' DESC, random() LIMIT 1});
    kill 'KILL', $busy;
}

# Asks until the crash has taken all clients.
sub run_into
{
    my ($crash) = @_;
    my $crashes_at = time + 0.3 + rand 0.6;
    my $is_over;
    $clients->run(60, sub {
        if (!$is_over && time >= $crashes_at)
        {
            $crash->();
            $is_over = 1;
        }
        return $traffic->next_request;
    });
    ok($is_over, 'the load ran until the crash');
}

sub check
{
    my ($when) = @_;
    is($node->safe_psql('postgres', 'SELECT * FROM loyalty_verify()'), '', "$when: every invariant holds");
    my ($missing) = $clients->differences;
    is("@$missing", '', "$when: what was acknowledged is there, with its value");
}

my $lost = 0;
for my $round (1 .. 20)
{
    my $kills = $round % 2;
    my $when = "crash $round (" . ($kills ? 'kill -9 of a backend' : 'immediate stop') . ')';
    run_into($kills ? \&kill_a_backend : sub { $node->stop('immediate') });
    # Without a query: its text would have to be written to a psql that may be gone already.
    if ($kills) { $node->poll_query_until('postgres', undef, '') or die 'the server does not come back' }
    else { $node->start }
    check($when);

    my @lost = $clients->revive;
    $lost += @lost;
    $clients->ask_all(@lost);
    my (undef, $unknown) = $clients->differences;
    is("@$unknown", '', "$when: what was asked again has one effect");
}
$clients->close_all;

cmp_ok($lost, '>', 20, 'requests were lost in the crashes');
cmp_ok(scalar(keys %{ $clients->{booked} }), '>', 500, 'and many were acknowledged before');
note(scalar(keys %{ $clients->{booked} }) . " acknowledged, $lost lost");
is(join("\n", @{ $clients->{surprises} }), '', 'nothing was raised that was not expected');
my $log = slurp_file($node->logfile);
is(scalar(() = $log =~ /was terminated by signal 9/g), 10, 'ten backends were killed');
is(scalar(() = $log =~ /received immediate shutdown request/g), 10, 'and the server stopped ten times');
is(scalar(() = $log =~ /automatic recovery in progress/g), 20, 'each time it recovered');

# And it goes on.
$node->poll_query_until('postgres', q{SELECT max(expires_at) < clock_timestamp() FROM loyalty.holds});
$node->safe_psql('postgres', 'CALL loyalty_expire_points()');
is($node->safe_psql('postgres', q{SELECT count(*) FROM loyalty.holds WHERE state = 'open'}), 0, 'holds time out');
check('in the end');
is($node->safe_psql('postgres', "\\i test/fixtures/untold.sql\nSELECT * FROM untold"), '', 'every booking has been told, in order');
$node->stop;

done_testing();
