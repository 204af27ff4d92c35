#include "pg/server/arguments.hpp"

extern "C" {
#include "utils/datum.h"
}

namespace loyalty::pg {

std::optional<std::string> Arguments::text(int argument) const {
    const auto value = datum(argument);
    return value ? std::optional(text_of(*value)) : std::nullopt;
}

std::optional<TimestampTz> Arguments::moment(int argument) const {
    const auto value = datum(argument);
    return value ? std::optional(DatumGetTimestampTz(*value)) : std::nullopt;
}

std::optional<Uuid> Arguments::uuid(int argument) const {
    const auto value = datum(argument);
    return value ? std::optional(uuid_of(*value)) : std::nullopt;
}

std::optional<std::int32_t> Arguments::integer(int argument) const {
    const auto value = datum(argument);
    return value ? std::optional(DatumGetInt32(*value)) : std::nullopt;
}

std::string Arguments::required(int argument, const char* name) const {
    const auto value = text(argument);
    if (!value) throw Error(sqlstate::missing_field, std::string("argument \"") + name + "\" is missing");
    return *value;
}

namespace {

// Of a domain, what it is made of. A caller of a function that returns records may say anything.
std::vector<Oid> declared_types(TupleDesc declared, int columns) {
    if (declared->natts != columns) throw Error("42804", "the function gives " + std::to_string(columns) + " columns");
    std::vector<Oid> types;
    for (int column = 0; column < columns; column++) {
        const Oid type = TupleDescAttr(declared, column)->atttypid;
        types.push_back(postgres([=] { return getBaseType(type); }));
    }
    return types;
}

}  // namespace

Datum return_rows(FunctionCallInfo call, const Rows& rows, int columns) {
    postgres([=] { InitMaterializedSRF(call, MAT_SRF_USE_EXPECTED_DESC); });
    auto* result = reinterpret_cast<ReturnSetInfo*>(call->resultinfo);
    const std::vector<Oid> types = declared_types(result->setDesc, columns);
    std::vector<Datum> values(static_cast<std::size_t>(columns));
    std::vector<char> nulls(static_cast<std::size_t>(columns));
    static_assert(sizeof(bool) == sizeof(char));
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        for (int column = 1; column <= columns; column++) {
            const auto place = static_cast<std::size_t>(column - 1);
            const auto value = rows.optional_datum(row, column, types[place]);
            values[place] = value.value_or(Datum{0});
            nulls[place] = !value;
        }
        Datum* datums = values.data();
        bool* is_null = reinterpret_cast<bool*>(nulls.data());
        postgres([=] { tuplestore_putvalues(result->setResult, result->setDesc, datums, is_null); });
    }
    return 0;
}

Datum copy_out(Datum value, MemoryContext into) {
    return postgres([=] {
        const MemoryContext before = MemoryContextSwitchTo(into);
        const Datum copy = datumCopy(value, false, -1);
        MemoryContextSwitchTo(before);
        return copy;
    });
}

}  // namespace loyalty::pg
