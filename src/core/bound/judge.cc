#include "core/bound/judge.hpp"

#include "core/calculate/benefit.hpp"

namespace loyalty {

Judge::Judge(const Promises& promises, const World& world, const Range& range)
    : promises_(promises), program_(promises.program), world_(world), range_(range) {
    for (Index promotion = 0; promotion < program_.promotions.size(); promotion++) {
        here_.push_back(can_take_part(program_.promotions[promotion], world) &&
                        promises.promotion_from[promotion] <= range.high);
    }
}

bool Judge::raises_prices() const {
    for (Index promotion = 0; promotion < program_.promotions.size(); promotion++) {
        if (here_[promotion] && promises_.raises[promotion]) return true;
    }
    return false;
}

// --- What one benefit can do ---------------------------------------------------------------------------------------

Judge::Floors Judge::within(const Group& group, Floors floors) const {
    if (group.limits.min_price_share) {
        // Rounded down, for what is left.
        const Fraction& share = *group.limits.min_price_share;
        floors.share =
            std::max(floors.share, static_cast<Share>(int128{whole_share} * share.numerator / share.denominator));
    }
    if (group.limits.min_price_amount) floors.amount = std::max(floors.amount, *group.limits.min_price_amount);
    return floors;
}

Judge::Floors Judge::floors_above(const Child& node) const {
    Floors floors;
    Index group = node.is_group ? program_.groups[node.index].parent : program_.promotions[node.index].parent;
    for (; group != none; group = program_.groups[group].parent) floors = within(program_.groups[group], floors);
    return floors;
}

std::int64_t Judge::from_of(Index benefit) const {
    const Index condition = program_.benefits[benefit].condition;
    return std::max(promises_.condition_from[condition],
                    promises_.promotion_from[program_.conditions[condition].promotion]);
}

bool Judge::is_here(const Promise& promise, std::int64_t from) const {
    return std::max(promise.from, from) <= range_.high && (world_.member || !promise.pays);
}

// Of a price whatever it is. An amount off each unit above a floor takes most of a price that is the two together.
Share Judge::share_of(const Promise& promise, const Floors& floors) const {
    Share share = std::min(promise.share, whole_share - floors.share);
    if (promise.of_unit && !floors.amount.is_zero()) {
        const int128 off = int128{*promise.of_unit} * floors.amount.parts;
        share = std::min(share, share_up(off, off + floors.amount.units));
    }
    return share;
}

// An amount off orders of at least so much.
Share Judge::of_goods(std::int64_t amount, std::int64_t from) const {
    return share_up(amount, std::max(from, range_.low));
}

// --- By order ------------------------------------------------------------------------------------------------------

Curve Judge::curve_of_benefit(Index benefit, const Floors& floors) const {
    const std::int64_t from = from_of(benefit);
    Curve curve;
    for (const auto& promise : promises_.of_benefit[benefit]) {
        if (!is_here(promise, from)) continue;
        const Share most = promise.of_order ? of_goods(*promise.of_order, std::max(promise.from, from)) : whole_share;
        const Curve one(share_of(promise, floors), most);
        curve = curve.is_nothing() ? one : curve.or_else(one);
    }
    return curve;
}

// In the sequence in which the engine applies them.
Curve Judge::curve_of_promotion(Index index, const Floors& floors) const {
    const Promotion& promotion = program_.promotions[index];
    Curve all;
    if (!here_[index]) return all;
    for (const Level level : {Level::product, Level::order}) {
        for (Index c = promotion.first_condition; c < promotion.last_condition; c++) {
            const Condition& condition = program_.conditions[c];
            if (condition.level != level) continue;
            for (Index b = condition.first_benefit; b < condition.last_benefit; b++) {
                const Curve one = curve_of_benefit(b, floors);
                if (one.is_nothing()) continue;
                all = promotion.benefit_rule == BenefitRule::parallel ? all.plus(one) : all.then(one);
            }
        }
    }
    return all;
}

Curve Judge::curve_of_max_benefit(const Group& group, const Floors& floors) const {
    Curve in_order, sum;
    for (const auto& child : group.children) {
        const Curve one = curve(child, floors);
        if (one.is_nothing()) continue;
        in_order = in_order.then(one);
        sum = sum.plus(one);
    }
    return in_order.or_else(sum);
}

Curve Judge::curve(const Child& node, Floors floors) const {
    if (!node.is_group) return curve_of_promotion(node.index, floors);
    const Group& group = program_.groups[node.index];
    floors = within(group, floors);
    Curve all;
    const bool one_wins = group.arbitration == Arbitration::max_benefit && group.best != Best::combination;
    if (group.arbitration == Arbitration::max_benefit && !one_wins) {
        all = curve_of_max_benefit(group, floors);
    } else {
        const bool excludes = one_wins || group.arbitration == Arbitration::incompatibility;
        const std::size_t last = excludes && !one_wins ? reachable(group) : group.children.size();
        for (std::size_t i = 0; i < last; i++) {
            const Curve one = curve(group.children[i], floors);
            if (one.is_nothing()) continue;
            all = excludes                                      ? all.beside(one)
                  : group.arbitration == Arbitration::summation ? all.plus(one)
                                                                : all.then(one);
        }
    }
    if (all.is_nothing()) return all;
    if (group.limits.max_discount_share) all = all.at_most(share_up(*group.limits.max_discount_share));
    if (group.limits.max_discount_amount) all = all.at_most(of_goods(group.limits.max_discount_amount->units, 0));
    return all.at_most(off_line(node));
}

// --- By line -------------------------------------------------------------------------------------------------------

Share Judge::off_line(const Child& node, std::uint32_t kind) const {
    return whole_share - line(node, kind, {}, floors_above(node), false).left;
}

Share Judge::off_line(const Child& node) const {
    Share most = 0;
    for (std::uint32_t kind = 0; kind < promises_.kinds(); kind++) most = std::max(most, off_line(node, kind));
    return most;
}

bool Judge::applies(Index benefit, std::uint32_t kind) const {
    const auto& [index, type, rule] = program_.benefits[benefit];
    const Condition& condition = program_.conditions[index];
    if (condition.level == Level::order) return rule->segments().empty() || promises_.is_in_any(rule->segments(), kind);
    if (condition.mode == ConditionMode::in) return promises_.is_in_any(condition.segments, kind);
    return condition.mode == ConditionMode::all || promises_.can_be_outside_all(condition.segments, kind);
}

// An amount of the order may come to one line: others may have no room for their part.
Share Judge::left_by(Index benefit, Share left, const Floors& floors) const {
    const std::int64_t from = from_of(benefit);
    Share least = left;
    for (const auto& promise : promises_.of_benefit[benefit]) {
        if (!is_here(promise, from)) continue;
        const Share share = promise.spreads ? whole_share - floors.share : share_of(promise, floors);
        const Share after = times_down(left, whole_share - share);
        least = std::min(least, std::max(after, std::min(left, floors.share)));
    }
    return least;
}

bool Judge::is_summable(Index index) const {
    const Promotion& promotion = program_.promotions[index];
    for (Index c = promotion.first_condition; c < promotion.last_condition; c++) {
        for (Index b = program_.conditions[c].first_benefit; b < program_.conditions[c].last_benefit; b++) {
            if (!program_.benefits[b].type->summable) return false;
        }
    }
    return true;
}

// What is for untouched units sees those that were untouched when the promotion began; by whichever way less is left.
// Points pay, and touch nothing.
Judge::LineState Judge::line_of_promotion(Index index, std::uint32_t kind, LineState state, const Floors& floors,
                                          bool summable) const {
    const Promotion& promotion = program_.promotions[index];
    if (!here_[index] || (summable && !is_summable(index))) return state;
    const bool parallel = promotion.benefit_rule == BenefitRule::parallel;
    Share touched = state.left, untouched = state.untouched.value_or(whole_share);
    const Share begun = touched, begun_untouched = untouched;
    const auto apply = [&](Index benefit, Share& left, Share from) {
        left = parallel ? std::max<Share>(0, left - (from - left_by(benefit, from, floors)))
                        : left_by(benefit, left, floors);
    };
    for (const Level level : {Level::product, Level::order}) {
        for (Index c = promotion.first_condition; c < promotion.last_condition; c++) {
            const Condition& condition = program_.conditions[c];
            if (condition.level != level) continue;
            for (Index b = condition.first_benefit; b < condition.last_benefit; b++) {
                if (!applies(b, kind)) continue;
                if (!condition.untouched) apply(b, touched, begun);
                apply(b, untouched, begun_untouched);
            }
        }
    }
    touched = std::max(touched, std::min(begun, floors.share));
    untouched = std::max(untouched, std::min(begun_untouched, floors.share));
    if (!state.untouched) return {touched, std::nullopt};
    const Share left = std::min(touched, untouched);
    if (promotion.kind == PromotionKind::points) return {left, untouched};
    return {left, is_sure_of_promotion(index) ? std::nullopt : state.untouched};
}

Judge::LineState Judge::line(const Child& node, std::uint32_t kind, LineState state, Floors floors,
                             bool summable) const {
    if (!node.is_group) return line_of_promotion(node.index, kind, state, floors, summable);
    const Group& group = program_.groups[node.index];
    floors = within(group, floors);
    switch (group.arbitration) {
        case Arbitration::consistent:
            return line_in_order(group, kind, state, floors, summable);
        case Arbitration::summation:
            return line_of_sum(group, kind, state, floors, summable);
        case Arbitration::incompatibility:
            return line_of_one(group, kind, state, floors, summable);
        case Arbitration::max_benefit:
            break;
    }
    if (group.best != Best::combination) return line_of_winner(group, kind, state, floors, summable);
    const LineState in_order = line_of_chosen(group, kind, state, floors, summable);
    const LineState sum = line_of_sum(group, kind, state, floors, true);
    return {std::min(in_order.left, sum.left),
            std::min(in_order.untouched.value_or(whole_share), sum.untouched.value_or(whole_share))};
}

Judge::LineState Judge::line_in_order(const Group& group, std::uint32_t kind, LineState state, const Floors& floors,
                                      bool summable) const {
    for (const auto& child : group.children) state = line(child, kind, state, floors, summable);
    return state;
}

// One after the other, and any may be left out for the good of those behind it: what was untouched before it may be so
// behind it.
Judge::LineState Judge::line_of_chosen(const Group& group, std::uint32_t kind, LineState state, const Floors& floors,
                                       bool summable) const {
    for (const auto& child : group.children) {
        const LineState one = line(child, kind, state, floors, summable);
        state = {one.left, one.untouched ? one.untouched : state.untouched};
    }
    return state;
}

// A line that nothing has lowered and one that something has are two ways to go. A child with floors of its own takes
// the more of a line the less of it was taken before, and is asked about the full price.
Judge::LineState Judge::line_of_sum(const Group& group, std::uint32_t kind, LineState state, const Floors& floors,
                                    bool summable) const {
    Share touched = state.left, least = state.untouched.value_or(whole_share), untouched = least;
    bool is_touched = !state.untouched;
    for (const auto& child : group.children) {
        const bool as_full = has_floors(child);
        const Share begun = as_full ? whole_share : state.left;
        touched -= begun - line(child, kind, {begun, std::nullopt}, floors, summable).left;
        if (is_sure(child, Sure::lowered)) is_touched = true;
        if (!state.untouched) continue;
        const Share unlowered = as_full ? whole_share : *state.untouched;
        const LineState one = line(child, kind, {unlowered, unlowered}, floors, summable);
        least -= unlowered - one.left;
        untouched -= unlowered - one.untouched.value_or(unlowered);
    }
    const auto floored = [&](Share left, Share from) {
        return std::max({Share{0}, left, std::min(from, floors.share)});
    };
    touched = floored(touched, state.left);
    if (!state.untouched) return {touched, std::nullopt};
    const Share left = std::min(touched, floored(least, *state.untouched));
    if (is_touched) return {left, std::nullopt};
    return {left, floored(untouched, *state.untouched)};
}

Judge::LineState Judge::line_of_one(const Group& group, std::uint32_t kind, LineState state, const Floors& floors,
                                    bool summable) const {
    LineState least = state;
    const std::size_t last = reachable(group);
    for (std::size_t i = 0; i < last; i++) {
        const LineState one = line(group.children[i], kind, state, floors, summable);
        least.left = std::min(least.left, one.left);
        if (one.untouched) least.untouched = std::min(*least.untouched, *one.untouched);
    }
    if (last > 0 && is_sure(group.children.front(), Sure::lowered)) least.untouched.reset();
    return least;
}

// Whichever child is the best one for the order, or for the line.
Judge::LineState Judge::line_of_winner(const Group& group, std::uint32_t kind, LineState state, const Floors& floors,
                                       bool summable) const {
    LineState least = state;
    for (const auto& child : group.children) {
        const LineState one = line(child, kind, state, floors, summable);
        least.left = std::min(least.left, one.left);
        if (one.untouched) least.untouched = std::min(*least.untouched, *one.untouched);
    }
    return least;
}

bool Judge::has_floors(const Child& node) const {
    if (!node.is_group) return false;
    const Group& group = program_.groups[node.index];
    if (group.limits.min_price_share || group.limits.min_price_amount) return true;
    for (const auto& child : group.children) {
        if (has_floors(child)) return true;
    }
    return false;
}

std::size_t Judge::reachable(const Group& group) const {
    if (!group.children.empty() && takes_the_order(group.children.front(), group)) return 1;
    for (std::size_t i = 0; i < group.children.size(); i++) {
        if (is_sure(group.children[i], Sure::taken)) return i + 1;
    }
    return group.children.size();
}

// Limits of a group may leave nothing of what its children do. Where they exclude each other, an earlier one may take
// units without lowering them.
bool Judge::is_sure(const Child& node, Sure of) const {
    if (!node.is_group) return is_sure_of_promotion(node.index);
    const Group& group = program_.groups[node.index];
    const Limits& limits = group.limits;
    if (limits.max_discount_share || limits.max_discount_amount || limits.min_price_share || limits.min_price_amount ||
        group.arbitration == Arbitration::max_benefit)
        return false;
    const bool only_first = of == Sure::lowered && group.arbitration == Arbitration::incompatibility;
    for (const auto& child : group.children) {
        if (is_sure(child, of)) return true;
        if (only_first) return false;
    }
    return false;
}

bool Judge::is_sure_of_promotion(Index index) const { return is_sure_of(index, Level::product); }

// A promotion that reduces the whole order, and comes first of all that exclude each other.
bool Judge::takes_the_order(const Child& first, const Group& group) const {
    if (first.is_group || !is_sure_of(first.index, Level::order)) return false;
    for (Index outer = group.parent; outer != none; outer = program_.groups[outer].parent) {
        if (program_.groups[outer].arbitration == Arbitration::incompatibility) return false;
    }
    return true;
}

bool Judge::is_sure_of(Index index, Level level) const {
    const Promotion& promotion = program_.promotions[index];
    if (!must_take_part(promotion, world_)) return false;
    for (Index c = promotion.first_condition; c < promotion.last_condition; c++) {
        const Condition& condition = program_.conditions[c];
        if (condition.level != level || condition.mode != ConditionMode::all || condition.untouched ||
            condition.minimum.any())
            continue;
        for (Index b = condition.first_benefit; b < condition.last_benefit; b++) {
            if (program_.benefits[b].rule->never_fails()) return true;
        }
    }
    return false;
}

// --- Points --------------------------------------------------------------------------------------------------------

namespace {

// What is more than so many times the price of the goods counts as without end.
constexpr Share most_gain = whole_share * 1'000'000;

// A multiplier sees what lines earned of what was given for the order, too; in which of them that lies is left open.
Gain multiplied(const Gain& before, Share times, bool sees_kind) {
    const auto product = [&](Share one) { return (int128{one} * times + whole_share - 1) / whole_share; };
    const int128 share = sees_kind ? product(before.share) : 0, amount = product(before.amount);
    if (share > most_gain || amount > most_gain) return {0, 0, true};
    return {static_cast<Share>(share), static_cast<Share>(amount), false};
}

}  // namespace

Gain& Gain::operator+=(const Gain& other) {
    share += other.share;
    amount += other.amount;
    without_end = without_end || other.without_end || share > most_gain || amount > most_gain;
    if (without_end) share = amount = 0;
    return *this;
}

Gain Judge::gain_of_benefit(Index benefit, std::uint32_t kind, const Gain& before) const {
    Gain most;
    const std::int64_t from = from_of(benefit);
    for (const auto& promise : promises_.of_benefit[benefit]) {
        if (!is_here(promise, from)) continue;
        if (promise.per_earned != 0) return multiplied(before, promise.per_earned, applies(benefit, kind));
        if (applies(benefit, kind)) most.share = std::max(most.share, promise.gain);
        if (promise.gives_without_end) most.without_end = true;
        if (!promise.given) continue;
        const std::int64_t goods = std::max({promise.from, from, range_.low});
        if (goods == 0) most.without_end = true;
        most.amount = std::max(most.amount, share_up(*promise.given, goods, most_gain));
    }
    return most;
}

Gain Judge::gain_of_promotion(Index index, std::uint32_t kind, const Gain& before) const {
    const Promotion& promotion = program_.promotions[index];
    Gain all;
    if (!here_[index] || !world_.member) return all;
    for (const Level level : {Level::product, Level::order}) {
        for (Index c = promotion.first_condition; c < promotion.last_condition; c++) {
            if (program_.conditions[c].level == level) add_gain(c, kind, before, all);
        }
    }
    return all;
}

void Judge::add_gain(Index condition, std::uint32_t kind, const Gain& before, Gain& all) const {
    const Condition& of = program_.conditions[condition];
    for (Index b = of.first_benefit; b < of.last_benefit; b++) {
        Gain earned = before;
        earned += all;
        all += gain_of_benefit(b, kind, earned);
    }
}

// What excludes each other shares out the goods, and one of them has the order.
Gain Judge::gain(const Child& node, std::uint32_t kind, const Gain& before) const {
    if (!node.is_group) return gain_of_promotion(node.index, kind, before);
    const Group& group = program_.groups[node.index];
    const bool excludes = group.arbitration == Arbitration::incompatibility;
    Gain all;
    for (const auto& child : group.children) {
        const Gain one = gain(child, kind, all);
        if (!excludes) {
            all += one;
            continue;
        }
        all.share = std::max(all.share, one.share);
        all.amount = std::max(all.amount, one.amount);
        all.without_end = all.without_end || one.without_end;
    }
    return all;
}

}  // namespace loyalty
