// Many bookings by one call: rows are decided on in memory, and written by a statement for each table.
//
// Rows are worked on in slices, in the order of their members' keys, those of a member in their own order; all members
// are locked before, in the same order as everybody locks them. Within a slice each row is decided by what books a
// single one, on an account that the rows before it have changed in memory. What cannot be seen there is left to a
// slice of its own, or to a booking by itself: rows of other types, an external id that came just before, a promotion's
// limits.
#pragma once

#include <vector>

#include "pg/ledger/rows.hpp"
#include "pg/server/attempt.hpp"

namespace loyalty::pg {

// What became of a row: one of the three, or nothing yet.
struct RowOutcome {
    enum class Kind : std::uint8_t { none, booked, repeated, refused } kind = Kind::none;
    Uuid transaction{};
    std::size_t trouble = 0;  // its number among the troubles, where it was refused
};

struct ManyOutcomes {
    std::vector<RowOutcome> rows;
    std::vector<Trouble> troubles;
};

// Books all rows or, where `skips`, those for which it works; otherwise the error of the first that is refused is
// raised, and names its row. Error LY201 where there is no such program. As the schema's owner.
ManyOutcomes book_many(const std::string& program, GivenRows& rows, bool skips);

}  // namespace loyalty::pg
