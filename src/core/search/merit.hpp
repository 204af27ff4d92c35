// By what combinations of children are compared, and what a search has found.
#pragma once

#include "core/search/problem.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace loyalty {

// Numbers of children in SearchProblem::children, ascending.
using Chosen = std::vector<std::size_t>;

// More worth; then less paid by points; fewer children; consistent before summation; earlier children.
struct Merit {
    Worth worth = 0;
    Money paid{};  // by points
    bool summed = false;
    Chosen children{};

    bool better_than(const Merit& other) const {
        if (worth != other.worth) return worth > other.worth;
        if (paid != other.paid) return paid < other.paid;
        if (children.size() != other.children.size()) return children.size() < other.children.size();
        if (summed != other.summed) return !summed;
        return children < other.children;
    }
};

// The best combination that a search has met. No other that it had to look at is worth more than `bound`; without it,
// nothing is known. A search that is not complete has left out some that might be better.
struct Found {
    std::optional<Merit> best{};
    Decisions decisions{};  // of the groups of type max_benefit below
    bool complete = true;
    std::optional<Worth> bound = 0;

    // Combinations worth at most so much were left out.
    void leave_out(const std::optional<Worth>& most) {
        complete = false;
        raise_bound(most);
    }
    void raise_bound(const std::optional<Worth>& most) {
        bound = bound && most ? std::optional{std::max(*bound, *most)} : std::nullopt;
    }
};

// Bounds of all combinations that grow from some chosen children by some of those that follow: worth at most `worth`;
// and those that reach it pay at least `paid()` by points and take at least `size()` children.
template <class Paid, class Size>
struct Prospect {
    Worth worth;
    Paid paid;
    Size size;
    bool summed;
    const Chosen& chosen;
    const std::size_t* next;  // the children that follow

    // Whether one of them may be better than `best`. Compares like Merit, so it is wrong only if a bound is. Of all
    // children lists of some length the earliest is the one that takes what follows without a gap.
    bool may_beat(const Merit& best) const {
        if (worth != best.worth) return worth > best.worth;
        const Money least_paid = paid();
        if (least_paid != best.paid) return least_paid < best.paid;
        const std::size_t fewest = size();
        if (fewest != best.children.size()) return fewest < best.children.size();
        if (summed != best.summed) return !summed;
        const auto [own, others] = std::mismatch(chosen.begin(), chosen.end(), best.children.begin());
        if (own != chosen.end()) return *own < *others;
        return std::lexicographical_compare(next, next + (fewest - chosen.size()), others, best.children.end());
    }
};

// Clang before 17 deduces no aggregate.
template <class Paid, class Size>
Prospect(Worth, Paid, Size, bool, const Chosen&, const std::size_t*) -> Prospect<Paid, Size>;

}  // namespace loyalty
