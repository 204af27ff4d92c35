// The best combination of children one after the other (max_benefit, by consistent): depth first, each child first
// taken and then left out, and left as soon as nothing that could follow is better than the best combination found.
//
// Two more branches are never entered. A child that leaves the state as it is, to the last unit group, changes nothing
// for those behind it: if it accrues points, leaving it out is worth less in the end; if not, taking it is one child
// more for nothing.
#pragma once

#include "core/search/fallback.hpp"
#include "core/search/reach_bound.hpp"

#include <vector>

namespace loyalty {

class ConsistentSearch {
public:
    // Searches among `children` of the problem, from the fallback on, for what is better than `to_beat`; `alone` tells
    // what each child of the problem does to its state.
    ConsistentSearch(const SearchProblem& problem, const std::vector<Alone>& alone, const Chosen& children,
                     const std::optional<Merit>& to_beat, Fallback&& fallback);

    Found run();

private:
    struct Level {
        State state;
        Worth worth = 0;
    };

    void descend(std::size_t next, std::size_t depth);
    // Takes the child `next` on top of `depth`: fills the level above.
    void take(std::size_t next, std::size_t depth);
    bool promising(std::size_t next, std::size_t depth);
    void leave(std::size_t next, std::size_t depth);
    void consider(std::size_t depth);
    Worth most(std::size_t next, std::size_t depth);

    const SearchProblem& problem_;
    const std::vector<Alone>& alone_;
    const Chosen& children_;
    ReachBound reach_;
    std::vector<Level> levels_;  // by how many children with an effect on the state are taken
    Chosen chosen_;
    std::optional<Merit> best_;       // found here, or to beat
    std::size_t first_decision_ = 0;  // of this search among those of the arbiter
    Found found_;
};

}  // namespace loyalty
