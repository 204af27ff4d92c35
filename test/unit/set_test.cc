// Which units make up sets: worked cases, and random ones against all ways to fill them.
#include "core/benefits/sets.hpp"
#include "unit/oracle_sets.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace loyalty {
namespace {

TEST(Sets, TakeTheCheapestUnitsAndBuyTheDearest) {
    // Two bought, one got of 10, 7, 7, 3: the 3 is got, the 10 and the first 7 are bought.
    const Sets sets({{1, 10, 3}, {2, 7, 3}, {1, 3, 3}}, {{2, false}, {1, true}}, false);
    EXPECT_EQ(sets.most_times(), 1);
    const SetChoice choice = sets.choose(1);
    EXPECT_EQ(choice.got, (std::vector<std::int64_t>{0, 0, 1}));
    EXPECT_EQ(choice.bought, (std::vector<std::int64_t>{1, 1, 0}));
}

TEST(Sets, NoGreedyChoiceTakesWhatAnotherPartNeeds) {
    // A cap (5) or a mug (4) is got, and only mugs are bought: the cap is got, though the mug costs less.
    const Sets sets({{1, 5, 2}, {1, 4, 3}}, {{1, false}, {1, true}}, false);
    const SetChoice choice = sets.choose(1);
    EXPECT_EQ(choice.got, (std::vector<std::int64_t>{1, 0}));
    EXPECT_EQ(choice.bought, (std::vector<std::int64_t>{0, 1}));
}

TEST(Sets, TellWhatTheNextOneLacks) {
    const Sets sets({{5, 10, 1}, {1, 4, 2}}, {{2, false}, {1, true}}, false);
    EXPECT_EQ(sets.most_times(), 1);
    const SetShortage shortage = sets.shortage(2);
    EXPECT_EQ(shortage.parts, 2U);
    EXPECT_EQ(shortage.units, 1);
    EXPECT_EQ(shortage.wanted, 2);
}

TEST(Sets, AreTheBestOfAllWaysToFillThem) {
    std::mt19937_64 random(20261130);
    const auto up_to = [&](int most) { return std::uniform_int_distribution<int>(0, most)(random); };
    const char* setting = std::getenv("LOYALTY_CASES");
    const int cases = setting ? std::atoi(setting) : 3'000;
    for (int number = 0; number < cases && !testing::Test::HasFailure(); ++number) {
        std::vector<SetPart> parts;
        std::vector<oracle::SetSlots> slots;
        for (int left = 1 + up_to(2); left > 0; --left) {
            parts.push_back({1 + up_to(1), parts.empty() || up_to(1) == 0});
            slots.push_back({parts.back().count, parts.back().is_got});
        }
        std::vector<SetUnits> units;
        std::vector<oracle::SetGroup> groups;
        const int prices = 1 + up_to(4);
        for (int left = 1 + up_to(4); left > 0; --left) {
            SetUnits group{1 + up_to(2), 1 + up_to(prices), 0};
            oracle::SetGroup same{group.count, group.price};
            for (std::size_t p = 0; p < parts.size(); ++p) {
                if (up_to(2) == 0) continue;
                group.fits |= 1U << p;
                same.fits.insert(p);
            }
            units.push_back(group);
            groups.push_back(same);
        }
        for (const bool dearest : {false, true}) {
            const Sets sets(units, parts, dearest);
            const std::int64_t most = sets.most_times();
            EXPECT_FALSE(oracle::fill_sets(groups, slots, dearest, most + 1)) << "case " << number;
            for (std::int64_t times = 1; times <= most; ++times) {
                const auto expected = oracle::fill_sets(groups, slots, dearest, times);
                ASSERT_TRUE(expected) << "case " << number;
                const SetChoice choice = sets.choose(times);
                EXPECT_EQ(choice.got, expected->got)
                    << "case " << number << ", " << times << " sets, dearest " << dearest;
                EXPECT_EQ(choice.bought, expected->bought)
                    << "case " << number << ", " << times << " sets, dearest " << dearest;
            }
        }
    }
}

}  // namespace
}  // namespace loyalty
