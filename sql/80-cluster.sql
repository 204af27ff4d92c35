-- Members over the workers of a Citus cluster. Each worker has a whole schema loyalty with the members whose home it
-- is, and Citus carries each call to the home of its buyer, where it runs as on a server of its own. doc/scale.md tells
-- what that gives, what it costs, and why it is not the tables that are distributed.
--
-- The homes are a distributed table with one row a shard. Citus finds the shard of a key by its hash; what is delegated
-- there finds everything of the buyer in the database that the shard lies in.

CREATE FUNCTION loyalty_internal.is_home(home integer) RETURNS boolean
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    IF home = (SELECT groupid FROM pg_dist_local_group) THEN
        RETURN true;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'LY805',
        MESSAGE = 'a shard of "loyalty_cluster.homes" cannot move: the members whose home it is would stay behind',
        HINT = 'Move the whole server of a worker to another machine, and tell Citus by citus_update_node().';
END
$body$;

COMMENT ON FUNCTION loyalty_internal.is_home(integer) IS
    'Whether this is the worker of a group of the cluster, and LY805 if not: the check of loyalty_cluster.homes, which '
    'a shard that moves does not pass. Example: SELECT loyalty_internal.is_home(1);';

CREATE FUNCTION loyalty_internal.require_home(buyer text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    home CONSTANT integer := (
        SELECT placement.groupid
        FROM pg_dist_placement AS placement
        WHERE placement.shardid
            = get_shard_id_for_distribution_column('loyalty_cluster.homes'::regclass, require_home.buyer)
    );
BEGIN
    IF home = (SELECT groupid FROM pg_dist_local_group) THEN
        RETURN;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'LY806',
        MESSAGE = format('this is not the home of "%s"', buyer),
        DETAIL = format('Its home is group %s of the cluster, this is group %s.', home,
            (SELECT groupid FROM pg_dist_local_group)),
        HINT = 'Use loyalty_call(), on any node, and not within a query of distributed tables; where Citus has just '
            'lost or been given a worker, ask again.';
END
$body$;

COMMENT ON FUNCTION loyalty_internal.require_home(text) IS
    'LY806 where this is not the home of a buyer: a member''s key, or the id of a guest''s order. Example: SELECT '
    'loyalty_internal.require_home(''ann'');';

CREATE FUNCTION loyalty_internal.home_trigger() RETURNS trigger
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty_internal.require_home((to_jsonb(NEW) ->> TG_ARGV[0])::text);
    RETURN NULL;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.home_trigger() IS
    'Trigger of the tables of members and orders on a worker: nobody is enrolled, and no guest''s order is placed, but '
    'at home (LY806). Its argument is the column of the key. Example: CREATE TRIGGER ... EXECUTE FUNCTION '
    'loyalty_internal.home_trigger(''member'');';

-- What a stranger made first under that name, a view, or a table with policies, would run with the rights of whoever
-- calls.
CREATE FUNCTION loyalty_internal.is_cluster() RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    RETURN EXISTS (
        SELECT
        FROM pg_class AS homes
        JOIN pg_roles AS owner ON owner.oid = homes.relowner AND owner.rolsuper
        WHERE homes.oid = to_regclass('loyalty_cluster.homes') AND homes.relkind = 'r'
    );
END
$body$;

COMMENT ON FUNCTION loyalty_internal.is_cluster() IS
    'Whether loyalty_distribute() was run: loyalty_cluster.homes is a table, and a superuser''s. Example: SELECT '
    'loyalty_internal.is_cluster();';

CREATE FUNCTION loyalty_internal.require_cluster() RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    IF NOT loyalty_internal.is_cluster() THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY804',
            MESSAGE = format('members are not distributed in database "%s"', current_database()),
            HINT = 'On one server call the function itself; on a cluster run SELECT loyalty_distribute() before.';
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.require_cluster() IS
    'LY804 unless loyalty_distribute() was run. Example: SELECT loyalty_internal.require_cluster();';

CREATE FUNCTION loyalty_internal.let_callers_through() RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    GRANT EXECUTE ON FUNCTION
        @extschema@.loyalty_call(text, text, jsonb),
        @extschema@.loyalty_call_everywhere(text, jsonb),
        @extschema@.loyalty_read_everywhere(text),
        loyalty_internal.call_here(text, text, jsonb),
        loyalty_internal.homes(),
        loyalty_internal.is_cluster(),
        loyalty_internal.read_here(text, text),
        loyalty_internal.require_cluster(),
        loyalty_internal.require_home(text)
    TO PUBLIC;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.let_callers_through() IS
    'Lets everybody call what carries calls to a home, where they may do what their own rights on the worker let them. '
    'Example: SELECT loyalty_internal.let_callers_through();';

-- ---------------------------------------------------------------------------------------------------------------------
-- What runs at home

CREATE FUNCTION loyalty_internal.settle_here(buyer text) RETURNS void
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty_internal.require_home(buyer);
    -- The schema is this worker's own: Citus is not to make it elsewhere.
    PERFORM set_config('citus.enable_ddl_propagation', 'off', true);
    PERFORM @extschema@.loyalty_create_schema(true, 0);
    PERFORM loyalty_internal.let_callers_through();
    CREATE TRIGGER at_home AFTER INSERT ON loyalty.members
        FOR EACH ROW EXECUTE FUNCTION loyalty_internal.home_trigger('member');
    COMMENT ON TRIGGER at_home ON loyalty.members IS 'Nobody is enrolled but at home.';
    -- A member's order needs no look, the member having had one.
    CREATE TRIGGER at_home AFTER INSERT ON loyalty.orders
        FOR EACH ROW WHEN (NEW.buyer >= 'g:' AND NEW.buyer < 'g;')
        EXECUTE FUNCTION loyalty_internal.home_trigger('external_id');
    COMMENT ON TRIGGER at_home ON loyalty.orders IS 'No guest''s order is placed but at home.';
END
$body$;

COMMENT ON FUNCTION loyalty_internal.settle_here(text) IS
    'Makes schema loyalty on the worker that is the home of a key, by loyalty_distribute(). Example: SELECT '
    'loyalty_internal.settle_here(''1'');';

CREATE FUNCTION loyalty_internal.call_here(buyer text, function text, arguments jsonb) RETURNS SETOF jsonb
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    called record;
BEGIN
    PERFORM loyalty_internal.require_home(buyer);
    PERFORM set_config('citus.enable_ddl_propagation', 'off', true);
    SELECT
        format('%I.%I', '@extschema@', routine.proname) AS name,
        routine.prorettype = 'void'::regtype AS is_void,
        signature.columns,
        signature.passed
    INTO called
    FROM pg_proc AS routine
    JOIN pg_depend AS dependency
        ON dependency.classid = 'pg_proc'::regclass
        AND dependency.objid = routine.oid
        AND dependency.refclassid = 'pg_extension'::regclass
        AND dependency.deptype = 'e'
    JOIN pg_extension AS extension ON extension.oid = dependency.refobjid AND extension.extname = 'loyalty'
    CROSS JOIN LATERAL (
        SELECT
            coalesce(array_agg(input.name), '{}') AS names,
            coalesce(bool_and(arguments ? input.name OR input.has_default), true) AS is_complete,
            string_agg(format('%I %s', input.name, input.type), ', ' ORDER BY input.place)
                FILTER (WHERE arguments ? input.name) AS columns,
            string_agg(format('%1$I => given.%1$I', input.name), ', ' ORDER BY input.place)
                FILTER (WHERE arguments ? input.name) AS passed
        FROM (
            SELECT
                named.name,
                named.place,
                format_type(routine.proargtypes[named.place::integer - 1], NULL) AS type,
                named.place > routine.pronargs - routine.pronargdefaults AS has_default
            FROM unnest(routine.proargnames[1:routine.pronargs]) WITH ORDINALITY AS named (name, place)
        ) AS input
    ) AS signature
    WHERE routine.pronamespace = '@extschema@'::regnamespace
        AND routine.proname = function
        AND routine.prokind = 'f'
        AND routine.prorettype <> 'trigger'::regtype
        AND signature.is_complete
        AND NOT EXISTS (SELECT FROM jsonb_object_keys(arguments) AS key (name) WHERE key.name <> ALL (signature.names));
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY807',
            MESSAGE = format('there is no function "%s" that takes the arguments %s', function,
                ARRAY(SELECT jsonb_object_keys(arguments))),
            HINT = 'Name a function of the extension, and in an object its arguments: all that have no default.';
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT %s FROM %s %s(%s) AS answer',
        CASE WHEN called.is_void THEN 'NULL::jsonb' ELSE 'to_jsonb(answer)' END,
        'jsonb_to_record($1) AS given (' || called.columns || ') CROSS JOIN LATERAL ',
        called.name,
        called.passed
    ) USING arguments;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.call_here(text, text, jsonb) IS
    'What loyalty_call() does at the home of the buyer, with the rights of the caller. Example: SELECT '
    'loyalty_call(''ann'', ''loyalty_balance'', ''{"member": "ann", "program": "main"}'');';

