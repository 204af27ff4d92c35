# Attacks every function, table and trigger function with hostile values, in databases of three encodings, as the owner and as
# each role: no backend crashes, no error is an internal one (XX000), nothing hangs, and the memory of a session stays flat.
#
# A fixed seed and some thousand calls here; `make fuzz-sql CALLS=50000 SEED=7` runs more, with other ones. What failed is shown
# as a script to run.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../perl";

use HostileSql;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $calls = $ENV{FUZZ_CALLS} || 1200;
my $seed = $ENV{FUZZ_SEED} || 20260115;
my $calls_per_session = 400;
my $time_out_ms = 60_000;
# What a session may grow by once it has seen everything: plans, catalogue entries, what values of 10 MB leave of the heap.
my $session_growth_kb = 80 * 1024;
# What 300 calls may, which differ in one argument: 10 kB a call would be a leak.
my $argument_growth_kb = 3 * 1024;
note("seed $seed, $calls calls");

my $node = PostgreSQL::Test::Cluster->new('fuzz');
$node->init;
$node->append_conf('postgresql.conf', "log_min_messages = fatal\nlog_min_error_statement = panic\nfsync = off\nrestart_after_crash = on");
$node->start;
$node->safe_psql('postgres', q{
    CREATE ROLE fuzz_owner; CREATE ROLE fuzz_app; CREATE ROLE fuzz_admin; CREATE ROLE fuzz_report; CREATE ROLE fuzz_jobs; CREATE ROLE fuzz_nobody;
});
my @roles = (('fuzz_owner') x 8, ('fuzz_admin') x 3, ('fuzz_app') x 3, 'fuzz_report', 'fuzz_jobs', 'fuzz_nobody', 'postgres');

my $make_database = q{
    SET client_min_messages = warning;
    SET ROLE fuzz_owner;
    CREATE EXTENSION loyalty;
    \i test/fixtures/everything.sql
    SELECT loyalty_grant('fuzz_' || set, set) FROM unnest('{app,admin,report,jobs}'::text[]) AS set;

    -- Takes off a table what would keep wrong values from being written.
    CREATE FUNCTION loosen(at_table text) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        one record;
    BEGIN
        FOR one IN SELECT conname FROM pg_constraint WHERE conrelid = ('loyalty.' || at_table)::regclass AND contype IN ('c', 'f') LOOP
            EXECUTE format('ALTER TABLE loyalty.%I DROP CONSTRAINT %I CASCADE', at_table, one.conname);
        END LOOP;
        FOR one IN
            SELECT attname FROM pg_attribute
            WHERE attrelid = ('loyalty.' || at_table)::regclass AND attnum > 0 AND attnotnull
                AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = attrelid AND indisprimary AND attnum = ANY (indkey))
        LOOP
            EXECUTE format('ALTER TABLE loyalty.%I ALTER %I DROP NOT NULL', at_table, one.attname);
        END LOOP;
    END
    $$;

    -- And what would keep a column from being altered: all views that depend on it.
    CREATE FUNCTION free(at_table text) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        one record;
    BEGIN
        FOR one IN SELECT tgrelid::regclass AS relation FROM pg_trigger WHERE tgname = 'require_library' LOOP
            EXECUTE format('DROP TRIGGER require_library ON %s', one.relation);
        END LOOP;
        LOOP
            SELECT c.oid::regclass AS view INTO one
            FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid JOIN pg_class AS c ON c.oid = r.ev_class
            WHERE d.refobjid = ('loyalty.' || at_table)::regclass AND c.relkind = 'v' LIMIT 1;
            EXIT WHEN NOT FOUND;
            EXECUTE format('DROP VIEW %s CASCADE', one.view);
        END LOOP;
        LOOP
            SELECT conname INTO one FROM pg_constraint WHERE conrelid = ('loyalty.' || at_table)::regclass AND contype <> 'n' LIMIT 1;
            EXIT WHEN NOT FOUND;
            EXECUTE format('ALTER TABLE loyalty.%I DROP CONSTRAINT %I CASCADE', at_table, one.conname);
        END LOOP;
        PERFORM loosen(at_table);
    END
    $$;

    -- Tables of others, whose columns have the names of ours, and which have a row.
    CREATE TABLE alien (LIKE loyalty.transactions);
    INSERT INTO alien SELECT * FROM loyalty.transactions LIMIT 1;
    CREATE TABLE stranger (
        program integer, promotion jsonb, member bytea, profile point, external_id numeric, kind xml, parent date, name boolean, tier_group text[],
        point_type uuid, type interval, state "char", relation text, created_at text
    );
    INSERT INTO stranger DEFAULT VALUES;
    CREATE TABLE bare ();
    CREATE TABLE parted (program text, member text) PARTITION BY LIST (program);
    CREATE TABLE parted_main PARTITION OF parted DEFAULT;
    INSERT INTO parted VALUES ('main', 'ann');
    CREATE VIEW alien_view AS SELECT * FROM alien;
};

