# A database of the released version 0.1.0 comes to this version: its dumps are restored where this one is installed, and in
# place by ALTER EXTENSION ... UPDATE. After loyalty_migrate() the catalogue is that of a fresh installation, line by line;
# rows, balances and quotes are what they were, but for what is listed here as changed on purpose; every invariant holds.
#
# The dumps, and what is in them: test/fixtures/0.1.0/make. What differs is printed as "only in ...". A difference in the
# catalogue wants a step in sql/migrations/2 (a table), or a line in sql/updates/0.1.0.sql (a function that went).
use strict;
use warnings;

use File::Copy;
use FindBin;
use IPC::Run ();
use lib "$FindBin::RealBin/../perl";
use Catalogue qw(catalogue difference);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $fixtures = "$FindBin::RealBin/../fixtures/0.1.0";

# Columns whose contents this version changes on purpose: 'table.column' => why.
my %changed_columns = (
    'liability_kept.expires_in' => 'is called month now',
    'drafts.edits' => 'counts the version under the present rules of calculation',
);

# Rows that this version adds on purpose: 'table' => which. Under other rules of calculation a program gets a new version.
my %added_rows = ('promotion_versions' => 'rules > 1');

# What this version says of an order, as 0.1.0 would have said it: takes away what was added since. Versions have one more.
my $as_before = q{
    CREATE FUNCTION pg_temp.as_before(quote text) RETURNS text LANGUAGE sql AS $$
        SELECT regexp_replace(
            regexp_replace(quote, ', "((product|promotion)_name": "[^"]*"|(units|unit_price)": [0-9.]+)', '', 'g'),
            '"version": \d+', '"version": any'
        )
    $$;
};

my $node = PostgreSQL::Test::Cluster->new('migration');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nmax_locks_per_transaction = 256");
$node->start;
my @roles = (
    [ 'shop_app', 'app' ], [ 'shop_admin', 'admin' ], [ 'shop_analyst', 'report' ], [ 'shop_jobs', 'jobs' ],
    [ 'webshop', 'app' ], [ 'controller', 'report' ],
);
$node->safe_psql('postgres', "CREATE ROLE $_->[0]") for @roles;

sub same
{
    my ($difference, $what) = @_;
    ok($difference eq '', $what) or diag($difference);
}

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION loyalty; SELECT loyalty_create_schema()');
$node->safe_psql('fresh', "SELECT loyalty_grant('$_->[0]', '$_->[1]')") for @roles;
my @fresh = catalogue($node, 'fresh');
cmp_ok(scalar(@fresh), '>', 1000, 'the catalogue of a fresh installation is long');

# The tables of a database with their columns, and the rows of one, as they are kept before and looked for afterwards.
sub columns
{
    my ($database) = @_;
    my %columns;
    foreach my $line (split /\n/, $node->safe_psql($database, q{
        SELECT relname, attname
        FROM pg_class
        JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
            AND relname <> 'schema_version'
        ORDER BY relname, attname
    }))
    {
        my ($table, $column) = split /\|/, $line;
        push @{ $columns{$table} }, $column unless $changed_columns{"$table.$column"};
    }
    return %columns;
}

sub rows
{
    my ($database, $table, $columns, $without) = @_;
    my $list = join ', ', map { qq{"$_"} } @$columns;
    my ($status, $rows, $error) = $node->psql($database, "SELECT to_json(kept) FROM (SELECT $list FROM loyalty.$table" . ($without ? " WHERE NOT ($without)" : '') . ') AS kept');
    return $status == 0 ? split(/\n/, $rows) : ("$error");
}

