#include "codec/order_reader.hpp"

#include "codec/reading.hpp"
#include "core/error.hpp"

namespace loyalty::codec {

namespace {

constexpr std::string_view order_keys =
    "program, external_id, member, channel, contact_point, region, currency, time, shipping, lines, status, "
    "promo_codes, "
    "redeem, fields, expected_total, detail, fire";
constexpr std::string_view line_keys = "id, product, quantity, price, min_price, fields";
constexpr std::string_view test_order_keys =
    "program, external_id, member, channel, contact_point, region, currency, time, shipping, total, lines, status, "
    "promo_codes, redeem, fields, expected_total, fire";
constexpr std::string_view test_line_keys =
    "id, product, quantity, price, min_price, fields, name, categories, partner";

constexpr std::string_view imported_order_keys =
    "program, external_id, member, channel, contact_point, region, currency, time, shipping, lines, status, fields";
constexpr std::string_view imported_line_keys = "id, product, quantity, price, total, fields";

// Whether orders are read as they are submitted, as tests edit them, or as they were made elsewhere.
enum class Mode { order, test, imported };

constexpr std::string_view order_keys_of(Mode mode) {
    return mode == Mode::order ? order_keys : mode == Mode::test ? test_order_keys : imported_order_keys;
}

constexpr std::string_view line_keys_of(Mode mode) {
    return mode == Mode::order ? line_keys : mode == Mode::test ? test_line_keys : imported_line_keys;
}

std::string object_text(const Json& value, const Place& place) {
    std::string text;
    write_json(text, as_object(value, place));
    return text;
}

std::vector<std::string> read_texts(const Json& array, const Place& place) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < as_array(array, place).items.size(); i++)
        texts.push_back(as_text(array.items[i], place.item(i)));
    return texts;
}

// Edits of the product that only tests make.
bool read_edit(LineDocument& line, std::string_view key, const Json& value, const Place& place) {
    if (key == "name") {
        line.name = as_text(value, place);
    } else if (key == "partner") {
        line.partner = as_text(value, place);
    } else if (key == "categories") {
        read_texts(value, place);
        write_json(line.categories, value);
    } else {
        return false;
    }
    return true;
}

// Such lines are given by promotions, when the order is placed.
void refuse_gift_id(const std::string& id, const Place& place) {
    if (!id.starts_with(gift_line_prefix)) return;
    throw Error(sqlstate::value_out_of_range, "invalid order: the id of a line is reserved",
                "At " + place.path.to_string() + ", the value is \"" + id + "\".",
                "Ids that begin with \"gift-\" are those of gifts: give the line another.");
}

LineDocument read_line(const Json& object, const Place& place, Mode mode) {
    LineDocument line;
    for (const auto& [key, value] : as_object(object, place).members) {
        const Place at = place.member(key);
        if (key == "id") {
            refuse_gift_id(as_text(value, at), at);
            line.id = as_text(value, at);
        } else if (key == "product") {
            line.product = as_text(value, at);
        } else if (key == "quantity") {
            line.quantity = as_decimal(value, at);
        } else if (key == "price") {
            line.price = as_decimal(value, at);
        } else if (key == "total" && mode == Mode::imported) {
            line.total = as_decimal(value, at);
        } else if (key == "min_price" && mode != Mode::imported) {
            line.min_price = as_decimal(value, at);
        } else if (key == "fields") {
            line.fields = object_text(value, at);
        } else if (mode != Mode::test || !read_edit(line, key, value, at)) {
            fail_unknown_key(key, value, place, line_keys_of(mode));
        }
    }
    required(object, "product", place);
    required(object, "quantity", place);
    if (mode == Mode::imported) required(object, "price", place);
    return line;
}

