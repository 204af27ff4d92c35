#include "pg/reports/carried.hpp"

#include "core/calculate/benefit.hpp"
#include "core/calculate/used.hpp"

#include <algorithm>

#include "pg/ledger/terms.hpp"
#include "pg/orders/time.hpp"
#include "pg/orders/usage.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& hint) {
    throw Error(sqlstate::cannot_be_carried, "the history cannot be carried on: " + what, {}, hint);
}

bool is_shared(const UsageLimits& limits) { return limits.max_uses || limits.money_budget || limits.points_budget; }

// The beginning of a period of the calendar: day, week, month or year.
TimestampTz beginning(const std::string& period, TimestampTz at, const std::string& time_zone) {
    const Datum unit = text_datum(period), zone = text_datum(time_zone);
    return postgres([=] {
        return DatumGetTimestampTz(DirectFunctionCall3(timestamptz_trunc_zone, unit, TimestampTzGetDatum(at), zone));
    });
}

// Whether a promo code can be used up.
bool is_limited(const std::string& program, const std::string& code) {
    static Query query(
        "SELECT p.kind = 'personal' OR p.max_uses IS NOT NULL OR p.max_uses_per_member IS NOT NULL"
        "  FROM loyalty.promo_codes c"
        "  JOIN loyalty.promo_code_pools p ON p.program = c.program AND p.external_id = c.pool"
        " WHERE c.code = $2 AND c.program = $1",
        {TEXTOID, TEXTOID});
    const Rows rows = query.run({text_argument(program), text_argument(code)});
    return rows.size() > 0 && rows.boolean(0, 1);
}

std::set<std::string> find_given_tiers(const std::string& program) {
    static Query query(
        "SELECT array_agg(DISTINCT member::text) FROM loyalty.member_tier_history"
        " WHERE program = $1 AND cause = 'given'",
        {TEXTOID}, Plan::free);
    const auto members = query.run({text_argument(program)}).texts(0, 1);
    return {members.begin(), members.end()};
}

std::optional<TimestampTz> read_oldest_event() {
    static Query query("SELECT min(created_at) FROM loyalty.events", {}, Plan::free);
    const Rows rows = query.run({});
    ColumnsInTurn columns(rows);
    return columns.optional_timestamp();
}

}  // namespace

Carried::Carried(Replay& replay, TimestampTz from)
    : replay_(replay), from_(from), used_(program().promotions.size()), oldest_event_(read_oldest_event()) {
    groups_ = load_tier_groups(program().id, std::nullopt, Sees::snapshot);
    if (!program().tiers.empty()) given_tiers_ = find_given_tiers(program().id);
    refuse_what_cannot_be();
}

void Carried::refuse_what_cannot_be() const {
    static Query query("SELECT EXISTS (SELECT FROM loyalty.goals g WHERE g.program = $1 AND g.automatic AND g.active)",
                       {TEXTOID});
    if (!TIMESTAMP_IS_NOBEGIN(from_)) {
        refuse("it would begin in the midst of it", "Leave from_time out; WHERE chooses among the rows.");
    }
    if (query.run({text_argument(program().id)}).boolean(0, 1)) {
        refuse("a goal is automatic, whose claims depend on when jobs ran", "Deactivate it in a copy of the program.");
    }
    for (const auto& group : groups_) {
        const bool is_asked_for = std::ranges::any_of(group.tiers, [&](const auto& tier) {
            return std::ranges::find(program().tiers, tier) != program().tiers.end();
        });
        const bool is_deducted = std::ranges::any_of(program().benefits, [&](const BenefitEntry& benefit) {
            const Index type = benefit.rule->point_type();
            return type != no_point_type && benefit.rule->credit_on().empty() &&
                   program().point_types[type].id == group.point_type;
        });
        if (is_deducted && !group.model->for_life)
            refuse("promotions deduct points of tier group \"" + group.id + "\", which resets them", "Deduct others.");
        if (!is_asked_for || (group.model->for_life && !group.has_predicates)) continue;
        refuse("promotions ask for tiers of group \"" + group.id + "\"",
               "Only cumulative tiers that are reached by points alone are carried.");
    }
    if (replay_.judges_orders_before_by_lines()) {
        refuse("an order segment looks both at what the buyer has ordered and at lines",
               "Make two segments of it: what products were like then is not known.");
    }
}

bool Carried::is_usable(Index point_type, TimestampTz at) const {
    const auto& types = replay_.current().live->point_types;
    const auto state = types.find(program().point_types[point_type].id);
    return state != types.end() && state->second.usable(at);
}

CarriedAccount& Carried::account(CarriedBuyer& buyer, Index point_type) const {
    const auto found = buyer.accounts.find(point_type);
    if (found != buyer.accounts.end()) return found->second;
    const std::string& type = program().point_types[point_type].id;
    const auto group = std::ranges::find_if(
        groups_, [&](const TierGroup& one) { return one.point_type == type && one.model->for_life; });
    return buyer.accounts.emplace(point_type, CarriedAccount(group == groups_.end() ? nullptr : &*group)).first->second;
}

