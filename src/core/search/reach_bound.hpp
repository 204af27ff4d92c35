// What children can still be worth at most, whichever of them are taken and in whatever state the ones before them have
// left the order: the bound that lets a search leave out combinations. It rests on what benefits promise
// (Benefit::reach) and on prices that only fall; where a benefit may raise prices, each price is taken as high as it
// can still become.
//
// A *cut* is what one benefit can take off one line or, where it picks items or has one amount for the whole order, off
// all lines that it sees. Cuts compete for room, and the bound is the most that all of them can take together:
//
//   * Off one line, by money and with all units: a child that takes a share s (of several benefits the sum, for they
//     may work on the same price) leaves at least 1 - s of the price, and all of them one after the other leave the
//     product; amounts are added to what they take. Other cuts in between only leave them less.
//   * With `items`: a share of the most expensive units, or an amount for each.
//   * By points: what is left of their budget.
//   * Off all goods: what the maximum discounts around allow, and what the floors of the lines leave.
//
// Rounding adds half a unit for each unit group, and there are never more groups than items, nor more new ones than
// benefits that pick items. A unit that is split off may cost up to one unit of money more than its share.
//
// Money that is taken off before points are accrued on what is left costs some of these points. So a cut *keeps* of its
// money what the accruals behind it on its lines do not lose. Room goes to the cuts that keep most. The sets of cuts
// that compete (one cut, one line or one budget, all goods) contain each other or are disjoint, so this greedy filling
// is the maximum of the linear programme, and that is at least the maximum of what benefits can do.
#pragma once

#include "core/search/pick_bound.hpp"
#include "core/search/problem.hpp"

#include <cstdint>
#include <vector>

namespace loyalty {

class ReachBound {
public:
    // For these children of the problem; below, `next` counts in this list.
    ReachBound(const SearchProblem& problem, const std::vector<std::size_t>& children);

    // Whether all children from `next` on promise something; otherwise there is no bound.
    bool known(std::size_t next) const { return next >= first_known_; }
    // The most that children from `next` on are worth, starting from `state`; and those of them that do not pay by
    // points.
    Worth most(std::size_t next, const State& state) { return most(next, state, {}); }
    Worth most_without_points(std::size_t next, const State& state) { return most(next, state, {.points = false}); }
    // The most that any sum of the children is worth, each working on `state`: no cut leaves less to others.
    Worth most_summed(const State& state) { return most(0, state, {.summed = true, .losses = false}); }
    // The least number of children from `next` on that can be worth `need` together.
    std::size_t fewest(std::size_t next, const State& state, Worth need);

    // Whether all children together might be refused something by a maximum discount, or by the budget of a point type.
    bool may_exceed_discount(const State& state);
    bool may_exceed_budget(const State& state, std::uint32_t point_type);

private:
    // Shares and keeps are in 1/one.
    struct Cut {
        std::uint32_t child = 0;
        std::uint32_t line = 0;   // in lines_; all_lines for a cut of several
        std::uint64_t sees = 0;   // of a cut of several: which of the first 64 lines
        std::int64_t share = 0;   // rounded up
        std::int64_t amount = 0;  // at most
        std::int64_t items = 0;   // of a cut of several
        std::int64_t keeps = 0;
        std::uint32_t point_type = no_point_type;  // paid with
        bool on_order = false;
        bool splits_all = false;
        bool cheapest = false;
        bool weighed = false;  // by pick_bound_, too
    };
    struct Line {
        std::uint32_t line;  // of the order
        std::int64_t items;
        std::int64_t floor;  // of all its units
    };
    // What the children from some child on can do to a line.
    struct Ahead {
        std::int64_t left = 0;  // of its price after all shares, in 1/one, rounded down
        std::int64_t amounts = 0;
        std::int64_t halves_of_group = 0;  // halves of a unit that rounding adds for each unit group,
        std::int64_t halves = 0;           // and once
        std::int64_t gain = 0;             // worth of points for each unit of the price, in 1/one, rounded up
        std::int64_t sure_gain = 0;        // rounded down
    };
    // And to the order.
    struct AheadOfAll {
        Worth accrued = 0;  // besides the gains: what does not depend on prices, and what rounding adds
        std::int64_t splits = 0;
        std::int64_t raise_of_unit = 0;
        std::int64_t raise_of_order = 0;
    };
    struct LineNow {
        std::int64_t total = 0;   // as high as it may become
        std::int64_t groups = 0;  // as many as it may be split into
        std::int64_t left = 0;    // what cuts of the line can still take
    };

    void add_benefit(const std::vector<std::size_t>& children, std::uint32_t child, Index benefit);
    void add_cuts(Cut cut, const Reach& reach, const std::vector<std::uint32_t>& lines);
    void add_line_cut(Cut cut, const Reach& reach, std::uint32_t line);
    void add_accruals(std::uint32_t child, Index benefit, const Reach& reach, const std::vector<std::uint32_t>& lines);
    void sum_up_ahead();
    void find_keeps();
    // Tells pick_bound_ of the cuts that it can weigh, and of the lines of the others.
    void weigh_picks();
    bool can_be_weighed(const Cut& cut) const;

    struct Terms {
        bool points = true;  // cuts that points pay for count, too
        bool summed = false;
        bool losses = true;  // cuts lose what the accruals behind them do not get
    };
    Worth most(std::size_t next, const State& state, Terms terms);
    // The sum of the cuts of which `counts(cut)`.
    template <class Counts>
    std::int64_t sum_of_cuts(const State& state, const Counts& counts);
    void look(std::size_t next, const State& state);
    void look_at_groups(const State& state);
    void expect_splits(std::size_t next);
    void expect_raises(std::size_t next);
    std::int64_t room(const UnitGroup& group, const Line& line) const;
    std::int64_t most_picked(std::size_t next);
    std::int64_t most_of(const Cut& cut) const;
    std::int64_t most_of_several(const Cut& cut) const;
    std::int64_t dearest(const Cut& cut) const;
    // What the children from `first` up to `last` (exclusive) accrue.
    Worth accruals(std::size_t first, std::size_t last) const;

    Ahead& of_line(std::size_t child, std::size_t line) { return of_line_[child * now_.size() + line]; }
    const Ahead& of_line(std::size_t child, std::size_t line) const { return of_line_[child * now_.size() + line]; }

    const SearchProblem& problem_;
    std::size_t size_;
    std::size_t first_known_ = 0;
    std::vector<Line> lines_;              // that the children can see
    std::vector<std::uint32_t> place_of_;  // of each line of the order in lines_
    std::uint32_t shipping_ = 0;           // stands behind the lines
    std::vector<Cut> cuts_;                // those that keep most first
    std::vector<Ahead> of_line_;           // by child and line
    std::vector<AheadOfAll> of_all_;       // by child
    bool picks_ = false;
    PickBound pick_bound_;

    // The state looked at.
    std::vector<LineNow> now_;
    std::vector<PickBound::Units> units_;  // dearest first
    std::vector<std::int64_t> budgets_;
    std::int64_t room_ = 0;    // of all goods, above the floors
    std::int64_t groups_ = 0;  // as many as there may be
    std::int64_t splits_ = 0;
    std::int64_t raise_of_unit_ = 0;
    std::int64_t raise_of_order_ = 0;
};

}  // namespace loyalty
