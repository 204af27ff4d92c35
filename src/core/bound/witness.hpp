// An order that gets as much as a bound says, or as much of it as is found. Whoever asks makes orders of sketches, in
// any way, and calculates them: what is found is what an order really gets.
#pragma once

#include "core/bound/bound.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace loyalty {

struct Sketch {
    struct Line {
        std::size_t goods = 0;  // which of the kinds of goods that there are
        Money price;
        Quantity quantity = one_unit;
    };
    World world;
    std::optional<LocalTime> time;  // nothing: any
    std::vector<Line> lines;
    bool redeems = true;         // all points that there are; there are always enough
    std::uint64_t withheld = 0;  // the promo codes of these of the first 64 pools are not given
};

struct Outcome {
    Money base;   // of the goods, or of the line, …
    Money taken;  // … and what came off, or what the points are worth
};

struct Witness {
    Sketch sketch;
    Outcome outcome;
};

// Looks at `most` orders at most, of goods of `kinds_of_goods`; `try_out` answers nothing for a sketch of which no
// order can be made.
std::optional<Witness> find_witness(const Program& program, const Bound& bound, std::size_t kinds_of_goods,
                                    std::size_t most,
                                    const std::function<std::optional<Outcome>(const Sketch&)>& try_out);

// How much of the goods of an outcome a share is, rounded down.
Money share_of(Money base, Share share);

}  // namespace loyalty
