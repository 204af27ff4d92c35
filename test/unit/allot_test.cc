#include "core/money/allot.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <random>

namespace loyalty {
namespace {

using Shares = std::vector<std::int64_t>;

Shares allot_over(std::int64_t amount, const Shares& weights) { return allot(amount, weights); }

// 200 / 3 = 66.67 each: floors 66, two units left, all remainders equal.
TEST(Allot, TiesGoToTheEarlier) {
    EXPECT_EQ(allot_over(200, {1, 1, 1}), (Shares{67, 67, 66}));
    EXPECT_EQ(allot_over(1, {5, 5}), (Shares{1, 0}));
    EXPECT_EQ(allot_over(1, {0, 5, 5}), (Shares{0, 1, 0}));
}

// 100 × 10/35 = 28.57, 100 × 5/35 = 14.29, 100 × 20/35 = 57.14: one unit left, to the first.
TEST(Allot, LeftoverGoesToTheLargestRemainder) {
    EXPECT_EQ(allot_over(100, {10, 5, 20}), (Shares{29, 14, 57}));
    // 10 × 1/7 = 1.43, 10 × 2/7 = 2.86, 10 × 4/7 = 5.71: floors 1, 2, 5; to the second and the third.
    EXPECT_EQ(allot_over(10, {1, 2, 4}), (Shares{1, 3, 6}));
}

TEST(Allot, ZeroWeights) {
    EXPECT_EQ(allot_over(10, {0, 0, 0}), (Shares{10, 0, 0}));
    EXPECT_EQ(allot_over(10, {0, 3, 0}), (Shares{0, 10, 0}));
    EXPECT_EQ(allot_over(0, {1, 2}), (Shares{0, 0}));
    EXPECT_EQ(allot_over(10, {7}), (Shares{10}));
    EXPECT_EQ(allot_over(0, {}), Shares{});
}

TEST(Allot, HugeAmounts) {
    const std::int64_t huge = 1'000'000'000'000'000'000;
    EXPECT_EQ(allot_over(huge, {huge, huge, huge}),
              (Shares{333'333'333'333'333'334, 333'333'333'333'333'333, 333'333'333'333'333'333}));
    EXPECT_EQ(allot_over(INT64_MAX, {1, 0}), (Shares{INT64_MAX, 0}));
    EXPECT_EQ(allot_over(INT64_MAX, {INT64_MAX, INT64_MAX}), (Shares{INT64_MAX / 2 + 1, INT64_MAX / 2}));
}

TEST(Allot, SharesAddUpAndAreWithinOneUnit) {
    std::mt19937_64 random(1);
    for (int round = 0; round < 2'000; ++round) {
        const auto below = [&](std::int64_t most) {
            return std::uniform_int_distribution<std::int64_t>(0, most)(random);
        };
        Shares weights(static_cast<std::size_t>(1 + below(12)));
        for (auto& weight : weights) weight = below(1) * below(1'000'000);
        const std::int64_t amount = below(10'000'000);
        const auto shares = allot(amount, weights);
        const auto sum = std::accumulate(weights.begin(), weights.end(), std::int64_t{0});
        EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), std::int64_t{0}), amount);
        for (std::size_t i = 0; sum > 0 && i < weights.size(); ++i) {
            const std::int64_t exact = amount * weights[i] / sum;
            EXPECT_TRUE(shares[i] == exact || (shares[i] == exact + 1 && amount * weights[i] % sum != 0));
        }
    }
}

}  // namespace
}  // namespace loyalty
