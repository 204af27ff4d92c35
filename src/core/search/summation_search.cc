#include "core/search/summation_search.hpp"

#include <algorithm>
#include <functional>

namespace loyalty {

namespace {

bool takes_off(const Entry& entry) { return !entry.applied.is_zero(); }

bool is_on_goods(const Entry& entry) { return takes_off(entry) && entry.target == Entry::Target::line; }

// amount × part / all.
std::int64_t share_up(std::int64_t amount, Quantity part, Quantity all) {
    return static_cast<std::int64_t>((static_cast<int128>(amount) * part.units + all.units - 1) / all.units);
}

}  // namespace

SummationSearch::SummationSearch(const SearchProblem& problem, const std::vector<Alone>& alone, const Chosen& children)
    : problem_(problem),
      alone_(alone),
      allowed_(problem.arbiter.bounds().reduction_left(problem.state, *problem.scope.enclosing).units) {
    for (std::uint32_t type = 0; type < problem.state.paid.size(); type++)
        budgets_.push_back(problem.arbiter.bounds().budget_left(problem.state, type).units);
    cut_pieces(children);
    for (const auto child : children) add_child(child);
    sort_pieces();
    paying_types_ = count_paying_types();
    for (const auto child : children)
        looks_around_ = looks_around_ || looks_around(problem.program(), *problem.children[child]);
    find_covered();
    decided_.pieces.resize(pieces_.size());
    decided_.groups.resize(groups_.size());
    decided_.paid.resize(budgets_.size());
    possible_ = decided_;
    for (const auto& summand : summands_) {
        numbers_.push_back(summand.child);
        possible_.add(summand, 1);
        shares_ += summand.of_pieces.size() + summand.of_groups.size();
    }
}

Found SummationSearch::run() {
    // What it is worth at least, however early it ends.
    consider(numbers_);
    take_greedily();
    descend(0);
    if (best_) {
        found_.raise_bound(best_->worth);
        best_->worth += accrued_;
        best_->children.insert(best_->children.end(), accruing_.begin(), accruing_.end());
        std::sort(best_->children.begin(), best_->children.end());
        found_.best = std::move(best_);
    }
    if (found_.bound) *found_.bound += accrued_;
    return std::move(found_);
}

// --- Pieces
// -----------------------------------------------------------------------------------------------------------

void SummationSearch::cut_pieces(const std::vector<std::size_t>& children) {
    std::vector<Entry> entries;
    for (const auto child : children)
        std::copy_if(alone_[child].entries.begin(), alone_[child].entries.end(), std::back_inserter(entries),
                     is_on_goods);
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.line < b.line; });
    auto entry = entries.begin();
    for (const auto& group : problem_.state.groups) {
        while (entry != entries.end() && entry->line < group.line) ++entry;
        if (entry == entries.end() || entry->line != group.line) continue;
        std::vector<Quantity> borders{group.from, group.to};
        for (auto e = entry; e != entries.end() && e->line == group.line; ++e) {
            for (const Quantity border : {e->from, e->to}) {
                if (border > group.from && border < group.to) borders.push_back(border);
            }
        }
        std::sort(borders.begin(), borders.end());
        borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
        add_group(group, borders);
    }
}

// Where rounding cannot come in, rooms are exact; otherwise two more for each piece is enough: less than one by its
// price and half by the floors of each part and of the whole.
void SummationSearch::add_group(const UnitGroup& group, const std::vector<Quantity>& borders) {
    const bool even = divides_evenly(group, borders);
    const std::size_t first = pieces_.size();
    for (std::size_t i = 0; i + 1 < borders.size(); i++) {
        const Quantity quantity = borders[i + 1] - borders[i];
        const std::int64_t price = share_up(group.total.units, quantity, group.quantity());
        const std::int64_t room = price - floor(group, quantity) + (even ? 0 : 2);
        pieces_.push_back({borders[i], borders[i + 1], std::max<std::int64_t>(0, room)});
    }
    const auto pieces = static_cast<std::int64_t>(borders.size() - 1);
    const std::int64_t floor_of_all = floor(group, group.quantity());
    const std::int64_t room = group.total.units - floor_of_all + (even || floor_of_all == 0 ? 0 : 2 * pieces);
    groups_.push_back({group.line, first, pieces_.size(), std::max<std::int64_t>(0, room)});
}

