// The SQL functions that change schema loyalty itself, or who has which rights in it. Each is a shell: it lets a
// function in PL/pgSQL, loyalty_internal.NAME_as_owner for loyalty_NAME, do the work as the schema's owner, in the box.
// Whoever may act as the owner may call it, superusers above all; what the owner put on the tables gains nothing by
// that.
#include "pg/server/owner.hpp"

extern "C" {
#include "catalog/pg_proc.h"
}

namespace loyalty::pg {

namespace {

[[noreturn]] void fail_stranger(Oid owner) {
    const char* const name = postgres([=] {
        const char* role = GetUserNameFromId(owner, true);
        return role ? pg_server_to_any(role, static_cast<int>(strlen(role)), PG_UTF8) : "gone";
    });
    throw Error(sqlstate::not_the_owner,
                "only the owner of schema \"loyalty\" migrates it, and grants and revokes its rights",
                std::string("The owner is ") + name + ".",
                "Let the owner call, a role that may act as the owner, or a superuser.");
}

// A function of schema loyalty_internal by its exact signature.
Oid internal_function(const char* name, const oidvector* types) {
    const Oid found = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name), PointerGetDatum(types),
                                      ObjectIdGetDatum(get_namespace_oid("loyalty_internal", false)));
    if (!OidIsValid(found)) elog(ERROR, "function loyalty_internal.%s() does not exist", name);
    return found;
}

// What does the work of a shell, with the same arguments.
Oid worker_of(Oid function) {
    return postgres([=] {
        HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
        if (!HeapTupleIsValid(tuple)) elog(ERROR, "function %u does not exist", function);
        const auto form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
        const char* const name = NameStr(form->proname) + strlen("loyalty_");
        const Oid found = internal_function(psprintf("%s_as_owner", name), &form->proargtypes);
        ReleaseSysCache(tuple);
        return found;
    });
}

// Calls a function with the arguments of the call, and hands its answer on, which is passed by value.
Datum forward(Oid function, FunctionCallInfo call) {
    return postgres([=] {
        FmgrInfo target;
        fmgr_info(function, &target);
        LOCAL_FCINFO(inner, FUNC_MAX_ARGS);
        InitFunctionCallInfoData(*inner, &target, call->nargs, call->fncollation, nullptr, nullptr);
        for (int i = 0; i < call->nargs; i++) inner->args[i] = call->args[i];
        const Datum result = FunctionCallInvoke(inner);
        call->isnull = inner->isnull;
        return result;
    });
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_as_owner);
Datum loyalty_as_owner(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Oid owner = schema_owner();
        if (!postgres([=] { return may_act_as(GetUserId(), owner); })) fail_stranger(owner);
        const Oid work = worker_of(fcinfo->flinfo->fn_oid);
        postgres([=] { OidFunctionCall0(internal_function("let_owner_act", buildoidvector(nullptr, 0))); });
        const AsOwner as_owner = AsOwner::writing();
        return forward(work, fcinfo);
    });
}

PG_FUNCTION_INFO_V1(loyalty_require_owner);
Datum loyalty_require_owner(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Oid owner = schema_owner();
        const Box* const box = Box::innermost();
        if (!box || box->is_for_reading() || GetUserId() != owner) fail_stranger(owner);
        return Datum{0};
    });
}
}
