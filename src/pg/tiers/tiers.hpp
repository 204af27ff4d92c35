// Tiers: what a member holds in each group, kept up by every booking, by the calendar, and by the jobs.
//
// Everything here works on members whose rows of loyalty.members are locked, as the schema's owner, within a connection
// to SPI. What is due by the calendar is worked out in memory (core/tiers) from a set of rows read by one statement,
// and written by one statement a table: one member or ten thousand at a time is the same code.
#pragma once

#include "core/tiers/cyclic.hpp"

#include "pg/server/in_turn.hpp"
#include "pg/tiers/model.hpp"

namespace loyalty::pg {

struct TierGroup {
    std::string program, id;
    const TierModel* model = nullptr;
    std::optional<std::string> point_type;
    int scale = 0;
    tiers::Rules rules;
    bool fall_on_reversal = false;
    std::vector<std::string> tiers;  // external ids, by rank
    tiers::Ladder ladder;            // of models by points
    bool has_predicates = false;     // of tiers: every one of a dynamic group, any of a cumulative one

    tiers::Rank rank(const std::optional<std::string>& tier) const;
    std::optional<std::string> name(tiers::Rank rank) const;
};

const char* name_of(tiers::Cause cause);

// Writers see what is committed now and what this transaction has written so far; readers what their statement sees.
enum class Sees : std::uint8_t { newest, snapshot };

// Error XX001 where the model is none, or a tier has no threshold which should have one.
void require_ladder(const TierGroup& group);

// The group `id`, or all of the program.
std::vector<TierGroup> load_tier_groups(const std::string& program, const std::optional<std::string>& id,
                                        Sees sees = Sees::newest);

// Error LY746 where it was deleted since it was found.
TierGroup load_tier_group(const std::string& program, const std::string& id, Sees sees = Sees::newest);

// A standing as columns of a query in which s is the row of loyalty.member_tiers, and read from there.
inline const std::string standing_columns =
    "s.tier, s.earned_tier, s.kept_tier, s.falls_at, s.given_tier, s.given_until";
tiers::Standing read_standing(ColumnsInTurn& column, const TierGroup& group);

// Gives members their rows of loyalty.member_tiers in each group of the program where they have none.
void make_standings(const std::string& program, const std::vector<std::string>& members);

// A change of a member's tier as it is written: into the standing, the history and the events.
struct TierChange {
    std::string member;
    std::optional<std::string> from, to;
    TimestampTz at = 0;
    tiers::Cause cause = tiers::Cause::points;
    std::int64_t seq = 0;  // in the history
    std::optional<std::string> reason = std::nullopt;  // of what was given by hand
};

void write_changes(const TierGroup& group, const std::vector<TierChange>& changes);

// Books what the calendar has due for the members in a group, up to now; then makes their tiers what the present state
// gives, for the cause, and where that is a person's doing, for the reason. Returns how many tiers have changed.
std::int64_t review_members(const TierGroup& group, const std::vector<std::string>& members, TimestampTz now,
                            tiers::Cause cause, const std::optional<std::string>& reason = std::nullopt);

// The tier of a member in a group as it will be at a moment from now on if nothing happens; nothing is written.
struct ForeseenTier {
    bool is_member = false;
    std::optional<std::string> tier;
    TimestampTz since = 0;
    TimestampTz kept_until = DT_NOEND;
    std::int64_t points = 0;
};
ForeseenTier foresee_tier(const TierGroup& group, const std::string& member, TimestampTz at);

// The tiers that a member holds at a moment from now on, by their external ids; nothing is written.
std::vector<std::string> held_tiers(const std::string& program, const std::string& member, TimestampTz at);

// Judges the predicates of tiers of a program for members: dynamic groups, and cumulative ones that have any; profiles
// are read with the caller's rights. Returns how many tiers have changed.
std::int64_t judge_members(const std::string& program, const std::vector<std::string>& members, TimestampTz now,
                           Oid caller, tiers::Cause cause = tiers::Cause::judgement);

}  // namespace loyalty::pg
