// The functions that book: accrue, redeem, refund, cancel, write off; hold, commit, roll back. Each inserts a row into
// loyalty.transactions, where the trigger does the work, or makes or ends a hold; and answers with the row, or with the
// one that was booked before for the same request.
#include "pg/ledger/amounts.hpp"
#include "pg/ledger/answers.hpp"
#include "pg/ledger/holds.hpp"
#include "pg/ledger/lookup.hpp"
#include "pg/members/visible.hpp"
#include "pg/server/days.hpp"
#include "pg/server/in_turn.hpp"
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

// What accruals and redemptions begin with: member, program, point type, amount, external id, created_at.
Posting read_posting(ArgumentsInTurn& given, const char* type) {
    Posting posting;
    posting.key = {given.required("member"), given.required("program"), given.required("point_type")};
    posting.type = type;
    posting.value = given.datum();
    check_amount(posting.value);
    posting.external_id = given.text();
    posting.created_at = given.moment();
    return posting;
}

// What they, and holds, end with.
template <class Given>
void read_source(ArgumentsInTurn& given, Given& row) {
    row.source_type = given.text();
    row.source = given.text();
    row.promotion = given.text();
    row.comment = given.text();
    row.data = given.datum();
}

// Whose transaction or hold is asked for, and which: by its id or its external id. Error LY203 where the caller may not
// see the member.
struct Asked {
    std::string member, program;
    Named name;

    Asked(ArgumentsInTurn& given, const char* noun)
        : member(given.required("member")), program(given.required("program")), name{given.uuid(), given.text()} {
        name.check(noun);
        require_visible(member, program);
    }

    FoundHold find_hold() const {
        auto hold = pg::find_hold(member, program, name);
        if (!hold) fail_unknown_transaction("hold", name);
        return *std::move(hold);
    }
};

// The transaction that a hold becomes.
Posting commit_of(const std::string& member, const std::string& program, const FoundHold& hold) {
    static Query query(
        "SELECT type, CASE type WHEN 'accrual' THEN amount ELSE -amount END, external_id, lot_active_from,"
        "    lot_expires_at,"
        "       source_type, source, promotion, comment, data"
        "  FROM loyalty.holds WHERE member = $1 AND program = $2 AND id = $3",
        {TEXTOID, TEXTOID, UUIDOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({text_argument(member), text_argument(program), uuid_argument(hold.id)});
    ColumnsInTurn column(rows);
    Posting posting;
    posting.key = {member, program, hold.point_type};
    posting.hold = hold.id;
    posting.type = column.text();
    posting.value = column.datum(NUMERICOID);
    posting.external_id = column.optional_text();
    posting.active_from = column.optional_timestamp();
    posting.expires_at = column.optional_timestamp();
    posting.source_type = column.optional_text();
    posting.source = column.optional_text();
    posting.promotion = column.optional_text();
    posting.comment = column.optional_text();
    posting.data = column.optional_datum(JSONBOID);
    column.end();
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
        ArgumentsInTurn given(fcinfo);
        return as_owner([&](MemoryContext caller) {
            Posting posting = read_posting(given, "accrual");
            posting.active_from = given.moment();
            const auto expires_at = given.moment();
            const auto expires_on = given.datum();
            read_source(given, posting);
            refuse_own_source(posting.source_type);
            posting.expires_at = read_expiry(posting.key.program, expires_at, expires_on);
            return post(posting, caller);
        });
    });
}

