#include "pg/jobs/job.hpp"

#include "pg/jobs/lock.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/owner.hpp"

namespace loyalty::pg {

// The jobs, each of which stands in the room whose work it does, in the sequence in which loyalty_run_jobs() runs them:
// the one list of them.
extern const Job end_holds_job, expire_points_job, review_tiers_job, judge_tiers_job, tell_expiring_job,
    delete_events_job, refresh_reports_job, archive_accounts_job;

namespace {

const Job* const jobs[] = {&end_holds_job,     &expire_points_job, &review_tiers_job,   &judge_tiers_job,
                           &tell_expiring_job, &delete_events_job, &refresh_reports_job,
                           &archive_accounts_job};

std::vector<std::string> job_names() {
    std::vector<std::string> names;
    for (const Job* job : jobs) names.emplace_back(job->name);
    return names;
}

std::string enumerated(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); i++)
        text += (i == 0 ? "" : i + 1 < names.size() ? ", " : " and ") + names[i];
    return text;
}

const Job& find_job(std::string_view name) {
    for (const Job* job : jobs)
        if (name == job->name) return *job;
    throw Error(sqlstate::unknown_job, "job \"" + std::string(name) + "\" does not exist", {},
                "The jobs are " + enumerated(job_names()) + ".");
}

void check_batch_size(int size) {
    constexpr int largest = 1'000'000;
    if (size >= 1 && size <= largest) return;
    throw Error(sqlstate::value_out_of_range, "the batch size is out of range", "It is " + std::to_string(size) + ".",
                "It is 1 to " + std::to_string(largest) + ".");
}

// Batches must see what others have committed meanwhile.
void require_read_committed() {
    if (!IsolationUsesXactSnapshot()) return;
    throw Error(sqlstate::wrong_isolation_level, "cannot run a job in a transaction of this isolation level", {},
                "Use a READ COMMITTED transaction: it sees what others have committed meanwhile.");
}

void tell_progress(const Job& job, std::int64_t done) {
    const auto total = static_cast<long long>(done);
    const char *verb = job.verb, *what = job.done;
    postgres([=] { ereport(NOTICE, (errmsg("%s %lld %s", verb, total, what))); });
}

void warn_of_skipped(const Job& job, std::int64_t skipped) {
    const auto total = static_cast<long long>(skipped);
    const char *name = job.name, *what = job.skipped;
    postgres([=] {
        ereport(WARNING,
                (errmsg("%lld %s were skipped, because job \"%s\" fails for them", total, what, name),
                 errdetail("The errors are in loyalty.job_errors."), errhint("The next run tries them again.")));
    });
}

}  // namespace

JobRun::JobRun(const Job& job, std::optional<Datum> age) : job_(job), age_(age) {
    if (take_job_lock(job.name)) return;
    throw Error(sqlstate::job_is_running, std::string("another run of job \"") + job.name + "\" is at work", {},
                "See loyalty.job_progress.");
}

bool JobRun::read() {
    static Query query(
        "SELECT run, started_at, interruptions > 0, done, skipped, after_member, after_program::text, after_part::text"
        "  FROM loyalty.job_runs WHERE job = $1 AND finished_at IS NULL",
        {TEXTOID});
    const Rows rows = query.run({text_argument(job_.name)}, true);
    if (rows.size() == 0) return false;
    ColumnsInTurn column(rows);
    run_ = column.bigint();
    started_at_ = column.timestamp();
    resumed_ = column.boolean();
    done_ = column.bigint();
    skipped_ = column.bigint();
    after_.member = column.optional_text().value_or("");
    after_.program = column.optional_text().value_or("");
    after_.part = column.optional_text().value_or("");
    column.end();
    return true;
}

void JobRun::begin() {
    keep_job_lock(job_.name);
    add();
}

void JobRun::add() {
    static Query query(
        "WITH resumed AS ("
        "    UPDATE loyalty.job_runs SET interruptions = interruptions + 1, updated_at = clock_timestamp()"
        "     WHERE job = $1 AND finished_at IS NULL RETURNING run)"
        ", forgotten AS ("
        "    DELETE FROM loyalty.job_runs WHERE job = $1 AND run <= (SELECT max(run) FROM loyalty.job_runs"
        "        WHERE job = $1) - 999)"
        " INSERT INTO loyalty.job_runs (job, run, started_at, updated_at)"
        " SELECT $1, coalesce(max(run), 0) + 1, clock.moment, clock.moment"
        "   FROM loyalty.job_runs RIGHT JOIN (SELECT clock_timestamp() AS moment OFFSET 0) clock ON job = $1"
        "  WHERE NOT EXISTS (SELECT FROM resumed)"
        "  GROUP BY clock.moment",
        {TEXTOID});
    query.run({text_argument(job_.name)}, true);
    read();
}

std::optional<std::int64_t> JobRun::step(int batch_size) {
    if (!read()) add();
    const std::int64_t done_before = done_;
    if (const auto done = job_.batch(*this, batch_size)) {
        done_ += *done;
        write();
        if (done_ > done_before) tell_progress(job_, done_);
        return done;
    }
    finish();
    if (!resumed_) {
        release_job_lock_at_commit(job_.name);
        return std::nullopt;
    }
    add();
    return 0;
}

