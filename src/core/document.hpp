// An order document as it was written: nothing looked up, nothing filled in. codec/order_reader reads it from JSON, resolve()
// makes an Order of it.
#pragma once

#include "core/decimal.hpp"

#include <optional>
#include <string>
#include <vector>

namespace loyalty {

inline constexpr std::size_t max_lines = 10'000;

struct LineDocument {
    std::optional<std::string> id;
    std::string product;
    Decimal quantity;
    std::optional<Decimal> price;
    std::optional<Decimal> min_price;
    std::optional<Decimal> total;  // of imported orders: what was paid for the line
    std::string fields;  // JSON text of an object; empty if none
};

struct RedeemDocument {
    std::string points;
    std::optional<Decimal> amount;  // nothing: "max"
};

struct OrderDocument {
    std::optional<std::string> program;
    std::optional<std::string> external_id;
    std::optional<std::string> member;
    std::optional<std::string> channel;
    std::optional<std::string> contact_point;
    std::optional<std::string> region;
    std::optional<std::string> currency;
    std::optional<std::string> time;
    std::optional<std::string> status;
    std::optional<Decimal> shipping;
    std::optional<Decimal> expected_total;
    std::vector<LineDocument> lines;
    std::vector<RedeemDocument> redeem;
    std::vector<std::string> promo_codes;
    std::string fields;
};

}  // namespace loyalty
