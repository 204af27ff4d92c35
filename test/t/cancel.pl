# Everything that may run long is cancelled soon, and leaves nothing behind: no row, no lock, no cursor. Prints a table of how much
# of the processor each took until it answered, which does not depend on what else the machine does, and how long that was;
# CANCEL_LIMIT_MS makes a limit of the former (bench/cancel), here there is a generous one.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $limit_ms = $ENV{CANCEL_LIMIT_MS} || 10_000;
# How long each runs before it is cancelled, in ms: another place of its work each time.
my @moments = $ENV{CANCEL_LIMIT_MS} ? (30, 100, 250, 500, 900, 1400) : (50, 600);

my $node = PostgreSQL::Test::Cluster->new('cancel');
$node->init;
$node->append_conf('postgresql.conf', "loyalty.max_calculation_memory = '1GB'\nfsync = off\nautovacuum = off");
$node->start;
$node->safe_psql('postgres', q{
    SET client_min_messages = warning;
    CREATE EXTENSION loyalty;
    \i test/fixtures/shop.sql
    -- Thirty promotions over all lines, and sixty of which the best combination is looked for.
    INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, state, audience)
    SELECT 'main', 'all-' || n, 'All ' || n, 'discount', 'main', 'active', 'everyone' FROM generate_series(1, 30) AS n;
    INSERT INTO loyalty.promotion_conditions (program, promotion, level, mode)
    SELECT 'main', 'all-' || n, 'product', 'all' FROM generate_series(1, 30) AS n;
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    SELECT 'main', 'all-' || n, 1, 'discount', '{"percent": 0.1}' FROM generate_series(1, 30) AS n;
    INSERT INTO loyalty.promotion_groups (program, external_id, name, parent, arbitration) VALUES ('main', 'best', 'Best', 'main', 'max_benefit');
    INSERT INTO loyalty.product_segments (program, external_id, name, predicate) VALUES ('main', 'sought', 'Sought', '$.categories[*] == "sought"');
    INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, state, audience)
    SELECT 'main', 'best-' || n, 'Best ' || n, 'discount', 'best', 'active', 'everyone' FROM generate_series(1, 60) AS n;
    INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments)
    SELECT 'main', 'best-' || n, 'in', '{sought}' FROM generate_series(1, 60) AS n;
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    SELECT 'main', 'best-' || n, 1, 'discount', jsonb_build_object('percent', 10 + n * 17 % 40, 'max_items', 1 + n % 3,
        'pick', (ARRAY['cheapest', 'most_expensive'])[1 + n % 2])
    FROM generate_series(1, 60) AS n;
    INSERT INTO loyalty.products (program, sku, name, price, categories) SELECT 'main', 'S-' || n, 'Sought', n * 3, '{sought}' FROM generate_series(1, 40) AS n;
    -- Sets of the dearest of two thousand prices.
    INSERT INTO loyalty.product_segments (program, external_id, name, predicate) VALUES ('main', 'trios', 'Trios', '$.categories[*] == "trio"');
    INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, position, state, audience)
    VALUES ('main', 'trio', 'Three for ten', 'discount', 'main', 1, 'active', 'everyone');
    INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments) VALUES ('main', 'trio', 'in', '{trios}');
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', 'trio', 1, 'set', '{"get": [{"count": 3}], "price": 10}');
    INSERT INTO loyalty.products (program, sku, name, price, categories) SELECT 'main', 'T-' || n, 'Trio', 5 + n / 100.0, '{trio}' FROM generate_series(1, 2000) AS n;
    SELECT loyalty_apply('main');

    CREATE FUNCTION large(id text, lines integer, product text DEFAULT 'tea') RETURNS jsonb LANGUAGE sql AS $$
        SELECT jsonb_build_object('program', 'main', 'member', 'ann', 'external_id', id, 'lines',
            jsonb_agg(jsonb_build_object('id', n::text, 'product', product, 'quantity', 1)))
        FROM generate_series(1, lines) AS n
    $$;
    CREATE TABLE asked AS SELECT large('L', 5000) AS document;
    CREATE TABLE sought AS SELECT jsonb_build_object('program', 'main', 'lines',
        (SELECT jsonb_agg(jsonb_build_object('product', 'S-' || n, 'quantity', 3)) FROM generate_series(1, 40) AS n)) AS document;
    CREATE TABLE sets AS SELECT jsonb_build_object('program', 'main', 'lines',
        (SELECT jsonb_agg(jsonb_build_object('product', 'T-' || 1 + n % 2000, 'quantity', 1)) FROM generate_series(1, 8000) AS n)) AS document;
    CREATE TABLE history AS SELECT jsonb_agg(jsonb_build_object('external_id', 'H-' || n, 'member', 'bob', 'time', '2026-01-01T12:00:00Z',
        'lines', '[{"product": "book", "quantity": 1, "price": 10}]'::jsonb)) AS documents FROM generate_series(1, 20000) AS n;

    INSERT INTO loyalty.profiles (key) SELECT 'p' || n FROM generate_series(1, 60000) AS n;
    INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind) VALUES ('main', 'pool', 'Pool', 'universal');
    CREATE TABLE incoming AS SELECT 'I-' || n AS code FROM generate_series(1, 300000) AS n;
    -- Members with points that will have expired.
    INSERT INTO loyalty.profiles (key) SELECT 'q' || n FROM generate_series(1, 6000) AS n;
    INSERT INTO loyalty.members (member, program) SELECT 'q' || n, 'main' FROM generate_series(1, 6000) AS n;
    INSERT INTO loyalty.tier_groups (program, external_id, name, model, point_type, interval_count, interval_unit)
    VALUES ('main', 'daily', 'Daily', 'cyclic', 'status', 1, 'day');
    INSERT INTO loyalty.tiers (program, tier_group, external_id, name, threshold) VALUES ('main', 'daily', 'd0', 'D', 0), ('main', 'daily', 'd1', 'D', 100);
    INSERT INTO loyalty.transactions (member, program, point_type, type, value, expires_at)
    SELECT 'q' || n, 'main', 'bonus', 'accrual', 5, '2026-02-01' FROM generate_series(1, 6000) AS n;
});

