// What a result says that is stored with an order: read from the jsonb as it is, since a text of all of it would cost
// as much as calculating the order anew.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pg/server/postgres.hpp"

namespace loyalty::pg {

struct StoredResult {
    Datum points = 0;                     // jsonb: the points of each type that were earned, credited or pending
    std::vector<std::string> promotions;  // those that had an effect, each once, ascending
};

// Of a result of loyalty_calculate() or loyalty_place_order(); none of what another value is like.
StoredResult read_stored_result(std::optional<Datum> result);

}  // namespace loyalty::pg
