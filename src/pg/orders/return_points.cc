#include "pg/orders/giving_back.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

void GivingBack::read_points() {
    static Query query(
        "SELECT p.point_type, t.scale::integer, p.points, p.line, p.number, t.refund_allowed, p.seq"
        "  FROM loyalty.order_points p JOIN loyalty.point_types t ON t.program = $2 AND t.external_id = p.point_type"
        " WHERE p.buyer = $1 AND p.program = $2 AND p.order_id = $3 AND p.points > 0 ORDER BY p.number",
        {TEXTOID, TEXTOID, TEXTOID});
    if (!order_.key.profile()) return;
    const FreshSnapshot snapshot;
    const Rows rows = query.run({key_.buyer, key_.program, key_.external_id});
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn column(rows, row);
        const std::string type = column.text();
        const int scale = column.integer();
        const std::int64_t points = column.units(scale);
        std::int64_t part = 0;
        if (const auto line = column.optional_text(); !line) {
            part = shipping_ ? points : 0;
        } else if (const SoldLine* taken = taken_line(*line)) {
            part = part_of(points, taken->units());
        }
        if (part == 0) continue;
        const std::int32_t number = column.integer();
        const bool is_allowed = column.boolean();
        const std::int64_t seq = column.bigint();
        column.end();
        ReturnedPoints& sum = points_of(type, scale);
        (is_allowed ? sum.refunded : sum.forfeited) += part;
        if (is_allowed) refunds_[{type, seq}] += part;
        Additions& paid = paid_[type];
        paid.scale = scale;
        paid.add(number, is_allowed ? part : 0, is_allowed ? 0 : part);
    }
}

void GivingBack::read_accruals() {
    static Query query(
        "SELECT a.point_type, t.scale::integer, a.points, a.dropped + a.taken_back, a.line, a.number, a.seq"
        "  FROM loyalty.order_accruals a JOIN loyalty.point_types t ON t.program = $2 AND t.external_id = a.point_type"
        " WHERE a.buyer = $1 AND a.program = $2 AND a.order_id = $3 AND a.state <> 'dropped' ORDER BY a.number",
        {TEXTOID, TEXTOID, TEXTOID});
    if (!order_.key.profile()) return;
    const FreshSnapshot snapshot;
    const Rows rows = query.run({key_.buyer, key_.program, key_.external_id});
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn column(rows, row);
        const std::string type = column.text();
        const int scale = column.integer();
        const std::int64_t points = column.units(scale), gone = column.units(scale);
        std::int64_t part = 0;
        if (const auto line = column.optional_text(); !line) {
            part = any_left() ? 0 : points - gone;
        } else if (const SoldLine* taken = taken_line(*line)) {
            part = part_of(points, taken->units());
        }
        if (part == 0) continue;
        const std::int32_t number = column.integer();
        const auto seq = column.optional_bigint();  // none while it waits
        column.end();
        ReturnedPoints& sum = points_of(type, scale);
        (seq ? sum.taken_back : sum.dropped) += part;
        if (seq) reversals_[{type, *seq}] += part;
        Additions& earned = earned_[type];
        earned.scale = scale;
        earned.add(number, seq ? 0 : part, seq ? part : 0);
    }
}

ReturnedPoints& GivingBack::points_of(const std::string& type, int scale) {
    ReturnedPoints& points = points_[type];
    points.scale = scale;
    return points;
}

void GivingBack::book_refunds() {
    static Query query(
        "UPDATE loyalty.order_points p SET refunded = p.refunded + c.refunded, forfeited = p.forfeited + c.forfeited"
        "  FROM unnest($4::bigint[], $5::numeric[], $6::numeric[]) c (number, refunded, forfeited)"
        " WHERE p.buyer = $1 AND p.program = $2 AND p.order_id = $3 AND p.number = c.number",
        {TEXTOID, TEXTOID, TEXTOID, INT8ARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID});
    for (const auto& [type, paid] : paid_) add_to(query, paid);
    for (const auto& [refund, amount] : refunds_) {
        const Booking booking = undo("refund", refund, amount);
        points_[refund.point_type].expired_at_once += booking.expired_at_once;
    }
}

void GivingBack::book_reversals() {
    static Query query(
        "UPDATE loyalty.order_accruals a SET dropped = a.dropped + c.dropped, taken_back = a.taken_back + c.taken_back,"
        "       state = CASE WHEN a.dropped + c.dropped = a.points THEN 'dropped' ELSE a.state END"
        "  FROM unnest($4::bigint[], $5::numeric[], $6::numeric[]) c (number, dropped, taken_back)"
        " WHERE a.buyer = $1 AND a.program = $2 AND a.order_id = $3 AND a.number = c.number",
        {TEXTOID, TEXTOID, TEXTOID, INT8ARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID});
    for (const auto& [type, earned] : earned_) add_to(query, earned);
    for (const auto& [reversal, amount] : reversals_) {
        const Booking booking = undo("reversal", reversal, -amount);
        points_[reversal.point_type].owed += booking.entry.owed;
        points_[reversal.point_type].debt += booking.entry.debt;
    }
}

void GivingBack::add_to(Query& query, const Additions& additions) {
    query.run({key_.buyer, key_.program, key_.external_id, bigints_argument(additions.numbers),
               units_array_argument(additions.first, additions.scale),
               units_array_argument(additions.second, additions.scale)},
              true);
}

Booking GivingBack::undo(const char* type, const Claimed& original, std::int64_t value) const {
    Posting posting;
    posting.key.point_type = original.point_type;
    posting.type = type;
    posting.value = numeric_datum(value, points_.at(original.point_type).scale);
    posting.undoes = original.seq;
    return post_for(order_.key, std::move(posting)).booking;
}

}  // namespace loyalty::pg