# What runs long: its name in the table, the statement, and the clock from it on, which goes forward only.
my @calls = (
    ['loyalty_calculate, a large order by lines', q{SELECT loyalty_calculate(document || '{"detail": "lines"}') FROM asked}],
    # Printing an answer of 30 MB is the server's own, and asks for no interrupt; so it is not printed.
    ['loyalty_calculate, a large order in full', 'SELECT pg_column_size(loyalty_calculate(document)) FROM asked'],
    ['loyalty_calculate, sets of many prices', 'SELECT loyalty_calculate(document) FROM sets'],
    ['loyalty_calculate, the best combination', 'SELECT loyalty_calculate(document) FROM sought'],
    ['loyalty_explain', 'SELECT count(*) FROM asked, loyalty_explain(document, everything => true)'],
    ['loyalty_test', q{SELECT pg_column_size(loyalty_test(document - 'external_id')) FROM asked}],
    ['loyalty_place_order', 'SELECT pg_column_size(loyalty_place_order(document)) FROM asked'],
    ['loyalty_import_orders', q{SELECT loyalty_import_orders(documents) FROM history}],
    ['loyalty_enrol_all', q{SELECT loyalty_enrol_all('main')}],
    ['loyalty_remove_all_members', q{SELECT loyalty_remove_all_members('main')}],
    ['loyalty_generate_promo_codes', q{SELECT loyalty_generate_promo_codes('main', 'pool', 'G-**********', 300000)}],
    ['loyalty_import_promo_codes', q{SELECT loyalty_import_promo_codes('main', 'pool', 'incoming')}],
    ['loyalty_verify', 'SELECT count(*) FROM loyalty_verify(), generate_series(1, 3)'],
    ['loyalty_export', q{SELECT loyalty_export('main', true, true)}],
    ['loyalty_refresh_reports', 'SELECT count(*) FROM generate_series(1, 10), loyalty_refresh_reports()'],
    ['loyalty_report_page', q{SELECT loyalty_report_page('main') FROM generate_series(1, 5)}],
    ['job tell_expiring', q{SELECT loyalty_internal.job_batch('tell_expiring', 100000)}, '2026-01-31'],
    ['job expire_points', q{SELECT loyalty_internal.job_batch('expire_points', 100000)}, '2026-03-01'],
    ['job review_tiers', q{SELECT loyalty_internal.job_batch('review_tiers', 100000)}, '2026-06-01'],
    ['job delete_events', q{SELECT loyalty_internal.job_batch('delete_events', 1000000, '0')}],
);

