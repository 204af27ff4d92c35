// max_benefit: the combination of children that is worth most, over every subset of them, combined by `consistent` in
// position order or by `summation`; the exact definition of worth and of ties is in the reference.
//
// The search goes depth first, taking each child before leaving it out, so that the first combination met is the one
// with all children. A branch is left when even an upper bound of what it can reach is worse than the best combination
// found, so the result is the optimum, not an approximation:
//
//   * Where all children only lower prices of whole lines (`only_lowers`), each maps a lower price to a lower price, so
//     applying all children that are left is itself the bound, and one that is reached.
//   * Otherwise each benefit is worth at most what it is worth on the state that the group began with, because prices
//     only fall; benefits that pick units may gain by the rounding of splits, so for them the bound is all that is left
//     to pay. Where prices are rounded there is no such bound: a price may rise, and what comes after be worth more.
//   * Under summation the children's own effects are added up, and a sum never shrinks when a child joins it, so the sum with all
//     children that are left is the bound; where units are picked, within the rounding of the splits (`slack_`). Where
//     several point types pay it may shrink: a budget that bites is shared differently over the units, and so leaves a
//     later type less room. There what all the children ask for is the bound.
//
// What each child does alone is found once and kept, and so is the state that the best combination leads to: groups of this
// type may be nested, and every evaluation saved here is one fewer at all levels below.
//
// Tested against plain enumeration in test/unit/property_test.cc.
#include "core/arbitration.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>

namespace loyalty {

namespace {

using Worth = int128;  // in 1/Program::value_denominator of the smallest unit of money

struct Combination {
    State state;                                            // what it leads to
    std::vector<std::shared_ptr<const Entries>> entries{};  // per child, shared with the combinations that it grew from
    Worth worth = 0;
    Money paid{};  // by points
    bool summed = false;
    std::vector<std::size_t> children{};  // ascending

    // Whether this one is to be preferred: more worth; less paid in points; fewer children; consistent; earlier children.
    bool better_than(const Combination& other) const {
        if (worth != other.worth) return worth > other.worth;
        if (paid != other.paid) return paid < other.paid;
        if (children.size() != other.children.size()) return children.size() < other.children.size();
        if (summed != other.summed) return !summed;
        return children < other.children;
    }
};

Money sum(const std::vector<Money>& amounts) { return std::accumulate(amounts.begin(), amounts.end(), Money{}); }

}  // namespace

class MaxBenefit {
public:
    MaxBenefit(Arbiter& arbiter, const Arbiter::Children& children, const State& state, const Scope& scope)
        : arbiter_(arbiter),
          program_(arbiter.program_),
          children_(children),
          state_(state),
          scope_(scope),
          best_{state} {
        scope_.trace = nullptr;
    }

    // Nothing if a limit was reached before the combination of all children was tried.
    std::optional<Combination> search() {
        if (children_.size() > most_children_of_search) return std::nullopt;
        for (const auto* child : children_) {
            if (arbiter_.work_.search_exhausted()) return std::nullopt;
            State state = state_;
            auto entries = std::make_shared<const Entries>(arbiter_.evaluate(*child, state, scope_));
            alone_.push_back({std::move(state), std::move(entries)});
        }
        splits_groups_ =
            std::any_of(children_.begin(), children_.end(), [this](auto* child) { return splits_groups(*child); });
        only_lowers_ =
            std::all_of(children_.begin(), children_.end(), [this](auto* child) { return only_lowers(*child); });
        if (!only_lowers_) find_bounds();
        try_consistent(0, Combination{state_});
        if (!reached_end_) return std::nullopt;
        prepare_sums();
        return std::move(best_);
    }

private:
    // The search calls itself once per child; groups of this type may be nested 9 deep, and the stack is a few megabytes.
    static constexpr std::size_t most_children_of_search = 200;

    Worth worth(const State& before, const State& after, const Entries& entries) const {
        Worth worth = checked_product((before.total() - after.total()).units, program_.value_denominator);
        for (const auto& entry : entries) worth += worth_of_points(entry.points, entry.point_type);
        return worth;
    }

    Worth worth_of_points(Points points, std::uint32_t type) const {
        return points.is_zero() ? 0 : checked_product(points.units, program_.point_types[type].value);
    }

