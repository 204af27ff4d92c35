// Which limits have cut an effect: a set of them, for explanations.
#pragma once

#include "core/money/amount.hpp"

#include <cstdint>

namespace loyalty {

struct Bounds;
struct Enclosing;
struct State;

struct CutBy {
    // Of enclosing groups, a bit for the depth of each.
    std::uint32_t max_discounts : 10 = 0;
    std::uint32_t min_product_prices : 10 = 0;
    std::uint32_t min_price : 1 = 0;  // of the line
    std::uint32_t points : 1 = 0;     // there are not enough to spend
    std::uint32_t price : 1 = 0;      // no price goes below 0
    std::uint32_t budget : 1 = 0;     // of the promotion
    std::uint32_t redeem_step : 1 = 0;  // points are spent by multiples of a number
    std::uint32_t redeem_max : 1 = 0;   // so much of an order may be paid with points of the type

    bool any() const { return *this != CutBy{}; }
    CutBy& operator|=(const CutBy& other) {
        max_discounts |= other.max_discounts;
        min_product_prices |= other.min_product_prices;
        min_price |= other.min_price;
        points |= other.points;
        price |= other.price;
        budget |= other.budget;
        redeem_step |= other.redeem_step;
        redeem_max |= other.redeem_max;
        return *this;
    }
    friend bool operator==(const CutBy&, const CutBy&) = default;
};

// What keeps the price of `quantity` units of a line from going lower.
CutBy cut_by_floor(const Bounds& bounds, std::uint32_t line, Quantity quantity, const Enclosing& enclosing);

// What allows no more to be taken off: of the maximum discounts and, if it is paid with points, of these.
CutBy cut_by_sum(const Bounds& bounds, const State& state, const Enclosing& enclosing, std::uint32_t point_type);

}  // namespace loyalty
