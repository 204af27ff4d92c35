#include "pg/tiers/model.hpp"

#include <algorithm>

namespace loyalty::pg {

namespace {

constexpr TierModel models[] = {
    // name, by points, for life
    {"cumulative", true, true},
    {"cyclic", true, false},
    {"dynamic", false, false},
};

}  // namespace

const TierModel* find_tier_model(std::string_view name) {
    const auto found =
        std::find_if(std::begin(models), std::end(models), [&](const auto& model) { return model.name == name; });
    return found == std::end(models) ? nullptr : found;
}

}  // namespace loyalty::pg
