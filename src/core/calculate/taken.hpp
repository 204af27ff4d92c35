// Which targets the children of an incompatible group have taken: units of lines, the order, the shipping.
//
// A target is taken by the promotion that had an effect on it first. What a benefit that picks items leaves of a line
// stays free. Most lines are taken whole, so that is one word for a line; units of the others stand in a short list.
#pragma once

#include "core/calculate/state.hpp"
#include "core/order/order.hpp"
#include "core/program/program.hpp"

#include <vector>

namespace loyalty {

class Taken {
public:
    explicit Taken(const Order& order) : order_(&order), whole_(order.lines.size(), none) {}

    // By promotion; none if it is free.
    Index order() const { return of_order_; }
    Index shipping() const { return of_shipping_; }
    // A unit group lies within what is taken, or outside of it.
    Index units(const UnitGroup& group) const;
    // Of any unit of the line.
    Index any_of(std::uint32_t line) const;
    bool all_of(std::uint32_t line) const;

    // What the effects of a child take.
    void add(const Program& program, const Entries& entries);

private:
    struct Units {
        std::uint32_t line;
        Quantity from, to;
        Index promotion;
    };

    void add(const Program& program, const Entry& entry, bool is_alone);
    void take(std::uint32_t line, Quantity from, Quantity to, Index promotion);
    std::vector<Units>::const_iterator first_of(std::uint32_t line) const;

    const Order* order_;
    std::vector<Index> whole_;   // by line
    std::vector<Units> parts_;   // by line, then by unit; none overlap
    Index of_order_ = none;
    Index of_shipping_ = none;
};

}  // namespace loyalty
