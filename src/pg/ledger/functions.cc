// The functions that book: accrue, redeem, commit, cancel, refund, write off. Each inserts a row into loyalty.transactions,
// where the trigger does the work, and answers with the row, or with the one that was booked before for the same request.
#include "pg/ledger/functions.hpp"

#include "pg/members/visible.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

// A row as the functions show it: without what is null, but for what is within its data.
#define LOYALTY_SHOWN(row)                                                                                          \
    "CASE WHEN " row ".data IS NULL THEN jsonb_strip_nulls(to_jsonb(" row ")) ELSE jsonb_strip_nulls(to_jsonb(" row \
    ") - 'data') || jsonb_build_object('data', " row ".data) END"

struct Inserted {
    Uuid id;
    Datum answer;
    bool may_have_more;  // rows that followed from it, which the answer is to tell of
};

// Nothing if the trigger found that it had been booked before.
std::optional<Inserted> insert(const Posting& posting) {
    static Query query(
        "INSERT INTO loyalty.transactions AS t (member, program, point_type, type, value, external_id, created_at, active_from, expires_at,"
        "                                       undoes, hold, source_type, source, promotion, comment, data)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        " RETURNING t.id, t.type = 'refund' OR coalesce(t.expires_at <= t.booked_at, false), " LOYALTY_SHOWN(
            "t") " || '{\"repeated\": false}'",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
         INT8OID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID});
    const Quietly quietly;
    const Rows rows =
        query.run({text_argument(posting.key.member), text_argument(posting.key.program),
                   text_argument(posting.key.point_type), text_argument(posting.type),
                   optional_datum_argument(posting.value), optional_text_argument(posting.external_id),
                   optional_timestamp_argument(posting.created_at), optional_timestamp_argument(posting.active_from),
                   optional_timestamp_argument(posting.expires_at), optional_bigint_argument(posting.undoes),
                   optional_uuid_argument(posting.hold), optional_text_argument(posting.source_type),
                   optional_text_argument(posting.source), optional_text_argument(posting.promotion),
                   optional_text_argument(posting.comment), optional_datum_argument(posting.data)},
                  true);
    if (rows.size() == 0) return std::nullopt;
    return Inserted{uuid_at(rows, 0, 1), rows.datum(0, 3, JSONBOID), rows.boolean(0, 2)};
}

