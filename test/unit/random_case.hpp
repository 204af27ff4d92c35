// Random trees and orders, and a printed form of them that a reader can follow.
#pragma once

#include "core/order/order.hpp"
#include "core/program/tree.hpp"
#include "unit/oracle.hpp"

#include <cstdint>
#include <random>
#include <string>

namespace loyalty {

struct Case {
    Tree tree;
    Order order;
    oracle::Facts facts{};
};

// The order as the engine wants it, with what the program reads of the facts filled in.
Order order_for(const Program& program, const Case& c);

// A random case; `size` from 1 (a promotion and a line) to 12.
Case random_case(std::mt19937_64& random, int size);

// A case that is hard for the search of max_benefit: few cents, many units to pick from, small budgets and limits, so
// that rounding and sharing decide.
Case random_search_case(std::mt19937_64& random);

// Whether a permutation of the lines may change anything: a benefit picks its items by their position in the document.
bool looks_at_positions(const Tree& tree);

std::string to_string(const Case& c);

}  // namespace loyalty
