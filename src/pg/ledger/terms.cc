#include "pg/ledger/terms.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "pg/server/in_turn.hpp"
#include "pg/server/relation_changes.hpp"

namespace loyalty::pg {

namespace {

struct Kept {
    bool valid = false;  // reset by invalidations, which may arrive at any time
    Oid programs_table = InvalidOid;
    std::map<std::pair<std::string, std::string>, Terms> terms;
};

Kept& kept() {
    static Kept instance;
    return instance;
}

// Changes of point types and of groups of tiers are told as changes of programs: see sql/live/05-cache.sql.
void invalidate(Datum, Oid table) {
    Kept& known = kept();
    if (table == InvalidOid || table == known.programs_table) known.valid = false;
}

void forget_invalid() {
    static const bool registered = [] {
        hear_of_changes(invalidate);
        return true;
    }();
    static_cast<void>(registered);
    Kept& known = kept();
    if (known.valid) return;
    known.programs_table = postgres([] { return get_relname_relid("programs", get_namespace_oid("loyalty", false)); });
    known.terms.clear();
    known.valid = true;
}

Interval validity_of(std::int64_t count, const std::string& unit) {
    const auto capped = [](std::int64_t days_or_months) {
        return static_cast<std::int32_t>(std::min<std::int64_t>(days_or_months, INT32_MAX - 1));
    };
    Interval validity{};
    if (unit == "day") validity.day = capped(count);
    if (unit == "week") validity.day = capped(count * 7);
    if (unit == "month") validity.month = capped(count);
    if (unit == "year") validity.month = capped(count * MONTHS_PER_YEAR);
    return validity;
}

[[noreturn]] void fail_unknown(const std::string& program, const std::string& point_type) {
    static Query query("SELECT FROM loyalty.programs WHERE external_id = $1", {TEXTOID});
    if (query.run({text_argument(program)}, true).size() == 0) {
        throw Error(sqlstate::unknown_program, "program \"" + program + "\" does not exist", {},
                    "Name one of loyalty.programs.");
    }
    throw Error(sqlstate::unknown_point_type,
                "point type \"" + point_type + "\" of program \"" + program + "\" does not exist", {},
                "Name one of loyalty.point_types.");
}

Terms load(const std::string& program, const std::string& point_type) {
    static Query query(
        "SELECT p.active, p.negative_balance_allowed, t.scale::integer, t.refund_allowed, t.active,"
        "       loyalty_internal.deactivation(t.deactivates_at, t.deactivates_on, p.time_zone),"
        "           t.kind = 'qualification',"
        "       EXISTS (SELECT FROM loyalty.tiers r WHERE r.program = $1 AND r.predicate IS NOT NULL),"
        "       EXISTS (SELECT FROM loyalty.goals o WHERE o.program = $1 AND o.point_type = $2 AND o.automatic"
        "           AND o.active),"
        "       p.time_zone, t.validity_count, t.validity_unit"
        "  FROM loyalty.programs p JOIN loyalty.point_types t ON t.program = p.external_id"
        " WHERE p.external_id = $1 AND t.external_id = $2",
        {TEXTOID, TEXTOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({text_argument(program), text_argument(point_type)});
    if (rows.size() == 0) fail_unknown(program, point_type);
    Terms terms;
    ColumnsInTurn column(rows);
    terms.program_active = column.boolean();
    terms.debt_allowed = column.boolean();
    terms.scale = column.integer();
    terms.refund_allowed = column.boolean();
    terms.type_active = column.boolean();
    terms.deactivates_at = column.timestamp();
    terms.qualifies = column.boolean();
    terms.judges_dynamic = column.boolean();
    terms.has_goal = column.boolean();
    terms.time_zone = column.text();
    const auto count = column.optional_integer();
    const auto unit = column.optional_text();
    if (count && unit) terms.validity = validity_of(*count, *unit);
    column.end();
    return terms;
}

}  // namespace

TimestampTz Terms::expires_at(TimestampTz active_from) const {
    if (!validity) return DT_NOEND;
    Interval through = *validity;
    through.day++;
    const Interval* added = &through;
    const Datum zone = text_datum(time_zone);
    return postgres([=] {
        const Datum local = DirectFunctionCall2(timestamptz_zone, zone, TimestampTzGetDatum(active_from));
        const Datum day = DirectFunctionCall2(timestamp_trunc, CStringGetTextDatum("day"), local);
        const Datum end = DirectFunctionCall2(timestamp_pl_interval, day, IntervalPGetDatum(added));
        // By the end of the last microsecond.
        const Datum last = TimestampGetDatum(DatumGetTimestamp(end) - 1);
        return DatumGetTimestampTz(DirectFunctionCall2(timestamp_zone, zone, last)) + 1;
    });
}

// Marked valid before loading, and loaded under the latest snapshot: see cache.hpp.
Terms ledger_terms(const std::string& program, const std::string& point_type) {
    forget_invalid();
    const auto key = std::make_pair(program, point_type);
    const auto found = kept().terms.find(key);
    if (found != kept().terms.end()) return found->second;
    const Terms terms = load(program, point_type);
    kept().terms.insert_or_assign(key, terms);
    return terms;
}

}  // namespace loyalty::pg
