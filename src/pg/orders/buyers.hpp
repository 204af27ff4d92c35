// What a buyer with a profile has ordered: one row each, kept up by whatever changes orders.
#pragma once

#include "core/order/order.hpp"

#include <string>

#include "pg/orders/store.hpp"

namespace loyalty::pg {

// As it is kept, for a calculation. `profile` is a key of the profile database.
OrdersBefore find_orders_before(const Program& program, const std::string& profile);

// For orders whose stored input does not tell: those of the buyer that were made before `at`, as far as they stand
// today.
OrdersBefore count_orders_before(const Program& program, const std::string& profile, TimestampTz at);

// Locks the buyer's row, so that of two orders at once the second is calculated when the first is placed. Where the
// version looks at what was ordered before, that goes before the calculation.
void lock_buyer(const OrderKey& order);

// Takes off what was given back of an order that stays.
void take_from_buyer(const OrderKey& order, Money given_back, int currency_scale);

// Adds up the buyer's orders anew, after one was cancelled or refunded.
void recount_buyer(const OrderKey& order);

}  // namespace loyalty::pg
