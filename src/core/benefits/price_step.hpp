// The steps that prices are rounded to.
#pragma once

#include "core/calculate/benefit.hpp"

namespace loyalty {

class PriceStep {
public:
    // Reads `mode`, or `step` and `direction`, of a scale in which `parts` are one smallest unit of money.
    static PriceStep read(Parameters& parameters, int scale, std::int64_t parts);

    // What `quantity` units that cost `total` cost once the price of one is rounded: round(rounded price × quantity).
    Money round(Money total, Quantity quantity) const;

    // The most that this does: less than a step for each unit, down or up; half of one to the nearest.
    Reach reach() const;

private:
    enum class Direction { nearest, down, up };

    UnitPrice step_{1, 1};
    Direction direction_ = Direction::nearest;
};

}  // namespace loyalty
