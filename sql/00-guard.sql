\echo Use "CREATE EXTENSION loyalty" to load this file. \quit

-- loyalty: a loyalty program inside the database. The extension brings functions only; the tables are made by
-- loyalty_create_schema() in schema loyalty and are not its members, so that dumps restore them like any other table
-- and DROP EXTENSION never takes the ledger along.
--
-- Every function pins its search path, so nobody's objects of the same name come in between; what the extension itself
-- defines is therefore called by its schema: the one that users chose, or loyalty_internal. Such a call passes exactly
-- the declared types, all of them: whoever may create functions in the first could otherwise put one beside it that
-- fits better.

-- The script of a trusted extension runs as the bootstrap superuser, by default with a search path that begins with a
-- schema of the installing role's: an operator there that fits better than PostgreSQL's own would run with that role's
-- rights. So nothing is looked up but in pg_catalog, and what is made names its schema; tools/join-sql insists. The
-- server takes the setting back when the script ends.
SET LOCAL search_path = pg_catalog, pg_temp;

