// Text that several of the ledger's queries share.
#pragma once

// When points expire that can be spent from a moment on, where t is the point type's row and p the program's: they are
// valid for whole days of the program's zone, through the end of the day that is so many units after the day on which they
// become active. The end is that of the last instant, since midnight itself may come twice where clocks are put back then.
#define LOYALTY_EXPIRES_AT(active_from)                                                            \
    "CASE WHEN t.validity_unit IS NULL THEN 'infinity'"                                            \
    "     ELSE timezone(p.time_zone,"                                                              \
    "                   date_trunc('day', timezone(p.time_zone, " active_from                      \
    "))"                                                                                           \
    "                   + CASE t.validity_unit"                                                    \
    "                         WHEN 'day' THEN make_interval(days => t.validity_count)"             \
    "                         WHEN 'week' THEN make_interval(weeks => t.validity_count)"           \
    "                         WHEN 'month' THEN make_interval(months => t.validity_count)"         \
    "                         ELSE make_interval(years => t.validity_count)"                       \
    "                     END"                                                                     \
    "                   + interval '1 day' - interval '1 microsecond') + interval '1 microsecond'" \
    " END"

// What is kept of a comment and data that were blanked.
#define LOYALTY_ERASED_HASH(comment, data) \
    "sha256(convert_to(jsonb_build_array(" comment "::text, " data "::jsonb)::text, 'UTF8'))"
