#include <algorithm>

#include "pg/server/jsonb.hpp"
#include "pg/server/memory.hpp"
#include "pg/server/spi.hpp"

extern "C" {
#include "access/toast_compression.h"
#include "access/toast_internals.h"
#include "utils/datum.h"
}

namespace loyalty::pg {

namespace {

struct Text {
    const char* data;
    std::size_t size;
};

// A number such as 1e131071 is small in jsonb and 128 kB as text. A few of them are harmless, and get an error with
// their path when they are read; thousands would fill the memory before.
void refuse_many_long_numbers(Jsonb* jsonb) {
    constexpr std::size_t harmless_size = 4096;
    constexpr int most = 300;
    if (VARSIZE(jsonb) <= harmless_size) return;
    const Datum bound =
        DirectFunctionCall3(numeric_in, CStringGetDatum("1e40"), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
    const auto is_long = [=](Datum number) {
        return DatumGetInt32(DirectFunctionCall1(numeric_scale, number)) > 40 ||
               DatumGetInt32(DirectFunctionCall2(numeric_cmp, DirectFunctionCall1(numeric_abs, number), bound)) > 0;
    };
    JsonbIterator* iterator = JsonbIteratorInit(&jsonb->root);
    JsonbValue value;
    int found = 0;
    for (auto token = JsonbIteratorNext(&iterator, &value, false); token != WJB_DONE;
         token = JsonbIteratorNext(&iterator, &value, false)) {
        if ((token != WJB_VALUE && token != WJB_ELEM) || value.type != jbvNumeric) continue;
        if (!is_long(NumericGetDatum(value.val.numeric)) || ++found <= most) continue;
        ereport(ERROR, (errcode(MAKE_SQLSTATE('L', 'Y', '1', '0', '4')),
                        errmsg("invalid order: more than %d numbers are out of range", most),
                        errhint("Numbers have at most 36 digits before and after the point.")));
    }
}

// The server cannot be interrupted while it compresses, and pglz, its default, takes 10 ms for each MB. LZ4 takes a
// tenth.
char method_for(std::size_t size) {
#ifdef USE_LZ4
    constexpr std::size_t soon_enough = 2 * 1024 * 1024;
    if (size > soon_enough) return TOAST_LZ4_COMPRESSION;
#endif
    return InvalidCompressionMethod;
}

}  // namespace

std::string_view jsonb_text(Datum datum) {
    const Text text = postgres([=] {
        Jsonb* jsonb = DatumGetJsonbP(datum);
        refuse_many_long_numbers(jsonb);
        char* json = JsonbToCString(nullptr, &jsonb->root, static_cast<int>(VARSIZE(jsonb)));
        char* utf8 = pg_server_to_any(json, static_cast<int>(strlen(json)), PG_UTF8);
        return Text{utf8, strlen(utf8)};
    });
    return {text.data, text.size};
}

Datum jsonb_from_text(const std::string& json) {
    const char* data = json.c_str();
    const int size = static_cast<int>(json.size());
    return postgres([=] {
        char* text = pg_any_to_server(data, size, PG_UTF8);
        return DirectFunctionCall1(jsonb_in, CStringGetDatum(text));
    });
}

Datum compressed(Datum jsonb) {
    // Of less than this the header is most of what is gained.
    constexpr std::size_t least = 100;
    return postgres([=] {
        const auto* value = reinterpret_cast<const varlena*>(DatumGetPointer(jsonb));
        if (VARATT_IS_EXTERNAL(value) || VARATT_IS_COMPRESSED(value) || VARSIZE_ANY(value) < least) return jsonb;
        const Datum shorter = toast_compress_datum(jsonb, method_for(VARSIZE_ANY(value)));
        return DatumGetPointer(shorter) == nullptr ? jsonb : shorter;
    });
}

std::int64_t jsonb_hash(Datum jsonb) {
    return postgres([=] { return DatumGetInt64(DirectFunctionCall2(jsonb_hash_extended, jsonb, Int64GetDatum(0))); });
}

Datum without_keys(Datum jsonb, const std::vector<std::string>& keys) {
    if (keys.empty()) return jsonb;
    const Datum array = texts_argument(keys).value;
    return postgres([=] { return DirectFunctionCall2(jsonb_delete_array, jsonb, array); });
}

void JsonbWriter::check() { check_calculation(); }

void JsonbWriter::require_size(std::size_t size) {
    constexpr std::size_t most = JENTRY_OFFLENMASK;
    if (size > most) {
        throw Error(
            sqlstate::calculation_too_large, "the answer is too large",
            "It would have about " + std::to_string(size >> 20) + " MB; jsonb takes " + std::to_string(most >> 20) +
                " MB.",
            "Ask for less (\"detail\": \"lines\" or \"totals\"), split the order, or let fewer promotions match all of "
            "its lines.");
    }
    CalculationMemory::require(size);
}

Datum JsonbWriter::take(MemoryContext into) {
    JsonbPieces* const pieces = &pieces_;
    postgres([=] { encode_texts(*pieces); });
    const std::size_t room = jsonb_room(pieces_);
    require_size(room);
    check();
    return postgres([=] {
        const MemoryContext before = MemoryContextSwitchTo(into);
        const Datum jsonb = lay_out_jsonb(*pieces, room);
        MemoryContextSwitchTo(before);
        return jsonb;
    });
}

}  // namespace loyalty::pg
