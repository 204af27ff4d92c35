// Writes imported orders: a statement for each table and program. A document is looked up in the array by its number: a
// join with its elements would go through all of them for each order.
#include "pg/orders/imported.hpp"

#include "pg/server/clock.hpp"

namespace loyalty::pg {

namespace {

// Columns of the orders and their lines, ready to be inserted.
struct Columns {
    std::vector<std::string> buyers, ids, lines, products, statuses;
    std::vector<std::int64_t> numbers, positions, quantities, prices, bases, totals;
    std::vector<TimestampTz> times;

    void add(const Imported& order) {
        buyers.push_back(order.key.buyer);
        ids.push_back(order.key.external_id);
    }
};

Money total_of(const Imported& order, const Line& line, int scale) {
    const LineDocument& document = order.document.lines[line.position];
    if (!document.total) return line.base;
    const auto units = document.total->units(scale);
    if (document.total->is_negative() || !units) {
        throw Error(sqlstate::value_out_of_range, "invalid order: an amount of money is out of range",
                    "At " + line_path(line.position) + ".total, the value is " + document.total->to_string() + ".",
                    "Give an amount of 0 or more with at most " + std::to_string(scale) + " decimals.");
    }
    return {*units};
}

void add_line(Columns& columns, const Imported& order, const Line& line, int scale) {
    columns.add(order);
    columns.lines.push_back(line.id);
    columns.positions.push_back(line.position + 1);
    columns.products.push_back(line.product);
    columns.quantities.push_back(line.quantity.units);
    columns.prices.push_back(line.price.units);
    columns.bases.push_back(line.base.units);
    columns.totals.push_back(total_of(order, line, scale).units);
    columns.statuses.push_back(order.document.status.value_or("new"));
}

void store_orders(ImportedOrders& imported) {
    static Query query(
        "INSERT INTO loyalty.orders (buyer, program, external_id, origin, status, \"time\", placed_at, channel,"
        "    contact_point,"
        "    region, base, discount, points_discount, total, shipping_base, shipping_discount,"
        "        shipping_points_discount,"
        "    shipping_total, request, request_hash)"
        " SELECT k.buyer, $1, k.external_id, 'imported', coalesce(d.body ->> 'status', 'new'), k.time, $2,"
        "        d.body ->> 'channel', d.body ->> 'contact_point', d.body ->> 'region',"
        "        k.base + k.shipping, k.base - k.total, 0, k.total + k.shipping, k.shipping, 0, 0, k.shipping,"
        "        d.body, jsonb_hash_extended(d.body, 0)"
        "   FROM unnest($4::text[], $5::text[], $6::bigint[], $7::timestamptz[], $8::numeric[], $9::numeric[],"
        "       $10::numeric[])"
        "            k (buyer, external_id, number, time, base, total, shipping),"
        "        LATERAL (SELECT $3 -> (k.number - 1)::integer) d (body)",
        {TEXTOID, TIMESTAMPTZOID, JSONBOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, TIMESTAMPTZARRAYOID,
         NUMERICARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID},
        {"orders_external_id_fkey"});
    imported.by_program([&](const std::string& program, const Program& rules, const std::vector<std::size_t>& members) {
        const int scale = rules.currency_scale;
        Columns columns;
        std::vector<std::int64_t> shipping;
        for (const auto i : members) {
            ImportedOrders::in_order(i, [&] {
                const Imported& order = imported.orders[i];
                Money base, total;
                for (const auto& line : order.order.lines) {
                    base += line.base;
                    total += total_of(order, line, scale);
                }
                columns.add(order);
                columns.numbers.push_back(static_cast<std::int64_t>(i) + 1);
                columns.times.push_back(order.time);
                columns.bases.push_back(base.units);
                columns.totals.push_back(total.units);
                shipping.push_back(order.order.shipping.units);
            });
        }
        query.run_proven({text_argument(program),
                          timestamp_argument(now()),
                          {imported.document, false},
                          texts_argument(columns.buyers),
                          texts_argument(columns.ids),
                          bigints_argument(columns.numbers),
                          timestamps_argument(columns.times),
                          units_array_argument(columns.bases, scale),
                          units_array_argument(columns.totals, scale),
                          units_array_argument(shipping, scale)});
    });
}

void store_lines(ImportedOrders& imported) {
    static Query query(
        "INSERT INTO loyalty.order_lines (buyer, program, order_id, line, position, product, quantity, price, base,"
        "    discount, points_discount, allotted, total, status)"
        " SELECT k.buyer, $1, k.order_id, k.line, k.position, k.product, trim_scale(k.quantity), k.price, k.base,"
        "     k.base - k.total, 0, 0,"
        "        k.total, k.status"
        "   FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::numeric[], $8::numeric[],"
        "               $9::numeric[], $10::numeric[], $11::text[])"
        "            k (buyer, order_id, line, position, product, quantity, price, base, total, status)",
        {TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, TEXTARRAYOID, NUMERICARRAYOID,
         NUMERICARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, TEXTARRAYOID},
        {"order_lines_order_fkey", "order_lines_status_fkey"});
    imported.by_program([&](const std::string& program, const Program& rules, const std::vector<std::size_t>& members) {
        const int scale = rules.currency_scale;
        Columns columns;
        for (const auto i : members) {
            for (const auto& line : imported.orders[i].order.lines) add_line(columns, imported.orders[i], line, scale);
        }
        // The orders' rows, just written, have the same statuses.
        query.run_proven({text_argument(program), texts_argument(columns.buyers), texts_argument(columns.ids),
                          texts_argument(columns.lines), bigints_argument(columns.positions),
                          texts_argument(columns.products), units_array_argument(columns.quantities, quantity_scale),
                          units_array_argument(columns.prices, rules.price_scale),
                          units_array_argument(columns.bases, scale), units_array_argument(columns.totals, scale),
                          texts_argument(columns.statuses)});
    });
}

void count_for_buyers(ImportedOrders& imported) {
    static Query query(
        "INSERT INTO loyalty.buyers AS b (buyer, program, orders, total, last_order)"
        " SELECT o.buyer, $1, count(*), sum(o.total), max(o.time)"
        "   FROM unnest($2::text[], $3::text[]) k (buyer, external_id)"
        "   JOIN loyalty.orders o ON o.buyer = k.buyer AND o.program = $1 AND o.external_id = k.external_id"
        "   JOIN loyalty.order_statuses s ON s.external_id = o.status AND s.kind IN ('open', 'delivered')"
        "  WHERE k.buyer > 'm:' COLLATE \"C\" GROUP BY o.buyer ORDER BY o.buyer"
        " ON CONFLICT (buyer, program) DO UPDATE SET orders = b.orders + excluded.orders,"
        "    total = b.total + excluded.total, last_order = greatest(b.last_order, excluded.last_order)",
        {TEXTOID, TEXTARRAYOID, TEXTARRAYOID}, {"buyers_program_fkey"});
    imported.by_program([&](const std::string& program, const Program&, const std::vector<std::size_t>& members) {
        Columns columns;
        for (const auto i : members) columns.add(imported.orders[i]);
        query.run_proven({text_argument(program), texts_argument(columns.buyers), texts_argument(columns.ids)});
    });
}

}  // namespace

void store_imported(ImportedOrders& imported) {
    store_orders(imported);
    store_lines(imported);
    count_for_buyers(imported);
}

}  // namespace loyalty::pg
