// Benefits: what a promotion gives. A benefit looks at the running state of the order and *proposes* an effect; limits,
// budgets and the sharing of cuts are the business of the commit (commit.hpp), not of the benefit.
//
// A new benefit is one file in benefits/, one entry in benefit_types.cc and one test.
#pragma once

#include "core/benefits/parameters.hpp"
#include "core/calculate/state.hpp"
#include "core/money/amount.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace loyalty {

struct Line;
struct Order;
struct Program;
struct PointType;
struct Partner;
struct Segment;
struct Reads;
class Template;
class Work;

enum class PromotionKind { discount, points };
enum class Level { product, order };

// Why a promotion or a benefit had no effect, in the sequence in which they are judged; the first one met is reported.
enum class Reason {
    none,
    draft,                 // the promotion was not activated yet
    inactive,              // it was deactivated
    ended,                 // it was ended for good
    paused,                // it was stopped until it is resumed
    not_in_audience,       // it is for members only
    not_in_segments,       // the buyer is in none of its segments
    in_excluded_segment,   // the buyer is in a segment that it is not for
    tier_not_held,         // the buyer holds none of its tiers
    only_guests,           // the buyer is a member, and it is for guests only
    other_order,           // it is for other orders
    order_too_small,       // the order's goods do not come to what it asks for
    not_started,           // the order's time is before its start
    out_of_date,           // the order's time is not before its end
    not_scheduled,         // it is not available at this time
    no_promo_code,         // no usable code of its pool was given
    other_channel,         // it is for other channels or contact points
    other_region,          // it is for other regions
    limit_reached,         // its uses are used up, in all orders or by the buyer
    no_conditions,         // it has none, so it applies to nothing
    no_matching_line,      // no line fulfils a condition
    order_does_not_match,  // the order fulfils none of its conditions
    lines_too_small,       // the lines of a condition do not come to what it asks for together
    not_a_member,          // only members earn and spend points
    point_type_inactive,   // the point type is not active, or past its deactivation
    points_not_requested,  // the order does not ask to redeem this point type
    no_points_left,        // the budget of points is used up
    below_redeem_min,      // fewer points could be spent than are spent at once
    taken,                 // an earlier promotion took the targets (incompatibility)
    not_chosen,            // another combination is worth more (max_benefit)
    below_first_step,      // there is less than the first of a benefit's steps asks for
    set_incomplete,        // there are not the units of one set
    reduced_before,        // its condition is for untouched units, and reductions have lowered all
    field_missing,         // the custom field is missing, negative or no number
    no_partner_terms,      // no matching line is a product of these partners with terms in force
    no_profile,            // only who has a profile is given a promo code
    nothing_earned,        // no points were earned before it that it could multiply
    nothing_to_reduce,     // prices are 0 or rounded to nothing
    cut_by_limit,          // a limit refused all of it
};

// Some units of a unit group that a benefit works on: its first `quantity` units, worth `total` now.
struct Part {
    std::size_t group = 0;  // in State::groups
    Quantity quantity;
    Money total;
    Money asked;  // the reduction proposed for these units; negative: a raise
    std::uint32_t sum = 0;  // which amount it has a share of, where there are several
};

// Units of a group that a set asks for and leaves at their price: from so many units of the group on.
struct BoughtPart {
    std::size_t group = 0;
    Quantity from, to;
};

// Points proposed for a line, or for the order as a whole where it has no goods to attribute them to (line = none).
struct Accrual {
    std::uint32_t line;
    Points points;
    std::optional<std::uint32_t> like{};  // the benefit as whose points they are credited; nothing: the one that proposes
};

// A line that a benefit passes over.
struct Skip {
    std::uint32_t line;
    Reason reason;
};

// Sets that a condition's benefits have formed, whatever limits left of what they take off.
struct SetsFormed {
    struct Units {
        std::uint32_t line;
        Quantity quantity;
    };
    std::uint32_t times = 0;
    std::vector<Units> units;  // bought ones, too
};

// What a benefit gives beside the order.
struct Gift {
    Quantity quantity;
    Money worth;
};

struct Proposal {
    Level level = Level::product;
    std::uint32_t point_type = no_point_type;  // paid with, or accrued
    std::vector<Part> parts;                   // in line order
    Money shipping;                            // the reduction proposed for the shipping price, …
    Money shipping_total;                      // … which is this, if it is one of the things reduced
    std::vector<Accrual> accruals;
    std::vector<std::uint32_t> texts;  // the lines that a text is for; no_line: the order
    bool issues_code = false;          // a promo code
    std::vector<Skip> skips;
    Reason reason = Reason::none;  // why it is empty, if it is
    std::vector<BoughtPart> bought;
    std::uint32_t sets = 0;        // how many were formed
    std::optional<Gift> gift;
    SetsFormed given_for;          // what the gift is given for: units of sets, or lines
    bool is_amount = false;        // sums: what a floor refuses of a part is moved to others that share its sum
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
    std::span<const std::uint32_t> condition_lines;  // on products: all lines that fulfil the condition
    std::span<const Earned> earned;  // by earlier children of its group, and earlier benefits of its promotion
    const SetsFormed* sets = nullptr;  // in its condition, if there are benefits that form any
    Work* work = nullptr;  // where a benefit counts what it does beyond one look at each unit group; null: nowhere
};

// The next of a benefit's steps that an order has not reached, and what counts towards it.
struct NextStep {
    bool of_lines = false;      // of those that the benefit is for; else of the order
    bool counts_units = false;  // else money
    Decimal from;
    Decimal value;
    std::vector<std::uint32_t> segments;  // of the lines those in any of these; empty: all
};

