// Giving back: random series of returns, against the definition.
#include "core/calculate/returns.hpp"

#include "core/error.hpp"
#include "core/money/allot.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace loyalty {
namespace {

using Wide = __int128;

// round(figure × returned ÷ quantity), half up, by definition: the whole number nearest to it.
std::int64_t rounded_share(std::int64_t figure, std::int64_t returned, std::int64_t quantity) {
    std::int64_t low = 0, high = figure;
    // The largest whole number n with n − 1/2 ≤ figure × returned ÷ quantity.
    while (low < high) {
        const std::int64_t middle = low + (high - low + 1) / 2;
        if ((2 * static_cast<Wide>(middle) - 1) * quantity <= 2 * static_cast<Wide>(figure) * returned) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

TEST(Returns, RoundOnceOverall) {
    const Quantity three{3'000'000};
    // 10.00 for three units: 3.33, then 3.34, then 3.33.
    EXPECT_EQ(part_of(1000, {three, Quantity{0}, one_unit}), 333);
    EXPECT_EQ(part_of(1000, {three, one_unit, Quantity{2'000'000}}), 334);
    EXPECT_EQ(part_of(1000, {three, Quantity{2'000'000}, three}), 333);
    EXPECT_EQ(part_of(1, {Quantity{2'000'000}, Quantity{0}, one_unit}), 1);
    EXPECT_EQ(part_of(1, {Quantity{2'000'000}, one_unit, Quantity{2'000'000}}), 0);
    // 12.50 for a thousand at 0.0125: 4.1625 -> 4.16 for 333 of them, the other 8.34 for what is left.
    const Quantity thousand{1'000 * one_unit.units}, some{333 * one_unit.units};
    EXPECT_EQ(part_of(1250, {thousand, Quantity{0}, some}), 416);
    EXPECT_EQ(part_of(1250, {thousand, some, thousand}), 834);
    EXPECT_TRUE((ReturnedUnits{three, one_unit, three}).are_all());
    EXPECT_FALSE((ReturnedUnits{three, one_unit, one_unit}).are_all());
}

TEST(Returns, LargestFiguresDoNotOverflow) {
    constexpr std::int64_t largest = 999'999'999'999'999'999;
    EXPECT_EQ(given_back(largest, Quantity{largest}, Quantity{largest}), largest);
    EXPECT_EQ(given_back(largest, Quantity{largest - 1}, Quantity{largest}), largest - 1);
    EXPECT_EQ(given_back(largest, Quantity{1}, Quantity{largest}), 1);
}

// Any series of returns gives back, after each of them, the share of what came back so far; and all with the last unit.
TEST(Returns, AnySeriesGivesBackTheSame) {
    std::mt19937_64 random(20'260'115);
    const auto pick = [&](std::int64_t from, std::int64_t to) {
        return std::uniform_int_distribution<std::int64_t>(from, to)(random);
    };
    for (int round = 0; round < 20'000; round++) {
        const bool pieces = pick(0, 1) == 0;
        const std::int64_t unit = pieces ? one_unit.units : 1;
        const std::int64_t quantity = pick(1, pieces ? 50 : 5'000'000);
        const std::int64_t figure = pick(0, round % 7 == 0 ? 999'999'999'999'999'999 : 5000);
        std::int64_t returned = 0, sum = 0;
        while (returned < quantity) {
            const std::int64_t taken = pick(1, quantity - returned);
            const ReturnedUnits units{Quantity{quantity * unit}, Quantity{returned * unit},
                                      Quantity{(returned + taken) * unit}};
            const std::int64_t part = part_of(figure, units);
            ASSERT_GE(part, 0);
            sum += part;
            returned += taken;
            ASSERT_EQ(sum, rounded_share(figure, returned, quantity)) << figure << " for " << quantity;
            ASSERT_LE(sum, figure);
            ASSERT_EQ(units.are_all(), returned == quantity);
        }
        ASSERT_EQ(sum, figure);
    }
}

// Points attributed to lines by the money they paid there, returned line by line in any order: all of them come back.
TEST(Returns, AttributedPointsComeBackWhole) {
    std::mt19937_64 random(7);
    const auto pick = [&](std::int64_t from, std::int64_t to) {
        return std::uniform_int_distribution<std::int64_t>(from, to)(random);
    };
    for (int round = 0; round < 5'000; round++) {
        std::vector<std::int64_t> money(static_cast<std::size_t>(pick(1, 8)));
        for (auto& paid : money) paid = pick(0, 300);
        const std::int64_t points = pick(0, 2000);
        const auto attributed = allot(points, money);
        ASSERT_EQ(std::accumulate(attributed.begin(), attributed.end(), std::int64_t{0}), points);
        std::int64_t back = 0;
        for (const auto part : attributed) {
            const std::int64_t quantity = pick(1, 9);
            for (std::int64_t returned = 0; returned < quantity;) {
                const std::int64_t taken = pick(1, quantity - returned);
                back += part_of(part, {Quantity{quantity * one_unit.units}, Quantity{returned * one_unit.units},
                                       Quantity{(returned + taken) * one_unit.units}});
                returned += taken;
            }
        }
        ASSERT_EQ(back, points);
    }
}

}  // namespace
}  // namespace loyalty
