// Children that have nothing to do with each other: those that see no common line, do not both touch the shipping, and
// share neither a maximum discount nor a budget of points that might not suffice for all. Whatever some of them do, the
// others are worth the same, so each component is searched alone: what is greatest for each is greatest for all. The
// same holds for ties: worth, payment and number of children are sums, and the earliest positions of all are the
// earliest of each.
#pragma once

#include "core/search/merit.hpp"
#include "core/search/reach_bound.hpp"

#include <vector>

namespace loyalty {

// The children of the problem by component, each list ascending. `reach` is the bound of all of them.
std::vector<Chosen> components(const SearchProblem& problem, ReachBound& reach);

}  // namespace loyalty