# Migrates a database that 0.1.0 filled, and looks what came of it.
sub check
{
    my ($how, $database) = @_;
    my %columns = columns($database);
    my %kept = map { $_ => [ rows($database, $_, $columns{$_}) ] } keys %columns;
    is($node->safe_psql($database, 'SELECT version FROM loyalty.schema_version'), '1', "$how: the schema is that of 0.1.0");

    # Of functions that have moved there are stubs: what triggers call refuses, what views call works.
    my (undef, undef, $refused) = $node->psql($database, 'UPDATE loyalty.promotions SET name = name');
    like($refused, qr/is read-only.*loyalty_migrate\(\)/s, "$how: until the migration nothing is edited");
    is($node->safe_psql($database, 'SELECT count(tree) > 0 FROM loyalty.promotion_drafts'), 't', "$how: and what is there can be read");

    my ($status, undef, $error) = $node->psql($database, 'SELECT loyalty_migrate()');
    is($status, 0, "$how: it is migrated");
    is($node->safe_psql($database, q{
        SELECT DISTINCT stub.oid::regprocedure
        FROM pg_proc AS stub
        JOIN pg_depend AS dependency ON dependency.refclassid = 'pg_proc'::regclass AND dependency.refobjid = stub.oid
        WHERE obj_description(stub.oid, 'pg_proc') LIKE 'Until 1.0, for dumps of 0.1.0: %'
    }), '', "$how: and names no stub any more");
    my @notices = split /\n/, $error;
    is(scalar(grep { !/^(psql:<stdin>:\d+: )?NOTICE:  program "\w+", (group|promotion) "\w+": [a-z]/ } @notices), 0, "$how: without an error") or diag($error);
    like($error, qr/program "tree", group "\w+": a benefit takes the units it touches/, "$how: notices tell where figures may change");
    return if $status != 0;
    is($node->safe_psql($database, q{
        SELECT count(*) > 0, count(*) FILTER (WHERE NOT after IS NOT NULL)
        FROM (SELECT DISTINCT ON (program) * FROM loyalty.promotion_versions WHERE rules = 1 ORDER BY program, version DESC) AS before
        LEFT JOIN LATERAL (
            SELECT next FROM loyalty.promotion_versions AS next
            WHERE next.program = before.program AND next.version = before.version + 1 AND next.rules = 2
                AND next.tree = before.tree AND next.definition = before.definition
        ) AS after ON true
    }), 't|0', "$how: each program has a version of the same tree under the rules of now");
    same($node->safe_psql($database, q{
        SELECT external_id
        FROM loyalty.orders
        WHERE origin = 'placed' AND version IS NOT NULL AND resolved IS NOT NULL
            AND loyalty_reprice_order(program, external_id) IS DISTINCT FROM result || '{"rules_changed": true}'
        LIMIT 5
    }), "$how: orders placed before are answered as they were");

    same(difference("after the migration", [ catalogue($node, $database) ], 'in a fresh installation', \@fresh), "$how: the catalogue is that of a fresh installation");
    my $differences = '';
    foreach my $table (sort keys %columns)
    {
        my $difference = difference('before', $kept{$table}, 'afterwards', [ rows($database, $table, $columns{$table}, $added_rows{$table}) ], 6);
        $differences .= "loyalty.$table:\n$difference\n" if $difference ne '';
    }
    same($differences, "$how: the rows of all tables are the same");
    same($node->safe_psql($database, q{
        -- Of qualification points, which buy nothing, no money is told any more.
        SELECT member, program, point_type
        FROM (
            SELECT
                balances.*,
                CASE type.kind WHEN 'standard' THEN balances.total_money END AS total_money_now,
                CASE type.kind WHEN 'standard' THEN balances.active_money END AS active_money_now
            FROM kept.balances
            JOIN loyalty.point_types AS type ON type.program = balances.program AND type.external_id = balances.point_type
        ) AS kept
        WHERE to_jsonb(kept) - '{member,program,total_money_now,active_money_now}'::text[]
            || jsonb_build_object('total_money', total_money_now, 'active_money', active_money_now) NOT IN (
            SELECT to_jsonb(now) - (SELECT coalesce(array_agg(key), '{}') FROM jsonb_object_keys(to_jsonb(now)) AS key WHERE NOT to_jsonb(kept) ? key)
            FROM loyalty_balance(kept.member, kept.program) AS now
        )
    }), "$how: the balances are the same");
    my $compared = $as_before . q{
        CREATE TEMP VIEW compared AS
        SELECT number, before, now
        FROM kept.quotes
        CROSS JOIN LATERAL (SELECT pg_temp.as_before(quote), pg_temp.as_before(loyalty_calculate(document)::text)) AS made (before, now);
        -- Promotions that the notices name, or a group around them.
        CREATE TEMP VIEW named AS
        WITH RECURSIVE node AS (
            SELECT 'promotion' AS kind, external_id, parent, external_id AS promotion FROM loyalty.promotions WHERE program = 'tree'
            UNION ALL
            SELECT 'group', upper.external_id, upper.parent, node.promotion
            FROM node
            JOIN loyalty.promotion_groups AS upper ON upper.program = 'tree' AND upper.external_id = node.parent
        )
        SELECT DISTINCT node.promotion
        FROM node
        JOIN loyalty.promotion_versions AS version ON version.program = 'tree' AND version.rules = 1
        CROSS JOIN loyalty_internal.changed_rules(version.tree, 1) AS changed
        WHERE changed.node = format('%s "%s"', node.kind, node.external_id);
    };
    same($node->safe_psql($database, $compared . q{
        SELECT format(E'order %s, before:\n%s\nafterwards:\n%s', number, before, now)
        FROM compared
        WHERE now IS DISTINCT FROM before
            AND NOT EXISTS (
                SELECT FROM named
                WHERE strpos(before || now, format('"promotion": "%s"', named.promotion)) > 0
            )
        ORDER BY number
        LIMIT 2
    }), "$how: the quotes are the same bytes, but where a promotion is in them whose figures may change");
    is($node->safe_psql($database, $compared . 'SELECT count(*) FILTER (WHERE now = before) > 100, count(*) FILTER (WHERE now <> before) > 0 FROM compared'),
        't|t', "$how: most of them are, and some are not");
    is($node->safe_psql($database, 'SELECT * FROM loyalty_verify()'), '', "$how: every invariant holds");
    is($node->safe_psql($database, q{
        SELECT count(*)
        FROM loyalty.promotion_performance_kept AS kept
        JOIN loyalty.promotion_performance_now AS now USING (program, promotion, point_type)
        WHERE kept.revenue = now.revenue AND now.revenue > 0
    }) > 0, $how eq 'in place', "$how: what promotions brought is computed where their figures are kept");
    # Life goes on.
    is($node->safe_psql($database, q{
        SELECT loyalty_commit('member-3', 'tree', external_id => 'open') -> 'value';
        SELECT loyalty_accrue('member-3', 'tree', 'bonus', 10, external_id => 'next') -> 'repeated';
        SELECT loyalty_place_order(document) ->> 'repeated' FROM orders WHERE number IN (13, 14) ORDER BY number;
        CALL loyalty_run_jobs();
        SELECT count(*) FROM loyalty_verify();
    }), "-20.00\nfalse\ntrue\nfalse\n0", "$how: a hold commits, points are booked, an old order is known, a new one is placed, jobs run");
    is($node->safe_psql($database, 'SELECT loyalty_migrate()'), $node->safe_psql($database, 'SELECT loyalty_schema_version()'), "$how: to migrate again is nothing");
    same(difference("after the second migration", [ catalogue($node, $database) ], 'in a fresh installation', \@fresh), "$how: and changes nothing");
    $node->safe_psql('postgres', "DROP DATABASE $database");
}