# Statements that meet most of what is stored.
my @usual = (
    q{SELECT loyalty_accrue('ann', 'main', 'bonus', 1)}, q{SELECT loyalty_accrue('ann', 'main', 'status', 2000)}, q{SELECT loyalty_accrue('bob', 'main', 'month', 1)},
    q{SELECT loyalty_redeem('ann', 'main', 'bonus', 1)}, q{SELECT loyalty_hold('ann', 'main', 'bonus', 'redemption', 1, '1 hour')},
    q{SELECT loyalty_commit('ann', 'main', external_id => 'H-1')}, q{SELECT loyalty_rollback('ann', 'main', external_id => 'H-1')},
    q{SELECT loyalty_cancel('ann', 'main', external_id => 'bonus')}, q{SELECT loyalty_place_order(basket('N'))}, q{SELECT loyalty_calculate(basket('N') - 'external_id')},
    q{SELECT loyalty_explain(basket('N') - 'external_id', draft => true)}, q{SELECT loyalty_calculate(basket('N') || '{"promo_codes": ["SUMMER-11"]}')},
    q{SELECT loyalty_return_items('main', 'B', '[{"id": "b", "quantity": 1}]', 'R-2')}, q{SELECT loyalty_cancel_order('main', 'A')},
    q{SELECT loyalty_set_order_status('main', 'A', 'delivered')}, q{SELECT loyalty_reprice_order('main', 'A')}, q{SELECT loyalty_order('main', 'A')},
    q{SELECT * FROM loyalty_events_since(NULL)}, q{SELECT * FROM loyalty_events_claim('worker')}, q{SELECT loyalty_enrol('guest', 'main')},
    q{SELECT * FROM loyalty_tier('ann', 'main')}, q{SELECT * FROM loyalty_tier('ann', 'main', '2027-01-01')}, q{SELECT * FROM loyalty_balance('ann', 'main')},
    q{SELECT * FROM loyalty_balance('ann', 'main', at => '2027-01-01')}, q{SELECT * FROM loyalty_statement('ann', 'main')}, q{SELECT loyalty_judge('ann', 'main')},
    q{SELECT loyalty_set_tier('ann', 'main', 'status', 'gold', '2028-01-01', 'kindness')},
    q{SELECT loyalty_fire('review', 'ann', 'accrual')}, q{SELECT loyalty_apply('main')}, q{SELECT loyalty_revert('main')}, q{SELECT loyalty_pause_promotion('main', 'books')},
    q{SELECT * FROM loyalty_verify()}, q{SELECT loyalty_export('main', true, true)}, q{SELECT loyalty_attach_promo_code('main', 'bob', 'birthday')},
    q{SELECT loyalty_generate_promo_codes('main', 'birthday', 'Z-####', 3)}, q{SELECT * FROM loyalty_promo_codes('ann')}, q{SELECT loyalty_erase_member('ann', 'main')},
    q{SELECT * FROM loyalty_import_promo_codes('main', 'summer', 'incoming')}, q{SELECT loyalty_remove_member('ann', 'main')}, q{SELECT loyalty_report_page('main')},
    q{SELECT loyalty_set_clock('2026-09-01'), loyalty_internal.job_batch('review_tiers', 10), loyalty_internal.job_batch('expire_points', 10), loyalty_internal.job_batch('end_holds', 10)},
    q{SELECT loyalty_internal.job_batch('judge_tiers', 10), loyalty_internal.job_batch('tell_expiring', 10)}, q{SELECT * FROM loyalty_orders('ann')}, q{SELECT * FROM loyalty_find_member('main', 'ann')},
    q{SELECT loyalty_test(basket('N') - 'external_id')}, q{SELECT loyalty_member_card('ann', 'main')}, q{SELECT loyalty_import_orders(jsonb_build_array(basket('I')))},
    q{SELECT loyalty_expire_points(1)}, q{SELECT * FROM loyalty_refresh_reports()}, q{SELECT loyalty_internal.settle_tier_group('main', 'life')},
);