    void consider(const Combination& combination) {
        if (combination.better_than(best_)) best_ = combination;
    }

    bool give_up() {
        if (!arbiter_.work_.search_exhausted()) return false;
        arbiter_.optimal_ = false;
        return true;
    }

    // Consistent combinations: children before `next` are decided.
    void try_consistent(std::size_t next, const Combination& chosen) {
        reached_end_ = reached_end_ || next == children_.size();
        if (next == children_.size() || give_up()) {
            consider(chosen);
            return;
        }
        const Combination more = joined(chosen, next);
        // A child without any effect here changes nothing for those behind it: leaving it out is never worse. But a sum of
        // which limits left nothing may still have split unit groups.
        const bool idle = more.state == chosen.state && !has_effect(*more.entries.back());
        if (!idle && !hopeless(next + 1, more)) try_consistent(next + 1, more);
        if (!idle && (give_up() || hopeless(next + 1, chosen))) return;
        try_consistent(next + 1, chosen);
    }

    Combination joined(const Combination& chosen, std::size_t child) {
        Combination more = chosen;
        // The copies of a long search count like its evaluations, so the work limit bounds the memory, too.
        arbiter_.work_.add(more.state.groups.size());
        if (chosen.children.empty()) {
            more.state = alone_[child].state;
            more.entries.push_back(alone_[child].entries);
        } else {
            more.entries.push_back(
                std::make_shared<const Entries>(arbiter_.evaluate(*children_[child], more.state, scope_)));
        }
        more.worth += worth(chosen.state, more.state, *more.entries.back());
        more.paid = sum(more.state.paid) - sum(state_.paid);
        more.children.push_back(child);
        return more;
    }

    static bool has_effect(const Entries& entries) {
        return std::any_of(entries.begin(), entries.end(), [](const Entry& entry) { return entry.has_effect(); });
    }

    // Whether no continuation can be better than the best found.
    bool hopeless(std::size_t next, const Combination& chosen) {
        const Worth most = chosen.worth + (only_lowers_ ? reach(next, chosen.state) : bound(next, chosen.state));
        if (most != best_.worth) return most < best_.worth;
        // Equal worth is possible; what was paid and taken on the way stays.
        if (chosen.paid != best_.paid) return chosen.paid > best_.paid;
        return chosen.children.size() > best_.children.size();
    }

    Worth reach(std::size_t next, const State& state) {
        State all = state;
        for (std::size_t i = next; i < children_.size(); i++) arbiter_.evaluate(*children_[i], all, scope_);
        return worth(state, all, {});
    }

    Worth bound(std::size_t next, const State& state) const {
        const Worth left = checked_product(state.total().units, program_.value_denominator);
        return std::min(left, most_reduction_[next]) + most_accrued_[next];
    }

    // For each child the most that it and those behind it can be worth.
    void find_bounds() {
        most_reduction_.assign(children_.size() + 1, 0);
        most_accrued_.assign(children_.size() + 1, 0);
        for (std::size_t i = children_.size(); i-- > 0;) {
            most_reduction_[i] = most_reduction_[i + 1];
            most_accrued_[i] = most_accrued_[i + 1];
            add_bounds(*children_[i], most_reduction_[i], most_accrued_[i]);
        }
        if (splits_groups_) {
            const Worth unbounded = checked_product(state_.total().units, program_.value_denominator);
            std::fill(most_reduction_.begin(), most_reduction_.end(), unbounded);
        }
        if (!all_benefits([](const BenefitEntry& benefit) { return benefit.rule->follows_prices(); })) {
            constexpr Worth more_than_any = Worth{1} << 120;
            std::fill(most_reduction_.begin(), most_reduction_.end(), more_than_any);
            std::fill(most_accrued_.begin(), most_accrued_.end(), more_than_any);
        }
    }

    template <class Holds>
    bool all_benefits(const Holds& holds) const {
        return std::all_of(children_.begin(), children_.end(),
                           [&](const auto* child) { return all_benefits(*child, holds); });
    }

    template <class Holds>
    bool all_benefits(const CandidateNode& node, const Holds& holds) const {
        bool all = true;
        for_each_benefit(node, [&](Index benefit) { all = all && holds(program_.benefits[benefit]); });
        return all;
    }

