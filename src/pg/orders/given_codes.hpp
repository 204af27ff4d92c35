// The promo codes of an order, looked up among those of the program's pools.
#pragma once

#include "core/document/document.hpp"
#include "core/order/order.hpp"
#include "core/program/program.hpp"

#include <string>
#include <vector>

namespace loyalty::pg {

// Fills in the order's promo codes, each with whether its buyer may use it at its time, and the pools that they open.
// `attached` are codes that count as attached to the buyer, whoever has them. With `binding` the codes are locked
// first, in their order, until the transaction ends.
void find_promo_codes(Order& order, const OrderDocument& document, const Program& program,
                      const std::vector<std::string>& attached = {}, bool binding = false);

}  // namespace loyalty::pg
