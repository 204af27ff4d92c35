#include "core/search/fallback.hpp"

#include <utility>

namespace loyalty {

namespace {

// The first of them is known, where what it leaves was kept.
Fallback one_after_the_other(const SearchProblem& problem, const std::vector<Alone>& alone, const Chosen& children) {
    Arbiter& arbiter = problem.arbiter;
    Decisions& decisions = arbiter.decisions();
    const std::size_t decided = decisions.size(), unproven = arbiter.unproven();
    const Alone& first = alone[children.front()];
    const bool is_kept = !first.state.groups.empty();
    State state = is_kept ? first.state : problem.state;
    Fallback result;
    if (is_kept) {
        result.merit.worth = problem.accrued(first.entries);
        decisions.insert(decisions.end(), first.decisions.begin(), first.decisions.end());
    }
    for (std::size_t i = is_kept ? 1 : 0; i < children.size(); i++) {
        const CandidateNode& child = *problem.children[children[i]];
        result.merit.worth += problem.accrued(arbiter.evaluate(child, state, problem.scope));
    }
    result.merit.worth += problem.worth_of(problem.state.total() - state.total());
    result.merit.paid = paid_by_points(state) - paid_by_points(problem.state);
    result.merit.children = children;
    result.decisions.assign(decisions.begin() + static_cast<std::ptrdiff_t>(decided), decisions.end());
    decisions.resize(decided);
    // Whether it is proven to be the best is the search's business.
    arbiter.take_back_unproven(unproven);
    return result;
}

}  // namespace

Fallback fallback(const SearchProblem& problem, const std::vector<Alone>& alone, const Chosen& children) {
    Fallback best;
    for (const auto child : children) {
        Merit merit{alone[child].worth, alone[child].paid, false, {child}};
        if (merit.better_than(best.merit)) best = {std::move(merit), alone[child].decisions};
    }
    if (children.size() < 2) return best;
    Fallback all = one_after_the_other(problem, alone, children);
    return all.merit.better_than(best.merit) ? all : best;
}

}  // namespace loyalty
