// Rows of queries and arguments of functions, read from the left: what is read stands in the order of the query's list,
// or of the function's signature, and nobody counts. Braced lists are evaluated from the left, too; arguments of a call
// need not be.
#pragma once

#include "pg/server/arguments.hpp"

namespace loyalty::pg {

// One row. Types are checked as Rows checks them.
class ColumnsInTurn {
public:
    explicit ColumnsInTurn(const Rows& rows, std::uint64_t row = 0, int first = 1)
        : rows_(rows), row_(row), next_(first) {}

    bool boolean() { return rows_.boolean(row_, next_++); }
    std::int32_t integer() { return rows_.integer(row_, next_++); }
    std::int64_t bigint() { return bigint_at(rows_, row_, next_++); }
    std::int64_t units(int scale) { return units_at(rows_, row_, next_++, scale); }
    TimestampTz timestamp() { return timestamp_at(rows_, row_, next_++); }
    Oid oid() { return rows_.oid(row_, next_++); }
    Uuid uuid() { return uuid_at(rows_, row_, next_++); }
    std::string text() { return rows_.text(row_, next_++); }
    Datum datum(Oid type) { return rows_.datum(row_, next_++, type); }

    std::optional<std::int32_t> optional_integer() {
        return if_given([&] { return integer(); });
    }
    std::optional<std::int64_t> optional_bigint() {
        return if_given([&] { return bigint(); });
    }
    std::optional<std::int64_t> optional_units(int scale) {
        return if_given([&] { return units(scale); });
    }
    std::optional<TimestampTz> optional_timestamp() {
        return if_given([&] { return timestamp(); });
    }
    std::optional<Uuid> optional_uuid() {
        return if_given([&] { return uuid(); });
    }
    std::optional<std::string> optional_text() { return rows_.optional_text(row_, next_++); }
    std::optional<Datum> optional_datum(Oid type) { return rows_.optional_datum(row_, next_++, type); }

    // Of none where the array is null.
    std::vector<std::string> texts() { return rows_.texts(row_, next_++); }
    std::vector<std::string> texts(std::size_t count) { return rows_.texts(row_, next_++, count); }
    std::vector<std::int32_t> integers() { return rows_.integers(row_, next_++); }
    std::vector<std::int32_t> integers(std::size_t count) { return rows_.integers(row_, next_++, count); }
    std::vector<std::int64_t> bigints() { return bigints_at(rows_, row_, next_++); }
    std::vector<TimestampTz> timestamps() { return timestamps_at(rows_, row_, next_++); }

    // Of the next column, which stays the next: what a relation of a user has can be of any type.
    Oid type() const { return rows_.type(next_); }
    bool is_null() const { return rows_.is_null(row_, next_); }
    // As the server prints it; none where it is null.
    std::optional<std::string> shown() const {
        return is_null() ? std::nullopt : std::optional(rows_.shown(row_, next_));
    }

    // Columns of which nothing is wanted.
    void skip(int count) { next_ += count; }
    // When all are read: error XX001 where the query gives more.
    void end() const { rows_.require_columns(next_ - 1); }

private:
    template <class Read>
    auto if_given(const Read& read) -> std::optional<decltype(read())> {
        if (!is_null()) return read();
        next_++;
        return std::nullopt;
    }

    const Rows& rows_;
    const std::uint64_t row_;
    int next_;
};

// The arguments of a function, each once.
class ArgumentsInTurn {
public:
    explicit ArgumentsInTurn(FunctionCallInfo call) : given_(call) {}

    // Error LY526 where it is null.
    std::string required(const char* name) { return given_.required(next_++, name); }
    std::optional<std::string> text() { return given_.text(next_++); }
    std::optional<TimestampTz> moment() { return given_.moment(next_++); }
    std::optional<Uuid> uuid() { return given_.uuid(next_++); }
    std::optional<std::int32_t> integer() { return given_.integer(next_++); }
    std::optional<Datum> datum() { return given_.datum(next_++); }

private:
    const Arguments given_;
    int next_ = 0;
};

}  // namespace loyalty::pg
