// The table of all benefits.
#include "core/benefits/benefits.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <string>

namespace loyalty {

namespace {

constexpr BenefitType types[] = {
    // name              discount  points  products  orders
    {"discount", true, false, true, true, read_discount},
    {"points_discount", false, true, true, true, read_points_discount},
    {"accrue_points", false, true, true, true, read_accrue_points},
};

}  // namespace

std::span<const BenefitType> benefit_types() { return types; }

const BenefitType& benefit_type(std::string_view name, PromotionKind kind, Level level) {
    const auto found =
        std::find_if(std::begin(types), std::end(types), [&](const auto& type) { return type.name == name; });
    if (found == std::end(types)) {
        std::string known = "Known benefits:";
        for (const auto& type : types) known.append(" \"").append(type.name).append("\"");
        throw Error(sqlstate::invalid_benefit, "benefit \"" + std::string(name) + "\" does not exist", {}, known + ".");
    }
    const bool in_promotion =
        kind == PromotionKind::discount ? found->in_discount_promotions : found->in_points_promotions;
    if (!in_promotion) {
        throw Error(sqlstate::invalid_benefit,
                    "benefit \"" + std::string(name) + "\" is not for " +
                        (kind == PromotionKind::discount ? "discount" : "points") + " promotions",
                    {}, "Put it into a promotion of the other kind.");
    }
    const bool on_level = level == Level::product ? found->on_products : found->on_orders;
    if (!on_level) {
        throw Error(sqlstate::invalid_benefit,
                    "benefit \"" + std::string(name) + "\" is not for " +
                        (level == Level::product ? "product" : "order") + " conditions",
                    {}, "Put it into a condition of the other level.");
    }
    return *found;
}

}  // namespace loyalty