CREATE FUNCTION loyalty_internal.read_here(buyer text, relation text) RETURNS SETOF jsonb
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty_internal.require_home(buyer);
    IF to_regclass('loyalty.' || quote_ident(relation)) IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY807',
            MESSAGE = format('there is no table or view "%s" in schema "loyalty"', relation),
            HINT = 'Name one without its schema, such as liability.';
    END IF;
    RETURN QUERY EXECUTE format('SELECT to_jsonb(answer) FROM loyalty.%I AS answer', relation);
END
$body$;

COMMENT ON FUNCTION loyalty_internal.read_here(text, text) IS
    'What loyalty_read_everywhere() does on one worker, with the rights of the caller. Example: SELECT * FROM '
    'loyalty_read_everywhere(''liability'');';

-- ---------------------------------------------------------------------------------------------------------------------
-- What is called on any node. Citus delegates a call of which the deciding argument is a constant, hence the literals.

CREATE FUNCTION @extschema@.loyalty_call(buyer text, function text, arguments jsonb DEFAULT '{}') RETURNS SETOF jsonb
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    PERFORM loyalty_internal.require_cluster();
    IF num_nulls(buyer, function, arguments) > 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY807',
            MESSAGE = 'a call needs a buyer, a function and its arguments',
            HINT = 'Name the member; for a guest the id of the order; an empty text for a quote without either.';
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT answer FROM loyalty_internal.call_here(%L::text, %L::text, %L::jsonb) AS answer',
        buyer, function, arguments
    );
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_call(text, text, jsonb) IS
    'Calls a function of the extension at the home of a buyer, in a cluster that loyalty_distribute() has made: a '
    'member''s key, or the id of a guest''s order. Arguments are a JSON object by the names of the function''s; each '
    'row of its result is an answer. May be called on any node and for many buyers; in one transaction all take place, '
    'or none. Errors: LY804 (no cluster), LY806 (called in a way that Citus cannot delegate), LY807 (no such function '
    'or arguments), those of the function. Example: SELECT loyalty_call(''ann'', ''loyalty_accrue'', ''{"member": '
    '"ann", "program": "main", "point_type": "bonus", "amount": 5, "external_id": "x-1"}'');';

