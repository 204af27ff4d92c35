# The tables of rules and rows in test/*.md, and of what is claimed in doc/: each test that they name is there, and so is the
# place in it.
use strict;
use warnings;
use Test::More;

sub text_of {
    my ($file) = @_;
    open my $handle, '<', $file or return;
    local $/;
    return scalar <$handle>;
}

my $unit = join '', map { text_of($_) } glob 'test/unit/*_test.cc';

# A file of the suites by its name.
sub file_of {
    my ($name) = @_;
    return "test/$name" if -f "test/$name";
    my ($found) = grep { -f } "test/sql/$name.sql", "test/specs/$name.spec", "test/t/$name.pl";
    return $found;
}

for my $table ('test/promotions.md', 'doc/security.md', 'doc/reliability.md') {
    my $rows = 0;
    for my $line (split /\n/, text_of($table)) {
        next unless $line =~ /^\|/ && $line !~ /^\| ---/;
        my ($cell) = $line =~ /\|([^|]*)\|\s*$/;
        next if $cell =~ /^ test $/;
        my $tests = 0;
        while ($cell =~ /`([^`]+)`(?:, "([^"]+)")?/g) {
            my ($name, $place) = ($1, $2);
            $tests++;
            if ($name =~ /^(\w+)\.(\w+)$/ && $name ne 'README.md') {
                ok($unit =~ m{^TEST\($1, $2\)}m, "$name is a unit test");
                next;
            }
            my $file = file_of($name);
            ok($file, "$name is a test") or next;
            ok(index(text_of($file), $place) >= 0, "\"$place\" is in $file") if defined $place;
        }
        ok($tests > 0, "a test for: $line") or next;
        $rows++;
    }
    cmp_ok($rows, '>', 0, "$table has rows");
}

done_testing();
