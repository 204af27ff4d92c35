# PostgreSQL is called through the two doors of src/pg/server/doors.hpp only, as tools/check-doors finds; and it does find what is
# called past them.
use strict;
use warnings;

use File::Temp;
use PostgreSQL::Test::Utils;
use Test::More;

my $pg_config = $ENV{PG_CONFIG} || 'pg_config';
chomp(my $bindir = `$pg_config --bindir`);
chomp(my $libdir = `$pg_config --pkglibdir`);
my @check = ('tools/check-doors', "$bindir/postgres", "$libdir/loyalty.so");

my ($found, $errors) = run_command(\@check);
is("$found$errors", '', 'no call of PostgreSQL stands outside of the doors');

my $folder = File::Temp->newdir;
my $file = "$folder/naked.cc";
append_to_file($file, <<'END');
// SPI_finish() in a comment, "SPI_finish()" in a text.
static int below(int level) { return SPI_finish() + level; }
int through_a_door() {
    return postgres([] { return below(1) + SPI_connect(); });
}
int past_it() {
    if (GetUserId() == 0) return 0;
    return SPI_connect();
}
int past_it_by_a_macro() { ereport(ERROR, (errmsg("text"))); }
int calls_what_needs_a_door() { return nested(2); }
static int nested(int level) { return SPI_finish() + level; }
END
($found) = run_command([@check, $file]);
my $where = sub { return "$file:$_[0]: $_[1]() is called outside of a door, in $_[2]()" };
is($found, join("\n", $where->(8, 'SPI_connect', 'past_it'), $where->(10, 'ereport', 'past_it_by_a_macro'), $where->(10, 'errmsg', 'past_it_by_a_macro'),
    $where->(12, 'SPI_finish', 'nested')), 'what stands outside is found, what stands inside is not');

done_testing();
