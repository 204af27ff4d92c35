// Giving back what an order's units carried: by returns, by cancellation, by a status of kind refunded.
#pragma once

#include "codec/return_reader.hpp"

#include <optional>
#include <string>
#include <vector>

#include "pg/orders/store.hpp"

namespace loyalty::pg {

// What comes back.
struct Return {
    enum class Kind { items, cancellation, refund };

    Kind kind = Kind::items;
    std::vector<codec::ReturnedItem> items;  // of Kind::items; the others take all that is left …
    std::optional<std::string> line;         // … of this line, or of all lines
    bool shipping = false;
    std::optional<std::string> external_id;  // of Kind::items, with what was asked for
    std::optional<Datum> request;
    std::string status;  // of the order or the line afterwards; empty: as it was
};

// Books it, and answers: jsonb in the current memory context. Errors: LY606, LY607, LY611.
Datum give_back(const LockedOrder& order, const Return& given);

// The answer of the last cancellation or refund of a whole order that is final. Error LY605 where there is none.
Datum last_answer(const LockedOrder& order);

// An answer with whether it was given before: jsonb in the memory context `into`.
Datum with_repeated(Datum answer, bool repeated, MemoryContext into);

}  // namespace loyalty::pg
