#include "pg/orders/usage.hpp"

#include "core/calculate/candidates.hpp"
#include "core/calculate/used.hpp"

#include <algorithm>

#include "pg/server/clock.hpp"
#include "pg/server/guarded_writing.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/values.hpp"

namespace loyalty::pg {

namespace {

void lock_counters(const Argument& program, const Argument& promotions) {
    static Query make(
        "INSERT INTO loyalty.promotion_counters (program, promotion)"
        " SELECT $1, p.promotion FROM unnest($2) AS p (promotion)"
        "  WHERE NOT EXISTS (SELECT FROM loyalty.promotion_counters c"
        "      WHERE c.program = $1 AND c.promotion = p.promotion)"
        "  ORDER BY p.promotion ON CONFLICT DO NOTHING",
        {TEXTOID, TEXTARRAYOID});
    static Query lock(
        "SELECT FROM loyalty.promotion_counters WHERE program = $1 AND promotion = ANY ($2)"
        " ORDER BY promotion FOR NO KEY UPDATE",
        {TEXTOID, TEXTARRAYOID});
    const GuardedWriting writing;
    make.run({program, promotions}, true);
    lock.run({program, promotions}, true);
}

// What is left of each of these promotions to the buyer, in their sequence.
std::vector<Allowance> read_allowances(const std::vector<Index>& limited, const Buyer& buyer, const Program& program,
                                       bool binding) {
    static Query query(
        "SELECT coalesce(c.uses, 0), coalesce(c.money, 0), coalesce(c.points, 0),"
        "       (SELECT count(*) FROM loyalty.promotion_uses u"
        "         WHERE u.buyer = $3 AND u.program = $1 AND u.promotion = p.promotion AND u.freed_at IS NULL"
        "           AND (p.every = '' OR u.used_at >= date_trunc(p.every, $5, $6)))"
        "  FROM unnest($2, $4) WITH ORDINALITY AS p (promotion, every, number)"
        "  LEFT JOIN loyalty.promotion_counters c ON c.program = $1 AND c.promotion = p.promotion"
        " ORDER BY p.number",
        {TEXTOID, TEXTARRAYOID, TEXTOID, TEXTARRAYOID, TIMESTAMPTZOID, TEXTOID});
    if (limited.empty()) return {};
    std::vector<std::string> ids, periods;
    for (const Index promotion : limited) {
        ids.push_back(program.promotions[promotion].id);
        periods.push_back(program.promotions[promotion].usage_limits.max_uses_per_member_every);
    }
    const Argument program_id = text_argument(program.id), promotions = texts_argument(ids);
    if (binding) lock_counters(program_id, promotions);
    const bool has_profile = buyer.kind != BuyerKind::anonymous;
    const Rows rows = query.run({program_id, promotions, text_argument("m:" + buyer.key), texts_argument(periods),
                                 timestamp_argument(now()), text_argument(program.time_zone)},
                                binding);
    std::vector<Allowance> allowances;
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        UsageCounters counters;
        ColumnsInTurn columns(rows, row);
        counters.uses = columns.bigint();
        counters.money = {columns.units(program.currency_scale)};
        counters.points = columns.units(usage_scale);
        counters.uses_of_buyer = columns.bigint();
        allowances.push_back(allow(program.promotions[limited[row]].usage_limits, limited[row], counters,
                                   program.currency_scale, has_profile));
    }
    return allowances;
}

}  // namespace

std::vector<Index> limited_candidates(const Program& program, const Order& order) {
    std::vector<Index> limited;
    const Candidates candidates = find_candidates(program, order);
    std::copy_if(program.limited_promotions.begin(), program.limited_promotions.end(), std::back_inserter(limited),
                 [&](Index promotion) { return candidates.refused[promotion] == Reason::none; });
    const auto id = [&](Index promotion) -> const std::string& { return program.promotions[promotion].id; };
    std::sort(limited.begin(), limited.end(), [&](Index a, Index b) { return id(a) < id(b); });
    return limited;
}

void find_allowances(Order& order, const Program& program, bool binding) {
    if (program.limited_promotions.empty()) return;
    order.allowances = read_allowances(limited_candidates(program, order), order.buyer, program, binding);
}

