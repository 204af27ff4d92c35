// The functions that book: accrue, redeem, refund, cancel, write off; hold, commit, roll back. Each inserts a row into
// loyalty.transactions, where the trigger does the work, or makes or ends a hold; and answers with the row, or with the one
// that was booked before for the same request.
#include "pg/ledger/answers.hpp"
#include "pg/ledger/holds.hpp"
#include "pg/ledger/lookup.hpp"
#include "pg/members/visible.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/days.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

Datum negated(Datum amount) {
    return postgres([=] { return DirectFunctionCall1(numeric_uminus, amount); });
}

// Runs a body as the schema's owner, connected to SPI; it gets the memory context that outlives both.
template <class Body>
Datum as_owner(Body&& body) {
    const MemoryContext caller = CurrentMemoryContext;
    const AsOwner owner = AsOwner::writing();
    const Spi connection;
    return body(caller);
}

Posting read_posting(const Arguments& given, const char* type, int promotion_column) {
    Posting posting;
    posting.key = {given.required(0, "member"), given.required(1, "program"), given.required(2, "point_type")};
    posting.type = type;
    check_amount(given.datum(3));
    posting.value = given.datum(3);
    posting.external_id = given.text(4);
    posting.created_at = given.moment(5);
    posting.source_type = given.text(promotion_column - 2);
    posting.source = given.text(promotion_column - 1);
    posting.promotion = given.text(promotion_column);
    posting.comment = given.text(promotion_column + 1);
    posting.data = given.datum(promotion_column + 2);
    return posting;
}

Datum rolled_back(const std::string& member, const std::string& program, const FoundHold& hold, MemoryContext into) {
    const AccountKey key{member, program, hold.point_type};
    const bool was_open = roll_back(key, hold.id);
    return hold_answer(key, hold.id, !was_open, into);
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_accrue);
Datum loyalty_accrue(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        return as_owner([&](MemoryContext caller) {
            Posting posting = read_posting(given, "accrual", 11);
            refuse_own_source(posting.source_type);
            posting.active_from = given.moment(6);
            posting.expires_at = read_expiry(posting.key.program, given.moment(7), given.datum(8));
            return post(posting, caller);
        });
    });
}

PG_FUNCTION_INFO_V1(loyalty_redeem);
Datum loyalty_redeem(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        return as_owner([&](MemoryContext caller) {
            Posting posting = read_posting(given, "redemption", 8);
            refuse_own_source(posting.source_type);
            posting.value = negated(*posting.value);
            return post(posting, caller);
        });
    });
}

PG_FUNCTION_INFO_V1(loyalty_refund);
Datum loyalty_refund(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        return as_owner([&](MemoryContext caller) {
            Posting posting;
            posting.key = {given.required(0, "member"), given.required(1, "program"), ""};
            check_amount(given.datum(2));
            const Named name{given.uuid(3), given.text(4)};
            name.check("redemption");
            require_visible(posting.key.member, posting.key.program);
            const auto redemption = find_transaction(posting.key.member, posting.key.program, name);
            if (!redemption) fail_unknown_transaction("transaction", name);
            posting.key.point_type = redemption->point_type;
            posting.type = "refund";
            posting.value = given.datum(2);
            posting.undoes = redemption->seq;
            posting.external_id = given.text(5);
            posting.source_type = given.text(6);
            posting.source = given.text(7);
            posting.comment = given.text(8);
            posting.data = given.datum(9);
            refuse_own_source(posting.source_type);
            return post(posting, caller);
        });
    });
}

PG_FUNCTION_INFO_V1(loyalty_cancel);
Datum loyalty_cancel(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        return as_owner([&](MemoryContext caller) -> Datum {
            const std::string member = given.required(0, "member"), program = given.required(1, "program");
            const Named name{given.uuid(2), given.text(3)};
            name.check("transaction");
            require_visible(member, program);
            const auto found = find_transaction(member, program, name);
            if (!found) {
                const auto hold = find_hold(member, program, name);
                if (!hold) fail_unknown_transaction("transaction", name);
                return rolled_back(member, program, *hold, caller);
            }
            const bool is_credit = found->type == "accrual" || found->type == "initial";
            if ((!is_credit && found->type != "redemption") || found->source_type == "order" ||
                found->source_type == "goal") {
                throw Error(
                    sqlstate::cannot_be_cancelled, "transaction " + name.shown() + " cannot be cancelled",
                    found->source_type == "order"  ? "An order booked it."
                    : found->source_type == "goal" ? "A goal booked it."
                                                   : "It is of type " + found->type + ".",
                    "Only accruals, initial balances and redemptions are cancelled; what an order booked goes by the functions for orders.");
            }
            Posting posting;
            posting.key = {member, program, found->point_type};
            posting.type = is_credit ? "reversal" : "refund";
            posting.undoes = found->seq;
            posting.source_type = "cancel";
            posting.source = show(found->id);
            posting.comment = given.text(4);
            return post(posting, caller);
        });
    });
}

