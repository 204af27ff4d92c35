# Includes follow the arrows between rooms that doc/design.md draws, as tools/check-rooms finds; and it does find those
# that run against them.
use strict;
use warnings;

use File::Path qw(make_path);
use File::Temp;
use PostgreSQL::Test::Utils;
use Test::More;

sub found_by
{
    my ($found, $errors) = run_command(['tools/check-rooms', @_]);
    return "$found$errors";
}

is(found_by(), '', 'no include runs against an arrow');

# A copy of the includes, with some planted.
my $copy = File::Temp->newdir;
foreach my $file (glob('src/*/*/*.[ch]* src/codec/*.[ch]* src/core/*.[ch]*'))
{
    make_path("$copy/" . ($file =~ s{/[^/]*$}{}r));
    append_to_file("$copy/$file", join '', map { /^\s*#\s*include/ ? $_ : "\n" } split /(?<=\n)/, slurp_file($file));
}
is(found_by('doc/design.md', "$copy/src"), '', 'nor in a copy');

my $plant = sub {
    my ($file, @includes) = @_;
    make_path("$copy/src/" . ($file =~ s{/[^/]*$}{}r));
    append_to_file("$copy/src/$file", join '', map { "#include \"$_\"\n" } @includes);
};
$plant->('pg/ledger/planted.cc', 'pg/server/spi.hpp', 'pg/tiers/tiers.hpp', 'core/money/decimal.hpp');
$plant->('core/money/planted.hpp', 'core/error.hpp', 'codec/json.hpp');
$plant->('pg/planted/planted.hpp', 'pg/server/spi.hpp');
my $nowhere = 'and no arrow of doc/design.md leads there';
my @found = split /\n/, found_by('doc/design.md', "$copy/src");
like($found[0], qr{^\Q$copy\E/src/core/money/planted\.hpp:2: core\S* includes codec, \Q$nowhere\E$}, 'the core leans on nothing');
is($found[1], "$copy/src/pg/ledger/planted.cc:2: pg/ledger includes pg/tiers, $nowhere", 'a step up is found');
is($found[2], "$copy/src/pg/planted is a room that doc/design.md does not draw", 'and a room that is not drawn');
is($found[3], "$copy/src/pg/planted/planted.hpp:1: pg/planted includes pg/server, $nowhere", '… from which no arrow leads');
is(scalar @found, 4, 'and nothing else');

my $circle = "$copy/circle.md";
append_to_file($circle, "```mermaid\nflowchart LR\n    core --> codec\n    codec --> core & pg\n```\n");
like(found_by($circle, "$copy/src"), qr{^\Q$circle\E:4: the arrow from codec to core closes a circle$}m, 'arrows go one way');

done_testing();
