# A streaming standby gives the same bytes as its primary, sees what the primary applies as soon as it has replayed it, in
# sessions and transactions that are open, and writes nothing.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $results = q{
    SELECT number, loyalty_calculate(document), array(SELECT loyalty_explain(document))
    FROM orders
    ORDER BY number
};
my $quote = q{
    SELECT format('version %s: %s', result -> 'version', result #> '{totals,total}')
    FROM loyalty_calculate('{"lines": [{"product": "P-2", "quantity": 1}]}') AS result;
};
my $parallel = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;';

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->safe_psql('postgres', "CREATE EXTENSION loyalty;\n\\i test/fixtures/program.sql");

$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', 'SELECT pg_is_in_recovery()'), 't', 'the standby is one');

# The same bytes.
my $expected = $primary->safe_psql('postgres', $results);
is(scalar(split /\n/, $expected), 200, 'the primary has calculated all orders');
ok($standby->safe_psql('postgres', $results) eq $expected, 'the standby gives the same bytes');
ok($standby->safe_psql('postgres', "$parallel $results") eq $expected, 'parallel workers of the standby do, too');
my (undef, undef, $error) = $standby->psql('postgres', q{SELECT loyalty_calculate('{"lines": []}')});
like($error, qr/ERROR:  invalid order: it has no lines/, 'the standby gives the same errors');

# Reports, computed there or kept by the primary, and the tree.
my $reports = q{
    SELECT to_jsonb(r) - 'as_of' FROM loyalty.liability AS r ORDER BY 1;
    SELECT to_jsonb(r) - 'as_of' FROM loyalty.promotion_performance AS r ORDER BY 1;
    SELECT loyalty_promotion_tree('main');
};
my $reported = $primary->safe_psql('postgres', $reports);
like($reported, qr/"points": 9500/, 'the primary reports what is owed');
is($standby->safe_psql('postgres', $reports), $reported, 'the standby reports the same');
$primary->safe_psql('postgres', 'SELECT loyalty_refresh_reports()');
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', $reports), $reported, 'and what the primary keeps');
(undef, undef, $error) = $standby->psql('postgres', 'SELECT loyalty_refresh_reports()');
like($error, qr/read-only/, 'but keeps nothing itself');

# Sessions that are open on the standby, one of them in a transaction with an old snapshot.
my $open = $standby->background_psql('postgres');
my $old = $standby->background_psql('postgres');
is($open->query_safe($quote), 'version 1: 7.98', 'an open session calculates');
$old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
is($old->query_safe($quote), 'version 1: 7.98', 'and one in a transaction');

# Changes without apply stay invisible, but for what takes effect at once.
$primary->safe_psql('postgres', q{UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 40}' WHERE promotion = 'five'});
$primary->wait_for_catchup($standby);
is($open->query_safe($quote), 'version 1: 7.98', 'a change of the draft is invisible on the standby');
my $order = q('{"lines": [{"product": "P-3", "quantity": 1}]}');
my $test = "SELECT loyalty_test($order) #>> '{summary,total,total}'";
my $tested = $primary->safe_psql('postgres', $test);
isnt($tested, $primary->safe_psql('postgres', "SELECT loyalty_calculate($order) #>> '{totals,total}'"), 'but for tests of it');
is($open->query_safe($test), $tested, 'also on the standby');
$primary->safe_psql('postgres', q{UPDATE loyalty.products SET price = 20 WHERE sku = 'P-2'});
$primary->wait_for_catchup($standby);
is($open->query_safe($quote), 'version 1: 11.00', 'a new price is visible on the standby');
is($old->query_safe($quote), 'version 1: 7.98', 'though not under an old snapshot');

# How far each is. A reader that has reached the position of a change has it; one that has not says so.
is($standby->safe_psql('postgres', q{SELECT version, is_standby FROM loyalty_applied('main')}), '1|t', 'the standby tells what is in force on it');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$primary->safe_psql('postgres', q{INSERT INTO loyalty.regions (program, external_id, name) VALUES ('main', 'paused', 'Paused')});
my $reached = $primary->safe_psql('postgres', q{SELECT position FROM loyalty_applied('main') WHERE NOT is_standby});
my $has_it = "SELECT position >= '$reached', (SELECT count(*) FROM loyalty.regions WHERE external_id = 'paused') FROM loyalty_applied('main')";
is($standby->safe_psql('postgres', $has_it), 'f|0', 'a standby that has not replayed a change tells that it is behind it');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
ok($standby->poll_query_until('postgres', "SELECT position >= '$reached' FROM loyalty_applied('main')"), 'and when it has');
is($standby->safe_psql('postgres', $has_it), 't|1', 'it has it');

# An apply reaches both; a rolled back one neither.
$primary->safe_psql('postgres', q{BEGIN; UPDATE loyalty.promotions SET name = 'Off'; SELECT loyalty_apply('main'); ROLLBACK});
$primary->wait_for_catchup($standby);
like($open->query_safe($quote), qr/^version 1:/, 'a rolled back version is invisible on the standby');
$primary->safe_psql('postgres', q{SELECT loyalty_apply('main')});
$primary->wait_for_catchup($standby);
my $now = $primary->safe_psql('postgres', $quote);
like($now, qr/^version 2:/, 'the primary has a new version');
is($open->query_safe($quote), $now, 'an open session of the standby calculates with it');
like($old->query_safe($quote), qr/^version 2:/, 'a transaction that began before does, too');
$old->query_safe('COMMIT');
is($old->query_safe($quote), $now, 'and after it');
like($open->query_safe(q{SELECT loyalty_calculate('{"lines": [{"product": "P-2", "quantity": 1, "price": 14.5}]}', 1)}), qr/"version": 1/, 'an old version can be calculated with on the standby');

# The end of a promotion and a new channel need no apply here either.
$primary->safe_psql('postgres', q{UPDATE loyalty.promotions SET state = 'ended' WHERE external_id = 'half'; INSERT INTO loyalty.channels (program, external_id, name) VALUES ('main', 'app', 'App')});
$primary->wait_for_catchup($standby);
is($open->query_safe($quote), $primary->safe_psql('postgres', $quote), 'the end of a promotion is visible on the standby');
isnt($open->query_safe($quote), $now, 'and changes the price');
is($open->query_safe(q{SELECT loyalty_calculate('{"channel": "app", "lines": [{"product": "P-2", "quantity": 1}]}') ->> 'program'}), 'main', 'a new channel is known on the standby');

# Quotes write nothing where they could: the transaction gets no id, which it would before its first row. What would write
# is refused on a standby.
my $written = $primary->safe_psql('postgres', "BEGIN; $results; SELECT 'id: ' || coalesce(pg_current_xact_id_if_assigned()::text, 'none'); COMMIT");
like($written, qr/^id: none\z/m, 'quotes write nothing');
(undef, undef, $error) = $standby->psql('postgres', q{SELECT loyalty_apply('main')});
like($error, qr/ERROR:  cannot execute .* (in a read-only transaction|during recovery)/, 'a standby applies nothing');

# Promoted, it goes on with what it has.
$expected = $primary->safe_psql('postgres', $results);
$primary->stop;
$standby->promote;
ok($standby->safe_psql('postgres', $results) eq $expected, 'promoted, it gives the same bytes');
is($open->query_safe($quote), $standby->safe_psql('postgres', $quote), 'also in a session that was open');
$standby->safe_psql('postgres', q{UPDATE loyalty.promotion_benefits SET parameters = '{"percent": 10}' WHERE promotion = 'five'; SELECT loyalty_apply('main')});
like($open->query_safe($quote), qr/^version 3:/, 'and takes over applying');
$open->quit;
$old->quit;

for my $node ($primary, $standby)
{
    unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|FailedAssertion/, $node->name . ' did not crash');
}

done_testing();
