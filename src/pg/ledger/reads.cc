// Reading the ledger: balances, points about to expire, statements, verification. Nothing is written; what is due
// counts as booked.
#include "pg/members/periods.hpp"
#include "pg/members/visible.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

namespace {

// Errors LY201, LY203, LY208, LY507 unless program, point type (if given) and member exist, whom the caller may see.
void check_member(const std::string& member, const std::string& program, const std::optional<std::string>& point_type) {
    static Query query(
        "SELECT EXISTS (SELECT FROM loyalty.programs WHERE external_id = $2),"
        "       $3 IS NULL OR EXISTS (SELECT FROM loyalty.point_types WHERE program = $2 AND external_id = $3),"
        "       EXISTS (SELECT FROM loyalty.members WHERE member = $1 AND program = $2)",
        {TEXTOID, TEXTOID, TEXTOID});
    const Rows rows = query.run({text_argument(member), text_argument(program), optional_text_argument(point_type)});
    ColumnsInTurn exists(rows);
    if (!exists.boolean()) {
        throw Error(sqlstate::unknown_program, "program \"" + program + "\" does not exist", {},
                    "Name one of loyalty.programs.");
    }
    if (!exists.boolean()) {
        throw Error(sqlstate::unknown_point_type,
                    "point type \"" + *point_type + "\" of program \"" + program + "\" does not exist", {},
                    "Name one of loyalty.point_types.");
    }
    if (!exists.boolean())
        throw Error(sqlstate::not_a_member, "\"" + member + "\" is no member of program \"" + program + "\"");
    require_visible(member, program);
}

// The last reset by the calendar of a tier group that is due at the moment $4 and not booked: the points active before
// are gone from then on.
const std::string due_reset =
    "(SELECT max(e.at) AS at FROM loyalty.tier_groups g"
    "   JOIN loyalty.member_tiers s ON s.member = $1 AND s.program = g.program AND s.tier_group = g.external_id"
    "   JOIN loyalty.members m ON m.member = $1 AND m.program = g.program"
    "  CROSS JOIN LATERAL loyalty_internal.period_ends("
    "       s.reset_at, CASE WHEN isfinite($4) THEN $4 ELSE s.reset_at END, m.registered_at,"
    "       coalesce(g.reset_count, g.interval_count), coalesce(g.reset_unit, g.interval_unit), p.time_zone) e"
    "  WHERE g.program = $2 AND g.point_type = t.external_id AND g.model = 'cyclic' AND s.reset_at <= $4"
    "    AND e.at BETWEEN s.reset_at AND $4)";

// From now on: the lots as they are, and what will have become of them at the moment. Held points count as long as
// their hold's time-out has not come. Only where a reset is due is each lot looked at.
Rows balance_from_now(const Argument& member, const Argument& program, const Argument& point_type, TimestampTz at,
                      TimestampTz wall) {
    static Query query(
        "SELECT t.external_id::text, round(f.total, t.scale), round(f.active, t.scale), round(f.waiting, t.scale),"
        "    round(f.held, t.scale),"
        "       round(coalesce(b.debt, 0), t.scale), round(coalesce(b.owed, 0), t.scale),"
        "       CASE t.kind WHEN 'standard' THEN round(f.total / coalesce(t.applied_ratio, t.ratio),"
        "           p.currency_scale) END,"
        "       CASE t.kind WHEN 'standard' THEN round(f.active / coalesce(t.applied_ratio, t.ratio),"
        "           p.currency_scale) END, p.currency"
        "  FROM loyalty.point_types t"
        "  JOIN loyalty.programs p ON p.external_id = t.program"
        "  LEFT JOIN loyalty.balances b ON b.member = $1 AND b.program = $2 AND b.point_type = t.external_id"
        "  LEFT JOIN LATERAL " + due_reset + " reset ON t.kind = 'qualification'"
        " CROSS JOIN LATERAL ("
        "       SELECT b.total - (apart.gone - apart.gone_reserved) AS total,"
        "              CASE WHEN t.active AND $4 < loyalty_internal.deactivation(t.deactivates_at, t.deactivates_on,"
        "                  p.time_zone)"
        "                   THEN b.total + b.debt - apart.gone - apart.waiting - (apart.reserved - apart.gone_reserved)"
        "                       ELSE 0 END AS active,"
        "              apart.waiting, apart.reserved AS held"
        "         FROM loyalty.apart($1, $2, b.point_type, $4, $5) apart"
        "        WHERE reset.at IS NULL AND b.point_type IS NOT NULL"
        "       UNION ALL"
        "       SELECT coalesce(b.total, 0) - coalesce(sum(l.remaining - l.reserved) FILTER (WHERE l.expires_at <= $4),"
        "           0) AS total,"
        "              CASE WHEN t.active AND $4 < loyalty_internal.deactivation(t.deactivates_at, t.deactivates_on,"
        "                  p.time_zone)"
        "                   THEN coalesce(sum(l.remaining - l.reserved) FILTER (WHERE l.active_from <= $4"
        "                       AND l.expires_at > $4), 0)"
        "                   ELSE 0 END AS active,"
        "              coalesce(sum(l.remaining) FILTER (WHERE l.active_from > $4), 0) AS waiting,"
        "              coalesce(sum(l.reserved), 0) AS held"
        "         FROM (SELECT o.remaining, o.active_from, loyalty_internal.gone_at(o.expires_at, o.active_from,"
        "             reset.at) AS expires_at,"
        "                      CASE WHEN o.held = 0 THEN 0"
        "                           ELSE (SELECT coalesce(sum(r.amount), 0) FROM loyalty.hold_lots r"
        "                                   JOIN loyalty.holds h ON h.member = $1 AND h.program = $2 AND h.id = r.hold"
        "                                  WHERE r.member = $1 AND r.program = $2 AND r.point_type = t.external_id"
        "                                      AND r.lot = o.seq"
        "                                    AND h.state = 'open' AND h.expires_at > $5) END AS reserved"
        "                 FROM loyalty.all_lots o"
        "                WHERE o.member = $1 AND o.program = $2 AND o.point_type = b.point_type AND o.open) l"
        "       HAVING reset.at IS NOT NULL OR b.point_type IS NULL) f"
        " WHERE t.program = $2 AND ($3 IS NULL OR t.external_id = $3)"
        " ORDER BY t.external_id",
        {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID});
    return query.run({member, program, point_type, timestamp_argument(at), timestamp_argument(wall)});
}

// Of the past: what was booked as of the moment, less what had expired by it and is not booked yet; each lot by the
// movements booked as of then, and the holds that were open.
Rows balance_of_the_past(const Argument& member, const Argument& program, const Argument& point_type, TimestampTz at,
                         TimestampTz wall) {
    static Query query(
        "SELECT t.external_id::text, round(f.total, t.scale), round(f.active, t.scale), round(f.waiting, t.scale),"
        "    round(f.held, t.scale),"
        "       round(f.debt, t.scale), round(f.owed, t.scale),"
        "       CASE t.kind WHEN 'standard' THEN round(f.total / coalesce(t.applied_ratio, t.ratio),"
        "           p.currency_scale) END,"
        "       CASE t.kind WHEN 'standard' THEN round(f.active / coalesce(t.applied_ratio, t.ratio),"
        "           p.currency_scale) END, p.currency"
        "  FROM loyalty.point_types t"
        "  JOIN loyalty.programs p ON p.external_id = t.program"
        "  LEFT JOIN LATERAL " + due_reset + " reset ON t.kind = 'qualification'"
        " CROSS JOIN LATERAL ("
        "       SELECT coalesce(sum(x.value), 0) AS total, coalesce(sum(x.debt), 0) AS debt,"
        "           coalesce(sum(x.owed), 0) AS owed"
        "         FROM loyalty.all_transactions x"
        "        WHERE x.member = $1 AND x.program = $2 AND x.point_type = t.external_id AND x.created_at <= $4) booked"
        " CROSS JOIN LATERAL ("
        "       SELECT coalesce(sum(l.remaining - CASE WHEN l.held = 0 THEN 0"
        "                   ELSE (SELECT coalesce(sum(r.amount), 0) FROM loyalty.hold_lots r"
        "                           JOIN loyalty.holds h ON h.member = $1 AND h.program = $2 AND h.id = r.hold"
        "                          WHERE r.member = $1 AND r.program = $2 AND r.point_type = t.external_id"
        "                              AND r.lot = l.seq"
        "                            AND h.state = 'open' AND h.expires_at > $5) END), 0) AS expired"
        "         FROM loyalty.lots l"
        "        WHERE l.member = $1 AND l.program = $2 AND l.point_type = t.external_id AND l.open"
        "          AND loyalty_internal.gone_at(l.expires_at, l.active_from, reset.at) <= $4) due"
        " CROSS JOIN LATERAL ("
        "       SELECT booked.total - due.expired AS total, booked.debt, booked.owed,"
        "              CASE WHEN t.active AND $4 < loyalty_internal.deactivation(t.deactivates_at, t.deactivates_on,"
        "                  p.time_zone)"
        "                   THEN coalesce(sum(l.content - l.reserved) FILTER (WHERE l.active_from <= $4"
        "                       AND l.expires_at > $4), 0)"
        "                   ELSE 0 END AS active,"
        "              coalesce(sum(l.content) FILTER (WHERE l.active_from > $4), 0) AS waiting,"
        "              coalesce(sum(l.reserved), 0) AS held"
        "         FROM (SELECT o.active_from, loyalty_internal.gone_at(o.expires_at, o.active_from,"
        "             reset.at) AS expires_at,"
        "                      o.amount + (SELECT coalesce(sum(m.value), 0) FROM loyalty.all_lot_movements m"
        "                                    JOIN loyalty.all_transactions x USING (member, program, point_type, seq)"
        "                                   WHERE m.member = $1 AND m.program = $2 AND m.point_type = t.external_id"
        "                                       AND m.seq >= o.seq"
        "                                     AND m.lot = o.seq AND x.created_at <= $4) AS content,"
        "                      (SELECT coalesce(sum(r.amount), 0) FROM loyalty.hold_lots r"
        "                         JOIN loyalty.holds h ON h.member = $1 AND h.program = $2 AND h.id = r.hold"
        "                        WHERE r.member = $1 AND r.program = $2 AND r.point_type = t.external_id"
        "                            AND r.lot = o.seq"
        "                          AND h.created_at <= $4 AND coalesce(h.ended_at, h.expires_at) > $4) AS reserved"
        "                 FROM loyalty.all_lots o"
        "                 JOIN loyalty.all_transactions c ON c.member = $1 AND c.program = $2"
        "                     AND c.point_type = t.external_id AND c.seq = o.seq"
        "                WHERE o.member = $1 AND o.program = $2 AND o.point_type = t.external_id"
        "                    AND c.created_at <= $4) l) f"
        " WHERE t.program = $2 AND ($3 IS NULL OR t.external_id = $3)"
        " ORDER BY t.external_id",
        {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID});
    return query.run({member, program, point_type, timestamp_argument(at), timestamp_argument(wall)});
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_balance);
Datum loyalty_balance(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        const std::string member = given.required(0, "member"), program = given.required(1, "program");
        const auto point_type = given.text(2);
        check_member(member, program, point_type);
        const TimestampTz present = now();
        const TimestampTz at = given.moment(3).value_or(present);
        if (!TIMESTAMP_NOT_FINITE(at)) require_foreseeable(at);
        const Argument key[] = {text_argument(member), text_argument(program), optional_text_argument(point_type)};
        return return_rows(fcinfo,
                           at < present ? balance_of_the_past(key[0], key[1], key[2], at, wall_now())
                                        : balance_from_now(key[0], key[1], key[2], at, at == present ? wall_now() : at),
                           10);
    });
}

