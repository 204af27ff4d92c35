// The best sum of children (max_benefit, by summation): what each child does alone is known, and a sum only adds and
// cuts.
//
// The unit groups are cut into *pieces* at every border of an effect of any child. Of a set of children the bound is
//
//     on each piece what they take off it, at most its room     (a sum is cut to the room of each piece)
//     by points of each type at most what is left of the budget (it is cut to that)
//     all together at most what the maximum discounts allow     (and to that)
//     + shipping, at most its price, + what they accrue.
//
// The sum itself works on fewer, larger pieces if not all children are in it, but in proportion. So only rounding can
// add to that: less than a unit for a share that does not divide evenly, two for the room of a piece that does not; and
// never more than what the children take off the whole unit group, which is not divided.
//
// The bound never falls as a child joins. So of all sets between those decided and those not yet left out the largest
// has the greatest bound, and a branch is entered only if that is still good enough. Where it equals the best worth,
// the children not yet decided must make up for what the decided ones do not reach, on each piece and in all; what they
// add becomes less the more there are, so the largest additions tell how many it takes at least.
//
// A summand *covers* a later one that takes no more off each unit group, by the same means, and accrues no more. A sum
// with the later one and without the earlier one is not searched: with the two exchanged it is at least as good, and
// earlier.
#pragma once

#include "core/search/merit.hpp"

#include <vector>

namespace loyalty {

class SummationSearch {
public:
    SummationSearch(const SearchProblem& problem, const std::vector<Alone>& alone, const Chosen& children);

    Found run();

private:
    struct Piece {
        Quantity from, to;
        std::int64_t room;
    };
    // A unit group: the pieces first … last − 1.
    struct Group {
        std::uint32_t line;
        std::size_t first, last;
        std::int64_t room;
    };
    // What a child takes off a piece or a unit group, paid with points of a type or not.
    struct Share {
        std::size_t place;
        std::uint32_t point_type;
        std::int64_t amount;
    };
    struct Summand {
        std::size_t child;  // in the problem
        std::vector<Share> of_pieces{}, of_groups{};
        std::int64_t shipping = 0;
        Worth accrued = 0;
    };
    struct Taken {
        std::int64_t money = 0;
        std::int64_t points = 0;
    };
    // What some children take off, added up.
    struct Total {
        std::vector<Taken> pieces, groups;
        std::vector<std::int64_t> paid;  // by point type
        std::int64_t shipping = 0;
        Worth accrued = 0;

        void add(const Summand& summand, int sign);
    };
    // A summand's shares of one piece.
    struct OnPiece {
        std::int64_t amount;
        std::size_t summand;
    };

    void find_covered();
    bool covers(const Summand& earlier, const Summand& later) const;
    bool does_the_same(const Summand& earlier, const Summand& later) const;
    void cut_pieces(const std::vector<std::size_t>& children);
    void add_group(const UnitGroup& group, const std::vector<Quantity>& borders);
    std::int64_t floor(const UnitGroup& group, Quantity quantity) const;
    // Whether its price and its floor divide over these borders without rounding.
    bool divides_evenly(const UnitGroup& group, const std::vector<Quantity>& borders) const;
    void add_child(std::size_t child);
    void spread(const Entry& entry, Summand& summand) const;
    static void add_up(std::vector<Share>& shares);
    std::size_t count_paying_types() const;
    void sort_pieces();

    // Bounds by pieces or by unit groups; what is paid by points counted like money, by the budgets, or not at all.
    enum class Places { pieces, groups };
    enum class Points { like_money, by_budget, none };

    static std::int64_t amount_of(const Taken& taken, Points points) {
        return points == Points::like_money ? taken.money + taken.points : taken.money;
    }
    std::int64_t off(const Total& total, Places places, Points points) const;
    std::int64_t off_goods(const Total& total, Points points) const;
    std::int64_t by_budget(const Total& total, Points points) const;
    std::int64_t goods(const Total& total) const;
    Worth worth_of(std::int64_t goods, const Total& total) const;
    Worth most(const Total& total) const { return worth_of(goods(total), total); }

    std::size_t fewest(std::size_t next) const;
    std::size_t fewest_to_fill(std::size_t next) const;
    std::size_t fewest_to_add(std::size_t next, Places places, Points points) const;
    // What a summand adds to the decided ones at most.
    Worth addition(const Summand& summand, Places places, Points points) const;

    void take_greedily();
    void descend(std::size_t next);
    void leave_out(std::size_t summand, int sign);
    bool promising(std::size_t next);
    void consider(const Chosen& chosen);

    const SearchProblem& problem_;
    const std::vector<Alone>& alone_;
    std::vector<Piece> pieces_;
    std::vector<Group> groups_;
    std::vector<std::vector<OnPiece>> on_pieces_;    // by piece, largest first
    std::int64_t allowed_;                           // by the maximum discounts
    std::vector<std::int64_t> budgets_;              // by point type
    std::vector<Summand> summands_;                  // in position order
    std::size_t shares_ = 0;                         // of all of them
    Chosen numbers_;                                 // of them in the problem
    std::vector<std::vector<std::size_t>> covered_;  // by each summand
    std::vector<int> left_out_;                      // for each summand, how many that cover it are left out
    std::size_t paying_types_ = 0;                   // how many point types pay
    bool looks_around_ = false;                      // what some of the children do depends on others
    Chosen accruing_;  // children that only accrue: they add to every sum and take nothing from others
    Worth accrued_ = 0;

    Total decided_;   // of the summands taken
    Total possible_;  // of these and those not decided yet
    Chosen chosen_;
    std::optional<Merit> best_;  // without the accruing ones
    Found found_;
};

}  // namespace loyalty
