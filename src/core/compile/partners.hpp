// Partners, and the terms of their products.
#pragma once

#include "core/program/program.hpp"
#include "core/program/tree.hpp"

namespace loyalty {

// Error LY302 for a product of an unknown partner or of two, and for terms that are out of range.
void compile_partners(const Tree& tree, Program& program);

}  // namespace loyalty
