// Acting as the owner of schema loyalty. Callers need EXECUTE on a function only; what the function reads and writes in
// the schema it does as its owner, as the server does for foreign keys. Unlike SECURITY DEFINER this never runs
// triggers of a table's owner as a superuser.
#pragma once

#include "pg/server/box.hpp"

namespace loyalty::pg {

// The owner of schema loyalty. Error LY001 where the schema does not exist.
Oid schema_owner();

// The box in which our functions work, as the schema's owner, for the extent of an object.
class AsOwner : public Box {
public:
    // A function that reads is called.
    static AsOwner reading();
    // A function that writes is called. Error LY790 within a box: by a trigger of somebody's on our tables, or by a
    // view or policy of theirs, in the midst of what another function of ours is doing.
    static AsOwner writing();
    // A trigger of ours does its part of a statement, which may be one of our own: then it goes on for the same caller.
    // Error LY790 where code of a user's is at work that is only there to be read.
    static AsOwner by_trigger();
    // A part of what a function is doing.
    static AsOwner going_on();

private:
    explicit AsOwner(Oid caller);
};

// For whom the function that is at work does what it does.
Oid current_caller();

}  // namespace loyalty::pg
