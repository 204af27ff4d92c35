#include "pg/server/days.hpp"

#include "pg/server/values.hpp"

namespace loyalty::pg {

TimestampTz end_of_day(const std::string& program, Datum date) {
    // By the end of the last instant, since midnight itself may come twice where clocks are put back then.
    static Query query(
        "SELECT timezone(time_zone, ($2 + 1)::timestamp - interval '1 microsecond') + interval '1 microsecond'"
        "  FROM loyalty.programs WHERE external_id = $1",
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
