#include "pg/promotions/trigger_rules.hpp"

#include "pg/ledger/amounts.hpp"
#include "pg/ledger/answers.hpp"
#include "pg/ledger/around_booking.hpp"
#include "pg/promotions/trigger_terms.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

[[noreturn]] void fail_no_rule(const std::string& promotion, const std::string& detail) {
    throw Error(sqlstate::no_such_rule, "no one rule of promotion \"" + promotion + "\" fits", detail,
                "Name operation and point type of one of its rules; see loyalty.trigger_rules.");
}

}  // namespace

void require_rule(const AccountKey& key, const std::string& promotion, bool accrual, std::int64_t value, int scale) {
    static Query query(
        "SELECT r.amount, r.min_amount, r.max_amount"
        "  FROM loyalty.trigger_rules r"
        " WHERE r.program = $1 AND r.promotion = $2 AND r.operation = $3 AND r.point_type = $4",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID});
    const FreshSnapshot snapshot;
    const char* operation = accrual ? "accrual" : "deduction";
    const Rows rows = query.run({text_argument(key.program), text_argument(promotion), text_argument(operation),
                                 text_argument(key.point_type)});
    if (rows.size() == 0)
        fail_no_rule(promotion, std::string("It has none for ") + operation + " of \"" + key.point_type + "\".");
    ColumnsInTurn columns(rows);
    const auto amount = columns.optional_units(scale);
    const auto least = columns.optional_units(scale);
    const auto most = columns.optional_units(scale);
    const bool has_range = least && most;
    if (amount == value || (has_range && *least <= value && value <= *most)) return;
    std::string allowed = amount ? "exactly " + show_points(*amount, scale) : "";
    if (has_range) {
        allowed += (amount ? ", or " : "") + show_points(*least, scale) + " to " + show_points(*most, scale);
    }
    throw Error(sqlstate::amount_outside_rule, "the amount is not what promotion \"" + promotion + "\" allows",
                "It is " + show_points(value, scale) + ", the rule says " + allowed + ".",
                "Amounts are never clipped.");
}

std::string program_of(const std::string& promotion, const std::optional<std::string>& program) {
    static Query query(
        "SELECT p.external_id FROM loyalty.promotions t JOIN loyalty.programs p ON p.external_id = t.program"
        " WHERE t.external_id = $1 AND t.kind = 'trigger' AND ($2 IS NULL OR t.program = $2)"
        "   AND (p.active OR NOT EXISTS (SELECT FROM loyalty.promotions o"
        "       JOIN loyalty.programs q ON q.external_id = o.program"
        "                                 WHERE o.external_id = $1 AND o.kind = 'trigger' AND q.active))",
        {TEXTOID, TEXTOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({text_argument(promotion), optional_text_argument(program)});
    if (rows.size() == 1) return rows.text(0, 1);
    throw Error(sqlstate::unknown_trigger_promotion,
                rows.size() == 0 ? "trigger promotion \"" + promotion + "\" does not exist"
                                 : "several programs have a trigger promotion \"" + promotion + "\"",
                {}, rows.size() == 0 ? "Name a row of loyalty.promotions of kind \"trigger\"." : "Name the program.");
}

// Finds the rule and books by it; that the booking obeys the rule is looked at where it is booked.
Datum fire(const Firing& firing, const std::string& program, MemoryContext into) {
    static Query query(
        "SELECT r.operation, r.point_type, r.amount"
        "  FROM loyalty.promotions p"
        "  LEFT JOIN loyalty.trigger_rules r ON r.program = p.program AND r.promotion = p.external_id"
        "       AND ($3 IS NULL OR r.operation = $3) AND ($4 IS NULL OR r.point_type = $4)"
        " WHERE p.program = $1 AND p.external_id = $2",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({text_argument(program), text_argument(firing.promotion),
                                 optional_text_argument(firing.operation), optional_text_argument(firing.point_type)});
    if (rows.size() != 1 || rows.is_null(0, 1)) {
        require_in_force(program, firing.promotion, now());
        fail_no_rule(firing.promotion, rows.size() > 1 ? "Several do." : "It has none for this.");
    }
    ColumnsInTurn columns(rows);
    const bool accrual = columns.text() == "accrual";
    Posting posting;
    posting.key = {firing.member, program, columns.text()};
    posting.type = accrual ? "accrual" : "redemption";
    posting.external_id = firing.external_id;
    posting.promotion = firing.promotion;
    posting.created_at = firing.created_at;
    posting.source_type = firing.source_type ? firing.source_type : "promotion";
    posting.source = firing.source_type ? firing.source : firing.promotion;
    posting.comment = firing.comment;
    posting.data = firing.data;
    std::optional<Datum> amount = firing.amount;
    if (!amount) amount = columns.optional_datum(NUMERICOID);
    if (!amount) {
        throw Error(sqlstate::amount_outside_rule, "promotion \"" + firing.promotion + "\" wants an amount",
                    "Its rule allows a range.", "Give a number of points within it.");
    }
    check_amount(amount);
    const Datum points = *amount;
    posting.value = accrual ? points : postgres([=] { return DirectFunctionCall1(numeric_uminus, points); });
    return post(posting, into);
}

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_fire);
Datum loyalty_fire(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        ArgumentsInTurn given(fcinfo);
        const MemoryContext caller = CurrentMemoryContext;
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        Firing firing;
        firing.promotion = given.required("promotion");
        firing.member = given.required("member");
        firing.operation = given.text();
        firing.point_type = given.text();
        firing.amount = given.datum();
        firing.external_id = given.text();
        const auto program = given.text();
        firing.created_at = given.moment();
        firing.source_type = given.text();
        firing.source = given.text();
        firing.comment = given.text();
        firing.data = given.datum();
        refuse_own_source(firing.source_type);
        check_attachments(firing.source_type, firing.source, firing.data);
        return fire(firing, program_of(firing.promotion, program), caller);
    });
}
}
