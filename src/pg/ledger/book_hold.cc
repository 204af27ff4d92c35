#include "pg/ledger/booker.hpp"
#include "pg/server/in_turn.hpp"

namespace loyalty::pg {

bool Booker::open_hold() {
    static Query query(
        "SELECT h.point_type = $4 AND h.type = $5 AND h.amount = $6,"
        "       (SELECT t.id FROM loyalty.all_transactions t WHERE t.member = $1 AND t.program = $2 AND t.hold = $3),"
        "       h.state"
        "  FROM loyalty.holds h WHERE h.member = $1 AND h.program = $2 AND h.id = $3",
        {TEXTOID, TEXTOID, UUIDOID, TEXTOID, TEXTOID, NUMERICOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({key_.member, key_.program, uuid_argument(*posting_.hold), key_.point_type,
                                 text_argument(posting_.type), units_argument(value_, terms_.scale)});
    if (rows.size() == 0)
        throw Error(sqlstate::unknown_transaction, "hold " + show(*posting_.hold) + " does not exist");
    ColumnsInTurn column(rows);
    const bool is_whole = column.boolean();
    if (!is_whole) throw Error(sqlstate::more_than_left, "a commit is for the whole of its hold");
    booking_.repeated = column.optional_uuid();
    if (booking_.repeated) return false;
    const std::string state = column.text();
    if (state != "open") {
        throw Error(sqlstate::hold_ended, "hold " + show(*posting_.hold) + " has ended",
                    state == "timed_out" ? "It timed out." : "It was rolled back.", "Make a new hold.");
    }
    if (terms_.member_removed)
        throw Error(sqlstate::removed_member, "member \"" + posting_.key.member + "\" was removed");
    return true;
}

void Booker::close_hold() const {
    static Query query(
        "UPDATE loyalty.holds SET state = 'committed', ended_at = $4 WHERE member = $1 AND program = $2 AND id = $3",
        {TEXTOID, TEXTOID, UUIDOID, TIMESTAMPTZOID});
    query.run({key_.member, key_.program, uuid_argument(*posting_.hold), timestamp_argument(now_)}, true);
}

Booker::Place Booker::post_commit() {
    if (!open_hold()) return std::nullopt;
    const std::vector<ledger::Movement> reserved = read_reserved(key_, *posting_.hold, terms_.scale, state_.account);
    close_hold();
    state_.account.expire(now_);
    return state_.account.commit(reserved, created_at_);
}

}  // namespace loyalty::pg
