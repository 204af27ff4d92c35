# Eight connections calculate while the tree is applied 1,000 times: every result is that of exactly one version, the one it
# names. Each version differs from the one before it in ten benefits, in a group's limit and in a promotion's state, so that
# any mixture of two has a price of neither.
use strict;
use warnings;

use IPC::Run qw(start);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $versions = 1000;
my $node = PostgreSQL::Test::Cluster->new('apply_under_load');
$node->init;
$node->append_conf('postgresql.conf', "log_statement = none\nfsync = off");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION loyalty;
    SELECT loyalty_create_schema();
    INSERT INTO loyalty.programs (external_id, name, profile_database, currency, currency_scale, time_zone, active)
    VALUES ('main', 'Main', 'profiles', 'EUR', 2, 'Europe/Berlin', true);
    INSERT INTO loyalty.products (program, sku, name, price) SELECT 'main', 'P' || number, 'P', 1000 FROM generate_series(1, 10) AS number;
    INSERT INTO loyalty.product_segments (program, external_id, name, predicate)
    SELECT 'main', 's' || number, 'S', format('$.sku == "P%s"', number)::jsonpath FROM generate_series(1, 10) AS number;
    INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience)
    SELECT 'main', 'p' || number, 'P', 'discount', 'active', 'everyone' FROM generate_series(1, 10) AS number;
    INSERT INTO loyalty.promotions (program, external_id, name, kind, state, audience) VALUES ('main', 'odd', 'Odd', 'discount', 'inactive', 'everyone');
    INSERT INTO loyalty.promotion_conditions (program, promotion, mode, segments)
    SELECT 'main', 'p' || number, 'in', ARRAY['s' || number] FROM generate_series(1, 10) AS number;
    INSERT INTO loyalty.promotion_conditions (program, promotion, level) VALUES ('main', 'odd', 'order');
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    SELECT 'main', 'p' || number, 1, 'discount', '{"amount": 1}' FROM generate_series(1, 10) AS number;
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters)
    VALUES ('main', 'odd', 1, 'discount', '{"amount": 0.5, "target": "shipping"}');

    -- Version v takes v cents off each product, and half a Euro off the shipping if it is odd. Its limit is a cent more than
    -- what it takes off the products, but less than what later ones do.
    CREATE FUNCTION apply_next() RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        next CONSTANT integer := coalesce(max(version), 0) + 1 FROM loyalty.promotion_versions;
    BEGIN
        UPDATE loyalty.promotion_benefits SET parameters = jsonb_build_object('amount', next / 100.0) WHERE promotion <> 'odd';
        UPDATE loyalty.promotion_groups SET max_discount_amount = (10 * next + 1) / 100.0;
        UPDATE loyalty.promotions SET state = CASE next % 2 WHEN 1 THEN 'active' ELSE 'inactive' END WHERE external_id = 'odd';
        IF loyalty_apply('main') <> next THEN
            RAISE EXCEPTION 'not version %', next;
        END IF;
        -- What one began to edit and took back is no version either.
        IF next % 10 = 0 THEN
            UPDATE loyalty.promotion_benefits SET parameters = '{"amount": 900}';
            PERFORM loyalty_revert('main');
        END IF;
    END
    $$;
    CREATE FUNCTION check_quote() RETURNS integer LANGUAGE plpgsql STABLE AS $$
    DECLARE
        result CONSTANT jsonb := loyalty_calculate((
            SELECT jsonb_build_object('shipping', 5, 'lines', jsonb_agg(jsonb_build_object('product', 'P' || number, 'quantity', 1)))
            FROM generate_series(1, 10) AS number
        ));
        version CONSTANT integer := result -> 'version';
        line jsonb;
    BEGIN
        FOR line IN SELECT jsonb_array_elements(result -> 'lines') LOOP
            IF (line -> 'total')::numeric <> 1000 - version / 100.0 THEN
                RAISE EXCEPTION 'version % gives %', version, line;
            END IF;
        END LOOP;
        IF (result #> '{shipping,total}')::numeric <> 5 - 0.5 * (version % 2) THEN
            RAISE EXCEPTION 'version % gives %', version, result -> 'shipping';
        END IF;
        RETURN version;
    END
    $$;
    SET client_min_messages = warning;
    SELECT apply_next();
});

my $folder = PostgreSQL::Test::Utils::tempdir();
append_to_file("$folder/apply.sql", "SELECT apply_next();\n");
append_to_file("$folder/quote.sql", "SELECT check_quote() AS version \\gset\n");
my @pgbench = ('pgbench', '--no-vacuum', '--host', $node->host, '--port', $node->port);
my ($out, $err) = ('', '');
local $ENV{PGOPTIONS} = '-c client_min_messages=warning';
my $applying = start([@pgbench, '--transactions', $versions - 1, '--file', "$folder/apply.sql", 'postgres'], '>', \$out, '2>', \$err);

my ($quotes, $rounds, $failures) = (0, 0, '');
while ($applying->pumpable && !$failures) {
    my ($quoted, $complaint) = run_command([@pgbench, '--client', '8', '--jobs', '2', '--transactions', '50', '--file', "$folder/quote.sql", 'postgres']);
    $failures .= $complaint if $complaint =~ /error|aborted/i;
    $quotes += $1 if $quoted =~ /number of transactions actually processed: (\d+)/;
    $rounds++;
    $applying->pump_nb;
}
$applying->finish;

is($failures, '', 'every result was that of the version it names');
is($err =~ /error|aborted/i ? $err : '', '', 'nothing hindered applying');
is($node->safe_psql('postgres', 'SELECT max(version) FROM loyalty.promotion_versions'), $versions, "$versions versions were applied meanwhile");
cmp_ok($quotes, '>=', 400, 'quotes were made meanwhile');
note("$quotes quotes in $rounds rounds");
is($node->safe_psql('postgres', 'SELECT check_quote()'), $versions, 'the last one is in force');
is($node->safe_psql('postgres', "SELECT count(*) FROM loyalty.version_history"), $versions, 'all are on record');
is($node->safe_psql('postgres', "SELECT loyalty_calculate('{\"shipping\": 5, \"lines\": [{\"product\": \"P1\", \"quantity\": 1}]}', 500) #> '{totals,total}'"), '1000.00', 'and can be calculated with');
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|FailedAssertion/, 'the server did not crash');

done_testing();
