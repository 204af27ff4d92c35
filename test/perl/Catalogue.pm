# All that the catalogue says of schema loyalty and of the extension's functions, a line a fact, so that two databases can be
# compared, and what differs be read.
package Catalogue;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(catalogue difference);

# Columns of tables by name, not by place, for a migration appends them; those of views with their place. Whether a column may
# be null is said of the column: the constraint that says so from version 18 on keeps the name that the column once had.
my $facts = q{
    SET search_path = pg_catalog;
    WITH relation AS (
        SELECT class.*, format('%I.%I', 'loyalty', relname) AS name
        FROM pg_class AS class
        WHERE relnamespace = 'loyalty'::regnamespace
    ),
    member AS (
        SELECT classid, objid
        FROM pg_depend
        WHERE refclassid = 'pg_extension'::regclass
            AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'loyalty')
            AND deptype = 'e'
    ),
    function AS (
        SELECT pg_proc.*, pg_proc.oid::regprocedure::text AS name
        FROM pg_proc
        WHERE pronamespace = 'loyalty'::regnamespace
            OR oid IN (SELECT objid FROM member WHERE classid = 'pg_proc'::regclass)
    ),
    object (classid, objid) AS (
        SELECT 'pg_namespace'::regclass, oid FROM pg_namespace WHERE nspname IN ('loyalty', 'loyalty_internal')
        UNION ALL SELECT 'pg_class'::regclass, oid FROM relation
        UNION ALL SELECT 'pg_proc'::regclass, oid FROM function
        UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type WHERE typnamespace = 'loyalty'::regnamespace
        UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint WHERE connamespace = 'loyalty'::regnamespace
        UNION ALL
        SELECT 'pg_trigger'::regclass, pg_trigger.oid
        FROM pg_trigger
        JOIN relation ON relation.oid = tgrelid
        WHERE NOT tgisinternal
    ),
    privilege (on_what, acl) AS (
        SELECT 'schema ' || nspname, coalesce(nspacl, acldefault('n', nspowner))
        FROM pg_namespace
        WHERE nspname IN ('loyalty', 'loyalty_internal')
        UNION ALL
        SELECT name, coalesce(relacl, acldefault('r', relowner)) FROM relation WHERE relkind IN ('r', 'v')
        UNION ALL
        SELECT relation.name || '.' || attname, attacl FROM pg_attribute JOIN relation ON relation.oid = attrelid
        UNION ALL
        SELECT 'function ' || name, coalesce(proacl, acldefault('f', proowner)) FROM function
        UNION ALL
        SELECT 'type ' || oid::regtype::text, coalesce(typacl, acldefault('T', typowner))
        FROM pg_type
        WHERE typnamespace = 'loyalty'::regnamespace
            AND typtype <> 'c'
            AND typcategory <> 'A'
    ),
    fact (line) AS (
        SELECT concat_ws(
            ' ', CASE relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' ELSE 'relation of kind ' || relkind::text END, name || ':',
            'owner', relowner::regrole, 'persistence', relpersistence, 'row security', relrowsecurity, relforcerowsecurity,
            'identity', relreplident, 'options', reloptions
        )
        FROM relation
        WHERE relkind <> 'i'
        UNION ALL
        SELECT format('view %s: %s', name, pg_get_viewdef(oid)) FROM relation WHERE relkind = 'v'
        UNION ALL
        SELECT concat_ws(
            ' ', 'column', relation.name || '.' || attname || ':', CASE relkind WHEN 'v' THEN attnum END,
            format_type(atttypid, atttypmod), nullif(attcollation, 0)::regcollation, CASE WHEN attnotnull THEN 'not null' END,
            CASE WHEN attidentity <> '' THEN 'identity ' || attidentity::text END,
            CASE WHEN attgenerated <> '' THEN 'generated ' || attgenerated::text END,
            'default ' || pg_get_expr(adbin, adrelid), 'storage', attstorage, 'compression ' || nullif(attcompression::text, '')
        )
        FROM pg_attribute
        JOIN relation ON relation.oid = attrelid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attnum > 0
            AND NOT attisdropped
            AND relkind IN ('r', 'v')
        UNION ALL
        SELECT format('index %s: %s%s%s', name, pg_get_indexdef(oid), CASE WHEN NOT indisvalid THEN ' invalid' END,
            CASE WHEN indisclustered THEN ' clustered' END)
        FROM relation
        JOIN pg_index ON indexrelid = oid
        UNION ALL
        SELECT format('constraint %I of %s: %s', conname,
            coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text), pg_get_constraintdef(oid))
        FROM pg_constraint
        WHERE connamespace = 'loyalty'::regnamespace
            AND contype <> 'n'
        UNION ALL
        SELECT format('trigger %I on %s: %s, enabled %s', tgname, name, pg_get_triggerdef(pg_trigger.oid), tgenabled)
        FROM pg_trigger
        JOIN relation ON relation.oid = tgrelid
        WHERE NOT tgisinternal
        UNION ALL
        SELECT format('function %s: owner %s, %s', name, proowner::regrole, pg_get_functiondef(oid)) FROM function
        UNION ALL
        SELECT concat_ws(' ', 'type', oid::regtype::text || ':', format_type(typbasetype, typtypmod), nullif(typcollation, 0)::regcollation,
            CASE WHEN typnotnull THEN 'not null' END, 'default ' || typdefault)
        FROM pg_type
        WHERE typnamespace = 'loyalty'::regnamespace
            AND typtype <> 'c'
            AND typcategory <> 'A'
        UNION ALL
        SELECT format('rule %I on %s: %s', rulename, name, pg_get_ruledef(pg_rewrite.oid))
        FROM pg_rewrite
        JOIN relation ON relation.oid = ev_class
        WHERE relkind = 'r'
        UNION ALL
        SELECT format('policy %I on %s', polname, name) FROM pg_policy JOIN relation ON relation.oid = polrelid
        UNION ALL
        SELECT format('statistics %s: %s', stxname, pg_get_statisticsobjdef(oid))
        FROM pg_statistic_ext
        WHERE stxnamespace = 'loyalty'::regnamespace
        UNION ALL
        SELECT format('member of the extension: %s', pg_describe_object(classid, objid, 0)) FROM member
        UNION ALL
        SELECT format('comment on %s: %s', pg_describe_object(classoid, objoid, objsubid), description)
        FROM object
        JOIN pg_description ON classoid = classid AND objoid = objid
        UNION ALL
        SELECT format(
            'privilege on %s: %s of %s by %s%s', on_what, privilege_type,
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, grantor::regrole,
            CASE WHEN is_grantable THEN ', grantable' END
        )
        FROM privilege
        CROSS JOIN LATERAL aclexplode(acl)
    )
    SELECT replace(line, E'\n', E'\n    ') || E'\x01' FROM fact ORDER BY line COLLATE "C"
};

# The facts of a database.
sub catalogue
{
    my ($node, $database) = @_;
    my $lines = $node->safe_psql($database, $facts);
    return map { s/^\n//r } grep { /\S/ } split /\x01/, $lines;
}

# What stands in one of two lists alone, each with its side, up to a number of them; the empty text where they are the same.
sub difference
{
    my ($name, $list, $other_name, $other_list, $most) = @_;
    my (%count, @found);
    $count{$_}++ for @$list;
    $count{$_}-- for @$other_list;
    foreach my $fact (sort keys %count)
    {
        push @found, "only $name: $fact" if $count{$fact} > 0;
        push @found, "only $other_name: $fact" if $count{$fact} < 0;
    }
    $most ||= 40;
    my $more = @found - $most;
    splice @found, $most if $more > 0;
    push @found, "... and $more more" if $more > 0;
    return join("\n", @found);
}

1;