    void add_bounds(const CandidateNode& node, Worth& reduction, Worth& accrued) {
        for_each_benefit(node, [&](Index benefit) {
            const Proposal proposal = arbiter_.propose(benefit, state_, scope_, nullptr);
            Money asked = proposal.shipping;
            for (const auto& part : proposal.parts) asked += part.asked;
            reduction += checked_product(asked.units, program_.value_denominator);
            for (const auto& accrual : proposal.accruals)
                accrued += worth_of_points(accrual.points, proposal.point_type);
        });
    }

    template <class Visit>
    void for_each_benefit(const CandidateNode& node, const Visit& visit) const {
        for (const auto& child : node.children) for_each_benefit(child, visit);
        if (node.is_group) return;
        const Promotion& promotion = program_.promotions[node.index];
        for (Index c = promotion.first_condition; c < promotion.last_condition; c++) {
            const Condition& condition = program_.conditions[c];
            for (Index b = condition.first_benefit; b < condition.last_benefit; b++) visit(b);
        }
    }

    bool splits_groups(const CandidateNode& node) const {
        bool splits = false;
        for_each_benefit(node,
                         [&](Index benefit) { splits = splits || program_.benefits[benefit].rule->picks_units(); });
        return splits;
    }

    // Whether the node maps lower prices to lower prices, line by line. Sums do not: of two rounded reductions of 50 % and
    // 40 %, 16 leaves 2 and 17 leaves 1.
    bool only_lowers(const CandidateNode& node) const {
        if (node.is_group) {
            return program_.groups[node.index].arbitration == Arbitration::consistent &&
                   std::all_of(node.children.begin(), node.children.end(),
                               [this](auto& child) { return only_lowers(child); });
        }
        if (program_.promotions[node.index].benefit_rule == BenefitRule::parallel) return false;
        bool all = true;
        for_each_benefit(node, [&](Index benefit) {
            const Condition& condition = program_.conditions[program_.benefits[benefit].condition];
            all = all && condition.level == Level::product && program_.benefits[benefit].rule->only_lowers_prices();
        });
        return all;
    }

    bool summable(const CandidateNode& node) const {
        return all_benefits(node, [](const BenefitEntry& benefit) { return benefit.type->summable; });
    }

    void prepare_sums() {
        std::vector<bool> in(children_.size());
        std::size_t effects = 0;
        for (std::size_t i = 0; i < in.size(); i++) {
            in[i] = !alone_[i].entries->empty() && summable(*children_[i]);
            if (in[i]) effects += alone_[i].entries->size();
        }
        // One child alone is the consistent combination of it.
        if (std::count(in.begin(), in.end(), true) < 2) return;
        several_types_pay_ = several_types_pay();
        // Joining a child that picks units splits groups; each split rounds the total, the floor and each effect's share of
        // every piece, by less than one unit of money each.
        if (splits_groups_) {
            const std::size_t pieces = state_.groups.size() + 2 * effects;
            slack_ = checked_product(static_cast<Worth>(pieces * (effects + 2)), program_.value_denominator);
        }
        try_sums(0, in);
    }

    // Sums: children before `next` are decided, those from `next` on are all in.
    void try_sums(std::size_t next, std::vector<bool>& in) {
        if (give_up()) return;
        const Combination most = summed(in);
        if (most.children.size() > 1) consider(most);
        const Worth bound = several_types_pay_ ? asked(in) : most.worth + slack_;
        if (bound < best_.worth) return;
        // Equal worth: only a smaller payment or fewer children could still be better.
        const auto decided =
            static_cast<std::size_t>(std::count(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(next), true));
        if (bound == best_.worth && best_.paid.is_zero() && decided > best_.children.size()) return;
        for (std::size_t i = next; i < in.size(); i++) {
            if (!in[i]) continue;
            in[i] = false;
            try_sums(i + 1, in);
            in[i] = true;
        }
    }

    bool several_types_pay() const {
        std::uint32_t first = no_point_type;
        for (const auto& alone : alone_) {
            for (const auto& entry : *alone.entries) {
                if (entry.kind != Entry::Kind::paid_by_points) continue;
                if (first != no_point_type && entry.point_type != first) return true;
                first = entry.point_type;
            }
        }
        return false;
    }