std::vector<Allowance> allowances_by(const std::vector<std::string>& used_up, const Program& program) {
    std::vector<Allowance> allowances;
    for (const Index promotion : program.limited_promotions) {
        const Promotion& limited = program.promotions[promotion];
        Allowance allowance = allow(limited.usage_limits, promotion, {}, program.currency_scale, false);
        if (std::find(used_up.begin(), used_up.end(), limited.id) != used_up.end()) {
            allowance.uses = Allowance::Uses::used_up;
        }
        allowances.push_back(allowance);
    }
    return allowances;
}

std::vector<Allowance> find_allowances(const Buyer& buyer, const Program& program) {
    return read_allowances(program.limited_promotions, buyer, program, false);
}

void count_uses(const OrderKey& key, const Program& program, const Order& order, const Calculation& calculation) {
    static Query query(
        "WITH used AS ("
        "    INSERT INTO loyalty.promotion_uses (buyer, program, promotion, order_id, money, points)"
        "    SELECT $1, $2, p.promotion, $3, e.money, e.points"
        "      FROM unnest($4) AS p (promotion)"
        "      JOIN loyalty.promotion_effects e"
        "        ON e.buyer = $1 AND e.program = $2 AND e.order_id = $3 AND e.promotion = p.promotion"
        "    RETURNING promotion, money, points)"
        " UPDATE loyalty.promotion_counters c SET uses = c.uses + 1, money = c.money + u.money,"
        "     points = c.points + u.points"
        "   FROM used u WHERE c.program = $2 AND c.promotion = u.promotion",
        {TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID}, {"promotion_uses_order_fkey", "promotion_uses_promotion_fkey"});
    std::vector<std::string> used;
    for (const auto& allowance : order.allowances) {
        if (used_of(program, calculation, allowance.promotion).uses == 0) continue;
        used.push_back(program.promotions[allowance.promotion].id);
    }
    if (used.empty()) return;
    const OrderArguments order_key(key);
    // The order was just written, and the counters are locked since before the calculation.
    query.run_proven({order_key.buyer, order_key.program, order_key.external_id, texts_argument(used)});
}

void give_back_uses(const OrderKey& key, bool any_left) {
    static Query lock(
        "SELECT FROM loyalty.promotion_counters c"
        "  JOIN loyalty.promotion_uses u ON u.program = c.program AND u.promotion = c.promotion"
        " WHERE u.buyer = $1 AND u.program = $2 AND u.order_id = $3 AND c.program = $2"
        " ORDER BY c.promotion FOR NO KEY UPDATE OF c",
        {TEXTOID, TEXTOID, TEXTOID});
    static Query query(
        "WITH changed AS ("
        "    UPDATE loyalty.promotion_uses u SET money = e.money, points = e.points,"
        "           freed_at = CASE WHEN $4 THEN coalesce(b.freed_at, $5) END"
        "      FROM loyalty.promotion_uses b"
        "      JOIN loyalty.promotion_effects e"
        "        ON e.buyer = b.buyer AND e.program = b.program AND e.order_id = b.order_id"
        "            AND e.promotion = b.promotion"
        "     WHERE b.buyer = $1 AND b.program = $2 AND b.order_id = $3"
        "       AND u.buyer = $1 AND u.program = $2 AND u.order_id = $3 AND u.promotion = b.promotion"
        "    RETURNING u.promotion, b.money - u.money AS money, b.points - u.points AS points,"
        "              (b.freed_at IS NULL AND u.freed_at IS NOT NULL)::integer AS uses)"
        " UPDATE loyalty.promotion_counters c"
        "    SET uses = c.uses - g.uses, money = c.money - g.money, points = c.points - g.points"
        "   FROM changed g WHERE c.program = $2 AND c.promotion = g.promotion",
        {TEXTOID, TEXTOID, TEXTOID, BOOLOID, TIMESTAMPTZOID});
    const OrderArguments order(key);
    if (lock.run({order.buyer, order.program, order.external_id}, true).size() == 0) return;
    query.run({order.buyer, order.program, order.external_id, boolean_argument(!any_left), timestamp_argument(now())},
              true);
}

}  // namespace loyalty::pg
