# 32 connections on 10 members accrue, redeem, hold, commit, roll back, let time out, cancel, refund and expire, under READ
# COMMITTED and under REPEATABLE READ, for LOAD_SECONDS (30) each. What they were told of is what the ledger holds; nothing is raised
# but the refusals that requests expect and, under REPEATABLE READ, serialization failures; nothing is overdrawn, nothing
# deadlocks.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use LedgerClients;
use LedgerTraffic;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{LOAD_SECONDS} // 30;
my $connections = 32;

sub start_node
{
    my ($name, $isolation) = @_;
    my $node = PostgreSQL::Test::Cluster->new($name);
    $node->init;
    $node->append_conf('postgresql.conf', "log_statement = none\nlog_line_prefix = '%e '\nfsync = off\ndefault_transaction_isolation = '$isolation'");
    $node->start;
    $node->safe_psql('postgres', $LedgerTraffic::setup);
    return $node;
}

sub one
{
    my ($node, $sql) = @_;
    return $node->safe_psql('postgres', "SET default_transaction_isolation = 'read committed'; $sql");
}

# Pairs of clients at once make the first movement of a new account: with the same external id one row and one answer,
# with different ones two rows.
sub first_movements
{
    my ($node, $clients) = @_;
    my ($pairs, $rounds) = ($connections / 2, 10);
    one($node, sprintf q{INSERT INTO loyalty.members (member, program, enrolled_at) SELECT 'new' || number, 'main', loyalty.clock() FROM generate_series(1, %d) AS number},
        $pairs * $rounds);
    my $account = 0;
    for my $round (1 .. $rounds)
    {
        $clients->ask_all(map {
            my $member = 'new' . ++$account;
            map { {
                sql => $clients->booking("loyalty_accrue('$member', 'main', 'bonus', 5, external_id => '$_')"),
                done => sub { $clients->book(@_) },
            } } 'first', $account % 2 ? 'first' : 'second';
        } 1 .. $pairs);
    }
    is(one($node, q{SELECT string_agg(format('%s of %s', count, seqs), ', ' ORDER BY count) FROM (
            SELECT seqs, count(*) FROM (
                SELECT array_agg(external_id || ' ' || seq ORDER BY seq) @> '{first 1}'
                    OR array_agg(external_id || ' ' || seq ORDER BY seq) @> '{first 2}' AS has_first, count(*) AS seqs, max(seq) AS last
                FROM loyalty.transactions WHERE member LIKE 'new%' GROUP BY member
            ) AS account WHERE has_first AND seqs = last GROUP BY seqs) AS accounts}),
        sprintf('%d of 1, %d of 2', $pairs * $rounds / 2, $pairs * $rounds / 2), 'first movements: one row for equal ids, two for different ones');
}

# The sums by member, in cents: of what clients were told, and of what the ledger booked by itself.
sub check_sums
{
    my ($node, $clients) = @_;
    my %sum;
    my %member = map { split /\|/ } split /\n/, one($node, q{SELECT id, member FROM loyalty.transactions});
    foreach my $id (keys %{ $clients->{booked} })
    {
        my (undef, $value) = split /\|/, $clients->{booked}{$id};
        $sum{ $member{$id} // 'nobody' } += sprintf '%.0f', $value * 100;
    }
    my %own = map { split /\|/ } split /\n/, one($node, q{
        SELECT member, round(sum(value) * 100) FROM loyalty.transactions
        WHERE type = 'expiration' OR source_type = 'settlement' GROUP BY member});
    my %total = map { split /\|/ } split /\n/, one($node, q{SELECT member, round(total * 100) FROM loyalty.balances});
    $sum{$_} += $own{$_} for keys %own;
    is_deeply(\%sum, \%total, 'the sums of what was acknowledged, and of what has expired, are the balances');
}

sub run_load
{
    my ($isolation) = @_;
    my $node = start_node($isolation =~ s/ /_/r, $isolation);
    my $clients = LedgerClients->new($node, $connections);
    my $traffic = LedgerTraffic->new($clients);
    first_movements($node, $clients);
    $clients->run($seconds, sub { $traffic->next_request });
    $clients->close_all;

    is(join("\n", @{ $clients->{surprises} }), '', "$isolation: nothing was raised that was not expected");
    my ($missing, $unknown) = $clients->differences;
    is("@$missing", '', 'what was acknowledged is in the ledger');
    is("@$unknown", '', 'and nothing else');
    check_sums($node, $clients);
    is(one($node, 'SELECT count(*) FROM loyalty.transactions WHERE balance_after < 0'), 0, 'no balance was below zero');
    is(one($node, 'SELECT * FROM loyalty_verify()'), '', 'every invariant holds');

    # The time-outs of the holds that are left.
    sleep 3;
    one($node, 'CALL loyalty_expire_points()');
    is(one($node, q{SELECT count(*) FROM loyalty.holds WHERE state = 'open'}), 0, 'no hold is open for ever');
    is(one($node, 'SELECT sum(held) FROM loyalty.lots'), '0.00', 'and holds nothing');
    is(one($node, 'SELECT * FROM loyalty_verify()'), '', 'every invariant still holds');
    is($node->safe_psql('postgres', "\\i test/fixtures/untold.sql\nSELECT * FROM untold"), '', 'and every booking has been told, in order');
    is(one($node, 'SELECT count(*) FROM loyalty.job_errors'), 0, 'the job failed for nobody');

    # That all of it took place.
    my $counts = one($node, q{
        SELECT key, count(*) FROM (
            SELECT coalesce(source_type, type) AS key FROM loyalty.transactions UNION ALL SELECT state FROM loyalty.holds) AS event
        GROUP BY key});
    my %count = (map({ split /\|/ } split /\n/, $counts), %{ $clients->{told} });
    note(join ', ', map { "$_ $count{$_}" } sort keys %count);
    note("$clients->{retries} serialization failures");
    cmp_ok($count{$_} // 0, '>', 0, "$_ took place")
        for qw(accrual redemption refund cancel expiration committed rolled_back timed_out LY510 LY516 LY518 LY524);

    # A session whose client has just gone would be told that the server stops.
    $node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'client backend'})
        or die 'sessions do not end';
    $node->stop;
    my $log = slurp_file($node->logfile);
    my %raised;
    $raised{$1}++ while $log =~ /^(\w{5}) (?:ERROR|FATAL|PANIC):/mg;
    delete @raised{qw(LY510 LY516 LY518 LY524)};
    my $failures = delete $raised{40001} // 0;
    is_deeply(\%raised, {}, "the server's log has no other error, and no deadlock");
    unlike($log, qr/deadlock detected|terminated by signal/, 'nor a deadlock that was cured, nor a crash');
    if ($isolation eq 'read committed') { is($failures, 0, 'no serialization failure') }
    else { cmp_ok($failures, '>', 0, 'serialization failures, all tried again') }
}

run_load('read committed');
run_load('repeatable read');

done_testing();
