// The time of an order: when it is judged, and how it is shown.
#pragma once

#include "core/document/local_time.hpp"

#include <string>

#include "pg/server/doors.hpp"

namespace loyalty::pg {

// An ISO 8601 date and time with an offset; without one it is local to `time_zone`. Error LY102 otherwise.
TimestampTz read_order_time(const std::string& text, const std::string& time_zone);

// Error LY104 for an order's time, as given, such as 0017-06-15T12:00:00.
void refuse_year_of_two_digits(TimestampTz at, const std::string& text);

// A moment in microseconds since 1970-01-01 00:00 UTC; the infinities are the smallest and the largest number.
std::int64_t unix_us(TimestampTz at);

// The moment of such a number.
TimestampTz moment(std::int64_t unix_us);

LocalTime local_time(TimestampTz at, const std::string& time_zone);

// "2026-11-21T12:00:00+03:00", in the time zone.
std::string show_time(TimestampTz at, const std::string& time_zone);

}  // namespace loyalty::pg
