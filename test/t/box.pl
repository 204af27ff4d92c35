# Code that users wrote × the functions in whose midst it runs × who calls them. It tries to become more than it is, and to
# leave something in the session under which the next statement would run. It gains nothing, and leaves nothing behind.
#
# What runs tells as whom it does. That may be its author or the caller, and where a superuser calls, the author alone; never
# the owner of schema loyalty for somebody else's code.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('box');
$node->init;
$node->append_conf('postgresql.conf', "max_locks_per_transaction = 256\nlog_min_messages = fatal");
$node->start;
$node->safe_psql('postgres', q{
    CREATE ROLE shop LOGIN;
    CREATE ROLE mallory LOGIN;
    CREATE ROLE app LOGIN;
    CREATE ROLE jobs LOGIN;
    CREATE DATABASE base OWNER shop;
});
my $roles = q{
    SELECT string_agg(concat_ws(' ', rolname, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls,
        ARRAY(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = pg_roles.oid)), ', ' ORDER BY rolname)
    FROM pg_roles WHERE rolname !~ '^pg_'
};
my $before = $node->safe_psql('postgres', $roles);

# ---------------------------------------------------------------------------------------------------------------------
# What the code does: the same for all authors, but for what its author may

my $common = q{
    ALTER ROLE mallory SUPERUSER
    ALTER ROLE shop SUPERUSER
    CREATE ROLE owned
    GRANT shop TO mallory
    GRANT postgres TO shop
    SELECT FROM pg_authid
    INSERT INTO vault.trace VALUES (1)
    SET ROLE postgres
    SET ROLE NONE
    SET SESSION AUTHORIZATION DEFAULT
    CREATE TEMPORARY TABLE left_behind ()
    CREATE TEMPORARY VIEW left_behind AS SELECT 1
    PREPARE left_behind AS SELECT 1
    DECLARE left_behind CURSOR WITH HOLD FOR SELECT 1
    LISTEN left_behind
    INSERT INTO spy.waiting VALUES (1)
    SELECT s.loyalty_accrue('ann', 'main', 'bonus', 1000)
    SELECT s.loyalty_enrol('new', 'main')
    SELECT s.loyalty_apply('main')
    SELECT s.loyalty_grant('mallory', 'admin')
    SELECT s.loyalty_migrate()
};
my $owners = q{
    INSERT INTO shops.trace VALUES (1)
    UPDATE loyalty.programs SET name = name
    SELECT FROM loyalty.holds
    DELETE FROM loyalty.granted_rights
};
my $statements = sub { join ', ', map { "\$q\$$_\$q\$" } grep { /\S/ } map { s/^\s+|\s+$//gr } map { split /\n/ } @_ };

# In the schema of whoever wrote it: act() does it once where it was not already at it, and leaves settings and twins behind.
my $spy = sub {
    my ($schema, @tried) = @_;
    return qq{
        CREATE SCHEMA $schema;
        GRANT USAGE ON SCHEMA $schema TO PUBLIC;
        CREATE FUNCTION $schema.try(statement text) RETURNS void LANGUAGE plpgsql AS \$\$
        BEGIN
            EXECUTE statement;
            RAISE WARNING 'gained as %: %', current_user, statement;
        EXCEPTION WHEN OTHERS THEN NULL;
        END
        \$\$;
        CREATE FUNCTION $schema.act(place text) RETURNS boolean LANGUAGE plpgsql AS \$\$
        BEGIN
            RAISE WARNING 'ran as %, in %', current_user, place;
            IF pg_catalog.current_setting('spy.busy', true) OPERATOR(pg_catalog.=) 'yes' THEN
                RETURN true;
            END IF;
            PERFORM pg_catalog.set_config('spy.busy', 'yes', false);
            PERFORM $schema.try(statement) FROM pg_catalog.unnest(ARRAY[} . $statements->(@tried) . qq{]) AS statement;
            PERFORM pg_catalog.set_config(name, value, false)
            FROM (VALUES ('search_path', '$schema, pg_catalog, pg_temp'), ('timezone', 'Asia/Tokyo'), ('datestyle', 'German'),
                ('standard_conforming_strings', 'off'), ('statement_timeout', '1000000'), ('spy.busy', 'no')) AS settings (name, value);
            RETURN true;
        END
        \$\$;
    };
};
my $mallory = $spy->('spy', $common, $owners) . q{
    CREATE TABLE spy.waiting (n integer);
    GRANT INSERT ON spy.waiting TO PUBLIC;
    CREATE FUNCTION spy.later() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM spy.act('later'); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER later AFTER INSERT ON spy.waiting DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spy.later();
    CREATE FUNCTION spy.jsonb_strip_nulls(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN PERFORM spy.act('twin'); RETURN pg_catalog.jsonb_strip_nulls($1); END $$;
    CREATE FUNCTION spy.equal(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM spy.act('twin'); RETURN pg_catalog.texteq($1, $2); END $$;
    CREATE OPERATOR spy.= (LEFTARG = text, RIGHTARG = text, FUNCTION = spy.equal);
    CREATE DOMAIN spy.text AS pg_catalog.text CHECK (spy.act('twin'));
    CREATE SCHEMA crm;
    GRANT USAGE ON SCHEMA crm TO PUBLIC;
};

# ---------------------------------------------------------------------------------------------------------------------
# Kinds of code

my $people = q{ (id, note) AS VALUES ('ann', 'x'), ('bob', 'y'), ('new', 'x'), ('tom', 'x') };
my %profiles = (
    'function of a view' => qq{
        CREATE TABLE crm.people $people;
        CREATE VIEW crm.customers AS SELECT id, note, spy.act('column') AS flag FROM crm.people WHERE spy.act('view');
    },
    'view with security_invoker' => qq{
        CREATE TABLE crm.people $people;
        GRANT SELECT ON crm.people TO PUBLIC;
        CREATE VIEW crm.customers WITH (security_invoker) AS SELECT id, note FROM crm.people WHERE spy.act('view');
    },
    'row-security policy' => qq{
        CREATE TABLE crm.customers $people;
        ALTER TABLE crm.customers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY seen ON crm.customers USING (spy.act('policy'));
    },
    'check of a domain' => q{
        CREATE DOMAIN crm.key AS pg_catalog.text CHECK (spy.act('domain'));
        CREATE TABLE crm.customers (id crm.key, note pg_catalog.text);
        INSERT INTO crm.customers VALUES ('ann', 'x'), ('bob', 'y'), ('new', 'x'), ('tom', 'x');
    },
    'cast' => q{
        CREATE TYPE crm.key AS ENUM ('ann', 'bob', 'new', 'tom');
        CREATE FUNCTION crm.shown(crm.key) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM spy.act('cast'); RETURN pg_catalog.enum_out($1); END $$;
        CREATE CAST (crm.key AS text) WITH FUNCTION crm.shown(crm.key);
        CREATE TABLE crm.customers (id crm.key, note text);
        INSERT INTO crm.customers VALUES ('ann', 'x'), ('bob', 'y'), ('new', 'x'), ('tom', 'x');
    },
    'cast to json' => q{
        CREATE TYPE crm.note AS ENUM ('x', 'y');
        CREATE FUNCTION crm.shown(crm.note) RETURNS json LANGUAGE plpgsql AS $$ BEGIN PERFORM spy.act('json'); RETURN pg_catalog.to_json('x'::text); END $$;
        CREATE CAST (crm.note AS json) WITH FUNCTION crm.shown(crm.note);
        CREATE TABLE crm.customers (id text, note crm.note);
        INSERT INTO crm.customers VALUES ('ann', 'x'), ('bob', 'y'), ('new', 'x'), ('tom', 'x');
    },
    'index expression' => qq{
        CREATE FUNCTION crm.immutable(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS \$\$ BEGIN RETURN spy.act('index'); END \$\$;
        CREATE TABLE crm.customers $people;
        CREATE INDEX ON crm.customers (id) WHERE crm.immutable(note);
        CREATE INDEX ON crm.customers (crm.immutable(id));
        ANALYZE crm.customers;
    },
);

# ---------------------------------------------------------------------------------------------------------------------
# Functions that meet it

my $order = sub { my ($id, $who) = @_; return qq{'{"external_id": "$id", "member": "$who", "lines": [{"product": "book", "quantity": 1}]}'} };
my @entries = (
    'finding' => q{SELECT s.loyalty_find_member('main', 'ann')},
    'finding by a field' => q{SELECT s.loyalty_find_member('main', 'x', 'note')},
    'enrolling' => q{SELECT s.loyalty_enrol('new', 'main')},
    'enrolling all' => q{SELECT s.loyalty_enrol_all('main')},
    'enrolling a segment' => q{SELECT s.loyalty_enrol_segment('main', 'marked')},
    'calculating' => q{SELECT s.loyalty_calculate(} . $order->('1', 'ann') . q{)},
    'explaining' => q{SELECT s.loyalty_explain(} . $order->('1', 'ann') . q{)},
    'testing' => q{SELECT s.loyalty_test(} . $order->('1', 'ann') . q{)},
    'placing' => q{SELECT s.loyalty_place_order(} . $order->("' || current_user || '", 'ann') . q{)},
    'cancelling' => q{SELECT s.loyalty_cancel_order('main', current_user)},
    'importing orders' => q{SELECT s.loyalty_import_orders(('[{"program": "main", "external_id": "old-' || current_user || '", "time": "2020-01-01T00:00:00Z", "member": "ann", "total": 1, "lines": [{"product": "book", "quantity": 1, "price": 1}]}]')::jsonb)},
    'booking' => q{SELECT s.loyalty_accrue('ann', 'main', 'bonus', 1)},
    'judging' => q{SELECT s.loyalty_judge('ann', 'main')},
    'reading a balance' => q{SELECT s.loyalty_balance('ann', 'main')},
    'attaching a code' => q{SELECT s.loyalty_attach_promo_code('main', 'ann', 'codes')},
    'a trigger that fires' => q{INSERT INTO shops.bought (buyer) VALUES ('ann')},
    'a trigger that enrols' => q{INSERT INTO shops.came (who) VALUES ('tom')},
    'the job that judges' => q{CALL s.loyalty_judge_tiers()},
    'all jobs' => q{CALL s.loyalty_run_jobs()},
    'verifying' => q{SELECT count(*) FROM s.loyalty_verify()},
    'applying' => q{UPDATE loyalty.promotions SET name = 'Again'; SELECT s.loyalty_apply('main')},
    'exporting members' => q{SELECT count(*) FROM s.loyalty_export_members('main')},
    'refreshing reports' => q{SELECT s.loyalty_refresh_reports()},
    'removing' => q{SELECT s.loyalty_remove_member('new', 'main')},
    'granting' => q{SELECT s.loyalty_grant('app', 'report')},
    'revoking' => q{SELECT s.loyalty_revoke('app', 'report')},
    'migrating' => q{SELECT s.loyalty_migrate()},
    'restoring rights' => q{SELECT s.loyalty_restore_rights()},
    'scheduling' => q{SELECT s.loyalty_schedule()},
    'unscheduling' => q{SELECT s.loyalty_unschedule()},
);

# What the session is afterwards.
my $state = q{
    SELECT concat_ws(' ', 'state:', current_user = session_user, current_setting('role'), current_setting('search_path'), current_setting('timezone'),
        current_setting('datestyle'), current_setting('standard_conforming_strings'), current_setting('statement_timeout'),
        (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_cursors WHERE name <> ''),
        (SELECT count(*) FROM pg_class WHERE relpersistence = 't'), (SELECT count(*) FROM pg_listening_channels()));
};

$node->safe_psql('base', q{CREATE SCHEMA s; CREATE EXTENSION loyalty SCHEMA s; GRANT USAGE ON SCHEMA s TO PUBLIC}, extra_params => [ '-U', 'shop' ]);
$node->safe_psql('base', q{
    SET search_path = s, public;
    SELECT loyalty_create_schema();
    INSERT INTO loyalty.profiles VALUES ('ann', '{"note": "x"}'), ('bob', '{"note": "y"}'), ('new', '{"note": "x"}'), ('tom', '{}');
    INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active) VALUES ('main', 'Main', 'profiles', 'EUR', 'UTC', true);
    INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, scale, active) VALUES ('main', 'bonus', 'Bonus', 'standard', 1, 2, true);
    INSERT INTO loyalty.products (program, sku, name, price) VALUES ('main', 'book', 'Book', 20);
    INSERT INTO loyalty.promo_code_pools (program, external_id, name, kind, valid_from, valid_until) VALUES ('main', 'codes', 'Codes', 'personal', '2020-01-01', '2100-01-01');
    SELECT loyalty_generate_promo_codes('main', 'codes', '########', 10);
    INSERT INTO loyalty.profile_segments (program, external_id, name, predicate) VALUES ('main', 'marked', 'Marked', '$.* == "x" || $.attributes.note == "x"');
    INSERT INTO loyalty.tier_groups (program, external_id, name, model) VALUES ('main', 'vip', 'VIP', 'dynamic');
    INSERT INTO loyalty.tiers (program, external_id, tier_group, name, predicate, position) VALUES ('main', 'a', 'vip', 'A', '$.profile.note == "x"', 1);
    INSERT INTO loyalty.promotions (program, external_id, name, kind, parent, position, state, audience, audience_segments)
    VALUES ('main', 'earn', 'Earn', 'points', 'main', 1, 'active', 'in_segments', '{marked}');
    INSERT INTO loyalty.promotion_conditions (program, promotion, position, level, mode, segments) VALUES ('main', 'earn', 1, 'order', 'all', '{}');
    INSERT INTO loyalty.promotion_benefits (program, promotion, condition, benefit, parameters) VALUES ('main', 'earn', 1, 'accrue_points', '{"point_type": "bonus", "points": 5}');
    INSERT INTO loyalty.promotions (program, external_id, name, kind, state, starts_at) VALUES ('main', 'gift', 'Gift', 'trigger', 'active', '2020-01-01');
    INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount) VALUES ('main', 'gift', 'accrual', 'bonus', 1);
    SELECT loyalty_apply('main');
    SELECT loyalty_enrol(key, 'main') FROM unnest(ARRAY['ann', 'bob']) AS key;
    SELECT loyalty_grant('app', 'app'), loyalty_grant('app', 'admin'), loyalty_grant('jobs', 'jobs');
    CREATE SCHEMA shops;
    CREATE TABLE shops.trace (n integer);
    CREATE TABLE shops.bought (n integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, buyer text);
    CREATE TRIGGER fire AFTER INSERT ON shops.bought FOR EACH ROW EXECUTE FUNCTION loyalty_fire_trigger('gift', 'buyer');
    CREATE TABLE shops.came (n integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, who text);
    CREATE TRIGGER enrol AFTER INSERT ON shops.came FOR EACH ROW EXECUTE FUNCTION loyalty_enrol_trigger('main', 'who');
    GRANT USAGE ON SCHEMA shops TO PUBLIC;
    GRANT INSERT ON shops.bought, shops.came TO PUBLIC;
}, extra_params => [ '-U', 'shop' ]);
$node->safe_psql('base', q{
    CREATE SCHEMA vault; CREATE TABLE vault.trace (n integer); GRANT USAGE ON SCHEMA vault TO PUBLIC;
    GRANT CREATE ON DATABASE base TO mallory;
});
$node->safe_psql('base', "SET client_min_messages = error; $mallory", extra_params => [ '-U', 'mallory' ]);

# ---------------------------------------------------------------------------------------------------------------------
# The table

# Calls all of it in one session; what each entry said, and that the session and the world stayed what they were.
sub try_all
{
    my ($kind, $database, $author, $caller, @entries) = @_;
    my $script = "SET client_min_messages = warning;\n";
    while (my ($entry, $statement) = splice @entries, 0, 2)
    {
        $script .= "\\warn entry: $entry\n$statement;\n\\warn end\n$state\n";
    }
    my ($status, $output, $errors) = $node->psql($database, $script, extra_params => [ '-U', $caller ], on_error_stop => 0);
    my @may_run_as = $caller eq 'postgres' ? ($author) : ($author, $caller);
    my ($entry, %met, @wrong) = ('');
    foreach my $line (split /\n/, $errors)
    {
        $entry = $1 if $line =~ /^entry: (.*)/;
        next if $line !~ /WARNING:  (ran as (\w+).*|gained as .*)/;
        # Where the caller reads, what reads may do what the caller may: set admin edits programs.
        next if $line =~ /gained as app: (?:UPDATE loyalty\.programs|SELECT FROM loyalty\.)/;
        $met{$entry} = 1;
        push @wrong, "$entry: $1" if !defined $2 || !grep { $_ eq $2 } @may_run_as;
    }
    my %wrong = map { $_ => 1 } @wrong;
    is(join("\n", sort keys %wrong), '', "$kind, called by $caller: runs with no more rights than it may") or diag $errors;
    my %states = map { $_ => 1 } grep { /^state:/ } split /\n/, $output;
    is(scalar keys %states, 1, "$kind, called by $caller: the session stays what it was") or diag join "\n", keys %states;
    is($node->safe_psql('postgres', $roles), $before, "$kind, called by $caller: nobody became another");
    is($node->safe_psql($database, 'SELECT (SELECT count(*) FROM vault.trace) + (SELECT count(*) FROM shops.trace) + (SELECT count(*) FROM spy.waiting)'),
        '0', "$kind, called by $caller: and wrote nowhere");
    return sort keys %met;
}

foreach my $kind (sort keys %profiles)
{
    my $database = 'box_' . $kind =~ s/\W/_/gr;
    $node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE base OWNER shop");
    $node->safe_psql($database, "SET client_min_messages = error; SET spy.busy = 'yes'; $profiles{$kind} GRANT SELECT ON crm.customers TO PUBLIC", extra_params => [ '-U', 'mallory' ]);
    $node->safe_psql($database, q{SET client_min_messages = error; UPDATE loyalty.profile_databases SET relation = 'crm.customers', key_column = 'id'},
        extra_params => [ '-U', 'shop' ]);
    foreach my $caller (qw(app jobs postgres))
    {
        my @met = try_all($kind, $database, 'mallory', $caller, @entries);
        note("$kind, called by $caller: ran in " . (join(', ', @met) || 'nothing'));
        next if $kind eq 'index expression';
        cmp_ok(scalar @met, '>', $caller eq 'jobs' ? 0 : 3, "$kind, called by $caller: and it ran");
    }
}

# Triggers that the schema's owner put on each table of it. A superuser's own INSERT runs them as the server runs any trigger;
# our functions, as the owner.
$node->safe_psql('postgres', 'CREATE DATABASE triggers TEMPLATE base OWNER shop');
$node->safe_psql('triggers', 'SET client_min_messages = error;' . $spy->('owners', $common) . q{
    CREATE FUNCTION owners.fired() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM owners.act(TG_TABLE_NAME); RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END; END $$;
    DO $$
    DECLARE
        name regclass;
    BEGIN
        FOR name IN SELECT oid FROM pg_class WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'r' LOOP
            EXECUTE format('CREATE TRIGGER spied BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION owners.fired()', name);
        END LOOP;
    END
    $$;
}, extra_params => [ '-U', 'shop' ]);
my %of_functions = @entries;
foreach my $caller (qw(app jobs postgres))
{
    # As whoever edits runs what stands on the table that he edits.
    my @called = map { ($_ => $of_functions{$_}) } grep { defined $of_functions{$_} && $_ ne 'applying' } @entries;
    my @met = try_all('triggers of the owner', 'triggers', 'shop', $caller, @called);
    note("triggers, called by $caller: ran in " . join(', ', @met));
    cmp_ok(scalar @met, '>', $caller eq 'jobs' ? 0 : 7, "triggers, called by $caller: and they ran");
}

done_testing();
