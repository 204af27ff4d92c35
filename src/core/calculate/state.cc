#include "core/calculate/state.hpp"

#include "core/order/order.hpp"

#include <algorithm>

namespace loyalty {

State::State(const Order& order, std::size_t point_types) : shipping(order.shipping), paid(point_types) {
    groups.reserve(order.lines.size());
    for (std::uint32_t line = 0; line < order.lines.size(); line++) {
        groups.push_back({line, Quantity{}, order.lines[line].quantity, order.lines[line].base});
    }
}

Money State::goods() const {
    Money sum;
    for (const auto& group : groups) sum += group.total;
    return sum;
}

Money State::goods_of(const std::vector<std::uint32_t>& lines) const {
    Money sum;
    for (const auto line : lines) {
        for (auto group = first_group(line); group < groups.size() && groups[group].line == line; group++)
            sum += groups[group].total;
    }
    return sum;
}

std::size_t State::first_group(std::uint32_t line) const {
    // Before any split a line's group stands at the line's own index.
    if (groups.empty() || groups.back().line + std::size_t{1} == groups.size())
        return std::min<std::size_t>(line, groups.size());
    const auto found =
        std::lower_bound(groups.begin(), groups.end(), line,
                         [](const UnitGroup& group, std::uint32_t wanted) { return group.line < wanted; });
    return static_cast<std::size_t>(found - groups.begin());
}

}  // namespace loyalty
