# Members go on while the servers of their cluster change: one is added, and each worker in turn moves to another server.
# All the time clients transfer points between members, place orders and book, and know only to ask again after an error until
# they are answered. Then each transfer is there once on both sides, so is each order and booking, and every balance is
# what the answers make it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";
use CitusNodes;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'Citus is not installed' unless have_citus;

my $members = 40;
my $points = 1000;

my %node = start_nodes(qw(coordinator one two));
my $coordinator = $node{coordinator};
sub sql { return $coordinator->safe_psql('shop', $_[0]) }

sql("SELECT citus_set_coordinator_host('@{[ $coordinator->host ]}', @{[ $coordinator->port ]})");
add_node($coordinator, $node{$_}) foreach qw(one two);
sql('CREATE EXTENSION loyalty; SELECT loyalty_distribute(16); CREATE ROLE till LOGIN');
my $document = q('{
    "external_id": "main", "name": "Main", "profile_database": "profiles", "currency": "EUR", "time_zone": "Europe/Berlin", "active": true,
    "point_types": [{"external_id": "bonus", "name": "Bonus", "kind": "standard", "ratio": 1, "scale": 0, "active": true}],
    "products": [{"sku": "tea", "name": "Tea", "price": 12.5}],
    "promotions": [
        {"external_id": "earn", "name": "Points", "kind": "points", "parent": "main", "audience": "members", "state": "active",
         "conditions": [{"benefits": [{"benefit": "accrue_points", "parameters": {"point_type": "bonus", "points": 2}}]}]}
    ]
}'::jsonb);
sql("SELECT * FROM loyalty_call_everywhere('loyalty_import', jsonb_build_object('document', $document))");
sql(q{SELECT * FROM loyalty_call_everywhere('loyalty_apply', '{"program": "main"}')});
sql(q{SELECT * FROM loyalty_call_everywhere('loyalty_grant', '{"role": "till", "rights": "app"}')});

sub enrol
{
    my ($first, $last) = @_;
    sql("SELECT $_ FROM generate_series($first, $last) AS n") foreach
        q{loyalty_call('m' || n, 'loyalty_save_profile', jsonb_build_object('key', 'm' || n))},
        q{loyalty_call('m' || n, 'loyalty_enrol', jsonb_build_object('member', 'm' || n, 'program', 'main'))},
        qq{loyalty_call('m' || n, 'loyalty_accrue', jsonb_build_object('member', 'm' || n, 'program', 'main', 'point_type', 'bonus', 'amount', $points))};
}
enrol(1, $members);

# ---------------------------------------------------------------------------------------------------------------------
# The clients. Each answer is a line: what was asked for, its id, and what it means to the balance of whom.

sub booking
{
    my ($who, $what, $amount, $id) = @_;
    return qq{SELECT loyalty_call('$who', 'loyalty_$what', '{"member": "$who", "program": "main", "point_type": "bonus", "amount": $amount, "external_id": "$id"}');};
}

sub order
{
    my ($who, $id) = @_;
    return qq{SELECT loyalty_call('$who', 'loyalty_place_order', '{"order": {"program": "main", "external_id": "$id", "member": "$who", "lines": [{"product": "tea", "quantity": 1}]}}');};
}

# Who books for several members keeps to their order: two of them the other way round could wait for each other.
sub sql_of
{
    my ($kind, $id, $who, undef, $to) = split / /, $_[0];
    return order($who, $id) if $kind eq 'order';
    return booking($who, 'accrue', 3, $id) if $kind eq 'accrual';
    my %booking = ($who => booking($who, 'redeem', 1, $id), $to => booking($to, 'accrue', 1, $id));
    return join ' ', 'BEGIN;', @booking{ sort keys %booking }, 'COMMIT;';
}

sub request
{
    my ($id) = @_;
    my ($from, $to) = (1 + int rand $members, 1 + int rand($members - 1));
    ($from, $to) = map { "m$_" } $from, $to + ($to >= $from);
    return ("order O-$id $from 2", "accrual A-$id $from 3", map { "transfer T-$id $from -1 $to 1" } 1, 2)[ int rand 4 ];
}

