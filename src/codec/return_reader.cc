#include "codec/return_reader.hpp"

#include "codec/reading.hpp"
#include "core/document/document.hpp"
#include "core/error.hpp"

#include <unordered_set>

namespace loyalty::codec {

namespace {

[[noreturn]] void fail(std::string_view code, const std::string& what, const Place& place, const std::string& value,
                       const std::string& hint) {
    throw Error(code, "invalid return: " + what, "At " + place.path.to_string() + ", the value is " + value + ".",
                hint);
}

Quantity read_quantity(const Json& value, const Place& place) {
    const Decimal quantity = as_decimal(value, place);
    if (quantity.is_negative() || quantity.is_zero()) {
        fail(sqlstate::value_out_of_range, "a quantity is not positive", place, quantity.to_string(),
             "Give the number of units that came back, above 0.");
    }
    if (quantity.scale() > quantity_scale) {
        fail(sqlstate::too_many_decimals, "a quantity has too many decimals", place, quantity.to_string(),
             "Give at most " + std::to_string(quantity_scale) + " decimals.");
    }
    const auto units = quantity.units(quantity_scale);
    if (!units) {
        fail(sqlstate::value_out_of_range, "a quantity is too large", place, quantity.to_string(),
             "Quantities have at most 12 digits before the point.");
    }
    return {*units};
}

ReturnedItem read_item(const Json& object, const Place& place) {
    ReturnedItem item;
    for (const auto& [key, value] : as_object(object, place).members) {
        const Place at = place.member(key);
        if (key == "id") {
            item.line = as_text(value, at);
        } else if (key == "quantity") {
            item.quantity = read_quantity(value, at);
        } else {
            fail_unknown_key(key, value, place, "id, quantity");
        }
    }
    required(object, "id", place);
    required(object, "quantity", place);
    return item;
}

}  // namespace

std::vector<ReturnedItem> read_returned_items(std::string_view json) {
    const JsonDocument document(json);
    const Place place{"return", {}};
    const auto& rows = as_array(document.root(), place).items;
    if (rows.size() > max_lines) {
        throw Error(sqlstate::document_too_large, "invalid return: too many lines",
                    "There are " + std::to_string(rows.size()) + ".",
                    "An order has at most " + std::to_string(max_lines) + " lines.");
    }
    std::vector<ReturnedItem> items;
    std::unordered_set<std::string> seen;
    for (std::size_t i = 0; i < rows.size(); i++) {
        items.push_back(read_item(rows[i], place.item(i)));
        if (!seen.insert(items.back().line).second) {
            fail(sqlstate::duplicate_key, "a line occurs twice", place.item(i).member("id"),
                 "\"" + items.back().line + "\"", "Give each line once, with all of its units that came back.");
        }
    }
    return items;
}

}  // namespace loyalty::codec
