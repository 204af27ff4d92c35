// What becomes of orders in the course of the history, and what was booked beside them.
#include "core/calculate/used.hpp"

#include <utility>

#include "pg/ledger/terms.hpp"
#include "pg/reports/carried.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

using ledger::Units;

void Carried::lose(CarriedBuyer& buyer, const std::string& why) {
    if (buyer.lost.empty()) buyer.lost = why;
    buyer.accounts.clear();
}

void Carried::lose_limits(const std::string& why) {
    if (limits_lost_.empty()) limits_lost_ = why;
}

void Carried::lose(const Step& step, const std::string& why) {
    CarriedBuyer& buyer = buyers_[step.buyer];
    // What was lost by an order before it keeps its own reason.
    const bool is_known = why == limits_lost_ || why == buyer.lost;
    const std::string reason = is_known ? why : "order \"" + step.order + "\" before it is not replayed: " + why;
    lose(buyer, reason);
    lose_limits(reason);
}

void Carried::follow(const Step& step) {
    switch (step.kind) {
        case StepKind::booking:
            return follow_booking(step);
        case StepKind::hold:
            return lose(buyers_[step.buyer], "points were held, which is not carried on");
        case StepKind::status:
            return follow_status(step);
        case StepKind::giving_back:
            return follow_return(step);
        case StepKind::order:
            return;
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Booked otherwise

void Carried::follow_booking(const Step& step) {
    const Index type = program().point_type(step.point_type);
    if (type == none) return;  // the tree knows nothing of it
    CarriedBuyer& buyer = buyers_[step.buyer];
    if (buyer.lost.empty() && !book_otherwise(buyer, type, step)) refused_++;
}

// False where the ledger would have refused it.
bool Carried::book_otherwise(CarriedBuyer& buyer, Index type, const Step& step) {
    const Units value = units_of(step.value, program().point_types[type].scale);
    CarriedAccount& account = this->account(buyer, type);
    if (step.active_from) {
        const auto kind = step.type == "initial" ? ledger::Type::initial : ledger::Type::accrual;
        const TimestampTz expires_at = step.expires_at.value_or(DT_NOEND);
        const auto seq = account.credit(value, step.created_at, *step.active_from, expires_at, step.at, kind);
        buyer.credits.emplace(std::pair(type, step.seq), seq);
        return true;
    }
    if (step.type != "redemption") return undo(buyer, type, step, value);
    account.begin(step.at);
    if (account.account.active(step.at) < value) return false;
    buyer.redemptions.emplace(std::pair(type, step.seq), account.spend(value, step.created_at, step.at));
    return true;
}

bool Carried::undo(CarriedBuyer& buyer, Index type, const Step& step, Units value) {
    CarriedAccount& account = this->account(buyer, type);
    const std::pair original(type, step.undoes.value_or(0));
    if (step.type == "refund") {
        const auto found = buyer.redemptions.find(original);
        if (found != buyer.redemptions.end()) account.refund(found->second, value, step.at);
        return found != buyer.redemptions.end();
    }
    if (step.source_type == "write_off") {
        if (account.account.owed >= value) account.write_off(value, step.at);
        return account.account.owed >= value;
    }
    const auto found = buyer.credits.find(original);
    if (step.undoes && found == buyer.credits.end()) return false;
    const auto accrual = step.undoes ? std::optional(found->second) : std::nullopt;
    const Terms terms = ledger_terms(program().id, program().point_types[type].id);
    account.take_back(accrual, value, terms.debt_allowed, step.at);
    return true;
}

// ---------------------------------------------------------------------------------------------------------------------
// Statuses

void Carried::follow_status(const Step& step) {
    const auto buyer = buyers_.find(step.buyer);
    if (buyer == buyers_.end()) return;
    const auto found = buyer->second.orders.find(step.order);
    if (found == buyer->second.orders.end()) return;
    CarriedOrder& order = found->second;
    if (!step.line) order.status = step.status;
    for (auto& line : order.lines) {
        if (!step.line || line.id == *step.line) line.status = step.status;
    }
    drop_of_removed(buyer->second, order, step);
    if (buyer->second.lost.empty()) credit_due(buyer->second, order, step.at);
    if (!order.comes_back && !order.waits()) buyer->second.orders.erase(found);
}

// A member who was removed after an order gets nothing of it any more.
void Carried::drop_of_removed(CarriedBuyer& buyer, CarriedOrder& order, const Step& step) {
    static Query query("SELECT enrolled_at, removed_at FROM loyalty.members WHERE member = $1 AND program = $2",
                       {TEXTOID, TEXTOID});
    if (!order.waits()) return;
    const Rows rows = query.run({text_argument(step.buyer.substr(2)), text_argument(program().id)});
    if (rows.size() == 0) return;
    ColumnsInTurn columns(rows);
    const TimestampTz enrolled_at = columns.timestamp();
    const auto removed_at = columns.optional_timestamp();
    if (enrolled_at > step.at) return lose(buyer, "when the member was removed before coming back is not known");
    if ((!removed_at || *removed_at > step.at) && enrolled_at <= order.at) return;
    for (auto& accrual : order.accruals) {
        if (!accrual.seq) accrual.gone = accrual.terms.points.units;
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// What comes back

void Carried::follow_return(const Step& step) {
    const auto buyer = buyers_.find(step.buyer);
    if (buyer == buyers_.end()) return lose_limits("order \"" + step.order + "\" came back, and was not replayed");
    const auto found = buyer->second.orders.find(step.order);
    if (found == buyer->second.orders.end()) return lose(step, "it came back");
    CarriedOrder& order = found->second;
    for (auto& line : order.lines) {
        const auto named = std::ranges::find(step.lines, line.id);
        if (named != step.lines.end())
            line.taken = {step.quantities[static_cast<std::size_t>(named - step.lines.begin())]};
    }
    if (buyer->second.lost.empty()) give_back_points(buyer->second, order, step);
    give_back_money(buyer->second, order, step);
    order.shipping_is_back = order.shipping_is_back || step.shipping;
    for (auto& line : order.lines) line.returned += std::exchange(line.taken, Quantity{});
    give_back_uses(buyer->second, order, step);
    if (step.ends_order) buyer->second.orders.erase(found);
}

void Carried::give_back_money(CarriedBuyer& buyer, CarriedOrder& order, const Step& step) {
    Money money = step.shipping ? order.shipping : Money{};
    for (const auto& line : order.lines) money += Money{part_of(line.total.units, line.units())};
    if (step.ends_order) money = order.total - order.given_back;
    order.given_back += money;
    if (!replay_.current().version->needs.orders_before || !step.buyer.starts_with("m:")) return;
    buyer.orders_sum -= money;
    if (!step.ends_order) return;
    buyer.orders_count--;
    buyer.order_times.erase(buyer.order_times.find(order.time));
}

void Carried::give_back_points(CarriedBuyer& buyer, CarriedOrder& order, const Step& step) {
    std::map<Index, Units> refunds;
    std::map<std::pair<Index, std::int64_t>, Units> reversals;
    for (const auto& payment : order.payments) {
        const bool is_shipping = payment.line == no_line;
        refunds[payment.point_type] += is_shipping ? (step.shipping ? payment.points : 0)
                                                   : part_of(payment.points, order.lines[payment.line].units());
    }
    for (auto& accrual : order.accruals) {
        const Units points = accrual.terms.points.units;
        Units part = 0;
        if (accrual.terms.line != no_line) {
            part = part_of(points, order.lines[accrual.terms.line].units());
        } else if (!order.any_left()) {
            part = points - accrual.gone;
        }
        part = std::min(part, points - accrual.gone);
        accrual.gone += part;
        if (accrual.seq) reversals[{accrual.terms.point_type, *accrual.seq}] += part;
    }
    for (const auto& [type, points] : refunds) {
        const Terms terms = ledger_terms(program().id, program().point_types[type].id);
        if (points != 0 && terms.refund_allowed)
            account(buyer, type).refund(order.redemptions.at(type), points, step.at);
    }
    for (const auto& [accrual, points] : reversals) {
        const Terms terms = ledger_terms(program().id, program().point_types[accrual.first].id);
        if (points != 0) account(buyer, accrual.first).take_back(accrual.second, points, terms.debt_allowed, step.at);
    }
}

namespace {

// What is left of a figure of an entry once units, or the shipping, have come back.
std::int64_t kept(std::int64_t figure, const CarriedOrder& order, const Entry& entry) {
    if (entry.target != Entry::Target::line) return order.shipping_is_back ? 0 : figure;
    const CarriedLine& line = order.lines[entry.line];
    return figure - given_back(figure, line.returned, line.quantity);
}

}  // namespace

void Carried::give_back_uses(CarriedBuyer& buyer, CarriedOrder& order, const Step& step) {
    const bool any_left = order.any_left();
    for (auto& [promotion, before] : order.used) {
        Calculation left;
        for (auto operation : order.operations) {
            Entry& entry = operation.entry;
            entry.applied = {kept(entry.applied.units, order, entry)};
            const bool is_of_order = entry.target != Entry::Target::line;
            entry.points = {is_of_order ? (any_left ? entry.points.units : 0) : kept(entry.points.units, order, entry)};
            left.operations.push_back(std::move(operation));
        }
        UsageCounters now = used_of(program(), left, promotion);
        now.uses = any_left ? before.uses : 0;
        used_[promotion] -= before;
        used_[promotion] += now;
        auto& uses = buyer.uses[promotion];
        const auto use = std::ranges::find(uses, order.at);
        if (now.uses < before.uses && use != uses.end()) uses.erase(use);
        before = now;
    }
    if (any_left) return;
    shift_codes(step.buyer, order, -1);
    order.codes.clear();
}

void Carried::shift_codes(const std::string& buyer, const CarriedOrder& order, std::int64_t by) {
    for (const auto& [code, more] : order.codes) {
        for (const auto& whose : {std::string(), buyer}) {
            const auto shift = codes_.try_emplace({whose, code}, 0).first;
            shift->second += by * more;
            if (shift->second == 0) codes_.erase(shift);
        }
    }
}

}  // namespace loyalty::pg