my $folder = PostgreSQL::Test::Utils::tempdir;
my $over = "$folder/over";

# Asks until all is answered, after an error in another session, and writes down each answer and error.
sub ask
{
    my ($number, $patience, @requests) = @_;
    while (@requests)
    {
        my $script = join '', map { sql_of($_) . "\n\\echo answered $_\n" } @requests;
        my (undef, $out, $err) = $coordinator->psql('shop', "\\set VERBOSITY sqlstate\n$script", on_error_stop => 1, extra_params => [qw(-U till)]);
        my @answered = $out =~ /^answered (.*)$/mg;
        append_to_file("$folder/answers-$number", join '', map { "$_\n" } @answered);
        splice @requests, 0, scalar @answered;
        last if !@requests;
        append_to_file("$folder/errors-$number", time . ' ' . $err =~ s/\s+/ /gr . "\n");
        die "not answered: $requests[0]: $err" if $patience-- == 0;
        sleep 0.1;
    }
}

sub start_client
{
    my ($number) = @_;
    my $pid = fork // die $!;
    return $pid if $pid;
    srand $number;
    my $was_answered = eval {
        for (my $batch = 1; !-e $over; $batch++) { ask($number, 600, map { request("$number-$batch-$_") } 1 .. 10) }
        1;
    } or warn $@;
    require POSIX;
    POSIX::_exit($was_answered ? 0 : 1);
}

sub lines_of { return map { -e "$folder/$_[0]-$_" ? split /\n/, slurp_file("$folder/$_[0]-$_") : () } 1 .. 4 }

# The errors that the clients met during a step, after which they go on.
sub during
{
    my ($name, $step) = @_;
    my ($answers, $begin) = (scalar lines_of('answers'), time);
    $step->();
    my $then = lines_of('answers');
    foreach (1 .. 1800) { last if lines_of('answers') >= $then + 100; sleep 0.1 }
    cmp_ok(scalar lines_of('answers'), '>=', $then + 100, "$name: the clients go on");
    my @times = sort { $a <=> $b } grep { $_ > $begin } map { (split / /)[0] } lines_of('errors');
    note(sprintf '%s: %d answers meanwhile, %d errors within %.1f seconds', $name, $then - $answers, scalar @times, @times ? $times[-1] - $times[0] : 0);
    return scalar @times;
}

my @clients = map { start_client($_) } 1 .. 4;
sleep 1;

# ---------------------------------------------------------------------------------------------------------------------
# A node more

my $homes = 'SELECT key, home FROM loyalty_cluster.homes ORDER BY 1';
my $before = sql($homes);
%node = (%node, start_nodes('three'));
is(during('a node is added', sub { add_node($coordinator, $node{three}) }), 0, 'no call fails');
is(during('it is to take its share', sub {
    like(error_of($coordinator, q{SELECT rebalance_table_shards('loyalty_cluster.homes', shard_transfer_mode => 'block_writes')}), qr/the members whose home it is would stay behind/, 'no home moves there');
}), 0, 'no call fails');
is(sql($homes), $before, 'homes are where they were');
my $front = $node{three}->psql('shop', q{SELECT loyalty_call('m1', 'loyalty_balance', '{"member": "m1", "program": "main"}')}, extra_params => [qw(-U till)]);
is($front, 0, 'but the node carries calls');
enrol(101, 110);
is(sql(q{SELECT count(DISTINCT node) FROM loyalty_read_everywhere('members')}), 2, 'who is enrolled now has a home all the same');

# ---------------------------------------------------------------------------------------------------------------------
# Each worker moves to another server: its standby takes its place.

sub last_of
{
    my ($node) = @_;
    my ($out) = run_command([ 'pg_controldata', $node->data_dir ]);
    return $out =~ /^Latest checkpoint location: +(\S+)/m ? $1 : die $out;
}

