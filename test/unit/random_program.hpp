// Random trees for proofs over all orders, and random orders for them. Fixed before there was a proof: of the trees
// amounts, limits of groups and product segments are each in at least three of ten, sets in one of ten.
#pragma once

#include "core/order/order.hpp"
#include "core/program/tree.hpp"

#include <random>

namespace loyalty {

Tree random_program(std::mt19937_64& random);

// An order of any buyer at any time, its lines in any segments.
Order random_order(std::mt19937_64& random, const Program& program);
// The order with something changed.
Order changed(std::mt19937_64& random, const Program& program, const Order& order);

// What is in a tree.
struct Contents {
    bool amounts = false, limits = false, segments = false, sets = false;
};
Contents contents_of(const Tree& tree);

}  // namespace loyalty