PG_FUNCTION_INFO_V1(loyalty_expiring_points);
Datum loyalty_expiring_points(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        static loyalty::pg::Query query(
            "SELECT d.point_type::text, d.day, sum(d.points), round(sum(d.points) / d.ratio, d.currency_scale),"
            "    d.currency"
            "  FROM (SELECT l.point_type, coalesce(t.applied_ratio, t.ratio) AS ratio, p.currency_scale, p.currency,"
            "               loyalty_internal.last_day(l.expires_at, p.time_zone) AS day,"
            "               l.remaining - CASE WHEN l.held = 0 THEN 0"
            "                                  ELSE (SELECT coalesce(sum(r.amount), 0) FROM loyalty.hold_lots r"
            "                                          JOIN loyalty.holds h ON h.member = $1 AND h.program = $2"
            "                                              AND h.id = r.hold"
            "                                         WHERE r.member = $1 AND r.program = $2"
            "                                             AND r.point_type = l.point_type AND r.lot = l.seq"
            "                                           AND h.state = 'open' AND h.expires_at > $7) END AS points"
            "          FROM loyalty.lots l"
            "          JOIN loyalty.programs p ON p.external_id = l.program"
            "          JOIN loyalty.point_types t ON t.program = l.program AND t.external_id = l.point_type"
            "         WHERE l.member = $1 AND l.program = $2 AND ($5 IS NULL OR l.point_type = $5) AND l.open"
            "           AND l.expires_at > $6 AND l.expires_at < 'infinity') d"
            " WHERE d.day BETWEEN $3 AND $4 AND d.points > 0"
            " GROUP BY d.point_type, d.day, d.ratio, d.currency_scale, d.currency"
            " ORDER BY d.day, d.point_type",
            {TEXTOID, TEXTOID, DATEOID, DATEOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID});
        const Arguments given(fcinfo);
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        const std::string member = given.required(0, "member"), program = given.required(1, "program");
        const auto first = given.datum(2), last = given.datum(3);
        if (!first || !last) throw Error(sqlstate::missing_field, "first_day and last_day are needed");
        const auto point_type = given.text(4);
        check_member(member, program, point_type);
        const Rows rows = query.run({text_argument(member),
                                     text_argument(program),
                                     {*first, false},
                                     {*last, false},
                                     optional_text_argument(point_type),
                                     timestamp_argument(now()),
                                     timestamp_argument(wall_now())});
        return return_rows(fcinfo, rows, 5);
    });
}