    // What the children do alone, added up, as far as there are prices to reduce and points to pay with.
    Worth asked(const std::vector<bool>& in) const {
        Worth accrued = 0;
        Money reduction;
        std::vector<Money> paid(program_.point_types.size());
        for (std::size_t i = 0; i < in.size(); i++) {
            if (!in[i]) continue;
            for (const auto& entry : *alone_[i].entries) {
                accrued += worth_of_points(entry.points, entry.point_type);
                (entry.kind == Entry::Kind::paid_by_points ? paid[entry.point_type] : reduction) += entry.applied;
            }
        }
        for (std::uint32_t type = 0; type < paid.size(); type++) {
            reduction += std::min(paid[type], arbiter_.bounds_.budget_left(state_, type));
        }
        return checked_product(std::min(reduction, state_.total()).units, program_.value_denominator) + accrued;
    }

    Combination summed(const std::vector<bool>& in) {
        Combination combination{state_};
        combination.summed = true;
        std::vector<Entries> summands;
        std::size_t size = 0;
        for (std::size_t i = 0; i < in.size(); i++) {
            if (!in[i]) continue;
            combination.children.push_back(i);
            summands.push_back(*alone_[i].entries);
            size += alone_[i].entries->size();
        }
        State& after = combination.state;
        arbiter_.work_.add(after.groups.size() + size);
        auto entries =
            std::make_shared<const Entries>(commit_sum(arbiter_.bounds_, *scope_.enclosing, after, summands));
        combination.worth = worth(state_, after, *entries);
        combination.entries.push_back(std::move(entries));
        combination.paid = sum(after.paid) - sum(state_.paid);
        return combination;
    }

    Arbiter& arbiter_;
    const Program& program_;
    const Arbiter::Children& children_;
    const State& state_;
    Scope scope_;
    // What a child does to the state that the group began with.
    struct Alone {
        State state;
        std::shared_ptr<const Entries> entries;
    };

    Combination best_;  // begins as the empty one
    std::vector<Alone> alone_;
    bool reached_end_ = false;  // the combination of all children was tried
    bool only_lowers_ = false;
    bool splits_groups_ = false;
    Worth slack_ = 0;
    bool several_types_pay_ = false;
    std::vector<Worth> most_reduction_;
    std::vector<Worth> most_accrued_;
};

Entries Arbiter::max_benefit(const Children& children, State& state, const Scope& scope) {
    std::optional<Combination> best = MaxBenefit(*this, children, state, scope).search();
    if (!best) {
        optimal_ = false;
        return consistent(children, state, scope);
    }
    if (!scope.trace) {
        state = std::move(best->state);
        Entries all;
        for (const auto& entries : best->entries) all.insert(all.end(), entries->begin(), entries->end());
        return all;
    }
    // The combination chosen is evaluated once more, to be told.
    Children chosen;
    for (const std::size_t child : best->children) chosen.push_back(children[child]);
    for (const auto* child : children) {
        if (std::find(chosen.begin(), chosen.end(), child) == chosen.end()) trace_not_chosen(*child, state, scope);
    }
    scope.trace->groups[static_cast<std::size_t>(scope.enclosing->group - program_.groups.data())].summed =
        best->summed;
    return best->summed ? summation(chosen, state, scope) : consistent(chosen, state, scope);
}

// Tells of a child that was left out what it would have done alone; promotions that would have done nothing keep their own
// reason.
void Arbiter::trace_not_chosen(const CandidateNode& node, const State& state, const Scope& scope) {
    State alone = state;
    evaluate(node, alone, scope);
    mark_not_chosen(node, *scope.trace);
}

void Arbiter::mark_not_chosen(const CandidateNode& node, Trace& trace) const {
    for (const auto& child : node.children) mark_not_chosen(child, trace);
    if (node.is_group) {
        // What it does alone is not what it did.
        trace.groups[node.index].evaluated = false;
        return;
    }
    Reason& reason = trace.promotions[node.index].reason;
    if (reason == Reason::none) reason = Reason::not_chosen;
}

}  // namespace loyalty
