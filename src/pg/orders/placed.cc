#include "pg/orders/placed.hpp"

#include <map>

#include "pg/server/clock.hpp"

namespace loyalty::pg {

namespace {

// Ids that many rows name, each once: what a column's domain demands is looked at once for each, and rows name their
// places.
class Names {
public:
    std::int32_t place_of(const std::string& name) {
        const auto [place, is_new] = places_.try_emplace(name, static_cast<std::int32_t>(names_.size()) + 1);
        if (is_new) names_.push_back(name);
        return place->second;
    }
    std::vector<std::int32_t> places_of(const std::vector<std::string>& names) {
        std::vector<std::int32_t> places;
        for (const auto& name : names) places.push_back(place_of(name));
        return places;
    }
    Argument argument() const { return texts_argument(names_); }

private:
    std::vector<std::string> names_;
    std::map<std::string, std::int32_t> places_;
};

// What the order's row has given, its parts take from it: so it is checked once, and a part without it cannot be.
Query& writing() {
    static Query query(
        "WITH placed AS ("
        "    INSERT INTO loyalty.orders (buyer, program, external_id, origin, status, version, \"time\", placed_at,"
        "        channel, contact_point, region, base, discount, points_discount, total,"
        "        shipping_base, shipping_discount, shipping_points_discount, shipping_total,"
        "        request, request_hash, resolved, result, confirmation)"
        "    VALUES ($1, $2, $3, 'placed', $4, $5, coalesce($6, $7), $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,"
        "        $17, $18,"
        "        $19, $20, $21, $22, $23)"
        "    RETURNING buyer, program, external_id, status, total, \"time\"),"
        " ordered AS ("
        "    INSERT INTO loyalty.buyers AS b (buyer, program, orders, total, last_order)"
        "    SELECT o.buyer, o.program, 1, o.total, o.time FROM placed o WHERE o.buyer > 'm:'"
        "    ON CONFLICT (buyer, program) DO UPDATE SET orders = b.orders + 1, total = b.total + excluded.total,"
        "        last_order = greatest(b.last_order, excluded.last_order)),"
        " sold (line, position, product, quantity, price, base, discount, points_discount, allotted, total, gift) AS ("
        "    SELECT l.body ->> 'id', l.position, l.body ->> 'product', (l.body ->> 'quantity')::numeric,"
        "           (l.body ->> 'base_price')::numeric, (l.body ->> 'base')::numeric, (l.body ->> 'discount')::numeric,"
        "           (l.body ->> 'points_discount')::numeric, (l.body ->> 'allotted')::numeric,"
        "           (l.body ->> 'total')::numeric, false"
        "      FROM jsonb_array_elements($24 -> 'lines') WITH ORDINALITY l (body, position)"
        "    UNION ALL"
        "    SELECT g.body ->> 'line', jsonb_array_length($24 -> 'lines') + g.number, g.body ->> 'product',"
        "           (g.body ->> 'quantity')::numeric, 0, 0, 0, 0, 0, 0, true"
        "      FROM jsonb_array_elements($24 -> 'gifts') WITH ORDINALITY g (body, number)),"
        " lines AS ("
        "    INSERT INTO loyalty.order_lines (buyer, program, order_id, line, position, product, quantity, price,"
        "        base, discount, points_discount, allotted, total, status, gift)"
        "    SELECT o.buyer, o.program, o.external_id, s.line, s.position, s.product, s.quantity, s.price,"
        "           s.base, s.discount, s.points_discount, s.allotted, s.total, o.status, s.gift"
        "      FROM placed o, sold s),"
        " named AS MATERIALIZED (SELECT $25::loyalty.external_id[] AS ids),"
        " payments AS ("
        "    INSERT INTO loyalty.order_points (buyer, program, order_id, number, point_type, line, money, points, seq)"
        "    SELECT o.buyer, o.program, o.external_id, p.number, n.ids[p.point_type], p.line, p.money, p.points, p.seq"
        "      FROM placed o, named n,"
        "           unnest($26::integer[], $27::text[], $28::numeric[], $29::numeric[], $30::bigint[]) WITH ORDINALITY"
        "           p (point_type, line, money, points, seq, number)),"
        " accruals AS ("
        "    INSERT INTO loyalty.order_accruals (buyer, program, order_id, number, promotion, point_type, level, line,"
        "        points, credit_on, delay, state, seq)"
        "    SELECT o.buyer, o.program, o.external_id, a.number, n.ids[a.promotion], n.ids[a.point_type], a.level,"
        "        a.line,"
        "           a.points, a.credit_on, a.delay, CASE WHEN a.seq IS NULL THEN 'waiting' ELSE 'credited' END, a.seq"
        "      FROM placed o, named n,"
        "           unnest($31::bigint[], $32::integer[], $33::integer[], $34::text[], $35::text[], $36::numeric[],"
        "                  $37::text[], $38::text[], $39::bigint[])"
        "           a (number, promotion, point_type, level, line, points, credit_on, delay, seq))"
        " SELECT FROM placed",
        {TEXTOID,         TEXTOID,      TEXTOID,      TEXTOID,      INT4OID,      TIMESTAMPTZOID, TIMESTAMPTZOID,
         TEXTOID,         TEXTOID,      TEXTOID,      NUMERICOID,   NUMERICOID,   NUMERICOID,     NUMERICOID,
         NUMERICOID,      NUMERICOID,   NUMERICOID,   NUMERICOID,   JSONBOID,     INT8OID,        JSONBOID,
         JSONBOID,        JSONBOID,     JSONBOID,     TEXTARRAYOID, INT4ARRAYOID, TEXTARRAYOID,   NUMERICARRAYOID,
         NUMERICARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, TEXTARRAYOID,   TEXTARRAYOID,
         NUMERICARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID},
        {"orders_external_id_fkey", "orders_version_fkey", "buyers_program_fkey", "order_lines_order_fkey",
         "order_lines_status_fkey", "order_points_order_fkey", "order_points_line_fkey", "order_points_point_type_fkey",
         "order_accruals_order_fkey", "order_accruals_line_fkey", "order_accruals_point_type_fkey"});
    return query;
}

}  // namespace

void write_placed(const PlacedOrder& order) {
    const Program& program = order.quote.program();
    const OrderDocument& document = order.quote.document;
    const Calculation& calculation = order.quote.calculation;
    const LineResult all = calculation.all(), &shipping = calculation.shipping;
    const int scale = program.currency_scale;
    const auto money = [=](Money amount) { return units_argument(amount.units, scale); };
    const PlacedPayments& paid = order.payments;
    const PlacedAccruals& earned = order.accruals;
    Names names;
    const auto paid_types = names.places_of(paid.point_types), promotions = names.places_of(earned.promotions),
               earned_types = names.places_of(earned.point_types);
    const OrderArguments key(order.key);
    const std::initializer_list<Argument> arguments = {
        key.buyer,
        key.program,
        key.external_id,
        text_argument(order.status),
        program.version == 0 ? null_argument() : integer_argument(program.version),
        optional_timestamp_argument(order.quote.at),
        timestamp_argument(now()),
        optional_text_argument(document.channel),
        optional_text_argument(document.contact_point),
        optional_text_argument(document.region),
        money(all.base),
        money(all.discount),
        money(all.points_discount),
        money(all.total),
        money(shipping.base),
        money(shipping.discount),
        money(shipping.points_discount),
        money(shipping.total),
        {compressed(order.request), false},
        bigint_argument(jsonb_hash(order.request)),
        {compressed(order.resolved), false},
        {compressed(order.result), false},
        {compressed(order.confirmation), false},
        {order.result, false},
        names.argument(),
        integers_argument(paid_types),
        optional_texts_argument(paid.lines),
        units_array_argument(paid.money, scale),
        numerics_argument(paid.points),
        optional_bigints_argument(paid.seqs),
        bigints_argument(earned.numbers),
        integers_argument(promotions),
        integers_argument(earned_types),
        texts_argument(earned.levels),
        optional_texts_argument(earned.lines),
        numerics_argument(earned.points),
        texts_argument(earned.credit_on),
        optional_texts_argument(earned.delays),
        optional_bigints_argument(earned.seqs)};
    // The keys were written by the same function, or are locked, or stay for ever; where not all do, they are checked.
    const Rows rows = order.key.named_locked ? writing().run_proven(arguments) : writing().run(arguments, true);
    if (rows.size() == 1) return;
    throw Error(sqlstate::row_did_not_arrive, "an order was placed, but its row did not arrive", {},
                "A trigger of your own on loyalty.orders dropped it.");
}

}  // namespace loyalty::pg
