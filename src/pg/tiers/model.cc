#include "pg/tiers/model.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <string>

namespace loyalty::pg {

namespace {

constexpr TierModel models[] = {
    // name, by points, for life
    {"cumulative", true, true},
    {"cyclic", true, false},
    {"dynamic", false, false},
};

}  // namespace

const TierModel& tier_model(std::string_view name) {
    const auto found =
        std::find_if(std::begin(models), std::end(models), [&](const auto& model) { return model.name == name; });
    if (found == std::end(models))
        throw Error(sqlstate::data_corrupted, "tier model \"" + std::string(name) + "\" does not exist");
    return *found;
}

}  // namespace loyalty::pg
