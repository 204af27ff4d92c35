# Calls between our own functions. They name the extension's schema, in which others may be allowed to create functions and
# types; a call is resolved there anew in each session, and whatever fits it better than ours would run with the rights of
# whoever came by. So nothing may fit better: each call passes all arguments, each of exactly the declared type. In schema
# loyalty_internal nobody but the extension creates anything; calls there are held to the same, so that a function may move.
#
# What the server made of each call, it says itself (debug_print_parse): a value that it converts stands in an implicit cast.
# A bare literal has no type at all, and a single one would even be read as a constant of a type of the function's name;
# that, and arguments left to their defaults, can be seen in the text.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $schema = 'own_functions';
my $node = PostgreSQL::Test::Cluster->new('exact_calls');
$node->init;
$node->append_conf('postgresql.conf', qq{
debug_print_parse = on
debug_pretty_print = off
log_timezone = 'UTC'
search_path = 'public, $schema'
});
$node->start;

sub rows
{
    my ($database, $sql) = @_;
    my $all = $node->safe_psql($database, $sql, extra_params => [ '-F', "\x1f", '-R', "\x1e" ]);
    return map { [ split /\x1f/, $_, -1 ] } split /\x1e/, $all;
}

# ---------------------------------------------------------------------------------------------------------------------
# The text of the functions, views and triggers

