#include "core/calculate/cut_by.hpp"

#include "core/calculate/commit.hpp"

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

CutBy cut_by_sum(const Bounds& bounds, const State& state, const Enclosing& enclosing, std::uint32_t point_type) {
    CutBy cuts;
    Money left = bounds.reduction_left(state, enclosing);
    if (point_type != no_point_type && bounds.budget_left(state, point_type) <= left) {
        left = bounds.budget_left(state, point_type);
        cuts.points = 1;
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
