#include "pg/server/clock.hpp"
#include "pg/server/kept_value.hpp"

namespace loyalty::pg {

namespace {

std::optional<TimestampTz> read_moment() {
    static Query query("SELECT max(moment) FROM loyalty.simulated_clock", {});
    const Rows rows = query.run({});
    if (rows.is_null(0, 1)) return std::nullopt;
    const TimestampTz moment = DatumGetTimestampTz(rows.datum(0, 1, TIMESTAMPTZOID));
    if (!is_in_calendar(moment)) {
        throw Error(sqlstate::data_corrupted, "the simulated clock shows a moment after the year 9999", {},
                    "Delete that row of loyalty.simulated_clock.");
    }
    return moment;
}

// Before the schema is made there is nothing to simulate.
std::optional<TimestampTz> simulated() {
    static KeptValue<std::optional<TimestampTz>> kept("simulated_clock", read_moment);
    return kept.get().value_or(std::nullopt);
}

}  // namespace

bool is_in_calendar(TimestampTz moment) {
    constexpr int64 days_to_year_10000 = 2'921'940;  // from 2000-01-01, where PostgreSQL begins to count
    return !TIMESTAMP_NOT_FINITE(moment) && moment < days_to_year_10000 * USECS_PER_DAY;
}

TimestampTz now() { return simulated().value_or(GetCurrentTransactionStartTimestamp()); }

pg_tz* find_zone(const std::string& name) {
    const char* zone = name.c_str();
    if (pg_tz* const found = postgres([=] { return pg_tzset(zone); })) return found;
    throw Error(sqlstate::unknown_time_zone, "time zone \"" + name + "\" is unknown",
                "The server's data of time zones no longer has it.",
                "Install the data of time zones that the program was made with.");
}

TimestampTz wall_now() { return simulated().value_or(GetCurrentTimestamp()); }

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_now);
Datum loyalty_now(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&]() -> Datum { return TimestampTzGetDatum(loyalty::pg::now()); });
}

PG_FUNCTION_INFO_V1(loyalty_wall_clock);
Datum loyalty_wall_clock(PG_FUNCTION_ARGS) {
    return loyalty::pg::guarded([&]() -> Datum { return TimestampTzGetDatum(loyalty::pg::wall_now()); });
}
}
