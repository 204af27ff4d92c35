#include "core/bound/promises.hpp"

#include "core/calculate/benefit.hpp"

#include <algorithm>
#include <limits>

namespace loyalty {

namespace {

constexpr std::size_t most_contested = 6;
constexpr std::int64_t without_end = std::numeric_limits<std::int64_t>::max();

std::int64_t rounded_up(const Fraction& fraction) {
    const int128 units = (fraction.numerator + fraction.denominator - 1) / fraction.denominator;
    return units > without_end ? without_end : static_cast<std::int64_t>(units);
}

// A total that has more digits than money is none: what it asks for is left out of account.
std::int64_t units_of(const std::optional<Decimal>& total, int scale) {
    return total ? total->units(scale).value_or(0) : 0;
}

// At current prices, which may have been raised, base prices say nothing.
std::int64_t units_of(const Minimum& minimum, int scale) {
    return minimum.current ? 0 : units_of(minimum.total, scale);
}

template <class List, class Value>
bool has(const List& list, const Value& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

Promises::Promises(const Program& of)
    : program(of), of_benefit(of.benefits.size()), raises(of.promotions.size()), thresholds{0} {
    find_contested();
    for (const auto& promotion : program.promotions)
        promotion_from.push_back(units_of(promotion.minimum, program.currency_scale));
    for (const auto& condition : program.conditions)
        condition_from.push_back(units_of(condition.minimum, program.currency_scale));
    for (Index benefit = 0; benefit < program.benefits.size(); benefit++) add_benefit(benefit);
    thresholds.insert(thresholds.end(), promotion_from.begin(), promotion_from.end());
    thresholds.insert(thresholds.end(), condition_from.begin(), condition_from.end());
    std::sort(thresholds.begin(), thresholds.end());
    thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());
}

void Promises::find_contested() {
    std::vector<bool> wanted(program.segments.size()), unwanted(program.segments.size());
    for (const auto& condition : program.conditions) {
        if (condition.level != Level::product || condition.mode == ConditionMode::all) continue;
        for (const auto segment : condition.segments)
            (condition.mode == ConditionMode::in ? wanted : unwanted)[segment] = true;
    }
    for (const auto& entry : program.benefits) {
        for (const auto segment : entry.rule->segments()) wanted[segment] = true;
    }
    bit_of_.assign(program.segments.size(), none);
    for (Index segment = 0; segment < program.segments.size(); segment++) {
        if (!wanted[segment] || !unwanted[segment] || contested.size() == most_contested) continue;
        bit_of_[segment] = static_cast<std::uint32_t>(contested.size());
        contested.push_back(segment);
    }
}

void Promises::add_benefit(Index benefit) {
    const auto& [condition, type, rule] = program.benefits[benefit];
    for (const auto& reaches : rule->reaches(program)) {
        const Promise promise = promise_of(benefit, reaches);
        const bool gives = promise.gain != 0 || promise.given || promise.gives_without_end || promise.per_earned != 0;
        if (promise.share == 0 && !gives) continue;
        of_benefit[benefit].push_back(promise);
        if (promise.from > 0) thresholds.push_back(promise.from);
    }
    for (const auto& reaches : rule->reaches(program)) {
        const bool earns = !rule->credit_on().empty();
        const bool may_raise = reaches.reach ? reaches.reach->raise.numerator != 0 : !earns;
        if (may_raise) raises[program.conditions[condition].promotion] = true;
    }
}

Promise Promises::promise_of(Index benefit, const ReachFrom& reaches) const {
    const auto& [condition, type, rule] = program.benefits[benefit];
    const bool on_order = program.conditions[condition].level == Level::order;
    const bool earns = !rule->credit_on().empty();
    Promise promise;
    promise.from = units_of(reaches.total, program.currency_scale);
    promise.unknown = !reaches.reach;
    if (!reaches.reach) {
        if (!earns) promise.share = whole_share;
        promise.gives_without_end = earns;
        return promise;
    }
    const Reach& reach = *reaches.reach;
    promise.pays = reach.pays;
    if (reach.goods) promise.share = share_up(reach.share);
    // What a floor refuses of a set is moved to its other units.
    promise.spreads = reach.splits_all;
    if (reach.goods && reach.amount) {
        const std::int64_t amount = rounded_up(*reach.amount);
        if (amount == 0) promise.share = 0;
        if (on_order || reach.once) {
            promise.of_order = amount;
        } else {
            if (!promise.spreads) promise.of_unit = amount;
            if (reach.items && amount < without_end / *reach.items)
                promise.of_order = rounded_up(*reach.amount * Fraction{*reach.items, 1});
        }
    }
    if (reach.points == Reach::Points::none) return promise;
    if (reach.points == Reach::Points::by_earned) {
        promise.per_earned = share_up(reach.per_earned, without_end);
        return promise;
    }
    const PointType& points = program.point_types[rule->point_type()];
    const Fraction worth = Fraction{points.value, program.value_denominator}.reduced();
    if (reach.points == Reach::Points::by_price) {
        promise.gain = share_up(reach.points_per_money * worth, without_end / 1'000'000);
    } else if (reach.points_once) {
        promise.given = rounded_up(Fraction{*reach.points_once, 1} * worth);
    } else {
        promise.gives_without_end = points.value != 0;
    }
    return promise;
}

bool Promises::is_in_any(const std::vector<Index>& segments, std::uint32_t kind) const {
    return std::any_of(segments.begin(), segments.end(),
                       [&](Index segment) { return bit_of_[segment] == none || (kind >> bit_of_[segment] & 1); });
}

bool Promises::can_be_outside_all(const std::vector<Index>& segments, std::uint32_t kind) const {
    return std::none_of(segments.begin(), segments.end(),
                        [&](Index segment) { return bit_of_[segment] != none && (kind >> bit_of_[segment] & 1); });
}

}  // namespace loyalty
