#include "core/bound/world.hpp"

#include <algorithm>

namespace loyalty {

namespace {

template <class Value>
void make_unique(std::vector<Value>& values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
}

// Only where no contact point is named, which brings its channel along.
std::vector<std::optional<std::string>> channels_of(const Program& program) {
    std::vector<std::string> named;
    for (const auto& promotion : program.promotions) {
        if (!promotion.contact_points.empty()) return {std::nullopt};
        named.insert(named.end(), promotion.channels.begin(), promotion.channels.end());
    }
    make_unique(named);
    std::vector<std::optional<std::string>> channels{""};
    channels.insert(channels.end(), named.begin(), named.end());
    return channels;
}

std::vector<std::optional<std::string>> regions_of(const Program& program) {
    std::vector<std::string> named;
    for (const auto& promotion : program.promotions)
        named.insert(named.end(), promotion.regions.begin(), promotion.regions.end());
    make_unique(named);
    std::vector<std::optional<std::string>> regions{""};
    regions.insert(regions.end(), named.begin(), named.end());
    return regions;
}

// Where promotions begin and end; what takes part does not change in between.
std::vector<World> times_of(const Program& program) {
    std::vector<LocalTime> moments;
    for (const auto& promotion : program.promotions) {
        if (promotion.state != PromotionState::active) continue;
        if (promotion.starts_at) moments.push_back(*promotion.starts_at);
        if (promotion.ends_at) moments.push_back(*promotion.ends_at);
    }
    make_unique(moments);
    std::vector<World> worlds(1);
    for (const auto& moment : moments) {
        worlds.emplace_back();
        worlds.back().time = moment;
    }
    return worlds;
}

template <class Values, class Set>
void multiply(std::vector<World>& worlds, const Values& values, std::size_t most, Set set) {
    std::vector<World> result;
    if (worlds.size() * values.size() > most) return;
    for (const auto& world : worlds) {
        for (const auto& value : values) {
            result.push_back(world);
            set(result.back(), value);
        }
    }
    worlds = std::move(result);
}

bool has(const std::vector<std::string>& list, const std::string& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

bool is_then(const Promotion& promotion, const World& world) {
    if (world.at_any_time) return true;
    if (!world.time) return !promotion.starts_at;
    return (!promotion.starts_at || *promotion.starts_at <= *world.time) &&
           (!promotion.ends_at || *world.time < *promotion.ends_at);
}

bool is_there(const Promotion& promotion, const World& world) {
    const bool everywhere = promotion.channels.empty() && promotion.contact_points.empty();
    if (world.channel && !everywhere && !has(promotion.channels, *world.channel)) return false;
    return !world.region || promotion.regions.empty() || has(promotion.regions, *world.region);
}

}  // namespace

std::vector<World> all_worlds(const Program& program, std::size_t most) {
    std::vector<World> worlds = times_of(program);
    if (2 * worlds.size() > most) {
        worlds.resize(1);
        worlds.front().at_any_time = true;
    }
    multiply(worlds, std::vector<bool>{false, true}, std::max<std::size_t>(2, most),
             [](World& world, bool member) { world.member = member; });
    multiply(worlds, channels_of(program), most, [](World& world, const auto& channel) { world.channel = channel; });
    multiply(worlds, regions_of(program), most, [](World& world, const auto& region) { world.region = region; });
    return worlds;
}

bool can_take_part(const Promotion& promotion, const World& world) {
    if (promotion.state != PromotionState::active) return false;
    const bool for_members = promotion.audience != Audience::everyone && promotion.audience != Audience::guests;
    if (world.member ? promotion.audience == Audience::guests : for_members) return false;
    return is_then(promotion, world) && is_there(promotion, world);
}

bool must_take_part(const Promotion& promotion, const World& world) {
    if (!can_take_part(promotion, world)) return false;
    const bool for_whoever = promotion.audience == Audience::everyone || promotion.audience == Audience::members ||
                             promotion.audience == Audience::guests;
    const bool is_dated = promotion.starts_at || promotion.ends_at;
    const bool is_placed = !promotion.channels.empty() || !promotion.contact_points.empty();
    return for_whoever && !(is_dated && world.at_any_time) && !(is_placed && !world.channel) &&
           !(!promotion.regions.empty() && !world.region) && !promotion.schedule && promotion.pool == none &&
           promotion.order_mode == ConditionMode::all && !promotion.minimum.any() && !promotion.usage_limits.any();
}

}  // namespace loyalty
