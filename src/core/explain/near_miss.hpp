// By how much an order misses what promotions ask of its goods: of minimums, and of predicates of order segments that
// compare a figure of the order with a number.
#pragma once

#include "core/calculate/conditions.hpp"
#include "core/document/comparison.hpp"
#include "core/order/order.hpp"
#include "core/program/program.hpp"

#include <optional>
#include <span>
#include <vector>

namespace loyalty {

struct NearMiss {
    Comparison comparison;
    Decimal value;     // what the order has
    int decimals = 0;  // that it is shown with at least
    Index condition = none;  // whose lines it is about; none: the order
    Index benefit = none;    // or whose
    std::vector<Index> segments{};  // of these the lines in any of these segments of products; empty: all

    // Whether more goods would mend it, and how much more it takes: one unit of the last decimal where "more than" is
    // asked.
    std::optional<Decimal> missing() const;
    // "goods", "items of its lines".
    std::string describe_figure() const;
};

// The figure of an order's document that a path names; nothing where it has none.
std::optional<Decimal> order_figure(const Program& program, const Order& order, const std::vector<std::string>& path);

// The first of the comparisons that does not hold.
std::optional<NearMiss> find_near_miss(const Program& program, const Order& order,
                                       std::span<const Comparison> comparisons);

// What the minimum misses, first units, then money.
std::optional<NearMiss> find_near_miss(const Program& program, const Minimum& minimum, const Goods& goods);

// Something that a promotion asks of the goods of an order, and that more of them may bring.
struct Goal {
    Index promotion = none;
    Index condition = none;       // none: it asks it of the order for all of its conditions
    std::vector<Index> segments;  // of orders: any of them will do, …
    std::vector<std::vector<Comparison>> comparisons;  // … for each what its predicate compares
    Minimum minimum;                                   // where it names no segments
    Index benefit = none;                              // or whose next step it is
};

std::vector<Goal> goals_of(const Program& program, Index promotion);

// By how much the order misses the next step of a benefit, if it has steps of the order or of its lines together.
std::optional<NearMiss> find_near_miss(const Program& program, const Order& order, Index benefit);

// Whether more of the line would mend it.
bool counts(const Program& program, const NearMiss& miss, const Line& line);

// By how much the order misses it, of segments each; nothing where it does not, or where more goods are no help.
std::vector<NearMiss> misses_of(const Program& program, const Order& order, const Goal& goal);

}  // namespace loyalty