std::int64_t SummationSearch::floor(const UnitGroup& group, Quantity quantity) const {
    return problem_.arbiter.bounds().floor(group.line, quantity, *problem_.scope.enclosing).units;
}

// A floor that n units have n times, any fewer units have as often: what its rounding moves grows with the quantity.
bool SummationSearch::divides_evenly(const UnitGroup& group, const std::vector<Quantity>& borders) const {
    if (borders.size() == 2) return true;
    for (const Quantity border : borders) {
        const Quantity part = border - group.from;
        if (static_cast<int128>(group.total.units) * part.units % group.quantity().units != 0) return false;
        if (part.units % one_unit.units != 0) return false;
    }
    return floor(group, group.quantity()) == floor(group, one_unit) * (group.quantity().units / one_unit.units);
}

// --- Summands
// ---------------------------------------------------------------------------------------------------------

void SummationSearch::add_child(std::size_t child) {
    const Entries& entries = alone_[child].entries;
    Summand summand{child};
    summand.accrued = problem_.accrued(entries);
    for (const auto& entry : entries) {
        if (is_on_goods(entry)) {
            spread(entry, summand);
        } else if (takes_off(entry)) {
            summand.shipping += entry.applied.units;
        }
    }
    add_up(summand.of_pieces);
    add_up(summand.of_groups);
    if (!summand.of_groups.empty() || summand.shipping != 0) {
        summands_.push_back(std::move(summand));
    } else if (summand.accrued > 0) {
        accruing_.push_back(child);
        accrued_ += summand.accrued;
    }
}

// One share for each place and point type, in the order of places.
void SummationSearch::add_up(std::vector<Share>& shares) {
    const auto key = [](const Share& share) { return std::pair{share.place, share.point_type}; };
    std::sort(shares.begin(), shares.end(), [&](const Share& a, const Share& b) { return key(a) < key(b); });
    std::vector<Share> sums;
    for (const auto& share : shares) {
        if (!sums.empty() && key(sums.back()) == key(share)) {
            sums.back().amount += share.amount;
        } else {
            sums.push_back(share);
        }
    }
    shares = std::move(sums);
}

// An effect lies within one unit group.
void SummationSearch::spread(const Entry& entry, Summand& summand) const {
    auto group = std::lower_bound(groups_.begin(), groups_.end(), entry.line,
                                  [](const Group& g, std::uint32_t line) { return g.line < line; });
    while (pieces_[group->last - 1].to <= entry.from) ++group;
    summand.of_groups.push_back(
        {static_cast<std::size_t>(group - groups_.begin()), entry.point_type, entry.applied.units});
    for (std::size_t p = group->first; p < group->last; p++) {
        const Piece& piece = pieces_[p];
        if (piece.from >= entry.to || piece.to <= entry.from) continue;
        const std::int64_t amount = share_up(entry.applied.units, piece.to - piece.from, entry.to - entry.from);
        summand.of_pieces.push_back({p, entry.point_type, amount});
    }
}

void SummationSearch::sort_pieces() {
    on_pieces_.resize(pieces_.size());
    for (std::size_t i = 0; i < summands_.size(); i++) {
        for (const auto& share : summands_[i].of_pieces) {
            auto& on_piece = on_pieces_[share.place];
            if (on_piece.empty() || on_piece.back().summand != i) on_piece.push_back({0, i});
            on_piece.back().amount += share.amount;
        }
    }
    for (auto& on_piece : on_pieces_) {
        std::stable_sort(on_piece.begin(), on_piece.end(),
                         [](const OnPiece& a, const OnPiece& b) { return a.amount > b.amount; });
    }
}

