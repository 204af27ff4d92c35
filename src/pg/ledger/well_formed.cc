// What rows of the ledger's tables tell by themselves: their check constraints. Those of transactions are judged by the
// trigger that proves their arrival.
#include "pg/server/whole_row.hpp"

namespace loyalty::pg {

namespace {

bool is_balance(FunctionCallInfo call) {
    enum { seq, total, debt, owed };
    static RowShape shape{{"seq", INT8OID}, {"total", NUMERICOID}, {"debt", NUMERICOID}, {"owed", NUMERICOID}};
    const WholeRow row(call, shape);
    // What the lots hold.
    const Figure held_by_lots = row.figure(total) + row.figure(debt);
    return row.bigint(seq) >= 0 && row.figure(debt) >= Figure::zero() && row.figure(owed).is_not_negative() &&
           held_by_lots.is_not_negative();
}

bool is_lot(FunctionCallInfo call) {
    enum { seq, amount, remaining, held, active_from, expires_at };
    static RowShape shape{{"seq", INT8OID},     {"amount", NUMERICOID},          {"remaining", NUMERICOID},
                          {"held", NUMERICOID}, {"active_from", TIMESTAMPTZOID}, {"expires_at", TIMESTAMPTZOID}};
    const WholeRow row(call, shape);
    return row.bigint(seq) > 0 && row.figure(amount).is_positive() && row.figure(held) >= Figure::zero() &&
           row.figure(held) <= row.figure(remaining) && row.figure(remaining) <= row.figure(amount) &&
           row.moment(active_from) > DT_NOBEGIN && row.moment(expires_at) > row.moment(active_from);
}

bool is_lot_movement(FunctionCallInfo call) {
    enum { seq, lot, value };
    static RowShape shape{{"seq", INT8OID}, {"lot", INT8OID}, {"value", NUMERICOID}};
    const WholeRow row(call, shape);
    const Figure moved = row.figure(value), zero = Figure::zero();
    return (moved.is_positive() || (zero - moved).is_positive()) && row.bigint(lot) <= row.bigint(seq);
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_balance_is_well_formed);
Datum loyalty_balance_is_well_formed(PG_FUNCTION_ARGS) {
    return loyalty::pg::judge_row(fcinfo, loyalty::pg::is_balance);
}

PG_FUNCTION_INFO_V1(loyalty_lot_is_well_formed);
Datum loyalty_lot_is_well_formed(PG_FUNCTION_ARGS) { return loyalty::pg::judge_row(fcinfo, loyalty::pg::is_lot); }

PG_FUNCTION_INFO_V1(loyalty_lot_movement_is_well_formed);
Datum loyalty_lot_movement_is_well_formed(PG_FUNCTION_ARGS) {
    return loyalty::pg::judge_row(fcinfo, loyalty::pg::is_lot_movement);
}
}
