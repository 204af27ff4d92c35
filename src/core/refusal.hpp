// Why a promotion took no part in an order, with the figures: what the order has, what the promotion asks for, and by how much
// it was missed.
#pragma once

#include "core/order.hpp"
#include "core/program.hpp"

#include <string>

namespace loyalty {

// The particulars of the first reason why a promotion took no part: "the order's time is 2026-11-22T12:00:00, it starts at
// 2026-12-01T00:00:00". Empty where the phrase says it all.
std::string describe_particulars(const Program& program, const Promotion& promotion, const Order& order, Reason reason);

}  // namespace loyalty
