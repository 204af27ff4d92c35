# A ledger with everything in it is dumped and restored in every mode, and replicated to a second server: there are the same
# rows, every invariant holds, a repeated request is recognised, an open hold commits, the next transaction continues the
# chain.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use LedgerClients;
use LedgerTraffic;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('dump');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', $LedgerTraffic::setup);

# What the schema holds, but for the row that tells when it was migrated.
my $contents = q{
    SELECT format('SELECT %L, content::text FROM loyalty.%I AS content ORDER BY content::text COLLATE "C"', relname, relname)
    FROM pg_class
    WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'r' AND relname <> 'schema_version'
    ORDER BY relname
    \gexec
};

# Traffic until there is everything in it, and what is to be continued afterwards.
my $everything = 'accrual committed expiration open redemption refund reversal rolled_back timed_out';
my $kinds = q{
    SELECT string_agg(kind, ' ' ORDER BY kind COLLATE "C")
    FROM (SELECT type FROM loyalty.transactions UNION SELECT state FROM loyalty.holds) AS found (kind)
};
my $clients = LedgerClients->new($node, 8);
my $traffic = LedgerTraffic->new($clients);
foreach (1 .. 10)
{
    $clients->run(4, sub { $traffic->next_request });
    last if $node->safe_psql('postgres', $kinds) eq $everything;
}
$clients->close_all;
is(join("\n", @{ $clients->{surprises} }), '', 'the traffic went well');
$node->safe_psql('postgres', q{
    SELECT loyalty_accrue('m1', 'main', 'bonus', 100, external_id => 'early');
    SELECT loyalty_redeem('m1', 'main', 'bonus', 30, external_id => 'spent');
    SELECT loyalty_refund('m1', 'main', 10, redemption => 'spent', external_id => 'back');
    SELECT loyalty_hold('m1', 'main', 'bonus', 'redemption', 20, '1 day', external_id => 'kept');
});
my $kept = $node->safe_psql('postgres', $contents);
is($node->safe_psql('postgres', $kinds), $everything, 'there is everything in it');

# A copy is the original, and goes on.
sub check
{
    my ($how, $copy, $database) = @_;
    ok($copy->safe_psql($database, $contents) eq $kept, "$how: the same rows");
    is($copy->safe_psql($database, 'SELECT * FROM loyalty_verify()'), '', "$how: every invariant holds");
    is($copy->safe_psql($database, q{SELECT loyalty_accrue('m1', 'main', 'bonus', 100, external_id => 'early') -> 'repeated'}),
        'true', "$how: a repeated request is recognised");
    is($copy->safe_psql($database, q{SELECT loyalty_commit('m1', 'main', external_id => 'kept') -> 'value'}), '-20.00', "$how: an open hold commits");
    is($copy->safe_psql($database, q{
        CREATE TABLE last AS SELECT member, seq, total FROM loyalty.balances;
        DO $$ BEGIN PERFORM loyalty_accrue(member, 'main', 'bonus', 1) FROM last; END $$;
        SELECT count(*) FROM last JOIN loyalty.transactions AS next ON next.member = last.member AND next.seq = last.seq + 1 AND next.balance_before = last.total
    }), 10, "$how: the next transaction continues the chain");
    is($copy->safe_psql($database, 'SELECT * FROM loyalty_verify()'), '', "$how: every invariant still holds");
    my (undef, undef, $error) = $copy->psql($database, 'DELETE FROM loyalty.transactions');
    like($error, qr/append-only/, "$how: the ledger is append-only");
}

sub make_database
{
    my ($name, $with_schema) = @_;
    $node->safe_psql('postgres', "CREATE DATABASE $name");
    $node->safe_psql($name, 'CREATE EXTENSION loyalty; SELECT loyalty_create_schema(seed => false)') if $with_schema;
}

sub run_sql
{
    my ($database, $file) = @_;
    $node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-1', '-d', $database, '-f', $file ], "$database: restored");
}

my $dumps = $node->data_dir . '/../dumps';
mkdir $dumps or die $!;

