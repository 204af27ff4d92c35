// A row that a check constraint hands over whole, to a function that judges it.
//
// The server reads and plans the text of each check constraint anew for every statement, some four microseconds for
// each kilobyte of it, and a rule on one figure takes a third of one. In a booking that was a seventh of the
// processor's time, in an order a fifth (measured). So a table that bookings or orders write has one constraint, which
// is short: CHECK (loyalty_internal.lot_is_well_formed(lots)). What it says stands in C++.
#pragma once

#include <compare>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "pg/server/spi.hpp"

namespace loyalty::pg {

// A numeric, compared as the server does: NaN is above all others, infinity included.
class Figure {
public:
    explicit Figure(Datum value) : value_(value) {}
    static Figure zero();
    static Figure infinity();

    bool is_positive() const { return *this > zero() && *this < infinity(); }
    bool is_not_negative() const { return *this >= zero() && *this < infinity(); }

    friend Figure operator+(const Figure& a, const Figure& b);
    friend Figure operator-(const Figure& a, const Figure& b);
    friend std::strong_ordering operator<=>(const Figure& a, const Figure& b);
    friend bool operator==(const Figure& a, const Figure& b) { return (a <=> b) == std::strong_ordering::equal; }

private:
    Datum value_;
};

// Where the columns that rules ask for stand in a table; looked for again when the table was altered.
class RowShape {
public:
    struct Column {
        const char* name;
        Oid type;
    };
    RowShape(std::initializer_list<Column> columns) : columns_(columns), places_(columns.size()) {}

private:
    friend class WholeRow;
    void find(TupleDesc row);

    std::vector<Column> columns_;
    std::vector<int> places_;
    std::uint64_t version_ = 0;  // of the row's type, as the server numbers them
};

class WholeRow {
public:
    // The call's only argument. Error LY724 where a column is missing, XX001 where it is of another type.
    WholeRow(FunctionCallInfo fcinfo, RowShape& shape);

    // Columns by their number in the shape. Error XX001 where one is null.
    bool is_null(int column) const { return nulls_[place(column)]; }
    Datum datum(int column) const;
    Figure figure(int column) const { return Figure(datum(column)); }
    std::string text(int column) const { return text_of(datum(column)); }
    std::int64_t bigint(int column) const { return DatumGetInt64(datum(column)); }
    std::int32_t integer(int column) const { return DatumGetInt32(datum(column)); }
    bool boolean(int column) const { return DatumGetBool(datum(column)); }
    TimestampTz moment(int column) const { return DatumGetTimestampTz(datum(column)); }

private:
    std::size_t place(int column) const {
        return static_cast<std::size_t>(shape_.places_[static_cast<std::size_t>(column)] - 1);
    }

    const RowShape& shape_;
    const Datum* values_ = nullptr;
    const bool* nulls_ = nullptr;
};

// What the SQL function answers: whether the row obeys the rules.
Datum judge_row(FunctionCallInfo call, bool (*obeys)(FunctionCallInfo));

}  // namespace loyalty::pg
