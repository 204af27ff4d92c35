// The jobs of tiers: reviews, resets and falls that the calendar has due, and judging dynamic groups.
#include <algorithm>

#include "pg/members/lock.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/owner.hpp"
#include "pg/tiers/tiers.hpp"

namespace loyalty::pg {

namespace {

// The members with anything due in a group who have waited longest, but for those that the run has skipped.
std::vector<JobKey> next_due(const JobRun& run, int batch_size) {
    static Query query(
        "SELECT due.member, g.program, g.external_id"
        "  FROM loyalty.tier_groups g"
        " CROSS JOIN LATERAL (SELECT s.member FROM loyalty.member_tiers s"
        "                      WHERE s.program = g.program AND s.tier_group = g.external_id AND s.due_at <= $1"
        "                          AND s.due_at < 'infinity'"
        "                        AND NOT EXISTS (SELECT FROM loyalty.job_errors e"
        "                                         WHERE e.member = s.member AND e.program = s.program"
        "                                             AND e.job = 'review_tiers' AND e.last_failed_at >= $2)"
        "                      ORDER BY s.due_at LIMIT $3) due"
        " ORDER BY g.program, g.external_id LIMIT $3",
        {TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID});
    const Rows rows =
        query.run({timestamp_argument(now()), timestamp_argument(run.started_at()), bigint_argument(batch_size)}, true);
    std::vector<JobKey> keys;
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn columns(rows, row);
        keys.push_back({columns.text(), columns.text(), columns.text()});
    }
    std::ranges::sort(keys, {}, [](const JobKey& key) { return std::tie(key.member, key.program, key.part); });
    return keys;
}

// Keys by all but the member, in the order of their first.
std::vector<std::pair<JobKey, std::vector<std::string>>> by_group(std::span<const JobKey> keys) {
    std::vector<std::pair<JobKey, std::vector<std::string>>> groups;
    for (const auto& key : keys) {
        auto found = std::ranges::find_if(groups, [&](const auto& group) {
            return group.first.program == key.program && group.first.part == key.part;
        });
        if (found == groups.end()) found = groups.insert(found, {key, {}});
        found->second.push_back(key.member);
    }
    return groups;
}

std::int64_t review(std::span<const JobKey> keys) {
    lock_members_of(JobKeyArguments(keys), keys.size());
    for (const auto& [group, members] : by_group(keys))
        review_members(load_tier_group(group.program, group.part), members, now(), tiers::Cause::points);
    return static_cast<std::int64_t>(keys.size());
}

std::optional<std::int64_t> review_batch(JobRun& run, int batch_size) {
    const auto due = next_due(run, batch_size);
    if (due.empty()) return std::nullopt;
    return run.work_on(due, review);
}

std::optional<std::vector<JobKey>> next_members(JobRun& run, int batch_size) {
    static Query query(
        "SELECT m.member, m.program, NULL, m.removed_at IS NULL FROM loyalty.members m"
        " WHERE (m.member, m.program) > ($1, $2)"
        "   AND EXISTS (SELECT FROM loyalty.tiers t WHERE t.program = m.program AND t.predicate IS NOT NULL)"
        " ORDER BY m.member, m.program LIMIT $4",
        {TEXTOID, TEXTOID, TEXTOID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID});
    return next_keys(run, query, batch_size);
}

// Profiles are read with the caller's rights.
std::int64_t judge(std::span<const JobKey> keys) {
    lock_members_of(JobKeyArguments(keys), keys.size());
    std::int64_t changed = 0;
    for (const auto& [program, members] : by_group(keys))
        changed += judge_members(program.program, members, now(), current_caller());
    return changed;
}

std::optional<std::int64_t> judge_batch(JobRun& run, int batch_size) {
    const auto members = next_members(run, batch_size);
    if (!members) return std::nullopt;
    return run.work_on(*members, judge);
}

}  // namespace

extern const Job review_tiers_job;
const Job review_tiers_job = {"review_tiers", "reviewed", "members", "members", review_batch};
extern const Job judge_tiers_job;
const Job judge_tiers_job = {"judge_tiers", "changed", "dynamic tiers", "members", judge_batch};

}  // namespace loyalty::pg
