// Jobs that work through all members batch by batch, each batch in a transaction of its own. What all jobs share is
// here: one run at a time, where a run goes on after an interruption, and going on without the members that it fails
// for.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "pg/server/attempt.hpp"
#include "pg/server/values.hpp"

namespace loyalty::pg {

// What a job works on: a member, or an account or tier group of one.
struct JobKey {
    std::string member, program, part;
};

class JobRun;

struct Job {
    const char* name;  // in loyalty.job_runs, and part of the lock's key
    const char* verb;  // what is told of its progress: "expired 42 lots"
    const char* done;
    const char* skipped;  // what it skips, in the plural
    // One batch: how much was done, or nothing where nothing is left for the run to look at.
    std::optional<std::int64_t> (*batch)(JobRun& run, int batch_size);
};

// A batch's view of the run that it belongs to.
class JobRun {
public:
    // Error LY524 where another session is at work on the job.
    explicit JobRun(const Job& job, std::optional<Datum> age = std::nullopt);

    // A new run, which keeps others out from now on; one that was interrupted goes on where it stopped, and a whole one
    // follows it.
    void begin();
    // One batch, or the run's end. Where no run has begun, one begins.
    std::optional<std::int64_t> step(int batch_size);

    // Where the batch begins: behind this key; empty at the start.
    const JobKey& after() const { return after_; }
    void reach(JobKey key) { after_ = std::move(key); }

    // Does the work for keys, which come in the order of members. Where it fails, it is tried for their halves, down to
    // the one whose fault it is: that one is skipped and recorded. Returns how much was done.
    using Work = std::function<std::int64_t(std::span<const JobKey>)>;
    std::int64_t work_on(std::span<const JobKey> keys, const Work& work);

    TimestampTz started_at() const { return started_at_; }
    // How old what is deleted or archived must be; error LY526 where it was not given, LY104 where it is below zero.
    Datum age() const;

private:
    bool read();
    void add();
    void record(const JobKey& key, const Trouble& trouble) const;
    void write() const;
    void finish() const;

    const Job& job_;
    const std::optional<Datum> age_;
    std::int64_t run_ = 0;
    TimestampTz started_at_ = 0;
    bool resumed_ = false;
    JobKey after_;
    std::int64_t done_ = 0, skipped_ = 0;
};

// Keys as arguments: arrays of equal length.
struct JobKeyArguments {
    explicit JobKeyArguments(std::span<const JobKey> keys);
    Argument members, programs, parts;
};

// Those of the next keys, in order, with which there is anything to do; nothing where there are no further keys. The
// query has the columns member, program, part, and whether it is due; and as parameters the key behind which it begins
// (three), how many keys it looks at, so that a batch is bounded whether or not much is due, and the readings of both
// clocks.
std::optional<std::vector<JobKey>> next_keys(JobRun& run, Query& query, int batch_size);

// The same of what such a query has given.
std::optional<std::vector<JobKey>> due_keys(JobRun& run, const Rows& rows);

// An interval that is not below zero; else error LY104.
Datum require_age(Datum older_than);

}  // namespace loyalty::pg
