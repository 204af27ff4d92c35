// Periods that are counted from a member's registration day, by loyalty_internal.period_ends() of sql/06-days.sql.
#pragma once

#include "pg/server/postgres.hpp"

namespace loyalty::pg {

// Error LY512 where the moment lies so far ahead that periods without number would have to be gone through.
void require_foreseeable(TimestampTz at);

}  // namespace loyalty::pg