// ---------------------------------------------------------------------------------------------------------------------
// Before an order

void Carried::fill(const Step& step, ReplayedOrder& replayed) {
    Order& order = replayed.order;
    CarriedBuyer& buyer = buyers_[step.buyer];
    const bool has_profile = order.buyer.kind != BuyerKind::anonymous;
    const bool counts_orders = has_profile && replay_.current().version->needs.orders_before;
    const bool is_member = order.buyer.kind == BuyerKind::member;
    if (!buyer.lost.empty() && (is_member || counts_orders)) throw Unreplayable{buyer.lost};
    if (is_member) fill_balances(buyer, order, step.at);
    if (is_member && !program().tiers.empty()) fill_tiers(step.buyer.substr(2), buyer, order);
    if (counts_orders) {
        order.buyer.orders = {buyer.orders_count, buyer.orders_sum, {}};
        if (!buyer.order_times.empty())
            order.buyer.orders->last = local_time(*buyer.order_times.rbegin(), program().time_zone).to_string();
        replay_.judge_orders_before(order, {*step.request, step.resolved, step.version});
    }
    fill_codes(step, order);
    fill_allowances(buyer, order, step.at);
}

void Carried::fill_balances(CarriedBuyer& buyer, Order& order, TimestampTz at) {
    order.buyer.balances.assign(program().point_types.size(), {});
    for (Index type = 0; type < program().point_types.size(); type++) {
        Balance& balance = order.buyer.balances[type];
        balance.usable = is_usable(type, at);
        const auto found = buyer.accounts.find(type);
        if (found == buyer.accounts.end()) continue;
        found->second.begin(at);
        const ledger::Account& account = found->second.account;
        balance.total = {account.total};
        if (balance.usable) balance.active = {account.active(at)};
        balance.debt = {account.debt};
        balance.owed = {account.owed};
    }
}

void Carried::fill_tiers(const std::string& member, CarriedBuyer& buyer, Order& order) const {
    if (given_tiers_.contains(member)) throw Unreplayable{"the member was given a tier by hand"};
    std::vector<std::string> held;
    for (const auto& group : groups_) {
        const Index type = group.point_type ? program().point_type(*group.point_type) : none;
        if (type == none || !group.model->for_life) continue;
        if (const auto tier = group.name(account(buyer, type).standing.current)) held.push_back(*tier);
    }
    order.buyer.tiers = places_of(held, program().tiers);
}

// What was stored of a promo code stands as long as it was used as often as then.
void Carried::fill_codes(const Step& step, const Order& order) const {
    if (program().pools.empty()) return;
    for (std::size_t i = 0; i < std::min(order.promo_codes.size(), step.codes.size()); i++) {
        const PromoCode& code = order.promo_codes[i];
        if (!code.facts || code.pool == none) continue;
        if (replay_.issues_from(code.facts->pool))
            throw Unreplayable{"promotions issue codes of pool \"" + code.facts->pool + "\""};
        const bool is_other = codes_.contains({"", step.codes[i]}) || codes_.contains({step.buyer, step.codes[i]});
        if ((!is_other && limits_lost_.empty()) || !is_limited(program().id, step.codes[i])) continue;
        throw Unreplayable{is_other
                               ? "how often promo code \"" + code.given + "\" was used before is another matter here"
                               : limits_lost_};
    }
}

void Carried::require_known(const CarriedBuyer& buyer, Index promotion, bool has_profile) const {
    const UsageLimits& limits = program().promotions[promotion].usage_limits;
    if (is_shared(limits) && !limits_lost_.empty()) throw Unreplayable{limits_lost_};
    if (limits.max_uses_per_member && has_profile && !buyer.lost.empty()) throw Unreplayable{buyer.lost};
}

std::int64_t Carried::uses_of(const CarriedBuyer& buyer, Index promotion, TimestampTz at) const {
    const auto found = buyer.uses.find(promotion);
    if (found == buyer.uses.end()) return 0;
    const std::string& period = program().promotions[promotion].usage_limits.max_uses_per_member_every;
    if (period.empty()) return std::ssize(found->second);
    const TimestampTz from = beginning(period, at, program().time_zone);
    return std::count_if(found->second.begin(), found->second.end(), [=](TimestampTz used) { return used >= from; });
}