sub move
{
    my ($old, $new) = @_;
    $node{$old}->backup('whole');
    $node{$new} = PostgreSQL::Test::Cluster->new($new);
    $node{$new}->init_from_backup($node{$old}, 'whole', has_streaming => 1);
    # The key that Citus has made for connections between nodes.
    chmod 0600, $node{$new}->data_dir . '/server.key';
    $node{$new}->start;
    $node{$old}->wait_for_catchup($node{$new});
    # A server that is stopped sends all that it has written before it ends.
    $node{$old}->stop;
    my $last = last_of($node{$old});
    ok($node{$new}->poll_query_until('postgres', "SELECT pg_last_wal_replay_lsn() > '$last'"), "all of $old is at $new");
    $node{$new}->promote;
    sql("SELECT citus_update_node(nodeid, '@{[ $node{$new}->host ]}', @{[ $node{$new}->port ]}) FROM pg_dist_node WHERE nodeport = @{[ $node{$old}->port ]}");
    ok($coordinator->poll_query_until('shop', 'SELECT bool_and(metadatasynced) FROM pg_dist_node'), "Citus has told $new what there is");
}
foreach my $step ([ 'two', 'two_again' ], [ 'one', 'one_again' ])
{
    my ($old, $new) = @$step;
    cmp_ok(during("$old moves", sub { move($old, $new) }), '>', 0, 'calls failed, and were asked again');
}

# ---------------------------------------------------------------------------------------------------------------------
# What is there

append_to_file($over, '');
foreach (@clients) { waitpid $_, 0; is($?, 0, 'a client was answered all that it asked') }
my %errors;
$errors{ /(?:ERROR|FATAL): +(\S+)/ ? $1 : $_ }++ foreach lines_of('errors');
note("$_: $errors{$_} times") foreach sort keys %errors;
is(join(' ', grep { !/^(?:08|57P|LY806)/ } sort keys %errors), '', 'errors were of connections, or LY806');
ok($node{$_}->poll_query_until('shop', 'SELECT count(*) = 0 FROM pg_prepared_xacts'), "nothing is left in doubt on $_") foreach qw(one_again two_again);

my (%asked, %balance);
$balance{"m$_"} = $points foreach 1 .. $members;
foreach my $line (lines_of('answers'))
{
    my ($kind, $id, @changes) = split / /, $line;
    push @{ $asked{$kind} }, $id;
    while (my ($who, $change) = splice @changes, 0, 2) { $balance{$who} += $change }
}
sub check
{
    my ($when) = @_;
    foreach ([ 'order', q{SELECT row ->> 'external_id' FROM loyalty_read_everywhere('orders')}, 1 ],
        [ 'accrual', q{SELECT row ->> 'external_id' FROM loyalty_read_everywhere('transactions') WHERE row ->> 'external_id' LIKE 'A-%'}, 1 ],
        [ 'transfer', q{SELECT row ->> 'external_id' FROM loyalty_read_everywhere('transactions') WHERE row ->> 'external_id' LIKE 'T-%'}, 2 ])
    {
        my ($kind, $query, $times) = @$_;
        my $there = join ' ', sort split /\n/, sql($query);
        my $expected = join ' ', sort map { ($_) x $times } @{ $asked{$kind} };
        ok($there eq $expected, "$when: each of " . @{ $asked{$kind} } . " ${kind}s is there " . ($times == 1 ? 'once' : 'once on both sides'));
    }
    my %found = map { split /\|/ } split /\n/, sql(qq{SELECT row ->> 'member', (row ->> 'total')::numeric::integer FROM loyalty_read_everywhere('balances') WHERE substr(row ->> 'member', 2)::integer <= $members});
    is_deeply(\%found, \%balance, "$when: every balance is what the answers make it");
    is(sql(q{SELECT * FROM loyalty_call_everywhere('loyalty_verify')}), '', "$when: everything can be recomputed");
}
check('at the end');
ask(5, 0, lines_of('answers'));
check('all asked once more');

done_testing();
