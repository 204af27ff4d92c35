#include "core/bound/bound.hpp"

#include "core/bound/judge.hpp"
#include "core/calculate/benefit.hpp"

#include <limits>

namespace loyalty {

namespace {

// Promotions are looked at about so often.
constexpr std::size_t most_work = 700'000;
constexpr std::size_t most_places_kept = 8;
constexpr std::int64_t any_goods = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t most_halves = 1'000'000'000'000;
constexpr Child main_group{true, 0};

std::optional<Share> most_points(const Judge& judge, const Promises& promises) {
    Share most = 0;
    for (std::uint32_t kind = 0; kind < promises.kinds(); kind++) {
        const Gain gain = judge.gain(main_group, kind);
        if (gain.without_end || (gain.share > 0 && judge.raises_prices())) return std::nullopt;
        most = std::max(most, gain.share + gain.amount);
    }
    return most;
}

std::optional<Share> most_of(const Judge& judge, const Promises& promises, Measure measure, const Child& node) {
    if (measure == Measure::points) return most_points(judge, promises);
    return measure == Measure::discount ? judge.curve(node).at(whole_share) : judge.off_line(node);
}

bool is_more(const std::optional<Share>& a, const std::optional<Share>& b) { return b && (!a || *a > *b); }

// --- Rounding ------------------------------------------------------------------------------------------------------

bool splits(const Benefit& rule) {
    if (rule.multiplies()) return false;
    const auto reach = rule.reach();
    return !reach || reach->items;
}

// A smallest unit of points for each benefit that gives some, for a type may round up; and what multiplies points
// multiplies what rounding gave.
std::int64_t halves_of_points(const Promises& promises) {
    const Program& program = promises.program;
    std::int64_t halves = 0, factor = 1;
    for (Index b = 0; b < program.benefits.size(); b++) {
        for (const auto& promise : promises.of_benefit[b]) {
            if (promise.gain == 0 && !promise.given && promise.per_earned == 0) continue;
            const Share more = promise.per_earned / whole_share + (promise.per_earned % whole_share != 0 ? 1 : 0);
            if (__builtin_mul_overflow(factor, 1 + more, &factor)) factor = most_halves;
            const PointType& type = program.point_types[program.benefits[b].rule->point_type()];
            halves +=
                static_cast<std::int64_t>((2 * type.value + program.value_denominator - 1) / program.value_denominator);
            break;
        }
    }
    return __builtin_mul_overflow(halves, factor, &halves) ? most_halves : std::min(halves, most_halves);
}

// Half a unit for each effect and unit group, on the order level a whole one: there the sum is rounded, by half a unit
// for all lines, and allotment moves each by less than a unit, so that a line alone may have one and a half. As much
// for floors, and half for the sum of a cap. What is sure to come first may round to nothing, and leave what excludes
// it to what comes later.
std::int64_t halves_of_line(const Promises& promises, Measure measure) {
    if (measure == Measure::points) return halves_of_points(promises);
    const Program& program = promises.program;
    std::int64_t effects = 0, groups = 1, factor = 1, caps = 0;
    bool floors = false;
    for (Index b = 0; b < program.benefits.size(); b++) {
        const auto& [condition, type, rule] = program.benefits[b];
        if (promises.of_benefit[b].empty()) continue;
        const bool on_order = program.conditions[condition].level == Level::order;
        for (const auto& promise : promises.of_benefit[b]) {
            if (!rule->never_fails() || promise.share == 0) continue;
            factor = std::max(factor, whole_share / promise.share + 1);
        }
        const std::int64_t allotted = measure == Measure::line_discount ? 3 : 2;
        effects += on_order || promises.of_benefit[b].front().of_order ? allotted : 1;
        if (splits(*rule)) groups++;
        const auto reach = rule->reach();
        if (reach && reach->splits_all) groups = 2 * groups + 10;
    }
    for (const auto& group : program.groups) {
        caps += group.limits.max_discount_share || group.limits.max_discount_amount ? 1 : 0;
        floors = floors || group.limits.min_price_share || group.limits.min_price_amount;
    }
    bool excludes = false;
    for (const auto& group : program.groups) excludes = excludes || group.arbitration == Arbitration::incompatibility;
    for (const auto& condition : program.conditions) excludes = excludes || condition.untouched;
    return effects == 0 ? 0 : (effects * (excludes ? factor : 1) + (floors ? 1 : 0)) * groups + 2 * (groups - 1) + caps;
}

// --- The reasoning -------------------------------------------------------------------------------------------------

const char* how(Arbitration arbitration) {
    switch (arbitration) {
        case Arbitration::consistent:
            return "consistent: each takes from what the ones before leave";
        case Arbitration::summation:
            return "summation: what they take is added";
        case Arbitration::incompatibility:
            return "incompatibility: of what excludes each other the most";
        case Arbitration::max_benefit:
            return "max_benefit: one after the other, or added where they can be";
    }
    return "";
}

std::string shown_price(UnitPrice price, const Program& program) {
    std::string text;
    append_decimal(text, price.units, program.price_scale);
    return text;
}

std::string shown(std::int64_t units, const Program& program) {
    std::string text;
    append_decimal(text, units, program.currency_scale);
    return text;
}

std::string shown_percent(Share share) {
    std::string text = Decimal::of(share, 10).to_string();
    return text + " %";
}

std::string limits_of(const Group& group, const Program& program) {
    const Limits& limits = group.limits;
    std::string text;
    if (limits.max_discount_share) text += "; at most " + shown_percent(share_up(*limits.max_discount_share));
    if (limits.max_discount_amount) text += "; at most " + shown(limits.max_discount_amount->units, program);
    if (limits.min_price_share)
        text += "; leaves " + shown_percent(share_up(*limits.min_price_share)) + " of each price";
    if (limits.min_price_amount)
        text += "; leaves " + shown_price(*limits.min_price_amount, program) + " of each price";
    return text;
}

std::string reason_of(const Promise& promise, std::string_view benefit, const Program& program) {
    std::string text(benefit);
    if (promise.unknown) return text + ": nothing is promised";
    if (promise.gives_without_end) return text + ": any number of points";
    if (promise.gain > 0) return text + ": points worth " + shown_percent(promise.gain);
    if (promise.per_earned > 0)
        return text + ": " + shown_percent(promise.per_earned) + " of the points earned before it";
    if (promise.given) return text + ": points worth " + shown(*promise.given, program);
    if (promise.of_unit) return text + ": " + shown(*promise.of_unit, program) + " off each unit";
    if (promise.of_order) return text + ": " + shown(*promise.of_order, program) + " at most";
    return text + ": " + shown_percent(promise.share);
}

class Reasoning {
public:
    Reasoning(const Promises& promises, const Judge& judge, Measure measure)
        : promises_(promises), program_(promises.program), judge_(judge), measure_(measure) {}

