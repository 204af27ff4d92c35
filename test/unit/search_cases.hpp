// Trees and orders for the search of max_benefit: the fixtures of the benchmark, and random ones.
#pragma once

#include "unit/random_case.hpp"

#include <cstdint>
#include <random>

namespace loyalty {

// Up to 20 promotions of one group that all interact: discounts on a few items picked by price, on whole lines and on
// the order, payments by points from one balance, accruals before and after them, and one maximum discount in percent
// for all. Any number of them, the first ones, is such a mixture.
Case interacting_promotions(int promotions, int max_discount = 30);

// Promotions of one group that each take a percentage or an amount off all lines or off those of a segment: 5 lines,
// some of them with a minimum price.
Case lowering_promotions(int promotions);

// The families that are hardest, each with as many promotions of one group as asked for:
//
// Shares of the cheapest or of the dearest one to three items of segments that overlap; 12 lines.
Case picking_promotions(int promotions);
// Lines given away by segments that overlap: all prices fall to nothing, and what is asked for is the fewest that do
// it; 40 lines.
Case covering_promotions(int promotions);
// Unit prices rounded up, down or to the nearest step, shares off, and points on what is left, by segments that
// overlap; 10 lines.
Case rounding_promotions(int promotions);

// Random cases small enough to try all combinations, with main as a max_benefit group.
//
// Discounts on whole lines only, with floors and nested groups, for the search by line.
Case random_lowering_case(std::mt19937_64& random);
// More children than random_search_case(), and prices large enough that rounding rarely decides.
Case random_mixture(std::mt19937_64& random);
// Shares of the cheapest, the dearest or the first few items, and now and then something else on the same lines.
Case random_picking_case(std::mt19937_64& random);

}  // namespace loyalty