PG_FUNCTION_INFO_V1(loyalty_hold);
Datum loyalty_hold(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        return as_owner([&](MemoryContext caller) {
            Hold hold;
            hold.key = {given.required(0, "member"), given.required(1, "program"), given.required(2, "point_type")};
            require_visible(hold.key.member, hold.key.program);
            hold.type = given.required(3, "type");
            hold.amount = given.datum(4);
            hold.time_out = given.datum(5);
            hold.external_id = given.text(6);
            hold.active_from = given.moment(7);
            hold.expires_at = read_expiry(hold.key.program, given.moment(8), given.datum(9));
            hold.source_type = given.text(10);
            hold.source = given.text(11);
            hold.promotion = given.text(12);
            hold.comment = given.text(13);
            hold.data = given.datum(14);
            const MadeHold made = make_hold(hold);
            return hold_answer(hold.key, made.id, made.repeated, caller);
        });
    });
}

PG_FUNCTION_INFO_V1(loyalty_rollback);
Datum loyalty_rollback(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        return as_owner([&](MemoryContext caller) {
            const std::string member = given.required(0, "member"), program = given.required(1, "program");
            const Named name{given.uuid(2), given.text(3)};
            name.check("hold");
            require_visible(member, program);
            const auto hold = find_hold(member, program, name);
            if (!hold) fail_unknown_transaction("hold", name);
            return rolled_back(member, program, *hold, caller);
        });
    });
}

PG_FUNCTION_INFO_V1(loyalty_commit);
Datum loyalty_commit(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        return as_owner([&](MemoryContext caller) {
            static loyalty::pg::Query query(
                "SELECT point_type, type, CASE type WHEN 'accrual' THEN amount ELSE -amount END, external_id, lot_active_from, lot_expires_at,"
                "       source_type, source, promotion, comment, data"
                "  FROM loyalty.holds WHERE member = $1 AND program = $2 AND id = $3",
                {TEXTOID, TEXTOID, UUIDOID});
            const std::string member = given.required(0, "member"), program = given.required(1, "program");
            const Named name{given.uuid(2), given.text(3)};
            name.check("hold");
            require_visible(member, program);
            const auto hold = find_hold(member, program, name);
            if (!hold) fail_unknown_transaction("hold", name);
            const Rows rows = [&] {
                const FreshSnapshot snapshot;
                return query.run({text_argument(member), text_argument(program), uuid_argument(hold->id)});
            }();
            const auto moment = [&](int column) {
                return rows.is_null(0, column) ? std::nullopt : std::optional(timestamp_at(rows, 0, column));
            };
            Posting posting;
            posting.key = {member, program, rows.text(0, 1)};
            posting.type = rows.text(0, 2);
            posting.value = rows.datum(0, 3, NUMERICOID);
            posting.hold = hold->id;
            posting.external_id = rows.optional_text(0, 4);
            posting.active_from = moment(5);
            posting.expires_at = moment(6);
            posting.source_type = rows.optional_text(0, 7);
            posting.source = rows.optional_text(0, 8);
            posting.promotion = rows.optional_text(0, 9);
            posting.comment = rows.optional_text(0, 10);
            posting.data = rows.optional_datum(0, 11, JSONBOID);
            return post(posting, caller);
        });
    });
}

PG_FUNCTION_INFO_V1(loyalty_write_off_owed);
Datum loyalty_write_off_owed(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        return as_owner([&](MemoryContext caller) {
            Posting posting;
            posting.key = {given.required(0, "member"), given.required(1, "program"), given.required(2, "point_type")};
            check_amount(given.datum(3));
            posting.type = "reversal";
            posting.value = negated(*given.datum(3));
            posting.external_id = given.text(4);
            posting.source_type = "write_off";
            posting.comment = given.text(5);
            return post(posting, caller);
        });
    });
}
}
