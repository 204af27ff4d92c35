// Which of the orders are stored already, and who stores the others.
#include "pg/orders/imported.hpp"

#include "pg/server/in_turn.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

// The keys of all, each in an array.
struct Keys {
    std::vector<std::string> programs, external_ids, buyers;

    explicit Keys(const ImportedOrders& imported) {
        for (const auto& order : imported.orders) {
            programs.push_back(order.key.program);
            external_ids.push_back(order.key.external_id);
            buyers.push_back(order.key.buyer);
        }
    }
};

}  // namespace

void find_known(ImportedOrders& imported) {
    static Query query(
        "SELECT k.number::integer, o.origin = 'imported'"
        "       AND coalesce(o.request = $1 -> (k.number - 1)::integer,"
        "           o.request_hash = jsonb_hash_extended($1 -> (k.number - 1)::integer, 0))"
        "  FROM unnest($2::text[], $3::text[]) WITH ORDINALITY k (program, external_id, number)"
        "  JOIN loyalty.order_ids i ON i.external_id = k.external_id AND i.program = k.program"
        "  JOIN loyalty.orders o ON o.buyer = i.buyer AND o.program = i.program AND o.external_id = i.external_id",
        {JSONBOID, TEXTARRAYOID, TEXTARRAYOID});
    const FreshSnapshot snapshot;
    const Keys keys(imported);
    const Rows rows =
        query.run({{imported.document, false}, texts_argument(keys.programs), texts_argument(keys.external_ids)});
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        const auto i = static_cast<std::size_t>(columns.integer() - 1);
        const bool is_equal = columns.boolean();
        if (!is_equal) {
            throw Error(sqlstate::order_id_taken,
                        "external id \"" + imported.orders[i].key.external_id + "\" was used for another order", {},
                        "Repeat a request with exactly the same content, or use a new id.");
        }
        imported.orders[i].is_new = false;
    }
}

std::size_t claim_ids(const ImportedOrders& imported) {
    static Query query(
        "INSERT INTO loyalty.order_ids (external_id, program, buyer)"
        " SELECT k.external_id, k.program, k.buyer"
        "   FROM unnest($1::text[], $2::text[], $3::text[]) k (external_id, program, buyer)"
        "  WHERE NOT EXISTS (SELECT FROM loyalty.order_ids i"
        "      WHERE i.external_id = k.external_id AND i.program = k.program)"
        "  ORDER BY k.program, k.external_id"
        " ON CONFLICT DO NOTHING RETURNING true",
        {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID});
    const Keys keys(imported);
    return query
        .run({texts_argument(keys.external_ids), texts_argument(keys.programs), texts_argument(keys.buyers)}, true)
        .size();
}

}  // namespace loyalty::pg
