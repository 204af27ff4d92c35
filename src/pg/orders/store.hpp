// The tables of orders: finding an order, locking it, and writing what was placed.
#pragma once

#include "core/document/document.hpp"
#include "core/money/amount.hpp"
#include "core/order/resolve.hpp"

#include <optional>
#include <set>
#include <string>

#include "pg/promotions/cache.hpp"
#include "pg/server/values.hpp"

namespace loyalty::pg {

struct OrderKey {
    std::string buyer;  // "m:" and the profile's key, or "g:" and the order's external id
    std::string program;
    std::string external_id;
    std::optional<bool> removed;     // where the buyer's member row is locked: whether the member was removed
    bool named_locked = false;  // the point types and promotions that its rows and bookings name

    std::optional<std::string> profile() const {
        return buyer.starts_with("m:") ? std::optional(buyer.substr(2)) : std::nullopt;
    }
};

// The key as arguments of queries, made once for the statements of a function.
struct OrderArguments {
    Argument buyer, program, external_id;

    explicit OrderArguments(const OrderKey& key)
        : buyer(text_argument(key.buyer)),
          program(text_argument(key.program)),
          external_id(text_argument(key.external_id)) {}
};

// The external id of an order, which is given, and those of its lines can be kept. Error LY104
void check_order_ids(const OrderDocument& document);

// Whose order it is; nothing if there is no such order.
std::optional<std::string> find_buyer_of(const std::string& program, const std::string& external_id);

// Error LY203 where the order is of a member whom the caller may not see.
void require_visible_buyer(const std::string& program, const std::string& external_id);

// Promotions that an order names stay from then on.
void keep_promotions(const std::string& program, const std::set<std::string>& promotions);

// Locks the balances of the buyer in the program, if it is or was a member: the first lock of everything that changes
// an order (sql/tables/64-orders.sql has no other), so that two functions never wait for each other. The key then knows
// whether the member was removed.
void lock_balances(OrderKey& key);

// Dynamic tiers look at orders and balances: after an order was placed, moved on or came back, the buyer's are judged,
// once for all that was booked. Where there are none, nothing is looked at.
void judge_buyer(const OrderKey& key, const LiveProgram& live);

// The kind of a status that is stored. Error XX001 where the status is none any more.
StatusKind kind_of(const Market& market, const std::string& status);

// An order that the functions which change it have locked.
struct LockedOrder {
    OrderKey key;
    CurrentProgram current;
    std::string status;
    int currency_scale = 2;
    Money shipping_total;
    bool shipping_refunded = false;

    const Market& market() const { return current.live->market; }
    StatusKind kind() const { return kind_of(market(), status); }
    bool is_final() const { return kind() == StatusKind::cancelled || kind() == StatusKind::refunded; }
    std::string shown() const { return "order \"" + key.external_id + "\""; }
};

// Locks the buyer's balances and the order. Error LY604 where there is none.
LockedOrder lock_order(const std::string& program, const std::string& external_id);

// Error LY604
[[noreturn]] void fail_unknown_order(const std::string& program, const std::string& external_id);

// Error LY605: what was cancelled or refunded stays so.
[[noreturn]] void fail_final(const std::string& what, const std::string& status);

// Error LY606
[[noreturn]] void fail_unknown_line(const LockedOrder& order, const std::string& line);

}  // namespace loyalty::pg
