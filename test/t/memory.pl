# A session that gets 100,000 errors of all kinds, inside transactions and as plain errors of statements, uses no more memory
# than before them: neither in the server's memory contexts nor on the heap of C++.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('memory');
$node->init;
# Each of the errors would otherwise stand in the log.
$node->append_conf('postgresql.conf', "log_min_messages = fatal\nlog_min_error_statement = panic\nfsync = off");
$node->start;
$node->safe_psql('postgres', "CREATE EXTENSION loyalty;\n\\i test/fixtures/program.sql");
$node->safe_psql('postgres', q{
    -- A second program, whose profiles are a view that fails for some, and whose prices overflow.
    CREATE TABLE client (id text PRIMARY KEY, divisor integer);
    INSERT INTO client VALUES ('ann', 1), ('bob', 0);
    CREATE VIEW client_view AS SELECT id FROM client WHERE 1 / divisor > 0;
    INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column) VALUES ('client', 'Clients', 'client_view', 'id');
    INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active)
    VALUES ('second', 'Second', 'client', 'EUR', 'Europe/Berlin', true), ('sleeping', 'Sleeping', 'client', 'EUR', 'Europe/Berlin', false);

    CREATE TABLE failing (number serial, sqlstate text, document jsonb);
    INSERT INTO failing (sqlstate, document) VALUES
        ('LY101', '{"program": "main", "lines": [{"product": "P-1", "quantity": 1}], "colour of the order": "red"}'),
        ('LY102', '{"program": "main", "lines": [{"product": "P-1", "quantity": "a long text that is not a number, for a string on the heap"}]}'),
        ('LY103', '{"program": "main", "lines": [{"product": "P-1"}]}'),
        ('LY104', '{"program": "main", "lines": [{"product": "P-1", "quantity": 1, "price": 1e400}]}'),
        ('LY107', '{"program": "main", "lines": [{"id": "one", "product": "P-1", "quantity": 1}, {"id": "one", "product": "P-2", "quantity": 1}]}'),
        ('LY102', '{"program": "main", "time": "2026-02-30T12:00:00", "lines": [{"product": "P-1", "quantity": 1}]}'),
        ('LY201', '{"program": "a program that nobody has made yet, with a long name", "lines": [{"product": "P-1", "quantity": 1}]}'),
        ('LY202', '{"program": "sleeping", "lines": [{"product": "P-1", "quantity": 1}]}'),
        ('LY203', '{"program": "main", "member": "nobody", "lines": [{"product": "P-1", "quantity": 1}]}'),
        ('LY203', '{"program": "second", "member": "nobody", "lines": [{"product": "P-1", "quantity": 1}]}'),
        ('22012', '{"program": "second", "member": "bob", "lines": [{"product": "P-1", "quantity": 1}]}'),
        ('LY204', '{"program": "main", "channel": "nowhere", "lines": [{"product": "P-1", "quantity": 1}]}'),
        ('LY209', '{"program": "main", "member": "member-1", "lines": [{"product": "P-99", "quantity": 1}]}'),
        ('LY401', '{"program": "main", "member": "member-1", "lines": [{"product": "P-1", "quantity": 9, "price": 9e15}, {"product": "P-2", "quantity": 9, "price": 9e15}]}');
    INSERT INTO failing (sqlstate, document)
    SELECT 'LY108', jsonb_build_object('lines', '[]'::jsonb, repeat('k', 1000), 1)
    UNION ALL
    SELECT 'LY108', jsonb_build_object('lines', repeat('[', 40)::text || repeat(']', 40))::jsonb || jsonb_build_object('fields', (repeat('[', 40) || repeat(']', 40))::jsonb);

    CREATE FUNCTION sqlstate_of(document jsonb) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM loyalty_calculate(document);
        RETURN '00000';
    EXCEPTION WHEN OTHERS THEN
        RETURN SQLSTATE;
    END
    $$;
    -- Every kind of failing call `times` times, each in a subtransaction of its own; every hundredth call succeeds.
    CREATE PROCEDURE fail(times integer) LANGUAGE plpgsql AS $$
    DECLARE
        wrong text;
    BEGIN
        FOR i IN 1..times LOOP
            SELECT string_agg(sqlstate_of(document) || ' for ' || document, '; ') INTO wrong
            FROM failing
            WHERE sqlstate_of(document) <> sqlstate;
            IF wrong IS NOT NULL THEN
                RAISE EXCEPTION 'wrong errors: %', wrong;
            END IF;
            IF i % 10 = 0 THEN
                PERFORM loyalty_calculate(document || '{"program": "main"}') FROM orders WHERE orders.number = 1 + i % 200;
            END IF;
            IF i % 100 = 0 THEN
                COMMIT;
            END IF;
        END LOOP;
    END
    $$;
});

