// Usage limits of promotions: what they leave to an order, and the counters.
#pragma once

#include "core/calculate/calculate.hpp"

#include "pg/orders/store.hpp"

namespace loyalty::pg {

// The promotions with limits that the order can meet, as far as limits do not keep it from it; ascending by their ids.
std::vector<Index> limited_candidates(const Program& program, const Order& order);

// Fills in what the usage limits leave of those promotions that the order can meet. With `binding` their counters are
// locked first, in the order of the promotions' ids, until the transaction ends.
void find_allowances(Order& order, const Program& program, bool binding);

// What they leave to the buyer of every promotion that has limits, for orders that are not known yet. Nothing is
// locked.
std::vector<Allowance> find_allowances(const Buyer& buyer, const Program& program);

// What is left to an anonymous guest where the limits of these promotions are used up, and those of others are not
// touched.
std::vector<Allowance> allowances_by(const std::vector<std::string>& used_up, const Program& program);

// Counts an order that was stored.
void count_uses(const OrderKey& key, const Program& program, const Order& order, const Calculation& calculation);

// Gives back what the units that have come back carried, and the uses with the last unit.
void give_back_uses(const OrderKey& key, bool any_left);

}  // namespace loyalty::pg
