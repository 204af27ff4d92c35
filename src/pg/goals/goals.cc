#include "pg/goals/goals.hpp"

#include <map>

#include "pg/events/outbox.hpp"
#include "pg/ledger/around_booking.hpp"
#include "pg/ledger/book.hpp"
#include "pg/members/lock.hpp"
#include "pg/members/visible.hpp"
#include "pg/promo_codes/verbs.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/jsonb.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

// By one booking; what is left follows with the next.
constexpr std::int32_t most_claims_at_once = 1000;

struct Goal {
    std::string program, id, point_type;
    ledger::Units points = 0;
    int scale = 0;
    bool is_active = false;
    std::optional<std::string> pool, reward_type, text;
    ledger::Units reward = 0;
    int reward_scale = 0;
};

const std::string select_goal =
    "SELECT g.external_id, g.point_type, t.scale::integer, g.points, g.active, g.promo_code_pool, g.reward_text,"
    "       g.reward_point_type, r.scale::integer, g.reward_points"
    "  FROM loyalty.goals g"
    "  JOIN loyalty.point_types t ON t.program = g.program AND t.external_id = g.point_type"
    "  LEFT JOIN loyalty.point_types r ON r.program = g.program AND r.external_id = g.reward_point_type";

std::optional<Goal> read_goal(const std::string& program, const Rows& rows) {
    if (rows.size() == 0) return std::nullopt;
    Goal goal;
    goal.program = program;
    ColumnsInTurn column(rows);
    goal.id = column.text();
    goal.point_type = column.text();
    goal.scale = column.integer();
    goal.points = column.units(goal.scale);
    goal.is_active = column.boolean();
    goal.pool = column.optional_text();
    goal.text = column.optional_text();
    goal.reward_type = column.optional_text();
    if (!goal.reward_type) return goal;
    goal.reward_scale = column.integer();
    goal.reward = column.units(goal.reward_scale);
    column.end();
    return goal;
}

std::optional<Goal> find_goal(const std::string& program, const std::string& id) {
    static Query query(select_goal + " WHERE g.program = $1 AND g.external_id = $2", {TEXTOID, TEXTOID});
    const FreshSnapshot snapshot;
    return read_goal(program, query.run({text_argument(program), text_argument(id)}));
}

std::optional<Goal> find_automatic_goal(const AccountKey& key) {
    static Query query(select_goal + " WHERE g.program = $1 AND g.point_type = $2 AND g.automatic AND g.active",
                       {TEXTOID, TEXTOID});
    const FreshSnapshot snapshot;
    return read_goal(key.program, query.run({text_argument(key.program), text_argument(key.point_type)}));
}

