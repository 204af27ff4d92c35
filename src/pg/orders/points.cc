#include "core/money/allot.hpp"
#include "core/program/program.hpp"

#include <algorithm>
#include <map>

#include "pg/events/outbox.hpp"
#include "pg/orders/points.hpp"
#include "pg/orders/time.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/days.hpp"

namespace loyalty::pg {

namespace {

// ---------------------------------------------------------------------------------------------------------------------
// Paid with points

// Money that points of one type paid, by line; the shipping comes last.
struct Payment {
    std::map<std::uint32_t, std::int64_t> money;  // by line, no_line for the shipping
    std::optional<std::string> promotion;         // if it was one alone
};

std::map<std::uint32_t, Payment> payments(const Program& program, const Calculation& calculation) {
    std::map<std::uint32_t, Payment> by_type;
    for (const auto& operation : calculation.operations) {
        const Entry& entry = operation.entry;
        if (entry.kind != Entry::Kind::paid_by_points || entry.applied.is_zero()) continue;
        const auto& promotion =
            program.promotions[program.conditions[program.benefits[entry.benefit].condition].promotion];
        const auto [found, is_new] = by_type.try_emplace(entry.point_type);
        Payment& payment = found->second;
        payment.money[entry.line] += entry.applied.units;
        if (is_new) {
            payment.promotion = promotion.id;
        } else if (payment.promotion != promotion.id) {
            payment.promotion.reset();
        }
    }
    return by_type;
}

void store_payment(const OrderArguments& order, const std::string& point_type, int scale, int currency_scale,
                   const std::vector<std::optional<std::string>>& lines, const std::vector<std::int64_t>& money,
                   const std::vector<std::int64_t>& points, const std::optional<std::int64_t>& seq) {
    static Query query(
        "INSERT INTO loyalty.order_points (buyer, program, order_id, number, point_type, line, money, points, seq)"
        " SELECT $1, $2, $3,"
        "        p.number + (SELECT count(*) FROM loyalty.order_points WHERE buyer = $1 AND program = $2 AND order_id = $3),"
        "        $4, p.line, p.money, p.points, $8"
        "   FROM unnest($5::text[], $6::numeric[], $7::numeric[]) WITH ORDINALITY p (line, money, points, number)",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, INT8OID});
    query.run({order.buyer, order.program, order.external_id, text_argument(point_type), optional_texts_argument(lines),
               units_array_argument(money, currency_scale), units_array_argument(points, scale),
               optional_bigint_argument(seq)},
              true);
}

// ---------------------------------------------------------------------------------------------------------------------
// Earned

// An accrual that is due: its status was reached.
struct DueAccrual {
    std::int32_t number;
    std::string promotion, point_type;
    int scale;
    std::int64_t points;
    std::optional<TimestampTz> active_from;
    std::string_view refusal;  // why it is dropped instead; empty: it is not
};

std::vector<DueAccrual> find_due(const OrderArguments& order, const Market& market) {
    static Query query(
        "SELECT a.number, a.promotion, a.point_type, t.scale::integer, a.points - a.dropped, a.credit_on,"
        "       CASE a.level WHEN 'product' THEN l.status ELSE o.status END,"
        "       timezone(p.time_zone, timezone(p.time_zone, $4) + a.delay::interval),"
        "       m.removed_at IS NOT NULL, t.active AND $4 < " LOYALTY_DEACTIVATION("t") ","
        "       EXISTS (SELECT FROM loyalty.withdrawn_promotions w WHERE w.program = $2 AND w.promotion = a.promotion)"
        "  FROM loyalty.order_accruals a"
        "  JOIN loyalty.orders o ON o.buyer = $1 AND o.program = $2 AND o.external_id = $3"
        "  JOIN loyalty.programs p ON p.external_id = $2"
        "  JOIN loyalty.point_types t ON t.program = $2 AND t.external_id = a.point_type"
        "  JOIN loyalty.members m ON m.member = a.member AND m.program = $2"
        "  LEFT JOIN loyalty.order_lines l ON l.buyer = $1 AND l.program = $2 AND l.order_id = $3 AND l.line = a.line"
        " WHERE a.buyer = $1 AND a.program = $2 AND a.order_id = $3 AND a.state = 'waiting'"
        " ORDER BY a.number",
        {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({order.buyer, order.program, order.external_id, timestamp_argument(now())});
    std::vector<DueAccrual> due;
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        if (!market.is_credited(rows.text(row, 7), rows.text(row, 6))) continue;
        const int scale = rows.integer(row, 4);
        due.push_back({rows.integer(row, 1), rows.text(row, 2), rows.text(row, 3), scale, units_at(rows, row, 5, scale),
                       rows.is_null(row, 8) ? std::nullopt : std::optional(timestamp_at(rows, row, 8)),
                       rows.boolean(row, 9)     ? "member_removed"
                       : rows.boolean(row, 11)  ? "promotion_withdrawn"
                       : !rows.boolean(row, 10) ? "point_type_inactive"
                                                : std::string_view()});
    }
    return due;
}

void mark_credited(const OrderArguments& order, const std::vector<std::int32_t>& numbers, std::int64_t seq) {
    static Query query(
        "UPDATE loyalty.order_accruals SET state = 'credited', seq = $5"
        " WHERE buyer = $1 AND program = $2 AND order_id = $3 AND number = ANY ($4)",
        {TEXTOID, TEXTOID, TEXTOID, INT4ARRAYOID, INT8OID});
    query.run({order.buyer, order.program, order.external_id, integers_argument(numbers), bigint_argument(seq)}, true);
}

void mark_dropped(const OrderArguments& order, const std::vector<std::int32_t>& numbers) {
    static Query query(
        "UPDATE loyalty.order_accruals SET state = 'dropped', dropped = points"
        " WHERE buyer = $1 AND program = $2 AND order_id = $3 AND number = ANY ($4)",
        {TEXTOID, TEXTOID, TEXTOID, INT4ARRAYOID});
    query.run({order.buyer, order.program, order.external_id, integers_argument(numbers)}, true);
}

// What is booked, or dropped, as one: points of one promotion that become active at one moment.
struct Sum {
    std::int64_t points = 0;
    std::vector<std::int32_t> numbers;
};

void tell_dropped(const OrderKey& order, const DueAccrual& accrual, std::int64_t points) {
    JsonbWriter data;
    data.begin_object();
    data.key("order");
    data.text(order.external_id);
    data.key("points");
    data.text(accrual.point_type);
    data.key("amount");
    data.number(points, accrual.scale);
    data.key("reason");
    data.text(accrual.refusal);
    data.end_object();
    add_event(order.program, "accrual_dropped", order.profile(), data.take());
}

}  // namespace

BookedPoints post_for(const OrderKey& order, Posting posting) {
    posting.key.member = *order.profile();
    posting.key.program = order.program;
    posting.source_type = "order";
    posting.source = order.external_id;
    posting.by_owner = posting.of_order = true;
    Booking booking = post(posting);
    return {posting.key.point_type, posting.type, std::move(booking)};
}

void spend_points(const OrderKey& order, const Program& program, const Order& resolved, const Calculation& calculation,
                  BookedRows& booked) {
    const OrderArguments key(order);
    for (const auto& [type, payment] : payments(program, calculation)) {
        const PointType& point_type = program.point_types[type];
        const Points spent = calculation.points[type].spent;
        std::optional<std::int64_t> seq;
        if (!spent.is_zero()) {
            Posting posting;
            posting.key.point_type = point_type.id;
            posting.type = "redemption";
            posting.value = numeric_datum(-spent.units, point_type.scale);
            posting.promotion = payment.promotion;
            booked.push_back(post_for(order, std::move(posting)));
            seq = booked.back().booking.entry.seq;
        }
        std::vector<std::optional<std::string>> lines;
        std::vector<std::int64_t> money;
        for (const auto& [line, paid] : payment.money) {
            lines.push_back(line == no_line ? std::nullopt : std::optional(resolved.lines[line].id));
            money.push_back(paid);
        }
        store_payment(key, point_type.id, point_type.scale, program.currency_scale, lines, money,
                      allot(spent.units, money), seq);
    }
}

void credit_accruals(const OrderKey& order, const Market& market, BookedRows& booked) {
    const OrderArguments key(order);
    const auto due = find_due(key, market);
    using Group = std::tuple<std::string, std::string, std::optional<TimestampTz>, std::string_view>;
    std::map<Group, Sum> sums;
    std::vector<std::pair<const DueAccrual*, Sum*>> in_order;
    for (const auto& accrual : due) {
        const Group group{accrual.point_type, accrual.promotion, accrual.active_from, accrual.refusal};
        const auto [sum, is_new] = sums.try_emplace(group);
        sum->second.points += accrual.points;
        sum->second.numbers.push_back(accrual.number);
        if (is_new) in_order.emplace_back(&accrual, &sum->second);
    }
    for (const auto& [accrual, sum] : in_order) {
        if (!accrual->refusal.empty()) {
            mark_dropped(key, sum->numbers);
            tell_dropped(order, *accrual, sum->points);
            continue;
        }
        Posting posting;
        posting.key.point_type = accrual->point_type;
        posting.type = "accrual";
        posting.value = numeric_datum(sum->points, accrual->scale);
        posting.active_from = accrual->active_from;
        posting.promotion = accrual->promotion;
        booked.push_back(post_for(order, std::move(posting)));
        mark_credited(key, sum->numbers, booked.back().booking.entry.seq);
    }
}

void write_booked(JsonbWriter& out, const BookedRows& booked, const std::string& time_zone) {
    const auto text = [&](std::string_view key, std::string value) {
        out.key(key);
        out.text(out.keep(std::move(value)));
    };
    out.begin_array();
    for (const auto& [point_type, type, booking] : booked) {
        out.begin_object();
        text("transaction", show(booking.id));
        text("points", point_type);
        text("type", type);
        out.key("value");
        out.number(booking.entry.value, booking.scale);
        if (booking.active_from) text("active_from", show_time(*booking.active_from, time_zone));
        if (booking.expires_at && !TIMESTAMP_NOT_FINITE(*booking.expires_at))
            text("expires_at", show_time(*booking.expires_at, time_zone));
        out.end_object();
    }
    out.end_array();
}

}  // namespace loyalty::pg