CREATE FUNCTION loyalty_internal.homes() RETURNS TABLE (node text, key text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    homes jsonb;
BEGIN
    SELECT jsonb_object_agg(first.home, first.key) INTO homes
    FROM (SELECT home.home, min(home.key) AS key FROM loyalty_cluster.homes AS home GROUP BY home.home) AS first;
    RETURN QUERY
    SELECT format('%s:%s', worker.nodename, worker.nodeport), each.key
    FROM jsonb_each_text(homes) AS each (home, key)
    JOIN pg_dist_node AS worker ON worker.groupid = each.home::integer AND worker.noderole = 'primary'
    ORDER BY 1;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.homes() IS
    'The workers of the cluster, each with a key whose home it is. Example: SELECT * FROM loyalty_internal.homes();';

CREATE FUNCTION @extschema@.loyalty_call_everywhere(function text, arguments jsonb DEFAULT '{}')
    RETURNS TABLE (node text, answer jsonb)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    worker record;
BEGIN
    PERFORM loyalty_internal.require_cluster();
    FOR worker IN SELECT homes.node, homes.key FROM loyalty_internal.homes() AS homes LOOP
        RETURN QUERY EXECUTE format(
            'SELECT %L::text, answer FROM loyalty_internal.call_here(%L::text, %L::text, %L::jsonb) AS answer',
            worker.node, worker.key, function, arguments
        );
    END LOOP;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_call_everywhere(text, jsonb) IS
    'Calls a function of the extension on every worker of the cluster, one after the other, in one transaction: what '
    'is configured is so on all, or on none. Each row of each result is an answer. Errors: LY804 (no cluster), LY807 '
    '(no such function or arguments), those of the function. Example: SELECT * FROM '
    'loyalty_call_everywhere(''loyalty_apply'', ''{"program": "main"}'');';

CREATE FUNCTION @extschema@.loyalty_read_everywhere(relation text) RETURNS TABLE (node text, "row" jsonb)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    worker record;
BEGIN
    PERFORM loyalty_internal.require_cluster();
    FOR worker IN SELECT homes.node, homes.key FROM loyalty_internal.homes() AS homes LOOP
        RETURN QUERY EXECUTE format(
            'SELECT %L::text, answer FROM loyalty_internal.read_here(%L::text, %L::text) AS answer',
            worker.node, worker.key, relation
        );
    END LOOP;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_read_everywhere(text) IS
    'The rows of a table or view of schema loyalty on every worker of the cluster, to be added up. Errors: LY804 (no '
    'cluster), LY807 (no such relation). Example: SELECT "row" ->> ''program'', sum(("row" ->> ''points'')::numeric) '
    'FROM loyalty_read_everywhere(''liability'') GROUP BY 1;';

-- ---------------------------------------------------------------------------------------------------------------------
-- Distributing

CREATE FUNCTION loyalty_internal.require_workers() RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension AS extension WHERE extension.extname = 'citus') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY801',
            MESSAGE = format('Citus is not installed in database "%s"', current_database()),
            HINT = 'Set shared_preload_libraries = ''citus'' on each node, run CREATE EXTENSION citus in this database '
                'of each, and on the coordinator citus_set_coordinator_host() and citus_add_node() for each worker.';
    ELSIF to_regclass('loyalty_cluster.homes') IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY802',
            MESSAGE = 'members are distributed already',
            HINT = 'Each stays where the key puts it: see loyalty_cluster.homes.';
    ELSIF to_regnamespace('loyalty') IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY802',
            MESSAGE = 'schema "loyalty" exists on the coordinator, and whoever is a member there would stay behind',
            HINT = 'Distribute in a database without it: loyalty_distribute() makes it on the workers.';
    ELSIF EXISTS (SELECT FROM pg_dist_node AS node WHERE node.groupid = 0 AND node.shouldhaveshards) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY803',
            MESSAGE = 'the coordinator would be a home, too',
            HINT = 'Run citus_set_node_property(..., ''shouldhaveshards'', false) for it.';
    ELSIF NOT EXISTS (
        SELECT
        FROM pg_dist_node AS node
        WHERE node.groupid <> 0
            AND node.noderole = 'primary'
            AND node.isactive
            AND node.shouldhaveshards
    ) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'LY803',
            MESSAGE = 'the cluster has no workers',
            HINT = 'Run citus_add_node() for each.';
    END IF;
