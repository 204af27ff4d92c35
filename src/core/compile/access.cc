#include "core/compile/access.hpp"

#include "core/compile/tree_error.hpp"

#include <algorithm>

namespace loyalty {

namespace {

// The place of `id` in the list, to which it is added if it is new.
Index number_of(std::vector<std::string>& list, const std::string& id) {
    const auto found = std::find(list.begin(), list.end(), id);
    const auto number = static_cast<Index>(found - list.begin());
    if (found == list.end()) list.push_back(id);
    return number;
}

Schedule schedule(const TreePromotion& from) {
    const auto refuse = [&](const std::string& why, const std::string& hint) {
        refuse_tree("the schedule of promotion \"" + from.id + "\" " + why, hint);
    };
    Schedule schedule = *from.schedule;
    const auto is_time_of_day = [](const std::optional<std::int64_t>& time) {
        return time && *time >= 0 && *time <= day_us;
    };
    const bool has_window = schedule.from_us || schedule.to_us;
    if (has_window && !(is_time_of_day(schedule.from_us) && is_time_of_day(schedule.to_us)))
        refuse("has no window of the day", "Give two times of day, from 00:00 to 24:00.");
    if (schedule.every < 0) refuse("counts backwards", "Count every 1 or more.");
    if (schedule.every == 0) return schedule;
    if (!from.starts_at) refuse("counts from a start that it does not have", "Give the promotion a start.");
    schedule.start_day = from.starts_at->day();
    return schedule;
}

}  // namespace

SegmentPlaces places_of_segments(const std::vector<Segment>& segments) {
    SegmentPlaces places;
    for (Index i = 0; i < segments.size(); i++) places[segments[i].id] = i;
    return places;
}

Index find_segment(const SegmentPlaces& segments, const std::string& id, const std::string& promotion,
                   const std::string& noun) {
    const auto found = segments.find(id);
    if (found == segments.end()) {
        refuse_tree("promotion \"" + promotion + "\" names the unknown " + noun + " \"" + id + "\"",
                    "Make the segment first.");
    }
    return found->second;
}

void compile_access(const TreePromotion& from, const AccessPlaces& places, Program& program, Promotion& to) {
    to.audience = from.audience;
    if (from.audience == Audience::guests && from.kind == PromotionKind::points)
        refuse_tree("points promotion \"" + from.id + "\" is for guests",
                    "Only members have points: make it a discount.");
    for (const auto& id : from.audience_segments)
        to.audience_segments.push_back(find_segment(places.profile_segments, id, from.id, "profile segment"));
    for (const auto& id : from.audience_tiers) {
        to.audience_tiers.push_back(number_of(program.tiers, id));
        program.conditions_of_tier.resize(program.tiers.size());
    }
    to.starts_at = from.starts_at;
    to.ends_at = from.ends_at;
    to.order_mode = from.order_mode;
    for (const auto& id : from.order_segments)
        to.order_segments.push_back(find_segment(places.order_segments, id, from.id, "order segment"));
    to.minimum = from.minimum;
    if (from.schedule) to.schedule = schedule(from);
    if (!from.pool.empty()) {
        to.pool = number_of(program.pools, from.pool);
        program.conditions_of_pool.resize(program.pools.size());
    }
    to.channels = from.channels;
    to.contact_points = from.contact_points;
    to.regions = from.regions;
    to.usage_limits = from.usage_limits;
}

void index_condition(const Promotion& promotion, const Condition& condition, Index index, Program& program) {
    const auto hang = [&](std::vector<std::vector<Index>>& conditions, const std::vector<Index>& keys) {
        for (const Index key : keys) conditions[key].push_back(index);
    };
    const bool in_segments = condition.mode == ConditionMode::in;
    if (in_segments && condition.level == Level::product) {
        hang(program.conditions_of_segment, condition.segments);
    } else if (promotion.pool != none) {
        hang(program.conditions_of_pool, {promotion.pool});
    } else if (promotion.audience == Audience::tiers) {
        hang(program.conditions_of_tier, promotion.audience_tiers);
    } else if (promotion.audience == Audience::in_segments) {
        hang(program.conditions_of_profile_segment, promotion.audience_segments);
    } else if (in_segments) {
        hang(program.conditions_of_order_segment, condition.segments);
    } else if (promotion.order_mode == ConditionMode::in) {
        hang(program.conditions_of_order_segment, promotion.order_segments);
    } else {
        program.open_conditions.push_back(index);
    }
}

}  // namespace loyalty
