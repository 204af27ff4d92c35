// Periods that are counted from a member's registration day, as text for queries in which m is the member's row, p the
// program's.
#pragma once

#include "pg/server/postgres.hpp"

namespace loyalty::pg {

// Error LY512 where the moment lies so far ahead that periods without number would have to be gone through.
void require_foreseeable(TimestampTz at);

}  // namespace loyalty::pg

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

// Ends of periods as a relation with column `at`: all from the moment `since` to the moment `until`, and beyond it at
// least one. Each is counted from the registration day itself, so that the 31st stays the 31st wherever there is one;
// and each is the end of a day's last instant, since midnight itself may come twice where clocks are put back then.
#define LOYALTY_PERIOD_ENDS(count, unit, since, until) \
    "(SELECT timezone(p.time_zone, date_trunc('day', timezone(p.time_zone, m.registered_at))"                         \
    "                              + k.number * CASE " unit " WHEN 'day' THEN make_interval(days => " count ")"       \
    "                                           WHEN 'week' THEN make_interval(weeks => " count ")"                   \
    "                                           WHEN 'month' THEN make_interval(months => " count ")"                 \
    "                                           ELSE make_interval(years => " count ") END"                           \
    "                              - interval '1 microsecond') + interval '1 microsecond' AS at"                      \
    "   FROM generate_series(greatest(" LOYALTY_PERIODS_UNTIL(count, unit, since) " - 1, 1),"                         \
    "                        greatest(" LOYALTY_PERIODS_UNTIL(count, unit, until) ", 0) + 2) AS k (number))"
