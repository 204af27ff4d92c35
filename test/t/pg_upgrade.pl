# A filled database goes through pg_upgrade: afterwards the catalogue is that of a fresh installation on the new server, every
# row and every quote is what it was, every invariant holds, and life goes on. The old server is the one at hand, too, unless
# LOYALTY_OLD_SERVER names the folder of another (of its bin and lib) that has this version of the extension installed.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use Catalogue qw(catalogue difference);
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @old_server = $ENV{LOYALTY_OLD_SERVER} ? (install_path => $ENV{LOYALTY_OLD_SERVER}) : ();

# Two servers that have not been started, the older one first.
sub new_pair
{
    my ($older, $newer) = @_;
    my @pair = (PostgreSQL::Test::Cluster->new($older, @old_server), PostgreSQL::Test::Cluster->new($newer));
    foreach my $node (@pair)
    {
        # From 18 on initdb makes checksums, which both servers must agree on.
        my $has_switch = `@{[ $node->config_data('--bindir') ]}/initdb --help` =~ /--no-data-checksums/;
        $node->init(extra => [ '--locale=C', '--encoding=UTF8', $has_switch ? '--no-data-checksums' : () ]);
        $node->append_conf('postgresql.conf', "fsync = off\nmax_locks_per_transaction = 256");
    }
    return @pair;
}

sub upgrade
{
    my ($from, $to) = @_;
    chdir PostgreSQL::Test::Utils::tempdir();
    return run_log([
        'pg_upgrade', '--no-sync', '--old-datadir', $from->data_dir, '--new-datadir', $to->data_dir,
        '--old-bindir', $from->config_data('--bindir'), '--new-bindir', $to->config_data('--bindir'),
        '--socketdir', $to->host, '--old-port', $from->port, '--new-port', $to->port,
    ]);
}

# What pg_upgrade met, which stands in files that are gone with the test.
sub errors_of
{
    my ($to) = @_;
    my @logs = glob($to->data_dir . '/pg_upgrade_output.d/*/log/*.log');
    return join '; ', map { slurp_file($_) =~ /^(.*(?:ERROR|error): .*)$/mg } @logs;
}

# Some releases of the server cannot come from others at all: of 17.12 each column has an option, pg_attver, that 18.6 refuses.
sub obstacle
{
    my ($from, $to) = new_pair('plain_old', 'plain_new');
    $from->start;
    $from->safe_psql('postgres', 'CREATE TABLE plain (number integer)');
    $from->stop;
    return upgrade($from, $to) ? '' : errors_of($to);
}

my ($old, $new) = new_pair('old', 'new');
note($old->config_data('--version') . ' to ' . $new->config_data('--version'));

my %rights = (shop_app => 'app', shop_admin => 'admin', shop_analyst => 'report', shop_jobs => 'jobs', webshop => 'app', controller => 'report');
$old->start;
$old->safe_psql('postgres', "CREATE ROLE $_") for keys %rights;
$old->safe_psql('postgres', 'CREATE DATABASE shop');
my $restored = IPC::Run::run(
    [ 'gzip', '-dc', "$FindBin::RealBin/../fixtures/0.1.0/plain.sql.gz" ], '|',
    [ $old->config_data('--bindir') . '/psql', '-X', '-q', '-d', $old->connstr('shop') ], '>', \my $output, '2>', \my $errors);
ok($restored, 'a database is filled');
$old->safe_psql('shop', 'SELECT loyalty_migrate()');

# Everything in it, and what it answers.
my $contents = q{
    SELECT format('SELECT %L, to_json(content) FROM loyalty.%I AS content ORDER BY 2::text COLLATE "C"', relname, relname)
    FROM pg_class
    WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'r'
    ORDER BY relname
    \gexec
    SELECT number, loyalty_calculate(document), array(SELECT loyalty_explain(document)) FROM orders ORDER BY number;
    SELECT member.member, balance.*
    FROM loyalty.members AS member
    JOIN kept.balances AS kept USING (member, program)
    CROSS JOIN LATERAL loyalty_balance(member.member, member.program) AS balance
    ORDER BY member.member, member.program, balance.*;
};
my @kept = split /\n/, $old->safe_psql('shop', $contents);
cmp_ok(scalar(@kept), '>', 10000, 'with thousands of rows');
$old->stop;

my $upgraded = upgrade($old, $new);
if (!$upgraded && (my $obstacle = obstacle()))
{
    SKIP: { skip "a plain table is not upgraded either: $obstacle", 1 }
    done_testing();
    exit;
}
ok($upgraded, 'pg_upgrade') or diag(errors_of($new));

sub same
{
    my ($difference, $what) = @_;
    ok($difference eq '', $what) or diag($difference);
}

$new->start;
same(difference('before', \@kept, 'afterwards', [ split /\n/, $new->safe_psql('shop', $contents) ], 10), 'the same rows, quotes and balances');
$new->safe_psql('postgres', 'CREATE DATABASE fresh');
$new->safe_psql('fresh', 'CREATE EXTENSION loyalty; SELECT loyalty_create_schema()');
$new->safe_psql('fresh', "SELECT loyalty_grant('$_', '$rights{$_}')") for sort keys %rights;
# What the server keeps parsed is written down by the old one and read by the new one, which is the same with other casts; the
# views are made anew by loyalty_migrate().
$new->safe_psql('shop', 'SELECT loyalty_migrate()');
my @upgraded = map { s/\bBEGIN ATOMIC\b.*//sr } catalogue($new, 'shop');
my @fresh = map { s/\bBEGIN ATOMIC\b.*//sr } catalogue($new, 'fresh');
same(difference('upgraded', \@upgraded, 'in a fresh installation', \@fresh), 'the catalogue of a fresh installation');
is($new->safe_psql('shop', q{
    SELECT loyalty_commit('member-3', 'tree', external_id => 'open') -> 'value';
    SELECT loyalty_place_order(document) ->> 'repeated' FROM orders WHERE number IN (13, 14) ORDER BY number;
    CALL loyalty_run_jobs();
    SELECT count(*) FROM loyalty_verify();
}), "-20.00\ntrue\nfalse\n0", 'a hold commits, an old order is known, a new one is placed, jobs run, every invariant holds');
$new->stop;

done_testing();
