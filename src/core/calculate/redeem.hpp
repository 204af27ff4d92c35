// How many points an order may spend. The budget of a type is the balance or the request, whichever is less, brought
// down to a multiple of the type's step; below its minimum it is nothing.
//
// What is spent in the end is a multiple of the step, too. Where prices or limits use less of a budget than that, the
// order is calculated anew with the next lower multiple; below the minimum with none (calculate.cc).
#pragma once

#include "core/calculate/state.hpp"
#include "core/order/order.hpp"
#include "core/program/program.hpp"

#include <optional>
#include <vector>

namespace loyalty {

struct Budget {
    Points points;
    Money money;  // that they are worth, rounded down
};

// For each point type.
std::vector<Budget> redeem_budgets(const Program& program, const Order& order);

// Points that the buyer has and asks to spend; nothing where the order does not ask.
std::optional<Points> points_offered(const Order& order, std::uint32_t point_type);

// The points that pay for `paid`: rounded up to the smallest unit of the type, or to its step.
Points points_for(const PointType& type, Money paid);

// The first point type, in the sequence of the order's requests, of which what was paid is none of what may be spent,
// and what its budget is to be instead. Nothing if all are as they should be.
struct Lowered {
    std::uint32_t point_type;
    Budget budget;
};
std::optional<Lowered> lowered_budget(const Program& program, const Order& order, const std::vector<Money>& paid);

}  // namespace loyalty
