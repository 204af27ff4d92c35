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

}  // namespace loyalty::pg
