// max_benefit: the combination of children that is worth most, over every subset of them, combined by `consistent` in
// position order or by `summation`; the exact definition of worth and of ties is in the reference. The search is exact;
// its parts are listed in search/problem.hpp. Past its limits it says that it has no proof, and how much better another
// combination could be at most; and even then what it takes is worth no less than nothing, any single child, all
// children in order, and their sum where they can be summed.
//
// Tested against plain enumeration in test/unit/property_test.cc.
#include "core/search/components.hpp"
#include "core/search/consistent_search.hpp"
#include "core/search/fallback.hpp"
#include "core/search/line_search.hpp"
#include "core/search/summation_search.hpp"

#include <algorithm>

namespace loyalty {

namespace {

// No search begins beyond these, only what is simple is weighed: a search calls itself once per child, groups of this
// type may be nested 9 deep, and the stack is a few megabytes; and its tables have a place for each child and line.
constexpr std::size_t most_children = 200;
constexpr std::size_t most_places = 250'000;
// Up to so many a few children are searched to the end, whatever it takes.
constexpr std::size_t most_places_in_full = 2'000;

// The best combinations of all components together.
struct Together {
    std::optional<Merit> best = Merit{};
    Decisions decisions{};
    bool complete = true;
    std::optional<Worth> bound = 0;

    void add(Found&& found) {
        complete = complete && found.complete;
        bound = bound && found.bound ? std::optional{*bound + *found.bound} : std::nullopt;
        decisions.insert(decisions.end(), found.decisions.begin(), found.decisions.end());
        if (!best || !found.best) {
            best.reset();
            return;
        }
        best->worth += found.best->worth;
        best->paid += found.best->paid;
        best->summed = found.best->summed;
        Chosen& children = best->children;
        children.insert(children.end(), found.best->children.begin(), found.best->children.end());
        std::sort(children.begin(), children.end());
    }
};

class MaxBenefit {
public:
    explicit MaxBenefit(const SearchProblem& problem) : problem_(problem) {}

    // The decision of the group, and behind it those of the groups below that it rests on.
    Decisions run() {
        if (problem_.scope.enclosing->group->best == Best::single) return choose_single();
        Chosen all(problem_.children.size());
        std::iota(all.begin(), all.end(), std::size_t{0});
        const std::size_t places = all.size() * problem_.order().lines.size();
        is_searched_ = all.size() <= most_children && places <= most_places;
        find_alone();
        if (places > most_places) return weigh_what_is_simple(all, std::nullopt);
        ReachBound reach(problem_, all);
        const auto bound = reach.known(0) ? std::optional{reach.most_summed(problem_.state)} : std::nullopt;
        if (!is_searched_) return weigh_what_is_simple(all, bound);
        search(components(problem_, reach));
        return decide(bound);
    }

    // Whether so few may be searched to the end.
    static bool is_small(const SearchProblem& problem) {
        const std::size_t children = problem.children.size();
        return children <= problem.arbiter.children_in_full() &&
               children * problem.order().lines.size() <= most_places_in_full &&
               std::none_of(problem.children.begin(), problem.children.end(),
                            [&](const CandidateNode* child) { return searches(problem.program(), *child); });
    }

private:
    // Whether a group of type max_benefit is there, or below.
    static bool searches(const Program& program, const CandidateNode& node) {
        if (!node.is_group) return false;
        return program.groups[node.index].arbitration == Arbitration::max_benefit ||
               std::any_of(node.children.begin(), node.children.end(),
                           [&](const CandidateNode& child) { return searches(program, child); });
    }

    // One child, or none.
    Decisions choose_single() {
        is_searched_ = false;
        find_alone();
        Merit best;
        for (std::size_t child = 0; child < alone_.size(); child++) {
            Merit merit{alone_[child].worth, alone_[child].paid, false, {child}};
            if (merit.better_than(best)) best = std::move(merit);
        }
        Decision decision = of_group();
        decision.proven = std::all_of(alone_.begin(), alone_.end(), [](const Alone& alone) { return alone.proven; });
        if (!decision.proven) decision.bound = bound_of_singles();
        Decisions decisions{std::move(decision)};
        for (const auto child : best.children) {
            decisions.front().children.push_back(problem_.children[child]);
            decisions.insert(decisions.end(), alone_[child].decisions.begin(), alone_[child].decisions.end());
        }
        return decisions;
    }

