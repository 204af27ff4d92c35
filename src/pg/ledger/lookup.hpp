// Transactions and holds of a member, as callers name them.
#pragma once

#include <optional>
#include <string>

#include "pg/server/values.hpp"

namespace loyalty::pg {

// A transaction or hold as the caller names it: by one of both.
struct Named {
    std::optional<Uuid> id;
    std::optional<std::string> external_id;

    // Error LY526 unless exactly one is given.
    void check(const char* noun) const;
    std::string shown() const;
};

struct FoundTransaction {
    Uuid id{};
    std::string point_type, type, source_type;
    std::int64_t seq = 0;
};

std::optional<FoundTransaction> find_transaction(const std::string& member, const std::string& program,
                                                 const Named& name);

struct FoundHold {
    Uuid id{};
    std::string point_type;
};

std::optional<FoundHold> find_hold(const std::string& member, const std::string& program, const Named& name);

// Error LY514
[[noreturn]] void fail_unknown_transaction(const char* noun, const Named& name);

}  // namespace loyalty::pg
