// Exact decimals at the edges of the engine: a JSON number or a stored numeric, neither of which may pass
// through binary floating point. Inside, money, points and quantities are whole numbers of their smallest
// unit (amount.hpp) and factors are fractions; a Decimal is what they are read from and written to.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace loyalty {

__extension__ using int128 = __int128;

// coefficient / 10^scale, kept without trailing zeros, so that 1.10 and 1.1 are the same value.
class Decimal {
public:
    static constexpr int max_digits = 36;

    constexpr Decimal() = default;
    constexpr explicit Decimal(std::int64_t whole) : coefficient_(whole) {}

    // Reads what JSON and numeric_out write: -12.50, 1e3. Nothing if `text` is not such a number, or needs more
    // than 36 digits before or after the point (1e400, 1e-400).
    static std::optional<Decimal> parse(std::string_view text);

    static Decimal of(int128 coefficient, int scale);

    int128 coefficient() const { return coefficient_; }
    int scale() const { return scale_; }
    bool is_negative() const { return coefficient_ < 0; }
    bool is_zero() const { return coefficient_ == 0; }

    // The value in units of 10^-scale: 12.5 at scale 2 is 1250. Nothing if it has more decimals than that, or does
    // not fit into 18 digits.
    std::optional<std::int64_t> units(int scale) const;

    std::string to_string() const;

    friend bool operator==(const Decimal&, const Decimal&) = default;
    friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);

private:
    int128 coefficient_ = 0;
    int scale_ = 0;
};

// 10^exponent, for exponents from 0 to 36.
int128 power_of_ten(int exponent);

// Appends units / 10^scale with exactly `scale` decimals: 1250 at scale 2 is "12.50".
void append_decimal(std::string& out, std::int64_t units, int scale);

}  // namespace loyalty