std::int64_t JobRun::work_on(std::span<const JobKey> keys, const Work& work) {
    if (keys.empty()) return 0;
    std::int64_t done = 0;
    const auto trouble = attempt([&] { done = work(keys); });
    if (!trouble) return done;
    if (keys.size() == 1) {
        record(keys.front(), *trouble);
        skipped_++;
        return 0;
    }
    const std::size_t half = keys.size() / 2;
    done = work_on(keys.first(half), work);
    return done + work_on(keys.subspan(half), work);
}

Datum JobRun::age() const {
    if (age_) return require_age(*age_);
    throw Error(sqlstate::missing_field, std::string("job \"") + job_.name + "\" needs an age", {},
                "Give older_than, such as '30 days'.");
}

void JobRun::record(const JobKey& key, const Trouble& trouble) const {
    static Query query(
        "INSERT INTO loyalty.job_errors AS e (member, program, job, sqlstate, message, detail, first_failed_at,"
        "    last_failed_at)"
        " SELECT $1, $2, $3, $4, $5, nullif($6, ''), clock.moment, clock.moment"
        "   FROM (SELECT clock_timestamp() AS moment OFFSET 0) clock"
        " ON CONFLICT (member, program, job) DO UPDATE"
        " SET sqlstate = excluded.sqlstate, message = excluded.message, detail = excluded.detail,"
        "     last_failed_at = excluded.last_failed_at, failures = e.failures + (e.last_failed_at < $7)::integer",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID});
    query.run({text_argument(key.member), text_argument(key.program), text_argument(job_.name),
               text_argument(trouble.sqlstate), text_argument(trouble.message), text_argument(trouble.detail),
               timestamp_argument(started_at_)},
              true);
}

void JobRun::write() const {
    static Query query(
        "UPDATE loyalty.job_runs"
        "   SET updated_at = clock_timestamp(), done = $3, skipped = $4, after_member = nullif($5, ''),"
        "       after_program = nullif($6, ''), after_part = nullif($7, '')"
        " WHERE job = $1 AND run = $2",
        {TEXTOID, INT8OID, INT8OID, INT8OID, TEXTOID, TEXTOID, TEXTOID});
    query.run({text_argument(job_.name), bigint_argument(run_), bigint_argument(done_), bigint_argument(skipped_),
               text_argument(after_.member), text_argument(after_.program), text_argument(after_.part)},
              true);
}

// Errors of earlier runs that this one did not meet are over.
void JobRun::finish() const {
    static Query query(
        "WITH forgotten AS (DELETE FROM loyalty.job_errors WHERE job = $1 AND last_failed_at < $3)"
        " UPDATE loyalty.job_runs SET updated_at = clock.moment, finished_at = clock.moment"
        "   FROM (SELECT clock_timestamp() AS moment OFFSET 0) clock"
        "  WHERE job = $1 AND run = $2",
        {TEXTOID, INT8OID, TIMESTAMPTZOID});
    query.run({text_argument(job_.name), bigint_argument(run_), timestamp_argument(started_at_)}, true);
    if (skipped_ > 0) warn_of_skipped(job_, skipped_);
}

JobKeyArguments::JobKeyArguments(std::span<const JobKey> keys) {
    std::vector<std::string> all_members, all_programs, all_parts;
    for (const auto& key : keys) {
        all_members.push_back(key.member);
        all_programs.push_back(key.program);
        all_parts.push_back(key.part);
    }
    members = texts_argument(all_members);
    programs = texts_argument(all_programs);
    parts = texts_argument(all_parts);
}

std::optional<std::vector<JobKey>> due_keys(JobRun& run, const Rows& rows) {
    if (rows.size() == 0) return std::nullopt;
    std::vector<JobKey> due;
    JobKey key;
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        key = {columns.text(), columns.text(), columns.optional_text().value_or("")};
        const bool is_due = columns.boolean();
        if (is_due) due.push_back(key);
    }
    run.reach(key);
    return due;
}

std::optional<std::vector<JobKey>> next_keys(JobRun& run, Query& query, int batch_size) {
    const JobKey& after = run.after();
    return due_keys(run, query.run({text_argument(after.member), text_argument(after.program),
                                    text_argument(after.part), bigint_argument(batch_size), timestamp_argument(now()),
                                    timestamp_argument(wall_now())},
                                   true));
}

Datum require_age(Datum older_than) {
    const bool negative = postgres([=] {
        Interval zero{};
        return DatumGetBool(DirectFunctionCall2(interval_lt, older_than, IntervalPGetDatum(&zero)));
    });
    if (!negative) return older_than;
    throw Error(sqlstate::value_out_of_range, "older_than is negative", {},
                "Give an interval of 0 or more, such as '30 days'.");
}

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_jobs);
Datum loyalty_jobs(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum { return texts_argument(job_names()).value; });
}

PG_FUNCTION_INFO_V1(loyalty_begin_job);
Datum loyalty_begin_job(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Job& job = find_job(Arguments(fcinfo).required(0, "job"));
        require_read_committed();
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        JobRun(job).begin();
        return Datum{0};
    });
}

PG_FUNCTION_INFO_V1(loyalty_job_batch);
Datum loyalty_job_batch(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const Job& job = find_job(given.required(0, "job"));
        const int batch_size = given.integer(1).value_or(0);
        check_batch_size(batch_size);
        require_read_committed();
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        const auto done = JobRun(job, given.datum(2)).step(batch_size);
        fcinfo->isnull = !done;
        return Int64GetDatum(done.value_or(0));
    });
}
}
