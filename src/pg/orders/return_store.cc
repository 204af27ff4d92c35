#include <algorithm>

#include "pg/orders/giving_back.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

void GivingBack::store_lines() {
    static Query lines(
        "UPDATE loyalty.order_lines l SET returned = l.returned + trim_scale(c.quantity),"
        "    refunded = l.refunded + c.money"
        "  FROM unnest($4::text[], $5::numeric[], $6::numeric[]) c (line, quantity, money)"
        " WHERE l.buyer = $1 AND l.program = $2 AND l.order_id = $3 AND l.line = c.line",
        {TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID});
    static Query order(
        "UPDATE loyalty.orders SET refunded = refunded + $4, shipping_refunded = shipping_refunded OR $5"
        " WHERE buyer = $1 AND program = $2 AND external_id = $3",
        {TEXTOID, TEXTOID, TEXTOID, NUMERICOID, BOOLOID});
    for (const auto& line : lines_) {
        if (line.taken.is_zero()) continue;
        taken_ids_.push_back(line.id);
        taken_quantities_.push_back(line.taken.units);
        taken_money_.push_back(money_of(line).units);
        money_ += money_of(line);
    }
    if (shipping_) money_ += order_.shipping_total;
    lines.run({key_.buyer, key_.program, key_.external_id, texts_argument(taken_ids_),
               units_array_argument(taken_quantities_, quantity_scale),
               units_array_argument(taken_money_, order_.currency_scale)},
              true);
    order.run({key_.buyer, key_.program, key_.external_id, units_argument(money_.units, order_.currency_scale),
               boolean_argument(shipping_)},
              true);
}

void GivingBack::find_gifts_to_hand_back() {
    static Query query(
        "SELECT g.body ->> 'line', (g.body ->> 'quantity')::numeric - CASE"
        "       WHEN g.body ? 'sets' THEN (g.body ->> 'quantity')::numeric / (g.body ->> 'sets')::numeric"
        "            * div(kept.units * (g.body ->> 'sets')::numeric, kept.in_sets)"
        "       WHEN kept.any_left THEN (g.body ->> 'quantity')::numeric ELSE 0 END"
        "  FROM loyalty.orders o CROSS JOIN LATERAL jsonb_array_elements(o.result -> 'gifts') g (body)"
        " CROSS JOIN LATERAL ("
        "       SELECT coalesce(sum(least(f.units, l.quantity - l.returned)), 0) AS units, sum(f.units) AS in_sets,"
        "              coalesce(bool_or(l.returned < l.quantity), false) AS any_left"
        "         FROM loyalty.order_lines l"
        "         LEFT JOIN (SELECT e.body ->> 'id' AS line, sum((e.body ->> 'units')::numeric) AS units"
        "                      FROM jsonb_array_elements(g.body -> 'given_for') e (body) GROUP BY 1) f"
        "                          ON f.line = l.line"
        "        WHERE l.buyer = $1 AND l.program = $2 AND l.order_id = $3 AND NOT l.gift"
        "          AND (f.line IS NOT NULL OR NOT g.body ? 'given_for')) kept"
        " WHERE o.buyer = $1 AND o.program = $2 AND o.external_id = $3 ORDER BY 1",
        {TEXTOID, TEXTOID, TEXTOID});
    if (std::all_of(lines_.begin(), lines_.end(), [](const SoldLine& line) { return line.gift.empty(); })) return;
    const bool all = given_.kind != Return::Kind::items && !given_.line;
    const FreshSnapshot snapshot;
    const Rows rows = query.run({key_.buyer, key_.program, key_.external_id});
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        const SoldLine& line = find(columns.text());
        const Quantity back{columns.units(quantity_scale)};
        const Quantity asked = all ? line.taken : back - line.returned - line.taken;
        if (asked > Quantity{}) handed_back_.emplace_back(&line, asked);
    }
}

void GivingBack::store_return(Datum answer) const {
    static Query query(
        "WITH new_return AS ("
        "    INSERT INTO loyalty.order_returns (buyer, program, order_id, number, kind, external_id, shipping, money,"
        "        request, answer, created_at)"
        "    SELECT $1, $2, $3, coalesce(max(r.number), 0) + 1, $4, $5, $6, $7, $8, $9, $13"
        "      FROM loyalty.order_returns r WHERE r.buyer = $1 AND r.program = $2 AND r.order_id = $3"
        "    RETURNING number)"
        " INSERT INTO loyalty.order_return_lines (buyer, program, order_id, number, line, quantity, money)"
        " SELECT $1, $2, $3, n.number, c.line, trim_scale(c.quantity), c.money"
        "   FROM new_return n, unnest($10::text[], $11::numeric[], $12::numeric[]) c (line, quantity, money)",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID, NUMERICOID, JSONBOID, JSONBOID, TEXTARRAYOID,
         NUMERICARRAYOID, NUMERICARRAYOID, TIMESTAMPTZOID},
        {"order_returns_order_fkey", "order_return_lines_return_fkey", "order_return_lines_line_fkey"});
    // The order is locked, its lines are never deleted, and the return is the same statement's.
    query.run_proven({key_.buyer,
                      key_.program,
                      key_.external_id,
                      text_argument(kind()),
                      optional_text_argument(given_.external_id),
                      boolean_argument(shipping_),
                      units_argument(money_.units, order_.currency_scale),
                      optional_datum_argument(given_.request),
                      {answer, false},
                      texts_argument(taken_ids_),
                      units_array_argument(taken_quantities_, quantity_scale),
                      units_array_argument(taken_money_, order_.currency_scale),
                      timestamp_argument(now())});
}

}  // namespace loyalty::pg
