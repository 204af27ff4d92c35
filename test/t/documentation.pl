# Runs the SQL examples of README.md and doc/*.md and compares what they print with what the page says they print.
#
# Each page gets a fresh database, and all its blocks marked `sql` run there in order, in one session of psql -X -q, and in
# between, as programs, its blocks marked `python`, `js` and `java`, where their interpreters and drivers are there. A
# block that is followed, but for blank lines, by a block marked `text` prints exactly that; any other must run without
# an error or a warning. After a change, tmp_check/log has each page as this run would have it: read, and copy it.

use strict;
use warnings;

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('documentation');
$node->init;
# JDBC knows no Unix sockets.
$node->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'");
# The role of the quick start has to show its password, as on a server of Debian's.
my $hba = slurp_file($node->data_dir . '/pg_hba.conf');
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all till scram-sha-256\nhost all till 127.0.0.1/32 scram-sha-256\n$hba");
$ENV{PGPASSWORD} = 'correct horse battery';
$node->start;

# How programs of a language are run: the file's name, the command, and a command that succeeds where both it and its driver
# of PostgreSQL are there. Debian's Node finds Debian's modules by itself, another one by NODE_PATH.
my $jdbc = '/usr/share/java/postgresql.jar';
my %languages = (
    python => [ 'program.py', '/usr/bin/python3', q{/usr/bin/python3 -c 'import psycopg2'} ],
    js => [ 'program.js', 'node', q{node -e 'require("pg")'} ],
    java => [ 'Checkout.java', "java -cp $jdbc", "test -f $jdbc && javac -version" ],
);
$ENV{NODE_PATH} = join ':', grep { defined } $ENV{NODE_PATH}, '/usr/share/nodejs';
my $any_language = join '|', sort keys %languages;
my %is_there = map { $_ => system("($languages{$_}[2]) >/dev/null 2>&1") == 0 } keys %languages;
foreach my $language (sort keys %languages)
{
SKIP:
    {
        skip "$language or its driver of PostgreSQL is not there", 1 unless $is_there{$language};
        pass("programs in $language are run");
    }
}

# Splits a page into chunks [kind, text]: kind is sql, a language, text or prose, in the order of the page. The fences are prose.
sub chunks
{
    my ($page) = @_;
    my @chunks = (['prose', '']);
    my $inside = '';
    foreach my $line (split /^/m, $page)
    {
        if (!$inside && $line =~ /^```(\w*)\s*$/)
        {
            $chunks[-1][1] .= $line;
            $inside = $1 || 'other';
            push @chunks, [$inside =~ /^(sql|text|$any_language)$/ ? $inside : 'prose', ''];
        }
        elsif ($inside && $line =~ /^```\s*$/)
        {
            $inside = '';
            push @chunks, ['prose', $line];
        }
        else
        {
            $chunks[-1][1] .= $line;
        }
    }
    die "a block is not closed\n" if $inside;
    return @chunks;
}

# A program as what psql has to do; undef where it cannot be run.
sub script
{
    my ($kind, $text, $folder) = @_;
    return $text if $kind eq 'sql';
    return unless $is_there{$kind};
    my ($name, $command) = @{ $languages{$kind} };
    append_to_file("$folder/$name", $text);
    return "\\! $command $folder/$name 2>&1\n";
}

