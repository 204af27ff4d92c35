// Plans of statements that find rows by their keys.
#pragma once

#include "pg/server/postgres.hpp"

namespace loyalty::pg {

// Sees to it that a kept statement has a plan, made for reading by whole keys, whatever the tables hold now and
// whatever statistics say of them. The planner believes that a table which was empty when it was last vacuumed is empty
// still, and a session keeps what it planned then: every later statement would read the whole table for each key, or
// look for half of a key and compare the rest (measured: placing twice as many orders took three times as long). So it
// plans as if each table of schema loyalty were large and nothing else were known of it; then the best plan is the one
// that the keys allow.
//
// To be called behind the server's door, before each execution: a plan is made at the first one and after each
// invalidation, not when the statement is prepared. Costs next to nothing where there is a valid plan. With relations
// `of_others` no way of reading is switched off, for what these are is not known here.
//
// Functions in PL/pgSQL get the same sizes told by `SET loyalty.plan_by_keys = on`. They switch jit off beside it, or
// the server compiles what looks so dear.
void plan_by_keys(SPIPlanPtr statement, bool of_others);

// Likewise for the statements by which PostgreSQL checks foreign keys to these tables, which a session keeps, too. To
// be called once, when the library is loaded.
void plan_foreign_keys_by_keys();

}  // namespace loyalty::pg
