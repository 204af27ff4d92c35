// loyalty_import_orders: orders made elsewhere, stored as given, many in a few statements.
#include "codec/order_reader.hpp"
#include "core/order/resolve.hpp"

#include <map>
#include <set>

#include "pg/ledger/store.hpp"
#include "pg/members/lock.hpp"
#include "pg/members/profile.hpp"
#include "pg/orders/store.hpp"
#include "pg/orders/time.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/days.hpp"
#include "pg/server/guarded_writing.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/jsonb.hpp"
#include "pg/server/owner.hpp"
#include "pg/tiers/tiers.hpp"

namespace loyalty::pg {

namespace {

struct Imported {
    OrderDocument document;
    Order order;
    TimestampTz time = 0;
    OrderKey key;
    bool is_new = true;
};

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

// A document is looked up in the array by its number: a join with its elements would go through all of them for each order.
class Import {
public:
    Import(Datum given, Oid caller) : given_(given), caller_(caller) {}

    Datum run(MemoryContext into) {
        for (auto& document : codec::read_imported_orders(text(), check_interrupts))
            orders_.push_back({std::move(document), {}, 0, {}, true});
        for (std::size_t i = 0; i < orders_.size(); i++) {
            check_interrupts();
            in_order(i, [&] { resolve_order(orders_[i]); });
        }
        find_keys();
        check_ids();
        find_known();
        by_buyers([](const std::string& program, const auto& buyers) { lock_members(program, buyers); });
        // Whoever imports the same at the same time is waited for here; what was stored then is not stored again.
        if (claim_ids() < new_orders()) find_known();
        store_orders();
        store_lines();
        count_for_buyers();
        by_buyers(
            [&](const std::string& program, const auto& buyers) { judge_members(program, buyers, now(), caller_); });
        return answer(into);
    }

private:
    std::string_view text() const {
        const std::size_t size = toast_raw_datum_size(given_);
        if (size > max_document_bytes) {
            throw Error(sqlstate::document_too_large, "invalid orders: the document is too large",
                        "It has " + std::to_string(size) + " bytes.", "Import them in parts of at most 16 MiB.");
        }
        return jsonb_text(given_);
    }

    // An error in one order says in which.
    template <class Body>
    void in_order(std::size_t i, const Body& body) const {
        try {
            body();
        } catch (const Error& error) {
            throw codec::in_order(error, i);
        }
    }

    const CurrentProgram& program_of(const OrderDocument& document) {
        const std::string name = document.program.value_or("");
        const auto found = programs_.find(name);
        if (found != programs_.end()) return found->second;
        return programs_.emplace(name, current_program(document.program)).first->second;
    }

    void resolve_order(Imported& order) {
        const OrderDocument& document = order.document;
        const CurrentProgram& current = program_of(document);
        const Program& program = current.version->program;
        check_active(current.live->market);
        check_references(document, program, current.live->market);
        order.key.program = current.live->market.program;
        order.key.external_id = *document.external_id;
        order.time = now();
        if (document.time) order.time = read_order_time(*document.time, program.time_zone);
        if (order.time > now()) {
            throw Error(sqlstate::time_in_future, "invalid order: the time lies in the future",
                        "At $.time, the value is \"" + *document.time + "\".", "Import orders that were made.");
        }
        if (has_year_of_two_digits(order.time)) {
            throw Error(sqlstate::value_out_of_range, "invalid order: the time is in a year of two digits",
                        "At $.time, the value is \"" + *document.time + "\".", "Write years in full.");
        }
        const std::size_t lines = document.lines.size();
        order.order = resolve(document, program, std::vector<Product>(lines),
                              std::vector<std::vector<std::uint32_t>>(lines), Buyer());
    }

    // -----------------------------------------------------------------------------------------------------------------
    // Buyers

    void find_keys() {
        std::map<std::string, std::vector<std::size_t>> by_program;
        for (std::size_t i = 0; i < orders_.size(); i++) {
            Imported& order = orders_[i];
            if (order.document.member) {
                by_program[order.key.program].push_back(i);
            } else {
                order.key.buyer = "g:" + order.key.external_id;
            }
        }
        for (const auto& of_program : by_program) {
            const auto& members = of_program.second;  // not bound by name: clang++ lets no lambda capture that
            std::vector<std::string> keys;
            for (const auto i : members) keys.push_back(*orders_[i].document.member);
            const LiveProgram& live = *program_of(orders_[members.front()].document).live;
            const auto profiles = find_profiles(live.profiles, keys, caller_);
            for (std::size_t n = 0; n < members.size(); n++) {
                in_order(members[n], [&] {
                    if (!profiles[n]) fail_unknown(keys[n], live.market.profile_database);
                    orders_[members[n]].key.buyer = "m:" + *profiles[n];
                });
            }
        }
    }

