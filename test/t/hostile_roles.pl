# What a hostile role of each kind tries beyond the box: schemas that it made before ours, predicates as an oracle, triggers
# whose rights were taken back, what an owner puts on the record of rights, locks, and errors of classes that stop a job.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('hostile_roles');
$node->init;
$node->append_conf('postgresql.conf', 'max_locks_per_transaction = 256');
$node->start;
$node->safe_psql('postgres', q{
    CREATE ROLE shop LOGIN; CREATE ROLE mallory LOGIN; CREATE ROLE helper LOGIN; CREATE ROLE worker LOGIN;
    CREATE DATABASE shop OWNER shop; CREATE DATABASE squatted;
    GRANT CREATE ON DATABASE squatted TO mallory;
});

sub as
{
    my ($role, $database, $sql) = @_;
    return $node->safe_psql($database, "SET client_min_messages = error; $sql", extra_params => [ '-U', $role ]);
}

sub errors_of
{
    my ($role, $database, $sql) = @_;
    my ($status, $output, $errors) = $node->psql($database, "\\set VERBOSITY verbose\n$sql", extra_params => [ '-U', $role ], on_error_stop => 0);
    return $errors;
}

sub superusers { return $node->safe_psql('postgres', q{SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolsuper}) }
my $nobody_else = superusers();

# Becomes a superuser where it runs as one, whatever it has to undo for that.
my $evil = q{
    BEGIN
        BEGIN PERFORM set_config('role', 'none', true); EXCEPTION WHEN OTHERS THEN NULL; END;
        RAISE WARNING 'ran as %', current_user;
        IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN ALTER ROLE %s SUPERUSER; END IF;
        RETURN %s;
    END
};

# ---------------------------------------------------------------------------------------------------------------------
# Names that a stranger took first

as('mallory', 'squatted', q{CREATE SCHEMA loyalty; CREATE FUNCTION loyalty.evil() RETURNS integer LANGUAGE plpgsql AS $$} . sprintf($evil, 'mallory', '1') . q{$$;
    CREATE VIEW loyalty.schema_version AS SELECT loyalty.evil() AS version, ''::text AS library, now() AS updated_at;
    CREATE TABLE loyalty.granted_rights (role name, rights text);
    CREATE FUNCTION loyalty.on_row() RETURNS trigger LANGUAGE plpgsql AS $$} . sprintf($evil, 'mallory', 'NEW') . q{$$;
    CREATE TRIGGER evil BEFORE INSERT ON loyalty.granted_rights FOR EACH ROW EXECUTE FUNCTION loyalty.on_row();
    CREATE SCHEMA cron;
    CREATE TABLE cron.job (jobid bigint, jobname text, username text);
    INSERT INTO cron.job SELECT 1, 'loyalty jobs in ' || current_database(), 'postgres';
    CREATE FUNCTION cron.unschedule(bigint) RETURNS boolean LANGUAGE plpgsql AS $$} . sprintf($evil, 'mallory', 'true') . q{$$;
    CREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint LANGUAGE plpgsql AS $$} . sprintf($evil, 'mallory', '1') . q{$$;
    CREATE SCHEMA loyalty_cluster;
    CREATE TABLE loyalty_cluster.homes (key text, home integer);
    GRANT USAGE ON SCHEMA loyalty, cron, loyalty_cluster TO PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA loyalty, cron, loyalty_cluster TO PUBLIC;
});
as('mallory', 'squatted', 'CREATE SCHEMA loyalty_internal');
like(errors_of('postgres', 'squatted', 'CREATE EXTENSION loyalty'), qr/schema "loyalty_internal" already exists/, 'squatted names: the schema of what the machine calls is made by the extension alone');
as('mallory', 'squatted', 'DROP SCHEMA loyalty_internal');
$node->safe_psql('squatted', 'CREATE EXTENSION loyalty');
like(errors_of('postgres', 'squatted', 'SELECT loyalty_create_schema()'), qr/LY003/, 'squatted names: a schema "loyalty" that is there is not taken over');
foreach my $call (q{loyalty_migrate()}, q{loyalty_grant('helper', 'app')}, q{loyalty_revoke('helper', 'app')}, q{loyalty_restore_rights()},
    q{loyalty_schedule()}, q{loyalty_unschedule()}, q{loyalty_calculate('{}')}, q{loyalty_internal.begin_job('expire_points')}, q{loyalty_verify()})
{
    unlike(errors_of('postgres', 'squatted', "SELECT $call"), qr/ran as postgres/, "squatted names: a superuser calls $call");
}
like(errors_of('postgres', 'squatted', 'SELECT loyalty_migrate()'), qr/ran as mallory/, 'squatted names: what she made runs as herself');
is($node->safe_psql('squatted', q{SELECT has_function_privilege('helper', 'loyalty_call(text, text, jsonb)', 'EXECUTE')}), 'f', 'squatted names: a table of homes lets nobody call');
like(errors_of('postgres', 'squatted', q{SELECT * FROM loyalty_call_everywhere('loyalty_now')}), qr/LY804/, 'squatted names: nor is it read');
is(superusers(), $nobody_else, 'squatted names: nobody became a superuser');

