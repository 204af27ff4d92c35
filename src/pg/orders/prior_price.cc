// loyalty_prior_price: the lowest price of a product before its present reduction, from the history that a program
// keeps.
#include "pg/promotions/cache.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

constexpr std::int64_t most_days = 3650;

struct Wanted {
    std::string sku;
    TimestampTz at = 0;
    std::int64_t days = 0;
    std::string program;
};

Wanted read(const Arguments& given) {
    Wanted wanted;
    wanted.sku = given.required(0, "sku");
    wanted.at = given.moment(1).value_or(now());
    if (!is_in_calendar(wanted.at)) {
        throw Error(sqlstate::value_out_of_range, "the moment is out of range", {}, "Its year is 1 to 9999.");
    }
    wanted.days = given.integer(2).value_or(30);
    if (wanted.days < 1 || wanted.days > most_days) {
        throw Error(sqlstate::value_out_of_range, "the number of days is out of range",
                    "It is " + std::to_string(wanted.days) + ".", "Give 1 to " + std::to_string(most_days) + ".");
    }
    wanted.program = current_program(given.text(3)).live->market.program;
    return wanted;
}

void check_product(const Wanted& wanted) {
    static Query query(
        "SELECT FROM loyalty.products WHERE sku = $1 AND program = $2"
        " UNION ALL (SELECT FROM loyalty.price_history WHERE sku = $1 AND program = $2 LIMIT 1)",
        {TEXTOID, TEXTOID});
    if (query.run({text_argument(wanted.sku), text_argument(wanted.program)}).size() > 0) return;
    throw Error(sqlstate::unknown_product, "a product is not in the catalogue, and has no history of prices",
                "It is \"" + wanted.sku + "\".", "Name one of loyalty.products.");
}

Rows find_prior_price(const Wanted& wanted) {
    static Query query("SELECT price, prior_price, reduced_at, since FROM loyalty.prior_price($1, $2, $3, $4)",
                       {TEXTOID, TEXTOID, TIMESTAMPTZOID, INT4OID});
    Rows rows = query.run({text_argument(wanted.program), text_argument(wanted.sku), timestamp_argument(wanted.at),
                           integer_argument(static_cast<std::int32_t>(wanted.days))});
    if (rows.size() == 1 && !rows.is_null(0, 4)) return rows;
    throw Error(sqlstate::no_price_history, "program \"" + wanted.program + "\" keeps no history of prices", {},
                "UPDATE loyalty.programs SET price_history = true: it is kept from then on.");
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_prior_price);
Datum loyalty_prior_price(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        const Wanted wanted = read(given);
        check_product(wanted);
        return return_rows(fcinfo, find_prior_price(wanted), 4);
    });
}
}