// Where no unit group is divided, no second budget shares out anew what the first has left, and none depends on the
// prices, a sum grows with what each of its summands takes off.
bool SummationSearch::covers(const Summand& earlier, const Summand& later) const {
    if (does_the_same(earlier, later)) return true;
    if (pieces_.size() != groups_.size() || paying_types_ > 1 || looks_around_) return false;
    if (earlier.shipping < later.shipping || earlier.accrued < later.accrued) return false;
    auto own = earlier.of_groups.begin();
    for (const auto& share : later.of_groups) {
        own = std::find_if(own, earlier.of_groups.end(), [&](const Share& s) { return s.place == share.place; });
        if (own == earlier.of_groups.end() || own->amount < share.amount) return false;
        if (share.point_type != no_point_type || own->point_type != no_point_type) return false;
    }
    return true;
}

bool SummationSearch::does_the_same(const Summand& earlier, const Summand& later) const {
    const Entries& a = alone_[earlier.child].entries;
    const Entries& b = alone_[later.child].entries;
    return earlier.accrued == later.accrued &&
           std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Entry& x, const Entry& y) {
               return x.kind == y.kind && x.target == y.target && x.line == y.line && x.from == y.from &&
                      x.to == y.to && x.applied == y.applied && x.point_type == y.point_type && x.given == y.given;
           });
}

std::size_t SummationSearch::count_paying_types() const {
    std::vector<bool> pays(budgets_.size());
    for (const auto& summand : summands_) {
        for (const auto& share : summand.of_groups) {
            if (share.point_type != no_point_type) pays[share.point_type] = true;
        }
    }
    return static_cast<std::size_t>(std::count(pays.begin(), pays.end(), true));
}

void SummationSearch::find_covered() {
    covered_.resize(summands_.size());
    left_out_.resize(summands_.size());
    for (std::size_t i = 0; i < summands_.size(); i++) {
        for (std::size_t j = i + 1; j < summands_.size(); j++) {
            if (covers(summands_[i], summands_[j])) covered_[i].push_back(j);
        }
    }
}

void SummationSearch::Total::add(const Summand& summand, int sign) {
    const auto count = [sign](std::vector<Taken>& places, const Share& share) {
        Taken& taken = places[share.place];
        (share.point_type == no_point_type ? taken.money : taken.points) += sign * share.amount;
    };
    for (const auto& share : summand.of_pieces) count(pieces, share);
    for (const auto& share : summand.of_groups) {
        count(groups, share);
        if (share.point_type != no_point_type) paid[share.point_type] += sign * share.amount;
    }
    shipping += sign * summand.shipping;
    accrued += sign * summand.accrued;
}

// --- Bounds
// -----------------------------------------------------------------------------------------------------------

std::int64_t SummationSearch::off(const Total& total, Places places, Points points) const {
    std::int64_t sum = by_budget(total, points);
    if (places == Places::pieces) {
        for (std::size_t p = 0; p < pieces_.size(); p++)
            sum += std::min(amount_of(total.pieces[p], points), pieces_[p].room);
    } else {
        for (std::size_t g = 0; g < groups_.size(); g++)
            sum += std::min(amount_of(total.groups[g], points), groups_[g].room);
    }
    return sum;
}

// In each unit group the less of both.
std::int64_t SummationSearch::off_goods(const Total& total, Points points) const {
    std::int64_t all = by_budget(total, points);
    for (std::size_t g = 0; g < groups_.size(); g++) {
        std::int64_t sum = 0;
        for (std::size_t p = groups_[g].first; p < groups_[g].last; p++)
            sum += std::min(amount_of(total.pieces[p], points), pieces_[p].room);
        all += std::min({sum, groups_[g].room, amount_of(total.groups[g], points)});
    }
    return all;
}

std::int64_t SummationSearch::by_budget(const Total& total, Points points) const {
    if (points != Points::by_budget) return 0;
    std::int64_t sum = 0;
    for (std::size_t type = 0; type < budgets_.size(); type++) sum += std::min(budgets_[type], total.paid[type]);
    return sum;
}

