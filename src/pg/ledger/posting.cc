#include "pg/ledger/posting.hpp"

#include "pg/server/clock.hpp"
#include "pg/server/days.hpp"

namespace loyalty::pg {

using namespace ledger;

Type read_type(const std::string& type) {
    if (type == "accrual") return Type::accrual;
    if (type == "initial") return Type::initial;
    if (type == "redemption") return Type::redemption;
    if (type == "refund") return Type::refund;
    if (type == "reversal") return Type::reversal;
    const bool is_own = type == "expiration" || type == "reset";
    throw Error(sqlstate::wrong_transaction_type,
                is_own ? "a transaction of type \"" + type + "\" is booked by the ledger alone"
                       : "transaction type \"" + type + "\" is unknown",
                {}, "Types are accrual, initial, redemption, refund and reversal.");
}

void check_form(const Posting& posting) {
    const Type type = read_type(posting.type);
    const TimestampTz present = now(), created_at = posting.created_at.value_or(present);
    if (!posting.by_owner) refuse_own_source(posting.source_type);
    if (!posting.value && !(posting.by_owner && posting.source_type == "cancel"))
        throw Error(sqlstate::missing_field, "a transaction needs a value");
    if (type == Type::refund && !posting.undoes) {
        throw Error(sqlstate::missing_field, "a refund needs the redemption that it gives back", {},
                    "Give its number in column \"undoes\", or use loyalty_refund().");
    }
    if (posting.undoes && type != Type::refund && type != Type::reversal) {
        throw Error(sqlstate::wrong_transaction_type, "a transaction of type \"" + posting.type + "\" undoes no other",
                    {}, "Refunds give redemptions back, reversals take accruals back.");
    }
    check_attachments(posting.source_type, posting.source, posting.data);
    if (TIMESTAMP_NOT_FINITE(created_at)) throw Error(sqlstate::wrong_dates, "created_at is not a moment");
    if (has_year_of_two_digits(created_at)) {
        throw Error(sqlstate::wrong_dates, "created_at is in a year of two digits", {}, "Write years in full.");
    }
    if (created_at > present) {
        throw Error(sqlstate::moment_in_future, "created_at is in the future", {},
                    "Points that count from a later moment have an active_from.");
    }
    if (!is_credit(type) && (posting.active_from || posting.expires_at)) {
        throw Error(sqlstate::wrong_dates, "only accruals and initial balances have an active_from and an expires_at");
    }
}

void refuse_own_source(const std::optional<std::string>& source_type) {
    if (source_type == "cancel" || source_type == "settlement" || source_type == "write_off") {
        throw Error(sqlstate::reserved_source, "source type \"" + *source_type + "\" is the ledger's own", {},
                    "Use loyalty_cancel() or loyalty_write_off_owed(), or another source type.");
    }
    if (source_type == "goal") {
        throw Error(sqlstate::reserved_source, "source type \"goal\" is that of loyalty's own goals", {},
                    "Use loyalty_claim(), or another source type.");
    }
    if (source_type == "order") {
        throw Error(sqlstate::reserved_source, "source type \"order\" is that of loyalty's own orders", {},
                    "Use loyalty_place_order(), or another source type.");
    }
}

void check_attachments(const std::optional<std::string>& source_type, const std::optional<std::string>& source,
                       const std::optional<Datum>& data) {
    if (source && !source_type) throw Error(sqlstate::missing_field, "a source needs its source type");
    if (source_type && source_type->empty()) throw Error(sqlstate::missing_field, "the source type is empty");
    if (!data) return;
    const Datum value = *data;
    if (!postgres([=] { return static_cast<bool>(JB_ROOT_IS_OBJECT(DatumGetJsonbP(value))); })) {
        throw Error(sqlstate::wrong_type, "the data of a transaction are not an object", {}, "Give a JSON object.");
    }
}

}  // namespace loyalty::pg
