// Verbs of point types, and the simulated clock.
#include "pg/server/arguments.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

struct NamedType {
    std::string program, point_type;

    explicit NamedType(const Arguments& given)
        : program(given.required(0, "program")), point_type(given.required(1, "point_type")) {}
};

// Where a verb has found no row to change.
[[noreturn]] void fail_unknown(const NamedType& name) {
    static Query query("SELECT FROM loyalty.programs WHERE external_id = $1", {TEXTOID});
    if (query.run({text_argument(name.program)}, true).size() == 0) {
        throw Error(sqlstate::unknown_program, "program \"" + name.program + "\" does not exist", {},
                    "Name one of loyalty.programs.");
    }
    throw Error(sqlstate::unknown_point_type,
                "point type \"" + name.point_type + "\" of program \"" + name.program + "\" does not exist", {},
                "Name one of loyalty.point_types.");
}

void require_owner(Oid owner) {
    if (postgres([=] { return has_privs_of_role(GetUserId(), owner); })) return;
    throw Error(sqlstate::clock_refused, "only the owner of schema \"loyalty\" sets the clock");
}

// What was booked by the real clock cannot be reconciled with another; tables are locked so that nobody books
// meanwhile.
void require_nothing_booked() {
    static Query lock("LOCK TABLE loyalty.transactions, loyalty.holds, loyalty.orders IN EXCLUSIVE MODE", {});
    static Query query(
        "SELECT EXISTS (SELECT FROM loyalty.transactions) OR EXISTS (SELECT FROM loyalty.holds)"
        "    OR EXISTS (SELECT FROM loyalty.orders) OR EXISTS (SELECT FROM loyalty.account_closings)",
        {});
    lock.run({}, true);
    if (query.run({}, true).boolean(0, 1)) {
        throw Error(sqlstate::clock_refused, "the clock cannot be simulated any more",
                    "Transactions or holds were booked by the real clock.",
                    "Use a database of its own for tests and replays.");
    }
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_clone_point_type);
Datum loyalty_clone_point_type(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        static loyalty::pg::Query query(
            "INSERT INTO loyalty.point_types (program, external_id, name, description, kind, scale, ratio,"
            "    initial_balance, validity_count,"
            "                                 validity_unit, refund_allowed, deactivates_at, deactivates_on,"
            "                                 rounding, redeem_min, redeem_step, redeem_max_percent)"
            " SELECT program, $3, coalesce($4, name), description, kind, scale, ratio, initial_balance, validity_count,"
            "     validity_unit,"
            "        refund_allowed, deactivates_at, deactivates_on, rounding, redeem_min, redeem_step,"
            "            redeem_max_percent"
            "   FROM loyalty.point_types WHERE program = $1 AND external_id = $2 RETURNING true",
            {TEXTOID, TEXTOID, TEXTOID, TEXTOID});
        const Arguments given(fcinfo);
        const NamedType name(given);
        const std::string copy = given.required(2, "external_id");
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        const Rows rows = query.run({text_argument(name.program), text_argument(name.point_type), text_argument(copy),
                                     optional_text_argument(given.text(3))},
                                    true);
        if (rows.size() == 0) fail_unknown(name);
        return Datum{0};
    });
}

PG_FUNCTION_INFO_V1(loyalty_activate_point_type);
Datum loyalty_activate_point_type(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        static loyalty::pg::Query query(
            "UPDATE loyalty.point_types t SET active = true,"
            "       deactivates_at = CASE WHEN $3 < t.deactivates_at THEN t.deactivates_at END,"
            "       deactivates_on = CASE WHEN $3 < loyalty_internal.deactivation(t.deactivates_at, t.deactivates_on,"
            "           p.time_zone)"
            "                             THEN t.deactivates_on END"
            "  FROM loyalty.programs p"
            " WHERE t.program = $1 AND t.external_id = $2 AND p.external_id = $1 RETURNING true",
            {TEXTOID, TEXTOID, TIMESTAMPTZOID});
        const NamedType name{Arguments(fcinfo)};
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        if (query.run({text_argument(name.program), text_argument(name.point_type), timestamp_argument(now())}, true)
                .size() == 0)
            fail_unknown(name);
        return Datum{0};
    });
}

PG_FUNCTION_INFO_V1(loyalty_deactivate_point_type);
Datum loyalty_deactivate_point_type(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        static loyalty::pg::Query query(
            "UPDATE loyalty.point_types SET active = active AND $3 IS NOT NULL,"
            "    deactivates_at = coalesce($3, deactivates_at),"
            "       deactivates_on = CASE WHEN $3 IS NULL THEN deactivates_on END"
            " WHERE program = $1 AND external_id = $2 RETURNING true",
            {TEXTOID, TEXTOID, TIMESTAMPTZOID});
        const Arguments given(fcinfo);
        const NamedType name(given);
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        const Rows rows = query.run(
            {text_argument(name.program), text_argument(name.point_type), optional_timestamp_argument(given.moment(2))},
            true);
        if (rows.size() == 0) fail_unknown(name);
        return Datum{0};
    });
}

PG_FUNCTION_INFO_V1(loyalty_set_clock);
Datum loyalty_set_clock(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        static loyalty::pg::Query last("SELECT max(moment) FROM loyalty.simulated_clock", {});
        static loyalty::pg::Query insert("INSERT INTO loyalty.simulated_clock (moment) VALUES ($1)", {TIMESTAMPTZOID});
        const auto moment = Arguments(fcinfo).moment(0);
        if (!moment || !is_in_calendar(*moment))
            throw loyalty::Error(loyalty::sqlstate::clock_refused, "the clock needs a moment up to the year 9999");
        const Oid schema_owner_id = schema_owner();
        require_owner(schema_owner_id);
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        const Rows rows = last.run({}, true);
        if (rows.is_null(0, 1)) {
            require_nothing_booked();
        } else if (*moment == timestamp_at(rows, 0, 1)) {
            return Datum{0};
        } else if (*moment < timestamp_at(rows, 0, 1)) {
            throw loyalty::Error(loyalty::sqlstate::clock_refused, "the clock only goes forward");
        }
        insert.run({timestamp_argument(*moment)}, true);
        return Datum{0};
    });
}
}
