#include "core/money/amount.hpp"

#include "core/error.hpp"

namespace loyalty {

void throw_overflow() {
    throw Error(sqlstate::amount_overflow, "amount out of range",
                "An amount of money, points or goods is larger than can be calculated exactly.",
                "Check prices, quantities and ratios: amounts have at most 18 digits.");
}

std::int64_t scaled(std::int64_t units, const Fraction& factor, Rounding rounding) {
    const int128 product = checked_product(units, factor.numerator);
    int128 result = product / factor.denominator;
    const int128 rest = product % factor.denominator;
    switch (rounding) {
        case Rounding::half_up:
            // rest ≥ denominator − rest, written so that it cannot overflow.
            if (rest >= factor.denominator - rest) result++;
            break;
        case Rounding::up:
            if (rest != 0) result++;
            break;
        case Rounding::down:
            break;
    }
    const auto narrow = static_cast<std::int64_t>(result);
    if (narrow != result) throw_overflow();
    return narrow;
}

}  // namespace loyalty
