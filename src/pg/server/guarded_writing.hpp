// Tables that functions alone write: those of orders, and what they and bookings have used of promotions
// (loyalty_orders_trigger). Unlike tables that are kept up (keeping.hpp) they refuse new rows, too.
#pragma once

#include "pg/server/for_extent.hpp"

namespace loyalty::pg {

// While one lives, they let changes through.
class GuardedWriting : public ForExtent<GuardedWriting> {};

}  // namespace loyalty::pg
