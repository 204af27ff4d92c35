// Goals: every so many active points of a type give something, and are spent by that. An automatic one is claimed where
// points are credited, after the credit and as often as they suffice; what it cannot give leaves the points where they
// are.
#pragma once

#include <string>
#include <vector>

namespace loyalty::pg {

// Claims, for all accounts of the program's members that have an automatic goal in reach, as claim_automatic_goal()
// does. The members are locked.
void claim_goals_in_reach(const std::string& program, const std::vector<std::string>& members);

}  // namespace loyalty::pg
