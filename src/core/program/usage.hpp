// Usage limits of promotions: in how many orders, and for how much money and points, a promotion may have an effect
// altogether. The limits are part of a version, the counters are not: a calculation is told what is left.
#pragma once

#include "core/money/amount.hpp"
#include "core/names.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace loyalty {

// Points of all types count in units of 10^-usage_scale, the finest that a point type may have.
inline constexpr int usage_scale = 4;

struct UsageLimits {
    std::optional<std::int64_t> max_uses{}, max_uses_per_member{};
    std::optional<Decimal> money_budget{}, points_budget{};
    std::string max_uses_per_member_every{};  // day, week, month or year of the calendar; empty: for ever

    bool any() const { return max_uses || max_uses_per_member || money_budget || points_budget; }
};

// What the limits leave of one promotion to one order.
struct Allowance {
    enum class Uses : std::uint8_t {
        left,
        used_up,  // in all orders
        used_up_by_buyer,
        uncounted,  // uses are counted per member, and the buyer has no profile
    };

    std::uint32_t promotion = 0;  // in Program::promotions
    Uses uses = Uses::left;
    std::optional<Money> money{};          // that it may take off prices, 0 or more; nothing: any
    std::optional<std::int64_t> points{};  // that it may accrue, in units of 10^-usage_scale; nothing: any
};

inline constexpr Names<Allowance::Uses, 4> uses_names({
    {Allowance::Uses::left, "left"},
    {Allowance::Uses::used_up, "used_up"},
    {Allowance::Uses::used_up_by_buyer, "used_up_by_buyer"},
    {Allowance::Uses::uncounted, "uncounted"},
});

// What a promotion has used up.
struct UsageCounters {
    std::int64_t uses = 0, uses_of_buyer = 0;
    Money money{};
    std::int64_t points = 0;  // in units of 10^-usage_scale

    UsageCounters& operator+=(const UsageCounters& more) {
        uses += more.uses;
        uses_of_buyer += more.uses_of_buyer;
        money += more.money;
        points += more.points;
        return *this;
    }
    UsageCounters& operator-=(const UsageCounters& less) {
        return *this += {-less.uses, -less.uses_of_buyer, Money{} - less.money, -less.points};
    }
};

// A budget that was lowered below what is used up leaves 0.
Allowance allow(const UsageLimits& limits, std::uint32_t promotion, const UsageCounters& counters, int currency_scale,
                bool has_profile);

}  // namespace loyalty
