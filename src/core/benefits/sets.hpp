// Which units make up sets: buy two, get one; three for the price of two; a menu.
//
// A set has parts, each of so many units of some kinds; a unit belongs to one part of one set. How units are assigned
// to parts is a transportation problem, and solved as one: as a flow of least cost from kinds of units to parts. Units
// that fit the same parts are one kind, and of each kind the cheapest, or the dearest, go first; so what it costs
// depends on how many kinds there are, not on how many lines.
#pragma once

#include "core/money/decimal.hpp"

#include <cstdint>
#include <vector>

namespace loyalty {

class Work;

// Units of one price: a unit group, in line order.
struct SetUnits {
    std::int64_t count = 0;
    int128 price = 0;        // of one of them
    std::uint32_t fits = 0;  // a bit for each part that they may belong to
};

struct SetPart {
    std::int64_t count = 0;  // of units in one set
    bool is_got = false;     // else bought
};

inline constexpr std::size_t most_set_parts = 10;

// How many units of each group are got and bought.
struct SetChoice {
    std::vector<std::int64_t> got, bought;
};

// Some parts of which there are too few units: those that fit any of them, and how many they take together.
struct SetShortage {
    std::uint32_t parts = 0;
    std::int64_t units = 0, wanted = 0;
};

class Sets {
public:
    // dearest: whether the units got are the dearest ones, or else the cheapest.
    Sets(std::vector<SetUnits> units, std::vector<SetPart> parts, bool dearest);

    // The greatest number of sets that can be formed.
    std::int64_t most_times() const;
    // What so many sets lack; nothing wanted where they can be formed.
    SetShortage shortage(std::int64_t times) const;
    // Of all ways to form so many sets, which can be formed: the one whose units got cost least, or most, together;
    // then the one whose bought units cost most; then the earliest units got, then bought. `work`, where it is given,
    // counts the steps: it makes a long choice interruptible, and part of the cost of a search.
    SetChoice choose(std::int64_t times, Work* work = nullptr) const;

private:
    std::int64_t units_for(std::uint32_t parts) const;
    std::int64_t count_of(std::uint32_t parts) const;

    std::vector<SetUnits> units_;
    std::vector<SetPart> parts_;
    bool dearest_;
};

}  // namespace loyalty
