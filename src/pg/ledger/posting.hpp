// What a caller asks the ledger to book.
#pragma once

#include "pg/ledger/store.hpp"

namespace loyalty::pg {

// A row of loyalty.transactions without the figures.
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
    // By the functions for orders: an inactive program does not hinder what was promised, and dynamic tiers are judged
    // when the order is written.
    bool of_order = false;
    std::optional<bool> locked;     // the member is locked already: and whether removed
    bool promotion_locked = false;  // so that no foreign key need look for it
};

// Error LY506 where callers have no such type.
ledger::Type read_type(const std::string& type);

constexpr int sign_of(ledger::Type type) {
    return type == ledger::Type::redemption || type == ledger::Type::reversal ? -1 : 1;
}
constexpr bool is_credit(ledger::Type type) {
    return type == ledger::Type::accrual || type == ledger::Type::initial;
}

// What can be said of a posting by itself. Errors: LY102, LY506, LY511, LY512, LY525, LY526.
void check_form(const Posting& posting);

// Error LY525 where it is one that only the ledger itself gives.
void refuse_own_source(const std::optional<std::string>& source_type);

// Errors LY526, LY102: a source without its type, an empty type, data that are no object.
void check_attachments(const std::optional<std::string>& source_type, const std::optional<std::string>& source,
                       const std::optional<Datum>& data);

}  // namespace loyalty::pg
