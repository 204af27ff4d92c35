#include "pg/orders/segments.hpp"

#include "codec/json.hpp"
#include "core/calculate/conditions.hpp"

#include <algorithm>
#include <map>

#include "pg/server/jsonb.hpp"
#include "pg/server/predicate.hpp"

namespace loyalty::pg {

namespace {

// A JSON object under construction.
class ObjectText {
public:
    void add(std::string_view key, std::string_view json) {
        text_.append(text_.size() > 1 ? ",\"" : "\"").append(key).append("\":").append(json);
    }
    void add_text(std::string_view key, const std::string& text) {
        if (text.empty()) return;
        std::string json;
        codec::write_string(json, text);
        add(key, json);
    }
    std::string finish() { return text_ + "}"; }

private:
    std::string text_ = "{";
};

std::string figure(std::int64_t units, int scale) { return Decimal::of(units, scale).to_string(); }

// A product's document, with how many of it and the segments of the version that it belongs to.
std::string line_text(const Line& line, ProductDocument product, const Program& program) {
    std::vector<std::string> segments;
    for (const auto segment : line.segments) segments.push_back(program.segments[segment].id);
    product.segments = json_array(segments);
    std::string text = write_product_document(product);
    text.pop_back();
    return text + ",\"quantity\":" + figure(line.quantity.units, quantity_scale) + "}";
}

std::string lines_text(const Order& order, const Program& program, const std::vector<ProductDocument>& products) {
    std::vector<const Line*> by_position(order.lines.size());
    for (const auto& line : order.lines) by_position[line.position] = &line;
    std::string text = "[";
    for (const auto* line : by_position) {
        if (text.size() > 1) text += ',';
        text += line_text(*line, products[line->position], program);
    }
    return text + "]";
}

// What the lines in each product segment of the version come to: {"shoes": {"items": 2, "total": 120.00}}.
std::string by_segment_text(const Order& order, const Program& program) {
    std::map<std::uint32_t, std::vector<std::uint32_t>> lines;
    for (std::uint32_t i = 0; i < order.lines.size(); i++) {
        for (const auto segment : order.lines[i].segments) lines[segment].push_back(i);
    }
    std::string text;
    for (const auto& [segment, within] : lines) {
        const Goods goods = goods_of(order, within);
        ObjectText figures;
        figures.add("items", figure(goods.items.units, quantity_scale));
        figures.add("total", figure(goods.total.units, program.currency_scale));
        text += text.empty() ? '{' : ',';
        codec::write_string(text, program.segments[segment].id);
        text.append(":").append(figures.finish());
    }
    return text.empty() ? "{}" : text + "}";
}

Money goods(const Order& order) {
    Money total{};
    for (const auto& line : order.lines) total += line.base;
    return total;
}

std::string buyer_text(const Buyer& buyer, const Program& program) {
    const OrdersBefore before = buyer.orders.value_or(OrdersBefore{});
    ObjectText orders;
    orders.add("count", std::to_string(before.count));
    orders.add("sum", figure(before.sum.units, program.currency_scale));
    orders.add_text("last", before.last);
    ObjectText object;
    object.add("is_member", buyer.kind == BuyerKind::member ? "true" : "false");
    object.add("orders", orders.finish());
    return object.finish();
}

std::vector<std::string> read_lists(const OrderDocument& document, const Program& program) {
    static Query query(
        "SELECT array_agg(segment::text) FROM loyalty.order_segment_members WHERE order_id = $1 AND program = $2",
        {TEXTOID, TEXTOID});
    if (!document.external_id) return {};
    return query.run({text_argument(*document.external_id), text_argument(program.id)}).texts(0, 1);
}

}  // namespace

Datum order_document(const Order& order, const OrderDocument& document, const AppliedVersion& version,
                     const std::vector<ProductDocument>& products, const std::vector<std::string>& segments) {
    const Program& program = version.program;
    ObjectText object;
    object.add("items", figure(items(order).units, quantity_scale));
    if (!products.empty()) object.add("lines", lines_text(order, program, products));
    if (version.needs.goods_by_segment) object.add("by_segment", by_segment_text(order, program));
    object.add("goods", figure(goods(order).units, program.currency_scale));
    object.add("total", figure(order.total.value_or(goods(order) + order.shipping).units, program.currency_scale));
    object.add("shipping", figure(order.shipping.units, program.currency_scale));
    object.add_text("channel", order.channel);
    object.add_text("contact_point", order.contact_point);
    object.add_text("region", order.region);
    object.add_text("currency", program.currency);
    object.add_text("time", order.time.to_string());
    object.add("buyer", buyer_text(order.buyer, program));
    object.add("fields", document.fields.empty() ? "{}" : document.fields);
    object.add("segments", json_array(segments));
    return jsonb_from_text(object.finish());
}

void find_order_segments(Order& order, const OrderDocument& document, const AppliedVersion& version,
                         const std::vector<ProductDocument>& products) {
    const Program& program = version.program;
    if (program.order_segments.empty()) return;
    std::vector<std::string> lists;
    if (version.needs.order_lists) lists = read_lists(document, program);
    order.segments = places_of(lists, program.order_segments);
    if (!version.needs.order) return;
    const Datum seen = order_document(order, document, version, products, lists);
    for (std::uint32_t i = 0; i < program.order_segments.size(); i++) {
        if (!program.order_segments[i].is_static() && holds(version.order_predicates[i], seen))
            order.segments.push_back(i);
    }
    std::sort(order.segments.begin(), order.segments.end());
}

}  // namespace loyalty::pg