    std::optional<Worth> bound_of_singles() const {
        Worth most = 0;
        for (std::size_t child = 0; child < alone_.size(); child++) {
            ReachBound reach(problem_, {child});
            if (!alone_[child].proven && !reach.known(0)) return std::nullopt;
            most = std::max(most, alone_[child].proven ? alone_[child].worth : reach.most_summed(problem_.state));
        }
        return most;
    }

    void find_alone() {
        Arbiter& arbiter = problem_.arbiter;
        Decisions& decisions = arbiter.decisions();
        for (const auto* child : problem_.children) {
            const std::size_t unproven = arbiter.unproven();
            const auto decided = static_cast<std::ptrdiff_t>(decisions.size());
            Alone alone{problem_.state, {}};
            alone.entries = arbiter.evaluate(*child, alone.state, problem_.scope);
            alone.worth =
                problem_.worth_of(problem_.state.total() - alone.state.total()) + problem_.accrued(alone.entries);
            alone.paid = paid_by_points(alone.state) - paid_by_points(problem_.state);
            alone.decisions.assign(decisions.begin() + decided, decisions.end());
            alone.proven = arbiter.unproven() == unproven;
            decisions.erase(decisions.begin() + decided, decisions.end());
            // Only a search goes on from it, and of very many they would fill the memory.
            if (!is_searched_) alone.state = State{};
            alone_.push_back(std::move(alone));
        }
    }

    bool all_proven(const Chosen& children) const {
        return std::all_of(children.begin(), children.end(), [this](auto child) { return alone_[child].proven; });
    }

    // Those all of whose benefits can be added up.
    Chosen summable(const Chosen& children) const {
        const Program& program = problem_.program();
        Chosen result;
        for (const auto child : children) {
            bool all = true;
            for_each_benefit(program, *problem_.children[child],
                             [&](Index benefit) { all = all && can_be_summed(program.benefits[benefit]); });
            if (all) result.push_back(child);
        }
        return result;
    }

    void search(const std::vector<Chosen>& components) {
        for (const auto& children : components) {
            Found sum = SummationSearch(problem_, alone_, summable(children)).run();
            if (!all_proven(children)) sum.leave_out(ReachBound(problem_, children).most_summed(problem_.state));
            // A sum of all is of one kind, so only where there is one component may the best sum spare some of the
            // search.
            const auto to_beat = components.size() == 1 ? sum.best : std::nullopt;
            auto consistent = search_by_line(problem_, children, to_beat);
            if (!consistent) {
                consistent = ConsistentSearch(problem_, alone_, children, to_beat,
                                              fallback(problem_, alone_, children)).run();
            }
            consistent_.add(std::move(*consistent));
            summed_.add(std::move(sum));
        }
    }

    Decisions decide(const std::optional<Worth>& bound) const {
        const bool summed = summed_.best && (!consistent_.best || summed_.best->better_than(*consistent_.best));
        const Together& better = summed ? summed_ : consistent_;
        Decision decision = of_group();
        for (const auto child : better.best->children) decision.children.push_back(problem_.children[child]);
        decision.summed = summed;
        decision.proven = consistent_.complete && summed_.complete;
        if (!decision.proven) {
            decision.bound = bound;
            if (consistent_.bound && summed_.bound)
                decision.bound = std::min(bound.value_or(INT64_MAX), std::max(*consistent_.bound, *summed_.bound));
        }
        Decisions decisions{std::move(decision)};
        decisions.insert(decisions.end(), better.decisions.begin(), better.decisions.end());
        if (!summed) return decisions;
        for (const auto child : better.best->children) {
            const Decisions& below = alone_[child].decisions;
            decisions.insert(decisions.end(), below.begin(), below.end());
        }
        return decisions;
    }

    Decision of_group() const {
        Decision decision;
        decision.group = static_cast<Index>(problem_.scope.enclosing->group - problem_.program().groups.data());
        return decision;
    }

    // Without a search.
    Decisions weigh_what_is_simple(const Chosen& all, const std::optional<Worth>& bound) {
        Fallback simple = fallback(problem_, alone_, all);
        consistent_.add({std::move(simple.merit), std::move(simple.decisions), false, bound});
        summed_.best.reset();
        if (all.size() > 1 && summable(all).size() == all.size()) summed_.best = sum_of(all);
        summed_.complete = false;
        summed_.bound = bound;
        return decide(bound);
    }

