#pragma once

#include "core/document/document.hpp"
#include "core/error.hpp"

#include <functional>
#include <string_view>
#include <vector>

namespace loyalty::codec {

// Reads an order document. Errors: LY100 to LY108, each with the JSON path, the value and what is expected. Example:
//     {"lines": [{"product": "PC-1", "quantity": 1, "price": 100000}]}
OrderDocument read_order(std::string_view json);

// Reads an order, or an array of orders, for a test of the draft: an order may say its total, a line may edit its
// product by name, categories and partner, too. Errors: as above; LY108 beyond max_test_orders and max_test_lines.
std::vector<OrderDocument> read_test_orders(std::string_view json);

// Reads an array of orders that were made elsewhere: without what only a calculation needs, and with the `total` that
// was paid for a line. Each has an external id, and a price on every line. Calls `between`, which may throw, before
// each.
std::vector<OrderDocument> read_imported_orders(std::string_view json, const std::function<void()>& between = {});

// The same error, naming the order of an array that it is about.
Error in_order(const Error& error, std::size_t index);

}  // namespace loyalty::codec
