// Who reads a relation that users made: code of theirs runs while it is read, and never with more rights than both its
// author and the caller have.
#pragma once

#include "pg/server/box.hpp"

namespace loyalty::pg {

// The box in which a relation is read for the caller, for the extent of an object. It is read by
//
//   its owner, where the caller has that owner's rights anyway, as a superuser has;
//   the caller, where row-level security, security_invoker or a foreign table make a difference between readers, or
//   where its owner is a superuser or has the rights of the schema's owner;
//   otherwise its owner, if the caller may read all of it. Where not, the server judges what the caller may read.
class AsReader : public Box {
public:
    // Of a relation that anybody may name.
    static AsReader of(Oid relation, Oid caller);
    // Of a profile relation. What is judged by profiles tells what stands in them, so the schema's owner has to have
    // the right to read it, whoever reads; error LY791 if it is not there. The bundled relation is read as the schema's
    // owner.
    static AsReader of_profiles(Oid relation, bool bundled, Oid caller);
    // As its owner, whoever the caller is: for a look-up in which nothing of a user's runs.
    static AsReader owner_of(Oid relation, Oid caller);

private:
    AsReader(Oid reader, Oid caller) : Box(reader, caller, true) {}
};

// A view with security_invoker: what it shows depends on who reads.
bool is_read_by_invoker(Oid relation);

// A table whose owner no policy binds, with no part that is a foreign table.
bool is_plain_table(Oid relation);

}  // namespace loyalty::pg
