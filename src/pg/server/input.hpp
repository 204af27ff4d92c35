// Texts of a caller's as values of a type that a user chose: of the key of a profile relation, of a field.
#pragma once

#include "pg/server/spi.hpp"

namespace loyalty::pg {

// The text as the type reads it; null where it is no value of the type. Only this step's errors mean "no such value":
// those of a relation itself, which may be a view with expressions of its own, are the caller's to see.
Argument cast_text(const std::string& text, Oid type);

}  // namespace loyalty::pg
