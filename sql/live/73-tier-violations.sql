-- What loyalty_verify() returns of tiers: standings that their own figures, or their history, contradict.

CREATE OR REPLACE VIEW loyalty.tier_violations AS
WITH standing AS (
    SELECT
        held.program,
        held.member,
        held.tier_group,
        held.tier,
        held.seq,
        held.given_tier,
        member.removed_at IS NOT NULL AS is_removed,
        coalesce(held.due_at <= loyalty.clock(), false) AS is_due,
        coalesce(tier.position, -1) AS position,
        greatest(earned.position, kept.position, given.position, -1) AS deserved,
        tier_group.model = 'cyclic' AND tier_group.upgrade_at_once AS may_be_higher
    FROM loyalty.member_tiers AS held
    JOIN loyalty.tier_groups AS tier_group
        ON tier_group.program = held.program AND tier_group.external_id = held.tier_group
    JOIN loyalty.members AS member ON member.member = held.member AND member.program = held.program
    LEFT JOIN loyalty.tiers AS tier ON tier.program = held.program AND tier.external_id = held.tier
    LEFT JOIN loyalty.tiers AS earned ON earned.program = held.program AND earned.external_id = held.earned_tier
    LEFT JOIN loyalty.tiers AS kept ON kept.program = held.program AND kept.external_id = held.kept_tier
    LEFT JOIN loyalty.tiers AS given ON given.program = held.program AND given.external_id = held.given_tier
)
SELECT
    'tier_is_what_was_earned_or_given' AS invariant,
    standing.program::text AS program,
    standing.member,
    NULL::text AS point_type,
    standing.seq,
    format(
        'tier group "%s": the tier is %s, which is %s what the member has earned or was given',
        standing.tier_group,
        coalesce('"' || standing.tier || '"', 'none'),
        CASE WHEN standing.position < standing.deserved THEN 'below' ELSE 'above' END
    ) AS detail
FROM standing
WHERE NOT standing.is_due
    AND CASE
        WHEN standing.is_removed THEN standing.tier IS NOT NULL
        WHEN standing.may_be_higher THEN standing.position < standing.deserved
        ELSE standing.position <> standing.deserved
    END
UNION ALL
SELECT
    'tier_is_the_last_of_its_history',
    standing.program,
    standing.member,
    NULL,
    standing.seq,
    format(
        'tier group "%s": the tier is %s, change %s of the history says %s',
        standing.tier_group,
        coalesce('"' || standing.tier || '"', 'none'),
        standing.seq,
        coalesce('"' || history.tier || '"', 'none')
    )
FROM standing
LEFT JOIN loyalty.member_tier_history AS history
    ON history.member = standing.member
    AND history.program = standing.program
    AND history.tier_group = standing.tier_group
    AND history.seq = standing.seq
WHERE history.tier IS DISTINCT FROM standing.tier;

COMMENT ON VIEW loyalty.tier_violations IS
    'Tiers that are not what their own figures say, one a row: what loyalty_verify() returns of them.';
COMMENT ON COLUMN loyalty.tier_violations.invariant IS
    'Which invariant: tier_is_what_was_earned_or_given or tier_is_the_last_of_its_history.';
COMMENT ON COLUMN loyalty.tier_violations.program IS 'The program.';
COMMENT ON COLUMN loyalty.tier_violations.member IS 'The member.';
COMMENT ON COLUMN loyalty.tier_violations.point_type IS 'Always null.';
COMMENT ON COLUMN loyalty.tier_violations.seq IS 'Number of the last change of the tier; 0: none yet.';
COMMENT ON COLUMN loyalty.tier_violations.detail IS 'Which group, what was found, and what it ought to be.';
