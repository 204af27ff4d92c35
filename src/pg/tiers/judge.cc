// Tiers and bookings: what is due comes before a booking, what follows from it behind.
#include <algorithm>

#include "pg/ledger/around_booking.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/keeping.hpp"
#include "pg/server/owner.hpp"
#include "pg/tiers/tiers.hpp"

namespace loyalty::pg {

using namespace tiers;

namespace {

// The group that a point type is bound to, and where a member stands in it.
struct Bound {
    TierGroup group;
    Standing standing;
    Units points = 0;
    std::int64_t seq = 0;
    TimestampTz calendar_due = DT_NOEND;  // review, reset, fall, or the end of what was given
    TimestampTz due_at = DT_NOEND;
};

std::optional<Bound> read_bound(const AccountKey& key, const KeyArguments& arguments, int scale) {
    static Query query(
        "SELECT g.external_id, g.model, g.upgrade_at_once, g.fall_on_reversal, r.tiers, r.thresholds,"
        "       " + standing_columns + ", s.points, s.seq,"
        "       least(s.review_at, s.reset_at, s.falls_at, s.given_until), s.due_at"
        "  FROM loyalty.tier_groups g"
        "  JOIN loyalty.member_tiers s ON s.member = $1 AND s.program = g.program AND s.tier_group = g.external_id"
        " CROSS JOIN LATERAL ("
        "       SELECT array_agg(x.external_id::text ORDER BY x.position) AS tiers,"
        "              array_agg((x.threshold * power(10::numeric, $4))::bigint ORDER BY x.position) AS thresholds"
        "         FROM loyalty.tiers x WHERE x.program = g.program AND x.tier_group = g.external_id) r"
        " WHERE g.program = $2 AND g.point_type = $3",
        {TEXTOID, TEXTOID, TEXTOID, INT4OID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({arguments.member, arguments.program, arguments.point_type, integer_argument(scale)});
    if (rows.size() == 0) return std::nullopt;
    Bound bound;
    TierGroup& group = bound.group;
    group.program = key.program;
    group.scale = scale;
    ColumnsInTurn column(rows);
    group.id = column.text();
    group.model = find_tier_model(column.text());
    group.rules.upgrade_at_once = column.boolean();
    group.fall_on_reversal = column.boolean();
    group.tiers = column.texts();
    group.ladder.thresholds = column.bigints();
    require_ladder(group);
    bound.standing = read_standing(column, group);
    bound.points = column.units(scale);
    bound.seq = column.bigint();
    bound.calendar_due = column.timestamp();
    bound.due_at = column.timestamp();
    column.end();
    return bound;
}

// Lots that will become active, and the next moment at which one does or expires.
struct Ahead {
    Units waiting = 0;
    TimestampTz next = DT_NOEND;
};

Ahead read_ahead(const KeyArguments& key, TimestampTz now, int scale) {
    static Query query(
        "SELECT coalesce(sum(remaining) FILTER (WHERE active_from > $4), 0),"
        "       coalesce(min(CASE WHEN active_from > $4 THEN active_from ELSE expires_at END), 'infinity')"
        "  FROM loyalty.lots"
        " WHERE member = $1 AND program = $2 AND point_type = $3 AND open AND (active_from > $4 OR expires_at > $4)",
        {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({key.member, key.program, key.point_type, timestamp_argument(now)});
    ColumnsInTurn columns(rows);
    return {columns.units(scale), columns.timestamp()};
}

void write_standing(const AccountKey& key, const Bound& bound, const std::optional<TierChange>& change) {
    static Query query(
        "UPDATE loyalty.member_tiers SET tier = $4, earned_tier = $5, points = $6, due_at = $7, seq = $8,"
        "    since = coalesce($9, since)"
        " WHERE member = $1 AND program = $2 AND tier_group = $3",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, NUMERICOID, TIMESTAMPTZOID, INT8OID, TIMESTAMPTZOID});
    const TierGroup& group = bound.group;
    const Keeping keeping;
    query.run({text_argument(key.member), text_argument(key.program), text_argument(group.id),
               optional_text_argument(group.name(bound.standing.current)),
               optional_text_argument(group.name(bound.standing.earned)), units_argument(bound.points, group.scale),
               timestamp_argument(bound.due_at), bigint_argument(change ? change->seq : bound.seq),
               optional_timestamp_argument(change ? std::optional(change->at) : std::nullopt)},
              true);
    if (change) write_changes(group, {*change});
}

void judge_bound(const AccountKey& key, const KeyArguments& arguments, const Terms& terms,
                 const ledger::Account& account, TimestampTz now) {
    auto bound = read_bound(key, arguments, terms.scale);
    if (!bound) return;
    const TierGroup& group = bound->group;
    const Standing before = bound->standing;
    const Units points_before = bound->points;
    const TimestampTz due_before = bound->due_at;
    Standing& standing = bound->standing;
    if (group.model->for_life) {
        const Units change = lifetime_change(account);
        bound->points += change;
        standing = judge_cumulative(group.ladder, bound->points, standing, group.fall_on_reversal && change < 0);
    } else if (group.rules.upgrade_at_once) {
        const Ahead ahead = read_ahead(arguments, now, terms.scale);
        const Rank by_points = group.ladder.reached(account.total - ahead.waiting);
        standing.current = std::max({standing.earned, standing.kept, by_points, standing.given});
        bound->due_at = std::min(bound->calendar_due, ahead.next);
    }
    if (terms.member_removed) standing.current = none;
    std::optional<TierChange> change;
    if (standing.current != before.current) {
        change = {.member = key.member,
                  .from = group.name(before.current),
                  .to = group.name(standing.current),
                  .at = now,
                  .cause = Cause::points,
                  .seq = bound->seq + 1,
                  .reason = std::nullopt};
    } else if (standing.earned == before.earned && bound->points == points_before && bound->due_at == due_before) {
        return;
    }
    write_standing(key, *bound, change);
}

}  // namespace

void review_before_booking(const AccountKey& key, const KeyArguments& arguments, TimestampTz now) {
    static Query query(
        "SELECT g.external_id, s.member IS NULL"
        "  FROM loyalty.tier_groups g"
        "  LEFT JOIN loyalty.member_tiers s ON s.member = $1 AND s.program = g.program AND s.tier_group = g.external_id"
        " WHERE g.program = $2 AND g.point_type = $3 AND (s.member IS NULL OR s.due_at <= $4)",
        {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({arguments.member, arguments.program, arguments.point_type, timestamp_argument(now)});
    if (rows.size() == 0) return;
    ColumnsInTurn columns(rows);
    const std::string group = columns.text();
    const bool is_missing = columns.boolean();
    if (is_missing) make_standings(key.program, {key.member});
    review_members(load_tier_group(key.program, group), {key.member}, now, Cause::points);
}

void judge_after_booking(const AccountKey& key, const KeyArguments& arguments, const Terms& terms,
                         const ledger::Account& account, TimestampTz now) {
    if (terms.qualifies) judge_bound(key, arguments, terms, account, now);
    if (terms.judges_dynamic && !terms.member_removed) judge_members(key.program, {key.member}, now, current_caller());
}

void judge_after_bookings(const std::string& program, const std::vector<std::string>& members, TimestampTz now) {
    judge_members(program, members, now, current_caller());
}

}  // namespace loyalty::pg
