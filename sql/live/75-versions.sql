-- The applied versions of the promotion tree.

CREATE OR REPLACE VIEW loyalty.version_history AS
SELECT
    version.program,
    version.version,
    version.applied_at,
    version.applied_by,
    version.version = max(version.version) OVER (PARTITION BY version.program) AS in_force,
    jsonb_array_length(version.tree -> 'groups') AS groups,
    jsonb_array_length(version.tree -> 'promotions') AS promotions,
    jsonb_array_length(jsonb_path_query_array(version.tree, '$.promotions[*] ? (@.state == "active")'))
        AS active_promotions,
    version.rules
FROM loyalty.promotion_versions AS version;

COMMENT ON VIEW loyalty.version_history IS 'The applied versions of each program''s promotion tree.';
COMMENT ON COLUMN loyalty.version_history.program IS 'The program.';
COMMENT ON COLUMN loyalty.version_history.version IS 'Number of the version in the program, from 1.';
COMMENT ON COLUMN loyalty.version_history.applied_at IS 'When it was applied.';
COMMENT ON COLUMN loyalty.version_history.applied_by IS 'Role that applied it.';
COMMENT ON COLUMN loyalty.version_history.in_force IS 'Whether orders are calculated with it.';
COMMENT ON COLUMN loyalty.version_history.groups IS 'Groups in it, main included.';
COMMENT ON COLUMN loyalty.version_history.promotions IS 'Promotions in it, of every state.';
COMMENT ON COLUMN loyalty.version_history.active_promotions IS 'Promotions that were active when it was applied.';
COMMENT ON COLUMN loyalty.version_history.rules IS 'Number of the rules of calculation that it was applied under.';
