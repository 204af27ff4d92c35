// Changes of an order that may be worth something to its buyer: more of what is in it, where that reaches a promotion
// of the whole order; a promo code held; points not spent; another place or time. Whether one is worth it, a
// calculation of the changed order tells; here they are only found, cheapest first.
#pragma once

#include "core/calculate/calculate.hpp"
#include "core/document/document.hpp"

#include <string>
#include <vector>

namespace loyalty {

// A usable code that the buyer holds.
struct HeldCode {
    std::string code, pool;
};

struct Change {
    enum class Kind { promo_code, redeem, contact_point, channel, more, time };

    Kind kind = Kind::more;
    Index promotion = none;      // that it aims at; none: any that can be paid with points
    std::uint32_t position = 0;  // of the line in the document, and …
    Quantity quantity;           // … how much of it there is then
    std::string text;            // the code, point type, place or local time
    Money cost;                  // of what comes in, at base prices

    // The document, changed. What it has besides stays.
    OrderDocument apply(OrderDocument document) const;
};

// "promo_code", as rows say it.
std::string_view to_string(Change::Kind kind);

std::vector<Change> find_changes(const Program& program, const Order& order, const std::vector<HeldCode>& codes);

// What an order is worth to its buyer: reductions, those paid with points in full, and the worth of standard points
// earned; in 1/value_denominator of the smallest unit of money.
int128 worth(const Program& program, const Calculation& calculation);

}  // namespace loyalty
