#include "pg/server/owner.hpp"

namespace loyalty::pg {

Oid schema_owner() {
    const Oid owner = postgres([] {
        HeapTuple tuple = SearchSysCache1(NAMESPACENAME, CStringGetDatum("loyalty"));
        if (!HeapTupleIsValid(tuple)) return InvalidOid;
        const Oid owner = reinterpret_cast<Form_pg_namespace>(GETSTRUCT(tuple))->nspowner;
        ReleaseSysCache(tuple);
        return owner;
    });
    if (!OidIsValid(owner)) {
        throw Error(sqlstate::schema_missing, "schema \"loyalty\" does not exist", {},
                    "Run SELECT loyalty_create_schema().");
    }
    return owner;
}

}  // namespace loyalty::pg
