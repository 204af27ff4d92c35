#include "codec/resolved_order.hpp"

#include "codec/reading.hpp"
#include "core/document/document.hpp"
#include "core/error.hpp"

#include <algorithm>

namespace loyalty::codec {

namespace {

// ---------------------------------------------------------------------------------------------------------------------
// Writing

class Writer {
public:
    Writer(JsonWriter& out, const Program& program) : out_(out), program_(program) {}

    void run(const Order& order, const std::vector<std::string_view>& credited) {
        out_.begin_object();
        write_buyer(order.buyer);
        number("shipping", order.shipping.units, program_.currency_scale);
        write_values(order.values);
        write_time(order.time);
        if (!order.channel.empty()) text("channel", order.channel);
        if (!order.contact_point.empty()) text("contact_point", order.contact_point);
        if (!order.region.empty()) text("region", order.region);
        write_ids("segments", order.segments, program_.order_segments);
        write_items("promo_codes", order.promo_codes, [&](const PromoCode& code) { write_promo_code(code); });
        std::size_t gift = 0;
        write_items("gifts", order.gifts, [&](const GiftProduct& product) { write_gift(product, gift++); });
        write_items("allowances", order.allowances, [&](const Allowance& allowance) { write_allowance(allowance); });
        std::uint32_t place = 0;
        write_items("lines", order.lines, [&](const Line& line) { write_line(line, place++); });
        write_items("redeem", order.redeem, [&](const Redeem& redeem) { write_redeem(redeem); });
        write_items("credited", credited, [&](std::string_view name) { out_.text(name); });
        out_.end_object();
    }

private:
    void text(std::string_view key, std::string_view value) {
        out_.key(key);
        out_.text(value);
    }

    void number(std::string_view key, std::int64_t units, int scale) {
        out_.key(key);
        out_.number(units, scale);
    }

    // What there is none of is left out: every order is stored.
    template <class List, class WriteItem>
    void write_items(std::string_view key, const List& list, WriteItem write_item) {
        if (list.empty()) return;
        out_.key(key);
        out_.begin_array();
        for (const auto& item : list) write_item(item);
        out_.end_array();
    }

    // What benefits read of a document; the text of a number is the number.
    void write_values(const std::vector<Value>& values) {
        write_items("values", values, [&](const Value& value) {
            out_.begin_object();
            if (!value.text.empty()) text("text", value.text);
            out_.key("is_number");
            out_.boolean(value.number.has_value());
            out_.end_object();
        });
    }

    static const std::string& id_of(const std::string& name) { return name; }
    static const std::string& id_of(const Segment& segment) { return segment.id; }

    // Tiers and segments, which the order has as places in a list of the program.
    template <class List>
    void write_ids(std::string_view key, const std::vector<std::uint32_t>& places, const List& list) {
        write_items(key, places, [&](std::uint32_t place) { out_.text(id_of(list[place])); });
    }

    void write_time(const LocalTime& time) {
        out_.key("time");
        out_.begin_object();
        number("unix_us", time.unix_us, 0);
        number("local_us", time.local_us, 0);
        out_.end_object();
    }

    // Whose code it is, and how often it had been used, is not asked again: the status says what came of it.
    void write_promo_code(const PromoCode& code) {
        out_.begin_object();
        text("code", code.given);
        if (code.facts) text("pool", code.facts->pool);
        text("status", promo_code_status_names[code.status]);
        out_.end_object();
    }

    // What is given away, and what it is worth.
    void write_gift(const GiftProduct& gift, std::size_t number) {
        out_.begin_object();
        text("product", program_.reads.gifts[number]);
        if (!gift.name.empty()) text("name", gift.name);
        this->number("price", gift.price.units, program_.price_scale);
        out_.end_object();
    }

    void write_allowance(const Allowance& allowance) {
        out_.begin_object();
        text("promotion", program_.promotions[allowance.promotion].id);
        text("uses", uses_names[allowance.uses]);
        if (allowance.money) number("money", allowance.money->units, program_.currency_scale);
        if (allowance.points) number("points", *allowance.points, usage_scale);
        out_.end_object();
    }

