// Booking one row of loyalty.transactions: from what the caller gave to the figures that the row gets.
//
// A booking takes four statements: lock the account and read the terms, read the account, write it, tell of it. A
// refund, a reversal or the commit of a hold reads what it refers to by one more.
#pragma once

#include "pg/ledger/posting.hpp"
#include "pg/server/for_extent.hpp"

namespace loyalty::pg {

struct Booking {
    // The transaction that was booked before for the same posting; then there is no other.
    std::optional<Uuid> repeated;
    Uuid id{};
    ledger::Entry entry;
    int scale = 0;
    TimestampTz booked_at = 0;
    std::optional<TimestampTz> active_from, expires_at;
    std::int64_t expired_at_once = 0;  // of the points credited or given back, whose date has passed
};

Booking book(const Posting& posting);

// A booking that is decided, and not written yet: which entry of its account it is; none where it was booked before.
struct Decision {
    Booking booking;
    std::optional<std::size_t> entry;
};

// For whoever books many: decides on a posting, whose form was checked, in an account that is locked and read, with the
// lots that it may take. Its entries, and those that follow from it, get their ids.
Decision decide(const Posting& posting, const KeyArguments& key, AccountState& state, std::vector<Uuid>& ids);

// Books it and inserts its row, too: for the functions of the schema's owner that need no answer in JSON.
Booking post(const Posting& posting);

// For the extent of an object, a repeated posting is no news to the caller: functions answer with the first
// transaction.
class Quietly : public ForExtent<Quietly> {};

}  // namespace loyalty::pg
