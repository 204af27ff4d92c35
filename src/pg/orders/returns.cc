#include "core/calculate/returns.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "pg/events/outbox.hpp"
#include "pg/ledger/store.hpp"
#include "pg/orders/buyers.hpp"
#include "pg/orders/points.hpp"
#include "pg/orders/promo_codes.hpp"
#include "pg/orders/returns.hpp"
#include "pg/orders/status.hpp"
#include "pg/orders/usage.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/guarded_writing.hpp"
#include "pg/server/jsonb.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

constexpr const char* kind_names[] = {"return", "cancellation", "refund"};

// A line of the order, and how much of it comes back now.
struct SoldLine {
    std::string id;
    Quantity quantity, returned;
    Money total;
    Quantity taken;
    std::string gift;  // the product, if a promotion gave it

    Quantity left() const { return quantity - returned; }
    ReturnedUnits units() const { return {quantity, returned, returned + taken}; }
};

// What comes back of the points of one type.
struct ReturnedPoints {
    int scale = 0;
    std::int64_t refunded = 0, forfeited = 0, taken_back = 0, dropped = 0;
    std::int64_t owed = 0, debt = 0, expired_at_once = 0;
};

// Amounts to add to rows of order_points or order_accruals, by number.
struct Additions {
    std::vector<std::int64_t> numbers, first, second;
    int scale = 0;

    void add(std::int64_t number, std::int64_t to_first, std::int64_t to_second) {
        if (to_first == 0 && to_second == 0) return;
        numbers.push_back(number);
        first.push_back(to_first);
        second.push_back(to_second);
    }
};

class GivingBack {
public:
    GivingBack(const LockedOrder& order, const Return& given) : order_(order), given_(given), key_(order.key) {}

    Datum run() {
        read_lines();
        choose_units();
        shipping_ = gives_shipping();
        check_not_empty();
        read_points();
        read_accruals();
        store_lines();
        book_refunds();
        book_reversals();
        if (!any_left()) give_back_promo_codes(order_.key);
        give_back_uses(order_.key, any_left());
        if (!given_.status.empty()) move_to_status(order_, given_.status, given_.line);
        if (!given_.status.empty() && !given_.line) {
            recount_buyer(order_.key);
        } else {
            take_from_buyer(order_.key, money_, order_.currency_scale);
        }
        find_gifts_to_hand_back();
        const Datum answer = write_answer();
        store_return(answer);
        const bool whole = given_.kind == Return::Kind::cancellation && !given_.line;
        add_event(order_.key.program, whole ? "order_cancelled" : "items_returned", order_.key.profile(), answer);
        judge_buyer(order_.key, *order_.current.live);
        return answer;
    }

private:
    // -----------------------------------------------------------------------------------------------------------------
    // Which units

    void read_lines() {
        static Query query(
            "SELECT line, quantity, returned, total, CASE WHEN gift THEN product END FROM loyalty.order_lines"
            " WHERE buyer = $1 AND program = $2 AND order_id = $3 ORDER BY line",
            {TEXTOID, TEXTOID, TEXTOID});
        const FreshSnapshot snapshot;
        const Rows rows = query.run({key_.buyer, key_.program, key_.external_id});
        for (std::uint64_t row = 0; row < rows.size(); row++) {
            lines_.push_back({rows.text(row, 1),
                              {units_at(rows, row, 2, quantity_scale)},
                              {units_at(rows, row, 3, quantity_scale)},
                              {units_at(rows, row, 4, order_.currency_scale)},
                              {},
                              rows.optional_text(row, 5).value_or("")});
        }
    }

    SoldLine& find(const std::string& id) {
        const auto found =
            std::lower_bound(lines_.begin(), lines_.end(), id,
                             [](const SoldLine& line, const std::string& wanted) { return line.id < wanted; });
        if (found == lines_.end() || found->id != id) fail_unknown_line(order_, id);
        return *found;
    }

    void choose_units() {
        if (given_.kind != Return::Kind::items) {
            for (auto& line : lines_) {
                if (!given_.line || line.id == *given_.line) line.taken = line.left();
            }
            return;
        }
        for (const auto& item : given_.items) {
            SoldLine& line = find(item.line);
            if (item.quantity > line.left()) fail_more_than_left(line, item.quantity);
            line.taken = item.quantity;
        }
    }

    static std::string shown(Quantity quantity) { return Decimal::of(quantity.units, quantity_scale).to_string(); }

    [[noreturn]] void fail_more_than_left(const SoldLine& line, Quantity wanted) const {
        throw Error(sqlstate::more_than_sold, "more units would come back than are left",
                    "Of line \"" + line.id + "\" of " + order_.shown() + " " + shown(line.left()) +
                        " are left, returned are " + shown(wanted) + ".",
                    "Sold were " + shown(line.quantity) + ".");
    }

