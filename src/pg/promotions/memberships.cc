// Memberships of products: which predicates hold for which. The functions of schema loyalty that keep them up
// (sql/live) call these, as the schema's owner. Plain changes of the table are refused, and what lifts that is no
// setting but `Keeping`, which lives in here for the statements below alone. Whoever else calls them leaves behind what
// is right, too, by their own rights.
#include "pg/server/arguments.hpp"
#include "pg/server/keeping.hpp"
#include "pg/server/spi.hpp"

namespace loyalty::pg {

namespace {

// Only rows that change are written: a feed that sets the same price again costs the judging and nothing else.
std::string judging(const std::string& keys) {
    return "WITH key AS (SELECT DISTINCT judged.sku FROM " + keys + " AS judged (sku)),"
           "     concerned AS ("
           "         SELECT predicate.id, predicate.predicate FROM loyalty.product_predicates AS predicate"
           "          WHERE predicate.program = $1 AND ($3 IS NULL OR predicate.predicate::text ~ $3)),"
           "     document AS MATERIALIZED ("
           "         SELECT product.sku, product.body FROM loyalty.product_documents AS product"
           "           JOIN key ON key.sku = product.sku AND product.program = $1"
           "          WHERE EXISTS (SELECT FROM concerned)),"
           "     holds AS MATERIALIZED ("
           "         SELECT document.sku, concerned.id AS predicate FROM document"
           "           JOIN concerned ON document.body @@ concerned.predicate),"
           "     no_longer AS ("
           "         DELETE FROM loyalty.product_memberships AS membership USING key"
           "          WHERE membership.program = $1 AND membership.sku = key.sku"
           "            AND membership.predicate IN (SELECT concerned.id FROM concerned)"
           "            AND NOT EXISTS (SELECT FROM holds"
           "                             WHERE holds.sku = membership.sku AND holds.predicate = membership.predicate))"
           " INSERT INTO loyalty.product_memberships (program, sku, predicate)"
           " SELECT $1, holds.sku, holds.predicate FROM holds ON CONFLICT DO NOTHING";
}

// A plan for one product is wrong for a hundred thousand and vice versa.
constexpr std::size_t planned_anew = SIZE_MAX;

Argument given_texts(const Arguments& given, int argument) {
    const auto texts = given.datum(argument);
    return texts ? Argument{*texts, false} : Argument{0, true};
}

// What reaches all members of the document reads the one that is named, too.
std::optional<std::string> readers_of(const std::optional<std::string>& member) {
    if (!member) return std::nullopt;
    return "\"" + *member + R"("|\.\*|\.keyvalue\(\))";
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_judge_memberships);
Datum loyalty_judge_memberships(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        static loyalty::pg::Query all(
            judging("(SELECT product.sku FROM loyalty.products AS product WHERE product.program = $1 AND $2 IS NULL)"),
            {TEXTOID, TEXTARRAYOID, TEXTOID}, loyalty::pg::Plan::free);
        static loyalty::pg::Query some(judging("unnest($2)"), {TEXTOID, TEXTARRAYOID, TEXTOID},
                                       loyalty::pg::Plan::free);
        const Arguments given(fcinfo);
        const std::string program = given.required(0, "program");
        const Spi connection;
        const Keeping keeping;
        (given.datum(1) ? some : all)
            .run_for(planned_anew,
                     {text_argument(program), given_texts(given, 1), optional_text_argument(readers_of(given.text(2)))},
                     true);
        return Datum{0};
    });
}

PG_FUNCTION_INFO_V1(loyalty_forget_memberships);
Datum loyalty_forget_memberships(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        static loyalty::pg::Query query(
            "DELETE FROM loyalty.product_memberships AS membership"
            " WHERE membership.program = $1 AND ($2 IS NULL OR membership.sku = ANY ($2))"
            "   AND NOT EXISTS (SELECT FROM loyalty.products AS product"
            "                    WHERE product.program = membership.program AND product.sku = membership.sku)",
            {TEXTOID, TEXTARRAYOID}, loyalty::pg::Plan::free);
        const Arguments given(fcinfo);
        const std::string program = given.required(0, "program");
        const Spi connection;
        const Keeping keeping;
        query.run_for(planned_anew, {text_argument(program), given_texts(given, 1)}, true);
        return Datum{0};
    });
}
}