void Carried::fill_allowances(const CarriedBuyer& buyer, Order& order, TimestampTz at) const {
    order.allowances.clear();
    if (program().limited_promotions.empty()) return;
    const bool has_profile = order.buyer.kind != BuyerKind::anonymous;
    for (const Index promotion : limited_candidates(program(), order)) {
        require_known(buyer, promotion, has_profile);
        UsageCounters counters = used_[promotion];
        counters.uses_of_buyer = uses_of(buyer, promotion, at);
        order.allowances.push_back(allow(program().promotions[promotion].usage_limits, promotion, counters,
                                         program().currency_scale, has_profile));
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// After it

void Carried::place(const Step& step, const ReplayedOrder& replayed, const Calculation& calculation) {
    CarriedBuyer& buyer = buyers_[step.buyer];
    CarriedOrder order;
    order.at = step.at;
    order.time = step.time;
    order.status = step.status;
    order.comes_back = step.comes_back;
    order.total = calculation.total;
    order.shipping = calculation.shipping.total;
    for (std::size_t i = 0; i < replayed.order.lines.size(); i++) {
        const Line& line = replayed.order.lines[i];
        order.lines.push_back({line.id, line.quantity, {}, {}, calculation.lines[i].total, step.status});
    }
    if (replayed.order.buyer.kind == BuyerKind::member) book(buyer, order, calculation);
    count(buyer, order, step, replayed, calculation);
    const bool waits = order.waits();
    if (waits && (!oldest_event_ || *oldest_event_ > step.at)) {
        lose(buyer, "when order \"" + step.order + "\" reached its statuses is not known: those events were deleted");
    }
    if (waits || order.comes_back) {
        buyer.orders.insert_or_assign(step.order, std::move(order));
    } else if (!step.buyer.starts_with("m:")) {
        buyers_.erase(step.buyer);
    }
}

void Carried::book(CarriedBuyer& buyer, CarriedOrder& order, const Calculation& calculation) {
    for (Index type = 0; type < calculation.points.size(); type++) {
        const Points spent = calculation.points[type].spent;
        if (!spent.is_zero())
            order.redemptions.emplace(type, account(buyer, type).spend(spent.units, order.at, order.at));
    }
    for (const auto& [type, by_line] : spent_by_line(program(), calculation)) {
        for (const auto& [line, points] : by_line) order.payments.push_back({type, line, points});
    }
    for (auto& earning : earnings_of(program(), calculation)) order.accruals.push_back({std::move(earning), 0, {}});
    credit_due(buyer, order, order.at);
}

// Whether an accrual is due: at once, or by the status of its order or line.
static bool is_due(const CarriedOrder& order, const CarriedOrder::Accrual& accrual, const Market& market) {
    const Earning& terms = accrual.terms;
    if (accrual.seq || accrual.gone == terms.points.units) return false;
    if (!terms.pending) return true;
    const std::string& status = terms.level == Level::product ? order.lines[terms.line].status : order.status;
    return market.is_credited(status, terms.credit_on);
}

void Carried::credit_due(CarriedBuyer& buyer, CarriedOrder& order, TimestampTz at) {
    std::vector<DueAccrual> due;
    std::map<std::int32_t, CarriedOrder::Accrual*> by_number;
    for (auto& accrual : order.accruals) {
        const Earning& terms = accrual.terms;
        if (!is_due(order, accrual, market())) continue;
        if (!is_usable(terms.point_type, at)) {
            accrual.gone = terms.points.units;
            continue;
        }
        const PointType& type = program().point_types[terms.point_type];
        std::optional<TimestampTz> active_from;
        if (!terms.delay.empty()) active_from = delayed(terms.delay, program().time_zone, at);
        due.push_back({terms.number,
                       program().promotions[terms.promotion].id,
                       type.id,
                       type.scale,
                       terms.points.units - accrual.gone,
                       active_from,
                       {}});
        by_number.emplace(terms.number, &accrual);
    }
    for (const auto& sum : sums_of(due)) {
        const Index type = by_number.at(sum.numbers.front())->terms.point_type;
        const TimestampTz active_from = sum.first->active_from.value_or(at);
        const Terms terms = ledger_terms(program().id, sum.first->point_type);
        const std::int64_t seq =
            account(buyer, type).credit(sum.points, at, active_from, terms.expires_at(active_from), at);
        for (const auto number : sum.numbers) by_number.at(number)->seq = seq;
    }
}

void Carried::count(CarriedBuyer& buyer, CarriedOrder& order, const Step& step, const ReplayedOrder& replayed,
                    const Calculation& calculation) {
    const bool has_profile = replayed.order.buyer.kind != BuyerKind::anonymous;
    for (const auto& allowance : replayed.order.allowances) {
        const UsageCounters used = used_of(program(), calculation, allowance.promotion);
        if (used.uses == 0) continue;
        used_[allowance.promotion] += used;
        if (has_profile) buyer.uses[allowance.promotion].push_back(order.at);
        if (order.comes_back) order.used.emplace(allowance.promotion, used);
    }
    if (!order.used.empty()) order.operations = calculation.operations;
    for (std::size_t i = 0; i < std::min(calculation.promo_codes.size(), step.codes.size()); i++) {
        const bool was_used = step.code_statuses[i] == promo_code_status_names[PromoCodeStatus::used];
        const bool is_used = calculation.promo_codes[i] == PromoCodeStatus::used;
        if (was_used != is_used) order.codes.emplace(step.codes[i], is_used ? 1 : -1);
    }
    shift_codes(step.buyer, order, 1);
    if (has_profile && replay_.current().version->needs.orders_before) {
        buyer.orders_count++;
        buyer.orders_sum += order.total;
        buyer.order_times.insert(order.time);
    }
}

}  // namespace loyalty::pg
