// The time of an order: when it is judged, and how it is shown.
#pragma once

#include <string>

#include "pg/doors.hpp"

namespace loyalty::pg {

// An ISO 8601 date and time with an offset; without one it is local to `time_zone`. Error LY102 otherwise.
TimestampTz read_order_time(const std::string& text, const std::string& time_zone);

// "2026-11-21T12:00:00+03:00", in the time zone.
std::string show_time(TimestampTz at, const std::string& time_zone);

// The date that the clocks of the time zone show, in days since 1970-01-01.
std::int32_t local_day(TimestampTz at, const std::string& time_zone);

}  // namespace loyalty::pg
