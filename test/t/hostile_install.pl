# A role with CREATE on a database, and nothing else, has planted twins before the extension is created: of every operator and
# function that its script, the making of its schema and the verbs use, for all pairs of the types that occur; of its types;
# casts of its own. They lie in the schema that it installs into, in public, and among its temporary objects. The script runs
# as the bootstrap superuser, and what belongs to the owner of the schema runs as the owner: no twin may be called.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('hostile_install');
$node->init;
$node->append_conf('postgresql.conf', 'max_locks_per_transaction = 1024');
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE mallory LOGIN; CREATE ROLE shop LOGIN; CREATE ROLE victim LOGIN');

my @types = qw(text name varchar oid regclass regprocedure regrole int4 int8 numeric bool jsonb);

my $share = (PostgreSQL::Test::Utils::run_command([ 'pg_config', '--sharedir' ]))[0];
my $version = $node->safe_psql('postgres', q{SELECT default_version FROM pg_available_extensions WHERE name = 'loyalty'});
my $script = slurp_file("$share/extension/loyalty--$version.sql");

# Each script that the server may run, those of updates too: it begins with the pinned path, and makes nothing without its
# schema. Its strings say the same whatever standard_conforming_strings is, which the installing role may have set.
foreach my $file (glob "$share/extension/loyalty--*.sql")
{
    my $name = $file =~ s{.*/}{}r;
    my $text = slurp_file($file) =~ s/^\\echo.*$//mr =~ s/^\s*--.*$//mgr;
    ok($text =~ /\A\s*SET LOCAL search_path = pg_catalog, pg_temp;/, "$name pins its search path first");
    my $outside = $text =~ s/(\$\w*\$).*?\g1//gsr;
    is(join("\n", $outside =~ /^((?:CREATE|ALTER|DROP|COMMENT ON)(?: OR REPLACE)? (?:FUNCTION|PROCEDURE|TABLE|VIEW|TYPE|DOMAIN|OPERATOR|AGGREGATE) (?!(?:IF EXISTS )?(?:\@extschema\@|loyalty|loyalty_internal)\.).*)$/mg),
        '', "$name names the schema of what it makes");
    unlike($outside, qr/\\/, "$name has no backslash outside of bodies");
}

