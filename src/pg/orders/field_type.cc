// Whether a product's custom field is what loyalty.fields says: the same judge as for those of orders.
#include "codec/listed_fields.hpp"
#include "core/error.hpp"

#include "pg/server/jsonb.hpp"
#include "pg/server/values.hpp"

namespace {

using namespace loyalty;

// What no document may be, too deep or with too long a key, is of no type.
bool is_of_type(Datum value, FieldType type) {
    const std::string_view text = pg::jsonb_text(value);
    try {
        return codec::is_of_type(codec::JsonDocument(text).root(), type);
    } catch (const Error&) {
        return false;
    }
}

}  // namespace

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_is_of_field_type);
Datum loyalty_is_of_field_type(PG_FUNCTION_ARGS) {
    return pg::guarded([&]() -> Datum {
        const auto type = codec::find_field_type(pg::text_of(PG_GETARG_DATUM(1)));
        return BoolGetDatum(type && is_of_type(PG_GETARG_DATUM(0), *type));
    });
}
}
