// What differs between the supported versions of PostgreSQL, 15 to 18 and what is known of 19, under one name each.
// Nothing else in this project asks for the server's version. Included by postgres.hpp, behind the server's headers.
#pragma once

extern "C" {
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/jsonb.h"
}

#if PG_VERSION_NUM < 150000
#error "loyalty needs PostgreSQL 15 or newer"
#endif

namespace loyalty::pg {

// What a trigger answers where there is no row: a null pointer as a Datum. PointerGetDatum is a macro in some versions
// and a function in others, and not all of them take a nullptr.
inline constexpr Datum no_row = 0;

// The number of this backend's transaction among its own, from its very start.
inline LocalTransactionId local_transaction() {
#if PG_VERSION_NUM >= 170000
    return MyProc->vxid.lxid;
#else
    return MyProc->lxid;
#endif
}

// Whether a role may act as another one: has its rights, or may become it.
inline bool may_act_as(Oid role, Oid other) {
#if PG_VERSION_NUM >= 160000
    return has_privs_of_role(role, other) || member_can_set_role(role, other);
#else
    return is_member_of_role(role, other);
#endif
}

// A jsonb that is being built. From version 19 on the server keeps the result in the state of its parser.
class JsonbBuilding {
public:
    void push(JsonbIteratorToken token, JsonbValue* value) {
#if PG_VERSION_NUM >= 190000
        pushJsonbValue(&state_, token, value);
#else
        result_ = pushJsonbValue(&state_, token, value);
#endif
    }

    // Whether what comes next stands inside an array.
    bool in_array() const {
#if PG_VERSION_NUM >= 190000
        return state_.parseState->contVal.type == jbvArray;
#else
        return state_->contVal.type == jbvArray;
#endif
    }

    Datum finish() const {
#if PG_VERSION_NUM >= 190000
        return JsonbPGetDatum(JsonbValueToJsonb(state_.result));
#else
        return JsonbPGetDatum(JsonbValueToJsonb(result_));
#endif
    }

private:
#if PG_VERSION_NUM >= 190000
    JsonbInState state_{};
#else
    JsonbParseState* state_ = nullptr;
    JsonbValue* result_ = nullptr;
#endif
};

}  // namespace loyalty::pg
