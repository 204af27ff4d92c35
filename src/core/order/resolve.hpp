// From an order document to an order: references are looked up in what the database holds of the program's market,
// defaults filled in, figures brought to the scales of the program. Every mistake is an error that names the JSON path.
#pragma once

#include "core/document/document.hpp"
#include "core/order/fields.hpp"
#include "core/order/order.hpp"
#include "core/program/program.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace loyalty {

enum class StatusKind { open, delivered, cancelled, refunded };

struct Status {
    int position = 0;
    StatusKind kind = StatusKind::open;
};

// What an order may refer to, as it is now. What a version freezes (currency, scales, time zone) is the program's,
// which follows the market with the next apply.
struct Market {
    std::string program;
    bool active = false;
    std::string currency;
    int currency_scale = 2;
    int price_scale = 2;
    std::string time_zone;
    std::string profile_database;
    std::unordered_set<std::string> channels;
    std::unordered_map<std::string, std::string> contact_points;  // to their channel
    std::unordered_set<std::string> regions;
    std::unordered_map<std::string, Status> statuses;
    std::unordered_set<std::string> point_types;
    ListedFields fields;

    // Whether an order with this status has reached `credit_on`, a status's name or a kind.
    bool is_credited(std::string_view status, std::string_view credit_on) const;
};

// A product as the catalogue knows it. The segments are those of the program, by index.
struct Product {
    bool known = false;
    std::optional<Decimal> price;
    std::optional<Decimal> min_price;
    std::string name{};  // as the catalogue has it; empty where it is unknown
};

// Error LY202 unless the program calculates orders.
void check_active(const Market& market);

// Checks what the document refers to.
void check_references(const OrderDocument& document, const Program& program, const Market& market);

// The order. `products` and `segments` go with the document's lines, one by one; `buyer` was looked up by the caller.
Order resolve(const OrderDocument& document, const Program& program, const std::vector<Product>& products,
              std::vector<std::vector<std::uint32_t>> segments, Buyer buyer);

// Where the order is placed; a contact point brings its channel.
void resolve_place(Order& order, const OrderDocument& document, const Market& market);

// Lets the terms of partners apply that have begun by `today`, the order's local date in days since 1970-01-01.
void find_partner_products(Order& order, const Program& program, std::int32_t today);

// "$.lines[3]", for messages.
std::string line_path(std::size_t index);

}  // namespace loyalty
