// What a trigger promotion says beside its rules: dates, schedule, audience, usage limits. It stands outside the versions, so
// these are the draft's, in force at once.
#pragma once

#include "pg/ledger/store.hpp"

namespace loyalty::pg {

// Error LY319 (no such promotion), LY720 (no trigger promotion), LY721 (not active, out of its dates or of its schedule).
void require_in_force(const std::string& program, const std::string& promotion, TimestampTz now);

// What is booked by hand under a promotion: accruals and redemptions, and holds for them.
struct TriggerUse {
    const AccountKey& key;
    const std::string& promotion;
    std::int64_t accrued = 0;  // points, to their scale; a deduction accrues none
    int scale = 0;
    bool limited = false;
};

// That the promotion is in force, the member in its audience, and that its limits leave room; their counters stay locked until
// the transaction ends. Whether it has any is noted. Errors: as above, LY727 (used up), LY728 (outside the audience).
void require_use(TriggerUse& use, TimestampTz now);

// Counts what was booked, or held, if there are limits.
void count_use(const TriggerUse& use, const Uuid& id);

// Gives a use back: its transaction was cancelled, or its hold rolled back.
void give_back_use(const std::string& member, const std::string& program, const Uuid& id, TimestampTz now);

}  // namespace loyalty::pg
