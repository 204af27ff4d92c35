// Values of the ledger as arguments and results of queries: figures are whole numbers of a point type's smallest unit.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/server/spi.hpp"

namespace loyalty::pg {

using Uuid = std::array<std::uint8_t, 16>;

// A new id of version 7: by time, so that ids made later sort later; strictly so within a session.
Uuid make_uuid();

// Datums live in the current memory context.
Datum text_datum(std::string_view text);
Datum uuid_datum(const Uuid& id);
Datum numeric_datum(std::int64_t units, int scale);

inline Argument bigint_argument(std::int64_t value) { return {Int64GetDatum(value), false}; }
inline Argument boolean_argument(bool value) { return {BoolGetDatum(value), false}; }
inline Argument null_argument() { return {0, true}; }
inline Argument units_argument(std::int64_t units, int scale) { return {numeric_datum(units, scale), false}; }
inline Argument uuid_argument(const Uuid& id) { return {uuid_datum(id), false}; }
Argument optional_text_argument(const std::optional<std::string>& text);
Argument optional_timestamp_argument(const std::optional<TimestampTz>& at);
Argument optional_bigint_argument(const std::optional<std::int64_t>& value);
Argument optional_uuid_argument(const std::optional<Uuid>& id);

// A datum, which is null where there is none.
Argument optional_datum_argument(const std::optional<Datum>& datum);

// Arrays; an element that is not there is null.
Argument bigints_argument(const std::vector<std::int64_t>& values);
Argument optional_bigints_argument(const std::vector<std::optional<std::int64_t>>& values);
Argument units_array_argument(const std::vector<std::int64_t>& units, int scale);
Argument timestamps_argument(const std::vector<TimestampTz>& values);
Argument optional_timestamps_argument(const std::vector<std::optional<TimestampTz>>& values);
Argument numerics_argument(const std::vector<Datum>& values);
Argument jsonbs_argument(const std::vector<Datum>& values);
Argument optional_jsonbs_argument(const std::vector<std::optional<Datum>>& values);
Argument uuids_argument(const std::vector<Uuid>& ids);
Argument optional_texts_argument(const std::vector<std::optional<std::string>>& texts);

// An array without nulls; of none where it is null.
std::vector<std::int64_t> bigints_at(const Rows& rows, std::uint64_t row, int column);
std::vector<TimestampTz> timestamps_at(const Rows& rows, std::uint64_t row, int column);

// A stored figure, which fits the scale. Error LY505 where it has more than 18 digits.
std::int64_t units_of(Datum numeric, int scale);
Uuid uuid_of(Datum uuid);
std::string show(const Uuid& id);

inline std::int64_t bigint_at(const Rows& rows, std::uint64_t row, int column) {
    return DatumGetInt64(rows.datum(row, column, INT8OID));
}
inline TimestampTz timestamp_at(const Rows& rows, std::uint64_t row, int column) {
    return DatumGetTimestampTz(rows.datum(row, column, TIMESTAMPTZOID));
}
inline std::int64_t units_at(const Rows& rows, std::uint64_t row, int column, int scale) {
    return units_of(rows.datum(row, column, NUMERICOID), scale);
}
inline Uuid uuid_at(const Rows& rows, std::uint64_t row, int column) {
    return uuid_of(rows.datum(row, column, UUIDOID));
}

}  // namespace loyalty::pg