# ---------------------------------------------------------------------------------------------------------------------
# The owner's triggers, where a superuser serves him

as('shop', 'shop', q{
    CREATE SCHEMA s; CREATE EXTENSION loyalty SCHEMA s; GRANT USAGE ON SCHEMA s TO PUBLIC; SET search_path = s, public;
    SELECT loyalty_create_schema();
    INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active) VALUES ('main', 'Main', 'profiles', 'EUR', 'UTC', true);
    INSERT INTO loyalty.point_types (program, external_id, name, kind, ratio, scale, active) VALUES ('main', 'bonus', 'Bonus', 'standard', 1, 2, true);
    INSERT INTO loyalty.promotions (program, external_id, name, kind, state, starts_at) VALUES ('main', 'gift', 'Gift', 'trigger', 'active', '2020-01-01');
    INSERT INTO loyalty.trigger_rules (program, promotion, operation, point_type, amount) VALUES ('main', 'gift', 'accrual', 'bonus', 1);
    SELECT loyalty_apply('main');
});
my $evil_trigger = sub { return q{CREATE OR REPLACE FUNCTION evil() RETURNS trigger LANGUAGE plpgsql AS $$} . sprintf($evil, 'shop', 'CASE TG_OP WHEN \'DELETE\' THEN OLD ELSE NEW END') . q{$$;} };
foreach my $case ([ 'granted_rights', q{SELECT s.loyalty_grant('helper', 'app'); SELECT s.loyalty_revoke('helper', 'app'); SELECT s.loyalty_grant('helper', 'app'); SELECT s.loyalty_restore_rights()} ],
    [ 'schema_version', q{SELECT s.loyalty_migrate()} ])
{
    my ($table, $calls) = @$case;
    as('shop', 'shop', $evil_trigger->() . "CREATE TRIGGER evil BEFORE INSERT OR UPDATE OR DELETE ON loyalty.$table FOR EACH ROW EXECUTE FUNCTION evil()");
    my $errors = errors_of('postgres', 'shop', $calls);
    like($errors, qr/ran as shop/, "a trigger on $table runs as the owner, who wrote it");
    unlike($errors, qr/ran as postgres|ERROR/, "a trigger on $table: and as nobody else");
    is(superusers(), $nobody_else, "a trigger on $table: nobody became a superuser");
    as('shop', 'shop', "DROP TRIGGER evil ON loyalty.$table");
}
like(errors_of('postgres', 'shop', q{SELECT loyalty_internal.grant_as_owner('helper', 'admin')}), qr/LY783/, 'what is done as the owner is not done otherwise');
as('shop', 'shop', q{GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA s, loyalty_internal TO helper});
like(errors_of('helper', 'shop', "SELECT $_"), qr/LY783/, "whoever may execute $_ is not the owner by that")
    foreach q{s.loyalty_grant('helper', 'admin')}, q{s.loyalty_migrate()}, q{s.loyalty_restore_rights()}, q{loyalty_internal.migrate_as_owner()}, q{loyalty_internal.require_owner()};
as('shop', 'shop', q{REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA s, loyalty_internal FROM helper});

# Who may act as the owner: has the owner's rights, or may become the owner.
my $version = $node->safe_psql('postgres', 'SHOW server_version_num');
$node->safe_psql('postgres', 'CREATE ROLE deputy LOGIN; GRANT shop TO deputy');
is(as('deputy', 'shop', q{SELECT s.loyalty_grant('worker', 'jobs'); SELECT s.loyalty_revoke('worker', 'jobs')}), "\nt", 'a member of the owner grants');
SKIP:
{
    skip 'memberships have no options before PostgreSQL 16', 2 if $version < 160000;
    $node->safe_psql('postgres', 'GRANT shop TO deputy WITH INHERIT FALSE, SET FALSE');
    like(errors_of('deputy', 'shop', q{SELECT s.loyalty_migrate()}), qr/permission denied|LY783/, 'one that neither inherits nor may become the owner does not');
    unlike(superusers(), qr/deputy/, 'and is no more than before');
}

# ---------------------------------------------------------------------------------------------------------------------
# Where profiles stand

