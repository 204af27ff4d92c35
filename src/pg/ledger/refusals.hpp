// What an account, and what program and point type say of it, refuse to bookings and holds alike.
#pragma once

#include "pg/ledger/store.hpp"

namespace loyalty::pg {

// Errors LY202, LY508, LY509: the program is inactive, the member was removed, the type is not active.
void require_usable(const Terms& terms, const AccountKey& key, TimestampTz now);

// Error LY510
[[noreturn]] void fail_insufficient(const ledger::Account& account, std::int64_t wanted, TimestampTz now, int scale,
                                    const AccountKey& key);

// Error LY513
[[noreturn]] void fail_external_id_taken(const std::string& external_id, const std::string& detail);

}  // namespace loyalty::pg
