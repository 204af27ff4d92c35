// The lock under which everything happens to a member, and to the accounts and tiers of one: that of the row in
// loyalty.members. Who locks several does so in the order of their keys.
#pragma once

#include <string>
#include <vector>

#include "pg/jobs/job.hpp"

namespace loyalty::pg {

void lock_members(const std::string& program, const std::vector<std::string>& members);

// Likewise the members of a job's keys.
void lock_members_of(const JobKeyArguments& keys, std::size_t count);

}  // namespace loyalty::pg
