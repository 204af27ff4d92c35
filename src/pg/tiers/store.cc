// Reading and writing tiers: groups, standings, history, and what reviews book in the ledger.
#include <algorithm>

#include "core/money/decimal.hpp"

#include "pg/events/outbox.hpp"
#include "pg/members/sql.hpp"
#include "pg/server/clock.hpp"
#include "pg/tiers/tiers.hpp"

namespace loyalty::pg {

using namespace tiers;

Rank TierGroup::rank(const std::optional<std::string>& tier) const {
    if (!tier) return none;
    const auto found = std::find(tiers.begin(), tiers.end(), *tier);
    return found == tiers.end() ? none : static_cast<Rank>(found - tiers.begin());
}

std::optional<std::string> TierGroup::name(Rank rank) const {
    if (rank == none) return std::nullopt;
    return tiers[static_cast<std::size_t>(rank)];
}

const char* name_of(Cause cause) {
    switch (cause) {
        case Cause::enrolment:
            return "enrolment";
        case Cause::removal:
            return "removal";
        case Cause::points:
            return "points";
        case Cause::review:
            return "review";
        case Cause::reset:
            return "reset";
        case Cause::month_end:
            return "month_end";
        case Cause::edit:
            return "edit";
        case Cause::judgement:
            return "judgement";
        case Cause::given:
            return "given";
        case Cause::given_end:
            return "given_end";
    }
    return "";
}

void require_ladder(const TierGroup& group) {
    const TierModel* model = group.model;
    if (model && (!model->by_points || group.ladder.thresholds.size() == group.tiers.size())) return;
    throw Error(sqlstate::data_corrupted,
                "tier group \"" + group.id + "\" of program \"" + group.program + "\" is damaged",
                "Its model is \"" + std::string(model ? model->name : "unknown") + "\", with " +
                    std::to_string(group.tiers.size()) + " tiers and " +
                    std::to_string(group.ladder.thresholds.size()) + " thresholds.",
                "Each tier of a group that is judged by points has a threshold.");
}

std::vector<TierGroup> load_tier_groups(const std::string& program, const std::optional<std::string>& id, Sees sees) {
    static Query query(
        "SELECT g.external_id, g.model, g.point_type, coalesce(t.scale, 0)::integer, g.upgrade_at_once,"
        "    g.extend_to_month_end,"
        "       g.fall_on_reversal, r.tiers, r.thresholds, coalesce(r.has_predicates, false)"
        "  FROM loyalty.tier_groups g"
        "  LEFT JOIN loyalty.point_types t ON t.program = g.program AND t.external_id = g.point_type"
        "  LEFT JOIN LATERAL ("
        "       SELECT array_agg(x.external_id::text ORDER BY x.position) AS tiers,"
        "              array_agg((x.threshold * power(10::numeric, t.scale))::bigint ORDER BY x.position)"
        "                  FILTER (WHERE x.threshold IS NOT NULL) AS thresholds,"
        "              bool_or(x.predicate IS NOT NULL) AS has_predicates"
        "         FROM loyalty.tiers x WHERE x.program = g.program AND x.tier_group = g.external_id) r ON true"
        " WHERE g.program = $1 AND ($2 IS NULL OR g.external_id = $2) ORDER BY g.external_id",
        {TEXTOID, TEXTOID});
    std::optional<FreshSnapshot> snapshot;
    if (sees == Sees::newest) snapshot.emplace();
    const Rows rows = query.run({text_argument(program), optional_text_argument(id)});
    std::vector<TierGroup> groups(rows.size());
    for (std::uint64_t row = 0; row < rows.size(); row++) {
        TierGroup& group = groups[row];
        group.program = program;
        ColumnsInTurn column(rows, row);
        group.id = column.text();
        group.model = find_tier_model(column.text());
        group.point_type = column.optional_text();
        group.scale = column.integer();
        group.rules = {column.boolean(), column.boolean()};
        group.fall_on_reversal = column.boolean();
        group.tiers = column.texts();
        group.ladder.thresholds = column.bigints();
        group.has_predicates = column.boolean();
        column.end();
        require_ladder(group);
    }
    return groups;
}

TierGroup load_tier_group(const std::string& program, const std::string& id, Sees sees) {
    auto groups = load_tier_groups(program, id, sees);
    if (!groups.empty()) return std::move(groups.front());
    throw Error(sqlstate::deleted_meanwhile,
                "tier group \"" + id + "\" of program \"" + program + "\" was deleted meanwhile", {},
                "Run the statement again.");
}

Standing read_standing(ColumnsInTurn& column, const TierGroup& group) {
    return {group.rank(column.optional_text()), group.rank(column.optional_text()), group.rank(column.optional_text()),
            column.timestamp(), group.rank(column.optional_text()), column.timestamp()};
}

// The start tier, if there is one, is earned from the start; points booked before count in a cumulative group. Periods
// that ended before it was made, or before the member came, are not reviewed.
void make_standings(const std::string& program, const std::vector<std::string>& members) {
    static Query query(
        "INSERT INTO loyalty.member_tiers (member, program, tier_group, earned_tier, points, review_at, reset_at,"
        "    due_at, since)"
        " SELECT m.member, m.program, g.external_id,"
        "        (SELECT t.external_id FROM loyalty.tiers t"
        "            WHERE t.program = g.program AND t.tier_group = g.external_id AND t.threshold = 0),"
        "        coalesce(lifetime.points, 0), coalesce(review.next, 'infinity'),"
        "        coalesce(reset.next, review.next, 'infinity'), coalesce(least(review.next, reset.next), 'infinity'),"
        "            $3"
        "   FROM unnest($2::text[]) k (member)"
        "  CROSS JOIN " + each_member + " m"
        "   JOIN loyalty.programs p ON p.external_id = m.program"
        "   JOIN loyalty.tier_groups g ON g.program = m.program"
        "   LEFT JOIN LATERAL (SELECT sum(x.value - x.owed - x.lapsed) AS points FROM loyalty.all_transactions x"
        "                       WHERE x.member = m.member AND x.program = m.program AND x.point_type = g.point_type"
        "                         AND x.type IN ('accrual', 'initial', 'reversal') AND g.model = 'cumulative') lifetime"
        "                             ON true"
        "   LEFT JOIN LATERAL ("
        "        SELECT min(e.at) AS next FROM loyalty_internal.period_ends("
        "               $3, $3, m.registered_at, g.interval_count, g.interval_unit, p.time_zone) e"
        "         WHERE e.at > $3) review ON g.model = 'cyclic'"
        "   LEFT JOIN LATERAL ("
        "        SELECT min(e.at) AS next FROM loyalty_internal.period_ends("
        "               $3, $3, m.registered_at, g.reset_count, g.reset_unit, p.time_zone) e"
        "         WHERE e.at > $3) reset ON g.reset_count IS NOT NULL"
        " ON CONFLICT DO NOTHING",
        {TEXTOID, TEXTARRAYOID, TIMESTAMPTZOID});
    query.run_for(members.size(), {text_argument(program), texts_argument(members), timestamp_argument(now())}, true);
}

void write_changes(const TierGroup& group, const std::vector<TierChange>& changes) {
    static Query history(
        "INSERT INTO loyalty.member_tier_history (member, program, tier_group, seq, tier, since, cause, reason)"
        " SELECT c.member, $1, $2, c.seq, c.tier, c.since, c.cause, c.reason"
        "   FROM unnest($3::text[], $4::bigint[], $5::text[], $6::timestamptz[], $7::text[], $8::text[])"
        "        c (member, seq, tier, since, cause, reason)",
        {TEXTOID, TEXTOID, TEXTARRAYOID, INT8ARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, TEXTARRAYOID});
    static Query events(
        "INSERT INTO loyalty.events (program, type, profile, data)"
        " SELECT $1, 'tier_changed', c.member,"
        "        jsonb_strip_nulls(jsonb_build_object('tier_group', $2, 'from', c.old, 'to', c.tier, 'direction',"
        "            CASE WHEN coalesce(gained.position, -1) > coalesce(lost.position, -1) THEN 'up' ELSE 'down' END,"
        "            'at', c.since, 'cause', c.cause, 'reason', c.reason))"
        "   FROM unnest($3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[])"
        "        WITH ORDINALITY c (member, old, tier, since, cause, reason, number)"
        "   LEFT JOIN loyalty.tiers lost ON lost.program = $1 AND lost.external_id = c.old"
        "   LEFT JOIN loyalty.tiers gained ON gained.program = $1 AND gained.external_id = c.tier"
        "  ORDER BY c.number",
        {TEXTOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, TEXTARRAYOID});
    if (changes.empty()) return;
    EventBatch::flush();
    std::vector<std::string> members;
    std::vector<std::int64_t> seqs;
    std::vector<std::optional<std::string>> old, tiers, causes, reasons;
    std::vector<TimestampTz> moments;
    for (const auto& change : changes) {
        members.push_back(change.member);
        seqs.push_back(change.seq);
        old.push_back(change.from);
        tiers.push_back(change.to);
        moments.push_back(change.at);
        causes.emplace_back(name_of(change.cause));
        reasons.push_back(change.reason);
    }
    const Argument program = text_argument(group.program), id = text_argument(group.id);
    const Argument who = texts_argument(members), when = timestamps_argument(moments);
    const Argument what = optional_texts_argument(tiers), why = optional_texts_argument(causes);
    const Argument reason = optional_texts_argument(reasons);
    history.run_for(members.size(), {program, id, who, bigints_argument(seqs), what, when, why, reason}, true);
    events.run_for(members.size(), {program, id, who, optional_texts_argument(old), what, when, why, reason}, true);
}

}  // namespace loyalty::pg
