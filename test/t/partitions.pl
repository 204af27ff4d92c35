# A schema whose tables of transactions and orders are partitioned: the regression tests of the ledger and of orders print
# what they print elsewhere; each partition refuses what its table refuses; migrating again changes nothing; a dump is
# restored whole, and goes on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use File::Temp qw(tempdir);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('partitions');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
my $top = "$FindBin::RealBin/../..";

sub contents
{
    my ($file) = @_;
    open my $handle, '<', $file or die "$file: $!";
    local $/;
    return scalar <$handle>;
}

# The tests and what they include, each with a schema of three parts.
my $copy = tempdir(CLEANUP => 1);
mkdir "$copy/$_" or die "$copy/$_: $!" foreach 'test', 'test/fixtures', 'test/sql';
sub copy_with_parts
{
    my ($file) = @_;
    my $text = contents("$top/$file");
    $text =~ s/loyalty_create_schema\(\)/loyalty_create_schema(partitioned => 3)/g;
    open my $handle, '>', "$copy/$file" or die "$copy/$file: $!";
    print $handle $text;
    close $handle;
}
copy_with_parts($_) foreach map { s{^\Q$top/\E}{}r } glob "$top/test/fixtures/*.sql";

# What the server tells of parts by name is told of tables elsewhere.
sub told
{
    my ($output) = @_;
    $output =~ s/^psql:\S+:\d+: //mg;
    $output =~ s/^NOTICE:  truncate cascades to table .*\n//mg;
    $output =~ s/on table "(\w+)_\d+"/on table "$1"/g;
    return $output;
}

foreach my $name (qw(archive ledger orders returns))
{
    copy_with_parts("test/sql/$name.sql");
    $node->safe_psql('postgres', "CREATE DATABASE $name");
    $node->safe_psql($name, 'CREATE EXTENSION loyalty');
    local %ENV = (%ENV, PGTZ => 'PST8PDT', PGDATESTYLE => 'Postgres, MDY',
        PGOPTIONS => '-c intervalstyle=postgres_verbose', PGHOST => $node->host, PGPORT => $node->port);
    my $output = `cd '$copy' && psql -X -a -q -d $name -v HIDE_TABLEAM=on -v HIDE_TOAST_COMPRESSION=on <test/sql/$name.sql 2>&1`;
    is(told($output), told(contents("$top/expected/$name.out")), "$name prints what it prints without partitions");
}

# A schema that stays.
my ($status, undef, $error) = $node->psql('postgres', 'CREATE EXTENSION loyalty; SELECT loyalty_create_schema(partitioned => 2000)');
like($error, qr/number of partitions is out of range/, 'as many parts as anybody wants is refused');
$node->safe_psql('postgres', q{
    SELECT loyalty_create_schema(partitioned => 4);
    INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
        VALUES ('main', 'Main', 'profiles', 'EUR', 'Europe/Berlin', true);
    INSERT INTO loyalty.point_types (program, external_id, name, ratio, active) VALUES ('main', 'bonus', 'Bonus', 1, true);
    INSERT INTO loyalty.profiles (key) SELECT 'm' || n FROM generate_series(1, 40) AS n;
    INSERT INTO loyalty.members (member, program) SELECT key, 'main' FROM loyalty.profiles;
    SELECT loyalty_apply('main');
    SELECT loyalty_accrue(key, 'main', 'bonus', 10, external_id => 'a-' || key) FROM loyalty.profiles;
    SELECT loyalty_redeem(key, 'main', 'bonus', 4, external_id => 'r-' || key) FROM loyalty.profiles;
    SELECT loyalty_place_order(jsonb_build_object('external_id', 'o-' || key, 'member', key,
        'lines', '[{"id": "1", "product": "x", "quantity": 1, "price": 5}]'::jsonb)) FROM loyalty.profiles;
});
is($node->safe_psql('postgres', q{
    SELECT string_agg(relname, ' ' ORDER BY relname COLLATE "C") FROM pg_class WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'p'
}), 'account_closings archived_ids lot_movements order_accruals order_lines order_points order_return_lines order_returns orders transactions',
    'these tables are partitioned');
