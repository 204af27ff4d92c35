// Why a promotion had no effect on an order, with the figures: what the order has, what the promotion asks for, and by
// how much it was missed.
#pragma once

#include "core/calculate/calculate.hpp"

#include <string>

namespace loyalty {

// The particulars of the first reason why a promotion had no effect: "the order's time is 2026-11-22T12:00:00, it
// starts at 2026-12-01T00:00:00". Empty where the phrase says it all.
std::string describe_particulars(const Program& program, const Promotion& promotion, const Order& order,
                                 const NodeTrace& trace);

// The limits that have cut an effect of the promotion: "the maximum discount of summer, the minimum price of the line".
std::string describe_cuts(const Program& program, const Promotion& promotion, const CutBy& cuts);

}  // namespace loyalty
