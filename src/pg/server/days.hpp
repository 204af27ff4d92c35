// Days that settings and callers name, as moments. A day counts in the program's time zone.
#pragma once

#include <optional>
#include <string>

#include "pg/server/postgres.hpp"

namespace loyalty::pg {

// A year below 100 is one of two digits that was read as it stands: 17-06-15 as the year 17.
inline bool has_year_of_two_digits(TimestampTz moment) { return moment < INT64CONST(-693960) * USECS_PER_DAY; }

// The end of a day of the program: the moment from which points that can be used through that day have expired. Error
// LY201 where there is no such program.
TimestampTz end_of_day(const std::string& program, Datum date);

// expires_at and expires_on, of which one may be given. Error LY512 where both are.
std::optional<TimestampTz> read_expiry(const std::string& program, const std::optional<TimestampTz>& at,
                                       const std::optional<Datum>& on);

}  // namespace loyalty::pg
