// The most that any order can get: a proof from the tree alone, for every order that there may be.
//
//   * In each world (who, when, where) all promotions that can meet there are taken to do all that they promise
//     (Benefit::reaches).
//   * Amounts, and limits in money, weigh less the larger an order is: so what has a minimum total counts at that
//     total, and what has none counts for orders as small as one likes, where any amount takes all.
//   * By line: each takes its share of the price that is left, sums are added, of what excludes each other the most
//     counts, or what is sure to come first; floors leave what they leave. This holds for every kind of product
//     (segments that some want and others do not want), and so for orders of any mixture.
//   * By order: the same with what limits of groups leave of it, by the most that a node takes off any mixture of
//     goods (Curve).
//
// The lower of the two is the bound. It is before rounding: what that may add on each line is said besides.
#pragma once

#include "core/bound/share.hpp"
#include "core/bound/world.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace loyalty {

enum class Measure {
    discount,       // what is taken off all goods
    line_discount,  // off one line
    points,         // what points earned are worth
};

// What the bound of a node is made of.
struct BoundStep {
    Child node;
    int depth = 0;
    std::optional<Share> at_most;  // of what it takes from goods at base prices; nothing: no bound
    std::string reason;
};

// Where a bound is met: by goods that come to `goods`, in smallest units of money; 0: whatever they come to.
struct BoundPlace {
    World world;
    std::int64_t goods = 0;
};

struct Bound {
    std::optional<Share> at_most;     // of goods at base prices; nothing: there is no bound
    std::int64_t halves_of_line = 0;  // what rounding adds for each line, in halves of the smallest unit of money
    std::vector<BoundPlace> places;   // some of those of which no less could be said
    std::vector<BoundStep> steps;     // the reasoning, in the first of them
};

Bound find_bound(const Program& program, Measure measure, const std::function<void()>& check_interrupts);

}  // namespace loyalty
