# No line is longer than a screen is wide: 120 characters.
use strict;
use warnings;

use Encode qw(decode);
use PostgreSQL::Test::Utils;
use Test::More;

foreach my $folder ([ 'sql', 'sql/*.sql sql/*/*.sql sql/*/*/*.sql' ],
    [ 'src', 'src/*/*.hpp src/*/*.cc src/*/*/*.hpp src/*/*/*.cc' ])
{
    my ($name, $patterns) = @$folder;
    my @files = grep { !m{^sql/loyalty--} } glob $patterns;
    cmp_ok(scalar @files, '>', 50, "$name has its files");
    my @long;
    foreach my $file (@files)
    {
        my $number = 0;
        foreach my $line (split /\n/, decode('UTF-8', slurp_file($file)))
        {
            $number++;
            push @long, "$file:$number" if length $line > 120;
        }
    }
    is(join("\n", @long), '', "$name has no line of more than 120 characters");
}

done_testing();
