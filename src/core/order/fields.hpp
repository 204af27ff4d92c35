// The custom fields that a program lists (loyalty.fields): what orders and their lines may say under which name.
#pragma once

#include <string>
#include <vector>

namespace loyalty {

enum class FieldType { text, number, boolean, date, texts };

struct Field {
    std::string name;
    FieldType type = FieldType::text;
    bool required = false;
    std::string default_value{};  // JSON text; empty: none
};

// Of orders and of their lines; what is listed of products is checked where products are written.
struct ListedFields {
    std::vector<Field> order;
    std::vector<Field> line;
};

}  // namespace loyalty
