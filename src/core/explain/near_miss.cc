#include "core/explain/near_miss.hpp"

#include "core/calculate/candidates.hpp"

#include <algorithm>

namespace loyalty {

namespace {

// $.segments.shoes.items and $.segments.shoes.total
bool is_of_segment(const Reads::Path& path) { return path.size() == 3 && path.front() == "segments"; }

bool is_money(const Reads::Path& path) {
    const std::string& member = path.back();
    if (path.size() == 1) return member == "total" || member == "goods" || member == "shipping";
    return (path.front() == "buyer" && member == "sum") || (is_of_segment(path) && member == "total");
}

// $.buyer.orders.count and $.buyer.orders.sum
std::optional<Decimal> buyer_figure(const Program& program, const Buyer& buyer, const Reads::Path& path) {
    if (path.size() != 3 || path[1] != "orders") return std::nullopt;
    const OrdersBefore orders = buyer.orders.value_or(OrdersBefore{});
    if (path.back() == "count") return Decimal(orders.count);
    if (path.back() == "sum") return Decimal::of(orders.sum.units, program.currency_scale);
    return std::nullopt;
}

std::optional<Index> segment_of(const Program& program, const Reads::Path& path) {
    for (Index i = 0; i < program.segments.size(); i++) {
        if (program.segments[i].id == path[1]) return i;
    }
    return std::nullopt;
}

// What the lines in a product segment come to.
std::optional<Decimal> segment_figure(const Program& program, const Order& order, const Reads::Path& path) {
    const auto segment = segment_of(program, path);
    if (!segment) return std::nullopt;
    std::vector<std::uint32_t> lines;
    for (std::uint32_t i = 0; i < order.lines.size(); i++) {
        const auto& in = order.lines[i].segments;
        if (std::find(in.begin(), in.end(), *segment) != in.end()) lines.push_back(i);
    }
    const Goods goods = goods_of(order, lines);
    if (path.back() == "items") return Decimal::of(goods.items.units, quantity_scale);
    return Decimal::of(goods.total.units, program.currency_scale);
}

// Nothing where it is no number.
std::optional<Decimal> order_field(const Program& program, const Order& order, const Reads::Path& path) {
    const auto& paths = program.reads.order;
    const auto number = static_cast<std::size_t>(std::find(paths.begin(), paths.end(), path) - paths.begin());
    return number < order.values.size() ? order.values[number].number : std::nullopt;
}

}  // namespace

std::optional<Decimal> order_figure(const Program& program, const Order& order, const Reads::Path& path) {
    if (path.front() == "buyer") return buyer_figure(program, order.buyer, path);
    if (is_of_segment(path)) return segment_figure(program, order, path);
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
        NearMiss miss{comparison, *value, is_money(comparison.path) ? program.currency_scale : 0};
        if (is_of_segment(comparison.path)) miss.segments = {*segment_of(program, comparison.path)};
        return miss;
    }
    return std::nullopt;
}

std::optional<NearMiss> find_near_miss(const Program& program, const Minimum& minimum, const Goods& goods) {
    const auto miss = [](const char* figure, const std::optional<Decimal>& least, const Decimal& value,
                         int decimals) -> std::optional<NearMiss> {
        if (!least || value >= *least) return std::nullopt;
        return NearMiss{{{figure}, Comparison::Operator::at_least, *least}, value, decimals};
    };
    auto found = miss("items", minimum.items, Decimal::of(goods.items.units, quantity_scale), 0);
    if (found) return found;
    const int scale = program.currency_scale;
    return miss("goods", minimum.total, Decimal::of(goods.total.units, scale), scale);
}

std::vector<Goal> goals_of(const Program& program, Index index) {
    const Promotion& promotion = program.promotions[index];
    std::vector<Goal> goals;
    const auto add_segments = [&](Index condition, ConditionMode mode, const std::vector<Index>& segments) {
        if (mode != ConditionMode::in) return;
        Goal goal{index, condition, segments, {}, {}};
        for (const Index segment : segments)
            goal.comparisons.push_back(comparisons_in(program.order_segments[segment].predicate));
        goals.push_back(std::move(goal));
    };
    add_segments(none, promotion.order_mode, promotion.order_segments);
    if (promotion.minimum.any()) goals.push_back({index, none, {}, {}, promotion.minimum});
    for (Index c = promotion.first_condition; c < promotion.last_condition; c++) {
        const Condition& condition = program.conditions[c];
        if (condition.level == Level::order) add_segments(c, condition.mode, condition.segments);
        if (condition.minimum.any()) goals.push_back({index, c, {}, {}, condition.minimum});
        for (Index b = condition.first_benefit; b < condition.last_benefit; b++) {
            if (program.benefits[b].rule->has_steps()) goals.push_back({index, c, {}, {}, {}, b});
        }
    }
    return goals;
}