as('shop', 'shop', q{SELECT s.loyalty_grant('helper', 'admin'); GRANT TEMPORARY ON DATABASE shop TO PUBLIC});
my $own_view = q{CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql AS $$SELECT 'x'::text$$; CREATE TEMPORARY VIEW v AS SELECT 'ann' AS key, pg_temp.f() AS note; GRANT SELECT ON v TO PUBLIC;};
like(errors_of('helper', 'shop', "$own_view $_"), qr/LY792/, "set admin does not say where profiles stand: $_")
    foreach q{INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column) VALUES ('evil', 'E', 'v', 'key')},
    q{UPDATE loyalty.profile_databases SET relation = 'v'}, q{UPDATE loyalty.profile_databases SET key_column = 'attributes'},
    q{UPDATE loyalty.profile_databases SET email_column = 'attributes'},
    q{INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column) VALUES ('profiles', 'E', 'v', 'key') ON CONFLICT (external_id) DO UPDATE SET relation = excluded.relation};
is(as('helper', 'shop', q{UPDATE loyalty.profile_databases SET name = 'Customers', relation = relation RETURNING name}), 'Customers', 'but what they are called');

# A tier over a catalogue of passwords tells them.
as('shop', 'shop', q{INSERT INTO loyalty.profile_databases (external_id, name, relation, key_column) VALUES ('oracle', 'O', 'pg_authid', 'rolname');
    INSERT INTO loyalty.programs (external_id, name, profile_database, currency, time_zone, active) VALUES ('oracle', 'O', 'oracle', 'EUR', 'UTC', true);
    INSERT INTO loyalty.tier_groups (program, external_id, name, model) VALUES ('oracle', 'vip', 'VIP', 'dynamic');
    INSERT INTO loyalty.tiers (program, external_id, tier_group, name, predicate, position) VALUES ('oracle', 'a', 'vip', 'A', '$.profile.rolpassword starts with "S"', 1);});
like(errors_of('postgres', 'shop', $_), qr/LY791/, "predicates as an oracle, asked by a superuser: $_")
    foreach q{SELECT s.loyalty_find_member('oracle', 'postgres')}, q{SELECT s.loyalty_enrol('postgres', 'oracle')}, q{SELECT s.loyalty_enrol_all('oracle')}, q{SELECT * FROM loyalty_internal.profile_contacts('oracle')};
as('shop', 'shop', q{DELETE FROM loyalty.programs WHERE external_id = 'oracle'; DELETE FROM loyalty.profile_databases WHERE external_id = 'oracle'});

# ---------------------------------------------------------------------------------------------------------------------
# Rights that were taken back

$node->safe_psql('shop', 'CREATE SCHEMA bench AUTHORIZATION helper');
as('shop', 'shop', q{INSERT INTO loyalty.profiles VALUES ('ann'), ('bob'), ('cat'); SELECT s.loyalty_enrol_all('main')});
as('helper', 'shop', q{
    CREATE TABLE bench.bought (n integer PRIMARY KEY, who text); CREATE TABLE bench.came (n integer PRIMARY KEY, who text); CREATE TABLE bench.changed (who text);
    CREATE TRIGGER fire AFTER INSERT ON bench.bought FOR EACH ROW EXECUTE FUNCTION s.loyalty_fire_trigger('gift', 'who');
    CREATE TRIGGER enrol AFTER INSERT ON bench.came FOR EACH ROW EXECUTE FUNCTION s.loyalty_enrol_trigger('main', 'who');
    INSERT INTO bench.bought VALUES (1, 'ann'); INSERT INTO bench.came VALUES (1, 'ann');
});
as('shop', 'shop', q{GRANT EXECUTE ON FUNCTION s.loyalty_judge_trigger() TO helper});
as('helper', 'shop', q{CREATE TRIGGER judge AFTER INSERT ON bench.changed REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION s.loyalty_judge_trigger('main', 'who');
    INSERT INTO bench.changed VALUES ('ann')});
as('shop', 'shop', q{SELECT s.loyalty_revoke('helper', 'admin'); REVOKE EXECUTE ON FUNCTION s.loyalty_judge_trigger() FROM helper});
like(errors_of($_->[0], 'shop', $_->[1]), qr/42501: permission denied for function/, "a trigger fires no more once its table's owner has lost the right: $_->[1], by $_->[0]")
    foreach map { my $who = $_; map { [ $who, $_ ] } q{INSERT INTO bench.bought VALUES (2, 'ann')}, q{INSERT INTO bench.came VALUES (2, 'ann')}, q{INSERT INTO bench.changed VALUES ('ann')} } 'helper', 'postgres';

# ---------------------------------------------------------------------------------------------------------------------
# Locks

