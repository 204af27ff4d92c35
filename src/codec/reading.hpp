// Reading a JSON tree into plain values, with errors that name the path, the value and what was expected.
#pragma once

#include "codec/json.hpp"
#include "core/money/decimal.hpp"
#include "core/names.hpp"

#include <optional>
#include <string>

namespace loyalty::codec {

// Where a value stands; written out ("$.lines[3].price") only when something is wrong there.
struct Path {
    const Path* parent = nullptr;
    std::string_view key;
    std::size_t index = no_index;  // of an item, which has no key

    static constexpr std::size_t no_index = ~std::size_t{0};

    Path member(std::string_view name) const { return {this, name, no_index}; }
    Path item(std::size_t i) const { return {this, {}, i}; }
    std::string to_string() const;
};

// What kind of document is read, for messages: "order", "promotion tree".
struct Place {
    std::string_view document;
    Path path;

    Place member(std::string_view name) const { return {document, path.member(name)}; }
    Place item(std::size_t i) const { return {document, path.item(i)}; }
};

[[noreturn]] void fail_wrong_type(const Json& value, const Place& place, std::string_view expected);
[[noreturn]] void fail_unknown_key(std::string_view key, const Json& value, const Place& place, std::string_view known);
[[noreturn]] void fail_missing_key(std::string_view key, const Place& place);

const Json& as_object(const Json& value, const Place& place);
const Json& as_array(const Json& value, const Place& place);
std::string as_text(const Json& value, const Place& place);
Decimal as_decimal(const Json& value, const Place& place);
bool as_boolean(const Json& value, const Place& place);
std::int64_t as_integer(const Json& value, const Place& place);
const Json& required(const Json& object, std::string_view key, const Place& place);

// The value of an enumeration that the text at `key` names.
template <class Enum, std::size_t size>
Enum choice_at(const Json& object, std::string_view key, const Place& place, const Names<Enum, size>& names) {
    const Json& value = required(object, key, place);
    if (const auto found = names.find(as_text(value, place.member(key)))) return *found;
    std::string expected = "one of";
    for (const auto name : names) expected.append(" \"").append(name).append("\"");
    fail_wrong_type(value, place.member(key), expected);
}

}  // namespace loyalty::codec
