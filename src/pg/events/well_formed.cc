// What a row of loyalty.events tells by itself: its check constraint.
#include "pg/server/whole_row.hpp"

namespace loyalty::pg {

namespace {

bool is_event(FunctionCallInfo call) {
    enum { type, data };
    static RowShape shape{{"type", TEXTOID}, {"data", JSONBOID}};
    const WholeRow row(call, shape);
    const Datum particulars = row.datum(data);
    return !row.text(type).empty() && postgres([=] { return JB_ROOT_IS_OBJECT(DatumGetJsonbP(particulars)); });
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_event_is_well_formed);
Datum loyalty_event_is_well_formed(PG_FUNCTION_ARGS) { return loyalty::pg::judge_row(fcinfo, loyalty::pg::is_event); }
}
