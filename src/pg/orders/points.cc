#include "core/calculate/benefit.hpp"
#include "core/money/allot.hpp"
#include "core/program/program.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "pg/events/outbox.hpp"
#include "pg/orders/points.hpp"
#include "pg/orders/time.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

namespace {

// ---------------------------------------------------------------------------------------------------------------------
// Paid with points, and deducted

// Money that points of one type paid, and what of them promotions deducted, by line; the shipping comes last.
struct Payment {
    std::map<std::uint32_t, std::int64_t> money;     // by line, no_line for the shipping
    std::map<std::uint32_t, std::int64_t> deducted;  // points
    std::optional<std::string> promotion;            // if it was one alone

    // Points by line, of all that were spent.
    std::map<std::uint32_t, std::int64_t> points(Points spent) const {
        std::map<std::uint32_t, std::int64_t> by_line = deducted;
        std::vector<std::int64_t> paid;
        for (const auto& [line, points] : deducted) spent -= Points{points};
        for (const auto& [line, amount] : money) paid.push_back(amount);
        const auto shares = allot(spent.units, paid);
        auto share = shares.begin();
        for (const auto& [line, amount] : money) by_line[line] += *share++;
        return by_line;
    }
};

std::map<std::uint32_t, Payment> payments(const Program& program, const Calculation& calculation) {
    std::map<std::uint32_t, Payment> by_type;
    for (const auto& operation : calculation.operations) {
        const Entry& entry = operation.entry;
        const bool deducts = entry.kind == Entry::Kind::deduction && !operation.spent.is_zero();
        if (!deducts && (entry.kind != Entry::Kind::paid_by_points || entry.applied.is_zero())) continue;
        const auto& promotion =
            program.promotions[program.conditions[program.benefits[entry.benefit].condition].promotion];
        const auto [found, is_new] = by_type.try_emplace(entry.point_type);
        Payment& payment = found->second;
        if (deducts) {
            payment.deducted[entry.line] += operation.spent.units;
        } else {
            payment.money[entry.line] += entry.applied.units;
        }
        if (is_new) {
            payment.promotion = promotion.id;
        } else if (payment.promotion != promotion.id) {
            payment.promotion.reset();
        }
    }
    return by_type;
}

// ---------------------------------------------------------------------------------------------------------------------
// Earned

std::vector<DueAccrual> find_due(const OrderArguments& order, const Market& market) {
    static Query query(
        "SELECT CASE a.level WHEN 'product' THEN l.status ELSE o.status END, a.credit_on,"
        "       a.number, a.promotion, a.point_type, t.scale::integer, a.points - a.dropped,"
        "       timezone(p.time_zone, timezone(p.time_zone, $4) + a.delay::interval),"
        "       m.removed_at IS NOT NULL,"
        "       EXISTS (SELECT FROM loyalty.withdrawn_promotions w WHERE w.program = $2 AND w.promotion = a.promotion),"
        "       t.active AND $4 < loyalty_internal.deactivation(t.deactivates_at, t.deactivates_on, p.time_zone)"
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
        ColumnsInTurn column(rows, row);
        const std::string status = column.text(), credit_on = column.text();
        if (!market.is_credited(status, credit_on)) continue;
        DueAccrual accrual;
        accrual.number = column.integer();
        accrual.promotion = column.text();
        accrual.point_type = column.text();
        accrual.scale = column.integer();
        accrual.points = column.units(accrual.scale);
        accrual.active_from = column.optional_timestamp();
        const bool is_removed = column.boolean(), is_withdrawn = column.boolean(), is_active = column.boolean();
        if (!is_active) accrual.refusal = "point_type_inactive";
        if (is_withdrawn) accrual.refusal = "promotion_withdrawn";
        if (is_removed) accrual.refusal = "member_removed";
        column.end();
        due.push_back(std::move(accrual));
    }
    return due;
}

struct Credited {
    std::vector<std::int64_t> numbers, seqs;
};

void mark_credited(const OrderArguments& order, const Credited& credited) {
    static Query query(
        "UPDATE loyalty.order_accruals a SET state = 'credited', seq = c.seq"
        "  FROM unnest($4::bigint[], $5::bigint[]) c (number, seq)"
        " WHERE a.buyer = $1 AND a.program = $2 AND a.order_id = $3 AND a.number = c.number",
        {TEXTOID, TEXTOID, TEXTOID, INT8ARRAYOID, INT8ARRAYOID});
    if (credited.numbers.empty()) return;
    query.run_proven({order.buyer, order.program, order.external_id, bigints_argument(credited.numbers),
                      bigints_argument(credited.seqs)});
}

void mark_dropped(const OrderArguments& order, const std::vector<std::int32_t>& numbers) {
    static Query query(
        "UPDATE loyalty.order_accruals SET state = 'dropped', dropped = points"
        " WHERE buyer = $1 AND program = $2 AND order_id = $3 AND number = ANY ($4)",
        {TEXTOID, TEXTOID, TEXTOID, INT4ARRAYOID});
    query.run({order.buyer, order.program, order.external_id, integers_argument(numbers)}, true);
}

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

// Books or drops what is due, as few rows as can be; returns which accruals were credited by which row.
Credited book_due(const OrderKey& order, const std::vector<DueAccrual>& due, BookedRows& booked) {
    Credited credited;
    for (const auto& sum : sums_of(due)) {
        const DueAccrual& accrual = *sum.first;
        if (!accrual.refusal.empty()) {
            mark_dropped(OrderArguments(order), sum.numbers);
            tell_dropped(order, accrual, sum.points);
            continue;
        }
        Posting posting;
        posting.key.point_type = accrual.point_type;
        posting.type = "accrual";
        posting.value = numeric_datum(sum.points, accrual.scale);
        posting.active_from = accrual.active_from;
        posting.promotion = accrual.promotion;
        booked.push_back(post_for(order, std::move(posting)));
        for (const auto number : sum.numbers) {
            credited.numbers.push_back(number);
            credited.seqs.push_back(booked.back().booking.entry.seq);
        }
    }
    return credited;
}

}  // namespace

