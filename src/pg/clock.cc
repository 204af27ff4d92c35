#include <optional>

#include "pg/clock.hpp"
#include "pg/owner.hpp"
#include "pg/spi.hpp"

namespace loyalty::pg {

namespace {

// What this backend knows of the table. An invalidation, which every change of the table sends, makes it look again.
struct Simulation {
    bool valid = false;
    Oid table = InvalidOid;
    std::optional<TimestampTz> moment;
};

Simulation& simulation() {
    static Simulation instance;
    return instance;
}

void invalidate(Datum, Oid table) {
    Simulation& known = simulation();
    if (table == InvalidOid || table == known.table) known.valid = false;
}

// Before the schema is made there is nothing to simulate.
Oid find_table() {
    return postgres([] {
        const Oid schema = get_namespace_oid("loyalty", true);
        return OidIsValid(schema) ? get_relname_relid("simulated_clock", schema) : InvalidOid;
    });
}

std::optional<TimestampTz> read_moment() {
    static Query query("SELECT max(moment) FROM loyalty.simulated_clock", {});
    const AsUser as_owner(schema_owner());
    const Spi connection;
    const Rows rows = query.run({});
    if (rows.is_null(0, 1)) return std::nullopt;
    return DatumGetTimestampTz(rows.datum(0, 1));
}

// Marked valid before loading, and loaded under the latest snapshot: see cache.hpp.
std::optional<TimestampTz> simulated() {
    static const bool registered = [] {
        postgres([] { CacheRegisterRelcacheCallback(invalidate, 0); });
        return true;
    }();
    static_cast<void>(registered);
    postgres([] { AcceptInvalidationMessages(); });
    Simulation& known = simulation();
    if (known.valid) return known.moment;
    const Oid table = find_table();
    if (!OidIsValid(table)) return std::nullopt;
    // Processes of a parallel query cannot take a snapshot of their own, so what they read may be old.
    if (IsInParallelMode()) return read_moment();
    known.table = table;
    known.valid = true;
    try {
        const LatestSnapshot latest;
        known.moment = read_moment();
    } catch (...) {
        known.valid = false;
        throw;
    }
    return known.moment;
}

}  // namespace

TimestampTz now() { return simulated().value_or(GetCurrentTransactionStartTimestamp()); }

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
