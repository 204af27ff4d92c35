// What rows of orders' tables tell by themselves: their check constraints.
#include "pg/server/whole_row.hpp"

#include <algorithm>
#include <string_view>

namespace loyalty::pg {

namespace {

bool is_one_of(const std::string& value, std::initializer_list<std::string_view> known) {
    return std::find(known.begin(), known.end(), value) != known.end();
}

bool is_finite(TimestampTz moment) { return !TIMESTAMP_NOT_FINITE(moment); }

bool names_profile(const std::string& buyer) { return buyer.size() > 2 && buyer.starts_with("m:"); }

bool names_buyer(const std::string& buyer, const std::string& order) {
    return names_profile(buyer) || buyer == "g:" + order;
}

bool adds_up(const Figure& total, const Figure& base, const Figure& discount, const Figure& points_discount) {
    return total == base - discount - points_discount;
}

bool is_order_id(FunctionCallInfo call) {
    enum { external_id, buyer };
    static RowShape shape{{"external_id", TEXTOID}, {"buyer", TEXTOID}};
    const WholeRow row(call, shape);
    return names_buyer(row.text(buyer), row.text(external_id));
}

bool is_buyer(FunctionCallInfo call) {
    enum { buyer, orders, total, last_order };
    static RowShape shape{
        {"buyer", TEXTOID}, {"orders", INT8OID}, {"total", NUMERICOID}, {"last_order", TIMESTAMPTZOID}};
    const WholeRow row(call, shape);
    const std::int64_t count = row.bigint(orders);
    return names_profile(row.text(buyer)) && row.figure(total).is_not_negative() &&
           (row.is_null(last_order) ? count == 0 : count > 0 && is_finite(row.moment(last_order)));
}

bool is_order(FunctionCallInfo call) {
    enum {
        buyer,
        external_id,
        origin,
        version,
        time,
        placed_at,
        base,
        discount,
        points_discount,
        total,
        shipping_base,
        shipping_discount,
        shipping_points_discount,
        shipping_total,
        refunded,
        shipping_refunded,
        resolved,
        result,
        confirmation
    };
    static RowShape shape{{"buyer", TEXTOID},
                          {"external_id", TEXTOID},
                          {"origin", TEXTOID},
                          {"version", INT4OID},
                          {"time", TIMESTAMPTZOID},
                          {"placed_at", TIMESTAMPTZOID},
                          {"base", NUMERICOID},
                          {"discount", NUMERICOID},
                          {"points_discount", NUMERICOID},
                          {"total", NUMERICOID},
                          {"shipping_base", NUMERICOID},
                          {"shipping_discount", NUMERICOID},
                          {"shipping_points_discount", NUMERICOID},
                          {"shipping_total", NUMERICOID},
                          {"refunded", NUMERICOID},
                          {"shipping_refunded", BOOLOID},
                          {"resolved", JSONBOID},
                          {"result", JSONBOID},
                          {"confirmation", JSONBOID}};
    const WholeRow row(call, shape);
    const Figure zero = Figure::zero(), all = row.figure(total), by_points = row.figure(points_discount),
                 shipping = row.figure(shipping_total), shipping_by_points = row.figure(shipping_points_discount),
                 given_back = row.figure(refunded);
    const bool figures_are_right =
        all.is_not_negative() && by_points.is_not_negative() &&
        adds_up(all, row.figure(base), row.figure(discount), by_points) && shipping >= zero && shipping <= all &&
        shipping_by_points >= zero && shipping_by_points <= by_points &&
        adds_up(shipping, row.figure(shipping_base), row.figure(shipping_discount), shipping_by_points) &&
        given_back >= zero && given_back <= all - (row.boolean(shipping_refunded) ? zero : shipping);
    const bool origin_is_right =
        row.text(origin) == "placed" || (row.text(origin) == "imported" && row.is_null(version) && by_points == zero &&
                                         row.is_null(resolved) && row.is_null(result) && row.is_null(confirmation));
    return names_buyer(row.text(buyer), row.text(external_id)) && is_finite(row.moment(time)) &&
           is_finite(row.moment(placed_at)) && row.moment(time) <= row.moment(placed_at) && figures_are_right &&
           origin_is_right;
}

bool is_order_line(FunctionCallInfo call) {
    enum { quantity, base, discount, points_discount, total, returned, refunded, gift };
    static RowShape shape{{"quantity", NUMERICOID},        {"base", NUMERICOID},  {"discount", NUMERICOID},
                          {"points_discount", NUMERICOID}, {"total", NUMERICOID}, {"returned", NUMERICOID},
                          {"refunded", NUMERICOID},        {"gift", BOOLOID}};
    const WholeRow row(call, shape);
    const Figure zero = Figure::zero(), units = row.figure(quantity), all = row.figure(total),
                 units_back = row.figure(returned), money_back = row.figure(refunded);
    const bool costs_nothing = row.figure(base) == zero && row.figure(discount) == zero && all == zero;
    return units.is_positive() && all.is_not_negative() && row.figure(points_discount).is_not_negative() &&
           adds_up(all, row.figure(base), row.figure(discount), row.figure(points_discount)) && units_back >= zero &&
           units_back <= units && money_back >= zero && money_back <= all &&
           (units_back != zero || money_back == zero) && (units_back != units || money_back == all) &&
           (!row.boolean(gift) || costs_nothing);
}

bool is_order_points(FunctionCallInfo call) {
    enum { buyer, number, money, points, seq, refunded, forfeited };
    static RowShape shape{{"buyer", TEXTOID},       {"number", INT4OID}, {"money", NUMERICOID},
                          {"points", NUMERICOID},   {"seq", INT8OID},    {"refunded", NUMERICOID},
                          {"forfeited", NUMERICOID}};
    const WholeRow row(call, shape);
    const Figure zero = Figure::zero(), spent = row.figure(points), back = row.figure(refunded),
                 lost = row.figure(forfeited);
    return names_profile(row.text(buyer)) && row.integer(number) > 0 && row.figure(money).is_not_negative() &&
           spent.is_not_negative() && back >= zero && lost >= zero && back + lost <= spent &&
           (spent == zero || !row.is_null(seq));
}

bool is_order_accrual(FunctionCallInfo call) {
    enum { buyer, level, line, points, credit_on, state, seq, dropped, taken_back };
    static RowShape shape{{"buyer", TEXTOID},     {"level", TEXTOID},      {"line", TEXTOID},
                          {"points", NUMERICOID}, {"credit_on", TEXTOID},  {"state", TEXTOID},
                          {"seq", INT8OID},       {"dropped", NUMERICOID}, {"taken_back", NUMERICOID}};
    const WholeRow row(call, shape);
    const Figure zero = Figure::zero(), earned = row.figure(points), never = row.figure(dropped),
                 back = row.figure(taken_back);
    const std::string now = row.text(state);
    const bool is_waiting = now == "waiting", is_credited = now == "credited";
    const bool state_is_right = is_waiting    ? never < earned && back == zero && !row.is_null(credit_on)
                                : is_credited ? never < earned
                                              : now == "dropped" && never == earned;
    return names_profile(row.text(buyer)) && is_one_of(row.text(level), {"product", "order"}) &&
           (row.text(level) == "order" || !row.is_null(line)) && earned.is_positive() && state_is_right &&
           is_credited == !row.is_null(seq) && never >= zero && back >= zero && never + back <= earned;
}

bool is_order_return(FunctionCallInfo call) {
    enum { number, kind, external_id, money, request };
    static RowShape shape{
        {"number", INT4OID}, {"kind", TEXTOID}, {"external_id", TEXTOID}, {"money", NUMERICOID}, {"request", JSONBOID}};
    const WholeRow row(call, shape);
    const bool was_asked_for = row.text(kind) == "return";
    return row.integer(number) > 0 && is_one_of(row.text(kind), {"return", "cancellation", "refund"}) &&
           was_asked_for == !row.is_null(external_id) && was_asked_for == !row.is_null(request) &&
           row.figure(money).is_not_negative();
}

bool is_order_return_line(FunctionCallInfo call) {
    enum { quantity, money };
    static RowShape shape{{"quantity", NUMERICOID}, {"money", NUMERICOID}};
    const WholeRow row(call, shape);
    return row.figure(quantity).is_positive() && row.figure(money).is_not_negative();
}

bool is_promotion_counter(FunctionCallInfo call) {
    enum { uses, money, points };
    static RowShape shape{{"uses", INT8OID}, {"money", NUMERICOID}, {"points", NUMERICOID}};
    const WholeRow row(call, shape);
    return row.bigint(uses) >= 0 && row.figure(money).is_not_negative() && row.figure(points).is_not_negative();
}

bool is_promotion_use(FunctionCallInfo call) {
    enum { money, points };
    static RowShape shape{{"money", NUMERICOID}, {"points", NUMERICOID}};
    const WholeRow row(call, shape);
    return row.figure(money).is_not_negative() && row.figure(points).is_not_negative();
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {
PG_FUNCTION_INFO_V1(loyalty_order_id_is_well_formed);
Datum loyalty_order_id_is_well_formed(PG_FUNCTION_ARGS) {
    return loyalty::pg::judge_row(fcinfo, loyalty::pg::is_order_id);
}

PG_FUNCTION_INFO_V1(loyalty_buyer_is_well_formed);
Datum loyalty_buyer_is_well_formed(PG_FUNCTION_ARGS) { return loyalty::pg::judge_row(fcinfo, loyalty::pg::is_buyer); }

PG_FUNCTION_INFO_V1(loyalty_order_is_well_formed);
Datum loyalty_order_is_well_formed(PG_FUNCTION_ARGS) { return loyalty::pg::judge_row(fcinfo, loyalty::pg::is_order); }

PG_FUNCTION_INFO_V1(loyalty_order_line_is_well_formed);
Datum loyalty_order_line_is_well_formed(PG_FUNCTION_ARGS) {
    return loyalty::pg::judge_row(fcinfo, loyalty::pg::is_order_line);
}

PG_FUNCTION_INFO_V1(loyalty_order_points_is_well_formed);
Datum loyalty_order_points_is_well_formed(PG_FUNCTION_ARGS) {
    return loyalty::pg::judge_row(fcinfo, loyalty::pg::is_order_points);
}

PG_FUNCTION_INFO_V1(loyalty_order_accrual_is_well_formed);
Datum loyalty_order_accrual_is_well_formed(PG_FUNCTION_ARGS) {
    return loyalty::pg::judge_row(fcinfo, loyalty::pg::is_order_accrual);
}

PG_FUNCTION_INFO_V1(loyalty_order_return_is_well_formed);
Datum loyalty_order_return_is_well_formed(PG_FUNCTION_ARGS) {
    return loyalty::pg::judge_row(fcinfo, loyalty::pg::is_order_return);
}

PG_FUNCTION_INFO_V1(loyalty_order_return_line_is_well_formed);
Datum loyalty_order_return_line_is_well_formed(PG_FUNCTION_ARGS) {
    return loyalty::pg::judge_row(fcinfo, loyalty::pg::is_order_return_line);
}

PG_FUNCTION_INFO_V1(loyalty_promotion_counter_is_well_formed);
Datum loyalty_promotion_counter_is_well_formed(PG_FUNCTION_ARGS) {
    return loyalty::pg::judge_row(fcinfo, loyalty::pg::is_promotion_counter);
}

PG_FUNCTION_INFO_V1(loyalty_promotion_use_is_well_formed);
Datum loyalty_promotion_use_is_well_formed(PG_FUNCTION_ARGS) {
    return loyalty::pg::judge_row(fcinfo, loyalty::pg::is_promotion_use);
}
}
