#include "pg/server/clock.hpp"
#include "pg/server/kept_value.hpp"

namespace loyalty::pg {

namespace {

std::optional<TimestampTz> read_moment() {
    static Query query("SELECT max(moment) FROM loyalty.simulated_clock", {});
    const Rows rows = query.run({});
    if (rows.is_null(0, 1)) return std::nullopt;
    const TimestampTz moment = DatumGetTimestampTz(rows.datum(0, 1, TIMESTAMPTZOID));
    // Whoever goes through the calendar up to now would never arrive.
    if (TIMESTAMP_NOT_FINITE(moment)) {
        throw Error(sqlstate::data_corrupted, "the simulated clock shows infinity", {},
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
