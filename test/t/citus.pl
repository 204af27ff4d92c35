# Members distributed over the workers of a Citus cluster by loyalty_distribute(): each call gives what one database gives,
# each member lives on one worker, transactions over several members are whole, also when a worker dies in the midst of a
# storm of them, what is configured is so everywhere or nowhere, so is a new version, and nothing runs where its members are not.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CitusNodes;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'Citus is not installed' unless have_citus;

my %node = start_nodes(qw(coordinator one two));
my $coordinator = $node{coordinator};
sub sql { return $coordinator->safe_psql('shop', $_[0]) }

sub error
{
    my ($statement, $node, $database) = @_;
    return error_of($node // $coordinator, $statement, $database);
}
sub add { add_node($coordinator, $_) foreach @node{@_} }

# ---------------------------------------------------------------------------------------------------------------------
# Distributing

$coordinator->safe_psql('postgres', 'CREATE EXTENSION loyalty');
like(error('SELECT loyalty_distribute()', $coordinator, 'postgres'), qr/LY801: Citus is not installed.*HINT/s, 'without Citus it says so');
sql('CREATE EXTENSION loyalty');
like(error(q{SELECT loyalty_call('m1', 'loyalty_now')}), qr/LY804: members are not distributed.*HINT/s, 'nothing is called before');
like(error('SELECT loyalty_distribute()'), qr/LY803: the cluster has no workers.*HINT/s, 'workers are missing');
sql("SELECT citus_set_coordinator_host('@{[ $coordinator->host ]}', @{[ $coordinator->port ]})");
add(qw(one two));
like(error('SET citus.enable_ddl_propagation = off; CREATE SCHEMA loyalty; SELECT loyalty_distribute()'), qr/LY802: schema "loyalty" exists on the coordinator/,
    'members of the coordinator would stay behind');
sql('SET citus.enable_ddl_propagation = off; DROP SCHEMA loyalty');
is(sql('SELECT loyalty_distribute(16)'), 2, 'two workers');
like(error('SELECT loyalty_distribute()'), qr/LY802: members are distributed already/, 'once');
is(sql('SELECT count(*), count(DISTINCT home) FROM loyalty_cluster.homes'), '16|2', 'each shard has its row, each worker its shards');

# The same members and configuration on one server, to compare.
$coordinator->safe_psql('postgres', 'SELECT loyalty_create_schema()');
my $document = q('{
    "external_id": "main", "name": "Main", "profile_database": "profiles", "currency": "EUR", "time_zone": "Europe/Berlin", "active": true,
    "point_types": [{"external_id": "bonus", "name": "Bonus", "kind": "standard", "ratio": 1, "scale": 0, "active": true}],
    "products": [{"sku": "tea", "name": "Tea", "price": 12.5}],
    "promotions": [
        {"external_id": "ten", "name": "Ten percent off", "kind": "discount", "parent": "main", "audience": "members", "state": "active",
         "max_uses_per_member": 2, "conditions": [{"benefits": [{"benefit": "discount", "parameters": {"percent": 10}}]}]},
        {"external_id": "earn", "name": "Points", "kind": "points", "parent": "main", "audience": "members", "state": "active",
         "conditions": [{"benefits": [{"benefit": "accrue_points", "parameters": {"point_type": "bonus", "points": 2}}]}]}
    ]
}'::jsonb);
$coordinator->safe_psql('postgres', "SELECT loyalty_import($document)");
is(sql("SELECT count(*), count(DISTINCT answer) FROM loyalty_call_everywhere('loyalty_import', jsonb_build_object('document', $document))"), '2|1',
    'a document configures all workers');
$coordinator->safe_psql('postgres', q{SELECT loyalty_apply('main')});
is(sql(q{SELECT string_agg(answer::text, ',') FROM loyalty_call_everywhere('loyalty_apply', '{"program": "main"}')}), '1,1', 'and is in force on all');

# ---------------------------------------------------------------------------------------------------------------------
# The same calls, once on the cluster and once where all are together. What differs by nature, moments and made ids, is left out.

my $made = q{'{id,enrolled_at,registered_at,created_at,booked_at,active_from,expires_at,placed_at,removed_at,time,ended_at}'};
sub compare
{
    my ($name, $function, %arguments) = @_;
    my $buyer = delete $arguments{buyer} // q{'m' || n};
    my $after = delete $arguments{after} // '';
    my $answer = "CASE jsonb_typeof(answer) WHEN 'object' THEN answer - $made\::text[] ELSE answer END $after";
    my $direct = join ', ', map { qq("$_" => $arguments{$_}) } sort keys %arguments;
    my $named = join ', ', map { qq('$_', $arguments{$_}) } sort keys %arguments;
    my $many = 'FROM generate_series(1, 40) AS n, LATERAL';
    my $expected = $coordinator->safe_psql('postgres', "SELECT n, $answer $many (SELECT to_jsonb(row) AS answer FROM $function($direct) AS row) AS all_rows ORDER BY n, 2");
    my $found = sql("SELECT n, $answer $many loyalty_call($buyer, '$function', jsonb_build_object($named)) AS answer ORDER BY n, 2");
    cmp_ok(scalar(split /\n/, $expected), '>=', 40, "$name: one server answers");
    is($found, $expected, "$name: so does the cluster");
}
my ($member, $order) = ("'m' || n", "'O-' || n");
my $cart = qq{jsonb_build_object('program', 'main', 'external_id', $order, 'member', $member, 'lines', jsonb_build_array(jsonb_build_object('id', '1', 'product', 'tea', 'quantity', 1 + n % 3)))};
my $guests = qq{jsonb_build_object('program', 'main', 'external_id', 'G-' || n, 'lines', jsonb_build_array(jsonb_build_object('id', '1', 'product', 'tea', 'quantity', 1)))};
my %account = (member => $member, program => "'main'", point_type => "'bonus'");
sql(q{SELECT loyalty_call('m' || n, 'loyalty_save_profile', jsonb_build_object('key', 'm' || n)) FROM generate_series(1, 40) AS n});
$coordinator->safe_psql('postgres', q{SELECT loyalty_save_profile('m' || n) FROM generate_series(1, 40) AS n});
compare('enrolment', 'loyalty_enrol', member => $member, program => "'main'");
compare('who is there', 'loyalty_find_member', program => "'main'", value => $member, field => "'key'");
compare('quotes', 'loyalty_calculate', order => $cart, after => "-> 'totals'");
compare('orders', 'loyalty_place_order', order => $cart, after => "-> 'totals'");
compare('orders again', 'loyalty_place_order', order => $cart, after => "-> 'repeated'");
compare('orders of guests', 'loyalty_place_order', buyer => "'G-' || n", order => $guests, after => "-> 'totals'");
compare('an order', 'loyalty_order', program => "'main'", external_id => $order, after => "-> 'lines'");
compare('accruals', 'loyalty_accrue', %account, amount => 'n::numeric', external_id => "'a-' || n");
compare('accruals again', 'loyalty_accrue', %account, amount => 'n::numeric', external_id => "'a-' || n");
compare('redemptions', 'loyalty_redeem', %account, amount => '1::numeric', external_id => "'r-' || n");
compare('holds', 'loyalty_hold', %account, type => "'redemption'", amount => '1::numeric', time_out => "interval '1 hour'", external_id => "'h-' || n", after => "-> 'state'");
compare('balances', 'loyalty_balance', member => $member, program => "'main'");
compare('their end', 'loyalty_commit', member => $member, program => "'main'", external_id => "'h-' || n", after => "-> 'balance_after'");
compare('statuses', 'loyalty_set_order_status', program => "'main'", external_id => $order, status => "'delivered'", after => "-> 'status'");
compare('returns', 'loyalty_return_items', program => "'main'", external_id => $order, return_id => "'back-' || n", lines => q{'[{"id": "1", "quantity": 1}]'::jsonb}, after => "-> 'money'");
compare('cancellations', 'loyalty_cancel_order', buyer => "'G-' || n", program => "'main'", external_id => "'G-' || n", after => "-> 'status'");
compare('statements', 'loyalty_statement', member => $member, program => "'main'", after => "- '{undoes,source}'::text[]");

# What adds up: liability and the other reports, and the check of everything.
is(sql(q{SELECT sum((row ->> 'points')::numeric) FROM loyalty_read_everywhere('liability')}), $coordinator->safe_psql('postgres', 'SELECT sum(points) FROM loyalty.liability'), 'liability adds up');
is(sql(q{SELECT row ->> 'promotion', sum((row ->> 'orders')::bigint), sum((row ->> 'discount')::numeric) FROM loyalty_read_everywhere('promotion_performance') GROUP BY 1 ORDER BY 1}),
    $coordinator->safe_psql('postgres', 'SELECT promotion, sum(orders), sum(discount) FROM loyalty.promotion_performance GROUP BY 1 ORDER BY 1'), 'so do promotions');
sub verify { is(sql(q{SELECT * FROM loyalty_call_everywhere('loyalty_verify')}), '', "everything can be recomputed: $_[0]") }
verify('after all calls');

# Each member on one worker, and some on each.
my %members = map { $_ => { map { $_ => 1 } split /\n/, $node{$_}->safe_psql('shop', 'SELECT member FROM loyalty.members') } } qw(one two);
is(keys(%{ $members{one} }) + keys(%{ $members{two} }), 40, 'all members are somewhere');
ok(!grep({ $members{two}{$_} } keys %{ $members{one} }), 'none is on both');
cmp_ok(scalar(keys %{ $members{$_} }), '>=', 5, "worker $_ has its share") foreach qw(one two);
my ($here) = sort keys %{ $members{one} };
my ($there) = sort keys %{ $members{two} };

# ---------------------------------------------------------------------------------------------------------------------
# A new version of the extension, here with the functions that there are: updated on the coordinator it is so on all nodes,
# and the tables are migrated on each worker, where nothing else changes.

sub dump_of
{
    my ($dump) = run_command([ 'pg_dump', '--dbname=' . $_[0]->connstr('shop'), '--schema=loyalty' ]);
    return $dump =~ s/^\\(?:un)?restrict .*$//gmr;
}
my $extension = qx($ENV{PG_CONFIG} --sharedir) =~ s/\s*\z/\/extension/r;
my $version = sql(q{SELECT extversion FROM pg_extension WHERE extname = 'loyalty'});
my $update = slurp_file("$extension/loyalty--$version.sql");
$update =~ s/^CREATE (?=(?:FUNCTION|PROCEDURE) (?:\@extschema\@|loyalty_internal)\.)/CREATE OR REPLACE /gm;
$update =~ s/^CREATE SCHEMA loyalty_internal;$//m;
$update =~ s/^\\echo.*$//m;
append_to_file("$extension/loyalty--$version--next.sql", $update);
sql(q{ALTER EXTENSION loyalty UPDATE TO 'next'});
is($_->safe_psql('shop', q{SELECT extversion FROM pg_extension WHERE extname = 'loyalty'}), 'next', 'a node has the new version') foreach @node{qw(coordinator one two)};
my %dump = map { $_ => dump_of($node{$_}) } qw(one two);
is(sql(q{SELECT string_agg(answer::text, ',') FROM loyalty_call_everywhere('loyalty_migrate')}), sql(q{SELECT concat_ws(',', loyalty_schema_version(), loyalty_schema_version())}),
    'all workers are migrated');
foreach (qw(one two))
{
    my $then = dump_of($node{$_});
    $dump{$_} =~ s/^(\d+)\t\Q$version\E\t.*$/$1\tnext/m;
    $then =~ s/^(\d+)\tnext\t.*$/$1\tnext/m;
    ok($then eq $dump{$_}, "nothing else changes on $_");
}
unlink "$extension/loyalty--$version--next.sql";

# ---------------------------------------------------------------------------------------------------------------------
# Jobs, on each worker as on any server

$node{$_}->safe_psql('shop', q{SELECT loyalty_accrue(member, 'main', 'bonus', 7, expires_at => now() + interval '1 millisecond') FROM loyalty.members}) foreach qw(one two);
$node{$_}->safe_psql('shop', 'CALL loyalty_run_jobs()') foreach qw(one two);
is(sql(q{SELECT sum((row ->> 'expired')::numeric) FROM loyalty_read_everywhere('breakage')}), 40 * 7, 'points expire on each worker');
is(sql(q{SELECT count(*) FROM loyalty_read_everywhere('job_progress') WHERE row ->> 'state' = 'finished'}), 12, 'by its own jobs');
verify('after jobs');

# ---------------------------------------------------------------------------------------------------------------------
# Several members in one transaction; from any node

sub points { return sql("SELECT answer ->> 'total' FROM loyalty_call('$_[0]', 'loyalty_balance', '{\"member\": \"$_[0]\", \"program\": \"main\"}') AS answer") }
sub booking
{
    my ($who, $what, $points, $id) = @_;
    return qq{SELECT loyalty_call('$who', 'loyalty_$what', '{"member": "$who", "program": "main", "point_type": "bonus", "amount": $points, "external_id": "$id"}') ->> 'balance_after';};
}
my @before = map { points($_) } $here, $there;
sql('BEGIN;' . booking($here, 'redeem', 1, 'given') . booking($there, 'accrue', 1, 'given') . 'ROLLBACK');
is_deeply([ map { points($_) } $here, $there ], \@before, 'what is rolled back did not happen on either worker');
sql('BEGIN;' . booking($there, 'redeem', 1, 'given') . booking($here, 'accrue', 1, 'given') . 'COMMIT');
is_deeply([ map { points($_) } $here, $there ], [ $before[0] + 1, $before[1] - 1 ], 'what is committed did on both');
sql('BEGIN;' . booking($there, 'accrue', 5, 'kept') . 'SAVEPOINT s;' . booking($here, 'accrue', 5, 'undone') . 'ROLLBACK TO s; COMMIT');
is_deeply([ map { points($_) } $here, $there ], [ $before[0] + 1, $before[1] + 4 ], 'savepoints hold');
like(error(booking($here, 'redeem', 100000, 'too-much')), qr/ERROR:  LY510: member "$here" has too few points.*HINT/s, 'an error has its code, message and hint');
$node{one}->safe_psql('shop', booking($_, 'accrue', 1, 'by-a-worker')) foreach $here, $there;
is_deeply([ map { points($_) } $here, $there ], [ $before[0] + 2, $before[1] + 5 ], 'a worker takes calls for itself and for others');

# Nothing runs where its member is not.
like(error(qq{SELECT loyalty_save_profile('$there'); SELECT loyalty_enrol('$there', 'main')}, $node{one}), qr/LY806: this is not the home of "$there".*HINT/s, 'nobody is enrolled elsewhere');
like(error(q{SELECT loyalty_place_order(jsonb_build_object('program', 'main', 'external_id', 'G-' || n, 'lines', '[{"product": "tea", "quantity": 1}]'::jsonb)) FROM generate_series(100, 120) AS n},
    $node{one}), qr/LY806: this is not the home/, 'no order of a guest is placed elsewhere');
like(error(qq{SELECT loyalty_internal.call_here('$here', 'loyalty_now', '{}')::text}), qr/LY806: this is not the home/, 'what is not delegated is refused');
like(error(qq{SELECT loyalty_call('$here', 'pg_sleep', '{"secs": 1}')}), qr/LY807: there is no function "pg_sleep"/, 'functions of others are not called');
like(error(qq{SELECT loyalty_call('$here', 'loyalty_enrol', '{"member": "$here"}')}), qr/LY807: .*takes the arguments \{member\}/, 'nor with too few arguments');
like(error(q{SELECT * FROM loyalty_call_everywhere(NULL)}), qr/LY807: there is no function/, 'nor nothing');
like(error(q{SELECT * FROM loyalty_read_everywhere(NULL)}), qr/LY807: there is no table or view/, 'nor is nothing read');
like(error(q{SELECT * FROM loyalty_read_everywhere('pg_authid')}), qr/LY807: there is no table or view/, 'nor are other relations read');

# Rights are those that a role has on the workers. An update of the extension, which takes everybody's, gives back the way there.
my ($rights) = slurp_file('sql/90-rights.sql') =~ /^(DO .*)\z/ms;
$_->safe_psql('shop', "SET citus.enable_ddl_propagation = off; $rights") foreach @node{qw(coordinator one two)};
sql('CREATE ROLE shop_till LOGIN');
my $as_till = 'SET ROLE shop_till; ';
like(error($as_till . booking($here, 'accrue', 1, 'till')), qr/42501: permission denied/, 'without rights on the workers nothing is booked');
sql(q{SELECT * FROM loyalty_call_everywhere('loyalty_grant', '{"role": "shop_till", "rights": "app"}')});
is(sql($as_till . booking($here, 'accrue', 1, 'till')), $before[0] + 3, 'with the set app it is');
like(error($as_till . qq{SELECT loyalty_call('$here', 'loyalty_apply', '{"program": "main"}')}), qr/42501: permission denied/, 'and no more than that');

# ---------------------------------------------------------------------------------------------------------------------
# While a worker is down

my $sum = q{SELECT sum((row ->> 'total')::numeric) FROM loyalty_read_everywhere('balances')};
my $total = sql($sum);
$node{two}->stop('immediate');
is(sql(booking($here, 'accrue', 5, 'down')), $before[0] + 8, 'members of other workers go on');
like(error(booking($there, 'accrue', 5, 'down')), qr/ERROR:  08/, 'its own members get an error');
isnt(error("SELECT loyalty_call_everywhere('loyalty_import', jsonb_build_object('document', $document || '{\"name\": \"Renamed\"}'))"), '', 'nothing is configured');
is($node{one}->safe_psql('shop', 'SELECT name FROM loyalty.programs'), 'Main', 'not even where it could be');
$node{two}->start;
is(sql(booking($there, 'accrue', 5, 'down')), $before[1] + 10, 'they ask again when it is back');
is(sql($sum), $total + 10, 'and all is there');

# A storm of transfers between members, each in one transaction, by clients that know only to ask again, while workers die.
my @clients;
foreach my $client (1 .. 4)
{
    my $pid = fork // die $!;
    push @clients, $pid;
    next if $pid;
    srand $client;
    my $errors = 0;
    foreach my $number (1 .. 60)
    {
        my ($from, $to) = map { 'm' . (1 + int rand 40) } 1, 2;
        next if $from eq $to;
        my $transfer = 'BEGIN;' . booking($from, 'redeem', 1, "from-$client-$number") . booking($to, 'accrue', 1, "to-$client-$number") . 'COMMIT;';
        foreach (1 .. 600)
        {
            my ($code, undef, $stderr) = $coordinator->psql('shop', $transfer, on_error_stop => 1);
            last if $code == 0 || $stderr =~ /too few points/;
            $errors++;
            select undef, undef, undef, 0.1;
        }
    }
    require POSIX;
    POSIX::_exit($errors > 250 ? 250 : $errors);
}
foreach my $worker (qw(two one two))
{
    sleep 1;
    $node{$worker}->stop('immediate');
    sleep 1;
    $node{$worker}->start;
}
my $errors = 0;
foreach (@clients) { waitpid $_, 0; $errors += $? >> 8 }
cmp_ok($errors, '>', 10, "$errors transfers met a dead worker, and were asked again");
ok($node{$_}->poll_query_until('shop', 'SELECT count(*) = 0 FROM pg_prepared_xacts'), "nothing is left in doubt on $_") foreach qw(one two);
my $sides = sub { return sql(qq{SELECT count(*), count(DISTINCT row ->> 'external_id') FROM loyalty_read_everywhere('transactions') WHERE row ->> 'external_id' LIKE '$_[0]-%-%'}) };
my $given = $sides->('from');
is($sides->('to'), $given, 'what was taken from one member was given to another');
my ($count, $ids) = split /\|/, $given;
is($ids, $count, "each of $count transfers once");
cmp_ok($count, '>', 100, 'and most members had what to give');
is(sql($sum), $total + 10, 'no point was lost or made');
verify('after the storm');

done_testing();
