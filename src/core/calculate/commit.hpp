// The commit: the only place where prices change. Proposed reductions are cut by the limits of all enclosing groups at
// once, by the floors of the lines and by what is left of the points, and what remains is applied to the state.
#pragma once

#include "core/calculate/benefit.hpp"
#include "core/calculate/state.hpp"
#include "core/order/order.hpp"
#include "core/program/program.hpp"

#include <optional>
#include <vector>

namespace loyalty {

// A group around the node that is being evaluated, up to the main arbitration; or the promotion itself, where it has a
// budget of money, which is a maximum discount that counts the shipping, too.
struct Enclosing {
    const Enclosing* outer = nullptr;
    const Group* group = nullptr;       // none: a promotion
    std::optional<Money> max_discount;  // of all goods in the group's subtree, for this order

    // Its place in State::reduced.
    int depth() const { return group ? group->depth : outer->depth() + 1; }
};

// What limits an order's reductions: constant while its benefits are applied.
struct Bounds {
    const Program& program;
    const Order& order;
    std::vector<Money> budgets;  // money that points of each type may pay for the whole order

    Bounds(const Program& program, const Order& order);

    // The lowest total that `quantity` units of a line may reach within the enclosing groups.
    Money floor(std::uint32_t line, Quantity quantity, const Enclosing& enclosing) const;
    // What the maximum discounts of the enclosing groups still allow.
    Money reduction_left(const State& state, const Enclosing& enclosing) const;
    // What the budget of money of the promotion that is being evaluated still allows to take off the shipping.
    Money shipping_left(const State& state, const Enclosing& enclosing) const;
    // What points of a type may still pay: of the budget, and of what the goods come to before points pay for them.
    Money budget_left(const State& state, std::uint32_t point_type) const;
    // The maximum discount of a group in money.
    std::optional<Money> max_discount(const Group& group) const;

private:
    Money base_goods_;
};

// Applies one proposal: each part has the room that its floor leaves, and what a floor refuses of an amount is moved to
// where there is room; then, if a maximum discount, a budget or the points do not allow the sum, that is shared by
// allotment.
Entries commit(const Bounds& bounds, const Enclosing& enclosing, State& state, std::uint32_t benefit,
               Proposal proposal);

// Applies the sum of effects that were each found on this same state: the common partition of their units is taken,
// reductions are added per unit group, money goes before points (types in the order of `redeem`), and a limit that
// bites is shared over the unit groups by allotment.
Entries commit_sum(const Bounds& bounds, const Enclosing& enclosing, State& state,
                   const std::vector<Entries>& summands);

}  // namespace loyalty
