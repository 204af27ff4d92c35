#include "pg/orders/store.hpp"

#include "pg/events/outbox.hpp"
#include "pg/ledger/store.hpp"
#include "pg/members/visible.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/guarded_writing.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/owner.hpp"
#include "pg/server/trigger.hpp"
#include "pg/tiers/tiers.hpp"

namespace loyalty::pg {

namespace {

constexpr std::size_t max_id_bytes = 255;

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

void check_id(const std::string& id, const std::string& path, bool blanks_allowed) {
    if (id.size() <= max_id_bytes && (blanks_allowed || (!is_blank(id.front()) && !is_blank(id.back())))) return;
    throw Error(
        sqlstate::value_out_of_range, "invalid order: an id is too long, or has blanks around it",
        "At " + path + ", the value has " + std::to_string(id.size()) + " bytes.",
        "Ids have at most " + std::to_string(max_id_bytes) + " bytes, and that of an order no blanks around it.");
}

}  // namespace

void check_order_ids(const OrderDocument& document) {
    check_id(*document.external_id, "$.external_id", false);
    for (std::size_t i = 0; i < document.lines.size(); i++) {
        if (document.lines[i].id) check_id(*document.lines[i].id, line_path(i) + ".id", true);
    }
}

std::optional<std::string> find_buyer_of(const std::string& program, const std::string& external_id) {
    static Query query("SELECT buyer FROM loyalty.order_ids WHERE external_id = $1 AND program = $2",
                       {TEXTOID, TEXTOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({text_argument(external_id), text_argument(program)});
    return rows.size() == 0 ? std::nullopt : std::optional(rows.text(0, 1));
}

// Sorted, so that orders which are the first to name several promotions do not wait for each other.
void keep_promotions(const std::string& program, const std::set<std::string>& promotions) {
    static Query query(
        "INSERT INTO loyalty.order_promotions (program, promotion)"
        " SELECT $1, p.promotion FROM unnest($2) AS p (promotion)"
        "  WHERE NOT EXISTS (SELECT FROM loyalty.order_promotions k WHERE k.program = $1 AND k.promotion = p.promotion)"
        " ON CONFLICT DO NOTHING",
        {TEXTOID, TEXTARRAYOID});
    const std::vector<std::string> ids(promotions.begin(), promotions.end());
    query.run({text_argument(program), texts_argument(ids)}, true);
}

void lock_balances(OrderKey& key) {
    static Query query(
        "SELECT removed_at IS NOT NULL FROM loyalty.members WHERE member = $1 AND program = $2 FOR NO KEY UPDATE",
        {TEXTOID, TEXTOID});
    prepare_outbox();
    const auto profile = key.profile();
    if (!profile) return;
    const Rows rows = query.run({text_argument(*profile), text_argument(key.program)}, true);
    if (rows.size() > 0) key.removed = rows.boolean(0, 1);
}

void judge_buyer(const OrderKey& key, const LiveProgram& live) {
    const auto profile = key.profile();
    if (!profile || !live.judges_dynamic) return;
    EventBatch::flush();
    judge_members(key.program, {*profile}, now(), current_caller());
}

void require_visible_buyer(const std::string& program, const std::string& external_id) {
    const auto buyer = find_buyer_of(program, external_id);
    if (!buyer) return;
    if (const auto profile = OrderKey{*buyer, program, external_id, {}, false}.profile())
        require_visible(*profile, program);
}

LockedOrder lock_order(const std::string& program, const std::string& external_id) {
    static Query query(
        "SELECT status, shipping_total, shipping_refunded FROM loyalty.orders"
        " WHERE buyer = $1 AND program = $2 AND external_id = $3 FOR NO KEY UPDATE",
        {TEXTOID, TEXTOID, TEXTOID});
    LockedOrder order;
    order.current = current_program(program);
    const auto buyer = find_buyer_of(program, external_id);
    if (!buyer) fail_unknown_order(program, external_id);
    order.key = {*buyer, program, external_id, {}, false};
    if (const auto profile = order.key.profile()) require_visible(*profile, program);
    lock_balances(order.key);
    const OrderArguments key(order.key);
    const Rows rows = query.run({key.buyer, key.program, key.external_id}, true);
    // The currency scale is fixed since the order was placed.
    order.currency_scale = order.market().currency_scale;
    ColumnsInTurn columns(rows);
    order.status = columns.text();
    order.shipping_total = {columns.units(order.currency_scale)};
    order.shipping_refunded = columns.boolean();
    return order;
}

void fail_unknown_order(const std::string& program, const std::string& external_id) {
    throw Error(sqlstate::unknown_order, "order \"" + external_id + "\" does not exist",
                "It is looked for in program \"" + program + "\".");
}

void fail_final(const std::string& what, const std::string& status) {
    throw Error(sqlstate::order_is_final, what + " is closed", "Its status is \"" + status + "\".",
                "Statuses of kind cancelled and refunded are final.");
}

StatusKind kind_of(const Market& market, const std::string& status) {
    const auto found = market.statuses.find(status);
    if (found != market.statuses.end()) return found->second.kind;
    throw Error(sqlstate::data_corrupted, "an order has status \"" + status + "\", which does not exist", {},
                "Restore the row of loyalty.order_statuses.");
}

void fail_unknown_line(const LockedOrder& order, const std::string& line) {
    throw Error(sqlstate::unknown_order_line, "line \"" + line + "\" of " + order.shown() + " does not exist");
}

}  // namespace loyalty::pg

// Statement trigger of the tables of orders, before rows are written.
extern "C" {
PG_FUNCTION_INFO_V1(loyalty_orders_trigger);
Datum loyalty_orders_trigger(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const OwnTrigger trigger(fcinfo, "loyalty_internal.orders_trigger");
        trigger.require(!trigger.is_for_row(), "FOR EACH STATEMENT");
        if (GuardedWriting::holds()) return no_row;
        const std::string table = RelationGetRelationName(trigger->tg_relation);
        throw Error(sqlstate::orders_are_guarded, "table \"loyalty." + table + "\" is written by functions only", {},
                    "Use loyalty_place_order(), loyalty_import_orders(), loyalty_set_order_status(),"
                    " loyalty_cancel_order() or loyalty_return_items().");
    });
}
}
