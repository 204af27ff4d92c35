#include "pg/server/reader.hpp"

#include "pg/server/owner.hpp"

extern "C" {
#include "access/reloptions.h"
#include "catalog/pg_inherits.h"
#include "commands/defrem.h"
}

namespace loyalty::pg {

namespace {

bool may_read(Oid relation, Oid role) {
    return pg_class_aclcheck(relation, role, ACL_SELECT) == ACLCHECK_OK ||
           pg_attribute_aclcheck_all(relation, role, ACL_SELECT, ACLMASK_ALL) == ACLCHECK_OK;
}

// Whether a foreign table is read: through whose user mapping depends on who reads.
bool has_foreign_tables(Oid relation, Form_pg_class form) {
    if (form->relkind == RELKIND_FOREIGN_TABLE) return true;
    if (!form->relhassubclass) return false;
    ListCell* cell;
    foreach (cell, find_all_inheritors(relation, NoLock, nullptr))
        if (get_rel_relkind(lfirst_oid(cell)) == RELKIND_FOREIGN_TABLE) return true;
    return false;
}

bool is_invokers_view(HeapTuple tuple, Form_pg_class form) {
    if (form->relkind != RELKIND_VIEW) return false;
    bool is_null;
    const Datum options = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_reloptions, &is_null);
    if (is_null) return false;
    ListCell* cell;
    foreach (cell, untransformRelOptions(options)) {
        auto* const option = static_cast<DefElem*>(lfirst(cell));
        if (strcmp(option->defname, "security_invoker") == 0) return defGetBoolean(option);
    }
    return false;
}

// The relation's owner reads as anybody reads: what is read does not depend on who reads, and the owner has no rights
// that anybody could want.
bool owner_may_stand_in(Oid relation, HeapTuple tuple, Form_pg_class form, Oid of_schema) {
    return !form->relrowsecurity && !is_invokers_view(tuple, form) && !has_foreign_tables(relation, form) &&
           !superuser_arg(form->relowner) && !has_privs_of_role(form->relowner, of_schema);
}

Oid reader_of(Oid relation, Oid caller, Oid of_schema) {
    return postgres([=] {
        HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
        if (!HeapTupleIsValid(tuple)) return caller;
        const auto form = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
        const bool by_owner = has_privs_of_role(caller, form->relowner) ||
                              (owner_may_stand_in(relation, tuple, form, of_schema) && may_read(relation, caller));
        const Oid reader = by_owner ? form->relowner : caller;
        ReleaseSysCache(tuple);
        return reader;
    });
}

// What a relation's row of pg_class says; of one that is gone, nothing.
struct Facts {
    Oid owner;
    bool is_read_by_invoker, is_plain_table;
};

Facts facts_of(Oid relation) {
    return postgres([=] {
        HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
        if (!HeapTupleIsValid(tuple)) return Facts{GetUserId(), false, false};
        const auto form = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
        const bool is_table = form->relkind == RELKIND_RELATION || form->relkind == RELKIND_PARTITIONED_TABLE;
        const Facts facts{form->relowner, is_invokers_view(tuple, form),
                          is_table && !form->relforcerowsecurity && !has_foreign_tables(relation, form)};
        ReleaseSysCache(tuple);
        return facts;
    });
}

void require_readable(Oid relation, Oid of_schema) {
    const char* unreadable = postgres([=]() -> const char* {
        const char* name = get_rel_name(relation);
        if (!name || may_read(relation, of_schema)) return nullptr;
        name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), name);
        return pg_server_to_any(name, static_cast<int>(strlen(name)), PG_UTF8);
    });
    if (!unreadable) return;
    throw Error(
        sqlstate::profiles_unreadable, std::string("the owner of schema \"loyalty\" may not read ") + unreadable,
        "It is the relation of a profile database, by which members are judged.", "Grant the owner SELECT on it.");
}

}  // namespace

AsReader AsReader::of(Oid relation, Oid caller) { return {reader_of(relation, caller, schema_owner()), caller}; }

AsReader AsReader::owner_of(Oid relation, Oid caller) { return {facts_of(relation).owner, caller}; }

bool is_read_by_invoker(Oid relation) { return facts_of(relation).is_read_by_invoker; }

bool is_plain_table(Oid relation) { return facts_of(relation).is_plain_table; }

AsReader AsReader::of_profiles(Oid relation, bool bundled, Oid caller) {
    const Oid owner = schema_owner();
    if (bundled) return {owner, caller};
    require_readable(relation, owner);
    return {reader_of(relation, caller, owner), caller};
}

}  // namespace loyalty::pg