    std::vector<BoundStep> take() {
        add(main_group, 0);
        return std::move(steps_);
    }

private:
    void add(const Child& node, int depth) {
        const std::size_t place = steps_.size();
        const auto at_most = most(node);
        if (depth > 0 && at_most == Share{0}) return;
        steps_.push_back({node, depth, at_most, node.is_group ? of_group(node.index) : of_promotion(node.index)});
        if (!node.is_group) return;
        for (const auto& child : program_.groups[node.index].children) add(child, depth + 1);
        if (depth > 0 && steps_.size() == place + 1) steps_.pop_back();
    }

    std::optional<Share> most(const Child& node) const {
        if (measure_ != Measure::points) return most_of(judge_, promises_, measure_, node);
        Share most = 0;
        for (std::uint32_t kind = 0; kind < promises_.kinds(); kind++) {
            const Gain gain = judge_.gain(node, kind);
            if (gain.without_end || (gain.share > 0 && judge_.raises_prices())) return std::nullopt;
            most = std::max(most, gain.share + gain.amount);
        }
        return most;
    }

    std::string of_group(Index index) const {
        const Group& group = program_.groups[index];
        const std::string limits = measure_ == Measure::points ? "" : limits_of(group, program_);
        const bool one_wins = group.arbitration == Arbitration::max_benefit && group.best != Best::combination;
        return (one_wins ? "max_benefit: the best of them" : how(group.arbitration)) + limits;
    }

