#include "pg/enrolment/enrolment.hpp"

#include "pg/events/outbox.hpp"
#include "pg/goals/goals.hpp"
#include "pg/ledger/events.hpp"
#include "pg/ledger/holds.hpp"
#include "pg/members/lock.hpp"
#include "pg/members/sql.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/days.hpp"
#include "pg/server/guarded_writing.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/tiers/tiers.hpp"

namespace loyalty::pg {

namespace {

void grant_initial_balances(const std::string& program, const std::vector<std::string>& members, TimestampTz now) {
    static Query query(
        "WITH granted AS MATERIALIZED ("
        "    SELECT a.member, t.external_id AS point_type, round(t.initial_balance, t.scale) AS value,"
        "           loyalty_internal.expires_at($3, t.validity_count, t.validity_unit, p.time_zone) AS expires_at"
        "      FROM loyalty.point_types t JOIN loyalty.programs p ON p.external_id = t.program"
        "          CROSS JOIN unnest($2::text[]) a (member)"
        "     WHERE t.program = $1 AND t.kind = 'standard' AND t.initial_balance > 0"
        "       AND t.active AND $3 < loyalty_internal.deactivation(t.deactivates_at, t.deactivates_on, p.time_zone))"
        ", account AS ("
        "    INSERT INTO loyalty.balances (member, program, point_type, seq, total, updated_at)"
        "    SELECT member, $1, point_type, 1, value, $3 FROM granted)"
        ", lot AS ("
        "    INSERT INTO loyalty.lots (member, program, point_type, seq, amount, remaining, active_from, expires_at)"
        "    SELECT member, $1, point_type, 1, value, value, $3, expires_at FROM granted)"
        ", booked AS ("
        "    INSERT INTO loyalty.transactions (member, program, point_type, seq, type, value, balance_before,"
        "        balance_after, created_at,"
        "                                      booked_at, active_from, expires_at)"
        "    SELECT member, $1, point_type, 1, 'initial', value, 0, value, $3, $3, $3, expires_at FROM granted"
        "    RETURNING *)" + tell_of_booked,
        {TEXTOID, TEXTARRAYOID, TIMESTAMPTZOID});
    query.run_for(members.size(), {text_argument(program), texts_argument(members), timestamp_argument(now)}, true);
}

void tell_enrolled(const std::string& program, const std::vector<std::string>& members, bool resumed) {
    static Query query(
        "INSERT INTO loyalty.events (program, type, profile, data)"
        " SELECT $1, 'member_enrolled', m.member, jsonb_build_object('registered_at', m.registered_at, 'resumed', $3)"
        "   FROM unnest($2::text[]) k (member) CROSS JOIN " + each_member + " m ORDER BY m.member",
        {TEXTOID, TEXTARRAYOID, BOOLOID});
    query.run_for(members.size(), {text_argument(program), texts_argument(members), boolean_argument(resumed)}, true);
}

// What is due happened before the members came or went, so it comes first; then their tiers are what they are from now
// on.
void settle_tiers(const std::string& program, const std::vector<std::string>& members, TimestampTz now,
                  tiers::Cause cause) {
    bool has_predicates = false;
    for (const auto& group : load_tier_groups(program, std::nullopt)) {
        has_predicates = has_predicates || group.has_predicates;
        if (group.model->by_points) review_members(group, members, now, cause);
    }
    if (has_predicates) judge_members(program, members, now, current_caller(), cause);
}

// What enrolling gives: those who are members for the first time, and those who come back.
void settle_in(const std::string& program, const std::vector<std::string>& fresh, const std::vector<std::string>& back,
               TimestampTz now) {
    if (!fresh.empty()) {
        tell_enrolled(program, fresh, false);
        grant_initial_balances(program, fresh, now);
        claim_goals_in_reach(program, fresh);
    }
    if (!back.empty()) tell_enrolled(program, back, true);
    std::vector<std::string> all = fresh;
    all.insert(all.end(), back.begin(), back.end());
    make_standings(program, all);
    settle_tiers(program, all, now, tiers::Cause::enrolment);
}

void require_registration(const std::string& key, TimestampTz registered, TimestampTz now) {
    if (!TIMESTAMP_NOT_FINITE(registered) && has_year_of_two_digits(registered)) {
        throw Error(sqlstate::registration_unreadable,
                    "the registration date of \"" + key + "\" is in a year of two digits", {}, "Write years in full.");
    }
    if (!TIMESTAMP_NOT_FINITE(registered) && registered <= now) return;
    throw Error(sqlstate::registration_in_future, "the registration date of \"" + key + "\" is in the future", {},
                "Periods of tiers count from it.");
}

}  // namespace

Enrolled enrol(const ProfileDatabase& profiles, const std::vector<std::string>& members,
               const std::vector<TimestampTz>& registered, TimestampTz now) {
    static Query query(
        "INSERT INTO loyalty.members AS m (member, program, registered_at, enrolled_at)"
        " SELECT a.member, $1, a.registered_at, $4 FROM unnest($2::text[], $3::timestamptz[]) a (member, registered_at)"
        "     ORDER BY a.member"
        " ON CONFLICT (member, program) DO UPDATE SET enrolled_at = $4, removed_at = NULL"
        "     WHERE m.removed_at IS NOT NULL"
        // Of a row that was there before, xmax is the lock that this statement took.
        " RETURNING m.member, m.xmax = 0",
        {TEXTOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZOID});
    prepare_outbox();
    const Rows rows = query.run_for(members.size(),
                                    {text_argument(profiles.program), texts_argument(members),
                                     timestamps_argument(registered), timestamp_argument(now)},
                                    true);
    std::vector<std::string> fresh, back;
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        std::string member = columns.text();
        (columns.boolean() ? fresh : back).push_back(std::move(member));
    }
    Enrolled result;
    result.enrolled = static_cast<std::int64_t>(fresh.size());
    result.resumed = static_cast<std::int64_t>(back.size());
    result.unchanged = static_cast<std::int64_t>(members.size() - rows.size());
    if (rows.size() > 0) settle_in(profiles.program, fresh, back, now);
    return result;
}

