// The part of compat.hpp that is about roles, for the few that need it.
#pragma once

#include "pg/server/postgres.hpp"

namespace loyalty::pg {

// Whether a role may act as another one: has its rights, or may become it.
inline bool may_act_as(Oid role, Oid other) {
#if PG_VERSION_NUM >= 160000
    return has_privs_of_role(role, other) || member_can_set_role(role, other);
#else
    return is_member_of_role(role, other);
#endif
}

}  // namespace loyalty::pg
