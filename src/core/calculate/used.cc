#include "core/calculate/used.hpp"

#include <algorithm>

namespace loyalty {

UsageCounters used_of(const Program& program, const Calculation& calculation, Index promotion) {
    UsageCounters used;
    for (const auto& operation : calculation.operations) {
        const Entry& entry = operation.entry;
        if (program.conditions[program.benefits[entry.benefit].condition].promotion != promotion) continue;
        if (entry.has_effect()) used.uses = 1;
        if (entry.kind == Entry::Kind::money) used.money += std::max(Money{}, entry.applied);
        if (entry.kind == Entry::Kind::paid_by_points) used.money += entry.applied;
        if (entry.kind != Entry::Kind::accrual) continue;
        const int finer = usage_scale - program.point_types[entry.point_type].scale;
        used.points += static_cast<std::int64_t>(entry.points.units * power_of_ten(finer));
    }
    return used;
}

}  // namespace loyalty
