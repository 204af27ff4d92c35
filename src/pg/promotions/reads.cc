// loyalty_trigger_promotions: what an application may fire, for those who may not read the tables.
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
}
