// Numbers of points as callers give them, and as people read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pg/server/postgres.hpp"

namespace loyalty::pg {

// The amount in smallest units. Errors: LY501 to LY505 where it is not finite, zero, of the wrong sign, too fine or too
// large. `sign` is +1 or -1: what the type wants.
std::int64_t read_value(Datum numeric, int sign, int scale, std::string_view noun);

// Errors LY526 and LY501 to LY503 where an amount, which is above zero, is missing, not finite, zero or negative.
void check_amount(const std::optional<Datum>& amount);

// A number of points as people write it.
std::string show_points(std::int64_t units, int scale);

}  // namespace loyalty::pg
