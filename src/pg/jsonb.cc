#include "pg/jsonb.hpp"

namespace loyalty::pg {

namespace {

struct Text {
    const char* data;
    std::size_t size;
};

}  // namespace

std::string_view jsonb_text(Datum datum) {
    const Text text = postgres([=] {
        Jsonb* jsonb = DatumGetJsonbP(datum);
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

Datum JsonbWriter::take() {
    const Piece* first = pieces_.data();
    const std::size_t count = pieces_.size();
    return postgres([=] {
        JsonbParseState* state = nullptr;
        JsonbValue* result = nullptr;
        for (std::size_t i = 0; i < count; i++) push(&state, first[i], &result);
        return JsonbPGetDatum(JsonbValueToJsonb(result));
    });
}

void JsonbWriter::push(JsonbParseState** state, const Piece& piece, JsonbValue** result) {
    const auto token = static_cast<JsonbIteratorToken>(piece.token);
    if (token != WJB_KEY && token != WJB_VALUE) {
        *result = pushJsonbValue(state, token, nullptr);
        return;
    }
    JsonbValue value;
    value.type = static_cast<jbvType>(piece.type);
    if (value.type == jbvString) {
        const int size = static_cast<int>(piece.size);
        value.val.string.val = pg_any_to_server(piece.text, size, PG_UTF8);
        value.val.string.len = value.val.string.val == piece.text ? size : static_cast<int>(strlen(value.val.string.val));
    } else if (value.type == jbvNumeric) {
        value.val.numeric = int64_div_fast_to_numeric(piece.units, static_cast<int>(piece.size));
    } else {
        value.val.boolean = piece.units != 0;
    }
    // Inside an array a value is an element.
    const bool is_element = token == WJB_VALUE && (*state)->contVal.type == jbvArray;
    pushJsonbValue(state, is_element ? WJB_ELEM : token, &value);
}

}  // namespace loyalty::pg
