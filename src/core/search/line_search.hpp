// The best combination of children one after the other, where all of them only lower prices, each unit group by itself
// (Benefit::cut): then a lower price before a child is never a higher one behind it. So all children together are worth
// most, and what is left to find is the fewest of them that are worth as much, and of these the earliest.
//
// A dynamic programme tells for each child, unit group and number k the highest price from which k of the children
// behind can still bring the group down to its lowest price. It goes backwards: with the child, the highest price that
// it brings down to what k - 1 of those behind it can manage; without it, what k of those behind it can. A child that
// even all those behind it cannot replace is needed in any case and not counted. One price is enough for a state,
// because of two prices the lower one is never worse; for one unit group that is exact, and for several it is a bound
// for each.
//
// The search then takes children from the first on while k of those behind can still bring every group down, for the
// least k that might do, then the next: what it meets first is the best. Maximum discounts would let groups depend on
// each other; where one binds, this search does not apply.
#pragma once

#include "core/search/merit.hpp"

#include <optional>

namespace loyalty {

// What is better than `to_beat` among `children` of the problem; nothing if their benefits do not allow this search.
std::optional<Found> search_by_line(const SearchProblem& problem, const Chosen& children,
                                    const std::optional<Merit>& to_beat);

}  // namespace loyalty