std::int64_t SummationSearch::goods(const Total& total) const {
    return std::min({allowed_, off_goods(total, Points::like_money), off_goods(total, Points::by_budget)});
}

Worth SummationSearch::worth_of(std::int64_t goods, const Total& total) const {
    const std::int64_t shipping = std::min(total.shipping, problem_.state.shipping.units);
    return problem_.worth_of(Money{goods + shipping}) + total.accrued;
}

// How many of the summands from `next` on it takes at least to reach the best worth, where all of them just reach it.
std::size_t SummationSearch::fewest(std::size_t next) const {
    std::size_t count = goods(possible_) == off_goods(possible_, Points::like_money) ? fewest_to_fill(next) : 0;
    for (const auto places : {Places::pieces, Places::groups}) {
        if (places == Places::groups && pieces_.size() == groups_.size()) continue;
        for (const auto points : {Points::like_money, Points::by_budget}) {
            if (points == Points::by_budget && paying_types_ == 0) continue;
            // As many as the best sum has are enough to know.
            if (chosen_.size() + count > best_->children.size()) return count;
            count = std::max(count, fewest_to_add(next, places, points));
        }
    }
    return count;
}

std::size_t SummationSearch::fewest_to_add(std::size_t next, Places places, Points points) const {
    problem_.arbiter.work().add(Step::share, shares_);
    std::vector<Worth> additions;
    for (std::size_t i = next; i < summands_.size(); i++) {
        if (left_out_[i] == 0) additions.push_back(addition(summands_[i], places, points));
    }
    std::sort(additions.begin(), additions.end(), std::greater<>());
    Worth reached = worth_of(off(decided_, places, points), decided_);
    std::size_t count = 0;
    for (; count < additions.size() && reached < best_->worth; count++) reached += additions[count];
    return count;
}

Worth SummationSearch::addition(const Summand& summand, Places places, Points points) const {
    const auto up_to = [](std::int64_t amount, std::int64_t left) {
        return std::min(amount, std::max<std::int64_t>(0, left));
    };
    const bool on_pieces = places == Places::pieces;
    std::int64_t sum = up_to(summand.shipping, problem_.state.shipping.units - decided_.shipping);
    for (const auto& share : on_pieces ? summand.of_pieces : summand.of_groups) {
        if (share.point_type != no_point_type && points != Points::like_money) continue;
        const std::int64_t room = on_pieces ? pieces_[share.place].room : groups_[share.place].room;
        const Taken& taken = (on_pieces ? decided_.pieces : decided_.groups)[share.place];
        sum += up_to(share.amount, room - amount_of(taken, points));
    }
    for (const auto& share : summand.of_groups) {
        if (share.point_type == no_point_type || points != Points::by_budget) continue;
        sum += up_to(share.amount, budgets_[share.point_type] - decided_.paid[share.point_type]);
    }
    return problem_.worth_of(Money{sum}) + summand.accrued;
}

// How many it takes at least to fill each piece as all of them do; where they take more off the parts of a unit group
// than it has room for, that much may be missing.
std::size_t SummationSearch::fewest_to_fill(std::size_t next) const {
    problem_.arbiter.work().add(Step::share, shares_);
    std::size_t most = 0;
    for (std::size_t g = 0; g < groups_.size(); g++) {
        const Group& group = groups_[g];
        const auto filled = [&](const Total& total, std::size_t p) {
            return std::min(total.pieces[p].money + total.pieces[p].points, pieces_[p].room);
        };
        const Taken& all = possible_.groups[g];
        std::int64_t spare = -std::min(group.room, all.money + all.points);
        for (std::size_t p = group.first; p < group.last; p++) spare += filled(possible_, p);
        for (std::size_t p = group.first; p < group.last; p++) {
            std::int64_t missing = filled(possible_, p) - filled(decided_, p) - std::max<std::int64_t>(0, spare);
            std::size_t count = 0;
            for (auto on = on_pieces_[p].begin(); on != on_pieces_[p].end() && missing > 0; ++on) {
                if (on->summand < next || left_out_[on->summand] != 0) continue;
                missing -= on->amount;
                count++;
            }
            most = std::max(most, count);
        }
    }
    return most;
}