END
$body$;

COMMENT ON FUNCTION loyalty_internal.require_workers() IS
    'Refuses what loyalty_distribute() cannot do: LY801 (no Citus), LY802 (done already, or members here), LY803 (no '
    'workers). Example: SELECT loyalty_internal.require_workers();';

CREATE FUNCTION @extschema@.loyalty_distribute(shards integer DEFAULT 32) RETURNS integer
    LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS $body$
DECLARE
    delegated regprocedure;
    worker record;
    workers integer := 0;
BEGIN
    PERFORM loyalty_internal.require_workers();
    CREATE SCHEMA loyalty_cluster;
    COMMENT ON SCHEMA loyalty_cluster IS 'Which worker of the cluster is the home of which members.';
    CREATE TABLE loyalty_cluster.homes (
        key text NOT NULL,
        home integer NOT NULL,
        CONSTRAINT homes_pkey PRIMARY KEY (key),
        CONSTRAINT homes_stay CHECK (loyalty_internal.is_home(home))
    );
    COMMENT ON TABLE loyalty_cluster.homes IS
        'One row a shard. Members whose key falls into it have their home on its worker, for ever.';
    COMMENT ON COLUMN loyalty_cluster.homes.key IS 'A key that falls into the shard.';
    COMMENT ON COLUMN loyalty_cluster.homes.home IS 'The group of the worker that it lies on, by pg_dist_node.';
    PERFORM create_distributed_table(
        'loyalty_cluster.homes'::regclass, 'key', colocate_with => 'none', shard_count => shards
    );

    -- Numbers fall into shards at random: among forty times as many as there are shards, each has its own.
    INSERT INTO loyalty_cluster.homes (key, home)
    SELECT DISTINCT ON (placement.shardid) number::text, placement.groupid
    FROM generate_series(1, 40 * shards) AS number
    JOIN pg_dist_placement AS placement
        ON placement.shardid
        = get_shard_id_for_distribution_column('loyalty_cluster.homes'::regclass, number::text)
    ORDER BY placement.shardid, number;
    PERFORM loyalty_internal.let_callers_through();
    GRANT USAGE ON SCHEMA loyalty_cluster TO PUBLIC;
    GRANT SELECT ON loyalty_cluster.homes TO PUBLIC;

    FOREACH delegated IN ARRAY ARRAY[
        '@extschema@.loyalty_call(text, text, jsonb)',
        'loyalty_internal.settle_here(text)',
        'loyalty_internal.call_here(text, text, jsonb)',
        'loyalty_internal.read_here(text, text)'
    ]::regprocedure[]
    LOOP
        PERFORM create_distributed_function(delegated, 'buyer', 'loyalty_cluster.homes', true);
    END LOOP;
    FOR worker IN SELECT homes.node, homes.key FROM loyalty_internal.homes() AS homes LOOP
        EXECUTE format('SELECT * FROM loyalty_internal.settle_here(%L::text)', worker.key);
        workers := workers + 1;
    END LOOP;
    RETURN workers;
END
$body$;

COMMENT ON FUNCTION @extschema@.loyalty_distribute(integer) IS
    'Distributes members over the workers of a Citus cluster; called on its coordinator, by a superuser, in place of '
    'loyalty_create_schema(). Each worker gets a whole schema loyalty, owned by the caller, and is the home of the '
    'members whose keys fall into its shards; loyalty_call() and loyalty_call_everywhere() reach them. Members stay '
    'where their key puts them, so choose many workers, several to a machine, and at least as many shards. Returns the '
    'number of workers. Errors: LY801 (no Citus), LY802 (done already, or a schema loyalty here), LY803 (no workers). '
    'Example: SELECT loyalty_distribute();';
