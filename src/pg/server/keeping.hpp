// Tables that functions keep up: plain changes of their rows are refused (loyalty_kept_up_trigger). Rows that are
// inserted are taken as they stand, as restores and replication bring them.
#pragma once

#include "pg/server/for_extent.hpp"

namespace loyalty::pg {

// While one lives, what happens to such a table is the library's own doing.
class Keeping : public ForExtent<Keeping> {};

}  // namespace loyalty::pg
