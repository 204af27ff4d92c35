// The SQL functions of tiers: reading them, judging a member, and what follows from edits.
#include <algorithm>

#include "pg/ledger/amounts.hpp"
#include "pg/members/lock.hpp"
#include "pg/members/periods.hpp"
#include "pg/members/visible.hpp"
#include "pg/server/arguments.hpp"
#include "pg/server/clock.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/keeping.hpp"
#include "pg/server/owner.hpp"
#include "pg/tiers/tiers.hpp"

namespace loyalty::pg {

using namespace tiers;

namespace {

// ---------------------------------------------------------------------------------------------------------------------
// Reading

struct HeldTier {
    std::string tier_group, model;
    std::optional<std::string> tier;
    std::optional<TimestampTz> since, kept_until;
    std::optional<std::string> points, next_tier, missing;
};

struct Stored {
    bool exists = false;
    bool from_history = false;  // of the past; otherwise `tier` is what is held until due_at
    std::optional<std::string> tier;
    std::optional<TimestampTz> since;
    TimestampTz due_at = DT_NOEND;
};

Stored read_stored(const TierGroup& group, const std::string& member, TimestampTz at) {
    static Query query(
        "SELECT h.tier, h.since, s.due_at"
        "  FROM loyalty.member_tiers s"
        "  LEFT JOIN LATERAL (SELECT x.tier, x.since FROM loyalty.member_tier_history x"
        "                      WHERE x.member = s.member AND x.program = s.program AND x.tier_group = s.tier_group"
        "                          AND x.since <= $4"
        "                      ORDER BY x.seq DESC LIMIT 1) h ON true"
        " WHERE s.member = $1 AND s.program = $2 AND s.tier_group = $3",
        {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID});
    const Rows rows = query.run(
        {text_argument(member), text_argument(group.program), text_argument(group.id), timestamp_argument(at)});
    Stored stored;
    if (rows.size() == 0) return stored;
    stored.exists = true;
    ColumnsInTurn columns(rows);
    stored.tier = columns.optional_text();
    stored.since = columns.optional_timestamp();
    stored.due_at = columns.timestamp();
    return stored;
}

// What the next tier above wants, where the group is judged by points.
void tell_next(const TierGroup& group, Units points, HeldTier& held) {
    held.points = show_points(points, group.scale);
    const Rank next = group.rank(held.tier) + 1;
    if (next >= static_cast<Rank>(group.tiers.size())) return;
    held.next_tier = group.name(next);
    const Units wanted = group.ladder.thresholds[static_cast<std::size_t>(next)];
    held.missing = show_points(std::max<Units>(wanted - points, 0), group.scale);
}

HeldTier read_tier(const TierGroup& group, const std::string& member, TimestampTz at, TimestampTz present) {
    HeldTier held;
    held.tier_group = group.id;
    held.model = group.model->name;
    const Stored stored = read_stored(group, member, at);
    held.tier = stored.tier;
    held.since = stored.since;
    if (!stored.exists || (at < present && at < stored.due_at)) return held;
    const ForeseenTier foreseen = foresee_tier(group, member, at);
    held.tier = foreseen.tier;
    if (at >= stored.due_at) held.since = foreseen.since;
    if (foreseen.kept_until != DT_NOEND) held.kept_until = foreseen.kept_until;
    if (foreseen.is_member && group.model->by_points) tell_next(group, foreseen.points, held);
    return held;
}

Rows as_rows(const std::vector<HeldTier>& tiers) {
    static Query query(
        "SELECT c.tier_group, c.model, c.tier, c.since, c.kept_until, c.points::numeric, c.next_tier,"
        "    c.missing::numeric"
        "  FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[],"
        "      $7::text[], $8::text[])"
        "       c (tier_group, model, tier, since, kept_until, points, next_tier, missing)",
        {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
         TEXTARRAYOID});
    std::vector<std::string> groups, models;
    std::vector<std::optional<std::string>> held, points, next, missing;
    std::vector<std::optional<TimestampTz>> since, kept;
    for (const auto& tier : tiers) {
        groups.push_back(tier.tier_group);
        models.push_back(tier.model);
        held.push_back(tier.tier);
        since.push_back(tier.since);
        kept.push_back(tier.kept_until);
        points.push_back(tier.points);
        next.push_back(tier.next_tier);
        missing.push_back(tier.missing);
    }
    return query.run({texts_argument(groups), texts_argument(models), optional_texts_argument(held),
                      optional_timestamps_argument(since), optional_timestamps_argument(kept),
                      optional_texts_argument(points), optional_texts_argument(next),
                      optional_texts_argument(missing)});
}

// Each tier at which a member has arrived, and when first: one that is held takes those below it along, unless they
// have predicates of their own. What the calendar has due and nobody has written yet counts.
Rows reached_tiers(const std::string& member, const std::string& program, const std::vector<HeldTier>& present) {
    static Query query(
        "WITH held AS ("
        "    SELECT h.tier_group, h.tier, h.since FROM loyalty.member_tier_history h"
        "     WHERE h.member = $1 AND h.program = $2 AND h.tier IS NOT NULL"
        "    UNION ALL"
        "    SELECT c.tier_group, c.tier, c.since FROM unnest($3::text[], $4::text[], $5::timestamptz[]) c (tier_group,"
        "        tier, since)"
        "     WHERE c.tier IS NOT NULL)"
        " SELECT t.tier_group::text, t.external_id::text, t.name, t.position::integer, min(h.since),"
        "        coalesce(t.external_id = ANY ($4::text[]), false)"
        "   FROM held h"
        "   JOIN loyalty.tiers p ON p.program = $2 AND p.external_id = h.tier"
        "   JOIN loyalty.tier_groups g ON g.program = $2 AND g.external_id = p.tier_group"
        "   JOIN loyalty.tiers t ON t.program = $2 AND t.tier_group = p.tier_group"
        "        AND CASE g.model WHEN 'dynamic' THEN t.position = p.position ELSE t.position <= p.position END"
        "  GROUP BY t.tier_group, t.external_id, t.name, t.position ORDER BY t.tier_group, t.position",
        {TEXTOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID});
    std::vector<std::string> groups;
    std::vector<std::optional<std::string>> tiers;
    std::vector<std::optional<TimestampTz>> since;
    for (const auto& held : present) {
        groups.push_back(held.tier_group);
        tiers.push_back(held.tier);
        since.push_back(held.since);
    }
    return query.run({text_argument(member), text_argument(program), texts_argument(groups),
                      optional_texts_argument(tiers), optional_timestamps_argument(since)});
}

std::vector<HeldTier> read_tiers(const std::string& member, const std::string& program, TimestampTz at,
                                 TimestampTz present) {
    std::vector<HeldTier> tiers;
    for (const auto& group : load_tier_groups(program, std::nullopt, Sees::snapshot))
        tiers.push_back(read_tier(group, member, at, present));
    return tiers;
}

// ---------------------------------------------------------------------------------------------------------------------
// Judging

std::int64_t bring_up_to_date(const std::string& program, const std::vector<std::string>& members, Cause cause) {
    std::int64_t changed = 0;
    bool has_predicates = false;
    for (const auto& group : load_tier_groups(program, std::nullopt)) {
        has_predicates = has_predicates || group.has_predicates;
        if (group.model->by_points) changed += review_members(group, members, now(), cause);
    }
    return has_predicates ? changed + judge_members(program, members, now(), current_caller()) : changed;
}

// All members of a program, a slice at a time.
template <class Body>
void for_all_members(const std::string& program, const Body& body) {
    static Query query(
        "SELECT array_agg(x.member) FROM (SELECT member FROM loyalty.members"
        "    WHERE program = $1 AND member > $2 ORDER BY member LIMIT 10000) x",
        {TEXTOID, TEXTOID});
    for (std::string after;;) {
        check_interrupts();
        const Spi connection;
        const Rows rows = query.run({text_argument(program), text_argument(after)}, true);
        const std::vector<std::string> members = rows.texts(0, 1);
        if (members.empty()) return;
        body(members);
        after = members.back();
    }
}

// After an edit: everyone has a standing, by the calendar as it is now, and at least the tier that was held or is
// reached.
void settle_group(const std::string& program, const std::string& id) {
    static Query keep(
        "UPDATE loyalty.member_tiers s SET earned_tier = s.tier"
        "  FROM loyalty.tiers held, loyalty.tier_groups g, unnest($3::text[]) k (member)"
        " WHERE s.program = $1 AND s.tier_group = $2 AND s.member = k.member AND g.program = $1 AND g.external_id = $2"
        "     AND g.upgrade_at_once"
        "   AND held.program = s.program AND held.external_id = s.tier"
        "   AND s.tier IS DISTINCT FROM s.given_tier"
        "   AND held.position > coalesce((SELECT t.position FROM loyalty.tiers t"
        "       WHERE t.program = s.program AND t.external_id = s.earned_tier), -1)",
        {TEXTOID, TEXTOID, TEXTARRAYOID});
    static Query start(
        "UPDATE loyalty.member_tiers s SET earned_tier = t.external_id"
        "  FROM loyalty.tiers t, unnest($3::text[]) k (member)"
        " WHERE s.program = $1 AND s.tier_group = $2 AND s.member = k.member AND s.earned_tier IS NULL"
        "   AND t.program = s.program AND t.tier_group = s.tier_group AND t.threshold = 0",
        {TEXTOID, TEXTOID, TEXTARRAYOID});
    static Query recalendar(
        "UPDATE loyalty.member_tiers s"
        "   SET review_at = coalesce(c.review, 'infinity'), reset_at = coalesce(c.reset, c.review, 'infinity')"
        "  FROM (SELECT m.member,"
        "               (SELECT min(e.at) FROM loyalty_internal.period_ends("
        "                       $3, $3, m.registered_at, g.interval_count, g.interval_unit, p.time_zone) e"
        "                 WHERE e.at > $3) AS review,"
        "               CASE WHEN g.reset_count IS NOT NULL"
        "                    THEN (SELECT min(e.at) FROM loyalty_internal.period_ends("
        "                                 $3, $3, m.registered_at, g.reset_count, g.reset_unit, p.time_zone) e"
        "                           WHERE e.at > $3) END AS reset"
        "          FROM unnest($4::text[]) k (member)"
        "          JOIN loyalty.members m ON m.member = k.member AND m.program = $1"
        "          JOIN loyalty.programs p ON p.external_id = m.program"
        "          JOIN loyalty.tier_groups g ON g.program = m.program AND g.external_id = $2 AND g.model = 'cyclic') c"
        " WHERE s.member = c.member AND s.program = $1 AND s.tier_group = $2",
        {TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTARRAYOID});
    const auto groups = load_tier_groups(program, id);
    if (groups.empty()) return;
    const TierGroup& group = groups.front();
    for_all_members(program, [&](const std::vector<std::string>& members) {
        const Keeping keeping;
        lock_members(program, members);
        make_standings(program, members);
        if (!group.model->by_points) {
            judge_members(program, members, now(), current_caller());
            return;
        }
        const Argument key[] = {text_argument(program), text_argument(id), texts_argument(members)};
        keep.run_for(members.size(), {key[0], key[1], key[2]}, true);
        start.run_for(members.size(), {key[0], key[1], key[2]}, true);
        recalendar.run_for(members.size(), {key[0], key[1], timestamp_argument(now()), key[2]}, true);
        review_members(group, members, now(), Cause::edit);
        if (group.has_predicates) judge_members(program, members, now(), current_caller());
    });
}

// Before an edit: what was due is done by the rules that were in force then.
void review_group(const std::string& program, const std::string& id) {
    static Query query(
        "SELECT array_agg(x.member) FROM (SELECT member FROM loyalty.member_tiers"
        "                                  WHERE program = $1 AND tier_group = $2 AND due_at <= $3"
        "                                      AND due_at < 'infinity' LIMIT 10000) x",
        {TEXTOID, TEXTOID, TIMESTAMPTZOID});
    for (;;) {
        check_interrupts();
        const Spi connection;
        const Rows rows = query.run({text_argument(program), text_argument(id), timestamp_argument(now())}, true);
        const std::vector<std::string> members = rows.texts(0, 1);
        if (members.empty()) return;
        lock_members(program, members);
        review_members(load_tier_group(program, id), members, now(), Cause::points);
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Giving by hand

struct Gift {
    std::string tier_group;
    std::optional<std::string> tier;  // none: ends what was given
    TimestampTz until = DT_NOEND;
    std::optional<std::string> reason;
};

TierGroup find_group(const std::string& program, const std::string& id) {
    auto groups = load_tier_groups(program, id);
    if (!groups.empty()) return std::move(groups.front());
    throw Error(sqlstate::unknown_tier, "program \"" + program + "\" has no tier group \"" + id + "\"", {},
                "Name one of loyalty.tier_groups.");
}

std::string listed(const std::vector<std::string>& tiers) {
    std::string list;
    for (const auto& tier : tiers) list += (list.empty() ? "" : ", ") + tier;
    return list;
}

void check_gift(const TierGroup& group, const Gift& gift) {
    if (gift.tier && group.rank(gift.tier) == none) {
        throw Error(sqlstate::unknown_tier, "tier group \"" + group.id + "\" has no tier \"" + *gift.tier + "\"",
                    group.tiers.empty() ? "It has none." : "It has: " + listed(group.tiers) + ".",
                    "Name one of these.");
    }
    if (gift.until == DT_NOEND) return;
    if (!gift.tier) {
        throw Error(sqlstate::wrong_dates, "no tier is given, and so none until a moment", {},
                    "Leave out the moment: what was given ends now.");
    }
    if (gift.until <= now()) {
        throw Error(sqlstate::wrong_dates, "a tier cannot be given until a moment of the past", {},
                    "Give a later one, or none: for ever.");
    }
    require_foreseeable(gift.until);
}

void write_gift(const std::string& member, const TierGroup& group, const Gift& gift) {
    static Query query(
        "WITH told AS ("
        "    INSERT INTO loyalty.events (program, type, profile, data)"
        "    VALUES ($2, 'tier_given', $1, jsonb_strip_nulls(jsonb_build_object('tier_group', $3, 'tier', $4,"
        "            'until', nullif($5, 'infinity'), 'reason', $6))))"
        " UPDATE loyalty.member_tiers SET given_tier = $4, given_until = $5,"
        "     given_reason = CASE WHEN $4 IS NOT NULL THEN $6 END"
        "  WHERE member = $1 AND program = $2 AND tier_group = $3",
        {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID});
    const Keeping keeping;
    query.run({text_argument(member), text_argument(group.program), text_argument(group.id),
               optional_text_argument(gift.tier), timestamp_argument(gift.until), optional_text_argument(gift.reason)},
              true);
}

void require_no_former_member(const std::string& member, const std::string& program) {
    static Query query("SELECT FROM loyalty.members WHERE member = $1 AND program = $2 AND removed_at IS NOT NULL",
                       {TEXTOID, TEXTOID});
    if (query.run({text_argument(member), text_argument(program)}, true).size() == 0) return;
    throw Error(sqlstate::removed_member,
                "member \"" + member + "\" was removed from program \"" + program + "\"", {},
                "Enrol again first: loyalty_enrol().");
}

// What is due is done by what was given before; then the tier becomes what it is now.
std::optional<std::string> give_tier(const std::string& member, const std::string& program, const Gift& gift) {
    lock_members(program, {member});
    require_no_former_member(member, program);
    make_standings(program, {member});
    const TierGroup group = find_group(program, gift.tier_group);
    check_gift(group, gift);
    review_members(group, {member}, now(), Cause::points);
    write_gift(member, group, gift);
    review_members(group, {member}, now(), gift.tier ? Cause::given : Cause::given_end, gift.reason);
    static Query held("SELECT tier FROM loyalty.member_tiers WHERE member = $1 AND program = $2 AND tier_group = $3",
                      {TEXTOID, TEXTOID, TEXTOID});
    const FreshSnapshot snapshot;
    return held.run({text_argument(member), text_argument(program), text_argument(group.id)}).optional_text(0, 1);
}

}  // namespace

}  // namespace loyalty::pg

extern "C" {

PG_FUNCTION_INFO_V1(loyalty_set_tier);
Datum loyalty_set_tier(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const std::string member = given.required(0, "member"), program = given.required(1, "program");
        const Gift gift{given.required(2, "tier_group"), given.text(3), given.moment(4).value_or(DT_NOEND),
                        given.text(5)};
        const MemoryContext into = CurrentMemoryContext;
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        require_member(member, program);
        const auto tier = give_tier(member, program, gift);
        fcinfo->isnull = !tier;
        return tier ? copy_out(text_argument(*tier).value, into) : Datum{0};
    });
}

PG_FUNCTION_INFO_V1(loyalty_tier);
Datum loyalty_tier(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const std::string member = given.required(0, "member"), program = given.required(1, "program");
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        require_member(member, program);
        const TimestampTz present = now(), at = given.moment(2).value_or(present);
        if (TIMESTAMP_NOT_FINITE(at)) throw loyalty::Error(loyalty::sqlstate::wrong_dates, "infinity is no moment");
        return return_rows(fcinfo, as_rows(read_tiers(member, program, at, present)), 8);
    });
}