# Rows of all tables, and the sums of the ledger.
my $state = q{
    SELECT md5(string_agg(relname || (xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM loyalty.' || quote_ident(relname), false, true, '')))[1]::text,
        ',' ORDER BY relname) || (SELECT sum(total)::text FROM loyalty.balances))
    FROM pg_class WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'r' AND relname <> 'simulated_clock'
};
# Cancels a session, and gives the ms of processor time, and those that passed, until it is no longer at work.
$node->safe_psql('postgres', q{
    CREATE FUNCTION cancelled(process integer) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE
        used text := format('/proc/%s/schedstat', process);
        before numeric := split_part(pg_read_file(used), ' ', 1);
        begun timestamptz := clock_timestamp();
    BEGIN
        PERFORM pg_cancel_backend(process);
        LOOP
            PERFORM pg_stat_clear_snapshot();
            PERFORM FROM pg_stat_activity WHERE pid = process AND state = 'active';
            EXIT WHEN NOT FOUND;
            PERFORM pg_sleep(0.002);
        END LOOP;
        RETURN format('%s %s', round((split_part(pg_read_file(used), ' ', 1)::numeric - before) / 1e6, 1),
            round(extract(epoch FROM clock_timestamp() - begun)::numeric * 1000));
    END
    $$
});

my @table;
foreach my $call (@calls)
{
    my ($name, $statement, $at) = @$call;
    $node->safe_psql('postgres', "SELECT loyalty_set_clock('$at')") if $at;
    my $before = $node->safe_psql('postgres', $state);
    my ($most, $longest, $times, $wrong) = (0, 0, 0, '');
    foreach my $moment (@moments)
    {
        my $session = $node->background_psql('postgres', on_error_stop => 0);
        my $pid = $session->query_safe('SELECT pg_backend_pid()');
        $session->query_until(qr/running/, "\\echo running\n$statement;\n");
        $node->poll_query_until('postgres', "SELECT state = 'active' OR state = 'idle' AND query !~ 'pg_backend_pid' FROM pg_stat_activity WHERE pid = $pid");
        usleep($moment * 1000);
        my ($took, $passed) = split / /, $node->safe_psql('postgres', "SELECT cancelled($pid)");
        my $left = $session->query(q{SELECT (SELECT count(*) FROM pg_cursors) + (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory')});
        my $was_cancelled = ($session->{stderr} // '') =~ /canceling statement/;
        $wrong .= " after $moment ms: " . ($session->{stderr} // '') if ($session->{stderr} // '') =~ /ERROR/ && !$was_cancelled;
        # The last line is the answer, whatever the call gave.
        $wrong .= " after $moment ms it leaves $left" if $left !~ /^0$/m;
        $session->quit;
        # What ended before says nothing, and has to be undone for the next.
        if (!$was_cancelled)
        {
            $before = $node->safe_psql('postgres', $state);
            next;
        }
        $times++;
        $most = $took if $took > $most;
        $longest = $passed if $passed > $longest;
    }
    my $after = $node->safe_psql('postgres', $state);
    push @table, sprintf '%-40s %d times: at most %6.1f ms of the processor, %5d ms passed', $name, $times, $most, $longest;
    is($wrong, '', "$name ends with the error of a cancelled statement, and holds nothing");
    is($after, $before, "$name leaves no row behind");
    cmp_ok($most, '<=', $limit_ms, "$name answers within $limit_ms ms");
}
diag($_) foreach @table;
cmp_ok(scalar(grep { !/ 0 times:/ } @table), '>=', 12, 'most ran long enough to be cancelled');

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|FailedAssertion/, 'nothing crashed');
done_testing();