std::map<std::uint32_t, std::map<std::uint32_t, std::int64_t>> spent_by_line(const Program& program,
                                                                             const Calculation& calculation) {
    std::map<std::uint32_t, std::map<std::uint32_t, std::int64_t>> spent;
    for (const auto& [type, payment] : payments(program, calculation))
        spent[type] = payment.points(calculation.points[type].spent);
    return spent;
}

std::vector<AccrualSum> sums_of(const std::vector<DueAccrual>& due) {
    using Group = std::tuple<std::string_view, std::string_view, std::optional<TimestampTz>, std::string_view>;
    std::vector<AccrualSum> sums;
    std::map<Group, std::size_t> places;
    for (const auto& accrual : due) {
        const Group group{accrual.point_type, accrual.promotion, accrual.active_from, accrual.refusal};
        const auto [place, is_new] = places.try_emplace(group, sums.size());
        if (is_new) sums.push_back({&accrual, 0, {}});
        AccrualSum& sum = sums[place->second];
        sum.points += accrual.points;
        sum.numbers.push_back(accrual.number);
    }
    return sums;
}

TimestampTz delayed(const std::string& delay, const std::string& time_zone, TimestampTz from) {
    const char* text = delay.c_str();
    const Datum zone = text_datum(time_zone);
    return postgres([=] {
        const Datum interval =
            DirectFunctionCall3(interval_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
        const Datum local = DirectFunctionCall2(timestamptz_zone, zone, TimestampTzGetDatum(from));
        const Datum then = DirectFunctionCall2(timestamp_pl_interval, local, interval);
        return DatumGetTimestampTz(DirectFunctionCall2(timestamp_zone, zone, then));
    });
}

std::vector<Earning> earnings_of(const Program& program, const Calculation& calculation) {
    std::vector<Earning> earnings;
    for (std::size_t i = 0; i < calculation.operations.size(); i++) {
        const Operation& operation = calculation.operations[i];
        const Entry& entry = operation.entry;
        if (entry.kind != Entry::Kind::accrual || entry.points.is_zero()) continue;
        const Condition& condition = program.conditions[program.benefits[entry.benefit].condition];
        const Benefit& terms = *program.benefits[entry.like].rule;
        earnings.push_back({.number = static_cast<std::int32_t>(i) + 1,
                            .promotion = condition.promotion,
                            .level = condition.level,
                            .point_type = entry.point_type,
                            .line = entry.target == Entry::Target::line ? entry.line : no_line,
                            .points = entry.points,
                            .pending = operation.pending,
                            .credit_on = terms.credit_on(),
                            .delay = std::string(terms.delay())});
    }
    return earnings;
}

BookedPoints post_for(const OrderKey& order, Posting posting) {
    posting.key.member = *order.profile();
    posting.key.program = order.program;
    posting.source_type = "order";
    posting.source = order.external_id;
    posting.by_owner = posting.of_order = true;
    posting.locked = order.removed;
    posting.promotion_locked = order.named_locked;
    Booking booking = post(posting);
    return {posting.key.point_type, posting.type, std::move(booking)};
}

PlacedPayments spend_points(const OrderKey& order, const Program& program, const Order& resolved,
                            const Calculation& calculation, BookedRows& booked) {
    PlacedPayments placed;
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
        for (const auto& [line, points] : payment.points(spent)) {
            placed.point_types.push_back(point_type.id);
            placed.lines.push_back(line == no_line ? std::nullopt : std::optional(resolved.lines[line].id));
            placed.seqs.push_back(seq);
            placed.points.push_back(numeric_datum(points, point_type.scale));
            const auto paid = payment.money.find(line);
            placed.money.push_back(paid == payment.money.end() ? 0 : paid->second);
        }
    }
    return placed;
}

