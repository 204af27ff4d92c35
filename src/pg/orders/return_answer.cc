#include "pg/orders/giving_back.hpp"

namespace loyalty::pg {

namespace {

void write_text(JsonbWriter& out, std::string_view key, std::string_view text) {
    out.key(key);
    out.text(text);
}

void write_number(JsonbWriter& out, std::string_view key, std::int64_t units, int scale) {
    out.key(key);
    out.number(units, scale);
}

void write_quantity(JsonbWriter& out, std::string_view key, Quantity quantity) {
    const Decimal shown = Decimal::of(quantity.units, quantity_scale);
    write_number(out, key, static_cast<std::int64_t>(shown.coefficient()), shown.scale());
}

void write_points(JsonbWriter& out, const std::string& type, const ReturnedPoints& points) {
    out.begin_object();
    write_text(out, "points", type);
    write_number(out, "refunded", points.refunded, points.scale);
    write_number(out, "points_forfeited", points.forfeited, points.scale);
    write_number(out, "taken_back", points.taken_back, points.scale);
    write_number(out, "dropped", points.dropped, points.scale);
    if (points.owed != 0) write_number(out, "owed", points.owed, points.scale);
    if (points.debt != 0) write_number(out, "debt", points.debt, points.scale);
    if (points.expired_at_once != 0) write_number(out, "expired_at_once", points.expired_at_once, points.scale);
    out.end_object();
}

}  // namespace

const char* GivingBack::kind() const {
    constexpr const char* names[] = {"return", "cancellation", "refund"};
    return names[static_cast<int>(given_.kind)];
}

Datum GivingBack::write_answer() const {
    JsonbWriter out;
    out.begin_object();
    write_text(out, "order", order_.key.external_id);
    write_text(out, "kind", kind());
    if (given_.external_id) write_text(out, "return", *given_.external_id);
    if (!given_.status.empty()) write_text(out, "status", given_.status);
    if (given_.line) write_text(out, "line", *given_.line);
    out.key("lines");
    out.begin_array();
    for (const auto& line : lines_) write_line(out, line);
    out.end_array();
    write_number(out, "shipping", shipping_ ? order_.shipping_total.units : 0, order_.currency_scale);
    write_number(out, "money", money_.units, order_.currency_scale);
    out.key("points");
    out.begin_array();
    for (const auto& [type, points] : points_) write_points(out, type, points);
    out.end_array();
    write_gifts(out);
    out.end_object();
    return out.take();
}

void GivingBack::write_line(JsonbWriter& out, const SoldLine& line) const {
    if (line.taken.is_zero()) return;
    out.begin_object();
    write_text(out, "id", line.id);
    write_quantity(out, "quantity", line.taken);
    write_quantity(out, "left", line.left() - line.taken);
    write_number(out, "money", money_of(line).units, order_.currency_scale);
    out.end_object();
}

void GivingBack::write_gifts(JsonbWriter& out) const {
    if (handed_back_.empty()) return;
    out.key("gifts");
    out.begin_array();
    for (const auto& [line, quantity] : handed_back_) {
        out.begin_object();
        write_text(out, "line", line->id);
        write_text(out, "product", line->gift);
        write_quantity(out, "quantity", quantity);
        out.end_object();
    }
    out.end_array();
}

}  // namespace loyalty::pg
