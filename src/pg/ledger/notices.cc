// The job that tells of points before they expire: an event for each account, last usable day and notice, such as 30
// days before. Of several notices that have passed only the latest is told, and none that is farther off than one told
// before.
#include "pg/members/lock.hpp"
#include "pg/server/clock.hpp"

namespace loyalty::pg {

namespace {

// Accounts with anything that expires soon, whether or not it was told.
std::optional<std::vector<JobKey>> next_accounts(JobRun& run, int batch_size) {
    static Query query(
        "SELECT n.member, n.program, n.point_type,"
        "       EXISTS (SELECT FROM loyalty.lots l"
        "                WHERE l.member = n.member AND l.program = n.program AND l.point_type = n.point_type AND l.open"
        "                  AND l.expires_at > $5 AND l.expires_at <= $5 + soon.most * interval '1 day')"
        "  FROM (SELECT b.member, b.program, b.point_type FROM loyalty.balances b"
        "         WHERE (b.member, b.program, b.point_type) > ($1, $2, $3)"
        "         ORDER BY b.member, b.program, b.point_type LIMIT $4) n"
        // A day more for the rest of the last one, another one for clocks that are put back.
        "  LEFT JOIN (SELECT p.external_id, (SELECT max(x.days) FROM unnest(p.notify_days) x (days)) + 2 AS most"
        "      FROM loyalty.programs p) soon"
        "         ON soon.external_id = n.program"
        " ORDER BY n.member, n.program, n.point_type",
        {TEXTOID, TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID});
    return next_keys(run, query, batch_size);
}

// Told are those who can spend the points; what a hold reserves does not expire. The members are locked, so that the
// event stands between those of the bookings before and after it.
std::int64_t tell(std::span<const JobKey> keys) {
    static Query query(
        "WITH expiring AS MATERIALIZED ("
        "    SELECT l.member, l.program, l.point_type, day.last AS last_usable_day, day.last - day.today AS days_left,"
        "           p.notify_days, p.currency, sum(l.remaining - l.held) AS points,"
        "           round(sum(l.remaining - l.held) / coalesce(t.applied_ratio, t.ratio), p.currency_scale) AS money"
        "      FROM unnest($1::text[], $2::text[], $3::text[]) k (member, program, point_type)"
        "      JOIN loyalty.members m ON m.member = k.member AND m.program = k.program AND m.removed_at IS NULL"
        "      JOIN loyalty.programs p ON p.external_id = k.program AND p.active"
        "      JOIN loyalty.point_types t ON t.program = k.program AND t.external_id = k.point_type"
        "           AND t.active AND $4 < loyalty_internal.deactivation(t.deactivates_at, t.deactivates_on,"
        "               p.time_zone)"
        "      JOIN loyalty.lots l ON l.member = k.member AND l.program = k.program AND l.point_type = k.point_type"
        "           AND l.open AND l.remaining > l.held AND l.expires_at > $4 AND l.expires_at < 'infinity'"
        "     CROSS JOIN LATERAL (SELECT timezone(p.time_zone, $4)::date AS today,"
        "                                loyalty_internal.last_day(l.expires_at, p.time_zone) AS last) day"
        "     GROUP BY l.member, l.program, l.point_type, day.last, day.today, t.applied_ratio, t.ratio,"
        "              p.notify_days, p.currency, p.currency_scale)"
        ", notices AS MATERIALIZED ("
        "    SELECT e.*, n.days AS notice FROM expiring e"
        "     CROSS JOIN LATERAL (SELECT min(x.days) AS days FROM unnest(e.notify_days) x (days)"
        "         WHERE x.days >= e.days_left) n"
        "      LEFT JOIN loyalty.expiry_notices told ON told.member = e.member AND told.program = e.program"
        "           AND told.point_type = e.point_type AND told.last_usable_day = e.last_usable_day"
        "     WHERE n.days < coalesce(told.notice_days, 'infinity'::float8))"
        ", told AS ("
        "    INSERT INTO loyalty.expiry_notices (member, program, point_type, last_usable_day, notice_days, told_at)"
        "    SELECT member, program, point_type, last_usable_day, notice, $4 FROM notices"
        "    ON CONFLICT (member, program, point_type, last_usable_day) DO UPDATE"
        "    SET notice_days = excluded.notice_days, told_at = excluded.told_at)"
        ", over AS ("
        "    DELETE FROM loyalty.expiry_notices o USING loyalty.programs p"
        "     WHERE (o.member, o.program) IN (SELECT n.member, n.program FROM notices n) AND p.external_id = o.program"
        "       AND o.last_usable_day < timezone(p.time_zone, $4)::date)"
        " INSERT INTO loyalty.events (program, type, profile, data)"
        " SELECT program, 'points_expiring', member,"
        "        jsonb_build_object('points', point_type, 'amount', points, 'money', money, 'currency', currency,"
        "                           'last_usable_day', last_usable_day, 'days_left', days_left, 'notice_days', notice)"
        "   FROM notices ORDER BY member, program, point_type, last_usable_day",
        {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID});
    const JobKeyArguments arguments(keys);
    lock_members_of(arguments, keys.size());
    const Rows rows = query.run_for(
        keys.size(), {arguments.members, arguments.programs, arguments.parts, timestamp_argument(now())}, true);
    return static_cast<std::int64_t>(rows.size());
}

std::optional<std::int64_t> tell_batch(JobRun& run, int batch_size) {
    const auto accounts = next_accounts(run, batch_size);
    if (!accounts) return std::nullopt;
    return run.work_on(*accounts, tell);
}

}  // namespace

extern const Job tell_expiring_job;
const Job tell_expiring_job = {"tell_expiring", "told", "notices", "accounts", tell_batch};

}  // namespace loyalty::pg
