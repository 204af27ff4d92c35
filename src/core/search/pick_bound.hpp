// What benefits that each take a share of a few items can take off together at most, one after the other: of each unit
// a share of what those before have left.
//
// A unit that costs p, and of which shares s, t, … are taken, costs p(1 - s)(1 - t)… in the end, that is p e^-W, if the
// *weight* of a share s is -ln(1 - s) and W the sum of them. As e^-W is convex, for any x it is at least
// e^-x (1 + x - W); so what is taken off the unit is at most
//
//     p - r - rx + rW,  where r = p e^-x,
//
// and each weight on the unit is *charged* with r. Whatever units a benefit picks, it is charged at most with those of
// the greatest r that it can see. This holds for any x, and is close to the truth if r is about what the units cost in
// the end. So x is taken from a rehearsal in which all benefits pick that do not take the cheapest.
//
// The cheapest items cost no more than they do now, however many of them others make cheaper still, unless they cost
// nothing any more: then it takes the next ones. To bring a unit that costs p down to nothing takes a weight of about
// ln p, and there is only so much of it.
//
// Rounding adds half a unit of money for each part that is touched, and half a one where a group of units is split.
#pragma once

#include "core/money/decimal.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace loyalty {

class PickBound {
public:
    static constexpr std::int64_t one = std::int64_t{1} << 30;  // shares, weights and the like are in 1/one

    // A benefit that takes a share of some items.
    struct Pick {
        std::uint32_t child = 0;
        std::uint64_t sees = 0;  // which lines
        std::int64_t share = 0;  // at most
        std::int64_t items = 0;
        bool cheapest = false;
        std::int64_t weight = 0;  // of the share, rounded up
    };
    // Units of a line that cost the same; the quantity is in millionths.
    struct Units {
        std::int64_t total;
        std::int64_t quantity;
        std::uint32_t line;
    };

    // Whether so great a share of so many items can be weighed.
    static bool is_weighed(std::int64_t share, std::int64_t items) {
        return share <= one - one / 32 && items <= 1'000'000;
    }

    // In the order of children.
    void add(Pick pick);
    // On these lines others take something off, too.
    void mix_with_others(std::uint64_t lines) { mixed_ |= lines; }
    // How many children from `next` on are.
    std::size_t size(std::size_t next) const { return picks_.size() - first(next); }

    // What those of children from `next` on take off at most; `units` are dearest first, and none of them gets dearer.
    std::int64_t most(std::size_t next, const std::vector<Units>& units);

private:
    struct Place {
        std::int64_t total;
        std::int64_t quantity;
        std::uint64_t line;         // as a bit
        std::int64_t weight = 0;    // x
        std::int64_t left = one;    // e^-x
        std::int64_t price = 0;     // of a unit, …
        std::int64_t in_the_end{};  // … and r
        std::uint32_t pick = 0;     // that looked at it last
    };

    // Of children from `next` on, in picks_.
    std::size_t first(std::size_t next) const;
    // Whether they can be counted with.
    bool look_at(const std::vector<Units>& units);
    // All but those that take the cheapest take what they would take of prices as they have become by then.
    void rehearse(std::size_t first);
    void take(const Pick& pick, std::uint32_t number);
    // What it takes at most, in 1/one: by its weight, or because it takes the cheapest; there `before` others may have
    // taken something.
    int128 charge(const Pick& pick) const;
    int128 most_of_cheapest(const Pick& pick, std::int64_t before) const;
    std::int64_t weight_to_nothing(const Place& place, std::int64_t before) const;

    std::vector<Pick> picks_;
    std::uint64_t mixed_ = 0;
    std::vector<Place> places_;
    std::vector<std::uint32_t> dearest_first_;  // in places_, in the end
    std::int64_t least_share_ = one;
    std::int64_t most_units_ = 0;  // in a place
    int128 weight_before_ = 0;     // of all items that picks before may take
};

}  // namespace loyalty
