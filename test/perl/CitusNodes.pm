# Nodes of a Citus cluster: servers of a test, with a database shop.
package CitusNodes;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(have_citus start_nodes add_node error_of);

sub have_citus
{
    my $lib = qx($ENV{PG_CONFIG} --pkglibdir);
    chomp $lib;
    return -f "$lib/citus.so";
}

sub start_nodes
{
    my %node = map { $_ => PostgreSQL::Test::Cluster->new($_) } @_;
    foreach my $node (values %node)
    {
        $node->init(allows_streaming => 1);
        $node->append_conf('postgresql.conf', <<"END_OF_SETTINGS");
shared_preload_libraries = 'citus'
citus.local_hostname = '@{[ $node->host ]}'
citus.recover_2pc_interval = '1s'
citus.metadata_sync_interval = '1s'
max_prepared_transactions = 100
max_connections = 60
fsync = off
END_OF_SETTINGS
        $node->start;
        $node->safe_psql('postgres', 'CREATE DATABASE shop');
        $node->safe_psql('shop', 'CREATE EXTENSION citus');
    }
    return %node;
}

sub add_node
{
    my ($coordinator, $node) = @_;
    return $coordinator->safe_psql('shop', "SELECT citus_add_node('@{[ $node->host ]}', @{[ $node->port ]})");
}

# How a statement fails: code, message and hint.
sub error_of
{
    my ($node, $statement, $database) = @_;
    my (undef, undef, $stderr) = $node->psql($database // 'shop', "\\set VERBOSITY verbose\n$statement");
    return $stderr;
}

1;
