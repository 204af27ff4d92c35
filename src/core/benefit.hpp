// Benefits: what a promotion gives. A benefit looks at the running state of the order and *proposes* an effect; limits,
// budgets and the sharing of cuts are the business of the commit (commit.hpp), not of the benefit.
//
// A new benefit is one file in benefits/, one entry in benefit_types.cc and one test.
#pragma once

#include "core/amount.hpp"
#include "core/parameters.hpp"
#include "core/state.hpp"

#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace loyalty {

struct Order;
struct Program;
struct PointType;

enum class PromotionKind { discount, points };
enum class Level { product, order };

// Why a promotion or a benefit had no effect, in the sequence in which they are judged; the first one met is reported.
enum class Reason {
    none,
    draft,                 // the promotion was not activated yet
    inactive,              // it is paused
    ended,                 // it was ended for good
    not_in_audience,       // it is for members only
    not_in_segments,       // the buyer is in none of its segments
    in_excluded_segment,   // the buyer is in a segment that it is not for
    tier_not_held,         // the buyer holds none of its tiers
    not_started,           // the order's time is before its start
    out_of_date,           // the order's time is not before its end
    not_scheduled,         // it is not available at this time
    no_promo_code,         // no usable code of its pool was given
    other_channel,         // it is for other channels or contact points
    other_region,          // it is for other regions
    no_conditions,         // it has none, so it applies to nothing
    no_matching_line,      // no line fulfils a condition
    order_does_not_match,  // the order fulfils none of its conditions
    not_a_member,          // only members earn and spend points
    point_type_inactive,   // the point type is not active, or past its deactivation
    points_not_requested,  // the order does not ask to redeem this point type
    no_points_left,        // the budget of points is used up
    taken,                 // an earlier promotion took the targets (incompatibility)
    not_chosen,            // another combination is worth more (max_benefit)
    nothing_to_reduce,     // prices are 0 or rounded to nothing
    cut_by_limit,          // a limit refused all of it
};

// Some units of a unit group that a benefit works on: its first `quantity` units, worth `total` now.
struct Part {
    std::size_t group = 0;  // in State::groups
    Quantity quantity;
    Money total;
    Money asked;  // the reduction proposed for these units
};

// Points proposed for a line, or for the order as a whole where it has no goods to attribute them to (line = none).
struct Accrual {
    std::uint32_t line;
    Points points;
};

struct Proposal {
    Level level = Level::product;
    std::uint32_t point_type = no_point_type;  // paid with, or accrued
    std::vector<Part> parts;                   // in line order
    Money shipping;                            // the reduction proposed for the shipping price
    std::vector<Accrual> accruals;
    Reason reason = Reason::none;  // why it is empty, if it is
};

// What a benefit may see when it makes its proposal.
struct View {
    const Program& program;
    const Order& order;
    const State& state;
    Level level;
    std::vector<Part> parts;         // the unit groups it may touch, in line order, nothing asked yet
    bool shipping_is_free;           // whether it may touch the shipping price
    std::span<const Money> budgets;  // money that points of each type may pay for the whole order
};

class Benefit {
public:
    virtual ~Benefit() = default;
    virtual Proposal propose(View view) const = 0;
    // Whether it may touch some units of a line and not others, and so split its unit group.
    virtual bool picks_units() const { return false; }
    // Whether, on products, it lowers each unit group's price by that group alone, and a lower price never to a higher one
    // (for the search of max_benefit).
    virtual bool only_lowers_prices() const { return false; }
    // The point type it pays with or accrues, if any.
    virtual std::uint32_t point_type() const { return no_point_type; }
    // When accrued points are credited; empty for benefits that accrue nothing.
    virtual std::string_view credit_on() const { return {}; }
    virtual std::string_view delay() const { return {}; }
};

// What is known where a benefit's parameters are read.
struct BenefitSetting {
    Level level;
    int currency_scale;
    const std::vector<PointType>* point_types;  // null when only the form is checked, before the tree is known
};

struct BenefitType {
    std::string_view name;
    bool in_discount_promotions;
    bool in_points_promotions;
    bool on_products;
    bool on_orders;
    std::unique_ptr<const Benefit> (*read)(Parameters& parameters, const BenefitSetting& setting);
};

// The table of all benefits.
std::span<const BenefitType> benefit_types();

// The benefit called `name`, fit for promotions of this kind and conditions of this level; otherwise LY301.
const BenefitType& benefit_type(std::string_view name, PromotionKind kind, Level level);

}  // namespace loyalty