PG_FUNCTION_INFO_V1(loyalty_tiers_reached);
Datum loyalty_tiers_reached(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const std::string member = given.required(0, "member"), program = given.required(1, "program");
        const AsOwner owner = AsOwner::reading();
        const Spi connection;
        require_member(member, program);
        const TimestampTz present = now();
        return return_rows(fcinfo, reached_tiers(member, program, read_tiers(member, program, present, present)), 6);
    });
}

PG_FUNCTION_INFO_V1(loyalty_judge);
Datum loyalty_judge(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const Arguments given(fcinfo);
        const std::string member = given.required(0, "member"), program = given.required(1, "program");
        const AsOwner owner = AsOwner::writing();
        const Spi connection;
        require_member(member, program);
        lock_members(program, {member});
        make_standings(program, {member});
        return Int32GetDatum(static_cast<std::int32_t>(bring_up_to_date(program, {member}, Cause::judgement)));
    });
}

PG_FUNCTION_INFO_V1(loyalty_settle_tier_group);
Datum loyalty_settle_tier_group(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const std::string program = text_of(PG_GETARG_DATUM(0)), id = text_of(PG_GETARG_DATUM(1));
        const AsOwner owner = AsOwner::by_trigger();
        const Spi connection;
        settle_group(program, id);
        return Datum{0};
    });
}

PG_FUNCTION_INFO_V1(loyalty_review_tier_group);
Datum loyalty_review_tier_group(PG_FUNCTION_ARGS) {
    using namespace loyalty::pg;
    return guarded([&]() -> Datum {
        const std::string program = text_of(PG_GETARG_DATUM(0)), id = text_of(PG_GETARG_DATUM(1));
        const AsOwner owner = AsOwner::by_trigger();
        const Spi connection;
        review_group(program, id);
        return Datum{0};
    });
}
}
