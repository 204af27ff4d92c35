// The job that books all expirations: set-based, a range of accounts in key order at a time. The rows it inserts arrive with
// their balances, which window functions give, so that the trigger takes them as they stand.
#include "pg/arguments.hpp"
#include "pg/attempt.hpp"
#include "pg/clock.hpp"
#include "pg/owner.hpp"

extern "C" {
#include "storage/lock.h"
}

namespace loyalty::pg {

namespace {

// Two runs cannot collide: each batch takes the lock of the job until its transaction ends.
void take_job_lock() {
    static Query query("SELECT pg_try_advisory_xact_lock(hashtextextended('loyalty expire_points', 0))", {});
    if (query.run({}, true).boolean(0, 1)) return;
    throw Error(sqlstate::job_is_running, "another run of loyalty_expire_points() is at work", {},
                "See loyalty.job_progress.");
}

void require_read_committed() {
    if (!IsolationUsesXactSnapshot()) return;
    throw Error("LY317", "cannot expire points in a transaction of this isolation level", {},
                "Use a READ COMMITTED transaction: it sees what others have committed meanwhile.");
}

// A new run; one that was interrupted goes on where it stopped.
void begin_run() {
    static Query query(
        "INSERT INTO loyalty.job_progress AS p (job, started_at, updated_at) VALUES ('expire_points', clock_timestamp(), clock_timestamp())"
        " ON CONFLICT (job) DO UPDATE SET started_at = excluded.started_at, updated_at = excluded.updated_at, finished_at = NULL, done = 0, skipped = 0,"
        "    after_member = NULL, after_program = NULL, after_point_type = NULL"
        " WHERE p.finished_at IS NOT NULL",
        {});
    query.run({}, true);
}

struct Range {
    Argument after_member, after_program, after_point_type;
    Argument to_member, to_program, to_point_type;
    std::int64_t accounts = 0;
};

Argument copy_at(const Rows& rows, int column) {
    return rows.is_null(0, column) ? null_argument() : text_argument(rows.text(0, column));
}

// The next accounts. An upper end by offset, so that a batch has a bounded number of accounts whether or not much is due.
Range next_range(int batch_size) {
    static Query query(
        "SELECT p.after_member, p.after_program, p.after_point_type, e.member, e.program, e.point_type, e.accounts"
        "  FROM loyalty.job_progress p"
        "  LEFT JOIN LATERAL ("
        "       SELECT n.member, n.program, n.point_type, count(*) OVER () AS accounts FROM ("
        "              SELECT b.member, b.program, b.point_type FROM loyalty.balances b"
        "               WHERE (b.member, b.program, b.point_type)"
        "                   > (coalesce(p.after_member, ''), coalesce(p.after_program, ''), coalesce(p.after_point_type, ''))"
        "               ORDER BY b.member, b.program, b.point_type LIMIT $1) n"
        "        ORDER BY n.member DESC, n.program DESC, n.point_type DESC LIMIT 1) e ON true"
        " WHERE p.job = 'expire_points'",
        {INT8OID});
    const Rows rows = query.run({bigint_argument(batch_size)}, true);
    Range range;
    if (rows.size() == 0) return range;
    range.after_member = text_argument(rows.optional_text(0, 1).value_or(""));
    range.after_program = text_argument(rows.optional_text(0, 2).value_or(""));
    range.after_point_type = text_argument(rows.optional_text(0, 3).value_or(""));
    range.to_member = copy_at(rows, 4);
    range.to_program = copy_at(rows, 5);
    range.to_point_type = copy_at(rows, 6);
    range.accounts = rows.is_null(0, 7) ? 0 : bigint_at(rows, 0, 7);
    return range;
}

// Steps behind the range.
void end_batch(const Range& range, std::int64_t done, std::int64_t skipped) {
    static Query query(
        "UPDATE loyalty.job_progress SET updated_at = clock_timestamp(), done = done + $1, skipped = skipped + $2, after_member = $3,"
        "       after_program = $4, after_point_type = $5 WHERE job = 'expire_points'",
        {INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID});
    query.run({bigint_argument(done), bigint_argument(skipped), range.to_member, range.to_program, range.to_point_type},
              true);
}

// Errors of earlier runs that this one did not meet are over.
void end_run() {
    static Query finish(
        "UPDATE loyalty.job_progress SET updated_at = clock_timestamp(), finished_at = clock_timestamp() WHERE job = 'expire_points'"
        " RETURNING skipped",
        {});
    static Query forget(
        "DELETE FROM loyalty.job_errors e USING loyalty.job_progress p"
        " WHERE e.job = 'expire_points' AND p.job = e.job AND e.last_failed_at < p.started_at",
        {});
    forget.run({}, true);
    const Rows rows = finish.run({}, true);
    const auto skipped = static_cast<long long>(bigint_at(rows, 0, 1));
    if (skipped == 0) return;
    postgres([=] {
        ereport(WARNING,
                (errmsg("%lld accounts were skipped, where booking their expiration fails", skipped),
                 errdetail("The errors are in loyalty.job_errors."), errhint("The next run tries them again.")));
    });
}

#define LOYALTY_IN_RANGE(table)                    \
    "(" table ".member, " table ".program, " table \
    ".point_type) > ($1, $2, $3)"                  \
    " AND (" table ".member, " table ".program, " table ".point_type) <= ($4, $5, $6)"

// The moments by which something is due: one reading of the clocks for a batch, since what is due a moment later may belong
// to a member who is not locked.
struct Clocks {
    Argument now = timestamp_argument(pg::now());
    Argument wall = timestamp_argument(wall_now());
};

// Members who are locked, as arrays of equal length.
struct Members {
    Argument members, programs;
};

// Locks the members with anything due, in the order of their keys, as every booking locks its own. The statements that
// follow keep to these members: what others commit meanwhile may be due, too.
std::optional<Members> lock_members(const Range& range, const Clocks& clocks) {
    static Query query(
        "SELECT array_agg(due.member), array_agg(due.program::text)"
        "  FROM (SELECT m.member, m.program FROM loyalty.members m"
        "         WHERE (m.member, m.program) >= ($1, $2) AND (m.member, m.program) <= ($4, $5)"
        "           AND (EXISTS (SELECT FROM loyalty.lots l"
        "                         WHERE l.member = m.member AND l.program = m.program AND " LOYALTY_IN_RANGE("l") " AND l.open AND l.expires_at <= $7)"
        "                OR EXISTS (SELECT FROM loyalty.holds h"
        "                            WHERE h.member = m.member AND h.program = m.program AND " LOYALTY_IN_RANGE("h") " AND h.state = 'open' AND h.expires_at <= $8))"
        "         ORDER BY m.member, m.program FOR NO KEY UPDATE) due",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID});
    const Rows rows = query.run({range.after_member, range.after_program, range.after_point_type, range.to_member,
                                 range.to_program, range.to_point_type, clocks.now, clocks.wall},
                                true);
    if (rows.is_null(0, 1)) return std::nullopt;
    return Members{{rows.datum(0, 1), false}, {rows.datum(0, 2), false}};
}

void end_holds(const Range& range, const Members& locked, const Clocks& clocks) {
    static Query query(
        "WITH ended AS ("
        "    UPDATE loyalty.holds h SET state = 'timed_out', ended_at = h.expires_at"
        "      FROM unnest($9::text[], $10::text[]) locked (member, program)"
        "     WHERE " LOYALTY_IN_RANGE("h") " AND h.member = locked.member AND h.program = locked.program"
        "       AND h.state = 'open' AND h.expires_at <= $8"
        "    RETURNING h.member, h.program, h.id)"
        ", freed AS ("
        "    SELECT r.member, r.program, r.point_type, r.lot, sum(r.amount) AS amount"
        "      FROM ended JOIN loyalty.hold_lots r ON r.member = ended.member AND r.program = ended.program AND r.hold = ended.id"
        "     GROUP BY r.member, r.program, r.point_type, r.lot)"
        ", touched AS ("
        "    UPDATE loyalty.balances b SET updated_at = $7 FROM (SELECT DISTINCT member, program, point_type FROM freed) f"
        "     WHERE b.member = f.member AND b.program = f.program AND b.point_type = f.point_type)"
        ", reviewed AS ("
        "    UPDATE loyalty.member_tiers s SET due_at = least(s.due_at, $7)"
        "      FROM (SELECT DISTINCT f.member, f.program, g.external_id FROM freed f"
        "              JOIN loyalty.tier_groups g ON g.program = f.program AND g.point_type = f.point_type AND g.model = 'cyclic') r"
        "     WHERE s.member = r.member AND s.program = r.program AND s.tier_group = r.external_id)"
        " UPDATE loyalty.lots l SET held = l.held - f.amount FROM freed f"
        "  WHERE l.member = f.member AND l.program = f.program AND l.point_type = f.point_type AND l.seq = f.lot",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTARRAYOID,
         TEXTARRAYOID});
    query.run({range.after_member, range.after_program, range.after_point_type, range.to_member, range.to_program,
               range.to_point_type, clocks.now, clocks.wall, locked.members, locked.programs},
              true);
}

