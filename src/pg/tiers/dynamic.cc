// Predicates of tiers. Dynamic groups: the highest tier whose predicate holds for the member's document {profile,
// balances, orders}, or what was given by hand if that is higher. Cumulative groups: a predicate raises as points do,
// and what was reached is kept, so those who were removed are left as they are.
#include <algorithm>
#include <map>

#include "pg/members/profile_database.hpp"
#include "pg/members/sql.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/keeping.hpp"
#include "pg/server/owner.hpp"
#include "pg/tiers/tiers.hpp"

namespace loyalty::pg {

using namespace tiers;

namespace {

// Whether any predicate may look at the profile, which costs a query under the caller's rights; and at the segments
// that it is in, which costs judging their predicates.
struct TierNeeds {
    bool profile, segments;
};

TierNeeds needs_of(const std::string& program) {
    static Query query(
        "SELECT coalesce(bool_or(t.predicate::text ~ '\"profile\"|\\*|keyvalue'), false),"
        "       coalesce(bool_or(t.predicate::text ~ '\"segments\"|\\.\\*|keyvalue'), false)"
        "  FROM loyalty.tiers t WHERE t.program = $1",
        {TEXTOID});
    const Rows rows = query.run({text_argument(program)}, true);
    ColumnsInTurn columns(rows);
    return {columns.boolean(), columns.boolean()};
}

// Points that can be spent and all points, by type, what is due counting as booked.
const std::string balances_document =
    "(SELECT jsonb_object_agg(t.external_id, jsonb_build_object("
    "            'total', coalesce(b.total, 0) - coalesce(f.expired, 0),"
    "            'active', CASE WHEN t.active"
    "                            AND $4 < loyalty_internal.deactivation(t.deactivates_at, t.deactivates_on,"
    "                                p.time_zone)"
    "                           THEN coalesce(f.active, 0) ELSE 0 END)) AS document"
    "   FROM loyalty.point_types t"
    "   LEFT JOIN LATERAL (SELECT * FROM loyalty.balances x"
    "                       WHERE x.member = m.member AND x.program = m.program AND x.point_type = t.external_id"
    "                      OFFSET 0) b ON true"
    "   LEFT JOIN LATERAL (SELECT sum(l.remaining - l.held) FILTER (WHERE l.expires_at <= $4) AS expired,"
    "                             sum(l.remaining - l.held) FILTER (WHERE l.expires_at > $4"
    "                                 AND l.active_from <= $4) AS active"
    "                        FROM loyalty.lots l"
    "                       WHERE l.member = b.member AND l.program = b.program AND l.point_type = b.point_type"
    "                           AND l.open) f ON true"
    "  WHERE t.program = m.program)";

// The profile with its segments: the static ones that list it, and the dynamic ones whose predicates hold for it.
const std::string profile_document =
    "(SELECT CASE WHEN $5 THEN k.profile::jsonb || jsonb_build_object('segments', ("
    "            SELECT coalesce(jsonb_agg(x.segment), '[]')"
    "              FROM (SELECT unnest(lists.segments) AS segment"
    "                    UNION ALL"
    "                    SELECT d.segment FROM dynamic d"
    "                     WHERE k.profile::jsonb || jsonb_build_object('segments', lists.segments) @@ d.predicate) x))"
    "             ELSE k.profile::jsonb END AS document"
    "   FROM (SELECT coalesce(array_agg(l.segment::text), '{}') AS segments"
    "           FROM loyalty.profile_segment_members l"
    "          WHERE $5 AND l.profile = m.member AND l.program = m.program) lists)";

// Orders of the group's window: not cancelled, less what was returned, by their time, which is the program's local
// time.
const std::string orders_document =
    "(SELECT jsonb_build_object('count', count(*), 'sum', coalesce(sum(o.total - o.refunded), 0),"
    "                           'last', timezone(p.time_zone, max(o.time)),"
    "                           'days_since_last', floor(extract(epoch FROM $4 - max(o.time)) / 86400)) AS document"
    "   FROM loyalty.orders o JOIN loyalty.order_statuses os ON os.external_id = o.status"
    "  WHERE o.buyer = 'm:' || m.member AND o.program = m.program AND os.kind IN ('open', 'delivered')"
    "    AND (g.activity_days IS NULL"
    "         OR o.time > timezone(p.time_zone, timezone(p.time_zone, $4) - make_interval(days => g.activity_days))))";

// What judging one member in one group came to. What is held may be what it was, where something higher was given by
// hand.
struct Verdict {
    TierChange change;
    std::optional<std::string> judged;
};

void write_verdicts(const std::string& program, const std::string& id, const std::vector<Verdict>& verdicts) {
    static Query update(
        "UPDATE loyalty.member_tiers s"
        "   SET tier = c.tier, since = CASE WHEN s.seq < c.seq THEN c.since ELSE s.since END, seq = c.seq,"
        "       earned_tier = c.judged"
        "  FROM unnest($3::text[], $4::text[], $5::timestamptz[], $6::bigint[], $7::text[]) c (member, tier, since,"
        "      seq, judged)"
        " WHERE s.member = c.member AND s.program = $1 AND s.tier_group = $2",
        {TEXTOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID, TEXTARRAYOID});
    std::vector<std::string> who;
    std::vector<std::optional<std::string>> tiers, judged;
    std::vector<TimestampTz> since;
    std::vector<std::int64_t> seqs;
    std::vector<TierChange> changes;
    for (const auto& verdict : verdicts) {
        who.push_back(verdict.change.member);
        tiers.push_back(verdict.change.to);
        since.push_back(verdict.change.at);
        seqs.push_back(verdict.change.seq);
        judged.push_back(verdict.judged);
        if (verdict.change.from != verdict.change.to) changes.push_back(verdict.change);
    }
    const Keeping keeping;
    update.run_for(who.size(),
                   {text_argument(program), text_argument(id), texts_argument(who), optional_texts_argument(tiers),
                    timestamps_argument(since), bigints_argument(seqs), optional_texts_argument(judged)},
                   true);
    TierGroup group;
    group.program = program;
    group.id = id;
    write_changes(group, changes);
}

// What was given by hand ends at its own moment, whoever comes first: a job, or what asks for a judgement.
std::int64_t end_given(const std::string& program, const std::vector<std::string>& members, TimestampTz now) {
    static Query query(
        "SELECT DISTINCT s.tier_group::text"
        "  FROM unnest($2::text[]) k (member)"
        "  JOIN loyalty.member_tiers s ON s.member = k.member AND s.program = $1"
        "  JOIN loyalty.tier_groups g ON g.program = s.program AND g.external_id = s.tier_group AND g.model = 'dynamic'"
        " WHERE s.due_at <= $3 ORDER BY 1",
        {TEXTOID, TEXTARRAYOID, TIMESTAMPTZOID});
    std::vector<std::string> groups;
    {
        const FreshSnapshot snapshot;
        const Rows rows =
            query.run_for(members.size(), {text_argument(program), texts_argument(members), timestamp_argument(now)});
        for (std::uint64_t row = 0; row < rows.size(); row++) groups.push_back(rows.text(row, 1));
    }
    std::int64_t changed = 0;
    for (const auto& id : groups)
        changed += review_members(load_tier_group(program, id), members, now, Cause::judgement);
    return changed;
}

}  // namespace

std::int64_t judge_members(const std::string& program, const std::vector<std::string>& members, TimestampTz now,
                           Oid caller, Cause cause) {
    static Query query(
        "WITH dynamic AS MATERIALIZED (SELECT d.segment, d.predicate FROM loyalty.profile_predicates d"
        "    WHERE $5 AND d.program = $1)"
        " SELECT m.member, g.external_id, s.tier, held.tier, s.seq, verdict.tier"
        "  FROM unnest($2::text[], $3::text[]) k (member, profile)"
        " CROSS JOIN " + each_member + " m"
        "  JOIN loyalty.programs p ON p.external_id = m.program"
        "  JOIN loyalty.tier_groups g ON g.program = m.program"
        "       AND (g.model = 'dynamic' OR g.model = 'cumulative' AND m.removed_at IS NULL AND EXISTS ("
        "            SELECT FROM loyalty.tiers t WHERE t.program = g.program AND t.tier_group = g.external_id"
        "                AND t.predicate IS NOT NULL))"
        "  LEFT JOIN LATERAL (SELECT * FROM loyalty.member_tiers x"
        "                      WHERE x.member = m.member AND x.program = $1 AND x.tier_group = g.external_id"
        "                     OFFSET 0) s ON true"
        " CROSS JOIN LATERAL " + balances_document + " balances"
        " CROSS JOIN LATERAL " + orders_document + " orders"
        " CROSS JOIN LATERAL " + profile_document + " profile"
        " CROSS JOIN LATERAL (SELECT jsonb_strip_nulls(jsonb_build_object('balances', balances.document, 'orders',"
        "     orders.document))"
        "                            || jsonb_build_object('profile', profile.document) AS body) document"
        "  LEFT JOIN LATERAL (SELECT t.external_id AS tier, t.position FROM loyalty.tiers t"
        "                      WHERE t.program = g.program AND t.tier_group = g.external_id"
        "                        AND (document.body @@ t.predicate OR g.model = 'cumulative'"
        "                            AND t.external_id = s.earned_tier)"
        "                      ORDER BY t.position DESC LIMIT 1) verdict ON m.removed_at IS NULL"
        "  LEFT JOIN loyalty.tiers given ON given.program = s.program AND given.external_id = s.given_tier"
        "      AND m.removed_at IS NULL"
        " CROSS JOIN LATERAL (SELECT CASE WHEN given.position > coalesce(verdict.position, -1) THEN given.external_id"
        "                                 ELSE verdict.tier END AS tier) held"
        " WHERE s.member IS NULL OR s.tier IS DISTINCT FROM held.tier OR s.earned_tier IS DISTINCT FROM verdict.tier"
        " ORDER BY m.member",
        {TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID, BOOLOID});
    const TierNeeds needs = needs_of(program);
    std::vector<std::optional<std::string>> documents(members.size());
    if (needs.profile) documents = profile_documents(load_profile_database(program), members, caller);
    std::int64_t changed = end_given(program, members, now);
    const FreshSnapshot snapshot;
    const Rows rows = query.run_for(
        members.size(), {text_argument(program), texts_argument(members), optional_texts_argument(documents),
                         timestamp_argument(now), boolean_argument(needs.segments)});
    std::map<std::string, std::vector<Verdict>> by_group;
    std::vector<std::string> without_row;
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        ColumnsInTurn column(rows, row);
        const std::string member = column.text(), group = column.text();
        const auto from = column.optional_text(), to = column.optional_text();
        const auto seq = column.optional_bigint();  // none: the member has no standing in the group yet
        const auto judged = column.optional_text();
        column.end();
        if (!seq) without_row.push_back(member);
        if (!seq && !judged) continue;
        const std::int64_t next = seq.value_or(0) + (from == to ? 0 : 1);
        by_group[group].push_back({{member, from, to, now, cause, next, std::nullopt}, judged});
    }
    if (!without_row.empty()) make_standings(program, without_row);
    for (const auto& [id, verdicts] : by_group) {
        write_verdicts(program, id, verdicts);
        changed += std::ranges::count_if(verdicts, [](const Verdict& verdict) {
            return verdict.change.from != verdict.change.to;
        });
    }
    return changed;
}

}  // namespace loyalty::pg
