// Who may have a promotion, when and where, straight from the definitions: with a calendar of its own, that counts
// days, and names instead of indexes.
#include "unit/oracle.hpp"

#include <algorithm>

namespace loyalty::oracle {

namespace {

constexpr std::int64_t us_of_day = 86'400'000'000;

struct Date {
    int year = 1970, month = 1, day = 1;
    int weekday = 0;  // 1 is Monday
};

int days_in(int year, int month) {
    if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// Days after 1970-01-01, a Thursday.
Date date_after(std::int64_t days) {
    Date date;
    date.weekday = static_cast<int>((days + 3) % 7) + 1;
    for (; days >= days_in(date.year, date.month); date.month++) {
        days -= days_in(date.year, date.month);
        if (date.month == 12) date.year++, date.month = 0;
    }
    date.day += static_cast<int>(days);
    return date;
}

bool has(const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

bool has_one_of(const std::vector<std::string>& list, const std::set<std::string>& names) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return has(list, name); });
}

bool is_available(const Schedule& schedule, const LocalTime& start, const LocalTime& time) {
    std::int64_t day = time.local_us / us_of_day;
    if (schedule.from_us) {
        const std::int64_t clock = time.local_us % us_of_day;
        const auto from = *schedule.from_us, to = *schedule.to_us;
        if (from < to) {
            if (clock < from || clock >= to) return false;
        } else if (clock < to) {
            day--;  // the night began yesterday
        } else if (clock < from) {
            return false;
        }
    }
    const Date date = date_after(day);
    const auto allows = [](const auto& set, int number) {
        return set.none() || set.test(static_cast<std::size_t>(number));
    };
    if (!allows(schedule.months, date.month) || !allows(schedule.days_of_month, date.day) ||
        !allows(schedule.weekdays, date.weekday))
        return false;
    if (schedule.every == 0) return true;
    const std::int64_t first = start.local_us / us_of_day;
    const Date begin = date_after(first);
    std::int64_t passed = day - first;
    if (schedule.every_unit == Period::week) passed = (day - date.weekday - (first - begin.weekday)) / 7;
    if (schedule.every_unit == Period::month) passed = (date.year - begin.year) * 12 + date.month - begin.month;
    return day >= first - (schedule.every_unit == Period::week    ? begin.weekday - 1
                           : schedule.every_unit == Period::month ? begin.day - 1
                                                                  : 0) &&
           passed % schedule.every == 0;
}

// Whether the lines that count come to the minimum.
template <class Counts>
bool comes_to(const Minimum& minimum, const Order& order, const Counts& counts, int currency_scale) {
    std::int64_t units = 0, money = 0;
    for (const Line& line : order.lines) {
        if (!counts(line)) continue;
        units += line.quantity.units;
        money += line.base.units;
    }
    return !(minimum.items && Decimal::of(units, 6) < *minimum.items) &&
           !(minimum.total && !minimum.current && Decimal::of(money, currency_scale) < *minimum.total);
}

}  // namespace

bool fulfils(const Tree& tree, const TreeCondition& condition, const Line& line) {
    if (condition.mode == ConditionMode::all) return true;
    bool in_one = false;
    for (const std::string& segment : condition.segments) {
        for (const std::uint32_t s : line.segments) in_one |= tree.segments[s].id == segment;
    }
    return in_one == (condition.mode == ConditionMode::in);
}

bool has_lines(const Tree& tree, const TreeCondition& condition, const Order& order) {
    const auto counts = [&](const Line& line) { return fulfils(tree, condition, line); };
    return std::any_of(order.lines.begin(), order.lines.end(), counts) &&
           comes_to(condition.minimum, order, counts, tree.currency_scale);
}

Reason obstacle(const TreePromotion& promotion, const Order& order, const Facts& facts) {
    if (promotion.state == PromotionState::draft) return Reason::draft;
    if (promotion.state == PromotionState::inactive) return Reason::inactive;
    if (promotion.state == PromotionState::ended) return Reason::ended;
    if (promotion.state == PromotionState::paused) return Reason::paused;
    const bool is_member = order.buyer.kind == BuyerKind::member;
    if (promotion.audience == Audience::guests && is_member) return Reason::only_guests;
    if (promotion.audience != Audience::everyone && promotion.audience != Audience::guests && !is_member)
        return Reason::not_in_audience;
    const bool in_segments = has_one_of(promotion.audience_segments, facts.profile_segments);
    if (promotion.audience == Audience::in_segments && !in_segments) return Reason::not_in_segments;
    if (promotion.audience == Audience::outside_segments && in_segments) return Reason::in_excluded_segment;
    if (promotion.audience == Audience::tiers && !has_one_of(promotion.audience_tiers, facts.tiers))
        return Reason::tier_not_held;
    if (promotion.order_mode != ConditionMode::all &&
        has_one_of(promotion.order_segments, facts.order_segments) != (promotion.order_mode == ConditionMode::in))
        return Reason::other_order;
    if (!comes_to(promotion.minimum, order, [](const Line&) { return true; }, facts.currency_scale))
        return Reason::order_too_small;
    if (promotion.starts_at && order.time.unix_us < promotion.starts_at->unix_us) return Reason::not_started;
    if (promotion.ends_at && order.time.unix_us >= promotion.ends_at->unix_us) return Reason::out_of_date;
    if (promotion.schedule && !is_available(*promotion.schedule, promotion.starts_at.value_or(LocalTime{}), order.time))
        return Reason::not_scheduled;
    if (!promotion.pool.empty() && !facts.pools.contains(promotion.pool)) return Reason::no_promo_code;
    const bool anywhere = promotion.channels.empty() && promotion.contact_points.empty();
    if (!anywhere && !has(promotion.channels, order.channel) && !has(promotion.contact_points, order.contact_point))
        return Reason::other_channel;
    if (!promotion.regions.empty() && !has(promotion.regions, order.region)) return Reason::other_region;
    const auto limits = facts.left.find(promotion.id);
    return limits != facts.left.end() && limits->second.used_up ? Reason::limit_reached : Reason::none;
}

bool holds(const TreeCondition& condition, const Facts& facts) {
    if (condition.mode == ConditionMode::all) return true;
    return has_one_of(condition.segments, facts.order_segments) == (condition.mode == ConditionMode::in);
}

}  // namespace loyalty::oracle
