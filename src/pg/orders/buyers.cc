#include "pg/orders/buyers.hpp"

#include "core/error.hpp"

#include "pg/orders/time.hpp"
#include "pg/server/guarded_writing.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

namespace {

// Orders that count: not cancelled, less what was returned of them.
const std::string standing_orders =
    "SELECT count(*) AS orders, coalesce(sum(o.total - o.refunded), 0) AS total, max(o.time) AS last"
    "  FROM loyalty.orders o JOIN loyalty.order_statuses s ON s.external_id = o.status"
    " WHERE o.buyer = $1 AND o.program = $2 AND s.kind IN ('open', 'delivered')";

OrdersBefore orders_in(const Rows& rows, const Program& program) {
    OrdersBefore orders;
    if (rows.size() == 0) return orders;
    ColumnsInTurn columns(rows);
    orders.count = columns.bigint();
    orders.sum = {columns.units(program.currency_scale)};
    if (const auto last = columns.optional_timestamp()) orders.last = local_time(*last, program.time_zone).to_string();
    return orders;
}

Argument buyer_argument(const std::string& profile) { return text_argument("m:" + profile); }

}  // namespace

OrdersBefore find_orders_before(const Program& program, const std::string& profile) {
    static Query query("SELECT orders, total, last_order FROM loyalty.buyers WHERE buyer = $1 AND program = $2",
                       {TEXTOID, TEXTOID});
    return orders_in(query.run({buyer_argument(profile), text_argument(program.id)}), program);
}

OrdersBefore count_orders_before(const Program& program, const std::string& profile, TimestampTz at) {
    static Query query(standing_orders + " AND o.time < $3", {TEXTOID, TEXTOID, TIMESTAMPTZOID});
    return orders_in(query.run({buyer_argument(profile), text_argument(program.id), timestamp_argument(at)}), program);
}

void lock_buyer(const OrderKey& order) {
    static Query query(
        "INSERT INTO loyalty.buyers AS b (buyer, program) VALUES ($1, $2)"
        " ON CONFLICT (buyer, program) DO UPDATE SET orders = b.orders",
        {TEXTOID, TEXTOID});
    if (!order.profile()) return;
    const GuardedWriting writing;
    query.run({text_argument(order.buyer), text_argument(order.program)}, true);
}

void take_from_buyer(const OrderKey& order, Money given_back, int currency_scale) {
    static Query query("UPDATE loyalty.buyers SET total = total - $3 WHERE buyer = $1 AND program = $2",
                       {TEXTOID, TEXTOID, NUMERICOID});
    if (!order.profile() || given_back.is_zero()) return;
    query.run({text_argument(order.buyer), text_argument(order.program),
               units_argument(given_back.units, currency_scale)},
              true);
}

// Locked first: an order that is placed at the same moment, for a guest, is seen by what adds up after that.
void recount_buyer(const OrderKey& order) {
    static Query query(
        "UPDATE loyalty.buyers b SET orders = n.orders, total = n.total, last_order = n.last"
        "  FROM (" + standing_orders + ") n WHERE b.buyer = $1 AND b.program = $2",
        {TEXTOID, TEXTOID});
    if (!order.profile()) return;
    lock_buyer(order);
    query.run({text_argument(order.buyer), text_argument(order.program)}, true);
}

}  // namespace loyalty::pg
