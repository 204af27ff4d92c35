// An order that was resolved for one version of a program, made to fit another: names keep their meaning, their places
// in the lists of the program change. What the other version asks of an order and the first did not is told, for
// whoever can to fill it in.
#pragma once

#include "core/order/order.hpp"
#include "core/program/program.hpp"

#include <vector>

namespace loyalty {

// By their places in the other version.
struct Unknown {
    std::vector<Index> product_segments, order_segments, profile_segments, tiers;
    std::vector<std::size_t> product_values, order_values, profile_values;
    std::vector<std::size_t> gifts;  // products that are given away

    bool of_products() const { return !product_segments.empty(); }
    bool of_buyer() const { return !profile_segments.empty() || !tiers.empty(); }
    bool of_values() const {
        return !product_values.empty() || !order_values.empty() || !profile_values.empty() || !gifts.empty();
    }
    bool any() const { return of_products() || !order_segments.empty() || of_buyer() || of_values(); }
};

class Transfer {
public:
    // Error LY612 where the versions count in other units.
    Transfer(const Program& from, const Program& to);

    // What is unknown holds for nothing: no segment, no tier, no value. What usage limits left of a promotion stands,
    // and those that the order did not know are none. Points of a type that the first version did not have are 0, of an
    // inactive type.
    Order operator()(const Order& order) const;

    const Unknown& unknown() const { return unknown_; }

private:
    using Places = std::vector<std::size_t>;  // per item of one list, its place in the other, or nowhere

    UnitPrice moved(const UnitPrice& price) const;
    std::vector<std::uint32_t> moved(const std::vector<std::uint32_t>& items, const Places& places) const;
    std::vector<Value> moved(const std::vector<Value>& values, const Places& places, std::size_t size) const;
    void move_buyer(Buyer& buyer) const;
    void move_allowances(Order& order) const;

    const Program* from_;
    const Program* to_;
    Places product_segments_, order_segments_, profile_segments_, tiers_, point_types_;
    Places product_values_, order_values_, profile_values_, gifts_;
    Unknown unknown_;
};

}  // namespace loyalty
