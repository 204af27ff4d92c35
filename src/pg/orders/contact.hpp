// The member of an order that tells an e-mail address or a telephone number in place of a key.
#pragma once

#include "core/document/document.hpp"

#include <string>

#include "pg/server/owner.hpp"

namespace loyalty::pg {

// Puts the key in its place, read with the rights of `caller`. Errors: LY203 (nobody has it), LY706 (several have),
// LY702 (the profile database has no such column).
void look_up_member(OrderDocument& document, const std::string& program, Oid caller);

}  // namespace loyalty::pg