// --- The search
// -------------------------------------------------------------------------------------------------------

// A good sum to begin with: always the summand that adds most, as long as one adds anything.
void SummationSearch::take_greedily() {
    Chosen taken;
    std::vector<bool> in(summands_.size());
    while (worth_of(goods(decided_), decided_) < most(possible_)) {
        std::size_t best = summands_.size();
        Worth most = 0;
        for (std::size_t i = 0; i < summands_.size(); i++) {
            const Worth added = in[i] ? 0 : addition(summands_[i], Places::pieces, Points::like_money);
            if (added > most) {
                most = added;
                best = i;
            }
        }
        if (best == summands_.size()) break;
        in[best] = true;
        decided_.add(summands_[best], 1);
        taken.push_back(summands_[best].child);
        problem_.arbiter.work().add(Step::share, shares_);
    }
    for (std::size_t i = 0; i < summands_.size(); i++) {
        if (in[i]) decided_.add(summands_[i], -1);
    }
    std::sort(taken.begin(), taken.end());
    consider(taken);
}

void SummationSearch::descend(std::size_t next) {
    const std::size_t first = next;
    for (; next < summands_.size(); next++) {
        if (problem_.arbiter.work().search_exhausted()) {
            found_.leave_out(most(possible_));
            break;
        }
        if (next > first && !promising(next)) break;
        const Summand& summand = summands_[next];
        if (left_out_[next] == 0) {
            decided_.add(summand, 1);
            chosen_.push_back(summand.child);
            if (promising(next + 1)) descend(next + 1);
            chosen_.pop_back();
            decided_.add(summand, -1);
        }
        leave_out(next, 1);
    }
    if (next == summands_.size()) consider(chosen_);
    while (next-- > first) leave_out(next, -1);
}

// Leaves a summand out, or (-1) takes that back. Those that it covers have no chance without it.
void SummationSearch::leave_out(std::size_t summand, int sign) {
    if (left_out_[summand] == 0) possible_.add(summands_[summand], -sign);
    for (const auto covered : covered_[summand]) {
        if (left_out_[covered] == 0) possible_.add(summands_[covered], -1);
        left_out_[covered] += sign;
        if (left_out_[covered] == 0) possible_.add(summands_[covered], 1);
    }
}

// Whether a sum of the decided summands and of some from `next` on may be better than the best.
bool SummationSearch::promising(std::size_t next) {
    problem_.arbiter.work().add(Step::sum);
    problem_.arbiter.work().add(Step::share, 4 * pieces_.size());
    if (!best_) return true;
    const auto least_paid = [&] {
        const Worth without = worth_of(std::min(allowed_, off_goods(possible_, Points::none)), possible_);
        return problem_.money_for(best_->worth - without);
    };
    const auto fewest_children = [&] { return chosen_.size() + fewest(next); };
    return Prospect{most(possible_), least_paid, fewest_children, true, chosen_, numbers_.data() + next}.may_beat(
        *best_);
}

void SummationSearch::consider(const Chosen& chosen) {
    const Bounds& bounds = problem_.arbiter.bounds();
    State after = problem_.state;
    std::vector<Entries> entries;
    std::size_t size = after.groups.size();
    for (const auto child : chosen) {
        entries.push_back(alone_[child].entries);
        size += entries.back().size();
    }
    problem_.arbiter.work().add(Step::part, size);
    const Entries all = commit_sum(bounds, *problem_.scope.enclosing, after, entries);
    Merit merit;
    merit.worth = problem_.worth_of(problem_.state.total() - after.total()) + problem_.accrued(all);
    merit.paid = paid_by_points(after) - paid_by_points(problem_.state);
    merit.summed = true;
    merit.children = chosen;
    if (!best_ || merit.better_than(*best_)) best_ = std::move(merit);
}

}  // namespace loyalty
