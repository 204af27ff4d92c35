-- What users call lies in the schema that they chose for the extension, each name with loyalty_ before it; what the
-- machine calls lies here: triggers, checks, locks, and parts of functions. Nobody but the extension's owner creates
-- anything here, so no function or type of anybody else can come between. Everybody may look, for triggers and views
-- call as whoever writes or reads; what may be called is said by rights on each function.
--
-- A squatter's schema of this name is an error. tools/join-sql leaves the first line out of an update: the script of a
-- version that lacks the schema makes it itself.
CREATE SCHEMA loyalty_internal;

COMMENT ON SCHEMA loyalty_internal IS
    'Functions of the extension "loyalty" that it calls itself; they change without notice, and nothing else lies '
    'here.';

GRANT USAGE ON SCHEMA loyalty_internal TO PUBLIC;
