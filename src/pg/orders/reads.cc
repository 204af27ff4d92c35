// loyalty_order and loyalty_orders: what an order page and an account page show, for those who may not read the tables.
#include "pg/members/visible.hpp"
#include "pg/orders/store.hpp"
#include "pg/promotions/cache.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

constexpr int largest_page = 1000;

int page_size(const Arguments& given, int argument) {
    const int size = given.integer(argument).value_or(0);
    if (size >= 1 && size <= largest_page) return size;
    throw Error(sqlstate::value_out_of_range, "the page size is out of range", "It is " + std::to_string(size) + ".",
                "It is 1 to " + std::to_string(largest_page) + ".");
}

Rows read_order(const std::string& program, const std::string& external_id) {
    static Query query(
        "SELECT o.document FROM loyalty.order_ids i"
        "  JOIN loyalty.order_documents o ON o.buyer = i.buyer AND o.program = i.program"
        "      AND o.external_id = i.external_id"
        " WHERE i.external_id = $2 AND i.program = $1",
        {TEXTOID, TEXTOID});
    return query.run({text_argument(program), text_argument(external_id)});
}

// A buyer who never ordered has no orders; who that may be is not asked.
Rows read_orders(const std::string& buyer, const std::string& program, const std::optional<std::string>& before,
                 int most) {
    static Query query(
        "SELECT o.external_id::text, o.status::text, s.name, o.\"time\", o.placed_at, o.total, o.discount,"
        "    o.points_discount, o.refunded,"
        "       p.currency::text"
        "  FROM loyalty.orders o"
        "  JOIN loyalty.programs p ON p.external_id = o.program"
        "  JOIN loyalty.order_statuses s ON s.external_id = o.status"
        " WHERE o.buyer = $1 AND o.program = $2"
        "   AND ($3 IS NULL OR (o.placed_at, o.external_id) < (SELECT l.placed_at, l.external_id FROM loyalty.orders l"
        "                                                       WHERE l.buyer = $1 AND l.program = $2"
        "                                                           AND l.external_id = $3))"
        " ORDER BY o.placed_at DESC, o.external_id DESC LIMIT $4",
        {TEXTOID, TEXTOID, TEXTOID, INT4OID});
    return query.run(
        {text_argument(buyer), text_argument(program), optional_text_argument(before), integer_argument(most)});
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_order);
Datum loyalty_order(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const MemoryContext into = CurrentMemoryContext;
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        const std::string program = given.required(0, "program"), external_id = given.required(1, "external_id");
        const Rows rows = read_order(program, external_id);
        if (rows.size() == 0) {
            throw Error(sqlstate::unknown_order,
                        "order \"" + external_id + "\" of program \"" + program + "\" does not exist", {},
                        "Give the external id of an order that was placed or imported.");
        }
        require_visible_buyer(program, external_id);
        return copy_out(rows.datum(0, 1, JSONBOID), into);
    });
}

PG_FUNCTION_INFO_V1(loyalty_orders);
Datum loyalty_orders(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        const std::string member = given.required(0, "member");
        const int most = page_size(given, 2);
        const std::string program = current_program(given.text(3)).live->market.program;
        require_visible(member, program);
        return return_rows(fcinfo, read_orders("m:" + member, program, given.text(1), most), 10);
    });
}
}
