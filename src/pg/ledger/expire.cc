// The job that books all expirations: set-based, accounts in key order. The rows it inserts arrive with their balances,
// which window functions give, so that the trigger takes them as they stand. Automatic goals that points have brought
// into reach by becoming active are claimed before.
#include "pg/ledger/around_booking.hpp"
#include "pg/ledger/events.hpp"
#include "pg/ledger/time_outs.hpp"
#include "pg/members/lock.hpp"
#include "pg/server/clock.hpp"

namespace loyalty::pg {

namespace {

std::optional<std::vector<JobKey>> next_accounts(JobRun& run, int batch_size) {
    static Query query(
        "SELECT n.member, n.program, n.point_type,"
        "       EXISTS (SELECT FROM loyalty.lots l"
        "                WHERE l.member = n.member AND l.program = n.program AND l.point_type = n.point_type AND l.open"
        "                    AND l.expires_at <= $5)"
        "       OR EXISTS (SELECT FROM loyalty.holds h"
        "                   WHERE h.member = n.member AND h.program = n.program AND h.point_type = n.point_type"
        "                     AND h.state = 'open' AND h.expires_at <= $6)"
        "       OR EXISTS (SELECT FROM loyalty.goals g"
        "                   WHERE g.program = n.program AND g.point_type = n.point_type AND g.automatic AND g.active"
        "                     AND (SELECT sum(l.remaining) FROM loyalty.lots l"
        "                           WHERE l.member = n.member AND l.program = n.program AND l.point_type = n.point_type"
        "                               AND l.open"
        "                             AND l.active_from <= $5) >= g.points)"
        "  FROM (SELECT b.member, b.program, b.point_type FROM loyalty.balances b"
        "         WHERE (b.member, b.program, b.point_type) > ($1, $2, $3)"
        "         ORDER BY b.member, b.program, b.point_type LIMIT $4) n"
        " ORDER BY n.member, n.program, n.point_type",
        {TEXTOID, TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID});
    return next_keys(run, query, batch_size);
}

// Where the calendar of a tier group has anything due before, the review books the expirations in their order. The
// range of the keys is given, too, so that only its part of the lots is read, whichever way the keys are joined.
std::int64_t expire_lots(std::span<const JobKey> keys, const JobKeyArguments& arguments) {
    static Query query(
        "WITH due AS MATERIALIZED ("
        "    SELECT l.member, l.program, l.point_type, l.seq AS lot, l.ctid AS tid, l.held,"
        "        l.remaining - l.held AS amount, l.expires_at,"
        "           b.seq + row_number() OVER account AS seq,"
        "           b.total - sum(l.remaining - l.held) OVER account AS balance_after"
        "      FROM unnest($8::text[], $9::text[], $10::text[]) k (member, program, point_type)"
        "      JOIN loyalty.lots l ON l.member = k.member AND l.program = k.program AND l.point_type = k.point_type"
        "      JOIN loyalty.balances b ON b.member = l.member AND b.program = l.program AND b.point_type = l.point_type"
        "     WHERE (l.member, l.program, l.point_type) >= ($1, $2, $3)"
        "         AND (l.member, l.program, l.point_type) <= ($4, $5, $6)"
        "       AND l.open AND l.expires_at <= $7 AND l.remaining > l.held"
        "       AND NOT EXISTS (SELECT FROM loyalty.tier_groups g"
        "                         JOIN loyalty.member_tiers s ON s.member = l.member AND s.program = l.program"
        "                             AND s.tier_group = g.external_id"
        "                        WHERE g.program = l.program AND g.point_type = l.point_type AND g.model = 'cyclic'"
        "                            AND s.due_at <= $7)"
        "    WINDOW account AS (PARTITION BY l.member, l.program, l.point_type"
        "        ORDER BY l.expires_at, l.active_from, l.seq"
        "                       ROWS UNBOUNDED PRECEDING))"
        ", emptied AS ("
        "    UPDATE loyalty.lots l SET remaining = due.held FROM due WHERE l.ctid = due.tid)"
        ", lowered AS ("
        "    UPDATE loyalty.balances b SET seq = s.seq, total = s.total, updated_at = $7"
        "      FROM (SELECT member, program, point_type, max(seq) AS seq, min(balance_after) AS total"
        "          FROM due GROUP BY 1, 2, 3) s"
        "     WHERE b.member = s.member AND b.program = s.program AND b.point_type = s.point_type)"
        ", booked AS ("
        "    INSERT INTO loyalty.transactions (member, program, point_type, seq, type, value, balance_before,"
        "        balance_after, created_at, booked_at, lot)"
        "    SELECT member, program, point_type, seq, 'expiration', -amount, balance_after + amount, balance_after,"
        "        expires_at, $7, lot FROM due"
        "     ORDER BY member, program, point_type, seq"
        "    RETURNING *)" + tell_of_booked,
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTARRAYOID, TEXTARRAYOID,
         TEXTARRAYOID});
    const JobKey &first = keys.front(), &last = keys.back();
    const Rows rows = query.run({text_argument(first.member), text_argument(first.program), text_argument(first.part),
                                 text_argument(last.member), text_argument(last.program), text_argument(last.part),
                                 timestamp_argument(now()), arguments.members, arguments.programs, arguments.parts},
                                true);
    return static_cast<std::int64_t>(rows.size());
}

std::int64_t expire(std::span<const JobKey> keys) {
    const JobKeyArguments arguments(keys);
    lock_members_of(arguments, keys.size());
    end_holds(arguments, keys.size());
    claim_goals_in_reach(keys);
    return expire_lots(keys, arguments);
}

std::optional<std::int64_t> expire_batch(JobRun& run, int batch_size) {
    const auto accounts = next_accounts(run, batch_size);
    if (!accounts) return std::nullopt;
    return run.work_on(*accounts, expire);
}

}  // namespace

extern const Job expire_points_job;
const Job expire_points_job = {"expire_points", "expired", "lots", "accounts", expire_batch};

}  // namespace loyalty::pg
