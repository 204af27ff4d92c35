// The best single child for each line: what children of a group did alone, on the same state, is weighed unit group by
// unit group, and stays with the child that is worth most there; of equal ones with the earlier, and with none that is
// worth nothing.
#pragma once

#include "core/calculate/state.hpp"
#include "core/program/program.hpp"

#include <functional>
#include <vector>

namespace loyalty {

// What each child keeps of what it did alone. Points of a line belong to its units that are free, by quantity.
std::vector<Entries> keep_best_by_line(const Program& program, const State& state, const std::vector<Entries>& alone,
                                       const std::function<bool(const UnitGroup&)>& is_free);

}  // namespace loyalty