my $balanced = qr/(?<call>\((?:[^()']|'(?:[^']|'')*'|(?&call))*\))/;

# The arguments of a call, of the text in its parentheses.
sub arguments_of
{
    my ($call) = @_;
    my ($depth, @arguments) = (0);
    my $text = substr $call, 1, -1;
    return () if $text !~ /\S/;
    push @arguments, '';
    while ($text =~ /\G('(?:[^']|'')*'|.)/gs)
    {
        my $token = $1;
        $depth++ if $token =~ /^[(\[]$/;
        $depth-- if $token =~ /^[)\]]$/;
        if ($token eq ',' && $depth == 0) { push @arguments, '' }
        else { $arguments[-1] .= $token }
    }
    s/^\s+|\s+$//g foreach @arguments;
    return @arguments;
}

$node->safe_psql('postgres', 'CREATE DATABASE calls');
$node->safe_psql('calls', qq{
    CREATE SCHEMA $schema;
    CREATE EXTENSION loyalty SCHEMA $schema;
});
# Those of the extension's schema by their bare names, which begin with loyalty_; those of loyalty_internal with it.
my %function = map { $_->[0] => { name => $_->[1], count => $_->[2], is_variadic => $_->[3] eq 't', is_stub => $_->[4] eq 't', source => $_->[5] } } rows('calls', q{
    SELECT pg_proc.oid, CASE pronamespace::regnamespace::text WHEN 'loyalty_internal' THEN 'loyalty_internal.' ELSE '' END || proname,
        pronargs, provariadic <> 0, obj_description(pg_proc.oid, 'pg_proc') LIKE 'Until 1.0, %',
        regexp_replace(CASE WHEN prosqlbody IS NULL THEN prosrc ELSE pg_get_functiondef(pg_proc.oid) END, '--[^\n]*', '', 'g')
    FROM pg_proc
    JOIN pg_depend ON pg_depend.objid = pg_proc.oid AND deptype = 'e'
    JOIN pg_extension ON pg_extension.oid = refobjid AND extname = 'loyalty'
});
my (%by_name, %calls_in_text);
push @{ $by_name{ $_->{name} } }, $_ foreach values %function;

my ($calls, @unqualified, @inexact) = (0);
foreach my $caller (sort { $a->{name} cmp $b->{name} } values %function)
{
    # Nothing is called within a literal: that is DDL to be executed, or a text that names a function.
    my $source = $caller->{source} =~ s/'(?:[^']|'')*'/''/gr;
    while ($source =~ /(?<before>(?:EXECUTE|CREATE OR REPLACE) FUNCTION\s+)?(?<![\w.])(?<schema>$schema\.)?(?<name>loyalty_internal\.\w+|loyalty_\w+)$balanced/g)
    {
        my ($before, $qualified, $name, $call) = @+{qw(before schema name call)};
        next if !$by_name{$name} || defined $before;
        if (!defined $qualified && $name !~ /\./) { push @unqualified, "$caller->{name}: $name$call"; next }
        my @arguments = arguments_of($call);
        my ($callee) = grep { $_->{count} == @arguments } @{ $by_name{$name} };
        $calls++;
        # What migrates is DDL; its calls are seen in what it made. Stubs are called where a dump of 0.1.0 was restored.
        $calls_in_text{"$caller->{name} calls $name"} = 1
            unless $caller->{name} =~ /^(loyalty_internal\.migrate_as_owner|loyalty_create_schema)$/ || $caller->{is_stub};
        push @inexact, "$caller->{name}: $name$call"
            if !$callee
            || grep({ /^'(?:[^']|'')*'$|^NULL$|=>/ } @arguments)
            || $callee->{is_variadic} && $arguments[-1] !~ /^VARIADIC /;
    }
}
cmp_ok($calls, '>', 100, "$calls calls between our functions in their text");
is(join("\n", @unqualified), '', 'each names the schema');
is(join("\n", @inexact), '', 'each passes all arguments, and no literal without a type');

# ---------------------------------------------------------------------------------------------------------------------
# What the server makes of them

# A node of a tree, and what is listed in a field of it.
my $node_text = qr/(?<node>\{(?:[^{}\\]++|\\.|(?&node))*+\})/;
my $list_text = qr/(?<list>\((?:[^()\\]++|\\.|(?&list))*+\))/;

# The calls of ours in a tree that convert an argument, or leave one out.
sub inexact_calls_of
{
    my ($tree, $seen) = @_;
    my @found;
    my @calls;
    while ($tree =~ /\{FUNCEXPR :funcid (\d+)/g) { push @calls, [ $function{$1}, $-[0] ] if $function{$1} }
    foreach (@calls)
    {
        (my $callee, pos $tree) = @$_;
        $tree =~ /\G$node_text/ or die 'not a tree';
        my $call = $+{node};
        $seen->{ $callee->{name} } = 1;
        my ($arguments) = $call =~ /:args (?:<>|$list_text)/ ? ($+{list} // '()') : die 'no arguments';
        my @arguments;
        $arguments = substr $arguments, 1, -1;
        push @arguments, $+{node} while $arguments =~ /\G\s*$node_text/g;
        my @implicit = grep { /^\{(?:NAMEDARGEXPR|COERCETODOMAIN)\b/ || is_implicit($_) } @arguments;
        push @found, $callee->{name} if @implicit || @arguments != $callee->{count};
    }
    return @found;
}

# Whether the outermost node of an argument is an implicit cast: its own field, not that of a node within.
sub is_implicit
{
    my ($text) = @_;
    my $own = substr $text, 1, -1;
    1 while $own =~ s/\{[^{}]*\}//g;
    return $own =~ /:(?:func|relabel|coerce|convert)format 2\b/;
}

# Statements of our functions in the server's log, each as what it calls by name and its tree.
my (%seen, %inexact);
sub read_tree
{
    my ($tree, $context) = @_;
    # Up to 17 the server says "SQL expression" and "during startup" where 18 says "PL/pgSQL expression" and "statement 1".
    my ($statement) = $context =~ /\A((?:SQL statement|(?:SQL|PL\/pgSQL) expression|PL\/pgSQL assignment) ".*?")\n(?=PL|SQL|\z)/s;
    my ($sql_function) = $context =~ /\ASQL function "(\w+)" (?:during|statement)/;
    my ($is_ours, $caller) = $context =~ /^PL\/pgSQL function (?:($schema|loyalty)\.)?(loyalty_internal\.\w+|\w+)/m;
    # What a test does by a function of its own is no call of ours.
    return if defined $caller && !$is_ours && !$by_name{$caller};
    if (defined $sql_function)
    {
        ($caller) = grep { $by_name{$_} } $sql_function, "loyalty_internal.$sql_function";
        return if !defined $caller;
    }
    elsif (!defined $statement || $statement !~ /\b(?:$schema\.loyalty_|loyalty_internal\.)/) { return }
    my $called = {};
    $inexact{ ($caller // 'C++') . " calls $_" } = 1 foreach inexact_calls_of($tree, $called);
    $seen{"$caller calls $_"} = 1 foreach defined $caller ? keys %$called : ();
}

sub read_log
{
    my ($tree, $context, $part) = ('', '', '');
    open my $log, '<', $node->logfile or die $!;
    while (my $line = <$log>)
    {
        if ($line =~ s/^\d{4}-\d\d-\d\d [\d:.]+ UTC \[\d+\] (?:\S+ )?([A-Z]+):  //)
        {
            $part = $1;
            if ($part !~ /^(?:DETAIL|HINT|CONTEXT|STATEMENT)$/)
            {
                read_tree($tree, $context) if $tree =~ /\{FUNCEXPR/;
                $tree = $context = '';
            }
        }
        $line =~ s/^\t//;
        if ($part eq 'DETAIL') { chomp $line; $tree .= "$line " }
        $context .= $line if $part eq 'CONTEXT';
    }
    read_tree($tree, $context) if $tree =~ /\{FUNCEXPR/;
}

# Tests that between them run all of these functions, each in a database of its own.
foreach my $test (qw(lifecycle benefits configuration segments tiers rights reports erasure trigger_promotions promises documents report_page rules app_reads backtest lint goals price_history fields price_scale))
{
    $node->safe_psql('postgres', "CREATE DATABASE $test TEMPLATE calls");
    # Of documents made up at random, few: each is long as a tree.
    $node->psql($test, "\\set seeds 2\n\\i test/sql/$test.sql", on_error_stop => 0);
}

# What views call was looked up when they were made.
$node->safe_psql('calls', 'SELECT loyalty_create_schema(); SELECT loyalty_restore_rights()');
my $called_by_views = {};
$inexact{"a view calls $_"} = 1
    foreach map { inexact_calls_of($_->[0], $called_by_views) } rows('calls', 'SELECT ev_action FROM pg_rewrite');
cmp_ok(scalar keys %$called_by_views, '>', 5, 'views call ' . join ', ', sort keys %$called_by_views);

# So was what bodies call that are no text.
foreach (rows('calls', q{SELECT oid, prosqlbody FROM pg_proc WHERE prosqlbody IS NOT NULL}))
{
    my ($caller, $called) = ($function{ $_->[0] } // next, {});
    $inexact{"$caller->{name} calls $_"} = 1 foreach inexact_calls_of($_->[1], $called);
    $seen{"$caller->{name} calls $_"} = 1 foreach keys %$called;
}

read_log();
is(join("\n", sort keys %inexact), '', 'each passes exactly the declared types');
# Those of clusters run where there is one, in test citus.
my $of_clusters = qr/^loyalty_(?:internal\.(?:\w+_here|home_trigger|let_callers_through|require_cluster)|call|call_everywhere|read_everywhere|distribute) calls /;
is(join("\n", grep { !$seen{$_} && !/loyalty_run_job$/ && !/$of_clusters/ } sort keys %calls_in_text), '', 'and each was seen');
done_testing();