# What the fuzzer attacks, as the catalogue has it.
my (@functions, @tables, @trigger_functions, %documents);
sub look_around
{
    my ($database) = @_;
    my $rows = sub { return map { [split /\x1f/] } split /\x1e/, $node->safe_psql($database, $_[0], extra_params => ['-F', "\x1f", '-R', "\x1e"]) };
    my $of_extension = q{FROM pg_proc AS p JOIN pg_depend AS d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass
        JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'loyalty'};
    my %function;
    foreach my $row ($rows->(qq{
        SELECT p.oid, split_part(p.oid::regprocedure::text, '(', 1), p.prokind, a.name, format_type(a.type, NULL), a.n > p.pronargs - p.pronargdefaults
        $of_extension, unnest(p.proargtypes::oid[], p.proargnames[:p.pronargs]) WITH ORDINALITY AS a (type, name, n)
        WHERE p.prorettype <> 'trigger'::regtype AND p.provariadic = 0 ORDER BY p.proname, p.oid, a.n}))
    {
        my ($oid, $name, $kind, @argument) = @$row;
        if (!$function{$oid})
        {
            $function{$oid} = {name => $name, kind => $kind, arguments => []};
            push @functions, $function{$oid};
        }
        push @{$function{$oid}{arguments}}, [$argument[0], $argument[1], $argument[2] eq 't'];
    }
    @trigger_functions = map { $_->[0] } $rows->("SELECT p.oid::regproc $of_extension WHERE p.prorettype = 'trigger'::regtype ORDER BY 1");
    my %table;
    foreach my $row ($rows->(q{
        SELECT relname, attname, format_type(atttypid, atttypmod) FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
        WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY 1, attnum}))
    {
        push @tables, $table{$row->[0]} = {name => $row->[0], columns => []} if !$table{$row->[0]};
        push @{$table{$row->[0]}{columns}}, [@$row[1, 2]];
    }
    %documents = (
        order => $node->safe_psql($database, q{SELECT basket('N') - 'external_id'}),
        orders => $node->safe_psql($database, q{SELECT jsonb_build_array(basket('I'), basket('J', 'bob'))}),
        lines => '[{"id": "b", "quantity": 1}, {"id": "p", "quantity": 2}]',
        parameters => '{"percent": 10, "target": "order", "max_items": 3, "pick": "cheapest"}',
        context => '{"member": {"balances": {"bonus": 10}, "tiers": ["top"], "segments": ["riga"]}, "products": {"pen": {"price": 3}}}',
        document => $node->safe_psql($database, q{SELECT loyalty_export('main')}),
        data => '{"a": 1}',
        fields => '{"a": 1}',
        tree => $node->safe_psql($database, q{SELECT tree FROM loyalty.promotion_drafts}),
    );
    $documents{full} = $node->safe_psql($database, q{SELECT jsonb_set(basket('N'), '{promo_codes}', '["SUMMER-11"]') ||
        '{"channel": "web", "contact_point": "cart", "region": "north", "time": "2026-01-15T12:00:00", "status": "paid", "fields": {"a": [1, {"b": 2}]}}'});
    return;
}

