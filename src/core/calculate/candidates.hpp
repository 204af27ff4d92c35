// Which promotions an order can meet at all, and on which lines. Conditions are judged once, on the submitted order;
// from here on only amounts follow the running state.
//
// The cost follows what matches: conditions are found through the segments of the order's lines, or through the promo
// codes, tiers and segments of the buyer and the order; and the tree is walked only along the branches that lead to a
// candidate.
#pragma once

#include "core/calculate/benefit.hpp"
#include "core/order/order.hpp"
#include "core/program/program.hpp"

#include <algorithm>
#include <vector>

namespace loyalty {

// A node of the tree cut down to the candidates.
struct CandidateNode {
    bool is_group = false;
    Index index = none;  // in Program::groups or Program::promotions
    std::vector<CandidateNode> children;
};

// Per product condition of the program: the lines that fulfil it. An order meets few of what may be thousands, so there
// is a list only for those that it came upon; all others share one without lines.
class LinesByCondition {
public:
    explicit LinesByCondition(std::size_t conditions = 0) : place_(conditions), lists_(1) {}

    const std::vector<std::uint32_t>& operator[](Index condition) const { return lists_[place_[condition]]; }
    // To be written; references to other lists end.
    std::vector<std::uint32_t>& of(Index condition) {
        std::uint32_t& place = place_[condition];
        if (place == 0) {
            place = static_cast<std::uint32_t>(lists_.size());
            lists_.emplace_back();
        }
        return lists_[place];
    }

private:
    std::vector<std::uint32_t> place_;  // in lists_
    std::vector<std::vector<std::uint32_t>> lists_;
};

struct Candidates {
    CandidateNode main;
    LinesByCondition lines;
    std::vector<bool> met;  // per condition of the program: whether the order fulfils it
    // Per promotion: why it is no candidate, Reason::none if it is. One that was not come upon has no_matching_line,
    // even if it has another obstacle.
    std::vector<Reason> refused;
};

// Whether a benefit on the order is for a line's product.
inline bool is_for(const Benefit& rule, const Line& line) {
    const auto& wanted = rule.segments();
    return wanted.empty() || std::find_first_of(wanted.begin(), wanted.end(), line.segments.begin(),
                                                line.segments.end()) != wanted.end();
}

// A calculation remembers what each benefit did to each line: at most so many effects.
inline constexpr std::size_t max_effects = 2'000'000;

// Error LY402 where more than max_effects lines would be touched by benefits, counting each line for each benefit.
Candidates find_candidates(const Program& program, const Order& order);

}  // namespace loyalty
