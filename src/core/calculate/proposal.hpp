// What a benefit sees, and what it proposes.
#pragma once

#include "core/calculate/reason.hpp"
#include "core/calculate/state.hpp"
#include "core/program/program.hpp"

#include <optional>
#include <span>
#include <vector>

namespace loyalty {

struct Order;
class Work;

// Some units of a unit group that a benefit works on: its first `quantity` units, worth `total` now.
struct Part {
    std::size_t group = 0;  // in State::groups
    Quantity quantity;
    Money total;
    Money asked;  // the reduction proposed for these units; negative: a raise
    std::uint32_t sum = 0;  // which amount it has a share of, where there are several
};

// Units of a group that a set asks for and leaves at their price: from so many units of the group on.
struct BoughtPart {
    std::size_t group = 0;
    Quantity from, to;
};

// Points proposed for a line, or for the order as a whole where it has no goods to attribute them to (line = none).
struct Accrual {
    std::uint32_t line;
    Points points;
    // The benefit as whose points they are credited; nothing: the one that proposes.
    std::optional<std::uint32_t> like{};
};

// A line that a benefit passes over.
struct Skip {
    std::uint32_t line;
    Reason reason;
};

// Sets that a condition's benefits have formed, whatever limits left of what they take off.
struct SetsFormed {
    struct Units {
        std::uint32_t line;
        Quantity quantity;
    };
    std::uint32_t times = 0;
    std::vector<Units> units;  // bought ones, too
};

// What a benefit gives beside the order.
struct Gift {
    Quantity quantity;
    Money worth;
};

struct Proposal {
    Level level = Level::product;
    std::uint32_t point_type = no_point_type;  // paid with, accrued or deducted
    std::vector<Part> parts;                   // in line order
    Money shipping;                            // the reduction proposed for the shipping price, …
    Money shipping_total;                      // … which is this, if it is one of the things reduced
    std::vector<Accrual> accruals;
    std::vector<Accrual> deductions;  // points that are taken away, if there are as many
    std::vector<std::uint32_t> texts;  // the lines that a text is for; no_line: the order
    bool issues_code = false;          // a promo code
    std::vector<Skip> skips;
    Reason reason = Reason::none;  // why it is empty, if it is
    std::vector<BoughtPart> bought;
    std::uint32_t sets = 0;        // how many were formed
    std::optional<Gift> gift;
    SetsFormed given_for;          // what the gift is given for: units of sets, or lines
    bool is_amount = false;        // sums: what a floor refuses of a part is moved to others that share its sum
};

// What a benefit may see when it makes its proposal.
struct View {
    const Program& program;
    const Order& order;
    const State& state;
    Level level;
    std::vector<Part> parts;         // the unit groups it may touch, in line order, nothing asked yet
    bool shipping_is_free;           // whether it may touch the shipping price
    std::span<const Money> budgets;  // money that points of each type may pay for the whole order
    std::span<const std::uint32_t> condition_lines;  // on products: all lines that fulfil the condition
    std::span<const Earned> earned;  // by earlier children of its group, and earlier benefits of its promotion
    const SetsFormed* sets = nullptr;  // in its condition, if there are benefits that form any
    Work* work = nullptr;  // where a benefit counts what it does beyond one look at each unit group; null: nowhere
};

}  // namespace loyalty
