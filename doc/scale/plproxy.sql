-- A front for members who are spread over several databases, by PL/Proxy: the functions that an application calls, by
-- the names and with the arguments of the extension, each run whole on the database of its member. doc/scale.md tells
-- what that gives and what it costs.
--
-- Run in the database of the front, where the extension is not installed:
--
--   psql -v shard0='host=one dbname=shop' -v shard1='host=two dbname=shop' -f plproxy.sql
--
-- More shards: two, four, eight options p0, p1 and so on; a member stays where its key puts it, so choose more than are
-- needed today and let several databases live on one server.

\set ON_ERROR_STOP on

CREATE EXTENSION plproxy;

CREATE SERVER loyalty FOREIGN DATA WRAPPER plproxy OPTIONS (p0 :'shard0', p1 :'shard1');
CREATE USER MAPPING FOR PUBLIC SERVER loyalty;

-- The same on every release and every machine, as PostgreSQL's own hash functions are not promised to be.
CREATE FUNCTION loyalty_shard_of(member text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ('x' || left(md5(member), 8))::bit(32)::integer;

COMMENT ON FUNCTION loyalty_shard_of(text) IS
    'A number by which the database of a member is chosen. Guests are spread, too: by their order''s id.';

-- An order belongs to its member; a guest's, and a quote without anybody, to its id.
CREATE FUNCTION loyalty_shard_of_order("order" jsonb) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN loyalty_shard_of(coalesce("order" ->> 'member', "order" ->> 'external_id', ''));

CREATE FUNCTION loyalty_calculate("order" jsonb) RETURNS jsonb LANGUAGE plproxy
AS $$ CLUSTER 'loyalty'; RUN ON loyalty_shard_of_order($1); $$;

CREATE FUNCTION loyalty_explain("order" jsonb) RETURNS SETOF text LANGUAGE plproxy
AS $$ CLUSTER 'loyalty'; RUN ON loyalty_shard_of_order($1); $$;

CREATE FUNCTION loyalty_place_order("order" jsonb) RETURNS jsonb LANGUAGE plproxy
AS $$ CLUSTER 'loyalty'; RUN ON loyalty_shard_of_order($1); $$;

-- What is done with an order later names its buyer before it: the member, or for a guest the order's id.
CREATE FUNCTION loyalty_set_order_status(
    buyer text, program text, external_id text, status text, line text DEFAULT NULL
)
RETURNS jsonb LANGUAGE plproxy
AS $$ CLUSTER 'loyalty'; RUN ON loyalty_shard_of($1); SELECT loyalty_set_order_status($2, $3, $4, $5); $$;

CREATE FUNCTION loyalty_cancel_order(buyer text, program text, external_id text) RETURNS jsonb LANGUAGE plproxy
AS $$ CLUSTER 'loyalty'; RUN ON loyalty_shard_of($1); SELECT loyalty_cancel_order($2, $3); $$;

CREATE FUNCTION loyalty_order(buyer text, program text, external_id text) RETURNS jsonb LANGUAGE plproxy
AS $$ CLUSTER 'loyalty'; RUN ON loyalty_shard_of($1); SELECT loyalty_order($2, $3); $$;

CREATE FUNCTION loyalty_enrol(member text, program text) RETURNS jsonb LANGUAGE plproxy
AS $$ CLUSTER 'loyalty'; RUN ON loyalty_shard_of($1); $$;

CREATE FUNCTION loyalty_accrue(member text, program text, point_type text, amount numeric, external_id text)
RETURNS jsonb LANGUAGE plproxy
AS $$ CLUSTER 'loyalty'; RUN ON loyalty_shard_of($1); $$;

CREATE FUNCTION loyalty_redeem(member text, program text, point_type text, amount numeric, external_id text)
RETURNS jsonb LANGUAGE plproxy
AS $$ CLUSTER 'loyalty'; RUN ON loyalty_shard_of($1); $$;

CREATE FUNCTION loyalty_balance(
    member text, program text, OUT point_type text, OUT total numeric, OUT active numeric, OUT waiting numeric,
    OUT held numeric
)
RETURNS SETOF record LANGUAGE plproxy
AS $$
    CLUSTER 'loyalty'; RUN ON loyalty_shard_of($1);
    SELECT point_type, total, active, waiting, held FROM loyalty_balance($1, $2);
$$;

-- Everywhere: what is configured, what is checked, and what is counted.
CREATE FUNCTION loyalty_import_everywhere(document jsonb) RETURNS SETOF bigint LANGUAGE plproxy
AS $$ CLUSTER 'loyalty'; RUN ON ALL; SELECT loyalty_import($1); $$;

CREATE FUNCTION loyalty_apply_everywhere(program text) RETURNS SETOF integer LANGUAGE plproxy
AS $$ CLUSTER 'loyalty'; RUN ON ALL; SELECT loyalty_apply($1); $$;

CREATE FUNCTION loyalty_applied_everywhere(program text, OUT version integer, OUT applied_at timestamptz)
RETURNS SETOF record LANGUAGE plproxy
AS $$ CLUSTER 'loyalty'; RUN ON ALL; SELECT version, applied_at FROM loyalty_applied($1); $$;

CREATE FUNCTION loyalty_verify_everywhere() RETURNS SETOF jsonb LANGUAGE plproxy
AS $$ CLUSTER 'loyalty'; RUN ON ALL; SELECT to_jsonb(problem) FROM loyalty_verify() AS problem; $$;

CREATE FUNCTION loyalty_liability_of_shards(
    OUT program text, OUT point_type text, OUT month date, OUT points numeric
)
RETURNS SETOF record LANGUAGE plproxy
AS $$ CLUSTER 'loyalty'; RUN ON ALL; SELECT program, point_type, month, points FROM loyalty.liability; $$;

CREATE VIEW loyalty_liability AS
SELECT program, point_type, month, sum(points) AS points
FROM loyalty_liability_of_shards()
GROUP BY program, point_type, month;
