#include "core/calculate/arbitration.hpp"

#include <algorithm>

namespace loyalty {

namespace {

void append(Entries& all, Entries&& more) {
    if (all.empty()) {
        all = std::move(more);
    } else {
        all.insert(all.end(), more.begin(), more.end());
    }
}

void take(Taken& taken, const Program& program, const Entries& entries) {
    for (const auto& entry : entries) {
        if (!entry.has_effect()) continue;
        const Condition& condition = program.conditions[program.benefits[entry.benefit].condition];
        const auto claim = [&](Index& owner) {
            if (owner == none) owner = condition.promotion;
        };
        if (entry.target == Entry::Target::line) claim(taken.lines[entry.line]);
        if (entry.target == Entry::Target::shipping) claim(taken.shipping);
        if (condition.level == Level::order) claim(taken.order);
    }
}

// Brings accruals down, one after the other, to what a budget of points has left.
void cut_accruals(const Program& program, std::int64_t left, Entries& entries) {
    for (auto& entry : entries) {
        if (entry.kind != Entry::Kind::accrual) continue;
        const int scale = program.point_types[entry.point_type].scale;
        const auto one = static_cast<std::int64_t>(power_of_ten(usage_scale - scale));
        const Points allowed = std::min(entry.points, Points{left / one});
        entry.points_cut = entry.points - allowed;
        entry.cut_by.budget = !entry.points_cut.is_zero();
        entry.points = allowed;
        left -= allowed.units * one;
    }
}

// The reason of a promotion without any effect; one that had some needs none.
void settle(NodeTrace& trace, const Entries& entries) {
    if (std::any_of(entries.begin(), entries.end(), [](const Entry& entry) { return entry.has_effect(); })) {
        trace.reason = Reason::none;
        trace.lost_to.clear();
        return;
    }
    if (trace.reason != Reason::none) return;
    trace.reason = entries.empty() ? Reason::nothing_to_reduce : Reason::cut_by_limit;
    for (const auto& entry : entries) {
        trace.asked += entry.asked;
        trace.cut_by |= entry.cut_by;
    }
}

// The way down from a node to a promotion, without any other children; nothing if the promotion is not below it.
std::optional<CandidateNode> branch_to(const CandidateNode& node, Index promotion) {
    if (!node.is_group) return node.index == promotion ? std::optional(node) : std::nullopt;
    for (const auto& child : node.children) {
        if (auto branch = branch_to(child, promotion)) return CandidateNode{true, node.index, {std::move(*branch)}};
    }
    return std::nullopt;
}

}  // namespace

void Work::add(std::size_t steps) {
    steps_ += static_cast<std::int64_t>(steps) + 1;
    if (steps_ < next_check_) return;
    next_check_ = steps_ + 10'000;
    if (check_interrupts_) check_interrupts_();
}

Entries Arbiter::run(State& state, Trace& trace) {
    Scope scope;
    scope.trace = &trace;
    return evaluate(candidates_.main, state, scope);
}

Entries Arbiter::evaluate(const CandidateNode& node, State& state, const Scope& scope) {
    NodeTrace* trace = nullptr;
    if (scope.trace) {
        trace = node.is_group ? &scope.trace->groups[node.index] : &scope.trace->promotions[node.index];
        trace->evaluated = true;
        trace->before = state.total();
    }
    Entries entries = node.is_group ? evaluate_group(node, state, scope) : evaluate_promotion(node.index, state, scope);
    if (trace) trace->after = state.total();
    return entries;
}

Entries Arbiter::evaluate_group(const CandidateNode& node, State& state, const Scope& scope) {
    const Group& group = program_.groups[node.index];
    const Enclosing enclosing{scope.enclosing, &group, bounds_.max_discount(group)};
    Scope inner = scope;
    inner.enclosing = &enclosing;
    Children children;
    children.reserve(node.children.size());
    for (const auto& child : node.children) children.push_back(&child);
    Entries entries = combine(group, children, state, inner);
    state.reduced[static_cast<std::size_t>(group.depth)] = Money{};
    return entries;
}

Entries Arbiter::combine(const Group& group, const Children& children, State& state, const Scope& scope) {
    switch (group.arbitration) {
        case Arbitration::consistent:
            return consistent(children, state, scope);
        case Arbitration::incompatibility:
            return incompatibility(children, state, scope);
        case Arbitration::summation:
            return summation(children, state, scope);
        case Arbitration::max_benefit:
            return max_benefit(children, state, scope);
    }
    return {};
}

Entries Arbiter::consistent(const Children& children, State& state, const Scope& scope) {
    Entries all;
    for (const auto* child : children) append(all, evaluate(*child, state, scope));
    return all;
}

Entries Arbiter::incompatibility(const Children& children, State& state, const Scope& scope) {
    Taken taken;
    if (scope.taken) {
        taken = *scope.taken;
    } else {
        taken.lines.assign(order_.lines.size(), none);
    }
    Scope inner = scope;
    inner.taken = &taken;
    std::optional<State> before;
    if (scope.trace) before = state;
    Entries all;
    for (const auto* child : children) {
        Entries entries = evaluate(*child, state, inner);
        take(taken, program_, entries);
        append(all, std::move(entries));
    }
    if (scope.trace) {
        for (const auto* child : children) trace_contests(*child, *before, all, scope);
    }
    return all;
}

// Tells of the promotions below a child whose targets others took what they would have been worth without these.
void Arbiter::trace_contests(const CandidateNode& child, const State& state, const Entries& entries,
                             const Scope& scope) {
    const auto judge = [&](const auto& self, const CandidateNode& node) -> void {
        for (const auto& below : node.children) self(self, below);
        if (node.is_group) return;
        NodeTrace& trace = scope.trace->promotions[node.index];
        if (trace.reason != Reason::taken || trace.contest) return;
        Entries winners;
        for (const auto& entry : entries) {
            if (promotion_of(entry) == trace.lost_to.front().index) winners.push_back(entry);
        }
        // Taken by one in an incompatible group further out.
        if (winners.empty()) return;
        State alone = state;
        const Entries own = evaluate_untold(*branch_to(child, node.index), alone, scope);
        trace.contest = Contest{worth_of(own), worth_of(winners)};
    };
    judge(judge, child);
}

Index Arbiter::promotion_of(const Entry& entry) const {
    return program_.conditions[program_.benefits[entry.benefit].condition].promotion;
}

int128 Arbiter::worth_of(const Entries& entries) const {
    int128 worth = 0;
    for (const auto& entry : entries) {
        worth += checked_product(entry.applied.units, program_.value_denominator);
        if (entry.kind == Entry::Kind::accrual)
            worth += checked_product(entry.points.units, program_.point_types[entry.point_type].value);
    }
    return worth;
}

// A node as if there were only this one, which is no part of the result.
Entries Arbiter::evaluate_untold(const CandidateNode& node, State& state, const Scope& scope) {
    Scope untold = scope;
    untold.trace = nullptr;
    untold.plan = nullptr;
    const std::size_t unproven = unproven_;
    Entries entries = evaluate(node, state, untold);
    unproven_ = unproven;
    return entries;
}

Entries Arbiter::summation(const Children& children, State& state, const Scope& scope) {
    std::vector<Entries> summands;
    State last = state;
    for (const auto* child : children) {
        State result = state;
        Entries entries = evaluate(*child, result, scope);
        if (entries.empty()) continue;
        summands.push_back(std::move(entries));
        last = std::move(result);
    }
    if (summands.empty()) return {};
    if (summands.size() == 1) {
        // A sum of one is what the child has committed already.
        state = std::move(last);
        return std::move(summands.front());
    }
    return commit_sum(bounds_, *scope.enclosing, state, summands);
}

// A promotion with a budget is enclosed by it.
Entries Arbiter::evaluate_promotion(Index index, State& state, const Scope& scope) {
    NodeTrace* trace = scope.trace ? &scope.trace->promotions[index] : nullptr;
    const Allowance* allowance =
        program_.promotions[index].usage_limits.any() ? find_allowance(order_, index) : nullptr;
    Entries entries;
    if (allowance && allowance->money) {
        const Enclosing budget{scope.enclosing, nullptr, allowance->money};
        Scope inner = scope;
        inner.enclosing = &budget;
        entries = apply_benefits(index, state, inner, trace);
        state.reduced[static_cast<std::size_t>(budget.depth())] = Money{};
    } else {
        entries = apply_benefits(index, state, scope, trace);
    }
    if (allowance && allowance->points) cut_accruals(program_, *allowance->points, entries);
    if (trace) settle(*trace, entries);
    return entries;
}

Entries Arbiter::apply_benefits(Index index, State& state, const Scope& scope, NodeTrace* trace) {
    const Promotion& promotion = program_.promotions[index];
    Entries all;
    std::vector<Entries> summands;
    // All product benefits come before all order benefits, in either rule.
    for (const Level level : {Level::product, Level::order}) {
        for (Index c = promotion.first_condition; c < promotion.last_condition; c++) {
            const Condition& condition = program_.conditions[c];
            if (condition.level != level) continue;
            for (Index b = condition.first_benefit; b < condition.last_benefit; b++) {
                const Proposal proposal = propose(b, state, scope, trace);
                if (promotion.benefit_rule == BenefitRule::parallel) {
                    summands.push_back(as_entries(state, b, proposal));
                } else {
                    append(all, commit(bounds_, *scope.enclosing, state, b, proposal));
                }
            }
        }
    }
    if (!summands.empty()) all = commit_sum(bounds_, *scope.enclosing, state, summands);
    return all;
}

// What a benefit would do to the targets that are still free.
Proposal Arbiter::propose(Index benefit, const State& state, const Scope& scope, NodeTrace* trace) {
    const Index c = program_.benefits[benefit].condition;
    const Condition& condition = program_.conditions[c];
    // The order fulfils another condition of the promotion.
    if (!candidates_.met[c]) return {};
    const Index owner = taken_by(condition, c, scope);
    View view = view_for(condition, c, state, scope);
    work_.add(view.parts.size());
    const bool visible = condition.level == Level::product ? !view.parts.empty() : owner == none;
    Proposal proposal;
    if (visible) {
        proposal = program_.benefits[benefit].rule->propose(std::move(view));
    } else if (owner != none) {
        proposal.reason = Reason::taken;
    }
    if (trace && trace->reason == Reason::none && proposal.reason != Reason::none) {
        trace->reason = proposal.reason;
        trace->benefit = benefit;
        if (proposal.reason == Reason::taken) trace->lost_to = {Child{false, owner}};
    }
    if (trace) {
        for (const auto& skip : proposal.skips) scope.trace->skips.push_back({benefit, skip});
    }
    return proposal;
}

View Arbiter::view_for(const Condition& condition, Index condition_index, const State& state,
                       const Scope& scope) const {
    View view{program_,       order_, state, condition.level, {}, !scope.taken || scope.taken->shipping == none,
              bounds_.budgets};
    const auto see = [&](std::size_t group) {
        const UnitGroup& units = state.groups[group];
        if (scope.taken && scope.taken->lines[units.line] != none) return;
        view.parts.push_back({group, units.quantity(), units.total, Money{}});
    };
    if (condition.level == Level::order) {
        for (std::size_t group = 0; group < state.groups.size(); group++) see(group);
    } else {
        for (const auto line : candidates_.lines[condition_index]) {
            for (auto group = state.first_group(line); group < state.groups.size() && state.groups[group].line == line;
                 group++) {
                see(group);
            }
        }
    }
    return view;
}

Index Arbiter::taken_by(const Condition& condition, Index condition_index, const Scope& scope) const {
    if (!scope.taken) return none;
    if (condition.level == Level::order) return scope.taken->order;
    for (const auto line : candidates_.lines[condition_index]) {
        if (scope.taken->lines[line] != none) return scope.taken->lines[line];
    }
    return none;
}

}  // namespace loyalty
