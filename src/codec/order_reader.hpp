#pragma once

#include "core/document.hpp"

#include <string_view>

namespace loyalty::codec {

// Reads an order document. Errors: LY100 to LY108, each with the JSON path, the value and what is expected. Example:
//     {"lines": [{"product": "PC-1", "quantity": 1, "price": 100000}]}
OrderDocument read_order(std::string_view json);

}  // namespace loyalty::codec