    Merit sum_of(const Chosen& all) const {
        std::vector<Entries> entries;
        for (const auto& alone : alone_) entries.push_back(alone.entries);
        State state = problem_.state;
        const Entries sum = commit_sum(problem_.arbiter.bounds(), *problem_.scope.enclosing, state, entries);
        const Worth worth = problem_.worth_of(problem_.state.total() - state.total()) + problem_.accrued(sum);
        return {worth, paid_by_points(state) - paid_by_points(problem_.state), true, all};
    }

    const SearchProblem& problem_;
    bool is_searched_ = true;
    std::vector<Alone> alone_;
    Together consistent_, summed_;
};

Unproven without_proof(const Decision& decision, const SearchProblem& problem, const State& after,
                       const Entries& entries) {
    const Worth one = problem.program().value_denominator;
    const Worth worth = problem.worth_of(problem.state.total() - after.total()) + problem.accrued(entries);
    // Division rounds towards 0: a worth below it (prices were raised) is rounded up.
    Unproven result{decision.group, Money{static_cast<std::int64_t>(worth / one)}, std::nullopt};
    if (decision.bound) result.bound = Money{static_cast<std::int64_t>(std::max(worth, *decision.bound) / one)};
    if (decision.bound && *decision.bound % one > 0) *result.bound += Money{1};
    return result;
}

}  // namespace

namespace {

Decisions decide(const SearchProblem& problem, bool is_top_level) {
    const Work::InFull in_full(problem.arbiter.work(), is_top_level && MaxBenefit::is_small(problem));
    return MaxBenefit(problem).run();
}

}  // namespace

Entries Arbiter::max_benefit(const Children& children, State& state, const Scope& scope) {
    const auto group = static_cast<Index>(scope.enclosing->group - program_.groups.data());
    if (scope.plan) {
        const auto decided = std::find_if(scope.plan->begin(), scope.plan->end(),
                                          [&](const Decision& decision) { return decision.group == group; });
        if (decided != scope.plan->end()) return carry_out(*decided, children, state, scope);
    }
    Scope untold = scope;
    untold.trace = nullptr;
    untold.plan = nullptr;
    const SearchProblem problem{*this, children, state, untold};
    const Work::Search search(work_);
    const Decisions plan = decide(problem, search.is_top_level());
    if (!plan.front().proven) unproven_++;
    decisions_.insert(decisions_.end(), plan.begin(), plan.end());
    Scope planned = scope;
    planned.plan = &plan;
    return carry_out(plan.front(), children, state, planned);
}

Entries Arbiter::carry_out(const Decision& decision, const Children& children, State& state, const Scope& scope) {
    const State before = state;
    Entries entries =
        decision.summed ? summation(decision.children, state, scope) : consistent(decision.children, state, scope);
    if (!scope.trace) return entries;
    NodeTrace& trace = scope.trace->groups[decision.group];
    trace.summed = decision.summed;
    if (!decision.proven) trace.unproven = without_proof(decision, {*this, children, before, scope}, state, entries);
    const auto& chosen = decision.children;
    for (const auto* child : children) {
        if (std::find(chosen.begin(), chosen.end(), child) == chosen.end())
            trace_not_chosen(*child, before, scope, chosen, worth_of(entries));
    }
    return entries;
}

// Tells of a child that was left out what it would have done alone; promotions that would have done nothing keep their
// own reason.
void Arbiter::trace_not_chosen(const CandidateNode& node, const State& state, const Scope& scope,
                               const Children& chosen, int128 worth) {
    State alone = state;
    Scope unplanned = scope;
    unplanned.plan = nullptr;
    const std::size_t unproven = unproven_;
    const Entries entries = evaluate(node, alone, unplanned);
    unproven_ = unproven;  // this is no part of the result
    mark_not_chosen(node, *scope.trace);
    NodeTrace& trace = node.is_group ? scope.trace->groups[node.index] : scope.trace->promotions[node.index];
    const auto works = [](const Entry& entry) { return entry.has_effect(); };
    if (std::none_of(entries.begin(), entries.end(), works)) return;
    trace.reason = Reason::not_chosen;
    trace.contest = Contest{worth_of(entries), worth};
    for (const auto* child : chosen) trace.lost_to.push_back({child->is_group, child->index});
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