    bool gives_shipping() const {
        if (!given_.shipping || !order_.shipping_refunded) return given_.shipping;
        if (given_.kind != Return::Kind::items) return false;
        throw Error(sqlstate::more_than_sold, "the shipping of " + order_.shown() + " was given back before", {},
                    "It is given back once.");
    }

    void check_not_empty() const {
        if (given_.kind == Return::Kind::items && given_.items.empty() && !shipping_) {
            throw Error(sqlstate::empty_return, "nothing is returned", {}, "Give lines, or the shipping.");
        }
    }

    // Gifts are no units of the order.
    bool any_left() const {
        return std::any_of(lines_.begin(), lines_.end(),
                           [](const SoldLine& line) { return line.gift.empty() && line.left() > line.taken; });
    }

    const SoldLine* taken_line(const std::string& id) const {
        const auto found =
            std::lower_bound(lines_.begin(), lines_.end(), id,
                             [](const SoldLine& line, const std::string& wanted) { return line.id < wanted; });
        if (found == lines_.end() || found->id != id) {
            throw Error(sqlstate::data_corrupted, "line \"" + id + "\" of " + order_.shown() + " is not stored", {},
                        "See SELECT * FROM loyalty_verify().");
        }
        return found->taken.is_zero() ? nullptr : &*found;
    }

    // -----------------------------------------------------------------------------------------------------------------
    // Their points

    struct Claimed {
        std::string point_type;
        std::int64_t seq;

        friend auto operator<=>(const Claimed&, const Claimed&) = default;
    };

    void read_points() {
        static Query query(
            "SELECT p.number, p.point_type, t.scale::integer, p.line, p.points, p.seq, t.refund_allowed"
            "  FROM loyalty.order_points p JOIN loyalty.point_types t ON t.program = $2 AND t.external_id = p.point_type"
            " WHERE p.buyer = $1 AND p.program = $2 AND p.order_id = $3 AND p.points > 0 ORDER BY p.number",
            {TEXTOID, TEXTOID, TEXTOID});
        if (!order_.key.profile()) return;
        const FreshSnapshot snapshot;
        const Rows rows = query.run({key_.buyer, key_.program, key_.external_id});
        for (std::uint64_t row = 0; row < rows.size(); row++) {
            const std::string type = rows.text(row, 2);
            const int scale = rows.integer(row, 3);
            const std::int64_t points = units_at(rows, row, 5, scale);
            std::int64_t part = 0;
            if (rows.is_null(row, 4)) {
                part = shipping_ ? points : 0;
            } else if (const SoldLine* line = taken_line(rows.text(row, 4))) {
                part = part_of(points, line->units());
            }
            if (part == 0) continue;
            ReturnedPoints& sum = points_of(type, scale);
            const bool is_allowed = rows.boolean(row, 7);
            (is_allowed ? sum.refunded : sum.forfeited) += part;
            if (is_allowed) refunds_[{type, bigint_at(rows, row, 6)}] += part;
            Additions& paid = paid_[type];
            paid.scale = scale;
            paid.add(rows.integer(row, 1), is_allowed ? part : 0, is_allowed ? 0 : part);
        }
    }

    void read_accruals() {
        static Query query(
            "SELECT a.number, a.point_type, t.scale::integer, a.line, a.points, a.dropped + a.taken_back, a.seq"
            "  FROM loyalty.order_accruals a JOIN loyalty.point_types t ON t.program = $2 AND t.external_id = a.point_type"
            " WHERE a.buyer = $1 AND a.program = $2 AND a.order_id = $3 AND a.state <> 'dropped' ORDER BY a.number",
            {TEXTOID, TEXTOID, TEXTOID});
        if (!order_.key.profile()) return;
        const FreshSnapshot snapshot;
        const Rows rows = query.run({key_.buyer, key_.program, key_.external_id});
        for (std::uint64_t row = 0; row < rows.size(); row++) {
            const std::string type = rows.text(row, 2);
            const int scale = rows.integer(row, 3);
            const std::int64_t points = units_at(rows, row, 5, scale);
            std::int64_t part = 0;
            if (rows.is_null(row, 4)) {
                part = any_left() ? 0 : points - units_at(rows, row, 6, scale);
            } else if (const SoldLine* line = taken_line(rows.text(row, 4))) {
                part = part_of(points, line->units());
            }
            if (part == 0) continue;
            ReturnedPoints& sum = points_of(type, scale);
            const bool is_waiting = rows.is_null(row, 7);
            (is_waiting ? sum.dropped : sum.taken_back) += part;
            if (!is_waiting) reversals_[{type, bigint_at(rows, row, 7)}] += part;
            Additions& earned = earned_[type];
            earned.scale = scale;
            earned.add(rows.integer(row, 1), is_waiting ? part : 0, is_waiting ? 0 : part);
        }
    }

