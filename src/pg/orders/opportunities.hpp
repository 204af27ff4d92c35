// What an order could gain by a change: changes that the core finds, each verified by calculating the changed order.
#pragma once

#include "core/explain/opportunities.hpp"

#include <vector>

#include "pg/orders/quote.hpp"

namespace loyalty::pg {

struct Opportunity {
    Change change;
    std::string promotion;  // that it aims at, or the first that has an effect by it; empty: none
    Money price_now, price_then;
    Money net_gain;              // rounded
    std::vector<Points> points;  // earned more, or less, per point type
    std::string text;
};

inline constexpr int most_opportunities = 20;

// Error LY104 unless it is 1 to most_opportunities.
int checked_most(std::int64_t most);

// At most `most`, cheapest first; 2 × most changes are calculated.
std::vector<Opportunity> find_opportunities(const Quote& quote, const Edition& edition, Oid caller, int most);

// As an object with the key "opportunities".
Datum opportunities_document(const Quote& quote, const std::vector<Opportunity>& opportunities);

}  // namespace loyalty::pg
