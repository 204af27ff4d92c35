// Foreign keys of which a statement of ours needs no look.
//
// The server checks a foreign key by a query of its own for each row that is written, and an order has many rows whose
// references its function has written, or locked, a moment before. For such a statement the keys that it names are left
// out: in the executor's own copy of the table's triggers, so the keys stay declared, and hold for everybody else and
// for every other statement.
#pragma once

#include <vector>

#include "pg/server/postgres.hpp"

namespace loyalty::pg {

// For the extent of an object: the statement of this text that starts next leaves out the keys of these names.
class ProvenKeys {
public:
    ProvenKeys(const char* statement, const std::vector<const char*>& names);
    ~ProvenKeys();
    ProvenKeys(const ProvenKeys&) = delete;
    ProvenKeys& operator=(const ProvenKeys&) = delete;
};

// Called once, when the library is loaded.
void leave_out_proven_keys();

}  // namespace loyalty::pg