PG_FUNCTION_INFO_V1(loyalty_statement);
Datum loyalty_statement(PG_FUNCTION_ARGS) {
    using namespace loyalty;
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        static loyalty::pg::Query query(
            "SELECT id, external_id::text, point_type::text, seq, type, created_at, booked_at, value, balance_before,"
            "    balance_after, debt, owed,"
            "       active_from, expires_at, undoes, source_type, source, promotion::text, comment, data"
            "  FROM loyalty.all_transactions"
            " WHERE member = $1 AND program = $2 AND ($3 IS NULL OR point_type = $3) AND id < $4"
            " ORDER BY id DESC LIMIT $5",
            {TEXTOID, TEXTOID, TEXTOID, UUIDOID, INT8OID});
        constexpr int largest_page = 10000;
        const Arguments given(fcinfo);
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        const std::string member = given.required(0, "member"), program = given.required(1, "program");
        const auto point_type = given.text(2);
        const int page_size = given.integer(4).value_or(0);
        if (page_size < 1 || page_size > largest_page) {
            throw Error(sqlstate::value_out_of_range, "the page size is out of range",
                        "It is " + std::to_string(page_size) + ".", "It is 1 to " + std::to_string(largest_page) + ".");
        }
        check_member(member, program, point_type);
        Uuid last_possible;
        last_possible.fill(0xff);
        const Rows rows = query.run({text_argument(member), text_argument(program), optional_text_argument(point_type),
                                     uuid_argument(given.uuid(3).value_or(last_possible)), bigint_argument(page_size)});
        return return_rows(fcinfo, rows, 20);
    });
}

PG_FUNCTION_INFO_V1(loyalty_verify);
Datum loyalty_verify(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        static const std::string violations =
            "SELECT invariant, program, member, point_type, seq, detail"
            "  FROM (SELECT * FROM loyalty.violations UNION ALL SELECT * FROM loyalty.order_violations"
            "        UNION ALL SELECT * FROM loyalty.membership_violations UNION ALL SELECT *"
            "            FROM loyalty.field_violations"
            "        UNION ALL SELECT * FROM loyalty.tier_violations) violation";
        // Bound parameters of a generic plan would keep the planner from leaving the program out where none is given.
        static loyalty::pg::Query of_all(violations + " ORDER BY 1, 2, 3, 4, 5, 6", {}, loyalty::pg::Plan::free);
        static loyalty::pg::Query of_one(violations + " WHERE program = $1 ORDER BY 1, 2, 3, 4, 5, 6", {TEXTOID},
                                         loyalty::pg::Plan::free);
        const Arguments given(fcinfo);
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        const auto program = given.text(0);
        return return_rows(fcinfo, program ? of_one.run({text_argument(*program)}) : of_all.run({}), 6);
    });
}
}
