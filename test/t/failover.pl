# A primary dies in the middle of a client's work and a standby takes over. The client does not know what was done and asks for
# all of it again, twice: every order and every booking is there once, and nothing that was acknowledged is lost.
use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $requests = 400;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->safe_psql('postgres', "CREATE EXTENSION loyalty;\n\\i test/fixtures/shop.sql");
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

# Commits wait until the standby has them, which is what makes an acknowledgement a promise.
$primary->append_conf('postgresql.conf', "synchronous_standby_names = '*'\nsynchronous_commit = on");
$primary->reload;
$primary->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'});

# Orders, of which every fourth is cancelled, and bookings, each with its own id. An answer is the request's number.
my @members = qw(ann bob cat);
my @asked = map {
    my $member = $members[$_ % @members];
    my $call =
        $_ % 4 == 3 ? sprintf(q{loyalty_cancel_order('main', 'O-%d')}, $_ - 1)
      : $_ % 2 == 0 ? sprintf(q{loyalty_place_order('{"external_id": "O-%d", "member": "%s", "lines": [{"product": "pen", "quantity": 3}]}')}, $_, $member)
      :               sprintf(q{loyalty_accrue('%s', 'main', 'bonus', %d, external_id => 'B-%d')}, $member, $_, $_);
    "SELECT $_ FROM $call;\n"
} 1 .. $requests;
my $script = $PostgreSQL::Test::Utils::tmp_check . '/requests.sql';
append_to_file($script, join '', @asked);

sub ask_all
{
    my ($node) = @_;
    my ($out, $err) = ('', '');
    my $client = IPC::Run::start([ 'psql', '-XAtq', '-f', $script, $node->connstr('postgres') ], '<', \undef, '>', \$out, '2>', \$err);
    return ($client, \$out, \$err);
}

my ($client, $answers, $errors) = ask_all($primary);
IPC::Run::pump($client) until ($$answers =~ tr/\n//) >= $requests / 4;
$primary->stop('immediate');
IPC::Run::finish($client);
my @acknowledged = split /\n/, $$answers;
cmp_ok(scalar @acknowledged, '<', $requests, 'the primary dies before all is done');
like($$errors, qr/server closed the connection|terminating connection/, 'and its client sees that');

$standby->promote;
my $found = $standby->safe_psql('postgres', q{
    SELECT substr(external_id, 3) FROM loyalty.orders UNION ALL SELECT substr(external_id, 3) FROM loyalty.transactions WHERE external_id ~ '^B-'});
my %found = map { $_ => 1 } split /\n/, $found;
my @lost = grep { $_ % 4 != 3 && !$found{$_} } @acknowledged;
is("@lost", '', 'what was acknowledged is there');

foreach my $time ('once', 'and once more')
{
    my ($again, $out, $err) = ask_all($standby);
    IPC::Run::finish($again);
    is($$err, '', "all is asked again $time, without an error");
    is(scalar(split /\n/, $$out), $requests, 'and all of it is answered');
}

my ($orders, $bookings, $cancelled) = (0, 0, 0);
my %accrued = map { $_ => 0 } @members;
foreach (1 .. $requests)
{
    if ($_ % 4 == 3) { $cancelled++ }
    elsif ($_ % 2 == 0) { $orders++ }
    else { $bookings++; $accrued{ $members[$_ % @members] } += $_ }
}
is($standby->safe_psql('postgres', q{SELECT count(*), count(DISTINCT external_id), count(*) FILTER (WHERE status = 'canceled') FROM loyalty.orders}),
    "$orders|$orders|$cancelled", 'every order is there once, and cancelled where that was asked');
is($standby->safe_psql('postgres', q{SELECT count(*) FROM loyalty.transactions WHERE external_id ~ '^B-'}), $bookings, 'so is every booking');
# Three pens give three points; those of cancelled orders are taken back.
my %orders_left;
foreach (1 .. $requests)
{
    $orders_left{ $members[$_ % @members] } += 3 if $_ % 2 == 0 && ($_ + 1) % 4 != 3;
}
foreach my $member (@members)
{
    my $before = 40;
    is($standby->safe_psql('postgres', "SELECT total FROM loyalty_balance('$member', 'main', 'bonus')"),
        sprintf('%.2f', $before + $accrued{$member} + ($orders_left{$member} // 0)), "the balance of $member holds each once");
}
is($standby->safe_psql('postgres', 'SELECT count(*) FROM loyalty_verify()'), 0, 'and everything can be recomputed');

done_testing();
