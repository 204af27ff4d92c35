#include "core/money/decimal.hpp"
#include "core/money/amount.hpp"
#include "unit/build.hpp"

#include <gtest/gtest.h>

namespace loyalty {
namespace {

using build::decimal;
using build::error_of;

TEST(Decimal, ReadsWhatJsonAndNumericWrite) {
    const std::pair<const char*, const char*> texts[] = {
        {"0", "0"},
        {"-0", "0"},
        {"0.00", "0"},
        {"12.50", "12.5"},
        {"-12.50", "-12.5"},
        {"1e3", "1000"},
        {"1E+3", "1000"},
        {"1.5e-3", "0.0015"},
        {"150e-2", "1.5"},
        {"0.001", "0.001"},
        {"100", "100"},
        {"-0.5", "-0.5"},
        {"0e400", "0"},
        {"0e99999999999", "0"},
        {"0e-99999999999", "0"},
        {"123456789012345678901234567890123456", "123456789012345678901234567890123456"},
        {"0.000000000000000000000000000000000001", "0.000000000000000000000000000000000001"},
        {"1000000000000000000000000000000000000000e-20", "10000000000000000000"},
        {"0.0000000000000000000000000000000000000000000000001e40", "0.000000001"},
    };
    for (const auto& [text, expected] : texts) {
        const auto value = Decimal::parse(text);
        ASSERT_TRUE(value.has_value()) << text;
        EXPECT_EQ(value->to_string(), expected) << text;
    }
}

TEST(Decimal, RefusesWhatIsNoNumber) {
    for (const char* text : {"",   "-",  "+1",  ".5",   "5.",    "1e",  "1e+",      "1e+-5",     "1e--5", "e5", "--1",
                             " 1", "1 ", "1,5", "0x10", "1_000", "NaN", "Infinity", "-Infinity", "1.2.3", "٣"}) {
        EXPECT_FALSE(Decimal::parse(text).has_value()) << text;
    }
    EXPECT_FALSE(Decimal::parse(std::string_view("1\0", 2)).has_value());
}

// 36 digits before the point and 36 behind it are read, one more is not; nothing of it takes time in proportion to the
// exponent.
TEST(Decimal, HasBounds) {
    EXPECT_TRUE(Decimal::parse("1e35").has_value());
    EXPECT_FALSE(Decimal::parse("1e36").has_value());
    EXPECT_TRUE(Decimal::parse("1e-36").has_value());
    EXPECT_FALSE(Decimal::parse("1e-37").has_value());
    for (const char* text : {"1e400", "-1e400", "1e-400", "1e2147483648", "1e-2147483649", "1e99999999999999999999",
                             "1e-99999999999999999999", "1234567890123456789012345678901234567",
                             "1.234567890123456789012345678901234567"}) {
        EXPECT_FALSE(Decimal::parse(text).has_value()) << text;
    }
    // A tail of zeros is no digit that counts.
    EXPECT_EQ(decimal("1.5" + std::string(100'000, '0')).to_string(), "1.5");
    EXPECT_FALSE(Decimal::parse("1" + std::string(100'000, '0')).has_value());
    EXPECT_EQ(decimal(std::string(100'000, '0') + "7").to_string(), "7");
}

TEST(Decimal, GivesUnitsOfAScaleOrNothing) {
    EXPECT_EQ(decimal("12.5").units(2), 1250);
    EXPECT_EQ(decimal("-0.01").units(2), -1);
    EXPECT_EQ(decimal("12.345").units(2), std::nullopt);
    EXPECT_EQ(decimal("12.340").units(2), 1234);
    EXPECT_EQ(decimal("10000000000000000").units(2), 1'000'000'000'000'000'000);
    EXPECT_EQ(decimal("10000000000000000.01").units(2), std::nullopt);
    EXPECT_EQ(decimal("-10000000000000000").units(2), -1'000'000'000'000'000'000);
    EXPECT_EQ(decimal("1e35").units(4), std::nullopt);
}

// What binary floating point gets wrong: 0.1 + 0.2 is not 0.3, 1.005 × 100 is 100.49999…, 0.29 × 100 is 28.999….
TEST(Decimal, IsExact) {
    EXPECT_EQ(*decimal("0.1").units(2) + *decimal("0.2").units(2), *decimal("0.3").units(2));
    EXPECT_EQ(decimal("1.005").units(3), 1005);
    EXPECT_EQ(decimal("0.29").units(2), 29);
    EXPECT_EQ(decimal("9007199254740993").units(0), 9'007'199'254'740'993);
    EXPECT_EQ(decimal("1.10"), decimal("1.1"));
}

TEST(Decimal, Compares) {
    EXPECT_LT(decimal("0.1"), decimal("0.10000001"));
    EXPECT_LT(decimal("-0.2"), decimal("-0.1"));
    EXPECT_LT(decimal("-0.1"), decimal("0"));
    EXPECT_LT(decimal("2"), decimal("10"));
    EXPECT_GT(decimal("123456789012345678901234567890123456"), decimal("0.000000000000000000000000000000000001"));
    EXPECT_EQ(decimal("1e2") <=> decimal("100.000"), std::strong_ordering::equal);
    EXPECT_FALSE(decimal("100") > Decimal(100));
    EXPECT_TRUE(decimal("100.000001") > Decimal(100));
}

std::string formatted(std::int64_t units, int scale) {
    std::string text;
    append_decimal(text, units, scale);
    return text;
}

TEST(Decimal, IsWrittenWithAllItsDecimals) {
    EXPECT_EQ(formatted(1250, 2), "12.50");
    EXPECT_EQ(formatted(5, 2), "0.05");
    EXPECT_EQ(formatted(-5, 2), "-0.05");
    EXPECT_EQ(formatted(0, 2), "0.00");
    EXPECT_EQ(formatted(0, 0), "0");
    EXPECT_EQ(formatted(1250, 0), "1250");
    EXPECT_EQ(formatted(1, 4), "0.0001");
    EXPECT_EQ(formatted(INT64_MIN, 4), "-922337203685477.5808");
    EXPECT_EQ(formatted(INT64_MAX, 0), "9223372036854775807");
}

TEST(Amount, RoundsHalfAwayFromZero) {
    EXPECT_EQ(scaled(1, {1, 2}), 1);      // 0.5
    EXPECT_EQ(scaled(3, {1, 2}), 2);      // 1.5
    EXPECT_EQ(scaled(5, {1, 2}), 3);      // 2.5, where half to even would give 2
    EXPECT_EQ(scaled(249, {1, 100}), 2);  // 2.49
    EXPECT_EQ(scaled(1, {499'999'999, 1'000'000'000}), 0);
    EXPECT_EQ(scaled(145, Fraction::percent(decimal("10"))), 15);  // 14.5, which a double may see as 14.499…
    EXPECT_EQ(scaled(7, {1, 3}, Rounding::down), 2);
    EXPECT_EQ(scaled(7, {1, 3}, Rounding::up), 3);
    EXPECT_EQ(scaled(6, {1, 3}, Rounding::up), 2);
}

TEST(Amount, MultipliesPricesByQuantities) {
    EXPECT_EQ(times(Money{333}, Quantity{500'000}).units, 167);  // 3.33 × 0.5 = 1.665
    EXPECT_EQ(times(Money{999}, Quantity{3'000'000}).units, 2997);
    EXPECT_EQ(times(Money{100}, Fraction{1, 3}, Quantity{3'000'000}).units,
              100);  // a third of 1.00 is not rounded before
    EXPECT_EQ(times(Money{1}, Quantity{499'999}).units, 0);
}

TEST(Amount, FractionsAreReduced) {
    const Fraction half = Fraction::percent(decimal("50"));
    EXPECT_TRUE(half.numerator == 1 && half.denominator == 2);
    const Fraction eighth = Fraction::percent(decimal("12.5"));
    EXPECT_TRUE(eighth.numerator == 1 && eighth.denominator == 8);
    const Fraction product = Fraction::of(decimal("0.07")) * Fraction{100, 7};
    EXPECT_TRUE(product.numerator == 1 && product.denominator == 1);
}

TEST(Amount, OverflowIsAnError) {
    const Money most{INT64_MAX};
    EXPECT_EQ(error_of([&] { most + Money{1}; }).sqlstate(), "LY401");
    EXPECT_EQ(error_of([&] { Money{INT64_MIN} - Money{1}; }).sqlstate(), "LY401");
    EXPECT_EQ(error_of([&] { scaled(INT64_MAX, {2, 1}); }).sqlstate(), "LY401");
    EXPECT_EQ(error_of([&] { times(Money{1'000'000'000'000}, Quantity{INT64_MAX}); }).sqlstate(), "LY401");
    EXPECT_EQ(error_of([&] { checked_product(power_of_ten(36), 1000); }).sqlstate(), "LY401");
    EXPECT_EQ(scaled(INT64_MAX, {1, 1}), INT64_MAX);
}

}  // namespace
}  // namespace loyalty
