// What rows of the ledger, and of orders, name by foreign keys, locked once for many rows.
#pragma once

#include <set>
#include <string>

namespace loyalty::pg {

// Locks promotions and point types of a program as a foreign key would, each once; false if it may not be that all of
// them are there: then the keys are left to be checked for each row. In a transaction with a snapshot of its own that
// would fail where they changed since.
bool lock_named(const std::string& program, const std::set<std::string>& promotions,
                const std::set<std::string>& point_types);

}  // namespace loyalty::pg
