#include "core/benefits/pick.hpp"

#include "core/benefits/benefits.hpp"
#include "core/money/allot.hpp"
#include "core/order/order.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace loyalty {

namespace {

std::int64_t items(Quantity quantity) { return (quantity.units + one_unit.units - 1) / one_unit.units; }

// Whether a unit of `a` costs less than one of `b`.
bool cheaper(const Part& a, const Part& b) {
    return static_cast<int128>(a.total.units) * b.quantity.units <
           static_cast<int128>(b.total.units) * a.quantity.units;
}

}  // namespace

ItemLimit ItemLimit::read(Parameters& parameters) {
    ItemLimit limit;
    limit.max_items = parameters.count("max_items");
    if (!limit.max_items) parameters.refuse("pick", "It says which items \"max_items\" counts first.");
    if (!limit.max_items) parameters.refuse("max_items_per", "It says of what \"max_items\" counts the items.");
    limit.per_line = parameters.choice("max_items_per", {"order", "line"}) == 1;
    limit.pick = static_cast<Pick>(parameters.choice("pick", {"line_order", "cheapest", "most_expensive"}));
    return limit;
}

Part first_units(const Part& part, Quantity quantity) {
    if (quantity >= part.quantity) return part;
    const std::array weights{quantity.units, (part.quantity - quantity).units};
    return {part.group, quantity, Money{allot(part.total.units, weights)[0]}, Money{}, part.sum};
}

std::vector<Part> pick(const View& view, const ItemLimit& limit) {
    if (!limit.max_items) return view.parts;
    std::vector<Part> parts = view.parts;
    std::erase_if(parts, [](const Part& part) { return part.total.is_zero(); });
    const auto position = [&](const Part& part) {
        return view.order.lines[view.state.groups[part.group].line].position;
    };
    switch (limit.pick) {
        case Pick::line_order:
            std::stable_sort(parts.begin(), parts.end(),
                             [&](const Part& a, const Part& b) { return position(a) < position(b); });
            break;
        case Pick::cheapest:
            std::stable_sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return cheaper(a, b); });
            break;
        case Pick::most_expensive:
            std::stable_sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return cheaper(b, a); });
            break;
    }
    if (limit.per_line) number_lines(view, parts);
    std::vector<Part> picked;
    std::map<std::uint32_t, std::int64_t> left_of;
    for (const auto& part : parts) {
        std::int64_t& left = left_of.try_emplace(part.sum, *limit.max_items).first->second;
        if (left == 0) continue;
        const std::int64_t count = items(part.quantity);
        // A part of fewer items than are left is taken whole, its last fraction included.
        picked.push_back(count <= left ? part : first_units(part, Quantity{left * one_unit.units}));
        left -= std::min(left, count);
    }
    for (auto& part : picked) part.sum = 0;
    std::sort(picked.begin(), picked.end(), [](const Part& a, const Part& b) { return a.group < b.group; });
    return picked;
}

}  // namespace loyalty
