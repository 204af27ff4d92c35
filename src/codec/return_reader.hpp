// Reads the lines of a return: [{"id": "1", "quantity": 2}, …].
#pragma once

#include "core/money/amount.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace loyalty::codec {

struct ReturnedItem {
    std::string line;
    Quantity quantity;
};

// Errors LY100 to LY108, LY107 where a line occurs twice.
std::vector<ReturnedItem> read_returned_items(std::string_view json);

}  // namespace loyalty::codec
