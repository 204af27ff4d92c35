// An order as the engine calculates it: every default filled in, every reference resolved (resolve.hpp).
#pragma once

#include "core/document/local_time.hpp"
#include "core/money/amount.hpp"
#include "core/names.hpp"
#include "core/order/promo_code.hpp"
#include "core/program/usage.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace loyalty {

// A value that a benefit reads from a document: a custom field of a product, a member of the order or of the profile.
struct Value {
    std::optional<Decimal> number;  // if it is one
    std::string text;               // as a text shows it; empty where the document has no such member
};

struct Line {
    std::string id;
    std::string product;
    std::string name;            // of the product, for people; empty: none is known
    std::uint32_t position = 0;  // in the document, from 0
    Quantity quantity;
    UnitPrice price;                      // base price
    Money base;                           // round(price × quantity)
    std::optional<UnitPrice> min_price;
    std::vector<std::uint32_t> segments;  // of Program::segments that the product belongs to
    std::vector<Value> values;            // what Program::reads names of the product's document
    // In Program::partner_products; none for the shop's own products and before a partner's start date.
    std::uint32_t partner_product = ~std::uint32_t{0};
};

// A request to pay with points of a type: up to `amount`, or all there are.
struct Redeem {
    std::uint32_t point_type = 0;
    std::optional<Points> amount;
};

struct Balance {
    Points total;         // as the ledger counts
    Points active;        // what can be spent now
    bool usable = false;  // whether the point type is active at all
    Points debt{};        // what the total is below the lots: credits pay it first …
    Points owed{};        // … and then what could not be taken back
};

enum class BuyerKind { anonymous, guest, member };
inline constexpr Names<BuyerKind, 3> buyer_kind_names({
    {BuyerKind::anonymous, "anonymous"},
    {BuyerKind::guest, "guest"},
    {BuyerKind::member, "member"},
});

// The buyer's orders before this one: not cancelled, net of returns.
struct OrdersBefore {
    std::int64_t count = 0;
    Money sum;
    std::string last;  // when the last one was made, by the program's clock; empty: there is none

    friend bool operator==(const OrdersBefore&, const OrdersBefore&) = default;
};

struct Buyer {
    BuyerKind kind = BuyerKind::anonymous;
    std::string key;                // as the profile database writes it; empty for an anonymous guest
    std::vector<Balance> balances;  // one per point type of the program
    // Those of the program that conditions name: of Program::profile_segments and Program::tiers, ascending.
    std::vector<std::uint32_t> segments;
    std::vector<std::uint32_t> tiers;
    std::vector<Value> values;  // what Program::reads names of the profile's document
    std::optional<OrdersBefore> orders;  // where anything looks at them
};

// A product that benefits give away; one that the catalogue does not know is worth nothing.
struct GiftProduct {
    std::string name;
    UnitPrice price;

    friend bool operator==(const GiftProduct&, const GiftProduct&) = default;
};

struct Order {
    std::vector<Line> lines;  // in line order: by id, bytewise
    Money shipping;
    std::vector<Redeem> redeem;  // in the order's own sequence
    Buyer buyer;
    std::vector<Value> values;  // what Program::reads names of the order's document

    LocalTime time;                              // when its conditions are judged
    std::optional<Money> total;                  // that its document states; nothing: goods and shipping at base prices
    std::string channel, contact_point, region;  // empty: none given; a contact point brings its channel
    std::vector<std::uint32_t> segments;         // of Program::order_segments that it belongs to, ascending
    std::vector<PromoCode> promo_codes;          // as the order lists them
    std::vector<std::uint32_t> pools;            // of Program::pools that a usable code was given of, ascending
    std::vector<GiftProduct> gifts;              // one for each of Program::reads.gifts
    std::vector<Allowance> allowances;           // of the promotions with usage limits that it could meet
};

// What usage limits leave of a promotion; nothing where it has none.
inline const Allowance* find_allowance(const Order& order, std::uint32_t promotion) {
    for (const auto& allowance : order.allowances) {
        if (allowance.promotion == promotion) return &allowance;
    }
    return nullptr;
}

// The sum of the quantities.
inline Quantity items(const Order& order) {
    Quantity sum;
    for (const auto& line : order.lines) sum += line.quantity;
    return sum;
}

}  // namespace loyalty