// Where the calendar of a tier group has anything due before, the review books the expirations in their order.
std::int64_t expire_lots(const Range& range, const Members& locked, const Clocks& clocks) {
    static Query query(
        "WITH due AS MATERIALIZED ("
        "    SELECT l.member, l.program, l.point_type, l.seq AS lot, l.ctid AS tid, l.held, l.remaining - l.held AS amount, l.expires_at,"
        "           b.seq + row_number() OVER account AS seq,"
        "           b.total - sum(l.remaining - l.held) OVER account AS balance_after"
        "      FROM unnest($8::text[], $9::text[]) locked (member, program)"
        "      JOIN loyalty.lots l ON l.member = locked.member AND l.program = locked.program"
        "      JOIN loyalty.balances b ON b.member = l.member AND b.program = l.program AND b.point_type = l.point_type"
        "     WHERE " LOYALTY_IN_RANGE("l") " AND l.open AND l.expires_at <= $7 AND l.remaining > l.held"
        "       AND NOT EXISTS (SELECT FROM loyalty.tier_groups g"
        "                         JOIN loyalty.member_tiers s ON s.member = l.member AND s.program = l.program AND s.tier_group = g.external_id"
        "                        WHERE g.program = l.program AND g.point_type = l.point_type AND s.due_at <= $7)"
        "    WINDOW account AS (PARTITION BY l.member, l.program, l.point_type ORDER BY l.expires_at, l.active_from, l.seq"
        "                       ROWS UNBOUNDED PRECEDING))"
        ", emptied AS ("
        "    UPDATE loyalty.lots l SET remaining = due.held FROM due WHERE l.ctid = due.tid)"
        ", lowered AS ("
        "    UPDATE loyalty.balances b SET seq = s.seq, total = s.total, updated_at = $7"
        "      FROM (SELECT member, program, point_type, max(seq) AS seq, min(balance_after) AS total FROM due GROUP BY 1, 2, 3) s"
        "     WHERE b.member = s.member AND b.program = s.program AND b.point_type = s.point_type)"
        " INSERT INTO loyalty.transactions (member, program, point_type, seq, type, value, balance_before, balance_after, created_at, booked_at, lot)"
        " SELECT member, program, point_type, seq, 'expiration', -amount, balance_after + amount, balance_after, expires_at, $7, lot FROM due"
        "  ORDER BY member, program, point_type, seq",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTARRAYOID, TEXTARRAYOID});
    const Rows rows = query.run({range.after_member, range.after_program, range.after_point_type, range.to_member,
                                 range.to_program, range.to_point_type, clocks.now, locked.members, locked.programs},
                                true);
    return static_cast<std::int64_t>(rows.size());
}