    void write_buyer(const Buyer& buyer) {
        out_.key("buyer");
        out_.begin_object();
        text("kind", buyer_kind_names[buyer.kind]);
        if (buyer.kind != BuyerKind::anonymous) text("key", buyer.key);
        write_values(buyer.values);
        write_ids("segments", buyer.segments, program_.profile_segments);
        write_ids("tiers", buyer.tiers, program_.tiers);
        if (buyer.orders) write_orders(*buyer.orders);
        std::size_t type = 0;
        write_items("balances", buyer.balances, [&](const Balance& balance) {
            const PointType& point_type = program_.point_types[type++];
            out_.begin_object();
            text("points", point_type.id);
            number("total", balance.total.units, point_type.scale);
            number("active", balance.active.units, point_type.scale);
            number("debt", balance.debt.units, point_type.scale);
            number("owed", balance.owed.units, point_type.scale);
            out_.key("usable");
            out_.boolean(balance.usable);
            out_.end_object();
        });
        out_.end_object();
    }

    void write_orders(const OrdersBefore& orders) {
        out_.key("orders");
        out_.begin_object();
        number("count", orders.count, 0);
        number("sum", orders.sum.units, program_.currency_scale);
        if (!orders.last.empty()) text("last", orders.last);
        out_.end_object();
    }

    // Most lines have the position in the document that they have by their ids.
    void write_line(const Line& line, std::uint32_t place) {
        const Decimal quantity = Decimal::of(line.quantity.units, quantity_scale);
        out_.begin_object();
        text("id", line.id);
        text("product", line.product);
        if (!line.name.empty()) text("name", line.name);
        if (line.position != place) number("position", line.position, 0);
        number("quantity", static_cast<std::int64_t>(quantity.coefficient()), quantity.scale());
        number("price", line.price.units, program_.price_scale);
        number("base", line.base.units, program_.currency_scale);
        if (line.min_price) number("min_price", line.min_price->units, program_.price_scale);
        // The numbers of a version's partner products are as frozen as the version.
        if (line.partner_product != none) number("partner_product", line.partner_product, 0);
        write_values(line.values);
        write_ids("segments", line.segments, program_.segments);
        out_.end_object();
    }

    void write_redeem(const Redeem& redeem) {
        const PointType& point_type = program_.point_types[redeem.point_type];
        out_.begin_object();
        text("points", point_type.id);
        if (redeem.amount) number("amount", redeem.amount->units, point_type.scale);
        out_.end_object();
    }

    JsonWriter& out_;
    const Program& program_;
};

// ---------------------------------------------------------------------------------------------------------------------
// Reading. What was written here is sound; a document that is not was tampered with, and gets an error with its path.

class Reader {
public:
    explicit Reader(const Program& program) : program_(program) {}

    ResolvedOrder run(const Json& root, const Place& place) {
        ResolvedOrder resolved;
        Order& order = resolved.order;
        order.buyer = read_buyer(required(root, "buyer", place), place.member("buyer"));
        order.shipping = {amount(root, "shipping", place, program_.currency_scale)};
        order.values = read_values(root, place);
        const Json& time = required(root, "time", place);
        order.time = {units(time, "unix_us", place.member("time"), 0),
                      units(time, "local_us", place.member("time"), 0)};
        if (root.find("channel")) order.channel = text(root, "channel", place);
        if (root.find("contact_point")) order.contact_point = text(root, "contact_point", place);
        if (root.find("region")) order.region = text(root, "region", place);
        order.segments = read_places(root, "segments", place, program_.order_segments);
        items(root, "promo_codes", place,
              [&](const Json& code, const Place& at) { order.promo_codes.push_back(read_promo_code(code, at)); });
        open_pools(order);
        order.gifts.resize(program_.reads.gifts.size());
        items(root, "gifts", place, [&](const Json& gift, const Place& at) { read_gift(gift, at, order.gifts); });
        items(root, "allowances", place, [&](const Json& allowance, const Place& at) {
            order.allowances.push_back(read_allowance(allowance, at));
        });
        items(root, "lines", place, [&](const Json& line, const Place& at) {
            order.lines.push_back(read_line(line, at, static_cast<std::uint32_t>(order.lines.size())));
        });
        demand(are_in_order(order.lines), root, "lines", place, "lines by id, with the positions that they had");
        items(root, "redeem", place,
              [&](const Json& redeem, const Place& at) { order.redeem.push_back(read_redeem(redeem, at)); });
        items(root, "credited", place,
              [&](const Json& name, const Place& at) { resolved.credited.push_back(as_text(name, at)); });
        return resolved;
    }

private:
    // Of none where there is no such key.
    template <class Read>
    static void items(const Json& object, std::string_view key, const Place& place, const Read& read) {
        const Json* found = object.find(key);
        if (!found) return;
        const Place at = place.member(key);
        const Json& array = as_array(*found, at);
        for (std::size_t i = 0; i < array.items.size(); i++) read(array.items[i], at.item(i));
    }

