// What benefits read of the documents around an order: custom fields of its products and its own, and members of the
// buyer's profile. Nothing is looked up that no benefit of the version reads.
#pragma once

#include "core/document/document.hpp"
#include "core/order/order.hpp"

#include <string>

#include "pg/promotions/cache.hpp"

namespace loyalty::pg {

// Fills in the values of `order` that Program::reads names. `time` is the order's, in the program's time zone; `caller`
// the role whose rights hold in the profile database.
void read_values(Order& order, const OrderDocument& document, const CurrentProgram& current, const std::string& time,
                 Oid caller);

}  // namespace loyalty::pg