// The range up to its account of this number, and the rest.
std::pair<Range, Range> cut(const Range& range, std::int64_t number) {
    static Query query("SELECT b.member, b.program, b.point_type FROM loyalty.balances b WHERE " LOYALTY_IN_RANGE(
                           "b") " ORDER BY b.member, b.program, b.point_type OFFSET $7 LIMIT 1",
                       {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID});
    const Rows rows = query.run({range.after_member, range.after_program, range.after_point_type, range.to_member,
                                 range.to_program, range.to_point_type, bigint_argument(number - 1)},
                                true);
    std::pair<Range, Range> parts(range, range);
    parts.first.to_member = parts.second.after_member = copy_at(rows, 1);
    parts.first.to_program = parts.second.after_program = copy_at(rows, 2);
    parts.first.to_point_type = parts.second.after_point_type = copy_at(rows, 3);
    parts.first.accounts = number;
    parts.second.accounts = range.accounts - number;
    return parts;
}

#undef LOYALTY_IN_RANGE

void record(const Trouble& trouble, const Range& range) {
    static Query query(
        "INSERT INTO loyalty.job_errors AS e (member, program, job, sqlstate, message, detail, first_failed_at, last_failed_at)"
        " SELECT $1, $2, p.job, $3, $4, nullif($5, ''), clock.moment, clock.moment"
        "   FROM loyalty.job_progress p CROSS JOIN (SELECT clock_timestamp() AS moment) clock WHERE p.job = 'expire_points'"
        " ON CONFLICT (member, program, job) DO UPDATE"
        " SET sqlstate = excluded.sqlstate, message = excluded.message, detail = excluded.detail,"
        "     last_failed_at = excluded.last_failed_at,"
        "     failures = e.failures + (e.last_failed_at < (SELECT started_at FROM loyalty.job_progress WHERE job = 'expire_points'))::integer",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID});
    query.run({range.to_member, range.to_program, text_argument(trouble.sqlstate), text_argument(trouble.message),
               text_argument(trouble.detail)},
              true);
}

