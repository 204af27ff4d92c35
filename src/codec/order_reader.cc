#include "codec/order_reader.hpp"

#include "codec/reading.hpp"
#include "core/error.hpp"

namespace loyalty::codec {

namespace {

constexpr std::string_view order_keys =
    "program, external_id, member, channel, contact_point, region, currency, time, shipping, lines, status, promo_codes, "
    "redeem, fields, expected_total";
constexpr std::string_view line_keys = "id, product, quantity, price, min_price, fields";
constexpr std::string_view imported_order_keys =
    "program, external_id, member, channel, contact_point, region, currency, time, shipping, lines, status, fields";
constexpr std::string_view imported_line_keys = "id, product, quantity, price, total, fields";

// An order made here, or one that was made elsewhere and is imported.
enum class Origin { here, elsewhere };

std::string object_text(const Json& value, const Place& place) {
    std::string text;
    write_json(text, as_object(value, place));
    return text;
}

LineDocument read_line(const Json& object, const Place& place, Origin origin) {
    LineDocument line;
    for (const auto& [key, value] : as_object(object, place).members) {
        const Place at = place.member(key);
        if (key == "id") {
            line.id = as_text(value, at);
        } else if (key == "product") {
            line.product = as_text(value, at);
        } else if (key == "quantity") {
            line.quantity = as_decimal(value, at);
        } else if (key == "price") {
            line.price = as_decimal(value, at);
        } else if (key == "min_price" && origin == Origin::here) {
            line.min_price = as_decimal(value, at);
        } else if (key == "total" && origin == Origin::elsewhere) {
            line.total = as_decimal(value, at);
        } else if (key == "fields") {
            line.fields = object_text(value, at);
        } else {
            fail_unknown_key(key, value, place, origin == Origin::here ? line_keys : imported_line_keys);
        }
    }
    required(object, "product", place);
    required(object, "quantity", place);
    if (origin == Origin::elsewhere) required(object, "price", place);
    return line;
}

std::vector<LineDocument> read_lines(const Json& array, const Place& place, Origin origin) {
    if (as_array(array, place).items.size() > max_lines) {
        throw Error(sqlstate::document_too_large, "invalid order: too many lines",
                    "At $.lines, there are " + std::to_string(array.items.size()) + ".",
                    "An order has at most " + std::to_string(max_lines) + " lines.");
    }
    std::vector<LineDocument> lines;
    lines.reserve(array.items.size());
    for (std::size_t i = 0; i < array.items.size(); i++)
        lines.push_back(read_line(array.items[i], place.item(i), origin));
    return lines;
}

RedeemDocument read_redeem(const Json& object, const Place& place) {
    RedeemDocument redeem;
    for (const auto& [key, value] : as_object(object, place).members) {
        const Place at = place.member(key);
        if (key == "points") {
            redeem.points = as_text(value, at);
        } else if (key == "amount") {
            if (value.kind == Json::Kind::string && value.text == "max") continue;
            if (value.kind != Json::Kind::number) fail_wrong_type(value, at, "a number or \"max\"");
            redeem.amount = as_decimal(value, at);
        } else {
            fail_unknown_key(key, value, place, "points, amount");
        }
    }
    required(object, "points", place);
    required(object, "amount", place);
    return redeem;
}

void read_member(OrderDocument& order, std::string_view key, const Json& value, const Place& place, Origin origin) {
    const Place at = place.member(key);
    const std::pair<std::string_view, std::optional<std::string>*> texts[] = {
        {"program", &order.program},
        {"external_id", &order.external_id},
        {"member", &order.member},
        {"channel", &order.channel},
        {"contact_point", &order.contact_point},
        {"region", &order.region},
        {"currency", &order.currency},
        {"time", &order.time},
        {"status", &order.status},
    };
    for (const auto& [name, text] : texts) {
        if (key == name) {
            *text = as_text(value, at);
            return;
        }
    }
    if (key == "lines") {
        order.lines = read_lines(value, at, origin);
    } else if (key == "shipping") {
        order.shipping = as_decimal(value, at);
    } else if (key == "fields") {
        order.fields = object_text(value, at);
    } else if (origin == Origin::elsewhere) {
        fail_unknown_key(key, value, place, imported_order_keys);
    } else if (key == "expected_total") {
        order.expected_total = as_decimal(value, at);
    } else if (key == "redeem") {
        for (std::size_t i = 0; i < as_array(value, at).items.size(); i++) {
            order.redeem.push_back(read_redeem(value.items[i], at.item(i)));
        }
    } else if (key == "promo_codes") {
        for (std::size_t i = 0; i < as_array(value, at).items.size(); i++) {
            order.promo_codes.push_back(as_text(value.items[i], at.item(i)));
        }
    } else {
        fail_unknown_key(key, value, place, order_keys);
    }
}

OrderDocument read_document(const Json& object, const Place& place, Origin origin) {
    OrderDocument order;
    for (const auto& [key, value] : as_object(object, place).members) read_member(order, key, value, place, origin);
    required(object, "lines", place);
    if (order.lines.empty()) {
        throw Error(sqlstate::empty_order, "invalid order: it has no lines",
                    "At " + place.member("lines").path.to_string() + ", the value is an empty array.",
                    "Give at least one line.");
    }
    return order;
}

}  // namespace

OrderDocument read_order(std::string_view json) {
    const JsonDocument document(json);
    return read_document(document.root(), Place{"order", {}}, Origin::here);
}

std::vector<OrderDocument> read_imported_orders(std::string_view json) {
    const JsonDocument document(json);
    const Place place{"order", {}};
    std::vector<OrderDocument> orders;
    const auto& items = as_array(document.root(), place).items;
    for (std::size_t i = 0; i < items.size(); i++) {
        orders.push_back(read_document(items[i], place.item(i), Origin::elsewhere));
        required(items[i], "external_id", place.item(i));
    }
    return orders;
}

}  // namespace loyalty::codec