// What can be spent now. What a hold that has timed out reserved is free again with the next booking.
ledger::Units active_points(const AccountKey& key, int scale) {
    static Query query(
        "SELECT coalesce(sum(remaining - held), 0) FROM loyalty.lots"
        " WHERE member = $1 AND program = $2 AND point_type = $3 AND open AND active_from <= $4 AND expires_at > $4",
        {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({text_argument(key.member), text_argument(key.program), text_argument(key.point_type),
                                 timestamp_argument(now())});
    return units_at(rows, 0, 1, scale);
}

std::int32_t claims_so_far(const std::string& member, const Goal& goal) {
    static Query query(
        "SELECT coalesce(max(number), 0) FROM loyalty.goal_claims WHERE member = $1 AND program = $2 AND goal = $3",
        {TEXTOID, TEXTOID, TEXTOID});
    const FreshSnapshot snapshot;
    return query.run({text_argument(member), text_argument(goal.program), text_argument(goal.id)}).integer(0, 1);
}

// ---------------------------------------------------------------------------------------------------------------------
// One claim

struct Claim {
    std::int32_t number = 0;
    std::int64_t seq = 0;
    std::optional<std::string> promo_code;
    std::optional<std::int64_t> reward_seq;
};

Posting posting_of(const std::string& member, const Goal& goal, const std::string& point_type, const char* type) {
    Posting posting;
    posting.key = {member, goal.program, point_type};
    posting.type = type;
    posting.source_type = "goal";
    posting.source = goal.id;
    posting.by_owner = true;
    return posting;
}

void store(const std::string& member, const Goal& goal, const Claim& claim) {
    static Query query(
        "INSERT INTO loyalty.goal_claims (member, program, goal, number, claimed_at, point_type, points, seq,"
        "    promo_code,"
        "                                 reward_point_type, reward_points, reward_seq, reward_text)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        {TEXTOID, TEXTOID, TEXTOID, INT4OID, TIMESTAMPTZOID, TEXTOID, NUMERICOID, INT8OID, TEXTOID, TEXTOID, NUMERICOID,
         INT8OID, TEXTOID});
    query.run({text_argument(member), text_argument(goal.program), text_argument(goal.id),
               integer_argument(claim.number), timestamp_argument(now()), text_argument(goal.point_type),
               units_argument(goal.points, goal.scale), bigint_argument(claim.seq),
               optional_text_argument(claim.promo_code), optional_text_argument(goal.reward_type),
               goal.reward_type ? units_argument(goal.reward, goal.reward_scale) : null_argument(),
               optional_bigint_argument(claim.reward_seq), optional_text_argument(goal.text)},
              true);
}

void write_text(JsonbWriter& out, std::string_view name, const std::optional<std::string>& text) {
    if (!text) return;
    out.key(name);
    out.text(out.keep(*text));
}

void write_number(JsonbWriter& out, std::string_view name, std::int64_t units, int scale) {
    out.key(name);
    out.number(units, scale);
}

void tell_claim(const std::string& member, const Goal& goal, const Claim& claim) {
    JsonbWriter data;
    data.begin_object();
    write_text(data, "goal", goal.id);
    write_number(data, "number", claim.number, 0);
    write_text(data, "point_type", goal.point_type);
    write_number(data, "points", goal.points, goal.scale);
    write_text(data, "promo_code", claim.promo_code);
    write_text(data, "pool", goal.pool);
    write_text(data, "reward_point_type", goal.reward_type);
    if (goal.reward_type) write_number(data, "reward_points", goal.reward, goal.reward_scale);
    write_text(data, "text", goal.text);
    data.end_object();
    add_event(goal.program, "goal_reached", member, data.take());
}

void tell_waiting(const std::string& member, const Goal& goal, const char* reason) {
    JsonbWriter data;
    data.begin_object();
    write_text(data, "goal", goal.id);
    write_text(data, "point_type", goal.point_type);
    write_text(data, "reason", std::string(reason));
    data.end_object();
    add_event(goal.program, "goal_not_given", member, data.take());
}

// The member is locked, and has the points. Nothing where the pool has no code; then nothing was done.
std::optional<Claim> claim_once(const std::string& member, const Goal& goal, std::int32_t number) {
    Claim claim;
    claim.number = number;
    if (goal.pool) {
        const PromoCodePool pool = find_pool(goal.program, *goal.pool);
        EventBatch::flush();
        claim.promo_code = give_promo_code(pool, member);
        if (!claim.promo_code) return std::nullopt;
    }
    Posting redemption = posting_of(member, goal, goal.point_type, "redemption");
    redemption.value = numeric_datum(-goal.points, goal.scale);
    claim.seq = post(redemption).entry.seq;
    if (goal.reward_type) {
        Posting reward = posting_of(member, goal, *goal.reward_type, "accrual");
        reward.value = numeric_datum(goal.reward, goal.reward_scale);
        claim.reward_seq = post(reward).entry.seq;
    }
    store(member, goal, claim);
    tell_claim(member, goal, claim);
    return claim;
}

// ---------------------------------------------------------------------------------------------------------------------
// A claim by name

Datum answer_of(const std::string& member, const Goal& goal, std::int32_t number, bool repeated, MemoryContext into) {
    static Query query(
        "SELECT jsonb_strip_nulls(to_jsonb(c) - 'seq' - 'reward_seq')"
        "       || jsonb_build_object('transaction', t.id, 'repeated', $5)"
        "  FROM loyalty.goal_claims c"
        "  LEFT JOIN loyalty.all_transactions t ON t.member = $1 AND t.program = $2 AND t.point_type = c.point_type"
        "      AND t.seq = c.seq"
        " WHERE c.member = $1 AND c.program = $2 AND c.goal = $3 AND c.number = $4",
        {TEXTOID, TEXTOID, TEXTOID, INT4OID, BOOLOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({text_argument(member), text_argument(goal.program), text_argument(goal.id),
                                 integer_argument(number), boolean_argument(repeated)});
    return copy_out(rows.datum(0, 1, JSONBOID), into);
}

void require_next(const Goal& goal, std::int32_t number, std::int32_t so_far) {
    if (number == so_far + 1) return;
    throw Error(sqlstate::not_claimable,
                "goal \"" + goal.id + "\" cannot be claimed as number " + std::to_string(number),
                "The member has claimed it " + std::to_string(so_far) + " times.",
                "The next number is " + std::to_string(so_far + 1) + ".");
}

Datum claim_by_name(const std::string& member, const Goal& goal, std::optional<std::int32_t> number,
                    MemoryContext into) {
    lock_members(goal.program, {member});
    const std::int32_t so_far = claims_so_far(member, goal);
    if (number && *number > 0 && *number <= so_far) return answer_of(member, goal, *number, true, into);
    require_next(goal, number.value_or(so_far + 1), so_far);
    if (!goal.is_active) {
        throw Error(sqlstate::not_claimable, "goal \"" + goal.id + "\" is not active", {},
                    "Activate it with UPDATE loyalty.goals SET active = true.");
    }
    if (goal.pool) check_validity(find_pool(goal.program, *goal.pool));
    if (!claim_once(member, goal, so_far + 1)) {
        throw Error(sqlstate::no_free_promo_code, "promo-code pool \"" + *goal.pool + "\" has no free code", {},
                    "Make some with loyalty_generate_promo_codes().");
    }
    return answer_of(member, goal, so_far + 1, false, into);
}

}  // namespace

void claim_automatic_goal(const AccountKey& key, const Terms& terms) {
    const TimestampTz present = now();
    if (!terms.program_active || terms.member_removed || !terms.type_usable(present)) return;
    const auto goal = find_automatic_goal(key);
    if (!goal) return;
    ledger::Units active = active_points(key, goal->scale);
    if (active < goal->points) return;
    if (goal->reward_type && !ledger_terms(key.program, *goal->reward_type).type_usable(present))
        return tell_waiting(key.member, *goal, "point_type_inactive");
    const std::int32_t so_far = claims_so_far(key.member, *goal);
    for (std::int32_t i = 1; i <= most_claims_at_once && active >= goal->points; i++) {
        if (!claim_once(key.member, *goal, so_far + i)) return tell_waiting(key.member, *goal, "no_free_promo_code");
        active -= goal->points;
    }
}

void claim_goals_in_reach(const std::string& program, const std::vector<std::string>& members) {
    static Query query(
        "SELECT k.member, g.point_type::text, m.removed_at IS NOT NULL"
        "  FROM loyalty.goals g CROSS JOIN unnest($2::text[]) k (member)"
        "  JOIN loyalty.members m ON m.member = k.member AND m.program = $1"
        " WHERE g.program = $1 AND g.automatic AND g.active"
        "   AND (SELECT sum(l.remaining - l.held) FROM loyalty.lots l"
        "         WHERE l.member = k.member AND l.program = $1 AND l.point_type = g.point_type AND l.open"
        "           AND l.active_from <= $3 AND l.expires_at > $3) >= g.points"
        " ORDER BY k.member, g.point_type",
        {TEXTOID, TEXTARRAYOID, TIMESTAMPTZOID});
    const Rows rows = [&] {
        const FreshSnapshot snapshot;
        return query.run({text_argument(program), texts_argument(members), timestamp_argument(now())});
    }();
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        const AccountKey key{columns.text(), program, columns.text()};
        Terms terms = ledger_terms(program, key.point_type);
        terms.member_removed = columns.boolean();
        claim_automatic_goal(key, terms);
    }
}

void claim_goals_in_reach(std::span<const JobKey> keys) {
    std::map<std::string, std::vector<std::string>> members;
    for (const auto& key : keys) {
        auto& of_program = members[key.program];
        if (ledger_terms(key.program, key.part).has_goal && (of_program.empty() || of_program.back() != key.member))
            of_program.push_back(key.member);
    }
    for (const auto& [program, concerned] : members) {
        if (!concerned.empty()) claim_goals_in_reach(program, concerned);
    }
}

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_claim);
Datum loyalty_claim(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const std::string member = given.required(0, "member"), program = given.required(1, "program"),
                          id = given.required(2, "goal");
        const auto number = given.integer(3);
        const MemoryContext into = CurrentMemoryContext;
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        require_member(member, program);
        const auto goal = find_goal(program, id);
        if (!goal) {
            throw loyalty::Error(loyalty::sqlstate::unknown_goal,
                                 "goal \"" + id + "\" of program \"" + program + "\" does not exist", {},
                                 "Name one of loyalty.goals.");
        }
        return claim_by_name(member, *goal, number, into);
    });
}
}
