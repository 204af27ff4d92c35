// Booking one row of loyalty.transactions: from what the caller gave to the figures that the row gets.
//
// A booking takes four statements: lock the account and read the terms, read the account, write it, tell of it. A refund, a reversal
// or the commit of a hold reads what it refers to by one more.
#pragma once

#include "pg/ledger/store.hpp"

namespace loyalty::pg {

// What was given: a row of loyalty.transactions without the figures.
struct Posting {
    AccountKey key;
    std::string type;
    std::optional<Datum> value;  // signed; absent only where the ledger's own functions leave it to the booking
    std::optional<std::string> external_id;
    std::optional<TimestampTz> created_at, active_from, expires_at;
    std::optional<std::int64_t> undoes;
    std::optional<Uuid> hold;
    std::optional<std::string> source_type, source, promotion, comment;
    std::optional<Datum> data;
    bool by_owner = false;  // of the schema: the ledger's own functions
    // By the functions for orders: an inactive program does not hinder what was promised, and dynamic tiers are judged when
    // the order is written.
    bool of_order = false;
    std::optional<bool> locked;     // the member is locked already: whether he was removed
    bool promotion_locked = false;  // so that no foreign key need look for it
};

struct Booking {
    std::optional<Uuid>
        repeated;  // the transaction that was booked before for the same posting; then there is no other
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

// What can be said of a posting by itself. Errors: LY102, LY506, LY511, LY512, LY525, LY526.
void check_form(const Posting& posting);

// For whoever books many: decides on a posting, whose form was checked, in an account that is locked and read, with the lots that it may take. Its entries,
// and those that follow from it, get their ids.
Decision decide(const Posting& posting, const KeyArguments& key, AccountState& state, std::vector<Uuid>& ids);

// Books it and inserts its row, too: for the functions of the schema's owner that need no answer in JSON.
Booking post(const Posting& posting);

// For the extent of an object, a repeated posting is no news to the caller: functions answer with the first transaction.
class Quietly {
public:
    Quietly() { depth++; }
    ~Quietly() { depth--; }
    Quietly(const Quietly&) = delete;
    Quietly& operator=(const Quietly&) = delete;

    static inline int depth = 0;
};

// The amount in smallest units. Errors: LY501 to LY505 where it is not finite, zero, of the wrong sign, too fine or too
// large. `sign` is +1 or -1: what the type wants.
std::int64_t read_value(Datum numeric, int sign, int scale, std::string_view noun);

// Errors LY526 and LY501 to LY503 where an amount, which is above zero, is missing, not finite, zero or negative.
void check_amount(const std::optional<Datum>& amount);

// Error LY525 where it is one that only the ledger itself gives.
void refuse_own_source(const std::optional<std::string>& source_type);

// Errors LY526, LY102: a source without its type, an empty type, data that are no object.
void check_attachments(const std::optional<std::string>& source_type, const std::optional<std::string>& source,
                       const std::optional<Datum>& data);

// A number of points as people write it.
std::string show_points(std::int64_t units, int scale);

// Errors LY202, LY508, LY509: the program is inactive, the member was removed, the type is not active.
void require_usable(const Terms& terms, const AccountKey& key, TimestampTz now);

[[noreturn]] void fail_insufficient(const ledger::Account& account, std::int64_t wanted, TimestampTz now, int scale,
                                    const AccountKey& key);

[[noreturn]] void fail_external_id_taken(const std::string& external_id, const std::string& detail);

}  // namespace loyalty::pg
