// The steps that prices are rounded to.
#pragma once

#include "core/calculate/benefit.hpp"

namespace loyalty {

class PriceStep {
public:
    // Reads `mode`, or `step` and `direction`.
    static PriceStep read(Parameters& parameters, int currency_scale);

    // What `quantity` units that cost `total` cost once the price of one is rounded: round(rounded price × quantity).
    Money round(Money total, Quantity quantity) const;

    // The most that this does: less than a step for each unit, down or up; half of one to the nearest.
    Reach reach() const;

private:
    enum class Direction { nearest, down, up };

    std::int64_t step_ = 1;  // in smallest units of money
    Direction direction_ = Direction::nearest;
};

}  // namespace loyalty
