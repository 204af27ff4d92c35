// loyalty_trigger_promotions, what an application may fire, and loyalty_applied, what is in force here: for those who
// may not read the tables.
#include "pg/promotions/cache.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

Rows read_trigger_promotions(const std::string& program) {
    static Query query(
        "SELECT p.external_id::text, p.name, p.description, e.current_state, e.starts_at, e.ends_at, r.operation,"
        "       r.point_type::text, r.amount, r.min_amount, r.max_amount"
        "  FROM loyalty.promotions p"
        "  JOIN loyalty.promotion_periods e ON e.program = p.program AND e.promotion = p.external_id"
        "  LEFT JOIN loyalty.trigger_rules r ON r.program = p.program AND r.promotion = p.external_id"
        " WHERE p.program = $1 AND p.kind = 'trigger' AND p.state <> 'ended'"
        " ORDER BY p.external_id, r.operation, r.point_type",
        {TEXTOID});
    return query.run({text_argument(program)});
}

// A standby tells what it has replayed, a primary what it has written.
Rows read_applied(const std::optional<std::string>& program) {
    static Query query(
        "SELECT p.external_id::text, v.version, v.applied_at, here.\"position\", here.as_of, here.is_standby"
        "  FROM loyalty.programs p"
        "  LEFT JOIN LATERAL (SELECT a.version, a.applied_at FROM loyalty.promotion_versions a"
        "                      WHERE a.program = p.external_id ORDER BY a.version DESC LIMIT 1) v ON true"
        " CROSS JOIN (SELECT pg_last_wal_replay_lsn() AS \"position\", pg_last_xact_replay_timestamp() AS as_of,"
        "     true AS is_standby"
        "              WHERE pg_is_in_recovery()"
        "             UNION ALL"
        "             SELECT pg_current_wal_insert_lsn(), clock_timestamp(), false WHERE NOT pg_is_in_recovery()) here"
        " WHERE $1 IS NULL OR p.external_id = $1"
        " ORDER BY p.external_id",
        {TEXTOID});
    return query.run({optional_text_argument(program)});
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_trigger_promotions);
Datum loyalty_trigger_promotions(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        const std::string program = current_program(given.required(0, "program")).live->market.program;
        return return_rows(fcinfo, read_trigger_promotions(program), 11);
    });
}

PG_FUNCTION_INFO_V1(loyalty_applied);
Datum loyalty_applied(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        const std::optional<std::string> program = given.text(0);
        const Rows rows = read_applied(program);
        if (program && rows.size() == 0) {
            throw Error(sqlstate::unknown_program, "program \"" + *program + "\" does not exist", {},
                        "Name one of loyalty.programs.");
        }
        return return_rows(fcinfo, rows, 6);
    });
}
}
