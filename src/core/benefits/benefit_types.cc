#include "core/benefits/benefit_types.hpp"

#include "core/benefits/benefits.hpp"
#include "core/error.hpp"

#include <algorithm>
#include <string>

namespace loyalty {

namespace {

constexpr BenefitType types[] = {
    // name, in discount promotions, in points promotions, on products, on orders, summable, comparable, replaceable
    {"discount", true, false, true, true, true, true, true, read_discount},
    {"set", true, false, true, false, true, true, true, read_set},
    {"price_from_field", true, false, true, false, false, true, true, read_price_from_field},
    {"round_price", true, false, true, false, false, true, true, read_round_price},
    {"round_order_price", true, false, false, true, false, true, true, read_round_order_price},
    {"partner_discount", true, false, true, false, true, true, true, read_partner_discount},
    {"gift", true, false, true, true, true, true, true, read_gift},
    {"text", true, true, true, true, true, false, true, read_text},
    {"issue_promo_code", true, false, false, true, true, false, true, read_issue_promo_code},
    {"points_discount", false, true, true, true, true, true, true, read_points_discount},
    {"accrue_points", false, true, true, true, true, true, true, read_accrue_points},
    {"accrue_points_from_field", false, true, true, false, false, true, true, read_accrue_points_from_field},
    {"multiply_points", false, true, true, true, false, true, false, read_multiply_points},
    {"deduct_points", false, true, true, true, false, false, false, read_deduct_points},
    {"partner_points", false, true, true, false, true, true, true, read_partner_points},
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

bool looks_at_several_lines(std::string_view name, Level level, Parameters parameters) {
    const auto says = [&](std::string_view parameter, std::string_view value) {
        return parameters.has(parameter) && parameters.text(parameter) == value;
    };
    const bool pays = name == "points_discount" || (name == "partner_points" && says("mode", "pay"));
    const bool counts_items = parameters.has("max_items") && !says("max_items_per", "line");
    const bool by_nature = name == "set" || name == "gift" || name == "multiply_points";
    return level == Level::order || by_nature || pays || counts_items || says("per", "order");
}

}  // namespace loyalty
