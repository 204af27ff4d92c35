#include "core/calculate/redeem.hpp"

#include <algorithm>

namespace loyalty {

namespace {

Money worth(const PointType& type, Points points) {
    return {scaled(points.units, type.points_per_money.inverse(), Rounding::down)};
}

Points multiple_down(const PointType& type, Points points) {
    if (!type.redeem_step.is_zero()) points -= Points{points.units % type.redeem_step.units};
    return points < type.redeem_min ? Points{} : points;
}

Budget budget_of(const PointType& type, Points points) {
    const Points spendable = multiple_down(type, points);
    return {spendable, worth(type, spendable)};
}

}  // namespace

std::optional<Points> points_offered(const Order& order, std::uint32_t point_type) {
    if (order.buyer.kind != BuyerKind::member) return std::nullopt;
    for (const auto& redeem : order.redeem) {
        if (redeem.point_type != point_type) continue;
        const Points active = order.buyer.balances[point_type].active;
        return std::min(active, redeem.amount.value_or(active));
    }
    return std::nullopt;
}

std::vector<Budget> redeem_budgets(const Program& program, const Order& order) {
    std::vector<Budget> budgets(program.point_types.size());
    if (order.buyer.kind != BuyerKind::member) return budgets;
    for (const auto& redeem : order.redeem) {
        if (!order.buyer.balances[redeem.point_type].usable) continue;
        budgets[redeem.point_type] =
            budget_of(program.point_types[redeem.point_type], *points_offered(order, redeem.point_type));
    }
    return budgets;
}

Points points_for(const PointType& type, Money paid) {
    Points points{scaled(paid.units, type.points_per_money, Rounding::up)};
    if (const auto rest = type.redeem_step.is_zero() ? 0 : points.units % type.redeem_step.units; rest != 0)
        points += type.redeem_step - Points{rest};
    return points;
}

// Points beyond the step would be spent for nothing where their worth is more than what they pay.
std::optional<Lowered> lowered_budget(const Program& program, const Order& order, const std::vector<Money>& paid) {
    for (const auto& redeem : order.redeem) {
        const PointType& type = program.point_types[redeem.point_type];
        const Money money = paid[redeem.point_type];
        if (money.is_zero() || (type.redeem_min.is_zero() && type.redeem_step.is_zero())) continue;
        const Points spent = points_for(type, money);
        const bool is_multiple = type.redeem_step.is_zero() || worth(type, spent) == money;
        if (is_multiple && spent >= type.redeem_min) continue;
        return Lowered{redeem.point_type, budget_of(type, is_multiple ? spent : spent - type.redeem_step)};
    }
    return std::nullopt;
}

}  // namespace loyalty
