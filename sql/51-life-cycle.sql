-- The life of promotions and their groups: verbs for what a click does elsewhere, and the way back to the version in
-- force. All but the end of a promotion is an edit of the draft, pending until loyalty_apply().

-- ---------------------------------------------------------------------------------------------------------------------
-- Promotions

CREATE FUNCTION @extschema@.loyalty_activate_promotion(program text, promotion text) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_activate_promotion';

COMMENT ON FUNCTION @extschema@.loyalty_activate_promotion(text, text) IS
    'Makes a draft or an inactive promotion active; one that is active stays so. In force with the next apply. Errors: '
    'LY201, LY307 (it has ended), LY319 (no such promotion), LY321 (in an archived group), LY526. Example: SELECT '
    'loyalty_activate_promotion(''main'', ''spring'');';

CREATE FUNCTION @extschema@.loyalty_deactivate_promotion(program text, promotion text) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_deactivate_promotion';

COMMENT ON FUNCTION @extschema@.loyalty_deactivate_promotion(text, text) IS
    'Makes an active promotion inactive; one that is inactive stays so. In force with the next apply. Errors: LY201, '
    'LY307 (a draft, or it has ended), LY319 (no such promotion), LY526. Example: SELECT '
    'loyalty_deactivate_promotion(''main'', ''spring'');';

CREATE FUNCTION @extschema@.loyalty_pause_promotion(program text, promotion text) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_pause_promotion';

COMMENT ON FUNCTION @extschema@.loyalty_pause_promotion(text, text) IS
    'Emergency stop: an active or inactive promotion takes no part from now on, in every session and whatever the '
    'version, until loyalty_resume_promotion(). No apply is needed and no revert undoes it; points that orders were '
    'promised are credited. One that is paused stays so. Errors: LY201, LY307 (a draft, or it has ended), LY319 (no '
    'such promotion), LY526. Example: SELECT loyalty_pause_promotion(''main'', ''spring'');';

CREATE FUNCTION @extschema@.loyalty_resume_promotion(program text, promotion text) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_resume_promotion';

COMMENT ON FUNCTION @extschema@.loyalty_resume_promotion(text, text) IS
    'Ends the pause of a promotion: at once it is again what the version in force says. One that is not paused stays '
    'as it is. Errors: LY201, LY307 (a draft, or it has ended), LY319 (no such promotion), LY526. Example: SELECT '
    'loyalty_resume_promotion(''main'', ''spring'');';

CREATE FUNCTION @extschema@.loyalty_end_promotion(
    program text,
    promotion text,
    drop_waiting boolean DEFAULT false
) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_end_promotion';

COMMENT ON FUNCTION @extschema@.loyalty_end_promotion(text, text, boolean) IS
    'Ends an active or inactive promotion for good: at once, whatever the version, and no revert undoes it. Points '
    'that orders were promised by it and that wait for a status are credited all the same; with drop_waiting they are '
    'dropped, with an event, when the status is reached. Errors: LY201, LY307 (a draft, which is deleted instead), '
    'LY319 (no such promotion), LY526. Example: SELECT loyalty_end_promotion(''main'', ''spring'');';

CREATE FUNCTION @extschema@.loyalty_move_promotion(
    program text,
    promotion text,
    parent text,
    "position" integer DEFAULT NULL
) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_move_promotion';

COMMENT ON FUNCTION @extschema@.loyalty_move_promotion(text, text, text, integer) IS
    'Moves a promotion into a group, to a position, from which on others move up if it is taken; null: behind the '
    'last. Errors: LY201, LY307 (it has ended), LY319 (no such promotion or group), LY321 (the group is archived), '
    'LY526. Example: SELECT loyalty_move_promotion(''main'', ''spring'', ''seasons'');';

CREATE FUNCTION @extschema@.loyalty_reorder_promotion(program text, promotion text, "position" integer) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_reorder_promotion';

COMMENT ON FUNCTION @extschema@.loyalty_reorder_promotion(text, text, integer) IS
    'Moves a promotion to another position in its group, from which on others move up if it is taken; null: behind the '
    'last. Errors: LY201, LY307 (it has ended), LY319 (no such promotion), LY526. Example: SELECT '
    'loyalty_reorder_promotion(''main'', ''spring'', 0);';

CREATE FUNCTION @extschema@.loyalty_clone_promotion(
    program text,
    promotion text,
    external_id text,
    name text DEFAULT NULL
) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_clone_promotion';

COMMENT ON FUNCTION @extschema@.loyalty_clone_promotion(text, text, text, text) IS
    'Makes a draft with all that a promotion has, right behind it, with another external id and, unless it is null, '
    'another name. Errors: LY201, LY319 (no such promotion), LY321 (in an archived group), LY526, 23505 (the external '
    'id is taken). Example: SELECT loyalty_clone_promotion(''main'', ''spring'', ''autumn'', ''Autumn sale'');';

-- ---------------------------------------------------------------------------------------------------------------------
-- Groups

CREATE FUNCTION @extschema@.loyalty_activate_promotion_group(program text, promotion_group text) RETURNS integer
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_activate_promotion_group';