    std::string of_promotion(Index index) const {
        const Promotion& promotion = program_.promotions[index];
        std::string text;
        for (Index c = promotion.first_condition; c < promotion.last_condition; c++) {
            for (Index b = program_.conditions[c].first_benefit; b < program_.conditions[c].last_benefit; b++) {
                const Promise* greatest = nullptr;
                for (const auto& promise : promises_.of_benefit[b]) {
                    if (counts(promise, c, index)) greatest = &promise;
                }
                if (!greatest) continue;
                if (!text.empty()) text += ", ";
                text += reason_of(*greatest, program_.benefits[b].type->name, program_);
                const auto from =
                    std::max({greatest->from, promises_.condition_from[c], promises_.promotion_from[index]});
                if (from > 0) text += " from " + shown(from, program_);
            }
        }
        return text;
    }

    bool counts(const Promise& promise, Index condition, Index promotion) const {
        const auto from = std::max(promises_.condition_from[condition], promises_.promotion_from[promotion]);
        const bool of_points =
            promise.gain > 0 || promise.given || promise.gives_without_end || promise.per_earned > 0;
        return judge_.is_here(promise, from) && of_points == (measure_ == Measure::points);
    }

    const Promises& promises_;
    const Program& program_;
    const Judge& judge_;
    Measure measure_;
    std::vector<BoundStep> steps_;
};

// --- The search ----------------------------------------------------------------------------------------------------

// Worlds and thresholds: several thresholds at once first, which takes too much for granted, and one by one where
// that comes to more than what is known.
class Tour {
public:
    Tour(const Promises& promises, Measure measure, const std::function<void()>& check_interrupts)
        : promises_(promises),
          measure_(measure),
          check_interrupts_(check_interrupts),
          left_(most_work / (1 + promises.program.promotions.size())) {
        best_.at_most = Share{-1};
    }

    void visit(const World& world) {
        // On one line nothing depends on how large the order is.
        if (measure_ == Measure::line_discount) {
            visit(world, 0, promises_.thresholds.size());
        } else {
            search(world, 0, promises_.thresholds.size());
        }
    }

    const Bound& best() const { return best_; }
    const Range& range() const { return range_; }

private:
    void search(const World& world, std::size_t first, std::size_t last) {
        if (!visit(world, first, last) || last - first == 1) return;
        if (left_ == 0) return;
        forget();
        const std::size_t middle = first + (last - first) / 2;
        search(world, first, middle);
        search(world, middle, last);
    }

    // Whether it comes to more than what is known; it is then what is known.
    bool visit(const World& world, std::size_t first, std::size_t last) {
        if (check_interrupts_) check_interrupts_();
        if (left_ > 0) left_--;
        const bool is_line = measure_ == Measure::line_discount;
        const Range range{promises_.thresholds[first], is_line ? any_goods : promises_.thresholds[last - 1]};
        const auto most = most_of(Judge(promises_, world, range), promises_, measure_, main_group);
        if (most == best_.at_most && best_.places.size() < most_places_kept) best_.places.push_back({world, range.low});
        if (!is_more(most, best_.at_most)) return false;
        before_ = best_;
        range_before_ = range_;
        best_.at_most = most;
        best_.places = {{world, range.low}};
        range_ = range;
        return true;
    }

    void forget() {
        best_ = before_;
        range_ = range_before_;
    }

    const Promises& promises_;
    Measure measure_;
    const std::function<void()>& check_interrupts_;
    std::size_t left_;
    Bound best_, before_;
    Range range_, range_before_;
};

}  // namespace

Bound find_bound(const Program& program, Measure measure, const std::function<void()>& check_interrupts) {
    const Promises promises(program);
    Tour tour(promises, measure, check_interrupts);
    const std::size_t most_worlds = most_work / (1 + program.promotions.size());
    for (const auto& world : all_worlds(program, std::max<std::size_t>(2, most_worlds))) tour.visit(world);
    Bound bound = tour.best();
    bound.halves_of_line = halves_of_line(promises, measure);
    const Judge judge(promises, bound.places.front().world, tour.range());
    bound.steps = Reasoning(promises, judge, measure).take();
    return bound;
}

}  // namespace loyalty
