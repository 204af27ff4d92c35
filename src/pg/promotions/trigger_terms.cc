#include "pg/promotions/trigger_terms.hpp"

#include "core/program/schedule.hpp"
#include "core/program/usage.hpp"

#include <algorithm>

#include "pg/ledger/amounts.hpp"
#include "pg/ledger/around_booking.hpp"
#include "pg/members/profile_database.hpp"
#include "pg/server/guarded_writing.hpp"
#include "pg/server/in_turn.hpp"
#include "pg/server/owner.hpp"
#include "pg/tiers/tiers.hpp"

namespace loyalty::pg {

namespace {

struct TriggerTerms {
    std::string state, audience;
    bool is_trigger = false;
    std::optional<TimestampTz> starts_at, ends_at;
    TimestampTz counted_from = DT_NOBEGIN;  // uses of one member
    Schedule schedule;
    LocalTime local;  // now, by the program's clock
    std::vector<std::string> segments, tiers;
    UsageLimits limits;
};

template <std::size_t Size>
std::bitset<Size> bits(const std::vector<std::int32_t>& numbers) {
    std::bitset<Size> set;
    for (const auto number : numbers) set.set(static_cast<std::size_t>(number));
    return set;
}

Schedule read_schedule(ColumnsInTurn& column) {
    Schedule schedule;
    schedule.months = bits<13>(column.integers());
    schedule.days_of_month = bits<32>(column.integers());
    schedule.weekdays = bits<8>(column.integers());
    const auto from = column.optional_bigint(), to = column.optional_bigint();
    if (from && to) {
        schedule.from_us = *from;
        schedule.to_us = *to;
    }
    const auto every = column.optional_integer();
    const auto unit = column.optional_text();
    const auto start_day = column.optional_integer();
    if (every) {
        schedule.every = *every;
        schedule.every_unit = unit == "day" ? Period::day : unit == "week" ? Period::week : Period::month;
        schedule.start_day = start_day.value();
    }
    return schedule;
}

TriggerTerms read_terms(const std::string& program, const std::string& promotion, TimestampTz now) {
    static Query query(
        "SELECT e.current_state, p.audience, p.kind = 'trigger', e.starts_at, e.ends_at, p.audience_segments,"
        "    p.audience_tiers,"
        "       p.schedule_months::integer[], p.schedule_days::integer[], p.schedule_weekdays::integer[],"
        "       (extract(epoch FROM p.schedule_from) * 1000000)::bigint,"
        "           (extract(epoch FROM p.schedule_to) * 1000000)::bigint,"
        "       p.schedule_every_count, p.schedule_every_unit,"
        "           timezone(m.time_zone, e.starts_at)::date - '1970-01-01'::date,"
        "       (extract(epoch FROM $3) * 1000000)::bigint,"
        "           (extract(epoch FROM timezone(m.time_zone, $3)) * 1000000)::bigint,"
        "       p.max_uses, p.max_uses_per_member, p.points_budget::text,"
        "       coalesce(p.max_uses_per_member_every, ''), date_trunc(coalesce(p.max_uses_per_member_every, 'day'), $3,"
        "           m.time_zone)"
        "  FROM loyalty.promotions p"
        "  JOIN loyalty.programs m ON m.external_id = p.program"
        "  JOIN loyalty.promotion_periods e ON e.program = p.program AND e.promotion = p.external_id"
        " WHERE p.program = $1 AND p.external_id = $2",
        {TEXTOID, TEXTOID, TIMESTAMPTZOID});
    const FreshSnapshot snapshot;
    const Rows rows = query.run({text_argument(program), text_argument(promotion), timestamp_argument(now)});
    if (rows.size() == 0) {
        throw Error(sqlstate::unknown_node,
                    "promotion \"" + promotion + "\" of program \"" + program + "\" does not exist", {},
                    "Name one of loyalty.promotions.");
    }
    TriggerTerms terms;
    ColumnsInTurn column(rows);
    terms.state = column.text();
    terms.audience = column.text();
    terms.is_trigger = column.boolean();
    terms.starts_at = column.optional_timestamp();
    terms.ends_at = column.optional_timestamp();
    terms.segments = column.texts();
    terms.tiers = column.texts();
    terms.schedule = read_schedule(column);
    terms.local = {column.bigint(), column.bigint()};
    terms.limits.max_uses = column.optional_integer();
    terms.limits.max_uses_per_member = column.optional_integer();
    if (const auto budget = column.optional_text()) terms.limits.points_budget = Decimal::parse(*budget);
    terms.limits.max_uses_per_member_every = column.text();
    const TimestampTz period_began = column.timestamp();
    if (!terms.limits.max_uses_per_member_every.empty()) terms.counted_from = period_began;
    column.end();
    return terms;
}

void require_in_force(const TriggerTerms& terms, const std::string& promotion, TimestampTz now) {
    if (!terms.is_trigger) {
        throw Error(sqlstate::unknown_trigger_promotion, "promotion \"" + promotion + "\" is no trigger promotion", {},
                    "What is booked by hand is booked under a promotion of kind \"trigger\", or under none.");
    }
    const char* reason = nullptr;
    if (terms.state != "active") {
        reason = terms.state == "draft"      ? "It is a draft."
                 : terms.state == "inactive" ? "It is inactive."
                 : terms.state == "paused"   ? "It is paused."
                                             : "It has ended.";
    } else if (terms.starts_at && now < *terms.starts_at) {
        reason = "It has not started yet.";
    } else if (terms.ends_at && now >= *terms.ends_at) {
        reason = "Its end has passed.";
    } else if (terms.schedule.judge(terms.local) != Unavailable::none) {
        reason = "It is out of its schedule.";
    }
    if (!reason) return;
    throw Error(sqlstate::promotion_not_in_force, "promotion \"" + promotion + "\" is not in force", reason,
                "Activate it, or change its dates or its schedule.");
}

// ---------------------------------------------------------------------------------------------------------------------
// Audience

bool is_in_segments(const AccountKey& key, const std::vector<std::string>& segments) {
    static Query query(
        "SELECT EXISTS ("
        "    SELECT FROM loyalty.profile_segments s"
        "      LEFT JOIN loyalty.profile_predicates d ON d.program = s.program AND d.segment = s.external_id"
        "     WHERE s.program = $1 AND s.external_id = ANY ($3)"
        "       AND CASE s.kind WHEN 'static' THEN s.external_id::text = ANY (l.segments)"
        "                ELSE $4::jsonb || jsonb_build_object('segments', l.segments) @@ d.predicate END)"
        "  FROM (SELECT coalesce(array_agg(segment::text), '{}') AS segments"
        "          FROM loyalty.profile_segment_members WHERE profile = $2 AND program = $1) l",
        {TEXTOID, TEXTOID, TEXTARRAYOID, TEXTOID});
    const auto documents = profile_documents(load_profile_database(key.program), {key.member}, current_caller());
    const FreshSnapshot snapshot;
    return query
        .run({text_argument(key.program), text_argument(key.member), texts_argument(segments),
              text_argument(documents[0].value_or("{}"))})
        .boolean(0, 1);
}

bool holds_tier(const AccountKey& key, const std::vector<std::string>& tiers, TimestampTz now) {
    const FreshSnapshot snapshot;
    return std::ranges::any_of(held_tiers(key.program, key.member, now),
                               [&](const std::string& held) { return std::ranges::find(tiers, held) != tiers.end(); });
}

void require_audience(const TriggerTerms& terms, const TriggerUse& use, TimestampTz now) {
    const bool fits = terms.audience == "in_segments"        ? is_in_segments(use.key, terms.segments)
                      : terms.audience == "outside_segments" ? !is_in_segments(use.key, terms.segments)
                      : terms.audience == "tiers"            ? holds_tier(use.key, terms.tiers, now)
                                                             : true;
    if (fits) return;
    throw Error(sqlstate::outside_audience,
                "member \"" + use.key.member + "\" is outside the audience of promotion \"" + use.promotion + "\"",
                "The audience is " + terms.audience + ".", "See audience of loyalty.promotions.");
}

// ---------------------------------------------------------------------------------------------------------------------
// Limits

std::int64_t in_usage_scale(std::int64_t points, int scale) {
    for (; scale < usage_scale; scale++) {
        if (__builtin_mul_overflow(points, 10, &points)) throw_overflow();
    }
    return points;
}

[[noreturn]] void fail_used_up(const TriggerUse& use, const std::string& detail) {
    throw Error(sqlstate::promotion_used_up, "promotion \"" + use.promotion + "\" is used up", detail,
                "See its usage limits in loyalty.promotions; nothing is booked in part.");
}

void require_room(const TriggerTerms& terms, const TriggerUse& use) {
    const UsageLimits& limits = terms.limits;
    static Query lock(
        "INSERT INTO loyalty.promotion_counters AS c (program, promotion) VALUES ($1, $2)"
        " ON CONFLICT (program, promotion) DO UPDATE SET uses = c.uses RETURNING uses, points::text",
        {TEXTOID, TEXTOID});
    static Query own(
        "SELECT count(*) FROM loyalty.trigger_uses"
        " WHERE member = $1 AND program = $2 AND promotion = $3 AND freed_at IS NULL AND used_at >= $4",
        {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID});
    const Argument program = text_argument(use.key.program), promotion = text_argument(use.promotion);
    const GuardedWriting writing;
    const Rows counters = lock.run({program, promotion}, true);
    if (limits.max_uses && bigint_at(counters, 0, 1) >= *limits.max_uses)
        fail_used_up(use, "It may be used " + std::to_string(*limits.max_uses) + " times.");
    if (limits.max_uses_per_member) {
        const FreshSnapshot snapshot;
        if (bigint_at(
                own.run({text_argument(use.key.member), program, promotion, timestamp_argument(terms.counted_from)}), 0,
                1) >= *limits.max_uses_per_member) {
            fail_used_up(use, "Member \"" + use.key.member + "\" may use it " +
                                  std::to_string(*limits.max_uses_per_member) + " times" +
                                  (limits.max_uses_per_member_every.empty()
                                       ? "."
                                       : " a " + limits.max_uses_per_member_every + "."));
        }
    }
    if (limits.points_budget && use.accrued > 0) {
        const auto budget = limits.points_budget->units(usage_scale);
        const auto spent = Decimal::parse(counters.text(0, 2))->units(usage_scale);
        if (!budget || !spent) throw_overflow();
        if (in_usage_scale(use.accrued, use.scale) > *budget - *spent)
            fail_used_up(use, "Of its points " + show_points(*budget - *spent, usage_scale) + " are left.");
    }
}

}  // namespace

void require_in_force(const std::string& program, const std::string& promotion, TimestampTz now) {
    require_in_force(read_terms(program, promotion, now), promotion, now);
}

void require_use(TriggerUse& use, TimestampTz now) {
    const TriggerTerms terms = read_terms(use.key.program, use.promotion, now);
    require_in_force(terms, use.promotion, now);
    require_audience(terms, use, now);
    use.limited = terms.limits.any();
    if (use.limited) require_room(terms, use);
}

void count_use(const TriggerUse& use, const Uuid& id) {
    static Query query(
        "WITH used AS ("
        "    INSERT INTO loyalty.trigger_uses (member, program, promotion, id, points) VALUES ($1, $2, $3, $4, $5)"
        "    RETURNING points)"
        " UPDATE loyalty.promotion_counters c SET uses = c.uses + 1, points = c.points + u.points"
        "   FROM used u WHERE c.program = $2 AND c.promotion = $3",
        {TEXTOID, TEXTOID, TEXTOID, UUIDOID, NUMERICOID});
    if (!use.limited) return;
    const GuardedWriting writing;
    query.run({text_argument(use.key.member), text_argument(use.key.program), text_argument(use.promotion),
               uuid_argument(id), units_argument(use.accrued, use.scale)},
              true);
}

void give_back_use(const std::string& member, const std::string& program, const Uuid& id, TimestampTz now) {
    static Query query(
        "WITH freed AS ("
        "    UPDATE loyalty.trigger_uses SET freed_at = $4, points = 0 FROM (SELECT promotion AS of, points AS were"
        "       FROM loyalty.trigger_uses WHERE member = $1 AND program = $2 AND id = $3 AND freed_at IS NULL) b"
        "     WHERE member = $1 AND program = $2 AND promotion = b.of AND id = $3"
        "    RETURNING promotion, b.were)"
        " UPDATE loyalty.promotion_counters c SET uses = c.uses - 1, points = c.points - f.were"
        "   FROM freed f WHERE c.program = $2 AND c.promotion = f.promotion",
        {TEXTOID, TEXTOID, UUIDOID, TIMESTAMPTZOID});
    const GuardedWriting writing;
    query.run({text_argument(member), text_argument(program), uuid_argument(id), timestamp_argument(now)}, true);
}

}  // namespace loyalty::pg
