#include "pg/ledger/answers.hpp"

#include "pg/server/arguments.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

namespace {

struct Inserted {
    Uuid id;
    bool may_have_more;  // rows that followed from it, which the answer is to tell of
    Datum answer;
};

// Nothing if the trigger found that it had been booked before.
std::optional<Inserted> insert(const Posting& posting) {
    static Query query(
        "INSERT INTO loyalty.transactions AS t (member, program, point_type, type, value, external_id, created_at,"
        "    active_from, expires_at,"
        "                                       undoes, hold, source_type, source, promotion, comment, data)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        " RETURNING t.id, t.type = 'refund' OR coalesce(t.expires_at <= t.booked_at, false),"
        "           loyalty_internal.shown(to_jsonb(t), t.data) || '{\"repeated\": false}'",
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
    ColumnsInTurn columns(rows);
    return Inserted{columns.uuid(), columns.boolean(), columns.datum(JSONBOID)};
}

// Which row it was that the trigger found: the one with the external id, or the one that undoes or commits the same.
Uuid find_repeated(const Posting& posting) {
    static Query query(
        "SELECT id FROM loyalty.all_transactions WHERE member = $1 AND program = $2 AND external_id = $3"
        " UNION ALL"
        " SELECT id FROM loyalty.all_transactions WHERE member = $1 AND program = $2 AND hold = $4"
        " UNION ALL"
        " SELECT id FROM loyalty.all_transactions"
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

}  // namespace

Datum post(const Posting& posting, MemoryContext into) {
    const auto inserted = insert(posting);
    if (!inserted) return transaction_answer(posting.key, find_repeated(posting), true, into);
    return inserted->may_have_more ? transaction_answer(posting.key, inserted->id, false, into)
                                   : copy_out(inserted->answer, into);
}

Datum transaction_answer(const AccountKey& key, const Uuid& id, bool repeated, MemoryContext into) {
    // What expired at once stands behind the row, in the same booking.
    static Query query(
        "SELECT loyalty_internal.shown(to_jsonb(t), t.data)"
        "       || CASE WHEN x.value IS NULL THEN '{}' ELSE jsonb_build_object('expired_at_once', x.value) END"
        "       || CASE WHEN c.id IS NULL THEN '{}' ELSE jsonb_build_object('cancelled_by', c.id) END"
        "       || jsonb_build_object('repeated', $4)"
        "  FROM loyalty.all_transactions t"
        "  LEFT JOIN loyalty.all_transactions c"
        "       ON c.member = $1 AND c.program = $2 AND c.point_type = t.point_type AND c.undoes = t.seq"
        "           AND c.source_type = 'cancel'"
        "  LEFT JOIN LATERAL ("
        "       SELECT -sum(e.value) AS value FROM loyalty.all_transactions e"
        "        WHERE t.value > 0 AND e.member = $1 AND e.program = $2 AND e.point_type = t.point_type"
        "          AND e.seq > t.seq AND e.type = 'expiration' AND e.booked_at = t.booked_at"
        "              AND e.created_at <= t.booked_at"
        "          AND (e.lot = t.seq"
        "               OR e.lot IN (SELECT m.lot FROM loyalty.all_lot_movements m"
        "                             WHERE m.member = $1 AND m.program = $2 AND m.point_type = t.point_type"
        "                                 AND m.seq = t.seq))) x ON true"
        " WHERE t.member = $1 AND t.program = $2 AND t.id = $3",
        {TEXTOID, TEXTOID, UUIDOID, BOOLOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run(
        {text_argument(key.member), text_argument(key.program), uuid_argument(id), boolean_argument(repeated)});
    return copy_out(rows.datum(0, 1, JSONBOID), into);
}

Datum hold_answer(const AccountKey& key, const Uuid& id, bool repeated, MemoryContext into) {
    static Query query(
        "SELECT loyalty_internal.shown(to_jsonb(h), h.data)"
        "       || CASE WHEN h.state = 'open' AND h.expires_at <= $5"
        "           THEN jsonb_build_object('state', 'timed_out', 'ended_at', h.expires_at) ELSE '{}' END"
        "       || CASE WHEN t.id IS NULL THEN '{}' ELSE jsonb_build_object('transaction', t.id) END"
        "       || jsonb_build_object('repeated', $4)"
        "  FROM loyalty.holds h"
        "  LEFT JOIN loyalty.all_transactions t ON t.member = $1 AND t.program = $2 AND t.hold = h.id"
        " WHERE h.member = $1 AND h.program = $2 AND h.id = $3",
        {TEXTOID, TEXTOID, UUIDOID, BOOLOID, TIMESTAMPTZOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({text_argument(key.member), text_argument(key.program), uuid_argument(id),
                                 boolean_argument(repeated), timestamp_argument(wall_now())});
    return copy_out(rows.datum(0, 1, JSONBOID), into);
}

}  // namespace loyalty::pg
