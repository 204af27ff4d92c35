// What a trigger promotion says beside its rules: dates, schedule, audience, usage limits. It stands outside the
// versions, so these are the draft's, in force at once. What bookings ask of them, ledger/around_booking.hpp says.
#pragma once

#include <string>

#include "pg/server/postgres.hpp"

namespace loyalty::pg {

// Error LY319 (no such promotion), LY720 (no trigger promotion), LY721 (not active, out of its dates or of its
// schedule).
void require_in_force(const std::string& program, const std::string& promotion, TimestampTz now);

}  // namespace loyalty::pg