PG_FUNCTION_INFO_V1(loyalty_redeem);
Datum loyalty_redeem(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        ArgumentsInTurn given(fcinfo);
        return as_owner([&](MemoryContext caller) {
            Posting posting = read_posting(given, "redemption");
            read_source(given, posting);
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
        ArgumentsInTurn given(fcinfo);
        return as_owner([&](MemoryContext caller) {
            Posting posting;
            posting.type = "refund";
            posting.key.member = given.required("member");
            posting.key.program = given.required("program");
            posting.value = given.datum();
            check_amount(posting.value);
            const Named name{given.uuid(), given.text()};
            name.check("redemption");
            posting.external_id = given.text();
            posting.source_type = given.text();
            posting.source = given.text();
            posting.comment = given.text();
            posting.data = given.datum();
            require_visible(posting.key.member, posting.key.program);
            const auto redemption = find_transaction(posting.key.member, posting.key.program, name);
            if (!redemption) fail_unknown_transaction("transaction", name);
            posting.key.point_type = redemption->point_type;
            posting.undoes = redemption->seq;
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
        ArgumentsInTurn given(fcinfo);
        return as_owner([&](MemoryContext caller) -> Datum {
            const Asked asked(given, "transaction");
            const auto found = find_transaction(asked.member, asked.program, asked.name);
            if (!found) {
                const auto hold = find_hold(asked.member, asked.program, asked.name);
                if (!hold) fail_unknown_transaction("transaction", asked.name);
                return rolled_back(asked.member, asked.program, *hold, caller);
            }
            const bool is_credit = found->type == "accrual" || found->type == "initial";
            if ((!is_credit && found->type != "redemption") || found->source_type == "order" ||
                found->source_type == "goal") {
                throw Error(
                    sqlstate::cannot_be_cancelled, "transaction " + asked.name.shown() + " cannot be cancelled",
                    found->source_type == "order"  ? "An order booked it."
                    : found->source_type == "goal" ? "A goal booked it."
                                                   : "It is of type " + found->type + ".",
                    "Only accruals, initial balances and redemptions are cancelled; what an order booked goes by the "
                    "functions for orders.");
            }
            Posting posting;
            posting.key = {asked.member, asked.program, found->point_type};
            posting.type = is_credit ? "reversal" : "refund";
            posting.undoes = found->seq;
            posting.source_type = "cancel";
            posting.source = show(found->id);
            posting.comment = given.text();
            return post(posting, caller);
        });
    });
}

PG_FUNCTION_INFO_V1(loyalty_hold);
Datum loyalty_hold(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        ArgumentsInTurn given(fcinfo);
        return as_owner([&](MemoryContext caller) {
            Hold hold;
            hold.key = {given.required("member"), given.required("program"), given.required("point_type")};
            require_visible(hold.key.member, hold.key.program);
            hold.type = given.required("type");
            hold.amount = given.datum();
            hold.time_out = given.datum();
            hold.external_id = given.text();
            hold.active_from = given.moment();
            const auto expires_at = given.moment();
            const auto expires_on = given.datum();
            hold.expires_at = read_expiry(hold.key.program, expires_at, expires_on);
            read_source(given, hold);
            const MadeHold made = make_hold(hold);
            return hold_answer(hold.key, made.id, made.repeated, caller);
        });
    });
}

PG_FUNCTION_INFO_V1(loyalty_rollback);
Datum loyalty_rollback(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        ArgumentsInTurn given(fcinfo);
        return as_owner([&](MemoryContext caller) {
            const Asked asked(given, "hold");
            return rolled_back(asked.member, asked.program, asked.find_hold(), caller);
        });
    });
}

PG_FUNCTION_INFO_V1(loyalty_commit);
Datum loyalty_commit(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        ArgumentsInTurn given(fcinfo);
        return as_owner([&](MemoryContext caller) {
            const Asked asked(given, "hold");
            return post(commit_of(asked.member, asked.program, asked.find_hold()), caller);
        });
    });
}

PG_FUNCTION_INFO_V1(loyalty_write_off_owed);
Datum loyalty_write_off_owed(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        ArgumentsInTurn given(fcinfo);
        return as_owner([&](MemoryContext caller) {
            Posting posting;
            posting.key = {given.required("member"), given.required("program"), given.required("point_type")};
            const auto amount = given.datum();
            check_amount(amount);
            posting.type = "reversal";
            posting.value = negated(*amount);
            posting.external_id = given.text();
            posting.source_type = "write_off";
            posting.comment = given.text();
            return post(posting, caller);
        });
    });
}
}
