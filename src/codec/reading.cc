#include "codec/reading.hpp"

#include "core/error.hpp"

#include <cstdint>

namespace loyalty::codec {

namespace {

// A value as it is shown in a message: whole if it is short.
std::string excerpt(const Json& value) {
    constexpr std::size_t most = 60;
    if (value.kind == Json::Kind::array) return "an array";
    if (value.kind == Json::Kind::object) return "an object";
    std::string text;
    write_json(text, value);
    if (text.size() <= most) return text;
    text.resize(most);
    // Not in the middle of a character.
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
    if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0) text.pop_back();
    return text + "...";
}

std::string message(const Place& place, std::string_view what) {
    return "invalid " + std::string(place.document) + ": " + std::string(what);
}

std::string detail(const Json& value, const Place& place) {
    return "At " + place.path.to_string() + ", the value is " + excerpt(value) + ".";
}

}  // namespace

std::string Path::to_string() const {
    if (!parent) return "$";
    return parent->to_string() + (index != no_index ? "[" + std::to_string(index) + "]" : "." + std::string(key));
}

void fail_wrong_type(const Json& value, const Place& place, std::string_view expected) {
    throw Error(sqlstate::wrong_type, message(place, "a value has the wrong type"), detail(value, place),
                "Expected is " + std::string(expected) + ".");
}

void fail_unknown_key(std::string_view key, const Json& value, const Place& place, std::string_view known) {
    throw Error(sqlstate::unknown_key, message(place, "unknown key \"" + std::string(key) + "\""),
                detail(value, place.member(key)), "Known keys here: " + std::string(known) + ".");
}

void fail_missing_key(std::string_view key, const Place& place) {
    throw Error(sqlstate::missing_key, message(place, "the key \"" + std::string(key) + "\" is missing"),
                "At " + place.path.to_string() + ".", "Add \"" + std::string(key) + "\".");
}

const Json& as_object(const Json& value, const Place& place) {
    if (value.kind != Json::Kind::object) fail_wrong_type(value, place, "an object");
    return value;
}

const Json& as_array(const Json& value, const Place& place) {
    if (value.kind != Json::Kind::array) fail_wrong_type(value, place, "an array");
    return value;
}

std::string as_text(const Json& value, const Place& place) {
    if (value.kind != Json::Kind::string || value.text.empty())
        fail_wrong_type(value, place, "a text that is not empty");
    return std::string(value.text);
}

Decimal as_decimal(const Json& value, const Place& place) {
    if (value.kind != Json::Kind::number) fail_wrong_type(value, place, "a number");
    const auto number = Decimal::parse(value.text);
    if (!number) {
        throw Error(sqlstate::value_out_of_range, message(place, "a number is out of range"), detail(value, place),
                    "Numbers have at most 36 digits before and after the point.");
    }
    return *number;
}

bool as_boolean(const Json& value, const Place& place) {
    if (value.kind != Json::Kind::boolean) fail_wrong_type(value, place, "true or false");
    return value.truth;
}

std::int64_t as_integer(const Json& value, const Place& place) {
    const auto units = as_decimal(value, place).units(0);
    if (!units) fail_wrong_type(value, place, "a whole number");
    return *units;
}

const Json& required(const Json& object, std::string_view key, const Place& place) {
    const Json* value = object.find(key);
    if (!value) fail_missing_key(key, place);
    return *value;
}

}  // namespace loyalty::codec
