// What a search of max_benefit is about, for all of its parts.
//
//     fallback.hpp            what an answer is worth at least, however early the search ends
//     components.hpp          children that have nothing to do with each other are searched apart
//     summation_search.hpp    the best sum
//     consistent_search.hpp   the best combination one after the other, bounded by
//     reach_bound.hpp         what children can still be worth at most
//     line_search.hpp         the same where all children only lower prices, line by line
#pragma once

#include "core/calculate/arbitration.hpp"

#include <cstddef>
#include <numeric>
#include <vector>

namespace loyalty {

using Worth = int128;  // in 1/Program::value_denominator of the smallest unit of money

struct SearchProblem {
    Arbiter& arbiter;
    const Children& children;  // of the group, in position order
    const State& state;        // that the group began with
    const Scope& scope;        // without a trace

    const Program& program() const { return arbiter.bounds().program; }
    const Order& order() const { return arbiter.bounds().order; }

    bool is_on_order(Index benefit) const {
        return program().conditions[program().benefits[benefit].condition].level == Level::order;
    }
    // The lines of which a benefit may see some units.
    std::vector<std::uint32_t> visible_lines(Index benefit) const {
        const bool on_order = is_on_order(benefit);
        const Needs needs = program().benefits[benefit].rule->needs();
        std::vector<std::uint32_t> lines;
        if (needs == Needs::shipping || (on_order && scope.taken && scope.taken->order() != none)) return lines;
        if (on_order) {
            lines.resize(order().lines.size());
            std::iota(lines.begin(), lines.end(), 0U);
            const Benefit& rule = *program().benefits[benefit].rule;
            std::erase_if(lines, [&](std::uint32_t line) { return !is_for(rule, order().lines[line]); });
        } else {
            lines = arbiter.candidates().lines[program().benefits[benefit].condition];
        }
        const bool looks_only = on_order && needs == Needs::order;
        if (scope.taken && !looks_only)
            std::erase_if(lines, [&](std::uint32_t line) { return scope.taken->all_of(line); });
        return lines;
    }
    // Whether a benefit on products may see a unit group.
    bool is_free(const UnitGroup& units) const { return !scope.taken || scope.taken->units(units) == none; }

    Worth worth_of(Money money) const { return checked_product(money.units, program().value_denominator); }
    Worth worth_of(Points points, std::uint32_t type) const {
        return points.is_zero() ? 0 : checked_product(points.units, program().point_types[type].value);
    }
    // The least money that is worth this.
    Money money_for(Worth worth) const {
        const Worth one = program().value_denominator;
        return worth <= 0 ? Money{} : Money{static_cast<std::int64_t>((worth + one - 1) / one)};
    }
    // Of points, and of gifts.
    Worth accrued(const Entries& entries) const {
        Worth sum = 0;
        for (const auto& entry : entries) sum += worth_of(entry.points, entry.point_type) + worth_of(entry.worth);
        return sum;
    }
};

// What a child does to the state that the group began with.
struct Alone {
    State state;
    Entries entries;
    Worth worth = 0;
    Money paid{};  // by points
    Decisions decisions{};
    bool proven = true;  // the groups of type max_benefit below it were searched to the end
};

inline Money paid_by_points(const State& state) {
    Money sum;
    for (const Money paid : state.paid) sum += paid;
    return sum;
}

// Calls visit(benefit) for every benefit below a node.
template <class Visit>
void for_each_benefit(const Program& program, const CandidateNode& node, const Visit& visit) {
    for (const auto& child : node.children) for_each_benefit(program, child, visit);
    if (node.is_group) return;
    const Promotion& promotion = program.promotions[node.index];
    for (Index c = promotion.first_condition; c < promotion.last_condition; c++) {
        const Condition& condition = program.conditions[c];
        for (Index b = condition.first_benefit; b < condition.last_benefit; b++) visit(b);
    }
}

// Whether what a promotion asks for is judged at current prices.
inline bool asks_at_current_prices(const Program& program, Index promotion) {
    const Promotion& of = program.promotions[promotion];
    bool asks = of.minimum.current;
    for (Index c = of.first_condition; c < of.last_condition; c++) asks = asks || program.conditions[c].minimum.current;
    return asks;
}

// Whether any benefit below a node does.
inline bool looks_around(const Program& program, const CandidateNode& node) {
    bool any = !node.is_group && asks_at_current_prices(program, node.index);
    for (const auto& child : node.children) any = any || looks_around(program, child);
    for_each_benefit(program, node,
                     [&](Index benefit) { any = any || program.benefits[benefit].rule->looks_around(); });
    return any;
}

}  // namespace loyalty
