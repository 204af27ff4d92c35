#pragma once

#include "core/document.hpp"

#include <string_view>
#include <vector>

namespace loyalty::codec {

// Reads an order document. Errors: LY100 to LY108, each with the JSON path, the value and what is expected. Example:
//     {"lines": [{"product": "PC-1", "quantity": 1, "price": 100000}]}
OrderDocument read_order(std::string_view json);

// Reads an array of orders that were made elsewhere: without what only a calculation needs, and with the `total` that was
// paid for a line. Each has an external id, and a price on every line.
std::vector<OrderDocument> read_imported_orders(std::string_view json);

}  // namespace loyalty::codec
