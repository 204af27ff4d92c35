#include "pg/job.hpp"

namespace loyalty::pg {

Job::Job(std::string name, const char* procedure) : name_(std::move(name)) {
    static Query query("SELECT pg_try_advisory_xact_lock(hashtextextended('loyalty ' || $1, 0))", {TEXTOID});
    if (query.run({text_argument(name_)}, true).boolean(0, 1)) return;
    throw Error(sqlstate::job_is_running, std::string("another run of ") + procedure + " is at work", {},
                "See loyalty.job_progress.");
}

void Job::begin() const {
    static Query query(
        "INSERT INTO loyalty.job_progress AS p (job, started_at, updated_at) VALUES ($1, clock_timestamp(), clock_timestamp())"
        " ON CONFLICT (job) DO UPDATE SET started_at = excluded.started_at, updated_at = excluded.updated_at, finished_at = NULL, done = 0,"
        "    after_member = NULL, after_program = NULL, after_point_type = NULL"
        " WHERE p.finished_at IS NOT NULL",
        {TEXTOID});
    query.run({text_argument(name_)}, true);
}

void Job::step(std::int64_t done, const std::optional<std::string>& after_program,
               const std::optional<std::string>& after_member) const {
    static Query query(
        "UPDATE loyalty.job_progress SET updated_at = clock_timestamp(), done = done + $2, after_program = $3, after_member = $4"
        " WHERE job = $1",
        {TEXTOID, INT8OID, TEXTOID, TEXTOID});
    query.run({text_argument(name_), bigint_argument(done), optional_text_argument(after_program),
               optional_text_argument(after_member)},
              true);
}

void Job::finish() const {
    static Query query(
        "UPDATE loyalty.job_progress SET updated_at = clock_timestamp(), finished_at = clock_timestamp() WHERE job = $1",
        {TEXTOID});
    query.run({text_argument(name_)}, true);
}

void require_read_committed(const char* action) {
    if (!IsolationUsesXactSnapshot()) return;
    throw Error("LY317", std::string("cannot ") + action + " in a transaction of this isolation level", {},
                "Use a READ COMMITTED transaction: it sees what others have committed meanwhile.");
}

void check_batch_size(int size) {
    constexpr int largest = 1'000'000;
    if (size >= 1 && size <= largest) return;
    throw Error(sqlstate::value_out_of_range, "the batch size is out of range", "It is " + std::to_string(size) + ".",
                "It is 1 to " + std::to_string(largest) + ".");
}

}  // namespace loyalty::pg