PlacedAccruals earn_points(const OrderKey& order, const Program& program, const Order& resolved,
                           const Calculation& calculation, const std::string& status, BookedRows& booked) {
    PlacedAccruals placed;
    std::vector<DueAccrual> due;
    std::unordered_map<std::int32_t, std::size_t> rows;
    std::map<std::string, TimestampTz> moments;
    for (const auto& earning : earnings_of(program, calculation)) {
        const std::string& promotion = program.promotions[earning.promotion].id;
        const PointType& type = program.point_types[earning.point_type];
        const std::string& delay = earning.delay;
        placed.numbers.push_back(earning.number);
        placed.promotions.emplace_back(promotion);
        placed.point_types.emplace_back(type.id);
        placed.levels.emplace_back(earning.level == Level::product ? "product" : "order");
        placed.lines.push_back(earning.line == no_line ? std::nullopt : std::optional(resolved.lines[earning.line].id));
        placed.credit_on.emplace_back(earning.pending ? std::string(earning.credit_on) : status);
        placed.delays.push_back(delay.empty() ? std::nullopt : std::optional(delay));
        placed.points.push_back(numeric_datum(earning.points.units, type.scale));
        placed.seqs.emplace_back();
        if (earning.pending) continue;
        std::optional<TimestampTz> active_from;
        if (!delay.empty()) {
            const auto [moment, is_new] = moments.try_emplace(delay);
            if (is_new) moment->second = delayed(delay, program.time_zone, now());
            active_from = moment->second;
        }
        rows.emplace(earning.number, placed.numbers.size() - 1);
        due.push_back({earning.number, promotion, type.id, type.scale, earning.points.units, active_from, {}});
    }
    const Credited credited = book_due(order, due, booked);
    for (std::size_t i = 0; i < credited.numbers.size(); i++)
        placed.seqs[rows.at(static_cast<std::int32_t>(credited.numbers[i]))] = credited.seqs[i];
    return placed;
}

void credit_accruals(const OrderKey& order, const Market& market, BookedRows& booked) {
    const OrderArguments key(order);
    const EventBatch events(order.program, order.profile());
    mark_credited(key, book_due(order, find_due(key, market), booked));
    EventBatch::flush();
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
