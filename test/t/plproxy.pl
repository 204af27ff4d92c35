# Members spread over two servers behind PL/Proxy, by doc/scale/plproxy.sql: quotes, orders and bookings give what one database
# gives, each member's rows lie on one server only, errors arrive, retries have one effect, and while a server is down its members
# wait and the others go on.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $lib = qx($ENV{PG_CONFIG} --pkglibdir);
chomp $lib;
plan skip_all => 'PL/Proxy is not installed' unless -f "$lib/plproxy.so";

# One server has the front and the first shard, and a database with all members in it, to compare; the other the second shard.
my %node = map { $_ => PostgreSQL::Test::Cluster->new($_) } qw(one two);
foreach my $node (values %node)
{
    $node->init;
    $node->append_conf('postgresql.conf', 'fsync = off');
    $node->start;
}
$node{one}->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(front shard together);
$node{two}->safe_psql('postgres', 'CREATE DATABASE shard');
my @everywhere = ([ 'one', 'shard' ], [ 'two', 'shard' ], [ 'one', 'together' ]);
foreach (@everywhere)
{
    $node{ $_->[0] }->safe_psql($_->[1], q{
        CREATE EXTENSION loyalty;
        SELECT loyalty_create_schema();
        INSERT INTO loyalty.profiles (key) SELECT 'm' || n FROM generate_series(1, 40) AS n;
    });
}
my $front = $node{one};
$front->run_log([ 'psql', '-XAtq', '-d', $front->connstr('front'), '-v', 'shard0=' . $node{one}->connstr('shard'), '-v', 'shard1=' . $node{two}->connstr('shard'),
    '-f', 'doc/scale/plproxy.sql' ]) or BAIL_OUT('the front could not be made');

# Configured by one document, on all at once.
my $document = q('{
    "external_id": "main", "name": "Main", "profile_database": "profiles", "currency": "EUR", "time_zone": "Europe/Berlin", "active": true,
    "point_types": [{"external_id": "bonus", "name": "Bonus", "kind": "standard", "ratio": 1, "scale": 0, "active": true}],
    "products": [{"sku": "tea", "name": "Tea", "price": 12.5}],
    "promotions": [
        {"external_id": "ten", "name": "Ten percent off", "kind": "discount", "parent": "main", "audience": "members", "state": "active",
         "conditions": [{"benefits": [{"benefit": "discount", "parameters": {"percent": 10}}]}]},
        {"external_id": "earn", "name": "Points", "kind": "points", "parent": "main", "audience": "members", "state": "active",
         "conditions": [{"benefits": [{"benefit": "accrue_points", "parameters": {"point_type": "bonus", "points": 2}}]}]}
    ]
}'::jsonb);
is($front->safe_psql('front', "SELECT count(DISTINCT rows), count(*) FROM loyalty_import_everywhere($document) AS rows"), '1|2', 'a document configures all shards');
$front->safe_psql('together', "SELECT loyalty_import($document)");
is($front->safe_psql('front', q{SELECT string_agg(version::text, ',') FROM loyalty_apply_everywhere('main') AS version}), '1,1', 'and is in force on all');
$front->safe_psql('together', q{SELECT loyalty_apply('main')});
is($front->safe_psql('front', q{SELECT count(*), min(version), max(version) FROM loyalty_applied_everywhere('main')}), '2|1|1', 'which the front can see');

