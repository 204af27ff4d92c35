// The transactional outbox, loyalty.events.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "pg/spi.hpp"

namespace loyalty::pg {

// Writes that something happened to a profile, or (nothing) to an anonymous guest. `data` is a jsonb object.
void add_event(const std::string& program, std::string_view type, const std::optional<std::string>& profile,
               Datum data);

}  // namespace loyalty::pg
