// Rows of the ledger as a caller gives them in one jsonb array: objects with the columns that an INSERT into
// loyalty.transactions would name.
#pragma once

#include <string_view>

#include "pg/ledger/book.hpp"

namespace loyalty::pg {

class GivenRows {
public:
    // Error LY102 where it is no array. The rows live as long as the value.
    explicit GivenRows(Datum rows);

    std::size_t size() const { return size_; }

    // Numbers of the rows, those of a member together and in their order, members in the order of their keys.
    std::vector<std::size_t> in_order_of_members() const;

    // The member's key, in the server's encoding; empty where the row names none.
    std::string_view member(std::size_t row) const;

    // What the row asks for. Texts of moments without an offset are of the time zone. Errors LY101, LY102, LY512,
    // LY526.
    Posting posting(std::size_t row, const std::string& program, const std::string& time_zone);

private:
    struct Key {
        const char* text;
        std::size_t size;
    };

    struct Day {
        std::int32_t day;
        TimestampTz end;
    };

    TimestampTz end_of(Datum day, const std::string& program, const std::optional<TimestampTz>& also_given);

    Jsonb* rows_;
    std::size_t size_ = 0;
    std::vector<Key> members_;
    std::optional<Day> last_day_;
};

}  // namespace loyalty::pg
