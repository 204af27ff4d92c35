// The version of schema loyalty that this library works with. It rises with every change of a table, and with it
// loyalty_migrate() gets a step.
#pragma once

namespace loyalty::pg {

inline constexpr int schema_version = 2;

// Error LY002 where the schema has another version than the library.
void check_schema_version();

}  // namespace loyalty::pg
