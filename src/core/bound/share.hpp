// Shares of a price, or of all goods, in parts of 10^12. Whoever proves a bound rounds what is taken up, and what is
// left down.
#pragma once

#include "core/money/amount.hpp"

#include <algorithm>
#include <cstdint>

namespace loyalty {

using Share = std::int64_t;
inline constexpr Share whole_share = 1'000'000'000'000;

inline Share times_down(Share a, Share b) { return static_cast<Share>(int128{a} * b / whole_share); }
inline Share times_up(Share a, Share b) { return static_cast<Share>((int128{a} * b + whole_share - 1) / whole_share); }

// numerator ÷ denominator, rounded up; `most` where that is less, or the denominator is 0.
inline Share share_up(int128 numerator, int128 denominator, Share most = whole_share) {
    if (denominator == 0) return numerator == 0 ? 0 : most;
    int128 product;
    if (__builtin_mul_overflow(numerator, int128{whole_share}, &product)) return most;
    const int128 share = product / denominator + (product % denominator != 0 ? 1 : 0);
    return share > most ? most : static_cast<Share>(share);
}
inline Share share_up(const Fraction& fraction, Share most = whole_share) {
    return share_up(fraction.numerator, fraction.denominator, most);
}

}  // namespace loyalty
