// What an answer is worth at least, however early a search ends: nothing at all, any child alone, and all children one
// after the other. The search begins with the best of these, and so can end at any moment; their sum is where the
// search for sums begins (summation_search.hpp).
#pragma once

#include "core/search/merit.hpp"

#include <vector>

namespace loyalty {

struct Fallback {
    Merit merit{};
    Decisions decisions{};  // of the groups of type max_benefit below
};

// Of `children` of the problem; `alone` tells what each child of the problem does to its state.
Fallback fallback(const SearchProblem& problem, const std::vector<Alone>& alone, const Chosen& children);

}  // namespace loyalty
