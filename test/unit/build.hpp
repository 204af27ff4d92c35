// Trees and orders in a few words, for tests.
#pragma once

#include "core/calculate/calculate.hpp"
#include "core/compile/compile.hpp"
#include "core/error.hpp"
#include "core/order/order.hpp"
#include "core/program/tree.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace loyalty::build {

inline Decimal decimal(std::string_view text) { return Decimal::parse(text).value(); }

// A benefit with its parameters; what reads as a number is one.
inline TreeBenefit benefit(const std::string& name,
                           std::initializer_list<std::pair<std::string, std::string>> parameters) {
    TreeBenefit result{name, Parameters(name)};
    for (const auto& [key, value] : parameters) {
        const bool is_number = Decimal::parse(value).has_value();
        result.parameters.add(key, is_number ? Parameters::Type::number : Parameters::Type::text, value);
    }
    return result;
}

inline TreeCondition on_products(std::vector<TreeBenefit> benefits) {
    return {Level::product, ConditionMode::all, {}, std::move(benefits)};
}
inline TreeCondition on_products_in(std::vector<std::string> segments, std::vector<TreeBenefit> benefits) {
    return {Level::product, ConditionMode::in, std::move(segments), std::move(benefits)};
}
inline TreeCondition on_order(std::vector<TreeBenefit> benefits) {
    return {Level::order, ConditionMode::all, {}, std::move(benefits)};
}

// Nodes get their positions in the order in which they are added.
class TreeBuilder {
public:
    explicit TreeBuilder(Arbitration main = Arbitration::consistent, int currency_scale = 2) {
        tree.program = "main";
        tree.currency = "RUB";
        tree.time_zone = "Europe/Moscow";
        tree.currency_scale = currency_scale;
        TreeGroup group;
        group.id = "main";
        group.arbitration = main;
        tree.groups.push_back(group);
    }

    TreeGroup& main() { return tree.groups.front(); }

    TreeGroup& group(const std::string& id, Arbitration arbitration, const std::string& parent = "main") {
        TreeGroup group;
        group.id = id;
        group.parent = parent;
        group.position = next_position_++;
        group.arbitration = arbitration;
        tree.groups.push_back(group);
        return tree.groups.back();
    }

    TreePromotion& promotion(const std::string& id, std::vector<TreeCondition> conditions,
                             const std::string& parent = "main") {
        TreePromotion promotion;
        promotion.id = id;
        promotion.parent = parent;
        promotion.position = next_position_++;
        promotion.state = PromotionState::active;
        promotion.audience = Audience::everyone;
        promotion.conditions = std::move(conditions);
        tree.promotions.push_back(std::move(promotion));
        return tree.promotions.back();
    }

    TreePromotion& points_promotion(const std::string& id, std::vector<TreeCondition> conditions,
                                    const std::string& parent = "main") {
        TreePromotion& added = promotion(id, std::move(conditions), parent);
        added.kind = PromotionKind::points;
        return added;
    }

    void point_type(const std::string& id, const std::string& ratio, int scale = 2,
                    PointKind kind = PointKind::standard) {
        tree.point_types.push_back({id, kind, scale, decimal(ratio)});
    }

    void segment(const std::string& id) {
        Segment segment;
        segment.id = id;
        tree.segments.push_back(segment);
    }

    Tree tree;

private:
    std::int64_t next_position_ = 0;
};

// Money in smallest units, quantities as decimals; of prices `parts` are one smallest unit of money.
class OrderBuilder {
public:
    explicit OrderBuilder(std::int64_t parts = 1) : parts_(parts) {}

    OrderBuilder& line(const std::string& id, std::int64_t price, const std::string& quantity = "1") {
        Line line;
        line.id = id;
        line.product = "P" + id;
        line.position = static_cast<std::uint32_t>(order.lines.size());
        line.price = UnitPrice{price, parts_};
        line.quantity = Quantity{decimal(quantity).units(quantity_scale).value()};
        line.base = times(line.price, line.quantity);
        order.lines.push_back(line);
        return *this;
    }
    OrderBuilder& min_price(std::int64_t price) {
        order.lines.back().min_price = UnitPrice{price, parts_};
        return *this;
    }
    OrderBuilder& in_segments(std::vector<std::uint32_t> segments) {
        order.lines.back().segments = std::move(segments);
        return *this;
    }
    OrderBuilder& shipping(std::int64_t price) {
        order.shipping = Money{price};
        return *this;
    }
    // A member with a balance of the next point type; every type of the program needs one.
    OrderBuilder& balance(std::int64_t points, bool usable = true) {
        order.buyer.kind = BuyerKind::member;
        order.buyer.balances.push_back({Points{points}, Points{points}, usable});
        return *this;
    }
    OrderBuilder& redeem(std::uint32_t type) {
        order.redeem.push_back({type, std::nullopt});
        return *this;
    }
    OrderBuilder& redeem(std::uint32_t type, std::int64_t points) {
        order.redeem.push_back({type, Points{points}});
        return *this;
    }

    // In line order, as the engine wants it.
    Order get() const {
        Order result = order;
        std::sort(result.lines.begin(), result.lines.end(), [](const Line& a, const Line& b) { return a.id < b.id; });
        return result;
    }

    Order order;

private:
    std::int64_t parts_;
};

inline Calculation calculate(const Tree& tree, const Order& order) {
    CalculationOptions options;
    options.traces_refusals = true;
    options.is_credited = [](std::string_view credit_on) { return credit_on == "new"; };
    return loyalty::calculate(compile(tree, 1), order, options);
}

// The Error that `action` throws; one without an SQLSTATE if it throws none.
template <class Action>
Error error_of(Action action) {
    try {
        action();
    } catch (const Error& error) {
        return error;
    }
    return {"", "no error"};
}

}  // namespace loyalty::build
