// Some benefits make no sense under some types of arbitration, at any depth.
#pragma once

#include "core/program/program.hpp"
#include "core/program/tree.hpp"

namespace loyalty {

// Error LY309 where a benefit cannot stand in its promotion or in one of the groups around it. `parent` is the
// promotion's group; at_several_lines: whether the benefit looks at several lines together.
void check_combination(const TreePromotion& promotion, Index parent, const BenefitEntry& benefit, bool at_several_lines,
                       const Program& program);

}  // namespace loyalty
