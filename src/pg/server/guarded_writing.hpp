// Tables that functions alone write: those of orders, and what they and bookings have used of promotions
// (loyalty_orders_trigger). Unlike tables that are kept up (keeping.hpp) they refuse new rows, too.
#pragma once

namespace loyalty::pg {

// While one lives, they let changes through.
class GuardedWriting {
public:
    GuardedWriting() { depth++; }
    ~GuardedWriting() { depth--; }
    GuardedWriting(const GuardedWriting&) = delete;
    GuardedWriting& operator=(const GuardedWriting&) = delete;

    static inline int depth = 0;
};

}  // namespace loyalty::pg
