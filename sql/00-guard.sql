\echo Use "CREATE EXTENSION loyalty" to load this file. \quit

-- loyalty: a loyalty program inside the database. The extension brings functions only; the tables are made by
-- loyalty_create_schema() in schema loyalty and are not its members, so that dumps restore them like any other table
-- and DROP EXTENSION never takes the ledger along.
--
-- Every function pins its search path, so nobody's objects of the same name come in between; what the extension itself
-- defines is therefore called by the extension's own schema.

