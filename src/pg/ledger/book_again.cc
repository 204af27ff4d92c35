#include "pg/ledger/booker.hpp"
#include "pg/ledger/refusals.hpp"

namespace loyalty::pg {

bool Booker::is_repeated() {
    if (state_.hold && state_.hold != posting_.hold)
        fail_external_id_taken(*posting_.external_id, "It is that of a hold.");
    if (!state_.transaction) return false;
    // Version 0.1.0 booked what trigger promotions fired without a source.
    static Query query(
        "SELECT array_remove(ARRAY["
        "           CASE WHEN point_type <> $4 THEN 'point_type' END,"
        "           CASE WHEN type <> $5 THEN 'type' END,"
        "           CASE WHEN value - CASE WHEN type = 'reversal' THEN greatest(owed, 0) + lapsed ELSE 0 END"
        "                     + CASE WHEN source_type = 'write_off' THEN owed ELSE 0 END <> $6 THEN 'value' END,"
        "           CASE WHEN created_at <> $7 THEN 'created_at' END,"
        "           CASE WHEN active_from <> $8 THEN 'active_from' END,"
        "           CASE WHEN expires_at <> $9 THEN 'expires_at' END,"
        "           CASE WHEN undoes IS DISTINCT FROM $10 THEN 'undoes' END,"
        "           CASE WHEN hold IS DISTINCT FROM $11 THEN 'hold' END,"
        "           CASE WHEN source_type IS DISTINCT FROM $12"
        "               AND NOT (source_type IS NULL AND $12 = 'promotion') THEN 'source_type' END,"
        "           CASE WHEN source IS DISTINCT FROM $13 AND NOT (source_type IS NULL AND $12 = 'promotion')"
        "               THEN 'source' END,"
        "           CASE WHEN promotion IS DISTINCT FROM $14 THEN 'promotion' END,"
        "           CASE WHEN erased IS NULL AND comment IS DISTINCT FROM $15 THEN 'comment' END,"
        "           CASE WHEN erased IS NULL AND data IS DISTINCT FROM $16 THEN 'data' END,"
        "           CASE WHEN erased <> loyalty_internal.erased_hash($15, $16) THEN 'what was erased' END], NULL)"
        "  FROM loyalty.all_transactions WHERE member = $1 AND program = $2 AND id = $3",
        {TEXTOID, TEXTOID, UUIDOID, TEXTOID, TEXTOID, NUMERICOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
         INT8OID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run(
        {key_.member, key_.program, uuid_argument(*state_.transaction), key_.point_type,
         text_argument(posting_.type), optional_datum_argument(posting_.value),
         optional_timestamp_argument(posting_.created_at), optional_timestamp_argument(posting_.active_from),
         optional_timestamp_argument(posting_.expires_at), optional_bigint_argument(posting_.undoes),
         optional_uuid_argument(posting_.hold), optional_text_argument(posting_.source_type),
         optional_text_argument(posting_.source), optional_text_argument(posting_.promotion),
         optional_text_argument(posting_.comment), optional_datum_argument(posting_.data)});
    std::string different;
    for (const auto& field : rows.texts(0, 1)) different += (different.empty() ? "" : ", ") + field;
    if (!different.empty())
        fail_external_id_taken(*posting_.external_id,
                               "Transaction " + show(*state_.transaction) + " differs in: " + different + ".");
    booking_.repeated = state_.transaction;
    return true;
}

}  // namespace loyalty::pg
