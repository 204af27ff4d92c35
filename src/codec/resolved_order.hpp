// A resolved order as JSON: what is stored with a placed order, so that it can be priced again exactly, whatever has
// become of products, segments and balances since. Whatever a calculation reads of an order has to stand in here.
#pragma once

#include "codec/json_writer.hpp"
#include "core/order/order.hpp"
#include "core/program/program.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace loyalty::codec {

// `credited` are the statuses and kinds of status that the order had reached when it was placed. They and the order
// live until the value is finished.
void write_resolved_order(JsonWriter& out, const Program& program, const Order& order,
                          const std::vector<std::string_view>& credited);

struct ResolvedOrder {
    Order order;
    std::vector<std::string> credited;
};

// Reads it back, for the same version of the program.
ResolvedOrder read_resolved_order(std::string_view json, const Program& program);

}  // namespace loyalty::codec
