// An order document as it was written: nothing looked up, nothing filled in. codec/order_reader reads it from JSON,
// resolve() makes an Order of it.
#pragma once

#include "core/money/decimal.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace loyalty {

inline constexpr std::size_t max_lines = 10'000;

// Lines that an order is given by promotions; no document names its lines so.
inline constexpr std::string_view gift_line_prefix = "gift-";
inline std::string gift_line_id(std::size_t number) { return std::string(gift_line_prefix) + std::to_string(number); }

// Of one test of the draft.
inline constexpr std::size_t max_test_orders = 1'000;
inline constexpr std::size_t max_test_lines = 100'000;

struct LineDocument {
    std::optional<std::string> id;
    std::string product;
    Decimal quantity;
    std::optional<Decimal> price;
    std::optional<Decimal> min_price;
    std::optional<Decimal> total;  // of imported orders: what was paid for the line
    std::string fields;            // JSON text of an object; empty if none

    // How a test has edited the product, see codec::read_test_orders().
    std::optional<std::string> name;
    std::optional<std::string> partner;
    std::string categories;  // JSON text of an array; empty if none

    bool edits_product() const { return name || partner || !categories.empty(); }
};

struct RedeemDocument {
    std::string points;
    std::optional<Decimal> amount;  // nothing: "max"
};

// How much a quote answers with: the totals, points and codes; the lines and texts, too; each operation as well.
enum class Detail : std::uint8_t { totals, lines, full };

// How an order tells its member without a key.
struct MemberContact {
    std::string field;  // email or phone
    std::string value;
};

struct OrderDocument {
    std::optional<std::string> program;
    std::optional<std::string> external_id;
    std::optional<std::string> member;
    std::optional<MemberContact> contact;  // in place of the member, until it is looked up
    std::optional<std::string> channel;
    std::optional<std::string> contact_point;
    std::optional<std::string> region;
    std::optional<std::string> currency;
    std::optional<std::string> time;
    std::optional<std::string> status;
    std::optional<Decimal> shipping;
    std::optional<Decimal> expected_total;
    Detail detail = Detail::full;
    bool fires = true;  // whether events tell that it was placed
    std::vector<LineDocument> lines;
    std::vector<RedeemDocument> redeem;
    std::vector<std::string> promo_codes;
    std::string fields;

    // In a test that does not calculate it: what stands for the total in the order's own document.
    std::optional<Decimal> total;
};

// The orders that a made-up member has placed before.
struct OrdersDocument {
    Decimal count;
    Decimal sum;
    std::optional<std::string> last;
};

// What a test of the draft goes by, beside its orders.
struct TestContext {
    // A member made up for the test: the balance of each point type, the tiers held, the segments,
    // the promo codes attached.
    struct Member {
        std::vector<std::pair<std::string, Decimal>> balances;
        std::vector<std::string> tiers;
        std::vector<std::string> segments;
        std::vector<std::string> promo_codes;
        OrdersDocument orders;
    };
    std::optional<Member> member;
    bool auto_calculate = true;  // otherwise each order says its total
    bool with_drafts = false;    // promotions that are still drafts take part
};

}  // namespace loyalty
