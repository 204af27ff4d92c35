# doc/program.schema.json, judged by a validator that is not ours: it is a schema of draft 2020-12, accepts every document
# that the pages show and that programs of the tests are exported as, and refuses what loyalty_import() refuses by its keys,
# types and single values.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'there is no jsonschema for Python'
    if system(q{/usr/bin/python3 -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null}) != 0;

my $node = PostgreSQL::Test::Cluster->new('schema');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION loyalty');
$node->psql('postgres', slurp_file('test/fixtures/program.sql'), on_error_die => 1);

# The validator reads one document a line, each after the name of the part that it is.
my $validator = "$PostgreSQL::Test::Utils::tmp_check/validate.py";
open my $program, '>', $validator or die $!;
print $program <<'PYTHON';
import json, sys
from jsonschema import Draft202012Validator
schema = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(schema)
parts = {'program': Draft202012Validator(schema)}
parts['promotion'] = Draft202012Validator({'$defs': schema['$defs'], '$ref': '#/$defs/promotions'})
for line in sys.stdin:
    part, document = line.split(' ', 1)
    errors = sorted(parts[part].iter_errors(json.loads(document)), key=lambda error: list(error.absolute_path))
    print('; '.join('/'.join(map(str, error.absolute_path)) + ' ' + error.validator for error in errors) or 'valid')
PYTHON
close $program or die $!;

sub judged
{
    my ($output, $errors) = ('', '');
    IPC::Run::run([ '/usr/bin/python3', $validator, 'doc/program.schema.json' ], '<', \join("\n", @_, ''), '>', \$output, '2>', \$errors)
        or die $errors;
    return split /\n/, $output;
}

my @programs = map { "program $_" } split /\n/, $node->safe_psql('postgres', q{
    SELECT loyalty_export('main', products, members) FROM unnest(ARRAY[true, false]) AS products, unnest(ARRAY[true, false]) AS members
});
is_deeply([ judged(@programs) ], [ ('valid') x 4 ], 'what is exported is valid');
my @promotions = map { "promotion $_" } split /\n/, $node->safe_psql('postgres', q{
    SELECT loyalty_promotion('main', external_id) FROM loyalty.promotions WHERE program = 'main'
});
is_deeply([ judged(@promotions) ], [ ('valid') x @promotions ], 'each promotion is valid');
cmp_ok(scalar @promotions, '>', 5, 'there are promotions');

# In the pages: what stands in quotes behind these functions, or between $json$.
my @shown;
foreach my $page ('README.md', glob 'doc/*.md')
{
    my $text = slurp_file($page);
    push @shown, "program $1" while $text =~ /\bloyalty_import\('(\{.*?\n?\})'/sg;
    push @shown, "program $1" while $text =~ /\$json\$(.*?)\$json\$/sg;
    push @shown, "promotion $1" while $text =~ /\bloyalty_save_promotion\('\w+', '(\{.*?\})'\)/sg;
}
s/''/'/g, s/\s+/ /g foreach @shown;
cmp_ok(scalar @shown, '>', 4, 'the pages have documents');
is_deeply([ judged(@shown) ], [ ('valid') x @shown ], 'the documents of the pages are valid');

# What the schema refuses, loyalty_import() refuses, and at the same place.
my @wrong = (
    [ 'additionalProperties', '', '{"external_id": "main", "naem": "x"}' ],
    [ 'required', '', '{"name": "x"}' ],
    [ 'type', 'regions', '{"external_id": "main", "regions": {}}' ],
    [ 'required', 'regions/0', '{"external_id": "main", "regions": [{"name": "X"}]}' ],
    [ 'maximum', 'point_types/0/scale', '{"external_id": "main", "point_types": [{"external_id": "bonus", "scale": 9}]}' ],
    [ 'enum', 'promotions/0/kind', '{"external_id": "main", "promotions": [{"external_id": "x", "name": "X", "kind": "y"}]}' ],
    [ 'pattern', 'regions/0/name', '{"external_id": "main", "regions": [{"external_id": "a", "name": " "}]}' ],
    [ 'exclusiveMinimum', 'promotions/0/max_uses', '{"external_id": "main", "promotions": [{"external_id": "earn", "max_uses": 0}]}' ],
    [ 'type', 'regions/0/name', '{"external_id": "main", "regions": [{"external_id": "a", "name": null}]}' ],
    [ 'type', 'negative_balance_allowed', '{"external_id": "main", "negative_balance_allowed": null}' ],
    [ 'type', 'promotions/0/conditions', '{"external_id": "main", "promotions": [{"external_id": "earn", "conditions": 5}]}' ],
);
is_deeply([ judged(map { "program $_->[2]" } @wrong) ], [ map { "$_->[1] $_->[0]" } @wrong ], 'the schema refuses what is wrong');
foreach my $case (@wrong)
{
    my ($rule, $place, $document) = @$case;
    my (undef, undef, $stderr) = $node->psql('postgres', "SELECT loyalty_import('$document')");
    my $path = join '', '$', map { /\A\d+\z/ ? "[$_]" : ".$_" } split m{/}, $place;
    # What is missing or null is named beside the path of its object.
    my @said = ("$path:", "$path.naem: unknown key", $path =~ s/\.(\w+)\z/: key "$1"/r);
    ok((grep { index($stderr, "ERROR:  $_") >= 0 } @said), "so does loyalty_import() $document") or diag $stderr;
}

done_testing();