# What a dump says of functions that are no more, rights on them above all, is an error that harms nothing.
my $gone = join '|', map { quotemeta } slurp_file("$FindBin::RealBin/../../sql/updates/0.1.0.sql") =~ /^DROP (?:FUNCTION|PROCEDURE) \@extschema\@\.(\w+)/mg;

sub restore
{
    my ($database, @command) = @_;
    $node->safe_psql('postgres', "CREATE DATABASE $database");
    local $ENV{PGHOST} = $node->host;
    local $ENV{PGPORT} = $node->port;
    IPC::Run::run([@command], '>', \my $output, '2>', \my $errors);
    my @unexpected = grep { /ERROR/ && !/(function|procedure) public\.($gone)\(.*does not exist/ } split /\n/, $errors;
    same(join("\n", @unexpected), "$database: restored without an error");
}

my $plain = PostgreSQL::Test::Utils::tempdir() . '/plain.sql';
system("gzip -dc '$fixtures/plain.sql.gz' >'$plain'") == 0 or die 'no dump';
my @plain = ('psql', '-X', '-q', '-f', $plain, '-d');

restore('plain', @plain, 'plain');
check('plain dump', 'plain');
restore('custom', 'pg_restore', '-d', 'custom', "$fixtures/custom");
check('custom dump', 'custom');
restore('directory', 'pg_restore', '-j2', '-d', 'directory', "$fixtures/directory");
check('dump in a directory', 'directory');

# In place: a database has the extension of 0.1.0, by its script, and updates. Where LOYALTY_0_1_0 names a folder with that
# version's loyalty.so, built for this server, it is what runs before; else this version's stands in, which has all its symbols.
{
    my ($library, $share) = map { chomp(my $path = `pg_config --$_`); $path } qw(pkglibdir sharedir);
    my $script = "$share/extension/loyalty--0.1.0.sql";
    system("gzip -dc '$fixtures/script.sql.gz' >'$script'") == 0 or die 'no script';
    # A new file each time: a running session goes on with the one it has loaded.
    my $install = sub { copy($_[0], "$library/loyalty.so.next") and rename("$library/loyalty.so.next", "$library/loyalty.so") or die $! };
    copy("$library/loyalty.so", "$library/loyalty.so.new") or die "$library: $!";
    my $released = $ENV{LOYALTY_0_1_0};
    $install->("$released/loyalty.so") if $released;

    my $text = slurp_file($plain);
    $text =~ s/^CREATE EXTENSION IF NOT EXISTS loyalty WITH SCHEMA public;/CREATE EXTENSION loyalty WITH SCHEMA public VERSION '0.1.0';/m or die 'no extension';
    append_to_file("$plain.old", $text);
    restore('in_place', 'psql', '-X', '-q', '-f', "$plain.old", '-d', 'in_place');
    is($node->safe_psql('in_place', q{SELECT extversion FROM pg_extension WHERE extname = 'loyalty'}), '0.1.0', 'in place: 0.1.0 is installed');
    # As loyalty_refresh_reports() would have kept them.
    $node->safe_psql('in_place', q{
        SET session_replication_role = replica;
        INSERT INTO loyalty.promotion_performance_kept
        SELECT DISTINCT program, promotion, '', 1, 0, 0, 0, 0, 0, 0, 0 FROM loyalty.order_operations;
    });
SKIP:
    {
        skip 'LOYALTY_0_1_0 names no folder with the library of that version', 1 unless $released;
        is($node->safe_psql('in_place', 'SELECT loyalty_schema_version()'), '1', 'in place: 0.1.0 runs');
    }
    $install->("$library/loyalty.so.new");
    my (undef, undef, $refused) = $node->psql('in_place', q{SELECT loyalty_calculate(document) FROM orders LIMIT 1});
    like($refused, qr/schema "loyalty" does not fit the library.*loyalty_migrate\(\)/s, 'in place: the new library works with no old schema');
    my (undef, undef, $error) = $node->psql('in_place', 'ALTER EXTENSION loyalty UPDATE');
    is($error, '', 'in place: the extension is updated');
    (undef, undef, $refused) = $node->psql('in_place', q{SELECT loyalty_accrue('member-3', 'tree', 'bonus', 1)});
    like($refused, qr/is read-only.*loyalty_migrate\(\)/s, 'in place: until the migration nothing is booked');
    check('in place', 'in_place');
    unlink "$library/loyalty.so.new", $script;
}

$node->stop;
done_testing();