// Which row it was that the trigger found: the one with the external id, or the one that undoes or commits the same.
Uuid find_repeated(const Posting& posting) {
    static Query query(
        "SELECT id FROM loyalty.transactions WHERE member = $1 AND program = $2 AND external_id = $3"
        " UNION ALL"
        " SELECT id FROM loyalty.transactions WHERE member = $1 AND program = $2 AND hold = $4"
        " UNION ALL"
        " SELECT id FROM loyalty.transactions"
        "  WHERE member = $1 AND program = $2 AND point_type = $5 AND undoes = $6 AND source_type = 'cancel' LIMIT 1",
        {TEXTOID, TEXTOID, TEXTOID, UUIDOID, TEXTOID, INT8OID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({text_argument(posting.key.member), text_argument(posting.key.program),
                                 optional_text_argument(posting.external_id), optional_uuid_argument(posting.hold),
                                 text_argument(posting.key.point_type), optional_bigint_argument(posting.undoes)});
    if (rows.size() == 0) {
        throw Error(sqlstate::row_did_not_arrive, "the transaction's row did not arrive", {},
                    "A trigger of your own on loyalty.transactions dropped it before it was booked.");
    }
    return uuid_at(rows, 0, 1);
}

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

}  // namespace

Datum post(const Posting& posting, MemoryContext into) {
    const auto inserted = insert(posting);
    if (!inserted) return transaction_answer(posting.key, find_repeated(posting), true, into);
    return inserted->may_have_more ? transaction_answer(posting.key, inserted->id, false, into)
                                   : copy_out(inserted->answer, into);
}

void Named::check(const char* noun) const {
    if (id.has_value() == external_id.has_value()) {
        throw Error(sqlstate::missing_field, std::string("name the ") + noun + " by its id or by its external id", {},
                    "Give one of both.");
    }
}

std::string Named::shown() const { return id ? show(*id) : "\"" + *external_id + "\""; }

void fail_unknown_transaction(const char* noun, const Named& name) {
    throw Error(sqlstate::unknown_transaction, std::string(noun) + " " + name.shown() + " does not exist", {},
                "It is looked for among those of the member in the program.");
}

std::optional<FoundTransaction> find_transaction(const std::string& member, const std::string& program,
                                                 const Named& name) {
    static Query query(
        "SELECT id, point_type, type, coalesce(source_type, ''), seq FROM loyalty.transactions WHERE member = $1 AND program = $2 AND id = $3"
        " UNION ALL "
        "SELECT id, point_type, type, coalesce(source_type, ''), seq FROM loyalty.transactions"
        " WHERE member = $1 AND program = $2 AND external_id = $4",
        {TEXTOID, TEXTOID, UUIDOID, TEXTOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({text_argument(member), text_argument(program), optional_uuid_argument(name.id),
                                 optional_text_argument(name.external_id)});
    if (rows.size() == 0) return std::nullopt;
    return FoundTransaction{uuid_at(rows, 0, 1), rows.text(0, 2), rows.text(0, 3), rows.text(0, 4),
                            bigint_at(rows, 0, 5)};
}

Datum transaction_answer(const AccountKey& key, const Uuid& id, bool repeated, MemoryContext into) {
    // What expired at once stands behind the row, in the same booking.
    static Query query(
        "SELECT " LOYALTY_SHOWN("t")
        "       || CASE WHEN x.value IS NULL THEN '{}' ELSE jsonb_build_object('expired_at_once', x.value) END"
        "       || CASE WHEN c.id IS NULL THEN '{}' ELSE jsonb_build_object('cancelled_by', c.id) END"
        "       || jsonb_build_object('repeated', $4)"
        "  FROM loyalty.transactions t"
        "  LEFT JOIN loyalty.transactions c"
        "       ON c.member = $1 AND c.program = $2 AND c.point_type = t.point_type AND c.undoes = t.seq AND c.source_type = 'cancel'"
        "  LEFT JOIN LATERAL ("
        "       SELECT -sum(e.value) AS value FROM loyalty.transactions e"
        "        WHERE t.value > 0 AND e.member = $1 AND e.program = $2 AND e.point_type = t.point_type"
        "          AND e.seq > t.seq AND e.type = 'expiration' AND e.booked_at = t.booked_at AND e.created_at <= t.booked_at"
        "          AND (e.lot = t.seq"
        "               OR e.lot IN (SELECT m.lot FROM loyalty.lot_movements m"
        "                             WHERE m.member = $1 AND m.program = $2 AND m.point_type = t.point_type AND m.seq = t.seq))) x ON true"
        " WHERE t.member = $1 AND t.program = $2 AND t.id = $3",
        {TEXTOID, TEXTOID, UUIDOID, BOOLOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run(
        {text_argument(key.member), text_argument(key.program), uuid_argument(id), boolean_argument(repeated)});
    return copy_out(rows.datum(0, 1, JSONBOID), into);
}

TimestampTz end_of_day(const std::string& program, Datum date) {
    // By the end of the last instant, since midnight itself may come twice where clocks are put back then.
    static Query query(
        "SELECT timezone(time_zone, ($2 + 1)::timestamp - interval '1 microsecond') + interval '1 microsecond'"
        "  FROM loyalty.programs WHERE external_id = $1",
        {TEXTOID, DATEOID});
    const Rows rows = query.run({text_argument(program), {date, false}});
    if (rows.size() == 0) {
        throw Error(sqlstate::unknown_program, "program \"" + program + "\" does not exist", {},
                    "Name one of loyalty.programs.");
    }
    return timestamp_at(rows, 0, 1);
}

std::optional<TimestampTz> read_expiry(const std::string& program, const std::optional<TimestampTz>& at,
                                       const std::optional<Datum>& on) {
    if (at && on)
        throw Error(sqlstate::wrong_dates, "both expires_at and expires_on are given", {}, "Give one of both.");
    return on ? std::optional(end_of_day(program, *on)) : at;
}

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
                return roll_back(member, program, *hold, caller);
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
