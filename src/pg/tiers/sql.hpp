// The calendar of cyclic tier groups, as text for queries in which m is the member's row, p the program's.
#pragma once

// One row of a table for each row before it, by the primary key. The planner, left to itself, may read the whole table
// instead, or worse, work out all that follows for each of its rows and only then look which are wanted: without statistics it
// does, and each slice of a bulk enrolment would cost as much as all before it (measured). OFFSET 0 keeps it from that.
#define LOYALTY_EACH(table, conditions) "LATERAL (SELECT * FROM loyalty." table " x WHERE " conditions " OFFSET 0)"
#define LOYALTY_EACH_MEMBER LOYALTY_EACH("members", "x.member = k.member AND x.program = $1")

// How many whole or begun periods lie between the member's registration day and a local moment, give or take one.
#define LOYALTY_PERIODS_UNTIL(count, unit, moment)                                      \
    "CASE WHEN " unit                                                                   \
    " IN ('day', 'week')"                                                               \
    "     THEN (timezone(p.time_zone, " moment                                          \
    ")::date - timezone(p.time_zone, m.registered_at)::date)"                           \
    "          / (" count " * CASE " unit                                               \
    " WHEN 'week' THEN 7 ELSE 1 END)"                                                   \
    "     ELSE ((extract(year FROM timezone(p.time_zone, " moment                       \
    "))"                                                                                \
    "            - extract(year FROM timezone(p.time_zone, m.registered_at))) * 12"     \
    "           + extract(month FROM timezone(p.time_zone, " moment                     \
    "))"                                                                                \
    "           - extract(month FROM timezone(p.time_zone, m.registered_at)))::integer" \
    "          / (" count " * CASE " unit " WHEN 'year' THEN 12 ELSE 1 END) END"

// Ends of periods as a relation with column `at`: all from the moment `since` to the moment `until`, and beyond it at least
// one. Each is counted from the registration day itself, so that the 31st stays the 31st wherever there is one; and each is
// the end of a day's last instant, since midnight itself may come twice where clocks are put back then.
#define LOYALTY_PERIOD_ENDS(count, unit, since, until) \
    "(SELECT timezone(p.time_zone, date_trunc('day', timezone(p.time_zone, m.registered_at))"                         \
    "                              + k.number * CASE " unit " WHEN 'day' THEN make_interval(days => " count ")"       \
    "                                           WHEN 'week' THEN make_interval(weeks => " count ")"                   \
    "                                           WHEN 'month' THEN make_interval(months => " count ")"                 \
    "                                           ELSE make_interval(years => " count ") END"                           \
    "                              - interval '1 microsecond') + interval '1 microsecond' AS at"                      \
    "   FROM generate_series(greatest(" LOYALTY_PERIODS_UNTIL(count, unit, since) " - 1, 1),"                         \
    "                        greatest(" LOYALTY_PERIODS_UNTIL(count, unit, until) ", 0) + 2) AS k (number))"
