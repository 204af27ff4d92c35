// By how much an order misses an order segment: of predicates that compare a figure of the order with a number.
#pragma once

#include "core/document/comparison.hpp"
#include "core/document/order.hpp"
#include "core/program/program.hpp"

#include <optional>
#include <span>

namespace loyalty {

struct NearMiss {
    Comparison comparison;
    Decimal value;     // what the order has
    int decimals = 0;  // that it is shown with at least

    // Whether more goods would mend it, and how much more it takes: one unit of the last decimal where "more than" is asked.
    std::optional<Decimal> missing() const;
};

// The figure of an order's document that a path names; nothing where it has none.
std::optional<Decimal> order_figure(const Program& program, const Order& order, const std::vector<std::string>& path);

// The first of the comparisons that does not hold.
std::optional<NearMiss> find_near_miss(const Program& program, const Order& order,
                                       std::span<const Comparison> comparisons);

}  // namespace loyalty
