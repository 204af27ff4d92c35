// Queries from C++: saved plans, and rows as plain values.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pg/server/doors.hpp"

namespace loyalty::pg {

// A connection to SPI for the extent of an object. When a statement fails, the transaction's end cleans up instead.
class Spi {
public:
    Spi();
    ~Spi();
    Spi(const Spi&) = delete;
    Spi& operator=(const Spi&) = delete;

private:
    int exceptions_;
};

// An argument of a query. Strings and arrays are copied into the current memory context.
struct Argument {
    Datum value = 0;
    bool is_null = false;
};

Argument text_argument(std::string_view text);
Argument texts_argument(std::span<const std::string> texts);
Argument integers_argument(std::span<const std::int32_t> integers);
inline Argument integer_argument(std::int32_t value) { return {Int32GetDatum(value), false}; }
inline Argument timestamp_argument(TimestampTz at) { return {TimestampTzGetDatum(at), false}; }

// A text, or an array of texts or of a domain over text (null elements are empty), as UTF-8.
std::string text_of(Datum datum);
std::vector<std::string> texts_of(Datum array);

// The rows of a query. They live until the connection ends.
//
// A kept plan is made anew when a table changes, and then may give other types than before; a table's owner may have
// altered it. So each read says which type it takes, and is checked: error XX001, which names the column and the query,
// where there is no such row or column, the type is another one, or a value is null that has to be there. A domain
// passes as its base type.
class Rows {
public:
    explicit Rows(SPITupleTable* table, std::uint64_t count, const char* query = "")
        : table_(table), count_(count), query_(query) {}

    std::uint64_t size() const { return count_; }
    bool is_null(std::uint64_t row, int column) const;
    // False where it is null.
    bool boolean(std::uint64_t row, int column) const;
    std::int32_t integer(std::uint64_t row, int column) const;
    Oid oid(std::uint64_t row, int column) const;
    std::string text(std::uint64_t row, int column) const;
    std::optional<std::string> optional_text(std::uint64_t row, int column) const;
    // Of none where the array is null.
    std::vector<std::string> texts(std::uint64_t row, int column) const;
    std::vector<std::int32_t> integers(std::uint64_t row, int column) const;
    // Of lists that belong together: error XX001 where there are not so many elements.
    std::vector<std::string> texts(std::uint64_t row, int column, std::size_t count) const;
    std::vector<std::int32_t> integers(std::uint64_t row, int column, std::size_t count) const;
    Datum datum(std::uint64_t row, int column, Oid type) const;
    std::optional<Datum> optional_datum(std::uint64_t row, int column, Oid type) const;
    // An array without nulls, which of a type of fixed size is a plain C array; no array where it is null.
    const ArrayType* plain_array(std::uint64_t row, int column, Oid array_type) const;
    Oid type(int column) const;
    // Error XX001 where the rows have another number of columns.
    void require_columns(int count) const;
    // Whatever its type is, as the server writes it.
    std::string shown(std::uint64_t row, int column) const;

private:
    struct Value {
        Datum datum;
        bool is_null;
    };

    Value value(std::uint64_t row, int column) const;
    void check_type(int column, Oid type) const;
    void check_count(std::uint64_t row, int column, std::size_t found, std::size_t count) const;
    [[noreturn]] void fail(std::uint64_t row, int column, const std::string& what) const;

    SPITupleTable* table_;
    std::uint64_t count_;
    const char* query_;
};

// How a query is planned: for finding rows by whole keys, see keyed_plan.hpp; likewise, but with relations of others,
// which may want what is switched off there; or as the planner likes, which is for queries that read much at once.
enum class Plan { by_keys, of_others, free };

// A query that is planned once per backend, for any arguments: planning anew for each costs more than these short
// queries themselves. Declare it `static` beside its text. Names in the text are schema-qualified.
class Query {
public:
    Query(std::string text, std::initializer_list<Oid> types, Plan kind = Plan::by_keys)
        : text_(std::move(text)), types_(types), kind_(kind) {}
    // A statement that writes rows, with the names of foreign keys that run_proven() leaves out: see proven_keys.hpp.
    Query(std::string text, std::initializer_list<Oid> types, std::initializer_list<const char*> proven)
        : text_(std::move(text)), types_(types), kind_(Plan::by_keys), proven_(proven) {}

    static constexpr int max_arguments = 40;

    // Runs it under the active snapshot; with `writes`, as a statement that sees what came before it.
    Rows run(std::initializer_list<Argument> arguments, bool writes = false);

    // Runs it as one that writes, where the caller has written or locked what the keys refer to in the same
    // transaction.
    Rows run_proven(std::initializer_list<Argument> arguments);

    // For a statement about `count` keys, given in arrays. A plan kept from when the tables were small may read them
    // from end to end for each key (measured), so a statement about many is planned for itself.
    Rows run_for(std::size_t count, std::initializer_list<Argument> arguments, bool writes = false);

    // Frees the plan; the next run makes it again. Not while it runs. There is no destructor that would: most queries
    // are static, and at the process's end there is no server any more.
    void forget();

private:
    Rows run_once(std::initializer_list<Argument> arguments, bool writes);
    std::string text_;
    std::vector<Oid> types_;
    Plan kind_;
    std::vector<const char*> proven_;
    SPIPlanPtr plan_ = nullptr;
};

// Makes the latest snapshot the active one for the extent of an object: what is cached must be what is committed now,
// not what an old transaction still sees.
class LatestSnapshot {
public:
    LatestSnapshot();
    ~LatestSnapshot();
    LatestSnapshot(const LatestSnapshot&) = delete;
    LatestSnapshot& operator=(const LatestSnapshot&) = delete;

private:
    int exceptions_;
};

// For the extent of an object, queries see what is committed now and what this transaction has written so far. What is
// read of a locked row's belongings is read so: under an old snapshot the writing that follows fails, and nothing stale
// is booked.
class FreshSnapshot {
public:
    FreshSnapshot() : latest_(after_own_writes()) {}

private:
    static LatestSnapshot after_own_writes() {
        postgres([] { CommandCounterIncrement(); });
        return LatestSnapshot();
    }
    LatestSnapshot latest_;
};

}  // namespace loyalty::pg
