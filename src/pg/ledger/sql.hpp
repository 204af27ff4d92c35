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

// A subquery that gives what of an account's lots does not count as active at a moment from now on: `gone`, left of those past
// their date; `waiting`, of those not active yet; `reserved` by holds whose time has not come on the wall's clock, and
// `gone_reserved`, of that from lots past their date. All else that the lots hold, which is total + debt of the balance, is
// active: so nobody reads thousands of lots of which nothing is to be said. Points are reserved of active lots only.
#define LOYALTY_APART(member_key, program_key, type_key, at, wall)                                           \
    "(SELECT (SELECT coalesce(sum(o.remaining), 0) FROM loyalty.lots o"                                      \
    "          WHERE o.member = " member_key " AND o.program = " program_key " AND o.point_type = " type_key \
    "            AND o.open AND o.expires_at <= " at                                                         \
    ") AS gone,"                                                                                             \
    "        (SELECT coalesce(sum(o.remaining), 0) FROM loyalty.lots o"                                      \
    "          WHERE o.member = " member_key " AND o.program = " program_key " AND o.point_type = " type_key \
    "            AND o.open AND o.active_from > " at                                                         \
    ") AS waiting,"                                                                                          \
    "        held.reserved, held.gone_reserved"                                                              \
    "   FROM (SELECT coalesce(sum(r.amount), 0) AS reserved,"                                                \
    "                coalesce(sum(r.amount) FILTER (WHERE o.expires_at <= " at                               \
    "), 0) AS gone_reserved"                                                                                 \
    "           FROM loyalty.holds h"                                                                        \
    "           JOIN loyalty.hold_lots r ON r.member = " member_key " AND r.program = " program_key          \
    " AND r.hold = h.id"                                                                                     \
    "           JOIN loyalty.lots o ON o.member = " member_key " AND o.program = " program_key               \
    "                AND o.point_type = r.point_type AND o.seq = r.lot"                                      \
    "          WHERE h.member = " member_key " AND h.program = " program_key " AND h.point_type = " type_key \
    "            AND h.state = 'open' AND h.expires_at > " wall ") held)"
