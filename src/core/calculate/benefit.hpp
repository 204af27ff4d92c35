// Benefits: what a promotion gives. A benefit looks at the running state of the order and *proposes* an effect; limits,
// budgets and the sharing of cuts are the business of the commit (commit.hpp), not of the benefit.
//
// A new benefit is one file in benefits/, one entry in benefits/benefit_types.cc and one test.
#pragma once

#include "core/calculate/proposal.hpp"
#include "core/calculate/reach.hpp"
#include "core/program/parameters.hpp"
#include "core/program/program.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace loyalty {

struct Line;
struct Order;
class Template;

// The next of a benefit's steps that an order has not reached, and what counts towards it.
struct NextStep {
    bool of_lines = false;      // of those that the benefit is for; else of the order
    bool counts_units = false;  // else money
    Decimal from;
    Decimal value;
    std::vector<std::uint32_t> segments;  // of the lines those in any of these; empty: all
};

// What a benefit needs to be free in an incompatibility, and takes: the goods that it sees, on the order level the
// order, too; the order alone, whose goods it only looks at; or the shipping alone.
enum class Needs { goods, order, shipping };

// A proposal depends on nothing of the state but the parts in the view, the shipping (on the order level) and the
// budget of the benefit's own point type; of one that looks around, what is done with it may depend on all of the
// state.
class Benefit {
public:
    virtual ~Benefit() = default;
    virtual Proposal propose(View view) const = 0;

    virtual Needs needs() const { return Needs::goods; }
    // Whether what others do to goods that it does not touch makes a difference to it.
    virtual bool looks_around() const { return false; }
    // Whether it looks at View::earned.
    virtual bool multiplies() const { return false; }

    // What the search of max_benefit may rely on (search/). The defaults promise nothing; then it tries all
    // combinations.
    //
    // The most that it can do.
    virtual std::optional<Reach> reach() const { return std::nullopt; }
    // For a proof over all orders (bound/): the most that it can do, one by one where it depends on the order's goods;
    // empty: it neither changes prices nor gives points.
    virtual std::vector<ReachFrom> reaches(const Program& program) const { return {{Decimal{}, reach()}}; }
    // Whether it takes something off every unit with a price that it sees, but for rounding.
    virtual bool never_fails() const { return false; }
    // What it takes off a unit group of `line`, if on products that depends on this group alone and, as the price
    // rises, neither what it takes off nor what it leaves ever falls.
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
    int price_scale;
    // Null when only the form is checked, before the tree is known:
    const std::vector<PointType>* point_types;
    const std::vector<Partner>* partners;
    const std::vector<Segment>* segments;  // of products
    Reads* reads;  // takes what the benefit wants to be read

    std::int64_t price_parts() const { return parts_of_money(price_scale, currency_scale); }
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

// Whether it may be added to others: under summation and in parallel promotions.
inline bool can_be_summed(const BenefitEntry& benefit) { return benefit.type->summable && benefit.rule->sums(); }

}  // namespace loyalty