// The most that a benefit can do, whatever was done before it. Amounts are exact ones, before they are rounded: reductions
// once for each unit group (on the order level once), points once for each line.
struct Reach {
    Fraction share{1, 1};               // it takes at most this share of the current price of what it touches,
    std::optional<Fraction> amount;     // at most so much off each unit, on the order level off the order, …
    bool once = false;                  // … on products, too, off all of them together,
    std::optional<std::int64_t> items;  // and touches at most so many items; none: whole unit groups, it splits none
    bool splits_all = false;            // it may split every group; else, if it counts items, one
    bool goods = true;                  // whether it may touch prices of goods,
    bool shipping = false;              // and the price of the shipping
    bool pays = false;                  // whether what it takes off is paid with points of point_type()
    Fraction raise;                     // it raises by at most so much for each unit, on the order level for the order

    enum class Points { none, fixed, by_price, by_earned };
    Points points = Points::none;  // what it accrues; fixed: the same whatever the prices are
    Fraction points_per_money;  // by_price: at most so much for each smallest unit of money of the prices that it sees
    std::optional<std::int64_t> points_once;  // fixed: so many for the order, where they do not depend on how much there is in it
    bool gives = false;   // it gives a product away
    Fraction per_earned;  // by_earned: at most so much for each point that was earned before it (View::earned)
};

// What a benefit can do in orders whose goods come to `total` at base prices, or more; nothing: it promises nothing.
struct ReachFrom {
    Decimal total;
    std::optional<Reach> reach;
};

// What a benefit needs to be free in an incompatibility, and takes: the goods that it sees, on the order level the order,
// too; the order alone, whose goods it only looks at; or the shipping alone.
enum class Needs { goods, order, shipping };

// A proposal depends on nothing of the state but the parts in the view, the shipping (on the order level) and the budget of
// the benefit's own point type; of one that looks around, what is done with it may depend on all of the state.
class Benefit {
public:
    virtual ~Benefit() = default;
    virtual Proposal propose(View view) const = 0;

    virtual Needs needs() const { return Needs::goods; }
    // Whether what others do to goods that it does not touch makes a difference to it.
    virtual bool looks_around() const { return false; }
    // Whether it looks at View::earned.
    virtual bool multiplies() const { return false; }

    // What the search of max_benefit may rely on (search/). The defaults promise nothing; then it tries all combinations.
    //
    // The most that it can do.
    virtual std::optional<Reach> reach() const { return std::nullopt; }
    // For a proof over all orders (bound/): the most that it can do, one by one where it depends on the order's goods; empty: it
    // neither changes prices nor gives points.
    virtual std::vector<ReachFrom> reaches(const Program& program) const { return {{Decimal{}, reach()}}; }
    // Whether it takes something off every unit with a price that it sees, but for rounding.
    virtual bool never_fails() const { return false; }
    // What it takes off a unit group of `line`, if on products that depends on this group alone and, as the price rises,
    // neither what it takes off nor what it leaves ever falls.
    virtual std::optional<Money> cut(const Program& program, const Line& line, Money total, Quantity quantity) const {
        return std::nullopt;
    }

    // The point type it pays with or accrues, if any.
    virtual std::uint32_t point_type() const { return no_point_type; }
    // When accrued points are credited; empty for benefits that accrue nothing.
    virtual std::string_view credit_on() const { return {}; }
    virtual std::string_view delay() const { return {}; }
    virtual bool has_steps() const { return false; }
    // The next step, if it has steps of the order or of its lines together; lines: of a product condition.
    virtual std::optional<NextStep> next_step(const Program& program, const Order& order,
                                              std::span<const std::uint32_t> lines) const {
        return std::nullopt;
    }
    // The text that it gives, if any: rendered when all figures are final.
    virtual const Template* text() const { return nullptr; }
    // On orders: the product segments whose goods it sees alone, in Program::segments; empty: it sees all goods.
    virtual const std::vector<std::uint32_t>& segments() const;
    // The product that it gives away, if any: its number in Program::reads.gifts.
    virtual std::optional<std::uint32_t> gift() const { return std::nullopt; }
    // Whether it can be added to others, where its type can.
    virtual bool sums() const { return true; }
    // The pool of the promo code that it issues, if any.
    virtual std::string_view pool() const { return {}; }
};

// What is known where a benefit's parameters are read.
struct BenefitSetting {
    Level level;
    int currency_scale;
    // Null when only the form is checked, before the tree is known:
    const std::vector<PointType>* point_types;
    const std::vector<Partner>* partners;
    const std::vector<Segment>* segments;  // of products
    Reads* reads;  // takes what the benefit wants to be read
};

struct BenefitType {
    std::string_view name;
    bool in_discount_promotions;
    bool in_points_promotions;
    bool on_products;
    bool on_orders;
    bool summable;    // may stand under summation and in parallel promotions
    bool comparable;  // may stand under max_benefit
    bool replaceable;  // may stand under incompatibility
    std::unique_ptr<const Benefit> (*read)(Parameters& parameters, const BenefitSetting& setting);
};

// The table of all benefits.
std::span<const BenefitType> benefit_types();

// The benefit called `name`, fit for promotions of this kind and conditions of this level; otherwise LY301.
const BenefitType& benefit_type(std::string_view name, PromotionKind kind, Level level);

// Whether what a benefit does to a line depends on other lines, so that it cannot be weighed for each line apart.
bool looks_at_several_lines(std::string_view name, Level level, Parameters parameters);

}  // namespace loyalty
