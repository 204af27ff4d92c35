// A promotion tree as it stands in a version: names, not indexes. compile() (compile/compile.hpp) turns it into a
// Program.
#pragma once

#include "core/program/parameters.hpp"
#include "core/program/program.hpp"

#include <memory>
#include <string>
#include <vector>

namespace loyalty {

struct TreeBenefit {
    std::string benefit;
    Parameters parameters;
};

struct TreeCondition {
    Level level = Level::product;
    ConditionMode mode = ConditionMode::all;
    std::vector<std::string> segments;
    std::vector<TreeBenefit> benefits;
    Minimum minimum{};
    bool untouched = false;
};

struct TreePromotion {
    std::string id, name, parent;
    std::int64_t position = 0;
    PromotionKind kind = PromotionKind::discount;
    PromotionState state = PromotionState::draft;
    Audience audience = Audience::members;
    std::vector<std::string> audience_segments, audience_tiers;
    ConditionMode order_mode = ConditionMode::all;
    std::vector<std::string> order_segments;
    Minimum minimum;
    std::optional<LocalTime> starts_at, ends_at;
    std::optional<Schedule> schedule;
    std::string pool;  // empty: no gate
    std::vector<std::string> channels, contact_points, regions;
    UsageLimits usage_limits;
    BenefitRule benefit_rule = BenefitRule::sequential;
    std::vector<TreeCondition> conditions;  // in position order
};

struct TreeGroup {
    std::string id, name, parent;  // no parent: the main arbitration
    std::int64_t position = 0;
    Arbitration arbitration = Arbitration::consistent;
    std::optional<Decimal> max_discount_percent, max_discount_amount;
    std::optional<Decimal> min_product_price_percent, min_product_price_amount;
    Best best = Best::combination;  // of type max_benefit
};

struct TreePartner {
    std::string id;
    std::optional<std::int32_t> starts_on;  // in days since 1970-01-01
};

struct TreePartnerProduct {
    std::string sku, partner;
    std::optional<Decimal> discount_percent, points_value, max_payable_points;
    ValueUnit points_unit = ValueUnit::points;  // of points_value
};

struct TreePointType {
    std::string id;
    PointKind kind = PointKind::standard;
    int scale = 2;
    Decimal ratio;
    Rounding rounding = Rounding::half_up;
    std::optional<Decimal> redeem_min{}, redeem_step{}, redeem_max_percent{};
};

struct Tree {
    std::string program, currency, time_zone;
    int currency_scale = 2;
    std::optional<int> price_scale{};  // nothing: the currency's
    std::int64_t search_limit = default_search_limit;
    std::vector<TreePointType> point_types;
    std::vector<Segment> segments;  // of products
    std::vector<Segment> order_segments, profile_segments;
    std::vector<TreePartner> partners;
    std::vector<TreePartnerProduct> partner_products;
    std::vector<TreeGroup> groups;
    std::vector<TreePromotion> promotions;
};

}  // namespace loyalty
