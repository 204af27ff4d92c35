// Word of relations that have changed. A process has ten places for callbacks of this kind, for all libraries together,
// of which the server itself and Citus leave two; so we take one, and pass on what it hears.
#pragma once

#include "pg/server/postgres.hpp"

namespace loyalty::pg {

// From now on calls `changed` with `argument` and the relation, or InvalidOid where it may be any; at any time.
void hear_of_changes(void (*changed)(Datum argument, Oid relation), Datum argument = 0);

}  // namespace loyalty::pg