void require_profiles(const ProfileDatabase& profiles, const std::vector<std::string>& members, Oid caller) {
    const auto found = find_profiles(profiles.source(), members, caller);
    for (std::size_t i = 0; i < members.size(); i++) {
        if (found[i] == members[i]) continue;
        throw Error(sqlstate::unknown_profile, "\"" + members[i] + "\" is not in the profile database",
                    found[i] ? "The key of that profile is \"" + *found[i] + "\"." : "",
                    "Give keys of profile database \"" + profiles.external_id + "\".");
    }
}

void welcome(const ProfileDatabase& profiles, const std::vector<std::string>& members,
             const std::vector<TimestampTz>& registered, TimestampTz now) {
    for (std::size_t i = 0; i < members.size(); i++) require_registration(members[i], registered[i], now);
    settle_in(profiles.program, members, {}, now);
}

EnrolledOne enrol_one(const ProfileDatabase& profiles, const std::string& key,
                      const std::optional<TimestampTz>& registered, Oid caller) {
    const auto member = find_profile_key(profiles, key, caller);
    if (!member) {
        throw Error(sqlstate::unknown_profile, "\"" + key + "\" is not in the profile database", {},
                    "Give a key of profile database \"" + profiles.external_id + "\".");
    }
    const TimestampTz moment = now();
    if (registered) require_registration(key, *registered, moment);
    return {*member, enrol(profiles, {*member}, {registered.value_or(moment)}, moment)};
}

namespace {

// What waits for the status of an order will never be earned.
void drop_waiting_accruals(const std::string& program, const std::vector<std::string>& members) {
    static Query query(
        "WITH waiting AS MATERIALIZED ("
        "    SELECT a.buyer, a.order_id, a.number, a.member, a.point_type, a.points - a.dropped AS amount"
        "      FROM unnest($2::text[]) k (member)"
        "      JOIN loyalty.order_accruals a ON a.buyer = 'm:' || k.member AND a.program = $1 AND a.state = 'waiting')"
        ", dropped AS ("
        "    UPDATE loyalty.order_accruals a SET state = 'dropped', dropped = a.points FROM waiting w"
        "     WHERE a.buyer = w.buyer AND a.program = $1 AND a.order_id = w.order_id AND a.number = w.number)"
        " INSERT INTO loyalty.events (program, type, profile, data)"
        " SELECT $1, 'accrual_dropped', member,"
        "        jsonb_build_object('order', order_id, 'points', point_type, 'amount', sum(amount), 'reason',"
        "            'member_removed')"
        "   FROM waiting GROUP BY member, order_id, point_type ORDER BY member, order_id, point_type",
        {TEXTOID, TEXTARRAYOID});
    const GuardedWriting writing;
    query.run_for(members.size(), {text_argument(program), texts_argument(members)}, true);
}

}  // namespace

std::int64_t remove(const std::string& program, const std::vector<std::string>& members, TimestampTz now) {
    static Query holds(
        "SELECT h.member, h.id, h.point_type"
        "  FROM unnest($2::text[]) k (member) JOIN loyalty.holds h ON h.member = k.member AND h.program = $1"
        "      AND h.state = 'open' ORDER BY h.member, h.created_at, h.id",
        {TEXTOID, TEXTARRAYOID});
    static Query query(
        "WITH ended AS ("
        "    UPDATE loyalty.members m SET removed_at = $3 FROM unnest($2::text[]) k (member)"
        "     WHERE m.member = k.member AND m.program = $1 AND m.removed_at IS NULL RETURNING m.member)"
        ", told AS ("
        "    INSERT INTO loyalty.events (program, type, profile) SELECT $1, 'member_removed', member"
        "        FROM ended ORDER BY member)"
        " SELECT member FROM ended",
        {TEXTOID, TEXTARRAYOID, TIMESTAMPTZOID});
    lock_members(program, members);
    make_standings(program, members);
    settle_tiers(program, members, now, tiers::Cause::points);
    const Rows open = holds.run_for(members.size(), {text_argument(program), texts_argument(members)}, true);
    for (std::uint64_t row = 0; row < open.size(); row++) {
        ColumnsInTurn columns(open, row);
        std::string member = columns.text();
        const Uuid hold = columns.uuid();
        roll_back({std::move(member), program, columns.text()}, hold);
    }
    drop_waiting_accruals(program, members);
    const auto ended =
        query.run_for(members.size(), {text_argument(program), texts_argument(members), timestamp_argument(now)}, true)
            .size();
    settle_tiers(program, members, now, tiers::Cause::removal);
    return static_cast<std::int64_t>(ended);
}

}  // namespace loyalty::pg
