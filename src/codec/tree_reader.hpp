#pragma once

#include "core/program/tree.hpp"

#include <string_view>

namespace loyalty::codec {

// Reads a promotion tree as a version freezes it (the shape is that of the view loyalty.promotion_drafts).
Tree read_tree(std::string_view json);

// Reads the parameters of a benefit, a flat JSON object.
Parameters read_parameters(std::string_view benefit, std::string_view json);

}  // namespace loyalty::codec
