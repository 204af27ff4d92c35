#include "pg/ledger/book.hpp"

namespace loyalty::pg {

// The row arrives with its figures, so the trigger takes it as it stands.
Booking post(const Posting& posting) {
    static Query query(
        "INSERT INTO loyalty.transactions (member, program, point_type, seq, id, type, value, balance_before,"
        "    balance_after, debt, owed,"
        "                                  lapsed, created_at, booked_at, active_from, expires_at, undoes, source_type,"
        "                                      source, promotion,"
        "                                  comment, data)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)"
        " RETURNING seq",
        {TEXTOID,    TEXTOID,    TEXTOID,    INT8OID,    UUIDOID,        TEXTOID,        NUMERICOID,     NUMERICOID,
         NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
         INT8OID,    TEXTOID,    TEXTOID,    TEXTOID,    TEXTOID,        JSONBOID},
        {"transactions_promotion_fkey"});
    const Booking booking = book(posting);
    const ledger::Entry& entry = booking.entry;
    const int scale = booking.scale;
    const std::initializer_list<Argument> row = {text_argument(posting.key.member),
                                                 text_argument(posting.key.program),
                                                 text_argument(posting.key.point_type),
                                                 bigint_argument(entry.seq),
                                                 uuid_argument(booking.id),
                                                 text_argument(posting.type),
                                                 units_argument(entry.value, scale),
                                                 units_argument(entry.before, scale),
                                                 units_argument(entry.after, scale),
                                                 units_argument(entry.debt, scale),
                                                 units_argument(entry.owed, scale),
                                                 units_argument(entry.lapsed, scale),
                                                 timestamp_argument(entry.created_at),
                                                 timestamp_argument(booking.booked_at),
                                                 optional_timestamp_argument(booking.active_from),
                                                 optional_timestamp_argument(booking.expires_at),
                                                 optional_bigint_argument(posting.undoes),
                                                 optional_text_argument(posting.source_type),
                                                 optional_text_argument(posting.source),
                                                 optional_text_argument(posting.promotion),
                                                 optional_text_argument(posting.comment),
                                                 optional_datum_argument(posting.data)};
    const Rows rows = posting.promotion_locked ? query.run_proven(row) : query.run(row, true);
    if (rows.size() == 1) return booking;
    throw Error(sqlstate::row_did_not_arrive, "a transaction was booked, but its row did not arrive as it was booked",
                {}, "A trigger of your own on loyalty.transactions dropped it.");
}

}  // namespace loyalty::pg