# The whole database.
$node->command_ok([ 'pg_dump', '-f', "$dumps/plain.sql", 'postgres' ], 'dumped as plain text');
make_database('plain');
run_sql('plain', "$dumps/plain.sql");
check('plain', $node, 'plain');

$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dumps/custom", 'postgres' ], 'dumped in the custom format');
make_database('custom');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', 'custom', "$dumps/custom" ], 'custom: restored');
check('custom', $node, 'custom');

$node->command_ok([ 'pg_dump', '-Fd', '-j4', '-f', "$dumps/directory", 'postgres' ], 'dumped into a directory by four jobs');
make_database('directory');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-j4', '-d', 'directory', "$dumps/directory" ], 'directory: restored by four jobs');
check('directory', $node, 'directory');

# The structure first, the data later.
$node->command_ok([ 'pg_dump', '--schema-only', '-f', "$dumps/structure.sql", 'postgres' ], 'the structure alone');
$node->command_ok([ 'pg_dump', '--data-only', '--disable-triggers', '-f', "$dumps/data.sql", 'postgres' ], 'the data alone');
make_database('two_steps');
run_sql('two_steps', "$dumps/$_.sql") for qw(structure data);
check('two steps', $node, 'two_steps');

# The data alone, into a schema that the library made, which has a version of its own.
my @data_only = ('pg_dump', '--data-only', '--disable-triggers', '--exclude-table-data=loyalty.schema_version');
$node->command_ok([ @data_only, '-f', "$dumps/data_only.sql", 'postgres' ], 'the data for another schema');
make_database('data_only', 1);
run_sql('data_only', "$dumps/data_only.sql");
check('data only', $node, 'data_only');

$node->command_ok([ @data_only, '--inserts', '-f', "$dumps/inserts.sql", 'postgres' ], 'the same as single inserts');
make_database('inserts', 1);
run_sql('inserts', "$dumps/inserts.sql");
check('inserts', $node, 'inserts');

$node->command_ok([ @data_only, '-Fd', '-j4', '-f', "$dumps/parts", 'postgres' ], 'the same into a directory');
make_database('parts', 1);
$node->command_ok([ 'pg_restore', '--exit-on-error', '--disable-triggers', '-j4', '-d', 'parts', "$dumps/parts" ], 'parts: restored by four jobs');
check('data only, four jobs', $node, 'parts');

# Logical replication to a second server: what is there, and what comes.
is($node->safe_psql('postgres', q{
    SELECT string_agg(relname, ', ') FROM pg_class WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'r'
        AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = pg_class.oid AND indisprimary)}), '', 'every table has a primary key, by which its changes are replicated');
my $publish = q{
    SELECT format('CREATE PUBLICATION ledger FOR TABLE %s', string_agg(oid::regclass::text, ', '))
    FROM pg_class
    WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'r' AND relname <> 'schema_version'
    \gexec
};
$node->safe_psql('postgres', $publish);
my $second = PostgreSQL::Test::Cluster->new('second');
$second->init;
$second->append_conf('postgresql.conf', 'fsync = off');
$second->start;
$second->safe_psql('postgres', 'CREATE EXTENSION loyalty; SELECT loyalty_create_schema(seed => false)');
$second->safe_psql('postgres', sprintf q{CREATE SUBSCRIPTION ledger CONNECTION '%s' PUBLICATION ledger}, $node->connstr('postgres') =~ s/'/''/gr);
$second->wait_for_subscription_sync($node, 'ledger');
ok($second->safe_psql('postgres', $contents) eq $kept, 'replicated: the rows that were there');
$clients = LedgerClients->new($node, 8);
$traffic->{clients} = $clients;
$clients->run(2, sub { $traffic->next_request });
$clients->close_all;
is(join("\n", @{ $clients->{surprises} }), '', 'more traffic went well');
$kept = $node->safe_psql('postgres', $contents);
$node->wait_for_catchup('ledger');
$second->safe_psql('postgres', 'DROP SUBSCRIPTION ledger');
check('replicated', $second, 'postgres');

$second->stop;
$node->stop;
done_testing();
