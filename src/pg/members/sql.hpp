// Text that queries on members share.
#pragma once

#include <string>

namespace loyalty::pg {

// The member k.member of program $1: one row of a table for each row before it, by the primary key. The planner, left
// to itself, may read the whole table instead, or worse, work out all that follows for each of its rows and only then
// look which are wanted: without statistics it does, and each slice of a bulk enrolment would cost as much as all
// before it (measured). OFFSET 0 keeps it from that, here as in other queries; a function would be taken into the
// query, and the OFFSET with it.
inline const std::string each_member =
    "LATERAL (SELECT * FROM loyalty.members x WHERE x.member = k.member AND x.program = $1 OFFSET 0)";

}  // namespace loyalty::pg
