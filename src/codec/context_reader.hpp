#pragma once

#include "core/document/document.hpp"

#include <string_view>

namespace loyalty::codec {

// Reads the context of loyalty_test() from JSON. Errors: LY100 to LY108.
TestContext read_context(std::string_view json);

}  // namespace loyalty::codec