    [[noreturn]] static void fail_unknown(const std::string& key, const std::string& database) {
        throw Error(sqlstate::unknown_profile, "invalid order: the member is not in the profile database",
                    "At $.member, the value is \"" + key + "\".",
                    "Give a key of profile database \"" + database + "\", or no member for an anonymous guest.");
    }

    void check_ids() const {
        std::map<std::pair<std::string, std::string>, std::size_t> seen;
        for (std::size_t i = 0; i < orders_.size(); i++) {
            const OrderKey& key = orders_[i].key;
            in_order(i, [&] {
                check_order_ids(orders_[i].document);
                if (seen.emplace(std::pair(key.program, key.external_id), i).second) return;
                throw Error(sqlstate::duplicate_key, "invalid order: two orders have the same id",
                            "At $.external_id, the value is \"" + key.external_id + "\".", "Give each order once.");
            });
        }
    }

    // -----------------------------------------------------------------------------------------------------------------
    // Which are stored already

    std::size_t new_orders() const {
        std::size_t count = 0;
        for (const auto& order : orders_) count += order.is_new;
        return count;
    }

    Columns keys() const {
        Columns columns;
        for (const auto& order : orders_) columns.add(order);
        return columns;
    }

    Argument programs_argument() const {
        std::vector<std::string> programs;
        for (const auto& order : orders_) programs.push_back(order.key.program);
        return texts_argument(programs);
    }

    void find_known() {
        static Query query(
            "SELECT k.number::integer, o.origin = 'imported'"
            "       AND coalesce(o.request = $1 -> (k.number - 1)::integer,"
            "           o.request_hash = jsonb_hash_extended($1 -> (k.number - 1)::integer, 0))"
            "  FROM unnest($2::text[], $3::text[]) WITH ORDINALITY k (program, external_id, number)"
            "  JOIN loyalty.order_ids i ON i.external_id = k.external_id AND i.program = k.program"
            "  JOIN loyalty.orders o ON o.buyer = i.buyer AND o.program = i.program AND o.external_id = i.external_id",
            {JSONBOID, TEXTARRAYOID, TEXTARRAYOID});
        const FreshSnapshot snapshot;
        const Rows rows = query.run({{given_, false}, programs_argument(), texts_argument(keys().ids)});
        for (std::uint64_t row = 0; row < rows.size(); row++) {
            ColumnsInTurn columns(rows, row);
            const auto i = static_cast<std::size_t>(columns.integer() - 1);
            const bool is_equal = columns.boolean();
            if (!is_equal) {
                throw Error(sqlstate::order_id_taken,
                            "external id \"" + orders_[i].key.external_id + "\" was used for another order", {},
                            "Repeat a request with exactly the same content, or use a new id.");
            }
            orders_[i].is_new = false;
        }
    }

    std::size_t claim_ids() const {
        static Query query(
            "INSERT INTO loyalty.order_ids (external_id, program, buyer)"
            " SELECT k.external_id, k.program, k.buyer"
            "   FROM unnest($1::text[], $2::text[], $3::text[]) k (external_id, program, buyer)"
            "  WHERE NOT EXISTS (SELECT FROM loyalty.order_ids i WHERE i.external_id = k.external_id AND i.program = k.program)"
            "  ORDER BY k.program, k.external_id"
            " ON CONFLICT DO NOTHING RETURNING true",
            {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID});
        const Columns columns = keys();
        return query.run({texts_argument(columns.ids), programs_argument(), texts_argument(columns.buyers)}, true)
            .size();
    }

    // -----------------------------------------------------------------------------------------------------------------
    // Storing