# The same calls, once through the front and once where all are together. What differs by nature is left out: moments and ids.
my $order = q{jsonb_build_object('program', 'main', 'external_id', 'O-' || n, 'member', 'm' || n, 'lines', jsonb_build_array(jsonb_build_object('product', 'tea', 'quantity', 1 + n % 3)))};
my @calls = (
    q{SELECT n, loyalty_enrol('m' || n, 'main') ->> 'outcome' FROM generate_series(1, 40) AS n},
    qq{SELECT n, loyalty_calculate($order) -> 'totals' FROM generate_series(1, 40) AS n},
    qq{SELECT n, loyalty_place_order($order) #> '{totals}' FROM generate_series(1, 40) AS n},
    qq{SELECT n, loyalty_place_order($order) ->> 'repeated' FROM generate_series(1, 40) AS n},
    q{SELECT n, loyalty_accrue('m' || n, 'main', 'bonus', n, 'welcome-' || n) -> 'balance_after' FROM generate_series(1, 40) AS n},
    q{SELECT n, loyalty_accrue('m' || n, 'main', 'bonus', n, 'welcome-' || n) -> 'repeated' FROM generate_series(1, 40) AS n},
    q{SELECT n, loyalty_redeem('m' || n, 'main', 'bonus', 1, 'spent-' || n) -> 'balance_after' FROM generate_series(1, 40) AS n},
    q{SELECT n, b.* FROM generate_series(1, 40) AS n, LATERAL (SELECT point_type, total, active, waiting, held FROM loyalty_balance('m' || n, 'main')) AS b},
);
foreach my $call (@calls)
{
    my $expected = $front->safe_psql('together', $call);
    is(scalar(split /\n/, $expected), 40, 'one database answers: ' . substr($call, 0, 60));
    is($front->safe_psql('front', $call), $expected, 'and through the front that is the answer, too');
}
is($front->safe_psql('front', q{SELECT loyalty_set_order_status('m3', 'main', 'O-3', 'delivered') ->> 'status'}), 'delivered', 'an order is found by its buyer');
is($front->safe_psql('front', q{SELECT loyalty_cancel_order('m4', 'main', 'O-4') ->> 'status'}), 'canceled', 'and cancelled');
is($front->safe_psql('front', q{SELECT loyalty_order('m4', 'main', 'O-4') ->> 'status'}), 'canceled', 'and read');

# Each member on one server, and some on each.
my %members = map { $_ => { map { $_ => 1 } split /\n/, $node{$_}->safe_psql('shard', 'SELECT DISTINCT member FROM loyalty.transactions') } } qw(one two);
is(keys(%{ $members{one} }) + keys(%{ $members{two} }), 40, 'all members are somewhere');
ok(!grep({ $members{two}{$_} } keys %{ $members{one} }), 'none is on both');
cmp_ok(scalar(keys %{ $members{$_} }), '>=', 10, "server $_ has its share") foreach qw(one two);
is($front->safe_psql('front', 'SELECT sum(points) FROM loyalty_liability'), $front->safe_psql('together', 'SELECT sum(points) FROM loyalty.liability') - 2 * 2,
    'reports add up, but for the points of the order that was cancelled here only');
is($front->safe_psql('front', 'SELECT count(*) FROM loyalty_verify_everywhere()'), 0, 'and everything can be recomputed on each');

# Errors keep their code; message and hint come from the shard.
my (undef, undef, $error) = $front->psql('front', q{\set VERBOSITY verbose
    SELECT loyalty_redeem('m1', 'main', 'bonus', 100000, 'too-much')});
like($error, qr/ERROR:  LY510: .*REMOTE ERROR: .*HINT/s, 'an error has its code and hint');

# While a server is down.
my ($here) = sort keys %{ $members{one} };
my ($there) = sort keys %{ $members{two} };
$node{two}->stop('immediate');
is($front->safe_psql('front', "SELECT loyalty_accrue('$here', 'main', 'bonus', 5, 'down') ->> 'type'"), 'accrual', 'members of other servers go on');
my ($status) = $front->psql('front', "SELECT loyalty_accrue('$there', 'main', 'bonus', 5, 'down')");
isnt($status, 0, 'its own members get an error');
($status) = $front->psql('front', "SELECT loyalty_import_everywhere($document || '{\"name\": \"Renamed\"}')");
isnt($status, 0, 'and nothing is configured');
$node{two}->start;
is($front->safe_psql('front', "SELECT loyalty_accrue('$there', 'main', 'bonus', 5, 'down') ->> 'type'"), 'accrual', 'they ask again when it is back');
is($front->safe_psql('front', "SELECT loyalty_accrue('$here', 'main', 'bonus', 5, 'down') ->> 'repeated'"), 'true', 'and who had an answer gets the same');
$front->safe_psql('front', "SELECT loyalty_import_everywhere($document || '{\"name\": \"Renamed\"}')");
is($node{$_}->safe_psql('shard', 'SELECT name FROM loyalty.programs'), 'Renamed', "and $_ is configured by asking again") foreach qw(one two);
is($front->safe_psql('front', 'SELECT count(*) FROM loyalty_verify_everywhere()'), 0, 'and everything can still be recomputed');

done_testing();
