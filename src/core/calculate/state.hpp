// The running state of an order while benefits are applied to it, and the record of what they did.
#pragma once

#include "core/calculate/cut_by.hpp"
#include "core/money/amount.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace loyalty {

struct Order;

inline constexpr std::uint32_t no_point_type = ~std::uint32_t{0};
inline constexpr std::uint32_t no_line = ~std::uint32_t{0};

// Units of one line that have had the same history: units `from` to `to` (exclusive) of the line, worth `total` now.
// A line begins as one group; a benefit that touches only some units splits it; groups are never merged again.
struct UnitGroup {
    std::uint32_t line = 0;
    Quantity from;
    Quantity to;
    Money total;
    bool lowered = false;  // by a reduction; what points pay is a payment

    Quantity quantity() const { return to - from; }
    friend bool operator==(const UnitGroup&, const UnitGroup&) = default;
};

// Points that a benefit accrued, and the benefit whose terms of crediting hold for them: that one or, where they
// multiply what others accrued, theirs.
struct Earned {
    std::uint32_t like = 0;
    std::uint32_t point_type = no_point_type;
    std::uint32_t line = no_line;
    Points points;
    friend bool operator==(const Earned&, const Earned&) = default;
};

struct State {
    std::vector<UnitGroup> groups;  // by line, then by unit
    Money shipping;
    std::vector<Money> paid;          // by points so far, per point type
    std::vector<Earned> earned;       // what accrued so far; of programs that multiply points only
    std::array<Money, 11> reduced{};  // gross reductions of goods so far, per level of what encloses them

    State() = default;
    // The state before any benefit.
    State(const Order& order, std::size_t point_types);

    Money goods() const;
    Money goods_of(const std::vector<std::uint32_t>& lines) const;
    Money total() const { return goods() + shipping; }
    // The unit groups of a line: indexes from first_group(line) up to first_group(line + 1).
    std::size_t first_group(std::uint32_t line) const;

    friend bool operator==(const State&, const State&) = default;
};

// What one benefit did to one target. Amounts of money are reductions; where a rounding raises a price they are
// negative.
struct Entry {
    enum class Kind : std::uint8_t { money, paid_by_points, accrual, deduction, text, promo_code, gift };
    enum class Target : std::uint8_t { line, shipping, order };

    std::uint32_t benefit = 0;  // in Program::benefits
    Kind kind = Kind::money;
    Target target = Target::line;
    std::uint32_t line = no_line;
    Quantity from;  // the units it touched
    Quantity to;
    Money asked;        // before limits
    Money applied;      // after limits
    Points points;      // accrued, or deducted
    Points points_cut;  // not accrued, for the promotion's budget of points; not deducted, for want of points
    std::uint32_t point_type = no_point_type;
    CutBy cut_by{};  // which limits made less of what was asked
    std::uint32_t sets = 0;  // of a set: how many were formed
    bool bought = false;     // it only asks for these units, and leaves them at their price
    Money found{};           // what the units it touched cost when it found them
    std::uint32_t like = 0;  // of accruals: the benefit as whose points they are credited
    // Of a gift: how many units are given, and what they are worth. Entries of its lines only say what it is given for:
    // how many units of sets, or 0 for all units of the line.
    Quantity given{};
    Money worth{};

    // Whether the benefit did anything here; only that takes a target in an incompatibility.
    bool has_effect() const {
        return !applied.is_zero() || !points.is_zero() || kind == Kind::text || kind == Kind::promo_code || is_gift();
    }
    bool is_gift() const { return kind == Kind::gift && target == Target::order; }
    // Whether it is one of a gift's lines.
    bool is_of_gift() const { return kind == Kind::gift && target == Target::line;
    }
};

using Entries = std::vector<Entry>;

}  // namespace loyalty