    static Money total_of(const Imported& order, const Line& line, int scale) {
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

    // Orders of one program at a time, since figures are in its scales.
    template <class Body>
    void by_program(const Body& body) {
        std::map<std::string, std::vector<std::size_t>> groups;
        for (std::size_t i = 0; i < orders_.size(); i++) {
            if (orders_[i].is_new) groups[orders_[i].key.program].push_back(i);
        }
        for (const auto& [program, members] : groups)
            body(program, program_of(orders_[members.front()].document).version->program, members);
    }

    // The profiles that the new orders of a program name, each once.
    template <class Body>
    void by_buyers(const Body& body) {
        by_program([&](const std::string& program, const Program&, const std::vector<std::size_t>& members) {
            std::set<std::string> buyers;
            for (const auto i : members) {
                if (const auto profile = orders_[i].key.profile()) buyers.insert(*profile);
            }
            body(program, std::vector<std::string>(buyers.begin(), buyers.end()));
        });
    }

    void store_orders() {
        static Query query(
            "INSERT INTO loyalty.orders (buyer, program, external_id, origin, status, \"time\", placed_at, channel, contact_point,"
            "    region, base, discount, points_discount, total, shipping_base, shipping_discount, shipping_points_discount,"
            "    shipping_total, request, request_hash)"
            " SELECT k.buyer, $1, k.external_id, 'imported', coalesce(d.body ->> 'status', 'new'), k.time, $2,"
            "        d.body ->> 'channel', d.body ->> 'contact_point', d.body ->> 'region',"
            "        k.base + k.shipping, k.base - k.total, 0, k.total + k.shipping, k.shipping, 0, 0, k.shipping,"
            "        d.body, jsonb_hash_extended(d.body, 0)"
            "   FROM unnest($4::text[], $5::text[], $6::bigint[], $7::timestamptz[], $8::numeric[], $9::numeric[], $10::numeric[])"
            "            k (buyer, external_id, number, time, base, total, shipping),"
            "        LATERAL (SELECT $3 -> (k.number - 1)::integer) d (body)",
            {TEXTOID, TIMESTAMPTZOID, JSONBOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, TIMESTAMPTZARRAYOID,
             NUMERICARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID},
            {"orders_external_id_fkey"});
        by_program([&](const std::string& program, const Program& rules, const std::vector<std::size_t>& members) {
            const int scale = rules.currency_scale;
            Columns columns;
            std::vector<std::int64_t> shipping;
            for (const auto i : members) {
                in_order(i, [&] {
                    const Imported& order = orders_[i];
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
                              {given_, false},
                              texts_argument(columns.buyers),
                              texts_argument(columns.ids),
                              bigints_argument(columns.numbers),
                              timestamps_argument(columns.times),
                              units_array_argument(columns.bases, scale),
                              units_array_argument(columns.totals, scale),
                              units_array_argument(shipping, scale)});
        });
    }

    void store_lines() {
        static Query query(
            "INSERT INTO loyalty.order_lines (buyer, program, order_id, line, position, product, quantity, price, base,"
            "    discount, points_discount, allotted, total, status)"
            " SELECT k.buyer, $1, k.order_id, k.line, k.position, k.product, trim_scale(k.quantity), k.price, k.base, k.base - k.total, 0, 0,"
            "        k.total, k.status"
            "   FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::numeric[], $8::numeric[],"
            "               $9::numeric[], $10::numeric[], $11::text[])"
            "            k (buyer, order_id, line, position, product, quantity, price, base, total, status)",
            {TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID, TEXTARRAYOID, NUMERICARRAYOID,
             NUMERICARRAYOID, NUMERICARRAYOID, NUMERICARRAYOID, TEXTARRAYOID},
            {"order_lines_order_fkey", "order_lines_status_fkey"});
        by_program([&](const std::string& program, const Program& rules, const std::vector<std::size_t>& members) {
            const int scale = rules.currency_scale;
            Columns columns;
            for (const auto i : members) {
                for (const auto& line : orders_[i].order.lines) add_line(columns, orders_[i], line, scale);
            }
            // The orders' rows, just written, have the same statuses.
            query.run_proven({text_argument(program), texts_argument(columns.buyers), texts_argument(columns.ids),
                              texts_argument(columns.lines), bigints_argument(columns.positions),
                              texts_argument(columns.products),
                              units_array_argument(columns.quantities, quantity_scale),
                              units_array_argument(columns.prices, rules.price_scale),
                              units_array_argument(columns.bases, scale), units_array_argument(columns.totals, scale),
                              texts_argument(columns.statuses)});
        });
    }

    void count_for_buyers() {
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
        by_program([&](const std::string& program, const Program&, const std::vector<std::size_t>& members) {
            Columns columns;
            for (const auto i : members) columns.add(orders_[i]);
            query.run_proven({text_argument(program), texts_argument(columns.buyers), texts_argument(columns.ids)});
        });
    }

    static void add_line(Columns& columns, const Imported& order, const Line& line, int scale) {
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

    Datum answer(MemoryContext into) const {
        const auto stored = static_cast<std::int64_t>(new_orders());
        JsonbWriter out;
        out.begin_object();
        out.key("imported");
        out.number(stored, 0);
        out.key("repeated");
        out.number(static_cast<std::int64_t>(orders_.size()) - stored, 0);
        out.end_object();
        return copy_out(out.take(), into);
    }

    const Datum given_;
    const Oid caller_;
    std::vector<Imported> orders_;
    std::map<std::string, CurrentProgram> programs_;
};

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_import_orders);
Datum loyalty_import_orders(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const MemoryContext into = CurrentMemoryContext;
        const Oid caller = GetUserId();
        const AsOwner as_owner = AsOwner::writing();
        const Spi connection;
        const GuardedWriting writing;
        return Import(PG_GETARG_DATUM(0), caller).run(into);
    });
}
}
