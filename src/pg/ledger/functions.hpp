// What the ledger's SQL functions share: how transactions and holds are named by callers and shown to them.
#pragma once

#include "pg/ledger/book.hpp"
#include "pg/server/arguments.hpp"

namespace loyalty::pg {

// The transaction as the functions answer it, or the hold: jsonb in the memory context `into`.
Datum transaction_answer(const AccountKey& key, const Uuid& id, bool repeated, MemoryContext into);
Datum hold_answer(const AccountKey& key, const Uuid& id, bool repeated, MemoryContext into);

// Inserts a row and answers with it, or with the transaction that was booked before for the same posting.
Datum post(const Posting& posting, MemoryContext into);

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

[[noreturn]] void fail_unknown_transaction(const char* noun, const Named& name);

// Rolls a hold back, or finds that it has ended; answers with the hold.
Datum roll_back(const std::string& member, const std::string& program, const FoundHold& hold, MemoryContext into);

// The end of a day of the program: the moment from which points that can be used through that day have expired.
TimestampTz end_of_day(const std::string& program, Datum date);

// expires_at and expires_on, of which one may be given. Error LY512 where both are.
std::optional<TimestampTz> read_expiry(const std::string& program, const std::optional<TimestampTz>& at,
                                       const std::optional<Datum>& on);

}  // namespace loyalty::pg
