#include "core/explain/near_miss.hpp"

#include <algorithm>

namespace loyalty {

namespace {

// Figures of the order that grow with its goods, and are money or a number of units.
bool is_money(const std::string& member) { return member == "total" || member == "goods" || member == "shipping"; }

// Nothing where it is no number.
std::optional<Decimal> order_field(const Program& program, const Order& order, const Reads::Path& path) {
    const auto& paths = program.reads.order;
    const auto number = static_cast<std::size_t>(std::find(paths.begin(), paths.end(), path) - paths.begin());
    return number < order.values.size() ? order.values[number].number : std::nullopt;
}

}  // namespace

std::optional<Decimal> order_figure(const Program& program, const Order& order, const Reads::Path& path) {
    if (path.size() > 1) return order_field(program, order, path);
    const auto money = [&](Money amount) { return Decimal::of(amount.units, program.currency_scale); };
    const std::string& member = path.front();
    if (member == "shipping") return money(order.shipping);
    Money goods;
    for (const auto& line : order.lines) goods += line.base;
    if (member == "goods") return money(goods);
    if (member == "total") return money(order.total.value_or(goods + order.shipping));
    if (member == "items") return Decimal::of(items(order).units, quantity_scale);
    return std::nullopt;
}

std::optional<NearMiss> find_near_miss(const Program& program, const Order& order,
                                       std::span<const Comparison> comparisons) {
    for (const auto& comparison : comparisons) {
        const auto value = order_figure(program, order, comparison.path);
        if (!value || comparison.holds(*value)) continue;
        return NearMiss{comparison, *value, is_money(comparison.path.front()) ? program.currency_scale : 0};
    }
    return std::nullopt;
}

std::optional<Decimal> NearMiss::missing() const {
    using Operator = Comparison::Operator;
    const bool asks_for_more = comparison.op == Operator::at_least || comparison.op == Operator::greater;
    const std::string& member = comparison.path.front();
    const bool grows = comparison.path.size() == 1 && (member == "total" || member == "goods" || member == "items");
    if (!asks_for_more || !grows) return std::nullopt;
    const int scale = std::max({decimals, comparison.threshold.scale(), value.scale()});
    const auto wanted = comparison.threshold.units(scale), has = value.units(scale);
    if (!wanted || !has) return std::nullopt;
    return Decimal::of(*wanted - *has + (comparison.op == Operator::greater ? 1 : 0), scale);
}

}  // namespace loyalty
