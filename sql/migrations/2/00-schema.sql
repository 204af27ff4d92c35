-- From version 1 (0.1.0) to 2 (0.2.0). A file a noun, numbered as in sql/tables; what a fresh installation makes there,
-- the steps here make of tables that are filled. Triggers, views and functions follow in sql/live.
NULL;
