// A compiled loyalty program: the applied version of its promotion tree in the form that calculations run on. Built
// once per version (compile/compile.hpp), never changed afterwards, shared by all calculations of a backend.
//
//     main arbitration -> groups (at most 9 levels) -> promotions -> conditions -> benefits
#pragma once

#include "core/money/amount.hpp"
#include "core/names.hpp"
#include "core/program/schedule.hpp"
#include "core/program/usage.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace loyalty {

class Benefit;
struct BenefitType;

using Index = std::uint32_t;
inline constexpr Index none = ~Index{0};
inline constexpr int max_group_levels = 9;
inline constexpr std::int64_t default_search_limit = 2'000'000;  // as loyalty.programs has it

enum class PromotionKind { discount, points };
inline constexpr Names<PromotionKind, 2> promotion_kind_names({
    {PromotionKind::discount, "discount"},
    {PromotionKind::points, "points"},
});

enum class Level { product, order };
inline constexpr Names<Level, 2> level_names({{Level::product, "product"}, {Level::order, "order"}});

enum class PointKind { standard, qualification };
inline constexpr Names<PointKind, 2> point_kind_names({
    {PointKind::standard, "standard"},
    {PointKind::qualification, "qualification"},
});

enum class Arbitration { consistent, incompatibility, summation, max_benefit };
inline constexpr Names<Arbitration, 4> arbitration_names({
    {Arbitration::consistent, "consistent"},
    {Arbitration::incompatibility, "incompatibility"},
    {Arbitration::summation, "summation"},
    {Arbitration::max_benefit, "max_benefit"},
});

// What a group of type max_benefit weighs: combinations of its children, single ones, or single ones for each line
// apart.
enum class Best { combination, single, single_by_line };

enum class PromotionState { draft, active, inactive, ended, paused };
// As versions have it: a pause is none of a version's.
inline constexpr Names<PromotionState, 4> promotion_state_names({
    {PromotionState::draft, "draft"},
    {PromotionState::active, "active"},
    {PromotionState::inactive, "inactive"},
    {PromotionState::ended, "ended"},
});

enum class Audience { members, in_segments, outside_segments, tiers, everyone, guests };
inline constexpr Names<Audience, 6> audience_names({
    {Audience::members, "members"},
    {Audience::in_segments, "in_segments"},
    {Audience::outside_segments, "outside_segments"},
    {Audience::tiers, "tiers"},
    {Audience::everyone, "everyone"},
    {Audience::guests, "guests"},
});

enum class BenefitRule { sequential, parallel };
inline constexpr Names<BenefitRule, 2> benefit_rule_names({
    {BenefitRule::sequential, "sequential"},
    {BenefitRule::parallel, "parallel"},
});

enum class ConditionMode { all, in, outside };
inline constexpr Names<ConditionMode, 3> condition_mode_names({
    {ConditionMode::all, "all"},
    {ConditionMode::in, "in"},
    {ConditionMode::outside, "outside"},
});

enum class ValueUnit { points, percent };
inline constexpr Names<ValueUnit, 2> value_unit_names({{ValueUnit::points, "points"}, {ValueUnit::percent, "percent"}});

struct PointType {
    std::string id;
    PointKind kind = PointKind::standard;
    int scale = 2;
    Decimal ratio;              // points per one unit of money, as configured
    Fraction points_per_money;  // smallest units of points per smallest unit of money
    Rounding rounding = Rounding::half_up;  // of accruals
    Points redeem_min;                      // an order spends none, or at least so many, …
    Points redeem_step;                     // … a multiple of this (0: any number), …
    std::optional<Fraction> redeem_max;     // … for at most this share of its goods after money discounts
    // What one smallest unit of points is worth in a max_benefit, in 1/value_denominator of the smallest unit of money;
    // 0 for qualification points.
    int128 value = 0;
};

// A segment of products, orders or profiles that some condition names. Dynamic ones are judged by a predicate, static
// ones are lists of keys. What is said of reading counts for products only.
struct Segment {
    std::string id;
    std::string predicate;  // SQL/JSON path; empty for a static segment
    std::int32_t predicate_id = 0;
    bool reads_price = false;  // whether the predicate may depend on the price, …
    bool reads_min_price = false;
    bool reads_fields = false;
    bool is_static() const { return predicate.empty(); }
};

// What benefits read of documents outside the engine, and what near misses of order segments tell of, each as the path
// of a member: {"fields", "vip_price"}. Who makes an order fills in the values in this sequence.
struct Reads {
    using Path = std::vector<std::string>;
    std::vector<Path> product, order, profile;
    std::vector<std::string> gifts;  // products that are given away: their names and prices
};

// The number of `path` among `paths`, to which it is added if it is new.
std::size_t read_path(std::vector<Reads::Path>& paths, const Reads::Path& path);

// A company whose products have terms of their own.
struct Partner {
    std::string id;
    std::optional<std::int32_t> starts_on;  // the first day of the terms, in days since 1970-01-01
};

// The terms of a partner's product.
struct PartnerProduct {
    Index partner = none;                  // in Program::partners
    std::optional<Fraction> discount;      // share of the price
    std::optional<Fraction> points_value;  // points for each unit, or the share of the price that they are worth
    ValueUnit points_unit = ValueUnit::points;
    std::optional<Fraction> max_payable_points;  // that may pay for each unit
};