# One line for each attack: a transaction of its own, which leaves nothing.
sub in_transaction { return join '; ', 'BEGIN', @_, 'ROLLBACK;' }
sub each_alone { return map { ('SAVEPOINT s', $_, 'ROLLBACK TO s') } @_ }

sub attack
{
    my ($hostile) = @_;
    my $kind = $hostile->below(20);
    my $role = 'SET LOCAL ROLE ' . $hostile->one_of(@roles);
    if ($kind < 11)
    {
        my $function = $hostile->one_of(@functions);
        my $call = $hostile->call($function);
        # A procedure commits; what it did is undone nowhere.
        return ($call =~ /^CALL/ ? join("; ", $role =~ s{LOCAL }{}r, $call, "RESET ROLE;") : in_transaction($role, $call));
    }
    return in_transaction($role, $hostile->write_row($hostile->one_of(@tables))) if $kind < 14;
    return with_damaged_row($hostile) if $kind < 16;
    return with_altered_column($hostile) if $kind < 18;
    return with_stray_trigger($hostile);
}

# What got past all triggers and constraints: by a restore, for instance, or by hand.
sub with_damaged_row
{
    my ($hostile) = @_;
    my $table = $hostile->one_of(@tables);
    return in_transaction(
        ($hostile->below(2) ? "SELECT loosen('$table->{name}')" : ()),
        'SET LOCAL session_replication_role = replica',
        $hostile->write_row($table), 'SET LOCAL session_replication_role = origin', 'SET LOCAL ROLE fuzz_owner',
        each_alone(map { $hostile->one_of(@usual) } 1 .. 4)
    );
}

sub with_altered_column
{
    my ($hostile) = @_;
    my $table = $hostile->one_of(@tables);
    my ($column) = @{$hostile->one_of(@{$table->{columns}})};
    my $type = $hostile->one_of('bytea', 'integer', 'text', 'jsonb', 'numeric', 'boolean', 'timestamptz', 'text[]', 'bigint', 'uuid', '"char"', 'float8');
    my $value = $hostile->below(2) ? 'NULL' : $hostile->value($type);
    # A new column under the old name leaves the views as they are; an altered one has to be freed of them.
    my @alter = ("ALTER TABLE loyalty.$table->{name} RENAME \"$column\" TO gone", "ALTER TABLE loyalty.$table->{name} ADD \"$column\" $type DEFAULT $value");
    my $way = $hostile->below(6);
    @alter = (qq{ALTER TABLE loyalty.$table->{name} DROP "$column" CASCADE}) if $way == 0;
    @alter = (
        "SELECT free('$table->{name}')",
        qq{ALTER TABLE loyalty.$table->{name} ALTER "$column" DROP DEFAULT, ALTER "$column" DROP NOT NULL, ALTER "$column" TYPE $type USING $value}
    ) if $way == 1;
    return in_transaction('SET LOCAL ROLE fuzz_owner', "SELECT loosen('$table->{name}')", @alter, each_alone(map { $hostile->one_of(@usual) } 1 .. 5));
}

sub with_stray_trigger
{
    my ($hostile) = @_;
    my $function = $hostile->one_of(@trigger_functions);
    my $table = $hostile->one_of('alien', 'stranger', 'bare', 'parted', 'alien_view', map { "loyalty.$_->{name}" } @tables[map { $hostile->below(scalar @tables) } 1 .. 3]);
    my $when = $hostile->one_of('BEFORE', 'AFTER', 'AFTER', $table =~ /view/ ? 'INSTEAD OF' : 'BEFORE');
    my $level = $hostile->one_of('ROW', 'STATEMENT');
    my @events = qw(INSERT UPDATE DELETE TRUNCATE);
    my $event = $hostile->one_of(@events);
    my $arguments = join ', ', map { $hostile->one_of(q{'main'}, q{'review'}, q{'member'}, q{''}, q{'ctid'}, q{'program'}) } 1 .. $hostile->below(4);
    my ($column) = ('program');
    $column = $hostile->one_of(@{(grep { "loyalty.$_->{name}" eq $table } @tables)[0]{columns}})->[0] if $table =~ /^loyalty/;
    my %fires = (
        INSERT => "INSERT INTO $table DEFAULT VALUES", UPDATE => "UPDATE $table SET $column = $column",
        DELETE => "DELETE FROM $table", TRUNCATE => "TRUNCATE $table CASCADE"
    );
    return in_transaction(
        'SET LOCAL ROLE ' . $hostile->one_of('fuzz_owner', 'postgres'),
        "CREATE TRIGGER aa_stray $when $event ON $table FOR EACH $level EXECUTE FUNCTION $function($arguments)", $fires{$event},
    );
}

