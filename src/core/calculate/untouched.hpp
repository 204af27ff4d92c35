// Which units a promotion's conditions with `untouched` leave out: those that a reduction had lowered when the
// promotion began. Its own benefits do not hide units from each other.
#pragma once

#include "core/calculate/state.hpp"
#include "core/program/program.hpp"

#include <algorithm>
#include <vector>

namespace loyalty {

class Untouched {
public:
    // Looks at the state only if the promotion has such a condition.
    Untouched(const Program& program, const Promotion& promotion, const State& state) {
        const auto first = program.conditions.begin() + promotion.first_condition;
        const auto last = program.conditions.begin() + promotion.last_condition;
        if (std::none_of(first, last, [](const Condition& condition) { return condition.untouched; })) return;
        std::copy_if(state.groups.begin(), state.groups.end(), std::back_inserter(lowered_),
                     [](const UnitGroup& group) { return group.lowered; });
    }

    // Groups are split, never merged.
    bool leaves_out(const UnitGroup& group) const {
        const auto before = [](const UnitGroup& a, const UnitGroup& b) {
            return a.line != b.line ? a.line < b.line : a.to <= b.from;
        };
        return std::binary_search(lowered_.begin(), lowered_.end(), group, before);
    }

private:
    std::vector<UnitGroup> lowered_;  // by line, then by unit
};

}  // namespace loyalty
