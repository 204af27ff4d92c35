// The calculation of an order a second time, straight from its definition and from nothing else: no candidates, no
// search that skips anything, arithmetic of its own. Slow, short, and what the engine is compared with.
#pragma once

#include "core/calculate/reason.hpp"
#include "core/order/order.hpp"
#include "core/program/tree.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace loyalty::oracle {

// Who did it and to what: promotion, level, the number of the benefit among the promotion's benefits of that level, and
// the line's id, "(shipping)" or "(order)".
using EffectKey = std::tuple<std::string, Level, int, std::string>;

struct EffectSum {
    std::int64_t money = 0;   // reduction in money; negative: a raise
    std::int64_t paid = 0;    // reduction paid with points
    std::int64_t points = 0;  // accrued
    int texts = 0;
    int codes = 0;  // promo codes issued
    std::int64_t given = 0;  // units of a product
    std::int64_t worth = 0;  // of these

    friend bool operator==(const EffectSum&, const EffectSum&) = default;
};

struct Figures {
    std::int64_t discount = 0;
    std::int64_t points_discount = 0;
    std::int64_t total = 0;

    friend bool operator==(const Figures&, const Figures&) = default;
};

struct Result {
    std::vector<Figures> lines;  // as in the order
    Figures shipping;
    std::int64_t total = 0;
    std::vector<std::int64_t> paid;          // money, per point type
    std::vector<std::int64_t> spent;         // points, per point type
    std::vector<std::int64_t> accrued;       // points, per point type
    std::map<EffectKey, EffectSum> effects;  // those that are not zero

    friend bool operator==(const Result&, const Result&) = default;
};

// What a promotion's usage limits leave; nothing: without limit.
struct Left {
    bool used_up = false;
    std::optional<Decimal> money, points;
};

// What the documents around an order say, and what other orders have left: whatever the benefits read of it.
struct Facts {
    std::vector<std::map<std::string, Value>> fields;  // per line, in line order: its custom fields
    std::int32_t today = 0;                            // in days since 1970-01-01
    int currency_scale = 2;
    // What the order belongs to, the pools of its usable codes, and what its buyer belongs to and holds.
    std::set<std::string> order_segments, pools, profile_segments, tiers;
    std::map<std::string, Left> left;  // by promotion
    std::map<std::string, std::int64_t> gift_prices;  // of products that are given away; others cost nothing
};

// The first reason why a promotion takes no part in an order, in the sequence of Reason.
Reason obstacle(const TreePromotion& promotion, const Order& order, const Facts& facts);

// Whether the order fulfils an order condition.
bool holds(const TreeCondition& condition, const Facts& facts);

// Whether a line is one that a product condition is for.
bool fulfils(const Tree& tree, const TreeCondition& condition, const Line& line);

// Whether such lines come to what the condition asks for together; there has to be one.
bool has_lines(const Tree& tree, const TreeCondition& condition, const Order& order);

Result calculate(const Tree& tree, const Order& order, const Facts& facts = {});

}  // namespace loyalty::oracle
