// What the catalogue knows of an order's products, and which product segments each line belongs to.
//
// Membership of stored products is materialised, so one query tells it. A line whose product is unknown, or whose
// price, minimum price or fields are its own, is judged on the spot, but only by predicates that may depend on what
// differs.
#pragma once

#include "core/document/document.hpp"
#include "core/order/resolve.hpp"

#include <vector>

#include "pg/promotions/cache.hpp"

namespace loyalty::pg {

// What product predicates see. Empty members are left out. `categories`, `fields` and `segments` are JSON text.
struct ProductDocument {
    std::optional<std::string> sku, name, price, min_price, categories, partner, fields, segments;
};

struct Catalogue {
    std::vector<Product> products;                     // per line of the document
    std::vector<std::vector<std::uint32_t>> segments;  // per line: of the program's segments
    std::vector<ProductDocument> documents;            // per line, where the version's order segments read lines
};

Catalogue find_products(const CurrentProgram& program, const OrderDocument& document);

std::string write_product_document(const ProductDocument& product);

}  // namespace loyalty::pg
