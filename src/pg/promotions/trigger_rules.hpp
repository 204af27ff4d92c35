// Rules of trigger promotions: booking by one. That any transaction booked under a promotion is bound by its rules,
// ledger/around_booking.hpp says.
#pragma once

#include <optional>
#include <string>

#include "pg/server/postgres.hpp"

namespace loyalty::pg {

// The program whose trigger promotion it is: the one named, or the only one that has it; of several the active one.
// Error LY720 otherwise.
std::string program_of(const std::string& promotion, const std::optional<std::string>& program);

struct Firing {
    std::string promotion, member;
    std::optional<std::string> operation, point_type, external_id;
    std::optional<Datum> amount;
    std::optional<TimestampTz> created_at;
    std::optional<std::string> source_type, source;  // left out: the promotion
    std::optional<std::string> comment;
    std::optional<Datum> data;
};

// Finds the rule of a trigger promotion and books by it; answers as the ledger's functions do.
Datum fire(const Firing& firing, const std::string& program, MemoryContext into);

}  // namespace loyalty::pg
