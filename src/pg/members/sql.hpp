// Text that queries on members share.
#pragma once

// One row of a table for each row before it, by the primary key. The planner, left to itself, may read the whole table
// instead, or worse, work out all that follows for each of its rows and only then look which are wanted: without
// statistics it does, and each slice of a bulk enrolment would cost as much as all before it (measured). OFFSET 0 keeps
// it from that.
#define LOYALTY_EACH(table, conditions) "LATERAL (SELECT * FROM loyalty." table " x WHERE " conditions " OFFSET 0)"
#define LOYALTY_EACH_MEMBER LOYALTY_EACH("members", "x.member = k.member AND x.program = $1")
