// The SQL functions that change schema loyalty itself, or who has which rights in it. Each is a shell: it lets a function in
// PL/pgSQL, of the same name with "_as_owner" and the same arguments, do the work as the schema's owner, in the box. Whoever
// may act as the owner may call it, superusers above all; what the owner put on the tables gains nothing by that.
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
    throw Error("LY783",
                "only the owner of schema \"loyalty\" migrates it, and grants and revokes its rights",
                std::string("The owner is ") + name + ".",
                "Let the owner call, a role that may act as the owner, or a superuser.");
}

// The function of the same schema and arguments, by its exact signature: nobody can put another one beside it.
Oid sibling(Oid function, const char* suffix, bool same_arguments) {
    return postgres([=] {
        HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
        if (!HeapTupleIsValid(tuple)) elog(ERROR, "function %u does not exist", function);
        const auto form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
        const char* name = same_arguments ? psprintf("%s%s", NameStr(form->proname), suffix) : suffix;
        const oidvector* types = same_arguments ? &form->proargtypes : buildoidvector(nullptr, 0);
        const Oid found = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
                                          PointerGetDatum(types), ObjectIdGetDatum(form->pronamespace));
        if (!OidIsValid(found)) elog(ERROR, "function %s() of extension \"loyalty\" does not exist", name);
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
        const Oid function = fcinfo->flinfo->fn_oid;
        const Oid prepare = sibling(function, "loyalty_let_owner_act", false);
        const Oid work = sibling(function, "_as_owner", true);
        postgres([=] { OidFunctionCall0(prepare); });
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
