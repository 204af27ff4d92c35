#include "core/calculate/cut_by.hpp"

#include "core/calculate/commit.hpp"
#include "core/calculate/redeem.hpp"

#include <algorithm>

namespace loyalty {

CutBy cut_by_floor(const Bounds& bounds, std::uint32_t line_index, Quantity quantity, const Enclosing& enclosing) {
    const Line& line = bounds.order.lines[line_index];
    const Money floor = bounds.floor(line_index, quantity, enclosing);
    CutBy cuts;
    if (floor.is_zero()) {
        cuts.price = 1;
        return cuts;
    }
    cuts.min_price = line.min_price && times(*line.min_price, quantity) == floor;
    for (const Enclosing* node = &enclosing; node; node = node->outer) {
        if (!node->group) continue;
        const Limits& limits = node->group->limits;
        const bool binds = (limits.min_price_amount && times(*limits.min_price_amount, quantity) == floor) ||
                           (limits.min_price_share && times(line.price, *limits.min_price_share, quantity) == floor);
        if (binds) cuts.min_product_prices |= 1U << node->group->depth;
    }
    return cuts;
}

namespace {

// What leaves no more to pay with points: the share of the order, the step, or the points that there are.
CutBy cut_by_points(const Bounds& bounds, const State& state, std::uint32_t point_type) {
    const Money budget = bounds.budgets[point_type];
    const PointType& type = bounds.program.point_types[point_type];
    const Points offered = points_offered(bounds.order, point_type).value_or(Points{});
    CutBy cuts;
    if (bounds.budget_left(state, point_type) < budget - state.paid[point_type]) {
        cuts.redeem_max = 1;
    } else if (budget < Money{scaled(offered.units, type.points_per_money.inverse(), Rounding::down)}) {
        cuts.redeem_step = 1;
    } else {
        cuts.points = 1;
    }
    return cuts;
}

}  // namespace

CutBy cut_by_sum(const Bounds& bounds, const State& state, const Enclosing& enclosing, std::uint32_t point_type) {
    CutBy cuts;
    Money left = bounds.reduction_left(state, enclosing);
    if (point_type != no_point_type && bounds.budget_left(state, point_type) <= left) {
        left = bounds.budget_left(state, point_type);
        cuts = cut_by_points(bounds, state, point_type);
    }
    for (const Enclosing* node = &enclosing; node; node = node->outer) {
        if (!node->max_discount) continue;
        const Money used = state.reduced[static_cast<std::size_t>(node->depth())];
        if (std::max(Money{}, *node->max_discount - used) > left) continue;
        if (node->group) cuts.max_discounts |= 1U << node->group->depth;
        if (!node->group) cuts.budget = 1;
    }
    return cuts;
}

}  // namespace loyalty
