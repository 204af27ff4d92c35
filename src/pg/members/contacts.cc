// How the profiles of a program are reached, for exports: read in the box, like all that stands in a relation of a
// user's.
#include "pg/members/profile_database.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/cursor.hpp"

namespace loyalty::pg {

namespace {

constexpr long slice_size = 10'000;
constexpr int columns = 3;

std::string as_text(const ProfileDatabase& profiles, const std::string& column, const char* attribute) {
    if (column.empty() && !profiles.bundled) return "NULL::text";
    return "CAST(" + profile_field(profiles, column.empty() ? attribute : column).expression + " AS text)";
}

std::string contacts_query(const ProfileDatabase& profiles) {
    return "SELECT CAST(" + profiles.key + " AS text), " + as_text(profiles, profiles.email_name, "email") + ", " +
           as_text(profiles, profiles.phone_name, "phone") + " FROM " + profiles.table;
}

void put(const ReturnSetInfo* result, const Rows& rows, std::uint64_t row) {
    Datum values[columns];
    bool nulls[columns];
    for (int column = 0; column < columns; column++) {
        const auto value = rows.optional_datum(row, column + 1, TEXTOID);
        values[column] = value.value_or(Datum{0});
        nulls[column] = !value;
    }
    const Datum* const datums = values;
    const bool* const are_null = nulls;
    postgres([=] {
        tuplestore_putvalues(result->setResult, result->setDesc, const_cast<Datum*>(datums),
                             const_cast<bool*>(are_null));
    });
}

void read_contacts(const ProfileDatabase& profiles, const ReturnSetInfo* result) {
    const Oid caller = current_caller();
    auto cursor = [&] {
        const AsReader reader = profiles.reader(caller);
        return Cursor(contacts_query(profiles));
    }();
    for (;;) {
        check_interrupts();
        const Rows rows = [&] {
            const AsReader reader = profiles.reader(caller);
            return cursor.fetch(slice_size);
        }();
        if (rows.size() == 0) break;
        for (std::uint64_t row = 0; row < rows.size(); row++) put(result, rows, row);
    }
    cursor.close();
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_profile_contacts);
Datum loyalty_profile_contacts(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const std::string program = Arguments(fcinfo).required(0, "program");
        postgres([=] { InitMaterializedSRF(fcinfo, 0); });
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        read_contacts(load_profile_database(program), reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo));
        return Datum{0};
    });
}
}
