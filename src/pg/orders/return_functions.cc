// loyalty_cancel_order and loyalty_return_items, and the answers that they gave before.
#include "pg/orders/returns.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/guarded_writing.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/jsonb.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

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
    ColumnsInTurn columns(rows);
    const bool is_equal = columns.boolean();
    if (is_equal) return columns.datum(JSONBOID);
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
