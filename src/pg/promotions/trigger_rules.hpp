// Rules of trigger promotions, by which any transaction booked under one is bound.
#pragma once

#include "pg/ledger/store.hpp"

namespace loyalty::pg {

// A booking by hand under a trigger promotion: that it has a rule for it. Errors: LY722 (no rule for it), LY723 (a value outside
// the rule).
void require_rule(const AccountKey& key, const std::string& promotion, bool accrual, std::int64_t value, int scale);

// The program whose trigger promotion it is: the one named, or the only one that has it; of several the active one. Error
// LY720 otherwise.
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
