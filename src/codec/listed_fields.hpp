// Custom fields of order documents by what the program lists of them.
#pragma once

#include "codec/json.hpp"
#include "core/document/document.hpp"
#include "core/order/fields.hpp"

#include <optional>
#include <string_view>

namespace loyalty::codec {

// The type that loyalty.fields calls so: text, number, boolean, date or texts; nothing for any other.
std::optional<FieldType> find_field_type(std::string_view name);

bool is_of_type(const Json& value, FieldType type);

// What the machine makes up, or has taken before, is not checked.
enum class Origin { given, made_up };

// Checks the document's fields by those listed, and gives it the defaults of what is missing; null counts as missing.
// Errors: LY102 (type), LY103 (required).
void fill_listed_fields(OrderDocument& document, const ListedFields& listed, Origin origin);

}  // namespace loyalty::codec
