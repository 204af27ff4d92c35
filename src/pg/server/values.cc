#include "pg/server/values.hpp"

#include "core/money/decimal.hpp"

#include <algorithm>
#include <cstring>

extern "C" {
#include "utils/uuid.h"
}

namespace loyalty::pg {

namespace {

struct Element {
    Datum value;
    bool is_null;
};

struct ElementType {
    Oid type;
    int length;
    bool by_value;
    char alignment;
};

constexpr ElementType bigint_type{INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE};
constexpr ElementType timestamp_type{TIMESTAMPTZOID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE};
constexpr ElementType numeric_type{NUMERICOID, -1, false, TYPALIGN_INT};
constexpr ElementType uuid_type{UUIDOID, UUID_LEN, false, TYPALIGN_CHAR};
constexpr ElementType text_type{TEXTOID, -1, false, TYPALIGN_INT};
constexpr ElementType jsonb_type{JSONBOID, -1, false, TYPALIGN_INT};

Argument array_argument(const std::vector<Element>& elements, const ElementType& type) {
    const Element* first = elements.data();
    const int count = static_cast<int>(elements.size());
    return {postgres([=] {
                auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * static_cast<std::size_t>(count) + 1));
                auto* nulls = static_cast<bool*>(palloc(sizeof(bool) * static_cast<std::size_t>(count) + 1));
                for (int i = 0; i < count; i++) {
                    values[i] = first[i].value;
                    nulls[i] = first[i].is_null;
                }
                int lower = 1;
                int size = count;
                return PointerGetDatum(construct_md_array(values, nulls, 1, &size, &lower, type.type, type.length,
                                                          type.by_value, type.alignment));
            }),
            false};
}

template <class Values, class Make>
Argument array_of(const Values& values, const ElementType& type, const Make& make) {
    std::vector<Element> elements;
    elements.reserve(values.size());
    for (const auto& value : values) {
        const Argument element = make(value);
        elements.push_back({element.value, element.is_null});
    }
    return array_argument(elements, type);
}

}  // namespace

namespace {

// Asked for in advance, since asking costs more than the bytes.
void take_random(std::uint8_t* bytes, std::size_t count) {
    static std::array<std::uint8_t, 512> pool;
    static std::size_t used = pool.size();
    if (used + count > pool.size()) {
        postgres([] {
            if (!pg_strong_random(pool.data(), pool.size())) elog(ERROR, "could not generate random bytes");
        });
        used = 0;
    }
    std::copy_n(pool.data() + used, count, bytes);
    used += count;
}

}  // namespace

// 60 bits of time, in units of 1/4096 of a millisecond, never the same twice in a session; the rest is random.
Uuid make_uuid() {
    static std::uint64_t last = 0;
    const auto microseconds =
        static_cast<std::uint64_t>(GetCurrentTimestamp() + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY);
    const std::uint64_t ticks = microseconds / 1000 * 4096 + microseconds % 1000 * 4096 / 1000;
    last = std::max(ticks, last + 1);
    Uuid id;
    take_random(id.data() + 8, 8);
    const std::uint64_t milliseconds = last >> 12;
    for (std::size_t i = 0; i < 6; i++) id[i] = static_cast<std::uint8_t>(milliseconds >> (40 - 8 * i));
    id[6] = static_cast<std::uint8_t>(0x70 | (last >> 8 & 0x0f));
    id[7] = static_cast<std::uint8_t>(last);
    id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80);
    return id;
}

Datum text_datum(std::string_view text) { return text_argument(text).value; }

Datum uuid_datum(const Uuid& id) {
    const std::uint8_t* bytes = id.data();
    return postgres([=] {
        auto* copy = static_cast<pg_uuid_t*>(palloc(sizeof(pg_uuid_t)));
        memcpy(copy->data, bytes, UUID_LEN);
        return UUIDPGetDatum(copy);
    });
}

