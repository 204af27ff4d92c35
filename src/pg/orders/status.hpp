// Statuses of orders and their lines.
#pragma once

#include <optional>
#include <string>

#include "pg/orders/store.hpp"

namespace loyalty::pg {

// Gives the order the status, and with it its lines that are not final; or one line alone. Books nothing.
void move_to_status(const LockedOrder& order, const std::string& status, const std::optional<std::string>& line);

}  // namespace loyalty::pg
