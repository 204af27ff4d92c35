// What a benefit promises that it can do at most: what searches (search/) and proofs over all orders (bound/) rely on.
#pragma once

#include "core/money/amount.hpp"

#include <cstdint>
#include <optional>

namespace loyalty {

// The most that a benefit can do, whatever was done before it. Amounts are exact ones, before they are rounded:
// reductions once for each unit group (on the order level once), points once for each line.
struct Reach {
    Fraction share{1, 1};               // it takes at most this share of the current price of what it touches,
    std::optional<Fraction> amount;     // at most so much off each unit, on the order level off the order, …
    bool once = false;                  // … on products, too, off all of them together,
    std::optional<std::int64_t> items;  // and touches at most so many items; none: whole unit groups, it splits none
    bool cheapest = false;              // these are the cheapest of all that it can see and that cost anything
    bool splits_all = false;            // it may split every group; else, if it counts items, one
    bool goods = true;                  // whether it may touch prices of goods,
    bool shipping = false;              // and the price of the shipping
    bool pays = false;                  // whether what it takes off is paid with points of point_type()
    Fraction raise;                     // it raises by at most so much for each unit, on the order level for the order

    enum class Points { none, fixed, by_price, by_earned };
    Points points = Points::none;  // what it accrues; fixed: the same whatever the prices are
    Fraction points_per_money;  // by_price: at most so much for each smallest unit of money of the prices that it sees
    // Fixed: so many for the order, where they do not depend on how much there is in it.
    std::optional<std::int64_t> points_once;
    bool gives = false;   // it gives a product away
    Fraction per_earned;  // by_earned: at most so much for each point that was earned before it (View::earned)
};

// What a benefit can do in orders whose goods come to `total` at base prices, or more; nothing: it promises nothing.
struct ReachFrom {
    Decimal total;
    std::optional<Reach> reach;
};

}  // namespace loyalty
