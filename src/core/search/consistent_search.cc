#include "core/search/consistent_search.hpp"

#include <algorithm>

namespace loyalty {

ConsistentSearch::ConsistentSearch(const SearchProblem& problem, const std::vector<Alone>& alone,
                                   const Chosen& children, const std::optional<Merit>& to_beat,
                                   Fallback&& fallback)
    : problem_(problem),
      alone_(alone),
      children_(children),
      reach_(problem, children),
      levels_(children.size() + 1, Level{problem.state}),
      best_(to_beat) {
    if (best_ && !fallback.merit.better_than(*best_)) return;
    best_ = found_.best = std::move(fallback.merit);
    found_.decisions = std::move(fallback.decisions);
}

Found ConsistentSearch::run() {
    first_decision_ = problem_.arbiter.decisions().size();
    if (promising(0, 0)) descend(0, 0);
    problem_.arbiter.decisions().resize(first_decision_);
    if (best_) found_.raise_bound(best_->worth);
    return std::move(found_);
}

void ConsistentSearch::descend(std::size_t next, std::size_t depth) {
    const std::size_t chosen = chosen_.size();
    const std::size_t decisions = problem_.arbiter.decisions().size();
    const auto take_back = [&](std::size_t size, std::size_t decided) {
        chosen_.resize(size);
        problem_.arbiter.decisions().resize(decided);
    };
    Level& here = levels_[depth];
    for (bool first = true; next < children_.size(); next++, first = false) {
        if (problem_.arbiter.work().search_exhausted()) {
            leave(next, depth);
            break;
        }
        if (!first && !promising(next, depth)) break;
        const std::size_t before = chosen_.size(), decided = problem_.arbiter.decisions().size();
        take(next, depth);
        const Level& more = levels_[depth + 1];
        const bool same = more.state == here.state;
        if (same && more.worth > here.worth) {
            here.worth = more.worth;
            continue;
        }
        if (!same && promising(next + 1, depth + 1)) descend(next + 1, depth + 1);
        take_back(before, decided);
    }
    if (next == children_.size()) consider(depth);
    take_back(chosen, decisions);
}

void ConsistentSearch::take(std::size_t next, std::size_t depth) {
    Arbiter& arbiter = problem_.arbiter;
    const Level& here = levels_[depth];
    Level& more = levels_[depth + 1];
    const std::size_t child = children_[next];
    chosen_.push_back(child);
    arbiter.work().add(Step::group, here.state.groups.size());
    if (depth == 0) {
        // Nothing has touched the state yet.
        const Alone& alone = alone_[child];
        more.state = alone.state;
        more.worth = here.worth + alone.worth;
        arbiter.decisions().insert(arbiter.decisions().end(), alone.decisions.begin(), alone.decisions.end());
        if (!alone.proven) leave(next, depth);
        return;
    }
    more.state = here.state;
    const std::size_t unproven = arbiter.unproven();
    const Entries entries = arbiter.evaluate(*problem_.children[child], more.state, problem_.scope);
    more.worth = here.worth + problem_.worth_of(here.state.total() - more.state.total()) + problem_.accrued(entries);
    // A search below that did not come to its end may have missed something better.
    if (arbiter.unproven() != unproven) leave(next, depth);
}

Worth ConsistentSearch::most(std::size_t next, std::size_t depth) {
    return levels_[depth].worth + reach_.most(next, levels_[depth].state);
}

// Whether what grows from the present combination by children from `next` on may be better than the best.
bool ConsistentSearch::promising(std::size_t next, std::size_t depth) {
    if (!best_ || !reach_.known(next)) return true;
    const Level& here = levels_[depth];
    const Money paid = paid_by_points(here.state) - paid_by_points(problem_.state);
    const auto least_paid = [&] {
        const Worth without = here.worth + reach_.most_without_points(next, here.state);
        return paid + problem_.money_for(best_->worth - without);
    };
    const auto fewest = [&] { return chosen_.size() + reach_.fewest(next, here.state, best_->worth - here.worth); };
    return Prospect{most(next, depth), least_paid, fewest, false, chosen_, children_.data() + next}.may_beat(*best_);
}

// Gives up what grows from the present combination.
void ConsistentSearch::leave(std::size_t next, std::size_t depth) {
    found_.leave_out(reach_.known(next) ? std::optional{most(next, depth)} : std::nullopt);
}

void ConsistentSearch::consider(std::size_t depth) {
    const Level& here = levels_[depth];
    Merit merit{here.worth, paid_by_points(here.state) - paid_by_points(problem_.state), false, chosen_};
    if (best_ && !merit.better_than(*best_)) return;
    const Decisions& decisions = problem_.arbiter.decisions();
    found_.decisions.assign(decisions.begin() + static_cast<std::ptrdiff_t>(first_decision_), decisions.end());
    found_.best = merit;
    best_ = std::move(merit);
}

}  // namespace loyalty
