# A database whose owner is no superuser: he creates the extension and the schema, runs the program, grants its use to an
# application, dumps the database and restores it, with the same results afterwards.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('trusted');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE shop LOGIN; CREATE ROLE app LOGIN; CREATE ROLE analyst LOGIN; CREATE DATABASE shop OWNER shop');

my $results = q{
    SELECT number, loyalty_calculate(document), array(SELECT loyalty_explain(document))
    FROM orders
    ORDER BY number
};
# What the tables hold, but for the row that tells when they were migrated.
my $contents = q{
    SELECT format('SELECT %L, content::text FROM loyalty.%I AS content ORDER BY content::text COLLATE "C"', relname, relname)
    FROM pg_class
    WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'r' AND relname <> 'schema_version'
    ORDER BY relname
    \gexec
};

sub as
{
    my ($role, $database, $sql) = @_;
    return $node->safe_psql($database, $sql, extra_params => [ '-U', $role ]);
}

sub error_as
{
    my ($role, $database, $sql) = @_;
    my (undef, undef, $error) = $node->psql($database, $sql, extra_params => [ '-U', $role ]);
    return $error;
}

# The owner alone.
is(as('shop', 'shop', q{SELECT rolsuper FROM pg_roles WHERE rolname = current_user}), 'f', 'the owner is no superuser');
as('shop', 'shop', "CREATE EXTENSION loyalty;\n\\i test/fixtures/program.sql");
is(as('shop', 'shop', q{SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'loyalty'}), 'shop', 'the schema is his');
my $expected = as('shop', 'shop', $results);
is(scalar(split /\n/, $expected), 200, 'he calculates all orders');
is(as('shop', 'shop', q{UPDATE loyalty.promotions SET name = 'Off' WHERE external_id = 'order'; SELECT loyalty_apply('main')}), '2', 'and applies');
$expected = as('shop', 'shop', $results);
is(as('shop', 'shop', 'SELECT loyalty_migrate()'), as('shop', 'shop', 'SELECT loyalty_schema_version()'), 'and migrates');

# His application.
like(error_as('app', 'shop', q{SELECT loyalty_calculate('{}')}), qr/permission denied for function loyalty_calculate/, 'an application needs EXECUTE');
as('shop', 'shop', 'GRANT EXECUTE ON FUNCTION loyalty_calculate(jsonb), loyalty_explain(jsonb, boolean, boolean, jsonb) TO app; GRANT SELECT ON orders TO app');
ok(as('app', 'shop', $results) eq $expected, 'and with it gives the same bytes');
like(error_as('app', 'shop', 'SELECT * FROM loyalty.members'), qr/permission denied for schema loyalty/, 'but sees no table');

# His analyst, whom the superuser gives the set of rights, and whom he could refuse it.
my $report = 'SELECT count(*) > 0 FROM loyalty.liability';
$node->safe_psql('shop', q{SELECT loyalty_grant('analyst', 'report')});
is(as('analyst', 'shop', $report), 't', 'an analyst reads reports');
foreach my $call ('grant', 'revoke', 'grant')
{
    is($node->safe_psql('shop', "BEGIN; DO 'BEGIN PERFORM loyalty_$call(''analyst'', ''jobs''); END'; SELECT current_user = session_user; COMMIT"),
        't', "after loyalty_$call() the superuser is himself again");
}
$node->safe_psql('shop', q{SELECT loyalty_revoke('analyst', 'jobs')});
is(as('shop', 'shop', q{SELECT loyalty_revoke('analyst', 'report')}), 't', 'the owner takes back what the superuser gave');
like(error_as('analyst', 'shop', $report), qr/permission denied/, 'and the analyst reads no more');
as('shop', 'shop', q{SELECT loyalty_grant('analyst', 'report')});