Datum numeric_datum(std::int64_t units, int scale) {
    return postgres([=] { return NumericGetDatum(int64_div_fast_to_numeric(units, scale)); });
}

Argument optional_text_argument(const std::optional<std::string>& text) {
    return text ? text_argument(*text) : null_argument();
}

Argument optional_timestamp_argument(const std::optional<TimestampTz>& at) {
    return at ? timestamp_argument(*at) : null_argument();
}

Argument optional_bigint_argument(const std::optional<std::int64_t>& value) {
    return value ? bigint_argument(*value) : null_argument();
}

Argument optional_uuid_argument(const std::optional<Uuid>& id) { return id ? uuid_argument(*id) : null_argument(); }

Argument optional_datum_argument(const std::optional<Datum>& datum) {
    return datum ? Argument{*datum, false} : null_argument();
}

Argument bigints_argument(const std::vector<std::int64_t>& values) {
    return array_of(values, bigint_type, bigint_argument);
}

Argument optional_bigints_argument(const std::vector<std::optional<std::int64_t>>& values) {
    return array_of(values, bigint_type, optional_bigint_argument);
}

Argument units_array_argument(const std::vector<std::int64_t>& units, int scale) {
    return array_of(units, numeric_type, [=](std::int64_t value) { return units_argument(value, scale); });
}

Argument numerics_argument(const std::vector<Datum>& values) {
    return array_of(values, numeric_type, [](Datum value) { return Argument{value, false}; });
}

Argument timestamps_argument(const std::vector<TimestampTz>& values) {
    return array_of(values, timestamp_type, timestamp_argument);
}

Argument optional_timestamps_argument(const std::vector<std::optional<TimestampTz>>& values) {
    return array_of(values, timestamp_type, optional_timestamp_argument);
}

Argument jsonbs_argument(const std::vector<Datum>& values) {
    return array_of(values, jsonb_type, [](Datum value) { return Argument{value, false}; });
}

Argument optional_jsonbs_argument(const std::vector<std::optional<Datum>>& values) {
    return array_of(values, jsonb_type, optional_datum_argument);
}

Argument uuids_argument(const std::vector<Uuid>& ids) { return array_of(ids, uuid_type, uuid_argument); }

Argument optional_texts_argument(const std::vector<std::optional<std::string>>& texts) {
    return array_of(texts, text_type, optional_text_argument);
}

namespace {

std::vector<std::int64_t> of_eight_bytes(const ArrayType* array) {
    if (!array) return {};
    const int count = postgres([=] { return ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)); });
    const auto* first = reinterpret_cast<const std::int64_t*>(ARR_DATA_PTR(array));
    return {first, first + count};
}

}  // namespace

std::vector<std::int64_t> bigints_at(const Rows& rows, std::uint64_t row, int column) {
    return of_eight_bytes(rows.plain_array(row, column, INT8ARRAYOID));
}

std::vector<TimestampTz> timestamps_at(const Rows& rows, std::uint64_t row, int column) {
    return of_eight_bytes(rows.plain_array(row, column, TIMESTAMPTZARRAYOID));
}

std::int64_t units_of(Datum numeric, int scale) {
    const char* text = postgres([=] { return DatumGetCString(DirectFunctionCall1(numeric_out, numeric)); });
    const auto value = Decimal::parse(text);
    const auto units = value ? value->units(scale) : std::nullopt;
    if (!units) {
        throw Error(sqlstate::points_overflow, "a number of points is too large", std::string("It is ") + text + ".",
                    "A number of points has at most 18 digits.");
    }
    return *units;
}

Uuid uuid_of(Datum uuid) {
    Uuid id;
    std::memcpy(id.data(), DatumGetUUIDP(uuid)->data, UUID_LEN);
    return id;
}

std::string show(const Uuid& id) {
    const Datum datum = uuid_datum(id);
    return postgres([=] { return DatumGetCString(DirectFunctionCall1(uuid_out, datum)); });
}

}  // namespace loyalty::pg
