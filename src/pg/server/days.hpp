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

// Text that queries share.

// When a day begins: the end of the last instant before it, since midnight itself may come twice where clocks are put
// back.
#define LOYALTY_DAY_BEGINS(day, zone) \
    "(timezone(" zone ", (" day ")::timestamp - interval '1 microsecond') + interval '1 microsecond')"

// The same where the program's row is not at hand.
#define LOYALTY_DAY_OF_PROGRAM_BEGINS(day, program) \
    "(SELECT " LOYALTY_DAY_BEGINS(day, "z.time_zone") " FROM loyalty.programs z WHERE z.external_id = " program ")"

// From when points are neither earned nor spent, where the text names the point type's row.
#define LOYALTY_DEACTIVATION(type)                                        \
    "CASE WHEN " type ".deactivates_on IS NULL THEN coalesce(" type       \
    ".deactivates_at, 'infinity') ELSE " LOYALTY_DAY_OF_PROGRAM_BEGINS(   \
        type ".deactivates_on", type ".program") " END"

// From when, and until when, exclusive, a promo-code pool is valid, where the text names its row.
#define LOYALTY_POOL_BEGINS(pool)                                 \
    "CASE WHEN " pool ".starts_on IS NULL THEN " pool             \
    ".valid_from ELSE " LOYALTY_DAY_OF_PROGRAM_BEGINS(            \
        pool ".starts_on", pool ".program") " END"
#define LOYALTY_POOL_ENDS(pool)                                   \
    "CASE WHEN " pool ".ends_on IS NULL THEN " pool               \
    ".valid_until ELSE " LOYALTY_DAY_OF_PROGRAM_BEGINS(           \
        pool ".ends_on + 1", pool ".program") " END"
