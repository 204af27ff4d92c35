#include "pg/orders/stored_result.hpp"

#include <algorithm>
#include <cstring>

#include "pg/server/compat.hpp"
#include "pg/server/doors.hpp"
#include "pg/server/spi.hpp"

namespace loyalty::pg {

namespace {

// The functions here are called within the door, hence plain values only.

bool find_value_under(JsonbContainer* object, const char* key, JsonbValue* value) {
    return getKeyJsonValueFromContainer(object, key, static_cast<int>(strlen(key)), value) != nullptr;
}

bool find_text_under(JsonbContainer* object, const char* key, JsonbValue* value) {
    return find_value_under(object, key, value) && value->type == jbvString;
}

// 0 where there is no number.
Datum number_under(JsonbContainer* object, const char* key) {
    JsonbValue value;
    if (find_value_under(object, key, &value) && value.type == jbvNumeric) return NumericGetDatum(value.val.numeric);
    return DirectFunctionCall1(int4_numeric, Int32GetDatum(0));
}

bool is_above_zero(Datum number) {
    return DatumGetBool(DirectFunctionCall2(numeric_gt, number, DirectFunctionCall1(int4_numeric, Int32GetDatum(0))));
}

bool is_not_zero(JsonbContainer* object, const char* key) {
    return is_above_zero(DirectFunctionCall1(numeric_abs, number_under(object, key)));
}

bool stands_under(JsonbContainer* object, const char* key) {
    JsonbValue value;
    return find_value_under(object, key, &value);
}

// As Entry::has_effect() says it of the operation itself.
bool operation_has_effect(JsonbContainer* operation) {
    const bool gives = stands_under(operation, "gift") && !stands_under(operation, "line");
    return stands_under(operation, "text") || stands_under(operation, "pool") || gives ||
           is_not_zero(operation, "discount") || is_not_zero(operation, "points_discount") ||
           is_not_zero(operation, "spent") || is_not_zero(operation, "accrued") || is_not_zero(operation, "pending");
}

// Null where there is none.
JsonbContainer* array_under(JsonbContainer* object, const char* key) {
    JsonbValue array;
    const bool is_array = find_value_under(object, key, &array) && array.type == jbvBinary &&
                          JsonContainerIsArray(array.val.binary.data);
    return is_array ? array.val.binary.data : nullptr;
}

// The objects of an array, where there is one.
template <class Visit>
void each_object(JsonbContainer* array, const Visit& visit) {
    if (array == nullptr) return;
    JsonbIterator* iterator = JsonbIteratorInit(array);
    JsonbValue element;
    for (auto token = JsonbIteratorNext(&iterator, &element, true); token != WJB_DONE;
         token = JsonbIteratorNext(&iterator, &element, true)) {
        if (token != WJB_ELEM || element.type != jbvBinary || !JsonContainerIsObject(element.val.binary.data)) continue;
        CHECK_FOR_INTERRUPTS();
        visit(element.val.binary.data);
    }
}

Datum earned_points(JsonbContainer* result) {
    JsonbBuilding points;
    JsonbBuilding* const to = &points;
    to->push(WJB_BEGIN_OBJECT, nullptr);
    each_object(array_under(result, "points"), [=](JsonbContainer* type) {
        JsonbValue name, earned;
        if (!find_text_under(type, "points", &name)) return;
        const Datum accrued = number_under(type, "accrued"), pending = number_under(type, "pending");
        const Datum sum = DirectFunctionCall2(numeric_add, accrued, pending);
        if (!is_above_zero(sum)) return;
        earned.type = jbvNumeric;
        earned.val.numeric = DatumGetNumeric(sum);
        to->push(WJB_KEY, &name);
        to->push(WJB_VALUE, &earned);
    });
    to->push(WJB_END_OBJECT, nullptr);
    return to->finish();
}

// An array of text, with repetitions.
Datum promotions_with_effect(JsonbContainer* result) {
    ArrayBuildState* promotions = initArrayResult(TEXTOID, CurrentMemoryContext, false);
    each_object(array_under(result, "operations"), [=](JsonbContainer* operation) {
        JsonbValue name;
        if (!operation_has_effect(operation) || !find_text_under(operation, "promotion", &name)) return;
        const Datum text = PointerGetDatum(cstring_to_text_with_len(name.val.string.val, name.val.string.len));
        accumArrayResult(promotions, text, false, TEXTOID, CurrentMemoryContext);
    });
    return makeArrayResult(promotions, CurrentMemoryContext);
}

}  // namespace

StoredResult read_stored_result(std::optional<Datum> result) {
    struct Found {
        Datum points, promotions;
    };
    const Datum given = result.value_or(Datum{0});
    const Found found = postgres([=] {
        Jsonb* jsonb = given == 0 ? nullptr : DatumGetJsonbP(given);
        if (jsonb == nullptr || !JB_ROOT_IS_OBJECT(jsonb)) {
            JsonbBuilding nothing;
            nothing.push(WJB_BEGIN_OBJECT, nullptr);
            nothing.push(WJB_END_OBJECT, nullptr);
            return Found{nothing.finish(), PointerGetDatum(construct_empty_array(TEXTOID))};
        }
        return Found{earned_points(&jsonb->root), promotions_with_effect(&jsonb->root)};
    });
    StoredResult read{found.points, texts_of(found.promotions)};
    std::sort(read.promotions.begin(), read.promotions.end());
    read.promotions.erase(std::unique(read.promotions.begin(), read.promotions.end()), read.promotions.end());
    return read;
}

}  // namespace loyalty::pg
