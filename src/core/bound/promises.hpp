// What the benefits of a program promise (Benefit::reaches), in the figures that a bound is reckoned with, and the
// kinds of products that there are for it.
#pragma once

#include "core/bound/share.hpp"
#include "core/bound/world.hpp"
#include "core/calculate/reach.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace loyalty {

// One of the things that a benefit can do.
struct Promise {
    std::int64_t from = 0;                 // the goods that it asks for at least, in smallest units of money
    Share share = 0;                       // it takes at most this of the current price of what it sees,
    std::optional<std::int64_t> of_order;  // at most so much off the order, …
    std::optional<std::int64_t> of_unit;   // … or off each unit, in smallest units of money,
    bool spreads = false;                  // over lines as it comes: one of them may lose all of its price,
    bool pays = false;                     // with points
    bool unknown = false;                  // nothing is promised: all that it sees
    Share gain = 0;                        // it gives points worth at most this of what it sees,
    std::optional<std::int64_t> given;     // or worth so much for the order
    bool gives_without_end = false;        // or any number,
    Share per_earned = 0;                  // or so many for each that was earned before it
};

struct Promises {
    explicit Promises(const Program& program);

    const Program& program;
    std::vector<std::vector<Promise>> of_benefit;
    std::vector<std::int64_t> promotion_from, condition_from;  // their minimum totals
    std::vector<bool> raises;                                  // promotions that may raise prices
    // Product segments that some conditions are for and others not for. A kind of products has a bit for each of
    // these; to the others products are taken to belong where that lets more promotions apply. Past six, to these as
    // well.
    std::vector<Index> contested;
    // Amounts of minimum totals and steps, ascending, and 0.
    std::vector<std::int64_t> thresholds;

    std::uint32_t kinds() const { return std::uint32_t{1} << contested.size(); }
    bool is_in_any(const std::vector<Index>& segments, std::uint32_t kind) const;
    bool can_be_outside_all(const std::vector<Index>& segments, std::uint32_t kind) const;

private:
    void find_contested();
    void add_benefit(Index benefit);
    Promise promise_of(Index benefit, const ReachFrom& reaches) const;
    std::vector<std::uint32_t> bit_of_;  // of each segment: none where it is not contested
};

}  // namespace loyalty
