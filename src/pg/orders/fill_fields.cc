// What a product lacks of its custom fields is filled in as loyalty.fields lists it, before its row is written. Where a
// program lists no default, a row costs a look at what the session keeps.
#include <memory>
#include <set>

#include "pg/server/arguments.hpp"
#include "pg/server/kept_value.hpp"
#include "pg/server/trigger.hpp"

extern "C" {
#include "access/htup_details.h"
}

namespace loyalty::pg {

namespace {

// Programs that list a default for a field of products.
using Programs = std::shared_ptr<const std::set<std::string>>;

Programs read_programs() {
    static Query query(
        "SELECT DISTINCT program::text FROM loyalty.fields WHERE kind = 'product' AND default_value IS NOT NULL", {});
    const Rows rows = query.run({});
    auto programs = std::make_shared<std::set<std::string>>();
    for (std::uint64_t row = 0; row < rows.size(); row++) programs->insert(rows.text(row, 1));
    return programs;
}

// Changes of loyalty.fields are told as those of loyalty.programs are (sql/live/05-cache.sql).
bool lists_defaults(const std::string& program) {
    static KeptValue<Programs> kept("programs", read_programs);
    const auto programs = kept.get();
    return !programs || (*programs)->contains(program);
}

// The fields with the defaults of those that are not there, or are null; nothing where none is missing.
std::optional<Datum> filled(const std::string& program, Datum fields) {
    static Query query(
        "SELECT $2 || jsonb_object_agg(f.name, f.default_value) FROM loyalty.fields f"
        " WHERE f.program = $1 AND f.kind = 'product' AND f.default_value IS NOT NULL"
        "   AND coalesce(jsonb_typeof($2 -> f.name::text), 'null') = 'null'",
        {TEXTOID, JSONBOID});
    const MemoryContext into = CurrentMemoryContext;
    const AsOwner as_owner = AsOwner::reading();
    const Spi connection;
    const FreshSnapshot snapshot;
    const Rows rows = query.run({text_argument(program), {fields, false}});
    if (rows.is_null(0, 1)) return std::nullopt;
    return copy_out(rows.datum(0, 1, JSONBOID), into);
}

std::optional<Datum> value_of(HeapTuple row, const char* column, Oid type, TupleDesc description) {
    const int number = column_of(description, column, type);
    bool is_null;
    const Datum value = heap_getattr(row, number, description, &is_null);
    return is_null ? std::nullopt : std::optional(value);
}

HeapTuple before_row(HeapTuple row, TupleDesc description) {
    const auto program = value_of(row, "program", TEXTOID, description);
    const auto fields = value_of(row, "fields", JSONBOID, description);
    if (!program || !fields) return row;
    const std::string name = text_of(*program);
    if (!lists_defaults(name)) return row;
    const auto all = filled(name, *fields);
    if (!all) return row;
    const Datum value = *all;
    const int number = column_of(description, "fields", JSONBOID);
    return postgres([=] {
        int column = number;
        Datum filled_in = value;
        bool is_null = false;
        return heap_modify_tuple_by_cols(row, description, 1, &column, &filled_in, &is_null);
    });
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_fill_fields_trigger);
Datum loyalty_fill_fields_trigger(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const OwnTrigger trigger(fcinfo, "loyalty_internal.fill_fields_trigger");
        const bool is_update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
        trigger.require(trigger.is_for_row() && trigger.is_before() && (trigger.is_insert() || is_update),
                        "BEFORE INSERT OR UPDATE ... FOR EACH ROW");
        return PointerGetDatum(before_row(is_update ? trigger->tg_newtuple : trigger->tg_trigtuple, trigger.row()));
    });
}
}
