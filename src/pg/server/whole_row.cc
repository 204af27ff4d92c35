#include "pg/server/whole_row.hpp"

#include "pg/server/trigger.hpp"

extern "C" {
#include "access/htup_details.h"
#include "utils/typcache.h"
}

namespace loyalty::pg {

namespace {

// Kept for the session.
Datum make_numeric(const char* text) {
    return postgres([=] {
        const MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);
        const Datum made =
            DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
        MemoryContextSwitchTo(before);
        return made;
    });
}

struct Values {
    Datum* values;
    bool* nulls;
};

}  // namespace

Figure Figure::zero() {
    static const Datum made = make_numeric("0");
    return Figure(made);
}

Figure Figure::infinity() {
    static const Datum made = make_numeric("Infinity");
    return Figure(made);
}

Figure operator+(const Figure& a, const Figure& b) {
    const Datum left = a.value_, right = b.value_;
    return Figure(postgres([=] { return DirectFunctionCall2(numeric_add, left, right); }));
}

Figure operator-(const Figure& a, const Figure& b) {
    const Datum left = a.value_, right = b.value_;
    return Figure(postgres([=] { return DirectFunctionCall2(numeric_sub, left, right); }));
}

std::strong_ordering operator<=>(const Figure& a, const Figure& b) {
    const Datum left = a.value_, right = b.value_;
    return postgres([=] { return DatumGetInt32(DirectFunctionCall2(numeric_cmp, left, right)); }) <=> 0;
}

void RowShape::find(TupleDesc row) {
    for (std::size_t i = 0; i < columns_.size(); i++) places_[i] = column_of(row, columns_[i].name, columns_[i].type);
}

WholeRow::WholeRow(FunctionCallInfo fcinfo, RowShape& shape) : shape_(shape) {
    const Datum given = PG_GETARG_DATUM(0);
    const HeapTupleHeader row = postgres([=] { return DatumGetHeapTupleHeader(given); });
    const Oid type = HeapTupleHeaderGetTypeId(row);
    const std::int32_t modifier = HeapTupleHeaderGetTypMod(row);
    const std::uint64_t version = postgres([=] { return assign_record_type_identifier(type, modifier); });
    if (version != shape.version_) {
        shape.find(postgres([=] { return lookup_rowtype_tupdesc_copy(type, modifier); }));
        shape.version_ = version;
    }
    const auto [values, nulls] = postgres([=] {
        const TupleDesc columns = lookup_rowtype_tupdesc(type, modifier);
        const auto count = static_cast<std::size_t>(columns->natts);
        HeapTupleData tuple{};
        tuple.t_len = HeapTupleHeaderGetDatumLength(row);
        tuple.t_data = row;
        Values read{static_cast<Datum*>(palloc(count * sizeof(Datum))), static_cast<bool*>(palloc(count))};
        heap_deform_tuple(&tuple, columns, read.values, read.nulls);
        ReleaseTupleDesc(columns);
        return read;
    });
    values_ = values;
    nulls_ = nulls;
}

Datum WholeRow::datum(int column) const {
    if (!is_null(column)) return values_[place(column)];
    throw Error(sqlstate::data_corrupted,
                std::string("column \"") + shape_.columns_[static_cast<std::size_t>(column)].name + "\" is null", {},
                "A table of schema loyalty was altered: compare it with that of a fresh installation.");
}

Datum judge_row(FunctionCallInfo call, bool (*obeys)(FunctionCallInfo)) {
    return guarded([&]() -> Datum { return BoolGetDatum(obeys(call)); });
}

}  // namespace loyalty::pg
