#include "pg/ledger/time_outs.hpp"

#include "pg/members/lock.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/guarded_writing.hpp"
#include "pg/server/keeping.hpp"

namespace loyalty::pg {

namespace {

std::optional<std::vector<JobKey>> next_accounts(JobRun& run, int batch_size) {
    static Query query(
        "SELECT DISTINCT h.member, h.program, h.point_type, true FROM loyalty.holds h"
        " WHERE (h.member, h.program, h.point_type) > ($1, $2, $3) AND h.state = 'open' AND h.expires_at <= $6"
        " ORDER BY h.member, h.program, h.point_type LIMIT $4",
        {TEXTOID, TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID});
    return next_keys(run, query, batch_size);
}

std::int64_t end(std::span<const JobKey> keys) {
    const JobKeyArguments accounts(keys);
    lock_members_of(accounts, keys.size());
    return end_holds(accounts, keys.size());
}

std::optional<std::int64_t> end_holds_batch(JobRun& run, int batch_size) {
    const auto accounts = next_accounts(run, batch_size);
    if (!accounts) return std::nullopt;
    return run.work_on(*accounts, end);
}

}  // namespace

// A lot that was reserved past its date may expire now, which the review of its tier group must hear of.
std::int64_t end_holds(const JobKeyArguments& accounts, std::size_t count) {
    static Query query(
        "WITH ended AS ("
        "    UPDATE loyalty.holds h SET state = 'timed_out', ended_at = h.expires_at"
        "      FROM unnest($3::text[], $4::text[], $5::text[]) k (member, program, point_type)"
        "     WHERE h.member = k.member AND h.program = k.program AND h.point_type = k.point_type"
        "       AND h.state = 'open' AND h.expires_at <= $2"
        "    RETURNING h.member, h.program, h.id)"
        ", freed AS ("
        "    SELECT r.member, r.program, r.point_type, r.lot, sum(r.amount) AS amount"
        "      FROM ended JOIN loyalty.hold_lots r ON r.member = ended.member AND r.program = ended.program"
        "          AND r.hold = ended.id"
        "     GROUP BY r.member, r.program, r.point_type, r.lot)"
        ", touched AS ("
        "    UPDATE loyalty.balances b SET updated_at = $1 FROM (SELECT DISTINCT member, program, point_type"
        "        FROM freed) f"
        "     WHERE b.member = f.member AND b.program = f.program AND b.point_type = f.point_type)"
        ", reviewed AS ("
        "    UPDATE loyalty.member_tiers s SET due_at = least(s.due_at, $1)"
        "      FROM (SELECT DISTINCT f.member, f.program, g.external_id FROM freed f"
        "              JOIN loyalty.tier_groups g ON g.program = f.program AND g.point_type = f.point_type"
        "                  AND g.model = 'cyclic') r"
        "     WHERE s.member = r.member AND s.program = r.program AND s.tier_group = r.external_id)"
        ", emptied AS ("
        "    UPDATE loyalty.lots l SET held = l.held - f.amount FROM freed f"
        "     WHERE l.member = f.member AND l.program = f.program AND l.point_type = f.point_type AND l.seq = f.lot)"
        ", unused AS ("
        "    UPDATE loyalty.trigger_uses u SET freed_at = $1, points = 0"
        "      FROM (SELECT b.* FROM ended JOIN loyalty.trigger_uses b ON b.member = ended.member"
        "          AND b.program = ended.program AND b.id = ended.id"
        "             WHERE b.freed_at IS NULL) was"
        "     WHERE u.member = was.member AND u.program = was.program AND u.promotion = was.promotion AND u.id = was.id"
        "    RETURNING u.program, u.promotion, was.points)"
        ", counted AS ("
        "    UPDATE loyalty.promotion_counters c SET uses = c.uses - f.uses, points = c.points - f.points"
        "      FROM (SELECT program, promotion, count(*) AS uses, sum(points) AS points"
        "          FROM unused GROUP BY program, promotion) f"
        "     WHERE c.program = f.program AND c.promotion = f.promotion)"
        " SELECT count(*) FROM ended",
        {TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID});
    const GuardedWriting writing;
    const Keeping keeping;
    const Rows rows = query.run_for(count,
                                    {timestamp_argument(now()), timestamp_argument(wall_now()), accounts.members,
                                     accounts.programs, accounts.parts},
                                    true);
    return bigint_at(rows, 0, 1);
}

extern const Job end_holds_job;
const Job end_holds_job = {"end_holds", "ended", "holds", "accounts", end_holds_batch};

}  // namespace loyalty::pg
