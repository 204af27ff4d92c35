#include "core/calculate/arbitration.hpp"

#include "core/calculate/best_by_line.hpp"
#include "core/calculate/conditions.hpp"
#include "core/money/allot.hpp"

#include <algorithm>
#include <numeric>

namespace loyalty {

namespace {

void append(Entries& all, Entries&& more) {
    if (all.empty()) {
        all = std::move(more);
    } else {
        all.insert(all.end(), more.begin(), more.end());
    }
}

// Shares of an amount over the entries from `first` up to `last`: over lines first, then within each over the benefits
// whose points a multiplier keeps apart, so that what these are makes no difference to the lines.
std::vector<std::int64_t> allot_by_line(std::int64_t amount, Entries::const_iterator first,
                                        Entries::const_iterator last) {
    std::vector<std::vector<std::int64_t>> lines;
    std::vector<std::int64_t> weights;
    for (auto entry = first; entry != last; ++entry) {
        if (entry == first || entry->line != std::prev(entry)->line) {
            lines.emplace_back();
            weights.push_back(0);
        }
        lines.back().push_back(entry->points.units);
        weights.back() += entry->points.units;
    }
    std::vector<std::int64_t> shares;
    const auto by_line = allot(amount, weights);
    for (std::size_t i = 0; i < lines.size(); i++) {
        const auto within = allot(by_line[i], lines[i]);
        shares.insert(shares.end(), within.begin(), within.end());
    }
    return shares;
}

// Brings the accruals of one benefit, from `first` up to `last`, down to what a budget of points has left, which is
// shared over the lines by allotment.
void cut_accruals_of(const Program& program, std::int64_t& left, Entries::iterator first, Entries::iterator last) {
    const std::int64_t sum = std::accumulate(first, last, std::int64_t{0}, [](std::int64_t so_far, const Entry& entry) {
        return so_far + entry.points.units;
    });
    const int scale = program.point_types[first->point_type].scale;
    const auto one = static_cast<std::int64_t>(power_of_ten(usage_scale - scale));
    const std::int64_t given = std::min(sum, left / one);
    left -= given * one;
    const auto shares = allot_by_line(given, first, last);
    for (auto entry = first; entry != last; ++entry) {
        const Points allowed{shares[static_cast<std::size_t>(entry - first)]};
        entry->points_cut = entry->points - allowed;
        entry->cut_by.budget = !entry->points_cut.is_zero();
        entry->points = allowed;
    }
}

// One benefit after the other takes what is left.
void cut_accruals(const Program& program, std::int64_t left, Entries& entries) {
    for (auto first = entries.begin(); first != entries.end();) {
        const auto last = std::find_if(first, entries.end(), [&](const Entry& entry) {
            return entry.benefit != first->benefit || entry.kind != first->kind;
        });
        if (first->kind == Entry::Kind::accrual) cut_accruals_of(program, left, first, last);
        first = last;
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

// Units of sets, of which a gift may be given, whatever is left of what they take off.
void note_sets(const State& state, const Proposal& proposal, SetsFormed& sets) {
    if (proposal.sets == 0) return;
    sets.times += proposal.sets;
    for (const auto& part : proposal.parts) sets.units.push_back({state.groups[part.group].line, part.quantity});
    for (const auto& part : proposal.bought)
        sets.units.push_back({state.groups[part.group].line, part.to - part.from});
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
    const std::size_t earned = state.earned.size();
    Entries entries = node.is_group ? evaluate_group(node, state, scope) : evaluate_promotion(node.index, state, scope);
    note_earned(state, earned, entries);
    if (trace) trace->after = state.total();
    return entries;
}

void Arbiter::note_earned(State& state, std::size_t kept, const Entries& entries) const {
    if (!program_.multiplies_points) return;
    state.earned.resize(kept);
    for (const auto& entry : entries) {
        if (entry.kind == Entry::Kind::accrual && !entry.points.is_zero())
            state.earned.push_back({entry.like, entry.point_type, entry.line, entry.points});
    }
}

Entries Arbiter::evaluate_group(const CandidateNode& node, State& state, const Scope& scope) {
    const Group& group = program_.groups[node.index];
    const Enclosing enclosing{scope.enclosing, &group, bounds_.max_discount(group)};
    Scope inner = scope;
    inner.enclosing = &enclosing;
    inner.earned_from = state.earned.size();
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
            return group.best == Best::single_by_line ? best_by_line(children, state, scope)
                                                      : max_benefit(children, state, scope);
    }
    return {};
}

Entries Arbiter::consistent(const Children& children, State& state, const Scope& scope) {
    Entries all;
    for (const auto* child : children) append(all, evaluate(*child, state, scope));
    return all;
}

Entries Arbiter::incompatibility(const Children& children, State& state, const Scope& scope) {
    Taken taken = scope.taken ? *scope.taken : Taken(order_);
    Scope inner = scope;
    inner.taken = &taken;
    std::optional<State> before;
    if (scope.trace) before = state;
    Entries all;
    for (const auto* child : children) {
        Entries entries = evaluate(*child, state, inner);
        taken.add(program_, entries);
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
        worth += checked_product(entry.worth.units, program_.value_denominator);
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
    const Work::Aside aside(work_);
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
    return sum_up(std::move(summands), std::move(last), state, scope);
}

Entries Arbiter::sum_up(std::vector<Entries>&& summands, State&& last, State& state, const Scope& scope) {
    if (summands.empty()) return {};
    if (summands.size() == 1) {
        // A sum of one is what it has committed already.
        state = std::move(last);
        return std::move(summands.front());
    }
    return commit_sum(bounds_, *scope.enclosing, state, summands);
}

// Each child works alone, below what limits all of them together; each unit is left to the child that is worth most
// there, and what they keep is committed under the limits.
Entries Arbiter::best_by_line(const Children& children, State& state, const Scope& scope) {
    std::vector<Enclosing> unlimited;
    for (const Enclosing* node = scope.enclosing; node; node = node->outer) unlimited.push_back(*node);
    for (std::size_t i = 0; i < unlimited.size(); i++) {
        unlimited[i].max_discount.reset();
        unlimited[i].outer = i + 1 < unlimited.size() ? &unlimited[i + 1] : nullptr;
    }
    Scope inner = scope;
    inner.enclosing = unlimited.data();
    std::vector<Entries> alone;
    for (const auto* child : children) {
        State result = state;
        alone.push_back(evaluate(*child, result, inner));
    }
    const auto is_free = [&](const UnitGroup& units) { return !scope.taken || scope.taken->units(units) == none; };
    const std::vector<Entries> kept = keep_best_by_line(program_, state, alone, is_free);
    work_.add(Step::part, state.groups.size() * children.size());
    if (scope.trace) trace_best_by_line(children, alone, kept, *scope.trace);
    return commit_sum(bounds_, *scope.enclosing, state, kept);
}

// Tells of children, and of promotions below them, that have kept nothing of what they did alone.
void Arbiter::trace_best_by_line(const Children& children, const std::vector<Entries>& alone,
                                 const std::vector<Entries>& kept, Trace& trace) const {
    const auto works = [](const Entry& entry) { return entry.has_effect(); };
    std::vector<bool> keeps(program_.promotions.size()), cut(keeps.size());
    std::vector<Child> winners;
    int128 worth = 0;
    for (std::size_t i = 0; i < children.size(); i++) {
        worth += worth_of(kept[i]);
        for (const auto& entry : kept[i]) keeps[promotion_of(entry)] = true;
        if (!kept[i].empty()) winners.push_back({children[i]->is_group, children[i]->index});
    }
    for (std::size_t i = 0; i < children.size(); i++) {
        if (kept[i].empty() && std::any_of(alone[i].begin(), alone[i].end(), works)) {
            mark_not_chosen(*children[i], trace);
            NodeTrace& lost = children[i]->is_group ? trace.groups[children[i]->index]
                                                    : trace.promotions[children[i]->index];
            lost.reason = Reason::not_chosen;
            lost.contest = Contest{worth_of(alone[i]), worth};
            lost.lost_to = winners;
        }
        for (const auto& entry : alone[i]) {
            if (keeps[promotion_of(entry)]) continue;
            NodeTrace& lost = trace.promotions[promotion_of(entry)];
            if (entry.has_effect()) lost.reason = Reason::not_chosen;
            if (lost.reason == Reason::none) cut[promotion_of(entry)] = true;
            if (!cut[promotion_of(entry)]) continue;
            // A sum below left nothing of it.
            lost.reason = Reason::cut_by_limit;
            lost.asked += entry.asked;
            lost.cut_by |= entry.cut_by;
        }
    }
    // Its share of a sum may round to nothing, which no limit does.
    for (Index i = 0; i < cut.size(); i++) {
        if (cut[i] && !trace.promotions[i].cut_by.any()) trace.promotions[i].reason = Reason::nothing_to_reduce;
    }
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
    if (promotion.minimum.current && !reaches(program_, promotion.minimum, state.goods())) {
        if (trace) {
            trace->reason = Reason::order_too_small;
            trace->counted = state.goods();
        }
        return {};
    }
    const bool parallel = promotion.benefit_rule == BenefitRule::parallel;
    const Untouched untouched(program_, promotion, state);
    Scope inner = scope;
    inner.untouched = &untouched;
    Entries all;
    std::vector<Entries> summands;
    State last = parallel ? state : State{};
    SetsFormed sets;
    Index condition = none;
    // All product benefits come before all order benefits, in either rule.
    for (const Level level : {Level::product, Level::order}) {
        for (const Index b : benefits_of(promotion, level)) {
            if (program_.benefits[b].condition != condition) sets = {};
            condition = program_.benefits[b].condition;
            inner.sets = program_.conditions[condition].has_set ? &sets : nullptr;
            const Proposal proposal = propose(b, state, inner, trace);
            note_sets(state, proposal, sets);
            if (!parallel) {
                Entries entries = commit(bounds_, *scope.enclosing, state, b, proposal);
                note_earned(state, state.earned.size(), entries);
                append(all, std::move(entries));
                continue;
            }
            State alone = state;
            Entries entries = commit(bounds_, *scope.enclosing, alone, b, proposal);
            if (entries.empty()) continue;
            summands.push_back(std::move(entries));
            last = std::move(alone);
        }
    }
    return parallel ? sum_up(std::move(summands), std::move(last), state, scope) : all;
}

// In position order, but gifts behind the other benefits of their condition, for the sets of which they may be given.
std::vector<Index> Arbiter::benefits_of(const Promotion& promotion, Level level) const {
    std::vector<Index> benefits;
    for (Index c = promotion.first_condition; c < promotion.last_condition; c++) {
        const Condition& condition = program_.conditions[c];
        if (condition.level != level) continue;
        for (const bool gives : {false, true}) {
            for (Index b = condition.first_benefit; b < condition.last_benefit; b++) {
                if (program_.benefits[b].rule->gift().has_value() == gives) benefits.push_back(b);
            }
        }
    }
    return benefits;
}

// What a benefit would do to the targets that are still free.
Proposal Arbiter::propose(Index benefit, const State& state, const Scope& scope, NodeTrace* trace) {
    // The order fulfils another condition of the promotion.
    if (!candidates_.met[program_.benefits[benefit].condition]) return {};
    Proposal proposal;
    const Index owner = taken_by(benefit, scope);
    proposal.reason = owner == none ? too_small_now(benefit, state, trace) : Reason::taken;
    if (proposal.reason == Reason::none) {
        View view = view_for(benefit, state, scope);
        work_.add(Step::benefit);
        work_.add(Step::part, view.parts.size());
        proposal.reason = out_of_sight(benefit, view);
        if (proposal.reason == Reason::none) proposal = program_.benefits[benefit].rule->propose(std::move(view));
    }
    if (proposal.gift && is_used_up(benefit)) {
        proposal.gift.reset();
        proposal.reason = Reason::limit_reached;
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

// Taken and reduced units count, too.
Reason Arbiter::too_small_now(Index benefit, const State& state, NodeTrace* trace) const {
    const Index c = program_.benefits[benefit].condition;
    const Minimum& minimum = program_.conditions[c].minimum;
    if (!minimum.current) return Reason::none;
    const Money goods = state.goods_of(candidates_.lines[c]);
    if (reaches(program_, minimum, goods)) return Reason::none;
    if (trace && trace->reason == Reason::none) trace->counted = goods;
    return Reason::lines_too_small;
}

// Whether a budget of its promotion has nothing left: a gift is given whole or not at all.
bool Arbiter::is_used_up(Index benefit) const {
    const Index promotion = program_.conditions[program_.benefits[benefit].condition].promotion;
    if (!program_.promotions[promotion].usage_limits.any()) return false;
    const Allowance* allowance = find_allowance(order_, promotion);
    return allowance && allowance->money && allowance->money->is_zero();
}

View Arbiter::view_for(Index benefit, const State& state, const Scope& scope) const {
    const Index c = program_.benefits[benefit].condition;
    const Level level = program_.conditions[c].level;
    const bool on_order = level == Level::order;
    const bool looks_only = on_order && program_.benefits[benefit].rule->needs() == Needs::order;
    const Taken* taken = looks_only ? nullptr : scope.taken;
    const bool only_untouched = program_.conditions[c].untouched;
    View view{program_, order_, state, level, {}, !scope.taken || scope.taken->shipping() == none, bounds_.budgets,
              candidates_.lines[c], {}, nullptr, &work_};
    view.sets = scope.sets;
    view.earned = std::span(state.earned).subspan(std::min(scope.earned_from, state.earned.size()));
    const auto see = [&](std::size_t group) {
        const UnitGroup& units = state.groups[group];
        if (taken && taken->units(units) != none) return;
        // A search asks what a benefit could do first thing.
        if (only_untouched && (scope.untouched ? scope.untouched->leaves_out(units) : units.lowered)) return;
        view.parts.push_back({group, units.quantity(), units.total, Money{}});
    };
    if (on_order) {
        for (std::size_t group = 0; group < state.groups.size(); group++) {
            if (sees(benefit, state.groups[group].line)) see(group);
        }
        return view;
    }
    for (const auto line : candidates_.lines[c]) {
        for (auto group = state.first_group(line); group < state.groups.size() && state.groups[group].line == line;
             group++) {
            see(group);
        }
    }
    return view;
}

Reason Arbiter::out_of_sight(Index benefit, const View& view) const {
    const auto& [condition, type, rule] = program_.benefits[benefit];
    if (!view.parts.empty()) return Reason::none;
    if (program_.conditions[condition].untouched && !candidates_.lines[condition].empty())
        return Reason::reduced_before;
    const auto reach = rule->reach();
    return rule->segments().empty() || !reach || reach->shipping ? Reason::none : Reason::no_matching_line;
}

// Whether a benefit on the order is for a line's product.
bool Arbiter::sees(Index benefit, std::uint32_t line) const {
    return is_for(*program_.benefits[benefit].rule, order_.lines[line]);
}

Index Arbiter::taken_by(Index benefit, const Scope& scope) const {
    if (!scope.taken) return none;
    const Index c = program_.benefits[benefit].condition;
    const Needs needs = program_.benefits[benefit].rule->needs();
    if (needs == Needs::shipping) return scope.taken->shipping();
    if (program_.conditions[c].level == Level::product) return goods_taken_by(benefit, scope);
    if (needs == Needs::order || scope.taken->order() != none) return scope.taken->order();
    const auto reach = program_.benefits[benefit].rule->reach();
    const bool sees_shipping = (!reach || reach->shipping) && scope.taken->shipping() == none;
    return sees_shipping ? none : goods_taken_by(benefit, scope);
}

// Who took the first of the goods that a benefit is for, if all of them are taken.
Index Arbiter::goods_taken_by(Index benefit, const Scope& scope) const {
    const auto size = static_cast<std::uint32_t>(order_.lines.size());
    const Index condition = program_.benefits[benefit].condition;
    const bool on_order = program_.conditions[condition].level == Level::order;
    const auto& lines = candidates_.lines[condition];
    const auto is_taken = [&](std::uint32_t line) { return scope.taken->all_of(line); };
    if (!on_order) {
        const bool all = !lines.empty() && std::all_of(lines.begin(), lines.end(), is_taken);
        return all ? scope.taken->any_of(lines.front()) : none;
    }
    Index owner = none;
    for (std::uint32_t line = 0; line < size; line++) {
        if (!sees(benefit, line)) continue;
        if (!is_taken(line)) return none;
        if (owner == none) owner = scope.taken->any_of(line);
    }
    return owner;
}

}  // namespace loyalty
