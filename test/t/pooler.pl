# Through a pooler in transaction mode, where each transaction may meet another server session: quotes, orders and bookings
# depend on nothing that a session keeps, and leave nothing in it. Skipped where there is no pgbouncer.
use strict;
use warnings;

use FindBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin';
plan skip_all => 'pgbouncer is not here' unless $pgbouncer;

my $node = PostgreSQL::Test::Cluster->new('pooler');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nlog_statement = none");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION loyalty');
$node->safe_psql('postgres', "SET search_path = public;\n\\set ON_ERROR_STOP 1\n" . slurp_file("$FindBin::RealBin/../fixtures/shop.sql") . 'SELECT loyalty_apply($$main$$)');
$node->safe_psql('postgres', q{
    CREATE ROLE till LOGIN;
    SELECT loyalty_grant('till', 'app');
});

# Two server sessions for whoever comes.
my $folder = PostgreSQL::Test::Utils::tempdir;
my $port = $node->port;
my $host = $node->host;
append_to_file("$folder/users", qq{"till" ""\n});
append_to_file("$folder/pgbouncer.ini", <<END);
[databases]
shop = host=$host port=$port dbname=postgres
[pgbouncer]
listen_addr =
unix_socket_dir = $folder
listen_port = 6432
auth_type = trust
auth_file = $folder/users
pool_mode = transaction
default_pool_size = 2
logfile = $folder/log
pidfile = $folder/pid
END
my $pooler = IPC::Run::start([ $pgbouncer, '-q', "$folder/pgbouncer.ini" ], '>', "$folder/out", '2>', "$folder/err");
my $connection = "host=$folder port=6432 dbname=shop user=till";

sub asked
{
    my ($sql) = @_;
    my ($out, $err);
    IPC::Run::run([ 'psql', '-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $connection, '-f', '-' ], '<', \$sql, '>', \$out, '2>', \$err);
    chomp $out;
    return $out . $err;
}

my $up = 0;
for (1 .. 100)
{
    $up = asked('SELECT 1') eq '1' and last;
    select undef, undef, undef, 0.1;
}
ok($up, 'the pooler answers') or diag(slurp_file("$folder/err"));

my $order = '{"program": "main", "member": "ann", "time": "2026-01-15T12:00", "lines": [{"product": "book", "quantity": 2}]}';
my $price = asked("SELECT loyalty_calculate('$order') #>> '{totals,total}'");
like($price, qr/^\d+\.\d\d$/, 'a quote');

# Whatever the client before has set in the session that comes next, prices and what is stored do not change.
is(asked("SET search_path = pg_temp; SET DateStyle = 'German, DMY'; SET TimeZone = 'Asia/Tokyo'; SET extra_float_digits = -15;
    SELECT public.loyalty_calculate('$order') #>> '{totals,total}'"), $price, 'the same quote under other settings');
is(asked("SELECT public.loyalty_calculate('$order') #>> '{totals,total}'"), $price, "the same quote in a session that was another client's") for 1 .. 4;

my $placing = q{jsonb_set('} . $order . q{', '{external_id}', to_jsonb('P-' || number))};
is(asked("BEGIN; SELECT count(public.loyalty_place_order($placing)) FROM generate_series(1, 3) AS number; ROLLBACK"), '3', 'orders are placed');
is($node->safe_psql('postgres', 'SELECT count(*) FROM loyalty.orders'), '0', 'and gone with their transaction');

my @clients = map {
    my $client = $_;
    my $sql = join ';', map { 'SELECT 1 FROM public.loyalty_place_order(' . $placing =~ s/number/"'$client-$_'::text"/er . ')' } 1 .. 20;
    IPC::Run::start([ 'psql', '-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $connection, '-f', '-' ], '<', \$sql, '>', "$folder/client-$client", '2>', "$folder/error-$client");
} 1 .. 8;
$_->finish foreach @clients;
is(join('', map { slurp_file("$folder/error-$_") } 1 .. 8), '', 'eight clients share two sessions');
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT external_id) FROM loyalty.orders'), '160|160', 'each order was placed once');
is($node->safe_psql('postgres', 'SELECT count(*) FROM loyalty_verify()'), '0', 'and every invariant holds');

$pooler->signal('INT');
$pooler->finish;
$node->stop;
done_testing();
