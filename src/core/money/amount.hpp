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
inline constexpr int max_currency_scale = 4;
inline constexpr int max_price_scale = 6;
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

// The price of one unit, which may be finer than money: `parts` of its units are one smallest unit of money. All prices
// of a program have the same (Program::price), so they compare by their units.
struct UnitPrice {
    std::int64_t units = 0;  // in 10^-(price scale)
    std::int64_t parts = 1;  // 10^(price scale − currency scale)

    constexpr UnitPrice() = default;
    constexpr UnitPrice(std::int64_t price_units, std::int64_t price_parts) : units(price_units), parts(price_parts) {}
    constexpr UnitPrice(Money price) : units(price.units) {}  // NOLINT(google-explicit-constructor): it is a price

    // What one unit of a quantity costs, which costs `total` together.
    static UnitPrice of(Money total, Quantity quantity, std::int64_t parts) {
        return {scaled(total.units, {checked_product(one_unit.units, parts), quantity.units}), parts};
    }

    constexpr bool is_zero() const { return units == 0; }
    constexpr Fraction money() const { return {units, parts}; }  // in smallest units of money

    friend constexpr bool operator==(const UnitPrice&, const UnitPrice&) = default;
    friend constexpr auto operator<=>(const UnitPrice&, const UnitPrice&) = default;
};

// How many of the smallest units of a price are one of money.
inline std::int64_t parts_of_money(int price_scale, int currency_scale) {
    return static_cast<std::int64_t>(power_of_ten(price_scale - currency_scale));
}

// price per unit × quantity, of the price all or a share: rounded to money once.
inline Money times(UnitPrice price, Quantity quantity) {
    return {scaled(price.units, {quantity.units, checked_product(one_unit.units, price.parts)})};
}
inline Money times(UnitPrice price, const Fraction& share, Quantity quantity, Rounding rounding = Rounding::half_up) {
    const int128 whole = checked_product(one_unit.units, price.parts);
    return {scaled(price.units,
                   {checked_product(share.numerator, quantity.units), checked_product(share.denominator, whole)},
                   rounding)};
}

}  // namespace loyalty
