// Goals: every so many active points of a type give something, and are spent by that. An automatic one is claimed where points
// are credited, after the credit and as often as they suffice; what it cannot give leaves the points where they are.
#pragma once

#include <span>
#include <string>

#include "pg/jobs/job.hpp"
#include "pg/ledger/store.hpp"

namespace loyalty::pg {

// Claims the automatic goal of the account's point type, which has one, as often as its active points suffice. The member is
// locked. Where it cannot give what it promises, it is told by an event.
void claim_automatic_goal(const AccountKey& key, const Terms& terms);

// Likewise for all accounts of the program's members, who are locked, that have an automatic goal in reach.
void claim_goals_in_reach(const std::string& program, const std::vector<std::string>& members);

// Likewise for the accounts of a job's keys.
void claim_goals_in_reach(std::span<const JobKey> keys);

}  // namespace loyalty::pg
