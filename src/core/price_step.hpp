// The steps that prices are rounded to.
#pragma once

#include "core/amount.hpp"
#include "core/benefit.hpp"
#include "core/parameters.hpp"

namespace loyalty {

class PriceStep {
public:
    // Reads `mode`, or `step` and `direction`.
    static PriceStep read(Parameters& parameters, int currency_scale);

    // What `quantity` units that cost `total` cost once the price of one is rounded: round(rounded price × quantity).
    Money round(Money total, Quantity quantity) const;

    // A price moves by a step at most.
    Reach reach() const;

private:
    enum class Direction { nearest, down, up };

    std::int64_t step_ = 1;  // in smallest units of money
    Direction direction_ = Direction::nearest;
};

}  // namespace loyalty
