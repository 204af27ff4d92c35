// The transactional outbox, loyalty.events.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pg/server/spi.hpp"

namespace loyalty::pg {

struct Event {
    std::string_view type;
    Datum data;  // a jsonb object
};

// Writes what happened to a profile, or (nothing) to an anonymous guest, one after the other.
void add_events(const std::string& program, const std::optional<std::string>& profile,
                const std::vector<Event>& events);

void add_event(const std::string& program, std::string_view type, const std::optional<std::string>& profile,
               Datum data);

// Called before members are locked, where events may follow. The first event of a server takes a lock that is held until its
// transaction ends; who waited for it with a member locked would be in the way of one that books for several.
void prepare_outbox();

}  // namespace loyalty::pg
