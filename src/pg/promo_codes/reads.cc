// loyalty_promo_code and loyalty_promo_codes: how codes stand, for those who may not read the tables; and changing one.
#include "pg/members/visible.hpp"
#include "pg/promotions/cache.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

constexpr int columns = 15;

const std::string select_code =
    "SELECT s.code, s.pool::text, p.name, s.kind, s.state, s.profile, s.attached_at, s.uses, s.max_uses, s.expires_at,"
    "       c.order_id::text, s.created_at, s.activated_at, s.template, s.data"
    "  FROM loyalty.promo_codes c"
    "  JOIN loyalty.promo_code_states s ON s.program = c.program AND s.code = c.code"
    "  JOIN loyalty.promo_code_pools p ON p.program = c.program AND p.external_id = c.pool";

Rows read_code(const std::string& program, const std::string& code, bool just_changed = false) {
    static Query query(select_code + " WHERE c.code = upper(btrim($2)) AND c.program = $1", {TEXTOID, TEXTOID});
    Rows rows = query.run({text_argument(program), text_argument(code)}, just_changed);
    if (rows.size() > 0) return rows;
    throw Error(sqlstate::unknown_promo_code,
                "promo code \"" + code + "\" of program \"" + program + "\" does not exist", {},
                "See loyalty.promo_code_states.");
}

Rows read_codes(const std::string& member, const std::string& program) {
    static Query query(select_code + " WHERE c.profile = $1 AND c.program = $2 ORDER BY c.attached_at DESC, c.code",
                       {TEXTOID, TEXTOID});
    return query.run({text_argument(member), text_argument(program)});
}

void lock_code(const std::string& program, const std::string& code) {
    static Query query(
        "SELECT FROM loyalty.promo_codes WHERE code = upper(btrim($2)) AND program = $1 FOR NO KEY UPDATE",
        {TEXTOID, TEXTOID});
    query.run({text_argument(program), text_argument(code)}, true);
}

void set_expiry(const std::string& program, const std::string& code, const Argument& at, const Argument& day) {
    static Query query(
        "UPDATE loyalty.promo_codes c"
        "   SET expires_at = coalesce($3, timezone(p.time_zone, ($4 + 1)::timestamp))"
        "  FROM loyalty.programs p"
        " WHERE c.code = upper(btrim($2)) AND c.program = $1 AND p.external_id = $1",
        {TEXTOID, TEXTOID, TIMESTAMPTZOID, DATEOID});
    query.run({text_argument(program), text_argument(code), at, day}, true);
}

// The uses stay on record, as given back by hand: an order that was placed with one stands.
void free_uses(const std::string& program, const std::string& code) {
    static Query query(
        "WITH freed AS ("
        "    UPDATE loyalty.promo_code_uses SET freed_at = $3, freed_by_hand = true"
        "     WHERE code = upper(btrim($2)) AND program = $1 AND freed_at IS NULL)"
        " UPDATE loyalty.promo_codes SET uses = 0, uses_before_import = 0"
        "  WHERE code = upper(btrim($2)) AND program = $1",
        {TEXTOID, TEXTOID, TIMESTAMPTZOID});
    query.run({text_argument(program), text_argument(code), timestamp_argument(now())}, true);
}

void set_data(const std::string& program, const std::string& code, const Argument& data) {
    static Query judge("SELECT jsonb_typeof($1)", {JSONBOID});
    static Query query("UPDATE loyalty.promo_codes SET data = $3 WHERE code = upper(btrim($2)) AND program = $1",
                       {TEXTOID, TEXTOID, JSONBOID});
    if (const std::string type = judge.run({data}).text(0, 1); type != "object") {
        throw Error(sqlstate::wrong_type, "the data of promo code \"" + code + "\" is no object",
                    "It is of type " + type + ".", "Give a JSON object, such as {\"campaign\": \"spring\"}.");
    }
    query.run({text_argument(program), text_argument(code), data}, true);
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_promo_code);
Datum loyalty_promo_code(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        const std::string program = given.required(0, "program");
        const Rows rows = read_code(program, given.required(1, "code"));
        if (const auto profile = rows.optional_text(0, 6)) require_visible(*profile, program);
        return return_rows(fcinfo, rows, columns);
    });
}

PG_FUNCTION_INFO_V1(loyalty_promo_codes);
Datum loyalty_promo_codes(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        const std::string program = current_program(given.text(1)).live->market.program;
        const std::string member = given.required(0, "member");
        require_visible(member, program);
        return return_rows(fcinfo, read_codes(member, program), columns);
    });
}

PG_FUNCTION_INFO_V1(loyalty_update_promo_code);
Datum loyalty_update_promo_code(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        const std::string program = given.required(0, "program"), code = given.required(1, "code");
        const auto expires_at = given.datum(2), expires_on = given.datum(3), frees_uses = given.datum(4);
        const auto data = given.datum(5);
        if (expires_at && expires_on) {
            throw Error(sqlstate::missing_field, "a promo code has one end",
                        "Both \"expires_at\" and \"expires_on\" are given.", "Give a moment, or the last day.");
        }
        lock_code(program, code);
        if (expires_at || expires_on)
            set_expiry(program, code, optional_datum_argument(expires_at), optional_datum_argument(expires_on));
        if (frees_uses && DatumGetBool(*frees_uses)) free_uses(program, code);
        if (data) set_data(program, code, optional_datum_argument(data));
        return return_rows(fcinfo, read_code(program, code, true), columns);
    });
}
}
