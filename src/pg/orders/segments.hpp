// Which order segments of the version an order belongs to.
#pragma once

#include "core/document/document.hpp"
#include "core/order/order.hpp"

#include <string>
#include <vector>

#include "pg/orders/catalogue.hpp"
#include "pg/promotions/cache.hpp"

namespace loyalty::pg {

// What order predicates see, as jsonb. `products` are the documents of the order document's lines, or none, and
// `segments` the static order segments that it is listed in.
Datum order_document(const Order& order, const OrderDocument& document, const AppliedVersion& version,
                     const std::vector<ProductDocument>& products, const std::vector<std::string>& segments);

// Fills in the order's segments.
void find_order_segments(Order& order, const OrderDocument& document, const AppliedVersion& version,
                         const std::vector<ProductDocument>& products);

}  // namespace loyalty::pg
