// Holds: temporary accruals and redemptions. Making and rolling back are here; committing books a transaction.
#pragma once

#include "pg/ledger/book.hpp"

namespace loyalty::pg {

// What was given: a row of loyalty.holds.
struct Hold {
    AccountKey key;
    std::string type;
    std::optional<Datum> amount;
    std::optional<Datum> time_out;
    std::optional<std::string> external_id;
    std::optional<TimestampTz> active_from, expires_at;
    std::optional<std::string> source_type, source, promotion, comment;
    std::optional<Datum> data;
};

struct MadeHold {
    Uuid id{};
    bool repeated = false;  // it was made before, for the same request
};

MadeHold make_hold(const Hold& hold);

// Rolls a hold back; false where it has ended before. Error LY518 where it was committed.
bool roll_back(const AccountKey& key, const Uuid& hold);

}  // namespace loyalty::pg
