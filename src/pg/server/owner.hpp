// Acting as the owner of schema loyalty. Callers need EXECUTE on a function only; what the function reads and writes in
// the schema it does as its owner, as the server does for foreign keys. Unlike SECURITY DEFINER this never runs triggers
// of a table's owner as a superuser.
#pragma once

#include "pg/server/doors.hpp"

namespace loyalty::pg {

// The owner of schema loyalty. Error LY001 where the schema does not exist.
Oid schema_owner();

// Switches the user for the extent of an object. An error restores the caller by itself.
class AsUser {
public:
    explicit AsUser(Oid user) {
        GetUserIdAndSecContext(&user_, &context_);
        SetUserIdAndSecContext(user, context_ | SECURITY_LOCAL_USERID_CHANGE);
        if (depth_++ == 0) caller_ = user_;
    }
    ~AsUser() {
        SetUserIdAndSecContext(user_, context_);
        depth_--;
    }
    AsUser(const AsUser&) = delete;
    AsUser& operator=(const AsUser&) = delete;

    // Who called before the first switch: with his rights the user's own tables are read.
    static Oid caller() { return depth_ == 0 ? GetUserId() : caller_; }

private:
    static inline int depth_ = 0;
    static inline Oid caller_ = InvalidOid;
    Oid user_;
    int context_;
};

}  // namespace loyalty::pg