# What the script and the bodies in it call, of what PostgreSQL itself has.
my %names = map { $_ => 1 } $script =~ /\b([a-z_]+[a-z0-9_]*)\s*\(/g;
my $called = join ',', map { "'$_'" } sort keys %names;
my $operators = join ',', map { "'$_'" } qw(= <> < > <= >= + - * / % || -> ->> #>> @> ? ?| && ~ !~);

# Twins are made by whoever is to be caught in the act later: they tell who calls them.
my $plant = q{
    SET client_min_messages = error;
    CREATE FUNCTION pg_temp.plant(target text, types text[], names text[], operators text[]) RETURNS integer LANGUAGE plpgsql
    SET search_path = pg_catalog AS $$
    DECLARE
        body CONSTANT text := 'BEGIN RAISE WARNING ''twin %s called by %%'', current_user; RETURN NULL; END';
        planted integer := 0;
        twin record;
    BEGIN
        -- As PostgreSQL declares them: a twin of equal fit comes first where its schema does.
        FOR twin IN
            SELECT DISTINCT proname AS name, pg_get_function_identity_arguments(oid) AS arguments, pg_get_function_result(oid) AS result
            FROM pg_proc
            WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND proname = ANY (names)
                AND NOT 'internal'::regtype = ANY (proargtypes::oid[]) AND provariadic = 0 AND proallargtypes IS NULL
                AND prorettype NOT IN ('trigger'::regtype, 'internal'::regtype, 'cstring'::regtype, 'event_trigger'::regtype)
                AND NOT 'cstring'::regtype = ANY (proargtypes::oid[])
        LOOP
            BEGIN
                EXECUTE format('CREATE FUNCTION %s.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', target, twin.name, twin.arguments, twin.result, format(body, twin.name));
                planted := planted + 1;
            EXCEPTION WHEN OTHERS THEN NULL;
            END;
        END LOOP;
        -- And for the very types that are passed.
        FOR twin IN
            SELECT name, one || coalesce(', ' || other, '') AS arguments
            FROM unnest(names) AS name
            CROSS JOIN unnest(types) AS one
            CROSS JOIN unnest(types || NULL::text) AS other
            WHERE EXISTS (
                SELECT FROM pg_proc
                WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = name
                    AND (pronargs = CASE WHEN other IS NULL THEN 1 ELSE 2 END OR provariadic <> 0)
            )
        LOOP
            BEGIN
                EXECUTE format('CREATE FUNCTION %s.%I(%s) RETURNS text LANGUAGE plpgsql AS %L', target, twin.name, twin.arguments, format(body, twin.name));
                planted := planted + 1;
            EXCEPTION WHEN OTHERS THEN NULL;
            END;
        END LOOP;
        FOR twin IN
            SELECT operator, one, other, row_number() OVER () AS number
            FROM unnest(operators) AS operator
            CROSS JOIN unnest(types) AS one
            CROSS JOIN unnest(types) AS other
        LOOP
            EXECUTE format(
                'CREATE FUNCTION %1$s.twin_%2$s(%3$s, %4$s) RETURNS %6$s LANGUAGE plpgsql AS %5$L',
                target, twin.number, twin.one, twin.other, format(body, replace(twin.operator, '%', '%%')),
                CASE WHEN twin.operator IN ('+', '-', '*', '/', '%', '||', '->', '->>', '#>>') THEN 'text' ELSE 'boolean' END
            );
            EXECUTE format(
                'CREATE OPERATOR %1$s.%2$s (LEFTARG = %3$s, RIGHTARG = %4$s, FUNCTION = %1$s.twin_%5$s)',
                target, twin.operator, twin.one, twin.other, twin.number
            );
            planted := planted + 2;
        END LOOP;
        RETURN planted;
    END
    $$;
};
# Of our own functions: for the domains of schema loyalty and for types near those declared, and without the last argument; and
# types of their names, as which a call with one literal would be read.
my $plant_own = q{
    SET client_min_messages = error;
    SET search_path = pg_catalog;
    DO $$
    DECLARE
        twin record;
    BEGIN
        FOR twin IN
            SELECT
                proname AS name,
                regexp_replace(array_to_string(array(
                    SELECT CASE WHEN format_type(type, NULL) = 'text' THEN near ELSE format_type(type, NULL) END
                    FROM unnest(proargtypes) WITH ORDINALITY AS argument (type, position)
                    WHERE position <= pronargs - left_out
                    ORDER BY position
                ), ', '), '^$', '') AS arguments
            FROM pg_proc
            CROSS JOIN unnest(ARRAY['loyalty.external_id', 'varchar', 'name', 'text']) AS near
            CROSS JOIN generate_series(0, 2) AS left_out
            WHERE pronamespace = 's'::regnamespace AND proname LIKE 'loyalty\_%' AND prorettype <> 'trigger'::regtype AND pronargs >= left_out
        LOOP
            BEGIN
                EXECUTE format('CREATE FUNCTION s.%I(%s) RETURNS text LANGUAGE plpgsql AS %L', twin.name, twin.arguments,
                    format('BEGIN RAISE WARNING ''twin %s called by %%'', current_user; RETURN NULL; END', twin.name));
            EXCEPTION WHEN OTHERS THEN NULL;
            END;
            BEGIN
                EXECUTE format('CREATE DOMAIN s.%I AS text CHECK (s.checked(VALUE))', twin.name);
            EXCEPTION WHEN duplicate_object THEN NULL;
            END;
        END LOOP;
    END
    $$;
    SELECT count(*) FROM pg_proc WHERE pronamespace = 's'::regnamespace AND proname LIKE 'loyalty\_%' AND proowner = 'mallory'::regrole;
};
# Types of the names that are used, where no function is looked up but relations and types are: domains that tell who checks
# them, and casts from them.
my $plant_types = sub {
    my ($target) = @_;
    return join "\n",
        "CREATE FUNCTION $target.checked(text) RETURNS boolean LANGUAGE plpgsql AS " . q{'BEGIN RAISE WARNING ''twin type called by %'', current_user; RETURN true; END';},
        (map { "CREATE DOMAIN $target.$_ AS pg_catalog.text CHECK ($target.checked(VALUE));" }
            qw(text name oid regclass regprocedure regrole regtype jsonb jsonpath numeric integer int4 bigint boolean date interval record regnamespace)),
        "CREATE TYPE $target.twin AS (a pg_catalog.text);",
        "CREATE FUNCTION $target.cast_twin($target.twin) RETURNS pg_catalog.text LANGUAGE plpgsql AS " . q{'BEGIN RAISE WARNING ''twin cast called by %'', current_user; RETURN NULL; END';},
        "CREATE CAST ($target.twin AS pg_catalog.text) WITH FUNCTION $target.cast_twin($target.twin) AS IMPLICIT;",
        (map { "CREATE TABLE $target.$_ (oid pg_catalog.oid);" } qw(pg_proc pg_class pg_namespace pg_depend pg_extension pg_database pg_roles written)),
        '';
};

sub planted
{
    my ($target, $types) = @_;
    my $list = sub { 'ARRAY[' . join(',', map { "'$_'" } @_) . ']' };
    return "SELECT pg_temp.plant('$target', " . $list->(@types) . ", ARRAY[$called], ARRAY[$operators]);\n" . ($types ? $plant_types->($target) : '');
}

sub run_as
{
    my ($role, $database, $sql) = @_;
    return $node->psql($database, "SET client_min_messages = warning;\n$sql", extra_params => [ '-U', $role ], on_error_stop => 1);
}

# What was called, and is not to be.
sub twins { return join "\n", grep { /twin .*called/ } split /\n/, $_[0] }

# ---------------------------------------------------------------------------------------------------------------------
# Mallory installs

$node->safe_psql('postgres', 'CREATE DATABASE bare');
$node->safe_psql('bare', 'GRANT CREATE ON DATABASE bare TO mallory; GRANT CREATE ON SCHEMA public TO mallory; GRANT TEMPORARY ON DATABASE bare TO mallory');
my ($status, $output, $errors) = run_as('mallory', 'bare', "$plant CREATE SCHEMA s;\n" . join('', map { planted($_, 1) } qw(s public pg_temp)) . q{
    SET client_min_messages = warning;
    -- That they are called where they are found.
    SET search_path = s, pg_catalog;
    SELECT 'pg_class'::regclass::oid = 'pg_class'::regclass;
    SELECT 'end of the check';
    SET search_path = s, public, pg_temp, pg_catalog;
});
is($status, 0, 'a role with CREATE plants') or diag $errors;
my @planted = $output =~ /^(\d+)$/mg;
cmp_ok($_, '>', 10_000, "$_ twins") foreach @planted;
is(scalar @planted, 3, 'in three schemas');
like(twins($errors), qr/twin = called by mallory/, 'a twin tells of its call');

my $hostile = "$plant " . planted('pg_temp', 1) . 'SET client_min_messages = warning; SET search_path = pg_temp, s, public, pg_catalog;';
($status, $output, $errors) = run_as('mallory', 'bare', "$hostile\n" . q{
    CREATE EXTENSION loyalty SCHEMA s;
    SET search_path = pg_catalog;
    SELECT s.loyalty_create_schema();
    SELECT s.loyalty_migrate();
    SET search_path = pg_temp, s, public, pg_catalog;
    CREATE EXTENSION IF NOT EXISTS loyalty;
});
is($status, 0, 'and installs, makes the schema, migrates') or diag $errors;
is(twins($errors), '', 'no twin was called');
is($node->safe_psql('bare', q{SELECT count(*) FROM pg_roles WHERE rolname = 'mallory' AND (rolsuper OR rolcreaterole)}), '0', 'and the role is what it was');
is($node->safe_psql('bare', q{
    SELECT DISTINCT pronamespace::regnamespace::text FROM pg_proc JOIN pg_depend ON objid = pg_proc.oid AND deptype = 'e'
    JOIN pg_extension ON pg_extension.oid = refobjid AND extname = 'loyalty' ORDER BY 1
}), "loyalty_internal\ns", 'all functions are where the extension is, or in its own schema');
is($node->safe_psql('bare', q{
    SELECT count(*) FROM pg_depend JOIN pg_proc ON pg_proc.oid = refobjid AND refclassid = 'pg_proc'::regclass
    WHERE proowner = 'mallory'::regrole AND proname LIKE 'twin%'
        AND classid NOT IN ('pg_operator'::regclass, 'pg_cast'::regclass)
}), '0', 'and nothing depends on a twin');

# ---------------------------------------------------------------------------------------------------------------------
# Another owns the program; Mallory may create in the schema of the extension, and knows the types of schema loyalty

$node->safe_psql('postgres', 'CREATE DATABASE served OWNER shop');
$node->safe_psql('served', 'CREATE SCHEMA s AUTHORIZATION shop; CREATE EXTENSION loyalty SCHEMA s', extra_params => [ '-U', 'shop' ]);
$node->safe_psql('served', 'SET search_path = public, s;' . "\n\\i test/fixtures/program.sql", extra_params => [ '-U', 'shop' ]);
$node->safe_psql('served', 'GRANT USAGE, CREATE ON SCHEMA s, public TO mallory; GRANT USAGE ON SCHEMA loyalty TO mallory', extra_params => [ '-U', 'shop' ]);
($status, $output, $errors) = run_as('mallory', 'served', $plant . join('', map { planted($_, 1) } qw(s public)) . $plant_own);
is($status, 0, 'she plants twins of our functions, too') or diag $errors;
cmp_ok((split /\n/, $output)[-1], '>', 500, (split /\n/, $output)[-1] . ' of them');
ok(grep({ /twin/ } run_as('shop', 'served', q{SET search_path = pg_catalog; SELECT s.loyalty_refused_under('main'::loyalty.external_id)})), 'which are called where they fit');

# Of what the machine calls there are no twins: nobody creates anything beside it.
foreach my $role ('mallory', 'shop')
{
    foreach my $twin ('FUNCTION loyalty_internal.lock_draft(loyalty.external_id) RETURNS void LANGUAGE sql AS $$$$',
        'OPERATOR loyalty_internal.= (LEFTARG = text, RIGHTARG = name, FUNCTION = texteqname)', 'DOMAIN loyalty_internal.text AS text')
    {
        (undef, undef, $errors) = run_as($role, 'served', "CREATE $twin");
        like($errors, qr/permission denied for schema loyalty_internal/, "$role cannot CREATE $twin");
    }
}
is($node->safe_psql('served', q{
    SET search_path = pg_catalog;
    SELECT rolname FROM pg_roles
    WHERE NOT rolsuper AND has_schema_privilege(oid, 'loyalty_internal', 'CREATE')
}), '', 'nor does any other role but superusers');

# The verbs, called exactly, so that whatever is caught was called within.
my $verbs = q{
    SET search_path = pg_catalog;
    SELECT s.loyalty_migrate();
    INSERT INTO loyalty.product_segments (program, external_id, name, predicate) VALUES ('main', 'late', 'Late', '$.price < 5');
    UPDATE loyalty.products SET price = 3 WHERE sku = 'P-1';
    UPDATE loyalty.promotions SET name = 'Twin' WHERE external_id = 'order';
    INSERT INTO loyalty.promotion_groups (program, external_id, name, parent) VALUES ('main', 'twins', 'Twins', 'main');
    DELETE FROM loyalty.promotion_groups WHERE external_id = 'twins';
    UPDATE loyalty.programs SET name = 'Twins';
    SELECT s.loyalty_apply('main'::text);
    SELECT s.loyalty_calculate('{"member": "member-1", "lines": [{"product": "P-1", "quantity": 2}]}'::jsonb) ->> 'buyer';
    SELECT s.loyalty_place_order('{"external_id": "twin-1", "member": "member-1", "lines": [{"product": "P-1", "quantity": 2, "price": 10}]}'::jsonb) IS NOT NULL;
    SELECT s.loyalty_enrol('member-20'::text, 'main'::text, NULL::timestamptz, NULL::text);
    INSERT INTO loyalty.transactions (member, program, point_type, type, value) VALUES ('member-1', 'main', 'bonus', 'accrual', 5);
    UPDATE loyalty.promotions SET name = 'Again' WHERE external_id = 'order';
    SELECT s.loyalty_revert('main'::text);
    CALL s.loyalty_run_job('end_holds'::text, 10, NULL::interval);
    SELECT s.loyalty_grant('victim'::name, 'admin'::text);
    SELECT s.loyalty_grant('victim'::name, 'report'::text);
    SELECT s.loyalty_revoke('victim'::name, 'admin'::text);
    SELECT s.loyalty_grant('victim'::name, 'admin'::text);
    SELECT count(*) FROM s.loyalty_verify(NULL::text);
    SELECT count(*) FROM s.loyalty_member_card('member-1'::text, 'main'::text, 5);
    SELECT count(*) FROM s.loyalty_promotion_tree('main'::text, NULL::text);
};
foreach my $caller ('shop', 'postgres')
{
    ($status, $output, $errors) = run_as($caller, 'served', "BEGIN;\n" . $verbs =~ s/^\s*CALL.*$//mr . "ROLLBACK;\n" . join '', $verbs =~ /^\s*CALL.*$/mg);
    is($status, 0, "$caller runs the verbs") or diag $errors;
    is(twins($errors), '', 'and calls no twin');
}

done_testing();
