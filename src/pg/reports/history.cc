#include "pg/reports/history.hpp"

#include <array>

namespace loyalty::pg {

namespace {

constexpr long steps_at_once = 500;

// What the ledger books by itself, what tiers reset, and what the orders of the time have booked is worked out anew.
const std::string bookings =
    "SELECT t.booked_at AS at, 0 AS kind, t.booked_at AS time, t.id::text COLLATE \"C\" AS tie, 'm:' || t.member AS"
    "        buyer, '' AS order_id, NULL::text AS line, '' AS status, NULL::text AS origin, NULL::numeric AS total,"
    "       NULL::jsonb AS request, NULL::jsonb AS resolved, NULL::jsonb AS result, 0 AS version,"
    "       false AS comes_back, NULL::text[] AS codes, NULL::text[] AS code_statuses,"
    "       t.point_type, t.type, CASE WHEN t.source_type = 'write_off' THEN -t.owed"
    "           WHEN t.type = 'reversal' THEN -t.value + t.owed + t.lapsed ELSE abs(t.value) END,"
    "       t.seq, t.created_at, t.active_from, t.expires_at, t.undoes, t.source_type,"
    "       NULL::text[] AS lines, NULL::bigint[] AS quantities, false AS shipping, false AS ends_order"
    "  FROM loyalty.all_transactions t"
    "  LEFT JOIN loyalty.orders o ON t.source_type = 'order' AND o.buyer = 'm:' || t.member AND o.program = t.program"
    "      AND o.external_id = t.source"
    " WHERE t.program = $1 AND t.booked_at >= $2 AND t.booked_at < $3 AND t.type NOT IN ('expiration', 'reset')"
    "   AND t.source_type IS DISTINCT FROM 'settlement'"
    "   AND (t.source_type IS DISTINCT FROM 'order' OR o.placed_at < $2)";

const std::string holds =
    "SELECT h.created_at, 1, h.created_at, h.id::text, 'm:' || h.member, '', NULL, '', NULL, NULL, NULL, NULL, NULL, 0,"
    "       false, NULL, NULL, h.point_type, h.type, h.amount, 0, h.created_at, NULL, NULL, NULL, NULL, NULL, NULL,"
    "       false, false"
    "  FROM loyalty.holds h"
    " WHERE h.program = $1 AND h.created_at < $3 AND (h.created_at >= $2 OR h.ended_at IS NULL OR h.ended_at >= $2)";

const std::string orders =
    "SELECT moment.at, 2, o.time, o.external_id::text, o.buyer, o.external_id::text, NULL,"
    "       coalesce(o.request ->> 'status', 'new'), o.origin, o.total, o.request, o.resolved, o.result,"
    "       coalesce(o.version, 0), o.refunded > 0 OR o.shipping_refunded OR EXISTS ("
    "           SELECT FROM loyalty.order_returns r"
    "            WHERE r.buyer = o.buyer AND r.program = o.program AND r.order_id = o.external_id),"
    "       code.names, code.statuses,"
    "       NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false"
    "  FROM loyalty.orders o"
    " CROSS JOIN LATERAL (SELECT CASE o.origin WHEN 'placed' THEN o.placed_at ELSE o.time END AS at) moment"
    " CROSS JOIN LATERAL (SELECT array_agg(upper(btrim(c.body ->> 'code')) ORDER BY c.number) AS names,"
    "                            array_agg(c.body ->> 'status' ORDER BY c.number) AS statuses"
    "                       FROM jsonb_array_elements(o.result -> 'promo_codes') WITH ORDINALITY c (body, number)) code"
    " WHERE o.program = $1 AND moment.at >= $2 AND moment.at < $3";

const std::string statuses =
    "SELECT e.created_at, 3, e.created_at, lpad(e.number::text, 19, '0'), coalesce('m:' || e.profile,"
    "           'g:' || (e.data ->> 'order')), e.data ->> 'order', e.data ->> 'line', e.data ->> 'status', NULL, NULL,"
    "       NULL, NULL, NULL, 0, false, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL,"
    "       false, false"
    "  FROM loyalty.events e"
    " WHERE e.program = $1 AND e.type = 'order_status_changed' AND e.data ? 'order'"
    "   AND e.created_at >= $2 AND e.created_at < $3";

const std::string returns =
    "SELECT r.created_at, 4, r.created_at, lpad(r.number::text, 10, '0'), r.buyer, r.order_id, NULL, '', NULL, NULL,"
    "       NULL, NULL, NULL, 0, false, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL,"
    "       l.lines, l.quantities, r.shipping, r.kind <> 'return' AND NOT r.answer ? 'line'"
    "  FROM loyalty.order_returns r"
    "  LEFT JOIN LATERAL (SELECT array_agg(x.line::text) AS lines,"
    "                            array_agg((x.quantity * 1000000)::bigint) AS quantities"
    "                       FROM loyalty.order_return_lines x"
    "                      WHERE x.buyer = r.buyer AND x.program = r.program AND x.order_id = r.order_id"
    "                        AND x.number = r.number) l ON true"
    " WHERE r.program = $1 AND r.created_at >= $2 AND r.created_at < $3";

Cursor open(const std::string& program, TimestampTz from, TimestampTz to) {
    constexpr std::array<Oid, 3> types = {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
    const std::array<Argument, 3> arguments = {text_argument(program), timestamp_argument(from),
                                               timestamp_argument(to)};
    return Cursor("SELECT * FROM (" + bookings + " UNION ALL " + holds + " UNION ALL " + orders + " UNION ALL " +
                      statuses + " UNION ALL " + returns + ") AS step ORDER BY at, kind, time, tie",
                  types, arguments);
}

Step read_step(ColumnsInTurn& column) {
    Step step;
    step.at = column.timestamp();
    step.kind = static_cast<StepKind>(column.integer());
    step.time = column.timestamp();
    column.skip(1);
    step.buyer = column.text();
    step.order = column.text();
    step.line = column.optional_text();
    step.status = column.text();
    step.imported = column.optional_text() == "imported";
    step.total = column.optional_datum(NUMERICOID).value_or(0);
    step.request = column.optional_datum(JSONBOID);
    step.resolved = column.optional_datum(JSONBOID);
    step.result = column.optional_datum(JSONBOID);
    step.version = column.integer();
    step.comes_back = column.boolean();
    step.codes = column.texts();
    step.code_statuses = column.texts(step.codes.size());
    step.point_type = column.optional_text().value_or("");
    step.type = column.optional_text().value_or("");
    step.value = column.optional_datum(NUMERICOID).value_or(0);
    step.seq = column.bigint();
    step.created_at = column.optional_timestamp().value_or(0);
    step.active_from = column.optional_timestamp();
    step.expires_at = column.optional_timestamp();
    step.undoes = column.optional_bigint();
    step.source_type = column.optional_text();
    step.lines = column.texts();
    step.quantities = column.bigints();
    step.shipping = column.boolean();
    step.ends_order = column.boolean();
    column.end();
    return step;
}

}  // namespace

History::History(const std::string& program, TimestampTz from, TimestampTz to) : cursor_(open(program, from, to)) {}

std::vector<Step> History::next() {
    const Rows rows = cursor_.fetch(steps_at_once);
    std::vector<Step> steps;
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn column(rows, row);
        steps.push_back(read_step(column));
    }
    return steps;
}

}  // namespace loyalty::pg
