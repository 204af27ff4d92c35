#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

[[noreturn]] void fail_within() {
    throw Error(sqlstate::called_within, "a function that writes was called in the midst of another one",
                "Triggers on tables of schema \"loyalty\", and views, policies and checks of profile relations, run "
                "while a function of the extension is at work.",
                "Book what follows from an event when it is told: see loyalty_events_claim().");
}

}  // namespace

Oid schema_owner() {
    const Oid owner = postgres([] {
        HeapTuple tuple = SearchSysCache1(NAMESPACENAME, CStringGetDatum("loyalty"));
        if (!HeapTupleIsValid(tuple)) return InvalidOid;
        const Oid found = reinterpret_cast<Form_pg_namespace>(GETSTRUCT(tuple))->nspowner;
        ReleaseSysCache(tuple);
        return found;
    });
    if (!OidIsValid(owner)) {
        throw Error(sqlstate::schema_missing, "schema \"loyalty\" does not exist", {},
                    "Run SELECT loyalty_create_schema().");
    }
    return owner;
}

Oid current_caller() {
    const Box* const box = Box::innermost();
    return box && !box->is_for_reading() && box->user() == GetUserId() ? box->caller() : GetUserId();
}

AsOwner::AsOwner(Oid caller) : Box(schema_owner(), caller, false) {}

AsOwner AsOwner::reading() { return AsOwner(GetUserId()); }

AsOwner AsOwner::writing() {
    if (innermost()) fail_within();
    return AsOwner(GetUserId());
}

AsOwner AsOwner::by_trigger() {
    if (innermost() && innermost()->is_for_reading()) fail_within();
    return going_on();
}

AsOwner AsOwner::going_on() { return AsOwner(current_caller()); }

}  // namespace loyalty::pg