# Bytes in all memory contexts, and on the heap and stack of the process: its resident pages that are not shared.
my $memory = q{
    SELECT
        (SELECT sum(total_bytes) FROM pg_backend_memory_contexts),
        4096 * (page[2] - page[3])
    FROM string_to_array(trim(pg_read_file('/proc/self/statm'), E'\n'), ' ') AS text,
        LATERAL (SELECT text::bigint[] AS page) AS pages;
};
my $kinds = $node->safe_psql('postgres', 'SELECT count(*) FROM failing');

# One session, which gets errors inside transactions and as plain errors of statements. What is allocated once is there after
# the warm-up.
sub failing_calls
{
    my ($caught, $plain) = @_;
    my $statements = join '', map { "SELECT loyalty_calculate(document) FROM failing WHERE number = $_;\n" } 1 .. $kinds;
    return "CALL fail($caught);\n" . $statements x $plain;
}
my ($caught, $plain) = (5500, 750);
my $script = failing_calls(300, 30) . $memory . failing_calls($caught, $plain) . $memory
    . q{SELECT loyalty_calculate('{"program": "main", "lines": [{"product": "P-2", "quantity": 1}]}') #>> '{totals,total}';};
my ($status, $output, $errors) = $node->psql('postgres', $script, on_error_stop => 0);

my @lines = split /\n/, $output;
is(scalar @lines, 3, 'the session lives to its end');
my ($contexts_before, $process_before) = split /\|/, $lines[0];
my ($contexts_after, $process_after) = split /\|/, $lines[1];
my ($contexts, $process) = ($contexts_after - $contexts_before, $process_after - $process_before);
my $calls = $kinds * ($caught + $plain);
diag("after $calls failing calls: memory contexts $contexts_before -> $contexts_after bytes ($contexts more), ",
    "process $process_before -> $process_after bytes ($process more)");
cmp_ok($calls, '>=', 100_000, '100,000 failing calls');
is(() = $errors =~ /ERROR: /g, $kinds * (30 + $plain), 'all plain ones have failed, and no other');
cmp_ok($contexts, '<', 256 * 1024, 'less than 256 kB more in memory contexts');
cmp_ok($process, '<', 1024 * 1024, 'less than 1 MB more in the process, 10 bytes a call');
is($lines[2], '7.98', 'the session calculates');

# Ended from outside while C++ searches, a session ends in order, and the server goes on.
$node->safe_psql('postgres', q{
    INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, state, audience, starts_at)
    SELECT 'main', 'many-' || number, 'Many', 'discount', 'best', 'active', 'everyone', '2020-01-01' FROM generate_series(1, 60) AS number;
    INSERT INTO loyalty.promotion_conditions (program, promotion)
    SELECT 'main', 'many-' || number FROM generate_series(1, 60) AS number;
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    SELECT 'main', 'many-' || number, 1, 'discount', jsonb_build_object('percent', 1 + number / 100.0, 'max_items', 1 + number % 3, 'pick', 'cheapest')
    FROM generate_series(1, 60) AS number;
    UPDATE loyalty.promotion_groups SET max_discount_amount = NULL;
    SELECT loyalty_apply('main');
});
# Often enough to be met at work.
my $search = q{SELECT loyalty_calculate(document || '{"program": "main"}') FROM orders, generate_series(1, 1000) WHERE number = 5};
my $started = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
for my $verb ('cancel', 'terminate')
{
    my $searching = $node->background_psql('postgres', on_error_stop => 0);
    my $pid = $searching->query_safe('SELECT pg_backend_pid()');
    $searching->query_until(qr/searching/, "\\echo searching\n$search;\n");
    $node->poll_query_until('postgres', "SELECT state = 'active' AND query LIKE '%loyalty_calculate%' FROM pg_stat_activity WHERE pid = $pid");
    is($node->safe_psql('postgres', "SELECT pg_${verb}_backend($pid)"), 't', "$verb a search");
    if ($verb eq 'cancel')
    {
        is($searching->query('SELECT 1'), '1', 'a cancelled session goes on');
        like($searching->{stderr}, qr/canceling statement due to user request/, 'with an ordinary error');
        $searching->quit;
    }
    else
    {
        ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid"), 'a terminated session is gone');
        $searching->{run}->finish;
    }
}
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $started, 'the server was never restarted');
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|FailedAssertion/, 'and did not crash');

done_testing();