std::optional<NearMiss> find_near_miss(const Program& program, const Order& order, Index benefit) {
    const auto& [index, type, rule] = program.benefits[benefit];
    const Condition& condition = program.conditions[index];
    std::vector<std::uint32_t> lines;
    if (condition.level == Level::product) {
        lines = matching_lines(condition, order);
        if (lines.empty()) return std::nullopt;
    }
    const auto next = rule->next_step(program, order, lines);
    if (!next) return std::nullopt;
    NearMiss miss{{{next->counts_units ? "items" : "goods"}, Comparison::Operator::at_least, next->from},
                  next->value,
                  next->counts_units ? 0 : program.currency_scale};
    if (next->of_lines) miss.benefit = benefit;
    miss.segments = next->segments;
    return miss;
}

bool counts(const Program& program, const NearMiss& miss, const Line& line) {
    const auto& in = miss.segments;
    if (!in.empty() && std::find_first_of(in.begin(), in.end(), line.segments.begin(), line.segments.end()) == in.end())
        return false;
    if (miss.benefit != none) {
        const auto& [index, type, rule] = program.benefits[miss.benefit];
        const Condition& condition = program.conditions[index];
        return condition.level == Level::product ? matches(condition, line) : is_for(*rule, line);
    }
    return miss.condition == none || matches(program.conditions[miss.condition], line);
}

namespace {

std::vector<NearMiss> misses_of_segments(const Program& program, const Order& order, const Goal& goal) {
    const auto is_in = [&](Index segment) {
        return std::binary_search(order.segments.begin(), order.segments.end(), segment);
    };
    if (std::any_of(goal.segments.begin(), goal.segments.end(), is_in)) return {};
    std::vector<NearMiss> misses;
    for (const auto& comparisons : goal.comparisons) {
        auto miss = find_near_miss(program, order, comparisons);
        if (miss && miss->missing()) misses.push_back(std::move(*miss));
    }
    return misses;
}

}  // namespace

std::vector<NearMiss> misses_of(const Program& program, const Order& order, const Goal& goal) {
    if (goal.benefit != none) {
        auto miss = find_near_miss(program, order, goal.benefit);
        return miss ? std::vector{std::move(*miss)} : std::vector<NearMiss>{};
    }
    if (!goal.segments.empty()) return misses_of_segments(program, order, goal);
    const bool of_lines = goal.condition != none;
    std::vector<std::uint32_t> lines;
    if (of_lines) lines = matching_lines(program.conditions[goal.condition], order);
    if (of_lines && lines.empty()) return {};
    auto miss = find_near_miss(program, goal.minimum, of_lines ? goods_of(order, lines) : goods_of(order));
    if (!miss) return {};
    miss->condition = goal.condition;
    return {std::move(*miss)};
}

std::optional<Decimal> NearMiss::missing() const {
    using Operator = Comparison::Operator;
    const bool asks_for_more = comparison.op == Operator::at_least || comparison.op == Operator::greater;
    const std::string& member = comparison.path.front();
    const bool of_order = comparison.path.size() == 1 && (member == "total" || member == "goods" || member == "items");
    if (!asks_for_more || !(of_order || is_of_segment(comparison.path))) return std::nullopt;
    const int scale = std::max({decimals, comparison.threshold.scale(), value.scale()});
    const auto wanted = comparison.threshold.units(scale), has = value.units(scale);
    if (!wanted || !has) return std::nullopt;
    return Decimal::of(*wanted - *has + (comparison.op == Operator::greater ? 1 : 0), scale);
}

std::string NearMiss::describe_figure() const {
    return comparison.describe_path() + (condition == none && benefit == none ? "" : " of its lines");
}

}  // namespace loyalty
