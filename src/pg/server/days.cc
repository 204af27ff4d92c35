#include "pg/server/days.hpp"

#include "pg/server/values.hpp"

namespace loyalty::pg {

TimestampTz end_of_day(const std::string& program, Datum date) {
    static Query query(
        "SELECT loyalty_internal.day_begins($2 + 1, time_zone) FROM loyalty.programs WHERE external_id = $1",
        {TEXTOID, DATEOID});
    const Rows rows = query.run({text_argument(program), {date, false}});
    if (rows.size() == 0) {
        throw Error(sqlstate::unknown_program, "program \"" + program + "\" does not exist", {},
                    "Name one of loyalty.programs.");
    }
    return timestamp_at(rows, 0, 1);
}

std::optional<TimestampTz> read_expiry(const std::string& program, const std::optional<TimestampTz>& at,
                                       const std::optional<Datum>& on) {
    if (at && on)
        throw Error(sqlstate::wrong_dates, "both expires_at and expires_on are given", {}, "Give one of both.");
    return on ? std::optional(end_of_day(program, *on)) : at;
}

}  // namespace loyalty::pg
