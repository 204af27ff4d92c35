// The one calculation: quotes, explanations, and later tests, placed orders and backtests all call it.
#pragma once

#include "core/calculate/proposal.hpp"
#include "core/order/order.hpp"
#include "core/program/program.hpp"

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace loyalty {

struct LineResult {
    Money base;
    Money discount;         // money reductions, order-level shares included
    Money points_discount;  // paid with points
    Money allotted;         // the share of order-level benefits in the two above
    Money total;

    // The final price of one unit of the line.
    UnitPrice unit_price(const Line& line) const { return UnitPrice::of(total, line.quantity, line.price.parts); }
};

struct PointsResult {
    Points spent;    // deducted ones, too
    Points accrued;  // credited at once …
    Points claimed;  // … of these, what a debt or what is owed takes at once
    Points settled;  // … of that, what was owed: it leaves the balance
    Points delayed;  // … of the rest, active only after a delay
    Points pending;  // waiting for a status of the order

    Balance after(const Balance& before) const {
        return {before.total - spent + accrued - settled, before.active - spent + accrued - claimed - delayed,
                before.usable};
    }
};

// A journal entry with what it came to in points.
struct Operation {
    Entry entry;
    Points spent;          // this operation's increment of the points spent, or what it deducts
    Quantity units;        // that it touched, of a price of goods
    bool pending = false;  // an accrual that waits for a status
    std::string text;      // of a text, or the message of a promo code
};

// A product that comes with the order.
struct GiftResult {
    std::uint32_t benefit = 0;
    Quantity quantity;
    Money worth;
    // What it is given for: so many sets of these units, or whole lines (their quantities are 0); no lines: the order.
    std::uint32_t sets = 0;
    std::vector<SetsFormed::Units> lines;
};

// A search for the maximum benefit that ended at its limits: what it has found, and the most that any combination is
// worth.
struct Unproven {
    Index group = none;
    Money worth;                 // rounded down
    std::optional<Money> bound;  // rounded up; nothing if none is known
};

// What a node that lost would have been worth alone, and what those that it lost to are worth, in 1/value_denominator
// of the smallest unit of money.
struct Contest {
    int128 own = 0;
    int128 theirs = 0;
};

// What became of a node of the tree.
struct NodeTrace {
    bool evaluated = false;
    Money before;  // the order's total when the node began and when it ended
    Money after;
    // Why a promotion had no effect, or that a group was not chosen; and by which benefit it was found, if by one.
    Reason reason = Reason::none;
    Index benefit = none;
    Money asked{};                       // cut_by_limit: how much was refused, …
    CutBy cut_by{};                      // … and by which limits
    std::vector<Child> lost_to{};        // taken: by whom; not_chosen: what was chosen instead
    std::optional<Contest> contest{};    // with these
    std::optional<Money> counted{};      // order_too_small, lines_too_small at current prices: what they came to
    bool summed = false;                 // a max_benefit group: combined by summation
    std::optional<Unproven> unproven{};  // and not proven to be the best
};

// A line that a benefit passed over, and why.
struct SkipTrace {
    Index benefit;
    Skip skip;
};

// What became of promotions, by their index. An order meets few of what may be thousands, so there is an entry only
// where one was written; of all others nothing was told.
class PromotionTraces {
public:
    NodeTrace& operator[](std::size_t promotion) { return told_[promotion]; }
    const NodeTrace& operator[](std::size_t promotion) const {
        static const NodeTrace nothing{};
        const auto found = told_.find(promotion);
        return found == told_.end() ? nothing : found->second;
    }

private:
    std::unordered_map<std::size_t, NodeTrace> told_;  // references stay while others are added
};

struct Trace {
    std::vector<NodeTrace> groups;
    PromotionTraces promotions;
    std::vector<SkipTrace> skips;
};

struct Calculation {
    std::vector<LineResult> lines;
    LineResult shipping;
    LineResult goods;  // the sums over lines
    Money total;
    std::vector<PointsResult> points;  // per point type
    std::vector<Operation> operations;
    std::vector<GiftResult> gifts;
    std::size_t benefits = 0;                  // how many benefits had an effect
    std::vector<PromoCodeStatus> promo_codes;  // what became of each promo code of the order
    // Whether every max_benefit group was searched to the end; false past the limits (documented in the reference).
    bool optimal = true;
    std::vector<Unproven> unproven;  // if not: where
    Trace trace;
    std::int64_t steps = 0;  // of work (calculate/work.hpp), searches and all else

    // Goods and shipping together.
    LineResult all() const;
};

// Texts of a calculation have at most so many bytes together.
inline constexpr std::size_t max_text_bytes = 10'000'000;

struct CalculationOptions {
    // Whether every promotion that is no candidate is asked why: what a quote has no use for, an explanation tells.
    bool traces_refusals = false;
    // Called every few thousand steps of a long calculation; may throw.
    std::function<void()> check_interrupts;
    // How many steps (Work) searches for the maximum benefit may take altogether; nothing: as many as the program says.
    std::optional<std::int64_t> search_steps;
    // Of how many children a group is searched to the end whatever it takes, if there are few lines.
    std::size_t children_in_full = 10;
    // Which statuses (`credit_on`) the order has reached at placing: accruals for others are pending.
    std::function<bool(std::string_view credit_on)> is_credited;
};

Calculation calculate(const Program& program, const Order& order, const CalculationOptions& options);

}  // namespace loyalty
