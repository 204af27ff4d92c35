// Acting as the owner of schema loyalty. Callers need EXECUTE on a function only; what the function reads and writes in
// the schema it does as its owner, as the server does for foreign keys. Unlike SECURITY DEFINER this never runs triggers
// of a table's owner as a superuser.
#pragma once

#include "pg/doors.hpp"

namespace loyalty::pg {

// The owner of schema loyalty. Error LY001 where the schema does not exist.
Oid schema_owner();

// Switches the user for the extent of an object. An error restores the caller by itself.
class AsUser {
public:
    explicit AsUser(Oid user) {
        GetUserIdAndSecContext(&user_, &context_);
        SetUserIdAndSecContext(user, context_ | SECURITY_LOCAL_USERID_CHANGE);
    }
    ~AsUser() { SetUserIdAndSecContext(user_, context_); }
    AsUser(const AsUser&) = delete;
    AsUser& operator=(const AsUser&) = delete;

private:
    Oid user_;
    int context_;
};

}  // namespace loyalty::pg