    ReturnedPoints& points_of(const std::string& type, int scale) {
        ReturnedPoints& points = points_[type];
        points.scale = scale;
        return points;
    }

    // -----------------------------------------------------------------------------------------------------------------
    // Booking

    void book_refunds() {
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

    void book_reversals() {
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

    void add_to(Query& query, const Additions& additions) {
        query.run({key_.buyer, key_.program, key_.external_id, bigints_argument(additions.numbers),
                   units_array_argument(additions.first, additions.scale),
                   units_array_argument(additions.second, additions.scale)},
                  true);
    }

    Booking undo(const char* type, const Claimed& original, std::int64_t value) const {
        Posting posting;
        posting.key.point_type = original.point_type;
        posting.type = type;
        posting.value = numeric_datum(value, points_.at(original.point_type).scale);
        posting.undoes = original.seq;
        return post_for(order_.key, std::move(posting)).booking;
    }

    // -----------------------------------------------------------------------------------------------------------------
    // Storing

    Money money_of(const SoldLine& line) const { return {part_of(line.total.units, line.units())}; }

    void store_lines() {
        static Query lines(
            "UPDATE loyalty.order_lines l SET returned = l.returned + trim_scale(c.quantity), refunded = l.refunded + c.money"
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

    // Gifts of whose lines no unit is left, or of whose sets there are fewer: units that were in no set came back first. What is
    // handed back with the return itself is not asked for again; a cancellation names all that was left.
    void find_gifts_to_hand_back() {
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
            "                      FROM jsonb_array_elements(g.body -> 'given_for') e (body) GROUP BY 1) f ON f.line = l.line"
            "        WHERE l.buyer = $1 AND l.program = $2 AND l.order_id = $3 AND NOT l.gift"
            "          AND (f.line IS NOT NULL OR NOT g.body ? 'given_for')) kept"
            " WHERE o.buyer = $1 AND o.program = $2 AND o.external_id = $3 ORDER BY 1",
            {TEXTOID, TEXTOID, TEXTOID});
        if (std::all_of(lines_.begin(), lines_.end(), [](const SoldLine& line) { return line.gift.empty(); })) return;
        const bool all = given_.kind != Return::Kind::items && !given_.line;
        const FreshSnapshot snapshot;
        const Rows rows = query.run({key_.buyer, key_.program, key_.external_id});
        for (std::uint64_t row = 0; row < rows.size(); row++) {
            const SoldLine& line = find(rows.text(row, 1));
            const Quantity back{units_at(rows, row, 2, quantity_scale)};
            const Quantity asked = all ? line.taken : back - line.returned - line.taken;
            if (asked > Quantity{}) handed_back_.emplace_back(&line, asked);
        }
    }

    void write_gifts(JsonbWriter& out) const {
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

    void store_return(Datum answer) const {
        static Query query(
            "WITH new_return AS ("
            "    INSERT INTO loyalty.order_returns (buyer, program, order_id, number, kind, external_id, shipping, money, request, answer, created_at)"
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
                          text_argument(kind_names[static_cast<int>(given_.kind)]),
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

    Datum write_answer() const {
        JsonbWriter out;
        out.begin_object();
        write_text(out, "order", order_.key.external_id);
        write_text(out, "kind", kind_names[static_cast<int>(given_.kind)]);
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

    void write_line(JsonbWriter& out, const SoldLine& line) const {
        if (line.taken.is_zero()) return;
        out.begin_object();
        write_text(out, "id", line.id);
        write_quantity(out, "quantity", line.taken);
        write_quantity(out, "left", line.left() - line.taken);
        write_number(out, "money", money_of(line).units, order_.currency_scale);
        out.end_object();
    }

    static void write_points(JsonbWriter& out, const std::string& type, const ReturnedPoints& points) {
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

    static void write_text(JsonbWriter& out, std::string_view key, std::string_view text) {
        out.key(key);
        out.text(text);
    }

    static void write_number(JsonbWriter& out, std::string_view key, std::int64_t units, int scale) {
        out.key(key);
        out.number(units, scale);
    }

    static void write_quantity(JsonbWriter& out, std::string_view key, Quantity quantity) {
        const Decimal shown = Decimal::of(quantity.units, quantity_scale);
        write_number(out, key, static_cast<std::int64_t>(shown.coefficient()), shown.scale());
    }

    const LockedOrder& order_;
    const Return& given_;
    const OrderArguments key_;
    std::vector<SoldLine> lines_;  // by id
    std::vector<std::pair<const SoldLine*, Quantity>> handed_back_;  // gifts to be handed back
    bool shipping_ = false;
    Money money_;
    std::vector<std::string> taken_ids_;
    std::vector<std::int64_t> taken_quantities_, taken_money_;
    std::map<std::string, ReturnedPoints> points_;  // by point type, like the next two
    std::map<std::string, Additions> paid_, earned_;
    std::map<Claimed, std::int64_t> refunds_, reversals_;
};

// A return booked before under the same id.
std::optional<Datum> first_answer(const LockedOrder& order, const std::string& return_id, Datum request) {
    static Query query(
        "SELECT request = $5, answer FROM loyalty.order_returns"
        " WHERE buyer = $1 AND program = $2 AND order_id = $3 AND external_id = $4",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID});
    const OrderArguments key(order.key);
    const FreshSnapshot snapshot;
    const Rows rows = query.run({key.buyer, key.program, key.external_id, text_argument(return_id), {request, false}});
    if (rows.size() == 0) return std::nullopt;
    if (rows.boolean(0, 1)) return rows.datum(0, 2, JSONBOID);
    throw Error(sqlstate::return_id_taken, "return \"" + return_id + "\" of " + order.shown() + " was another one",
                "It was for other lines or quantities.",
                "Repeat a request with exactly the same content, or use a new id.");
}

// What a return is asked for, as it is stored and compared.
Datum request_of(Datum lines, bool shipping) {
    static Query query("SELECT jsonb_build_object('lines', $1, 'shipping', $2)", {JSONBOID, BOOLOID});
    return query.run({{lines, false}, boolean_argument(shipping)}).datum(0, 1, JSONBOID);
}

// The first status of kind cancelled.
std::string cancelled_status(const Market& market) {
    const std::pair<const std::string, Status>* first = nullptr;
    for (const auto& status : market.statuses) {
        if (status.second.kind == StatusKind::cancelled && (!first || status.second.position < first->second.position))
            first = &status;
    }
    if (first) return first->first;
    throw Error(sqlstate::unusable_status, "there is no status of kind cancelled", {},
                "Add one to loyalty.order_statuses.");
}

}  // namespace

Datum give_back(const LockedOrder& order, const Return& given) { return GivingBack(order, given).run(); }

Datum last_answer(const LockedOrder& order) {
    static Query query(
        "SELECT answer FROM loyalty.order_returns"
        " WHERE buyer = $1 AND program = $2 AND order_id = $3 AND answer ->> 'status' = $4 AND NOT answer ? 'line'"
        " ORDER BY number DESC LIMIT 1",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID});
    const OrderArguments key(order.key);
    const FreshSnapshot snapshot;
    const Rows rows = query.run({key.buyer, key.program, key.external_id, text_argument(order.status)});
    if (rows.size() == 0) fail_final(order.shown(), order.status);
    return rows.datum(0, 1, JSONBOID);
}

Datum with_repeated(Datum answer, bool repeated, MemoryContext into) {
    static Query query("SELECT $1 || jsonb_build_object('repeated', $2)", {JSONBOID, BOOLOID});
    return copy_out(query.run({{answer, false}, boolean_argument(repeated)}).datum(0, 1, JSONBOID), into);
}

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_cancel_order);
Datum loyalty_cancel_order(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const MemoryContext into = CurrentMemoryContext;
        const Arguments given(fcinfo);
        const AsOwner as_owner = AsOwner::writing();
        const Spi connection;
        const GuardedWriting writing;
        const LockedOrder order = lock_order(given.required(0, "program"), given.required(1, "external_id"));
        if (order.kind() == StatusKind::cancelled) return with_repeated(last_answer(order), true, into);
        if (order.is_final()) fail_final(order.shown(), order.status);
        Return all;
        all.kind = Return::Kind::cancellation;
        all.shipping = true;
        all.status = cancelled_status(order.market());
        return with_repeated(give_back(order, all), false, into);
    });
}

PG_FUNCTION_INFO_V1(loyalty_return_items);
Datum loyalty_return_items(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const MemoryContext into = CurrentMemoryContext;
        const Arguments given(fcinfo);
        const AsOwner as_owner = AsOwner::writing();
        const Spi connection;
        const GuardedWriting writing;
        Return items;
        items.external_id = given.required(3, "return_id");
        const auto lines = given.datum(2);
        if (!lines) throw Error(sqlstate::missing_field, "argument \"lines\" is missing");
        const auto shipping = given.datum(4);
        items.shipping = shipping && DatumGetBool(*shipping);
        items.items = codec::read_returned_items(jsonb_text(*lines));
        items.request = request_of(*lines, items.shipping);
        const LockedOrder order = lock_order(given.required(0, "program"), given.required(1, "external_id"));
        if (const auto first = first_answer(order, *items.external_id, *items.request))
            return with_repeated(*first, true, into);
        return with_repeated(give_back(order, items), false, into);
    });
}
}