# The outputs of blocks that run one after the other in a database of their own; undef where psql did not get there.
sub outputs
{
    my ($database, @blocks) = @_;
    local $ENV{PGHOST} = $node->host;
    local $ENV{PGPORT} = $node->port;
    local $ENV{PGDATABASE} = $database;
    $node->safe_psql('postgres', "CREATE DATABASE $database");

    # An error's context names lines of internal functions: of no use to a reader.
    my $script = "\\set SHOW_CONTEXT never\n";
    foreach my $i (0 .. $#blocks)
    {
        $script .= $blocks[$i] . "\\echo end of block $i\n";
    }
    my $output = '';
    IPC::Run::run(['psql', '-X', '-q', '-d', $node->connstr($database)], '<', \$script, '>', \$output, '2>&1');

    my @outputs;
    foreach my $i (0 .. $#blocks)
    {
        push @outputs, $output =~ s/\A(.*?)^end of block $i\n//ms ? tidy($1) : undef;
    }
    return @outputs;
}

# Blanks at the ends of lines, and blank lines at both ends, cannot be seen in a page.
sub tidy
{
    my ($text) = @_;
    $text =~ s/[ \t]+$//mg;
    $text =~ s/\A\n+|\n+\z//g;
    return "$text\n";
}

# Runs a page. Returns the page with the outputs of this run, and one verdict per block that was run: [its first line, problem].
sub run_page
{
    my ($database, $page) = @_;
    my @chunks = chunks($page);
    my @run = grep { $chunks[$_][0] =~ /^(sql|$any_language)$/ } 0 .. $#chunks;
    my %scripts = map { $_ => scalar script(@{ $chunks[$_] }, PostgreSQL::Test::Utils::tempdir()) } @run;
    @run = grep { defined $scripts{$_} } @run;
    my @outputs = outputs($database, map { $scripts{$_} } @run);

    my @verdicts;
    foreach my $i (0 .. $#run)
    {
        my $at = $run[$i];
        my $output = $outputs[$i];
        my ($title) = $chunks[$at][1] =~ /\A\s*(.*)/;
        my $problem;
        if (!defined $output)
        {
            $problem = 'psql did not come to the end of the block';
        }
        elsif ($at + 2 <= $#chunks && $chunks[ $at + 2 ][0] eq 'text' && $chunks[ $at + 1 ][1] =~ /\A```\n\s*```text\n\z/)
        {
            $problem = "it printed:\n$output" if $output ne tidy($chunks[ $at + 2 ][1]);
            $chunks[ $at + 2 ][1] = $output;
        }
        elsif ($output =~ /^(ERROR|FATAL|WARNING|NOTICE):|^psql: |^Traceback|Exception/m)
        {
            $problem = "it printed:\n$output";
        }
        push @verdicts, [$title, $problem];
    }
    return join('', map { $_->[1] } @chunks), @verdicts;
}

sub check_page
{
    my ($database, $path) = @_;
    my $page = slurp_file($path);
    my ($updated, @verdicts) = run_page($database, $page);
    foreach my $verdict (@verdicts)
    {
        my ($title, $problem) = @$verdict;
        ok(!defined $problem, "$path: $title") or diag($problem);
    }
    (my $name = $path) =~ s{.*/}{};
    my $copy = "$PostgreSQL::Test::Utils::log_path/$name";
    append_to_file($copy, $updated);
    diag("$copy is $path with the outputs of this run") if $updated ne $page;
    return scalar @verdicts;
}

# First of all, this test can fail: a wrong output, an error where none is announced, an error that breaks off a block.
my (undef, @verdicts) = run_page('self_test', <<'PAGE');
```sql
SELECT 1 AS right;
```

```text
 right
-------
     1
(1 row)
```

```sql
SELECT 2 AS wrong;
```
```text
 wrong
-------
     1
(1 row)
```

```sql
SELECT 1 / 0;
```

```sql
SELECT 1 / 0;
```

```text
ERROR:  division by zero
```

```sql
SELECT 'unfinished;
```
PAGE
is_deeply(
    [ map { defined $_->[1] ? 1 : 0 } @verdicts ],
    [ 0, 1, 1, 0, 1 ],
    'a wrong, a failing and an unfinished example are found');

my $number = 0;
foreach my $path ('README.md', sort glob 'doc/*.md')
{
    $number++;
    check_page("page_$number", $path);
}
cmp_ok($number, '>', 1, 'the documentation was found');

# What is generated says what the comments and the list of errors say.
$node->safe_psql('postgres', 'CREATE EXTENSION loyalty');
$node->safe_psql('postgres', 'SELECT loyalty_create_schema()');
foreach my $page ('doc/errors.md', 'doc/reference.md', 'doc/tables.md', 'doc/program.schema.json')
{
    local $ENV{PGHOST} = $node->host;
    local $ENV{PGPORT} = $node->port;
    local $ENV{PGDATABASE} = 'postgres';
    my $wanted = '';
    IPC::Run::run([ 'tools/reference', $page ], '>', \$wanted);
    ok($wanted eq slurp_file($page), "$page is as generated from the comments: see make reference");
}
# Where prose has a function as its heading, the heading is the one that is generated elsewhere on the page.
my $reference = slurp_file('doc/reference.md');
my $generated = join '', $reference =~ /^<!-- generated: .*?^<!-- end of what is generated -->/msg;
my @headings = map { split /(?<=\w), (?=loyalty_)/ } $reference =~ /^### ((?:CALL )?loyalty_.*)$/mg;
is_deeply([ grep { index($generated, "### $_\n") < 0 } @headings ], [], 'the headings of functions are their signatures');

# The reference has what users call, and nothing else: what lies in loyalty_internal is for the machine, stubs are for dumps.
is_deeply(
    [ sort keys %{ { map { $_ => 1 } $generated =~ /^### (?:CALL )?(loyalty_\w+)\(/mg } } ],
    [ split /\n/, $node->safe_psql('postgres', q{
        SELECT DISTINCT proname COLLATE "C"
        FROM pg_proc
        WHERE proname LIKE 'loyalty\_%' AND obj_description(oid, 'pg_proc') NOT LIKE 'Until 1.0, for dumps of 0.1.0: %'
        ORDER BY 1
    }) ],
    'the reference has the functions of the extension\'s schema, and no others'
);

# The pages have each table and view.
sub missing_from
{
    my ($page, $what, @names) = @_;
    my $text = slurp_file($page);
    cmp_ok(scalar @names, '>', 0, "there are $what");
    is_deeply([ grep { $text !~ /`(?:loyalty\.)?\Q$_\E\b|^### (?:loyalty\.|CALL )?\Q$_\E\b/m } @names ], [], "$page has all $what");
}

missing_from('doc/tables.md', 'tables and views', split /\n/, $node->safe_psql('postgres', <<'SQL'));
SELECT relname
FROM pg_class
WHERE relnamespace = 'loyalty'::regnamespace AND relkind IN ('r', 'v')
SQL
missing_from('doc/reference.md', 'tables', split /\n/, $node->safe_psql('postgres', <<'SQL'));
SELECT relname
FROM pg_class
WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'r' AND relname !~ '_kept$'
SQL

# Each error that is raised is in the one list, by its name from C++, and each in the list is raised.
my $list = slurp_file('src/core/sqlstates.def') . slurp_file('sql/sqlstates.def');
my %name_of = reverse $list =~ /^SQLSTATE\((\w+), "(\w{5})"/mg;
my @sql_only = $list =~ /^RAISED_IN_SQL\("(LY\d{3})"/mg;
my $cpp = join '', map { slurp_file($_) } glob 'src/*/*.hpp src/*/*.cc src/*/*/*.hpp src/*/*/*.cc';
my %in_sql = map { $_ => 1 } map { slurp_file($_) =~ /\b(LY\d{3})\b/g } glob 'sql/*.sql sql/*/*.sql sql/*/*/*.sql';
cmp_ok(scalar keys(%name_of) + @sql_only, '>', 100, 'there are errors');
is_deeply([ $cpp =~ /"(LY\d{3})"/g ], [], 'C++ raises errors by their names');
is_deeply([ grep { !$name_of{$_} } grep { my $code = $_; !grep { $_ eq $code } @sql_only } sort keys %in_sql ], [], 'SQL raises errors of the list');
is_deeply([ grep { $cpp !~ /\bsqlstate::$name_of{$_}\b/ && !$in_sql{$_} } sort keys %name_of ], [], 'each with a name is raised');
is_deeply([ grep { !$in_sql{$_} } @sql_only ], [], 'so is each that SQL alone raises');

# A new user's way is short.
my @lines = grep { /\S/ } map { split /\n/, $_->[1] } grep { $_->[0] eq 'sql' } chunks(slurp_file('doc/first-ten-minutes.md'));
cmp_ok(scalar @lines, '<', 25, 'the first ten minutes take less than 25 lines of SQL');

# The limits stated are the limits kept.
my $limits = join '', map { slurp_file($_) } 'doc/operations.md', 'doc/reference.md';
my $sources = join '', map { slurp_file($_) } glob 'src/*/*.hpp src/*/*.cc src/*/*/*.hpp src/*/*/*.cc';
foreach my $limit (
    [ 'max_lines', '| lines of an order | %s |' ],
    [ 'max_depth', '| nesting of an order document | %s levels |' ],
    [ 'max_key_bytes', '| a key of an order document | %s bytes |' ],
    [ 'max_group_levels', '| levels of groups below `main` | %s |' ],
    [ 'max_effects', '| effects of benefits on lines in one calculation | %s |' ],
    [ 'most_children', 'could apply, for a search | %s |' ],
    [ 'most_places', 'lines of the order, for a search | %s |' ],
    [ 'default_search_limit', '* %s steps for an order.' ])
{
    my ($constant, $statement) = @$limit;
    my $value = $sources =~ /\b$constant = ([\d']+);/ ? $1 : "nothing: no source has $constant";
    my $wanted = sprintf $statement, $value =~ tr/'/,/r;
    ok(index($limits, $wanted) >= 0, "the pages say: $wanted");
}

$node->stop;
done_testing();
