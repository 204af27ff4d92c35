#include "core/calculate/conditions.hpp"

#include <algorithm>

namespace loyalty {

namespace {

template <class List, class Value>
bool has(const List& list, const Value& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

template <class Wanted, class Given>
bool has_any(const Wanted& wanted, const Given& given) {
    return std::any_of(wanted.begin(), wanted.end(), [&](const auto& one) { return has(given, one); });
}

Reason state_obstacle(PromotionState state) {
    switch (state) {
        case PromotionState::active:
            return Reason::none;
        case PromotionState::draft:
            return Reason::draft;
        case PromotionState::inactive:
            return Reason::inactive;
        case PromotionState::ended:
            return Reason::ended;
        case PromotionState::paused:
            return Reason::paused;
    }
    return Reason::none;
}

// Segments and tiers are for members, too: only everyone and guests include guests.
Reason audience_obstacle(const Promotion& promotion, const Buyer& buyer) {
    if (promotion.audience == Audience::everyone) return Reason::none;
    if (promotion.audience == Audience::guests)
        return buyer.kind == BuyerKind::member ? Reason::only_guests : Reason::none;
    if (buyer.kind != BuyerKind::member) return Reason::not_in_audience;
    switch (promotion.audience) {
        case Audience::in_segments:
            return has_any(promotion.audience_segments, buyer.segments) ? Reason::none : Reason::not_in_segments;
        case Audience::outside_segments:
            return has_any(promotion.audience_segments, buyer.segments) ? Reason::in_excluded_segment : Reason::none;
        case Audience::tiers:
            return has_any(promotion.audience_tiers, buyer.tiers) ? Reason::none : Reason::tier_not_held;
        default:
            return Reason::none;
    }
}

bool holds(ConditionMode mode, const std::vector<Index>& segments, const Order& order) {
    if (mode == ConditionMode::all) return true;
    return has_any(segments, order.segments) == (mode == ConditionMode::in);
}

Reason order_obstacle(const Program& program, const Promotion& promotion, const Order& order) {
    if (!holds(promotion.order_mode, promotion.order_segments, order)) return Reason::other_order;
    if (!promotion.minimum.any() || reaches(program, promotion.minimum, goods_of(order))) return Reason::none;
    return Reason::order_too_small;
}

Reason time_obstacle(const Promotion& promotion, const LocalTime& time) {
    if (promotion.starts_at && time < *promotion.starts_at) return Reason::not_started;
    if (promotion.ends_at && time >= *promotion.ends_at) return Reason::out_of_date;
    if (promotion.schedule && promotion.schedule->judge(time) != Unavailable::none) return Reason::not_scheduled;
    return Reason::none;
}

Reason place_obstacle(const Promotion& promotion, const Order& order) {
    const bool everywhere = promotion.channels.empty() && promotion.contact_points.empty();
    if (!everywhere && !has(promotion.channels, order.channel) && !has(promotion.contact_points, order.contact_point))
        return Reason::other_channel;
    if (!promotion.regions.empty() && !has(promotion.regions, order.region)) return Reason::other_region;
    return Reason::none;
}

// Budgets are no obstacles: they cut what a promotion does.
Reason usage_obstacle(const Promotion& promotion, Index index, const Order& order) {
    if (!promotion.usage_limits.any()) return Reason::none;
    const Allowance* allowance = find_allowance(order, index);
    return allowance && allowance->uses != Allowance::Uses::left ? Reason::limit_reached : Reason::none;
}

}  // namespace

namespace {

Reason buyer_obstacle(const Promotion& promotion, const Order& order) {
    const Reason reason = state_obstacle(promotion.state);
    return reason == Reason::none ? audience_obstacle(promotion, order.buyer) : reason;
}

Reason later_obstacle(const Program& program, Index index, const Order& order) {
    const Promotion& promotion = program.promotions[index];
    Reason reason = time_obstacle(promotion, order.time);
    if (reason == Reason::none && promotion.pool != none && !has(order.pools, promotion.pool))
        reason = Reason::no_promo_code;
    if (reason == Reason::none) reason = place_obstacle(promotion, order);
    if (reason == Reason::none) reason = usage_obstacle(promotion, index, order);
    return reason;
}

}  // namespace

Reason find_obstacle(const Program& program, Index index, const Order& order) {
    const Promotion& promotion = program.promotions[index];
    Reason reason = buyer_obstacle(promotion, order);
    if (reason == Reason::none) reason = order_obstacle(program, promotion, order);
    return reason == Reason::none ? later_obstacle(program, index, order) : reason;
}

Reason find_obstacle_for_any_goods(const Program& program, Index index, const Order& order) {
    const Reason reason = buyer_obstacle(program.promotions[index], order);
    return reason == Reason::none ? later_obstacle(program, index, order) : reason;
}

bool holds(const Condition& condition, const Order& order) { return holds(condition.mode, condition.segments, order); }

bool matches(const Condition& condition, const Line& line) {
    return condition.mode == ConditionMode::all ||
           has_any(condition.segments, line.segments) == (condition.mode == ConditionMode::in);
}

std::vector<std::uint32_t> matching_lines(const Condition& condition, const Order& order) {
    std::vector<std::uint32_t> lines;
    for (std::uint32_t line = 0; line < order.lines.size(); line++) {
        if (matches(condition, order.lines[line])) lines.push_back(line);
    }
    return lines;
}

Goods goods_of(const Order& order) {
    Goods goods;
    for (const auto& line : order.lines) goods.add(line);
    return goods;
}

Goods goods_of(const Order& order, const std::vector<std::uint32_t>& lines) {
    Goods goods;
    for (const auto line : lines) goods.add(order.lines[line]);
    return goods;
}

bool reaches(const Program& program, const Minimum& minimum, const Goods& goods) {
    return (!minimum.items || Decimal::of(goods.items.units, quantity_scale) >= *minimum.items) &&
           (!minimum.total || minimum.current || reaches(program, minimum, goods.total));
}

bool reaches(const Program& program, const Minimum& minimum, Money goods) {
    return !minimum.total || Decimal::of(goods.units, program.currency_scale) >= *minimum.total;
}

Reason unmet_reason(const Program& program, const Promotion& promotion, const Order& order) {
    if (promotion.first_condition == promotion.last_condition) return Reason::no_conditions;
    const Condition& first = program.conditions[promotion.first_condition];
    if (first.level == Level::order) return Reason::order_does_not_match;
    return matching_lines(first, order).empty() ? Reason::no_matching_line : Reason::lines_too_small;
}

}  // namespace loyalty
