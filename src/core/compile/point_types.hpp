// The scales of money and points, and what points are worth.
#pragma once

#include "core/program/program.hpp"
#include "core/program/tree.hpp"

namespace loyalty {

// Sets the program's point types, and what points of all types are compared by. Error LY302 for scales, ratios or
// limits of redeeming that are out of range.
void compile_point_types(const Tree& tree, Program& program);

// Error LY302 unless the currency's scale, and that of prices, are ones that can be calculated with.
void check_scales(const Tree& tree);

}  // namespace loyalty
