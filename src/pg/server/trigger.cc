#include "pg/server/trigger.hpp"

extern "C" {
#include "utils/regproc.h"
}

namespace loyalty::pg {

void fail_misused(const std::string& function, const std::string& detail) {
    throw Error(sqlstate::wrong_trigger, function + "() is not used as it can be", detail,
                "See its description: SELECT obj_description('" + function + "'::regproc).");
}

void require_right_to_fire(FunctionCallInfo call) {
    const Relation table = reinterpret_cast<TriggerData*>(call->context)->tg_relation;
    const Oid function = call->flinfo->fn_oid, owner = table->rd_rel->relowner;
    const bool may = postgres([=] {
        return DatumGetBool(DirectFunctionCall3(has_function_privilege_id_id, ObjectIdGetDatum(owner),
                                                ObjectIdGetDatum(function), CStringGetTextDatum("EXECUTE")));
    });
    if (may) return;
    const char* const name = postgres([=] { return format_procedure(function); });
    throw Error("42501", std::string("permission denied for function ") + name,
                "The owner of the trigger's table may not execute it, or may no longer.",
                "Grant the table's owner EXECUTE on it, or drop the trigger.");
}

OwnTrigger::OwnTrigger(FunctionCallInfo call, const char* function) : function_(function) {
    if (!CALLED_AS_TRIGGER(call)) fail_misused(function, "It was not called by a trigger.");
    data_ = reinterpret_cast<TriggerData*>(call->context);
    const Oid schema = postgres([] { return get_namespace_oid("loyalty", true); });
    if (!OidIsValid(schema) || RelationGetNamespace(data_->tg_relation) != schema)
        fail_misused(function, "It is for tables of schema loyalty alone.");
}

int column_of(TupleDesc row, const char* name, Oid type) {
    const int number = postgres([=] { return SPI_fnumber(row, name); });
    const Oid found = number > 0 ? TupleDescAttr(row, number - 1)->atttypid : InvalidOid;
    if (OidIsValid(found) && postgres([=] { return getBaseType(found); }) == type) return number;
    const char* const hint = "A table of schema loyalty was altered: compare it with that of a fresh installation.";
    if (!OidIsValid(found))
        throw Error(sqlstate::wrong_trigger, std::string("the table has no column \"") + name + "\"", {},
                    hint);
    const char* const shown = postgres([=] { return format_type_be(found); });
    const char* const wanted = postgres([=] { return format_type_be(type); });
    throw Error(sqlstate::data_corrupted,
                std::string("column \"") + name + "\" has another type",
                std::string("It is of type ") + shown + ", not " + wanted + ".", hint);
}

}  // namespace loyalty::pg