as('shop', 'shop', q{SELECT s.loyalty_grant('worker', 'jobs'); GRANT USAGE ON SCHEMA s TO mallory});
my $stranger = $node->background_psql('shop', on_error_stop => 0, extra_params => [ '-U', 'mallory' ]);
$stranger->query(q{SELECT count(pg_advisory_lock(hashtextextended('loyalty ' || job, 0))) FROM unnest(ARRAY['end_holds', 'expire_points', 'review_tiers', 'judge_tiers', 'tell_expiring', 'refresh_reports']) AS job});
$stranger->query(q{SELECT count(pg_advisory_lock(1259, n)) FROM generate_series(1, 20) AS n});
is(errors_of('worker', 'shop', 'CALL s.loyalty_run_jobs()') =~ s/^.*NOTICE.*\n(LOCATION.*\n)?//gmr, '', 'locks that a stranger takes keep no job from running');
$stranger->quit;

my $running = $node->background_psql('shop', on_error_stop => 0, extra_params => [ '-U', 'worker' ]);
$running->query(q{SELECT loyalty_internal.begin_job('expire_points')});
$running->query(q{SELECT pg_advisory_unlock_all()});
like(errors_of('postgres', 'shop', q{CALL s.loyalty_expire_points()}), qr/LY524/, 'a run at work keeps others out');
is($node->safe_psql('shop', q{SELECT state FROM loyalty.job_progress WHERE job = 'expire_points'}), 'running', 'and is seen');
$running->quit;
ok($node->poll_query_until('shop', q{SELECT state = 'interrupted' FROM loyalty.job_progress WHERE job = 'expire_points'}), 'until its session ends');
is(errors_of('worker', 'shop', 'CALL s.loyalty_expire_points()') =~ s/^.*NOTICE.*\n(LOCATION.*\n)?//gmr, '', 'and the next goes on');

# ---------------------------------------------------------------------------------------------------------------------
# Errors of user code, whatever their class, skip the member whom they were raised for; a true cancel stops the run

as('shop', 'shop', q{
    CREATE TABLE people (key text, class text, pause float DEFAULT 0);
    INSERT INTO people SELECT key FROM loyalty.profiles;
    CREATE FUNCTION fails(class text, pause float) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
    BEGIN
        PERFORM pg_sleep(pause);
        IF class IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = class, MESSAGE = 'mine'; END IF;
        RETURN true;
    END
    $$;
    CREATE VIEW clients AS SELECT key, fails(class, pause) AS is_good FROM people;
    UPDATE loyalty.profile_databases SET relation = 'clients' WHERE external_id = 'profiles';
    INSERT INTO loyalty.tier_groups (program, external_id, name, model) VALUES ('main', 'good', 'Good', 'dynamic');
    INSERT INTO loyalty.tiers (program, external_id, tier_group, name, predicate, position) VALUES ('main', 'good', 'good', 'Good', '$.profile.is_good == true', 1);
});
foreach my $class (qw(57014 57P01 57P02 57P03 53200 53100 53300 58030 58000 XX000 XX001 P0004 40001 40P01 25P02 22000 28000 3D000 72000 LY524 LY790 0A000 08006 55P03))
{
    as('shop', 'shop', "UPDATE people SET class = CASE key WHEN 'bob' THEN '$class' END; DELETE FROM loyalty.job_errors");
    my $errors = errors_of('shop', 'shop', 'CALL s.loyalty_judge_tiers()');
    unlike($errors, qr/ERROR|FATAL/, "class $class: the run goes on") or diag $errors;
    is(as('shop', 'shop', q{SELECT member, sqlstate FROM loyalty.job_errors}), "bob|$class", "class $class: and skips the member, on record");
}
as('shop', 'shop', q{UPDATE people SET class = NULL, pause = 20});
like(errors_of('shop', 'shop', q{SET statement_timeout = '300ms'; CALL s.loyalty_judge_tiers()}), qr/57014: canceling statement due to statement timeout/, 'a true cancel stops the run');
my $terminated = $node->background_psql('shop', on_error_stop => 0, extra_params => [ '-U', 'shop' ]);
$terminated->query_until(qr/begun/, "\\echo begun\nCALL s.loyalty_judge_tiers();\n");
ok($node->poll_query_until('shop', q{SELECT count(pg_terminate_backend(pid)) = 1 FROM pg_stat_activity WHERE query LIKE 'CALL s.loyalty_judge%' AND state = 'active' AND wait_event = 'PgSleep'}), 'so does the end of its session');
ok($node->poll_query_until('shop', q{SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'CALL s.loyalty_judge%')}), 'which leaves no lock');
$terminated->{run}->finish if $terminated->{run};
as('shop', 'shop', q{UPDATE people SET pause = 0; DELETE FROM loyalty.job_errors});
unlike(errors_of('shop', 'shop', 'CALL s.loyalty_judge_tiers()'), qr/ERROR/, 'and the next run ends');
is(as('shop', 'shop', q{SELECT count(*) FROM loyalty.job_errors}), '0', 'with everybody judged');

done_testing();
