// What a program and a point type say of bookings. Each session keeps it, as it keeps compiled programs (cache.hpp):
// reading it anew would be a third of what a booking reads.
#pragma once

#include <optional>
#include <string>

#include "pg/server/postgres.hpp"

namespace loyalty::pg {

struct Terms {
    bool program_active = false;
    bool debt_allowed = false;
    int scale = 0;
    bool refund_allowed = false;
    bool type_active = false;
    TimestampTz deactivates_at = DT_NOEND;
    bool qualifies = false;       // points of the type may lift through tiers
    bool has_goal = false;        // an automatic one, which a credit may reach
    bool judges_dynamic = false;  // the program has tiers with predicates, which any booking may change
    std::string time_zone;
    std::optional<Interval> validity;  // of points; none: for ever
    bool member_removed = false;       // of the member whose account it is; not kept

    bool type_usable(TimestampTz now) const { return type_active && now < deactivates_at; }

    // As loyalty_internal.expires_at() of sql/06-days.sql; test `ledger` holds one against the other.
    TimestampTz expires_at(TimestampTz active_from) const;
};

// As committed now and changed by this transaction, whatever the snapshot; needs a connection to SPI and the schema
// owner's rights. Errors: LY201, LY208 where one of the two does not exist.
Terms ledger_terms(const std::string& program, const std::string& point_type);

}  // namespace loyalty::pg
