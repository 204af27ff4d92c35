#include "unit/random_conditions.hpp"

#include <chrono>

namespace loyalty {

namespace {

constexpr std::int64_t hour_us = 3'600 * second_us;

class Choices {
public:
    explicit Choices(std::mt19937_64& random) : random_(random) {}

    int up_to(int most) { return std::uniform_int_distribution<int>(0, most)(random_); }
    bool chance(int percent) { return up_to(99) < percent; }
    template <class Value>
    Value one_of(std::initializer_list<Value> values) {
        return *(values.begin() + up_to(static_cast<int>(values.size()) - 1));
    }
    // Each with even chances, at least the first.
    template <class List>
    List some_of(std::initializer_list<const char*> names) {
        List list;
        for (const char* name : names) {
            if (chance(50)) list.insert(list.end(), name);
        }
        return list;
    }
    std::vector<std::string> some(std::initializer_list<const char*> names) {
        auto list = some_of<std::vector<std::string>>(names);
        if (list.empty()) list.emplace_back(*names.begin());
        return list;
    }
    // A set of numbers that has `now` in two cases of three.
    template <std::size_t size>
    void fill(std::bitset<size>& set, unsigned now) {
        for (int i = up_to(3); i >= 0; --i) set.set(static_cast<std::size_t>(1 + up_to(size - 2)));
        set.set(now, chance(67));
        if (set.none()) set.set(now);
    }
    std::int64_t edge() { return one_of<std::int64_t>({-1, 0, 0, 1}) * one_of<std::int64_t>({1, hour_us, day_us}); }

private:
    std::mt19937_64& random_;
};

LocalTime shifted(const LocalTime& time, std::int64_t by, std::int64_t clocks_by) {
    return {time.unix_us + by, time.local_us + by + clocks_by};
}

void schedule(Choices& choices, TreePromotion& promotion, const LocalTime& now) {
    Schedule& schedule = promotion.schedule.emplace();
    const std::chrono::sys_days day{std::chrono::days{now.day() - choices.one_of({0, 0, 0, 1})}};
    const std::chrono::year_month_day date{day};
    if (choices.chance(30)) choices.fill(schedule.months, static_cast<unsigned>(date.month()));
    if (choices.chance(30)) choices.fill(schedule.days_of_month, static_cast<unsigned>(date.day()));
    if (choices.chance(50)) choices.fill(schedule.weekdays, std::chrono::weekday{day}.iso_encoding());
    if (choices.chance(50)) {
        const auto near_now = [&] {
            return (now.time_of_day_us() + choices.edge() + choices.up_to(24) * hour_us + day_us) % day_us;
        };
        schedule.from_us = near_now();
        schedule.to_us = near_now();
        if (schedule.from_us == schedule.to_us) schedule.to_us = day_us;
    }
    if (choices.chance(50)) {
        schedule.every = 1 + choices.up_to(3);
        schedule.every_unit = choices.one_of({Period::day, Period::week, Period::month});
        promotion.starts_at =
            shifted(now, -choices.up_to(100) * day_us + choices.edge(), choices.one_of({0, 0, 1}) * hour_us);
    }
}

}  // namespace

void add_segments(Tree& tree) {
    Segment segment;
    for (const char* id : {"young", "loyal", "staff"}) {
        segment.id = id;
        tree.profile_segments.push_back(segment);
    }
    for (const char* id : {"large", "first"}) {
        segment.id = id;
        tree.order_segments.push_back(segment);
    }
}

void restrict(std::mt19937_64& random, TreePromotion& promotion, const Order& order) {
    Choices choices(random);
    if (choices.chance(40)) {
        promotion.audience =
            choices.one_of({Audience::in_segments, Audience::outside_segments, Audience::tiers,
                            promotion.kind == PromotionKind::discount ? Audience::guests : Audience::tiers});
        if (promotion.audience == Audience::tiers) {
            promotion.audience_tiers = choices.some({"silver", "gold"});
        } else if (promotion.audience != Audience::guests) {
            promotion.audience_segments = choices.some({"young", "loyal", "staff"});
        }
    }
    if (choices.chance(20)) {
        promotion.order_mode = choices.one_of({ConditionMode::in, ConditionMode::outside});
        promotion.order_segments = choices.some({"large", "first"});
    }
    if (choices.chance(20)) promotion.starts_at = shifted(order.time, choices.edge(), 0);
    if (choices.chance(30)) schedule(choices, promotion, order.time);
    if (choices.chance(20)) {
        promotion.ends_at = shifted(order.time, choices.edge(), 0);
        if (promotion.starts_at && !(*promotion.starts_at < *promotion.ends_at))
            promotion.ends_at = shifted(*promotion.starts_at, 1, 0);
    }
    if (choices.chance(15)) promotion.pool = choices.one_of<const char*>({"birthday", "flyer"});
    if (choices.chance(15)) {
        promotion.channels = choices.some_of<std::vector<std::string>>({"web", "shop"});
        promotion.contact_points = choices.some_of<std::vector<std::string>>({"till-1", "till-2"});
    }
    if (choices.chance(15)) promotion.regions = choices.some({"north", "south"});
}

void place(std::mt19937_64& random, Order& order, oracle::Facts& facts) {
    Choices choices(random);
    const std::int64_t clock = choices.one_of<std::int64_t>(
        {0, 1, 2 * hour_us, 12 * hour_us, 22 * hour_us, day_us - 1, choices.up_to(23) * hour_us});
    order.time.local_us = facts.today * day_us + clock;
    order.time.unix_us = order.time.local_us - choices.one_of({-5, 0, 1, 2}) * hour_us;
    if (choices.chance(80)) order.channel = choices.one_of<const char*>({"web", "shop"});
    if (order.channel == "shop" && choices.chance(70))
        order.contact_point = choices.one_of<const char*>({"till-1", "till-2"});
    if (choices.chance(70)) order.region = choices.one_of<const char*>({"north", "south"});
    facts.order_segments = choices.some_of<std::set<std::string>>({"large", "first"});
    facts.pools = choices.some_of<std::set<std::string>>({"birthday", "flyer"});
    if (order.buyer.kind != BuyerKind::member) return;
    facts.profile_segments = choices.some_of<std::set<std::string>>({"young", "loyal", "staff"});
    facts.tiers = choices.some_of<std::set<std::string>>({"silver", "gold"});
}

}  // namespace loyalty