// At most one of share and amount is set in each pair.
struct Limits {
    std::optional<Fraction> max_discount_share;  // of all goods at base prices
    std::optional<Money> max_discount_amount;
    std::optional<Fraction> min_price_share;  // of the base unit price
    std::optional<UnitPrice> min_price_amount;
};

// What goods must come to together: those of the order, or the lines of a condition. Units and money at base prices are
// judged once; money at current prices when a promotion begins, or a condition's benefit is reached.
struct Minimum {
    std::optional<Decimal> items;  // units
    std::optional<Decimal> total;  // money
    bool current = false;          // at current prices

    bool any() const { return items || total; }
};

// A child of a group: another group or a promotion.
struct Child {
    bool is_group = false;
    Index index = none;

    friend bool operator==(const Child&, const Child&) = default;
};

struct Group {
    std::string id;
    std::string name;
    Index parent = none;  // none for the main arbitration
    int depth = 0;        // 0 for the main arbitration
    Arbitration arbitration = Arbitration::consistent;
    Best best = Best::combination;
    Limits limits;
    std::vector<Child> children;  // in position order
};

struct Promotion {
    std::string id;
    std::string name;
    PromotionKind kind = PromotionKind::discount;
    PromotionState state = PromotionState::active;
    Index parent = none;
    BenefitRule benefit_rule = BenefitRule::sequential;
    Index first_condition = 0;  // its conditions are first_condition … last_condition − 1
    Index last_condition = 0;

    // For whom, when and where: see conditions.hpp.
    Audience audience = Audience::members;
    std::vector<Index> audience_segments;  // in Program::profile_segments
    std::vector<Index> audience_tiers;     // in Program::tiers
    ConditionMode order_mode = ConditionMode::all;
    std::vector<Index> order_segments;  // in Program::order_segments
    Minimum minimum;                    // of the order
    std::optional<LocalTime> starts_at;    // inclusive
    std::optional<LocalTime> ends_at;      // exclusive
    std::optional<Schedule> schedule;
    Index pool = none;  // in Program::pools
    // External ids. No channel and no contact point: everywhere; no region: in all.
    std::vector<std::string> channels, contact_points, regions;
    UsageLimits usage_limits;
};

struct Condition {
    Index promotion = none;
    Level level = Level::product;
    ConditionMode mode = ConditionMode::all;
    std::vector<Index> segments;  // in Program::segments, or in Program::order_segments for orders
    Minimum minimum;              // of its lines together
    bool untouched = false;       // only units that no reduction has lowered
    bool has_set = false;         // whether any of its benefits is one
    Index first_benefit = 0;
    Index last_benefit = 0;
};

struct BenefitEntry {
    Index condition = none;
    const BenefitType* type = nullptr;
    std::shared_ptr<const Benefit> rule;  // not unique_ptr, which would have to know here what a benefit is
};

struct Program {
    std::string id;
    std::string currency;
    int currency_scale = 2;
    int price_scale = 2;  // of the price of a unit; at least the currency's
    std::string time_zone;
    std::int32_t version = 0;  // 0: nothing was applied yet, the tree is empty
    std::int64_t search_limit = default_search_limit;  // steps of its searches for the maximum benefit, in one order

    int128 value_denominator = 1;
    std::vector<PointType> point_types;
    std::vector<Segment> segments;  // of products
    std::vector<Segment> order_segments;
    std::vector<Segment> profile_segments;
    std::vector<std::string> tiers;     // that audiences name
    std::vector<std::string> pools;     // of promo codes, that gates name
    std::vector<Group> groups;          // groups[0] is the main arbitration
    std::vector<Promotion> promotions;  // in tree order; only active ones have conditions
    std::vector<Condition> conditions;
    std::vector<BenefitEntry> benefits;
    bool multiplies_points = false;  // whether any of them looks at what was earned before it
    Reads reads;
    std::vector<Partner> partners;
    std::vector<PartnerProduct> partner_products;
    std::unordered_map<std::string, Index> partner_product_of;  // by SKU

    // Where candidates come from: the product conditions that a segment's members fulfil; of the others (all products,
    // outside segments, order conditions) those that belong to a pool, tier or segment that they cannot do without; and
    // the rest, which every order is asked for.
    std::vector<std::vector<Index>> conditions_of_segment;
    std::vector<std::vector<Index>> conditions_of_pool, conditions_of_tier, conditions_of_profile_segment,
        conditions_of_order_segment;
    std::vector<Index> open_conditions;
    std::vector<Index> limited_promotions;  // active ones with usage limits

    Index point_type(std::string_view id) const;
    UnitPrice price(std::int64_t units) const { return {units, parts_of_money(price_scale, currency_scale)}; }
};

// The places of names in a list of tiers or pools, or of segments, ascending; names that are not in it are left out.
std::vector<Index> places_of(const std::vector<std::string>& names, const std::vector<std::string>& list);
std::vector<Index> places_of(const std::vector<std::string>& names, const std::vector<Segment>& list);

}  // namespace loyalty
