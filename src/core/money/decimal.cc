#include "core/money/decimal.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace loyalty {

namespace {

constexpr auto powers_of_ten = [] {
    std::array<int128, Decimal::max_digits + 1> powers{};
    powers[0] = 1;
    for (std::size_t i = 1; i < powers.size(); i++) powers[i] = powers[i - 1] * 10;
    return powers;
}();

constexpr std::int64_t max_units = 1'000'000'000'000'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string digits_of(int128 value) {
    if (value == 0) return "0";
    std::string digits;
    for (; value != 0; value /= 10) digits.push_back(static_cast<char>('0' + static_cast<int>(value % 10)));
    std::reverse(digits.begin(), digits.end());
    return digits;
}

// The parts of a number's text: sign, digits, how many of them are decimals, and the exponent.
struct Lexeme {
    bool negative = false;
    std::string_view whole;
    std::string_view decimals;
    int exponent = 0;
};

std::optional<Lexeme> split(std::string_view text) {
    Lexeme lexeme;
    if (text.starts_with('-')) {
        lexeme.negative = true;
        text.remove_prefix(1);
    }
    const auto take_digits = [&text] {
        const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
        const auto digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
        text.remove_prefix(digits.size());
        return digits;
    };
    lexeme.whole = take_digits();
    if (lexeme.whole.empty()) return std::nullopt;
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        lexeme.decimals = take_digits();
        if (lexeme.decimals.empty()) return std::nullopt;
    }
    if (text.starts_with('e') || text.starts_with('E')) {
        text.remove_prefix(1);
        if (text.starts_with('+')) {
            text.remove_prefix(1);
            if (text.starts_with('-')) return std::nullopt;
        }
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), lexeme.exponent);
        if (error == std::errc::invalid_argument) return std::nullopt;
        if (error == std::errc::result_out_of_range) lexeme.exponent = text.starts_with('-') ? -100000 : 100000;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    }
    if (!text.empty()) return std::nullopt;
    return lexeme;
}

}  // namespace

int128 power_of_ten(int exponent) {
    // Documents are checked where they are read; so the scale of a currency or a point type is not what it can be.
    if (exponent < 0 || static_cast<std::size_t>(exponent) >= powers_of_ten.size()) {
        throw Error(sqlstate::data_corrupted,
                    std::to_string(exponent) + " decimals are more than can be calculated with",
                    "At most it is " + std::to_string(powers_of_ten.size() - 1) + ".",
                    "Compare the scales of programs and point types with what their constraints allow.");
    }
    return powers_of_ten[static_cast<std::size_t>(exponent)];
}

std::optional<Decimal> Decimal::parse(std::string_view text) {
    const auto lexeme = split(text);
    if (!lexeme) return std::nullopt;

    int128 coefficient = 0;
    int significant = 0;
    // Zeros at the end are counted, not multiplied in, so that a long tail of them costs no digits.
    std::int64_t zeros = 0;
    for (const auto part : {lexeme->whole, lexeme->decimals}) {
        for (const char digit : part) {
            if (digit == '0') {
                zeros++;
                continue;
            }
            if (coefficient != 0) {
                if (significant + zeros + 1 > max_digits) return std::nullopt;
                coefficient *= power_of_ten(static_cast<int>(zeros));
                significant += static_cast<int>(zeros);
            }
            coefficient = coefficient * 10 + (digit - '0');
            significant++;
            zeros = 0;
        }
    }
    if (coefficient == 0) return Decimal{};
    const std::int64_t scale = static_cast<std::int64_t>(lexeme->decimals.size()) - lexeme->exponent - zeros;
    if (scale > max_digits || significant - scale > max_digits) return std::nullopt;
    if (lexeme->negative) coefficient = -coefficient;
    return scale >= 0 ? of(coefficient, static_cast<int>(scale))
                      : of(coefficient * power_of_ten(static_cast<int>(-scale)), 0);
}

Decimal Decimal::of(int128 coefficient, int scale) {
    while (scale > 0 && coefficient % 10 == 0) {
        coefficient /= 10;
        scale--;
    }
    Decimal decimal;
    decimal.coefficient_ = coefficient;
    decimal.scale_ = scale;
    return decimal;
}

std::optional<std::int64_t> Decimal::units(int scale) const {
    if (scale_ > scale) return std::nullopt;
    int128 units;
    if (__builtin_mul_overflow(coefficient_, power_of_ten(scale - scale_), &units)) return std::nullopt;
    if (units > max_units || units < -max_units) return std::nullopt;
    return static_cast<std::int64_t>(units);
}

std::string Decimal::to_string() const {
    std::string digits = digits_of(coefficient_ < 0 ? -coefficient_ : coefficient_);
    if (scale_ > 0) {
        const auto width = static_cast<std::size_t>(scale_) + 1;
        if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
        digits.insert(digits.size() - static_cast<std::size_t>(scale_), 1, '.');
    }
    return coefficient_ < 0 ? "-" + digits : digits;
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
    // Whole parts first: bringing both to one scale could overflow.
    const int128 a_unit = power_of_ten(a.scale_), b_unit = power_of_ten(b.scale_);
    const int128 a_whole = a.coefficient_ / a_unit, b_whole = b.coefficient_ / b_unit;
    if (a_whole != b_whole) return a_whole < b_whole ? std::strong_ordering::less : std::strong_ordering::greater;
    const int scale = std::max(a.scale_, b.scale_);
    const int128 a_rest = a.coefficient_ % a_unit * power_of_ten(scale - a.scale_);
    const int128 b_rest = b.coefficient_ % b_unit * power_of_ten(scale - b.scale_);
    if (a_rest == b_rest) return std::strong_ordering::equal;
    return a_rest < b_rest ? std::strong_ordering::less : std::strong_ordering::greater;
}

void append_decimal(std::string& out, std::int64_t units, int scale) {
    char digits[32];
    if (units < 0) out.push_back('-');
    const auto magnitude = units < 0 ? 0 - static_cast<std::uint64_t>(units) : static_cast<std::uint64_t>(units);
    const auto end = std::to_chars(digits, digits + sizeof digits, magnitude).ptr;
    const auto count = static_cast<std::size_t>(end - digits);
    const auto decimals = static_cast<std::size_t>(scale);
    if (count <= decimals) {
        out.append("0.").append(decimals - count, '0').append(digits, count);
        return;
    }
    out.append(digits, count - decimals);
    if (decimals > 0) out.append(".").append(digits + count - decimals, decimals);
}

}  // namespace loyalty
