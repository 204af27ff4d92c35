// The program's only clock. It is the real one unless the schema's owner has set a simulated one for tests and replays
// (table loyalty.simulated_clock, function loyalty_set_clock).
#pragma once

#include "pg/server/doors.hpp"

namespace loyalty::pg {

// The moment at which things are booked: the start of the transaction.
TimestampTz now();

// The clock on the wall, which goes on within a transaction: it judges the time-outs of holds.
TimestampTz wall_now();

// Whether a simulated clock may show it: up to the year 9999, for whoever goes through a calendar of days up to now
// would not arrive in any time that people wait.
bool is_in_calendar(TimestampTz moment);

// A program's time zone. Error LY310 where the server's data of time zones has lost it.
pg_tz* find_zone(const std::string& name);

}  // namespace loyalty::pg
