// The lock of a job, which keeps two runs of it apart. Whether it is held shows in pg_locks, see loyalty.job_progress.
#pragma once

#include <string>

#include "pg/server/doors.hpp"

namespace loyalty::pg {

// Takes it until the transaction ends; false where another session holds it.
bool take_job_lock(const std::string& job);

// Keeps it beyond this transaction: until one that has said so is committed, or any fails, or the session ends.
void keep_job_lock(const std::string& job);
void release_job_lock_at_commit(const std::string& job);

}  // namespace loyalty::pg
