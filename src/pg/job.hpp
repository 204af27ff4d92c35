// Jobs that work through all members batch by batch, each batch in a transaction of its own.
#pragma once

#include <optional>
#include <string>

#include "pg/values.hpp"

namespace loyalty::pg {

// One batch of a job's run. Two runs cannot collide: each batch holds the job's lock until its transaction ends (error
// LY524 where another does). Progress stands in loyalty.job_progress.
class Job {
public:
    Job(std::string name, const char* procedure);

    // A new run; one that was interrupted goes on where it stopped.
    void begin() const;
    void step(std::int64_t done, const std::optional<std::string>& after_program,
              const std::optional<std::string>& after_member) const;
    void finish() const;

private:
    std::string name_;
};

// Error LY317 where the transaction cannot see what others have committed meanwhile.
void require_read_committed(const char* action);

// Error LY104 unless it is 1 to 1000000.
void check_batch_size(int size);

}  // namespace loyalty::pg
