// What a promotion tree that makes no sense is refused with.
#pragma once

#include "core/error.hpp"

#include <string>

namespace loyalty {

// Error LY302; the message names the node.
[[noreturn]] inline void refuse_tree(const std::string& message, const std::string& hint) {
    throw Error(sqlstate::invalid_tree, message, {}, hint);
}

}  // namespace loyalty
