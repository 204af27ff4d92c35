#include "core/program/usage.hpp"

#include <algorithm>

namespace loyalty {

namespace {

// In units of 10^-scale, rounded down; 18 digits are more than any order can use.
std::int64_t units_down(const Decimal& budget, int scale) {
    constexpr std::int64_t most = 999'999'999'999'999'999;
    if (budget.scale() > scale)
        return static_cast<std::int64_t>(
            std::min<int128>(budget.coefficient() / power_of_ten(budget.scale() - scale), most));
    return budget.units(scale).value_or(most);
}

}  // namespace

Allowance allow(const UsageLimits& limits, std::uint32_t promotion, const UsageCounters& counters, int currency_scale,
                bool has_profile) {
    Allowance allowance;
    allowance.promotion = promotion;
    if (limits.max_uses && counters.uses >= *limits.max_uses) {
        allowance.uses = Allowance::Uses::used_up;
    } else if (limits.max_uses_per_member && !has_profile) {
        allowance.uses = Allowance::Uses::uncounted;
    } else if (limits.max_uses_per_member && counters.uses_of_buyer >= *limits.max_uses_per_member) {
        allowance.uses = Allowance::Uses::used_up_by_buyer;
    }
    if (limits.money_budget)
        allowance.money = std::max(Money{}, Money{units_down(*limits.money_budget, currency_scale)} - counters.money);
    if (limits.points_budget)
        allowance.points = std::max(std::int64_t{0}, units_down(*limits.points_budget, usage_scale) - counters.points);
    return allowance;
}

}  // namespace loyalty