COMMENT ON FUNCTION @extschema@.loyalty_activate_promotion_group(text, text) IS
    'Makes all drafts and inactive promotions below a group active, archived groups left out; returns how many. In '
    'force with the next apply. Errors: LY201, LY319 (no such group), LY321 (the group is archived), LY526. Example: '
    'SELECT loyalty_activate_promotion_group(''main'', ''seasons'');';

CREATE FUNCTION @extschema@.loyalty_deactivate_promotion_group(program text, promotion_group text) RETURNS integer
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_deactivate_promotion_group';

COMMENT ON FUNCTION @extschema@.loyalty_deactivate_promotion_group(text, text) IS
    'Makes all active promotions below a group inactive; returns how many. In force with the next apply. Errors: '
    'LY201, LY319 (no such group), LY526. Example: SELECT loyalty_deactivate_promotion_group(''main'', ''seasons'');';

CREATE FUNCTION @extschema@.loyalty_archive_promotion_group(program text, promotion_group text) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_archive_promotion_group';

COMMENT ON FUNCTION @extschema@.loyalty_archive_promotion_group(text, text) IS
    'Puts a group and all groups below it away; their promotions, drafts too, become inactive. In force with the next '
    'apply. Errors: LY201, LY319 (no such group), LY321 (main), LY526. Example: SELECT '
    'loyalty_archive_promotion_group(''main'', ''seasons'');';

CREATE FUNCTION @extschema@.loyalty_unarchive_promotion_group(program text, promotion_group text) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_unarchive_promotion_group';

COMMENT ON FUNCTION @extschema@.loyalty_unarchive_promotion_group(text, text) IS
    'Brings an archived group and all groups below it back; their promotions stay inactive. Errors: LY201, LY319 (no '
    'such group), LY321 (it stands in an archived group), LY526. Example: SELECT '
    'loyalty_unarchive_promotion_group(''main'', ''seasons'');';

CREATE FUNCTION @extschema@.loyalty_move_promotion_group(
    program text,
    promotion_group text,
    parent text,
    "position" integer DEFAULT NULL
) RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_move_promotion_group';

COMMENT ON FUNCTION @extschema@.loyalty_move_promotion_group(text, text, text, integer) IS
    'Moves a group with all below it into another, to a position, from which on others move up if it is taken; null: '
    'behind the last. Errors: LY201, LY303 (into itself), LY304 (too deep), LY319 (no such group), LY321 (into an '
    'archived group), LY526. Example: SELECT loyalty_move_promotion_group(''main'', ''seasons'', ''main'', 0);';

CREATE FUNCTION @extschema@.loyalty_reorder_promotion_group(program text, promotion_group text, "position" integer)
    RETURNS void
    LANGUAGE C VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_reorder_promotion_group';

COMMENT ON FUNCTION @extschema@.loyalty_reorder_promotion_group(text, text, integer) IS
    'Moves a group to another position in its parent, from which on others move up if it is taken; null: behind the '
    'last. Errors: LY201, LY319 (no such group), LY526. Example: SELECT '
    'loyalty_reorder_promotion_group(''main'', ''seasons'', 0);';

-- ---------------------------------------------------------------------------------------------------------------------
-- Back to the version in force

CREATE FUNCTION @extschema@.loyalty_revert(program text) RETURNS integer
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_revert';

COMMENT ON FUNCTION @extschema@.loyalty_revert(text) IS
    'Undoes all pending changes of a program''s promotion tree: what was deleted returns, what is new goes, and all '
    'else is again as the version in force has it, whose number is returned; a NOTICE counts. Ended promotions stay '
    'ended. Errors: LY201, LY320 (nothing was applied yet), LY312. Example: SELECT loyalty_revert(''main'');';

CREATE FUNCTION loyalty_internal.is_reverting() RETURNS boolean
    LANGUAGE C STABLE PARALLEL RESTRICTED
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_is_reverting';

COMMENT ON FUNCTION loyalty_internal.is_reverting() IS
    'Whether loyalty_revert() is at work: triggers that check the steps of an editor then stand aside. Example: CREATE '
    'TRIGGER ... WHEN (NOT loyalty_internal.is_reverting()) EXECUTE FUNCTION ...;';

-- ---------------------------------------------------------------------------------------------------------------------
-- What is in force here

CREATE FUNCTION @extschema@.loyalty_applied(
    program text DEFAULT NULL,
    OUT program text,
    OUT version integer,
    OUT applied_at timestamptz,
    OUT "position" pg_lsn,
    OUT as_of timestamptz,
    OUT is_standby boolean
) RETURNS SETOF record
    LANGUAGE C VOLATILE PARALLEL SAFE ROWS 1
    SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'loyalty_applied';

COMMENT ON FUNCTION @extschema@.loyalty_applied(text) IS
    'Which version of a program, or of each, is in force on this server, and how far the server is: position in the '
    'log of changes, written (primary) or replayed (standby); as_of, the commit time of the last transaction that a '
    'standby has replayed, which stands still while nothing happens. A reader that has reached the position that the '
    'primary told after a change has that change. version and applied_at are null where nothing was applied yet. '
    'Errors: LY201. Example: SELECT version, position FROM loyalty_applied(''main'');';
