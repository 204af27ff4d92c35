// What happens around a booking and is not the ledger's own. The ledger declares these functions and calls them; the
// rooms that stand above it and lean on it define them: tiers, goals and promotions.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "pg/jobs/job.hpp"
#include "pg/ledger/store.hpp"

namespace loyalty::pg {

// ---------------------------------------------------------------------------------------------------------------------
// Tiers

// Before the account is read: what the calendar of tiers has due is booked.
void review_before_booking(const AccountKey& key, const KeyArguments& arguments, TimestampTz now);

// After it was written: the tier becomes what the points give, and predicates of tiers are judged.
void judge_after_booking(const AccountKey& key, const KeyArguments& arguments, const Terms& terms,
                         const ledger::Account& account, TimestampTz now);

// After bookings for many members: the predicates, once for each of them.
void judge_after_bookings(const std::string& program, const std::vector<std::string>& members, TimestampTz now);

// ---------------------------------------------------------------------------------------------------------------------
// Goals

// Claims the automatic goal of the account's point type, which has one, as often as its active points suffice. The
// member is locked. Where it cannot give what it promises, it is told by an event.
void claim_automatic_goal(const AccountKey& key, const Terms& terms);

// Likewise for the accounts of a job's keys.
void claim_goals_in_reach(std::span<const JobKey> keys);

// ---------------------------------------------------------------------------------------------------------------------
// Trigger promotions

// What is booked by hand under a promotion: accruals and redemptions, and holds for them.
struct TriggerUse {
    const AccountKey& key;
    const std::string& promotion;
    std::int64_t accrued = 0;  // points, to their scale; a deduction accrues none
    int scale = 0;
    bool limited = false;
};

// That the promotion is in force, the member in its audience, and that its limits leave room; their counters stay
// locked until the transaction ends. Whether it has any is noted. Errors: LY319 (no such promotion), LY720 (no trigger
// promotion), LY721 (not active, out of its dates or of its schedule), LY727 (used up), LY728 (outside the audience).
void require_use(TriggerUse& use, TimestampTz now);

// That the promotion has a rule for the booking. Errors: LY722 (no rule for it), LY723 (a value outside the rule).
void require_rule(const AccountKey& key, const std::string& promotion, bool accrual, std::int64_t value, int scale);

// Counts what was booked, or held, if there are limits.
void count_use(const TriggerUse& use, const Uuid& id);

// Gives a use back: its transaction was cancelled, or its hold rolled back.
void give_back_use(const std::string& member, const std::string& program, const Uuid& id, TimestampTz now);

}  // namespace loyalty::pg