# A customers' table of his own, with a policy; and an index, a column, a trigger and a policy that he adds to the schema.
as('shop', 'shop', q{
    CREATE TABLE client (id uuid PRIMARY KEY, name text);
    INSERT INTO client VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'Ann');
    INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column) VALUES ('clients', 'Clients', 'client', 'id');
    INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active) VALUES ('second', 'Second', 'clients', 'EUR', 'UTC', true);
    INSERT INTO loyalty.members (member, program, enrolled_at) VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'second', loyalty.clock());
    CREATE INDEX product_names ON loyalty.products (name);
    ALTER TABLE loyalty.products ADD COLUMN colour text DEFAULT 'red';
    CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER seen BEFORE INSERT ON loyalty.members FOR EACH ROW EXECUTE FUNCTION seen();
    CREATE POLICY branch ON loyalty.profiles USING (true);
});
# Two programs are active now, so the orders have to name theirs.
as('shop', 'shop', q{UPDATE orders SET document = document || '{"program": "main"}'});
my $member = q{SELECT loyalty_calculate('{"program": "second", "member": "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "lines": [{"product": "A", "quantity": 1, "price": 10}]}') ->> 'buyer'};
is(as('shop', 'shop', $member), 'member', 'a customer of his own table is a member');
my $kept = as('shop', 'shop', $contents);

# Dumped by the owner and restored by the owner, one by one and with several jobs, and by the superuser.
my $dump = $node->data_dir . '/../shop.dump';
$node->command_ok([ 'pg_dump', '-U', 'shop', '-Fc', '-f', $dump, 'shop' ], 'the owner dumps the database');
my %restore = (
    one_by_one => [ '-U', 'shop', '--exit-on-error' ],
    with_jobs => [ '-U', 'shop', '--exit-on-error', '--jobs', '4' ],
    by_superuser => [ '--exit-on-error' ],
);
foreach my $way (sort keys %restore)
{
    $node->safe_psql('postgres', "CREATE DATABASE $way OWNER shop");
    $node->command_ok([ 'pg_restore', '-d', $way, @{ $restore{$way} }, $dump ], "restored $way");
    ok(as('shop', $way, $contents) eq $kept, "$way: the same rows");
    ok(as('shop', $way, $results) eq $expected, "$way: the same bytes");
    ok(as('app', $way, $results) eq $expected, "$way: the application may still calculate");
    is(as('analyst', $way, $report), 't', "$way: the analyst may still read reports");
    is(as('shop', $way, q{SELECT loyalty_revoke('analyst', 'report')}), 't', "$way: the owner takes it back");
    like(error_as('analyst', $way, $report), qr/permission denied/, "$way: and the analyst reads no more");
    as('shop', $way, q{SELECT loyalty_grant('analyst', 'report')});
    is(as('shop', $way, $member), 'member', "$way: a customer of his own table is a member");
    is(as('shop', $way, q{SELECT count(*) FROM pg_trigger WHERE tgname = 'seen'}) . as('shop', $way, q{SELECT count(*) FROM pg_policy WHERE polname = 'branch'})
        . as('shop', $way, q{SELECT count(*) FROM pg_class WHERE relname = 'product_names'}), '111', "$way: what he added is there");
    is(as('shop', $way, q{UPDATE loyalty.promotions SET name = 'On' WHERE external_id = 'order'; SELECT loyalty_apply('main')}), '3', "$way: applying goes on");
    is(as('shop', $way, 'SELECT loyalty_migrate()'), as('shop', $way, 'SELECT loyalty_schema_version()'), "$way: so does migrating");
}

# Restored without owners and rights, as where the roles are others': the record of what was granted is there, and goes on.
$node->safe_psql('postgres', 'CREATE DATABASE bare OWNER shop');
$node->command_ok([ 'pg_restore', '-d', 'bare', '-U', 'shop', '--no-owner', '--no-acl', '--exit-on-error', $dump ], 'restored without rights');
like(error_as('analyst', 'bare', $report), qr/permission denied/, 'without rights: the analyst reads no report');
as('shop', 'bare', 'SELECT loyalty_migrate()');
is(as('shop', 'bare', q{SELECT rights FROM loyalty.granted_rights WHERE role = 'analyst'}), 'report', 'without rights: what was granted is on record');
as('shop', 'bare', 'SELECT loyalty_restore_rights()');
is(as('analyst', 'bare', $report), 't', 'without rights: granted again');

# Without the extension the dump's rows are read-only, and nothing is lost.
as('shop', 'one_by_one', 'DROP EXTENSION loyalty CASCADE');
like(error_as('shop', 'one_by_one', 'DELETE FROM loyalty.balances'), qr/read-only without the extension/, 'without the extension nothing is written');
as('shop', 'one_by_one', 'CREATE EXTENSION loyalty; SELECT loyalty_migrate()');
is(as('shop', 'one_by_one', $member), 'member', 'with it everything works again');
is(as('analyst', 'one_by_one', $report), 't', 'and the analyst reads again');

done_testing();