# --- Running, and judging -------------------------------------------------------------------------------------------------

my $script_number = 0;
my $rss = q{SELECT 'rss ' || (regexp_match(pg_read_file('/proc/self/status'), 'RssAnon:\s+(\d+)'))[1];};
my @measure = ('RESET ROLE;', '\o', $rss, '\o /dev/null');

# Runs lines in one session, and gives the sizes of its memory in kB, and what went wrong in each line: [number, SQLSTATE, text].
sub run_session
{
    my ($database, @lines) = @_;
    my $file = PostgreSQL::Test::Utils::tempdir() . '/' . ++$script_number . '.sql';
    my @head = (
        '\set VERBOSITY verbose', '\set SHOW_CONTEXT never', "SET statement_timeout = $time_out_ms; SET client_encoding = '" .
            ($database eq 'SQL_ASCII' ? 'SQL_ASCII' : 'UTF8') . "'; SET client_min_messages = error;", '\o /dev/null'
    );
    open my $script, '>:raw', $file or die $!;
    print $script map { "$_\n" } @head, @lines;
    close $script;
    my ($output, $errors) = run_command(['psql', '-X', '-q', '-A', '-t', '-f', $file, '-d', $node->connstr($database)]);
    my @trouble;
    while ($errors =~ /^psql:\S+?\.sql:(\d+): (?:ERROR|FATAL|PANIC):  (\w{5}): (.*)$/mg)
    {
        push @trouble, [$1 - @head - 1, $2, $3];
    }
    push @trouble, [$1 - @head - 1, 'crash', $2] while $errors =~ /^psql:\S+?\.sql:(\d+): (.*server closed the connection.*|.*connection to server was lost.*)$/mg;
    return {sizes => [$output =~ /^rss (\d+)$/mg], trouble => \@trouble};
}

# XX000 that is PostgreSQL's own, and no fault of ours: a part of its text, and why.
my @excused = (
    [qr/^cache lookup failed for (relation|type)/, 'a regclass of nothing, read by the server itself'],
);

