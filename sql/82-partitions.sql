-- A schema whose largest tables are partitioned: each in so many parts, by hash of the member or buyer.
--
-- By time they could not be: what makes their ids unique has no time in it, and a partitioned table's keys contain what
-- it is partitioned by.

CREATE FUNCTION loyalty_internal.partition_table(name text, key text, parts integer) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    plain CONSTANT regclass := format('loyalty.%I', name);
    options CONSTANT text := (
        SELECT ' WITH (' || array_to_string(class.reloptions, ', ') || ')'
        FROM pg_class AS class
        WHERE class.oid = plain
    );
    description CONSTANT text := obj_description(plain, 'pg_class');
    remade text[];
    statement text;
BEGIN
    -- Its keys and indexes, and the foreign keys of others that refer to it, as they were declared; checks are copied.
    SELECT array_agg(part.definition ORDER BY part.rank, part.name) INTO remade
    FROM (
        SELECT
            CASE WHEN rule.contype = 'f' THEN 3 ELSE 1 END AS rank,
            rule.conname AS name,
            format('ALTER TABLE %s ADD CONSTRAINT %I %s', rule.conrelid::regclass, rule.conname,
                pg_get_constraintdef(rule.oid)) AS definition
        FROM pg_constraint AS rule
        WHERE rule.conparentid = 0
            AND (rule.conrelid = plain AND rule.contype IN ('p', 'u', 'f')
                OR rule.confrelid = plain AND rule.contype = 'f')
        UNION ALL
        SELECT 2, class.relname, pg_get_indexdef(index.indexrelid)
        FROM pg_index AS index
        JOIN pg_class AS class ON class.oid = index.indexrelid
        WHERE index.indrelid = plain
            AND NOT EXISTS (SELECT FROM pg_constraint AS rule WHERE rule.conindid = index.indexrelid)
    ) AS part;
    FOR statement IN
        SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', rule.conrelid::regclass, rule.conname)
        FROM pg_constraint AS rule
        WHERE rule.conparentid = 0 AND rule.confrelid = plain AND rule.contype = 'f'
    LOOP
        EXECUTE statement;
    END LOOP;
    EXECUTE format('ALTER TABLE %s RENAME TO plain', plain);
    EXECUTE format(
        'CREATE TABLE loyalty.%I (LIKE loyalty.plain INCLUDING COMMENTS INCLUDING CONSTRAINTS INCLUDING DEFAULTS '
        'INCLUDING GENERATED INCLUDING STORAGE) PARTITION BY HASH (%I)',
        name, key
    );
    DROP TABLE loyalty.plain;
    EXECUTE format('COMMENT ON TABLE loyalty.%I IS %L', name, description);
    FOREACH statement IN ARRAY remade LOOP
        EXECUTE statement;
    END LOOP;
    FOR part IN 0 .. parts - 1 LOOP
        EXECUTE format(
            'CREATE TABLE loyalty.%I PARTITION OF loyalty.%I FOR VALUES WITH (MODULUS %s, REMAINDER %s)%s',
            name || '_' || part, name, parts, part, options
        );
        EXECUTE format('COMMENT ON TABLE loyalty.%I IS %L', name || '_' || part, 'A part of loyalty.' || name || '.');
    END LOOP;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.partition_table(text, text, integer) IS
    'Makes of an empty table of schema loyalty, that nothing but foreign keys depends on yet, one that is partitioned '
    'by hash of a column. Example: SELECT loyalty_internal.partition_table(''orders'', ''buyer'', 16);';

CREATE FUNCTION loyalty_internal.parts_of(name text) RETURNS SETOF regclass
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 1
    SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT class.oid::regclass
        FROM pg_class AS class
        WHERE class.oid = format('loyalty.%I', name)::regclass
            OR class.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = format('loyalty.%I', name)::regclass)
        ORDER BY class.relispartition, class.relname;
    END;

COMMENT ON FUNCTION loyalty_internal.parts_of(text) IS
    'A table of schema loyalty, and its partitions, if it has any: what is refused of the table is refused of each. '
    'Example: SELECT loyalty_internal.parts_of(''orders'');';

CREATE FUNCTION loyalty_internal.partition_tables(parts integer) RETURNS void
    LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT loyalty_internal.partition_table(partitioned.name, partitioned.key, parts)
        FROM (
            VALUES
                (1, 'transactions', 'member'),
                (2, 'lot_movements', 'member'),
                (3, 'account_closings', 'member'),
                (4, 'archived_ids', 'member'),
                (5, 'orders', 'buyer'),
                (6, 'order_lines', 'buyer'),
                (7, 'order_points', 'buyer'),
                (8, 'order_accruals', 'buyer'),
                (9, 'order_returns', 'buyer'),
                (10, 'order_return_lines', 'buyer')
        ) AS partitioned (number, name, key)
        ORDER BY partitioned.number;
    END;

COMMENT ON FUNCTION loyalty_internal.partition_tables(integer) IS
    'Partitions the tables of transactions and orders, as loyalty_create_schema(partitioned => ...) does before '
    'anything is in them. Example: SELECT loyalty_internal.partition_tables(16);';