    static void demand(bool holds, const Json& object, std::string_view key, const Place& place,
                       std::string_view expected) {
        if (!holds) fail_wrong_type(required(object, key, place), place.member(key), expected);
    }

    // Whether there are any, by id, and each has a position of its own in the document.
    static bool are_in_order(const std::vector<Line>& lines) {
        const auto not_before = [](const Line& a, const Line& b) { return a.id >= b.id; };
        std::vector<bool> taken(lines.size());
        for (const auto& line : lines) {
            if (line.position >= lines.size() || taken[line.position]) return false;
            taken[line.position] = true;
        }
        return !lines.empty() && std::adjacent_find(lines.begin(), lines.end(), not_before) == lines.end();
    }

    static std::string text(const Json& object, std::string_view key, const Place& place) {
        return as_text(required(object, key, place), place.member(key));
    }

    static std::int64_t units(const Json& object, std::string_view key, const Place& place, int scale) {
        const Json& value = required(object, key, place);
        const auto units = as_decimal(value, place.member(key)).units(scale);
        if (!units) fail_wrong_type(value, place.member(key), "a number of this scale");
        return *units;
    }

    static std::int64_t amount(const Json& object, std::string_view key, const Place& place, int scale) {
        const std::int64_t amount = units(object, key, place, scale);
        demand(amount >= 0, object, key, place, "0 or more");
        return amount;
    }

    Index point_type(const Json& object, const Place& place) const {
        const Index type = program_.point_type(text(object, "points", place));
        if (type == none)
            fail_wrong_type(required(object, "points", place), place.member("points"), "a point type of the version");
        return type;
    }

    static std::vector<Value> read_values(const Json& object, const Place& place) {
        std::vector<Value> values;
        items(object, "values", place, [&](const Json& stored, const Place& at) {
            Value value;
            if (stored.find("text")) value.text = text(stored, "text", at);
            if (as_boolean(required(stored, "is_number", at), at.member("is_number")))
                value.number = Decimal::parse(value.text);
            values.push_back(std::move(value));
        });
        return values;
    }

    template <class List>
    static std::vector<std::uint32_t> read_places(const Json& object, std::string_view key, const Place& place,
                                                  const List& list) {
        std::vector<std::string> names;
        items(object, key, place, [&](const Json& name, const Place& at) { names.push_back(as_text(name, at)); });
        std::vector<std::uint32_t> places = places_of(names, list);
        if (places.size() != names.size())
            fail_wrong_type(required(object, key, place), place.member(key), "a list of what the version has");
        return places;
    }

    PromoCode read_promo_code(const Json& object, const Place& place) const {
        PromoCode code;
        code.given = text(object, "code", place);
        const std::string status = text(object, "status", place);
        const auto known = promo_code_status_names.find(status);
        if (!known) fail_wrong_type(required(object, "status", place), place.member("status"), "a promo code's status");
        code.status = *known;
        demand(!code.usable() || object.find("pool"), object, "status", place, "none that is usable, without a pool");
        if (!object.find("pool")) return code;
        code.facts.emplace().pool = text(object, "pool", place);
        const auto pool = std::find(program_.pools.begin(), program_.pools.end(), code.facts->pool);
        if (pool != program_.pools.end()) code.pool = static_cast<Index>(pool - program_.pools.begin());
        return code;
    }

    UnitPrice price(const Json& object, std::string_view key, const Place& place) const {
        return program_.price(amount(object, key, place, program_.price_scale));
    }

    void read_gift(const Json& object, const Place& place, std::vector<GiftProduct>& gifts) const {
        const auto& known = program_.reads.gifts;
        const auto found = std::find(known.begin(), known.end(), text(object, "product", place));
        demand(found != known.end(), object, "product", place, "a product that the version gives away");
        GiftProduct& gift = gifts[static_cast<std::size_t>(found - known.begin())];
        if (object.find("name")) gift.name = text(object, "name", place);
        gift.price = price(object, "price", place);
    }

