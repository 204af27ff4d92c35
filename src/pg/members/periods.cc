#include "pg/members/periods.hpp"

#include <string>

#include "pg/server/clock.hpp"

namespace loyalty::pg {

void require_foreseeable(TimestampTz at) {
    constexpr TimestampTz years = 100;
    if (at <= now() + years * 366 * USECS_PER_DAY) return;
    throw Error(sqlstate::wrong_dates, "the moment lies too far ahead",
                "It lies more than " + std::to_string(years) + " years from now.", "Ask for an earlier one.");
}

}  // namespace loyalty::pg