struct Outcome {
    std::int64_t expired = 0;
    std::int64_t skipped = 0;

    Outcome& operator+=(const Outcome& other) {
        expired += other.expired;
        skipped += other.skipped;
        return *this;
    }
};

// Where booking for a range fails, its halves are tried, down to the account whose fault it is: that one is skipped.
Outcome expire(const Range& range, const Clocks& clocks) {
    Outcome outcome;
    const auto trouble = attempt([&] {
        if (const auto locked = lock_members(range, clocks)) {
            end_holds(range, *locked, clocks);
            outcome.expired = expire_lots(range, *locked, clocks);
        }
    });
    if (!trouble) return outcome;
    if (range.accounts == 1) {
        record(*trouble, range);
        return {0, 1};
    }
    const auto parts = cut(range, range.accounts / 2);
    outcome = expire(parts.first, clocks);
    outcome += expire(parts.second, clocks);
    return outcome;
}

void check_batch_size(int size) {
    constexpr int largest = 1'000'000;
    if (size >= 1 && size <= largest) return;
    throw Error(sqlstate::value_out_of_range, "the batch size is out of range", "It is " + std::to_string(size) + ".",
                "It is 1 to " + std::to_string(largest) + " accounts.");
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_expire_batch);
Datum loyalty_expire_batch(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const int batch_size = PG_GETARG_INT32(0);
        check_batch_size(batch_size);
        require_read_committed();
        const AsUser owner(schema_owner());
        const Spi connection;
        take_job_lock();
        if (PG_GETARG_BOOL(1)) begin_run();
        const Range range = next_range(batch_size);
        fcinfo->isnull = range.accounts == 0;
        if (range.accounts == 0) {
            end_run();
            return Datum{0};
        }
        const Outcome outcome = expire(range, Clocks());
        end_batch(range, outcome.expired, outcome.skipped);
        return Int64GetDatum(outcome.expired);
    });
}
}
