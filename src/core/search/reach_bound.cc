#include "core/search/reach_bound.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

namespace loyalty {

namespace {

constexpr std::int64_t one = std::int64_t{1} << 30;
constexpr std::int64_t half = one / 2;
constexpr std::int64_t without_end = INT64_MAX;
constexpr std::uint32_t nowhere = ~std::uint32_t{0};
constexpr std::uint32_t all_lines = nowhere;

// A factor in 1/one, rounded down; nothing beyond a million.
std::optional<std::int64_t> fixed(const Fraction& factor) {
    const int128 whole = factor.numerator / factor.denominator;
    if (whole > 1'000'000) return std::nullopt;
    const int128 rest = factor.numerator % factor.denominator;
    const int128 part = factor.denominator < (int128{1} << 96) ? rest * one / factor.denominator : 0;
    return static_cast<std::int64_t>(whole * one + part);
}

std::int64_t whole(int128 fixed) { return static_cast<std::int64_t>(std::min<int128>(fixed >> 30, without_end)); }

std::int64_t sum_of(std::int64_t a, std::int64_t b) {
    std::int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? without_end : sum;
}

// amount × quantity (in millionths), rounded up.
std::int64_t times_up(const Fraction& amount, int128 quantity) {
    int128 product;
    if (__builtin_mul_overflow(amount.numerator, quantity, &product)) return without_end;
    const Fraction exact = Fraction{product, one_unit.units}.reduced();
    const int128 units = exact.numerator / exact.denominator / amount.denominator + 1;
    const bool is_whole = exact.denominator == 1 && exact.numerator % amount.denominator == 0;
    return static_cast<std::int64_t>(std::min<int128>(is_whole ? units - 1 : units, without_end));
}

std::int64_t items_of(Quantity quantity) { return (quantity.units + one_unit.units - 1) / one_unit.units; }

}  // namespace

ReachBound::ReachBound(const SearchProblem& problem, const std::vector<std::size_t>& children)
    : problem_(problem), size_(children.size()), place_of_(problem.order().lines.size(), nowhere) {
    std::vector<std::pair<std::uint32_t, Index>> benefits;
    for (std::uint32_t i = 0; i < size_; i++) {
        for_each_benefit(problem.program(), *problem.children[children[i]],
                         [&](Index benefit) { benefits.emplace_back(i, benefit); });
    }
    for (const auto& [child, benefit] : benefits) {
        for (const auto line : problem_.visible_lines(benefit)) place_of_[line] = 0;
    }
    for (std::uint32_t line = 0; line < place_of_.size(); line++) {
        if (place_of_[line] == nowhere) continue;
        place_of_[line] = static_cast<std::uint32_t>(lines_.size());
        const Quantity quantity = problem.order().lines[line].quantity;
        const Money floor = problem.arbiter.bounds().floor(line, quantity, *problem.scope.enclosing);
        lines_.push_back({line, items_of(quantity), floor.units});
    }
    shipping_ = static_cast<std::uint32_t>(lines_.size());
    now_.resize(lines_.size() + 1);
    of_line_.assign((size_ + 1) * now_.size(), Ahead{one, 0, 0, 0, 0, 0});
    of_all_.resize(size_ + 1);
    for (const auto& [child, benefit] : benefits) add_benefit(children, child, benefit);
    sum_up_ahead();
    weigh_picks();
    find_keeps();
}

void ReachBound::add_benefit(const std::vector<std::size_t>& children, std::uint32_t child, Index benefit) {
    const Benefit& rule = *problem_.program().benefits[benefit].rule;
    const auto reach = rule.reach();
    const Index promotion = problem_.program().conditions[problem_.program().benefits[benefit].condition].promotion;
    // What is asked for at current prices may be there only when others have raised these.
    const bool is_fixed = reach && (reach->gives || reach->points == Reach::Points::fixed);
    if (!reach || (is_fixed && asks_at_current_prices(problem_.program(), promotion))) {
        first_known_ = std::max<std::size_t>(first_known_, child + 1);
        return;
    }
    std::vector<std::uint32_t> lines = problem_.visible_lines(benefit);
    for (auto& line : lines) line = place_of_[line];
    Cut cut;
    cut.child = child;
    cut.share = std::min(one, fixed(reach->share).value_or(one) + 1);
    cut.on_order = problem_.is_on_order(benefit) || reach->once;
    if (reach->pays) cut.point_type = rule.point_type();
    const Index c = problem_.program().benefits[benefit].condition;
    // Where others take units away from it, the cheapest may become dearer.
    cut.splits_all = reach->splits_all;
    cut.cheapest = reach->cheapest && !problem_.scope.taken && !problem_.program().conditions[c].untouched &&
                   !problem_.children[children[child]]->is_group;
    if (reach->goods && !lines.empty()) add_cuts(cut, *reach, lines);
    if (reach->shipping) add_line_cut(cut, *reach, shipping_);
    if (reach->points != Reach::Points::none) add_accruals(child, benefit, *reach, lines);
    AheadOfAll& ahead = of_all_[child];
    if (reach->gives) {
        const Proposal proposal = problem_.arbiter.propose(benefit, problem_.state, problem_.scope, nullptr);
        if (proposal.gift) ahead.accrued += problem_.worth_of(proposal.gift->worth);
    }
    if (reach->items) ahead.splits += reach->splits_all ? std::int64_t{1'000'000'000} : 1;
    if (reach->raise.numerator == 0) return;
    std::int64_t& raise = cut.on_order ? ahead.raise_of_order : ahead.raise_of_unit;
    raise = sum_of(raise, times_up(reach->raise, one_unit.units));
}

// A share of the order is allotted over its lines, and so is one of each of them; an amount is one for all of them.
void ReachBound::add_cuts(Cut cut, const Reach& reach, const std::vector<std::uint32_t>& lines) {
    if (!reach.items && !(reach.amount && cut.on_order)) {
        for (const auto line : lines) add_line_cut(cut, reach, line);
        return;
    }
    cut.line = all_lines;
    std::int64_t items = 0;
    for (const auto line : lines) items += lines_[line].items;
    cut.items = reach.items ? std::min(*reach.items, items) : items;
    const int128 units = cut.on_order ? 1 : cut.items;
    cut.amount = reach.amount ? times_up(*reach.amount, units * one_unit.units) : without_end;
    cut.sees = 0;
    for (const auto line : lines) {
        if (line < 64) cut.sees |= std::uint64_t{1} << line;
    }
    cuts_.push_back(cut);
    picks_ = true;
}

void ReachBound::add_line_cut(Cut cut, const Reach& reach, std::uint32_t line) {
    cut.line = line;
    const bool is_one = cut.on_order || line == shipping_;
    cut.amount = without_end;
    if (reach.amount) {
        const int128 quantity = is_one ? one_unit.units : problem_.order().lines[lines_[line].line].quantity.units;
        cut.amount = times_up(*reach.amount, quantity);
    }
    cuts_.push_back(cut);
    if (cut.point_type != no_point_type) return;
    Ahead& ahead = of_line(cut.child, line);
    if (reach.amount) {
        ahead.amounts = sum_of(ahead.amounts, cut.amount);
    } else {
        // Benefits of one child may all work on the same price.
        ahead.left = std::max<std::int64_t>(0, ahead.left - cut.share);
    }
    // On the order level the sum is rounded once, and allotment moves each group by less than a unit.
    ahead.halves_of_group += is_one ? 2 : 1;
    ahead.halves += is_one ? 1 : 0;
}

void ReachBound::add_accruals(std::uint32_t child, Index benefit, const Reach& reach,
                              const std::vector<std::uint32_t>& lines) {
    const std::uint32_t type = problem_.program().benefits[benefit].rule->point_type();
    const PointType& point_type = problem_.program().point_types[type];
    AheadOfAll& ahead = of_all_[child];
    if (reach.points == Reach::Points::fixed) {
        const Proposal proposal = problem_.arbiter.propose(benefit, problem_.state, problem_.scope, nullptr);
        for (const auto& accrual : proposal.accruals) ahead.accrued += problem_.worth_of(accrual.points, type);
        return;
    }
    if (point_type.value == 0) return;
    const auto lines_rounded = static_cast<int128>(problem_.is_on_order(benefit) ? 1 : lines.size());
    const int halves_each = point_type.rounding == Rounding::up ? 2 : 1;
    ahead.accrued += checked_product(point_type.value, lines_rounded * halves_each + 1) / 2;
    const auto gain = fixed(reach.points_per_money * point_type.points_per_money.inverse());
    if (!gain) first_known_ = std::max<std::size_t>(first_known_, child + 1);
    for (const auto line : lines) {
        of_line(child, line).gain += gain.value_or(0) + 1;
        of_line(child, line).sure_gain += gain.value_or(0);
    }
}

// From what each child can do to what it and those behind it can do.
void ReachBound::sum_up_ahead() {
    for (std::size_t child = size_; child-- > 0;) {
        for (std::size_t line = 0; line < now_.size(); line++) {
            Ahead& here = of_line(child, line);
            const Ahead& behind = of_line(child + 1, line);
            here.left = whole(static_cast<int128>(here.left) * behind.left);
            here.amounts = sum_of(here.amounts, behind.amounts);
            here.halves_of_group += behind.halves_of_group;
            here.halves += behind.halves;
            here.gain += behind.gain;
            here.sure_gain += behind.sure_gain;
        }
        AheadOfAll& here = of_all_[child];
        const AheadOfAll& behind = of_all_[child + 1];
        here.accrued += behind.accrued;
        here.splits += behind.splits;
        here.raise_of_unit = sum_of(here.raise_of_unit, behind.raise_of_unit);
        here.raise_of_order = sum_of(here.raise_of_order, behind.raise_of_order);
    }
}

void ReachBound::weigh_picks() {
    constexpr std::size_t most_lines = 64;
    if (lines_.size() > most_lines) return;
    std::vector<int> cuts_of(size_);
    for (const auto& cut : cuts_) cuts_of[cut.child]++;
    for (auto& cut : cuts_) {
        // Several cuts of a child may work on the same prices, and so take more than one after the other.
        cut.weighed = cuts_of[cut.child] == 1 && can_be_weighed(cut);
        if (cut.weighed) {
            pick_bound_.add({cut.child, cut.sees, cut.share, cut.items, cut.cheapest});
        } else if (cut.line != shipping_) {
            pick_bound_.mix_with_others(cut.line == all_lines ? cut.sees : std::uint64_t{1} << cut.line);
        }
    }
}

bool ReachBound::can_be_weighed(const Cut& cut) const {
    return cut.line == all_lines && cut.amount == without_end && !cut.on_order && !cut.splits_all &&
           cut.point_type == no_point_type && PickBound::is_weighed(cut.share, cut.items);
}

void ReachBound::find_keeps() {
    const auto keeps = [this](std::size_t child, std::size_t line) {
        return std::max<std::int64_t>(0, one - of_line(child + 1, line).sure_gain);
    };
    for (auto& cut : cuts_) {
        if (cut.line != all_lines) {
            cut.keeps = keeps(cut.child, cut.line);
            continue;
        }
        for (std::size_t line = 0; line < lines_.size(); line++) {
            if (line >= 64 || (cut.sees >> line & 1)) cut.keeps = std::max(cut.keeps, keeps(cut.child, line));
        }
    }
    std::stable_sort(cuts_.begin(), cuts_.end(), [](const Cut& a, const Cut& b) { return a.keeps > b.keeps; });
}

Worth ReachBound::most(std::size_t next, const State& state, Terms terms) {
    look(next, state);
    const Bounds& bounds = problem_.arbiter.bounds();
    budgets_.clear();
    for (std::uint32_t type = 0; type < state.paid.size(); type++)
        budgets_.push_back(terms.points ? bounds.budget_left(state, type).units : 0);
    std::int64_t goods = std::min(room_, bounds.reduction_left(state, *problem_.scope.enclosing).units);
    std::int64_t picked = terms.summed ? without_end : most_picked(next);
    int128 kept = 0;
    for (const auto& cut : cuts_) {
        if (cut.child < next) continue;
        std::int64_t taken = most_of(cut);
        const auto take = [&](std::int64_t& left) { left -= taken = std::min(taken, left); };
        if (cut.weighed) take(picked);
        if (cut.line != shipping_) taken = std::min(taken, goods);
        if (cut.point_type != no_point_type) {
            take(budgets_[cut.point_type]);
        } else if (cut.line != all_lines && !terms.summed) {
            take(now_[cut.line].left);
        }
        if (cut.line != shipping_) goods -= taken;
        kept += static_cast<int128>(taken) * (terms.losses ? cut.keeps : one);
    }
    return problem_.worth_of(Money{whole(kept + one - 1)}) + accruals(next, size_);
}

std::int64_t ReachBound::most_picked(std::size_t next) {
    const bool may_rise = raise_of_unit_ != 0 || raise_of_order_ != 0;
    if (may_rise) return without_end;
    problem_.arbiter.work().add(Step::pick, pick_bound_.size(next) * units_.size());
    return pick_bound_.most(next, units_);
}

template <class Counts>
std::int64_t ReachBound::sum_of_cuts(const State& state, const Counts& counts) {
    look(0, state);
    std::int64_t sum = 0;
    for (const auto& cut : cuts_) {
        if (counts(cut)) sum = sum_of(sum, most_of(cut));
    }
    return sum;
}

bool ReachBound::may_exceed_discount(const State& state) {
    const Money left = problem_.arbiter.bounds().reduction_left(state, *problem_.scope.enclosing);
    return !known(0) || sum_of_cuts(state, [this](const Cut& cut) { return cut.line != shipping_; }) > left.units;
}

bool ReachBound::may_exceed_budget(const State& state, std::uint32_t point_type) {
    const Money left = problem_.arbiter.bounds().budget_left(state, point_type);
    return !known(0) || sum_of_cuts(state, [&](const Cut& cut) { return cut.point_type == point_type; }) > left.units;
}

void ReachBound::look(std::size_t next, const State& state) {
    Work& work = problem_.arbiter.work();
    work.add(Step::group, state.groups.size() + now_.size());
    work.add(Step::cut, cuts_.size());
    look_at_groups(state);
    expect_splits(next);
    expect_raises(next);
    for (std::size_t line = 0; line < now_.size(); line++) {
        LineNow& now = now_[line];
        const Ahead& ahead = of_line(next, line);
        const int128 rounding = static_cast<int128>(ahead.halves_of_group) * now.groups + ahead.halves;
        const std::int64_t shares = whole(static_cast<int128>(now.total) * (one - ahead.left) + rounding * half);
        now.left = std::min(now.total, sum_of(shares, ahead.amounts));
    }
}

void ReachBound::look_at_groups(const State& state) {
    std::fill(now_.begin(), now_.end(), LineNow{});
    now_[shipping_] = {state.shipping.units, 1, 0};
    units_.clear();
    room_ = 0;
    for (const auto& group : state.groups) {
        const auto place = place_of_[group.line];
        if (place == nowhere) continue;
        now_[place].total += group.total.units;
        now_[place].groups++;
        room_ = sum_of(room_, room(group, lines_[place]));
        if (picks_) units_.push_back({group.total.units, group.quantity().units, place});
    }
    std::sort(units_.begin(), units_.end(), [](const auto& a, const auto& b) {
        return static_cast<int128>(a.total) * b.quantity > static_cast<int128>(b.total) * a.quantity;
    });
}

// Floors of the parts of a group may be half a unit less for each part.
void ReachBound::expect_splits(std::size_t next) {
    groups_ = 0;
    splits_ = 0;
    for (std::size_t line = 0; line < lines_.size(); line++) {
        LineNow& now = now_[line];
        const std::int64_t most = std::max(now.groups, std::min(now.groups + of_all_[next].splits, lines_[line].items));
        if (lines_[line].floor > 0 && most > now.groups) room_ = sum_of(room_, most);
        splits_ += most - now.groups;
        now.groups = most;
        groups_ += most;
    }
    splits_ = std::min(splits_, of_all_[next].splits);
}

void ReachBound::expect_raises(std::size_t next) {
    raise_of_unit_ = of_all_[next].raise_of_unit;
    raise_of_order_ = of_all_[next].raise_of_order;
    if (raise_of_unit_ == 0 && raise_of_order_ == 0) return;
    for (std::size_t line = 0; line < lines_.size(); line++) {
        LineNow& now = now_[line];
        const int128 quantity = problem_.order().lines[lines_[line].line].quantity.units;
        const std::int64_t raise = sum_of(times_up(Fraction{raise_of_unit_, 1}, quantity), raise_of_order_);
        now.total = sum_of(now.total, sum_of(raise, now.groups));
        room_ = sum_of(room_, sum_of(raise, now.groups));
    }
}

std::int64_t ReachBound::room(const UnitGroup& group, const Line& line) const {
    if (line.floor == 0) return group.total.units;
    const Quantity all = problem_.order().lines[line.line].quantity;
    const std::int64_t floor =
        group.quantity() == all
            ? line.floor
            : problem_.arbiter.bounds().floor(line.line, group.quantity(), *problem_.scope.enclosing).units;
    return std::max<std::int64_t>(0, group.total.units - floor);
}

std::int64_t ReachBound::most_of(const Cut& cut) const {
    if (cut.line == all_lines) return most_of_several(cut);
    const LineNow& now = now_[cut.line];
    const std::int64_t rounding = cut.on_order ? half + now.groups * one : now.groups * half;
    const std::int64_t share = whole(static_cast<int128>(now.total) * cut.share + rounding);
    return std::min({now.total, share, sum_of(cut.amount, now.groups / 2)});
}

std::int64_t ReachBound::most_of_several(const Cut& cut) const {
    const std::int64_t parts = std::min(cut.items, groups_);
    const std::int64_t rounding = cut.on_order ? half : parts * half;
    std::int64_t base = sum_of(dearest(cut), splits_);
    if (raise_of_unit_ != 0 || raise_of_order_ != 0) {
        const std::int64_t raise = times_up(Fraction{raise_of_unit_, 1}, int128{cut.items} * one_unit.units);
        base = sum_of(base, sum_of(raise, sum_of(raise_of_order_, groups_)));
    }
    const std::int64_t share = whole(static_cast<int128>(base) * cut.share + rounding);
    return std::min({base, share, cut.on_order ? cut.amount : sum_of(cut.amount, parts / 2)});
}

// What the most expensive units cost that the cut can take.
std::int64_t ReachBound::dearest(const Cut& cut) const {
    int128 quantity = static_cast<int128>(cut.items) * one_unit.units;
    std::int64_t sum = 0;
    for (const auto& units : units_) {
        if (units.line < 64 && !(cut.sees >> units.line & 1)) continue;
        if (units.quantity >= quantity) {
            sum += static_cast<std::int64_t>((units.total * quantity + units.quantity - 1) / units.quantity);
            break;
        }
        sum += units.total;
        quantity -= units.quantity;
    }
    return sum;
}

Worth ReachBound::accruals(std::size_t first, std::size_t last) const {
    int128 gain = 0;
    for (std::size_t line = 0; line < lines_.size(); line++)
        gain += static_cast<int128>(now_[line].total) * (of_line(first, line).gain - of_line(last, line).gain);
    return of_all_[first].accrued - of_all_[last].accrued + problem_.worth_of(Money{whole(gain + one - 1)});
}

namespace {

// How many of the largest values it takes to reach `need`.
std::size_t how_many(std::vector<Worth>& values, Worth need) {
    std::sort(values.begin(), values.end(), std::greater<>());
    std::size_t count = 0;
    for (; need > 0 && count < values.size(); count++) need -= values[count];
    return count;
}

}  // namespace

// Children that take something off and children that only accrue are counted apart, each for what the others cannot
// bring even all together.
std::size_t ReachBound::fewest(std::size_t next, const State& state, Worth need) {
    // Without some of the accruals less is lost to them.
    const Worth all = most(next, state, {.losses = false});
    std::vector<Worth> worth(size_ - next);
    std::vector<bool> reduces(size_ - next);
    for (const auto& cut : cuts_) {
        if (cut.child < next) continue;
        worth[cut.child - next] += problem_.worth_of(Money{most_of(cut)});
        reduces[cut.child - next] = true;
    }
    std::vector<Worth> reducing, accruing;
    Worth accrued_by_reducing = 0, accrued = 0;
    for (std::size_t i = 0; i < worth.size(); i++) {
        const Worth points = accruals(next + i, next + i + 1);
        (reduces[i] ? reducing : accruing).push_back(worth[i] + points);
        (reduces[i] ? accrued_by_reducing : accrued) += points;
    }
    const Worth all_reducing = all - accruals(next, size_) + accrued_by_reducing;
    return how_many(reducing, need - accrued) + how_many(accruing, need - all_reducing);
}

}  // namespace loyalty
