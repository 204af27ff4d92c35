// From a promotion tree to a program: names resolved, predicates and parameters read, conditions indexed by what they
// name.
#pragma once

#include "core/program/program.hpp"
#include "core/program/tree.hpp"

#include <cstdint>

namespace loyalty {

// Checks the tree and brings it into the form that calculations run on. A tree that makes no sense is an error LY302
// (or LY301 for a benefit) that names the node.
Program compile(const Tree& tree, std::int32_t version);

}  // namespace loyalty
