// The models of tier groups: what a tier is held for.
#pragma once

#include <string_view>

namespace loyalty::pg {

struct TierModel {
    std::string_view name;  // as loyalty.tier_groups has it
    bool by_points;         // each tier has a threshold; otherwise a predicate alone says who holds it
    bool for_life;          // all points ever earned count; otherwise those that the account has now
};

// The model of that name; null where there is none, which the table's constraint lets in no row.
const TierModel* find_tier_model(std::string_view name);

}  // namespace loyalty::pg