is($node->safe_psql('postgres', q{
    SELECT count(DISTINCT tableoid) FROM loyalty.transactions UNION ALL SELECT count(DISTINCT tableoid) FROM loyalty.orders
}), "4\n4", 'rows lie in all parts');

# Whoever owns the schema gets past the table, not past its parts.
foreach my $statement (
    'DELETE FROM loyalty.transactions_0', 'UPDATE loyalty.lot_movements_1 SET value = 1', 'TRUNCATE loyalty.transactions_2',
    'DELETE FROM loyalty.orders_3', "UPDATE loyalty.order_lines_0 SET total = 1", 'DELETE FROM loyalty.archived_ids_0',
    'INSERT INTO loyalty.transactions_0 (member, program, point_type, type, value) SELECT member, program, point_type, type, value FROM loyalty.transactions_0 LIMIT 1')
{
    my ($code, undef, $told) = $node->psql('postgres', $statement);
    isnt($code, 0, "$statement is refused: " . ($told =~ /ERROR:  (.*)/ ? $1 : ''));
}
$node->safe_psql('postgres', 'ALTER TABLE loyalty.lot_movements_0 DISABLE TRIGGER USER');
(undef, undef, $error) = $node->psql('postgres', q{UPDATE loyalty.lot_movements_0 SET value = 'NaN'});
like($error, qr/lot_movements_are_well_formed/, 'a part has the rule of its rows');
$node->safe_psql('postgres', 'ALTER TABLE loyalty.lot_movements_0 ENABLE TRIGGER USER');

# What the catalogue says of the schema; constraints of triggers have numbers in their names.
my $catalogue = q{
    SELECT tgrelid::regclass || ' ' || tgname || ' ' || tgenabled::text FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE relnamespace = 'loyalty'::regnamespace AND NOT tgisinternal
    UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(pg_constraint.oid) FROM pg_constraint
    WHERE connamespace = 'loyalty'::regnamespace AND conrelid <> 0
    UNION ALL SELECT relname || ' ' || relkind::text || ' ' || coalesce(reloptions::text, '') || ' ' || coalesce(pg_get_expr(relpartbound, oid), '')
    FROM pg_class WHERE relnamespace = 'loyalty'::regnamespace
    ORDER BY 1
};
my $before = $node->safe_psql('postgres', $catalogue);
$node->safe_psql('postgres', 'SELECT loyalty_migrate()');
is($node->safe_psql('postgres', $catalogue), $before, 'migrating again changes nothing');

# Archived, dumped, restored.
$node->safe_psql('postgres', q{CALL loyalty_run_job('archive_accounts', older_than => '0')});
is($node->safe_psql('postgres', 'SELECT count(*) FROM loyalty.account_closings UNION ALL SELECT count(*) FROM loyalty.transactions'), "40\n0", 'all is archived');
is($node->safe_psql('postgres', 'SELECT * FROM loyalty_verify()'), '', 'every invariant holds');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok(['bash', '-o', 'pipefail', '-c',
    "pg_dump -h '" . $node->host . "' -p " . $node->port . " postgres | psql -X -q -v ON_ERROR_STOP=1 -h '" . $node->host . "' -p " . $node->port . ' restored'],
    'a dump is restored');
is($node->safe_psql('restored', $catalogue), $node->safe_psql('postgres', $catalogue), 'the same tables, rules and triggers');
is($node->safe_psql('restored', q{SELECT loyalty_accrue('m7', 'main', 'bonus', 10, external_id => 'a-m7') -> 'repeated'}), 'true', 'a repeated request is known');
is($node->safe_psql('restored', q{SELECT loyalty_accrue('m7', 'main', 'bonus', 1) -> 'balance_after'}), '7.00', 'the account goes on');
is($node->safe_psql('restored', q{SELECT loyalty_place_order('{"external_id": "new", "member": "m7", "lines": [{"id": "1", "product": "x", "quantity": 1, "price": 5}]}') -> 'status'}),
    '"new"', 'an order is placed');
is($node->safe_psql('restored', 'SELECT * FROM loyalty_verify()'), '', 'every invariant holds there');

$node->stop;
done_testing();