    Allowance read_allowance(const Json& object, const Place& place) const {
        const std::string id = text(object, "promotion", place);
        const auto promotion = std::find_if(program_.limited_promotions.begin(), program_.limited_promotions.end(),
                                            [&](Index index) { return program_.promotions[index].id == id; });
        if (promotion == program_.limited_promotions.end())
            fail_wrong_type(required(object, "promotion", place), place.member("promotion"), "a limited promotion");
        Allowance allowance;
        allowance.promotion = *promotion;
        allowance.uses = choice_at(object, "uses", place, uses_names);
        const UsageLimits& limits = program_.promotions[*promotion].usage_limits;
        const bool is_limited =
            allowance.uses == Allowance::Uses::left ||
            (allowance.uses == Allowance::Uses::used_up ? limits.max_uses : limits.max_uses_per_member);
        demand(is_limited, object, "uses", place, "what the promotion limits");
        if (object.find("money")) allowance.money = Money{amount(object, "money", place, program_.currency_scale)};
        if (object.find("points")) allowance.points = amount(object, "points", place, usage_scale);
        return allowance;
    }

    Buyer read_buyer(const Json& object, const Place& place) const {
        Buyer buyer;
        buyer.kind = choice_at(object, "kind", place, buyer_kind_names);
        if (buyer.kind != BuyerKind::anonymous) buyer.key = text(object, "key", place);
        buyer.values = read_values(object, place);
        buyer.segments = read_places(object, "segments", place, program_.profile_segments);
        buyer.tiers = read_places(object, "tiers", place, program_.tiers);
        if (object.find("orders"))
            buyer.orders = read_orders(required(object, "orders", place), place.member("orders"));
        if (buyer.kind == BuyerKind::member) buyer.balances.resize(program_.point_types.size());
        items(object, "balances", place, [&](const Json& balance, const Place& at) {
            demand(buyer.kind == BuyerKind::member, object, "balances", place, "none for a guest");
            const Index type = point_type(balance, at);
            const int scale = program_.point_types[type].scale;
            buyer.balances[type] = {{units(balance, "total", at, scale)},
                                    {amount(balance, "active", at, scale)},
                                    as_boolean(required(balance, "usable", at), at.member("usable")),
                                    {amount(balance, "debt", at, scale)},
                                    {amount(balance, "owed", at, scale)}};
        });
        return buyer;
    }

    OrdersBefore read_orders(const Json& object, const Place& place) const {
        OrdersBefore orders{
            amount(object, "count", place, 0), {amount(object, "sum", place, program_.currency_scale)}, {}};
        if (object.find("last")) orders.last = text(object, "last", place);
        return orders;
    }

    Line read_line(const Json& object, const Place& place, std::uint32_t number) const {
        Line line;
        line.id = text(object, "id", place);
        line.product = text(object, "product", place);
        if (object.find("name")) line.name = text(object, "name", place);
        line.position = object.find("position") ? place_at(object, "position", place, max_lines) : number;
        line.quantity = {amount(object, "quantity", place, quantity_scale)};
        line.price = price(object, "price", place);
        line.base = {amount(object, "base", place, program_.currency_scale)};
        demand(line.quantity > Quantity{}, object, "quantity", place, "more than 0");
        demand(line.base == times(line.price, line.quantity), object, "base", place, "the price times the quantity");
        if (object.find("min_price")) line.min_price = price(object, "min_price", place);
        if (object.find("partner_product"))
            line.partner_product = place_at(object, "partner_product", place, program_.partner_products.size());
        line.values = read_values(object, place);
        line.segments = read_places(object, "segments", place, program_.segments);
        return line;
    }

    // A place in a list of that size.
    static std::uint32_t place_at(const Json& object, std::string_view key, const Place& place, std::size_t size) {
        const auto number = static_cast<std::size_t>(amount(object, key, place, 0));
        demand(number < size, object, key, place, "less than " + std::to_string(size));
        return static_cast<std::uint32_t>(number);
    }

    Redeem read_redeem(const Json& object, const Place& place) const {
        Redeem redeem;
        redeem.point_type = point_type(object, place);
        if (object.find("amount"))
            redeem.amount = Points{amount(object, "amount", place, program_.point_types[redeem.point_type].scale)};
        return redeem;
    }

    const Program& program_;
};

}  // namespace

void write_resolved_order(JsonWriter& out, const Program& program, const Order& order,
                          const std::vector<std::string_view>& credited) {
    Writer(out, program).run(order, credited);
}

ResolvedOrder read_resolved_order(std::string_view json, const Program& program) {
    const JsonDocument document(json);
    const Place place{"resolved order", {}};
    return Reader(program).run(as_object(document.root(), place), place);
}

}  // namespace loyalty::codec
