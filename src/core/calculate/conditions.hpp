// What must hold for a promotion to take part in an order at all, and for the conditions on the order to be fulfilled.
// Judged once, on the order as it was submitted. That lines belong to product segments is the business of
// candidates.hpp, which looks for them the other way round.
#pragma once

#include "core/calculate/reason.hpp"
#include "core/order/order.hpp"
#include "core/program/program.hpp"

namespace loyalty {

// The first reason why the promotion takes no part, in this sequence: state, audience, the order it is for, dates,
// schedule, promo code, channel and contact point, region, uses. Reason::none if there is none.
Reason find_obstacle(const Program& program, Index promotion, const Order& order);
// The same of any order of this buyer at this time and place, whatever goods are in it.
Reason find_obstacle_for_any_goods(const Program& program, Index promotion, const Order& order);

// Whether the order fulfils an order condition.
bool holds(const Condition& condition, const Order& order);

// The lines that are of a product condition's segments, or outside of them, whatever they come to together.
std::vector<std::uint32_t> matching_lines(const Condition& condition, const Order& order);
bool matches(const Condition& condition, const Line& line);

// Units and money at base prices, of some lines together.
struct Goods {
    Quantity items;
    Money total;

    void add(const Line& line) {
        items += line.quantity;
        total += line.base;
    }
};
Goods goods_of(const Order& order);
Goods goods_of(const Order& order, const std::vector<std::uint32_t>& lines);

bool reaches(const Program& program, const Minimum& minimum, const Goods& goods);
// Whether money at current prices comes to what is asked for at these.
bool reaches(const Program& program, const Minimum& minimum, Money goods);

// Why a promotion without an obstacle met no line and no order condition.
Reason unmet_reason(const Program& program, const Promotion& promotion, const Order& order);

}  // namespace loyalty
