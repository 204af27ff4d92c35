// What a return gives back of an order's line.
//
// The units of a line are alike: of each figure of the line – its money, the points of a type that paid for it, the
// points of an accrual – as much has been given back, all in all, as the units that have come back so far carry. A
// return gives back the difference to what was given back before. So any series of returns gives back the same as one
// return of as many units, never more than the figure, and all of it with the last unit.
#pragma once

#include "core/money/amount.hpp"

#include <cstdint>

namespace loyalty {

// Of `quantity` units of a line, how many had come back before a return and have come back with it.
struct ReturnedUnits {
    Quantity quantity;
    Quantity before;
    Quantity after;

    bool are_all() const { return after == quantity; }
};

// round(figure × returned ÷ quantity)
std::int64_t given_back(std::int64_t figure, Quantity returned, Quantity quantity);

// What this return gives back of the figure.
std::int64_t part_of(std::int64_t figure, const ReturnedUnits& units);

}  // namespace loyalty
