-- Members as they are exported.

CREATE OR REPLACE VIEW loyalty.member_export AS
SELECT
    member.program,
    member.member,
    member.registered_at,
    member.enrolled_at,
    member.removed_at,
    (
        SELECT coalesce(jsonb_object_agg(balance.point_type, balance.total ORDER BY balance.point_type), '{}')
        FROM loyalty.balances AS balance
        WHERE balance.member = member.member
            AND balance.program = member.program
    ) AS balances,
    (
        SELECT coalesce(
            jsonb_object_agg(standing.tier_group, standing.tier ORDER BY standing.tier_group)
                FILTER (WHERE standing.tier IS NOT NULL),
            '{}'
        )
        FROM loyalty.member_tiers AS standing
        WHERE standing.member = member.member
            AND standing.program = member.program
    ) AS tiers,
    program.time_zone
FROM loyalty.members AS member
JOIN loyalty.programs AS program ON program.external_id = member.program;

COMMENT ON VIEW loyalty.member_export IS
    'Members of all programs, former ones too, with balances and tiers as they were booked last: for COPY.';
COMMENT ON COLUMN loyalty.member_export.program IS 'The program.';
COMMENT ON COLUMN loyalty.member_export.member IS 'Key of the profile.';
COMMENT ON COLUMN loyalty.member_export.registered_at IS 'Registration date.';
COMMENT ON COLUMN loyalty.member_export.enrolled_at IS 'Start of the present, or else the last, stay.';
COMMENT ON COLUMN loyalty.member_export.removed_at IS 'When the member was removed; null: is a member.';
COMMENT ON COLUMN loyalty.member_export.balances IS 'Total balances by point type: a JSON object.';
COMMENT ON COLUMN loyalty.member_export.tiers IS 'Tiers held by tier group: a JSON object.';
COMMENT ON COLUMN loyalty.member_export.time_zone IS 'Time zone of the program, by which days are counted.';