std::vector<LineDocument> read_lines(const Json& array, const Place& place, Mode mode) {
    if (as_array(array, place).items.size() > max_lines) {
        throw Error(sqlstate::document_too_large, "invalid order: too many lines",
                    "At $.lines, there are " + std::to_string(array.items.size()) + ".",
                    "An order has at most " + std::to_string(max_lines) + " lines.");
    }
    std::vector<LineDocument> lines;
    lines.reserve(array.items.size());
    for (std::size_t i = 0; i < array.items.size(); i++)
        lines.push_back(read_line(array.items[i], place.item(i), mode));
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

Detail read_detail(const Json& value, const Place& place) {
    const std::string name = as_text(value, place);
    if (name == "totals") return Detail::totals;
    if (name == "lines") return Detail::lines;
    if (name == "full") return Detail::full;
    throw Error(sqlstate::value_out_of_range, "invalid order: the detail is unknown",
                "At " + place.path.to_string() + ", the value is \"" + name + "\".", "It is totals, lines or full.");
}

// A key, null for nobody, or an address by which there is one member.
void read_buyer(OrderDocument& order, const Json& value, const Place& place, Mode mode) {
    if (value.kind == Json::Kind::null) return;
    if (value.kind != Json::Kind::object || mode == Mode::imported) {
        order.member = as_text(value, place);
        return;
    }
    constexpr std::string_view fields = "email, phone";
    for (const auto& [key, content] : value.members) {
        if (key != "email" && key != "phone") fail_unknown_key(key, content, place, fields);
        order.contact = MemberContact{std::string(key), as_text(content, place.member(key))};
    }
    if (value.members.size() == 1) return;
    throw Error(sqlstate::missing_key, "invalid order: it is not said by what the member is found",
                "At " + place.path.to_string() + ", there are " + std::to_string(value.members.size()) + " keys.",
                "Give a key, {\"email\": ...} or {\"phone\": ...}.");
}

void read_member(OrderDocument& order, std::string_view key, const Json& value, const Place& place, Mode mode) {
    const Place at = place.member(key);
    const std::pair<std::string_view, std::optional<std::string>*> texts[] = {
        {"program", &order.program},
        {"external_id", &order.external_id},
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
    if (key == "member") {
        read_buyer(order, value, at, mode);
    } else if (key == "lines") {
        order.lines = read_lines(value, at, mode);
    } else if (key == "shipping") {
        order.shipping = as_decimal(value, at);
    } else if (key == "fields") {
        order.fields = object_text(value, at);
    } else if (mode == Mode::imported) {
        fail_unknown_key(key, value, place, imported_order_keys);
    } else if (key == "expected_total") {
        order.expected_total = as_decimal(value, at);
    } else if (key == "detail" && mode == Mode::order) {
        order.detail = read_detail(value, at);
    } else if (key == "fire") {
        order.fires = as_boolean(value, at);
    } else if (key == "redeem") {
        for (std::size_t i = 0; i < as_array(value, at).items.size(); i++) {
            order.redeem.push_back(read_redeem(value.items[i], at.item(i)));
        }
    } else if (key == "promo_codes") {
        order.promo_codes = read_texts(value, at);
    } else if (key == "total" && mode == Mode::test) {
        order.total = as_decimal(value, at);
    } else {
        fail_unknown_key(key, value, place, order_keys_of(mode));
    }
}

OrderDocument read_document(const Json& object, Mode mode) {
    const Place place{"order", {}};
    OrderDocument order;
    for (const auto& [key, value] : as_object(object, place).members) read_member(order, key, value, place, mode);
    required(object, "lines", place);
    if (order.lines.empty()) {
        throw Error(sqlstate::empty_order, "invalid order: it has no lines", "At $.lines, the value is an empty array.",
                    "Give at least one line.");
    }
    return order;
}

void check_test_size(const char* what, std::size_t count, std::size_t most) {
    if (count <= most) return;
    throw Error(sqlstate::document_too_large, std::string("invalid test: too many ") + what,
                "There are more than " + std::to_string(most) + ".", "Test the orders in several calls.");
}

}  // namespace

OrderDocument read_order(std::string_view json) {
    const JsonDocument document(json);
    return read_document(document.root(), Mode::order);
}

std::vector<OrderDocument> read_test_orders(std::string_view json) {
    const JsonDocument document(json);
    const Json& root = document.root();
    if (root.kind != Json::Kind::array) return {read_document(root, Mode::test)};
    check_test_size("orders", root.items.size(), max_test_orders);
    std::vector<OrderDocument> orders;
    std::size_t lines = 0;
    for (const auto& item : root.items) {
        try {
            OrderDocument order = read_document(item, Mode::test);
            lines += order.lines.size();
            check_test_size("lines", lines, max_test_lines);
            orders.push_back(std::move(order));
        } catch (const Error& error) {
            throw in_order(error, orders.size());
        }
    }
    if (orders.empty()) {
        throw Error(sqlstate::empty_order, "invalid test: it has no orders", "At $, the value is an empty array.",
                    "Give at least one order.");
    }
    return orders;
}

std::vector<OrderDocument> read_imported_orders(std::string_view json, const std::function<void()>& between) {
    const JsonDocument document(json);
    std::vector<OrderDocument> orders;
    for (const auto& item : as_array(document.root(), Place{"order", {}}).items) {
        if (between) between();
        try {
            OrderDocument order = read_document(item, Mode::imported);
            required(item, "external_id", Place{"order", {}});
            orders.push_back(std::move(order));
        } catch (const Error& error) {
            throw in_order(error, orders.size());
        }
    }
    return orders;
}

Error in_order(const Error& error, std::size_t index) {
    const std::string which = "It is about order " + std::to_string(index + 1) + " of the array.";
    return {error.sqlstate(), error.message(), error.detail().empty() ? which : error.detail() + " " + which,
            error.hint()};
}

}  // namespace loyalty::codec