my (%seen, @failures);
sub judge
{
    my ($database, $session, @lines) = @_;
    foreach my $trouble (@{$session->{trouble}})
    {
        my ($number, $sqlstate, $text) = @$trouble;
        my $line = $lines[$number] // '';
        # FUZZ_SHOW=42P01: the first of such errors, to see what the attacks meet.
        note("$sqlstate $text\n    " . substr($line, 0, 300)) if $sqlstate eq ($ENV{FUZZ_SHOW} // '') && ($seen{$sqlstate} // 0) < 20;
        $seen{$sqlstate}++;
        my $altered = $line =~ /loosen|replica/;
        next unless $sqlstate eq 'crash' || $sqlstate eq '57014' || $sqlstate =~ /^XX/ && !($sqlstate eq 'XX001' && $altered);
        next if $sqlstate eq 'XX000' && grep { $text =~ $_->[0] } @excused;
        push @failures, "$database: $sqlstate $text\n    " . substr($line, 0, 3000);
    }
    return;
}

my @encodings = ('UTF8', 'LATIN1', 'SQL_ASCII');
foreach my $encoding (@encodings)
{
    $node->safe_psql('postgres', qq{CREATE DATABASE "$encoding" OWNER fuzz_owner ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0});
    $node->safe_psql($encoding, $make_database);
}
look_around('UTF8');
note(scalar @functions, ' functions, ', scalar @tables, ' tables, ', scalar @trigger_functions, ' trigger functions');
cmp_ok(scalar @functions, '>', 100, 'all functions are attacked');

my $begun = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
my ($made, $grown) = (0, 0);
for (my $session = 0; $made < $calls; $session++)
{
    my $encoding = $encodings[$session % @encodings];
    my $hostile = HostileSql->new($seed + $session * 7919, $encoding);
    $hostile->learn(%documents);
    my @attacks = map { attack($hostile) } 1 .. $calls_per_session;
    # What is kept for good is there once everything has run, and half of the attacks.
    my @warm_up = ((map { in_transaction('SET LOCAL ROLE fuzz_owner', each_alone(@usual)) } 1), @attacks[0 .. $calls_per_session / 2 - 1], @measure);
    my @lines = (@warm_up, @attacks[$calls_per_session / 2 .. $calls_per_session - 1], @measure);
    my $ran = run_session($encoding, @lines);
    judge($encoding, $ran, @lines);
    my @sizes = @{$ran->{sizes}};
    my $growth = @sizes == 2 ? $sizes[1] - $sizes[0] : 0;
    $grown = $growth if $growth > $grown;
    push @failures, "$encoding: session $session grew by $growth kB" if $growth > $session_growth_kb;
    $made += $calls_per_session;
}
note("the most that a session grew by: $grown kB");
note('errors: ', join ', ', map { "$_ $seen{$_}" } sort keys %seen);
diag($_) foreach @failures[0 .. ($#failures < 40 ? $#failures : 40)];
is(scalar @failures, 0, "$made calls: no crash, no internal error, no hang, no memory kept (seed $seed)");
cmp_ok(scalar(grep { /^LY/ } keys %seen), '>=', 30, 'the attacks came far: errors of our own of many kinds');

# --- Memory: calls that differ in one argument ------------------------------------------------------------------------------

# A block that makes the call `times` times, each with another text for one of its arguments.
sub repeated
{
    my ($function, $varied, $from, $times) = @_;
    my %plain = ('text' => q{'main'}, 'numeric' => '1', 'integer' => '1', 'boolean' => 'false', 'jsonb' => q{'{}'});
    my $hostile = HostileSql->new(1, 'UTF8');
    $hostile->learn(%documents);
    my @given;
    foreach my $argument (@{$function->{arguments}})
    {
        my ($name, $type, $has_default) = @$argument;
        my $value = $name eq $varied ? "('v' || i)::$type" : $has_default ? next : $hostile->right_for($name, $type);
        push @given, qq{"$name" => $value};
    }
    my $call = "$function->{name}(" . join(', ', @given) . ')';
    return "DO \$do\$ BEGIN FOR i IN $from .. $from + $times - 1 LOOP BEGIN PERFORM * FROM $call; RAISE EXCEPTION 'undone'; " .
        'EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $do$;';
}

my @varied;
foreach my $function (grep { $_->{kind} eq 'f' } @functions)
{
    push @varied, map { [$function, $_->[0]] } grep { $_->[1] =~ /^(text|name)$/ } @{$function->{arguments}};
}
# Of hundreds, some; those whose names become part of a query always.
if ($calls < 20_000)
{
    my $chance = HostileSql->new($seed, 'UTF8');
    @varied = grep { $_->[1] =~ /field|column/ || $chance->below(40) == 0 } @varied;
}
my @leaks;
foreach my $one (@varied)
{
    my ($function, $argument) = @$one;
    my $ran = run_session('UTF8', 'SET ROLE fuzz_owner;', repeated(@$one, 1, 60), @measure, 'SET ROLE fuzz_owner;', repeated(@$one, 1001, 300), @measure);
    my @sizes = @{$ran->{sizes}};
    my $growth = @sizes == 2 ? $sizes[1] - $sizes[0] : -1;
    push @leaks, "$function->{name}($argument): $growth kB" if $growth > $argument_growth_kb || @sizes != 2;
}
is(join(', ', @leaks), '', 'of ' . @varied . ' arguments, none costs memory for each of its values');

is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $begun, 'the server was never restarted');
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal|FailedAssertion/, 'and did not crash');

done_testing();
