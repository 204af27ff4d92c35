// Money, points and quantities as whole numbers of their smallest unit, each a type of its own so that they cannot
// be mixed up, and the fractions they are multiplied by. Sums and products are checked: what does not fit is an
// error (LY401), never a wrap.
#pragma once

#include "core/money/decimal.hpp"
#include "core/names.hpp"

#include <compare>
#include <cstdint>
#include <numeric>
#include <optional>

namespace loyalty {

[[noreturn]] void throw_overflow();

inline int128 checked_product(int128 a, int128 b) {
    int128 product;
    if (__builtin_mul_overflow(a, b, &product)) throw_overflow();
    return product;
}

template <class Unit>
struct Amount {
    std::int64_t units = 0;

    constexpr bool is_zero() const { return units == 0; }

    Amount& operator+=(Amount other) {
        if (__builtin_add_overflow(units, other.units, &units)) throw_overflow();
        return *this;
    }
    Amount& operator-=(Amount other) {
        if (__builtin_sub_overflow(units, other.units, &units)) throw_overflow();
        return *this;
    }
    friend Amount operator+(Amount a, Amount b) { return a += b; }
    friend Amount operator-(Amount a, Amount b) { return a -= b; }
    friend constexpr bool operator==(Amount, Amount) = default;
    friend constexpr auto operator<=>(Amount, Amount) = default;
};

struct MoneyUnit;
struct PointsUnit;
struct QuantityUnit;

using Money = Amount<MoneyUnit>;        // in 10^-(currency scale)
using Points = Amount<PointsUnit>;      // in 10^-(the point type's scale)
using Quantity = Amount<QuantityUnit>;  // in millionths of a piece or kilogram

inline constexpr int quantity_scale = 6;
inline constexpr Quantity one_unit{1'000'000};

// A non-negative factor: a percentage, a ratio, a share.
struct Fraction {
    int128 numerator = 0;
    int128 denominator = 1;

    static Fraction of(const Decimal& value) {
        return Fraction{value.coefficient(), power_of_ten(value.scale())}.reduced();
    }
    static Fraction percent(const Decimal& value) {
        return Fraction{value.coefficient(), checked_product(power_of_ten(value.scale()), 100)}.reduced();
    }

    Fraction reduced() const {
        int128 a = numerator, b = denominator;
        while (b != 0) {
            const int128 rest = a % b;
            a = b;
            b = rest;
        }
        return a == 0 ? Fraction{} : Fraction{numerator / a, denominator / a};
    }
    Fraction inverse() const { return {denominator, numerator}; }
    friend Fraction operator*(const Fraction& a, const Fraction& b) {
        return Fraction{checked_product(a.numerator, b.numerator), checked_product(a.denominator, b.denominator)}
            .reduced();
    }
};

enum class Rounding { half_up, down, up };
inline constexpr Names<Rounding, 3> rounding_names({
    {Rounding::half_up, "half"},
    {Rounding::down, "down"},
    {Rounding::up, "up"},
});

// units × factor, in whole units. Amounts here are never negative, so half up is SQL's round(numeric), half away from
// zero.
std::int64_t scaled(std::int64_t units, const Fraction& factor, Rounding rounding = Rounding::half_up);

// price per unit × quantity, the price being given in whole units or as a fraction of one.
inline Money times(Money unit_price, Quantity quantity) {
    return {scaled(unit_price.units, {quantity.units, one_unit.units})};
}
inline Money times(Money unit_price, const Fraction& share, Quantity quantity, Rounding rounding = Rounding::half_up) {
    return {scaled(unit_price.units,
                   {checked_product(share.numerator, quantity.units), checked_product(share.denominator, one_unit.units)},
                   rounding)};
}

}  // namespace loyalty
