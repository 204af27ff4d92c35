// loyalty_find_member: who has a value in a field of the profile.
#include "pg/members/profile_database.hpp"
#include "pg/server/arguments.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_find_member);
Datum loyalty_find_member(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        static loyalty::pg::Query query(
            "SELECT k.member, m.member IS NOT NULL AND m.removed_at IS NULL, m.registered_at, m.enrolled_at,"
            "    m.removed_at"
            "  FROM unnest($1::text[]) k (member) LEFT JOIN loyalty.members m ON m.member = k.member AND m.program = $2"
            "      ORDER BY k.member",
            {TEXTARRAYOID, TEXTOID});
        const Arguments given(fcinfo);
        const std::string program = given.required(0, "program"), value = given.required(1, "value"),
                          field = given.required(2, "field");
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        const auto keys = find_profile_keys(load_profile_database(program), value, field, current_caller());
        return return_rows(fcinfo, query.run({texts_argument(keys), text_argument(program)}), 5);
    });
}
}
