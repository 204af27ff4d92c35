// Ending holds past their time-out, for the jobs.
#pragma once

#include "pg/jobs/job.hpp"

namespace loyalty::pg {

// For accounts whose members are locked. Returns how many holds were ended.
std::int64_t end_holds(const JobKeyArguments& accounts, std::size_t count);

}  // namespace loyalty::pg
