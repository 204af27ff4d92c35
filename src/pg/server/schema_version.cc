#include <string>

#include "pg/server/schema_version.hpp"
#include "pg/server/spi.hpp"

namespace loyalty::pg {

void check_schema_version() {
    static Query query("SELECT version::integer FROM loyalty.schema_version", {});
    const Rows rows = query.run({});
    const int found = rows.size() == 1 ? rows.integer(0, 1) : 0;
    if (found == schema_version) return;
    throw Error(sqlstate::schema_version_mismatch, "schema \"loyalty\" does not fit the library",
                "The schema has version " + std::to_string(found) + ", the library works with version " +
                    std::to_string(schema_version) + ".",
                found < schema_version ? "Run SELECT loyalty_migrate()."
                                       : "Install the newer library, or run ALTER EXTENSION loyalty UPDATE.");
}

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_schema_version);
Datum loyalty_schema_version(PG_FUNCTION_ARGS) { PG_RETURN_INT32(loyalty::pg::schema_version); }
}
