#include "codec/listed_fields.hpp"

#include "codec/reading.hpp"

#include <algorithm>
#include <chrono>

namespace loyalty::codec {

namespace {

struct NamedType {
    std::string_view name;
    FieldType type;
    std::string_view shown;
};

constexpr NamedType types[] = {
    {"text", FieldType::text, "a text"},
    {"number", FieldType::number, "a number"},
    {"boolean", FieldType::boolean, "true or false"},
    {"date", FieldType::date, "a date with its year in full, such as \"2026-11-30\""},
    {"texts", FieldType::texts, "a list of texts"},
};

std::string_view shown(FieldType type) {
    return std::find_if(std::begin(types), std::end(types), [&](const NamedType& known) { return known.type == type; })
        ->shown;
}

// The year in four digits, as order times have it; one below 100 was written with two.
bool is_date(std::string_view text) {
    if (text.size() != 10) return false;
    for (std::size_t i = 0; i < text.size(); i++) {
        const bool is_dash = i == 4 || i == 7;
        if (is_dash ? text[i] != '-' : (text[i] < '0' || text[i] > '9')) return false;
    }
    const auto number = [&](std::size_t from, std::size_t to) {
        int value = 0;
        for (std::size_t i = from; i < to; i++) value = value * 10 + (text[i] - '0');
        return value;
    };
    const int year = number(0, 4);
    return year >= 100 &&
           std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(number(5, 7))),
                                       std::chrono::day(static_cast<unsigned>(number(8, 10))))
               .ok();
}

bool is_given(const Json* value) { return value && value->kind != Json::Kind::null; }

void check(const Json* value, const Field& field, const Place& place) {
    if (is_given(value)) {
        if (is_of_type(*value, field.type)) return;
        const std::string expected = std::string(shown(field.type)) + ": loyalty.fields lists it so";
        fail_wrong_type(*value, place.member(field.name), expected);
    } else if (field.required && field.default_value.empty()) {
        fail_missing_key(field.name, place);
    }
}

void append(std::string& object, std::string_view name) {
    if (object.size() > 1) object += ',';
    write_string(object, name);
    object += ':';
}

bool has_default(const std::vector<Field>& listed, std::string_view name) {
    return std::any_of(listed.begin(), listed.end(),
                       [&](const Field& field) { return field.name == name && !field.default_value.empty(); });
}

// What was given, and the defaults of the rest. Other nulls stay: a line's hides the product's field.
std::string with_defaults(const Json& fields, const std::vector<Field>& listed) {
    std::string object = "{";
    for (const auto& [name, value] : fields.members) {
        if (!is_given(&value) && has_default(listed, name)) continue;
        append(object, name);
        write_json(object, value);
    }
    for (const auto& field : listed) {
        if (field.default_value.empty() || is_given(fields.find(field.name))) continue;
        append(object, field.name);
        object += field.default_value;
    }
    return object + "}";
}

// `fields` is the JSON text of an object, empty if none.
void fill(std::string& fields, const std::vector<Field>& listed, Origin origin, const Place& place) {
    const std::string before = fields.empty() ? "{}" : fields;
    const JsonDocument document(before);
    const Json& given = document.root();
    bool lacks_defaults = false;
    for (const auto& field : listed) {
        const Json* value = given.find(field.name);
        if (origin == Origin::given) check(value, field, place);
        lacks_defaults = lacks_defaults || (!field.default_value.empty() && !is_given(value));
    }
    if (lacks_defaults) fields = with_defaults(given, listed);
}

}  // namespace

std::optional<FieldType> find_field_type(std::string_view name) {
    for (const auto& known : types) {
        if (known.name == name) return known.type;
    }
    return std::nullopt;
}

bool is_of_type(const Json& value, FieldType type) {
    switch (type) {
        case FieldType::text:
            return value.kind == Json::Kind::string;
        case FieldType::number:
            return value.kind == Json::Kind::number;
        case FieldType::boolean:
            return value.kind == Json::Kind::boolean;
        case FieldType::date:
            return value.kind == Json::Kind::string && is_date(value.text);
        case FieldType::texts:
            return value.kind == Json::Kind::array &&
                   std::all_of(value.items.begin(), value.items.end(),
                               [](const Json& item) { return item.kind == Json::Kind::string; });
    }
    return false;
}

void fill_listed_fields(OrderDocument& document, const ListedFields& listed, Origin origin) {
    const Place place{"order", {}};
    if (!listed.order.empty()) fill(document.fields, listed.order, origin, place.member("fields"));
    if (listed.line.empty()) return;
    const Place lines = place.member("lines");
    for (std::size_t i = 0; i < document.lines.size(); i++) {
        const Place line = lines.item(i);
        fill(document.lines[i].fields, listed.line, origin, line.member("fields"));
    }
}

}  // namespace loyalty::codec
