// Random audiences, dates, schedules, gates and places of promotions, and random orders to meet them.
#pragma once

#include "core/order/order.hpp"
#include "core/program/tree.hpp"
#include "unit/oracle.hpp"

#include <random>

namespace loyalty {

// The segments of profiles and of orders that random conditions name.
void add_segments(Tree& tree);

// Restricts a promotion in some ways, most of them near the edge of what the order is.
void restrict(std::mt19937_64& random, TreePromotion& promotion, const Order& order);

// When and where the order is, and what its buyer has.
void place(std::mt19937_64& random, Order& order, oracle::Facts& facts);

}  // namespace loyalty
